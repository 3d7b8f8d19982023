"""Check that facts agree with each other and with the accountant's statement (C-15).

For facts that pass, the Azerbaijan share of cost is at most the value content plus 100 t / EXW points, where t is the
tolerance: both use the bill of materials.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.schemes.evidence_choice import choose_document, confirmed_documents
from app.schemes.facts import CostPlace, CostStatement, Facts, InputSummary
from app.schemes.material_origin import HOME_COUNTRY, BillOfMaterials, Contradiction, cost_place_of, is_positive
from app.schemes.outcome import Outcome
from app.schemes.percentages import format_decimal, format_percentage, round_half_up, to_fraction
from app.schemes.rules.base import (
    KindCode,
    Language,
    Percentage,
    ReasonTemplate,
    Remedy,
    Rule,
    RuleContext,
    RuleResult,
    Value,
    display_value,
    normalize_code,
    sanitize,
)
from app.schemes.rules.share import sum_other_costs

COST_KINDS_WITH_STEP = frozenset({"labour", "energy", "depreciation"})
"""Kinds of cost that need a process step in their place."""
PLACES = tuple(CostPlace)
CODE_GROUP_OF_FIELD = {"origin_country": "country", "originating": "answer", "basis": "value_basis"}
"""Field of a line → group that names its codes."""
CostByPlace = dict[CostPlace, Fraction]


class ConsistencyRule(Rule):
    """Check materials, costs, steps and price within a tolerance; the first fault is reported."""

    kind: Literal["consistency"]
    tolerance_pct: Percentage = Decimal("0.5")
    tolerance_at_least: Annotated[Decimal, Field(gt=0)] = Decimal("0.01")
    cost_floor_pct: Percentage = Decimal(40)
    evidence: KindCode = "cost-statement"
    CODE_GROUPS: ClassVar = {"place": "place", "field": "field", "other": "field"}
    EXTRA_REASONS: ClassVar = frozenset({"incomplete_packing", "incomplete_ex_works", "incomplete_step"})
    STAFF_CASES: ClassVar = frozenset({"incomplete_statement"})
    VALUE_KEYS: ClassVar = frozenset(
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

    def placeholder_values(
        self, template: ReasonTemplate, observed: Mapping[str, Value], language: Language
    ) -> dict[str, str]:
        """Add display texts for both sides of a contradiction.

        A proof makes a statement about the same field of the line.
        """
        field, other = observed["field"], observed["other"]
        sides = {"a": field, "b": field if other == "proof" else other}
        side_texts = {
            name: display_value(observed[name], CODE_GROUP_OF_FIELD.get(str(side)), language)
            for name, side in sides.items()
        }
        return super().placeholder_values(template, observed, language) | side_texts

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:
        values: dict[str, Value] = dict.fromkeys(self.VALUE_KEYS)
        value, cost = facts.value, facts.cost
        if value is None or isinstance(value.inputs, InputSummary) or not isinstance(cost, CostStatement):
            return RuleResult("not_assessed", values)
        bill = context.bill_of_materials(facts) or BillOfMaterials((), None)
        values["ex_works"] = None if value.ex_works is None else sanitize(format_decimal(value.ex_works))
        for line in bill.lines:
            if line.contradiction is not None:
                return self.contradiction_result(line.number, line.contradiction, values)
        for line in bill.lines:
            if not is_positive(line.material.value):
                field = f"/materials/{line.number}/value"
                return RuleResult("incomplete_value", values | {"n": str(line.number + 1)}, Remedy(field=field))
        price, others = (
            to_fraction(value.ex_works),
            context.compute_once("other costs", facts, partial(sum_other_costs, cost)),
        )
        if price is None or price <= 0:
            return RuleResult("incomplete_value", values, Remedy(field="/ex_works"), text="incomplete_ex_works")
        if others is None:
            return RuleResult("incomplete_price", values | {"sum": None}, Remedy(field="/costs"))
        tolerance = max(price * Fraction(self.tolerance_pct) / 100, Fraction(self.tolerance_at_least))
        values["tolerance"] = format_amount(tolerance)
        materials = dict.fromkeys(PLACES, Fraction(0))
        for line in bill.lines:
            materials[line.claimed_place] += to_fraction(line.material.value) or Fraction(0)
        fault = (
            self.check_stated_materials(cost, materials, tolerance, values)
            or self.check_price(materials, others, price, tolerance, values)
            or self.check_cost_places(facts, cost, others, context, values)
            or self.check_statement(facts, materials, others, tolerance, values)
        )
        if fault is not None:
            return fault
        total = sum(materials.values()) + sum(others.values())
        share = total / price * 100
        values |= {"sum": format_amount(Fraction(total)), "pct": format_percentage(share, self.cost_floor_pct)}
        return RuleResult("pass" if share >= Fraction(self.cost_floor_pct) else "manual_margin", values)

    def contradiction_result(self, number: int, contradiction: Contradiction, values: dict[str, Value]) -> RuleResult:
        values |= {
            "n": str(number + 1),
            "field": contradiction.field,
            "a": sanitize(contradiction.stated),
            "other": contradiction.other_field,
            "b": sanitize(contradiction.other_stated),
            "heading": sanitize(contradiction.other_stated) if contradiction.field == "packing" else None,
        }
        text = "incomplete_packing" if contradiction.field == "packing" else None
        return RuleResult(
            "incomplete_contradiction", values, Remedy(field=f"/materials/{number}/{contradiction.field}"), text
        )

    def check_stated_materials(
        self, cost: CostStatement, materials: CostByPlace, tolerance: Fraction, values: dict[str, Value]
    ) -> RuleResult | None:
        """Compare stated materials costs by place with the bill of materials."""
        stated: dict[CostPlace, Fraction] = {}
        for cost_item in cost.costs:
            if cost_item.kind == "materials":
                stated[cost_item.place] = stated.get(cost_item.place, Fraction(0)) + (
                    to_fraction(cost_item.amount) or Fraction(0)
                )
        for place, figure in sorted(stated.items()):
            if abs(figure - materials[place]) > tolerance:
                details = {
                    "place": place.value,
                    "stated": format_amount(figure),
                    "listed": format_amount(materials[place]),
                }
                return RuleResult("incomplete_materials", values | details, Remedy(field="/costs"))
        return None

    def check_price(
        self,
        materials: CostByPlace,
        others: CostByPlace,
        price: Fraction,
        tolerance: Fraction,
        values: dict[str, Value],
    ) -> RuleResult | None:
        total = Fraction(sum(materials.values()) + sum(others.values()))
        if total <= price + tolerance:
            return None
        return RuleResult("incomplete_price", values | {"sum": format_amount(total)}, Remedy(field="/costs"))

    def check_cost_places(
        self, facts: Facts, cost: CostStatement, others: CostByPlace, context: RuleContext, values: dict[str, Value]
    ) -> RuleResult | None:
        """Check that each step has a cost in its place, and labour, energy and depreciation a step."""
        possible: list[frozenset[CostPlace]] = []
        for step in facts.steps or ():
            if normalize_code(step.country) is None:
                continue  # C-08 to K-08 request the place
            if normalize_code(step.country) == HOME_COUNTRY and not step.economic_region:
                possible.append(frozenset({CostPlace.KARABAKH, CostPlace.AZ_OTHER}))
            else:
                possible.append(frozenset({cost_place_of(step.country, step.economic_region, context.origin)}))
        for places in possible:
            if not any(others[place] for place in places):
                details = {"place": min(places, key=PLACES.index).value}
                return RuleResult("incomplete_place", values | details, Remedy(field="/costs"))
        if facts.steps is None:
            return None
        step_places = frozenset().union(*possible) if possible else frozenset()
        for cost_item in cost.costs:
            if (
                cost_item.kind in COST_KINDS_WITH_STEP
                and to_fraction(cost_item.amount)
                and cost_item.place not in step_places
            ):
                return RuleResult(
                    "incomplete_place",
                    values | {"place": cost_item.place.value},
                    Remedy(field="/steps"),
                    text="incomplete_step",
                )
        return None

    def check_statement(
        self, facts: Facts, materials: CostByPlace, others: CostByPlace, tolerance: Fraction, values: dict[str, Value]
    ) -> RuleResult | None:
        """Compare the confirmed accountant's statement with materials and other costs by place."""
        if not confirmed_documents(facts.evidence, self.evidence):
            return None
        item = choose_document(facts.evidence, self.evidence, facts.as_of)
        for prefix, sums in (("materials", materials), ("other", others)):
            for place in PLACES:
                stated = item.values.get(f"{prefix}_{place.value.lower()}") if item else None
                figure = to_fraction(stated) if isinstance(stated, Decimal) else None
                if figure is not None and abs(figure - sums[place]) > tolerance:
                    details = {"place": place.value, "a": format_amount(figure), "b": format_amount(sums[place])}
                    return RuleResult(
                        "incomplete_statement", values | details, Remedy(field="/costs", evidence=self.evidence)
                    )
        return None


def format_amount(figure: Fraction) -> str:
    """Format money for display, with up to two decimals."""
    return format_decimal(round_half_up(figure, 2))
