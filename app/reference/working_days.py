"""Count working days: Monday to Friday without the holidays of Azerbaijan. Pure.

The first layer that applies decides: a day announced by the owner (moved holidays, exchanged days), a fixed holiday of
the year, a default for a moved holiday that the owner has not announced, the day of the week. Announced days and
defaults are passed in as data, so no year is estimated here (docs/decisions/0068).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType

FRIDAY = 4
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FixedHoliday:
    """A holiday on the same day of every year."""

    month: int
    day: int
    occasion: str
    moves_from_weekend: bool  # if it falls on a weekend, the next working day is free instead


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """An exception to the days of the week: a free weekday, or a weekend day or holiday that is worked."""

    day: date
    occasion: str
    is_working_day: bool
    instead_of: date | None = None  # the holiday, on a weekend or another free day, that this free day stands for
    is_estimated: bool = False  # a default whose date depends on the moon and is not confirmed


def no_defaults(_year: int) -> Mapping[date, SpecialDay]:
    return {}


@dataclass(frozen=True, slots=True)
class Calendar:
    fixed: tuple[FixedHoliday, ...] = ()
    announced: Mapping[date, SpecialDay] = field(default_factory=lambda: MappingProxyType({}))
    defaults: Callable[[int], Mapping[date, SpecialDay]] = no_defaults  # by year; called only for the years needed

    def is_working_day(self, day: date) -> bool:
        if announced := self.announced.get(day):
            return announced.is_working_day
        if is_weekend(day) or day in compute_fixed_days(self.fixed, day.year):
            return False
        return day not in self.defaults(day.year)

    def list_special_days(self, year: int) -> tuple[SpecialDay, ...]:
        """Return the special days of a year, in order."""
        days = {**self.defaults(year), **compute_fixed_days(self.fixed, year), **self.announced}
        return tuple(days[day] for day in sorted(days) if day.year == year)

    def add_working_days(self, day: date, count: int) -> date:
        """Return the `count`-th working day after `day` (exclusive); for 0, `day` itself."""
        while count > 0:
            day += ONE_DAY
            count -= self.is_working_day(day)
        return day

    def count_working_days(self, start: date, end: date) -> int:
        """Count working days from `start` (exclusive) to `end` (inclusive); 0 if `end` is not later."""
        return sum(self.is_working_day(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


@cache
def compute_fixed_days(fixed: tuple[FixedHoliday, ...], year: int) -> Mapping[date, SpecialDay]:
    """Compute the free days of the fixed holidays of a year and the year before.

    Two holidays on one weekend free the next two working days, and 31 December may free a day of January: therefore
    the year before is computed as well.
    """
    days = {
        date(y, h.month, h.day): SpecialDay(date(y, h.month, h.day), h.occasion, is_working_day=False)
        for y in (year - 1, year)
        for h in fixed
    }
    moving = {(h.month, h.day) for h in fixed if h.moves_from_weekend}
    for holiday in sorted(days):
        if not is_weekend(holiday) or (holiday.month, holiday.day) not in moving:
            continue
        instead = holiday
        while is_weekend(instead) or instead in days:
            instead += ONE_DAY
        days[instead] = SpecialDay(instead, days[holiday].occasion, is_working_day=False, instead_of=holiday)
    return MappingProxyType(days)


def place_defaults(defaults: Iterable[SpecialDay], taken: Mapping[date, SpecialDay]) -> Mapping[date, SpecialDay]:
    """Place the default days of moved holidays around the days that are taken.

    Where a default falls on a weekend, on a taken day or on an earlier default, the next working day is free instead
    (Labour Code, Article 105). Taken days never change.
    """
    days: dict[date, SpecialDay] = {}
    displaced = []
    for default in defaults:
        if is_weekend(default.day) or default.day in taken or default.day in days:
            displaced.append(default)
        if default.day not in taken:
            days.setdefault(default.day, default)
    for default in displaced:
        instead = default.day
        while is_weekend(instead) or instead in taken or instead in days:
            instead += ONE_DAY
        days[instead] = replace(default, day=instead, instead_of=default.day)
    return MappingProxyType(days)


def is_weekend(day: date) -> bool:
    return day.weekday() > FRIDAY
