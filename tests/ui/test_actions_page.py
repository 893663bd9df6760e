"""The actions page."""

import pytest

from canvas import db
from canvas.actions.plugins import Plugin
from canvas.services import workflows
from canvas.ui.pages import actions as page_module
from canvas.ui.pages.actions import ActionsState

DEFINITION = """
dsl: canvas/v1
name: nightly
title: Every night
steps:
  - {name: note, type: action, action: log/event, parameters: {message: hi}}
  - {name: again, type: action, action: log/event, parameters: {message: hi}}
"""


def names(state) -> list[str]:
    return [row.name for row in state.rows]


def test_the_catalogue_is_listed_with_the_step_types_beside_it(tab, database):
    """By category, nothing chosen."""
    state, _ = tab((ActionsState.load, {}))

    assert {"http/request", "log/event", "wait", "condition", "loop"} <= set(names(state))
    assert {"Web", "Control flow"} <= set(state.categories)
    assert ([], "") == (state.shown, state.shown_name)


def test_search_finds_words_and_the_names_of_other_systems(tab, database):
    """What fits best comes first."""
    by_alias, _ = tab((ActionsState.search, {"text": "conditional_branch"}))
    by_words, _ = tab((ActionsState.search, {"text": "http REQUEST"}))
    by_nonsense, _ = tab((ActionsState.search, {"text": "no such thing"}))

    assert (["condition"], "http/request", []) == (names(by_alias), names(by_words)[0], names(by_nonsense))


def test_a_category_can_be_chosen_and_left_again(tab, database):
    """Choosing it a second time lists all."""
    one, _ = tab((ActionsState.narrow, {"category": "Web"}))
    all_again, _ = tab((ActionsState.narrow, {"category": "Web"}), (ActionsState.narrow, {"category": "Web"}))

    assert {"Web"} == {row.category for row in one.rows}
    assert len(all_again.rows) > len(one.rows)


def test_the_address_names_what_is_shown(tab, database):
    """With its fields, those inside of others too, and the workflows that use it."""
    with db.transaction(database) as session:
        workflows.import_workflow(session, DEFINITION, publish=True)
    log, _ = tab((ActionsState.load, {}), path="/actions?name=log/event")
    request, _ = tab((ActionsState.load, {}), path="/actions?name=http/request")

    (use,) = log.shown[0].uses
    assert ("nightly", "Every night", "published") == (use.workflow_name, use.workflow_title, use.where)
    paths = [field.path for field in request.shown[0].arguments]
    assert {"url", "pages", "pages.by", "files[].filename"} <= set(paths)
    assert ["http"] == request.shown[0].connections


def test_an_address_that_names_nothing_shows_the_list(tab, database):
    """An action that is gone is no error of the page."""
    state, browser = tab((ActionsState.load, {}), path="/actions?name=no/such")

    assert ([], "") == (state.shown, browser.was_told())


def test_a_plug_in_that_failed_is_told_on_top(tab, database, monkeypatch: pytest.MonkeyPatch):
    """With the package and why; those that work are not mentioned."""
    found = (Plugin("good", "1", "main", ("a/b",)), Plugin("bad", "1", "main", failure="importing bad failed"))
    monkeypatch.setattr(page_module, "plugins", lambda: found)
    state, _ = tab((ActionsState.load, {}))

    assert [{"package": "bad", "failure": "importing bad failed"}] == state.broken
