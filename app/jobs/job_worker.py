"""Run due jobs on some threads of this process: take, run, note what came of it.

A worker takes a job in a transaction of its own: it locks the row and reserves it for `LEASE`, which it prolongs while
the handler runs. When it dies, the job is due again at the end of the lease, for any worker. It sleeps until the next
job is due or a commit of this process wakes it, and looks every `look_every` seconds for jobs of other processes.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.database import Database
from app.jobs import job_repository
from app.jobs.job_type import Handler, JobPostponed, JobRejected, JobRun, JobType
from app.jobs.model import Job, JobState
from app.jobs.retries import next_attempt_at

LEASE = timedelta(seconds=60)
"""How long a job is reserved; clocks of machines must not differ by as much."""
HEARTBEAT_S = 15.0
SHUTDOWN_TIMEOUT_S = 10.0
"""Wait at shutdown for jobs that run; those that go on are taken over at the end of their lease."""
MAX_ERROR = 300
_CONTENDED_S = 0.1
_LONGEST_PAUSE_S = 0.05
_BROKEN_S = 5.0

logger = logging.getLogger(__name__)


class JobWorker:
    """Run jobs of the types in `handlers`; one instance per process. `jitter`: random numbers from 0 to 1."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[JobType, Handler],
        *,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
        look_every: float,
    ) -> None:
        self._database, self._clock, self._jitter, self._look_every = database, clock, jitter, look_every
        self._handlers = {job_type.name: (job_type, handler) for job_type, handler in handlers.items()}
        if len(self._handlers) != len(handlers):
            raise ValueError("two types of jobs have the same name")
        self._names = tuple(sorted(self._handlers))
        self._wake_event, self._stop_event = threading.Condition(), threading.Event()
        self._is_scheduled = False
        self._woken = 0  # counts, so that no thread misses a signal
        self._running: dict[UUID, int] = {}  # id → version of what this process runs
        self._running_lock, self._turn_lock = threading.Lock(), threading.Lock()

    def wake(self) -> None:
        """Signal that a job waits; callable from any thread."""
        with self._wake_event:
            self._woken += 1
            self._wake_event.notify()

    @contextmanager
    def run_in_background(self, threads: int) -> Iterator[None]:
        """Run jobs on so many threads until the block ends. 0: none."""
        if not threads:
            yield
            return
        self._stop_event.clear()
        loops = [
            threading.Thread(target=self._run_until_stopped, name=f"jobs-{n}", daemon=True) for n in range(threads)
        ]
        heartbeat = threading.Thread(target=self._prolong_until_stopped, name="jobs-heartbeat", daemon=True)
        for thread in (*loops, heartbeat):
            thread.start()
        try:
            yield
        finally:
            self.stop()
            ends_at = time.monotonic() + SHUTDOWN_TIMEOUT_S
            for thread in (*loops, heartbeat):
                thread.join(max(0.0, ends_at - time.monotonic()))

    def stop(self) -> None:
        """Take no further job; callable from any thread."""
        self._stop_event.set()
        with self._wake_event:
            self._wake_event.notify_all()

    def run_due(self) -> int:
        """Run jobs on this thread until none is due; return how many. Recurring ones are scheduled first."""
        self.schedule()
        count = 0
        while not self._stop_event.is_set() and self.run_next():
            count += 1
        return count

    def schedule(self) -> None:
        """Enqueue the types that recur, each once and for ever; the first run is a period after the first start."""
        now = self._clock()
        recurring = [(job_type, job_type.every) for job_type, _ in self._handlers.values() if job_type.every]
        with self._database.session() as session:
            for job_type, every in recurring:
                job_repository.add_job(session, job_type.name, {}, key="", now=now, due_at=now + every)
            session.commit()
        self._is_scheduled = True

    def run_next(self) -> bool:
        """Take the job that is due longest and run it; False: none is due."""
        taken = self._take()
        if taken is None:
            return False
        job_type, handler, job = taken
        with self._running_lock:
            self._running[job.id] = job.version
        try:
            values = self._run(job_type, handler, job)
        finally:
            with self._running_lock:
                self._running.pop(job.id, None)
        self._change_own(job, values)
        return True

    def _take(self) -> tuple[JobType, Handler, Job] | None:
        now = self._clock()
        with self._database.read_session() as session:
            due_at = job_repository.next_due_at(session, self._names)
        if due_at is None or due_at > now:
            return None  # checked before the write lock of SQLite is taken
        with self._turn() as session:
            while (job := job_repository.lock_next_due(session, self._names, now)) is not None:
                job_type, handler = self._handlers[job.name]
                job.version += 1
                if job.state == JobState.RUNNING and job_type.every is None and job.attempts >= job_type.max_attempts:
                    job.state, job.due_at, job.finished_at = JobState.PARKED.value, None, now
                    job.last_error = "Its worker ended before it did."
                    session.flush()
                    continue
                job.state, job.due_at, job.started_at = JobState.RUNNING.value, now + LEASE, now
                job.attempts += 1
                job.progress_done = job.progress_total = None
                session.commit()
                return job_type, handler, job
            session.commit()
        return None

    def _run(self, job_type: JobType, handler: Handler, job: Job) -> dict[str, Any]:
        """Call the handler; return the values of the row that follow."""
        try:
            handler(
                JobRun(
                    job.id,
                    job.payload,
                    job.attempts,
                    self._clock(),
                    report_progress=lambda done, total: self._report_progress(job, done, total),
                    is_stopping=self._stop_event.is_set,
                )
            )
        except JobPostponed as why:
            return {"state": JobState.WAITING, "due_at": why.until, "attempts": 0, "last_error": None}
        except JobRejected as why:
            logger.warning("Job %s (%s) is parked: %s", job.id, job.name, why)
            return self._parked(str(why))
        except Exception as why:  # the worker continues
            error = f"{type(why).__name__}: {why}"
            due_at = next_attempt_at(job_type, job.attempts, self._clock(), self._jitter())
            logger.warning("Attempt %s of job %s (%s) failed.", job.attempts, job.id, job.name, exc_info=True)
            if due_at is None:
                return self._parked(error)
            return {"state": JobState.WAITING, "due_at": due_at, "last_error": _storable(error)}
        done = {"finished_at": self._clock(), "last_error": None}
        if job_type.every is not None:
            return done | {"state": JobState.WAITING, "due_at": self._clock() + job_type.every, "attempts": 0}
        return done | {"state": JobState.DONE, "due_at": None}

    def _parked(self, error: str) -> dict[str, Any]:
        return {
            "state": JobState.PARKED,
            "due_at": None,
            "last_error": _storable(error),
            "finished_at": self._clock(),
        }

    def _change_own(self, job: Job, values: Mapping[str, Any]) -> None:
        try:
            with self._turn() as session:
                own = job_repository.change_own(session, job.id, job.version, {**values, "version": job.version + 1})
                session.commit()
        except SQLAlchemyError:
            logger.exception("Job %s ran and could not be marked; it is run again.", job.id)
            return
        if not own:
            logger.warning("Job %s (%s) was taken over while this worker ran it.", job.id, job.name)

    def _report_progress(self, job: Job, done: int, total: int | None) -> None:
        with self._turn() as session:
            job_repository.change_own(session, job.id, job.version, {"progress_done": done, "progress_total": total})
            session.commit()

    @contextmanager
    def _turn(self) -> Iterator[Session]:
        """Open a session that writes. On SQLite one thread at a time, and none for as long again after it.

        Who waits for the one writer of SQLite looks now and then whether it is free. Threads that took turns without a
        pause would let others wait for seconds.
        """
        if not self._database.is_sqlite:
            with self._database.session() as session:
                yield session
            return
        with self._turn_lock:
            started = time.monotonic()
            try:
                with self._database.session() as session:
                    yield session
            finally:
                time.sleep(min(time.monotonic() - started, _LONGEST_PAUSE_S))

    def _run_until_stopped(self) -> None:
        while not self._stop_event.is_set():
            with self._wake_event:
                seen = self._woken
            try:
                if not self._is_scheduled:
                    self.schedule()
                if self.run_next():
                    continue
                wait = self._seconds_to_next()
            except Exception:  # the worker continues, such as when the database is back
                logger.exception("Running jobs failed; it is tried again.")
                wait = _BROKEN_S
            with self._wake_event:
                if seen == self._woken and not self._stop_event.is_set():
                    self._wake_event.wait(wait)

    def _seconds_to_next(self) -> float:
        with self._database.read_session() as session:
            due_at = job_repository.next_due_at(session, self._names)
        if due_at is None:
            return self._look_every
        return min(max((due_at - self._clock()).total_seconds(), _CONTENDED_S), self._look_every)

    def _prolong_until_stopped(self) -> None:
        while not self._stop_event.wait(HEARTBEAT_S):
            self.prolong()

    def prolong(self) -> None:
        """Reserve what this process runs for another `LEASE`."""
        with self._running_lock:
            running = dict(self._running)
        if not running:
            return
        try:
            with self._turn() as session:
                for job_id, version in running.items():
                    job_repository.change_own(session, job_id, version, {"due_at": self._clock() + LEASE})
                session.commit()
        except SQLAlchemyError:
            logger.exception("The reservations of running jobs could not be prolonged.")


def _storable(error: str) -> str:
    """Return the beginning of a message, without what PostgreSQL cannot store."""
    return error[:MAX_ERROR].replace("\0", "").encode(errors="replace").decode()
