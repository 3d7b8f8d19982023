"""Hash passwords with argon2id (64 MiB each), with limited parallelism, in constant time for missing accounts.

One-time secrets are random tokens of which only the hash is stored.
"""

import hashlib
import os
import secrets
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.core.errors import Invalid
from app.core.messages import Message

MIN_LENGTH = 12
MAX_LENGTH = 256  # hashing megabytes would allow a denial of service

RANDOM_BYTES = 32

NO_PASSWORD = ""
"""Stored for an account whose first password is still to be set; no password matches it."""


def _lower_thread_priority() -> None:
    """Lower the priority of this thread, so that the event loop answers verifications while passwords are hashed."""
    if sys.platform == "linux":  # there, threads have their own priority, which the threads of argon2 inherit
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)


class PasswordHasher:
    """Hash and verify passwords. Slow by design: call it before a write transaction begins."""

    def __init__(self, max_parallel: int) -> None:
        self._hasher = PasswordHash((Argon2Hasher(parallelism=1),))
        self._threads = ThreadPoolExecutor(max_parallel, "password", _lower_thread_priority)
        self._dummy_hash = self._hasher.hash("a password that nobody has")

    def hash(self, password: str) -> str:
        """Hash a password with argon2id."""
        require_strong_password(password)
        return self._threads.submit(self._hasher.hash, password).result()

    def verify(self, password: str, stored: str | None) -> bool:
        """Verify a password. Without a stored hash it takes as long, so that timing does not reveal accounts."""
        if len(password) > MAX_LENGTH:
            return False
        matches = self._threads.submit(self._hasher.verify, password, stored or self._dummy_hash).result()
        return matches and bool(stored)


def require_strong_password(password: str) -> None:
    """Require a strong password. Raises `Invalid` at `/password`."""
    if weakness := find_weakness(password):
        raise Invalid.at("/password", weakness)


def find_weakness(password: str) -> Message | None:
    """Return the weakness of a password, or None. Length is decisive (NIST SP 800-63B)."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return Message(
            "A password has %(minimum)s to %(maximum)s characters.",
            code="wrong-length",
            minimum=MIN_LENGTH,
            maximum=MAX_LENGTH,
        )
    if len(set(password)) < 4:
        return Message("This password repeats too few characters.", code="weak-password")
    return None


def new_token(prefix: str) -> tuple[str, str]:
    """Return a token and its hash. The prefix identifies its type to users and to secret scanners."""
    token = prefix + secrets.token_urlsafe(RANDOM_BYTES)
    return token, token_hash(token)


def password_sha256(password_hash: str) -> str:
    """Return what the audit trail holds of a password, so that an old row is noticed: SHA-256 of its salted hash."""
    return hashlib.sha256(password_hash.encode()).hexdigest()


def token_hash(token: str) -> str:
    """Hash a token with SHA-256, in hex. It has 32 random bytes, so a slow hash would add only cost."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
