"""Connections, for the people who keep them: what is secret goes in sealed and never comes out again."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from pydantic import SecretStr
from sqlmodel import Session, select

from canvas.actions.connections import (
    NAME_PATTERN,
    Config,
    ConnectionKind,
    InvalidConnection,
    connection_kinds,
)
from canvas.domain.errors import Conflict, Invalid, NotFound
from canvas.services.connection_uses import ConnectionUse, connection_uses
from canvas.vault import Vault, VaultError
from models import Connection
from models.columns import utc_now

MAX_BYTES: Final = 64 * 1024
RESERVED_NAMES: Final = frozenset({"kinds"})
_NAME: Final = re.compile(NAME_PATTERN)


class ConnectionNotFound(NotFound):
    """There is no such connection."""

    code = "connection_not_found"


class ConnectionExists(Conflict):
    """There is a connection of this name already."""

    code = "connection_exists"


class ConnectionInUse(Conflict):
    """Workflows name this connection."""

    code = "connection_in_use"


class ConnectionLocked(Conflict):
    """The secrets cannot be sealed or opened with the keys that are here."""

    code = "connection_unreadable"


class UnknownConnectionKind(Invalid):
    """There is no such kind of connection."""

    code = "unknown_connection_kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenForTest:
    """A connection with its secrets, for its own test and nothing else."""

    kind: ConnectionKind
    values: Mapping[str, Any]


def create_connection(
    session: Session,
    name: str,
    *,
    kind: str,
    config: Mapping[str, Any],
    vault: Vault,
    description: str = "",
    created_by: str = "",
) -> None:
    """Keep a new connection.

    Args:
        config: Its values, secret ones included; the kind's schema says which there are.

    Raises:
        Invalid: the name is not possible.
        UnknownConnectionKind: there is no such kind.
        InvalidConnection: the values are none of this kind.
        ConnectionExists: the name is taken.
        ConnectionLocked: there is a key, but it cannot be used.
    """
    if not _NAME.fullmatch(name) or name in RESERVED_NAMES:
        raise Invalid(
            f"{name[:80]!r} cannot name a connection: use lower-case letters, digits, `-` and `_`, beginning with a "
            "letter, 63 at most, and not `kinds`.",
            name=name,
        )
    if session.exec(select(Connection.id).where(Connection.name == name)).first() is not None:
        raise ConnectionExists(f"There is a connection {name!r} already.", connection=name)
    row = Connection(name=name, kind=kind, sealed="", description=description, created_by=created_by)
    _put(row, find_kind(kind), config, {}, vault)
    session.add(row)
    session.flush()


def change_connection(
    session: Session, name: str, *, config: Mapping[str, Any], vault: Vault, description: str | None = None
) -> None:
    """Give a connection other values.

    Args:
        config: All its values, except that a secret which is left out is kept; None takes it away. Of a secret made of
            several, those that are None are kept and those left out are taken away.
        description: None keeps it.

    Raises:
        ConnectionNotFound: there is no such connection.
        UnknownConnectionKind, InvalidConnection, ConnectionLocked: as `create_connection`.
    """
    row = find_connection(session, name)
    _put(row, find_kind(row.kind), config, _kept(row, vault), vault)
    row.updated_at = utc_now()
    row.tested_at, row.is_test_passed, row.test_message = None, None, ""
    if description is not None:
        row.description = description


def delete_connection(session: Session, name: str, *, even_if_used: bool = False) -> None:
    """Forget a connection and its secrets.

    Args:
        even_if_used: Whether to do so although workflows name it, whose steps will then fail.

    Raises:
        ConnectionNotFound: there is no such connection.
        ConnectionInUse: workflows name it; `used_by` lists them.
    """
    row = find_connection(session, name)
    uses = connection_uses(session).get(name, [])
    if uses and not even_if_used:
        raise ConnectionInUse(_told(name, uses), used_by=[use.to_json() for use in uses])
    session.delete(row)


def open_for_test(session: Session, name: str, *, vault: Vault) -> OpenForTest:
    """Open a connection to test it.

    Raises:
        ConnectionNotFound: there is no such connection.
        UnknownConnectionKind: nobody registered its kind any more.
        ConnectionLocked: its secrets cannot be opened.
    """
    row = find_connection(session, name)
    with _unlocked(name):
        return OpenForTest(kind=find_kind(row.kind), values={**row.config, **vault.open(row.id, row.sealed)})


def record_test(session: Session, name: str, *, seen: datetime, passed: bool, message: str, now: datetime) -> bool:
    """Remember how a test came out, unless the connection was changed meanwhile; tells whether it was remembered.

    Args:
        seen: When the connection that was tested had last been changed.
    """
    row = session.exec(select(Connection).where(Connection.name == name)).one_or_none()
    if row is None or row.updated_at != seen:
        return False
    row.tested_at, row.is_test_passed, row.test_message = now, passed, message
    return True


def find_connection(session: Session, name: str) -> Connection:
    """Load a connection by its name.

    Raises:
        ConnectionNotFound: there is none.
    """
    row = session.exec(select(Connection).where(Connection.name == name)).one_or_none()
    if row is None:
        raise ConnectionNotFound(f"There is no connection {name!r}.", connection=name)
    return row


def find_kind(name: str) -> ConnectionKind:
    """Give a registered kind.

    Raises:
        UnknownConnectionKind: there is none.
    """
    kinds = connection_kinds()
    if name not in kinds:
        raise UnknownConnectionKind(f"There is no kind of connection {name[:80]!r}; use one of {', '.join(kinds)}.")
    return kinds[name]


def _put(
    row: Connection, kind: ConnectionKind, config: Mapping[str, Any], kept: Mapping[str, Any], vault: Vault
) -> None:
    given = {key: value for key, value in config.items() if key not in kind.secret_fields}
    for field in kind.secret_fields:
        secret = _merged(config[field], kept.get(field)) if field in config else kept.get(field)
        if secret is not None and secret != "":
            given[field] = secret
    read = kind.read(given)
    row.config = read.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=set(kind.secret_fields))
    secrets = _secrets(read, kind)
    if len(orjson.dumps([row.config, secrets])) > MAX_BYTES:
        raise InvalidConnection(f"A connection has at most {MAX_BYTES >> 10} KiB of values.")
    with _unlocked(row.name):
        row.sealed = vault.seal(row.id, secrets)


def _merged(given: Any, kept: Any) -> Any:
    """Fill in the parts of a secret made of several that are to be kept."""
    if not isinstance(given, Mapping):
        return given
    old = kept if isinstance(kept, Mapping) else {}
    whole = {name: old.get(name) if value is None else value for name, value in given.items()}
    return {name: value for name, value in whole.items() if value is not None}


def _secrets(read: Config, kind: ConnectionKind) -> dict[str, Any]:
    found = {field: _plain(getattr(read, field)) for field in kind.secret_fields}
    return {field: value for field, value in sorted(found.items()) if value not in (None, "", {})}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _kept(row: Connection, vault: Vault) -> dict[str, Any]:
    """Open the secrets that a change may keep; what cannot be opened has to be entered again."""
    try:
        return vault.open(row.id, row.sealed)
    except VaultError:
        return {}


def _told(name: str, uses: list[ConnectionUse]) -> str:
    names = [repr(use.workflow) for use in uses]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{shown} {'names' if len(names) == 1 else 'name'} the connection {name!r}; without it their steps fail."


@contextmanager
def _unlocked(name: str) -> Iterator[None]:
    try:
        yield
    except VaultError as error:
        raise ConnectionLocked(f"The connection {name!r}: {error}", connection=name) from None
