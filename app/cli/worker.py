"""Implement `mik worker`: run background jobs in a process of their own."""

import signal
import threading
from typing import Annotated

import typer

from app.cli.common import handle_errors, load_settings
from app.core.dates import utc_now
from app.main import build_container
from app.worker.handlers import build_worker


def worker(
    threads: Annotated[int, typer.Option(min=1, max=64, help="Jobs to run at once.")] = 4,
) -> None:
    """Run background jobs, apart from the service.

    In production start one or several, on any machine, and the service with MIK_JOB_THREADS=0. A signal ends it: what
    runs is finished if that takes seconds, else another worker runs it again a minute later.
    """
    settings = load_settings()
    with handle_errors():
        container = build_container(settings, utc_now)
        stopped = threading.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: stopped.set())
        try:
            with build_worker(container).run_in_background(threads):
                stopped.wait()
        finally:
            container.reading_trail.close()
            container.database.dispose()
