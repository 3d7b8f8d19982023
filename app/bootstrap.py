"""Prepare the database and the files of an installation once, before its workers start."""

from datetime import datetime

from app import production, schema
from app.certificates import extracts, logged
from app.commit_pipeline import open_database
from app.db import Database
from app.errors import UnsafeToStart
from app.ledger import log, log_key
from app.ledger import service as ledger
from app.ledger.key_files import KeyFiles
from app.ledger.log_key import LogKeyFile
from app.registry import places
from app.schemes import service as schemes
from app.schemes.scheme_file import load_schemes
from app.settings import Profile, Settings


def prepare(settings: Settings, now: datetime) -> None:
    """Prepare tables (demo only), issuer, keys, marks with their rules, parks; run it again and it changes nothing.

    Certificates from before the public log are entered into it, and those without an extract get one. Raises
    `UnsafeToStart`, which says what to do.
    """
    if settings.profile is Profile.DEMO:
        production.mark_demo_keys(settings)
    database = open_database(settings.sqlalchemy_url)
    try:
        if settings.profile is Profile.DEMO:
            schema.migrate(database)
        require_migrated(database)
        database.carry({log.SIGNER: LogKeyFile(settings.log_key)})
        with database.session() as session:
            stored = ledger.stored_issuer(session)
            demo_issuer = stored or settings.default_issuer if settings.profile is Profile.DEMO else ""
            issuer = ledger.fix_issuer(session, settings.issuer or demo_issuer, now)
            log_key.adopt(session, settings.log_key)
            ledger.adopt_keys(session, KeyFiles(settings.keys_dir, issuer), now)
            schemes.publish(session, load_schemes().values(), now)
            logged.catch_up(session, now)
            places.seed_reference(session)
            session.commit()
        with database.session() as session:  # what was just logged is there now
            extracts.catch_up(session)
            session.commit()
    finally:
        database.dispose()


def require_migrated(database: Database) -> None:
    """Raises `UnsafeToStart` when the tables are those of another version."""
    if not schema.migrated(database):
        raise UnsafeToStart(
            "The database is not migrated to this version of the service: run `mik admin migrate` first."
        )
