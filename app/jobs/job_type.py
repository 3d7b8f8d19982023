"""Describe types of jobs. A package defines a constant of each type; `app/worker/handlers.py` gives it its handler."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class JobType:
    """`every`: run again so long after each run, without having been asked. `max_attempts`: then a person decides."""

    name: str
    every: timedelta | None = None
    max_attempts: int = 10


class JobPostponed(Exception):
    """Raised by a handler that wants to be called again at `until`: nothing failed, and no attempt is counted."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class JobRejected(Exception):
    """Raised by a handler that another attempt cannot help: the job is parked with this message at once."""


@dataclass(frozen=True, slots=True)
class JobRun:
    """One attempt. `payload` as it was enqueued; `attempt` counts from 1; `now` is its beginning.

    `report_progress(done, total)` is shown to staff. `is_stopping()`: the worker ends; a long handler stores how far
    it is and raises `JobPostponed(run.now)`, else it is cut off after some seconds and begins again elsewhere.
    """

    id: UUID
    payload: Mapping[str, Any]
    attempt: int
    now: datetime
    report_progress: Callable[[int, int | None], None] = field(repr=False)
    is_stopping: Callable[[], bool] = field(repr=False)


Handler = Callable[[JobRun], None]
"""Runs one attempt in sessions of its own. What it raises is a failure. It may be called again after it succeeded."""
