"""Days, months and moments."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.dates import add_months, baku_day, day_end, day_start, format_utc, last_valid_day, subtract_months

pytestmark = pytest.mark.pure


def test_a_moment_is_written_in_utc_to_the_second():
    assert format_utc(datetime(2026, 11, 22, 17, 0, 0, 999999, tzinfo=UTC)) == "2026-11-22T17:00:00Z"
    assert format_utc(datetime.fromisoformat("2026-11-22T21:00:00+04:00")) == "2026-11-22T17:00:00Z"


def test_the_day_in_baku_begins_four_hours_earlier():
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert baku_day(noon) == date(2026, 11, 22)
    assert baku_day(noon + timedelta(hours=8)) == date(2026, 11, 23)
    assert baku_day(noon + timedelta(hours=7, minutes=59)) == date(2026, 11, 22)


@pytest.mark.parametrize(
    ("day", "months", "earlier"),
    [
        (date(2026, 11, 22), 12, date(2025, 11, 22)),
        (date(2026, 11, 22), 36, date(2023, 11, 22)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
        (date(2, 1, 1), 12, date(1, 1, 1)),
        (date(1, 6, 1), 12, date.min),
    ],
)
def test_months_are_counted_by_the_calendar(day, months, earlier):
    assert subtract_months(day, months) == earlier


def test_months_later_are_counted_alike():
    assert add_months(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert add_months(date(9999, 6, 1), 12) == date.max


@given(st.dates(), st.dates(), st.integers(1, 600))
def test_a_later_day_never_has_an_earlier_limit(one, other, months):
    first, second = sorted((one, other))
    assert subtract_months(first, months) <= subtract_months(second, months)
    assert subtract_months(second, months) < second or second == date.min


@pytest.mark.parametrize(
    ("first", "months", "expected"),
    [
        (date(2026, 11, 22), 36, date(2029, 11, 21)),  # three years, the last day inclusive
        (date(2026, 1, 1), 12, date(2026, 12, 31)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),  # a year later there is no 29 February
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 14)),
    ],
)
def test_the_term_ends_the_day_before_its_anniversary(first, months, expected):
    assert last_valid_day(first, months, []) == expected


def test_it_never_goes_beyond_a_known_end():
    ends = [None, date(2028, 6, 30), date(2031, 12, 11)]
    assert last_valid_day(date(2026, 11, 22), 36, ends) == date(2028, 6, 30)
    assert last_valid_day(date(2026, 11, 22), 36, [None]) == date(2029, 11, 21)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 120))
def test_a_longer_term_never_ends_earlier(first, months):
    assert first <= last_valid_day(first, months, []) < last_valid_day(first, months + 1, [])


def test_a_day_begins_and_ends_in_baku():
    assert day_start(date(2026, 11, 22)).isoformat() == "2026-11-22T00:00:00+04:00"
    assert day_end(date(2026, 11, 22)).isoformat() == "2026-11-22T23:59:59+04:00"
