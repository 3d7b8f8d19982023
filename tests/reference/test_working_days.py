"""The calendar: weekends, fixed holidays and the days they free, announced days; and arithmetic on all of them."""

from datetime import date, timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reference.holiday_calendar import load_bundled_holidays, parse_holiday_file
from app.reference.working_days import Calendar, FixedHoliday, SpecialDay, compute_fixed_days, is_weekend

pytestmark = pytest.mark.pure

SHIPPED = Calendar(load_bundled_holidays().fixed)
DAYS = st.dates(date(2025, 1, 1), date(2035, 12, 31))
ANNOUNCED = st.dictionaries(DAYS, st.booleans(), max_size=20).map(
    lambda found: MappingProxyType({day: SpecialDay(day, "other", works) for day, works in found.items()})
)
CALENDARS = st.builds(Calendar, st.sampled_from([(), load_bundled_holidays().fixed]), ANNOUNCED)


def free(year):
    return [day.day.isoformat() for day in SHIPPED.list_special_days(year) if not is_weekend(day.day)]


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (  # 8 March is a Sunday, 9 May a Saturday, 8 November a Sunday whose next day is the day of the flag
            2026,
            "01-01 01-02 01-20 03-09 05-11 05-28 06-15 06-26 11-09 11-10 12-31",
        ),
        (  # 2 January is a Saturday, 9 May a Sunday, 26 June a Saturday
            2027,
            "01-01 01-04 01-20 03-08 05-10 05-28 06-15 06-28 11-08 11-09 12-31",
        ),
        (  # both days of the new year fall on a weekend; so does 31 December, which frees a day of 2029
            2028,
            "01-03 01-04 01-20 03-08 05-09 05-29 06-15 06-26 11-08 11-09",
        ),
    ],
)
def test_the_shipped_years(year, expected):
    assert free(year) == [f"{year}-{day}" for day in expected.split()]


def test_a_holiday_at_the_end_of_a_year_frees_a_day_of_the_next():
    assert not SHIPPED.is_working_day(date(2029, 1, 3))  # for 31 December 2028, after the two days of the new year
    assert compute_fixed_days(SHIPPED.fixed, 2029)[date(2029, 1, 3)].instead_of == date(2028, 12, 31)


def test_a_day_of_mourning_on_a_weekend_frees_no_other():
    assert date(2030, 1, 20).weekday() == 6
    assert SHIPPED.is_working_day(date(2030, 1, 21))


def test_announced_days_win_over_fixed_ones_and_over_the_week():
    saturday, holiday, weekday = date(2027, 3, 27), date(2027, 3, 8), date(2027, 3, 22)
    said = {saturday: True, holiday: True, weekday: False}
    calendar = Calendar(
        SHIPPED.fixed, MappingProxyType({day: SpecialDay(day, "other", works) for day, works in said.items()})
    )
    assert {day: calendar.is_working_day(day) for day in said} == said
    assert {day.day: day.is_working_day for day in calendar.list_special_days(2027) if day.day.month == 3} == said


def test_counting_begins_on_the_day_after():
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    assert SHIPPED.add_working_days(friday, 0) == friday
    assert SHIPPED.add_working_days(friday, 1) == monday
    assert SHIPPED.count_working_days(friday, monday) == 1
    assert SHIPPED.count_working_days(monday, monday) == 0
    assert SHIPPED.count_working_days(monday, friday) == 0


@given(CALENDARS, DAYS, st.integers(1, 60))
def test_after_and_between_are_each_others_inverse(calendar, day, count):
    due = calendar.add_working_days(day, count)
    assert calendar.is_working_day(due)
    assert calendar.count_working_days(day, due) == count


@given(CALENDARS, DAYS, st.integers(0, 100), st.integers(0, 100))
def test_between_adds_up(calendar, start, first, second):
    middle, end = start + timedelta(days=first), start + timedelta(days=first + second)
    assert calendar.count_working_days(start, middle) + calendar.count_working_days(
        middle, end
    ) == calendar.count_working_days(start, end)


@given(st.integers(2026, 2100))
def test_every_moving_holiday_of_a_year_costs_one_working_day(year):
    """On a weekday itself, on a weekend another day: never none, never two."""
    moving = [date(year, h.month, h.day) for h in SHIPPED.fixed if h.moves_from_weekend]
    lost = [
        each.instead_of or each.day
        for each in SHIPPED.list_special_days(year) + SHIPPED.list_special_days(year + 1)
        if not is_weekend(each.day) and each.occasion != "mourning"
    ]
    assert sorted(day for day in lost if day.year == year) == moving


def test_the_file_is_read_strictly():
    head = '[moved]\n[names]\nx = { az = "x", en = "x" }\n'
    fixed = '[[fixed]]\non = "05-09"\noccasion = "x"\nmoves = true\n'
    assert parse_holiday_file(head + fixed).fixed == (FixedHoliday(5, 9, "x", moves_from_weekend=True),)
    with pytest.raises(ValueError, match="no name"):
        parse_holiday_file(head + fixed.replace('"x"', '"y"'))
    with pytest.raises(ValueError, match=r"isoformat|month|day"):
        parse_holiday_file(head + fixed.replace("05-09", "05-32"))


def test_every_occasion_has_a_name_in_both_languages():
    names = load_bundled_holidays().names
    assert {holiday.occasion for holiday in load_bundled_holidays().fixed} | {
        "novruz",
        "ramazan",
        "gurban",
        "other",
    } == names.keys()
    assert all(name["az"] and name["en"] for name in names.values())
