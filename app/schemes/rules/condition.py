"""Compare one fact with values or bounds, by branches (C-01, A-01, A-03, A-08, K-05, U-10)."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from stdnum.az import voen as az_voen
from stdnum.exceptions import InvalidChecksum, InvalidComponent

from app.schemes.evidence_choice import find_document_in_force, unconfirmed_documents
from app.schemes.facts import EvidenceValue, Facts
from app.schemes.outcome import Outcome
from app.schemes.percentages import format_decimal, format_percentage_above, to_fraction
from app.schemes.rules.base import (
    UNCONFIRMED_CASE,
    FactSource,
    Remedy,
    Rule,
    RuleContext,
    RuleResult,
    Value,
    format_day,
    normalize_code,
    sanitize,
)

TEN_DIGITS_PATTERN = re.compile(r"[0-9]{10}")
LEGAL_PERSON_DIGIT, NATURAL_PERSON_DIGIT = "1", "2"
"""Last digit of a VÖEN."""

FactName = Annotated[
    str,
    Field(
        pattern=r"^(applicant\.(tax_number|person|legal_form|size_class)|site\.(country|district|region|park|zone_kind"
        r"|stage|started_on)|residency\.status|product\.(hs6|chapter|heading|unit|brand|partners)"
        r"|evidence:[a-z]+(-[a-z]+)*\.[a-z][a-z0-9_]*)$",
        description="a fact by its name, or `evidence:<kind>.<value>`",
    ),
]
CaseName = Annotated[str, Field(pattern=r"^(pass|manual|fail|incomplete|not_applicable)(_[a-z0-9]+)*$")]
"""The first word of a case is its outcome."""

ALWAYS_KNOWN = frozenset({"site.park", "site.zone_kind"})
"""Facts that are `none`, not missing, where there is nothing."""

CASE_OUTCOMES = (Outcome.PASS, Outcome.MANUAL, Outcome.FAIL, Outcome.INCOMPLETE, Outcome.NOT_APPLICABLE)


class Branch(BaseModel):
    """A test of the fact, and the case it leads to. A missing fact matches no branch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: CaseName
    fact: FactName | None = Field(default=None, description="another fact than the rule's")
    any_of: tuple[str | bool, ...] = ()
    none_of: tuple[str | bool, ...] = ()
    begins_with: tuple[str, ...] = ()
    at_least: Decimal | None = None
    above: Decimal | None = None
    at_most: Decimal | None = None
    below: Decimal | None = None
    by_the_day: bool = Field(default=False, description="a date that is not after the day of the assessment")

    @model_validator(mode="after")
    def require_test(self) -> Self:
        bounds = (self.at_least, self.above, self.at_most, self.below)
        has_test = self.any_of or self.none_of or self.begins_with or self.by_the_day
        if not has_test and all(bound is None for bound in bounds):
            raise ValueError(f"the branch {self.case} compares with nothing")
        return self

    def is_match(self, value: EvidenceValue, day: date) -> bool:
        if self.any_of and value not in self.any_of:
            return False
        if self.none_of and value in self.none_of:
            return False
        if self.begins_with and not (isinstance(value, str) and value.startswith(self.begins_with)):
            return False
        if self.by_the_day and not (isinstance(value, date) and value <= day):
            return False
        return self.is_within(value)

    def is_within(self, value: EvidenceValue) -> bool:
        bounds = (self.at_least, self.above, self.at_most, self.below)
        if all(bound is None for bound in bounds):
            return True
        figure = to_fraction(value) if isinstance(value, Decimal) else None
        if figure is None:
            return False
        return (
            (self.at_least is None or figure >= self.at_least)
            and (self.above is None or figure > self.above)
            and (self.at_most is None or figure <= self.at_most)
            and (self.below is None or figure < self.below)
        )


class ConditionRule(Rule):
    """Return the case of the first matching branch, or `otherwise`.

    A missing fact gives `missing`. The rule names its cases; the first word of a name is its outcome: `fail_form`
    fails.
    """

    kind: Literal["condition"]
    fact: FactName
    branches: tuple[Branch, ...] = Field(min_length=1)
    otherwise: CaseName | None = Field(default=None, description="none of the branches; without it: `missing`")
    missing: CaseName = "incomplete"
    missing_field: str | None = Field(
        default=None, description="what the applicant fills in: a field of product or site"
    )
    CODE_GROUPS: ClassVar = {
        "site_country": "country",
        "stage": "stage",
        "zone_kind": "zone_kind",
        "region": "region",
        "status": "residency_status",
        "person": "person",
    }
    VALUE_KEYS: ClassVar = frozenset(
        {
            "stated",
            "voen",
            "person",
            "site_country",
            "district",
            "region",
            "zone_kind",
            "stage",
            "started_on",
            "status",
            "hs6",
            "as_of",
        }
    )

    def cases(self) -> Mapping[str, Outcome]:
        names = [branch.case for branch in self.branches]
        names += [self.missing] if self.otherwise is None or self.fact not in ALWAYS_KNOWN else []
        names += [self.otherwise] if self.otherwise else []
        names += [UNCONFIRMED_CASE] if self.evidence_kinds() else []
        return {name: case_outcome(name) for name in names} | {"not_assessed": Outcome.NOT_ASSESSED}

    def facts_read(self) -> tuple[str, ...]:
        return (self.fact, *(branch.fact for branch in self.branches if branch.fact))

    def evidence_kinds(self) -> tuple[str, ...]:
        kinds = (name.removeprefix("evidence:").split(".")[0] for name in self.facts_read() if name.startswith("evid"))
        return tuple(dict.fromkeys(kinds))

    def value_names(self) -> tuple[str, ...]:
        return tuple(name.split(".")[1] for name in self.facts_read() if name.startswith("evidence:"))

    @property
    def source(self) -> FactSource | None:
        if self.fact.startswith("evidence:"):
            return None
        return FactSource.REGISTER if self.fact.startswith("residency.") else FactSource.APPLICANT

    def parameters(self) -> dict[str, Any]:
        """Add the bounds of the branches by name, for use in reasons."""
        own: dict[str, Any] = super().parameters()
        own["branches"] = [branch.model_dump(mode="json", exclude_defaults=True) for branch in self.branches]
        for branch in self.branches:
            for name in ("at_least", "above", "at_most", "below"):
                bound = getattr(branch, name)
                if bound is not None:
                    own.setdefault(name, format_decimal(bound))
        return own | {name: own.get(name) for name in ("at_least", "above", "at_most", "below")}

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:  # noqa: ARG002 (same for every kind)
        fact_value = read_fact(self.fact, facts) if is_fact_group_given(self.fact, facts) else None
        values = self.observed_values(facts, fact_value)
        if any(not is_fact_group_given(name, facts) for name in self.facts_read()):
            return RuleResult("not_assessed", values)
        for branch in self.branches:
            value = read_fact(branch.fact, facts) if branch.fact else fact_value
            if value is not None and branch.is_match(value, facts.as_of):
                return RuleResult(branch.case, values, self.remedy_for(branch.case))
        if fact_value is None or self.otherwise is None:
            return self.missing_result(facts, values)
        return RuleResult(self.otherwise, values, self.remedy_for(self.otherwise))

    def missing_result(self, facts: Facts, values: Mapping[str, Value]) -> RuleResult:
        kinds = self.evidence_kinds()
        if kinds and any(unconfirmed_documents(facts.evidence, kind) for kind in kinds):
            return RuleResult(UNCONFIRMED_CASE, values, Remedy(by_staff=True))
        return RuleResult(self.missing, values, self.remedy_for(self.missing))

    def remedy_for(self, case: str) -> Remedy | None:
        if case_outcome(case) is not Outcome.INCOMPLETE:
            return None
        kinds = self.evidence_kinds()
        return Remedy(field=self.missing_field, evidence=kinds[0] if kinds else None)

    def observed_values(self, facts: Facts, fact_value: EvidenceValue | None) -> dict[str, Value]:
        return {
            "stated": self.displayed(fact_value),
            "voen": sanitize(facts.applicant.voen) if facts.applicant else None,
            "person": value_text(read_fact("applicant.person", facts)) if facts.applicant else None,
            "site_country": sanitize(normalize_code(facts.production.country)) if facts.production else None,
            "district": sanitize(facts.place.district) if facts.place else None,
            "region": sanitize(facts.place.economic_region) if facts.place else None,
            "zone_kind": sanitize(facts.zone.kind) if facts.zone else None,
            "stage": facts.residency.stage.value if facts.residency and facts.residency.stage else None,
            "started_on": format_day(facts.production.started_on) if facts.production else None,
            "status": facts.residency.status.value if facts.residency and facts.residency.status else None,
            "hs6": sanitize(facts.product.hs6),
            "as_of": format_day(facts.as_of),
        }

    def displayed(self, value: EvidenceValue | None) -> Value:
        limit = next((branch.above for branch in self.branches if branch.above is not None), None)
        if isinstance(value, Decimal) and limit is not None:
            figure = to_fraction(value)
            return None if figure is None else format_percentage_above(figure, limit)
        return value_text(value)


def case_outcome(case: str) -> Outcome:
    """Return the outcome with which a case's name begins."""
    return next(outcome for outcome in CASE_OUTCOMES if case == outcome.value or case.startswith(f"{outcome.value}_"))


def value_text(value: EvidenceValue | None) -> Value:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Decimal):
        return sanitize(format_decimal(value))
    if isinstance(value, date):
        return value.isoformat()
    return tuple(sanitize(item) or "?" for item in value) if isinstance(value, tuple) else sanitize(value)


def is_fact_group_given(name: str, facts: Facts) -> bool:
    """Check that the call has the group of the fact."""
    if name.startswith("evidence:"):
        return facts.evidence is not None
    groups: dict[str, object] = {
        "applicant": facts.applicant,
        "residency": facts.residency,
        "product": facts.product,
    }
    group, member = name.split(".")
    if group != "site":
        return groups[group] is not None
    of_site: dict[str, object] = {
        "country": facts.production,
        "started_on": facts.production,
        "zone_kind": facts.zone,
        "stage": facts.residency,
    }
    return of_site.get(member, facts.place) is not None


def read_fact(name: str, facts: Facts) -> EvidenceValue | None:
    """Return a fact by name; None where it is missing. Its group must be given."""
    if name.startswith("evidence:"):
        kind, value = name.removeprefix("evidence:").split(".")
        item = find_document_in_force(facts.evidence, kind, facts.as_of)
        stated = item.values.get(value) if item else None
        is_valid = not isinstance(stated, Decimal) or to_fraction(stated) is not None
        return stated if is_valid else None
    return FACT_READERS[name](facts)


def tax_number_state(facts: Facts) -> str | None:
    """Return the validity of the VÖEN: `valid`, `check_digit`, `ending` or `form`."""
    voen = facts.applicant.voen if facts.applicant else None
    if voen is None or not voen.strip():
        return None
    # The library pads nine digits and drops blanks; the stored text must be complete without that.
    if not TEN_DIGITS_PATTERN.fullmatch(voen):
        return "form"
    try:
        az_voen.validate(voen)
    except InvalidComponent:
        return "ending"
    except InvalidChecksum:
        return "check_digit"
    return "valid"


def person_kind(facts: Facts) -> str | None:
    """Return `natural` or `legal`, by the last digit of the VÖEN."""
    voen = facts.applicant.voen if facts.applicant else None
    if not voen or not TEN_DIGITS_PATTERN.fullmatch(voen) or voen[-1] not in (NATURAL_PERSON_DIGIT, LEGAL_PERSON_DIGIT):
        return None
    return "natural" if voen[-1] == NATURAL_PERSON_DIGIT else "legal"


def _stage(facts: Facts) -> str | None:
    return facts.residency.stage.value if facts.residency and facts.residency.stage else None


def _status(facts: Facts) -> str | None:
    return facts.residency.status.value if facts.residency and facts.residency.status else None


FACT_READERS: Mapping[str, Callable[[Facts], EvidenceValue | None]] = {
    "applicant.tax_number": tax_number_state,
    "applicant.person": person_kind,
    "applicant.legal_form": lambda facts: facts.applicant.legal_form if facts.applicant else None,
    "applicant.size_class": lambda facts: facts.applicant.size_class if facts.applicant else None,
    "site.country": lambda facts: normalize_code(facts.production.country) if facts.production else None,
    "site.started_on": lambda facts: facts.production.started_on if facts.production else None,
    "site.district": lambda facts: facts.place.district if facts.place else None,
    "site.region": lambda facts: normalize_code(facts.place.economic_region) if facts.place else None,
    "site.park": lambda facts: (facts.place.park_code or "none") if facts.place else None,
    "site.zone_kind": lambda facts: (facts.zone.kind or "none") if facts.zone else None,
    "site.stage": _stage,
    "residency.status": _status,
    "product.hs6": lambda facts: facts.product.hs6,
    "product.chapter": lambda facts: facts.product.hs6[:2] if facts.product.hs6 else None,
    "product.heading": lambda facts: facts.product.hs6[:4] if facts.product.hs6 else None,
    "product.unit": lambda facts: facts.product.unit,
    "product.brand": lambda facts: facts.product.brand,
    "product.partners": lambda facts: "declared" if facts.product.partner_countries else "none",
}
