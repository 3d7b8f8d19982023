"""Figures as people type them: what the tables can hold exactly. Pure."""

from decimal import Decimal
from typing import NamedTuple

from app.core.messages import Message


class DecimalColumn(NamedTuple):
    """A column of the tables: so many digits in all, so many of them after the point."""

    digits: int
    places: int


MONEY = DecimalColumn(16, 2)
AREA = DecimalColumn(10, 2)


def decimal_error(
    figure: Decimal, column: DecimalColumn, *, least: Decimal = Decimal(0), most: Decimal | None = None
) -> Message | None:
    """What is wrong with a figure for this column, in words for who typed it; None if it is fine.

    NaN and the infinities are refused first: every comparison with NaN raises.
    """
    if not figure.is_finite():
        return Message("This is not a number.", code="not-a-number")
    if figure < least:
        return Message("This is less than %(minimum)s.", code="too-small", minimum=str(least))
    if most is not None and figure > most:
        return Message("This is more than %(maximum)s.", code="too-large", maximum=str(most))
    if figure and figure.adjusted() >= column.digits - column.places:
        limit = column.digits - column.places
        return Message("This has more than %(limit)s digits before the point.", code="too-large", limit=limit)
    if -_decimal_places(figure) > column.places:
        return Message("This has more than %(limit)s decimal places.", code="too-many-decimals", limit=column.places)
    return None


def quantize_for_storage(figure: Decimal, column: DecimalColumn) -> Decimal:
    """The figure with exactly the places of its column, as it will be read back. Only for figures found right."""
    exact = figure.quantize(Decimal(1).scaleb(-column.places))
    return exact or abs(exact)  # no minus zero


def _decimal_places(figure: Decimal) -> int:
    """The place of the last digit that is not zero: 1.50 has one place after the point.

    Counted on the digits: `normalize` would round a long figure to the precision of the context.
    """
    _, digits, exponent = figure.as_tuple()
    assert isinstance(exponent, int)  # finite
    zeros = len(digits) - len(bytes(digits).rstrip(b"\0"))
    return exponent + zeros if any(digits) else 0
