"""Derive the settings of the sandbox, prepare it, and reset it."""

import shutil
from collections.abc import Callable
from datetime import datetime

from app.auth import demo_staff
from app.bootstrap import prepare
from app.commit_pipeline import open_database
from app.core.database import Database
from app.core.errors import UnsafeToStart
from app.core.settings import Profile, Settings
from app.sandbox import sandbox_repository
from app.sandbox.clock import SandboxClock
from app.signing import issuer_identity
from app.signing.log_signer import LogKeyFile, open_verified_log
from app.transparency import appender

PATH = "/sandbox"
"""Where the service serves it."""


def sandbox_settings(settings: Settings) -> Settings:
    """Return the settings of the sandbox beside an installation: nothing that it stores or signs with is shared."""
    return settings.model_copy(
        update={
            "profile": Profile.DEMO,  # it makes its own keys, tables and staff
            "sandbox": False,
            "base_url": settings.base_url + PATH,
            "data_dir": settings.data_dir / "sandbox",
            "database_url": settings.sandbox_database_url,
            "sandbox_database_url": "",
            "issuer": "",
            "paper_key": "",
            "paper_certificates": "",
            "timestamp_url": "",
            "smtp_url": "",  # its messages are files: it writes to nobody
            "smtp_password_file": "",
            "mail_from": "",
            "witness_policy": "",
            "witness_seconds": 0,
            "export_folder": "",
            "resident_register": "",
            "tax_register": "",
            "sanctions_list": "",
            "identity_providers": (),
            "metrics_port": 0,
            "client_secret_days": 36_500,  # its clock is moved by years
            "job_seconds": 1,
        }
    )


def sandbox_clock(settings: Settings, clock: Callable[[], datetime]) -> SandboxClock:
    """Return the clock of the sandbox with these settings of its own."""
    return SandboxClock(settings.data_dir / "clock", clock)


def prepare_sandbox(settings: Settings, clock: Callable[[], datetime]) -> None:
    """Prepare the sandbox of an installation, once, before its workers start. Raises `UnsafeToStart`."""
    own = sandbox_settings(settings)
    now = sandbox_clock(own, clock)()
    prepare(own, now)
    database = open_database(own.sqlalchemy_url)
    log_key = LogKeyFile(own.log_key)
    log = open_verified_log(database, log_key, own.verified_checkpoint)
    database.attach_session_info({appender.SIGNER_KEY: log_key, appender.GUARD_KEY: log})
    try:
        demo_staff.ensure_demo_staff(database, own, now)
    finally:
        database.dispose()


def reset_sandbox(settings: Settings) -> None:
    """Delete everything of the sandbox: tables, keys, files, clock. The service must not run meanwhile.

    Raises `UnsafeToStart` where the database does not belong to a sandbox.
    """
    own = sandbox_settings(settings)
    database = open_database(own.sqlalchemy_url)
    try:
        if sandbox_repository.has_tables(database):
            _require_sandbox(database, own)
        if not database.is_sqlite:
            sandbox_repository.drop_schema(database)
    finally:
        database.dispose()
    path = own.sqlite_path
    if path is not None:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.rmtree(own.data_dir, ignore_errors=True)


def _require_sandbox(database: Database, own: Settings) -> None:
    with database.read_session() as session:
        issuer = issuer_identity.get_stored_issuer(session)
    if issuer is not None and issuer != own.default_issuer:
        raise UnsafeToStart(
            f"This database belongs to the issuer {issuer}, not to the sandbox {own.default_issuer}. "
            "Nothing was deleted; correct MIK_SANDBOX_DATABASE_URL."
        )
