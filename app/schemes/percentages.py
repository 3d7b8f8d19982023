"""Compute shares exactly and round them for display.

Shares are fractions: sums do not depend on the order of their parts, and thresholds are compared with the true value.
Rounding is half up, and only for display.
"""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor

MAX_MAGNITUDE = 18
"""A figure beyond 10^±18 is an input error; the bound also limits the arithmetic."""

MAX_DIGITS = 40


def to_fraction(figure: Decimal | None) -> Fraction | None:
    """Convert a figure to a fraction; None where it is missing, not finite or too large."""
    if figure is None or not figure.is_finite():
        return None
    if figure and abs(figure.adjusted()) > MAX_MAGNITUDE:
        return None
    if len(figure.as_tuple().digits) > MAX_DIGITS:
        return None
    return _to_fraction_cached(figure)


@lru_cache(maxsize=4096)
def _to_fraction_cached(figure: Decimal) -> Fraction:
    return Fraction(figure)


def percentage_to_fraction(figure: Decimal | None) -> Fraction | None:
    """Convert a stated percentage to a fraction of 100; None where missing or outside 0..100."""
    share = to_fraction(figure)
    return share if share is not None and 0 <= share <= 100 else None


def round_half_up(share: Fraction, places: int = 1) -> Decimal:
    """Round half away from zero, to exactly `places` decimals."""
    numerator, denominator = abs(share.numerator) * 10**places, share.denominator
    rounded = (2 * numerator + denominator) // (2 * denominator)
    sign = "-" if share.numerator < 0 and rounded > 0 else ""
    return Decimal(f"{sign}{rounded}e-{places}")


def format_percentage(share: Fraction, *thresholds: Decimal) -> str:
    """Format with one decimal, or more where one would cross a threshold.

    39.96 against 40 is shown as 39.96, because “40.0 %, at least 40 % needed” would be misleading. A share even closer
    is truncated, not rounded.
    """
    for places in range(1, 7):
        figure = round_half_up(share, places)
        if all((figure >= threshold) == (share >= _to_fraction_cached(threshold)) for threshold in thresholds):
            return f"{figure}"
    return f"{round_half_up(Fraction(floor(share * 10**6), 10**6), 6)}"


def format_percentage_above(share: Fraction, limit: Decimal) -> str:
    """Format a share against an inclusive limit: 50.001 against 50 is not shown as 50.0."""
    for places in range(1, 7):
        figure = round_half_up(share, places)
        if (figure > limit) == (share > _to_fraction_cached(limit)):
            return f"{figure}"
    return f"{round_half_up(Fraction(ceil(share * 10**6), 10**6), 6)}"


def format_decimal(figure: Decimal) -> str:
    """Format a figure without exponent and trailing zeros: equal values give equal text."""
    if not figure.is_finite() or (figure and abs(figure.adjusted()) > MAX_MAGNITUDE):
        return str(figure)
    if not figure:
        return "0"
    text = f"{figure:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
