"""Check decimal input against what a column can store exactly. Pure."""

from decimal import Decimal
from typing import NamedTuple

from app.core.messages import Message


class DecimalColumn(NamedTuple):
    """The capacity of a decimal column: digits in total, and digits after the point."""

    digits: int
    places: int


MONEY = DecimalColumn(16, 2)
AREA = DecimalColumn(10, 2)


def decimal_error(
    figure: Decimal, column: DecimalColumn, *, min_value: Decimal = Decimal(0), max_value: Decimal | None = None
) -> Message | None:
    """Return what is wrong with a figure for this column, as a message for the user; None if it fits.

    NaN and infinities are rejected first, because every comparison with NaN raises.
    """
    if not figure.is_finite():
        return Message("This is not a number.", code="not-a-number")
    if figure < min_value:
        return Message("This is less than %(minimum)s.", code="too-small", minimum=str(min_value))
    if max_value is not None and figure > max_value:
        return Message("This is more than %(maximum)s.", code="too-large", maximum=str(max_value))
    if figure and figure.adjusted() >= column.digits - column.places:
        limit = column.digits - column.places
        return Message("This has more than %(limit)s digits before the point.", code="too-large", limit=limit)
    if -_decimal_places(figure) > column.places:
        return Message("This has more than %(limit)s decimal places.", code="too-many-decimals", limit=column.places)
    return None


def quantize_for_storage(figure: Decimal, column: DecimalColumn) -> Decimal:
    """Return the figure with the decimal places of its column, as it will be read back. It must have passed a check."""
    exact = figure.quantize(Decimal(1).scaleb(-column.places))
    return exact or abs(exact)  # zero without a sign


def _decimal_places(figure: Decimal) -> int:
    """Return the position of the last digit that is not zero: 1.50 has one decimal place.

    Counted on the digits, because `normalize` would round a long figure to the precision of the context.
    """
    _, digits, exponent = figure.as_tuple()
    assert isinstance(exponent, int)  # finite
    zeros = len(digits) - len(bytes(digits).rstrip(b"\0"))
    return exponent + zeros if any(digits) else 0
