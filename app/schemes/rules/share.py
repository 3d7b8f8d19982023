"""Shares with a bound to pass and a bound to be considered: cost by place (K-06, A-05), weight of food (C-10, U-04)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from app.reference import hs_nomenclature
from app.schemes.evidence_choice import awaiting, in_force
from app.schemes.facts import Basis, CostPlace, CostShares, CostStatement, Facts
from app.schemes.material_origin import BillOfMaterials, Line, ProofState, place_named, positive
from app.schemes.outcome import Outcome
from app.schemes.percentages import exact, percentage, plain, shown
from app.schemes.rules.base import (
    AWAITS_STAFF,
    Context,
    Country,
    Heading,
    HsPrefix,
    KindCode,
    Percentage,
    Remedy,
    Rule,
    SetName,
    Value,
    ValueName,
    Verdict,
    Word,
    seen,
)
from app.schemes.rules.origin import materials_named, product_name
from app.schemes.rules.territory import in_sets

Reading = Callable[[Line], CostPlace]
Readings = tuple[Reading, Reading, Reading]
BEST_FIRST = (CostPlace.KARABAKH, CostPlace.AZ_OTHER, CostPlace.ABROAD)
RANK = {"fail": 0, "manual": 1, "pass": 2}


@dataclass(frozen=True, slots=True)
class Graded:
    """A share under one reading of the proofs."""

    share: Fraction
    case: str


class ShareRule(Rule):
    """pass from `pass_at` on, manual from `review_at` on, fail below; unrounded shares are compared.

    `of`: `cost`, the cost incurred in `scope` (materials count by their origin status); `weight`, local raw material of
    goods of `goods`, by weight; `statement`, the share that a document of kind `evidence` states, for goods of `goods`;
    other goods pass by one of the document's `words` and are for a person without.
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
    NAMED: ClassVar = {"scope": "place", "word": "word"}
    VALUES: ClassVar = frozenset({"hs6", "product", "share", "stated", "materials", "word"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "incomplete_missing": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
        "incomplete_proof": Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
    }
    OF_COST: ClassVar = {"incomplete_range": Outcome.INCOMPLETE}
    OF_WEIGHT: ClassVar = {
        "pass_own": Outcome.PASS,
        "not_applicable": Outcome.NOT_APPLICABLE,
        "incomplete_hs6": Outcome.INCOMPLETE,
        "incomplete_range": Outcome.INCOMPLETE,
        "incomplete_weight": Outcome.INCOMPLETE,
        "incomplete_own": Outcome.INCOMPLETE,
        "incomplete_record": Outcome.INCOMPLETE,
    }
    OF_STATEMENT: ClassVar = {
        "pass_word": Outcome.PASS,
        "manual_word": Outcome.MANUAL,
        "incomplete_hs6": Outcome.INCOMPLETE,
    }

    @model_validator(mode="after")
    def parameters_fit(self) -> Self:
        if self.review_at > self.pass_at:
            raise ValueError(f"{self.id}: review_at is above pass_at")
        if self.of == "weight" and not (self.goods and self.counted):
            raise ValueError(f"{self.id}: a share of weight names its goods and what is counted")
        if self.sources and self.of != "weight":
            raise ValueError(f"{self.id}: sources are for a share of weight")
        if self.of == "statement" and (self.evidence is None or self.value is None):
            raise ValueError(f"{self.id}: a stated share names the kind of document and the value")
        return self

    def territories(self) -> tuple[str, ...]:
        return self.sources

    def cases(self) -> Mapping[str, Outcome]:
        never = {"manual"} if self.review_at == self.pass_at else set()
        return {case: outcome for case, outcome in self.cases_of().items() if case not in never}

    def cases_of(self) -> Mapping[str, Outcome]:
        if self.of == "cost":
            return self.CASES | self.OF_COST
        if self.of == "weight":
            return self.CASES | self.OF_WEIGHT
        own = {case: outcome for case, outcome in self.CASES.items() if case != "incomplete_proof"}
        words = {case for case in self.OF_STATEMENT if case.endswith("_word")}
        return own | {case: each for case, each in self.OF_STATEMENT.items() if self.words or case not in words}

    def evidence_kinds(self) -> tuple[str, ...]:
        return () if self.evidence is None else (self.evidence,)

    def value_names(self) -> tuple[str, ...]:
        return (*((self.value,) if self.value else ()), *self.words)

    def grade(self, share: Fraction) -> str:
        if share >= Fraction(self.pass_at):
            return "pass"
        return "manual" if share >= Fraction(self.review_at) else "fail"

    def show(self, share: Fraction) -> str:
        return shown(share, self.pass_at, self.review_at)

    def judge(self, facts: Facts, context: Context) -> Verdict:
        values: dict[str, Value] = dict.fromkeys(self.VALUES) | {"materials": (), "hs6": seen(facts.product.hs6)}
        values["product"] = seen(product_name(facts))
        if self.of == "cost":
            return self.judge_cost(facts, context, values)
        if self.of == "statement":
            return self.judge_statement(facts, values)
        hs6 = hs_nomenclature.six_digits(facts.product.hs6)
        if hs6 is None:
            return Verdict("incomplete_hs6", values, Remedy(field="/hs6"))
        if not hs6.startswith(self.goods):
            return Verdict("not_applicable", values)
        return self.judge_weight(facts, context, values, hs6)

    # Cost by place

    def judge_cost(self, facts: Facts, context: Context, values: dict[str, Value]) -> Verdict:
        if facts.cost is None:
            return Verdict("not_assessed", values)
        if isinstance(facts.cost, CostShares):
            return self.judge_stated_cost(facts.cost, values)
        bill = context.bill_of_materials(facts)
        others = context.once("other costs", facts, partial(other_costs, facts.cost))
        if bill is None or others is None or not any(others.values()):
            return Verdict("incomplete_missing", values, Remedy(field="/costs"))
        unvalued = next((line for line in bill.lines if not positive(line.material.value)), None)
        if unvalued is not None:
            return Verdict("incomplete_missing", values, Remedy(field=f"/materials/{unvalued.number}/value"))

        def share(place: Callable[[Line], CostPlace]) -> Graded:
            sums = dict(others)
            for line in bill.lines:
                sums[place(line)] += exact(line.material.value) or Fraction(0)
            here = sums[CostPlace.KARABAKH] + (sums[CostPlace.AZ_OTHER] if self.scope == "AZERBAIJAN" else 0)
            return self.graded(here / sum(sums.values()) * 100)

        return self.with_proofs(bill, values, share, (place_now, place_proven, self.best_place))

    def best_place(self, line: Line) -> CostPlace:
        """The place by paper or by line, whichever is better for the share."""
        places = (line.proven_place, line.claimed_place, *slip_places(line))
        return min(places, key=BEST_FIRST.index)

    def judge_stated_cost(self, cost: CostShares, values: dict[str, Value]) -> Verdict:
        figure = cost.karabakh_pct if self.scope == "KARABAKH" else cost.azerbaijan_pct
        if figure is None:
            return Verdict("incomplete_missing", values, Remedy(field="/costs"))
        values["stated"] = seen(plain(figure))
        share = percentage(figure)
        if share is None:
            return Verdict("incomplete_range", values, Remedy(field="/costs"))
        return Verdict(self.grade(share), values | {"share": self.show(share)})

    # Raw material of food by weight

    def judge_weight(self, facts: Facts, context: Context, values: dict[str, Value], hs6: str) -> Verdict:
        bill = context.bill_of_materials(facts)
        if bill is None:
            return self.judge_stated_weight(facts, values)
        if missing := next((line for line in bill.lines if not line.packing and line.heading is None), None):
            named = values | {"materials": materials_named([missing])}
            return Verdict("incomplete_weight", named, Remedy(field=f"/materials/{missing.number}/hs4"))
        counted = [line for line in bill.lines if self.counts(line, bill, context, hs6)]
        own = bill.unlisted_own_produce
        if own is not None:
            if counted:
                return Verdict("incomplete_own", values, Remedy(field="/materials"))
            outside = self.sources and not all(in_sets(self.sources, *place, context) for place in own.found_in)
            if outside:
                return Verdict("fail", values | {"share": self.show(Fraction(0))})
            return self.own_alone(own.state, values)
        if not counted:
            return Verdict("incomplete_missing", values, Remedy(field="/materials"))
        if unweighed := next((line for line in counted if not positive(line.material.weight_kg)), None):
            named = values | {"materials": materials_named([unweighed])}
            return Verdict("incomplete_weight", named, Remedy(field=f"/materials/{unweighed.number}/weight_kg"))

        def share(is_local: Callable[[Line], bool]) -> Graded:
            weights = {line.number: exact(line.material.weight_kg) or Fraction(0) for line in counted}
            local = sum((weights[line.number] for line in counted if is_local(line)), start=Fraction(0))
            return self.graded(local / sum(weights.values()) * 100)

        def by_place(place: Callable[[Line], CostPlace]) -> Graded:
            return share(lambda line: place(line) is not CostPlace.ABROAD)

        return self.with_proofs(bill, values, by_place, self.readings(context))

    def readings(self, context: Context) -> Readings:
        """Where a material is from: as proven now, were its proofs confirmed, at best. With `sources`, what is from
        elsewhere in the country counts like what is from abroad."""
        if not self.sources:
            return place_now, place_proven, self.best_place

        def inside(region: str | None, district: str | None) -> CostPlace:
            is_local = in_sets(self.sources, region, district, context)
            return CostPlace.KARABAKH if is_local else CostPlace.ABROAD

        def now(line: Line) -> CostPlace:
            return line.place if line.place is CostPlace.ABROAD else inside(*line.found_in)

        def proven(line: Line) -> CostPlace:
            return line.proven_place if line.proven_place is CostPlace.ABROAD else inside(*line.found_in)

        def best(line: Line) -> CostPlace:
            if self.best_place(line) is CostPlace.ABROAD:
                return CostPlace.ABROAD
            papers = [place_named(line.slip)] if slip_places(line) and line.slip else []
            own = (line.material.origin_region, line.material.origin_district)
            found = [inside(*place) for place in (line.found_in, own, *papers)]
            return min(found, key=BEST_FIRST.index)

        return now, proven, best

    def counts(self, line: Line, bill: BillOfMaterials, context: Context, hs6: str) -> bool:
        """Whether the line is raw material of the food: neither packing, seed and feed, nor water and salt."""
        heading = line.heading or ""
        if line.packing or not heading.startswith(self.counted) or heading in self.unavailable:
            return False
        if context.lists.is_left_out(hs6, heading):
            return False
        claimed = bill.own_produce is not None and not line.own_produce
        return not (claimed and context.lists.is_grown_with(hs6, heading))

    def own_alone(self, state: ProofState, values: dict[str, Value]) -> Verdict:
        if state is ProofState.PROVEN:
            return Verdict("pass_own", values | {"share": self.show(Fraction(100))})
        values["share"] = self.show(Fraction(0))
        if state is ProofState.AWAITING:
            return Verdict(AWAITS_STAFF, values, Remedy(by_staff=True))
        return Verdict("incomplete_record", values, Remedy(evidence="production-record"))

    def judge_stated_weight(self, facts: Facts, values: dict[str, Value]) -> Verdict:
        if facts.raw_weight is None:
            return Verdict("not_assessed", values)
        figure = facts.raw_weight.local_pct
        if figure is None:
            return Verdict("incomplete_missing", values, Remedy(field="/materials"))
        values["stated"] = seen(plain(figure))
        share = percentage(figure)
        if share is None:
            return Verdict("incomplete_range", values, Remedy(field="/materials"))
        return Verdict(self.grade(share), values | {"share": self.show(share)})

    # Proofs decide

    def graded(self, share: Fraction) -> Graded:
        return Graded(share, self.grade(share))

    def with_proofs(
        self,
        bill: BillOfMaterials,
        values: dict[str, Value],
        share: Callable[[Reading], Graded],
        readings: Readings,
    ) -> Verdict:
        """A fail or manual is judged once more as if every proof were there and said the better of line and paper."""
        now, proven, best_place = readings
        first = share(now)
        values |= {"share": self.show(first.share)}
        if first.case == "pass":
            return Verdict("pass", values)

        def open_to(line: Line) -> bool:
            at_home = line.state in (ProofState.UNPROVEN, ProofState.AWAITING)
            return at_home or line.slip is not None or (line.is_originating and best_place(line) is not now(line))

        best = share(lambda line: best_place(line) if open_to(line) else now(line))
        if RANK[best.case] <= RANK[first.case]:
            return Verdict(first.case, values)
        awaited = share(lambda line: proven(line) if line.state is ProofState.AWAITING else now(line))
        open_lines = [line for line in bill.lines if open_to(line)]
        if awaited.case == best.case:
            named = materials_named(line for line in open_lines if line.state is ProofState.AWAITING)
            return Verdict(AWAITS_STAFF, values | {"materials": named}, Remedy(by_staff=True))
        unproven = [line for line in open_lines if line.state is ProofState.UNPROVEN or line.slip is not None]
        asked = unproven or open_lines
        own = [line for line in asked if line.material.basis is Basis.OWN]
        field = f"/materials/{(own or asked)[0].number}/proofs"
        if own and "incomplete_record" in self.cases():
            values["materials"] = materials_named(own)
            return Verdict("incomplete_record", values, Remedy(field, "production-record"))
        kind = "production-record" if own else "supplier-declaration"
        return Verdict("incomplete_proof", values | {"materials": materials_named(asked)}, Remedy(field, kind))

    # Statement

    def judge_statement(self, facts: Facts, values: dict[str, Value]) -> Verdict:
        if facts.evidence is None:
            return Verdict("not_assessed", values)
        assert self.evidence is not None and self.value is not None  # checked when the file was read
        hs6 = hs_nomenclature.six_digits(facts.product.hs6)
        if hs6 is None:
            return Verdict("incomplete_hs6", values, Remedy(field="/hs6"))
        item = in_force(facts.evidence, self.evidence, facts.as_of)
        absent = AWAITS_STAFF if awaiting(facts.evidence, self.evidence) else "incomplete_missing"
        missing = Verdict(absent, values, Remedy(evidence=self.evidence, by_staff=absent == AWAITS_STAFF))
        if item is None:
            return missing
        if not self.words or hs6.startswith(self.goods):
            figure = item.values.get(self.value)
            share = percentage(figure) if isinstance(figure, Decimal) else None
            return missing if share is None else Verdict(self.grade(share), values | {"share": self.show(share)})
        spoken = {name: said for name in self.words if isinstance(said := item.values.get(name), str)}
        if not spoken:
            return missing
        passing = [said for name, said in spoken.items() if said in self.words[name]]
        values["word"] = tuple(seen(said) or "?" for said in passing or spoken.values())
        return Verdict("pass_word" if passing else "manual_word", values)


def place_now(line: Line) -> CostPlace:
    return line.place


def place_proven(line: Line) -> CostPlace:
    return line.proven_place


def slip_places(line: Line) -> tuple[CostPlace, ...]:
    """Where a material would be from by a confirmed proof that says otherwise than its line."""
    if line.slip is None or line.slip.values.get("country") != "AZ":
        return ()
    return (CostPlace.AZ_OTHER,)


def other_costs(cost: CostStatement) -> dict[CostPlace, Fraction] | None:
    """Manufacturing cost by place without materials; None where an amount cannot be right."""
    sums = dict.fromkeys(CostPlace, Fraction(0))
    for each in cost.costs:
        amount = exact(each.amount)
        if amount is None or amount < 0:
            return None
        if each.kind != "materials":
            sums[each.place] += amount
    return sums
