"""The declaration that all facts are true, and the signed cost statement of the accountant (C-16)."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.core.dates import months_later
from app.schemes.evidence_choice import awaiting, confirmed, holds
from app.schemes.facts import DeclarationFacts, Facts, Item
from app.schemes.material_origin import is_natural_person
from app.schemes.outcome import Outcome
from app.schemes.rules.base import AWAITS_STAFF, Context, KindCode, Remedy, Rule, Value, ValueName, Verdict, day, seen

MICRO = "micro"


class DeclarationRule(Rule):
    """The newest declaration covers the present facts, in the text in force, by a signer whom an authority names.

    A signed cost statement belongs to it. Of micro firms and natural persons the sums entered are the statement, and
    the declaration is its signature.
    """

    kind: Literal["declaration"]
    authority: KindCode = "authority-to-sign"
    signer: ValueName = "signer"
    statement: KindCode = "cost-statement"
    signed: ValueName = "signed"
    period_ends: ValueName = "period_until"
    statement_max_age_months: Annotated[int, Field(ge=1, le=120)] = 12
    VALUES: ClassVar = frozenset({"at", "name", "text_version"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "incomplete_none": Outcome.INCOMPLETE,
        "incomplete_changed": Outcome.INCOMPLETE,
        "incomplete_text": Outcome.INCOMPLETE,
        "incomplete_authority": Outcome.INCOMPLETE,
        "incomplete_statement": Outcome.INCOMPLETE,
        "incomplete_unsigned": Outcome.INCOMPLETE,
        "incomplete_outdated": Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }

    def evidence_kinds(self) -> tuple[str, ...]:
        return (self.authority, self.statement)

    def judge(self, facts: Facts, context: Context) -> Verdict:  # noqa: ARG002 (same for every kind)
        made = facts.declaration
        values: dict[str, Value] = dict.fromkeys(self.VALUES)
        if facts.evidence is None:
            return Verdict("not_assessed", values)
        statement = self.statement_case(facts)
        if made is None:  # a dry run: there is nothing yet to declare, but the statement can be missing
            missing = statement if statement != AWAITS_STAFF else None
            return Verdict(missing or "not_assessed", values, Remedy(evidence=self.statement) if missing else None)
        values |= {
            "at": day(made.made_on),
            "name": seen(made.made_by_name),
            "text_version": seen(made.made_text_version),
        }
        if fault := declaration_fault(made):
            return Verdict(fault, values, Remedy(field="declaration"))
        signer = made.made_by
        named_by = [item for item in self.authorities(facts) if signer and item.values.get(self.signer) == signer]
        signed_on = made.made_on or facts.as_of  # an authority that ends later undoes no signature
        if not any(holds(item, signed_on) for item in named_by):
            return Verdict("incomplete_authority", values, Remedy(evidence=self.authority))
        if statement is not None and statement != AWAITS_STAFF:
            return Verdict(statement, values, Remedy(evidence=self.statement))
        is_confirmed = any(item.confirmed and holds(item, signed_on) for item in named_by)
        if statement == AWAITS_STAFF or not is_confirmed:
            return Verdict(AWAITS_STAFF, values, Remedy(by_staff=True))
        return Verdict("pass", values)

    def authorities(self, facts: Facts) -> tuple[Item, ...]:
        return confirmed(facts.evidence, self.authority) + awaiting(facts.evidence, self.authority)

    def statement_case(self, facts: Facts) -> str | None:
        """What the cost statement lacks; None where it is in order or not needed."""
        micro = facts.applicant is not None and facts.applicant.size_class == MICRO
        if micro or is_natural_person(facts):
            return None
        done, waiting = confirmed(facts.evidence, self.statement), awaiting(facts.evidence, self.statement)
        signed = [item for item in done + waiting if item.values.get(self.signed) is True]
        recent = [item for item in signed if self.is_recent(item, facts)]
        if any(item.confirmed for item in recent):
            return None
        if recent:
            return AWAITS_STAFF
        if signed:
            return "incomplete_outdated"
        return "incomplete_unsigned" if done or waiting else "incomplete_statement"

    def is_recent(self, statement: Item, facts: Facts) -> bool:
        """Whether its period ended lately, as of the submission; one that names no period is read by staff."""
        ended = statement.values.get(self.period_ends)
        held_on = facts.submitted_on or facts.as_of
        return not isinstance(ended, date) or months_later(ended, self.statement_max_age_months) >= held_on


def declaration_fault(made: DeclarationFacts) -> str | None:
    if made.made_hash is None:
        return "incomplete_none"
    if made.declared_hash is None or made.made_hash != made.declared_hash:
        return "incomplete_changed"
    return None if made.made_text_version == made.text_version else "incomplete_text"
