"""Compare shares with thresholds: cost by place (K-06, A-05), weight of food (C-10, U-04)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from app.reference import hs_nomenclature
from app.schemes.evidence_choice import find_document_in_force, unconfirmed_documents
from app.schemes.facts import CostPlace, CostShares, CostStatement, Facts, ValueBasis
from app.schemes.material_origin import BillOfMaterials, MaterialLine, ProofState, is_positive, location_in_proof
from app.schemes.outcome import Outcome
from app.schemes.percentages import format_decimal, format_percentage, percentage_to_fraction, to_fraction
from app.schemes.rules.base import (
    UNCONFIRMED_CASE,
    Country,
    Heading,
    HsPrefix,
    KindCode,
    Percentage,
    Remedy,
    Rule,
    RuleContext,
    RuleResult,
    SetName,
    Value,
    ValueName,
    Word,
    sanitize,
)
from app.schemes.rules.origin import name_materials, product_name
from app.schemes.rules.territory import is_in_sets

PlaceReading = Callable[[MaterialLine], CostPlace]
PlaceReadings = tuple[PlaceReading, PlaceReading, PlaceReading]
BEST_FIRST = (CostPlace.KARABAKH, CostPlace.AZ_OTHER, CostPlace.ABROAD)
CASE_RANK = {"fail": 0, "manual": 1, "pass": 2}


@dataclass(frozen=True, slots=True)
class GradedShare:
    """A share, and the case it leads to."""

    share: Fraction
    case: str


class ShareRule(Rule):
    """Pass from `pass_at` on, manual from `review_at` on, fail below; shares are not rounded.

    `of`: `cost`, the cost incurred in `scope` (materials count by their origin status); `weight`, local raw material of
    goods of `goods`, by weight; `statement`, the share that a document of kind `evidence` states, for goods of `goods`;
    other goods pass by one of the document's `words` and are otherwise manual.
    """

    kind: Literal["share"]
    of: Literal["cost", "weight", "statement"]
    pass_at: Percentage
    review_at: Percentage
    scope: Literal["KARABAKH", "AZERBAIJAN"] = "AZERBAIJAN"
    country: Country = "AZ"
    goods: tuple[HsPrefix, ...] = ()
    counted: tuple[HsPrefix, ...] = Field(default=(), description="goods that count as raw material")
    unavailable: tuple[Heading, ...] = Field(default=(), description="raw material that the country does not produce")
    sources: tuple[SetName, ...] = Field(default=(), description="weight: territory sets that local material is from")
    evidence: KindCode | None = None
    value: ValueName | None = None
    words: Mapping[ValueName, tuple[Word, ...]] = Field(default={}, description="other goods: value → words that pass")
    CODE_GROUPS: ClassVar = {"scope": "place", "word": "word"}
    VALUE_KEYS: ClassVar = frozenset({"hs6", "product", "share", "stated", "materials", "word"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "incomplete_missing": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
        "incomplete_proof": Outcome.INCOMPLETE,
        UNCONFIRMED_CASE: Outcome.INCOMPLETE,
    }
    COST_CASES: ClassVar = {"incomplete_range": Outcome.INCOMPLETE}
    WEIGHT_CASES: ClassVar = {
        "pass_own": Outcome.PASS,
        "not_applicable": Outcome.NOT_APPLICABLE,
        "incomplete_hs6": Outcome.INCOMPLETE,
        "incomplete_range": Outcome.INCOMPLETE,
        "incomplete_weight": Outcome.INCOMPLETE,
        "incomplete_own": Outcome.INCOMPLETE,
        "incomplete_record": Outcome.INCOMPLETE,
    }
    STATEMENT_CASES: ClassVar = {
        "pass_word": Outcome.PASS,
        "manual_word": Outcome.MANUAL,
        "incomplete_hs6": Outcome.INCOMPLETE,
    }

    @model_validator(mode="after")
    def require_consistent_parameters(self) -> Self:
        if self.review_at > self.pass_at:
            raise ValueError(f"{self.id}: review_at is above pass_at")
        if self.of == "weight" and not (self.goods and self.counted):
            raise ValueError(f"{self.id}: a share of weight names its goods and what is counted")
        if self.sources and self.of != "weight":
            raise ValueError(f"{self.id}: sources are for a share of weight")
        if self.of == "statement" and (self.evidence is None or self.value is None):
            raise ValueError(f"{self.id}: a stated share names the kind of document and the value")
        return self

    def territory_set_names(self) -> tuple[str, ...]:
        return self.sources

    def cases(self) -> Mapping[str, Outcome]:
        never = {"manual"} if self.review_at == self.pass_at else set()
        return {case: outcome for case, outcome in self.cases_of_kind().items() if case not in never}

    def cases_of_kind(self) -> Mapping[str, Outcome]:
        if self.of == "cost":
            return self.CASES | self.COST_CASES
        if self.of == "weight":
            return self.CASES | self.WEIGHT_CASES
        own = {case: outcome for case, outcome in self.CASES.items() if case != "incomplete_proof"}
        words = {case for case in self.STATEMENT_CASES if case.endswith("_word")}
        return own | {case: each for case, each in self.STATEMENT_CASES.items() if self.words or case not in words}

    def evidence_kinds(self) -> tuple[str, ...]:
        return () if self.evidence is None else (self.evidence,)

    def value_names(self) -> tuple[str, ...]:
        return (*((self.value,) if self.value else ()), *self.words)

    def case_for(self, share: Fraction) -> str:
        if share >= Fraction(self.pass_at):
            return "pass"
        return "manual" if share >= Fraction(self.review_at) else "fail"

    def displayed(self, share: Fraction) -> str:
        return format_percentage(share, self.pass_at, self.review_at)

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:
        values: dict[str, Value] = dict.fromkeys(self.VALUE_KEYS) | {
            "materials": (),
            "hs6": sanitize(facts.product.hs6),
        }
        values["product"] = sanitize(product_name(facts))
        if self.of == "cost":
            return self.evaluate_cost(facts, context, values)
        if self.of == "statement":
            return self.evaluate_statement(facts, values)
        hs6 = hs_nomenclature.as_six_digits(facts.product.hs6)
        if hs6 is None:
            return RuleResult("incomplete_hs6", values, Remedy(field="/hs6"))
        if not hs6.startswith(self.goods):
            return RuleResult("not_applicable", values)
        return self.evaluate_weight(facts, context, values, hs6)

    # Cost by place

    def evaluate_cost(self, facts: Facts, context: RuleContext, values: dict[str, Value]) -> RuleResult:
        if facts.cost is None:
            return RuleResult("not_assessed", values)
        if isinstance(facts.cost, CostShares):
            return self.evaluate_stated_cost(facts.cost, values)
        bill = context.bill_of_materials(facts)
        others = context.compute_once("other costs", facts, partial(sum_other_costs, facts.cost))
        if bill is None or others is None or not any(others.values()):
            return RuleResult("incomplete_missing", values, Remedy(field="/costs"))
        unvalued = next((line for line in bill.lines if not is_positive(line.material.value)), None)
        if unvalued is not None:
            return RuleResult("incomplete_missing", values, Remedy(field=f"/materials/{unvalued.number}/value"))

        def share(place: Callable[[MaterialLine], CostPlace]) -> GradedShare:
            sums = dict(others)
            for line in bill.lines:
                sums[place(line)] += to_fraction(line.material.value) or Fraction(0)
            here = sums[CostPlace.KARABAKH] + (sums[CostPlace.AZ_OTHER] if self.scope == "AZERBAIJAN" else 0)
            return self.grade_share(here / sum(sums.values()) * 100)

        return self.evaluate_with_proofs(bill, values, share, (current_place, place_if_confirmed, self.best_place))

    def best_place(self, line: MaterialLine) -> CostPlace:
        """Return the place by proof or by line, whichever is better for the share."""
        places = (line.proven_place, line.claimed_place, *contradicting_proof_places(line))
        return min(places, key=BEST_FIRST.index)

    def evaluate_stated_cost(self, cost: CostShares, values: dict[str, Value]) -> RuleResult:
        figure = cost.karabakh_pct if self.scope == "KARABAKH" else cost.azerbaijan_pct
        if figure is None:
            return RuleResult("incomplete_missing", values, Remedy(field="/costs"))
        values["stated"] = sanitize(format_decimal(figure))
        share = percentage_to_fraction(figure)
        if share is None:
            return RuleResult("incomplete_range", values, Remedy(field="/costs"))
        return RuleResult(self.case_for(share), values | {"share": self.displayed(share)})

    # Raw material of food by weight

    def evaluate_weight(self, facts: Facts, context: RuleContext, values: dict[str, Value], hs6: str) -> RuleResult:
        bill = context.bill_of_materials(facts)
        if bill is None:
            return self.evaluate_stated_weight(facts, values)
        if missing := next((line for line in bill.lines if not line.is_packing and line.heading is None), None):
            details = values | {"materials": name_materials([missing])}
            return RuleResult("incomplete_weight", details, Remedy(field=f"/materials/{missing.number}/hs4"))
        counted = [line for line in bill.lines if self.is_counted(line, bill, context, hs6)]
        own = bill.unlisted_own_produce
        if own is not None:
            if counted:
                return RuleResult("incomplete_own", values, Remedy(field="/materials"))
            outside = self.sources and not all(is_in_sets(self.sources, *place, context) for place in own.locations)
            if outside:
                return RuleResult("fail", values | {"share": self.displayed(Fraction(0))})
            return self.own_produce_result(own.state, values)
        if not counted:
            return RuleResult("incomplete_missing", values, Remedy(field="/materials"))
        if unweighed := next((line for line in counted if not is_positive(line.material.weight_kg)), None):
            details = values | {"materials": name_materials([unweighed])}
            return RuleResult("incomplete_weight", details, Remedy(field=f"/materials/{unweighed.number}/weight_kg"))

        def share(is_local: Callable[[MaterialLine], bool]) -> GradedShare:
            weights = {line.number: to_fraction(line.material.weight_kg) or Fraction(0) for line in counted}
            local = sum((weights[line.number] for line in counted if is_local(line)), start=Fraction(0))
            return self.grade_share(local / sum(weights.values()) * 100)

        def by_place(place: Callable[[MaterialLine], CostPlace]) -> GradedShare:
            return share(lambda line: place(line) is not CostPlace.ABROAD)

        return self.evaluate_with_proofs(bill, values, by_place, self.place_readings(context))

    def place_readings(self, context: RuleContext) -> PlaceReadings:
        """Return three readings of a material's place: now, with proofs confirmed, and at best.

        With `sources`, other places in the country count like places abroad.
        """
        if not self.sources:
            return current_place, place_if_confirmed, self.best_place

        def inside(region: str | None, district: str | None) -> CostPlace:
            is_local = is_in_sets(self.sources, region, district, context)
            return CostPlace.KARABAKH if is_local else CostPlace.ABROAD

        def now(line: MaterialLine) -> CostPlace:
            return line.counted_place if line.counted_place is CostPlace.ABROAD else inside(*line.location)

        def proven(line: MaterialLine) -> CostPlace:
            return line.proven_place if line.proven_place is CostPlace.ABROAD else inside(*line.location)

        def best(line: MaterialLine) -> CostPlace:
            if self.best_place(line) is CostPlace.ABROAD:
                return CostPlace.ABROAD
            proof_locations = (
                [location_in_proof(line.contradicting_proof)]
                if contradicting_proof_places(line) and line.contradicting_proof
                else []
            )
            own = (line.material.origin_region, line.material.origin_district)
            places = [inside(*place) for place in (line.location, own, *proof_locations)]
            return min(places, key=BEST_FIRST.index)

        return now, proven, best

    def is_counted(self, line: MaterialLine, bill: BillOfMaterials, context: RuleContext, hs6: str) -> bool:
        """Check that a line is raw material of the food: no packing, seed, feed, water or salt."""
        heading = line.heading or ""
        if line.is_packing or not heading.startswith(self.counted) or heading in self.unavailable:
            return False
        if context.lists.is_left_out(hs6, heading):
            return False
        claimed = bill.own_produce is not None and not line.is_own_produce
        return not (claimed and context.lists.is_grown_with(hs6, heading))

    def own_produce_result(self, state: ProofState, values: dict[str, Value]) -> RuleResult:
        if state is ProofState.PROVEN:
            return RuleResult("pass_own", values | {"share": self.displayed(Fraction(100))})
        values["share"] = self.displayed(Fraction(0))
        if state is ProofState.AWAITING:
            return RuleResult(UNCONFIRMED_CASE, values, Remedy(by_staff=True))
        return RuleResult("incomplete_record", values, Remedy(evidence="production-record"))

    def evaluate_stated_weight(self, facts: Facts, values: dict[str, Value]) -> RuleResult:
        if facts.raw_weight is None:
            return RuleResult("not_assessed", values)
        figure = facts.raw_weight.local_pct
        if figure is None:
            return RuleResult("incomplete_missing", values, Remedy(field="/materials"))
        values["stated"] = sanitize(format_decimal(figure))
        share = percentage_to_fraction(figure)
        if share is None:
            return RuleResult("incomplete_range", values, Remedy(field="/materials"))
        return RuleResult(self.case_for(share), values | {"share": self.displayed(share)})

    # Proofs decide

    def grade_share(self, share: Fraction) -> GradedShare:
        return GradedShare(share, self.case_for(share))

    def evaluate_with_proofs(
        self,
        bill: BillOfMaterials,
        values: dict[str, Value],
        share: Callable[[PlaceReading], GradedShare],
        readings: PlaceReadings,
    ) -> RuleResult:
        """Evaluate a fail or manual again as if all proofs existed and had the better place."""
        now, proven, best_place = readings
        first_result = share(now)
        values |= {"share": self.displayed(first_result.share)}
        if first_result.case == "pass":
            return RuleResult("pass", values)

        def can_improve(line: MaterialLine) -> bool:
            is_home_origin = line.state in (ProofState.UNPROVEN, ProofState.AWAITING)
            return (
                is_home_origin
                or line.contradicting_proof is not None
                or (line.is_originating and best_place(line) is not now(line))
            )

        best_result = share(lambda line: best_place(line) if can_improve(line) else now(line))
        if CASE_RANK[best_result.case] <= CASE_RANK[first_result.case]:
            return RuleResult(first_result.case, values)
        awaiting_result = share(lambda line: proven(line) if line.state is ProofState.AWAITING else now(line))
        open_lines = [line for line in bill.lines if can_improve(line)]
        if awaiting_result.case == best_result.case:
            details = name_materials(line for line in open_lines if line.state is ProofState.AWAITING)
            return RuleResult(UNCONFIRMED_CASE, values | {"materials": details}, Remedy(by_staff=True))
        unproven = [
            line for line in open_lines if line.state is ProofState.UNPROVEN or line.contradicting_proof is not None
        ]
        requested = unproven or open_lines
        own = [line for line in requested if line.material.basis is ValueBasis.OWN]
        field = f"/materials/{(own or requested)[0].number}/proofs"
        if own and "incomplete_record" in self.cases():
            values["materials"] = name_materials(own)
            return RuleResult("incomplete_record", values, Remedy(field, "production-record"))
        kind = "production-record" if own else "supplier-declaration"
        return RuleResult("incomplete_proof", values | {"materials": name_materials(requested)}, Remedy(field, kind))

    # Statement

    def evaluate_statement(self, facts: Facts, values: dict[str, Value]) -> RuleResult:
        if facts.evidence is None:
            return RuleResult("not_assessed", values)
        assert self.evidence is not None and self.value is not None  # checked when the file was loaded
        hs6 = hs_nomenclature.as_six_digits(facts.product.hs6)
        if hs6 is None:
            return RuleResult("incomplete_hs6", values, Remedy(field="/hs6"))
        item = find_document_in_force(facts.evidence, self.evidence, facts.as_of)
        absent = UNCONFIRMED_CASE if unconfirmed_documents(facts.evidence, self.evidence) else "incomplete_missing"
        missing = RuleResult(absent, values, Remedy(evidence=self.evidence, by_staff=absent == UNCONFIRMED_CASE))
        if item is None:
            return missing
        if not self.words or hs6.startswith(self.goods):
            figure = item.values.get(self.value)
            share = percentage_to_fraction(figure) if isinstance(figure, Decimal) else None
            return (
                missing
                if share is None
                else RuleResult(self.case_for(share), values | {"share": self.displayed(share)})
            )
        stated_words = {name: word for name in self.words if isinstance(word := item.values.get(name), str)}
        if not stated_words:
            return missing
        passing = [word for name, word in stated_words.items() if word in self.words[name]]
        values["word"] = tuple(sanitize(word) or "?" for word in passing or stated_words.values())
        return RuleResult("pass_word" if passing else "manual_word", values)


def current_place(line: MaterialLine) -> CostPlace:
    return line.counted_place


def place_if_confirmed(line: MaterialLine) -> CostPlace:
    return line.proven_place


def contradicting_proof_places(line: MaterialLine) -> tuple[CostPlace, ...]:
    """Return the place of a material by a confirmed proof that differs from its line."""
    if line.contradicting_proof is None or line.contradicting_proof.values.get("country") != "AZ":
        return ()
    return (CostPlace.AZ_OTHER,)


def sum_other_costs(cost: CostStatement) -> dict[CostPlace, Fraction] | None:
    """Sum manufacturing cost by place without materials; None where an amount is invalid."""
    sums = dict.fromkeys(CostPlace, Fraction(0))
    for each in cost.costs:
        amount = to_fraction(each.amount)
        if amount is None or amount < 0:
            return None
        if each.kind != "materials":
            sums[each.place] += amount
    return sums
