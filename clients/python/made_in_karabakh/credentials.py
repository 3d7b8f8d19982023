"""Say who calls: an API client of a company, a person, or a session that was kept."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

STEP_SECONDS = 30
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Tokens:
    """Hold the tokens of a session. `expires_at` is aware; API clients have no refresh token."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """An API client of a company; `scope` narrows what it may do to a part of what was granted."""

    client_id: str
    secret: str = field(repr=False)
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Password:
    """A person. `codes` yields codes of the authenticator, each valid once; they are used where one is required."""

    email: str
    password: str = field(repr=False)
    codes: Iterator[str] | None = field(default=None, repr=False)


class TokenStore(Protocol):
    """Keep the tokens of one session. A refresh token works once: `exclusive` keeps other processes out meanwhile."""

    def exclusive(self) -> AbstractContextManager[object]: ...

    def load(self) -> Tokens | None: ...

    def save(self, tokens: Tokens) -> None: ...


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session that began earlier, such as by `mik login`."""

    store: TokenStore


Credentials = ClientCredentials | Password | KeptSession


class TotpCodes:
    """Yield codes of an authenticator (RFC 6238, SHA-1, six digits), each once, at most one step ahead of the clock."""

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        padded = secret.replace(" ", "").upper()
        self._key = base64.b32decode(padded + "=" * (-len(padded) % 8))
        self._clock, self._last = clock, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """Return the next code. Raises StopIteration when the clock must go on first."""
        now = int(self._clock()) // STEP_SECONDS
        step = max(now, self._last + 1)
        if step > now + 1:
            raise StopIteration
        self._last = step
        digest = hmac.digest(self._key, step.to_bytes(8), hashlib.sha1)
        number = int.from_bytes(digest[digest[-1] & 15 :][:4]) & 0x7FFFFFFF
        return f"{number % 10**DIGITS:0{DIGITS}}"
