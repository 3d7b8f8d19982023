"""Bound how many threads of a worker read certificates and render documents at a time."""

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from app.core.errors import Unavailable

T = TypeVar("T")
MAX_READS, MAX_RENDERINGS, MAX_WAITING = 4, 2, 16
"""In one worker: concurrent look-ups, concurrent renderings, and renderings that may wait. Each takes a processor."""


class RenderPool:
    """Two thread limits: look-ups return their database connection before any rendering begins."""

    def __init__(self) -> None:
        self._reads = anyio.CapacityLimiter(MAX_READS)
        self._renderings = anyio.CapacityLimiter(MAX_RENDERINGS)

    async def read(self, work: Callable[[], T]) -> T:
        """Run a look-up on a thread."""
        return await anyio.to_thread.run_sync(work, limiter=self._reads)

    async def render(self, work: Callable[[], T]) -> T:
        """Run a rendering on a thread. Raises `Unavailable` when too many renderings wait already."""
        if self._renderings.statistics().tasks_waiting >= MAX_WAITING:
            raise Unavailable("Too many PDF files are being made. Try again shortly.")
        return await anyio.to_thread.run_sync(work, limiter=self._renderings)
