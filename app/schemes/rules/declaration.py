"""The declaration that all facts are true, and the signed cost statement of the accountant (C-16)."""

from typing import ClassVar, Literal

from app.schemes.evidence_choice import awaiting, confirmed, holds
from app.schemes.facts import DeclarationFacts, Facts, Item
from app.schemes.material_origin import is_natural_person
from app.schemes.outcome import Outcome
from app.schemes.rules.base import AWAITS_STAFF, Context, KindCode, Remedy, Rule, Value, ValueName, Verdict, day, seen

MICRO = "micro"


class DeclarationRule(Rule):
    """The newest declaration covers the present facts, in the text in force; an authority of its day names its signer.

    A signed cost statement belongs to it. Of micro firms and natural persons the sums entered are the statement, and
    the declaration is its signature.
    """

    kind: Literal["declaration"]
    authority: KindCode = "authority-to-sign"
    signer: ValueName = "signer"
    statement: KindCode = "cost-statement"
    signed: ValueName = "signed"
    VALUES: ClassVar = frozenset({"at", "name", "text_version"})
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "incomplete_none": Outcome.INCOMPLETE,
        "incomplete_changed": Outcome.INCOMPLETE,
        "incomplete_text": Outcome.INCOMPLETE,
        "incomplete_authority": Outcome.INCOMPLETE,
        "incomplete_statement": Outcome.INCOMPLETE,
        "incomplete_unsigned": Outcome.INCOMPLETE,
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
        declared_on = made.made_on or facts.as_of
        if not any(holds(item, declared_on) for item in named_by):
            return Verdict("incomplete_authority", values, Remedy(evidence=self.authority))
        if statement is not None and statement != AWAITS_STAFF:
            return Verdict(statement, values, Remedy(evidence=self.statement))
        is_confirmed = any(item.confirmed and holds(item, declared_on) for item in named_by)
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
        if any(item.values.get(self.signed) is True for item in done):
            return None
        if any(item.values.get(self.signed) is True for item in waiting):
            return AWAITS_STAFF
        return "incomplete_unsigned" if done or waiting else "incomplete_statement"


def declaration_fault(made: DeclarationFacts) -> str | None:
    if made.made_hash is None:
        return "incomplete_none"
    if made.declared_hash is None or made.made_hash != made.declared_hash:
        return "incomplete_changed"
    return None if made.made_text_version == made.text_version else "incomplete_text"
