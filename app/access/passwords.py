"""Passwords: argon2id (64 MiB each), never more at once than the machine bears, and never a clue about who exists."""

from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.core.messages import Message
from app.errors import Invalid

MIN_LENGTH = 12
MAX_LENGTH = 256  # hashing megabytes would be an easy way to keep the service busy

NO_PASSWORD = ""
"""Stored for an account whose first password is still to be set: nothing matches it."""


class Passwords:
    """Hash and check passwords. Slow on purpose: call it before a write transaction begins."""

    def __init__(self, at_once: int) -> None:
        self._hasher = PasswordHash((Argon2Hasher(),))
        self._slots = BoundedSemaphore(at_once)
        self._nobody = self._hasher.hash("a password that nobody has")

    def hash(self, password: str) -> str:
        check_strength(password)
        with self._slots:
            return self._hasher.hash(password)

    def verify(self, password: str, stored: str | None) -> bool:
        """With no stored hash the same work is done, so that the time of answering does not tell who exists."""
        if len(password) > MAX_LENGTH:
            return False
        with self._slots:
            matches = self._hasher.verify(password, stored or self._nobody)
        return matches and bool(stored)


def check_strength(password: str) -> None:
    """Errors: Invalid."""
    if wrong := weakness(password):
        raise Invalid.at("/password", wrong)


def weakness(password: str) -> Message | None:
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
