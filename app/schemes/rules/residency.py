"""The party of the park: whether it is one on the day (K-02), and whether it is the applicant (K-03)."""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from app.schemes.facts import Facts, Residency, ResidencyState
from app.schemes.outcome import Outcome
from app.schemes.rules.base import Context, Remedy, Rule, Source, Value, Verdict, day, seen


class ResidencyRule(Rule):
    """`asks = "status"`: a residency of the park that holds on the day; a mark with this rule rests on the residency.
    `asks = "holder"`: the park's certificate is the applicant's own; the other company's number is never shown."""

    kind: Literal["residency"]
    asks: Literal["status", "holder"] = "status"
    review_within_days: int | None = Field(default=None, ge=1, description="a known end that is near: for a person")
    SOURCE: ClassVar[Source | None] = Source.REGISTER
    NAMED: ClassVar = {"status": "residency_status"}
    VALUES: ClassVar = frozenset({"voen", "status", "registration_no", "starts_on", "ends_on", "cancelled_on", "as_of"})
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

    def holds_until(self, facts: Facts, context: Context) -> date | None:  # noqa: ARG002 (same for every kind)
        return facts.residency.ends_on if self.asks == "status" and facts.residency else None

    def judge(self, facts: Facts, context: Context) -> Verdict:  # noqa: ARG002 (same for every kind)
        residency = facts.residency
        values: dict[str, Value] = dict.fromkeys(self.VALUES) | {"as_of": facts.as_of.isoformat()}
        if residency is None or (self.asks == "holder" and facts.applicant is None):
            return Verdict("not_assessed", values)
        values |= {
            "voen": seen(facts.applicant.voen) if facts.applicant else None,
            "status": residency.status and residency.status.value,
            "registration_no": seen(residency.registration_no),
            "starts_on": day(residency.starts_on),
            "ends_on": day(residency.ends_on),
            "cancelled_on": day(residency.cancelled_on),
        }
        case = self.status_case(residency, facts.as_of) if self.asks == "status" else holder_case(residency, facts)
        by_staff = Remedy(by_staff=True) if case.startswith("incomplete") else None
        return Verdict(case, values, by_staff)

    def status_case(self, residency: Residency, as_of: date) -> str:
        if residency.status is None:
            return "incomplete"
        if residency.status is ResidencyState.NONE:
            return "manual_none"
        cancelled = residency.cancelled_on is not None and residency.cancelled_on <= as_of
        if cancelled or residency.status is ResidencyState.CANCELLED:
            return "fail_cancelled"
        if residency.ends_on is not None and residency.ends_on < as_of:
            return "fail_ended"
        if residency.starts_on is not None and residency.starts_on > as_of:
            return "incomplete_not_begun"
        if residency.status is not ResidencyState.RESIDENT:
            return "manual_non_resident"
        left = (residency.ends_on - as_of).days if residency.ends_on else None
        soon = self.review_within_days is not None and left is not None and left < self.review_within_days
        return "manual_short" if soon else "pass"


def holder_case(residency: Residency, facts: Facts) -> str:
    own = (facts.applicant.voen or "").strip() if facts.applicant else ""
    holder = (residency.holder_voen or "").strip()
    if residency.status is ResidencyState.NONE:
        return "not_applicable"
    if not own:
        return "incomplete_applicant"
    if not holder:
        return "incomplete_holder"
    return "pass" if own == holder else "fail"
