"""Provide the keys to every worker, reloaded each second, so that a change needs no restart."""

import logging
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.crypto.keyring import KeyRing, KeyState
from app.core.crypto.signer import Signer
from app.core.database import Database
from app.core.errors import Unavailable
from app.signing import issuer_identity, signing_repository
from app.signing.key_files import KeyFiles

RELOAD_SECONDS = 1.0
"""Maximum delay until every verification sees a compromised key."""
_log = logging.getLogger(__name__)


class NoActiveKey(Unavailable):
    """Nothing can be signed until the owner activates a key."""

    code = "no-active-key"

    def __init__(self) -> None:
        super().__init__("No key is active: nothing can be signed until the owner of the mark activates one.")


class KeyProvider:
    def __init__(self, database: Database, files: KeyFiles, seconds: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._files = files
        self._seconds = seconds
        self._read_at = seconds()
        self._keyring = KeyRing.from_keys(())
        self._keyring = self._load_keyring()

    def keyring(self) -> KeyRing:
        """As of a second ago at most; if the database is away, as of when it was last there.

        The very same object while nothing changed: what was made for it stays good.
        """
        if self._seconds() - self._read_at >= RELOAD_SECONDS:
            self._read_at = self._seconds()  # before reading: of many at once one reads
            try:
                self._keyring = self._load_keyring()
            except SQLAlchemyError as why:
                _log.warning("The keys cannot be read anew: %s", why.__class__.__name__)
        return self._keyring

    def reload(self) -> KeyRing:
        """As of now."""
        self._read_at, self._keyring = self._seconds(), self._load_keyring()
        return self._keyring

    def active_signer(self) -> Signer:
        """The active key, for what is made outside a transaction. Errors: NoActiveKey, KeyFileAway."""
        for key in self.keyring().by_kid.values():
            if key.state is KeyState.ACTIVE:
                return self._files.get_signer(key.kid)
        raise NoActiveKey

    def lock_active_signer(self, session: Session) -> Signer:
        """The key that is active now and stays so until this transaction ends. Errors: NoActiveKey, KeyFileAway."""
        # Whoever waited here for a change of keys to end sees the old key no more and the new one not yet: ask again.
        kid = signing_repository.get_active_kid(session, for_share=True) or signing_repository.get_active_kid(
            session, for_share=True
        )
        if kid is None:
            raise NoActiveKey
        return self._files.get_signer(kid)

    def _load_keyring(self) -> KeyRing:
        with self._database.read_session() as session:
            keyring = KeyRing.from_keys(issuer_identity.load_keys(session).values())
        return self._keyring if keyring.by_kid == self._keyring.by_kid else keyring
