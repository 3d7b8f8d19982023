"""Prepare the database and the files of an installation once, before its workers start."""

from datetime import datetime

from app import database_schema, startup_checks
from app.auth import role_log, user_repository
from app.certificates import log_events
from app.certificates.read_model import projector
from app.commit_pipeline import open_database
from app.core.crypto.row_macs import ROW_MACS, ensure_row_macs
from app.core.database import Database
from app.core.errors import UnsafeToStart
from app.core.settings import Profile, Settings
from app.reference import parks
from app.schemes import publishing
from app.schemes.scheme_loader import load_schemes
from app.signing import issuer_identity, log_signer
from app.signing.key_files import KeyFiles
from app.signing.log_signer import LogKeyFile
from app.transparency import appender, log_repository
from app.verification.snapshot_setup import open_snapshot_writer


def prepare(settings: Settings, now: datetime) -> None:
    """Prepare tables (demo only), issuer, keys, schemes with their rulesets and parks. Idempotent.

    Certificates that precede the public log are entered into it, and those without a snapshot get one. Raises
    `UnsafeToStart`, which states what to do.
    """
    if settings.profile is Profile.DEMO:
        startup_checks.mark_demo_keys(settings)
    database = open_database(settings.sqlalchemy_url)
    try:
        if settings.profile is Profile.DEMO:
            database_schema.migrate(database)
        require_migrated(database)
        row_macs = ensure_row_macs(database, settings.row_key)
        log_key = LogKeyFile(settings.log_key)
        log = log_signer.open_verified_log(database, log_key, settings.verified_checkpoint)
        writer = open_snapshot_writer(settings, database, log, lambda: now)
        database.attach_session_info(
            {
                appender.SIGNER_KEY: log_key,
                appender.GUARD_KEY: log,
                projector.WRITER_KEY: writer,
                ROW_MACS: row_macs,
            }
        )
        with database.session() as session:
            stored = issuer_identity.get_stored_issuer(session)
            demo_issuer = stored or settings.default_issuer if settings.profile is Profile.DEMO else ""
            issuer = issuer_identity.set_issuer_once(session, settings.issuer or demo_issuer, now)
            log_signer.ensure_log_key(session, settings.log_key)
            key_files = KeyFiles(settings.keys_dir, issuer)
            issuer_identity.register_keys(session, key_files, now)
            publishing.publish_rulesets(session, load_schemes().values(), now)
            if log_repository.is_unused(session):  # later no certificate can be older than the log
                log_events.backfill(session, key_files.public_keys(), now)
            role_log.log_present_roles(session, user_repository.list_all_roles(session), now)
            parks.seed_parks(session)
            session.commit()
        with database.session() as session:  # a new transaction, which reads the log entries just committed
            writer.renew(session, now)
            session.commit()
    finally:
        database.dispose()


def require_migrated(database: Database) -> None:
    """Require the tables of this version. Raises `UnsafeToStart` otherwise."""
    if not database_schema.is_migrated(database):
        raise UnsafeToStart(
            "The database is not migrated to this version of the service: run `mik admin migrate` first."
        )
