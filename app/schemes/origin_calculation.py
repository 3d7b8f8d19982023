"""Determine the origin of a product: wholly obtained, materials, change of heading, value.

Value content by the build-down method: RVC = (EXW − VNM) / EXW × 100. EXW is the ex-works price without VAT and excise;
VNM is the value of the non-originating materials: imported at CIF, bought in Azerbaijan at the price paid.
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
"""Figures are bounded (`percentages.py`), so sums at this precision are exact in any order."""


class OriginCriterion(StrEnum):
    """The four codes used on the wire."""

    WHOLLY_OBTAINED = "WO"
    ORIGINATING_MATERIALS = "PE"
    CHANGE_OF_HEADING = "CTH"
    VALUE_CONTENT = "RVC"


class OriginResult(StrEnum):
    """Result of the origin calculation; the values are the cases of C-06."""

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
    """Origin of a product with its arithmetic.

    `rvc` is exact, `rvc_pct` is rounded for display; both are None where the value content cannot be computed.
    """

    result: OriginResult
    ex_works: Decimal | None
    non_originating_value: Decimal | None
    headings: tuple[str, ...] = ()  # of the non-originating materials, sorted, each once
    same_heading: tuple[str, ...] = ()  # those in the product's own heading
    affected_lines: tuple[MaterialLine, ...] = ()  # the lines that make the result incomplete
    unlisted: tuple[str, ...] = ()  # headings of a summary that are not in HS 2022
    rvc: Fraction | None = None
    arithmetic: str | None = None  # "(1450 − 830) / 1450 × 100 = 42.8 %"

    @property
    def criterion(self) -> OriginCriterion | None:
        """Return the criterion; None where none is met or it cannot be determined."""
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
    """Return the first criterion of the mark that is met; None where the call has no values.

    `bill` is the bill of materials if it was already classified.
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
    """Determine the origin from a file: two figures and the headings, without proofs."""
    assert facts.value is not None  # checked by the caller
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
"""Fail ranks before incomplete, incomplete before pass."""


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
        assert facts.value is not None  # checked by the caller
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
        result, affected = self.evaluate(frozenset(), own_is_proven=self.own_produce_state is ProofState.PROVEN)
        if result is OriginResult.FAIL or self.is_own_produce_unproven:
            result, affected = self.evaluate_missing_proofs(result)
        value = exact_sum(line.material.value for line in foreign)
        if result is OriginResult.FAIL and value is None:  # the known values already exceed the limit
            value = exact_sum(line.material.value for line in foreign if is_positive(line.material.value))
        assert self.facts.value is not None  # checked in __init__
        price = self.facts.value.ex_works
        return Origin(
            result=result,
            ex_works=price,
            non_originating_value=value,
            headings=tuple(sorted({(line.material.hs4 or "").strip() for line in foreign})),
            same_heading=tuple(
                sorted({line.heading for line in foreign if line.heading == self.heading and line.heading})
            ),
            affected_lines=affected,
            rvc=compute_value_content(price, value),
            arithmetic=format_arithmetic(price, value, self.rvc_at_least),
        )

    @property
    def own_produce_state(self) -> ProofState | None:
        return self.bill.own_produce.state if self.bill.own_produce else None

    @property
    def is_own_produce_unproven(self) -> bool:
        """Check for claimed own produce without proof: no criterion is met until it is proven."""
        return self.own_produce_state not in (None, ProofState.PROVEN)

    def evaluate_missing_proofs(self, first_result: OriginResult) -> tuple[OriginResult, tuple[MaterialLine, ...]]:
        """Evaluate a fail again as if all proofs existed; if that helps, request the proofs instead."""
        open_lines = self.unproven_lines(ProofState.UNPROVEN, ProofState.AWAITING)
        if not open_lines and not self.is_own_produce_unproven:
            return first_result, ()
        best_result, affected = self.evaluate(
            frozenset(line.number for line in open_lines), own_is_proven=True, include_contradicted=True
        )
        if RESULT_RANK.get(best_result, 1) <= RESULT_RANK[OriginResult.FAIL]:
            return OriginResult.FAIL, ()
        if best_result not in RESULT_RANK:  # something else is missing too, and is reported first
            return best_result, affected
        awaiting_lines = self.unproven_lines(ProofState.AWAITING, include_contradicted=False)
        own_can_be_confirmed = self.own_produce_state in (None, ProofState.PROVEN, ProofState.AWAITING)
        with_awaiting, _ = self.evaluate(
            frozenset(line.number for line in awaiting_lines), own_is_proven=own_can_be_confirmed
        )
        if own_can_be_confirmed and RESULT_RANK.get(with_awaiting, 1) == RESULT_RANK[OriginResult.WO]:
            return OriginResult.UNCONFIRMED, awaiting_lines
        unproven = self.unproven_lines(ProofState.UNPROVEN)
        own_lines = tuple(line for line in unproven if line.material.basis is ValueBasis.OWN)
        if own_lines or self.own_produce_state is ProofState.UNPROVEN:
            return OriginResult.RECORD, own_lines
        return OriginResult.PROOF, unproven

    def unproven_lines(self, *states: ProofState, include_contradicted: bool = True) -> tuple[MaterialLine, ...]:
        return tuple(
            line
            for line in self.bill.lines
            if line.state in states or (include_contradicted and line.contradicting_proof is not None)
        )

    def evaluate(
        self, assumed_lines: frozenset[int], *, own_is_proven: bool, include_contradicted: bool = False
    ) -> tuple[OriginResult, tuple[MaterialLine, ...]]:
        """Return the first matching result and its lines, with `assumed_lines` taken as originating."""
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
            return line.number in assumed_lines and (
                line.state is not ProofState.FOREIGN or self.can_proof_make_originating(line)
            )

        foreign = [line for line in lines if not originates(line)]
        if unheaded := tuple(line for line in foreign if line.heading is None):
            return OriginResult.HEADING, unheaded
        if own is None or own_is_proven:
            met = self.evaluate_obtained_or_materials(originates, own_is_proven=own is not None)
            if met is not None:
                return met, ()
        same = [
            line
            for line in foreign
            if self.heading_for(line, include_contradicted=include_contradicted) == self.heading
        ]
        if own is not None and not own_is_proven:
            return self.evaluate_value_content(foreign), ()  # not final: `evaluate_missing_proofs` requests the record
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

    def heading_for(self, line: MaterialLine, *, include_contradicted: bool) -> str | None:
        """Return the heading as entered, or that of a contradicting proof if it would help."""
        stated = (
            line.contradicting_proof.values.get("hs4")
            if include_contradicted and line.contradicting_proof is not None
            else None
        )
        return stated if isinstance(stated, str) and stated != self.heading else line.heading

    def evaluate_obtained_or_materials(
        self, originates: Callable[[MaterialLine], bool], *, own_is_proven: bool
    ) -> OriginResult | None:
        """Return WO or PE; None where a material is foreign. Packing up to its limit is ignored."""
        packing = [line for line in self.bill.lines if line.is_packing]
        ignores_packing = not packing or self.is_within_percentage(packing, self.settings.packing_max_pct) is True
        counted = [line for line in self.bill.lines if not (line.is_packing and ignores_packing)]
        claimed = self.bill.own_produce is not None
        counted_for_nature = [
            line
            for line in counted
            if not (claimed and not line.is_own_produce and self.lists.is_grown_with(self.hs6, line.heading))
        ]
        from_nature = all(
            originates(line) and line.is_domestic and self.is_of_nature(line) for line in counted_for_nature
        )
        may_be_wholly_obtained = OriginCriterion.WHOLLY_OBTAINED in self.criteria
        if (
            may_be_wholly_obtained
            and from_nature
            and (counted_for_nature or own_is_proven)
            and self.lists.is_good_of_nature(self.hs6)
        ):
            return OriginResult.WO
        may_be_of_materials = OriginCriterion.ORIGINATING_MATERIALS in self.criteria
        if may_be_of_materials and counted and all(originates(line) for line in counted):
            return OriginResult.PE
        return None

    def can_proof_make_originating(self, line: MaterialLine) -> bool:
        """Check that the contradicting proof of a line would make it originating."""
        return line.contradicting_proof is not None and line.contradicting_proof.values.get("country") in (
            HOME_COUNTRY,
            *self.settings.cumulation,
        )

    def is_of_nature(self, line: MaterialLine) -> bool:
        return line.heading is not None and self.lists.is_good_of_nature(line.heading + "00")

    def evaluate_value_content(self, foreign: Sequence[MaterialLine]) -> OriginResult:
        if OriginCriterion.VALUE_CONTENT not in self.criteria:
            return OriginResult.FAIL
        positive_values = [line.material.value for line in foreign if is_positive(line.material.value)]
        rvc = compute_value_content(self.facts.value.ex_works if self.facts.value else None, exact_sum(positive_values))
        if rvc is None:
            return OriginResult.VALUE
        if rvc < Fraction(self.rvc_at_least):  # a missing value can only lower it further
            return OriginResult.FAIL
        return OriginResult.RVC if len(positive_values) == len(foreign) else OriginResult.VALUE

    def is_within_percentage(self, lines: Sequence[MaterialLine], percent: Decimal) -> bool | None:
        """Check that lines are at most a percentage of the price; None where it is unknown."""
        if self.price is None or self.price <= 0 or any(not is_positive(line.material.value) for line in lines):
            return None
        value = sum((to_fraction(line.material.value) or Fraction(0) for line in lines), start=Fraction(0))
        return value <= self.price * Fraction(percent) / 100


def exact_sum(values: Iterable[Decimal | None]) -> Decimal | None:
    """Sum exactly; None where a value is missing or invalid."""
    sum_ = Decimal(0)
    for value in values:
        if value is None or to_fraction(value) is None:
            return None
        sum_ = UNROUNDED_CONTEXT.add(sum_, value)
    return sum_


def compute_value_content(ex_works: Decimal | None, non_originating_value: Decimal | None) -> Fraction | None:
    """Return the share of the price that is not foreign material; it may be negative.

    None where the price is missing or not above zero, or the value is missing or negative.
    """
    price, foreign = to_fraction(ex_works), to_fraction(non_originating_value)
    if price is None or price <= 0 or foreign is None or foreign < 0:
        return None
    return (price - foreign) / price * 100


def format_arithmetic(
    ex_works: Decimal | None, non_originating_value: Decimal | None, threshold: Decimal
) -> str | None:
    """Format the calculation; the rounded result is never on the wrong side of the threshold."""
    rvc = compute_value_content(ex_works, non_originating_value)
    if rvc is None or ex_works is None or non_originating_value is None:
        return None
    price, foreign = format_decimal(ex_works), format_decimal(non_originating_value)
    return f"({price} − {foreign}) / {price} × 100 = {format_percentage(rvc, threshold)} %"
