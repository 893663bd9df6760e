"""What programs show instead of a person: API tokens."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from canvas.domain.states import Role
from models.columns import Row, word

_IS_LIVE = text("revoked_at IS NULL")


class ApiToken(Row, table=True):
    """A token that a program acts with; only the hash of its secret is kept."""

    __tablename__ = "api_token"
    __table_args__ = (
        CheckConstraint("length(name) > 0", name="name_not_empty"),
        CheckConstraint("length(hash) = 64", name="hash_is_sha256"),
        Index("ix_api_token_live_name", "name", unique=True, sqlite_where=_IS_LIVE, postgresql_where=_IS_LIVE),
    )

    name: str = Field(max_length=80)
    "Unique among those that were not revoked."
    prefix: str = Field(index=True, max_length=16)
    "How the secret begins; shown to people, and what a token is looked up by."
    hash: str = Field(unique=True, max_length=64)
    "SHA-256 of the whole secret, in hexadecimal."
    role: Role = Field(sa_type=word(Role))
    created_by: str = ""
    last_used_at: datetime | None = None
    "Written at most once a minute."
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
