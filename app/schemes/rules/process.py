"""The process: whether what is done here is enough (C-08), and where the main and last steps are (C-09, K-07, K-08).

What a step counts as follows from the closed list of operations, never from its name or its tick alone. Without steps
the flags of the product stand for them as far as they go: a file carries no steps.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from app.core.text.normalize import fold
from app.reference import hs_nomenclature
from app.schemes.closed_lists import OperationClass, lists
from app.schemes.facts import Facts, Step
from app.schemes.material_origin import HOME
from app.schemes.outcome import Outcome
from app.schemes.rules.base import Context, Remedy, Rule, Value, Verdict, Word, code, seen
from app.schemes.rules.base import Word as Flag
from app.schemes.rules.territory import Claim


@dataclass(frozen=True, slots=True)
class ClassedStep:
    """A step with what its operation counts as for goods of the product's code. `number` counts from 0."""

    number: int
    step: Step
    operation_class: OperationClass | None  # None: not on the list
    operation: str | None  # code of the list, else the text as entered

    @property
    def is_enough(self) -> bool:
        return self.operation_class is OperationClass.SUBSTANTIAL

    @property
    def is_shaping(self) -> bool:
        """Substantial or assembly: it makes the product what it is, ticked or not."""
        return self.operation_class in (OperationClass.SUBSTANTIAL, OperationClass.ASSEMBLY)

    @property
    def is_simple(self) -> bool:
        return self.operation_class is OperationClass.SIMPLE

    @property
    def is_main(self) -> bool:
        """A shaping step, or any other that is ticked as essential but a simple one."""
        return self.is_shaping or (self.step.is_essential and not self.is_simple)

    @property
    def name(self) -> str:
        return seen(self.step.name) or "?"

    @property
    def country(self) -> str | None:
        return code(self.step.country)

    @property
    def is_subcontracted(self) -> bool:
        return bool((self.step.subcontractor or "").strip())

    def unknown_field(self) -> str:
        return f"/steps/{self.number}/{'country' if self.country is None else 'district'}"


def classed(facts: Facts, context: Context) -> tuple[ClassedStep, ...]:
    """The steps in their order, each with its class."""
    hs6 = hs_nomenclature.six_digits(facts.product.hs6)
    steps = []
    for number, step in enumerate(in_order(facts.steps or ())):
        operation = context.lists.operation(step.operation)
        operation_class = operation.class_for(hs6, context.lists) if operation else None
        steps.append(ClassedStep(number, step, operation_class, operation.code if operation else seen(step.operation)))
    return tuple(steps)


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """By `seq`; of steps with the same number one abroad comes last, whichever was listed first."""
    return tuple(sorted(steps, key=lambda step: (step.seq, code(step.country) != HOME)))


def operations_of(steps: Iterable[ClassedStep]) -> tuple[str, ...]:
    """Operations, each once, in their order."""
    return tuple(dict.fromkeys(each.operation or "?" for each in steps))


class OperationsRule(Rule):
    """At least one step in the claimed territory is a substantial operation for goods of this code.

    `sufficient`: only these operations of the closed list are enough for the mark; others are for a person.
    """

    kind: Literal["operations"]
    claim: Claim
    review_flags: tuple[Flag, ...] = ()
    sufficient: tuple[Word, ...] = ()
    NAMED: ClassVar = {"operations": "operation", "flags": "flag"}
    VALUES: ClassVar = frozenset({"operations", "flags", "step"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual_flagged": Outcome.MANUAL,
        "manual_unlisted": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "fail_nothing": Outcome.FAIL,
        "incomplete_no_steps": Outcome.INCOMPLETE,
        "incomplete_step": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }

    @model_validator(mode="after")
    def operations_are_listed(self) -> Self:
        if unknown := sorted(each for each in self.sufficient if each not in lists().operations):
            raise ValueError(f"{self.id}: not on the list of operations: {', '.join(unknown)}")
        return self

    def territories(self) -> tuple[str, ...]:
        return self.claim.territory_sets

    def is_enough(self, each: ClassedStep) -> bool:
        return each.is_enough and (not self.sufficient or each.operation in self.sufficient)

    def judge(self, facts: Facts, context: Context) -> Verdict:
        raised = tuple(flag for flag in self.review_flags if flag in facts.product.flags)
        values: dict[str, Value] = {"operations": (), "flags": raised, "step": None}
        if facts.steps is None:
            return Verdict("manual_flagged" if raised else "not_assessed", values)
        steps = [(each, self.claim.covers(each.step, context)) for each in classed(facts, context)]
        here = [each for each, inside in steps if inside]
        if any(self.is_enough(each) for each in here):
            enough = operations_of(each for each in here if self.is_enough(each))
            return Verdict("manual_flagged" if raised else "pass", values | {"operations": enough})
        if not steps:
            return Verdict("incomplete_no_steps", values, Remedy(field="/steps"))
        if unplaced := next((each for each, inside in steps if inside is None), None):
            return Verdict("incomplete_step", values | {"step": unplaced.name}, Remedy(field=unplaced.unknown_field()))
        if not here:
            return Verdict("fail_nothing", values)
        if doubtful := operations_of(each for each in here if not each.is_simple):
            return Verdict("manual_unlisted", values | {"operations": doubtful})
        return Verdict("fail", values | {"operations": operations_of(here)})


class StepsRule(Rule):
    """Where the main steps are.

    `asks = "finished_in"`: nothing that matters is done after the last step of the territory `home`; steps after it
    elsewhere in its country are for a person. `asks = "at_site"`: a main step is done at the certified site by the
    applicant.
    """

    kind: Literal["steps"]
    asks: Literal["finished_in", "at_site"]
    home: Claim = Claim(country="AZ")
    review_partners: bool = Field(default=False, description="declared partners abroad are for a person")
    review_subcontractor: bool = Field(default=False, description="a subcontractor in the last main step is")
    review_abroad_before: bool = Field(default=False, description="a main step abroad before the last one here is")
    NAMED: ClassVar = {"country": "country", "partners": "country", "operations": "operation"}
    VALUES: ClassVar = frozenset({"step", "country", "district", "subcontractor", "partners", "operations"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "fail_none": Outcome.FAIL,
        "fail_after": Outcome.FAIL,
        "manual_after": Outcome.MANUAL,
        "manual_elsewhere": Outcome.MANUAL,
        "manual_before": Outcome.MANUAL,
        "manual_subcontractor": Outcome.MANUAL,
        "manual_partner": Outcome.MANUAL,
        "incomplete_no_steps": Outcome.INCOMPLETE,
        "incomplete_no_essential": Outcome.INCOMPLETE,
        "incomplete_step": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    SITE_CASES: ClassVar = {
        "pass": Outcome.PASS,
        "fail": Outcome.FAIL,
        "manual_subcontractor": Outcome.MANUAL,
        "manual_other": Outcome.MANUAL,
        "incomplete_no_steps": Outcome.INCOMPLETE,
        "incomplete_no_essential": Outcome.INCOMPLETE,
        "incomplete_step": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }

    def cases(self) -> Mapping[str, Outcome]:
        if self.asks == "at_site":
            return self.SITE_CASES
        never = {
            "manual_elsewhere": not self.home.territory_sets,
            "manual_before": not self.review_abroad_before,
            "manual_subcontractor": not self.review_subcontractor,
            "manual_partner": not self.review_partners,
        }
        return {case: outcome for case, outcome in self.CASES.items() if not never.get(case)}

    def territories(self) -> tuple[str, ...]:
        return self.home.territory_sets

    def judge(self, facts: Facts, context: Context) -> Verdict:
        declared = partners(facts) if self.review_partners else ()
        values: dict[str, Value] = dict.fromkeys(self.VALUES) | {"partners": declared, "operations": ()}
        values["district"] = seen(facts.place.district) if facts.place and self.asks == "at_site" else None
        if facts.steps is None or (self.asks == "at_site" and facts.place is None):
            return Verdict("manual_partner" if declared and self.asks == "finished_in" else "not_assessed", values)
        steps = classed(facts, context)
        if not steps:
            return Verdict("incomplete_no_steps", values, Remedy(field="/steps"))
        if not any(each.step.is_essential for each in steps):
            return Verdict("incomplete_no_essential", values, Remedy(field="/steps/0/is_essential"))
        if self.asks == "at_site":
            return self.judge_site(steps, facts, values)
        return self.judge_finish(steps, context, values)

    def judge_finish(self, steps: tuple[ClassedStep, ...], context: Context, values: dict[str, Value]) -> Verdict:
        inside = {each.number: self.home.covers(each.step, context) for each in steps}
        main = [each for each in steps if each.is_main]
        main_here = [each for each in main if inside[each.number]]
        shaping_here = [each for each in main_here if each.is_shaping]
        last = (shaping_here or main_here)[-1] if main_here else None
        after = [each for each in steps if last is not None and each.number > last.number]
        if unplaced := next((each for each in (*main, *after) if inside[each.number] is None), None):
            return Verdict("incomplete_step", values | {"step": unplaced.name}, Remedy(field=unplaced.unknown_field()))
        if last is None:
            return Verdict("fail_none", values)
        abroad = [each for each in after if each.country != self.home.country]
        if finish := next((each for each in abroad if each.is_main), None):
            return Verdict("fail_after", values | {"step": finish.name, "country": seen(finish.country)})
        if abroad:
            return Verdict("manual_after", values | {"step": abroad[0].name, "country": seen(abroad[0].country)})
        if elsewhere := next((each for each in after if not inside[each.number]), None):
            place = seen(elsewhere.step.district) or seen(elsewhere.country)
            return Verdict("manual_elsewhere", values | {"step": elsewhere.name, "district": place})
        return self.judge_makers(last, main, values)

    def judge_makers(self, last: ClassedStep, main: list[ClassedStep], values: dict[str, Value]) -> Verdict:
        values["step"] = last.name
        if self.review_subcontractor and last.is_subcontracted:
            return Verdict("manual_subcontractor", values | {"subcontractor": seen(last.step.subcontractor)})
        if values["partners"]:
            return Verdict("manual_partner", values)
        before = next((each for each in main if each.country != self.home.country), None)
        if self.review_abroad_before and before is not None:
            return Verdict("manual_before", values | {"step": before.name, "country": seen(before.country)})
        return Verdict("pass", values)

    def judge_site(self, steps: tuple[ClassedStep, ...], facts: Facts, values: dict[str, Value]) -> Verdict:
        main = [each for each in steps if each.is_main]
        site_country = code(facts.production.country) if facts.production else self.home.country
        places = [(each, at_site(each, facts, site_country)) for each in main]
        here = [each for each, at in places if at]
        if own := next((each for each in here if each.is_shaping and not each.is_subcontracted), None):
            return Verdict("pass", values | {"step": own.name})
        if unplaced := next((each for each, at in places if at is None), None):
            return Verdict("incomplete_step", values | {"step": unplaced.name}, Remedy(field=unplaced.unknown_field()))
        if subcontracted := next((each for each in here if each.is_shaping), None):
            named = {"step": subcontracted.name, "subcontractor": seen(subcontracted.step.subcontractor)}
            return Verdict("manual_subcontractor", values | named)
        if here:
            return Verdict("manual_other", values | {"operations": operations_of(here), "step": here[0].name})
        return Verdict("fail", values)


def at_site(each: ClassedStep, facts: Facts, site_country: str | None) -> bool | None:
    """Whether the step is done at the site, by country and district; None where that is not known."""
    if each.country is None:
        return None
    if each.country != site_country:
        return False
    site, district = fold(facts.place.district or "") if facts.place else "", fold(each.step.district or "")
    return None if not site or not district else site == district


def partners(facts: Facts) -> tuple[str, ...]:
    return tuple(sorted({seen(code(country)) or "?" for country in facts.product.partner_countries}))
