"""How long a certificate is good for. Pure; dates are days in Asia/Baku, both inclusive."""

import calendar
from collections.abc import Iterable
from datetime import date, timedelta


def last_day(first: date, months: int, ends: Iterable[date | None]) -> date:
    """The day before the same day `months` later, never beyond a known end (residency, registration of the mark, …).

    From 31 August, six months end on the last of February: a month without the day ends on its last one.
    """
    index = first.month - 1 + months
    year, month = first.year + index // 12, index % 12 + 1
    longest = calendar.monthrange(year, month)[1]
    anniversary = date(year, month, min(first.day, longest))
    last = anniversary - timedelta(days=1) if first.day <= longest else anniversary
    return min([last, *(end for end in ends if end is not None)])
