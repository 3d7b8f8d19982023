"""Run rounds of `WitnessClient` in the background of a web worker: at once after an urgent entry, else by the clock."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from app.transparency.witness_client import WitnessClient

logger = logging.getLogger(__name__)


class WitnessRounds:
    """Call the client until the block ends; no failure of it reaches a request."""

    def __init__(self, client: WitnessClient) -> None:
        self.client = client
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake_event = asyncio.Event()

    def wake(self) -> None:
        """Ask for a round now; callable from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended; the next start or sweep asks
                self._loop.call_soon_threadsafe(self._wake_event.set)

    @asynccontextmanager
    async def run_in_background(self, every: float) -> AsyncIterator[None]:
        """Run a round every `every` seconds and after `wake`. 0, or no policy: none."""
        if not every or self.client.policy is None:
            yield
            return
        self._loop = asyncio.get_running_loop()
        task = asyncio.create_task(self._run(every))
        try:
            yield
        finally:
            self._loop = None
            self.client.stop()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self, every: float) -> None:
        while True:
            try:
                await asyncio.to_thread(self.client.run_round)
            except Exception:  # the next round tries again
                logger.exception("Asking the witnesses failed; it is tried again.")
            with suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await self._wake_event.wait()
            self._wake_event.clear()
