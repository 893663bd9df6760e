"""kill -9 at every named point and at random moments: nothing is lost, nothing that completed runs again."""

import os
import random
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlmodel
from sqlmodel import SQLModel

from canvas.db import connect, reading, transaction
from canvas.domain.dsl import parse, to_document
from canvas.domain.states import RunStatus, StepStatus
from canvas.engine.crashpoints import POINTS, VARIABLE
from canvas.settings import Settings
from models import StepRun, Workflow, WorkflowRun, WorkflowVersion

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


class Scene:
    """A database with accepted runs, and engine processes that come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(data_dir=folder, durability="process")
        self.witness = folder / "witness.txt"
        self.victims: list[subprocess.Popen[str]] = []
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

    def start(self, crash_at: str = "") -> subprocess.Popen[str]:
        variables = {**os.environ, "PYTHONPATH": str(Path.cwd())}
        variables.pop(VARIABLE, None)
        if crash_at:
            variables[VARIABLE] = crash_at
        victim = subprocess.Popen(
            [sys.executable, "-m", "tests.crashes.victim", str(self.folder)],
            env=variables,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.victims.append(victim)
        return victim

    def ready(self, victim: subprocess.Popen[str]) -> float | None:
        """Wait until it has taken over what was left; give how long that took, or None if it died before."""
        assert victim.stdout is not None
        assert select.select([victim.stdout], [], [], 30)[0], "it does not start"
        line = victim.stdout.readline()
        return float(line.split()[1]) if line.startswith("ready") else None

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

    def kill(self, victim: subprocess.Popen[str]) -> None:
        if victim.poll() is None:
            victim.send_signal(signal.SIGKILL)
        victim.wait()

    def close(self) -> None:
        for victim in self.victims:
            self.kill(victim)
            assert victim.stdout is not None
            victim.stdout.close()
        connect(self.settings).dispose()


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path)
    yield scene
    scene.close()


def until(holds, seconds=40.0):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


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
        took = self.scene.ready(victim)
        assert took is not None
        assert took < 1.0
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
    until(lambda: victim.poll() is not None)
    assert -signal.SIGKILL == victim.returncode
    ledger.check()

    ledger.finish()


@pytest.mark.parametrize("point", [point for point in POINTS if point.startswith("recovery")])
def test_a_death_during_recovery_costs_nothing(scene, point):
    """Recovery can be interrupted and is begun again."""
    scene.accept(2)
    ledger = Ledger(scene)
    for crash_at in ("action.before:9", point):
        victim = scene.start(crash_at)
        until(lambda victim=victim: victim.poll() is not None)
        assert -signal.SIGKILL == victim.returncode
        ledger.check()

    ledger.finish()


def test_deaths_at_random_moments_cost_nothing(scene):
    """Eight kills in a row while six runs are going."""
    scene.accept(6)
    ledger = Ledger(scene)
    chance = random.Random(7)
    for _ in range(8):
        victim = scene.start()
        took = scene.ready(victim)
        assert took is not None and took < 1.0
        time.sleep(chance.uniform(0.005, 0.15))
        scene.kill(victim)
        ledger.check()
        ledger.answer()

    ledger.finish()
