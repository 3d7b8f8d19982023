"""Check the company's residency in the park (K-02), and its holder (K-03)."""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from app.schemes.facts import Facts, ParkResidencyStatus, Residency
from app.schemes.outcome import Outcome
from app.schemes.rules.base import FactSource, Remedy, Rule, RuleContext, RuleResult, Value, format_day, sanitize


class ResidencyRule(Rule):
    """Check the status or the holder of a residency.

    `asks = "status"`: a residency of the park in force on the day; certificates of a mark with this rule depend on it.
    `asks = "holder"`: the park's certificate is the applicant's own; the other company's number is never shown.
    """

    kind: Literal["residency"]
    asks: Literal["status", "holder"] = "status"
    review_within_days: int | None = Field(default=None, ge=1, description="a known end that is near: for a person")
    SOURCE: ClassVar[FactSource | None] = FactSource.REGISTER
    CODE_GROUPS: ClassVar = {"status": "residency_status"}
    VALUE_KEYS: ClassVar = frozenset(
        {"voen", "status", "registration_no", "starts_on", "ends_on", "cancelled_on", "as_of"}
    )
    STATUS_CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual_short": Outcome.MANUAL,
        "manual_non_resident": Outcome.MANUAL,
        "manual_none": Outcome.MANUAL,
        "fail_cancelled": Outcome.FAIL,
        "fail_ended": Outcome.FAIL,
        "incomplete_not_begun": Outcome.INCOMPLETE,
        "incomplete": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    HOLDER_CASES: ClassVar = {
        "pass": Outcome.PASS,
        "fail": Outcome.FAIL,
        "incomplete_applicant": Outcome.INCOMPLETE,
        "incomplete_holder": Outcome.INCOMPLETE,
        "not_applicable": Outcome.NOT_APPLICABLE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    CASES: ClassVar = STATUS_CASES

    def cases(self) -> Mapping[str, Outcome]:
        if self.asks == "holder":
            return self.HOLDER_CASES
        soon = self.review_within_days is not None
        return {case: outcome for case, outcome in self.STATUS_CASES.items() if soon or case != "manual_short"}

    def holds_until(self, facts: Facts, context: RuleContext) -> date | None:  # noqa: ARG002 (same for every kind)
        return facts.residency.ends_on if self.asks == "status" and facts.residency else None

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:  # noqa: ARG002 (same for every kind)
        residency = facts.residency
        values: dict[str, Value] = dict.fromkeys(self.VALUE_KEYS) | {"as_of": facts.as_of.isoformat()}
        if residency is None or (self.asks == "holder" and facts.applicant is None):
            return RuleResult("not_assessed", values)
        values |= {
            "voen": sanitize(facts.applicant.voen) if facts.applicant else None,
            "status": residency.status and residency.status.value,
            "registration_no": sanitize(residency.registration_no),
            "starts_on": format_day(residency.starts_on),
            "ends_on": format_day(residency.ends_on),
            "cancelled_on": format_day(residency.cancelled_on),
        }
        case = (
            self.evaluate_status(residency, facts.as_of) if self.asks == "status" else evaluate_holder(residency, facts)
        )
        by_staff = Remedy(by_staff=True) if case.startswith("incomplete") else None
        return RuleResult(case, values, by_staff)

    def evaluate_status(self, residency: Residency, as_of: date) -> str:
        if residency.status is None:
            return "incomplete"
        if residency.status is ParkResidencyStatus.NONE:
            return "manual_none"
        cancelled = residency.cancelled_on is not None and residency.cancelled_on <= as_of
        if cancelled or residency.status is ParkResidencyStatus.CANCELLED:
            return "fail_cancelled"
        if residency.ends_on is not None and residency.ends_on < as_of:
            return "fail_ended"
        if residency.starts_on is not None and residency.starts_on > as_of:
            return "incomplete_not_begun"
        if residency.status is not ParkResidencyStatus.RESIDENT:
            return "manual_non_resident"
        left = (residency.ends_on - as_of).days if residency.ends_on else None
        soon = self.review_within_days is not None and left is not None and left < self.review_within_days
        return "manual_short" if soon else "pass"


def evaluate_holder(residency: Residency, facts: Facts) -> str:
    own = (facts.applicant.voen or "").strip() if facts.applicant else ""
    holder = (residency.holder_voen or "").strip()
    if residency.status is ParkResidencyStatus.NONE:
        return "not_applicable"
    if not own:
        return "incomplete_applicant"
    if not holder:
        return "incomplete_holder"
    return "pass" if own == holder else "fail"
