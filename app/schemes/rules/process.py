"""Rules about the process: what is done where (C-08, C-09, K-07, K-08).

With steps carried, the steps are judged. Without them the product's declarations stand for them as far as they go.
"""

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from app.schemes.facts import Facts, Place, Step
from app.schemes.outcome import Outcome
from app.schemes.rules.base import Rule, TerritorySets, Value, Verdict, code, seen
from app.schemes.rules.goods import Flag
from app.schemes.rules.place import Claim, Country
from app.schemes.spelling import skeleton


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(sorted(steps, key=lambda step: step.seq))


def operation(text: str | None) -> str | None:
    """A kind of operation as it is compared: “Simple assembly” is `simple_assembly`."""
    return "_".join((text or "").casefold().replace("-", " ").replace("_", " ").split()) or None


class MoreThanSimpleRule(Rule):
    """C-08: at least one step in the claimed territory is more than a simple operation (`domain.md` §4.6)."""

    kind: Literal["more_than_simple"]
    claim: Claim
    simple_operations: tuple[Flag, ...] = Field(min_length=1)
    review_flags: tuple[Flag, ...]
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "pass_declared": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "fail_nothing": Outcome.FAIL,
        "incomplete_no_steps": Outcome.INCOMPLETE,
        "incomplete_step": Outcome.INCOMPLETE,
    }
    VALUES: ClassVar = frozenset({"operations", "flags"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:
        raised = tuple(flag for flag in self.review_flags if flag in facts.product.flags)
        values: dict[str, Value] = {"operations": (), "flags": raised}
        if facts.steps is None:
            return Verdict("manual" if raised else "pass_declared", values)
        if not facts.steps:
            return Verdict("incomplete_no_steps", values)
        places = [(step, self.claim.covers(step, territory_sets)) for step in in_order(facts.steps)]
        here = [operation(step.operation) for step, inside in places if inside]
        values["operations"] = tuple(seen(name) or "?" for name in here)
        if any(name is not None and name not in self.simple_operations for name in here):
            return Verdict("manual" if raised else "pass", values)
        if None in here or any(inside is None for _, inside in places):
            return Verdict("incomplete_step", values)
        return Verdict("fail" if here else "fail_nothing", values)


class LastEssentialStepRule(Rule):
    """C-09: the last essential step is done in the country, and by the applicant.

    `review_partners`: declared partners abroad are looked at by a person, with or without steps.
    """

    kind: Literal["last_essential_step"]
    country: Country
    review_partners: bool
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "fail": Outcome.FAIL,
        "manual_subcontractor": Outcome.MANUAL,
        "manual_partner": Outcome.MANUAL,
        "incomplete_no_steps": Outcome.INCOMPLETE,
        "incomplete_no_essential": Outcome.INCOMPLETE,
        "incomplete_country": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"step", "step_country", "subcontractor", "partners"})

    def judge(  # noqa: PLR0911 (one return for each case)
        self,
        facts: Facts,
        territory_sets: TerritorySets,  # noqa: ARG002 (same for every kind)
    ) -> Verdict:
        values: dict[str, Value] = {
            "step": None,
            "step_country": None,
            "subcontractor": None,
            "partners": partners(facts) if self.review_partners else (),
        }
        if facts.steps is None:
            return Verdict("manual_partner" if values["partners"] else "not_assessed", values)
        if not facts.steps:
            return Verdict("incomplete_no_steps", values)
        essential = [step for step in in_order(facts.steps) if step.is_essential]
        if not essential:
            return Verdict("incomplete_no_essential", values)
        last = essential[-1]
        country, subcontractor = code(last.country), (last.subcontractor or "").strip()
        values |= {"step": seen(last.name), "step_country": seen(country), "subcontractor": seen(subcontractor) or None}
        if country is None:
            return Verdict("incomplete_country", values)
        if country != self.country:
            return Verdict("fail", values)
        if subcontractor:
            return Verdict("manual_subcontractor", values)
        return Verdict("manual_partner" if values["partners"] else "pass", values)


class EssentialStepHereRule(Rule):
    """K-07: an essential step is done at the certified site, by the applicant: in the site's country and district."""

    kind: Literal["essential_step_here"]
    country: Country
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "fail": Outcome.FAIL,
        "manual_subcontractor": Outcome.MANUAL,
        "incomplete_no_steps": Outcome.INCOMPLETE,
        "incomplete_place": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"district", "step", "subcontractor"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = dict.fromkeys(self.VALUES)
        if facts.steps is None or facts.place is None:
            return Verdict("not_assessed", values)
        values["district"] = seen(facts.place.district)
        if not facts.steps:
            return Verdict("incomplete_no_steps", values)
        essential = [step for step in in_order(facts.steps) if step.is_essential]
        here = [step for step in essential if self.at_the_site(step, facts.place) is True]
        own = next((step for step in here if not (step.subcontractor or "").strip()), None)
        if own is not None:
            return Verdict("pass", values | {"step": seen(own.name)})
        if here:
            return Verdict(
                "manual_subcontractor",
                values | {"step": seen(here[0].name), "subcontractor": seen((here[0].subcontractor or "").strip())},
            )
        if any(self.at_the_site(step, facts.place) is None for step in essential):
            return Verdict("incomplete_place", values)
        return Verdict("fail", values)

    def at_the_site(self, step: Step, place: Place) -> bool | None:
        """None where the places are not known well enough."""
        country = code(step.country)
        if country is not None and country != self.country:
            return False
        district, site = skeleton(step.district or ""), skeleton(place.district or "")
        if country is None or not district or not site:
            return None
        return district == site


class FinishedInTerritoryRule(Rule):
    """K-08: goods finished abroad do not carry the mark; partners and essential work abroad are looked at.

    Finished abroad means that an essential step abroad is not followed by an essential step in the territory.
    """

    kind: Literal["finished_in_territory"]
    claim: Claim
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "pass_declared": Outcome.PASS,
        "manual_partner": Outcome.MANUAL,
        "manual_step": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "incomplete_no_steps": Outcome.INCOMPLETE,
        "incomplete_step": Outcome.INCOMPLETE,
    }
    VALUES: ClassVar = frozenset({"step", "step_country", "partners"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: PLR0911 (one return for each case)
        declared = partners(facts)
        values: dict[str, Value] = {"step": None, "step_country": None, "partners": declared}
        if facts.steps is None:
            return Verdict("manual_partner" if declared else "pass_declared", values)
        if not facts.steps:
            return Verdict("incomplete_no_steps", values)
        essential = [step for step in in_order(facts.steps) if step.is_essential]
        abroad = [step for step in essential if code(step.country) not in (None, self.claim.country)]
        if abroad:
            last = abroad[-1]
            values |= {"step": seen(last.name), "step_country": seen(code(last.country))}
            after = [self.claim.covers(step, territory_sets) for step in essential if step.seq > last.seq]
            if not any(inside is not False for inside in after):
                return Verdict("fail", values)
            if True not in after:
                return Verdict("incomplete_step", values)
        if any(code(step.country) is None for step in essential):
            return Verdict("incomplete_step", values)
        if declared:
            return Verdict("manual_partner", values)
        return Verdict("manual_step" if abroad else "pass", values)


def partners(facts: Facts) -> tuple[str, ...]:
    return tuple(sorted({seen(code(country)) or "?" for country in facts.product.partner_countries}))
