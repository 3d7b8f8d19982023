"""Implement `mik serve`: start the workers of the service."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

import app
from app import startup_checks
from app.auth import demo_staff
from app.bootstrap import prepare
from app.cli import common
from app.cli.common import fail, handle_errors, load_settings
from app.commit_pipeline import open_database
from app.core.dates import utc_now
from app.core.settings import Profile, Settings
from app.sandbox.installation import prepare_sandbox
from app.startup_checks import UncheckedSettings
from app.web import observability
from app.web.limits import connections
from app.web.limits.connections import LimitedHttpProtocol

START_S = 120
"""Seconds without an answer after which a worker is restarted; a slow machine needs so long to load."""


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Number of processes, one for each processor.")] = 1,
) -> None:
    """Serve the API and the pages.

    In the demo profile it first migrates the database and creates keys and staff, once. In production it creates and
    repairs nothing: it lists every unsafe setting and ends with 2 (as `mik doctor --only config` does).
    """
    start(host, port, workers=workers)


def start(host: str, port: int, *, workers: int = 1, reload: bool = False) -> None:
    """Prepare the installation and serve until a signal ends it; `reload`: restart when a file of `app/` changes."""
    if "MIK_BASE_URL" not in os.environ and os.environ.get("MIK_PROFILE", "demo") == "demo":
        os.environ["MIK_BASE_URL"] = f"http://localhost:{port}"  # inherited by the workers
    settings = load_settings(UncheckedSettings)
    if settings.profile is Profile.PRODUCTION and (
        found := startup_checks.find_start_errors(settings, utc_now(), workers=workers)
    ):
        fail("\n".join(["Configuration errors:", *(f"- {line}" for line in found)]))
    with handle_errors():
        prepare(settings, utc_now())
        if settings.profile is Profile.DEMO:
            with common.open_database(settings) as database:
                demo_staff.ensure_demo_staff(database, settings, utc_now())
        if settings.sandbox:
            prepare_sandbox(settings, utc_now)
    observability.configure_logging(settings)
    with handle_errors(), _metrics(settings, workers):
        _run(settings, host=host, port=port, workers=workers, reload=reload)


@contextmanager
def _metrics(settings: Settings, workers: int) -> Iterator[None]:
    """Serve the metrics of all workers when they are enabled."""
    if not settings.metrics_port:
        yield
        return
    database = open_database(settings.sqlalchemy_url)
    try:
        with observability.metrics_served(settings, workers, database):
            yield
    finally:
        database.dispose()


def _run(settings: Settings, *, host: str, port: int, workers: int, reload: bool) -> None:
    uvicorn.run(
        "app.main:from_environment",
        factory=True,
        http=LimitedHttpProtocol,
        ws="none",
        host=host,
        port=port,
        workers=workers,
        reload=reload,
        reload_dirs=[str(Path(app.__file__).parent)] if reload else None,
        reload_includes=["*.html", "*.toml", "*.po", "*.typ"] if reload else None,  # besides *.py
        log_level=settings.log_level,
        server_header=False,
        log_config=None,  # uvicorn's lines have the service's format
        access_log=False,  # app/web/observability.py writes it
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        backlog=connections.BACKLOG,
        timeout_keep_alive=connections.KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
        timeout_worker_healthcheck=START_S,
    )
