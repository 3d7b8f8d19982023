"""Tables of the followers of the events, and of the reminders that were recorded."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base


class EventCursor(Base):
    """How far a follower of the events (inbox, webhooks) has dealt with them."""

    __tablename__ = "event_cursors"

    follower: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(sa.BigInteger(), comment="of the last event it has dealt with")


class Reminder(Base):
    """A dated event that was recorded in the audit chain; the key keeps it from being recorded twice."""

    __tablename__ = "reminders"

    event: Mapped[str] = mapped_column(primary_key=True, comment="name of the audit event")
    subject_id: Mapped[str] = mapped_column(primary_key=True, comment="as in the audit event")
    last_day: Mapped[date] = mapped_column(sa.Date(), primary_key=True, comment="inclusive, Asia/Baku")
    days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="before the last day")
    recorded_at: Mapped[datetime]

    __table_args__ = (sa.Index("ix_reminders_last_day", "last_day"),)
