"""Connections as lists and forms; never a secret, only which are set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from canvas.actions.connections import ConnectionKind, connection_kinds
from canvas.services.connection_uses import ConnectionUse, connection_uses
from canvas.services.connections import find_connection
from canvas.vault import Vault, VaultError
from models import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """A connection on the connections page."""

    name: str
    kind: str
    kind_title: str
    icon: str
    description: str
    updated_at: datetime
    tested_at: datetime | None
    is_test_passed: bool | None
    "None when it was not tested since it was changed."
    test_message: str
    used_by: list[ConnectionUse] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionDetail:
    """A connection for who changes it."""

    name: str
    kind: str
    description: str
    config: dict[str, Any]
    "What is not secret."
    secrets: dict[str, list[str]]
    "The secret fields that are set, each with the names of its parts if it has some."
    is_readable: bool
    "False when the secrets cannot be opened with the keys that are here; they have to be entered again."


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """A kind of connection."""

    name: str
    title: str
    description: str
    icon: str
    schema: Mapping[str, Any]
    example: Mapping[str, Any]
    secret_fields: list[str]


def connection_rows(session: Session) -> list[ConnectionRow]:
    """List all connections by name, with the workflows that name them."""
    kinds, uses = connection_kinds(), connection_uses(session)
    rows = session.exec(select(Connection).order_by(col(Connection.name))).all()
    return [_row(row, kinds.get(row.kind), uses.get(row.name, [])) for row in rows]


def connection_detail(session: Session, name: str, *, vault: Vault) -> ConnectionDetail:
    """Give a connection's values, without its secrets.

    Raises:
        ConnectionNotFound: there is no such connection.
    """
    row = find_connection(session, name)
    try:
        secrets: Mapping[str, Any] | None = vault.open(row.id, row.sealed)
    except VaultError:
        secrets = None
    return ConnectionDetail(
        name=row.name,
        kind=row.kind,
        description=row.description,
        config=row.config,
        secrets={key: sorted(value) if isinstance(value, dict) else [] for key, value in (secrets or {}).items()},
        is_readable=secrets is not None,
    )


def connection_kind_rows() -> list[KindRow]:
    """List the kinds of connections by title."""
    kinds = sorted(connection_kinds().values(), key=lambda kind: kind.title.lower())
    return [
        KindRow(
            name=kind.name,
            title=kind.title,
            description=kind.description,
            icon=kind.icon,
            schema=kind.schema,
            example=kind.example,
            secret_fields=sorted(kind.secret_fields),
        )
        for kind in kinds
    ]


def _row(row: Connection, kind: ConnectionKind | None, uses: list[ConnectionUse]) -> ConnectionRow:
    return ConnectionRow(
        name=row.name,
        kind=row.kind,
        kind_title=kind.title if kind else row.kind,
        icon=kind.icon if kind else "circle-help",
        description=row.description,
        updated_at=row.updated_at,
        tested_at=row.tested_at,
        is_test_passed=row.is_test_passed,
        test_message=row.test_message,
        used_by=uses,
    )
