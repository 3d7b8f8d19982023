"""Query and change jobs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.database import core_table, locked, new_id, page_of
from app.jobs.model import Job, JobState


def add_job(
    session: Session, name: str, payload: dict[str, Any], *, key: str | None, now: datetime, due_at: datetime
) -> UUID:
    """Insert a waiting job, unless there is one of this name with this key; return its id."""
    job_id = new_id()
    values = {
        "id": job_id,
        "name": name,
        "key": key,
        "payload": payload,
        "state": JobState.WAITING.value,
        "due_at": due_at,
        "attempts": 0,
        "created_at": now,
        "version": 1,
    }
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(core_table(Job)).values(values).on_conflict_do_nothing(index_elements=["name", "key"])
    session.execute(statement)
    if key is None:
        return job_id
    return session.scalars(sa.select(Job.id).where(Job.name == name, Job.key == key)).one()


def next_due_at(session: Session, names: Collection[str]) -> datetime | None:
    """Return when the first job of these names is due; None if there is none."""
    return session.scalar(sa.select(sa.func.min(Job.due_at)).where(Job.due_at.is_not(None), Job.name.in_(names)))


def lock_next_due(session: Session, names: Collection[str], now: datetime) -> Job | None:
    """Lock and return the job of these names that is due longest; those that another worker locks are skipped."""
    query = sa.select(Job).where(Job.due_at <= now, Job.name.in_(names)).order_by(Job.due_at, Job.id).limit(1)
    return session.scalars(query.with_for_update(skip_locked=True)).one_or_none()


def change_own(session: Session, job_id: UUID, version: int, values: Mapping[str, Any]) -> bool:
    """Change a job that has this version still, as the worker that took it; return whether it has."""
    table = core_table(Job)
    statement = sa.update(table).where(table.c.id == job_id, table.c.version == version).values(**values)
    return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]  # of a CursorResult


def get_job(session: Session, job_id: UUID, *, lock: bool = False) -> Job | None:
    return session.scalars(locked(sa.select(Job).where(Job.id == job_id), lock)).one_or_none()


def list_jobs(
    session: Session, *, state: JobState | None, name: str | None, after: UUID | None, limit: int
) -> Sequence[Job]:
    """Return jobs in the order in which they were enqueued."""
    query = sa.select(Job)
    if state is not None:
        query = query.where(Job.state == state)
    if name is not None:
        query = query.where(Job.name == name)
    return page_of(session, query, Job.id, after, limit)


def has_finished_before(session: Session, before: datetime) -> bool:
    """Whether `delete_finished_before` would delete jobs."""
    old = sa.exists().where(Job.state == JobState.DONE, Job.finished_at < before)
    return bool(session.scalar(sa.select(old)))


def delete_finished_before(session: Session, before: datetime) -> None:
    session.execute(sa.delete(Job).where(Job.state == JobState.DONE, Job.finished_at < before))


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """How many jobs are in each state but done, and what is late or failing."""

    waiting: int
    running: int
    parked: int
    due_since: datetime | None
    """Since when the longest waiting job is due; None: none is."""
    failing: tuple[str, ...]
    """Names of types of which a job failed at its newest attempt and waits for another."""


def queue_figures(session: Session, now: datetime) -> QueueFigures:
    by_state = sa.select(Job.state, sa.func.count()).where(Job.state != JobState.DONE).group_by(Job.state)
    counts = {JobState(state): count for state, count in session.execute(by_state)}
    due_since = session.scalar(sa.select(sa.func.min(Job.due_at)).where(Job.due_at <= now))
    failing = sa.select(Job.name).where(Job.state == JobState.WAITING, Job.attempts > 0).distinct().order_by(Job.name)
    return QueueFigures(
        waiting=counts.get(JobState.WAITING, 0),
        running=counts.get(JobState.RUNNING, 0),
        parked=counts.get(JobState.PARKED, 0),
        due_since=due_since,
        failing=tuple(session.scalars(failing)),
    )
