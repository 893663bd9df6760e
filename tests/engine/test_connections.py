"""Stored connections reach the actions that name them, and nothing of their secrets gets any further."""

from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select

from canvas.actions import connections as kinds
from canvas.actions.connections import Config, connection_kind
from canvas.actions.failures import ActionFailed
from canvas.db import reading, transaction
from canvas.domain.states import LogLevel, RunStatus
from canvas.vault import Vault
from models import Connection, Notification, RunLog, StepRun
from tests.engine.conftest import FakeAction
from tests.engine.test_runs import act, define

SECRET = 'pa"ss wörd/42'


class Door(Config):
    """What a door needs."""

    address: str
    key: SecretStr


@pytest.fixture(autouse=True)
def door_kind(monkeypatch):
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))

    @connection_kind("door", title="Door", icon="door-open", example={"address": "here"})
    async def check(config: Door, outside: Any) -> str:
        return "It opens."


class OpenDoor(FakeAction):
    """Tells its secret in every way an action can."""

    async def call(self, arguments: Any, context: Any) -> Any:
        door = await context.connection(arguments["connection"], Door)
        key = door.key.get_secret_value()
        context.log(LogLevel.INFO, f"opened with {key}", key=key)
        context.notify(f"opened with {key}")
        if arguments.get("fail") == "typed":
            raise ActionFailed(f"{key} does not fit", key=key)
        if arguments.get("fail"):
            raise RuntimeError(key)
        return {"address": door.address, "told": f"<{key}>", key: [key]}


@pytest.fixture
def stored(settings):
    """A stored connection."""
    with transaction(settings) as session:
        row = Connection(name="front", kind="door", config={"address": "here"}, sealed="")
        row.sealed = Vault(settings).seal(row.id, {"key": SECRET})
        session.add(row)


def everything(settings) -> str:
    with reading(settings) as session:
        rows = [row for table in (StepRun, RunLog, Notification) for row in session.exec(select(table)).all()]
    return " ".join(repr(row) for row in rows)


def test_an_action_opens_a_connection_and_its_secret_stays_inside(house, actions, settings, stored):
    """The result keeps its shape; the secret is masked in it, in lines and in notices."""
    actions["test/door"] = OpenDoor("test/door", None)

    run = house.run(define(act("open", action="door", parameters={"connection": "front"})))

    assert RunStatus.COMPLETED == run.status
    assert {"address": "here", "told": "<•••>", "•••": ["•••"]} == house.steps(run.id)[0].output
    assert "opened with •••" in everything(settings)
    assert SECRET not in everything(settings)


@pytest.mark.parametrize("fail", ["typed", "raw"])
def test_a_failure_tells_no_secret_either(house, actions, settings, stored, caplog, fail):
    """Neither the step's error nor the process's own log has it."""
    actions["test/door"] = OpenDoor("test/door", None)

    run = house.run(define(act("open", action="door", parameters={"connection": "front", "fail": fail})))

    assert RunStatus.FAILED == run.status
    assert "•••" in house.steps(run.id)[0].error["message"]
    assert SECRET not in everything(settings) + caplog.text


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [("back", "door", "unknown_connection"), ("front", "gate", "wrong_connection_kind")],
)
def test_a_connection_that_does_not_fit_fails_the_step(house, actions, settings, stored, name, kind, code):
    """The step's error says what to do; trying again would not help."""
    actions["test/door"] = OpenDoor("test/door", None)
    with transaction(settings) as session:
        session.exec(select(Connection)).one().kind = kind

    run = house.run(define(act("open", action="door", parameters={"connection": name})))

    error = house.steps(run.id)[0].error
    assert (code, False) == (error["code"], error["retryable"])


def test_lost_keys_are_told(house, actions, settings, stored):
    """A database that was moved without its key says so, in words."""
    (settings.data_dir / "secret.key").unlink()
    actions["test/door"] = OpenDoor("test/door", None)

    run = house.run(define(act("open", action="door", parameters={"connection": "front"})))

    assert "connection_unreadable" == house.steps(run.id)[0].error["code"]
