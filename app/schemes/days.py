"""Days and months, as terms are counted. Pure."""

import calendar
from datetime import date


def months_earlier(day: date, months: int) -> date:
    """The same day so many months before; a month without that day ends on its last one."""
    return _shifted(day, -months)


def months_later(day: date, months: int) -> date:
    """The same day so many months after; a month without that day ends on its last one."""
    return _shifted(day, months)


def _shifted(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if year < date.min.year:
        return date.min
    if year > date.max.year:
        return date.max
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
