"""The visit to the site before its first grant (C-17). One visit serves every product and mark of the site."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.core.dates import months_later
from app.schemes.evidence_choice import awaiting, choose
from app.schemes.facts import Facts, Item
from app.schemes.outcome import Outcome
from app.schemes.rules.base import (
    AWAITS_STAFF,
    Context,
    KindCode,
    Language,
    Phrase,
    Remedy,
    Rule,
    Source,
    Text,
    Value,
    ValueName,
    Verdict,
    day,
    legible,
    seen,
)


class VisitRule(Rule):
    """The newest inspection record: recent enough for the first grant of the site, and nothing critical open."""

    kind: Literal["visit"]
    evidence: KindCode = "inspection-record"
    findings: ValueName = "findings"
    max_age_months: Annotated[int, Field(ge=1, le=120)] = 12
    site_visit: Literal["required", "waived"] = "required"
    waived_because: Text | None = Field(default=None, description="why this mark asks for no visit")
    SOURCE: ClassVar[Source | None] = Source.OWN_RECORDS
    TEXTS: ClassVar = frozenset({"pass_in_force_unvisited"})
    STAFF_CASES: ClassVar = frozenset({"incomplete", "incomplete_old"})
    VALUES: ClassVar = frozenset({"visited_on", "number", "reason"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "pass_waived": Outcome.PASS,
        "pass_in_force": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "incomplete": Outcome.INCOMPLETE,
        "incomplete_old": Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }

    def cases(self) -> Mapping[str, Outcome]:
        """Where no visit is asked for, only what a visit found all the same can stand in the way."""
        if self.site_visit == "required":
            return self.CASES
        return {case: self.CASES[case] for case in ("pass_waived", "manual", "fail", "not_assessed")}

    def texts(self) -> frozenset[str]:
        return super().texts() - ({"pass_in_force_unvisited"} if self.site_visit == "waived" else set())

    def evidence_kinds(self) -> tuple[str, ...]:
        return (self.evidence,)

    def value_names(self) -> tuple[str, ...]:
        return (self.findings,)

    def judge(self, facts: Facts, context: Context) -> Verdict:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = dict.fromkeys(self.VALUES)
        if facts.visit is None or facts.evidence is None:
            return Verdict("not_assessed", values)
        record = choose(facts.evidence, self.evidence, facts.as_of)
        values |= {
            "visited_on": day(record.issued_on) if record else None,
            "number": seen(facts.visit.certificate_in_force),
        }
        open_findings = self.open_findings(record)
        if "critical" in open_findings:
            return Verdict("fail", values)
        if "major" in open_findings:
            return Verdict("manual", values)
        if reason := self.waiver(facts):
            return Verdict("pass_waived", values | {"reason": seen(reason)})
        if facts.visit.certificate_in_force is not None:
            return Verdict("pass_in_force", values, text=None if record else "pass_in_force_unvisited")
        if record is not None and self.is_recent(record, facts):
            return Verdict("pass", values)
        if awaiting(facts.evidence, self.evidence):
            return Verdict(AWAITS_STAFF, values, Remedy(by_staff=True))
        return Verdict(
            "incomplete_old" if record else "incomplete", values, Remedy(evidence=self.evidence, by_staff=True)
        )

    def as_words(self, phrase: Phrase, seen_values: Mapping[str, Value], language: Language) -> dict[str, str]:
        """The reason of the mark itself is known in both languages; the one for a single case is as it was written."""
        words = super().as_words(phrase, seen_values, language)
        if self.waived_because is None or seen_values["reason"] != self.waived_because.en:
            return words
        reason: str = getattr(self.waived_because, language)
        return words | {"reason": reason}

    def waiver(self, facts: Facts) -> str | None:
        if self.site_visit == "waived":
            return self.waived_because.en if self.waived_because else legible(None)
        return facts.visit.waived_because if facts.visit else None

    def open_findings(self, record: Item | None) -> tuple[str, ...]:
        stated = record.values.get(self.findings) if record else None
        return stated if isinstance(stated, tuple) else ()

    def is_recent(self, record: Item, facts: Facts) -> bool:
        visited_on = record.issued_on
        return visited_on is not None and visited_on <= facts.as_of <= months_later(visited_on, self.max_age_months)
