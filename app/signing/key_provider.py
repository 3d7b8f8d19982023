"""Provide the keys to a worker, and reload them every second, so that a change needs no restart."""

import logging
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.crypto.keyring import KeyRing, KeyState
from app.core.crypto.signer import Signer
from app.core.database import Database
from app.core.errors import Unavailable
from app.core.messages import Message
from app.signing import issuer_identity, signing_repository
from app.signing.key_files import KeyFiles
from app.transparency.appender import LogDamaged
from app.transparency.verified_log import VerifiedLog

RELOAD_SECONDS = 1.0
"""Maximum delay until every verification sees a compromised key."""
_log = logging.getLogger(__name__)


class NoActiveKey(Unavailable):
    """Nothing can be signed until the owner activates a key."""

    code = "no-active-key"

    def __init__(self) -> None:
        super().__init__("No key is active: nothing can be signed until the owner of the mark activates one.")


class KeyProvider:
    """The log says which keys exist and in which state; see `issuer_identity.load_keys`."""

    def __init__(
        self, database: Database, files: KeyFiles, log: VerifiedLog, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._files = files
        self._log = log
        self._clock = clock
        self._loaded_at = clock()
        self._keyring = KeyRing.from_keys(())
        self._keyring = self._load_keyring()

    def keyring(self) -> KeyRing:
        """Return the keys, at most one second old; if the database is unavailable, as last loaded.

        Returns the same object until a key changes, so that values cached for it stay valid.
        """
        if self._clock() - self._loaded_at >= RELOAD_SECONDS:
            self._loaded_at = self._clock()  # before loading, so that only one of concurrent callers loads
            try:
                self._keyring = self._load_keyring()
            except (SQLAlchemyError, LogDamaged) as why:
                _log.warning("The keys cannot be reloaded: %s", why.__class__.__name__)
        return self._keyring

    def reload(self) -> KeyRing:
        """Load the current keys now and return them."""
        self._loaded_at, self._keyring = self._clock(), self._load_keyring()
        return self._keyring

    def active_signer(self) -> Signer:
        """Return the active signer, for use outside a transaction. Raises `NoActiveKey`, `KeyFileMissing`."""
        for key in self.keyring().by_kid.values():
            if key.state is KeyState.ACTIVE:
                return self._files.get_signer(key.kid)
        raise NoActiveKey

    def lock_active_signer(self, session: Session) -> Signer:
        """Return the active signer, which stays active until this transaction ends.

        Raises `NoActiveKey`, `KeyFileMissing`.
        """
        # A query that waited for a concurrent key change finds neither the old key nor yet the new one: repeat it.
        kid = signing_repository.get_active_kid(session, for_share=True) or signing_repository.get_active_kid(
            session, for_share=True
        )
        if kid is None:
            raise NoActiveKey
        self._require_active_in_log(kid)
        return self._files.get_signer(kid)

    def _require_active_in_log(self, kid: str) -> None:
        """Raise `LogDamaged` where the row of a key says more than the log does."""
        self._log.require_intact()
        entries = self._log.entries_about("key", kid)
        if not entries or issuer_identity.state_of(entries)[0] is not KeyState.ACTIVE:
            self._log.refresh(force=True)  # it may have become active within this second
            entries = self._log.entries_about("key", kid)
        if not entries or issuer_identity.state_of(entries)[0] is not KeyState.ACTIVE:
            raise LogDamaged(Message("the key %(kid)s is active in the database, but not in the log.", kid=kid))

    def _load_keyring(self) -> KeyRing:
        self._log.refresh(force=True)
        with self._database.read_session() as session:
            keyring = KeyRing.from_keys(issuer_identity.load_keys(session, self._log).values())
        return self._keyring if keyring.by_kid == self._keyring.by_kid else keyring
