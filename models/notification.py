"""What the bell in the header shows, to whom, and who has read it."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

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
    is_for_everybody: bool = True
    "False when it is for those who stand in `notification_recipient` alone."


class NotificationRecipient(SQLModel, table=True):
    """Somebody whom a notification is for, when it is not for everybody."""

    __tablename__ = "notification_recipient"

    user_name: str = Field(primary_key=True, max_length=80)
    notification_id: str = Field(
        primary_key=True, max_length=26, foreign_key="notification.id", ondelete="CASCADE", index=True
    )


class NotificationRead(SQLModel, table=True):
    """That somebody has read a notification; each person has a mark of their own."""

    __tablename__ = "notification_read"

    user_name: str = Field(primary_key=True, max_length=80)
    notification_id: str = Field(
        primary_key=True, max_length=26, foreign_key="notification.id", ondelete="CASCADE", index=True
    )
    read_at: datetime
