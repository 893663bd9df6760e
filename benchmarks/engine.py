"""What a durable step costs here, beside DBOS and beside bare SQLite, on the same machine in the same minutes.

    python -m benchmarks.engine [--rounds 5] [--no-dbos]

Both sides make every step durable before the next one starts, with SQLite flushing each commit to disk, and call the
same function, which gives back a small object. Rounds alternate; medians are printed with their ratios.
"""

import argparse
import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel, select

from canvas.db import connect, reading, transaction
from canvas.domain.catalog import ActionSpec
from canvas.domain.definition import Definition
from canvas.domain.dsl import to_document
from canvas.domain.states import JoinMode, RunStatus
from canvas.domain.steps import ActionStep, Dependency, Join, LoopStep, Scope
from canvas.engine.notify import ring
from canvas.engine.worker import Engine
from canvas.settings import Settings
from models import Workflow, WorkflowRun, WorkflowVersion

CHAIN, FAN = 40, 100


def work(number: int) -> dict[str, Any]:
    """The step that both sides execute."""
    return {"number": number, "text": "done", "ok": True}


class NoOp:
    """The step as a registered action."""

    spec = ActionSpec(
        name="bench/work",
        title="",
        description="",
        category="",
        arguments_schema={},
        result_schema={},
        example_arguments={},
        example_result={},
        idempotent=True,
    )

    async def call(self, arguments: Any, context: Any) -> Any:
        return work(arguments["number"])

    def is_idempotent(self, arguments: Any) -> bool:
        return True


def step(name: str, number: Any, *after: str) -> ActionStep:
    depends = tuple(Dependency(one) for one in after)
    return ActionStep(name=name, action="bench/work", parameters={"number": number}, depends_on=depends)


def chain(length: int) -> Definition:
    following = (
        step(f"s{number}", f"{{{{ steps.s{number - 1}.output.number + 1 }}}}", f"s{number - 1}")
        for number in range(1, length)
    )
    steps = [step("s0", 0), *following]
    return Definition(name="chain", scope=Scope(tuple(steps)))


def fan(width: int) -> Definition:
    names = [f"s{number}" for number in range(width)]
    steps = [step(name, number) for number, name in enumerate(names)]
    join = ActionStep(
        name="join",
        action="bench/work",
        parameters={"number": width},
        depends_on=tuple(Dependency(name) for name in names),
        join=Join(JoinMode.ALL),
    )
    return Definition(name="fan", scope=Scope((*steps, join)))


def loop(times: int, concurrency: int) -> Definition:
    inside = Scope((step("inside", "{{ index }}"),))
    each = LoopStep(name="each", times=times, max_iterations=times, concurrency=concurrency, steps=inside)
    return Definition(name=f"loop_{times}_{concurrency}", scope=Scope((each,)))


class Canvas:
    """Our engine on a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder, durability="power", engine_concurrency=128)
        SQLModel.metadata.create_all(connect(self.settings))
        self.engine = Engine(self.settings, {"bench/work": NoOp()})
        self.engine.start()

    def publish(self, definition: Definition) -> None:
        with transaction(self.settings) as session:
            workflow = Workflow(name=definition.name, latest_version=1, published_version=1)
            session.add(workflow)
            session.flush()
            document = to_document(definition)
            session.add(WorkflowVersion(workflow_id=workflow.id, number=1, definition=document, content_hash=""))

    def run(self, name: str) -> float:
        """Seconds from accepting a run to knowing that it has ended."""
        begun = time.perf_counter()
        with transaction(self.settings) as session:
            workflow = session.exec(select(Workflow).where(Workflow.name == name)).one()
            version = session.exec(select(WorkflowVersion).where(WorkflowVersion.workflow_id == workflow.id)).one()
            run = WorkflowRun(workflow_id=workflow.id, version_id=version.id, workflow_name=name, version_number=1)
            session.add(run)
        with reading(self.settings) as session:
            ring(session)
        status = self.engine.wait(run.id, 300)
        taken = time.perf_counter() - begun
        assert status is RunStatus.COMPLETED, status
        return taken

    def close(self) -> None:
        self.engine.stop()
        connect(self.settings).dispose()


class Dbos:
    """The peer, as it ships: SQLite, its defaults, in process."""

    def __init__(self, folder: Path) -> None:
        from dbos import DBOS

        url = f"sqlite:///{folder / 'dbos.sqlite'}"
        DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR", "run_admin_server": False})
        self.dbos = DBOS

        @DBOS.step()
        async def durable_work(number: int) -> dict[str, Any]:
            return work(number)

        @DBOS.workflow()
        async def chain_of(length: int) -> int:
            number = 0
            for _ in range(length):
                number = (await durable_work(number))["number"] + 1
            return number

        @DBOS.workflow()
        async def fan_of(width: int) -> int:
            results = await asyncio.gather(*(durable_work(number) for number in range(width)))
            return (await durable_work(len(results)))["number"]

        self.workflows = {"chain": chain_of, "fan": fan_of}
        DBOS.launch()

    def run(self, name: str, size: int) -> float:
        begun = time.perf_counter()

        async def go() -> Any:
            handle = await self.dbos.start_workflow_async(self.workflows[name], size)
            return await handle.get_result()

        asyncio.run(go())
        return time.perf_counter() - begun

    def close(self) -> None:
        self.dbos.destroy()


def floor(folder: Path, steps: int) -> float:
    """Seconds per step of the same rows with nothing around them: one commit per step, flushed."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS step(id TEXT PRIMARY KEY, status TEXT, output TEXT)")
    connection.execute("CREATE TABLE IF NOT EXISTS log(seq INTEGER PRIMARY KEY, step TEXT, data TEXT)")
    connection.execute("CREATE TABLE IF NOT EXISTS run(id TEXT PRIMARY KEY, settled INTEGER)")
    connection.execute("INSERT OR REPLACE INTO run VALUES ('run', 0)")
    stamp = str(time.time_ns())
    begun = time.perf_counter()
    for number in range(steps):
        connection.execute("BEGIN IMMEDIATE")
        key, last = f"{stamp}-{number}", f"{stamp}-{number - 1}"
        output = json.dumps(work(number))
        connection.execute("UPDATE step SET status='completed', output=? WHERE id=?", (output, last))
        connection.execute("INSERT INTO step VALUES (?, 'running', NULL)", (key,))
        connection.execute("INSERT INTO log(step, data) VALUES (?, 'completed'), (?, 'running')", (last, key))
        connection.execute("UPDATE run SET settled=?", (number,))
        connection.execute("COMMIT")
    taken = time.perf_counter() - begun
    connection.close()
    return taken / steps


def measure(rounds: int, cases: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Run all cases in turn, so many rounds after one to warm up; give each one's median."""
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(rounds + 1):
        for name, case in cases.items():
            taken = case()
            if turn:
                seconds[name].append(taken)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def report(medians: dict[str, float]) -> dict[str, float]:
    """Turn medians into the figures that the targets are about."""
    figures = {
        "chain, ms a step": 1e3 * medians["chain"] / CHAIN,
        "fan-out of 100 and join, ms": 1e3 * medians["fan"],
        "loop of 1,000, one at a time, s": medians["loop 1000 x1"],
        "loop of 1,000, ten at a time, s": medians["loop 1000 x10"],
        "loop, cost per item at 10,000 over that at 100": (medians["loop 10000 x10"] / 10_000)
        / (medians["loop 100 x10"] / 100),
        "floor: bare SQLite, ms a step": 1e3 * medians["floor"],
    }
    if "dbos chain" in medians:
        figures["DBOS chain, ms a step"] = 1e3 * medians["dbos chain"] / CHAIN
        figures["chain, DBOS over ours"] = medians["dbos chain"] / medians["chain"]
        figures["DBOS fan-out of 100 and join, ms"] = 1e3 * medians["dbos fan"]
        figures["fan-out, DBOS over ours"] = medians["dbos fan"] / medians["fan"]
    return figures


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--no-dbos", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="canvas-bench-") as name:
        folder = Path(name)
        canvas = Canvas(folder)
        loops = [loop(100, 10), loop(1_000, 1), loop(1_000, 10), loop(10_000, 10)]
        for definition in (chain(CHAIN), fan(FAN), *loops):
            canvas.publish(definition)
        cases: dict[str, Callable[[], float]] = {
            "floor": lambda: floor(folder, 200),
            "chain": lambda: canvas.run("chain"),
            "fan": lambda: canvas.run("fan"),
        }
        for definition in loops:
            _, times, width = definition.name.split("_")
            cases[f"loop {times} x{width}"] = partial(canvas.run, definition.name)
        peer = None if chosen.no_dbos else Dbos(folder)
        if peer is not None:
            cases["dbos chain"] = lambda: peer.run("chain", CHAIN)
            cases["dbos fan"] = lambda: peer.run("fan", FAN)
        figures = report(measure(chosen.rounds, cases))
        canvas.close()
        if peer is not None:
            peer.close()
    json.dump({name: round(value, 3) for name, value in figures.items()}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
