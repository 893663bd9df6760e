"""How migrations run: on the connection that `canvas db` hands over, or on the one the settings name."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import models  # noqa: F401  (fills the metadata)
from alembic import context
from canvas.db import connect
from canvas.settings import Settings

LOCK = 4_711_001


def run(connection: sa.Connection) -> None:
    """Run in one transaction: on both databases a migration that fails leaves nothing behind."""
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        compare_server_default=True,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))  # two processes starting at once
        context.run_migrations()


def render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """Write our column types as SQLAlchemy's own, so that an old migration never changes with the models."""
    if kind != "type":
        return False
    if isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    if isinstance(item, sa.types.TypeDecorator) and isinstance(item.impl, sa.DateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, sa.JSON):
        return 'sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")'
    return False


def main() -> None:
    """Use the connection given by the program, else open one."""
    given = context.config.attributes.get("connection")
    if given is not None:
        run(given)
        return
    with connect(Settings.from_environment()).connect() as connection:
        run(connection)


main()
