"""Facts agree with each other and with the accountant's statement (C-15).

For facts that pass, the Azerbaijan share of cost is at most the value content and 100 t / EXW points, where t is the
tolerance: the materials are taken from the bill of materials for both.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.schemes.evidence_choice import choose, confirmed
from app.schemes.facts import CostPlace, CostStatement, Facts, InputSummary
from app.schemes.material_origin import HOME, BillOfMaterials, Contradiction, place_of, positive
from app.schemes.outcome import Outcome
from app.schemes.percentages import exact, plain, rounded, shown
from app.schemes.rules.base import (
    Context,
    KindCode,
    Language,
    Percentage,
    Phrase,
    Remedy,
    Rule,
    Value,
    Verdict,
    code,
    legible,
    seen,
)
from app.schemes.rules.share import other_costs

NEED_A_STEP = frozenset({"labour", "energy", "depreciation"})
"""Costs that a place without a step cannot have."""
PLACES = tuple(CostPlace)
SAID = {"origin_country": "country", "originating": "answer", "basis": "value_basis"}
"""Field of a line → group of names for what it says."""
Sums = dict[CostPlace, Fraction]


class ConsistencyRule(Rule):
    """Materials, costs, steps and price agree within a tolerance; the first fault is named."""

    kind: Literal["consistency"]
    tolerance_pct: Percentage = Decimal("0.5")
    tolerance_at_least: Annotated[Decimal, Field(gt=0)] = Decimal("0.01")
    cost_floor_pct: Percentage = Decimal(40)
    evidence: KindCode = "cost-statement"
    NAMED: ClassVar = {"place": "place", "field": "field", "other": "field"}
    TEXTS: ClassVar = frozenset({"incomplete_packing", "incomplete_ex_works", "incomplete_step"})
    STAFF_CASES: ClassVar = frozenset({"incomplete_statement"})
    VALUES: ClassVar = frozenset(
        {
            "n",
            "field",
            "a",
            "other",
            "b",
            "heading",
            "place",
            "stated",
            "listed",
            "sum",
            "pct",
            "ex_works",
            "tolerance",
        }
    )
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual_margin": Outcome.MANUAL,
        "incomplete_contradiction": Outcome.INCOMPLETE,
        "incomplete_value": Outcome.INCOMPLETE,
        "incomplete_materials": Outcome.INCOMPLETE,
        "incomplete_price": Outcome.INCOMPLETE,
        "incomplete_place": Outcome.INCOMPLETE,
        "incomplete_statement": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }

    def evidence_kinds(self) -> tuple[str, ...]:
        return (self.evidence,)

    def as_words(self, phrase: Phrase, seen_values: Mapping[str, Value], language: Language) -> dict[str, str]:
        """Of a contradiction both sides by their names: a proof says something of the field of the line."""
        field, other = seen_values["field"], seen_values["other"]
        sides = {"a": field, "b": field if other == "proof" else other}
        said = {name: legible(seen_values[name], SAID.get(str(side)), language) for name, side in sides.items()}
        return super().as_words(phrase, seen_values, language) | said

    def judge(self, facts: Facts, context: Context) -> Verdict:
        values: dict[str, Value] = dict.fromkeys(self.VALUES)
        value, cost = facts.value, facts.cost
        if value is None or isinstance(value.inputs, InputSummary) or not isinstance(cost, CostStatement):
            return Verdict("not_assessed", values)
        bill = context.bill_of_materials(facts) or BillOfMaterials((), None)
        values["ex_works"] = None if value.ex_works is None else seen(plain(value.ex_works))
        for line in bill.lines:
            if line.contradiction is not None:
                return self.contradiction(line.number, line.contradiction, values)
        for line in bill.lines:
            if not positive(line.material.value):
                field = f"/materials/{line.number}/value"
                return Verdict("incomplete_value", values | {"n": str(line.number + 1)}, Remedy(field=field))
        price, others = exact(value.ex_works), context.once("other costs", facts, partial(other_costs, cost))
        if price is None or price <= 0:
            return Verdict("incomplete_value", values, Remedy(field="/ex_works"), text="incomplete_ex_works")
        if others is None:
            return Verdict("incomplete_price", values | {"sum": None}, Remedy(field="/costs"))
        tolerance = max(price * Fraction(self.tolerance_pct) / 100, Fraction(self.tolerance_at_least))
        values["tolerance"] = amount(tolerance)
        materials = dict.fromkeys(PLACES, Fraction(0))
        for line in bill.lines:
            materials[line.claimed_place] += exact(line.material.value) or Fraction(0)
        fault = (
            self.stated_materials(cost, materials, tolerance, values)
            or self.price_is_enough(materials, others, price, tolerance, values)
            or self.costs_have_places(facts, cost, others, context, values)
            or self.statement_agrees(facts, materials, others, tolerance, values)
        )
        if fault is not None:
            return fault
        spent = sum(materials.values()) + sum(others.values())
        share = spent / price * 100
        values |= {"sum": amount(Fraction(spent)), "pct": shown(share, self.cost_floor_pct)}
        return Verdict("pass" if share >= Fraction(self.cost_floor_pct) else "manual_margin", values)

    def contradiction(self, number: int, found: Contradiction, values: dict[str, Value]) -> Verdict:
        values |= {
            "n": str(number + 1),
            "field": found.field,
            "a": seen(found.says),
            "other": found.other,
            "b": seen(found.other_says),
            "heading": seen(found.other_says) if found.field == "packing" else None,
        }
        text = "incomplete_packing" if found.field == "packing" else None
        return Verdict("incomplete_contradiction", values, Remedy(field=f"/materials/{number}/{found.field}"), text)

    def stated_materials(
        self, cost: CostStatement, materials: Sums, tolerance: Fraction, values: dict[str, Value]
    ) -> Verdict | None:
        """A materials figure that is stated for a place equals what the bill of materials holds for it."""
        stated: dict[CostPlace, Fraction] = {}
        for each in cost.costs:
            if each.kind == "materials":
                stated[each.place] = stated.get(each.place, Fraction(0)) + (exact(each.amount) or Fraction(0))
        for place, figure in sorted(stated.items()):
            if abs(figure - materials[place]) > tolerance:
                named = {"place": place.value, "stated": amount(figure), "listed": amount(materials[place])}
                return Verdict("incomplete_materials", values | named, Remedy(field="/costs"))
        return None

    def price_is_enough(
        self, materials: Sums, others: Sums, price: Fraction, tolerance: Fraction, values: dict[str, Value]
    ) -> Verdict | None:
        spent = Fraction(sum(materials.values()) + sum(others.values()))
        if spent <= price + tolerance:
            return None
        return Verdict("incomplete_price", values | {"sum": amount(spent)}, Remedy(field="/costs"))

    def costs_have_places(
        self, facts: Facts, cost: CostStatement, others: Sums, context: Context, values: dict[str, Value]
    ) -> Verdict | None:
        """A step needs some other cost in its place; labour, energy and depreciation need a step in theirs."""
        possible: list[frozenset[CostPlace]] = []
        for step in facts.steps or ():
            if code(step.country) is None:
                continue  # C-08 to K-08 ask for the place
            if code(step.country) == HOME and not step.economic_region:
                possible.append(frozenset({CostPlace.KARABAKH, CostPlace.AZ_OTHER}))
            else:
                possible.append(frozenset({place_of(step.country, step.economic_region, context.origin)}))
        for places in possible:
            if not any(others[place] for place in places):
                named = {"place": min(places, key=PLACES.index).value}
                return Verdict("incomplete_place", values | named, Remedy(field="/costs"))
        if facts.steps is None:
            return None
        anywhere = frozenset().union(*possible) if possible else frozenset()
        for each in cost.costs:
            if each.kind in NEED_A_STEP and exact(each.amount) and each.place not in anywhere:
                return Verdict(
                    "incomplete_place",
                    values | {"place": each.place.value},
                    Remedy(field="/steps"),
                    text="incomplete_step",
                )
        return None

    def statement_agrees(
        self, facts: Facts, materials: Sums, others: Sums, tolerance: Fraction, values: dict[str, Value]
    ) -> Verdict | None:
        """The confirmed statement of the accountant, materials and other costs apart, each where it is stated."""
        if not confirmed(facts.evidence, self.evidence):
            return None
        item = choose(facts.evidence, self.evidence, facts.as_of)
        for prefix, sums in (("materials", materials), ("other", others)):
            for place in PLACES:
                stated = item.values.get(f"{prefix}_{place.value.lower()}") if item else None
                figure = exact(stated) if isinstance(stated, Decimal) else None
                if figure is not None and abs(figure - sums[place]) > tolerance:
                    named = {"place": place.value, "a": amount(figure), "b": amount(sums[place])}
                    return Verdict(
                        "incomplete_statement", values | named, Remedy(field="/costs", evidence=self.evidence)
                    )
        return None


def amount(figure: Fraction) -> str:
    """Money as a person reads it, with two decimals where they are needed."""
    return plain(rounded(figure, 2))
