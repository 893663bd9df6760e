"""The API tokens there are, without their secrets."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from models import ApiToken


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token."""

    id: str
    name: str
    prefix: str
    role: str
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    is_expired: bool
    revoked_at: datetime | None


def token_rows(session: Session, *, now: datetime, with_revoked: bool = False) -> list[TokenRow]:
    """List the tokens, the newest first."""
    query = select(ApiToken).order_by(col(ApiToken.id).desc())
    if not with_revoked:
        query = query.where(col(ApiToken.revoked_at).is_(None))
    return [_row(token, now) for token in session.exec(query)]


def token_row(session: Session, token_id: str, *, now: datetime) -> TokenRow:
    """Give a token that is known to exist."""
    return _row(session.get_one(ApiToken, token_id), now)


def _row(token: ApiToken, now: datetime) -> TokenRow:
    return TokenRow(
        id=token.id,
        name=token.name,
        prefix=token.prefix,
        role=token.role.value,
        created_by=token.created_by,
        created_at=token.created_at,
        last_used_at=token.last_used_at,
        expires_at=token.expires_at,
        is_expired=token.expires_at is not None and token.expires_at <= now,
        revoked_at=token.revoked_at,
    )
