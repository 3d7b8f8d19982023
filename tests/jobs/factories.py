"""Workers whose handlers note what they were called with, on a clock that the test moves."""

from datetime import timedelta

import sqlalchemy as sa

from app.jobs import port
from app.jobs.job_type import JobType
from app.jobs.job_worker import JobWorker
from app.jobs.model import Job
from tests.factories import Clock

NOTE = JobType("test.note", max_attempts=3)
HOURLY = JobType("test.hourly", every=timedelta(hours=1))


class Bench:
    """A database with a worker of its own; `runs` are the attempts so far, `fails` what the next ones raise."""

    def __init__(self, database):
        self.database, self.clock, self.runs, self.fails = database, Clock(), [], []
        self.worker = self.hire()
        database.attach_session_info({port.WAKE_KEY: self.worker.wake})

    def hire(self, *types, handler=None):
        """One more worker, as in another process."""
        handlers = dict.fromkeys(types or (NOTE, HOURLY), handler or self.handle)
        return JobWorker(self.database, handlers, clock=self.clock, jitter=lambda: 0.0, look_every=60)

    def handle(self, run):
        self.runs.append(run)
        if self.fails and (error := self.fails.pop(0)) is not None:
            raise error

    def enqueue(self, payload=None, *, commit=True, **more):
        with self.database.session() as session:
            job_id = port.enqueue(session, NOTE, payload or {}, now=self.clock(), **more)
            session.commit() if commit else session.rollback()
        return job_id

    def job(self, job_id):
        with self.database.read_session() as session:
            return session.get(Job, job_id)

    def count(self):
        with self.database.read_session() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(Job))
