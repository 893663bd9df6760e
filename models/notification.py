"""What the bell in the header shows."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from canvas.domain.states import LogLevel
from models.columns import Row, word


class Notification(Row, table=True):
    """A message to the people who use Canvas; written in the same transaction as the step that sent it."""

    __tablename__ = "notification"
    __table_args__ = (CheckConstraint("length(title) > 0", name="title_not_empty"),)

    title: str
    body: str = ""
    level: LogLevel = Field(default=LogLevel.INFO, sa_type=word(LogLevel))
    link: str = ""
    "A page of Canvas to go to, such as `/runs/…`."
    run_id: str | None = Field(default=None, max_length=26, index=True)
    read_at: datetime | None = Field(default=None, index=True)
