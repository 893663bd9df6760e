"""API tokens: made, recognised and taken back. The secret is shown once, when a token is made."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.domain.errors import Conflict, Invalid, NotFound, Unauthorized
from canvas.services.access import Actor, Role
from models import ApiToken

MARK: Final = "canvas_"
"What every secret begins with, so that scanners for leaked secrets can find it."
MAX_NAME: Final = 80
NOTED_EVERY: Final = timedelta(minutes=1)
_RANDOM_BYTES: Final = 32
_PREFIX: Final = len(MARK) + 6
_LONGEST: Final = 200


class TokenNotFound(NotFound):
    """There is no such token, or it was revoked."""

    code = "token_not_found"


class TokenNameTaken(Conflict):
    """Another token has this name."""

    code = "token_name_taken"


class InvalidToken(Unauthorized):
    """This is no token of this installation."""

    code = "invalid_token"


class TokenExpired(Unauthorized):
    """The token has expired."""

    code = "token_expired"


class TokenRevoked(Unauthorized):
    """The token was revoked."""

    code = "token_revoked"


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made."""

    id: str
    secret: str
    "To be shown now; it cannot be had again."


@dataclass(frozen=True, slots=True)
class Recognised:
    """Whose secret it was."""

    token_id: str
    actor: Actor
    is_worth_noting: bool
    "Whether its last use was noted more than a minute ago."


def create_token(
    session: Session, name: str, role: Role, *, now: datetime, expires_at: datetime | None = None, created_by: str = ""
) -> NewToken:
    """Make a token.

    Args:
        name: 1 to 80 characters; runs that it starts say `token:NAME`.
        role: What it may do.
        expires_at: Aware, in the future; None never expires.

    Raises:
        Invalid: the name is empty or too long, or the moment has passed.
        TokenNameTaken: a token that was not revoked has this name.
    """
    name = name.strip()
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise Invalid(f"A token's name has 1 to {MAX_NAME} printable characters.")
    if expires_at is not None and expires_at <= now:
        raise Invalid("A token expires in the future.")
    if _live(session, col(ApiToken.name) == name) is not None:
        raise TokenNameTaken(f"There is a token called {name!r}; revoke it first or choose another name.")
    secret = MARK + secrets.token_urlsafe(_RANDOM_BYTES)
    row = ApiToken(
        name=name,
        prefix=secret[:_PREFIX],
        hash=_hash(secret),
        role=role,
        created_by=created_by,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return NewToken(row.id, secret)


def revoke_token(session: Session, which: str, *, now: datetime) -> None:
    """Take a token back; from the next request on it is worth nothing.

    Args:
        which: Its id, or its name.

    Raises:
        TokenNotFound: there is none, or it was revoked before.
    """
    row = _live(session, (col(ApiToken.id) == which) | (col(ApiToken.name) == which))
    if row is None:
        raise TokenNotFound(f"There is no token {which[:MAX_NAME]!r}.")
    row.revoked_at = now
    session.add(row)


def recognise(session: Session, secret: str, *, now: datetime) -> Recognised:
    """Find out whose secret this is.

    Raises:
        InvalidToken: nobody's.
        TokenExpired, TokenRevoked: it was somebody's.
    """
    row = _row_of(session, secret)
    if row.revoked_at is not None:
        raise TokenRevoked(f"The token {row.name!r} was revoked; ask for another one.")
    if row.expires_at is not None and row.expires_at <= now:
        raise TokenExpired(f"The token {row.name!r} expired; ask for another one.")
    is_worth_noting = row.last_used_at is None or now - row.last_used_at >= NOTED_EVERY
    return Recognised(row.id, Actor(f"token:{row.name}", Role(row.role)), is_worth_noting)


def note_use(session: Session, token_id: str, *, now: datetime) -> None:
    """Remember that a token was used, unless that was noted within the last minute."""
    last = col(ApiToken.last_used_at)
    is_due = last.is_(None) | (last <= now - NOTED_EVERY)
    session.execute(sa.update(ApiToken).where(col(ApiToken.id) == token_id, is_due).values(last_used_at=now))


def _row_of(session: Session, secret: str) -> ApiToken:
    if not secret.startswith(MARK) or len(secret) > _LONGEST:
        raise InvalidToken
    expected = _hash(secret)
    candidates = session.exec(select(ApiToken).where(ApiToken.prefix == secret[:_PREFIX])).all()
    found = [row for row in candidates if hmac.compare_digest(row.hash, expected)]
    if not found:
        raise InvalidToken
    return found[0]


def _live(session: Session, condition: sa.ColumnElement[bool]) -> ApiToken | None:
    return session.exec(select(ApiToken).where(condition, col(ApiToken.revoked_at).is_(None))).first()


def _hash(secret: str) -> str:
    """Hash a secret. One fast round is enough: nobody can try all 2**256 secrets, as they could passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()
