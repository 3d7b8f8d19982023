"""Default days of moved holidays from the library `holidays`: below the fixed days, replaced by what is announced."""

from datetime import date, timedelta
from functools import partial
from types import MappingProxyType

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reference.holiday_calendar import (
    FIRST_DEFAULT_YEAR,
    compute_default_days,
    load_bundled_holidays,
    load_library_days,
)
from app.reference.working_days import Calendar, SpecialDay, is_weekend, place_defaults

pytestmark = pytest.mark.pure

FIXED = load_bundled_holidays().fixed
WITHOUT_DEFAULTS = Calendar(FIXED)


def calendar_with(*announced):
    days = MappingProxyType({day.day: day for day in announced})
    return Calendar(FIXED, days, partial(compute_default_days, frozenset(announced)))


NOTHING_ANNOUNCED = calendar_with()


def days_of(year):
    return [date(year, 1, 1) + timedelta(days=n) for n in range(366) if (date(year, 1, 1) + timedelta(n)).year == year]


def announced(occasion, *days, works=False):
    return [SpecialDay(date.fromisoformat(f"2027-{day}"), occasion, works) for day in days]


def free_by_default(calendar, year=2027):
    added = {day for day in days_of(year) if WITHOUT_DEFAULTS.is_working_day(day) and not calendar.is_working_day(day)}
    return " ".join(day.isoformat()[5:] for day in sorted(added - set(calendar.announced)))


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (2027, "03-09 03-10 03-22 03-23 03-24 03-25 03-26 05-17 05-18"),
        (2028, "02-28 02-29 03-20 03-21 03-22 03-23 03-24 05-05 05-08"),
        (2029, "02-14 02-15 03-20 03-21 03-22 03-23 03-26 04-24 04-25"),
    ],
)
def test_an_upgrade_of_the_library_that_changes_a_coming_year_is_noticed(year, expected):
    assert free_by_default(NOTHING_ANNOUNCED, year) == expected


@pytest.mark.parametrize("year", range(FIRST_DEFAULT_YEAR, 2064))
def test_without_announcements_the_working_days_equal_those_of_the_library(year):
    """The days instead of weekends are computed here; the library computes them by its own code.

    Later they differ on two days: 2064-01-23 (the library moves the day of mourning, on which an Eid falls) and
    2072-01-06 (an Eid at the turn of the year).
    """
    library = holidays.country_holidays("AZ", years=[year, year + 1], language="en_US")
    assert [day for day in days_of(year) if NOTHING_ANNOUNCED.is_working_day(day) != library.is_working_day(day)] == []


@pytest.mark.parametrize("year", [2020, 2024, 2025, 2026])
def test_years_before_the_first_default_year_count_as_they_did(year):
    assert load_library_days(year) == ()
    assert NOTHING_ANNOUNCED.list_special_days(year) == WITHOUT_DEFAULTS.list_special_days(year)


@given(st.integers(FIRST_DEFAULT_YEAR, 2100))
def test_fixed_days_stay_as_the_calendar_file_has_them(year):
    with_defaults = {day.day: day for day in NOTHING_ANNOUNCED.list_special_days(year)}
    assert [with_defaults[day.day] for day in WITHOUT_DEFAULTS.list_special_days(year)] == list(
        WITHOUT_DEFAULTS.list_special_days(year)
    )


@pytest.mark.parametrize("year", range(FIRST_DEFAULT_YEAR, 2101))
def test_the_library_still_names_every_occasion(year):
    """A name that changed in the library would silently take its days away."""
    found = load_library_days(year)
    assert {day.occasion for day in found} == {"novruz", "ramazan", "gurban"}
    assert all(day.is_estimated == (day.occasion != "novruz") for day in found)


def test_an_announced_occasion_replaces_its_default_days_and_no_other():
    calendar = calendar_with(*announced("ramazan", "03-10", "03-11"))
    assert not calendar.is_working_day(date(2027, 3, 10))
    assert calendar.is_working_day(date(2027, 3, 9))
    assert free_by_default(calendar) == "03-22 03-23 03-24 03-25 03-26 05-17 05-18"
    assert free_by_default(calendar, 2028) == free_by_default(NOTHING_ANNOUNCED, 2028)


def test_an_announced_working_day_wins_over_a_default():
    calendar = calendar_with(*announced("other", "03-22", works=True))
    assert calendar.is_working_day(date(2027, 3, 22))
    assert not calendar.is_working_day(date(2027, 3, 23))


def test_a_default_on_an_announced_free_day_frees_the_next_working_day():
    calendar = calendar_with(*announced("other", "03-09"))
    (moved,) = [day for day in calendar.list_special_days(2027) if day.instead_of == date(2027, 3, 9)]
    assert (moved.day, moved.occasion, moved.is_estimated) == (date(2027, 3, 11), "ramazan", True)


def test_two_defaults_on_one_day_free_two_working_days():
    thursday, friday, monday = date(2027, 4, 1), date(2027, 4, 2), date(2027, 4, 5)
    first, second = (SpecialDay(thursday, occasion, is_working_day=False) for occasion in ("novruz", "gurban"))
    assert place_defaults([first, second], {friday: first}) == {
        thursday: first,
        monday: SpecialDay(monday, "gurban", is_working_day=False, instead_of=thursday),
    }


@given(st.integers(FIRST_DEFAULT_YEAR, 2100), st.sets(st.dates(date(2027, 1, 1), date(2101, 1, 1)), max_size=40))
def test_defaults_never_take_a_day_that_is_taken(year, taken):
    placed = place_defaults(load_library_days(year), dict.fromkeys(taken))
    assert taken.isdisjoint(placed)
    assert sum(not is_weekend(day) for day in placed) == len(load_library_days(year))


def test_names_do_not_follow_the_locale_of_the_process(monkeypatch):
    for variable in ("LANGUAGE", "LC_ALL", "LANG"):
        monkeypatch.setenv(variable, "az")
    assert load_library_days.__wrapped__(2027) == load_library_days(2027)
