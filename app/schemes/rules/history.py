"""Check past certificates and open matters of the applicant and related holders (C-12)."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from app.core.dates import add_months, subtract_months
from app.schemes.evidence_choice import choose_document, unconfirmed_documents
from app.schemes.facts import Facts, PastCertificate
from app.schemes.outcome import Outcome
from app.schemes.rules.base import (
    UNCONFIRMED_CASE,
    FactSource,
    KindCode,
    Remedy,
    Rule,
    RuleContext,
    RuleResult,
    Value,
    ValueName,
    Word,
    format_day,
    sanitize,
)


class HistoryRule(Rule):
    """Bar all products of a company after fraud; another revocation bars the product, manual.

    `findings` are the flags of the background check that a person must examine. A certificate surrendered during an
    inquiry counts as open until the inquiry is decided, then as revoked for the reason upheld.
    """

    kind: Literal["history"]
    evidence: KindCode
    findings: tuple[ValueName, ...] = Field(min_length=1)
    max_age_days: int = Field(ge=1)
    fraud_reasons: tuple[Word, ...]
    fraud_bar_months: int = Field(ge=1, le=600)
    other_bar_months: int = Field(ge=1, le=600)
    name_alike_pct: int = Field(default=80, ge=50, le=100, description="names so alike are of the same goods")
    SOURCE: ClassVar[FactSource | None] = FactSource.OWN_RECORDS
    CODE_GROUPS: ClassVar = {"found": "matter_found", "reason": "revocation_reason", "ground": "related_ground"}
    STAFF_CASES: ClassVar = frozenset({"incomplete_old", "incomplete_missing"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "fail_fraud": Outcome.FAIL,
        "manual_found": Outcome.MANUAL,
        "manual_inquiry": Outcome.MANUAL,
        "manual_revoked": Outcome.MANUAL,
        "manual_related": Outcome.MANUAL,
        "incomplete_missing": Outcome.INCOMPLETE,
        "incomplete_old": Outcome.INCOMPLETE,
        UNCONFIRMED_CASE: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUE_KEYS: ClassVar = frozenset(
        {"found", "revoked_on", "reason", "until", "on", "other_company", "ground", "issued_on", "matters"}
    )

    def evidence_kinds(self) -> tuple[str, ...]:
        return (self.evidence,)

    def value_names(self) -> tuple[str, ...]:
        return self.findings

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = dict.fromkeys(self.VALUE_KEYS) | {"found": (), "matters": ()}
        if facts.record is None or facts.evidence is None:
            return RuleResult("not_assessed", values)
        bars = [
            case for past in self.past_certificates(facts) if (case := self.evaluate_certificate(past, facts.as_of))
        ]
        check = choose_document(facts.evidence, self.evidence, facts.as_of)
        found = tuple(name for name in self.findings if check is not None and check.values.get(name) is True)
        values |= {"found": found, "issued_on": format_day(check.issued_on) if check else None}
        # Everything that a person examines is bound to the decision, not only the first finding.
        values["matters"] = tuple(sorted({f"{case}:{past.on.isoformat()}" for case, past in bars}))
        fraud = next((past for case, past in bars if case == "fail_fraud"), None)
        if fraud is not None:
            return RuleResult("fail_fraud", values | self.displayed_values(fraud))
        if check is None or not self.is_recent(check.issued_on, facts.as_of):
            waits = bool(unconfirmed_documents(facts.evidence, self.evidence))
            absent = "incomplete_missing" if check is None else "incomplete_old"
            remedy = Remedy(evidence=self.evidence, by_staff=True)
            return RuleResult(UNCONFIRMED_CASE if waits else absent, values, remedy)
        for manual_case in ("manual_inquiry", "manual_revoked", "manual_related"):
            if (past := next((past for case, past in bars if case == manual_case), None)) is not None:
                return RuleResult(manual_case, values | self.displayed_values(past))
        return RuleResult("manual_found" if found else "pass", values)

    def past_certificates(self, facts: Facts) -> list[PastCertificate]:
        past = facts.record.certificates if facts.record else ()
        return sorted(
            past,
            key=lambda certificate: (certificate.on, certificate.reason or "", certificate.company or ""),
            reverse=True,
        )

    def evaluate_certificate(self, past: PastCertificate, as_of: date) -> tuple[str, PastCertificate] | None:
        """Return the effect of one past certificate on this product today; None where it has none."""
        concerns = past.same_product or past.alike
        if past.reason is None:
            return ("manual_inquiry", past) if past.surrendered and concerns else None
        if past.reason in self.fraud_reasons:
            if past.on <= subtract_months(as_of, self.fraud_bar_months):
                return None
            return ("manual_related" if past.company else "fail_fraud", past)
        if not concerns or past.on <= subtract_months(as_of, self.other_bar_months):
            return None
        return ("manual_related" if past.company else "manual_revoked", past)

    def is_recent(self, issued_on: date | None, as_of: date) -> bool:
        return issued_on is not None and 0 <= (as_of - issued_on).days <= self.max_age_days

    def displayed_values(self, past: PastCertificate) -> dict[str, Value]:
        months = self.fraud_bar_months if past.reason in self.fraud_reasons else self.other_bar_months
        return {
            "revoked_on": format_day(past.on),
            "on": format_day(past.on),
            "reason": sanitize(past.reason),
            "until": format_day(add_months(past.on, months)),
            "other_company": sanitize(past.company),
            "ground": sanitize(past.ground),
        }
