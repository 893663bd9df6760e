"""The editor's and the run page's events, without a browser."""

from typing import Any

import pytest
from sqlmodel import select

from canvas import db
from canvas.services import workflows
from canvas.settings import Settings
from canvas.ui.pages.editor import EditorState
from canvas.ui.pages.run import RunState
from models import Workflow, WorkflowRun, WorkflowVersion

PUT = {"op": "put", "step": {"name": "note", "type": "set", "values": {"a": 1}, "depends_on": []}, "parent": None}
TEXT = """
dsl: canvas/v1
name: other
steps:
  - {name: first, type: set, values: {a: 1}}
  - {name: second, type: set, values: {b: 2}}
"""


@pytest.fixture
def drawn(database: Settings) -> Settings:
    """A database with an empty workflow `drawn`."""
    with db.transaction(database) as session:
        workflows.create_workflow(session, "drawn", title="Drawn")
    return database


def edit(*operations: dict[str, Any], revision: int = 1) -> tuple[Any, dict[str, Any]]:
    """The event of an edit."""
    return EditorState.edit, {"seq": 1, "name": "drawn", "base_revision": revision, "operations": list(operations)}


def draft(database: Settings) -> Workflow:
    """The workflow as it is kept."""
    with db.reading(database) as session:
        return session.exec(select(Workflow)).one()


def test_the_page_is_told_the_draft_and_what_can_be_added(tab, drawn: Settings):
    """One load brings the document, its revision, the problems, and the catalogue."""
    state, _ = tab((EditorState.load, {}), path="/workflows/drawn/")

    assert ("drawn", "drawn@1", 1) == (state.graph["name"], state.graph["key"], state.graph["revision"])
    assert not state.graph["read_only"]
    assert "http/request" in [action["name"] for action in state.catalog["actions"]]
    assert {"action", "loop"} <= set(state.catalog["steps"])


def test_a_workflow_that_is_not_there_is_said_to_be_missing(tab, drawn: Settings):
    """No traceback and no empty canvas: a sentence."""
    state, _ = tab((EditorState.load, {}), path="/workflows/nobody/")

    assert "nobody" in state.missing
    assert {} == state.graph


def test_an_edit_is_kept_and_judged(tab, drawn: Settings):
    """The answer names the next revision and everything that is wrong."""
    wrong = {**PUT, "step": {**PUT["step"], "values": {"a": "{{ steps.nobody.output }}"}}}
    state, _ = tab(edit(wrong))

    assert 2 == state.reply["revision"]
    assert ["note"] == [problem["step"] for problem in state.reply["problems"]]
    assert ["note"] == [step["name"] for step in draft(drawn).draft["steps"]]


def test_an_edit_from_an_older_draft_is_refused(tab, drawn: Settings):
    """Nobody overwrites silently what somebody else has done."""
    state, _ = tab(edit(PUT), edit({"op": "drop", "name": "note"}, revision=1))

    assert "draft_conflict" == state.reply["error"]["code"]
    assert ["note"] == [step["name"] for step in draft(drawn).draft["steps"]]


def test_an_impossible_edit_changes_nothing(tab, drawn: Settings):
    """All operations of an edit happen, or none."""
    state, _ = tab(edit(PUT, {"op": "drop", "name": "nobody"}))

    assert "invalid_operation" == state.reply["error"]["code"]
    assert "steps" not in draft(drawn).draft


def test_arguments_of_the_wrong_type_never_reach_a_service(tab, drawn: Settings):
    """Any browser can send anything."""
    event, arguments = edit(PUT)
    _, browser = tab((event, {**arguments, "operations": {"op": "drop"}}))

    assert "does not understand" in browser.was_told()
    assert 1 == draft(drawn).draft_revision


def test_a_rename_gives_the_rewritten_document(tab, drawn: Settings):
    """Only Python rewrites expressions, so the page takes over what came of it."""
    state, _ = tab(edit(PUT), edit({"op": "rename", "name": "note", "to": "memo"}, revision=2))

    assert ["memo"] == [step["name"] for step in state.reply["document"]["steps"]]


def test_running_an_unsaved_draft_saves_a_version_first(tab, drawn: Settings):
    """The run belongs to a version that says what was on the canvas."""
    start = (EditorState.start, {"seq": 2, "name": "drawn", "parameters": {}, "dry_run": False})
    state, _ = tab(edit(PUT), start, start)

    with db.reading(drawn) as session:
        numbers = [run.version_number for run in session.exec(select(WorkflowRun))]
        saved = session.exec(select(WorkflowVersion)).all()
    assert [1, 1] == numbers
    assert [1] == [version.number for version in saved]
    assert 1 == state.reply["info"]["latest"]


def test_a_draft_with_errors_does_not_run(tab, drawn: Settings):
    """The answer says what is wrong, and neither a version nor a run is left behind."""
    wrong = {**PUT, "step": {**PUT["step"], "values": {"a": "{{ steps.nobody.output }}"}}}
    start = (EditorState.start, {"seq": 2, "name": "drawn", "parameters": {}, "dry_run": False})
    state, _ = tab(edit(wrong), start)

    assert "definition_has_errors" == state.reply["error"]["code"]
    with db.reading(drawn) as session:
        assert [] == list(session.exec(select(WorkflowVersion)))


def test_saving_publishing_and_rolling_back(tab, drawn: Settings):
    """Publishing an older version again is rolling back."""
    save = (EditorState.save, {"seq": 2, "name": "drawn", "change_summary": "One", "publish": True})
    again = {**PUT, "step": {**PUT["step"], "values": {"a": 2}}}
    publish = (EditorState.publish, {"seq": 4, "name": "drawn", "number": 1})
    state, _ = tab(edit(PUT), save, edit(again, revision=2), save, publish)

    assert [False, True] == [version["is_published"] for version in state.reply["versions"]]
    assert {"latest": 2, "published": 1, "is_changed": False} == state.reply["info"]


def test_text_is_read_without_being_kept(tab, drawn: Settings):
    """An import shows on the canvas first; a text without places is laid out."""
    state, _ = tab((EditorState.read, {"seq": 1, "name": "drawn", "text": TEXT}))

    assert ["first", "second"] == [step["name"] for step in state.reply["document"]["steps"]]
    assert state.reply["layout"]["second"][0] > state.reply["layout"]["first"][0]
    assert 1 == draft(drawn).draft_revision


def test_bad_text_is_answered_with_a_sentence(tab, drawn: Settings):
    """Neither a traceback nor silence."""
    state, _ = tab((EditorState.read, {"seq": 1, "name": "drawn", "text": "steps: ["}))

    assert state.reply["error"]["message"]


def test_a_run_that_is_not_there_is_said_to_be_missing(tab, drawn: Settings):
    """A stale link gives a sentence."""
    state, _ = tab((RunState.load, {}), path="/runs/01ABC/")

    assert "01ABC" in state.missing


def test_a_run_can_only_be_asked_for_what_there_is(tab, drawn: Settings):
    """An unknown verb is refused in words."""
    state, _ = tab((RunState.control, {"seq": 1, "run_id": "01ABC", "verb": "explode"}))

    assert "explode" in state.reply["error"]["message"]
