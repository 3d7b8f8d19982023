"""Table of jobs: those that wait, run, are done, or are parked for a person."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, check_in, new_id


class JobState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    PARKED = "parked"  # failed too often; a person looks at it


class Job(Base):
    """A job. Of a type that recurs there is one row, which waits again after each run."""

    __tablename__ = "jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(comment="of its type; a version that does not know it leaves it to one that does")
    key: Mapped[str | None] = mapped_column(comment="of all jobs of a type one has this key; null: any number")
    payload: Mapped[dict[str, Any]] = mapped_column(comment="ids, codes and numbers")
    state: Mapped[str]
    due_at: Mapped[datetime | None] = mapped_column(
        comment="when a worker may take it; while one runs it, when another may; null: done or parked"
    )
    attempts: Mapped[int] = mapped_column(comment="begun since it last succeeded or was retried by a person")
    last_error: Mapped[str | None]
    progress_done: Mapped[int | None]
    progress_total: Mapped[int | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None] = mapped_column(comment="of the newest attempt")
    finished_at: Mapped[datetime | None] = mapped_column(comment="when it last succeeded or was parked")
    version: Mapped[int] = mapped_column(comment="+1 by each change of state: a worker changes what it took itself")

    __table_args__ = (
        sa.CheckConstraint(check_in("state", JobState), name="state"),
        sa.CheckConstraint("(state IN ('done', 'parked')) = (due_at IS NULL)", name="due_until_done"),
        sa.UniqueConstraint("name", "key"),
        sa.Index(
            "ix_jobs_due_at",
            "due_at",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
    )
