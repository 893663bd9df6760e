"""Home, and the dialogs on it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas import db
from canvas.services import views, workflows
from canvas.settings import Settings
from canvas.ui.components.import_dialog import ImportState
from canvas.ui.components.new_dialog import NewState, name_from
from canvas.ui.pages.workflows import WorkflowsState, free_name

GOOD = """
dsl: canvas/v1
name: greet
title: Greet
tags: [demo]
parameters:
  who: {type: string, required: true}
steps:
  - {name: remember, type: set, values: {greeting: "Hello {{ workflow.parameters.who }}"}}
"""
OPEN = (NewState.toggle, {"is_open": True})
CREATE = (NewState.create, {"fields": {}})
ASK = (WorkflowsState.ask_delete, {"name": "greet"})
DELETE = (WorkflowsState.delete, {})
BAD = GOOD.replace("type: set", "type: sett")


@pytest.fixture
def greet(database: Settings) -> str:
    """A published workflow that needs a parameter."""
    with db.transaction(database) as session:
        workflows.import_workflow(session, GOOD, publish=True)
    return "greet"


def _importing(text: str) -> tuple:
    return ImportState.submit, {"fields": {"text": text}}


def _names(settings: Settings) -> set[str]:
    with db.reading(settings) as session:
        return set(views.workflow_names(session))


def test_home_lists_and_filters(tab, greet):
    """Cards, tags and filters; what does not exist cannot be filtered by."""
    listed, _ = tab((WorkflowsState.load, {}))
    tagged, _ = tab((WorkflowsState.load, {}), (WorkflowsState.narrow, {"name": "tag", "value": "demo"}))
    searched, _ = tab((WorkflowsState.search, {"text": "nope"}))
    _, browser = tab((WorkflowsState.narrow, {"name": "doomed", "value": "greet"}))

    assert (["greet"], ["demo"]) == ([card.name for card in listed.cards], listed.tags)
    assert (["greet"], True) == ([card.name for card in tagged.cards], tagged.is_filtered)
    assert [] == searched.cards
    assert "to filter by" in browser.was_told()


def test_a_new_workflow_is_made_and_opened(tab, database):
    """The name follows the title until it is typed; the editor opens."""
    followed, browser = tab(
        OPEN,
        (NewState.call_it, {"title": "Order triage (EU)"}),
        CREATE,
    )

    assert ["/workflows/order_triage_eu"] == browser.went_to()
    assert {"order_triage_eu"} == _names(database)
    assert not followed.is_open


def test_a_name_that_is_taken_or_impossible_is_explained_in_the_dialog(tab, greet):
    """The dialog stays open with the sentence."""
    for name in ("greet", "Nö", "tasks"):
        state, browser = tab(OPEN, (NewState.name_it, {"name": name}), CREATE)

        assert ([], True) == (browser.went_to(), state.is_open)
        assert name in state.problem


@given(st.text(max_size=200))
def test_every_title_makes_a_possible_name_or_none(title):
    """What the dialog proposes is never refused for its form."""
    name = name_from(title)

    assert not name or (name.isascii() and name == name.lower() and not name[0].isdigit() and len(name) <= 64)


def test_importing_opens_the_workflow_or_says_what_is_wrong(tab, database):
    """Good text leads to the editor; bad text to its problems with their places; the same name again is refused."""
    _, browser = tab(_importing(GOOD))
    assert (["/workflows/greet"], {"greet"}) == (browser.went_to(), _names(database))

    again, _ = tab(_importing(GOOD))
    assert "greet" in again.error

    updated, browser = tab((ImportState.update_too, {"updates": True}), _importing(GOOD))
    assert ("", ["/workflows/greet"]) == (updated.error, browser.went_to())

    empty, _ = tab(_importing("  "))
    assert "paste" in empty.error

    broken, browser = tab(
        (ImportState.publish_too, {"publishes": True}),
        _importing(BAD.replace("greet", "g")),
    )
    assert [] == browser.went_to()
    assert any("sett" in problem.text and problem.line == 9 for problem in broken.problems), broken.problems
    assert {"greet"} == _names(database)


def test_running_without_needed_parameters_leads_to_the_form(tab, greet):
    """The button of a card starts what can be started and asks for what cannot."""
    _, browser = tab((WorkflowsState.run, {"name": "greet"}))
    _, missing = tab((WorkflowsState.run, {"name": "nope"}))

    assert ["/workflows/greet?run=1"] == browser.went_to()
    assert "nope" in missing.was_told()


def test_copies_archive_and_deletion(tab, database, greet):
    """A copy gets a free name, the archive hides and gives back, and deletion happens only after the question."""
    _, browser = tab((WorkflowsState.duplicate, {"name": "greet"}), (WorkflowsState.duplicate, {"name": "greet"}))
    assert ["/workflows/greet_copy", "/workflows/greet_copy_2"] == browser.went_to()

    archived, _ = tab((WorkflowsState.archive, {"name": "greet", "is_archived": True}))
    assert "greet" not in [card.name for card in archived.cards]
    back, _ = tab((WorkflowsState.archive, {"name": "greet", "is_archived": False}))
    assert "greet" in [card.name for card in back.cards]

    tab(DELETE)
    assert "greet" in _names(database)
    tab(
        ASK,
        (WorkflowsState.ask_delete, {"name": ""}),
        DELETE,
    )
    assert "greet" in _names(database)
    tab(ASK, DELETE)
    assert {"greet_copy", "greet_copy_2"} == _names(database)


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "b"])))
def test_free_names_are_free(taken):
    """The name itself when it can be had, else with a number."""
    found = free_name(taken, "a")

    assert found not in taken
    assert found == "a" or "a" in taken


@pytest.mark.parametrize("path", sorted(Path("examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_can_be_imported(tab, path):
    """What the README tells people to try works in the dialog, without a remark; the called one comes first."""
    tab((ImportState.publish_too, {"publishes": True}), _importing(Path("examples/post_to_team.yaml").read_text()))

    state, browser = tab((ImportState.update_too, {"updates": True}), _importing(path.read_text()))

    assert (state.error, state.problems, state.notes) == ("", [], [])
    assert [f"/workflows/{path.stem}"] == browser.went_to()
