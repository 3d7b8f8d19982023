"""Passwords: argon2id (64 MiB each), never more at once than the machine bears, and never a clue about who exists.

And secrets that are handed over once: random, and known to us only by their hash.
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
MAX_LENGTH = 256  # hashing megabytes would be an easy way to keep the service busy

RANDOM_BYTES = 32

NO_PASSWORD = ""
"""Stored for an account whose first password is still to be set: nothing matches it."""


def _lower_thread_priority() -> None:
    """Let the event loop go first on the processor: it answers checks while passwords are compared."""
    if sys.platform == "linux":  # there, a thread has a priority of its own, and hands it on to those of argon2
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)


class PasswordHasher:
    """Hash and check passwords. Slow on purpose: call it before a write transaction begins."""

    def __init__(self, at_once: int) -> None:
        self._hasher = PasswordHash((Argon2Hasher(parallelism=1),))
        self._threads = ThreadPoolExecutor(at_once, "password", _lower_thread_priority)
        self._nobody = self._hasher.hash("a password that nobody has")

    def hash(self, password: str) -> str:
        require_strong_password(password)
        return self._threads.submit(self._hasher.hash, password).result()

    def verify(self, password: str, stored: str | None) -> bool:
        """With no stored hash the same work is done, so that the time of answering does not tell who exists."""
        if len(password) > MAX_LENGTH:
            return False
        matches = self._threads.submit(self._hasher.verify, password, stored or self._nobody).result()
        return matches and bool(stored)


def require_strong_password(password: str) -> None:
    """Errors: Invalid."""
    if wrong := find_weakness(password):
        raise Invalid.at("/password", wrong)


def find_weakness(password: str) -> Message | None:
    """Length is what counts (NIST SP 800-63B); one repeated letter is not a password."""
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
    """A token and its hash. The prefix tells people, and the scanners that look for leaked secrets, what it is."""
    token = prefix + secrets.token_urlsafe(RANDOM_BYTES)
    return token, token_hash(token)


def token_hash(token: str) -> str:
    """Hex SHA-256. With 32 random bytes there is nothing to guess, so a slow hash would only cost."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
