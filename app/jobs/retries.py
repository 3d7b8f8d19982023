"""Decide what follows a failed attempt: another one after a growing wait, or a person."""

from datetime import datetime, timedelta

from app.jobs.job_type import JobType

MIN_DELAY, MAX_DELAY = timedelta(seconds=30), timedelta(hours=6)


def retry_delay(attempts: int, jitter: float) -> timedelta:
    """Return the wait after so many attempts: 30 s, doubled by each, at most 6 h; of it at least half, by `jitter`.

    `jitter`: at least 0, less than 1, at random, so that what failed together is not tried together again.
    """
    longest = min(MIN_DELAY * (1 << min(attempts - 1, 20)), MAX_DELAY)
    return longest * (0.5 + jitter / 2)


def next_attempt_at(job_type: JobType, attempts: int, now: datetime, jitter: float) -> datetime | None:
    """Return when a job that failed so often is tried again; None: a person decides.

    A job that recurs is tried at least once in each of its periods, and never left to a person.
    """
    delay = retry_delay(attempts, jitter)
    if job_type.every is not None:
        return now + min(delay, job_type.every)
    return now + delay if attempts < job_type.max_attempts else None
