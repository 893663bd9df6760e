"""The events of the page of one user-defined action, without a browser."""

import pytest
from sqlmodel import select

from canvas import db
from canvas.services import actions, workflows
from canvas.services.access import Actor, Role
from canvas.ui.pages import own_action
from canvas.ui.pages.own_action import OwnActionState
from models import Action

SAY = {
    "name": "team/say",
    "arguments": [{"name": "word", "type": "string", "required": True}],
    "invariants": ["args.word != 'no'"],
    "body": {"action": "log/event", "parameters": {"message": "{{ args.word }}"}},
}
DRAFT = """
dsl: canvas/v1
name: talk
steps:
  - {name: first, type: set, values: {a: 1}}
  - name: say
    title: Say it
    type: action
    action: log/event
    parameters: {message: "Hello {{ steps.first.output.a }}", level: info, data: {Who: "{{ context.a }}"}}
"""


@pytest.fixture
def kept(database):
    """A database with the action `team/say` and the workflow `talk`."""
    with db.transaction(database) as session:
        actions.create_action(session, SAY)
        workflows.import_workflow(session, DRAFT)
    return database


def save(name, document, version):
    return OwnActionState.save, {"seq": 1, "name": name, "document": document, "base_version": version}


def test_a_new_action_begins_empty_and_what_can_be_called_is_there(tab, kept):
    """The catalogue says which actions are one's own."""
    state, _ = tab((OwnActionState.load, {}), path="/actions/edit/")

    assert ("", 0, {}) == (state.opened["name"], state.opened["version"], state.opened["document"]["body"])
    assert {"builtin", "user"} <= {one["origin"] for one in state.catalog["actions"]}


def test_an_action_is_opened_by_its_name(tab, kept):
    """With its document, and who uses it; one that is not there is said to be missing."""
    state, _ = tab((OwnActionState.load, {}), path="/actions/edit/?name=team/say")
    assert ("team/say@1", "available", []) == (state.opened["key"], state.opened["state"], state.opened["uses"])
    assert SAY["arguments"] == state.opened["document"]["arguments"]

    state, _ = tab((OwnActionState.load, {}), path="/actions/edit/?name=team/gone")
    assert "team/gone" in state.missing


def test_a_step_becomes_an_action(tab, kept):
    """What it fills in becomes arguments, named after its parameters; the rest stays as it is."""
    state, _ = tab((OwnActionState.load, {}), path="/actions/edit/?workflow=talk&step=say")
    document = state.opened["document"]

    assert ["message", "who"] == [one["name"] for one in document["arguments"]]
    assert {
        "action": "log/event",
        "parameters": {"message": "{{ args.message }}", "level": "info", "data": {"Who": "{{ args.who }}"}},
    } == document["body"]
    assert "Say it" == document["title"]
    for step in ("first", "gone"):
        state, _ = tab((OwnActionState.load, {}), path=f"/actions/edit/?workflow=talk&step={step}")
        assert step in state.missing


def test_what_is_typed_is_judged(tab, kept):
    """With the place of each problem, and how each invariant is read."""
    wrong = {**SAY, "invariants": ["args.wrd == ''", "Be kind"]}
    state, _ = tab((OwnActionState.check, {"seq": 7, "document": wrong}))

    assert (7, [True, False]) == (state.reply["seq"], state.reply["checked"])
    assert ["/invariants/0"] == [problem["pointer"] for problem in state.reply["problems"]]
    assert ["word"] == list(state.reply["schema"]["properties"])


def test_it_is_made_and_changed(tab, kept):
    """A change that comes too late is told as a conflict and changes nothing."""
    state, _ = tab(save("", {**SAY, "name": "team/tell"}, 0))
    assert ("team/tell", 1) == (state.reply["saved"]["name"], state.reply["saved"]["version"])
    state, _ = tab(save("team/tell", {**SAY, "name": "team/tell", "title": "Tell"}, 1))
    assert 2 == state.reply["saved"]["version"]

    state, _ = tab(save("team/tell", {**SAY, "name": "team/tell"}, 1))
    assert "action_conflict" == state.reply["error"]["code"]
    state, _ = tab(save("", {"name": "x", "body": {}}, 0))
    assert {"bad_name", "bad_body"} == {problem["code"] for problem in state.reply["problems"]}


def test_it_is_archived_restored_exported_and_removed(tab, kept):
    """Each is a call of its own."""

    def turn(verb):
        return tab((OwnActionState.turn, {"seq": 1, "name": "team/say", "verb": verb}))[0].reply

    assert "archived" == turn("archive")["saved"]["state"]
    assert "available" == turn("restore")["saved"]["state"]
    assert "error" in turn("explode")
    state, _ = tab((OwnActionState.export, {"seq": 1, "name": "team/say", "format": "yaml"}))
    assert "team_say.yaml" == state.reply["filename"]
    assert "error" not in turn("delete")
    with db.reading(kept) as session:
        assert [] == session.exec(select(Action)).all()


def test_it_is_tried(tab, kept):
    """A run is started, and the page can look how it goes."""
    state, _ = tab(
        (OwnActionState.attempt, {"seq": 1, "name": "team/say", "arguments": {"word": "hi"}, "dry_run": True})
    )
    run_id = state.reply["run_id"]
    state, _ = tab((OwnActionState.look_at, {"seq": 2, "run_id": run_id}))

    assert ("pending", False) == (state.reply["status"], state.reply["is_over"])
    state, _ = tab((OwnActionState.attempt, {"seq": 3, "name": "team/say", "arguments": {}, "dry_run": True}))
    assert "word" in state.reply["error"]["message"]


def test_who_may_only_look_changes_nothing(tab, kept, monkeypatch):
    """The page is shown, and cannot be used to change anything."""
    monkeypatch.setattr(own_action, "actor", lambda state: Actor("guest", Role.VIEWER))
    monkeypatch.setattr("canvas.ui.session.actor", lambda state: Actor("guest", Role.VIEWER))
    state, _ = tab((OwnActionState.load, {}), path="/actions/edit/?name=team/say")
    assert state.opened["read_only"]

    _, browser = tab(save("team/say", {**SAY, "title": "Mine"}, 1))
    assert "needs the role" in browser.was_told()
