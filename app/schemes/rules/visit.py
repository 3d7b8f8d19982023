"""Check the site visit before a site's first grant (C-17).

One visit covers every product and mark of the site.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.core.dates import add_months
from app.schemes.evidence_choice import choose_document, unconfirmed_documents
from app.schemes.facts import EvidenceItem, Facts
from app.schemes.outcome import Outcome
from app.schemes.rules.base import (
    UNCONFIRMED_CASE,
    BilingualText,
    FactSource,
    KindCode,
    Language,
    ReasonTemplate,
    Remedy,
    Rule,
    RuleContext,
    RuleResult,
    Value,
    ValueName,
    display_value,
    format_day,
    sanitize,
)


class VisitRule(Rule):
    """Check the newest inspection record: recent enough, and without open critical findings."""

    kind: Literal["visit"]
    evidence: KindCode = "inspection-record"
    findings: ValueName = "findings"
    max_age_months: Annotated[int, Field(ge=1, le=120)] = 12
    site_visit: Literal["required", "waived"] = "required"
    waived_because: BilingualText | None = Field(default=None, description="why this mark asks for no visit")
    SOURCE: ClassVar[FactSource | None] = FactSource.OWN_RECORDS
    EXTRA_REASONS: ClassVar = frozenset({"pass_in_force_unvisited"})
    STAFF_CASES: ClassVar = frozenset({"incomplete", "incomplete_old"})
    VALUE_KEYS: ClassVar = frozenset({"visited_on", "number", "reason"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "pass_waived": Outcome.PASS,
        "pass_in_force": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "incomplete": Outcome.INCOMPLETE,
        "incomplete_old": Outcome.INCOMPLETE,
        UNCONFIRMED_CASE: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }

    def cases(self) -> Mapping[str, Outcome]:
        """Return the cases; without a required visit only the findings of an actual visit count."""
        if self.site_visit == "required":
            return self.CASES
        return {case: self.CASES[case] for case in ("pass_waived", "manual", "fail", "not_assessed")}

    def reason_keys(self) -> frozenset[str]:
        return super().reason_keys() - ({"pass_in_force_unvisited"} if self.site_visit == "waived" else set())

    def evidence_kinds(self) -> tuple[str, ...]:
        return (self.evidence,)

    def value_names(self) -> tuple[str, ...]:
        return (self.findings,)

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = dict.fromkeys(self.VALUE_KEYS)
        if facts.visit is None or facts.evidence is None:
            return RuleResult("not_assessed", values)
        record = choose_document(facts.evidence, self.evidence, facts.as_of)
        values |= {
            "visited_on": format_day(record.issued_on) if record else None,
            "number": sanitize(facts.visit.certificate_in_force),
        }
        open_findings = self.list_open_findings(record)
        if "critical" in open_findings:
            return RuleResult("fail", values)
        if "major" in open_findings:
            return RuleResult("manual", values)
        if reason := self.find_waiver(facts):
            return RuleResult("pass_waived", values | {"reason": sanitize(reason)})
        if facts.visit.certificate_in_force is not None:
            return RuleResult("pass_in_force", values, text=None if record else "pass_in_force_unvisited")
        if record is not None and self.is_recent(record, facts):
            return RuleResult("pass", values)
        if unconfirmed_documents(facts.evidence, self.evidence):
            return RuleResult(UNCONFIRMED_CASE, values, Remedy(by_staff=True))
        return RuleResult(
            "incomplete_old" if record else "incomplete", values, Remedy(evidence=self.evidence, by_staff=True)
        )

    def placeholder_values(
        self, template: ReasonTemplate, observed: Mapping[str, Value], language: Language
    ) -> dict[str, str]:
        """Add the reason of a waiver.

        The mark's own reason is bilingual; that of a single case is in the language in which it was written.
        """
        words = super().placeholder_values(template, observed, language)
        if self.waived_because is None or observed["reason"] != self.waived_because.en:
            return words
        reason: str = getattr(self.waived_because, language)
        return words | {"reason": reason}

    def find_waiver(self, facts: Facts) -> str | None:
        if self.site_visit == "waived":
            return self.waived_because.en if self.waived_because else display_value(None)
        return facts.visit.waived_because if facts.visit else None

    def list_open_findings(self, record: EvidenceItem | None) -> tuple[str, ...]:
        stated = record.values.get(self.findings) if record else None
        return stated if isinstance(stated, tuple) else ()

    def is_recent(self, record: EvidenceItem, facts: Facts) -> bool:
        visited_on = record.issued_on
        return visited_on is not None and visited_on <= facts.as_of <= add_months(visited_on, self.max_age_months)
