"""Open what writes and checks snapshots, for the service and for commands; makes the key file at first run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.certificates.model import Certificate
from app.certificates.read_model.snapshot import SnapshotKey
from app.core.crypto.keyring import KeyRing
from app.core.crypto.pem_files import load_or_create_secret
from app.core.database import Database
from app.core.settings import Settings
from app.signing import issuer_identity
from app.transparency.log_entry import Entry
from app.transparency.verified_log import VerifiedLog
from app.verification.snapshots import SnapshotWriter


def load_snapshot_key(settings: Settings) -> SnapshotKey:
    """Load the key of this installation for its public address. Raises `UnsafeKeyFile`."""
    secret = load_or_create_secret(settings.snapshots_key)
    return SnapshotKey(secret, settings.base_url, marking=settings.marking)


def find_snapshot_key(settings: Settings) -> SnapshotKey | None:
    """Return the key of this installation; None where there is no key file."""
    return load_snapshot_key(settings) if settings.snapshots_key.exists() else None


@dataclass(frozen=True, slots=True)
class DeferredWriter:
    """A `projector.Writer` for commands: opened at its first use, so that a command that only reads makes no key."""

    open_writer: Callable[[], SnapshotWriter]

    def write(self, session: Session, certificates: Sequence[Certificate], logged: Sequence[tuple[int, Entry]]) -> None:
        self.open_writer().write(session, certificates, logged)


def open_snapshot_writer(
    settings: Settings, database: Database, log: VerifiedLog, clock: Callable[[], datetime]
) -> SnapshotWriter:
    """Return a writer that loads the keys whenever it writes, for bootstrap and commands."""

    def keys() -> KeyRing:
        log.refresh(force=True)
        with database.read_session() as session:
            return KeyRing.from_keys(issuer_identity.load_keys(session, log).values())

    return create_snapshot_writer(settings, log, keys, keys, clock)


def create_snapshot_writer(
    settings: Settings,
    log: VerifiedLog,
    keys: Callable[[], KeyRing],
    reload_keys: Callable[[], KeyRing],
    clock: Callable[[], datetime],
) -> SnapshotWriter:
    return SnapshotWriter(
        load_snapshot_key(settings), log, keys, reload_keys, clock, settings.base_url, marking=settings.marking
    )
