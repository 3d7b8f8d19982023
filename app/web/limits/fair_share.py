"""Share a few slots among many clients in turn, so that no client occupies all of them.

A semaphore serves in order of arrival: a client with a thousand requests would delay all others. Here each client
(`key`: a network, the subject of a token) has at most `per_key` slots and a queue of up to `max_waiting`, and the
queues are served in turn. One instance per worker and kind of work; used in the event loop only.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.core.errors import Unavailable

BUSY_MESSAGE = "The service is busy. Nothing was changed; try again."


class FairShareLimit:
    """Acquire and release slots. `acquire` raises `Unavailable` after `timeout` seconds or when the queue is full."""

    def __init__(self, slots: int, per_key: int, *, max_waiting: int = 32, timeout: float = 15.0) -> None:
        self._free, self._per_key = slots, per_key
        self._max_waiting, self._timeout_s = max_waiting, timeout
        self._used: Counter[str] = Counter()
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}

    async def acquire(self, key: str) -> None:
        """Wait for a slot; `release` returns it."""
        queue = self._queues.get(key)
        if queue is None and self._has_slot(key):
            self._take(key)
            return
        if queue is not None and len(queue) >= self._max_waiting:
            raise Unavailable(BUSY_MESSAGE)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append(waiter)
        try:
            async with asyncio.timeout(self._timeout_s):
                await waiter
        except BaseException as why:
            if waiter.done() and not waiter.cancelled():  # the slot was granted at the moment of the timeout
                self.release(key)
            else:
                self._remove_waiter(key, waiter)
            if isinstance(why, TimeoutError):
                raise Unavailable(BUSY_MESSAGE) from None
            raise

    def release(self, key: str) -> None:
        self._free += 1
        self._used[key] -= 1
        if not self._used[key]:
            del self._used[key]
        self._grant_slots()

    @asynccontextmanager
    async def slot(self, key: str) -> AsyncIterator[None]:
        await self.acquire(key)
        try:
            yield
        finally:
            self.release(key)

    def _has_slot(self, key: str) -> bool:
        return self._free > 0 and self._used[key] < self._per_key

    def _take(self, key: str) -> None:
        self._free -= 1
        self._used[key] += 1

    def _grant_slots(self) -> None:
        """Grant free slots to the queues in turn; a served queue moves to the end."""
        for key in list(self._queues):
            if not self._free:
                return
            if not self._has_slot(key):
                continue
            queue = self._queues.pop(key)
            waiter = queue.popleft()
            if queue:
                self._queues[key] = queue
            self._take(key)
            waiter.set_result(None)

    def _remove_waiter(self, key: str, waiter: asyncio.Future[None]) -> None:
        queue = self._queues[key]
        queue.remove(waiter)
        if not queue:
            del self._queues[key]
