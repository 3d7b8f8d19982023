"""Limit verifications per event-loop iteration while other requests are active.

An event loop with two hundred pending verifications answers all of them before anything else: 15 ms. Other requests
change threads and back about a dozen times, and one that writes holds the database lock meanwhile. Throughput stays the
same, and waiting verifications keep their order (docs/decisions/0042).
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

MAX_PER_ITERATION = 16


class FairScheduler:
    """Schedule verifications. One instance per worker."""

    def __init__(self, max_per_iteration: int = MAX_PER_ITERATION) -> None:
        self._max_per_iteration = max_per_iteration
        self.active_requests = 0
        """Number of active other requests; while it is 0, verifications do not wait."""
        self._remaining = max_per_iteration
        self._is_scheduled = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    @contextmanager
    def track_request(self) -> Iterator[None]:
        """Count a request that is not a verification as active inside the block."""
        self.active_requests += 1
        try:
            yield
        finally:
            self.active_requests -= 1

    async def acquire(self) -> None:
        """Wait for an event-loop iteration with capacity."""
        loop = asyncio.get_running_loop()
        if not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._next_iteration)
        if self._remaining:
            self._remaining -= 1
            return
        place: asyncio.Future[None] = loop.create_future()
        self._waiting.append(place)
        await place

    def _next_iteration(self) -> None:
        self._remaining = self._max_per_iteration
        while self._waiting and self._remaining:
            place = self._waiting.popleft()
            if not place.done():  # the client may have disconnected
                place.set_result(None)
                self._remaining -= 1
        self._is_scheduled = self._remaining < self._max_per_iteration
        if self._is_scheduled:
            asyncio.get_running_loop().call_soon(self._next_iteration)
