"""How checks make way for everything else in the one event loop of a worker.

A loop that has two hundred checks before it answers them all before it looks at anything else: 15 ms. Other requests
hop to threads and back, a dozen turns of the loop each, and one that writes holds the lock of the database meanwhile.
So while others are at work, only a few checks go through in each turn. Nothing is lost by it: the processor is as busy
as before, and whoever waits has the same place in the line.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

MAX_PER_ITERATION = 16


class FairScheduler:
    """One for each worker process."""

    def __init__(self, at_once: int = MAX_PER_ITERATION) -> None:
        self._max_per_iteration = at_once
        self.active_requests = 0
        """How many are at work; a check need not wait for its turn while there are none."""
        self._remaining = at_once
        self._is_scheduled = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    @contextmanager
    def track_request(self) -> Iterator[None]:
        """Around whatever is no check."""
        self.active_requests += 1
        try:
            yield
        finally:
            self.active_requests -= 1

    async def acquire(self) -> None:
        """Wait for a turn of the loop in which there is room."""
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
            if not place.done():  # who waited may have hung up
                place.set_result(None)
                self._remaining -= 1
        self._is_scheduled = self._remaining < self._max_per_iteration
        if self._is_scheduled:
            asyncio.get_running_loop().call_soon(self._next_iteration)
