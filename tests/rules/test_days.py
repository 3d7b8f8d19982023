from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemes.days import months_earlier, months_later


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
    assert months_earlier(day, months) == earlier


def test_months_later_are_counted_alike():
    assert months_later(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert months_later(date(9999, 6, 1), 12) == date.max


@given(st.dates(), st.dates(), st.integers(1, 600))
def test_a_later_day_never_has_an_earlier_limit(one, other, months):
    first, second = sorted((one, other))
    assert months_earlier(first, months) <= months_earlier(second, months)
    assert months_earlier(second, months) < second or second == date.min
