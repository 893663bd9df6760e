"""How our values are kept in columns: keys, words, moments and JSON, the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel
from ulid import ULID

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

SEALED = "is_sealed"

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
"""JSON text on SQLite, JSONB on PostgreSQL; None is SQL NULL."""


def word(words: type[StrEnum]) -> Any:
    """Store an enum as its lower-case value, guarded by a CHECK that carries the enum's name."""
    return sa.Enum(
        words,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=True,
        name=words.__name__.lower(),
        length=max(len(member.value) for member in words),
    )


def table_of(model: type[SQLModel]) -> sa.Table:
    """Give the table of a model, for statements of SQLAlchemy Core; SQLModel hides it from type checkers."""
    table: sa.Table = sa.inspect(model).local_table
    return table


def json_field(**options: Any) -> Any:
    """Declare a JSON column."""
    return Field(sa_type=Json, **options)


def sealed_field(**options: Any) -> Any:
    """Declare a column of text that the vault sealed; whoever rotates keys finds it by this."""
    return Field(sa_column_kwargs={"info": {SEALED: True}}, **options)


def new_id() -> str:
    """Make a ULID: 26 characters that sort by time of birth."""
    return str(ULID())


def utc_now() -> datetime:
    """Read the clock, aware and in UTC; for column defaults only."""
    return datetime.now(UTC)


class Row(SQLModel):
    """What most tables share: a ULID as key and the moment of birth."""

    id: str = Field(default_factory=new_id, primary_key=True, max_length=26)
    created_at: datetime = Field(default_factory=utc_now)
