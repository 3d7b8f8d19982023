"""Report everything that must not go to production: settings, environment, folder, keys, database and clock.

All reasons are reported together, each with its remedy. The checks change nothing.
"""

import difflib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from pydantic import model_validator
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import database_rights, database_schema
from app.audit import audit_repository
from app.auth import demo_staff, user_repository
from app.commit_pipeline import open_database
from app.core.crypto import pem_files, row_macs, secret_box
from app.core.database import MAX_OVERFLOW, POOL_SIZE, Database
from app.core.errors import UnsafeToStart
from app.core.settings import Settings, find_unsafe_settings
from app.documents.pdf import signing_certificate
from app.notifications.transport import read_smtp_password
from app.signing import issuer_identity, key_files, log_signer, signing_repository
from app.transparency import log_repository, witness_client
from app.transparency.signed_note import parse_vkey

DEMO_MARKER_FILE = "MADE-BY-THE-DEMO"
DEMO_EMAIL_SUFFIX = ".example"  # reserved by RFC 2606: no real address ends in it
MIN_NAME_SIMILARITY = 0.8  # below, the variable belongs to others, such as MIK_SERVICE_HOST of an orchestrator
CONNECTIONS_PER_WORKER = POOL_SIZE + MAX_OVERFLOW + 4  # the last 4 are those of the verification fast path
MIN_CLOCK, MAX_CLOCK = datetime(2025, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
MAX_NAMED_RIGHTS = 5
MAX_CLOCK_LAG = timedelta(minutes=5)


class UncheckedSettings(Settings):
    """Settings without their own validation, so that its errors are reported with all others."""

    @model_validator(mode="after")
    def _require_safe_in_production(self) -> Self:
        return self


def require_safe_to_start(settings: Settings, now: datetime, *, workers: int = 1) -> None:
    """Require that the service may start in production. Raises `UnsafeToStart`, one line for each reason."""
    if found := find_start_errors(settings, now, workers=workers):
        raise UnsafeToStart("\n".join(found))


def find_start_errors(
    settings: Settings, now: datetime, *, workers: int = 1, environment: Mapping[str, str] | None = None
) -> list[str]:
    """Return the reasons why the service must not start in production; `now` is aware, by this machine's clock."""
    return [
        *find_unsafe_settings(settings),
        *_check_variables(os.environ if environment is None else environment),
        *_check_data_dir(settings),
        *_check_keys(settings),
        *_check_pdf_signing(settings, now),
        *_check_mail(settings),
        *_check_witnesses(settings),
        *_check_clock(now),
        *_check_database(settings, now, workers),
    ]


def mark_demo_keys(settings: Settings) -> None:
    """Mark the folder before the demo creates its keys: they must never sign in production."""
    settings.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not settings.certificate_key.exists():
        note = "The keys in this folder were made by the demo profile, for trying out only.\n"
        (settings.keys_dir / DEMO_MARKER_FILE).write_text(note, "utf-8")


def _check_variables(environment: Mapping[str, str]) -> Iterator[str]:
    """Report misspelt `MIK_` variables, which would silently leave a default in force."""
    known = {f"MIK_{name.upper()}" for name in Settings.model_fields}
    for name in sorted(environment):
        if name.startswith("MIK_") and name not in known:
            for near in difflib.get_close_matches(name, known, 1, MIN_NAME_SIMILARITY):
                yield f"{name} is no setting of this service: the nearest is {near}; write that, or remove it"


def _check_data_dir(settings: Settings) -> Iterator[str]:
    folder = settings.data_dir
    if not folder.is_absolute():
        return  # reported by the settings already; a relative path has no fixed meaning
    if not folder.is_dir():
        yield f"MIK_DATA_DIR={folder} is not there: mount it, or make it with: mkdir -m 700 {folder}"
        return
    for each in (folder, settings.keys_dir):
        if each.is_dir() and (mode := each.stat().st_mode & 0o777) & 0o077:
            yield f"The folder {each} has mode {mode:04o}: others than its owner may look in; run: chmod 700 {each}"
    if (folder / demo_staff.ACCOUNTS_FILE).exists():
        yield (
            f"{folder / demo_staff.ACCOUNTS_FILE} holds the passwords of demo accounts: this is the folder of a demo; "
            "use another data folder and database"
        )
    if not _is_writable(settings.evidence_dir):
        yield (
            f"No file can be written in {settings.evidence_dir}: give the folder to the user who runs the service "
            "(chown), and mount it for writing"
        )


def _is_writable(folder: Path) -> bool:
    """Return whether a file can be created in the folder or its nearest existing parent."""
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _check_keys(settings: Settings) -> Iterator[str]:
    if (settings.keys_dir / DEMO_MARKER_FILE).exists():
        yield (
            f"The keys in {settings.keys_dir} were made by the demo profile: use another data folder, "
            "new keys are made at the first start"
        )
    for path, load in (
        *((path, pem_files.load_key) for path in key_files.list_key_files(settings.keys_dir)),
        (settings.access_key, pem_files.load_key),
        (settings.keys_dir / secret_box.KEY_FILE, pem_files.load_secret),
        (settings.row_key, pem_files.load_secret),
        (settings.log_key, log_signer.load_log_key),
        (settings.snapshots_key, pem_files.load_secret),
    ):
        if path.exists():
            try:
                load(path)
            except pem_files.UnsafeKeyFile as why:
                yield why.message


def _check_pdf_signing(settings: Settings, now: datetime) -> Iterator[str]:
    try:
        signing_certificate.identity_from_settings(settings, now)
    except signing_certificate.UnusablePdfKey as why:
        yield why.message


def _check_mail(settings: Settings) -> Iterator[str]:
    try:
        read_smtp_password(settings)
    except pem_files.UnsafeKeyFile as why:
        yield why.message


def _check_witnesses(settings: Settings) -> Iterator[str]:
    try:
        witness_client.load_policy(settings.witness_policy)
    except UnsafeToStart as why:
        yield from why.message.splitlines()


def _check_clock(now: datetime) -> Iterator[str]:
    if not MIN_CLOCK <= now <= MAX_CLOCK:
        yield f"The clock of this machine says {now:%Y-%m-%d}: set it, every certificate takes its dates from it"


def _check_database(settings: Settings, now: datetime, workers: int) -> Iterator[str]:
    path = settings.sqlite_path
    if not settings.database_url or (path is not None and not path.is_absolute()):
        return  # named already
    if path is not None:
        if not path.is_file():
            yield f"There is no database at {path}: make it with `mik admin migrate`, or correct MIK_DATABASE_URL"
            return
        for each in (path, path.with_name(path.name + "-wal")):
            if each.exists() and (mode := each.stat().st_mode & 0o777) & 0o077:
                yield f"The database {each} has mode {mode:04o}: others may read or change it; run: chmod 600 {each}"
    database = open_database(settings.sqlalchemy_url)
    try:
        yield from _check_database_content(database, settings, now, workers)
    except SQLAlchemyError as why:
        reason = str(getattr(why, "orig", why)).strip().splitlines()[0]
        yield f"The database cannot be used ({reason}): correct MIK_DATABASE_URL, or start the database"
    finally:
        database.dispose()


def _check_database_content(database: Database, settings: Settings, now: datetime, workers: int) -> Iterator[str]:
    limit = database.max_connections()
    if limit is not None and workers * CONNECTIONS_PER_WORKER > limit:
        yield (
            f"{workers} workers may open {workers * CONNECTIONS_PER_WORKER} connections, the database takes {limit}: "
            f"start at most {limit // CONNECTIONS_PER_WORKER} workers, or raise its max_connections"
        )
    if not database_schema.is_migrated(database):
        yield "The database is not migrated to this version of the service: back it up, then run `mik admin migrate`"
        return
    with database.read_session() as session:
        if demo := user_repository.list_emails_with_suffix(session, DEMO_EMAIL_SUFFIX):
            yield (
                f"The database holds demo accounts ({', '.join(demo)}): somebody may know their passwords; "
                "use another database"
            )
        yield from _check_issuer(session, settings)
        try:
            log_signer.require_same_log_key(session, settings.log_key)
        except pem_files.UnsafeKeyFile:
            pass  # named already
        except UnsafeToStart as why:
            yield why.message
        yield from _check_role(session, settings)
        if not settings.row_key.exists() and row_macs.has_macs(session):
            yield (
                f"Users and roles are authenticated with a key that is not at {settings.row_key}: "
                "put it back from your backup"
            )
        yield from _check_policy_log(session, settings)
        last = audit_repository.last_event_at(session)
        if last is not None and now < last - MAX_CLOCK_LAG:
            yield (
                f"The clock of this machine says {now:%Y-%m-%d %H:%M} UTC, but the newest event of the register is of "
                f"{last:%Y-%m-%d %H:%M}: set the clock"
            )


def _check_role(session: Session, settings: Settings) -> Iterator[str]:
    """Require a role that can do what the service needs, and not rewrite history."""
    role = database_rights.compare_role(session)
    if role is None:
        return
    if role.missing:
        yield (
            f"The role of MIK_DATABASE_URL lacks {_some(role.missing)}: run what `mik admin rights` prints, "
            "as the owner of the tables"
        )
    if settings.database_owner_allowed:
        return
    if role.owns_tables:
        yield (
            "The role of MIK_DATABASE_URL owns the tables and could rewrite history: migrate as the owner, serve as a "
            "role with the rights that `mik admin rights` prints, or accept it with MIK_DATABASE_OWNER_ALLOWED=true"
        )
    elif role.excess:
        yield (
            f"The role of MIK_DATABASE_URL has more rights than the service needs ({_some(role.excess)}): run what "
            "`mik admin rights` prints, or accept it with MIK_DATABASE_OWNER_ALLOWED=true"
        )


def _some(rights: Sequence[str]) -> str:
    left = len(rights) - MAX_NAMED_RIGHTS
    return ", ".join(rights[:MAX_NAMED_RIGHTS]) + (f" and {left} more" if left > 0 else "")


def _check_policy_log(session: Session, settings: Settings) -> Iterator[str]:
    """The policy of the witnesses must be about this log."""
    head = log_repository.get_head(session)
    with suppress(UnsafeToStart):  # a file that is refused is named already
        policy = witness_client.load_policy(settings.witness_policy)
        if policy is not None and head is not None and head.vkey is not None:
            try:
                witness_client.require_covered(policy, parse_vkey(head.vkey))
            except UnsafeToStart as why:
                yield why.message


def _check_issuer(session: Session, settings: Settings) -> Iterator[str]:
    """Require the issuer and the active key that this database was used with."""
    stored = issuer_identity.get_stored_issuer(session)
    if stored is not None and settings.issuer and stored != settings.issuer:
        yield (
            f"The database belongs to the issuer {stored}, but MIK_ISSUER is {settings.issuer}: "
            "use the database of this issuer, or its own settings"
        )
    active = signing_repository.get_active_kid(session)
    if active is None:
        return
    path = settings.certificate_key
    if not key_files.list_key_files(settings.keys_dir):
        yield f"The register signs with {active}, but {path} is not there: put it back from your backup"
        return
    with suppress(pem_files.UnsafeKeyFile):  # named already
        try:
            key_files.KeyFiles(settings.keys_dir, stored or "").get_signer(active)
        except key_files.KeyFileMissing:
            yield f"{path} is not the key that the register signs with, {active}: put the right file back"
