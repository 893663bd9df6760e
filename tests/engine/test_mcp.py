"""Steps that call tools of MCP servers, in real runs on a real engine."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from canvas.db import reading, transaction
from canvas.domain.states import RunStatus
from canvas.engine.worker import Engine
from canvas.services import connection_tests, connections, runs, views, workflows
from canvas.settings import Settings
from canvas.vault import Vault
from models import WorkflowRun
from tests.mcp_server import HttpServer, serving_mcp
from tests.serving import wait_for

SAMPLES = Path(__file__).parent.parent / "data/archon"
BACKUP = """
dsl: canvas/v1
name: setup_vm_backup
parameters: {vm_id: {type: string, required: true}}
outputs: {job: {value: "{{ steps.backup.output.job }}"}}
steps:
  - {name: backup, type: action, action: tool/create_backup_job, parameters: {vm_id: "{{ workflow.parameters.vm_id }}"}}
"""
TOKEN = "token-of-the-server"


class Place:
    """An installation with connections to MCP servers and an engine."""

    def __init__(self, settings: Settings) -> None:
        self.settings = replace(settings, mcp_commands=f"own={sys.executable} -m tests.mcp_server")
        self.engine: Engine | None = None

    def connect(self, name: str, **config: Any) -> str:
        with transaction(self.settings) as session:
            connections.create_connection(session, name, kind="mcp", config=config, vault=Vault(self.settings))
        return connection_tests.check_connection(self.settings, name).message

    def run(self, text: str, **parameters: Any) -> tuple[WorkflowRun, dict[str, Any]]:
        with transaction(self.settings) as session:
            name = workflows.import_workflow(session, text, publish=True, if_exists="update").name
            run_id = runs.start_run(session, name, parameters)
        self.start().wait(run_id, 60)
        with reading(self.settings) as session:
            steps = views.step_run_rows(session, run_id, with_values=True)
            return session.get_one(WorkflowRun, run_id), {step.path: step for step in steps}

    def start(self) -> Engine:
        if self.engine is None:
            self.engine = Engine(self.settings)
            self.engine.start()
        return self.engine


@pytest.fixture
def place(settings: Settings) -> Iterator[Place]:
    place = Place(settings)
    yield place
    if place.engine:
        place.engine.stop(0)


@pytest.fixture
def http() -> Iterator[HttpServer]:
    with serving_mcp(token=TOKEN) as server:
        yield server


def one(action: str, parameters: str = "{}", more: str = "") -> str:
    step = f"{{name: it, type: action, action: {action}, parameters: {parameters}{more}}}"
    return f"{{dsl: canvas/v1, name: one, steps: [{step}]}}"


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.json").read_text()


@pytest.mark.parametrize("transport", ["command", "url"])
def test_a_sample_of_tools_and_a_sub_workflow_runs_for_real(place: Place, http: HttpServer, transport: str):
    """A virtual machine is made where there is room for it, backed up by the linked workflow, and written down."""
    config = {"command": "own"} if transport == "command" else {"url": http.url, "bearer": TOKEN}
    assert "Test tools 1.2 offers 25 tools" in place.connect("lab", **config)
    with transaction(place.settings) as session:
        workflows.import_workflow(session, BACKUP, publish=True)
    run, steps = place.run(sample("vm_deployment"), vm_name="web1")

    assert RunStatus.COMPLETED == run.status
    assert {"available": True, "hosts": 3} == steps["check_resources"].output
    assert "vm-web1" == steps["create_vm"].output["vm_id"]
    assert {"job": "backup of vm-web1"} == steps["setup_vm_backup"].output
    assert {"done": "update_configuration_database"} == steps["update_cmdb"].output


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("arms", {}, {"deploy_step": "completed", "rollback_step": "skipped", "report": "completed"}),
        (
            "step_loop",
            {"servers": ["a", "b"]},
            {"loop[0]/deploy_to_server": "completed", "loop[1]/deploy_to_server": "completed"},
        ),
    ],
)
def test_more_samples_run_for_real(place: Place, name: str, parameters: dict[str, Any], expected: dict[str, str]):
    """Branches follow what the tools answer; a tool is found although its own name has other characters."""
    place.connect("lab", command="own")
    run, steps = place.run(sample(name), **parameters)

    assert RunStatus.COMPLETED == run.status
    assert expected == {path: steps[path].status for path in expected}


def test_progress_and_result_of_a_step(place: Place):
    """What the server tells becomes lines of the run's log."""
    place.connect("lab", command="own")
    run, steps = place.run(one("mcp.lab/count_up", "{steps: 2}"))
    with reading(place.settings) as session:
        told = [line.message for line in views.run_logs(session, run.id)]

    assert "done" == steps["it"].output["text"]
    assert ["step 1 (1 of 2)", "step 2 (2 of 2)"] == [line for line in told if line.startswith("step ")]


def test_a_failure_is_typed_and_a_retry_has_a_new_server(place: Place):
    """The server dies in each attempt of a call that only reads, and is started for the next one."""
    place.connect("lab", command="own")
    _, steps = place.run(one("mcp.lab/die", more=", retry: {max_attempts: 2, delay_seconds: 0.01}"))
    assert ("mcp_server_died", 1) == (steps["it"].error["code"], steps["it"].attempt)
    _, steps = place.run(one("mcp.lab/die_reading", more=", retry: {max_attempts: 2, delay_seconds: 0.01}"))
    assert ("mcp_server_died", 2) == (steps["it"].error["code"], steps["it"].attempt)
    run, _ = place.run(one("mcp.lab/add", "{a: 1}"))
    assert RunStatus.COMPLETED == run.status


def test_a_tool_of_several_servers_has_to_be_named(place: Place, http: HttpServer):
    """The step fails and says what there is to choose from; so does one that nobody has."""
    place.connect("lab", command="own")
    place.connect("web", url=http.url, bearer=TOKEN)
    _, steps = place.run(one("tool/add", "{a: 1}"))
    assert "ambiguous_tool" == steps["it"].error["code"]
    assert "`mcp.lab/add`, `mcp.web/add`" in steps["it"].error["message"]
    _, steps = place.run(one("tool/nobody_has_it"))
    assert "unknown_tool" == steps["it"].error["code"]
    run, _ = place.run(one("mcp.web/add", "{a: 1}"))
    assert RunStatus.COMPLETED == run.status


def test_a_connection_that_is_not_there_fails_the_step(place: Place):
    """As for any action."""
    _, steps = place.run(one("mcp.nowhere/add", "{a: 1}"))

    assert "unknown_connection" == steps["it"].error["code"]


@pytest.mark.parametrize(("action", "expected"), [("mcp.lab/add", {"sum": 1}), ("tool/nobody_has_it", {})])
def test_a_dry_run_asks_no_server(place: Place, http: HttpServer, action: str, expected: dict[str, int]):
    """It answers by what the tool promises, or with nothing."""
    place.connect("lab", url=http.url, bearer=TOKEN)
    http.status = 500
    with transaction(place.settings) as session:
        workflows.import_workflow(session, one(action, "{a: 1}"), publish=True, dry_run=True)
        run_id = runs.start_run(session, "one", dry_run=True)
    status = place.start().wait(run_id, 20)
    with reading(place.settings) as session:
        (step,) = views.step_run_rows(session, run_id, with_values=True)

    assert (RunStatus.COMPLETED, expected) == (status, step.output)


def test_a_secret_that_comes_back_is_masked(place: Place, http: HttpServer):
    """A server that tells the token it was called with tells it to nobody."""
    place.connect("web", url=http.url, bearer=TOKEN)
    _, steps = place.run(one("mcp.web/fail", f"{{why: 'bad {TOKEN}'}}"))

    assert "The tool fail failed: bad •••" == steps["it"].error["message"]


def test_a_new_address_holds_from_the_next_call_on(place: Place, http: HttpServer):
    """A session to the old one is not used any more."""
    place.connect("web", url=http.url, bearer=TOKEN)
    place.run(one("mcp.web/add", "{a: 1}"))
    with serving_mcp() as other:
        with transaction(place.settings) as session:
            connections.change_connection(session, "web", config={"url": other.url}, vault=Vault(place.settings))
        http.status = 503
        run, _ = place.run(one("mcp.web/add", "{a: 1}"))
        place.engine.stop(0)
        place.engine = None
    assert RunStatus.COMPLETED == run.status


def test_stopping_the_engine_ends_its_servers(place: Place):
    """No program is left behind."""
    place.connect("lab", command="own")
    _, steps = place.run(one("mcp.lab/who_are_you"))
    place.engine.stop(0)
    place.engine = None

    assert not psutil.pid_exists(steps["it"].output["pid"])


OPEN = """
import asyncio
from canvas.actions.mcp.kind import Mcp
from canvas.actions.mcp.link import Link
from canvas.settings import Settings
async def main():
    await Link(Mcp(command="deaf"), Settings(mcp_commands="deaf=sleep 600.125")).open()
asyncio.run(main())
"""


def test_a_killed_engine_leaves_no_server_behind():
    """Not even one that does not notice that nobody speaks to it any more."""
    process = subprocess.Popen([sys.executable, "-c", OPEN], stderr=subprocess.DEVNULL)
    try:
        (server,) = wait_for(psutil.Process(process.pid).children)
        wait_for(lambda: "600.125" in server.cmdline())
    finally:
        process.kill()
        process.wait()

    wait_for(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
