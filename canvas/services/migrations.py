"""Bringing a database to the schema that this code knows, and telling how far it is from it."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel

import canvas
import models
from alembic import command, util
from canvas.db import connect
from canvas.domain.errors import Conflict, Invalid, TransientError
from canvas.settings import Settings

_PACKAGE = Path(canvas.__file__).parent


class UnknownRevision(Invalid):
    """There is no such revision of the database."""

    code = "unknown_revision"


class DatabaseOutdated(Conflict):
    """The database is not at the revision that this version of Canvas needs."""

    code = "database_outdated"


class DatabaseUnreachable(TransientError):
    """The database does not answer."""

    code = "database_unreachable"


def upgrade(settings: Settings, revision: str = "head") -> str | None:
    """Migrate up to a revision, creating the database first where that is possible; gives the revision it then has.

    In one transaction, and harmless when several processes do it at once or when there is nothing to do.

    Raises:
        UnknownRevision: there is no such revision.
    """
    return _migrate(settings, command.upgrade, revision)


def downgrade(settings: Settings, revision: str) -> str | None:
    """Migrate down to a revision, `base` for an empty database; gives the revision it then has.

    Raises:
        UnknownRevision: there is no such revision.
    """
    return _migrate(settings, command.downgrade, revision)


def revisions() -> list[str]:
    """List every revision there is, oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def current(settings: Settings) -> str | None:
    """Give the revision a database is at; None when it was never migrated."""
    with connect(settings).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def require_current(settings: Settings) -> None:
    """Refuse to work on a database that is not at the newest revision.

    Raises:
        DatabaseOutdated: it is at another revision, or there is none; says what to do.
        DatabaseUnreachable: it does not answer.
    """
    try:
        at = current(settings) if _is_there(settings) else None
    except SQLAlchemyError as error:
        raise DatabaseUnreachable(f"The database does not answer: {getattr(error, 'orig', error)}") from error
    if at != revisions()[-1]:
        raise DatabaseOutdated(_outdated(at))


def differences(settings: Settings) -> list[str]:
    """List what keeps a database from being what the code expects, as sentences; empty when all is well."""
    head, at = revisions()[-1], current(settings)
    if at != head:
        return [_outdated(at)]
    assert models.__all__
    with connect(settings).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return [f"The schema differs: {difference}" for difference in compare_metadata(context, SQLModel.metadata)]


def _outdated(at: str | None) -> str:
    return (
        f"The database is at revision {at or 'none'}; this version of Canvas needs {revisions()[-1]}: "
        "run `canvas db upgrade`."
    )


def _is_there(settings: Settings) -> bool:
    """Asking for a SQLite database would make one."""
    return not settings.url.startswith("sqlite:///") or Path(settings.url.removeprefix("sqlite:///")).is_file()


def _migrate(settings: Settings, direction: Any, revision: str) -> str | None:
    config = _config()
    try:
        with connect(settings).connect() as connection:
            if connection.dialect.name == "sqlite":
                # only outside a transaction; else copying a table would delete what refers to it
                _without_transaction(connection, "PRAGMA foreign_keys=OFF")
            try:
                with connection.begin():
                    config.attributes["connection"] = connection
                    direction(config, revision)
            finally:
                if connection.dialect.name == "sqlite":
                    _without_transaction(connection, "PRAGMA foreign_keys=ON")
    except util.CommandError as error:
        raise UnknownRevision(f"{error}") from error
    return current(settings)


def _without_transaction(connection: sa.Connection, statement: str) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(statement)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_scripts()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> Path:
    """Find the migrations: beside the package in a checkout, inside it in an installed wheel."""
    beside = _PACKAGE.parent / "alembic"
    return beside if (beside / "env.py").is_file() else _PACKAGE / "_alembic"
