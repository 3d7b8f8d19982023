"""How long a certificate is good for."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.certificates.term import last_day


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
    assert last_day(first, months, []) == expected


def test_it_never_goes_beyond_a_known_end():
    ends = [None, date(2028, 6, 30), date(2031, 12, 11)]
    assert last_day(date(2026, 11, 22), 36, ends) == date(2028, 6, 30)
    assert last_day(date(2026, 11, 22), 36, [None]) == date(2029, 11, 21)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 120))
def test_a_longer_term_never_ends_earlier(first, months):
    assert first <= last_day(first, months, []) < last_day(first, months + 1, [])
