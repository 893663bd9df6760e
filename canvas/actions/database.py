"""Asking and changing databases."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, Field, SecretStr, field_validator

from canvas.actions.connections import Config, connection_field, connection_kind
from canvas.actions.context import ActionContext, Outside
from canvas.actions.registry import Arguments, action
from canvas.actions.sql.limits import CONNECT_SECONDS, DatabaseFailed, Limit
from canvas.domain.states import ActionPermission

if TYPE_CHECKING:
    from sqlalchemy import URL

    from canvas.actions.sql.statement import Rows

MAX_AT_ONCE = 16
"Statements that run at the same time in one process."
Found = TypeVar("Found")


class Database(Config):
    """An SQLite file or a PostgreSQL database that workflows may use."""

    url: str = Field(
        min_length=1,
        max_length=2_000,
        title="Address",
        description="Without the password: postgresql://user@host:5432/database, or sqlite:////path/to/file. The file "
        "has to be there.",
    )
    password: SecretStr | None = Field(default=None, description="The password of the address's user.")
    read_only: bool = Field(
        default=False, description="Workflows can only read here; the database itself refuses changes."
    )

    @field_validator("url")
    @classmethod
    def _can_be_read(cls, url: str) -> str:
        from canvas.actions.sql.engines import read_url

        try:
            read_url(url, None)
        except DatabaseFailed as error:
            raise ValueError(str(error)) from None
        return url


@connection_kind(
    "database",
    title="Database",
    icon="database",
    example={"url": "postgresql://reporting@db.example.com/sales", "read_only": True},
)
async def check(config: Database, outside: Outside) -> str:
    """Connect and ask for the version."""
    from canvas.actions.sql.engines import make_engine
    from canvas.actions.sql.statement import Statement, execute

    url = _address(config, outside)
    version = "version()" if url.drivername.startswith("postgresql") else "'SQLite ' || sqlite_version()"

    def ask(limit: Limit) -> "Rows":
        engine = make_engine(url, read_only=True)
        try:
            return execute(engine, Statement(f"SELECT {version} AS version", {}, True, 1), limit)
        finally:
            engine.dispose()

    found = await _in_thread(ask, CONNECT_SECONDS)
    return f"Connected to {str(found.rows[0]['version']).partition(' on ')[0]}."


class Execute(Arguments):
    """One statement for a database."""

    connection: str = connection_field("database", description="The database.")
    statement: str = Field(
        min_length=1,
        max_length=100_000,
        title="SQL statement",
        description="One statement, with `:name` where a value goes, for example UPDATE orders SET state = :state "
        "WHERE id = :id. Values never stand in the statement itself, so it takes no {{ … }}.",
        json_schema_extra={"x-widget": "code", "x-literal": True},
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="The values, by name. A list fits behind IN, as in id IN :ids; an object becomes JSON text.",
    )
    read_only: bool = Field(
        default=False, description="The database refuses changes; such a step may be repeated without harm."
    )
    max_rows: int = Field(default=1_000, ge=1, le=100_000, description="Further rows are left out.")
    timeout_seconds: float = Field(
        default=30, gt=0, le=3_600, description="The database stops the statement after that long."
    )


class Executed(BaseModel):
    """What came of it."""

    rows: list[dict[str, Any]] = Field(
        description="The rows given, as objects. Dates are ISO 8601 text, bytes base64 text, exact numbers that would "
        "lose digits text."
    )
    columns: list[str] = Field(description="The columns' names, in order.")
    row_count: int = Field(description="How many rows were given, or changed when none are given.")
    is_truncated: bool = Field(description="Whether there were more rows than max_rows.")
    elapsed_ms: float = Field(description="How long it took, in milliseconds.")


@action(
    "database/execute",
    title="Run SQL",
    category="Data",
    icon="database",
    idempotent=False,
    repeatable=lambda args: args.read_only,
    permissions=(ActionPermission.NETWORK, ActionPermission.CONNECTION),
    security="Values are bound, never pasted into the statement. Give the connection a database user with no more "
    "rights than its workflows need; with read-only, the database itself refuses changes. Canvas's own database is "
    "refused.",
    aliases=("UPDATE_DATABASE", "sql", "query"),
    example=Execute(
        connection="sales",
        statement="UPDATE orders SET state = :state WHERE id = :id RETURNING id, state",
        parameters={"state": "paid", "id": 7},
    ),
    example_result=Executed(
        rows=[{"id": 7, "state": "paid"}], columns=["id", "state"], row_count=1, is_truncated=False, elapsed_ms=3.2
    ),
)
async def run_sql(args: Execute, context: ActionContext) -> Executed:
    """Carry out one SQL statement and give its rows, or how many it changed.

    All of it happens or nothing: it is committed at the end and undone on any failure, also when its time is up or the
    run is cancelled. At most 10 MB of rows.
    """
    from canvas.actions.sql.engines import engine_of
    from canvas.actions.sql.statement import Statement, execute

    config = await context.connection(args.connection, Database)
    url = _address(config, context)
    read_only = args.read_only or config.read_only
    statement = Statement(args.statement, args.parameters, read_only, args.max_rows)
    started = time.monotonic()

    def work(limit: Limit) -> "Rows":
        return execute(engine_of(args.connection, url, read_only=read_only), statement, limit)

    found = await _in_thread(work, args.timeout_seconds)
    return Executed(
        rows=found.rows,
        columns=found.columns,
        row_count=found.count,
        is_truncated=found.is_truncated,
        elapsed_ms=round((time.monotonic() - started) * 1000, 3),
    )


def _address(config: Database, outside: Outside) -> "URL":
    from canvas.actions.sql.engines import expect_foreign, read_url

    url = read_url(config.url, config.password.get_secret_value() if config.password else None)
    expect_foreign(url, outside.settings)
    return url


async def _in_thread(work: Callable[[Limit], Found], seconds: float) -> Found:
    """Do blocking work with a time limit; cancelled, it is stopped and seen out first."""
    limit = Limit(seconds)
    running = asyncio.get_running_loop().run_in_executor(_threads(), work, limit)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.to_thread(limit.stop)
        with suppress(DatabaseFailed):
            await running
        raise


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_AT_ONCE, thread_name_prefix="canvas-database")
