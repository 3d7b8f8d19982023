"""Enqueue a job in the transaction of its cause, so that a rolled-back action leaves none."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import Session

from app.core.unit_of_work import UnitOfWork
from app.jobs import job_repository
from app.jobs.job_type import JobType

WAKE_KEY = "jobs.wake"
"""In `Session.info`: a function that tells the workers of this process that a job waits."""
_ENQUEUED = "jobs.enqueued"


def enqueue(
    session: Session,
    job_type: JobType,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    key: str | None = None,
    not_before: datetime | None = None,
) -> UUID:
    """Write a job that a worker runs after the commit, from `not_before` on; return its id.

    `payload`: JSON of ids, codes and numbers, no personal data: it is shown to staff. `key`: if there is a job of this
    type with this key, also one that is done but not yet deleted (`RETENTION`), nothing is written and its id is
    returned. A transaction that enqueues the same key at the same time is waited for: enqueue several in one order.
    """
    job_id = job_repository.add_job(session, job_type.name, dict(payload), key=key, now=now, due_at=not_before or now)
    note_enqueued(session)
    return job_id


def note_enqueued(session: Session) -> None:
    """Wake the workers of this process after the commit."""
    session.info[_ENQUEUED] = True


@event.listens_for(UnitOfWork, "after_commit")  # SQLAlchemy calls this for savepoints as well
def _wake_workers(session: Session) -> None:
    if session.in_nested_transaction() or not session.info.pop(_ENQUEUED, False):
        return
    wake: Callable[[], None] | None = session.info.get(WAKE_KEY)
    if wake is not None:
        wake()
