"""Who and what may reach what: stored credentials."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from models.columns import Row, json_field, sealed_field, utc_now


class Connection(Row, table=True):
    """Stored credentials that actions use by name; secrets are sealed and never leave again."""

    __tablename__ = "connection"
    __table_args__ = (UniqueConstraint("name"), CheckConstraint("length(name) > 0", name="name_not_empty"))

    name: str = Field(max_length=63)
    kind: str = Field(max_length=40, index=True)
    "A registered kind, such as `smtp`."
    description: str = ""
    config: dict[str, Any] = json_field(default_factory=dict)
    "What is not secret."
    sealed: str = sealed_field()
    "The secret fields, sealed by `canvas.vault` for this row's id."
    created_by: str = ""
    updated_at: datetime = Field(default_factory=utc_now)
    tested_at: datetime | None = None
    is_test_passed: bool | None = None
    "None when it was never tested in this shape."
    test_message: str = ""
