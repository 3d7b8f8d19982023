"""Rules about places: where the site is (K-01, A-01, A-08) and which territory a mark claims."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.schemes.facts import Facts, Step
from app.schemes.outcome import Outcome
from app.schemes.rules.base import Rule, TerritorySets, Verdict, code, seen

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
SetName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]


class Claim(BaseModel):
    """The territory a mark speaks of: regions of a country by named sets, or the whole country."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    country: Country
    territory_sets: tuple[SetName, ...] = ()

    def covers(self, step: Step, territory_sets: TerritorySets) -> bool | None:
        """Whether the step is done in the territory; None where its place is not known well enough."""
        country, region = code(step.country), code(step.economic_region)
        if country is None:
            return None
        if country != self.country:
            return False
        if not self.territory_sets:
            return True
        if region is None:
            return None
        return any(region in territory_sets[name] for name in self.territory_sets)


class SiteTerritoryRule(Rule):
    """K-01: the site lies in a territory set of the mark."""

    kind: Literal["site_territory"]
    accepted: tuple[SetName, ...] = Field(min_length=1)
    review: tuple[SetName, ...] = ()
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "incomplete": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"economic_region", "district"})

    @model_validator(mode="after")
    def a_set_is_accepted_or_reviewed(self) -> Self:
        if both := set(self.accepted) & set(self.review):
            raise ValueError(f"{self.id}: both accepted and for review: {', '.join(sorted(both))}")
        return self

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:
        if facts.place is None:
            return Verdict("not_assessed", {"economic_region": None, "district": None})
        values = {"economic_region": seen(facts.place.economic_region), "district": seen(facts.place.district)}
        region = code(facts.place.economic_region)
        if region is None:
            return Verdict("incomplete", values)
        if any(region in territory_sets[name] for name in self.accepted):
            return Verdict("pass", values)
        return Verdict("manual" if any(region in territory_sets[name] for name in self.review) else "fail", values)


class SiteCountryRule(Rule):
    """A-01: the site lies in the country."""

    kind: Literal["site_country"]
    country: Country
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "fail": Outcome.FAIL,
        "incomplete": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"site_country"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        if facts.production is None:
            return Verdict("not_assessed", {"site_country": None})
        country = code(facts.production.country)
        values = {"site_country": seen(country)}
        if country is None:
            return Verdict("incomplete", values)
        return Verdict("pass" if country == self.country else "fail", values)


class ZoneKindRule(Rule):
    """A-08: goods made in a zone of these kinds are looked at by a person, for their customs regime."""

    kind: Literal["zone_kind"]
    review_kinds: tuple[str, ...] = Field(min_length=1)
    CASES: ClassVar = {"pass": Outcome.PASS, "manual": Outcome.MANUAL, "not_assessed": Outcome.NOT_ASSESSED}
    VALUES: ClassVar = frozenset({"zone_kind"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        if facts.zone is None:
            return Verdict("not_assessed", {"zone_kind": None})
        found = facts.zone.kind in self.review_kinds
        return Verdict("manual" if found else "pass", {"zone_kind": seen(facts.zone.kind)})
