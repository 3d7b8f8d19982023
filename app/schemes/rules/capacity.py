"""Compare yearly volumes with the site's capacity (K-10) or a household's limit (U-05)."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.reference import hs_nomenclature
from app.schemes.facts import Facts, VolumeFacts
from app.schemes.material_origin import is_natural_person
from app.schemes.outcome import Outcome
from app.schemes.percentages import format_decimal, format_percentage_above, round_half_up, to_fraction
from app.schemes.rules.base import (
    UNCONFIRMED_CASE,
    Amount,
    FactSource,
    HsPrefix,
    Remedy,
    Rule,
    RuleContext,
    RuleResult,
    Value,
    sanitize,
)


class VolumeCap(BaseModel):
    """Maximum yearly volume of a household for these headings, in the product's own unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    codes: tuple[HsPrefix, ...] = Field(min_length=1)
    most: Amount


class CapacityRule(Rule):
    """Compare volumes with a capacity or a cap.

    `against = "site"`: volumes claimed for all products of the site in the unit, each product once for all marks,
    against the confirmed capacity in that unit. `against = "caps"`: the product's own volume against a cap for its
    goods. `natural_persons_only`: not applicable to companies.
    """

    kind: Literal["capacity"]
    against: Literal["site", "caps"] = "site"
    review_above_pct: Annotated[Decimal, Field(ge=100, allow_inf_nan=False)] = Decimal(100)
    caps: tuple[VolumeCap, ...] = ()
    natural_persons_only: bool = False
    SOURCE: ClassVar[FactSource | None] = None
    CODE_GROUPS: ClassVar = {"unit": "unit"}
    VALUE_KEYS: ClassVar = frozenset({"hs6", "unit", "claimed", "capacity", "share"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "incomplete_unit": Outcome.INCOMPLETE,
        "incomplete_missing": Outcome.INCOMPLETE,
        UNCONFIRMED_CASE: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    CAP_CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "manual_no_cap": Outcome.MANUAL,
        "incomplete_hs6": Outcome.INCOMPLETE,
        "incomplete_missing": Outcome.INCOMPLETE,
        UNCONFIRMED_CASE: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }

    @model_validator(mode="after")
    def require_consistent_parameters(self) -> Self:
        if (self.against == "caps") != bool(self.caps):
            raise ValueError(f"{self.id}: caps are listed where volumes are compared with caps, and only there")
        return self

    def cases(self) -> Mapping[str, Outcome]:
        cases: Mapping[str, Outcome] = self.CASES if self.against == "site" else self.CAP_CASES
        return {**cases, "not_applicable": Outcome.NOT_APPLICABLE} if self.natural_persons_only else cases

    def evidence_kinds(self) -> tuple[str, ...]:
        return ("volume-statement", "capacity-statement") if self.against == "site" else ("volume-statement",)

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = dict.fromkeys(self.VALUE_KEYS)
        values |= {"hs6": sanitize(facts.product.hs6), "unit": sanitize(facts.product.unit)}
        if facts.volumes is None or (self.natural_persons_only and facts.applicant is None):
            return RuleResult("not_assessed", values)
        if self.natural_persons_only and not is_natural_person(facts):
            return RuleResult("not_applicable", values)
        own = find_own_volume(facts.volumes, facts.product.unit)
        values["claimed"] = None if own is None else format_decimal(own)
        if self.against == "caps":
            return self.evaluate_cap(own, facts, values)
        unit = facts.product.unit
        capacities = [item for item in facts.volumes.capacities if item.unit == unit and unit is not None]
        capacity = sum((to_fraction(item.per_year) or Fraction(0) for item in capacities), start=Fraction(0))
        if capacity <= 0:
            awaits_confirmation = facts.volumes.capacity_awaits
            unclaimed = own is None and not facts.volumes.claim_awaits
            if awaits_confirmation and unclaimed:
                return self.missing_volume_result(facts.volumes, values)
            also = ("volume-statement",) if unclaimed else ()
            remedy = Remedy(evidence="capacity-statement", by_staff=awaits_confirmation, also=also)
            return RuleResult(UNCONFIRMED_CASE if awaits_confirmation else "incomplete_unit", values, remedy)
        values["capacity"] = f"{round_half_up(capacity, 3).normalize():f}"
        if own is None:
            return self.missing_volume_result(facts.volumes, values)
        claimed = sum_site_volume(facts.volumes, unit)
        share = claimed / capacity * 100
        values |= {
            "claimed": f"{round_half_up(claimed, 3).normalize():f}",
            "share": format_percentage_above(share, self.review_above_pct),
        }
        return RuleResult("manual" if share > Fraction(self.review_above_pct) else "pass", values)

    def evaluate_cap(self, own: Decimal | None, facts: Facts, values: dict[str, Value]) -> RuleResult:
        hs6 = hs_nomenclature.as_six_digits(facts.product.hs6)
        if hs6 is None:
            return RuleResult("incomplete_hs6", values, Remedy(field="/hs6"))
        cap = next((item.most for item in self.caps if hs6.startswith(item.codes)), None)
        if cap is None:
            return RuleResult("manual_no_cap", values)
        values["capacity"] = format_decimal(cap)
        if own is None:
            assert facts.volumes is not None  # checked by the caller
            return self.missing_volume_result(facts.volumes, values)
        return RuleResult("pass" if own <= cap else "manual", values)

    def missing_volume_result(self, volumes: VolumeFacts, values: dict[str, Value]) -> RuleResult:
        awaits_confirmation = volumes.claim_awaits
        remedy = Remedy(evidence="volume-statement", by_staff=awaits_confirmation)
        return RuleResult(UNCONFIRMED_CASE if awaits_confirmation else "incomplete_missing", values, remedy)


def find_own_volume(volumes: VolumeFacts, unit: str | None) -> Decimal | None:
    """Return the largest confirmed volume of the product in its unit; None where none is valid."""
    own = [item.volume for item in volumes.claims if item.own and item.unit == unit and is_valid_volume(item.volume)]
    return max(own, default=None)


def is_valid_volume(volume: Decimal) -> bool:
    amount = to_fraction(volume)
    return amount is not None and amount >= 0


def sum_site_volume(volumes: VolumeFacts, unit: str | None) -> Fraction:
    """Sum the volumes of the site's products in the unit, with the largest claim of each."""
    largest: dict[str, Fraction] = {}
    for item in volumes.claims:
        amount = to_fraction(item.volume)
        if amount is not None and amount >= 0 and item.unit == unit:
            largest[item.product] = max(largest.get(item.product, Fraction(0)), amount)
    return sum(largest.values(), start=Fraction(0))
