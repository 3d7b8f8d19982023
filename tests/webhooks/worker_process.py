"""`python -m tests.webhooks.worker_process worker …`: that command with a short lease and webhooks twice a second."""

import sys
from datetime import timedelta
from unittest.mock import patch

from app.jobs import job_worker
from app.jobs.job_type import JobType
from app.webhooks.delivery import DELIVER
from app.worker import handlers


def main():
    with (
        patch.object(handlers, "DELIVER", JobType(DELIVER.name, every=timedelta(seconds=0.5))),
        patch.object(job_worker, "LEASE", timedelta(seconds=1)),
        patch.object(job_worker, "HEARTBEAT_S", 0.2),
    ):
        from app.cli import main as mik  # noqa: PLC0415 (after the patches)

        mik()


if __name__ == "__main__":
    sys.exit(main())
