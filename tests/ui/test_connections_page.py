"""The connections page: what it lists, and that secrets only pass through it."""

from collections.abc import Iterator

import pytest

from canvas import db
from canvas.services import connections, views, workflows
from canvas.settings import Settings
from canvas.ui.components.connection_fields import FIELD, REMOVE, config_from, form_of
from canvas.ui.components.connection_form import ConnectionFormState
from canvas.ui.pages.connections import ConnectionsState
from canvas.vault import Vault
from tests.doors import DoorServer, door_server, doors

KEY = "s3cr3t-key-of-the-door"
OPENS = """
dsl: canvas/v1
name: opens
title: Opens the door
steps:
  - {name: knock, type: action, action: door/open, parameters: {connection: front}}
"""


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    with doors():
        yield


@pytest.fixture
def door() -> Iterator[DoorServer]:
    with door_server() as server:
        yield server


def filled(**fields: object) -> dict[str, object]:
    own = {"name", "description"}
    return {name if name in own else FIELD + name: value for name, value in fields.items()}


@pytest.fixture
def front(database: Settings, door: DoorServer) -> str:
    """The name of a connection that is there."""
    with db.transaction(database) as session:
        config = {"address": door.url, "key": KEY, "spare": "spare-key", "marks": {"a": "mark-a"}}
        connections.create_connection(session, "front", kind="door", config=config, vault=Vault(database))
    return "front"


def opened(database: Settings) -> dict[str, object]:
    with db.reading(database) as session:
        return dict(connections.open_for_test(session, "front", vault=Vault(database)).values)


def test_a_connection_is_added_and_tested(tab, database, door):
    """The form closes the circle: the kind, its fields, kept, tested, and the secret is in no variable of the page."""
    state, _ = tab(
        (ConnectionFormState.add, {"kind": ""}),
        (ConnectionFormState.choose, {"kind": "door"}),
        (ConnectionFormState.save, {"fields": filled(name="front", address=door.url, key=KEY, side="back", tries="4")}),
    )

    assert ("passed", "It opens: you are •••", "front") == (state.outcome, state.message, state.known)
    assert "s3cr3t" not in str(state.dict())
    assert {"address": door.url, "key": KEY, "side": "back", "tries": 4, "wide": False} == opened(database)
    listed, _ = tab((ConnectionsState.load, {}))
    assert [("front", "Door", True)] == [(row.name, row.kind_title, row.is_test_passed) for row in listed.rows]


def test_a_form_opens_with_the_kind_that_was_asked_for(tab):
    """The editor's link leads to the fields; a kind that is not there leads to the choice."""
    state, _ = tab((ConnectionFormState.add, {"kind": "door"}))
    other, _ = tab((ConnectionFormState.add, {"kind": "window"}))

    assert (True, "door", "Door") == (state.is_open, state.kind, state.kind_title)
    assert (True, "", []) == (other.is_open, other.kind, other.fields)
    assert {"door", "gate"} <= {kind.name for kind in other.kinds}


def test_fields_that_depend_on_a_choice_follow_it(tab):
    """The form asks only for what fits; the label is a sentence, not a headline."""
    choice = {"name": "side", "value": "back"}
    state, _ = tab((ConnectionFormState.add, {"kind": "door"}), (ConnectionFormState.pick, choice))
    rows = {row.name: row for row in state.fields}

    assert {"side": "back"} == state.choices
    assert ("side", ["back"], "") == (rows["wide"].depends_on, rows["wide"].depends_values, rows["key"].depends_on)
    assert ["Address", "Key"] == [row.label for row in state.fields[:2]]


def test_what_is_wrong_stands_at_its_field(tab, database):
    """Every field at once; nothing is kept, and what was typed stays in the inputs."""
    wrong = filled(name="front", address="", key=KEY, tries="often")
    state, _ = tab((ConnectionFormState.add, {"kind": "door"}), (ConnectionFormState.save, {"fields": wrong}))

    problems = {row.name: row.problem for row in state.fields if row.problem}
    assert {"address", "tries"} == set(problems)
    assert ("", "", True) == (state.problem, state.outcome, state.is_open)
    named, _ = tab(
        (ConnectionFormState.add, {"kind": "gate"}),
        (ConnectionFormState.save, {"fields": filled(name="X", address="x")}),
    )
    assert "cannot name a connection" in named.problem


def test_a_change_keeps_the_secrets_that_were_left_empty(tab, database, front, door):
    """What is kept is marked; one that is to go goes, one that is typed is replaced."""
    shown, _ = tab((ConnectionFormState.change, {"name": front}))
    rows = {row.name: row for row in shown.fields}
    changes = filled(address=door.url, marks="a=\nb=mark-b", wide="on") | {REMOVE + "spare": "on"}
    state, _ = tab((ConnectionFormState.change, {"name": front}), (ConnectionFormState.save, {"fields": changes}))

    assert [(True, ""), (True, "a=\n"), (False, door.url)] == [
        (rows[name].is_kept, rows[name].value) for name in ("key", "marks", "address")
    ]
    assert "passed" == state.outcome
    assert {"address": door.url, "key": KEY, "marks": {"a": "mark-a", "b": "mark-b"}, "wide": True} == opened(database)


def test_a_failed_test_is_told_in_the_form(tab, database, door):
    """The connection is kept all the same."""
    door.status = 403
    state, _ = tab(
        (ConnectionFormState.add, {"kind": "door"}),
        (ConnectionFormState.save, {"fields": filled(name="front", address=door.url, key=KEY)}),
    )

    assert ("failed", "The door says you are •••") == (state.outcome, state.message)
    assert KEY == opened(database)["key"]


def test_a_lost_key_is_told_in_the_form(tab, database, front):
    """It opens, and says that the secrets have to be entered again."""
    (database.data_dir / "secret.key").unlink()

    state, _ = tab((ConnectionFormState.change, {"name": front}))
    _, browser = tab((ConnectionsState.test, {"name": front}))

    assert (True, True) == (state.is_open, state.is_locked)
    assert "another key" in browser.was_told()


def test_the_list_tests_and_says_how_it_went(tab, front, door):
    """A toast, and the row; afterwards nothing counts as being tested."""
    works, told = tab((ConnectionsState.test, {"name": front}))
    door.status = 500
    fails, told_again = tab((ConnectionsState.test, {"name": front}))

    assert [(True, []), (False, [])] == [(s.rows[0].is_test_passed, s.testing) for s in (works, fails)]
    assert "It opens" in told.was_told()
    assert "The door says" in told_again.was_told()


def test_deleting_asks_and_names_who_will_fail(tab, database, front):
    """Nothing goes before somebody says yes."""
    with db.transaction(database) as session:
        workflows.import_workflow(session, OPENS)

    asked, _ = tab((ConnectionsState.load, {}), (ConnectionsState.ask_delete, {"name": front}))
    kept, _ = tab((ConnectionsState.load, {}))
    gone, _ = tab(
        (ConnectionsState.load, {}), (ConnectionsState.ask_delete, {"name": front}), (ConnectionsState.delete, {})
    )

    assert (front, ["Opens the door: knock"]) == (asked.doomed, asked.doomed_uses)
    assert [front] == [row.name for row in kept.rows]
    assert [] == gone.rows


def test_every_kind_can_be_filled_in():
    """The form of each kind there is shows its example and reads it back as it was."""
    for kind in views.connection_kind_rows():
        detail = views.ConnectionDetail(
            name="x", kind=kind.name, description="", config=dict(kind.example), secrets={}, is_readable=True
        )
        given = {FIELD + row.name: row.value for row in form_of(kind, detail)}

        assert dict(kind.example).items() <= config_from(kind, given).items(), kind.name
