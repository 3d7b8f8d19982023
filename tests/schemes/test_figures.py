from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemes.percentages import (
    format_decimal,
    format_percentage,
    format_percentage_above,
    percentage_to_fraction,
    round_half_up,
    to_fraction,
)

pytestmark = pytest.mark.pure

D = Decimal
F = Fraction

NONSENSE = [
    None,
    D("NaN"),
    D("sNaN"),
    D("Infinity"),
    D("-Infinity"),
    D("1e19"),
    D("1e-19"),
    D("1e999999"),
    D("1." + "1" * 40),
]


@pytest.mark.parametrize("figure", NONSENSE)
def test_a_figure_that_cannot_be_right_is_none(figure):
    assert to_fraction(figure) is None
    assert percentage_to_fraction(figure) is None


def test_a_figure_is_exact():
    assert to_fraction(D("39.999")) == F(39999, 1000)
    assert to_fraction(D("0E-50")) == 0


@pytest.mark.parametrize(("figure", "share"), [("0", 0), ("100", 100), ("-0.01", None), ("100.01", None)])
def test_a_percentage_is_between_0_and_100(figure, share):
    assert percentage_to_fraction(D(figure)) == share


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (F(4276, 100), "42.8"),
        (F(4275, 100), "42.8"),
        (F(42749, 1000), "42.7"),
        (F(1, 20), "0.1"),
        (F(-1, 20), "-0.1"),
        (F(-1, 100), "0.0"),
        (F(0), "0.0"),
        (F(100), "100.0"),
    ],
)
def test_rounding_is_half_up_to_one_decimal(share, text):
    assert str(round_half_up(share)) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (F(40), "40.0"),
        (F(3996, 100), "39.96"),
        (F(399999, 10000), "39.9999"),
        (F(40) - F(1, 10**9), "39.999999"),
        (F(40) + F(1, 10**9), "40.0"),
        (F(2996, 100), "29.96"),
    ],
)
def test_a_share_is_never_shown_on_the_wrong_side_of_a_threshold(share, text):
    assert format_percentage(share, D(40), D(30)) == text


@given(st.fractions(0, 100), st.decimals(0, 100, places=2))
def test_what_is_shown_compares_as_the_truth_does(share, threshold):
    assert (D(format_percentage(share, threshold)) >= threshold) == (share >= F(threshold))


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (F(50), "50.0"),
        (F(50001, 1000), "50.001"),
        (F(50) + F(1, 10**9), "50.000001"),
        (F(50) - F(1, 10**9), "50.0"),
        (F(501, 10), "50.1"),
    ],
)
def test_a_limit_that_may_be_reached_is_never_shown_as_passed_or_kept_wrongly(share, text):
    assert format_percentage_above(share, D(50)) == text


@given(st.fractions(0, 100), st.decimals(0, 100, places=2))
def test_what_is_shown_above_a_limit_is_above_it(share, limit):
    assert (D(format_percentage_above(share, limit)) > limit) == (share > F(limit))


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        ("40.00", "40"),
        ("4E+1", "40"),
        ("-0.0", "0"),
        ("0.50", "0.5"),
        ("NaN", "NaN"),
        ("1e99", "1E+99"),
        ("100", "100"),
    ],
)
def test_equal_figures_have_one_text(figure, text):
    assert format_decimal(D(figure)) == text
