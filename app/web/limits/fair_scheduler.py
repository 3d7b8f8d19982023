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

AT_ONCE = 16


class Turnstile:
    """One for each worker process."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self.others = 0
        """How many are at work; a check need not wait for its turn while there are none."""
        self._left = at_once
        self._is_turning = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    @contextmanager
    def other(self) -> Iterator[None]:
        """Around whatever is no check."""
        self.others += 1
        try:
            yield
        finally:
            self.others -= 1

    async def turn(self) -> None:
        """Wait for a turn of the loop in which there is room."""
        loop = asyncio.get_running_loop()
        if not self._is_turning:
            self._is_turning = True
            loop.call_soon(self._next_turn)
        if self._left:
            self._left -= 1
            return
        place: asyncio.Future[None] = loop.create_future()
        self._waiting.append(place)
        await place

    def _next_turn(self) -> None:
        self._left = self._at_once
        while self._waiting and self._left:
            place = self._waiting.popleft()
            if not place.done():  # who waited may have hung up
                place.set_result(None)
                self._left -= 1
        self._is_turning = self._left < self._at_once
        if self._is_turning:
            asyncio.get_running_loop().call_soon(self._next_turn)
