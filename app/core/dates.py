"""Days, months and moments. Days are counted in Asia/Baku, four hours ahead of UTC all year. Pure but for `utc_now`."""

import calendar
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

BAKU: Final = timezone(timedelta(hours=4), "+04:00")  # Azerbaijan keeps no summer time


def utc_now() -> datetime:
    """The one clock of the service; tests hand in another through `app.state.clock`."""
    return datetime.now(UTC)


def format_utc(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second: `2026-11-22T17:00:00Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def baku_day(moment: datetime) -> date:
    """The calendar day of this moment in Azerbaijan."""
    return moment.astimezone(BAKU).date()


def day_start(day: date) -> datetime:
    """The moment a day begins in Asia/Baku."""
    return datetime.combine(day, time.min, BAKU)


def day_end(day: date) -> datetime:
    """The last whole second of a day in Asia/Baku."""
    return datetime.combine(day, time(23, 59, 59), BAKU)


def subtract_months(day: date, months: int) -> date:
    """The same day so many months before; a month without that day ends on its last one."""
    return add_months(day, -months)


def add_months(day: date, months: int) -> date:
    """The same day so many months after; a month without that day ends on its last one."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if year < date.min.year:
        return date.min
    if year > date.max.year:
        return date.max
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def last_valid_day(first: date, months: int, ends: Iterable[date | None]) -> date:
    """The day before the same day `months` later, never beyond a known end (residency, registration of the mark, …).

    From 31 August, six months end on the last of February: a month without the day ends on its last one.
    """
    anniversary = add_months(first, months)
    last = anniversary - timedelta(days=1) if anniversary.day == first.day else anniversary
    return min([last, *(end for end in ends if end is not None)])
