"""Yearly volume against what can be made: the capacity of the site (K-10), or what a household makes (U-05)."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.reference import hs_nomenclature
from app.schemes.facts import Facts, Volumes
from app.schemes.material_origin import is_natural_person
from app.schemes.outcome import Outcome
from app.schemes.percentages import exact, plain, rounded, shown_above
from app.schemes.rules.base import AWAITS_STAFF, Amount, Context, HsPrefix, Remedy, Rule, Source, Value, Verdict, seen


class Cap(BaseModel):
    """The most that a household makes in a year of goods of these headings, in the product's own unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    codes: tuple[HsPrefix, ...] = Field(min_length=1)
    most: Amount


class CapacityRule(Rule):
    """`against = "site"`: volumes claimed for all products of the site in the unit, each product once for all marks,
    against the confirmed capacity in that unit. `against = "caps"`: the product's own volume against a cap for its
    goods. `natural_persons_only`: not applicable to companies."""

    kind: Literal["capacity"]
    against: Literal["site", "caps"] = "site"
    review_above_pct: Annotated[Decimal, Field(ge=100, allow_inf_nan=False)] = Decimal(100)
    caps: tuple[Cap, ...] = ()
    natural_persons_only: bool = False
    SOURCE: ClassVar[Source | None] = None
    NAMED: ClassVar = {"unit": "unit"}
    VALUES: ClassVar = frozenset({"hs6", "unit", "claimed", "capacity", "share"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "incomplete_unit": Outcome.INCOMPLETE,
        "incomplete_missing": Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    CAP_CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "manual_no_cap": Outcome.MANUAL,
        "incomplete_hs6": Outcome.INCOMPLETE,
        "incomplete_missing": Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }

    @model_validator(mode="after")
    def parameters_fit(self) -> Self:
        if (self.against == "caps") != bool(self.caps):
            raise ValueError(f"{self.id}: caps are listed where volumes are compared with caps, and only there")
        return self

    def cases(self) -> Mapping[str, Outcome]:
        cases: Mapping[str, Outcome] = self.CASES if self.against == "site" else self.CAP_CASES
        return {**cases, "not_applicable": Outcome.NOT_APPLICABLE} if self.natural_persons_only else cases

    def evidence_kinds(self) -> tuple[str, ...]:
        return ("volume-statement", "capacity-statement") if self.against == "site" else ("volume-statement",)

    def judge(self, facts: Facts, context: Context) -> Verdict:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = dict.fromkeys(self.VALUES)
        values |= {"hs6": seen(facts.product.hs6), "unit": seen(facts.product.unit)}
        if facts.volumes is None or (self.natural_persons_only and facts.applicant is None):
            return Verdict("not_assessed", values)
        if self.natural_persons_only and not is_natural_person(facts):
            return Verdict("not_applicable", values)
        own = own_volume(facts.volumes, facts.product.unit)
        values["claimed"] = None if own is None else plain(own)
        if self.against == "caps":
            return self.judge_cap(own, facts, values)
        unit = facts.product.unit
        capacities = [each for each in facts.volumes.capacities if each.unit == unit and unit is not None]
        capacity = sum((exact(each.per_year) or Fraction(0) for each in capacities), start=Fraction(0))
        if capacity <= 0:
            waits = facts.volumes.capacity_awaits
            unclaimed = own is None and not facts.volumes.claim_awaits
            if waits and unclaimed:
                return self.unclaimed(facts.volumes, values)
            also = ("volume-statement",) if unclaimed else ()
            remedy = Remedy(evidence="capacity-statement", by_staff=waits, also=also)
            return Verdict(AWAITS_STAFF if waits else "incomplete_unit", values, remedy)
        values["capacity"] = f"{rounded(capacity, 3).normalize():f}"
        if own is None:
            return self.unclaimed(facts.volumes, values)
        claimed = site_volume(facts.volumes, unit)
        share = claimed / capacity * 100
        values |= {
            "claimed": f"{rounded(claimed, 3).normalize():f}",
            "share": shown_above(share, self.review_above_pct),
        }
        return Verdict("manual" if share > Fraction(self.review_above_pct) else "pass", values)

    def judge_cap(self, own: Decimal | None, facts: Facts, values: dict[str, Value]) -> Verdict:
        hs6 = hs_nomenclature.six_digits(facts.product.hs6)
        if hs6 is None:
            return Verdict("incomplete_hs6", values, Remedy(field="/hs6"))
        cap = next((each.most for each in self.caps if hs6.startswith(each.codes)), None)
        if cap is None:
            return Verdict("manual_no_cap", values)
        values["capacity"] = plain(cap)
        if own is None:
            assert facts.volumes is not None  # the caller looked
            return self.unclaimed(facts.volumes, values)
        return Verdict("pass" if own <= cap else "manual", values)

    def unclaimed(self, volumes: Volumes, values: dict[str, Value]) -> Verdict:
        waits = volumes.claim_awaits
        remedy = Remedy(evidence="volume-statement", by_staff=waits)
        return Verdict(AWAITS_STAFF if waits else "incomplete_missing", values, remedy)


def own_volume(volumes: Volumes, unit: str | None) -> Decimal | None:
    """The largest confirmed volume of the product itself, in its unit; None where none makes sense."""
    own = [each.volume for each in volumes.claims if each.own and each.unit == unit and is_volume(each.volume)]
    return max(own, default=None)


def is_volume(volume: Decimal) -> bool:
    amount = exact(volume)
    return amount is not None and amount >= 0


def site_volume(volumes: Volumes, unit: str | None) -> Fraction:
    """Σ over the products of the site in the unit; of one product the largest claim, whatever its marks."""
    largest: dict[str, Fraction] = {}
    for each in volumes.claims:
        amount = exact(each.volume)
        if amount is not None and amount >= 0 and each.unit == unit:
            largest[each.product] = max(largest.get(each.product, Fraction(0)), amount)
    return sum(largest.values(), start=Fraction(0))
