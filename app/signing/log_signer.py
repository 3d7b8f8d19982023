"""Load and create the Ed25519 key file of the public log, and provide its signer."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from app.core.crypto.pem_files import UnsafeKeyFile, read_private_file, write_private
from app.core.database import Database
from app.core.errors import UnsafeToStart
from app.core.messages import Message
from app.signing import signing_repository
from app.transparency import log_repository
from app.transparency.appender import LogKeyMissing
from app.transparency.checkpoint import origin_of
from app.transparency.signed_note import NoteSigner, Verifier
from app.transparency.verified_log import VerifiedLog


class LogKeyFile:
    """A `SignerProvider` for `appender.SIGNER_KEY`. The key file is read at the first use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._signer: NoteSigner | None = None

    def __call__(self, session: Session) -> NoteSigner:
        """Return the signer of the log. Raises `LogKeyMissing`, `UnsafeKeyFile`."""
        if self._signer is None:
            self._signer = self._load_signer(session)
        return self._signer

    def _load_signer(self, session: Session) -> NoteSigner:
        try:
            key = load_log_key(self._path)
        except FileNotFoundError:
            raise LogKeyMissing(
                Message("There is no key of the public log at %(path)s.", path=str(self._path))
            ) from None
        issuer = signing_repository.get_issuer(
            session
        )  # never changes after the first run, so the signer can be cached
        if issuer is None:
            raise LogKeyMissing("The issuer is not set yet, and the log takes its name from it.")
        return NoteSigner(origin_of(issuer), key)


def open_verified_log(database: Database, key_file: LogKeyFile, checkpoint_file: Path | None) -> VerifiedLog:
    """Return the verified log of this installation, not yet read. The key of the key file verifies it."""

    def verifier() -> Verifier:
        with database.read_session() as session:
            return key_file(session).verifier

    return VerifiedLog(database, verifier, checkpoint_file)


def ensure_log_key(session: Session, path: Path) -> None:
    """Create the key at first run. Raises `UnsafeToStart` for another key later: clients pin the first one."""
    require_same_log_key(session, path)
    load_or_create_log_key(path)


def require_same_log_key(session: Session, path: Path) -> None:
    """Require the key that the log was started with. Raises `UnsafeToStart`."""
    head = log_repository.get_head(session)
    begun = head.vkey if head is not None else None
    if begun is None:
        return
    try:
        signer = LogKeyFile(path)(session)
    except LogKeyMissing:
        raise UnsafeToStart(
            f"The public log is signed with {begun}, but {path} is not there. Put it back from your backup."
        ) from None
    if signer.verifier.vkey != begun:
        raise UnsafeToStart(
            f"The public log was started with {begun}, but {path} holds {signer.verifier.vkey}. "
            "Put the right key file back into the data folder."
        )


def load_or_create_log_key(path: Path) -> Ed25519PrivateKey:
    """Load the key in this file, or create it."""
    try:
        return load_log_key(path)
    except FileNotFoundError:
        key = Ed25519PrivateKey.generate()
        encoding, key_format = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        write_private(path, key.private_bytes(encoding, key_format, serialization.NoEncryption()))
        return load_log_key(path)


def load_log_key(path: Path) -> Ed25519PrivateKey:
    """Load the key of an existing file. Raises FileNotFoundError or `UnsafeKeyFile`."""
    pem = read_private_file(path)
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as why:
        raise UnsafeKeyFile(f"The key file {path} is refused. It does not hold a private key in PEM.") from why
    if not isinstance(key, Ed25519PrivateKey):
        raise UnsafeKeyFile(f"The key file {path} is refused. The key of the log is an Ed25519 key.")
    return key
