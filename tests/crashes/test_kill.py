"""kill -9 at every named point and at random moments: nothing is lost, nothing that completed runs again."""

import multiprocessing
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import sqlmodel
from sqlmodel import SQLModel

from canvas.db import connect, reading, transaction
from canvas.domain.dsl import parse, to_document
from canvas.domain.states import RunStatus, StepStatus
from canvas.engine.crashpoints import POINTS
from canvas.settings import Settings
from models import StepRun, Workflow, WorkflowRun, WorkflowVersion
from tests.crashes.victim import main

pytestmark = [pytest.mark.crash, pytest.mark.timeout(240)]

MIXED = """
dsl: canvas/v1
name: mixed
steps:
  - {name: first, type: action, action: test/work}
  - {name: is_first, type: condition, condition: "steps.first.output.path == 'first'"}
  - name: each
    type: loop
    times: 4
    concurrency: 2
    depends_on: [{step: is_first, branch: IF_TRUE}]
    steps:
      - {name: one, type: action, action: test/work, parameters: {seconds: 0.005}}
      - {name: two, type: action, action: test/work}
  - {name: never, type: action, action: test/work, depends_on: [{step: is_first, branch: IF_FALSE}]}
  - name: fan
    type: parallel
    depends_on: [each, never]
    steps:
      - {name: left, type: action, action: test/work}
      - name: flaky
        type: action
        action: test/work
        parameters: {succeeds_at: 2}
        retry: {max_attempts: 2, delay_seconds: 0.01}
  - {name: nap, type: wait, for: [{seconds: 0.05}], depends_on: [fan]}
  - {name: call, type: workflow_link, workflow: child}
  - {name: charge, type: action, action: test/charge, parameters: {seconds: 0.005}}
  - {name: last, type: set, values: {paid: "{{ steps.charge.output.path }}"}}
"""
CHILD = """
dsl: canvas/v1
name: child
steps:
  - {name: a, type: action, action: test/work}
  - {name: b, type: action, action: test/work}
"""
STEPS_THAT_COMPLETE = 18


PROCESSES = multiprocessing.get_context("forkserver")
"Victims are forked from a process that has imported everything once."
PROCESSES.set_forkserver_preload(["tests.crashes.victim"])


@dataclass
class Victim:
    """A running engine."""

    process: Any
    ready: Connection

    def took(self) -> float:
        """Wait until it has taken over what was left; give how many seconds that took."""
        assert self.ready.poll(30), "it does not start"
        return float(self.ready.recv())

    def died(self) -> int:
        """Wait until it has died; give its exit code."""
        self.process.join(40)
        return self.process.exitcode

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


class Scene:
    """A database with accepted runs, and engine processes that come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(data_dir=folder, durability="process")
        self.witness = folder / "witness.txt"
        self.victims: list[Victim] = []
        SQLModel.metadata.create_all(connect(self.settings))
        for text in (CHILD, MIXED):
            self._publish(text)

    def _publish(self, text: str) -> None:
        parsed = parse(text)
        assert parsed.definition is not None, parsed.problems
        with transaction(self.settings) as session:
            workflow = Workflow(name=parsed.definition.name, latest_version=1, published_version=1)
            session.add(workflow)
            session.flush()
            session.add(
                WorkflowVersion(
                    workflow_id=workflow.id, number=1, definition=to_document(parsed.definition), content_hash=""
                )
            )

    def accept(self, count: int) -> list[str]:
        with transaction(self.settings) as session:
            workflow = session.exec(sqlmodel.select(Workflow).where(Workflow.name == "mixed")).one()
            version = session.exec(
                sqlmodel.select(WorkflowVersion).where(WorkflowVersion.workflow_id == workflow.id)
            ).one()
            runs = [
                WorkflowRun(workflow_id=workflow.id, version_id=version.id, workflow_name="mixed", version_number=1)
                for _ in range(count)
            ]
            session.add_all(runs)
            return [run.id for run in runs]

    def start(self, crash_at: str = "") -> Victim:
        ours, theirs = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=main, args=(str(self.folder), crash_at, theirs), daemon=True)
        process.start()
        theirs.close()
        self.victims.append(Victim(process, ours))
        return self.victims[-1]

    def rows(self, model):
        with reading(self.settings) as session:
            return session.exec(sqlmodel.select(model)).all()

    def completed(self) -> set[tuple[str, str]]:
        return {(row.run_id, row.path) for row in self.rows(StepRun) if row.status is StepStatus.COMPLETED}

    def told(self) -> list[list[str]]:
        return [line.split() for line in self.witness.read_text().splitlines()] if self.witness.exists() else []

    def resume_what_asks(self) -> int:
        """Do what a person does whom a run asks: look, and let it go on."""
        with transaction(self.settings) as session:
            paused = session.exec(
                sqlmodel.select(WorkflowRun).where(
                    WorkflowRun.status == RunStatus.PAUSED,
                    WorkflowRun.pause_requested == True,  # noqa: E712  # SQL
                )
            ).all()
            for run in paused:
                run.pause_requested = False
            return len(paused)

    def all_ended(self) -> bool:
        return all(run.status.is_terminal for run in self.rows(WorkflowRun))

    def close(self) -> None:
        for victim in self.victims:
            victim.kill()
            victim.process.close()
            victim.ready.close()
        connect(self.settings).dispose()


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path)
    yield scene
    scene.close()


class Ledger:
    """What must not happen, checked across one death after the other."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.done: set[tuple[str, str]] = set()
        self.seen = 0
        self.asked: Counter[tuple[str, str]] = Counter()

    def check(self) -> None:
        """Nothing that had completed before the last death was started again after it."""
        lines = self.scene.told()[self.seen :]
        again = {(run, path) for what, _, run, path, _ in lines if what == "start"} & self.done
        assert set() == again
        self.seen += len(lines)
        self.done = self.scene.completed()

    def end(self) -> None:
        self.check()
        runs = self.scene.rows(WorkflowRun)
        assert {RunStatus.COMPLETED} == {run.status for run in runs}
        for run in runs:
            if run.workflow_name == "mixed":
                mine = [row for row in self.scene.rows(StepRun) if row.run_id == run.id]
                assert all(row.status.is_terminal for row in mine)
                assert STEPS_THAT_COMPLETE == sum(row.status is StepStatus.COMPLETED for row in mine)
        ended = Counter((run, path) for what, _, run, path, _ in self.scene.told() if what == "end")
        assert ended
        started = Counter(
            (run, path) for what, name, run, path, _ in self.scene.told() if (what, name) == ("start", "test/charge")
        )
        assert all(count <= 1 + self.asked[key] for key, count in started.items()), "a charge was repeated silently"

    def finish(self) -> None:
        """Let an engine that nobody kills bring everything to its end; answer what it asks."""
        victim = self.scene.start()
        assert victim.took() < 1.0
        deadline = time.monotonic() + 40
        while not self.scene.all_ended():
            assert time.monotonic() < deadline, [(run.id, run.status) for run in self.scene.rows(WorkflowRun)]
            self.answer()
            time.sleep(0.02)
        self.end()

    def answer(self) -> None:
        for run in self.scene.rows(WorkflowRun):
            if run.status is RunStatus.PAUSED and run.pause_requested:
                lost = [r for r in self.scene.rows(StepRun) if r.run_id == run.id and r.status is StepStatus.RETRYING]
                assert {"charge"} == {row.path for row in lost}
                self.asked[(run.id, "charge")] += 1
        self.scene.resume_what_asks()


PASSES = {
    "writer.inside_transaction": 7,
    "completion.before_commit": 9,
    "completion.after_commit": 9,
    "start.after_commit": 5,
    "action.before": 15,
    "action.after": 14,
    "claim.after_commit": 1,
}


@pytest.mark.parametrize("point", [point for point in POINTS if not point.startswith("recovery")])
def test_a_death_at_a_named_point_costs_nothing(scene, point):
    """Whatever was accepted ends as if nothing had happened."""
    scene.accept(2)
    ledger = Ledger(scene)
    victim = scene.start(f"{point}:{PASSES.get(point, 1)}")

    assert -signal.SIGKILL == victim.died()
    ledger.check()

    ledger.finish()


@pytest.mark.parametrize("point", [point for point in POINTS if point.startswith("recovery")])
def test_a_death_during_recovery_costs_nothing(scene, point):
    """Recovery can be interrupted and is begun again."""
    scene.accept(2)
    ledger = Ledger(scene)
    for crash_at in ("action.before:9", point):
        victim = scene.start(crash_at)
        assert -signal.SIGKILL == victim.died()
        ledger.check()

    ledger.finish()


def test_deaths_at_random_moments_cost_nothing(scene):
    """Twenty kills in a row while six runs are going."""
    scene.accept(6)
    ledger = Ledger(scene)
    chance = random.Random(7)
    for _ in range(20):
        victim = scene.start()
        assert victim.took() < 1.0
        time.sleep(chance.uniform(0.005, 0.15))
        victim.kill()
        ledger.check()
        ledger.answer()

    ledger.finish()
