"""How many checks there were of each verdict, in this worker: counted in memory, written to the log once a minute.

No address and no number is counted: what is checked, and by whom, is nobody's business. For graphs, the log lines of
all workers are added up; there is no address at which strangers could read them.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable

from app.verification.checks import Verdict

log = logging.getLogger(__name__)

SECONDS = 60.0


class Tally:
    """`clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: Counter[Verdict] = Counter()
        self._next = clock() + SECONDS

    def count(self, verdict: Verdict) -> None:
        self._counts[verdict] += 1
        if self._clock() >= self._next:
            self.report()

    def report(self) -> None:
        """Log what was counted since the last time, and begin anew. Nothing is logged for nothing."""
        self._next = self._clock() + SECONDS
        if self._counts:
            log.info("checks: %s", ", ".join(f"{verdict} {count}" for verdict, count in self._counts.most_common()))
            self._counts.clear()
