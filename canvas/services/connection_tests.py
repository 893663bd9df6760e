"""Testing connections: really reaching what they lead to, outside of any transaction."""

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from canvas.actions.connections import InvalidConnection, OpenedConnection
from canvas.actions.context import Outside
from canvas.actions.failures import ActionFailed
from canvas.actions.guard import guarded_client
from canvas.actions.masked_logs import keep_out_of_logs
from canvas.actions.masking import Masker, masker_for
from canvas.actions.mcp.tools import Listing, Tool
from canvas.db import reading, transaction
from canvas.domain.errors import UserError
from canvas.services import mcp_tools
from canvas.services.connections import OpenForTest, find_connection, open_for_test, record_test
from canvas.settings import Settings
from canvas.vault import Vault

MAX_SECONDS: Final = 30.0
MAX_MESSAGE: Final = 1_000
REFRESH_AFTER: Final = timedelta(hours=1)
"Tools of an MCP server that were listed longer ago are listed anew."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How a test came out."""

    passed: bool
    message: str
    "What people should know, without secrets."
    code: str
    "`ok`, or that of the failure."
    tested_at: datetime


def check_connection(settings: Settings, name: str) -> CheckResult:
    """Run a connection's test and remember how it came out. Takes up to half a minute; holds no transaction.

    Raises:
        ConnectionNotFound: there is no such connection.
        UnknownConnectionKind: nobody registered its kind any more.
        ConnectionLocked: its secrets cannot be opened.
    """
    with reading(settings) as session:
        seen = find_connection(session, name).updated_at
        opened = open_for_test(session, name, vault=Vault(settings))
    secrets = OpenedConnection(name, opened.kind.name, opened.values).secrets
    keep_out_of_logs(secrets)
    found: dict[str, Any] = {}
    masker = masker_for(secrets)
    result = asyncio.run(_check(settings, opened, masker, found))
    with transaction(settings) as session:
        is_current = record_test(
            session, name, seen=seen, passed=result.passed, message=result.message, now=result.tested_at
        )
        if is_current and "listing" in found:
            mcp_tools.keep_tools(session, name, _masked(found["listing"], masker), now=result.tested_at)
    return result


def refresh_outdated(settings: Settings, *, after: timedelta = REFRESH_AFTER) -> int:
    """Test the connections to MCP servers whose tools have not been listed for that long; gives how many were."""
    with reading(settings) as session:
        names = mcp_tools.outdated_servers(session, now=datetime.now(UTC), after=after)
    for name in names:
        try:
            check_connection(settings, name)
        except UserError as error:  # it went away, or its key is not here
            _log.warning("The tools of %s cannot be listed: %s", name, error)
    return len(names)


async def _check(settings: Settings, opened: OpenForTest, masker: Masker, found: dict[str, Any]) -> CheckResult:
    try:
        config = opened.kind.read(opened.values)
        async with asyncio.timeout(MAX_SECONDS), guarded_client(settings) as client:
            told = await opened.kind.check(config, Outside(http=client, settings=settings, found=found))
        return _result("ok", told, masker)
    except (ActionFailed, InvalidConnection) as error:
        return _result(error.code, error, masker)
    except TimeoutError:
        return _result("timeout", f"There was no answer within {MAX_SECONDS:g} seconds.", masker)
    except (httpx.HTTPError, OSError) as error:
        return _result("unreachable", f"It cannot be reached: {error or type(error).__name__}.", masker)
    except Exception as error:
        _log.exception("The test of a connection of kind %s raised an error of its own.", opened.kind.name)
        return _result("check_error", f"{type(error).__name__}: {error}", masker)


def _masked(listing: Listing, masker: Masker) -> Listing:
    """Take secrets out of what a server says about itself; a tool whose name shows one is left out."""
    fields = [{name: getattr(tool, name) for name in Tool.__slots__} for tool in listing.tools]
    tools = [Tool(**masker.value(each)) for each in fields if masker.text(each["name"]) == each["name"]]
    left_out = listing.left_out + len(listing.tools) - len(tools)
    return replace(listing, server=masker.text(listing.server), tools=tuple(tools), left_out=left_out)


def _result(code: str, told: Any, masker: Masker) -> CheckResult:
    return CheckResult(code == "ok", masker.text(str(told))[:MAX_MESSAGE], code, datetime.now(UTC))
