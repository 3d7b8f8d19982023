"""Share a few slots among many callers: none of them gets all, and they take turns.

A semaphore serves whoever comes: one caller that sends a thousand requests makes everybody else wait behind them. Here
each caller (`key`: a network, the subject of a token) has at most `per_key` slots, waits in a queue of its own with
room for `max_waiting`, and the queues are served in turn. One instance for each worker and kind of work; used in the
event loop alone.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.core.errors import Unavailable

BUSY_MESSAGE = "The service is busy. Nothing was changed; try again."


class FairShareLimit:
    """Errors of `enter`: Unavailable after `patience` seconds, or at once where the caller's queue is full."""

    def __init__(self, slots: int, per_key: int, *, max_waiting: int = 32, patience: float = 15.0) -> None:
        self._free, self._per_key = slots, per_key
        self._max_waiting, self._timeout_s = max_waiting, patience
        self._used: Counter[str] = Counter()
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}

    async def acquire(self, key: str) -> None:
        """Wait for a slot; `leave` gives it back."""
        queue = self._queues.get(key)
        if queue is None and self._has_slot(key):
            self._take(key)
            return
        if queue is not None and len(queue) >= self._max_waiting:
            raise Unavailable(BUSY_MESSAGE)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append(turn)
        try:
            async with asyncio.timeout(self._timeout_s):
                await turn
        except BaseException as why:
            if turn.done() and not turn.cancelled():  # the slot came in the same moment
                self.release(key)
            else:
                self._remove_waiter(key, turn)
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
        """Give free slots to the queues in turn: one that was served goes behind the others."""
        for key in list(self._queues):
            if not self._free:
                return
            if not self._has_slot(key):
                continue
            queue = self._queues.pop(key)
            turn = queue.popleft()
            if queue:
                self._queues[key] = queue
            self._take(key)
            turn.set_result(None)

    def _remove_waiter(self, key: str, turn: asyncio.Future[None]) -> None:
        queue = self._queues[key]
        queue.remove(turn)
        if not queue:
            del self._queues[key]
