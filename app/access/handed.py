"""Secrets that are handed over once: random, and known to us only by their hash."""

import hashlib
import secrets

RANDOM_BYTES = 32


def new_token(prefix: str) -> tuple[str, str]:
    """A token and its hash. The prefix tells people, and the scanners that look for leaked secrets, what it is."""
    token = prefix + secrets.token_urlsafe(RANDOM_BYTES)
    return token, token_hash(token)


def token_hash(token: str) -> str:
    """Hex SHA-256. With 32 random bytes there is nothing to guess, so a slow hash would only cost."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
