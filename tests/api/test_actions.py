"""User-defined actions over HTTP."""

from tests.api.client import Client
from tests.serving import wait_for

SAY = {
    "name": "team/say",
    "title": "Say it",
    "arguments": [{"name": "word", "type": "string", "required": True, "max_value": 5}],
    "invariants": ["args.word != 'no'", "output.message != 'hm!'", "Be kind"],
    "body": {"action": "log/event", "parameters": {"message": "{{ args.word }}!"}},
}
USING = """
dsl: canvas/v1
name: talk
parameters: {word: {type: string}}
steps:
  - {name: say, type: action, action: team/say, parameters: {word: "{{ workflow.parameters.word }}"}}
"""


def test_an_action_is_made_looked_at_changed_and_removed(api: Client):
    """The way of one action through the whole API."""
    made = api.post("/actions", json=SAY)
    assert (201, 1, "available") == (made.status_code, made.json()["version"], made.json()["state"])
    listed = {one["name"]: one for one in api.get("/actions").json()}
    assert ("user", "Yours") == (listed["team/say"]["origin"], listed["team/say"]["category"])
    assert "builtin" == listed["log/event"]["origin"]
    assert 5 == api.get("/actions/team/say").json()["arguments_schema"]["properties"]["word"]["maxLength"]

    document = {**SAY, "title": "Tell it"}
    changed = api.put("/actions/team/say", json={"base_version": 1, "document": document})
    assert (200, 2) == (changed.status_code, changed.json()["version"])
    late = api.put("/actions/team/say", json={"base_version": 1, "document": document})
    assert (409, "action_conflict", 2) == (late.status_code, late.json()["code"], late.json()["version"])

    assert 204 == api.post("/actions/team/say/archive").status_code
    assert api.get("/actions/team/say").json()["is_archived"]
    assert 204 == api.post("/actions/team/say/restore").status_code
    assert [] == api.get("/actions/team/say/uses").json()
    assert 204 == api.delete("/actions/team/say").status_code
    assert 404 == api.get("/actions/team/say/definition").status_code


def test_a_wrong_action_is_told_whole(api: Client):
    """Before it is kept, and while it is typed."""
    wrong = {**SAY, "name": "log/say", "invariants": ["args.wrd == ''"]}
    refused = api.post("/actions", json=wrong)

    assert (422, "action_has_errors") == (refused.status_code, refused.json()["code"])
    codes = [problem["code"] for problem in refused.json()["problems"]]
    assert ["reserved_name", "unknown_argument"] == codes
    checked = api.post("/actions/check", json=wrong).json()
    assert (codes, [True]) == ([problem["code"] for problem in checked["problems"]], checked["checked"])


def test_an_action_travels_as_text(api: Client):
    """What one installation exports another one imports."""
    api.post("/actions", json=SAY)
    text = api.get("/actions/team/say/export").text
    assert text.startswith("dsl: canvas/v1\nkind: action\nname: team/say\n")
    api.delete("/actions/team/say")

    assert (201, "created") == (lambda a: (a.status_code, a.json()["outcome"]))(
        api.post("/actions/import", content=text)
    )
    again = api.post("/actions/import?if_exists=update", content=text)
    assert (200, "updated") == (again.status_code, again.json()["outcome"])
    assert 409 == api.post("/actions/import", content=text).status_code


def test_registered_actions_are_nobodys_to_change(api: Client):
    """They are told apart from user-defined ones."""
    assert 404 == api.delete("/actions/log/event").status_code
    assert 404 == api.put("/actions/log/event", json={"base_version": 1, "document": SAY}).status_code
    assert 404 == api.get("/actions/log/event/export").status_code


def test_a_run_calls_it_and_breaks_on_its_invariants(api: Client, engine):
    """The step keeps the name and arguments that people know, and the text of what was broken."""
    api.post("/actions", json=SAY)
    assert 201 == api.post("/workflows/import?publish=true", content=USING).status_code

    def run(word):
        started = api.post("/workflows/talk/runs?wait=20", json={"parameters": {"word": word}}).json()
        return started, api.get(f"/runs/{started['id']}").json()["step_executions"]["say"]

    done, step = run("hi")
    assert ("completed", "team/say", {"word": "hi"}) == (done["status"], step["action"], step["input"])
    assert "hi!" == step["output"]["message"]
    for word, text in (("no", "args.word != 'no'"), ("hm", "output.message != 'hm!'")):
        failed, step = run(word)
        assert ("failed", "invariant_broken", text) == (
            failed["status"],
            step["error"]["code"],
            step["error"]["invariant"],
        )
        assert 1 == step["attempt"]
    used = api.get("/actions/team/say/uses").json()
    assert [("talk", [1], True)] == [(one["workflow"], one["versions"], one["is_published"]) for one in used]
    assert (409, "action_in_use") == (lambda a: (a.status_code, a.json()["code"]))(api.delete("/actions/team/say"))


def test_it_can_be_tried_out(api: Client, engine):
    """A run tells what came of it; no list of workflows shows where it ran."""
    api.post("/actions", json=SAY)
    started = api.post("/actions/team/say/try", json={"arguments": {"word": "hey"}, "dry_run": False})
    assert 202 == started.status_code
    path = f"/runs/{started.json()['id']}"

    wait_for(lambda: api.get(path).json()["status"] == "completed")
    assert "hey!" == api.get(path).json()["output"]["output"]["message"]
    assert [] == api.get("/workflows").json()["rows"]
    assert 422 == api.post("/actions/team/say/try", json={"arguments": {}}).status_code


def test_bounds_beyond_64_bits_are_no_defect(api):
    """They are floats, and stay floats: in the check, and in the schema of what is called."""
    for kind in ("integer", "float"):
        arguments = [{"name": "n", "type": kind, "min_value": -1e300, "max_value": 1e300, "default": 1e300}]
        assert api.post("/actions/check", json={**SAY, "arguments": arguments}).status_code < 500
