"""Connections are kept sealed: what is secret goes in and is seen by nobody any more."""

from collections.abc import Iterator

import orjson
import pytest
from sqlmodel import select

from canvas.actions.connections import InvalidConnection
from canvas.domain.errors import Invalid
from canvas.services import actions, connections, judging, views, workflows
from canvas.services.connections import (
    ConnectionExists,
    ConnectionInUse,
    ConnectionLocked,
    ConnectionNotFound,
    UnknownConnectionKind,
)
from canvas.settings import Settings
from canvas.vault import Vault
from models import Connection
from models.columns import utc_now
from tests.doors import doors

KEY = "s3cr3t-key-of-the-door"
USES = """
dsl: canvas/v1
name: {name}
title: Opens
steps:
  - {{name: first, type: action, action: door/open, parameters: {{connection: {connection}}}}}
  - {{name: second, type: action, action: door/open, parameters: {{connection: {connection}}}}}
  - {{name: third, type: action, action: door/open, parameters: {{connection: "{{{{ trigger.type }}}}"}}}}
"""


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    with doors():
        yield


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(settings)


@pytest.fixture
def front(session, vault: Vault) -> str:
    """The name of a door with all its secrets."""
    config = {"address": "http://here", "key": KEY, "spare": "spare-key", "marks": {"a": "mark-a", "b": "mark-b"}}
    connections.create_connection(session, "front", kind="door", config=config, vault=vault, created_by="me")
    return "front"


def opened(session, vault: Vault, name: str = "front") -> dict[str, object]:
    return dict(connections.open_for_test(session, name, vault=vault).values)


def test_a_connection_is_kept_without_its_secrets_in_the_open(session, vault, front):
    """What is not secret stands as it is; the rest is sealed, and only its names are shown."""
    row = session.exec(select(Connection)).one()
    detail = views.connection_detail(session, front, vault=vault)

    assert {"address": "http://here"} == row.config
    assert KEY not in row.sealed
    assert ({"address": "http://here"}, True) == (detail.config, detail.is_readable)
    assert {"key": [], "marks": ["a", "b"], "spare": []} == detail.secrets
    assert "s3cr3t" not in str(detail) + str(views.connection_rows(session))
    assert KEY == opened(session, vault)["key"]


def test_a_change_keeps_the_secrets_it_leaves_out(session, vault, front):
    """None takes one away, a new text replaces it; what is not secret is replaced as a whole."""
    connections.change_connection(
        session, front, config={"address": "http://there", "tries": 5, "spare": None}, vault=vault, description="new"
    )

    values = opened(session, vault)
    assert {"address": "http://there", "tries": 5, "key": KEY, "marks": {"a": "mark-a", "b": "mark-b"}} == values
    connections.change_connection(session, front, config={"address": "http://there", "key": "other-key"}, vault=vault)
    assert ("other-key", 3) == (opened(session, vault)["key"], opened(session, vault).get("tries", 3))


def test_parts_of_a_secret_are_kept_by_name(session, vault, front):
    """Those that are None are kept, those left out are taken away, new ones are added."""
    marks = {"a": None, "c": "mark-c", "never": None}
    connections.change_connection(session, front, config={"address": "http://here", "marks": marks}, vault=vault)

    assert {"a": "mark-a", "c": "mark-c"} == opened(session, vault)["marks"]


def test_a_change_forgets_the_last_test(session, vault, front):
    """A test says something about the values it was made with, and a slow one comes too late."""
    row = connections.find_connection(session, front)
    seen = row.updated_at
    assert connections.record_test(session, front, seen=seen, passed=True, message="fine", now=utc_now())

    connections.change_connection(session, front, config={"address": "http://there"}, vault=vault)

    assert (None, None, "") == (row.tested_at, row.is_test_passed, row.test_message)
    assert not connections.record_test(session, front, seen=seen, passed=True, message="late", now=utc_now())
    assert row.is_test_passed is None


@pytest.mark.parametrize("name", ["", "Front", "1st", "a b", "-x", "x" * 64, "ä", "front\n"])
def test_names_are_short_and_plain(session, vault, name):
    """They stand in files, in addresses and in the names of tools."""
    with pytest.raises(Invalid, match="cannot name a connection"):
        connections.create_connection(session, name, kind="gate", config={"address": "x"}, vault=vault)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"address": "x"}, "key: Field required"),
        ({"address": "x", "key": ""}, "key: Field required"),
        ({"address": "x", "key": KEY, "tries": "often"}, "tries"),
        ({"address": "x", "key": KEY, "colour": "red"}, "colour"),
        ({"address": "x", "key": {"a": KEY}}, "key"),
        ({"address": "x" * 70_000, "key": KEY}, "64 KiB"),
    ],
)
def test_values_that_do_not_fit_are_told_without_the_secret(session, vault, config, told):
    """The sentence names the field and what is wrong with it."""
    with pytest.raises(InvalidConnection, match=told) as caught:
        connections.create_connection(session, "front", kind="door", config=config, vault=vault)

    assert KEY not in str(caught.value) + repr(caught.value.details)


def test_what_is_not_there_is_told(session, vault, front):
    """An unknown kind lists those there are; a name that is taken, or not there, is said."""
    with pytest.raises(UnknownConnectionKind, match="door"):
        connections.create_connection(session, "other", kind="window", config={}, vault=vault)
    with pytest.raises(ConnectionExists):
        connections.create_connection(session, front, kind="gate", config={"address": "x"}, vault=vault)
    for call in (connections.find_connection, connections.delete_connection):
        with pytest.raises(ConnectionNotFound):
            call(session, "nobody")


def test_a_connection_in_use_is_not_deleted_unawares(session, vault, front):
    """Who names it is listed, from drafts and from what is published."""
    workflows.import_workflow(session, USES.format(name="opens", connection="front"), publish=True)
    draft = workflows.open_draft(session, "opens")
    workflows.save_draft_operations(
        session, "opens", base_revision=draft.revision, operations=[{"op": "drop", "name": "second"}]
    )
    workflows.import_workflow(session, USES.format(name="a_draft", connection="front"))

    with pytest.raises(ConnectionInUse, match=r"'a_draft', 'opens' name the connection 'front'") as caught:
        connections.delete_connection(session, front)

    first, second = caught.value.details["used_by"]
    assert ("a_draft", ["first", "second"], ["draft"]) == (first["workflow"], first["steps"], first["where"])
    assert ("opens", ["first", "second"], ["draft", "published"]) == (
        second["workflow"],
        second["steps"],
        second["where"],
    )
    (row,) = views.connection_rows(session)
    assert [first, second] == [use.to_json() for use in row.used_by]
    connections.delete_connection(session, front, even_if_used=True)
    assert [] == views.connection_rows(session)


def test_an_unused_connection_is_deleted_at_once(session, vault, front):
    """Nothing stands in the way."""
    connections.delete_connection(session, front)

    assert [] == session.exec(select(Connection)).all()


def test_a_lost_key_is_told_and_secrets_can_be_entered_again(session, vault, front, settings):
    """Nothing crashes: the list is shown, the test says what to do, a change asks for what is missing."""
    (settings.data_dir / "secret.key").unlink()
    other = Vault(settings)

    assert not views.connection_detail(session, front, vault=other).is_readable
    assert ["front"] == [row.name for row in views.connection_rows(session)]
    with pytest.raises(ConnectionLocked, match=r"'front': .*another key.*enter them again"):
        connections.open_for_test(session, front, vault=other)
    with pytest.raises(InvalidConnection, match="key: Field required"):
        connections.change_connection(session, front, config={"address": "x"}, vault=other)
    connections.change_connection(session, front, config={"address": "x", "key": "again"}, vault=other)
    assert {"address": "x", "key": "again", "marks": {}} == {"marks": {}} | opened(session, other)


@pytest.mark.parametrize("damage", [lambda text: text[:-3], lambda text: "", lambda text: text[:40] + "A" + text[41:]])
def test_a_damaged_ciphertext_is_told(session, vault, front, damage):
    """It is not taken for something else, and it does not stand in the way of the others."""
    row = connections.find_connection(session, front)
    row.sealed = damage(row.sealed)

    with pytest.raises(ConnectionLocked):
        connections.open_for_test(session, front, vault=vault)
    assert not views.connection_detail(session, front, vault=vault).is_readable


def test_a_bad_key_keeps_nothing(session, settings):
    """A key that is none is told before anything is written."""
    bad = Vault(Settings(data_dir=settings.data_dir, secret_keys="short"))

    with pytest.raises(ConnectionLocked, match="CANVAS_SECRET_KEYS"):
        connections.create_connection(session, "front", kind="door", config={"address": "x", "key": KEY}, vault=bad)
    assert [] == session.exec(select(Connection)).all()


def test_an_import_names_what_is_missing(session, vault, front):
    """With the kind it has to be of and the steps that need it; what is here is told apart."""
    here = workflows.import_workflow(session, USES.format(name="opens", connection="front"))
    there = workflows.import_workflow(session, USES.format(name="opens_too", connection="frnt"))

    (need,), (missing,) = here.needs, there.needs
    assert ("front", "door", ("first", "second"), False) == (need.name, need.kind, need.steps, need.missing)
    assert ("frnt", True) == (missing.name, missing.missing)
    warnings = {(p.code, p.severity, p.pointer) for p in there.problems}
    assert ("unknown_connection", "warning", "/steps/0/parameters/connection") in warnings
    assert any("Did you mean `front`?" in p.hint for p in there.problems)
    assert there.version == 1


def test_a_connection_of_another_kind_keeps_a_workflow_from_being_published(session, vault):
    """It could only fail; the sentence says what it is and what is needed."""
    connections.create_connection(session, "iron", kind="gate", config={"address": "x"}, vault=vault)

    with pytest.raises(judging.DefinitionHasErrors, match="`iron` is of kind gate; `door/open` needs door"):
        workflows.import_workflow(session, USES.format(name="opens", connection="iron"), publish=True)


def test_an_export_holds_no_secret(session, vault, front):
    """Only the connection's name stands in the text, which reads the same with or without the comment above it."""
    workflows.import_workflow(session, USES.format(name="opens", connection="front"))

    text = workflows.export_workflow(session, "opens")

    assert text.startswith("# Needs connections: front (door).\n")
    assert KEY not in text
    again = workflows.import_workflow(session, text, if_exists="update")
    assert ("unchanged", text) == (again.outcome, workflows.export_workflow(session, "opens"))
    orjson.loads(workflows.export_workflow(session, "opens", format="json"))


def test_a_connection_inside_a_user_defined_action_is_in_use_too(session, vault, front):
    """Whoever calls the action names it, though no step does."""
    document = {"name": "house/enter", "body": {"action": "door/open", "parameters": {"connection": "front"}}}
    actions.create_action(session, document)
    text = "{dsl: canvas/v1, name: visits, steps: [{name: enter, type: action, action: house/enter}]}"
    (need,) = workflows.import_workflow(session, text).needs

    assert ("front", "door", ("enter",), False) == (need.name, need.kind, need.steps, need.missing)
    with pytest.raises(ConnectionInUse, match="'visits' names"):
        connections.delete_connection(session, front)
