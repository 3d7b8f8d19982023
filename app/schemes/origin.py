"""Where the substance of a product comes from: wholly obtained, change of heading, or regional value content.

Build-down formula: RVC = (ex-works − non-originating value) / ex-works × 100 (`domain.md` §4.6, §5.3 C-06 and C-07).
"""

from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction

from app.schemes import nomenclature
from app.schemes.facts import InputSummary, Material, ValueStatement
from app.schemes.figures import exact, plain, rounded, shown

UNROUNDED = Context(prec=200)
"""Figures are bounded (`figures.py`), so sums of them at this precision are exact, whatever the order."""


class Criterion(StrEnum):
    WHOLLY_OBTAINED = "WO"  # no non-originating value at all
    CHANGE_OF_HEADING = "CTH"  # every non-originating input is classified in another heading
    VALUE_CONTENT = "RVC"  # enough of the ex-works price was added here
    NONE = "NONE"


class Obstacle(StrEnum):
    """Why the criterion cannot be determined."""

    EX_WORKS = "incomplete_ex_works"
    INPUTS = "incomplete_inputs"
    NEGATIVE = "incomplete_negative"
    HEADINGS = "incomplete_headings"
    HS_CODE = "incomplete_hs6"


@dataclass(frozen=True, slots=True)
class Origin:
    """`rvc` is exact, `rvc_pct` is rounded for the eye; both are None where the value content cannot be computed."""

    result: Criterion | Obstacle
    ex_works: Decimal | None
    non_originating_value: Decimal | None
    headings: tuple[str, ...]  # of the non-originating inputs, sorted, each once
    same_heading: tuple[str, ...]  # those in the product's own heading
    unknown_headings: tuple[str, ...]  # those that the nomenclature does not know
    rvc: Fraction | None
    arithmetic: str | None  # "(1450 − 830) / 1450 × 100 = 42.8 %"

    @property
    def criterion(self) -> Criterion | None:
        """None where the criterion cannot be determined."""
        return self.result if isinstance(self.result, Criterion) else None

    @property
    def rvc_pct(self) -> Decimal | None:
        return None if self.rvc is None else rounded(self.rvc)


def summarise(inputs: tuple[Material, ...] | InputSummary | None) -> InputSummary:
    """The two figures that origin rests on.

    A bill of materials without a line says nothing and gives no value. One line whose value or standing is missing
    leaves the whole value missing; one negative value makes it negative, so that no other line can hide it. A
    non-originating line without a heading counts as one with an unknown heading.
    """
    if isinstance(inputs, InputSummary):
        headings = tuple(sorted({heading.strip() for heading in inputs.non_originating_headings}))
        return InputSummary(inputs.non_originating_value, headings)
    foreign = [line for line in inputs or () if line.originating is not True]
    headings = tuple(sorted({(line.hs4 or "").strip() for line in foreign}))
    values = [line.value for line in foreign if line.value is not None and exact(line.value) is not None]
    if negative := [value for value in values if value < 0]:
        return InputSummary(min(negative), headings)
    if not inputs or len(values) < len(foreign) or any(line.originating is None for line in foreign):
        return InputSummary(None, headings)
    total = Decimal(0)
    for value in values:
        total = UNROUNDED.add(total, value)
    return InputSummary(total, headings)


def determine(value: ValueStatement, hs6: str | None, *, rvc_at_least: Decimal) -> Origin:
    """The criterion that the product meets, in the order wholly obtained, change of heading, value content.

    No input heading listed counts as a change of heading; an unknown one never does.
    """
    summary = summarise(value.inputs)
    headings = summary.non_originating_headings
    product = nomenclature.six_digits(hs6)
    own_heading = product[: nomenclature.HEADING] if product else ""
    unknown = tuple(heading for heading in headings if not nomenclature.is_heading(heading))
    same = tuple(heading for heading in headings if heading == own_heading)
    rvc = value_content(value.ex_works, summary.non_originating_value)

    result: Criterion | Obstacle
    if isinstance(rvc, Obstacle):
        result = rvc
    elif summary.non_originating_value == 0:
        result = Criterion.WHOLLY_OBTAINED
    elif not nomenclature.is_heading(own_heading):
        result = Obstacle.HS_CODE
    elif unknown:
        result = Obstacle.HEADINGS
    elif not same:
        result = Criterion.CHANGE_OF_HEADING
    else:
        result = Criterion.VALUE_CONTENT if rvc >= Fraction(rvc_at_least) else Criterion.NONE
    return Origin(
        result=result,
        ex_works=value.ex_works,
        non_originating_value=summary.non_originating_value,
        headings=headings,
        same_heading=same,
        unknown_headings=unknown,
        rvc=None if isinstance(rvc, Obstacle) else rvc,
        arithmetic=show_arithmetic(value.ex_works, summary.non_originating_value, rvc_at_least),
    )


def value_content(ex_works: Decimal | None, non_originating_value: Decimal | None) -> Fraction | Obstacle:
    """Percentage of the ex-works price that is not foreign material; negative where the inputs cost more."""
    price, foreign = exact(ex_works), exact(non_originating_value)
    if price is None or price <= 0:
        return Obstacle.EX_WORKS
    if foreign is None:
        return Obstacle.INPUTS
    if foreign < 0:
        return Obstacle.NEGATIVE
    return (price - foreign) / price * 100


def show_arithmetic(ex_works: Decimal | None, non_originating_value: Decimal | None, threshold: Decimal) -> str | None:
    """The computation as a line to read; the result is never shown on the wrong side of the threshold."""
    rvc = value_content(ex_works, non_originating_value)
    if isinstance(rvc, Obstacle) or ex_works is None or non_originating_value is None:
        return None
    price, foreign = plain(ex_works), plain(non_originating_value)
    return f"({price} − {foreign}) / {price} × 100 = {shown(rvc, threshold)} %"


def local_weight(
    materials: tuple[Material, ...], country: str, counted_chapters: tuple[str, ...], left_out: tuple[str, ...]
) -> Fraction | None:
    """Percentage by weight of raw material from `country`.

    Counted are materials of `counted_chapters` whose heading is not in `left_out`. None where a heading, weight or
    country is missing, where a weight is negative, or where nothing is counted.
    """
    total = local = Fraction(0)
    for line in materials:
        heading = (line.hs4 or "").strip()
        if not nomenclature.is_heading(heading):
            return None
        if heading[: nomenclature.CHAPTER] not in counted_chapters or heading in left_out:
            continue
        weight, origin = exact(line.weight_kg), (line.origin_country or "").strip().upper()
        if weight is None or weight < 0 or not origin:
            return None
        total += weight
        local += weight if origin == country else 0
    return local / total * 100 if total else None
