"""Tools of a real MCP server, over both transports: what they give, and every way a call can fail."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import psutil
import pytest
from pydantic import SecretStr

from canvas.actions.failures import ActionFailed
from canvas.actions.mcp.failures import McpFailed, SessionLost
from canvas.actions.mcp.kind import Mcp
from canvas.actions.mcp.link import Link
from canvas.actions.mcp.pool import Pool
from canvas.settings import Settings
from tests.mcp_server import HttpServer, serving_mcp

STDIO = f"own={sys.executable} -m tests.mcp_server; polite={sys.executable} -m tests.mcp_server --greet; "
STDIO += f"cat=cat; yes=yes; none=/no/such/program; false=false; wait=sleep 60; lies={sys.executable} -c 'print(1)'; "
STDIO += f"future={sys.executable} -m tests.mcp_from_the_future"
SETTINGS = Settings(mcp_commands=STDIO)


@pytest.fixture
def http() -> Iterator[HttpServer]:
    """The server at an address."""
    with serving_mcp() as server:
        yield server


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    """Sessions that end with the test."""
    pool = Pool(SETTINGS)
    yield pool
    await pool.close()


@pytest.fixture(params=["stdio", "http", "stateless"])
def config(request: pytest.FixtureRequest) -> Iterator[Mcp]:
    """A connection to the server, over each transport."""
    if request.param == "stdio":
        yield Mcp(command="own")
        return
    with serving_mcp(stateless=request.param == "stateless") as server:
        yield Mcp(url=server.url)


Call = Callable[..., Any]


@pytest.fixture
def call(pool: Pool) -> Call:
    """Call a tool; what it told about its progress is in `call.told`."""

    async def call(config: Mcp, tool: str, **arguments: Any) -> Any:
        return await pool.call("it", config, tool, arguments, call.told.append)

    call.told = []
    return call


async def failure(call: Call, config: Mcp, tool: str, **arguments: Any) -> tuple[str, bool, str]:
    with pytest.raises(ActionFailed) as caught:
        await call(config, tool, **arguments)
    return caught.value.code, caught.value.retryable, str(caught.value)


async def test_structured_content_is_the_output(call: Call, config: Mcp):
    """As it is, once it fits what the tool promises."""
    assert {"sum": 3} == await call(config, "add", a=1, b=2)


async def test_other_content_becomes_values(call: Call, config: Mcp):
    """A text that is JSON is that value; a plain one is text; pictures and resources are kept as blocks."""
    assert {"available": True, "hosts": 3} == await call(config, "check_infrastructure_capacity", template="x")
    assert [1, 2] == await call(config, "say", text="[1, 2]")
    assert {"text": "{no", "content": [{"type": "text", "text": "{no"}]} == await call(config, "say", text="{no")
    painted = await call(config, "paint")
    assert "look\ninside" == painted["text"]
    assert [
        {"type": "text", "text": "look"},
        {"type": "image", "mime_type": "image/png", "data": "aGVsbG8="},
        {"type": "resource", "uri": "file:///a.txt", "text": "inside"},
        {"type": "link", "uri": "file:///b.txt", "name": "b", "mime_type": None},
    ] == painted["content"]


async def test_a_tool_that_says_it_failed_fails_the_step(call: Call, config: Mcp):
    """With its own words; whoever wants it tried again says so in the step."""
    assert ("tool_failed", True, "The tool fail failed: no disk") == await failure(call, config, "fail", why="no disk")


async def test_results_are_held_to_what_was_promised(call: Call, config: Mcp):
    """Neither another shape nor nothing at all passes for a result."""
    code, retryable, told = await failure(call, config, "lie")
    assert ("mcp_garbage", False) == (code, retryable)
    assert "sum" in told
    assert "mcp_garbage" == (await failure(call, config, "hold_back"))[0]


async def test_what_does_not_fit_is_not_sent(call: Call, config: Mcp):
    """Arguments are held to the tool's schema, and a tool that is not there is answered with those that are."""
    code, _, told = await failure(call, config, "add", a="one")
    assert ("invalid_arguments", True) == (code, '"one" is not of type "integer"' in told)
    code, _, told = await failure(call, config, "ad")
    assert ("unknown_tool", True) == (code, "`add`" in told)


async def test_an_error_of_the_protocol_is_told(call: Call, config: Mcp):
    """It is the server's answer, so it is not asked again."""
    code, retryable, told = await failure(call, config, "refuse")

    assert ("mcp_failed", False) == (code, retryable)
    assert "not on a Sunday" in told


async def test_a_huge_result_is_refused(call: Call, config: Mcp):
    """While it arrives; the next call has a session that works."""
    assert ("output_too_large", False) == (await failure(call, config, "flood"))[:2]
    assert {"sum": 2} == await call(config, "add", a=1)


async def test_a_call_that_hangs_ends(call: Call, config: Mcp):
    """After the connection's own limit; not tried again unless the tool says that this does no harm."""
    hasty = config.model_copy(update={"timeout_seconds": 1.0})
    code, retryable, told = await failure(call, hasty, "hang")

    assert ("mcp_timeout", False) == (code, retryable)
    assert "within 1 s" in told
    assert {"sum": 2} == await call(config, "add", a=1)


async def test_progress_is_told(call: Call, config: Mcp):
    """In the order of the steps."""
    await call(config, "count_up", steps=3)

    assert ["step 1 (1 of 3)", "step 2 (2 of 3)", "step 3 (3 of 3)"] == call.told


async def test_calls_side_by_side_share_a_session(call: Call, pool: Pool, config: Mcp):
    """None waits for another, and each gets its own answer."""
    answers = await asyncio.gather(*(call(config, "add", a=n, b=n) for n in range(20)))

    assert [{"sum": 2 * n} for n in range(20)] == answers
    assert 1 == pool.open_count


# programs


async def test_a_program_is_kept_for_the_next_call(call: Call):
    """Starting one takes long; it sees the usual environment and nothing of Canvas's own."""
    os.environ["CANVAS_TEST_ONLY"] = "secret"
    first, second = [await call(Mcp(command="own"), "who_are_you") for _ in range(2)]
    del os.environ["CANVAS_TEST_ONLY"]

    assert first["pid"] == second["pid"]
    assert "PATH" in first["environment"]
    assert [] == [name for name in first["environment"] if name.startswith("CANVAS_")]


@pytest.mark.parametrize(("tool", "retryable"), [("die", False), ("die_reading", True)])
async def test_a_program_that_dies_in_a_call(call: Call, tool: str, retryable: bool):
    """The step fails with the program's last words, and only a reading call is tried again; the next call works."""
    config = Mcp(command="own")
    code, is_retryable, told = await failure(call, config, tool)

    assert ("mcp_server_died", retryable) == (code, is_retryable)
    assert "I have seen enough" in told
    assert {"sum": 2} == await call(config, "add", a=1)


async def test_a_program_that_died_between_calls_is_started_again(call: Call):
    """Nobody notices but the pid."""
    config = Mcp(command="own")
    first = await call(config, "who_are_you")
    process = psutil.Process(first["pid"])
    process.kill()
    process.wait(10)

    assert first["pid"] != (await call(config, "who_are_you"))["pid"]


async def test_a_program_ends_with_its_session(call: Call, pool: Pool):
    """No process is left behind."""
    pid = (await call(Mcp(command="own"), "who_are_you"))["pid"]
    await pool.close()

    assert not psutil.pid_exists(pid)


async def test_a_greeting_is_forgiven(call: Call):
    """Many programs print one; a program that goes on chattering is given up on."""
    assert {"sum": 2} == await call(Mcp(command="polite"), "add", a=1)
    code, _, told = await failure(call, Mcp(command="polite"), "chatter")
    assert "mcp_garbage" == code
    assert "this is no message" in told


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("none", "mcp_unreachable"),
        ("false", "mcp_server_died"),
        ("lies", "mcp_server_died"),
        ("yes", "mcp_garbage"),
        ("other", "mcp_command_not_allowed"),
    ],
)
async def test_a_program_that_is_no_server(call: Call, command: str, expected: str):
    """One sentence says what is wrong; nothing is left running."""
    code, _, told = await failure(call, Mcp(command=command), "add")

    assert expected == code
    assert told.endswith((".", "'"))
    assert [] == psutil.Process().children()


async def test_only_listed_programs_are_started(call: Call, pool: Pool):
    """Without the setting none is; the sentence says how one is allowed."""
    none = Pool(Settings())
    with pytest.raises(McpFailed, match="CANVAS_MCP_COMMANDS"):
        await none.call("it", Mcp(command="own"), "add", {}, print)


# addresses


async def test_a_token_opens_an_address(call: Call):
    """And a wrong one is told as that, without the token itself."""
    with serving_mcp(token="open sesame") as server:
        assert {"sum": 2} == await call(Mcp(url=server.url, bearer=SecretStr("open sesame")), "add", a=1)
        secret = SecretStr("Bearer open sesame")
        assert {"sum": 2} == await call(Mcp(url=server.url, headers={"Authorization": secret}), "add", a=1)
        code, retryable, told = await failure(call, Mcp(url=server.url, bearer=SecretStr("guess")), "add", a=1)
    assert ("mcp_refused", False) == (code, retryable)
    assert "answered 401" in told
    assert "guess" not in told


async def test_a_token_that_ends_while_the_session_is_open(call: Call, http: HttpServer):
    """Each call says so until the connection is changed."""
    config = Mcp(url=http.url, bearer=SecretStr("old"))
    await call(config, "add", a=1)
    http.token = "new"

    assert "mcp_refused" == (await failure(call, config, "add", a=1))[0]
    assert {"sum": 2} == await call(Mcp(url=http.url, bearer=SecretStr("new")), "add", a=1)


async def test_a_server_that_was_restarted_is_found_again(call: Call, http: HttpServer):
    """It knows the session no more, so nothing was done: the call is made in a new one."""
    config = Mcp(url=http.url)
    await call(config, "add", a=1)
    await asyncio.to_thread(http.stop)
    assert ("mcp_unreachable", True) == (await failure(call, config, "add", a=1))[:2]
    await asyncio.to_thread(http.start)

    assert {"sum": 2} == await call(config, "add", a=1)


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [(503, "mcp_unreachable", True), (500, "mcp_unreachable", False), (403, "mcp_refused", False)],
)
async def test_a_status_is_told(call: Call, http: HttpServer, status: int, code: str, retryable: bool):
    """Busy is worth another try, a defect is not when nobody knows what was done, a refusal never."""
    config = Mcp(url=http.url)
    await call(config, "add", a=1)
    http.status = status

    assert (code, retryable) == (await failure(call, config, "add", a=1))[:2]
    http.status = 0
    assert {"sum": 2} == await call(config, "add", a=1)


async def test_a_server_that_cannot_say_what_it_has(call: Call, http: HttpServer):
    """A tool that is not known is asked for once more, and that question may fail as any call."""
    config = Mcp(url=http.url)
    await call(config, "add", a=1)
    http.status = 503

    assert ("mcp_unreachable", True) == (await failure(call, config, "new_one"))[:2]


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
@pytest.mark.parametrize(("tool", "retryable"), [("report", False), ("probe", True)])
async def test_a_server_that_breaks_off_in_an_answer(
    call: Call, http: HttpServer, kind: str, tool: str, retryable: bool
):
    """Nobody knows what was done, so only what does no harm twice is tried again; the next call works."""
    config = Mcp(url=http.url)
    await call(config, "add", a=1)
    http.breaks_off = kind
    assert ("mcp_server_died", retryable) == (await failure(call, config, tool))[:2]
    http.breaks_off = ""

    assert {"sum": 2} == await call(config, "add", a=1)


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
async def test_an_address_that_is_no_server(call: Call, http: HttpServer, kind: str):
    """A page, or JSON of another kind, is told as that."""
    http.page = kind
    code, retryable, told = await failure(call, Mcp(url=http.url), "add", a=1)

    assert ("mcp_garbage", False) == (code, retryable)
    assert http.url in told


async def test_a_version_nobody_speaks(call: Call):
    """Told with the version; trying again would not help."""
    config = Mcp(command="future")
    code, retryable, told = await failure(call, config, "add")

    assert ("mcp_protocol_version", False) == (code, retryable)
    assert "2099-01-01" in told


async def test_what_asks_back_cannot_be_answered(call: Call, config: Mcp):
    """A step has nobody to ask; older versions of the protocol call it an error."""
    assert (await failure(call, config, "ask_back"))[0] in ("mcp_input_wanted", "mcp_failed", "mcp_garbage")


async def test_new_tools_are_found_without_a_new_session(call: Call, pool: Pool):
    """The server tells that it has more now, or the call asks once more."""
    config = Mcp(command="own")
    assert "unknown_tool" == (await failure(call, config, "grown"))[0]
    await call(config, "grow")

    assert {"done": "grown"} == await call(config, "grown")


# the sessions that are kept


@pytest.mark.parametrize(("times", "expected"), [(1, {"sum": 2}), (2, "mcp_session_lost")])
async def test_a_session_that_the_server_forgot(call: Call, http: HttpServer, monkeypatch, times: int, expected: Any):
    """Nothing was done yet, so the call is made in a new one, once."""
    config, lost, send = Mcp(url=http.url), [SessionLost()] * times, Link._send

    async def forgotten(self: Link, *arguments: Any) -> Any:
        if lost:
            raise lost.pop()
        return await send(self, *arguments)

    monkeypatch.setattr(Link, "_send", forgotten)
    answer = await call(config, "add", a=1) if times == 1 else (await failure(call, config, "add", a=1))[0]

    assert expected == answer


async def test_another_configuration_is_another_session(call: Call, pool: Pool):
    """A connection that was changed is never called with what it held before."""
    first = await call(Mcp(command="own"), "who_are_you")
    second = await call(Mcp(command="own", timeout_seconds=500), "who_are_you")

    assert first["pid"] != second["pid"]
    assert 1 == pool.open_count


async def test_an_idle_session_is_closed():
    """Its program ends; the next call starts another."""
    pool = Pool(SETTINGS, idle_seconds=0.2)
    pid = (await pool.call("it", Mcp(command="own"), "who_are_you", {}, print))["pid"]
    async with asyncio.timeout(20):
        while psutil.pid_exists(pid):
            await asyncio.sleep(0.05)
    assert 0 == pool.open_count
    assert pid != (await pool.call("it", Mcp(command="own"), "who_are_you", {}, print))["pid"]
    await pool.close()


async def test_there_are_never_too_many():
    """The one that was not used for longest goes; when all are at work, the call is to be tried again."""
    pool = Pool(SETTINGS, max_open=2)
    config = Mcp(command="own")
    pids = {name: (await pool.call(name, config, "who_are_you", {}, print))["pid"] for name in ("a", "b", "a", "c")}
    assert pids["a"] == (await pool.call("a", config, "who_are_you", {}, print))["pid"]
    assert 2 == pool.open_count

    busy = [asyncio.ensure_future(pool.call(name, config, "hang", {}, print)) for name in ("a", "c")]
    await asyncio.sleep(0)
    with pytest.raises(McpFailed) as caught:
        await pool.call("d", config, "add", {"a": 1}, print)
    assert caught.value.retryable
    await pool.close()
    ends = await asyncio.gather(*busy, return_exceptions=True)
    assert {"mcp_server_died"} == {end.code for end in ends}


async def test_a_call_that_is_cancelled_leaves_the_session_alone(call: Call):
    """The server is told to stop; the next call has the same program."""
    config = Mcp(command="own")
    first = await call(config, "who_are_you")
    running = asyncio.ensure_future(call(config, "hang"))
    await asyncio.wait({running}, timeout=0.2)
    running.cancel()
    await asyncio.wait({running})

    assert first["pid"] == (await call(config, "who_are_you"))["pid"]
