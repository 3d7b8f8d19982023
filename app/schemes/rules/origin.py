"""Origin of the product (C-06), and its value content as such (C-07)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.schemes.facts import Facts, InputSummary
from app.schemes.material_origin import Line, positive
from app.schemes.origin_calculation import (
    CRITERIA,
    Criterion,
    Origin,
    Result,
    determine,
    show_arithmetic,
    total,
    value_content,
)
from app.schemes.outcome import Outcome
from app.schemes.percentages import exact, plain, shown
from app.schemes.rules.base import Context, Percentage, Remedy, Rule, Value, Verdict, seen

ZERO = Decimal(0)


class OriginRule(Rule):
    """The first criterion met of wholly obtained, originating materials, change of heading and value content.

    `criteria` are those that the mark knows. With `asks = "value_content"` the rule asks only for the value content:
    that it can be computed, and is at least `value_at_least`.
    """

    kind: Literal["origin"]
    asks: Literal["criterion", "value_content"] = "criterion"
    rvc_at_least: Percentage = Decimal(40)
    de_minimis_pct: Annotated[Decimal, Field(ge=0, le=100)] = ZERO
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)] = tuple(Criterion)
    value_at_least: Percentage = ZERO
    NAMED: ClassVar = {"criterion": "origin_criterion"}
    VALUES: ClassVar = frozenset(
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
        **{result.value: Outcome.INCOMPLETE for result in Result},
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
        never = {result.value for result, criterion in CRITERIA.items() if criterion not in self.criteria}
        return {case: outcome for case, outcome in self.CRITERION_CASES.items() if case not in never}

    def evidence_kinds(self) -> tuple[str, ...]:
        if self.asks == "value_content":
            return ()
        return ("supplier-declaration", "origin-document", "production-record", "grower-letter")

    def origin(self, facts: Facts, context: Context) -> Origin | None:
        """The origin by this rule's thresholds; None where the call carries no values."""
        rvc_at_least, de_minimis_pct, criteria = self.rvc_at_least, self.de_minimis_pct, self.criteria
        return context.once(
            ("origin", rvc_at_least, de_minimis_pct, criteria),
            facts,
            lambda: determine(
                facts,
                context.origin,
                context.lists,
                rvc_at_least=rvc_at_least,
                de_minimis_pct=de_minimis_pct,
                criteria=criteria,
                bill=context.bill_of_materials(facts),
            ),
        )

    def judge(self, facts: Facts, context: Context) -> Verdict:
        if self.asks == "value_content":
            return self.value_content(facts, context)
        origin = self.origin(facts, context)
        if origin is None:
            return Verdict("not_assessed", dict.fromkeys(self.VALUES))
        named = materials_named(origin.named) or readable(origin.unlisted) or (seen(product_name(facts)) or "?",)
        values: dict[str, Value] = {
            "hs6": seen(facts.product.hs6),
            "product": seen(product_name(facts)),
            "criterion": origin.criterion and origin.criterion.value,
            "rvc": None if origin.rvc is None else shown(origin.rvc, self.rvc_at_least),
            "arithmetic": origin.arithmetic,
            "headings": readable(origin.headings),
            "same_heading": readable(origin.same_heading),
            "materials": named if Outcome.INCOMPLETE is self.cases()[origin.result.value] else (),
            "ex_works": None if origin.ex_works is None else seen(plain(origin.ex_works)),
            "inputs_value": None if origin.non_originating_value is None else seen(plain(origin.non_originating_value)),
        }
        return Verdict(origin.result.value, values, remedy_of(origin))

    def value_content(self, facts: Facts, context: Context) -> Verdict:
        """C-07: a value content that is not negative."""
        values: dict[str, Value] = dict.fromkeys(self.VALUES) | {"hs6": seen(facts.product.hs6)}
        if facts.value is None:
            return Verdict("not_assessed", values)
        lines: tuple[Line, ...] = ()
        inputs = facts.value.inputs
        if isinstance(inputs, InputSummary):
            value = inputs.non_originating_value
        else:
            bill = context.bill_of_materials(facts)
            lines = tuple(line for line in (bill.foreign if bill else ()) if not positive(line.material.value))
            known = (line.material.value for line in bill.foreign if positive(line.material.value)) if bill else ()
            value = total(known) if bill else None
        price = facts.value.ex_works
        rvc = value_content(price, value)
        values |= {
            "product": seen(product_name(facts)),
            "rvc": None if rvc is None else shown(rvc, self.value_at_least),
            "arithmetic": show_arithmetic(price, value, self.value_at_least),
            "materials": materials_named(lines),
            "ex_works": None if price is None else seen(plain(price)),
            "inputs_value": None if value is None else seen(plain(value)),
        }
        enough = rvc is not None and rvc >= Fraction(self.value_at_least)
        if rvc is None or (enough and lines):
            field = f"/materials/{lines[0].number}/value" if lines and has_price(price) else "/ex_works"
            return Verdict("incomplete", values, Remedy(field=field))
        return Verdict("pass" if enough else "fail", values)


def has_price(price: Decimal | None) -> bool:
    amount = exact(price)
    return amount is not None and amount > 0


def remedy_of(origin: Origin) -> Remedy | None:
    """What the applicant mends: a field of the product, or a proof."""
    at = f"/materials/{origin.named[0].number}" if origin.named else "/materials"
    remedies = {
        Result.NO_MATERIALS: Remedy(field="/materials"),
        Result.HS_CODE: Remedy(field="/hs6"),
        Result.HEADING: Remedy(field=f"{at}/hs4"),
        Result.VALUE: Remedy(field=f"{at}/value" if origin.named else "/ex_works"),
        Result.NEGATIVE: Remedy(field=f"{at}/value"),
        Result.RECORD: Remedy(
            field=f"{at}/proofs" if origin.named else None,
            evidence="production-record",
        ),
        Result.PROOF: Remedy(field=f"{at}/proofs", evidence="supplier-declaration"),
        Result.UNCONFIRMED: Remedy(by_staff=True),
    }
    return remedies.get(origin.result)


def product_name(facts: Facts) -> str | None:
    return facts.product.name_en or facts.product.name_az or facts.product.hs6


def materials_named(lines: Iterable[Line]) -> tuple[str, ...]:
    """Materials as the applicant named them, each once, with their number."""
    return tuple(f"{line.number + 1}. {seen(line.material.name) or '?'}" for line in lines)


def readable(headings: tuple[str, ...]) -> tuple[str, ...]:
    """Headings as a person reads them; a material without one is named as such."""
    return tuple(seen(heading) or "?" for heading in headings)
