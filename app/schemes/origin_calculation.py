"""Where the substance of a product comes from: wholly obtained, originating materials only, change of heading, value.

Value content by the build-down method: RVC = (EXW − VNM) / EXW × 100. EXW is the ex-works price without VAT and excise;
VNM the value of the non-originating materials: imported at CIF, bought here at the price paid (`domain.md` §5.3).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction

from app.reference import hs_nomenclature
from app.schemes.closed_lists import Lists
from app.schemes.facts import Basis, Facts, InputSummary
from app.schemes.material_origin import HOME, BillOfMaterials, Line, ProofState, positive, read_bill_of_materials
from app.schemes.material_origin import OriginSettings as OriginSettings  # noqa: PLC0414 (rules take both from here)
from app.schemes.percentages import exact, plain, rounded, shown

UNROUNDED = Context(prec=200)
"""Figures are bounded (`figures.py`), so sums of them at this precision are exact, whatever the order."""


class Criterion(StrEnum):
    """The four wire codes."""

    WHOLLY_OBTAINED = "WO"
    ORIGINATING_MATERIALS = "PE"
    CHANGE_OF_HEADING = "CTH"
    VALUE_CONTENT = "RVC"


class Result(StrEnum):
    """How the question of origin ends; the names are the cases of C-06."""

    WO = "pass_wo"
    PE = "pass_pe"
    CTH = "pass_cth"
    RVC = "pass_rvc"
    FAIL = "fail"
    NO_MATERIALS = "incomplete_no_materials"
    HS_CODE = "incomplete_hs6"
    HEADING = "incomplete_heading"
    VALUE = "incomplete_value"
    NEGATIVE = "incomplete_negative"
    RECORD = "incomplete_record"
    PROOF = "incomplete_proof"
    UNCONFIRMED = "incomplete_unconfirmed"


CRITERIA = {
    Result.WO: Criterion.WHOLLY_OBTAINED,
    Result.PE: Criterion.ORIGINATING_MATERIALS,
    Result.CTH: Criterion.CHANGE_OF_HEADING,
    Result.RVC: Criterion.VALUE_CONTENT,
}


@dataclass(frozen=True, slots=True)
class Origin:
    """`rvc` is exact, `rvc_pct` is rounded for the eye; both are None where the value content cannot be computed."""

    result: Result
    ex_works: Decimal | None
    non_originating_value: Decimal | None
    headings: tuple[str, ...] = ()  # of the non-originating materials, sorted, each once
    same_heading: tuple[str, ...] = ()  # those in the product's own heading
    named: tuple[Line, ...] = ()  # the lines that an incomplete answer is about
    unlisted: tuple[str, ...] = ()  # headings of a summary that HS 2022 does not have
    rvc: Fraction | None = None
    arithmetic: str | None = None  # "(1450 − 830) / 1450 × 100 = 42.8 %"

    @property
    def criterion(self) -> Criterion | None:
        """None where no criterion is met, or where it cannot be determined."""
        return CRITERIA.get(self.result)

    @property
    def rvc_pct(self) -> Decimal | None:
        return None if self.rvc is None else rounded(self.rvc)


def determine(
    facts: Facts,
    settings: OriginSettings,
    lists: Lists,
    *,
    rvc_at_least: Decimal,
    de_minimis_pct: Decimal,
    criteria: Collection[Criterion] = tuple(Criterion),
    bill: BillOfMaterials | None = None,
) -> Origin | None:
    """The first criterion met of those that the mark knows; None where the call carries no values.

    `bill`: the bill of materials where it was read before.
    """
    if facts.value is None:
        return None
    if isinstance(facts.value.inputs, InputSummary):
        return _of_summary(facts, facts.value.inputs, lists, rvc_at_least, criteria)
    bill = bill or read_bill_of_materials(facts, settings, lists) or BillOfMaterials((), None)
    return _OfBill(facts, bill, settings, lists, rvc_at_least, de_minimis_pct, criteria).origin()


def _of_summary(
    facts: Facts, inputs: InputSummary, lists: Lists, rvc_at_least: Decimal, criteria: Collection[Criterion]
) -> Origin:
    """From a file: two figures and the headings, without proofs."""
    assert facts.value is not None  # the caller looked
    headings = tuple(sorted({heading.strip() for heading in inputs.non_originating_headings}))
    price, value = facts.value.ex_works, inputs.non_originating_value
    hs6 = facts.product.hs6
    own = hs6[: hs_nomenclature.HEADING] if hs6 and hs_nomenclature.is_subheading(hs6) else None
    unlisted = tuple(heading for heading in headings if not hs_nomenclature.is_heading(heading))
    same = tuple(heading for heading in headings if heading == own)
    rvc = value_content(price, value)
    result: Result
    if value is not None and exact(value) is not None and value < 0:
        result = Result.NEGATIVE
    elif rvc is None:
        result = Result.VALUE
    elif own is None:
        result = Result.HS_CODE
    elif value == 0 and lists.is_good_of_nature(hs6) and Criterion.WHOLLY_OBTAINED in criteria:
        result = Result.WO
    elif value == 0 and Criterion.ORIGINATING_MATERIALS in criteria:
        result = Result.PE
    elif value != 0 and (not headings or unlisted):
        result = Result.HEADING
    elif not same and Criterion.CHANGE_OF_HEADING in criteria:
        result = Result.CTH
    else:
        met = rvc >= Fraction(rvc_at_least) and Criterion.VALUE_CONTENT in criteria
        result = Result.RVC if met else Result.FAIL
    return Origin(
        result=result,
        ex_works=price,
        non_originating_value=value,
        headings=headings,
        same_heading=same,
        unlisted=unlisted,
        rvc=rvc,
        arithmetic=show_arithmetic(price, value, rvc_at_least),
    )


RANK = {Result.FAIL: 0, Result.WO: 2, Result.PE: 2, Result.CTH: 2, Result.RVC: 2}
"""Fail before incomplete before pass."""


class _OfBill:
    def __init__(
        self,
        facts: Facts,
        bill: BillOfMaterials,
        settings: OriginSettings,
        lists: Lists,
        rvc_at_least: Decimal,
        de_minimis_pct: Decimal,
        criteria: Collection[Criterion],
    ) -> None:
        assert facts.value is not None  # the caller looked
        self.facts = facts
        self.bill = bill
        self.settings = settings
        self.lists = lists
        self.rvc_at_least = rvc_at_least
        self.de_minimis_pct = de_minimis_pct
        self.criteria = criteria
        self.price = exact(facts.value.ex_works)
        hs6 = facts.product.hs6
        self.hs6 = hs6 if hs6 and hs_nomenclature.is_subheading(hs6) else None
        self.heading = self.hs6[: hs_nomenclature.HEADING] if self.hs6 else None

    def origin(self) -> Origin:
        foreign = self.bill.foreign
        result, named = self.judge(frozenset(), own_is_shown=self.own_state is ProofState.PROVEN)
        if result is Result.FAIL or self.own_is_open:
            result, named = self.proofs_decide(result)
        value = total(line.material.value for line in foreign)
        if result is Result.FAIL and value is None:  # what is known is too much already
            value = total(line.material.value for line in foreign if positive(line.material.value))
        assert self.facts.value is not None  # looked at above
        price = self.facts.value.ex_works
        return Origin(
            result=result,
            ex_works=price,
            non_originating_value=value,
            headings=tuple(sorted({(line.material.hs4 or "").strip() for line in foreign})),
            same_heading=tuple(
                sorted({line.heading for line in foreign if line.heading == self.heading and line.heading})
            ),
            named=named,
            rvc=value_content(price, value),
            arithmetic=show_arithmetic(price, value, self.rvc_at_least),
        )

    @property
    def own_state(self) -> ProofState | None:
        return self.bill.own_produce.state if self.bill.own_produce else None

    @property
    def own_is_open(self) -> bool:
        """Own produce is claimed and not shown: no criterion is met until it is."""
        return self.own_state not in (None, ProofState.PROVEN)

    def proofs_decide(self, first: Result) -> tuple[Result, tuple[Line, ...]]:
        """A refusal is judged once more as if every missing proof were there; then it is asked for instead."""
        open_lines = self.open_lines(ProofState.UNPROVEN, ProofState.AWAITING)
        if not open_lines and not self.own_is_open:
            return first, ()
        best, named = self.judge(frozenset(line.number for line in open_lines), own_is_shown=True, slips=True)
        if RANK.get(best, 1) <= RANK[Result.FAIL]:
            return Result.FAIL, ()
        if best not in RANK:  # something else is missing as well, and is said first
            return best, named
        awaiting = self.open_lines(ProofState.AWAITING, slips=False)
        own_waits = self.own_state in (None, ProofState.PROVEN, ProofState.AWAITING)
        with_awaiting, _ = self.judge(frozenset(line.number for line in awaiting), own_is_shown=own_waits)
        if own_waits and RANK.get(with_awaiting, 1) == RANK[Result.WO]:
            return Result.UNCONFIRMED, awaiting
        asked = self.open_lines(ProofState.UNPROVEN)
        own_lines = tuple(line for line in asked if line.material.basis is Basis.OWN)
        if own_lines or self.own_state is ProofState.UNPROVEN:
            return Result.RECORD, own_lines
        return Result.PROOF, asked

    def open_lines(self, *states: ProofState, slips: bool = True) -> tuple[Line, ...]:
        return tuple(line for line in self.bill.lines if line.state in states or (slips and line.slip is not None))

    def judge(
        self, shown_lines: frozenset[int], *, own_is_shown: bool, slips: bool = False
    ) -> tuple[Result, tuple[Line, ...]]:
        """The first row that matches, with the lines of `shown_lines` taken as originating."""
        lines = self.bill.lines
        own = self.bill.unlisted_own_produce
        ordinary = [line for line in lines if not line.packing]
        if not ordinary and own is None:
            return Result.NO_MATERIALS, ()
        if self.heading is None or self.hs6 is None:
            return Result.HS_CODE, ()

        def originates(line: Line) -> bool:
            if line.is_originating:
                return True
            return line.number in shown_lines and (line.state is not ProofState.FOREIGN or self.slip_helps(line))

        foreign = [line for line in lines if not originates(line)]
        if unheaded := tuple(line for line in foreign if line.heading is None):
            return Result.HEADING, unheaded
        if own is None or own_is_shown:
            met = self.of_nature_or_originating(originates, own_is_shown=own is not None)
            if met is not None:
                return met, ()
        same = [line for line in foreign if self.heading_for(line, slips=slips) == self.heading]
        if own is not None and not own_is_shown:
            return self.by_value(foreign), ()  # never the last word: `proofs_decide` asks for the record
        changes = Criterion.CHANGE_OF_HEADING in self.criteria
        if not same and changes:
            return Result.CTH, ()
        result = self.by_value(foreign)
        lacking = tuple(line for line in foreign if not positive(line.material.value))
        if changes and self.de_minimis_pct:
            if lacking:
                result = Result.VALUE
            elif self.within(same, self.de_minimis_pct):
                result = Result.CTH
        return result, lacking if result is Result.VALUE else ()

    def heading_for(self, line: Line, *, slips: bool) -> str | None:
        """As entered; judging once more, the heading of a proof that differs goes before it where that helps."""
        stated = line.slip.values.get("hs4") if slips and line.slip is not None else None
        return stated if isinstance(stated, str) and stated != self.heading else line.heading

    def of_nature_or_originating(self, originates: Callable[[Line], bool], *, own_is_shown: bool) -> Result | None:
        """WO or PE; None where a material counts as foreign. Retail packing up to its limit is passed over."""
        packing = [line for line in self.bill.lines if line.packing]
        pass_over = not packing or self.within(packing, self.settings.packing_max_pct) is True
        counted = [line for line in self.bill.lines if not (line.packing and pass_over)]
        claimed = self.bill.own_produce is not None
        grown = [
            line
            for line in counted
            if not (claimed and not line.own_produce and self.lists.is_grown_with(self.hs6, line.heading))
        ]
        from_nature = all(originates(line) and line.from_here and self.is_of_nature(line) for line in grown)
        nature = Criterion.WHOLLY_OBTAINED in self.criteria
        if nature and from_nature and (grown or own_is_shown) and self.lists.is_good_of_nature(self.hs6):
            return Result.WO
        made_of_own = Criterion.ORIGINATING_MATERIALS in self.criteria
        if made_of_own and counted and all(originates(line) for line in counted):
            return Result.PE
        return None

    def slip_helps(self, line: Line) -> bool:
        """Whether the proof that says otherwise than its line would make the line originating."""
        return line.slip is not None and line.slip.values.get("country") in (HOME, *self.settings.cumulation)

    def is_of_nature(self, line: Line) -> bool:
        return line.heading is not None and self.lists.is_good_of_nature(line.heading + "00")

    def by_value(self, foreign: Sequence[Line]) -> Result:
        if Criterion.VALUE_CONTENT not in self.criteria:
            return Result.FAIL
        known = [line.material.value for line in foreign if positive(line.material.value)]
        rvc = value_content(self.facts.value.ex_works if self.facts.value else None, total(known))
        if rvc is None:
            return Result.VALUE
        if rvc < Fraction(self.rvc_at_least):  # already, and a value that is missing only adds to it
            return Result.FAIL
        return Result.RVC if len(known) == len(foreign) else Result.VALUE

    def within(self, lines: Sequence[Line], percent: Decimal) -> bool | None:
        """Whether these lines together are at most so many percent of the price; None where that is not known."""
        if self.price is None or self.price <= 0 or any(not positive(line.material.value) for line in lines):
            return None
        value = sum((exact(line.material.value) or Fraction(0) for line in lines), start=Fraction(0))
        return value <= self.price * Fraction(percent) / 100


def total(values: Iterable[Decimal | None]) -> Decimal | None:
    """Exact sum; None where a value is missing or cannot be right."""
    sum_ = Decimal(0)
    for value in values:
        if value is None or exact(value) is None:
            return None
        sum_ = UNROUNDED.add(sum_, value)
    return sum_


def value_content(ex_works: Decimal | None, non_originating_value: Decimal | None) -> Fraction | None:
    """Percentage of the ex-works price that is not foreign material; negative where the materials cost more.

    None where the price is missing or not above zero, or the value is missing or negative.
    """
    price, foreign = exact(ex_works), exact(non_originating_value)
    if price is None or price <= 0 or foreign is None or foreign < 0:
        return None
    return (price - foreign) / price * 100


def show_arithmetic(ex_works: Decimal | None, non_originating_value: Decimal | None, threshold: Decimal) -> str | None:
    """The computation as a line to read; the result is never shown on the wrong side of the threshold."""
    rvc = value_content(ex_works, non_originating_value)
    if rvc is None or ex_works is None or non_originating_value is None:
        return None
    price, foreign = plain(ex_works), plain(non_originating_value)
    return f"({price} − {foreign}) / {price} × 100 = {shown(rvc, threshold)} %"
