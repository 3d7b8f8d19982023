"""Limit concurrent requests per work class (`password_hash`, `write`, `read`).

The limits are lower than the thread pool (40) and the connection pools. A request changes threads while it holds a
database connection: without limits, requests that wait for a connection (or, on SQLite, for the writer) could occupy
every thread, while the request that holds the connection waits for a thread. Requests wait in the event loop in the
order of arrival. One instance per worker.
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
"""Seconds that a request waits before it is answered with 503."""


class WorkClass(StrEnum):
    PASSWORD_HASH = "hashes"  # noqa: S105 (a class of work; hashing is slow on purpose)
    WRITE = "writes"
    READ = "reads"


DEFAULT_LIMITS: Mapping[WorkClass, int] = MappingProxyType(
    {WorkClass.PASSWORD_HASH: 6, WorkClass.WRITE: 9, WorkClass.READ: 12}
)


def limits_for(*, one_writer: bool) -> Mapping[WorkClass, int]:
    """Return the limits. With one database writer, one request writes: others would only poll for its lock."""
    return {**DEFAULT_LIMITS, WorkClass.WRITE: 1} if one_writer else DEFAULT_LIMITS


class ConcurrencyLimits:
    """Acquire and release slots per work class. Raises `Unavailable` after `timeout` seconds."""

    def __init__(
        self, limits: Mapping[WorkClass, int] = DEFAULT_LIMITS, timeout: float = QUEUE_TIMEOUT_S, *, hashers: int = 2
    ) -> None:
        self._reads = asyncio.Semaphore(limits[WorkClass.READ])
        self._shared = {
            kind: FairShareLimit(limits[kind], max(1, most // 2), max_waiting=100, timeout=timeout)
            for kind, most in ((WorkClass.PASSWORD_HASH, hashers), (WorkClass.WRITE, limits[WorkClass.WRITE]))
        }
        """Per client: a client that floods sign-in, registration or writes leaves half of the threads to others."""
        self._timeout_s = timeout

    async def acquire(self, request: Request, kind: WorkClass) -> None:
        """Wait for a slot; it is released when the request's session has ended, commit included."""
        stack = request.scope["fastapi_function_astack"]
        # FastAPI's own stack: the first callback runs last, after the dependencies of scope "function".
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
    """Limit concurrent uploads of a worker, per client and in total, and the files processed at once."""

    def __init__(self) -> None:
        self.limit = FairShareLimit(slots=16, per_key=4)
        self.threads = anyio.CapacityLimiter(2)


def client_key_of(request: Request) -> str:
    """Return the client of a request: the subject of its verified token, else its network."""
    sender: str | None = getattr(request.state, "sender", None)
    return sender or network_of(request.client.host if request.client else "")
