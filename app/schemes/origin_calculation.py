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
from app.schemes.closed_lists import ClosedLists
from app.schemes.facts import Facts, InputSummary, ValueBasis
from app.schemes.material_origin import (
    HOME_COUNTRY,
    BillOfMaterials,
    MaterialLine,
    OriginSettings,
    ProofState,
    classify_materials,
    is_positive,
)
from app.schemes.percentages import format_decimal, format_percentage, round_half_up, to_fraction

UNROUNDED_CONTEXT = Context(prec=200)
"""Figures are bounded (`figures.py`), so sums of them at this precision are exact, whatever the order."""


class OriginCriterion(StrEnum):
    """The four wire codes."""

    WHOLLY_OBTAINED = "WO"
    ORIGINATING_MATERIALS = "PE"
    CHANGE_OF_HEADING = "CTH"
    VALUE_CONTENT = "RVC"


class OriginResult(StrEnum):
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


CRITERION_OF_RESULT = {
    OriginResult.WO: OriginCriterion.WHOLLY_OBTAINED,
    OriginResult.PE: OriginCriterion.ORIGINATING_MATERIALS,
    OriginResult.CTH: OriginCriterion.CHANGE_OF_HEADING,
    OriginResult.RVC: OriginCriterion.VALUE_CONTENT,
}


@dataclass(frozen=True, slots=True)
class Origin:
    """`rvc` is exact, `rvc_pct` is rounded for the eye; both are None where the value content cannot be computed."""

    result: OriginResult
    ex_works: Decimal | None
    non_originating_value: Decimal | None
    headings: tuple[str, ...] = ()  # of the non-originating materials, sorted, each once
    same_heading: tuple[str, ...] = ()  # those in the product's own heading
    affected_lines: tuple[MaterialLine, ...] = ()  # the lines that an incomplete answer is about
    unlisted: tuple[str, ...] = ()  # headings of a summary that HS 2022 does not have
    rvc: Fraction | None = None
    arithmetic: str | None = None  # "(1450 − 830) / 1450 × 100 = 42.8 %"

    @property
    def criterion(self) -> OriginCriterion | None:
        """None where no criterion is met, or where it cannot be determined."""
        return CRITERION_OF_RESULT.get(self.result)

    @property
    def rvc_pct(self) -> Decimal | None:
        return None if self.rvc is None else round_half_up(self.rvc)


def determine_origin(
    facts: Facts,
    settings: OriginSettings,
    lists: ClosedLists,
    *,
    rvc_at_least: Decimal,
    de_minimis_pct: Decimal,
    criteria: Collection[OriginCriterion] = tuple(OriginCriterion),
    bill: BillOfMaterials | None = None,
) -> Origin | None:
    """The first criterion met of those that the mark knows; None where the call carries no values.

    `bill`: the bill of materials where it was read before.
    """
    if facts.value is None:
        return None
    if isinstance(facts.value.inputs, InputSummary):
        return _determine_from_summary(facts, facts.value.inputs, lists, rvc_at_least, criteria)
    bill = bill or classify_materials(facts, settings, lists) or BillOfMaterials((), None)
    return _OriginCalculator(facts, bill, settings, lists, rvc_at_least, de_minimis_pct, criteria).determine()


def _determine_from_summary(
    facts: Facts, inputs: InputSummary, lists: ClosedLists, rvc_at_least: Decimal, criteria: Collection[OriginCriterion]
) -> Origin:
    """From a file: two figures and the headings, without proofs."""
    assert facts.value is not None  # the caller looked
    headings = tuple(sorted({heading.strip() for heading in inputs.non_originating_headings}))
    price, value = facts.value.ex_works, inputs.non_originating_value
    hs6 = facts.product.hs6
    own = hs6[: hs_nomenclature.HEADING_DIGITS] if hs6 and hs_nomenclature.is_subheading(hs6) else None
    unlisted = tuple(heading for heading in headings if not hs_nomenclature.is_heading(heading))
    same = tuple(heading for heading in headings if heading == own)
    rvc = compute_value_content(price, value)
    result: OriginResult
    if value is not None and to_fraction(value) is not None and value < 0:
        result = OriginResult.NEGATIVE
    elif rvc is None:
        result = OriginResult.VALUE
    elif own is None:
        result = OriginResult.HS_CODE
    elif value == 0 and lists.is_good_of_nature(hs6) and OriginCriterion.WHOLLY_OBTAINED in criteria:
        result = OriginResult.WO
    elif value == 0 and OriginCriterion.ORIGINATING_MATERIALS in criteria:
        result = OriginResult.PE
    elif value != 0 and (not headings or unlisted):
        result = OriginResult.HEADING
    elif not same and OriginCriterion.CHANGE_OF_HEADING in criteria:
        result = OriginResult.CTH
    else:
        met = rvc >= Fraction(rvc_at_least) and OriginCriterion.VALUE_CONTENT in criteria
        result = OriginResult.RVC if met else OriginResult.FAIL
    return Origin(
        result=result,
        ex_works=price,
        non_originating_value=value,
        headings=headings,
        same_heading=same,
        unlisted=unlisted,
        rvc=rvc,
        arithmetic=format_arithmetic(price, value, rvc_at_least),
    )


RESULT_RANK = {OriginResult.FAIL: 0, OriginResult.WO: 2, OriginResult.PE: 2, OriginResult.CTH: 2, OriginResult.RVC: 2}
"""Fail before incomplete before pass."""


class _OriginCalculator:
    def __init__(
        self,
        facts: Facts,
        bill: BillOfMaterials,
        settings: OriginSettings,
        lists: ClosedLists,
        rvc_at_least: Decimal,
        de_minimis_pct: Decimal,
        criteria: Collection[OriginCriterion],
    ) -> None:
        assert facts.value is not None  # the caller looked
        self.facts = facts
        self.bill = bill
        self.settings = settings
        self.lists = lists
        self.rvc_at_least = rvc_at_least
        self.de_minimis_pct = de_minimis_pct
        self.criteria = criteria
        self.price = to_fraction(facts.value.ex_works)
        hs6 = facts.product.hs6
        self.hs6 = hs6 if hs6 and hs_nomenclature.is_subheading(hs6) else None
        self.heading = self.hs6[: hs_nomenclature.HEADING_DIGITS] if self.hs6 else None

    def determine(self) -> Origin:
        foreign = self.bill.non_originating
        result, named = self.evaluate(frozenset(), own_is_shown=self.own_produce_state is ProofState.PROVEN)
        if result is OriginResult.FAIL or self.is_own_produce_unproven:
            result, named = self.evaluate_missing_proofs(result)
        value = exact_sum(line.material.value for line in foreign)
        if result is OriginResult.FAIL and value is None:  # what is known is too much already
            value = exact_sum(line.material.value for line in foreign if is_positive(line.material.value))
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
            affected_lines=named,
            rvc=compute_value_content(price, value),
            arithmetic=format_arithmetic(price, value, self.rvc_at_least),
        )

    @property
    def own_produce_state(self) -> ProofState | None:
        return self.bill.own_produce.state if self.bill.own_produce else None

    @property
    def is_own_produce_unproven(self) -> bool:
        """Own produce is claimed and not shown: no criterion is met until it is."""
        return self.own_produce_state not in (None, ProofState.PROVEN)

    def evaluate_missing_proofs(self, first: OriginResult) -> tuple[OriginResult, tuple[MaterialLine, ...]]:
        """A refusal is judged once more as if every missing proof were there; then it is asked for instead."""
        open_lines = self.unproven_lines(ProofState.UNPROVEN, ProofState.AWAITING)
        if not open_lines and not self.is_own_produce_unproven:
            return first, ()
        best, named = self.evaluate(frozenset(line.number for line in open_lines), own_is_shown=True, slips=True)
        if RESULT_RANK.get(best, 1) <= RESULT_RANK[OriginResult.FAIL]:
            return OriginResult.FAIL, ()
        if best not in RESULT_RANK:  # something else is missing as well, and is said first
            return best, named
        awaiting = self.unproven_lines(ProofState.AWAITING, slips=False)
        own_waits = self.own_produce_state in (None, ProofState.PROVEN, ProofState.AWAITING)
        with_awaiting, _ = self.evaluate(frozenset(line.number for line in awaiting), own_is_shown=own_waits)
        if own_waits and RESULT_RANK.get(with_awaiting, 1) == RESULT_RANK[OriginResult.WO]:
            return OriginResult.UNCONFIRMED, awaiting
        asked = self.unproven_lines(ProofState.UNPROVEN)
        own_lines = tuple(line for line in asked if line.material.basis is ValueBasis.OWN)
        if own_lines or self.own_produce_state is ProofState.UNPROVEN:
            return OriginResult.RECORD, own_lines
        return OriginResult.PROOF, asked

    def unproven_lines(self, *states: ProofState, slips: bool = True) -> tuple[MaterialLine, ...]:
        return tuple(
            line for line in self.bill.lines if line.state in states or (slips and line.contradicting_proof is not None)
        )

    def evaluate(
        self, shown_lines: frozenset[int], *, own_is_shown: bool, slips: bool = False
    ) -> tuple[OriginResult, tuple[MaterialLine, ...]]:
        """The first row that matches, with the lines of `shown_lines` taken as originating."""
        lines = self.bill.lines
        own = self.bill.unlisted_own_produce
        ordinary = [line for line in lines if not line.is_packing]
        if not ordinary and own is None:
            return OriginResult.NO_MATERIALS, ()
        if self.heading is None or self.hs6 is None:
            return OriginResult.HS_CODE, ()

        def originates(line: MaterialLine) -> bool:
            if line.is_originating:
                return True
            return line.number in shown_lines and (
                line.state is not ProofState.FOREIGN or self.can_proof_make_originating(line)
            )

        foreign = [line for line in lines if not originates(line)]
        if unheaded := tuple(line for line in foreign if line.heading is None):
            return OriginResult.HEADING, unheaded
        if own is None or own_is_shown:
            met = self.evaluate_obtained_or_materials(originates, own_is_shown=own is not None)
            if met is not None:
                return met, ()
        same = [line for line in foreign if self.heading_for(line, slips=slips) == self.heading]
        if own is not None and not own_is_shown:
            return self.evaluate_value_content(foreign), ()  # never the last word: `proofs_decide` asks for the record
        changes = OriginCriterion.CHANGE_OF_HEADING in self.criteria
        if not same and changes:
            return OriginResult.CTH, ()
        result = self.evaluate_value_content(foreign)
        lacking = tuple(line for line in foreign if not is_positive(line.material.value))
        if changes and self.de_minimis_pct:
            if lacking:
                result = OriginResult.VALUE
            elif self.is_within_percentage(same, self.de_minimis_pct):
                result = OriginResult.CTH
        return result, lacking if result is OriginResult.VALUE else ()

    def heading_for(self, line: MaterialLine, *, slips: bool) -> str | None:
        """As entered; judging once more, the heading of a proof that differs goes before it where that helps."""
        stated = line.contradicting_proof.values.get("hs4") if slips and line.contradicting_proof is not None else None
        return stated if isinstance(stated, str) and stated != self.heading else line.heading

    def evaluate_obtained_or_materials(
        self, originates: Callable[[MaterialLine], bool], *, own_is_shown: bool
    ) -> OriginResult | None:
        """WO or PE; None where a material counts as foreign. Retail packing up to its limit is passed over."""
        packing = [line for line in self.bill.lines if line.is_packing]
        pass_over = not packing or self.is_within_percentage(packing, self.settings.packing_max_pct) is True
        counted = [line for line in self.bill.lines if not (line.is_packing and pass_over)]
        claimed = self.bill.own_produce is not None
        grown = [
            line
            for line in counted
            if not (claimed and not line.is_own_produce and self.lists.is_grown_with(self.hs6, line.heading))
        ]
        from_nature = all(originates(line) and line.is_domestic and self.is_of_nature(line) for line in grown)
        nature = OriginCriterion.WHOLLY_OBTAINED in self.criteria
        if nature and from_nature and (grown or own_is_shown) and self.lists.is_good_of_nature(self.hs6):
            return OriginResult.WO
        made_of_own = OriginCriterion.ORIGINATING_MATERIALS in self.criteria
        if made_of_own and counted and all(originates(line) for line in counted):
            return OriginResult.PE
        return None

    def can_proof_make_originating(self, line: MaterialLine) -> bool:
        """Whether the proof that says otherwise than its line would make the line originating."""
        return line.contradicting_proof is not None and line.contradicting_proof.values.get("country") in (
            HOME_COUNTRY,
            *self.settings.cumulation,
        )

    def is_of_nature(self, line: MaterialLine) -> bool:
        return line.heading is not None and self.lists.is_good_of_nature(line.heading + "00")

    def evaluate_value_content(self, foreign: Sequence[MaterialLine]) -> OriginResult:
        if OriginCriterion.VALUE_CONTENT not in self.criteria:
            return OriginResult.FAIL
        known = [line.material.value for line in foreign if is_positive(line.material.value)]
        rvc = compute_value_content(self.facts.value.ex_works if self.facts.value else None, exact_sum(known))
        if rvc is None:
            return OriginResult.VALUE
        if rvc < Fraction(self.rvc_at_least):  # already, and a value that is missing only adds to it
            return OriginResult.FAIL
        return OriginResult.RVC if len(known) == len(foreign) else OriginResult.VALUE

    def is_within_percentage(self, lines: Sequence[MaterialLine], percent: Decimal) -> bool | None:
        """Whether these lines together are at most so many percent of the price; None where that is not known."""
        if self.price is None or self.price <= 0 or any(not is_positive(line.material.value) for line in lines):
            return None
        value = sum((to_fraction(line.material.value) or Fraction(0) for line in lines), start=Fraction(0))
        return value <= self.price * Fraction(percent) / 100


def exact_sum(values: Iterable[Decimal | None]) -> Decimal | None:
    """Exact sum; None where a value is missing or cannot be right."""
    sum_ = Decimal(0)
    for value in values:
        if value is None or to_fraction(value) is None:
            return None
        sum_ = UNROUNDED_CONTEXT.add(sum_, value)
    return sum_


def compute_value_content(ex_works: Decimal | None, non_originating_value: Decimal | None) -> Fraction | None:
    """Percentage of the ex-works price that is not foreign material; negative where the materials cost more.

    None where the price is missing or not above zero, or the value is missing or negative.
    """
    price, foreign = to_fraction(ex_works), to_fraction(non_originating_value)
    if price is None or price <= 0 or foreign is None or foreign < 0:
        return None
    return (price - foreign) / price * 100


def format_arithmetic(
    ex_works: Decimal | None, non_originating_value: Decimal | None, threshold: Decimal
) -> str | None:
    """The computation as a line to read; the result is never shown on the wrong side of the threshold."""
    rvc = compute_value_content(ex_works, non_originating_value)
    if rvc is None or ex_works is None or non_originating_value is None:
        return None
    price, foreign = format_decimal(ex_works), format_decimal(non_originating_value)
    return f"({price} − {foreign}) / {price} × 100 = {format_percentage(rvc, threshold)} %"
