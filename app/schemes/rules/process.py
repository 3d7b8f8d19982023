"""Check the process: sufficient operations (C-08), place of the steps (C-09, K-07, K-08).

The class of a step follows from the closed list of operations, never from its name or the applicant's statement alone.
Without steps the product's flags are used as far as possible: a file has no steps.
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
    """A step with the class of its operation for the product's code. `number` counts from 0."""

    number: int
    step: Step
    operation_class: OperationClass | None  # None: not on the list
    operation: str | None  # code of the list, else the text as entered

    @property
    def is_enough(self) -> bool:
        return self.operation_class is OperationClass.SUBSTANTIAL

    @property
    def is_shaping(self) -> bool:
        """Check for a substantial or assembly operation, stated as essential or not."""
        return self.operation_class in (OperationClass.SUBSTANTIAL, OperationClass.ASSEMBLY)

    @property
    def is_simple(self) -> bool:
        return self.operation_class is OperationClass.SIMPLE

    @property
    def is_main(self) -> bool:
        """Check for a shaping step, or one stated as essential that is not simple."""
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
    """Return the steps in order, each with its class."""
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
    """Sort steps by `seq`; among equal numbers a step abroad comes last."""
    return tuple(sorted(steps, key=lambda step: (step.seq, normalize_code(step.country) != HOME_COUNTRY)))


def list_operations(steps: Iterable[ClassifiedStep]) -> tuple[str, ...]:
    """Return the operations of steps, each once, in order."""
    return tuple(dict.fromkeys(step.operation or "?" for step in steps))


class OperationsRule(Rule):
    """Require a substantial operation for goods of this code in the claimed territory.

    `sufficient`: only these operations of the closed list are sufficient; others are manual.
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
        if unknown := sorted(step for step in self.sufficient if step not in load_lists().operations):
            raise ValueError(f"{self.id}: not on the list of operations: {', '.join(unknown)}")
        return self

    def territory_set_names(self) -> tuple[str, ...]:
        return self.claim.territory_sets

    def is_enough(self, step: ClassifiedStep) -> bool:
        return step.is_enough and (not self.sufficient or step.operation in self.sufficient)

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:
        flags = tuple(flag for flag in self.review_flags if flag in facts.product.flags)
        values: dict[str, Value] = {"operations": (), "flags": flags, "step": None}
        if facts.steps is None:
            return RuleResult("manual_flagged" if flags else "not_assessed", values)
        steps = [(step, self.claim.is_in_territory(step.step, context)) for step in classify_steps(facts, context)]
        here = [step for step, inside in steps if inside]
        if any(self.is_enough(step) for step in here):
            enough = list_operations(step for step in here if self.is_enough(step))
            return RuleResult("manual_flagged" if flags else "pass", values | {"operations": enough})
        if not steps:
            return RuleResult("incomplete_no_steps", values, Remedy(field="/steps"))
        if unplaced := next((step for step, inside in steps if inside is None), None):
            return RuleResult(
                "incomplete_step", values | {"step": unplaced.name}, Remedy(field=unplaced.missing_place_field())
            )
        if not here:
            return RuleResult("fail_nothing", values)
        if doubtful := list_operations(step for step in here if not step.is_simple):
            return RuleResult("manual_unlisted", values | {"operations": doubtful})
        return RuleResult("fail", values | {"operations": list_operations(here)})


class StepsRule(Rule):
    """Check where the main steps are done.

    `asks = "finished_in"`: no main step follows the last one in the territory `home`; later steps elsewhere in its
    country are manual. `asks = "at_site"`: a main step is done at the certified site by the applicant.
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
        if not any(step.step.is_essential for step in steps):
            return RuleResult("incomplete_no_essential", values, Remedy(field="/steps/0/is_essential"))
        if self.asks == "at_site":
            return self.evaluate_site(steps, facts, values)
        return self.evaluate_finish(steps, context, values)

    def evaluate_finish(
        self, steps: tuple[ClassifiedStep, ...], context: RuleContext, values: dict[str, Value]
    ) -> RuleResult:
        inside = {step.number: self.home.is_in_territory(step.step, context) for step in steps}
        main = [step for step in steps if step.is_main]
        main_here = [step for step in main if inside[step.number]]
        shaping_here = [step for step in main_here if step.is_shaping]
        last = (shaping_here or main_here)[-1] if main_here else None
        after = [step for step in steps if last is not None and step.number > last.number]
        if unplaced := next((step for step in (*main, *after) if inside[step.number] is None), None):
            return RuleResult(
                "incomplete_step", values | {"step": unplaced.name}, Remedy(field=unplaced.missing_place_field())
            )
        if last is None:
            return RuleResult("fail_none", values)
        abroad = [step for step in after if step.country != self.home.country]
        if finish := next((step for step in abroad if step.is_main), None):
            return RuleResult("fail_after", values | {"step": finish.name, "country": sanitize(finish.country)})
        if abroad:
            return RuleResult("manual_after", values | {"step": abroad[0].name, "country": sanitize(abroad[0].country)})
        if elsewhere := next((step for step in after if not inside[step.number]), None):
            place = sanitize(elsewhere.step.district) or sanitize(elsewhere.country)
            return RuleResult("manual_elsewhere", values | {"step": elsewhere.name, "district": place})
        return self.evaluate_makers(last, main, values)

    def evaluate_makers(self, last: ClassifiedStep, main: list[ClassifiedStep], values: dict[str, Value]) -> RuleResult:
        values["step"] = last.name
        if self.review_subcontractor and last.is_subcontracted:
            return RuleResult("manual_subcontractor", values | {"subcontractor": sanitize(last.step.subcontractor)})
        if values["partners"]:
            return RuleResult("manual_partner", values)
        before = next((step for step in main if step.country != self.home.country), None)
        if self.review_abroad_before and before is not None:
            return RuleResult("manual_before", values | {"step": before.name, "country": sanitize(before.country)})
        return RuleResult("pass", values)

    def evaluate_site(self, steps: tuple[ClassifiedStep, ...], facts: Facts, values: dict[str, Value]) -> RuleResult:
        main = [step for step in steps if step.is_main]
        site_country = normalize_code(facts.production.country) if facts.production else self.home.country
        places = [(step, is_at_site(step, facts, site_country)) for step in main]
        here = [step for step, is_here in places if is_here]
        if own := next((step for step in here if step.is_shaping and not step.is_subcontracted), None):
            return RuleResult("pass", values | {"step": own.name})
        if unplaced := next((step for step, is_here in places if is_here is None), None):
            return RuleResult(
                "incomplete_step", values | {"step": unplaced.name}, Remedy(field=unplaced.missing_place_field())
            )
        if subcontracted := next((step for step in here if step.is_shaping), None):
            details = {"step": subcontracted.name, "subcontractor": sanitize(subcontracted.step.subcontractor)}
            return RuleResult("manual_subcontractor", values | details)
        if here:
            return RuleResult("manual_other", values | {"operations": list_operations(here), "step": here[0].name})
        return RuleResult("fail", values)


def is_at_site(step: ClassifiedStep, facts: Facts, site_country: str | None) -> bool | None:
    """Check that the step is done at the site, by country and district; None where unknown."""
    if step.country is None:
        return None
    if step.country != site_country:
        return False
    site, district = (
        fold_alphanumeric(facts.place.district or "") if facts.place else "",
        fold_alphanumeric(step.step.district or ""),
    )
    return None if not site or not district else site == district


def partner_countries(facts: Facts) -> tuple[str, ...]:
    return tuple(sorted({sanitize(normalize_code(country)) or "?" for country in facts.product.partner_countries}))
