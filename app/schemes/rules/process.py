"""The process: whether what is done here is enough (C-08), and where the main and last steps are (C-09, K-07, K-08).

What a step counts as follows from the closed list of operations, never from its name or its tick alone. Without steps
the flags of the product stand for them as far as they go: a file carries no steps.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from app.core.text.normalize import fold_alphanumeric
from app.reference import hs_nomenclature
from app.schemes.closed_lists import OperationClass, load_lists
from app.schemes.facts import Facts, Step
from app.schemes.material_origin import HOME_COUNTRY
from app.schemes.outcome import Outcome
from app.schemes.rules.base import Remedy, Rule, RuleContext, RuleResult, Value, Word, normalize_code, sanitize
from app.schemes.rules.base import Word as Flag
from app.schemes.rules.territory import TerritoryClaim


@dataclass(frozen=True, slots=True)
class ClassifiedStep:
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
        return sanitize(self.step.name) or "?"

    @property
    def country(self) -> str | None:
        return normalize_code(self.step.country)

    @property
    def is_subcontracted(self) -> bool:
        return bool((self.step.subcontractor or "").strip())

    def missing_place_field(self) -> str:
        return f"/steps/{self.number}/{'country' if self.country is None else 'district'}"


def classify_steps(facts: Facts, context: RuleContext) -> tuple[ClassifiedStep, ...]:
    """The steps in their order, each with its class."""
    hs6 = hs_nomenclature.as_six_digits(facts.product.hs6)
    steps = []
    for number, step in enumerate(sort_steps(facts.steps or ())):
        operation = context.lists.find_operation(step.operation)
        operation_class = operation.class_for_code(hs6, context.lists) if operation else None
        steps.append(
            ClassifiedStep(number, step, operation_class, operation.code if operation else sanitize(step.operation))
        )
    return tuple(steps)


def sort_steps(steps: Iterable[Step]) -> tuple[Step, ...]:
    """By `seq`; of steps with the same number one abroad comes last, whichever was listed first."""
    return tuple(sorted(steps, key=lambda step: (step.seq, normalize_code(step.country) != HOME_COUNTRY)))


def list_operations(steps: Iterable[ClassifiedStep]) -> tuple[str, ...]:
    """Operations, each once, in their order."""
    return tuple(dict.fromkeys(each.operation or "?" for each in steps))


class OperationsRule(Rule):
    """At least one step in the claimed territory is a substantial operation for goods of this code.

    `sufficient`: only these operations of the closed list are enough for the mark; others are for a person.
    """

    kind: Literal["operations"]
    claim: TerritoryClaim
    review_flags: tuple[Flag, ...] = ()
    sufficient: tuple[Word, ...] = ()
    CODE_GROUPS: ClassVar = {"operations": "operation", "flags": "flag"}
    VALUE_KEYS: ClassVar = frozenset({"operations", "flags", "step"})
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
    def require_listed_operations(self) -> Self:
        if unknown := sorted(each for each in self.sufficient if each not in load_lists().operations):
            raise ValueError(f"{self.id}: not on the list of operations: {', '.join(unknown)}")
        return self

    def territory_set_names(self) -> tuple[str, ...]:
        return self.claim.territory_sets

    def is_enough(self, each: ClassifiedStep) -> bool:
        return each.is_enough and (not self.sufficient or each.operation in self.sufficient)

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:
        raised = tuple(flag for flag in self.review_flags if flag in facts.product.flags)
        values: dict[str, Value] = {"operations": (), "flags": raised, "step": None}
        if facts.steps is None:
            return RuleResult("manual_flagged" if raised else "not_assessed", values)
        steps = [(each, self.claim.is_in_territory(each.step, context)) for each in classify_steps(facts, context)]
        here = [each for each, inside in steps if inside]
        if any(self.is_enough(each) for each in here):
            enough = list_operations(each for each in here if self.is_enough(each))
            return RuleResult("manual_flagged" if raised else "pass", values | {"operations": enough})
        if not steps:
            return RuleResult("incomplete_no_steps", values, Remedy(field="/steps"))
        if unplaced := next((each for each, inside in steps if inside is None), None):
            return RuleResult(
                "incomplete_step", values | {"step": unplaced.name}, Remedy(field=unplaced.missing_place_field())
            )
        if not here:
            return RuleResult("fail_nothing", values)
        if doubtful := list_operations(each for each in here if not each.is_simple):
            return RuleResult("manual_unlisted", values | {"operations": doubtful})
        return RuleResult("fail", values | {"operations": list_operations(here)})


class StepsRule(Rule):
    """Where the main steps are.

    `asks = "finished_in"`: nothing that matters is done after the last step of the territory `home`; steps after it
    elsewhere in its country are for a person. `asks = "at_site"`: a main step is done at the certified site by the
    applicant.
    """

    kind: Literal["steps"]
    asks: Literal["finished_in", "at_site"]
    home: TerritoryClaim = TerritoryClaim(country="AZ")
    review_partners: bool = Field(default=False, description="declared partners abroad are for a person")
    review_subcontractor: bool = Field(default=False, description="a subcontractor in the last main step is")
    review_abroad_before: bool = Field(default=False, description="a main step abroad before the last one here is")
    CODE_GROUPS: ClassVar = {"country": "country", "partners": "country", "operations": "operation"}
    VALUE_KEYS: ClassVar = frozenset({"step", "country", "district", "subcontractor", "partners", "operations"})
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

    def territory_set_names(self) -> tuple[str, ...]:
        return self.home.territory_sets

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:
        declared = partner_countries(facts) if self.review_partners else ()
        values: dict[str, Value] = dict.fromkeys(self.VALUE_KEYS) | {"partners": declared, "operations": ()}
        values["district"] = sanitize(facts.place.district) if facts.place and self.asks == "at_site" else None
        if facts.steps is None or (self.asks == "at_site" and facts.place is None):
            return RuleResult("manual_partner" if declared and self.asks == "finished_in" else "not_assessed", values)
        steps = classify_steps(facts, context)
        if not steps:
            return RuleResult("incomplete_no_steps", values, Remedy(field="/steps"))
        if not any(each.step.is_essential for each in steps):
            return RuleResult("incomplete_no_essential", values, Remedy(field="/steps/0/is_essential"))
        if self.asks == "at_site":
            return self.evaluate_site(steps, facts, values)
        return self.evaluate_finish(steps, context, values)

    def evaluate_finish(
        self, steps: tuple[ClassifiedStep, ...], context: RuleContext, values: dict[str, Value]
    ) -> RuleResult:
        inside = {each.number: self.home.is_in_territory(each.step, context) for each in steps}
        main = [each for each in steps if each.is_main]
        main_here = [each for each in main if inside[each.number]]
        shaping_here = [each for each in main_here if each.is_shaping]
        last = (shaping_here or main_here)[-1] if main_here else None
        after = [each for each in steps if last is not None and each.number > last.number]
        if unplaced := next((each for each in (*main, *after) if inside[each.number] is None), None):
            return RuleResult(
                "incomplete_step", values | {"step": unplaced.name}, Remedy(field=unplaced.missing_place_field())
            )
        if last is None:
            return RuleResult("fail_none", values)
        abroad = [each for each in after if each.country != self.home.country]
        if finish := next((each for each in abroad if each.is_main), None):
            return RuleResult("fail_after", values | {"step": finish.name, "country": sanitize(finish.country)})
        if abroad:
            return RuleResult("manual_after", values | {"step": abroad[0].name, "country": sanitize(abroad[0].country)})
        if elsewhere := next((each for each in after if not inside[each.number]), None):
            place = sanitize(elsewhere.step.district) or sanitize(elsewhere.country)
            return RuleResult("manual_elsewhere", values | {"step": elsewhere.name, "district": place})
        return self.evaluate_makers(last, main, values)

    def evaluate_makers(self, last: ClassifiedStep, main: list[ClassifiedStep], values: dict[str, Value]) -> RuleResult:
        values["step"] = last.name
        if self.review_subcontractor and last.is_subcontracted:
            return RuleResult("manual_subcontractor", values | {"subcontractor": sanitize(last.step.subcontractor)})
        if values["partners"]:
            return RuleResult("manual_partner", values)
        before = next((each for each in main if each.country != self.home.country), None)
        if self.review_abroad_before and before is not None:
            return RuleResult("manual_before", values | {"step": before.name, "country": sanitize(before.country)})
        return RuleResult("pass", values)

    def evaluate_site(self, steps: tuple[ClassifiedStep, ...], facts: Facts, values: dict[str, Value]) -> RuleResult:
        main = [each for each in steps if each.is_main]
        site_country = normalize_code(facts.production.country) if facts.production else self.home.country
        places = [(each, is_at_site(each, facts, site_country)) for each in main]
        here = [each for each, at in places if at]
        if own := next((each for each in here if each.is_shaping and not each.is_subcontracted), None):
            return RuleResult("pass", values | {"step": own.name})
        if unplaced := next((each for each, at in places if at is None), None):
            return RuleResult(
                "incomplete_step", values | {"step": unplaced.name}, Remedy(field=unplaced.missing_place_field())
            )
        if subcontracted := next((each for each in here if each.is_shaping), None):
            named = {"step": subcontracted.name, "subcontractor": sanitize(subcontracted.step.subcontractor)}
            return RuleResult("manual_subcontractor", values | named)
        if here:
            return RuleResult("manual_other", values | {"operations": list_operations(here), "step": here[0].name})
        return RuleResult("fail", values)


def is_at_site(each: ClassifiedStep, facts: Facts, site_country: str | None) -> bool | None:
    """Whether the step is done at the site, by country and district; None where that is not known."""
    if each.country is None:
        return None
    if each.country != site_country:
        return False
    site, district = (
        fold_alphanumeric(facts.place.district or "") if facts.place else "",
        fold_alphanumeric(each.step.district or ""),
    )
    return None if not site or not district else site == district


def partner_countries(facts: Facts) -> tuple[str, ...]:
    return tuple(sorted({sanitize(normalize_code(country)) or "?" for country in facts.product.partner_countries}))
