"""Rules about origin: change of heading or value content (C-06), and value content as such (C-07)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal

from app.schemes.facts import Facts
from app.schemes.figures import plain, shown
from app.schemes.origin import Criterion, Obstacle, Origin, determine, value_content
from app.schemes.outcome import Outcome
from app.schemes.rules.base import Rule, TerritorySets, Value, Verdict, seen
from app.schemes.rules.shares import Percentage

CASES_OF_ORIGIN: Mapping[Criterion | Obstacle, str] = {
    Criterion.WHOLLY_OBTAINED: "pass_wo",
    Criterion.CHANGE_OF_HEADING: "pass_cth",
    Criterion.VALUE_CONTENT: "pass_rvc",
    Criterion.NONE: "fail",
    **{obstacle: obstacle.value for obstacle in Obstacle},
}


class OriginRule(Rule):
    """C-06: wholly obtained, or every input of another heading, or enough value added."""

    kind: Literal["origin"]
    rvc_at_least: Percentage
    CASES: ClassVar = {
        "pass_wo": Outcome.PASS,
        "pass_cth": Outcome.PASS,
        "pass_cth_unlisted": Outcome.PASS,
        "pass_rvc": Outcome.PASS,
        "fail": Outcome.FAIL,
        **dict.fromkeys((obstacle.value for obstacle in Obstacle), Outcome.INCOMPLETE),
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset(
        {
            "hs6",
            "criterion",
            "rvc",
            "arithmetic",
            "headings",
            "same_heading",
            "unknown_headings",
            "ex_works",
            "inputs_value",
        }
    )

    def origin(self, facts: Facts) -> Origin | None:
        """The origin by this rule's threshold; None where the call carries no values."""
        if facts.value is None:
            return None
        return determine(facts.value, facts.product.hs6, rvc_at_least=self.rvc_at_least)

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        origin = self.origin(facts)
        if origin is None:
            return Verdict("not_assessed", dict.fromkeys(self.VALUES))
        values = value_figures(origin, self.rvc_at_least) | {
            "hs6": seen(facts.product.hs6),
            "criterion": origin.criterion and origin.criterion.value,
            "headings": readable(origin.headings),
            "same_heading": readable(origin.same_heading),
            "unknown_headings": readable(origin.unknown_headings),
        }
        if origin.result is Criterion.CHANGE_OF_HEADING and not origin.headings:
            return Verdict("pass_cth_unlisted", values)
        return Verdict(CASES_OF_ORIGIN[origin.result], values)

    def parameters(self) -> dict[str, Any]:
        return super().parameters() | {"rvc_at_least": plain(self.rvc_at_least)}


class ValueContentRule(Rule):
    """C-07: the value content can be computed and is possible. It has no threshold of its own."""

    kind: Literal["value_content"]
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "fail": Outcome.FAIL,
        **dict.fromkeys((Obstacle.EX_WORKS, Obstacle.INPUTS, Obstacle.NEGATIVE), Outcome.INCOMPLETE),
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"rvc", "arithmetic", "ex_works", "inputs_value"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        if facts.value is None:
            return Verdict("not_assessed", dict.fromkeys(self.VALUES))
        possible_from = Decimal(0)
        origin = determine(facts.value, facts.product.hs6, rvc_at_least=possible_from)
        values = value_figures(origin, possible_from)
        rvc = value_content(origin.ex_works, origin.non_originating_value)
        if isinstance(rvc, Obstacle):
            return Verdict(rvc.value, values)
        return Verdict("pass" if rvc >= 0 else "fail", values)


def value_figures(origin: Origin, threshold: Decimal) -> dict[str, Value]:
    return {
        "rvc": None if origin.rvc is None else shown(origin.rvc, threshold),
        "arithmetic": origin.arithmetic,
        "ex_works": None if origin.ex_works is None else seen(plain(origin.ex_works)),
        "inputs_value": None if origin.non_originating_value is None else seen(plain(origin.non_originating_value)),
    }


def readable(headings: tuple[str, ...]) -> tuple[str, ...]:
    """Headings as a person reads them; a material without one is named as such."""
    return tuple(seen(heading) or "?" for heading in headings)
