"""Compute with days, months and moments in Asia/Baku, four hours ahead of UTC all year. Pure, except `utc_now`."""

import calendar
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

BAKU: Final = timezone(timedelta(hours=4), "+04:00")  # Azerbaijan has no daylight saving time


def utc_now() -> datetime:
    """Read the clock of the service; tests replace it through `app.state.clock`."""
    return datetime.now(UTC)


def format_utc(moment: datetime) -> str:
    """Format a moment by RFC 3339 in UTC, to the second: `2026-11-22T17:00:00Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def format_age(passed: timedelta) -> str:
    """Format an age as `5 h`, `3 d 4 h` or `12 min`; under a minute or negative is `0 min`."""
    minutes = max(0, int(passed.total_seconds()) // 60)
    if minutes < 60:
        return f"{minutes} min"
    days, hours = divmod(minutes // 60, 24)
    if not days:
        return f"{hours} h"
    return f"{days} d {hours} h" if hours else f"{days} d"


def baku_day(moment: datetime) -> date:
    """Return the calendar day of a moment in Asia/Baku."""
    return moment.astimezone(BAKU).date()


def day_start(day: date) -> datetime:
    """Return the first moment of a day in Asia/Baku."""
    return datetime.combine(day, time.min, BAKU)


def day_end(day: date) -> datetime:
    """Return the last whole second of a day in Asia/Baku."""
    return datetime.combine(day, time(23, 59, 59), BAKU)


def subtract_months(day: date, months: int) -> date:
    """Return the day that many months earlier; where the month lacks that day, its last day."""
    return add_months(day, -months)


def add_months(day: date, months: int) -> date:
    """Return the day that many months later; where the month lacks that day, its last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if year < date.min.year:
        return date.min
    if year > date.max.year:
        return date.max
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def last_valid_day(first: date, months: int, ends: Iterable[date | None]) -> date:
    """Return the last valid day, inclusive: one day before the anniversary, but not after any of `ends`.

    `ends` are other limits, such as the end of the residency or of the registration of the mark. Six months from 31
    August end on the last day of February: a month that lacks the day ends on its last one.
    """
    anniversary = add_months(first, months)
    last = anniversary - timedelta(days=1) if anniversary.day == first.day else anniversary
    return min([last, *(end for end in ends if end is not None)])
