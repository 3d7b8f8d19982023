"""Check that the site or a stated place is in the mark's territory (K-01, U-01)."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.core.text.normalize import fold_alphanumeric
from app.schemes.evidence_choice import choose_document, is_in_force, unconfirmed_documents
from app.schemes.facts import Facts, Step
from app.schemes.outcome import Outcome
from app.schemes.rules.base import (
    UNCONFIRMED_CASE,
    Country,
    KindCode,
    Remedy,
    Rule,
    RuleContext,
    RuleResult,
    SetName,
    Value,
    ValueName,
    format_day,
    normalize_code,
    sanitize,
)


class TerritoryClaim(BaseModel):
    """Territory of a mark: named sets of places in a country, or the whole country."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    country: Country
    territory_sets: tuple[SetName, ...] = ()

    def is_in_territory(self, step: Step, context: RuleContext) -> bool | None:
        """Check that the step is done in the territory; None where its place is unknown."""
        country = normalize_code(step.country)
        if country is None:
            return None
        if country != self.country:
            return False
        if not self.territory_sets:
            return True
        return is_in_sets(self.territory_sets, step.economic_region, step.district, context)


def is_in_sets(names: tuple[str, ...], region: str | None, district: str | None, context: RuleContext) -> bool | None:
    """Check that a place is in one of the sets; None without region and district."""
    if normalize_code(region) is None and not fold_alphanumeric(district or ""):
        return None
    places = {normalize_code(region), fold_alphanumeric(district or "")}
    return any(places & context.territory_sets[name] for name in names)


class TerritoryRule(Rule):
    """Pass in `accepted`, manual in `review`, fail elsewhere.

    `place`: the `site`, by its region or district; or the municipality that a document of kind `evidence` names.
    """

    kind: Literal["territory"]
    place: Literal["site", "municipality"] = "site"
    accepted: tuple[SetName, ...] = Field(min_length=1)
    review: tuple[SetName, ...] = ()
    evidence: KindCode | None = None
    value: ValueName | None = None
    CODE_GROUPS: ClassVar = {"economic_region": "region", "municipality": "municipality"}
    VALUE_KEYS: ClassVar = frozenset({"economic_region", "district", "municipality", "number", "valid_until"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "incomplete": Outcome.INCOMPLETE,
        "incomplete_expired": Outcome.INCOMPLETE,
        UNCONFIRMED_CASE: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }

    @model_validator(mode="after")
    def require_consistent_parameters(self) -> Self:
        if both := set(self.accepted) & set(self.review):
            raise ValueError(f"{self.id}: both accepted and for review: {', '.join(sorted(both))}")
        if (self.place == "municipality") != (self.evidence is not None and self.value is not None):
            raise ValueError(f"{self.id}: a municipality is read from a document; a site is not")
        return self

    def cases(self) -> Mapping[str, Outcome]:
        never = set() if self.review else {"manual"}
        never |= {"incomplete_expired", UNCONFIRMED_CASE} if self.place == "site" else set()
        return {case: outcome for case, outcome in self.CASES.items() if case not in never}

    def territory_set_names(self) -> tuple[str, ...]:
        return self.accepted + self.review

    def evidence_kinds(self) -> tuple[str, ...]:
        return () if self.evidence is None else (self.evidence,)

    def value_names(self) -> tuple[str, ...]:
        return () if self.value is None else (self.value,)

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:
        values: dict[str, Value] = dict.fromkeys(self.VALUE_KEYS)
        if self.place == "municipality":
            return self.evaluate_municipality(facts, context, values)
        if facts.place is None:
            return RuleResult("not_assessed", values)
        region, district = facts.place.economic_region, facts.place.district
        values |= {"economic_region": sanitize(region), "district": sanitize(district)}
        inside = is_in_sets(self.accepted, region, district, context)
        if inside is None:
            return RuleResult("incomplete", values, Remedy(field="/site/district"))
        if inside:
            return RuleResult("pass", values)
        reviewed = self.review and is_in_sets(self.review, region, district, context)
        return RuleResult("manual" if reviewed else "fail", values)

    def evaluate_municipality(self, facts: Facts, context: RuleContext, values: dict[str, Value]) -> RuleResult:
        assert self.evidence is not None and self.value is not None  # checked when the file was loaded
        if facts.evidence is None:
            return RuleResult("not_assessed", values)
        item = choose_document(facts.evidence, self.evidence, facts.as_of)
        waits = unconfirmed_documents(facts.evidence, self.evidence)
        stated = item.values.get(self.value) if item else None
        if item is None or not isinstance(stated, str):
            case = UNCONFIRMED_CASE if waits else "incomplete"
            return RuleResult(case, values, Remedy(evidence=self.evidence, by_staff=bool(waits)))
        values |= {
            "municipality": sanitize(stated),
            "number": sanitize(item.number),
            "valid_until": format_day(item.valid_until),
        }
        if not is_in_force(item, facts.as_of):
            case = UNCONFIRMED_CASE if waits else "incomplete_expired"
            return RuleResult(case, values, Remedy(evidence=self.evidence, by_staff=bool(waits)))
        # By its code, or as the name of a district.
        if is_in_sets(self.accepted, stated, stated, context):
            return RuleResult("pass", values)
        reviewed = self.review and is_in_sets(self.review, stated, stated, context)
        return RuleResult("manual" if reviewed else "fail", values)
