"""The clock of the sandbox: the real one and a number of days, which is in a file and only grows."""

import fcntl
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from app.core.errors import Conflict
from app.core.files import replace_file
from app.core.messages import Message

MAX_DAYS: Final = 3_650
"""How far the clock can be moved until the sandbox is reset."""


class SandboxClock:
    """Callable as every clock. All processes that serve the sandbox read the same file."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path, self._clock = path, clock
        self._read: tuple[int, timedelta] = (0, timedelta())

    def __call__(self) -> datetime:
        return self._clock() + self._offset()

    def real_time(self) -> datetime:
        """Return the time that nobody moves, for limits in a day."""
        return self._clock()

    @property
    def days(self) -> int:
        """How many days it is ahead."""
        return self._offset().days

    def advance(self, days: int) -> datetime:
        """Move it forward and return the new time. Raises `Conflict` (`clock-limit`)."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            total = self._offset().days + days
            if total > MAX_DAYS:
                raise Conflict(
                    Message(
                        "The clock of the sandbox can be at most %(limit)s days ahead, and is %(days)s days ahead now. "
                        "It goes back when the sandbox is reset.",
                        limit=MAX_DAYS,
                        days=self.days,
                    ),
                    code="clock-limit",
                )
            replace_file(self._path, str(total).encode())
        return self()

    def _offset(self) -> timedelta:
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._read[0]:
                self._read = (changed, timedelta(days=int(self._path.read_bytes())))
        except FileNotFoundError:
            return timedelta()
        return self._read[1]
