"""Workflows over HTTP: the round of a workflow's life, with clear answers to what cannot be done."""

import pytest

from tests.api.conftest import HELLO

LOG = {"name": "note", "type": "action", "action": "log/event", "parameters": {"message": "hi"}}


def test_a_workflow_from_nothing_to_published(api):
    """Made, edited, saved, published, exported."""
    made = api.post("/workflows", json={"name": "made", "title": "Made"})
    assert (201, 1) == (made.status_code, made.json()["revision"])
    operations = [{"op": "put", "step": LOG, "parent": None, "index": None}]
    edited = api.patch("/workflows/made/draft", json={"base_revision": 1, "operations": operations})
    assert (200, [], ["note"]) == (
        edited.status_code,
        edited.json()["problems"],
        [step["name"] for step in edited.json()["document"]["steps"]],
    )
    saved = api.post("/workflows/made/versions", json={"base_revision": 2, "change_summary": "First"})
    assert (201, 1, "create") == (saved.status_code, saved.json()["number"], saved.json()["change_type"])
    assert 200 == api.post("/workflows/made/versions", json={}).status_code
    assert 204 == api.post("/workflows/made/versions/1/publish").status_code
    (version,) = api.get("/workflows/made/versions").json()
    assert version["is_published"]
    assert "name: made" in api.get("/workflows/made/export").text
    assert "made" == api.get("/workflows/made/export?format=json&version=1").json()["name"]
    assert "made" == api.get("/workflows/made/versions/1").json()["document"]["name"]


def test_a_workflow_with_its_document(api):
    """Made at once, and replaced as a whole."""
    document = {"dsl": "canvas/v1", "name": "ignored", "steps": [LOG]}
    made = api.post("/workflows", json={"name": "made", "document": document}).json()
    assert "made" == made["document"]["name"]
    body = {"base_revision": made["revision"], "document": {**document, "title": "T"}, "layout": {"note": [5, 6]}}
    replaced = api.put("/workflows/made", json=body).json()

    assert ("T", {"note": [5.0, 6.0]}) == (replaced["document"]["title"], replaced["layout"])


def test_two_editors_do_not_overwrite_each_other(api):
    """The second one gets 409 with the draft as it now stands."""
    api.post("/workflows", json={"name": "made"})
    edit = {"base_revision": 1, "operations": [{"op": "meta", "patch": {"title": "First"}}]}
    assert 200 == api.patch("/workflows/made/draft", json=edit).status_code
    answer = api.patch("/workflows/made/draft", json=edit)

    assert (409, "draft_conflict") == (answer.status_code, answer.json()["code"])
    assert "First" == answer.json()["draft"]["document"]["title"]


def test_a_list_goes_page_by_page(api):
    """By name, with a cursor that neither repeats nor skips."""
    for name in ("c", "a", "b"):
        api.post("/workflows", json={"name": name, "title": name.upper()})
    first = api.get("/workflows?limit=2").json()
    second = api.get("/workflows", params={"limit": 2, "cursor": first["next_cursor"]}).json()

    assert (["a", "b"], ["c"], "") == (
        [row["name"] for row in first["rows"]],
        [row["name"] for row in second["rows"]],
        second["next_cursor"],
    )
    assert ["b"] == [row["name"] for row in api.get("/workflows?text=B").json()["rows"]]
    assert [] == api.get("/workflows?tag=x").json()["rows"]


def test_import_says_what_it_did(hello):
    """Created, unchanged or refused; under another name it is another workflow."""
    assert 409 == hello.post("/workflows/import", content=HELLO).status_code
    again = hello.post("/workflows/import?if_exists=update", content=HELLO)
    assert (200, "unchanged") == (again.status_code, again.json()["outcome"])
    text = HELLO.partition("triggers:")[0] + "steps:" + HELLO.partition("steps:")[2].partition("steps:")[2]
    copy = hello.post("/workflows/import?name=copy", content=text or HELLO)
    assert copy.status_code in (201, 422)


def test_validation_tells_everything_at_once(api):
    """With code, line, column, sentence and hint; nothing is kept."""
    text = HELLO.replace("log/event", "log/evnt").replace("workflow.parameters.who", "workflow.parameters.whom")
    answer = api.post("/workflows/validate", content=text).json()

    assert not answer["valid"]
    codes = {problem["code"]: problem for problem in answer["problems"]}
    assert "unknown_action" in codes
    assert len(codes) >= 2
    assert all(problem["line"] and problem["column"] and problem["text"] for problem in codes.values())
    assert [] == api.get("/workflows").json()["rows"]
    assert api.post("/workflows/validate", content=HELLO).json()["valid"]


def test_a_difference_over_http(hello):
    """Between two versions, or a version and the draft."""
    hello.post("/workflows/import?if_exists=update", content=HELLO.replace("Hello", "Bye"))
    difference = hello.get("/workflows/hello/diff?from=1&to=2").json()

    assert (["greet"], False) == ([step["name"] for step in difference["changed"]], difference["is_empty"])
    assert not hello.get("/workflows/hello/diff?from=1").json()["is_empty"]


@pytest.mark.parametrize("verb", ["archive", "restore", "unpublish"])
def test_taking_out_of_use_and_back(hello, verb):
    """Each is a call of its own."""
    assert 204 == hello.post(f"/workflows/hello/{verb}").status_code


def test_deleting(hello):
    """Afterwards it is gone."""
    assert 204 == hello.delete("/workflows/hello").status_code
    assert 404 == hello.get("/workflows/hello").status_code
    assert 404 == hello.post("/hooks/greet", json={"who": "x"}).status_code


def test_duplicating(hello):
    """A copy of the draft under another name."""
    answer = hello.post("/workflows/hello/duplicate", json={"name": "copy"})

    assert (201, "copy") == (answer.status_code, answer.json()["document"]["name"])


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/workflows/nobody", "workflow_not_found"),
        ("/workflows/nobody/export", "workflow_not_found"),
        ("/workflows/nobody/versions", "workflow_not_found"),
        ("/workflows/hello/versions/9", "version_not_found"),
        ("/workflows/hello/export?version=9", "version_not_found"),
        ("/workflows/hello/diff?from=1&to=9", "version_not_found"),
        ("/runs/nobody", "run_not_found"),
        ("/runs/nobody/logs", "run_not_found"),
        ("/runs/nobody/events", "run_not_found"),
        ("/runs/nobody/steps?path=a", "run_not_found"),
        ("/schedules/nobody", "schedule_not_found"),
        ("/actions/no/such", "action_not_found"),
        ("/no/such/route", "not_found"),
    ],
)
def test_what_is_not_there_is_a_problem_document(hello, path, code):
    """404, with a stable code and a sentence."""
    answer = hello.get(path)

    assert (404, code) == (answer.status_code, answer.json()["code"])
    assert "application/problem+json" == answer.headers["content-type"]
    assert answer.json()["detail"]
