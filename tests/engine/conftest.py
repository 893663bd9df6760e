import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlmodel import Session, SQLModel, select

from canvas.actions.failures import ActionFailed
from canvas.db import connect, reading, transaction
from canvas.domain.catalog import ActionSpec
from canvas.domain.definition import Definition
from canvas.domain.states import LogLevel, RunStatus
from canvas.engine.notify import ring
from canvas.engine.plans import read_document
from canvas.engine.worker import Engine
from canvas.settings import Settings
from models import RunLog, StepRun, Workflow, WorkflowRun, WorkflowVersion


async def _fail(arguments, context):
    raise ActionFailed("It said no.", retryable=arguments.get("retryable", True))


async def _fail_until(arguments, context):
    if context.attempt < arguments["attempt"]:
        raise ActionFailed("Not yet.", retryable=True)


async def _crash(arguments, context):
    raise ZeroDivisionError("inside")


async def _sleep(arguments, context):
    await asyncio.sleep(arguments.get("seconds", 30))


async def _stubborn(arguments, context):
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        return {"stubborn": True}


async def _big(arguments, context):
    return {"text": "x" * arguments["size"]}


async def _odd(arguments, context):
    return {"value": {1, 2}}


async def _talk(arguments, context):
    context.log(LogLevel.INFO, "hello", number=1)
    context.notify("Look", "here")
    context.notify("Psst", to=["ada", "bob", "ada"])


_BEHAVIOURS = {
    "test/fail": _fail,
    "test/fail_until": _fail_until,
    "test/crash": _crash,
    "test/sleep": _sleep,
    "test/stubborn": _stubborn,
    "test/big": _big,
    "test/odd": _odd,
    "test/talk": _talk,
}


@dataclass
class Spy:
    """Registered actions for tests, and what they were called with."""

    calls: list[tuple[str, str, int, Any]] = field(default_factory=list)

    async def call(self, name: str, arguments: Any, context: Any) -> Any:
        self.calls.append((name, context.path, context.attempt, dict(arguments)))
        handler = _BEHAVIOURS.get(name)
        answer = None if handler is None else await handler(arguments, context)
        return dict(arguments) if answer is None else answer

    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.calls]


@dataclass
class FakeAction:
    name: str
    spy: Spy
    idempotent: bool = True

    @property
    def spec(self) -> ActionSpec:
        return ActionSpec(
            name=self.name,
            title="",
            description="",
            category="",
            arguments_schema={},
            result_schema={},
            example_arguments={},
            example_result={"example": True},
            idempotent=self.idempotent,
            touches_world=self.name != "test/pure",
        )

    async def call(self, arguments: Any, context: Any) -> Any:
        return await self.spy.call(self.name, arguments, context)

    def is_idempotent(self, arguments: Any) -> bool:
        return self.idempotent


NAMES = ("echo", "fail", "fail_until", "crash", "sleep", "stubborn", "big", "odd", "talk", "pure")


@pytest.fixture
def spy() -> Spy:
    return Spy()


@pytest.fixture
def actions(spy: Spy) -> dict[str, FakeAction]:
    return {f"test/{name}": FakeAction(f"test/{name}", spy) for name in NAMES}


@pytest.fixture
def settings(tmp_path) -> Iterator[Settings]:
    settings = Settings(data_dir=tmp_path, durability="process", lease_seconds=2, heartbeat_seconds=0.5)
    SQLModel.metadata.create_all(connect(settings))
    yield settings
    connect(settings).dispose()


@dataclass
class House:
    """A database with an engine on it."""

    settings: Settings
    actions: dict[str, FakeAction]
    spy: Spy
    definitions: dict[str, Definition] = field(default_factory=dict)
    engines: list[Engine] = field(default_factory=list)

    def engine(self) -> Engine:
        def compile_document(document: Any) -> Definition:
            return self.definitions.get(document["name"]) or read_document(document)

        engine = Engine(self.settings, self.actions, compile_document=compile_document)
        engine.start()
        self.engines.append(engine)
        return engine

    def publish(self, definition: Definition) -> None:
        self.definitions[definition.name] = definition
        with transaction(self.settings) as session:
            workflow = Workflow(name=definition.name, latest_version=1, published_version=1)
            session.add(workflow)
            session.flush()
            session.add(
                WorkflowVersion(
                    workflow_id=workflow.id, number=1, definition={"name": definition.name}, content_hash=""
                )
            )

    def accept(self, name: str, **fields: Any) -> str:
        with transaction(self.settings) as session:
            workflow = session.exec(select(Workflow).where(Workflow.name == name)).one()
            version = session.exec(select(WorkflowVersion).where(WorkflowVersion.workflow_id == workflow.id)).one()
            run = WorkflowRun(
                workflow_id=workflow.id, version_id=version.id, workflow_name=name, version_number=1, **fields
            )
            session.add(run)
        self.ring()
        return run.id

    def wish(self, run_id: str, **wishes: bool) -> None:
        with transaction(self.settings) as session:
            run = session.get(WorkflowRun, run_id)
            for name, value in wishes.items():
                setattr(run, name, value)
            run.revision += 1
        self.ring()

    def ring(self) -> None:
        with reading(self.settings) as session:
            ring(session)

    def run(self, definition: Definition, **fields: Any) -> WorkflowRun:
        """Publish, start an engine if there is none, run to the end."""
        self.publish(definition)
        engine = self.engines[-1] if self.engines else self.engine()
        run_id = self.accept(definition.name, **fields)
        engine.wait(run_id, 20)
        return self.row(run_id)

    def row(self, run_id: str) -> WorkflowRun:
        with reading(self.settings) as session:
            run = session.get(WorkflowRun, run_id)
            assert run is not None
            return run

    def steps(self, run_id: str) -> list[StepRun]:
        with reading(self.settings) as session:
            return list(session.exec(select(StepRun).where(StepRun.run_id == run_id).order_by(StepRun.id)).all())

    def statuses(self, run_id: str) -> dict[str, str]:
        return {step.path: step.status.value for step in sorted(self.steps(run_id), key=lambda s: s.attempt)}

    def logs(self, run_id: str) -> list[RunLog]:
        with reading(self.settings) as session:
            return list(session.exec(select(RunLog).where(RunLog.run_id == run_id).order_by(RunLog.seq)).all())

    def query(self, ask: Callable[[Session], Any]) -> Any:
        with reading(self.settings) as session:
            return ask(session)


@pytest.fixture
def house(settings, actions, spy) -> Iterator[House]:
    house = House(settings, actions, spy)
    yield house
    for engine in house.engines:
        engine.stop(0)


COMPLETED, FAILED, CANCELLED = RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED
