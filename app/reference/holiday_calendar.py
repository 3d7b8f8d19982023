"""Load the calendar of working days, and let the owner announce holidays that move.

Fixed holidays come from `calendar.toml`, announced days from the database, defaults from the library `holidays`.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache, partial
from importlib.resources import files
from types import MappingProxyType

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import require_role, require_second_factor
from app.core.actor import Actor, Role
from app.core.errors import Invalid
from app.core.messages import Message
from app.reference import reference_repository
from app.reference.model import Holiday
from app.reference.working_days import Calendar, FixedHoliday, SpecialDay, compute_fixed_days, place_defaults

OTHER_OCCASION = "other"
MAX_ANNOUNCED_DAYS = 60
SUPPORTED_YEARS = range(2020, 2101)
# An earlier year would change the ages that decided applications show: deadlines are computed, not stored.
FIRST_DEFAULT_YEAR = 2027
# The order decides which of two occasions on one day keeps it: Ramazan and Gurban give way (Labour Code, Article 105).
OCCASIONS_BY_LIBRARY_NAME = {"Spring Festival": "novruz", "Eid al-Fitr": "ramazan", "Eid al-Adha": "gurban"}
ESTIMATED_SUFFIX = " (estimated)"


@dataclass(frozen=True, slots=True)
class HolidayFile:
    fixed: tuple[FixedHoliday, ...]
    movable: Mapping[str, Mapping[str, str]]  # occasion → language → name; announced for each year
    names: Mapping[str, Mapping[str, str]]  # all occasions, fixed and movable → language → name


@dataclass(frozen=True, slots=True)
class AnnouncedDay:
    """A day as the owner announces it. `is_working_day`: a holiday or weekend day that becomes a working day."""

    day: date
    occasion: str
    is_working_day: bool


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """One year of the calendar. `missing_occasions`: movable holidays without an announced day."""

    year: int
    days: tuple[SpecialDay, ...]
    announced: frozenset[date]
    missing_occasions: tuple[str, ...]


def load_calendar(session: Session) -> Calendar:
    """Load the current calendar with all announced days."""
    rows = reference_repository.list_holidays(session)
    announced = {row.day: SpecialDay(row.day, row.occasion, row.works) for row in rows}
    defaults = partial(compute_default_days, frozenset(announced.values()))
    return Calendar(load_bundled_holidays().fixed, MappingProxyType(announced), defaults)


@lru_cache(maxsize=128)
def compute_default_days(announced: frozenset[SpecialDay], year: int) -> Mapping[date, SpecialDay]:
    """Compute the free days of the moved holidays that the owner has not announced for this year.

    The year before is included: an occasion at its end may free a day of this year.
    """
    announced_occasions = {(day.day.year, day.occasion) for day in announced}
    defaults = [
        day
        for y in (year - 1, year)
        for day in load_library_days(y)
        if (day.day.year, day.occasion) not in announced_occasions
    ]
    taken = {**compute_fixed_days(load_bundled_holidays().fixed, year), **{day.day: day for day in announced}}
    return place_defaults(defaults, taken)


@cache
def load_library_days(year: int) -> tuple[SpecialDay, ...]:
    """Read the days of Novruz, Ramazan and Gurban from the library `holidays`; none before the first default year.

    Days of elections and days exchanged by decision are left out: the owner announces them. Days instead of a weekend
    are left out too, since `place_defaults` computes them around the announced days.
    """
    if year < FIRST_DEFAULT_YEAR:
        return ()
    import holidays  # noqa: PLC0415 (80 ms that start-up and the commands need not spend)

    # Without `language` the names would follow the locale of the process.
    found = holidays.country_holidays("AZ", years=year, observed=False, expand=False, language="en_US")
    return tuple(
        SpecialDay(day, occasion, is_working_day=False, is_estimated=name.endswith(ESTIMATED_SUFFIX))
        for library_name, occasion in OCCASIONS_BY_LIBRARY_NAME.items()
        for day in sorted(found)
        for name in found.get_list(day)
        if name.removesuffix(ESTIMATED_SUFFIX) == library_name
    )


def load_year(session: Session, year: int) -> CalendarYear:
    calendar = load_calendar(session)
    announced = [day for day in calendar.announced.values() if day.day.year == year]
    missing_occasions = tuple(
        occasion for occasion in load_bundled_holidays().movable if occasion not in {day.occasion for day in announced}
    )
    return CalendarYear(
        year, calendar.list_special_days(year), frozenset(day.day for day in announced), missing_occasions
    )


def announce_days(
    session: Session, actor: Actor, *, year: int, days: Sequence[AnnouncedDay], now: datetime
) -> CalendarYear:
    """Replace the announced days of a year. Idempotent. Raises `Forbidden`, `SecondFactorRequired`, `Invalid`.

    Deadlines are computed, not stored, so the change applies to them immediately.
    """
    require_role(actor, Role.OWNER)
    require_second_factor(actor)
    assert actor.id is not None  # owners are people
    if errors := announced_day_errors(year, days):
        raise Invalid.with_errors(errors)
    before = {
        row.day: (row.occasion, row.works) for row in reference_repository.list_holidays(session, year, lock=True)
    }
    after = {day.day: (day.occasion, day.is_working_day) for day in days}
    if before != after:
        reference_repository.replace_holidays(
            session,
            year,
            [
                Holiday(day=d.day, occasion=d.occasion, works=d.is_working_day, announced_by=actor.id, announced_at=now)
                for d in days
            ],
        )
        free = sorted(d.day.isoformat() for d in days if not d.is_working_day)
        worked = sorted(d.day.isoformat() for d in days if d.is_working_day)
        recorder.record(session, actor, "calendar.announced", ("calendar", str(year)), now, free=free, worked=worked)
    return load_year(session, year)


def announced_day_errors(year: int, days: Sequence[AnnouncedDay]) -> list[dict[str, str]]:
    errors = []
    if year not in SUPPORTED_YEARS:
        errors.append(
            {
                "pointer": "/year",
                "detail": Message(
                    "The calendar covers the years %(minimum)s to %(maximum)s.",
                    code="out-of-range",
                    minimum=SUPPORTED_YEARS[0],
                    maximum=SUPPORTED_YEARS[-1],
                ),
            }
        )
    if len(days) > MAX_ANNOUNCED_DAYS:
        errors.append(
            {
                "pointer": "/days",
                "detail": Message(
                    "A year has at most %(limit)s announced days.", code="too-many", limit=MAX_ANNOUNCED_DAYS
                ),
            }
        )
    occasions = [*load_bundled_holidays().movable, OTHER_OCCASION]
    seen: set[date] = set()
    for i, each in enumerate(days):
        if each.day.year != year:
            errors.append(
                {
                    "pointer": f"/days/{i}/day",
                    "detail": Message("This day is not in %(year)s.", code="other-year", year=year),
                }
            )
        elif each.day in seen:
            errors.append(
                {"pointer": f"/days/{i}/day", "detail": Message("This day is named twice.", code="duplicate")}
            )
        if each.occasion not in occasions:
            errors.append(
                {
                    "pointer": f"/days/{i}/occasion",
                    "detail": Message("Enter one of: %(allowed)s.", code="not-in-list", allowed=list(occasions)),
                }
            )
        elif each.is_working_day and each.occasion != OTHER_OCCASION:
            detail = Message(
                "A day that is worked has the occasion “%(occasion)s”.", code="other-occasion", occasion=OTHER_OCCASION
            )
            errors.append({"pointer": f"/days/{i}/occasion", "detail": detail})
        seen.add(each.day)
    return errors


def parse_holiday_file(text: str) -> HolidayFile:
    """Parse the holiday file, which is part of the service: an error in it is an ordinary exception."""
    raw = tomllib.loads(text)
    fixed = []
    for entry in raw["fixed"]:
        on = date.fromisoformat(f"2001-{entry['on']}")  # a common year: 29 February is rejected
        if entry["occasion"] not in raw["names"]:
            raise ValueError(f"the holiday on {entry['on']} has no name")
        fixed.append(FixedHoliday(on.month, on.day, entry["occasion"], entry["moves"]))
    moved = {occasion: dict(names) for occasion, names in raw["moved"].items()}
    return HolidayFile(tuple(fixed), moved, moved | raw["names"])


@cache
def load_bundled_holidays() -> HolidayFile:
    """Load the holidays that ship with the service."""
    return parse_holiday_file((files("app.reference") / "calendar.toml").read_text("utf-8"))
