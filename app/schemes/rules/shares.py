"""Rules about shares with two thresholds: cost by place (K-06, A-05) and raw material by weight (C-10)."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from app.schemes import nomenclature
from app.schemes.facts import CostByPlace, CostScope, CostShares, Facts
from app.schemes.figures import exact, percentage, plain, shown
from app.schemes.origin import local_weight
from app.schemes.outcome import Outcome
from app.schemes.rules.base import Rule, TerritorySets, Value, Verdict, seen
from app.schemes.rules.goods import Chapter, Heading
from app.schemes.rules.place import Country

Percentage = Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False)]


class ShareRule(Rule):
    """pass from `pass_at` on, manual from `review_at` on, fail below. Unrounded shares are compared."""

    pass_at: Percentage
    review_at: Percentage

    @model_validator(mode="after")
    def thresholds_are_in_order(self) -> Self:
        if self.review_at > self.pass_at:
            raise ValueError(f"{self.id}: review_at is above pass_at")
        return self

    def grade(self, share: Fraction) -> str:
        if share >= Fraction(self.pass_at):
            return "pass"
        return "manual" if share >= Fraction(self.review_at) else "fail"

    def show(self, share: Fraction) -> str:
        return shown(share, self.pass_at, self.review_at)

    def parameters(self) -> dict[str, Any]:
        """Thresholds as a person writes them: 40, not 40.00."""
        return super().parameters() | {"pass_at": plain(self.pass_at), "review_at": plain(self.review_at)}


class CostShareRule(ShareRule):
    """K-06, A-05: the share of the manufacturing cost that was incurred in the place."""

    kind: Literal["cost_share"]
    scope: CostScope
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "incomplete_missing": Outcome.INCOMPLETE,
        "incomplete_range": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"share", "stated"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        if facts.cost is None:
            return Verdict("not_assessed", {"share": None, "stated": None})
        parts = cost_parts(facts.cost, self.scope)
        values: dict[str, Value] = {"share": None, "stated": stated(parts)}
        if any(part is None for part in parts):
            return Verdict("incomplete_missing", values)
        share = percentage(parts[0]) if isinstance(facts.cost, CostShares) else cost_share(facts.cost, self.scope)
        if share is None:
            return Verdict("incomplete_range", values)
        return Verdict(self.grade(share), values | {"share": self.show(share)})


def cost_parts(cost: CostByPlace | CostShares, scope: CostScope) -> tuple[Decimal | None, ...]:
    """The figures that the share rests on, as stated."""
    if isinstance(cost, CostShares):
        return (cost.karabakh_pct if scope is CostScope.KARABAKH else cost.azerbaijan_pct,)
    return (cost.karabakh, cost.az_other, cost.abroad)


def cost_share(cost: CostByPlace, scope: CostScope) -> Fraction | None:
    """The share in percent; None where an amount cannot be right or nothing was spent at all."""
    karabakh, az_other, abroad = (exact(amount) for amount in (cost.karabakh, cost.az_other, cost.abroad))
    if karabakh is None or az_other is None or abroad is None or min(karabakh, az_other, abroad) < 0:
        return None
    total = karabakh + az_other + abroad
    here = karabakh if scope is CostScope.KARABAKH else karabakh + az_other
    return here / total * 100 if total else None


def stated(figures: tuple[Decimal | None, ...]) -> str | None:
    """The figures in the words of the statement, to show and to bind a decision to."""
    known = ["–" if figure is None else plain(figure) for figure in figures]
    return None if set(known) == {"–"} else seen(" / ".join(known))


class LocalRawMaterialRule(ShareRule):
    """C-10: food is made of raw material from the country, by weight.

    Materials outside `material_chapters` are no raw material of food (jars, labels); `unavailable` lists headings that
    the country does not produce. Both matter only for a detailed bill of materials; a stated share has them left out.
    """

    kind: Literal["local_raw_material"]
    country: Country
    chapters: tuple[Chapter, ...] = Field(min_length=1)
    material_chapters: tuple[Chapter, ...] = Field(min_length=1)
    unavailable: tuple[Heading, ...] = ()
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "not_applicable": Outcome.NOT_APPLICABLE,
        "incomplete_missing": Outcome.INCOMPLETE,
        "incomplete_range": Outcome.INCOMPLETE,
        "incomplete_hs6": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"hs6", "share", "stated"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = {"hs6": seen(facts.product.hs6), "share": None, "stated": None}
        hs6 = nomenclature.six_digits(facts.product.hs6)
        if hs6 is None:
            return Verdict("incomplete_hs6", values)
        if hs6[: nomenclature.CHAPTER] not in self.chapters:
            return Verdict("not_applicable", values)
        inputs = facts.value.inputs if facts.value else None
        if isinstance(inputs, tuple):
            share = local_weight(inputs, self.country, self.material_chapters, self.unavailable)
        elif facts.raw_weight is not None:
            figure = facts.raw_weight.local_pct
            values["stated"] = stated((figure,))
            share = percentage(figure)
            if figure is not None and share is None:
                return Verdict("incomplete_range", values)
        elif facts.value is not None and inputs is None:
            share = None
        else:
            return Verdict("not_assessed", values)
        if share is None:
            return Verdict("incomplete_missing", values)
        return Verdict(self.grade(share), values | {"share": self.show(share)})
