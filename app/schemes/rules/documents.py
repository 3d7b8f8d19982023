"""Rules that rest on one item of evidence: a document that holds on the day, or what a document says.

The newest confirmed item of its kind is read, and no other. Where none helps but one lies here that nobody has
confirmed yet, the answer is that staff speak next (`AWAITS_STAFF`): the applicant has done their part.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from app.schemes import nomenclature
from app.schemes.facts import Facts, Item
from app.schemes.outcome import Outcome
from app.schemes.rules.base import AWAITS_STAFF, Rule, Source, TerritorySets, Value, Verdict, day, seen
from app.schemes.rules.goods import Chapter

KindCode = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$", description="kind of evidence item")]
ValueName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", description="a structured value of that kind")
]
Word = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]

MISSING = "incomplete_missing"


class EvidenceRule(Rule):
    """A rule about items of one kind of evidence."""

    evidence: KindCode
    SOURCE: ClassVar[Source | None] = None

    def evidence_kinds(self) -> tuple[str, ...]:
        return (self.evidence,)

    def item(self, facts: Facts) -> Item | None:
        return facts.evidence.newest(self.evidence) if facts.evidence else None

    def awaited(self, facts: Facts) -> bool:
        return facts.evidence is not None and self.evidence in facts.evidence.awaiting

    def absent(self, facts: Facts) -> str:
        """The case where no confirmed item helps."""
        return AWAITS_STAFF if self.awaited(facts) else MISSING


class DocumentRule(EvidenceRule):
    """C-03, C-11, K-11, U-07: a document that holds on the day.

    `held_at_submission`: the day is that of the submission. One that ends within `review_within_days` is looked at by
    a person; one that ended more than `fail_after_days` ago fails, before that it is asked for. A certificate never
    outlives a document with `limits_term`. With `chapters` the rule is about goods of these chapters only.
    """

    kind: Literal["document"]
    held_at_submission: bool = False
    review_within_days: int | None = Field(default=None, ge=1)
    fail_after_days: int | None = Field(default=None, ge=0)
    limits_term: bool = False
    chapters: tuple[Chapter, ...] = ()
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual_expiring": Outcome.MANUAL,
        "fail_expired": Outcome.FAIL,
        "incomplete_expired": Outcome.INCOMPLETE,
        MISSING: Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_applicable": Outcome.NOT_APPLICABLE,
        "incomplete_hs6": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"hs6", "number", "issued_on", "valid_until", "held_on"})

    def cases(self) -> Mapping[str, Outcome]:
        never = {
            "manual_expiring": self.review_within_days is None,
            "fail_expired": self.fail_after_days is None,
            "incomplete_expired": self.fail_after_days == 0,
            "not_applicable": not self.chapters,
            "incomplete_hs6": not self.chapters,
        }
        return {case: outcome for case, outcome in self.CASES.items() if not never.get(case)}

    def held_on(self, facts: Facts) -> date:
        return (facts.submitted_on or facts.as_of) if self.held_at_submission else facts.as_of

    def concerns(self, facts: Facts) -> bool:
        hs6 = nomenclature.six_digits(facts.product.hs6)
        return not self.chapters or (hs6 is not None and hs6[: nomenclature.CHAPTER] in self.chapters)

    def holds_until(self, facts: Facts) -> date | None:
        item = self.item(facts) if self.limits_term and self.concerns(facts) else None
        return item.valid_until if item else None

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        item = self.item(facts)
        values: dict[str, Value] = {
            "hs6": seen(facts.product.hs6),
            "number": seen(item.number) if item else None,
            "issued_on": day(item.issued_on) if item else None,
            "valid_until": day(item.valid_until) if item else None,
            "held_on": day(self.held_on(facts)),
        }
        if not self.concerns(facts):
            return Verdict("not_applicable" if nomenclature.six_digits(facts.product.hs6) else "incomplete_hs6", values)
        if facts.evidence is None:
            return Verdict("not_assessed", values)
        return Verdict(self.document_case(item, facts), values)

    def document_case(self, item: Item | None, facts: Facts) -> str:
        if item is None:
            return self.absent(facts)
        if item.valid_until is None:
            return "pass"
        overdue = (self.held_on(facts) - item.valid_until).days
        if overdue > 0:
            if self.awaited(facts):
                return AWAITS_STAFF
            failed = self.fail_after_days is not None and overdue > self.fail_after_days
            return "fail_expired" if failed else "incomplete_expired"
        left = (item.valid_until - facts.as_of).days
        expiring = self.review_within_days is not None and left < self.review_within_days
        return "manual_expiring" if expiring else "pass"


class EvidenceChoiceRule(EvidenceRule):
    """C-02, A-02, U-03: what a document says is accepted, refused, or for a person.

    Without `max_age_days` its age does not matter. `missing`: whether its absence is for a person or is asked for.
    """

    kind: Literal["evidence_choice"]
    value: ValueName
    accepted: tuple[Word, ...] = Field(min_length=1)
    review: tuple[Word, ...] = ()
    refused: tuple[Word, ...] = ()
    max_age_days: int | None = Field(default=None, ge=1)
    missing: Literal["incomplete", "manual"] = "incomplete"
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "manual_old": Outcome.MANUAL,
        "manual_missing": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        MISSING: Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"stated", "number", "issued_on", "as_of"})

    @model_validator(mode="after")
    def an_answer_means_one_thing(self) -> Self:
        listed = self.accepted + self.review + self.refused
        if twice := sorted({word for word in listed if listed.count(word) > 1}):
            raise ValueError(f"{self.id}: listed twice: {', '.join(twice)}")
        return self

    def cases(self) -> Mapping[str, Outcome]:
        by_hand = self.missing == "manual"
        never = {
            "manual": not self.review,
            "manual_old": self.max_age_days is None,
            "manual_missing": not by_hand,
            "fail": not self.refused,
            MISSING: by_hand,
            AWAITS_STAFF: by_hand,
        }
        return {case: outcome for case, outcome in self.CASES.items() if not never.get(case)}

    def value_names(self) -> tuple[str, ...]:
        return (self.value,)

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        item = self.item(facts)
        stated = item.values.get(self.value) if item else None
        values: dict[str, Value] = {
            "stated": seen(stated) if isinstance(stated, str) else None,
            "number": seen(item.number) if item else None,
            "issued_on": day(item.issued_on) if item else None,
            "as_of": day(facts.as_of),
        }
        if facts.evidence is None:
            return Verdict("not_assessed", values)
        if item is None or stated not in self.accepted + self.review + self.refused:
            return Verdict("manual_missing" if self.missing == "manual" else self.absent(facts), values)
        if stated in self.refused:
            return Verdict("fail", values)
        if self.max_age_days is not None and not fresh(item.issued_on, facts.as_of, self.max_age_days):
            return Verdict("manual_old", values)
        return Verdict("pass" if stated in self.accepted else "manual", values)


def fresh(issued_on: date | None, as_of: date, max_age_days: int) -> bool:
    """Whether something was said on that day or at most so many days before."""
    return issued_on is not None and 0 <= (as_of - issued_on).days <= max_age_days
