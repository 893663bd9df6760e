"""Canvas as an MCP server, spoken to with the official client."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from canvas import db
from canvas.actions.mcp import failures
from canvas.api.app import create_api
from canvas.api.mcp import work
from canvas.api.mcp.tool import agent_tools
from canvas.domain.states import TaskType
from canvas.engine.worker import Engine
from canvas.services import proposals, tasks, tokens, workflows
from canvas.services.access import Role, local_actor
from canvas.settings import Settings
from tests.api.conftest import HELLO
from tests.serving import serving

WAITS = "{dsl: canvas/v1, name: waits, steps: [{name: pause, type: wait, for: [{seconds: 60}]}]}"
FAILS = """
dsl: canvas/v1
name: fails
steps:
  - {name: stop_here, type: stop, status: failed, message: "No more."}
"""
Connect = Callable[..., AbstractAsyncContextManager[Client]]


@asynccontextmanager
async def client_of(url: str, secret: str, *, mode: str = "auto", app: Any = None) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    transport = None if app is None else httpx2.ASGITransport(app=app)
    async with (
        httpx2.AsyncClient(transport=transport, headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.fixture
def place(settings: Settings, template: Path) -> Settings:
    """A database with three workflows."""
    (settings.data_dir / "canvas.db").write_bytes(template.read_bytes())
    with db.transaction(settings) as session:
        for text in (HELLO, WAITS, FAILS):
            workflows.import_workflow(session, text, publish=True)
    return settings


@pytest.fixture(params=["auto", "legacy"])
def connect(place: Settings, request: pytest.FixtureRequest) -> Connect:
    """Connect as somebody of a role, with the newest version of the protocol and with the handshake of older ones."""
    app = create_api(place)

    def connect(role: Role = Role.OPERATOR) -> AbstractAsyncContextManager[Client]:
        return client_of("http://localhost/mcp", secret_of(place, role), mode=request.param, app=app)

    return connect


@pytest.fixture
def engine(place: Settings) -> Iterator[Engine]:
    """An engine at work."""
    engine = Engine(place)
    engine.start()
    yield engine
    engine.stop()


def secret_of(settings: Settings, role: Role) -> str:
    with db.transaction(settings) as session:
        return tokens.create_token(session, f"{role} agent", role, now=datetime.now(UTC)).secret


async def good(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def bad(client: Client, tool: str, **arguments: Any) -> tuple[str, str]:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    error = result.structured_content["error"]
    assert f"[{error['code']}]" in result.content[0].text
    return error["code"], error["message"]


async def test_an_agent_finds_starts_and_watches_a_workflow(connect: Connect, engine: Engine):
    """From nothing but a token to the output of a run."""
    async with connect() as client:
        (found,) = (await good(client, "list_workflows", text="say"))["workflows"]
        about = await good(client, "describe_workflow", name=found["name"])
        run = await good(client, "start_run", name="hello", parameters={"who": "you"}, wait_seconds=30)
        seen = await good(client, "get_run", run_id=run["run_id"])

    assert ("hello", 1) == (found["name"], found["published_version"])
    assert {"who"} == set(about["parameters_schema"]["required"])
    assert [("greet", "action", "log/event")] == [(step["name"], step["type"], step["does"]) for step in about["steps"]]
    assert ("completed", {"said": "Hello you"}) == (run["status"], run["output"])
    assert "completed" == run["steps"]["greet"]["status"]
    assert run == seen


async def test_a_run_is_cancelled(connect: Connect, engine: Engine):
    """It ends soon after; a second time there is nothing to cancel."""
    async with connect() as client:
        run = await good(client, "start_run", name="waits", wait_seconds=0)
        await good(client, "cancel_run", run_id=run["run_id"])
        engine.wait(run["run_id"])
        assert "cancelled" == (await good(client, "get_run", run_id=run["run_id"]))["status"]
        assert "run_already_finished" == (await bad(client, "cancel_run", run_id=run["run_id"]))[0]


async def test_a_run_that_fails_is_no_failed_call(connect: Connect, engine: Engine):
    """The agent reads what made it fail."""
    async with connect() as client:
        run = await good(client, "start_run", name="fails", wait_seconds=30)

    assert ("failed", "No more.") == (run["status"], run["error"]["message"])


async def test_the_same_key_starts_one_run(connect: Connect):
    """An agent that asks twice, because it did not hear the answer, starts nothing twice."""
    async with connect() as client:
        start = {"name": "hello", "parameters": {"who": "x"}, "idempotency_key": "k"}
        first, second = [await good(client, "start_run", **start) for _ in range(2)]

    assert first["run_id"] == second["run_id"]


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("describe_workflow", {"name": "nobody"}, "workflow_not_found"),
        ("start_run", {"name": "hello"}, "invalid_parameters"),
        ("start_run", {"name": "hello", "parameters": {"who": "x", "odd": 1}}, "invalid_parameters"),
        ("start_run", {"name": "hello", "wait": 5}, "invalid_arguments"),
        ("start_run", {}, "invalid_arguments"),
        ("start_run", {"name": "hello", "wait_seconds": 1e9}, "invalid_arguments"),
        ("get_run", {"run_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "run_not_found"),
        ("list_workflows", {"limit": 0}, "invalid_arguments"),
        ("complete_task", {"task_id": "nobody"}, "task_not_found"),
        ("list_tasks", {"status": ["done"]}, "invalid_arguments"),
        ("propose_actions", {"name": "x", "actions": []}, "invalid_arguments"),
    ],
)
async def test_a_bad_call_says_what_to_do(connect: Connect, tool: str, arguments: dict[str, Any], code: str):
    """Under the code that the HTTP API has for it."""
    async with connect() as client:
        found, message = await bad(client, tool, **arguments)

    assert code == found
    assert message.endswith((".", "?"))


async def test_each_role_sees_what_it_may_use(connect: Connect):
    """And is refused the rest, by the one check that every door has."""
    async with connect(Role.VIEWER) as client:
        offered = {tool.name for tool in (await client.list_tools()).tools}
        code, message = await bad(client, "start_run", name="hello", parameters={"who": "x"})

    reading = {name for name, tool in agent_tools().items() if tool.permission == "view"}
    assert reading == offered
    assert ("forbidden", True) == (code, "needs the role operator" in message)


async def test_tools_tell_what_they_take_and_give(connect: Connect):
    """Typed schemas both ways; hints say which calls change nothing."""
    async with connect(Role.ADMIN) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}

    assert set(agent_tools()) == set(tools)
    for tool in tools.values():
        jsonschema_rs.validator_for(tool.input_schema)
        jsonschema_rs.validator_for(tool.output_schema)
        assert tool.description and tool.title
    assert tools["get_run"].annotations.read_only_hint
    assert not tools["start_run"].annotations.read_only_hint


CHAIN = [
    {"action": "log/event", "parameters": {"message": "first"}, "reason": "because"},
    {"action": "log/event", "parameters": {"message": "after {{ steps.action_0.output.message }}"}},
]


async def test_what_an_agent_proposes_runs_once_somebody_approves(connect: Connect, place: Settings, engine: Engine):
    """Nothing before; afterwards the agent sees the run."""
    async with connect() as client:
        actions = (await good(client, "list_actions", text="log", with_schemas=True))["actions"]
        made = await good(client, "propose_actions", name="tidy up", description="It is full.", actions=CHAIN)
        (waiting,) = (await good(client, "list_proposals", status=["proposed"]))["proposals"]
        with db.transaction(place) as session:
            run_id = proposals.approve(session, made["proposal_id"], actor=local_actor(), now=datetime.now(UTC))
        engine.wait(run_id)
        (done,) = (await good(client, "list_proposals"))["proposals"]
        run = await good(client, "get_run", run_id=done["run_id"])

    assert ["message"] == next(a for a in actions if a["name"] == "log/event")["arguments_schema"]["required"]
    assert ("proposed", None, "token:operator agent") == (made["status"], made["run_id"], made["proposed_by"])
    assert made == waiting
    assert ("completed", "local") == (done["status"], done["decided_by"])
    assert "after first" == run["steps"]["action_1"]["output"]["message"]


async def test_a_proposal_that_makes_no_sense_is_told_whole(connect: Connect):
    """Every fault of every action at once, each with its place; nothing is kept."""
    chain = [{"action": "log/evnt"}, {"action": "log/event", "parameters": {"massage": "x"}}]
    async with connect() as client:
        result = await client.call_tool("propose_actions", {"name": "x", "actions": chain})
        assert [] == (await good(client, "list_proposals"))["proposals"]
        assert "forbidden" == (await viewer_proposes(connect))

    error = result.structured_content["error"]
    assert "invalid_proposal" == error["code"]
    assert {"/actions/0/action", "/actions/1/parameters/massage", "/actions/1/parameters/message"} <= {
        problem["pointer"] for problem in error["problems"]
    }
    assert "There is no action `log/evnt`" in result.content[0].text


async def viewer_proposes(connect: Connect) -> str:
    async with connect(Role.VIEWER) as client:
        return (await bad(client, "propose_actions", name="x", actions=CHAIN))[0]


async def test_an_agent_does_a_task(connect: Connect, place: Settings):
    """With one of its outcomes and the answers its form asks for, and not twice."""
    form = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}
    wish = tasks.TaskWish(action="Rate it", outcomes=("good", "bad"), form=form, task_type=TaskType.AI_TASK)
    with db.transaction(place) as session:
        tasks.create_task(session, wish, actor=local_actor())
    async with connect() as client:
        (task,) = (await good(client, "list_tasks", owner="AI"))["tasks"]
        named = {"task_id": task["task_id"], "revision": task["revision"]}
        faults = [
            (await bad(client, "complete_task", **named, outcome="fine", answers={"score": 1}))[0],
            (await bad(client, "complete_task", **named, outcome="good", answers={"score": "x"}))[0],
            (await bad(client, "complete_task", **{**named, "revision": 99}, outcome="good", answers={"score": 1}))[0],
        ]
        done = await good(client, "complete_task", **named, outcome="good", answers={"score": 5})
        again = await bad(client, "complete_task", task_id=task["task_id"], outcome="good", answers={"score": 5})
        assert [] == (await good(client, "list_tasks"))["tasks"]

    assert (["good", "bad"], form) == (task["outcomes"], task["form"])
    assert ["bad_outcome", "bad_answers", "stale_task"] == faults
    assert ("completed", "good", {"score": 5}) == (done["status"], done["outcome"], done["answers"])
    assert "task_ended" == again[0]


async def test_a_defect_is_told_without_details(connect: Connect, monkeypatch):
    """What went wrong inside is for the log."""
    monkeypatch.setattr(work.views, "workflow_cards", lambda *_, **__: 1 / 0)
    async with connect() as client:
        assert ("defect", "Canvas made a mistake; its log says more.") == await bad(client, "list_workflows")


async def test_a_tool_that_is_not_there(connect: Connect):
    """Is an error of the protocol."""
    async with connect() as client:
        with pytest.raises(MCPError, match="no tool"):
            await client.call_tool("fly", {})


@pytest.mark.parametrize(
    ("header", "code"), [(None, "token_needed"), ("Bearer canvas_x", "invalid_token"), ("Basic eDp5", "invalid_token")]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_nobody_speaks_without_a_token(api, method: str, header: str | None, code: str):
    """Not even from this machine: what an agent is told to do comes from elsewhere."""
    headers = {} if header is None else {"Authorization": header}
    answer = api.request(method, "/mcp", headers=headers, json={"jsonrpc": "2.0", "id": 1, "method": "ping"})

    assert (401, code) == (answer.status_code, answer.json()["code"])
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_garbage_is_answered_as_such(place: Settings, api):
    """In the protocol's words; the server goes on."""
    headers = {
        "Authorization": f"Bearer {secret_of(place, Role.ADMIN)}",
        "Accept": "application/json, text/event-stream",
    }
    for content in (b"{", b"[]", b'{"jsonrpc": "2.0"}', b"\xff", b"x" * 3_000_000):
        answer = api.post("/mcp", headers=headers, content=content)
        assert 400 <= answer.status_code < 500


@pytest.mark.timeout(400)  # starting all of it takes long on a busy machine
async def test_a_running_canvas_is_an_mcp_server(tmp_path: Path):
    """With a token of the command line and a workflow of a file, over real connections."""
    (tmp_path / "hello.yaml").write_text(HELLO)
    with serving(tmp_path / "data") as server:
        server.canvas("import", str(tmp_path / "hello.yaml"), "--publish")
        secret = server.canvas("token", "create", "agent").stdout.strip()
        async with client_of(f"{server.url}/api/mcp", secret) as client:
            run = await good(client, "start_run", name="hello", parameters={"who": "world"}, wait_seconds=50)

    assert ("completed", {"said": "Hello world"}) == (run["status"], run["output"])


def test_the_manual_knows_every_tool_and_every_fault():
    """With the role that each tool needs."""
    text = (Path(__file__).parent.parent.parent / "docs/mcp.md").read_text("utf-8")
    roles = {"view": "viewer", "run": "operator"}
    faults = [
        kind for kind in vars(failures).values() if isinstance(kind, type) and issubclass(kind, failures.McpFailed)
    ]
    codes = {kind.code for kind in faults}

    assert [] == [name for name, t in agent_tools().items() if f"| `{name}` | {roles[t.permission]} |" not in text]
    assert [] == [code for code in codes if f"`{code}`" not in text]
