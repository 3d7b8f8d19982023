"""Count verifications by verdict in memory and log the totals once a minute.

One counter per worker. No address and no number is counted, so that the log does not show who verified what. For
graphs, add up the log lines of all workers or set `MIK_METRICS_PORT` (app/web/observability.py).
"""

import logging
import time
from collections.abc import Callable

from app.verification.verdict import Verdict

log = logging.getLogger(__name__)

LOG_INTERVAL_S = 60.0


class VerdictCounter:
    """Count verdicts. `clock` returns monotonic seconds; `also` is called with the same."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        also: Callable[[Verdict, int], None] = lambda _verdict, _count: None,
    ) -> None:
        self._clock = clock
        self._also = also
        self._counts = dict.fromkeys(Verdict, 0)
        self._next_log_at = clock() + LOG_INTERVAL_S

    def increment(self, verdict: Verdict, by: int = 1) -> None:
        self._counts[verdict] += by
        self._also(verdict, by)
        if self._clock() >= self._next_log_at:
            self.log_totals()

    def log_totals(self) -> None:
        """Log the counts since the last call and reset them. Logs nothing when nothing was counted."""
        self._next_log_at = self._clock() + LOG_INTERVAL_S
        counted = [(count, verdict) for verdict, count in self._counts.items() if count]
        if counted:
            log.info("checks: %s", ", ".join(f"{verdict} {count}" for count, verdict in sorted(counted, reverse=True)))
            self._counts = dict.fromkeys(Verdict, 0)
