"""`python -m tests.jobs.worker_process worker|serve …`: that command with one more type of job and a short lease.

The job counts how often it was delivered, in the middle of a moment in which it can be killed.
"""

import sys
import time
from datetime import timedelta
from unittest.mock import patch

from sqlalchemy.dialects import postgresql, sqlite

from app.core.counters import Counter
from app.jobs import job_worker
from app.jobs.job_type import JobType
from app.worker import handlers

DELIVER = JobType("test.deliver", max_attempts=100)


def deliver(container, run):
    time.sleep(0.02)
    with container.database.session() as session:
        insert = sqlite.insert if container.database.is_sqlite else postgresql.insert
        statement = insert(Counter).values(name=f"test:{run.payload['n']:04}", value=1)
        again = {"value": Counter.value + 1}
        session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=again))
        session.commit()
    time.sleep(0.02)


def main():
    build = handlers.build_handlers

    def build_with_test(container):
        return build(container) | {DELIVER: lambda run: deliver(container, run)}

    with (
        patch.object(handlers, "build_handlers", build_with_test),
        patch.object(job_worker, "LEASE", timedelta(seconds=2)),
        patch.object(job_worker, "HEARTBEAT_S", 0.4),
    ):
        from app.cli import main as mik  # noqa: PLC0415 (after the patches)

        mik()


if __name__ == "__main__":
    sys.exit(main())
