"""`mik serve` and `mik migrate`."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
import uvicorn

from app import schema
from app.access import demo_staff
from app.cli.check import stop_if_unsafe
from app.cli.frame import in_words, load_settings
from app.commit_pipeline import open_database
from app.main import prepare
from app.production import AsGiven
from app.settings import Profile, Settings
from app.web import connections, observability
from app.web.connections import LimitedHttpProtocol
from app.web.deps import utc_now

START_S = 120
"""How long a worker may not answer before it is taken for hung and started anew; on a slow machine it loads so long."""


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64)] = 1,
) -> None:
    """Serve the API. In the demo profile the database is migrated and staff are made first, once.

    In production nothing is made or repaired: what is unsafe is named, all at once, and nothing starts.
    """
    if "MIK_BASE_URL" not in os.environ and os.environ.get("MIK_PROFILE", "demo") == "demo":
        os.environ["MIK_BASE_URL"] = f"http://localhost:{port}"  # inherited by the workers
    settings = load_settings(AsGiven)
    if settings.profile is Profile.PRODUCTION:
        stop_if_unsafe(settings, workers)
    with in_words():
        prepare(settings, utc_now())
        if settings.profile is Profile.DEMO:
            database = open_database(settings.sqlalchemy_url)
            demo_staff.ensure(database, settings, utc_now())
            database.dispose()
    _start_workers_without_this_command()
    observability.configure_logging(settings)
    with in_words(), _metrics(settings, workers):
        _run(settings, host=host, port=port, workers=workers)


@contextmanager
def _metrics(settings: Settings, workers: int) -> Iterator[None]:
    """Serve the figures of all workers, if they are asked for."""
    if not settings.metrics_port:
        yield
        return
    database = open_database(settings.sqlalchemy_url)
    try:
        with observability.metrics_served(settings, workers, database):
            yield
    finally:
        database.dispose()


def _run(settings: Settings, *, host: str, port: int, workers: int) -> None:
    uvicorn.run(
        "app.main:from_environment",
        factory=True,
        http=LimitedHttpProtocol,
        ws="none",
        host=host,
        port=port,
        workers=workers,
        log_level=settings.log_level,
        server_header=False,
        log_config=None,  # its lines go where ours go, in the same form
        access_log=False,  # app/web/observability.py writes it
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        backlog=connections.BACKLOG,
        timeout_keep_alive=connections.KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
        timeout_worker_healthcheck=START_S,
    )


def _start_workers_without_this_command() -> None:
    """Let a worker answer at once that it is alive: before that, multiprocessing runs the script `mik` anew in it,
    which loads every command. It leaves out a main module that was started as `python -m app.cli`."""
    sys.modules["__main__"].__spec__ = importlib.util.find_spec("app.cli.__main__")


def migrate() -> None:
    """Bring the database to this version of the service."""
    settings = load_settings()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with in_words():
        database = open_database(settings.sqlalchemy_url)
        schema.migrate(database)
        database.dispose()
    typer.echo("The database is at this version.")
