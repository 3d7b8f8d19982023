"""Check the origin of the product (C-06), or its value content alone (C-07)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.schemes.facts import Facts, InputSummary
from app.schemes.material_origin import MaterialLine, is_positive
from app.schemes.origin_calculation import (
    CRITERION_OF_RESULT,
    Origin,
    OriginCriterion,
    OriginResult,
    compute_value_content,
    determine_origin,
    exact_sum,
    format_arithmetic,
)
from app.schemes.outcome import Outcome
from app.schemes.percentages import format_decimal, format_percentage, to_fraction
from app.schemes.rules.base import Percentage, Remedy, Rule, RuleContext, RuleResult, Value, sanitize

ZERO = Decimal(0)


class OriginRule(Rule):
    """Pass with the first criterion met: wholly obtained, materials, heading, value content.

    `criteria` are those of the mark. With `asks = "value_content"` the rule only requires a value content that can be
    computed and is at least `value_at_least`.
    """

    kind: Literal["origin"]
    asks: Literal["criterion", "value_content"] = "criterion"
    rvc_at_least: Percentage = Decimal(40)
    de_minimis_pct: Annotated[Decimal, Field(ge=0, le=100)] = ZERO
    criteria: Annotated[tuple[OriginCriterion, ...], Field(min_length=1)] = tuple(OriginCriterion)
    value_at_least: Percentage = ZERO
    CODE_GROUPS: ClassVar = {"criterion": "origin_criterion"}
    VALUE_KEYS: ClassVar = frozenset(
        {
            "hs6",
            "product",
            "criterion",
            "rvc",
            "arithmetic",
            "headings",
            "same_heading",
            "materials",
            "ex_works",
            "inputs_value",
        }
    )
    CRITERION_CASES: ClassVar = {
        **{result.value: Outcome.INCOMPLETE for result in OriginResult},
        "pass_wo": Outcome.PASS,
        "pass_pe": Outcome.PASS,
        "pass_cth": Outcome.PASS,
        "pass_rvc": Outcome.PASS,
        "fail": Outcome.FAIL,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUE_CASES: ClassVar = {
        "pass": Outcome.PASS,
        "fail": Outcome.FAIL,
        "incomplete": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    CASES: ClassVar = CRITERION_CASES

    def cases(self) -> Mapping[str, Outcome]:
        if self.asks == "value_content":
            return self.VALUE_CASES
        never = {result.value for result, criterion in CRITERION_OF_RESULT.items() if criterion not in self.criteria}
        return {case: outcome for case, outcome in self.CRITERION_CASES.items() if case not in never}

    def evidence_kinds(self) -> tuple[str, ...]:
        if self.asks == "value_content":
            return ()
        return ("supplier-declaration", "origin-document", "production-record", "grower-letter")

    def determine_origin(self, facts: Facts, context: RuleContext) -> Origin | None:
        """Determine the origin with this rule's thresholds; None where the call has no values."""
        rvc_at_least, de_minimis_pct, criteria = self.rvc_at_least, self.de_minimis_pct, self.criteria
        return context.compute_once(
            ("origin", rvc_at_least, de_minimis_pct, criteria),
            facts,
            lambda: determine_origin(
                facts,
                context.origin,
                context.lists,
                rvc_at_least=rvc_at_least,
                de_minimis_pct=de_minimis_pct,
                criteria=criteria,
                bill=context.bill_of_materials(facts),
            ),
        )

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:
        if self.asks == "value_content":
            return self.evaluate_value_content(facts, context)
        origin = self.determine_origin(facts, context)
        if origin is None:
            return RuleResult("not_assessed", dict.fromkeys(self.VALUE_KEYS))
        material_names = (
            name_materials(origin.affected_lines)
            or format_headings(origin.unlisted)
            or (sanitize(product_name(facts)) or "?",)
        )
        values: dict[str, Value] = {
            "hs6": sanitize(facts.product.hs6),
            "product": sanitize(product_name(facts)),
            "criterion": origin.criterion and origin.criterion.value,
            "rvc": None if origin.rvc is None else format_percentage(origin.rvc, self.rvc_at_least),
            "arithmetic": origin.arithmetic,
            "headings": format_headings(origin.headings),
            "same_heading": format_headings(origin.same_heading),
            "materials": material_names if Outcome.INCOMPLETE is self.cases()[origin.result.value] else (),
            "ex_works": None if origin.ex_works is None else sanitize(format_decimal(origin.ex_works)),
            "inputs_value": None
            if origin.non_originating_value is None
            else sanitize(format_decimal(origin.non_originating_value)),
        }
        return RuleResult(origin.result.value, values, remedy_for(origin))

    def evaluate_value_content(self, facts: Facts, context: RuleContext) -> RuleResult:
        """Evaluate C-07: a value content that is not negative."""
        values: dict[str, Value] = dict.fromkeys(self.VALUE_KEYS) | {"hs6": sanitize(facts.product.hs6)}
        if facts.value is None:
            return RuleResult("not_assessed", values)
        lines: tuple[MaterialLine, ...] = ()
        inputs = facts.value.inputs
        if isinstance(inputs, InputSummary):
            value = inputs.non_originating_value
        else:
            bill = context.bill_of_materials(facts)
            lines = tuple(
                line for line in (bill.non_originating if bill else ()) if not is_positive(line.material.value)
            )
            values_of_lines = (
                (line.material.value for line in bill.non_originating if is_positive(line.material.value))
                if bill
                else ()
            )
            value = exact_sum(values_of_lines) if bill else None
        price = facts.value.ex_works
        rvc = compute_value_content(price, value)
        values |= {
            "product": sanitize(product_name(facts)),
            "rvc": None if rvc is None else format_percentage(rvc, self.value_at_least),
            "arithmetic": format_arithmetic(price, value, self.value_at_least),
            "materials": name_materials(lines),
            "ex_works": None if price is None else sanitize(format_decimal(price)),
            "inputs_value": None if value is None else sanitize(format_decimal(value)),
        }
        enough = rvc is not None and rvc >= Fraction(self.value_at_least)
        if rvc is None or (enough and lines):
            field = f"/materials/{lines[0].number}/value" if lines and has_price(price) else "/ex_works"
            return RuleResult("incomplete", values, Remedy(field=field))
        return RuleResult("pass" if enough else "fail", values)


def has_price(price: Decimal | None) -> bool:
    amount = to_fraction(price)
    return amount is not None and amount > 0


def remedy_for(origin: Origin) -> Remedy | None:
    """Return what the applicant must supply: a field of the product, or a proof."""
    at = f"/materials/{origin.affected_lines[0].number}" if origin.affected_lines else "/materials"
    remedies = {
        OriginResult.NO_MATERIALS: Remedy(field="/materials"),
        OriginResult.HS_CODE: Remedy(field="/hs6"),
        OriginResult.HEADING: Remedy(field=f"{at}/hs4"),
        OriginResult.VALUE: Remedy(field=f"{at}/value" if origin.affected_lines else "/ex_works"),
        OriginResult.NEGATIVE: Remedy(field=f"{at}/value"),
        OriginResult.RECORD: Remedy(
            field=f"{at}/proofs" if origin.affected_lines else None,
            evidence="production-record",
        ),
        OriginResult.PROOF: Remedy(field=f"{at}/proofs", evidence="supplier-declaration"),
        OriginResult.UNCONFIRMED: Remedy(by_staff=True),
    }
    return remedies.get(origin.result)


def product_name(facts: Facts) -> str | None:
    return facts.product.name_en or facts.product.name_az or facts.product.hs6


def name_materials(lines: Iterable[MaterialLine]) -> tuple[str, ...]:
    """Return the materials' names as entered, each once, with their number."""
    return tuple(f"{line.number + 1}. {sanitize(line.material.name) or '?'}" for line in lines)


def format_headings(headings: tuple[str, ...]) -> tuple[str, ...]:
    """Format headings for display; a missing heading is “?”."""
    return tuple(sanitize(heading) or "?" for heading in headings)
