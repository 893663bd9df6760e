"""Tools of MCP servers are kept with their connection, and known to the catalogue, the validator and the API."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from canvas.actions import connections as kinds
from canvas.actions.connections import connection_kinds
from canvas.actions.mcp.tools import Listing, Tool, read_tool
from canvas.db import reading, transaction
from canvas.services import catalog, connection_tests, connections, mcp_tools, workflows
from canvas.services.connection_uses import workflow_needs
from canvas.settings import Settings
from canvas.vault import Vault
from models import McpServer, McpTool
from tests.mcp_server import serving_mcp

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
ADD = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


def tool(name: str, schema: object = None) -> Tool:
    return read_tool(name, "", "", (schema or {"type": "object"}, None), {})


def listing(*tools: Tool) -> Listing:
    return Listing(server="Box 1", protocol_version="2025-11-25", tools=tools)


@pytest.fixture
def box(session: Session, settings: Settings) -> Session:
    """A connection `box` with the tools `add` and `do-it`, and a connection `bag` with `add`."""
    for name in ("box", "bag"):
        values = {"url": "http://127.0.0.1:9/mcp"}
        connections.create_connection(session, name, kind="mcp", config=values, vault=Vault(settings))
    mcp_tools.keep_tools(session, "box", listing(tool("add", ADD), tool("do-it")), now=NOON)
    mcp_tools.keep_tools(session, "bag", listing(tool("add", ADD)), now=NOON)
    return session


def problems(session: Session, action: str, parameters: str = "{}") -> list[tuple[str, str]]:
    step = f"{{name: it, type: action, action: {action}, parameters: {parameters}}}"
    text = f"{{dsl: canvas/v1, name: x, steps: [{step}]}}"
    result = workflows.import_workflow(session, text, if_exists="update")
    return [(problem.code, problem.severity) for problem in result.problems]


def test_tools_are_in_the_catalogue(box: Session):
    """Under their connection's name; by their alias only while that means one of them."""
    known = catalog.catalog(box)

    tools = {name for name in known.actions if name.startswith("mcp.")}

    assert {"mcp.box/add", "mcp.box/do-it", "mcp.bag/add"} == tools
    assert {"tool/add": ("mcp.bag/add", "mcp.box/add"), "tool/do_it": ("mcp.box/do-it",)} == known.tools
    assert ADD == catalog.action_spec(box, "mcp.box/add").arguments_schema


def test_a_new_listing_takes_the_place_of_the_old(box: Session):
    """Also in the catalogue of a process that knew the old one."""
    catalog.catalog(box)
    mcp_tools.keep_tools(box, "box", listing(tool("subtract")), now=NOON + timedelta(seconds=1))

    assert ["mcp.bag/add", "mcp.box/subtract"] == sorted(mcp_tools.tool_specs(box))


def test_tools_go_with_their_connection(box: Session):
    """No row stays behind."""
    connections.delete_connection(box, "box")

    assert ["mcp.bag/add"] == list(mcp_tools.tool_specs(box))
    assert (1, 1) == (len(box.exec(select(McpTool)).all()), len(box.exec(select(McpServer)).all()))


@pytest.mark.parametrize(
    ("action", "parameters", "expected"),
    [
        ("mcp.box/add", "{a: 1}", []),
        ("mcp.box/add", "{a: one}", [("bad_parameter", "error")]),
        ("mcp.box/add", "{}", [("missing_parameter", "error")]),
        ("mcp.box/add", "{a: 1, b: 2}", [("unknown_parameter", "error")]),
        ("tool/do_it", "{}", []),
        ("tool/add", "{a: 1}", [("ambiguous_tool", "warning")]),
        ("tool/sing", "{}", [("unknown_tool", "warning")]),
        ("mcp.box/ad", "{}", [("unknown_tool", "warning")]),
        ("mcp.nowhere/add", "{}", [("unknown_tool", "warning")]),
        ("tools/add", "{}", [("unknown_action", "error")]),
    ],
)
def test_steps_are_checked_against_tools(box: Session, action, parameters, expected):
    """As against any action; a tool that is not known is worth a warning, since servers come and go."""
    assert expected == problems(box, action, parameters)


def test_a_workflow_names_the_server_it_needs(box: Session):
    """By its tool's name."""
    problems(box, "mcp.box/add", "{a: 1}")
    (need,) = workflow_needs(box, "x")

    assert ("box", "mcp", ("it",), False) == (need.name, need.kind, need.steps, need.missing)


def test_testing_a_connection_lists_its_tools(database: Settings):
    """The sentence says how many; a test that fails leaves those that are known."""
    with serving_mcp() as server:
        with_connection(database, server.url)
        passed = connection_tests.check_connection(database, "box")
        server.status = 503
        failed = connection_tests.check_connection(database, "box")
        server.status = 0

    assert (True, "Test tools 1.2 offers 25 tools (protocol 2026-07-28).") == (passed.passed, passed.message)
    assert (False, "mcp_unreachable") == (failed.passed, failed.code)
    (row,) = rows(database)
    assert ("Test tools 1.2", 25, "mcp.box/add") == (row.server, len(row.tools), row.tools[0])


def test_tools_that_were_listed_long_ago_are_listed_anew(database: Settings):
    """And those of a connection that was changed, or never tested; a server that is down is not asked all the time."""
    with serving_mcp() as server:
        with_connection(database, server.url)
        refreshed = [connection_tests.refresh_outdated(database) for _ in range(2)]
        server.status = 503
        late = connection_tests.refresh_outdated(database, after=timedelta(0))
        again = connection_tests.refresh_outdated(database)

    assert ([1, 0], 1, 0) == (refreshed, late, again)
    assert 25 == len(rows(database)[0].tools)


def with_connection(settings: Settings, url: str) -> None:
    with transaction(settings) as session:
        connections.create_connection(session, "box", kind="mcp", config={"url": url}, vault=Vault(settings))


def rows(settings: Settings) -> list[mcp_tools.ServerRow]:
    with reading(settings) as session:
        return mcp_tools.server_rows(session)


def test_what_a_server_says_about_itself_shows_no_secret(database: Settings, monkeypatch):
    """A server that puts its token into a tool's description, schema or name gets it kept nowhere."""
    token = "s3cr3t-token-of-the-server"

    async def check(config, outside) -> str:
        tools = (tool("find", {"type": "object", "title": token, "properties": {}}), tool(token))
        outside.found["listing"] = Listing(server=token, protocol_version="1", tools=tools)
        return "It lists its tools."

    kind = replace(connection_kinds()["mcp"], check=check)
    monkeypatch.setitem(kinds._kinds, "mcp", kind)
    with transaction(database) as session:
        config = {"url": "http://127.0.0.1:9/mcp", "bearer": token}
        connections.create_connection(session, "box", kind="mcp", config=config, vault=Vault(database))

    assert connection_tests.check_connection(database, "box").passed
    with reading(database) as session:
        specs = mcp_tools.tool_specs(session)
        kept = str([session.exec(select(table)).all() for table in (McpTool, McpServer)])
    assert ["mcp.box/find"] == list(specs)
    assert token not in kept + str(specs)
