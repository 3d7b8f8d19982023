"""Check the declaration that all facts are true, and the signed cost statement (C-16)."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.core.dates import add_months
from app.schemes.evidence_choice import confirmed_documents, is_in_force, unconfirmed_documents
from app.schemes.facts import DeclarationFacts, EvidenceItem, Facts
from app.schemes.material_origin import is_natural_person
from app.schemes.outcome import Outcome
from app.schemes.rules.base import (
    UNCONFIRMED_CASE,
    KindCode,
    Remedy,
    Rule,
    RuleContext,
    RuleResult,
    Value,
    ValueName,
    format_day,
    sanitize,
)

MICRO = "micro"


class DeclarationRule(Rule):
    """Check that the newest declaration covers the facts, and that its signer had authority.

    It must have the text in force. A signed cost statement is required too. For micro firms and natural persons the
    entered sums are the statement, and the declaration is its signature.
    """

    kind: Literal["declaration"]
    authority: KindCode = "authority-to-sign"
    signer: ValueName = "signer"
    statement: KindCode = "cost-statement"
    signed: ValueName = "signed"
    period_ends: ValueName = "period_until"
    statement_max_age_months: Annotated[int, Field(ge=1, le=120)] = 12
    VALUE_KEYS: ClassVar = frozenset({"at", "name", "text_version"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "incomplete_none": Outcome.INCOMPLETE,
        "incomplete_changed": Outcome.INCOMPLETE,
        "incomplete_text": Outcome.INCOMPLETE,
        "incomplete_authority": Outcome.INCOMPLETE,
        "incomplete_statement": Outcome.INCOMPLETE,
        "incomplete_unsigned": Outcome.INCOMPLETE,
        "incomplete_outdated": Outcome.INCOMPLETE,
        UNCONFIRMED_CASE: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }

    def evidence_kinds(self) -> tuple[str, ...]:
        return (self.authority, self.statement)

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:  # noqa: ARG002 (same for every kind)
        declaration = facts.declaration
        values: dict[str, Value] = dict.fromkeys(self.VALUE_KEYS)
        if facts.evidence is None:
            return RuleResult("not_assessed", values)
        statement = self.evaluate_statement(facts)
        if declaration is None:  # a dry run has no declaration yet, but the statement can be missing
            missing = statement if statement != UNCONFIRMED_CASE else None
            return RuleResult(missing or "not_assessed", values, Remedy(evidence=self.statement) if missing else None)
        values |= {
            "at": format_day(declaration.made_on),
            "name": sanitize(declaration.made_by_name),
            "text_version": sanitize(declaration.made_text_version),
        }
        if fault := evaluate_declaration(declaration):
            return RuleResult(fault, values, Remedy(field="declaration"))
        signer = declaration.made_by
        named_by = [
            item for item in self.signing_authorities(facts) if signer and item.values.get(self.signer) == signer
        ]
        signed_on = declaration.made_on or facts.as_of  # an authority that ends later does not invalidate the signature
        if not any(is_in_force(item, signed_on) for item in named_by):
            return RuleResult("incomplete_authority", values, Remedy(evidence=self.authority))
        if statement is not None and statement != UNCONFIRMED_CASE:
            return RuleResult(statement, values, Remedy(evidence=self.statement))
        is_confirmed = any(item.confirmed and is_in_force(item, signed_on) for item in named_by)
        if statement == UNCONFIRMED_CASE or not is_confirmed:
            return RuleResult(UNCONFIRMED_CASE, values, Remedy(by_staff=True))
        return RuleResult("pass", values)

    def signing_authorities(self, facts: Facts) -> tuple[EvidenceItem, ...]:
        return confirmed_documents(facts.evidence, self.authority) + unconfirmed_documents(
            facts.evidence, self.authority
        )

    def evaluate_statement(self, facts: Facts) -> str | None:
        """Return what the cost statement lacks; None where it is complete or not required."""
        micro = facts.applicant is not None and facts.applicant.size_class == MICRO
        if micro or is_natural_person(facts):
            return None
        done, waiting = (
            confirmed_documents(facts.evidence, self.statement),
            unconfirmed_documents(facts.evidence, self.statement),
        )
        signed = [item for item in done + waiting if item.values.get(self.signed) is True]
        recent = [item for item in signed if self.is_recent(item, facts)]
        if any(item.confirmed for item in recent):
            return None
        if recent:
            return UNCONFIRMED_CASE
        if signed:
            return "incomplete_outdated"
        return "incomplete_unsigned" if done or waiting else "incomplete_statement"

    def is_recent(self, statement: EvidenceItem, facts: Facts) -> bool:
        """Check that the statement's period ended recently, as of the submission.

        A statement without a period is examined by staff.
        """
        ended = statement.values.get(self.period_ends)
        held_on = facts.submitted_on or facts.as_of
        return not isinstance(ended, date) or add_months(ended, self.statement_max_age_months) >= held_on


def evaluate_declaration(declaration: DeclarationFacts) -> str | None:
    if declaration.made_hash is None:
        return "incomplete_none"
    if declaration.declared_hash is None or declaration.made_hash != declaration.declared_hash:
        return "incomplete_changed"
    return None if declaration.made_text_version == declaration.text_version else "incomplete_text"
