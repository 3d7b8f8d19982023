"""Share settings, database and error handling between commands: a message instead of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import commit_pipeline, database_schema
from app.applications.evidence import virus_scanner
from app.certificates.read_model import projector
from app.core.crypto.row_macs import ROW_MACS, ensure_row_macs, load_row_macs
from app.core.database import Database
from app.core.dates import utc_now
from app.core.errors import Invalid, MikError, UnsafeToStart
from app.core.settings import Settings
from app.signing.log_signer import LogKeyFile, open_verified_log
from app.transparency import appender
from app.transparency.witness_policy import PolicyRejected, WitnessPolicy, parse_policy
from app.verification.snapshot_setup import DeferredWriter, open_snapshot_writer

stderr = Console(stderr=True, soft_wrap=True, highlight=False)
REFUSED = 2


def fail(message: str) -> NoReturn:
    stderr.print(message, style="red", markup=False)
    raise typer.Exit(REFUSED)


@contextmanager
def handle_errors() -> Iterator[None]:
    """Print expected errors as a message and exit with code 2."""
    try:
        yield
    except (MikError, OperationalError) as why:
        fail(error_text(why))


def error_text(why: MikError | OperationalError) -> str:
    """Return the message for the operator; for invalid input with every location."""
    if isinstance(why, OperationalError):
        return f"The database cannot be used: {why.orig}"
    places = why.data.get("errors", []) if isinstance(why, Invalid) else []
    return "\n".join([why.message, *(f"  {each['pointer']}: {each['detail']}" for each in places)])


def load_settings(kind: type[Settings] = Settings) -> Settings:
    with handle_errors():
        return read_settings(kind)


def read_settings(kind: type[Settings] = Settings) -> Settings:
    """Return the settings of the environment. Raises `UnsafeToStart` with a line for each invalid one."""
    try:
        return kind()
    except ValidationError as why:
        lines = []
        for error in why.errors():
            name = "MIK_" + "_".join(map(str, error["loc"])).upper() + ": " if error["loc"] else ""
            lines.append(name + error["msg"].removeprefix("Value error, "))
        raise UnsafeToStart("The settings are refused.\n" + "\n".join(lines)) from why


def read_policy(path: Path | None) -> WitnessPolicy | None:
    """Return the policy of a reader; ends with its faults if it has any."""
    if path is None:
        return None
    try:
        return parse_policy(path.read_bytes())
    except OSError as why:
        fail(f"{path} cannot be read: {why.strerror}.")
    except PolicyRejected as why:
        fail(f"{path}:\n{why}")


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Open the database. Raises `UnsafeToStart` when it is not migrated to this version."""
    database = commit_pipeline.open_database(settings.sqlalchemy_url)
    try:
        if not database_schema.is_migrated(database):
            raise UnsafeToStart(
                "The database is not migrated to this version: run `mik admin migrate` "
                "(or `mik serve` in the demo profile)."
            )
        log_key = LogKeyFile(settings.log_key)
        log = open_verified_log(database, log_key, settings.verified_checkpoint)
        writer = DeferredWriter(lambda: open_snapshot_writer(settings, database, log, utc_now))
        database.attach_session_info(
            {
                appender.SIGNER_KEY: log_key,
                appender.GUARD_KEY: log,
                projector.WRITER_KEY: writer,
                virus_scanner.SCANNER_KEY: virus_scanner.scanner_from(settings.virus_scanner),
            }
        )
        if settings.row_key.exists():
            database.attach_session_info({ROW_MACS: load_row_macs(settings.row_key)})
        yield database
    finally:
        database.dispose()


@contextmanager
def write_session(settings: Settings) -> Iterator[Session]:
    """Open a session on the migrated database and commit it at the end."""
    with open_database(settings) as database:
        database.attach_session_info({ROW_MACS: ensure_row_macs(database, settings.row_key)})
        with database.session() as session:
            yield session
            session.commit()


def renew_snapshots(settings: Settings, database: Database, now: datetime) -> int:
    """Write the answers to verifications that are missing, or that time has changed; return how many."""
    log = open_verified_log(database, LogKeyFile(settings.log_key), settings.verified_checkpoint)
    writer = open_snapshot_writer(settings, database, log, lambda: now)
    with database.session() as session:
        count = writer.renew(session, now)
        session.commit()
    return count
