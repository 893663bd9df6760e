"""The live feed: a snapshot first, then what changes, and nothing that was told before."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import orjson
import pytest
from sqlmodel import Session, SQLModel, select

from canvas import db
from canvas.api.subscriber import Subscriber
from canvas.domain.states import LogKind, LogLevel, RunStatus, StepStatus, StepType
from canvas.settings import Settings
from models import RunLog, StepRun, Workflow, WorkflowRun, WorkflowVersion
from models.columns import new_id
from tests.serving import serving_pages
from tests.sockets import Closed, Refused, WebSocket, connected


class Engine:
    """Writes what the engine would write, in transactions of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        with db.transaction(settings) as session:
            workflow = Workflow(name="demo")
            session.add(workflow)
            session.flush()
            version = WorkflowVersion(workflow_id=workflow.id, number=1, definition={}, content_hash="0")
            session.add(version)
            session.flush()
            self._origin = {
                "workflow_id": workflow.id,
                "version_id": version.id,
                "workflow_name": "demo",
                "version_number": 1,
            }

    def start(self) -> str:
        run = WorkflowRun(**self._origin, status=RunStatus.RUNNING, total_steps=3, started_at=datetime.now(UTC))
        with db.transaction(self.settings) as session:
            session.add(run)
            session.flush()
            session.add(RunLog(run_id=run.id, kind=LogKind.RUN, data={"status": "running"}))
        return run.id

    def step(self, run_id: str, path: str, status: StepStatus, *, line: str = "") -> None:
        with db.transaction(self.settings) as session:
            row = self._row(session, run_id, path)
            row.status = status
            if status.is_terminal:
                row.branch, row.ended_at = "SUCCESS", datetime.now(UTC)
                run = session.get_one(WorkflowRun, run_id)
                run.settled_steps += 1
            data = {"status": status.value, "branch": row.branch}
            session.add(RunLog(run_id=run_id, kind=LogKind.STEP, path=path, attempt=1, data=data))
            if line:
                session.add(
                    RunLog(run_id=run_id, kind=LogKind.LINE, level=LogLevel.INFO, path=path, attempt=1, message=line)
                )

    def end(self, run_id: str) -> None:
        with db.transaction(self.settings) as session:
            run = session.get_one(WorkflowRun, run_id)
            run.status, run.ended_at = RunStatus.COMPLETED, datetime.now(UTC)
            session.add(RunLog(run_id=run_id, kind=LogKind.RUN, data={"status": "completed"}))

    def _row(self, session: Session, run_id: str, path: str) -> StepRun:
        row = session.exec(select(StepRun).where(StepRun.run_id == run_id, StepRun.path == path)).first()
        if row is None:
            row = StepRun(id=new_id(), run_id=run_id, path=path, name=path, type=StepType.ACTION)
            row.started_at = datetime.now(UTC)
            session.add(row)
        return row


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("live"))
    SQLModel.metadata.create_all(db.connect(settings))
    yield Engine(settings)
    db.connect(settings).dispose()


@pytest.fixture(scope="module")
def address(engine: Engine) -> Iterator[str]:
    with serving_pages(engine.settings.data_dir) as url:
        yield url.replace("http", "ws") + "/api/ws/runs"


def _until(client: WebSocket, condition: Callable[[dict], bool]) -> list[dict]:
    """Take frames until one fulfils the condition; gives all of them."""
    frames: list[dict] = []
    while not frames or not condition(frames[-1]):
        frames.append(orjson.loads(client.receive()))
    return frames


def test_the_first_frame_is_how_things_stand(engine, address):
    """Whoever comes late sees what has happened, with the lines so far."""
    run_id = engine.start()
    engine.step(run_id, "check", StepStatus.RUNNING)
    engine.step(run_id, "check", StepStatus.COMPLETED, line="checked")

    with connected(f"{address}/{run_id}") as socket:
        snapshot, lines = _until(socket, lambda frame: frame["type"] == "delta")

    assert "snapshot" == snapshot["type"]
    assert ("running", 1, 3) == tuple(snapshot["run"][key] for key in ("status", "settled", "total"))
    assert ("completed", "SUCCESS") == (snapshot["nodes"]["check"]["s"], snapshot["nodes"]["check"]["b"])
    assert ["checked"] == [line["message"] for line in lines["lines"]]


def test_changes_follow_until_the_run_ends(engine, address):
    """A commit of another process reaches the socket: nodes, progress, lines and the end."""
    run_id = engine.start()

    with connected(f"{address}/{run_id}") as socket:
        _until(socket, lambda frame: frame["type"] == "snapshot")
        engine.step(run_id, "each[0]/deploy", StepStatus.RUNNING)
        _until(socket, lambda frame: "deploy" in frame["nodes"])
        engine.step(run_id, "each[0]/deploy", StepStatus.COMPLETED, line="deployed")
        engine.end(run_id)
        frames = _until(socket, lambda frame: frame["run"].get("status") == "completed")

    run, nodes, lines = {}, {}, []
    for frame in frames:
        run, nodes, lines = run | frame["run"], nodes | frame["nodes"], lines + frame["lines"]
    assert ("completed", 1) == (run["status"], run["settled"])
    assert "completed" == nodes["deploy"]["s"]
    assert ["deployed"] == [line["message"] for line in lines]


def test_lines_seen_before_are_not_repeated(engine, address):
    """A browser that reconnects names the last line it has."""
    run_id = engine.start()
    engine.step(run_id, "one", StepStatus.COMPLETED, line="old")
    with connected(f"{address}/{run_id}") as socket:
        (snapshot,) = _until(socket, lambda frame: frame["type"] == "snapshot")
    engine.step(run_id, "two", StepStatus.COMPLETED, line="new")

    with connected(f"{address}/{run_id}?after={snapshot['seq']}") as socket:
        _, delta = _until(socket, lambda frame: frame["type"] == "delta")

    assert ["new"] == [line["message"] for line in delta["lines"]]


def test_a_run_that_does_not_exist_closes_the_socket(engine, address):
    """An old address is answered, not left waiting."""
    with connected(f"{address}/01ARZ3NDEKTSV4RRFFQ69G5FAV") as socket, pytest.raises(Closed) as caught:
        socket.receive()

    assert 4404 == caught.value.code


@pytest.mark.parametrize("headers", [{"Origin": "http://elsewhere.example"}, {"Host": "elsewhere.example"}])
def test_other_sites_cannot_listen(engine, address, headers):
    """A page of another origin, or one that rebound its name to this machine, gets no web socket."""
    with pytest.raises((Refused, Closed)), connected(address, **headers) as socket:
        socket.receive()


def test_lists_hear_which_runs_changed(engine, address):
    """The dashboard reloads when it is told, at most five times a second."""
    with connected(address) as socket:
        run_id, told, times = None, [], []
        deadline = time.monotonic() + 10
        while len(times) < 3 and time.monotonic() < deadline:
            run_id = run_id or engine.start()
            engine.step(run_id, f"step_{len(told)}", StepStatus.COMPLETED)
            told += _until(socket, lambda frame: True)
            times.append(time.monotonic())

    assert {"changed"} == {frame["type"] for frame in told}
    assert {run_id} == {run for frame in told for run in frame["runs"]}
    assert times[2] - times[0] >= 0.35


async def test_a_slow_browser_gets_one_frame_with_the_last_word_on_each_node():
    """Memory for a slow reader is bounded by the nodes of the run, not by what happens in it."""
    subscriber = Subscriber(asyncio.get_running_loop())

    def delta(seq: int, **nodes: str) -> dict:
        return {"type": "delta", "seq": seq, "run": {"settled": seq}, "nodes": nodes, "lines": [{"seq": seq}]}

    for frame in (delta(1, a="running"), delta(2, a="completed"), delta(3, b="running")):
        subscriber.tell(frame)
    await asyncio.sleep(0)

    expected = delta(3, a="completed", b="running") | {"lines": [{"seq": 1}, {"seq": 2}, {"seq": 3}]}
    assert expected == orjson.loads(await subscriber.next_frame() or b"")
