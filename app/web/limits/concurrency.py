"""How many requests are at work at once; the others wait in the event loop, in the order in which they came.

A request hops between threads while it holds a database connection. If every thread were taken by requests that wait
for a connection (or, on SQLite, for the one writer), the one they wait for would find no thread to go on with, and all
would stand still until their waiting times out. The gates stay below the number of threads (40) and below the size of
the connection pools, each for its own kind of work: guesses of passwords cannot keep readers waiting.
"""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import anyio
from fastapi import Request

from app.auth.login_throttle import network_of
from app.core.errors import Unavailable
from app.web.limits.fair_share import BUSY_MESSAGE, FairShareLimit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
QUEUE_TIMEOUT_S = 15.0
"""Seconds that a request waits before it is told to come back."""


class WorkClass(StrEnum):
    PASSWORD_HASH = "hashes"  # noqa: S105 (a class of work; hashing is slow on purpose)
    WRITE = "writes"
    READ = "reads"


DEFAULT_LIMITS: Mapping[WorkClass, int] = MappingProxyType(
    {WorkClass.PASSWORD_HASH: 6, WorkClass.WRITE: 9, WorkClass.READ: 12}
)


def limits_for(*, one_writer: bool) -> Mapping[WorkClass, int]:
    """Where a database has one writer at a time, one request writes: others would only wait for its lock on threads,
    looking again every tenth of a second, and in no order."""
    return {**DEFAULT_LIMITS, WorkClass.WRITE: 1} if one_writer else DEFAULT_LIMITS


class ConcurrencyLimits:
    """One for each worker process."""

    def __init__(
        self, at_work: Mapping[WorkClass, int] = DEFAULT_LIMITS, patience: float = QUEUE_TIMEOUT_S, *, hashers: int = 2
    ) -> None:
        self._reads = asyncio.Semaphore(at_work[WorkClass.READ])
        self._shared = {
            kind: FairShareLimit(at_work[kind], max(1, most // 2), max_waiting=100, patience=patience)
            for kind, most in ((WorkClass.PASSWORD_HASH, hashers), (WorkClass.WRITE, at_work[WorkClass.WRITE]))
        }
        """By sender: one that floods sign-in, registration or writes leaves half of the threads to the others."""
        self._timeout_s = patience

    async def acquire(self, request: Request, kind: WorkClass) -> None:
        """Wait for a place; it is given back when the request's session has ended, commit included."""
        stack = request.scope["fastapi_function_astack"]
        # FastAPI's own stack: what was pushed first ends last, after the dependencies of scope "function".
        if kind is not WorkClass.READ:
            sender = client_key_of(request)
            await self._shared[kind].acquire(sender)
            stack.callback(self._shared[kind].release, sender)
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._reads.acquire()
        except TimeoutError:
            raise Unavailable(BUSY_MESSAGE) from None
        stack.callback(self._reads.release)


class UploadLimits:
    """How many files a worker takes in at once, from one sender and in all, and how many it works on."""

    def __init__(self) -> None:
        self.limit = FairShareLimit(slots=16, per_key=4)
        self.threads = anyio.CapacityLimiter(2)


def client_key_of(request: Request) -> str:
    """Whom a request counts for: the subject of its token, which the route has checked; without one, its network."""
    sender: str | None = getattr(request.state, "sender", None)
    return sender or network_of(request.client.host if request.client else "")
