"""Places: whether the site, or a place that a document names, lies in the territory of the mark (K-01, U-01)."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.core.text.normalize import fold
from app.schemes.evidence_choice import awaiting, choose, holds
from app.schemes.facts import Facts, Step
from app.schemes.outcome import Outcome
from app.schemes.rules.base import (
    AWAITS_STAFF,
    Context,
    Country,
    KindCode,
    Remedy,
    Rule,
    SetName,
    Value,
    ValueName,
    Verdict,
    code,
    day,
    seen,
)


class Claim(BaseModel):
    """The territory that a mark speaks of: places of a country by named sets, or the whole country."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    country: Country
    territory_sets: tuple[SetName, ...] = ()

    def covers(self, step: Step, context: Context) -> bool | None:
        """Whether the step is done in the territory; None where its place is not known well enough."""
        country = code(step.country)
        if country is None:
            return None
        if country != self.country:
            return False
        if not self.territory_sets:
            return True
        return in_sets(self.territory_sets, step.economic_region, step.district, context)


def in_sets(names: tuple[str, ...], region: str | None, district: str | None, context: Context) -> bool | None:
    """Whether a place lies in one of the sets, by its region or district; None where neither is known."""
    if code(region) is None and not fold(district or ""):
        return None
    places = {code(region), fold(district or "")}
    return any(places & context.territory_sets[name] for name in names)


class TerritoryRule(Rule):
    """pass in `accepted`, manual in `review`, fail elsewhere.

    `place`: the `site`, by its region or district; or the municipality that a document of kind `evidence` names.
    """

    kind: Literal["territory"]
    place: Literal["site", "municipality"] = "site"
    accepted: tuple[SetName, ...] = Field(min_length=1)
    review: tuple[SetName, ...] = ()
    evidence: KindCode | None = None
    value: ValueName | None = None
    NAMED: ClassVar = {"economic_region": "region", "municipality": "municipality"}
    VALUES: ClassVar = frozenset({"economic_region", "district", "municipality", "number", "valid_until"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "incomplete": Outcome.INCOMPLETE,
        "incomplete_expired": Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }

    @model_validator(mode="after")
    def parameters_fit(self) -> Self:
        if both := set(self.accepted) & set(self.review):
            raise ValueError(f"{self.id}: both accepted and for review: {', '.join(sorted(both))}")
        if (self.place == "municipality") != (self.evidence is not None and self.value is not None):
            raise ValueError(f"{self.id}: a municipality is read from a document; a site is not")
        return self

    def cases(self) -> Mapping[str, Outcome]:
        never = set() if self.review else {"manual"}
        never |= {"incomplete_expired", AWAITS_STAFF} if self.place == "site" else set()
        return {case: outcome for case, outcome in self.CASES.items() if case not in never}

    def territories(self) -> tuple[str, ...]:
        return self.accepted + self.review

    def evidence_kinds(self) -> tuple[str, ...]:
        return () if self.evidence is None else (self.evidence,)

    def value_names(self) -> tuple[str, ...]:
        return () if self.value is None else (self.value,)

    def judge(self, facts: Facts, context: Context) -> Verdict:
        values: dict[str, Value] = dict.fromkeys(self.VALUES)
        if self.place == "municipality":
            return self.judge_municipality(facts, context, values)
        if facts.place is None:
            return Verdict("not_assessed", values)
        region, district = facts.place.economic_region, facts.place.district
        values |= {"economic_region": seen(region), "district": seen(district)}
        inside = in_sets(self.accepted, region, district, context)
        if inside is None:
            return Verdict("incomplete", values, Remedy(field="/site/district"))
        if inside:
            return Verdict("pass", values)
        reviewed = self.review and in_sets(self.review, region, district, context)
        return Verdict("manual" if reviewed else "fail", values)

    def judge_municipality(self, facts: Facts, context: Context, values: dict[str, Value]) -> Verdict:
        assert self.evidence is not None and self.value is not None  # checked when the file was read
        if facts.evidence is None:
            return Verdict("not_assessed", values)
        item = choose(facts.evidence, self.evidence, facts.as_of)
        waits = awaiting(facts.evidence, self.evidence)
        stated = item.values.get(self.value) if item else None
        if item is None or not isinstance(stated, str):
            case = AWAITS_STAFF if waits else "incomplete"
            return Verdict(case, values, Remedy(evidence=self.evidence, by_staff=bool(waits)))
        values |= {"municipality": seen(stated), "number": seen(item.number), "valid_until": day(item.valid_until)}
        if not holds(item, facts.as_of):
            case = AWAITS_STAFF if waits else "incomplete_expired"
            return Verdict(case, values, Remedy(evidence=self.evidence, by_staff=bool(waits)))
        # By its code, or as the name of a district.
        if in_sets(self.accepted, stated, stated, context):
            return Verdict("pass", values)
        reviewed = self.review and in_sets(self.review, stated, stated, context)
        return Verdict("manual" if reviewed else "fail", values)
