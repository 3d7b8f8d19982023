"""Show jobs to staff, and retry parked ones."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import require_role
from app.core.actor import Actor, Role
from app.core.errors import ExpectedVersion, NotFound, WrongState, require_version
from app.jobs import job_repository, port
from app.jobs.model import Job, JobState

READER_ROLES = (Role.OWNER, Role.AUDITOR)
RETRIER_ROLES = (Role.OWNER,)


def get_job(session: Session, actor: Actor, job_id: UUID) -> Job:
    """Return a job. Raises `Forbidden`, `NotFound`."""
    require_role(actor, *READER_ROLES)
    return _found(job_repository.get_job(session, job_id))


def retry_job(session: Session, actor: Actor, job_id: UUID, version: ExpectedVersion, now: datetime) -> Job:
    """Let workers run a parked job again, with all its attempts.

    Raises, in this order: `Forbidden`; `NotFound`; `VersionRequired`, `StaleVersion`; `WrongState`.
    """
    require_role(actor, *RETRIER_ROLES)
    job = _found(job_repository.get_job(session, job_id, lock=True))
    require_version(version, job.version)
    if job.state != JobState.PARKED:
        raise WrongState("job", state=job.state, action="retry", allowed=())
    job.state, job.due_at, job.attempts, job.version = JobState.WAITING.value, now, 0, job.version + 1
    recorder.record(session, actor, "job.retried", ("job", job.id), now, name=job.name)
    port.note_enqueued(session)
    return job


def _found(job: Job | None) -> Job:
    if job is None:
        raise NotFound.of("job")
    return job
