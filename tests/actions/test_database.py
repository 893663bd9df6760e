"""`database/execute` on SQLite and on a real PostgreSQL: values are bound, limits hold, all or nothing."""

import asyncio
import re
import sqlite3
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from canvas.actions.connections import WrongConnectionKind, connection_kinds
from canvas.actions.database import Database
from canvas.actions.failures import ActionFailed
from canvas.actions.registry import registry
from canvas.actions.sql import engines as sql_engines
from canvas.actions.sql import statement as sql_statement
from canvas.actions.sql.engines import dispose_engines
from canvas.actions.sql.limits import DatabaseFailed
from tests.postgres import cluster
from tests.serving import wait_for


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A PostgreSQL server's address; where its user needs a password, the driver finds it in the environment."""
    with cluster() as given, pytest.MonkeyPatch.context() as patch:
        url = sa.make_url(given)
        if url.password is not None:
            patch.setenv("PGPASSWORD", str(url.password))
        yield str(sa.URL.create(url.drivername, url.username, None, url.host, url.port, url.database))


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    dispose_engines()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path: Path) -> Iterator[Database]:
    """A database with a table of three people, once of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "people.db"
        sqlite3.connect(path).close()
        found = Database(url=f"sqlite:///{path}")
    else:
        found = Database(url=request.getfixturevalue("server"))
    with open_directly(found) as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS people")
        connection.exec_driver_sql("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER)")
        connection.exec_driver_sql("INSERT INTO people VALUES (1, 'Ada', 36), (2, 'Bob', NULL), (3, 'Cy', 20)")
    yield found
    dispose_engines()
    with open_directly(found) as connection:
        connection.exec_driver_sql("DROP TABLE people")


def open_directly(database: Database):
    return sa.create_engine(database.url, poolclass=sa.NullPool).begin()


def names_in(database: Database) -> list[str]:
    with open_directly(database) as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT name FROM people ORDER BY id")]


@pytest.fixture
def run(make_context, database: Database, tmp_path: Path):
    """Execute a statement on it."""

    async def run(statement: str, **given):
        config = database.model_copy(update=given.pop("config", {}))
        context = make_context({"people": config}, data_dir=tmp_path / "data")
        arguments = {"connection": "people", "statement": statement, **given}
        return await registry()["database/execute"].call(arguments, context)

    return run


async def test_rows_come_as_objects(run):
    """With the columns in order, and how many there are."""
    result = await run("SELECT name, age FROM people WHERE id < :id ORDER BY id", parameters={"id": 3})

    assert [{"name": "Ada", "age": 36}, {"name": "Bob", "age": None}] == result["rows"]
    assert (["name", "age"], 2, False) == (result["columns"], result["row_count"], result["is_truncated"])


async def test_changes_are_counted_and_kept(run, database):
    """How many rows were changed, and with RETURNING which."""
    assert 2 == (await run("UPDATE people SET age = :age WHERE id > 1", parameters={"age": 1}))["row_count"]
    inserted = await run("INSERT INTO people VALUES (4, :name, 5) RETURNING id, name", parameters={"name": "Di"})

    assert [{"id": 4, "name": "Di"}] == inserted["rows"]
    assert ["Ada", "Bob", "Cy", "Di"] == names_in(database)
    assert 0 == (await run("CREATE TABLE IF NOT EXISTS people (id INTEGER)"))["row_count"]


async def test_a_list_fits_behind_in(run):
    """Also an empty one."""
    for ids, expected in [([1, 3], 2), ([], 0)]:
        assert expected == (await run("SELECT id FROM people WHERE id IN :ids", parameters={"ids": ids}))["row_count"]


@pytest.mark.parametrize(
    "hostile", ["'; DROP TABLE people; --", "x' OR '1'='1", ":id", "%s %(a)s %%", "\\", '"', "{{ secrets }}", "é\u2028"]
)
async def test_values_are_never_read_as_sql(run, database, hostile):
    """Whatever stands in a parameter is found again as it was put in, and is nothing but a value."""
    await run("INSERT INTO people VALUES (9, :name, 1)", parameters={"name": hostile})

    assert [{"name": hostile}] == (await run("SELECT name FROM people WHERE name = :it", parameters={"it": hostile}))[
        "rows"
    ]
    assert ["Ada", "Bob", "Cy", hostile] == names_in(database)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    number=st.integers(-(2**31), 2**31 - 1),
)
async def test_any_value_comes_back(run, text, number):
    """For any text and number, and nothing else in the table is touched."""
    result = await run(
        "SELECT CAST(:text AS TEXT) AS text, CAST(:number AS INTEGER) AS number, (SELECT count(*) FROM people) AS n",
        parameters={"text": text, "number": number},
    )

    assert [{"text": text, "number": number, "n": 3}] == result["rows"]


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("SELECT 1; DELETE FROM people", {}),
        ("SELECT :a; DELETE FROM people", {"a": 1}),
        ("DELETE FROM people; SELECT 1", {}),
        ("UPDATE people SET age = :a; DELETE FROM people", {"a": 1}),
        ("SELECT 1; DROP TABLE people", {}),
        ("VALUES (1); TRUNCATE people", {}),
    ],
)
async def test_several_statements_are_refused(run, database, statement, parameters):
    """One step, one statement: nothing behind a semicolon happens, with or without values to bind."""
    with pytest.raises(DatabaseFailed) as caught:
        await run(statement, parameters=parameters)

    assert not caught.value.retryable
    assert ["Ada", "Bob", "Cy"] == names_in(database)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [({}, "names :id, and there is no such parameter"), ({"id": 1, "b": 2}, "parameter b is not named")],
)
async def test_parameters_and_names_fit_together(run, parameters, told):
    """A missing and a superfluous value are told by name before anything is sent."""
    with pytest.raises(DatabaseFailed, match=told):
        await run("SELECT * FROM people WHERE id = :id", parameters=parameters)


CHANGES = [
    "UPDATE people SET age = 1",
    "INSERT INTO people VALUES (9, 'x', 1)",
    "DELETE FROM people",
    "DROP TABLE people",
    "CREATE TABLE more (id INTEGER)",
    "WITH gone AS (SELECT 1) DELETE FROM people WHERE id = 1 RETURNING id",
]


@pytest.mark.parametrize("given", [{"read_only": True}, {"config": {"read_only": True}}], ids=["step", "connection"])
@pytest.mark.parametrize("statement", CHANGES)
async def test_read_only_is_the_databases_own(run, database, statement, given):
    """A step or a connection that only reads cannot change anything, however the statement looks."""
    with pytest.raises(DatabaseFailed, match=r"read-only|readonly"):
        await run(statement, **given)

    assert ["Ada", "Bob", "Cy"] == names_in(database)
    assert 3 == (await run("SELECT * FROM people", **given))["row_count"]


async def test_read_only_cannot_be_lifted(run, database):
    """Neither for the statement itself nor for the next one on the same connection."""
    lifting = [
        "PRAGMA query_only = 0", "SET TRANSACTION READ WRITE", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "SELECT set_config('transaction_read_only', 'off', false)", "SET default_transaction_read_only = off",
        "COMMIT", "ROLLBACK", "BEGIN", "SET statement_timeout = 0",
    ]  # fmt: skip
    for statement in lifting:
        for _ in range(2):
            try:
                await run(statement, read_only=True)
            except DatabaseFailed:
                continue
        with pytest.raises(DatabaseFailed, match=r"read-only|readonly"):
            await run("DELETE FROM people", read_only=True)

    assert ["Ada", "Bob", "Cy"] == names_in(database)


async def test_a_failure_changes_nothing(run, database):
    """A statement that breaks a constraint at its third row has not changed the first two."""
    with pytest.raises(DatabaseFailed, match=r"(?i)not null|null value") as caught:
        await run("UPDATE people SET name = CASE WHEN id = 3 THEN NULL ELSE 'x' END")

    assert not caught.value.retryable
    assert ["Ada", "Bob", "Cy"] == names_in(database)


@pytest.mark.parametrize("statement", ["SELECT '100%' AS it", "SELECT '100%' AS it;", "SELECT :it AS it"])
async def test_percent_signs_and_semicolons_are_just_text(run, statement):
    """What a driver might take for a mark of its own reaches the database as it was written."""
    result = await run(statement, parameters={"it": "100%"} if ":it" in statement else {})

    assert [{"it": "100%"}] == result["rows"]
    assert 1 == (await run("SELECT id FROM people WHERE name LIKE 'A%' AND id < :n", parameters={"n": 9}))["row_count"]


async def test_a_connection_survives_what_is_done_with_it(make_context, server):
    """Whatever came before on the same connection, failed or cut off or broken, the next statement works."""
    context = make_context({"db": Database(url=server)})
    before = {
        "SELECT nope": "does not exist",
        "SELECT 1 / (3 - i) FROM generate_series(1, 1000) AS i": "division by zero",
        "SELECT generate_series(1, 100000)": "",
        "SELECT 1; SELECT 2": "multiple commands",
        "CREATE TEMPORARY TABLE nowhere.t (i int)": "does not exist|temporary",
        "SELECT pg_terminate_backend(pg_backend_pid())": "refused",
    }
    for statement, told in [*before.items()] * 3:
        try:
            await registry()["database/execute"].call(
                {"connection": "db", "statement": statement, "max_rows": 5}, context
            )
        except DatabaseFailed as error:
            assert told
            assert re.search(told, str(error))
            assert ("terminate" in statement) == error.retryable
        arguments = {"connection": "db", "statement": "SELECT i FROM generate_series(1, 3) AS i"}
        assert 3 == (await registry()["database/execute"].call(arguments, context))["row_count"]


async def test_rows_are_bounded(run, monkeypatch):
    """More rows than asked for are left out and said to be; more bytes than one step may hold end it."""
    result = await run("SELECT id FROM people ORDER BY id", max_rows=2)
    assert ([1, 2], True) == ([row["id"] for row in result["rows"]], result["is_truncated"])
    assert not (await run("SELECT id FROM people ORDER BY id", max_rows=3))["is_truncated"]

    monkeypatch.setattr(sql_statement, "MAX_RESULT_BYTES", 30)
    with pytest.raises(DatabaseFailed, match="The rows have more than"):
        await run("SELECT id, name FROM people")


ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(600)",
}


def endless(database: Database) -> str:
    return ENDLESS[database.url.partition(":")[0].partition("+")[0]]


async def test_the_time_limit_is_the_databases_own(run, database):
    """The statement is stopped where it runs, and the connection can be used again."""
    with pytest.raises(DatabaseFailed, match=r"longer than 0\.3 s and was stopped") as caught:
        await run(endless(database), timeout_seconds=0.3)

    assert caught.value.retryable
    assert 3 == (await run("SELECT * FROM people"))["row_count"]


async def test_an_endless_result_is_cut_while_it_flows(run):
    """Rows that keep coming are neither kept in memory nor waited for."""
    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"

    result = await run(series, max_rows=5, timeout_seconds=60)

    assert ([1, 2, 3, 4, 5], True) == ([row["i"] for row in result["rows"]], result["is_truncated"])


async def test_cancelling_stops_the_statement(run, database):
    """A cancelled attempt leaves nothing running in the database, and the work of its statement is undone."""
    attempt = asyncio.create_task(run(endless(database), timeout_seconds=600))
    await asyncio.to_thread(wait_for, lambda: any(map(is_busy, threading.enumerate())))

    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt

    assert not any(map(is_busy, threading.enumerate()))
    if database.url.startswith("postgresql"):
        await asyncio.to_thread(wait_for, lambda: not sleeping(database))


def sleeping(database: Database) -> int:
    with open_directly(database) as connection:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'canvas' AND state = 'active'"
        return int(connection.exec_driver_sql(asked).scalar_one())


def is_busy(thread: threading.Thread) -> bool:
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and any(entry.name == "_carried_out" for entry in traceback.extract_stack(frame))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("DATE '2026-05-31'", "2026-05-31"),
        ("TIMESTAMPTZ '2026-05-31 22:00:00+00'", "2026-05-31T22:00:00+00:00"),
        ("TIME '22:00'", "22:00:00"),
        ("INTERVAL '90 seconds'", 90.0),
        ("NUMERIC '12.50'", 12.5),
        ("NUMERIC '12'", 12),
        ("NUMERIC '12345678901234567890.123456789'", "12345678901234567890.123456789"),
        ("12345678901234567890", "12345678901234567890"),
        ("9223372036854775807", 9223372036854775807),
        ("'NaN'::float8", "NaN"),
        ("'\\x00ff'::bytea", "AP8="),
        ("'{\"a\": [1, 2.5]}'::jsonb", {"a": [1, 2.5]}),
        ("ARRAY[1, 2]", [1, 2]),
        ("'6b1b3c0e-8a61-4c32-a2ab-4f4d2d4f0a11'::uuid", "6b1b3c0e-8a61-4c32-a2ab-4f4d2d4f0a11"),
        ("'10.0.0.0/8'::cidr", "10.0.0.0/8"),
        ("true", True),
        ("NULL::int", None),
    ],
)
async def test_every_kind_of_value_has_a_json_form(make_context, server, expression, expected):
    """Nothing is lost, and numbers stay numbers where they can."""
    context = make_context({"db": Database(url=server)})
    result = await registry()["database/execute"].call(
        {"connection": "db", "statement": f"SELECT {expression.replace(':', chr(92) + ':')} AS it"}, context
    )

    assert [{"it": expected}] == result["rows"]


async def test_columns_of_one_name_are_told_apart(run):
    """The second one gets a number."""
    assert ["id", "id_2"] == (await run("SELECT a.id, b.id FROM people a, people b"))["columns"]


async def test_canvas_own_database_is_refused(make_context, tmp_path):
    """By whatever path or spelling it is named."""
    own = tmp_path / "data" / "canvas.db"
    own.parent.mkdir()
    sqlite3.connect(own).close()
    (tmp_path / "link.db").symlink_to(own)
    for path in (own, tmp_path / "link.db", f"{tmp_path}/data/../data/canvas.db"):
        context = make_context({"db": Database(url=f"sqlite:///{path}")}, data_dir=own.parent)
        with pytest.raises(DatabaseFailed, match="Canvas's own database"):
            await registry()["database/execute"].call({"connection": "db", "statement": "SELECT 1"}, context)

    theirs = "postgresql+psycopg://canvas:x@LOCALHOST/canvas"
    context = make_context({"db": Database(url="postgres://other@127.0.0.1:5432/canvas")}, database_url=theirs)
    with pytest.raises(DatabaseFailed, match="Canvas's own database"):
        await registry()["database/execute"].call({"connection": "db", "statement": "SELECT 1"}, context)


async def test_no_statement_reaches_another_file(make_context, tmp_path):
    """SQLite can attach files and write copies; here it may not."""
    path, other = tmp_path / "a.db", tmp_path / "other.db"
    sqlite3.connect(path).close()
    sqlite3.connect(other).close()
    context = make_context({"db": Database(url=f"sqlite:///{path}")}, data_dir=tmp_path / "data")

    for statement in (
        f"ATTACH '{other}' AS o",
        f"VACUUM INTO '{tmp_path}/copy.db'",
        f"ATTACH '{tmp_path}/new.db' AS n",
    ):
        with pytest.raises(DatabaseFailed):
            await registry()["database/execute"].call({"connection": "db", "statement": statement}, context)

    assert ["a.db", "other.db"] == sorted(it.name for it in tmp_path.iterdir())


async def test_a_locked_database_is_worth_another_try(make_context, tmp_path):
    """SQLite is waited for until the time limit; then the failure says so."""
    path = tmp_path / "a.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE t (i)")
    holder.execute("BEGIN EXCLUSIVE")
    context = make_context({"db": Database(url=f"sqlite:///{path}")}, data_dir=tmp_path / "data")

    with pytest.raises(DatabaseFailed, match=r"longer than|locked") as caught:
        await registry()["database/execute"].call(
            {"connection": "db", "statement": "INSERT INTO t VALUES (1)", "timeout_seconds": 0.2}, context
        )

    assert caught.value.retryable
    holder.close()


async def test_a_deadlock_is_worth_another_try(make_context, server):
    """What the server ends for no fault of the statement may be tried again; a wrong statement may not."""
    context = make_context({"db": Database(url=server)})
    raising = "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40P01'; END $$"

    with pytest.raises(DatabaseFailed) as caught:
        await registry()["database/execute"].call({"connection": "db", "statement": raising}, context)
    assert (True, "40P01") == (caught.value.retryable, caught.value.details["sqlstate"])

    with pytest.raises(DatabaseFailed, match="syntax error") as caught:
        await registry()["database/execute"].call({"connection": "db", "statement": "SELEC 1"}, context)
    assert not caught.value.retryable


async def test_what_a_statement_sets_does_not_outlive_it(make_context, server):
    """The next statement on the same pooled connection begins as new."""
    context = make_context({"db": Database(url=server)})

    async def run(statement: str):
        return (await registry()["database/execute"].call({"connection": "db", "statement": statement}, context))[
            "rows"
        ]

    first = await run("SELECT pg_backend_pid() AS pid")
    await run("SET search_path = nowhere")
    await run("CREATE TEMPORARY TABLE leftover (id int)")
    await run("SELECT pg_advisory_lock(1)")
    assert first == await run("SELECT pg_backend_pid() AS pid")
    assert [{"p": '"$user", public'}] == await run("SELECT current_setting('search_path') AS p")
    assert [{"n": 0}] == await run("SELECT count(*) AS n FROM pg_class WHERE relname = 'leftover'")
    assert [{"n": 0}] == await run("SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory'")


async def test_connections_are_few_and_closed(make_context, server):
    """Twenty steps at once share five connections; a changed connection gets new ones, and in the end none is left."""
    context = make_context({"db": Database(url=server)})

    async def run(context):
        arguments = {"connection": "db", "statement": "SELECT pg_backend_pid() AS pid, pg_sleep(0.02)"}
        return (await registry()["database/execute"].call(arguments, context))["rows"][0]["pid"]

    pids = set(await asyncio.gather(*(run(context) for _ in range(20))))
    assert 1 <= len(pids) <= sql_engines.CONNECTIONS_EACH

    other = await run(make_context({"db": Database(url=f"{server}?keepalives_idle=31")}))
    assert other not in pids
    dispose_engines()
    with psycopg.connect(server.replace("+psycopg", "")) as connection:

        def ours() -> int:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = 'canvas'"
            ).fetchone()
            connection.rollback()
            return row[0] if row else 0

        wait_for(lambda: ours() == 0)


def test_engines_are_bounded(tmp_path):
    """Of many connections those that were not used for longest are closed."""
    for number in range(sql_engines.MAX_ENGINES + 5):
        sql_engines.engine_of(f"c{number}", sa.make_url(f"sqlite:///{tmp_path}/{number}.db"), read_only=False)

    assert sql_engines.MAX_ENGINES == len(sql_engines._engines)
    assert ("c4", False) not in sql_engines._engines


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://a:secret@b/c", "holds a password"),
        ("postgresql://a@b/c?password=secret", "holds a password"),
        ("nonsense", "no SQLAlchemy URL"),
        ("oracle://a@b/c", "oracle is not supported"),
        ("sqlite:///relative.db", "from the root on"),
        ("sqlite://", "from the root on"),
    ],
)
def test_addresses_that_do_not_fit(url, told):
    """Each is refused in the form, and a password in the address is not repeated."""
    with pytest.raises(ValidationError, match=told) as caught:
        Database(url=url)

    assert "secret" not in str(caught.value)


async def test_an_unreachable_database_is_worth_another_try(make_context, tmp_path):
    """Nobody listens, or the file is not there: the connection is at fault, not the statement."""
    for url in ("postgresql://nobody@127.0.0.1:1/none", f"sqlite:///{tmp_path}/none.db"):
        context = make_context({"db": Database(url=url, password=SecretStr("s3cret"))}, data_dir=tmp_path / "data")
        with pytest.raises(DatabaseFailed, match="cannot be reached") as caught:
            await registry()["database/execute"].call({"connection": "db", "statement": "SELECT 1"}, context)

        assert caught.value.retryable
        assert "s3cret" not in str(caught.value)
    assert not (tmp_path / "none.db").exists()


async def test_a_driver_that_is_not_installed(make_context, monkeypatch):
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    context = make_context({"db": Database(url="postgresql://a@b/c")})

    with pytest.raises(DatabaseFailed, match=r"pip install 'canvas-workflows\[postgres\]'"):
        await registry()["database/execute"].call({"connection": "db", "statement": "SELECT 1"}, context)


async def test_the_test_button(make_context, database, tmp_path):
    """It tells which version answered, or why none did; Canvas's own database is refused here, too."""
    kind = connection_kinds()["database"]
    context = make_context(data_dir=tmp_path / "data")

    assert (await kind.check(database, context)).startswith("Connected to ")
    with pytest.raises(ActionFailed, match="cannot be reached"):
        await kind.check(Database(url=f"sqlite:///{tmp_path}/none.db"), context)
    assert frozenset({"password"}) == kind.secret_fields


async def test_a_connection_of_another_kind(make_context):
    """It is told before anything is connected to."""
    other = Database(url="sqlite:////nowhere.db")
    context = make_context({"other": other})
    context.connections._known["other"] = type("Other", (Database,), {"kind": "other"})(url="sqlite:////nowhere.db")

    with pytest.raises(WrongConnectionKind):
        await registry()["database/execute"].call({"connection": "other", "statement": "SELECT 1"}, context)


def test_only_reading_may_be_repeated():
    """A statement that says it only reads does no harm twice; nobody knows about others."""
    action = registry()["database/execute"]
    arguments = {"connection": "a", "statement": "UPDATE a SET b = 1"}

    assert [False, True] == [action.is_idempotent({**arguments, "read_only": it}) for it in (False, True)]
