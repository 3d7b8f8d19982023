"""One evidence document: whether it holds, how old it is, and what it says (C-02, C-03, C-11, K-04, K-11, A-02, …).

`evidence_choice.py` says which document counts where several could. Where none helps but one waits for confirmation,
staff act next (`AWAITS_STAFF`): the applicant has done their part.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from app.core.dates import months_earlier
from app.reference import hs_nomenclature
from app.schemes.closed_lists import lists
from app.schemes.evidence_choice import awaiting, choose, confirmed, holds, in_force, without_subject
from app.schemes.facts import Facts, Item, ResidencyState
from app.schemes.outcome import Outcome
from app.schemes.percentages import exact, plain, shown
from app.schemes.rules.base import (
    AWAITS_STAFF,
    Context,
    Country,
    HsPrefix,
    KindCode,
    Remedy,
    Rule,
    Source,
    Value,
    ValueName,
    Verdict,
    Word,
    day,
    seen,
)

MISSING = "incomplete_missing"
SUBJECT = "incomplete_subject"
Points = Annotated[Decimal, Field(gt=0, le=1000, allow_inf_nan=False)]


class EvidenceRule(Rule):
    """The document that counts is of the kind `evidence`; every parameter adds a question that it has to answer.

    - Dates: it holds on the day (`on = "submission"`: the day of the submission); `review_within_days`: ends soon, for
      a person; `fail_after_days`: ended so long ago that the answer is fail; `max_age_days`, `max_age_months`: issued
      at most so long ago, else `old`. A certificate never outlives a document with `limits_term`.
    - Content: `value` is among `accepted`, `review` or `refused`; `where` keeps only documents with these words;
      `same_heading`: their value of this name is the product's heading; `country_value`: another country than
      `country` is for a person.
    - `register`: the resident register's own confirmation counts like the document, and `value` has to be the number of
      the resident certificate.
    - `points`: figures of the document in points; such a rule never refuses.
    - `missing` and `old` say what follows where there is no document, or only an old one.
    """

    kind: Literal["evidence"]
    evidence: KindCode
    goods: tuple[HsPrefix, ...] = Field(default=(), description="the rule is about these goods only")
    on: Literal["day", "submission"] = "day"
    review_within_days: int | None = Field(default=None, ge=1)
    fail_after_days: int | None = Field(default=None, ge=0)
    max_age_days: int | None = Field(default=None, ge=1)
    max_age_months: int | None = Field(default=None, ge=1, le=120)
    limits_term: bool = False
    value: ValueName | None = None
    accepted: tuple[Word, ...] = ()
    review: tuple[Word, ...] = ()
    refused: tuple[Word, ...] = ()
    where: Mapping[ValueName, tuple[Word, ...]] = {}
    same_heading: ValueName | None = None
    country_value: ValueName | None = None
    country: Country = "AZ"
    register_counts: bool = False
    points: Mapping[ValueName, Points] = Field(default={}, description="points for each unit of a stated figure")
    most_points: Points = Decimal(1)
    missing: Literal["incomplete", "manual", "not_applicable", "pass"] = "incomplete"
    old: Literal["incomplete", "manual", "not_applicable"] = "manual"
    SOURCE: ClassVar[Source | None] = None
    NAMED: ClassVar = {"country_found": "country"}
    VALUES: ClassVar = frozenset(
        {
            "hs6",
            "heading",
            "headings_found",
            "number",
            "issued_on",
            "valid_until",
            "held_on",
            "as_of",
            "stated",
            "country_found",
            "registration_no",
            "score",
        }
    )
    STAFF_CASES: ClassVar = frozenset({"incomplete_old"})

    @model_validator(mode="after")
    def parameters_fit(self) -> Self:
        listed = self.accepted + self.review + self.refused
        if twice := sorted({word for word in listed if listed.count(word) > 1}):
            raise ValueError(f"{self.id}: listed twice: {', '.join(twice)}")
        if listed and self.value is None:
            raise ValueError(f"{self.id}: words are listed, but not the value they are of")
        if self.register_counts and self.value is None:
            raise ValueError(f"{self.id}: a snapshot of the register names the value that holds the number")
        return self

    def cases(self) -> Mapping[str, Outcome]:
        possible: list[tuple[str, Outcome, bool]] = [
            ("pass", Outcome.PASS, True),
            ("pass_none", Outcome.PASS, self.missing == "pass"),
            ("manual", Outcome.MANUAL, bool(self.review)),
            ("manual_short", Outcome.MANUAL, self.has_dates and self.review_within_days is not None),
            ("manual_missing", Outcome.MANUAL, self.missing == "manual"),
            ("manual_old", Outcome.MANUAL, self.has_age and self.old == "manual"),
            ("manual_differs", Outcome.MANUAL, self.register_counts),
            ("manual_country", Outcome.MANUAL, self.same_heading is not None and self.country_value is not None),
            ("fail", Outcome.FAIL, bool(self.refused)),
            ("fail_expired", Outcome.FAIL, self.has_dates and self.fail_after_days is not None),
            ("incomplete_expired", Outcome.INCOMPLETE, self.has_dates and self.fail_after_days != 0),
            ("incomplete_after", Outcome.INCOMPLETE, self.has_dates and self.on == "submission"),
            ("incomplete_old", Outcome.INCOMPLETE, self.has_age and self.old == "incomplete"),
            (MISSING, Outcome.INCOMPLETE, self.missing == "incomplete"),
            (SUBJECT, Outcome.INCOMPLETE, self.missing == "incomplete" and self.has_dates and self.has_subject),
            (AWAITS_STAFF, Outcome.INCOMPLETE, self.may_await_staff),
            ("incomplete_hs6", Outcome.INCOMPLETE, bool(self.goods) or self.same_heading is not None),
            ("not_applicable", Outcome.NOT_APPLICABLE, bool(self.goods) or self.missing == "not_applicable"),
            ("not_applicable_old", Outcome.NOT_APPLICABLE, self.has_age and self.old == "not_applicable"),
            ("not_applicable_other", Outcome.NOT_APPLICABLE, self.same_heading is not None),
            ("not_applicable_none", Outcome.NOT_APPLICABLE, self.register_counts),
            ("not_assessed", Outcome.NOT_ASSESSED, True),
        ]
        return {case: outcome for case, outcome, answers in possible if answers}

    def named(self) -> Mapping[str, str]:
        """The words of a value have the names of the group of that name."""
        return self.NAMED if self.value is None else {**self.NAMED, "stated": self.value}

    @property
    def has_dates(self) -> bool:
        """Whether it matters that the document holds on the day: not where only its words or its age count."""
        return not (self.value or self.points or self.same_heading)

    @property
    def has_age(self) -> bool:
        return self.max_age_days is not None or self.max_age_months is not None

    @property
    def may_await_staff(self) -> bool:
        """Whether a document that waits for confirmation changes the answer."""
        return self.missing == "incomplete" or self.has_dates or (self.has_age and self.old == "incomplete")

    @property
    def has_subject(self) -> bool:
        """Whether documents of the kind speak for a site, product or lot that they name."""
        return lists().scope.get(self.evidence) != "company"

    def evidence_kinds(self) -> tuple[str, ...]:
        return (self.evidence,)

    def value_names(self) -> tuple[str, ...]:
        names = (self.value, self.same_heading, self.country_value, *self.where, *self.points)
        return tuple(name for name in names if name is not None)

    def parameters(self) -> dict[str, Any]:
        points = {name: plain(each) for name, each in self.points.items()}
        return super().parameters() | {"points": points}

    def held_on(self, facts: Facts) -> date:
        return (facts.submitted_on or facts.as_of) if self.on == "submission" else facts.as_of

    def concerns(self, facts: Facts) -> bool:
        hs6 = hs_nomenclature.six_digits(facts.product.hs6)
        return not self.goods or (hs6 is not None and hs6.startswith(self.goods))

    def holds_until(self, facts: Facts, context: Context) -> date | None:  # noqa: ARG002 (same for every kind)
        if not self.limits_term or not self.concerns(facts):
            return None
        item = choose(facts.evidence, self.evidence, facts.as_of, self.where)
        return item.valid_until if item else None

    def judge(self, facts: Facts, context: Context) -> Verdict:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = dict.fromkeys(self.VALUES) | {"hs6": seen(facts.product.hs6), "headings_found": ()}
        values |= {"held_on": day(self.held_on(facts)), "as_of": day(facts.as_of)}
        hs6 = hs_nomenclature.six_digits(facts.product.hs6)
        if hs6 is None and (self.goods or self.same_heading):
            return Verdict("incomplete_hs6", values, Remedy(field="/hs6"))
        if not self.concerns(facts):
            return Verdict("not_applicable", values)
        if facts.evidence is None or (self.register_counts and facts.residency is None):
            return Verdict("not_assessed", values)
        if self.register_counts:
            return self.judge_register(facts, values)
        if self.points:
            return self.judge_points(facts, values)
        if self.same_heading:
            meant = confirmed(facts.evidence, self.evidence, self.where)
            items = [item for item in meant if holds(item, facts.as_of)]
            return self.judge_heading(items, str(hs6)[: hs_nomenclature.HEADING], facts, values)
        held_on = self.held_on(facts)
        item = choose(facts.evidence, self.evidence, held_on, self.where)
        if item is None or (self.value and not holds(item, held_on)):
            return self.absent(facts, values)
        values |= shown_of(item)
        return self.judge_words(item, facts, values) if self.value else self.judge_dates(item, facts, values)

    def absent(self, facts: Facts, values: dict[str, Value]) -> Verdict:
        if self.missing != "incomplete":
            case = {"manual": "manual_missing", "pass": "pass_none", "not_applicable": "not_applicable"}[self.missing]
            return Verdict(case, values)
        if awaiting(facts.evidence, self.evidence):
            return Verdict(AWAITS_STAFF, values, Remedy(by_staff=True))
        subject = SUBJECT in self.cases() and without_subject(facts.evidence, self.evidence)
        remedy = Remedy(evidence=self.evidence, by_staff=self.may_be_supplied_later)
        return Verdict(SUBJECT if subject else MISSING, values, remedy)

    def judge_dates(self, item: Item, facts: Facts, values: dict[str, Value]) -> Verdict:
        held_on = self.held_on(facts)
        if not self.is_fresh(item.issued_on, facts.as_of):
            return self.too_old(facts, values)
        if not holds(item, held_on):
            if awaiting(facts.evidence, self.evidence):
                return Verdict(AWAITS_STAFF, values, Remedy(by_staff=True))
            remedy = Remedy(evidence=self.evidence)
            if item.issued_on is not None and item.issued_on > held_on:
                after = self.on == "submission"
                return Verdict("incomplete_after", values, remedy) if after else self.absent(facts, values)
            assert item.valid_until is not None  # it does not hold, and has begun
            overdue = (held_on - item.valid_until).days
            failed = self.fail_after_days is not None and overdue > self.fail_after_days
            return Verdict("fail_expired" if failed else "incomplete_expired", values, remedy)
        left = (item.valid_until - facts.as_of).days if item.valid_until else None
        short = self.review_within_days is not None and left is not None and left < self.review_within_days
        return Verdict("manual_short" if short else "pass", values)

    def judge_words(self, item: Item, facts: Facts, values: dict[str, Value]) -> Verdict:
        stated = item.values.get(self.value or "")
        values |= {"stated": seen(stated) if isinstance(stated, str) else None}
        if self.accepted and stated not in self.accepted + self.review + self.refused:
            return self.absent(facts, values)
        if stated in self.refused:
            return Verdict("fail", values)
        if not self.is_fresh(item.issued_on, facts.as_of):
            return self.too_old(facts, values)
        return Verdict("manual" if stated in self.review else "pass", values)

    def too_old(self, facts: Facts, values: dict[str, Value]) -> Verdict:
        if self.old == "incomplete" and awaiting(facts.evidence, self.evidence):
            return Verdict(AWAITS_STAFF, values, Remedy(by_staff=True))
        return Verdict(f"{self.old}_old", values, Remedy(evidence=self.evidence, by_staff=True))

    def is_fresh(self, issued_on: date | None, as_of: date) -> bool:
        """Whether something was said on that day or at most so long before as the parameters say."""
        if not self.has_age:
            return True
        if issued_on is None or issued_on > as_of:
            return False
        if self.max_age_days is not None and (as_of - issued_on).days > self.max_age_days:
            return False
        return self.max_age_months is None or issued_on >= months_earlier(as_of, self.max_age_months)

    def judge_heading(self, items: list[Item], heading: str, facts: Facts, values: dict[str, Value]) -> Verdict:
        """Documents about the product: of its heading and country, issued lately."""
        if self.country_value is not None:
            foreign = next((item for item in items if item.values.get(self.country_value) != self.country), None)
            if foreign is not None:
                found = foreign.values.get(self.country_value)
                named = shown_of(foreign) | {"country_found": seen(found) if isinstance(found, str) else None}
                return Verdict("manual_country", values | {"heading": heading} | named)
        headings = tuple(sorted({str(item.values.get(self.same_heading or "") or "?") for item in items}))
        values |= {"heading": heading, "headings_found": tuple(seen(each) or "?" for each in headings)}
        own = next((item for item in items if item.values.get(self.same_heading or "") == heading), None)
        if own is None:
            return Verdict("not_applicable_other", values) if items else self.absent(facts, values)
        values |= shown_of(own)
        return Verdict("pass", values) if self.is_fresh(own.issued_on, facts.as_of) else self.too_old(facts, values)

    def judge_register(self, facts: Facts, values: dict[str, Value]) -> Verdict:
        """The resident register said so lately: by an import, by the registrar, or by a snapshot of it."""
        residency = facts.residency
        assert residency is not None  # the caller looked
        values["registration_no"] = seen(residency.registration_no)
        if residency.status is ResidencyState.NONE:
            return Verdict("not_applicable_none", values)
        item = next(iter(confirmed(facts.evidence, self.evidence)), None)
        said = residency.confirmed_on
        if item is not None and item.issued_on is not None and (said is None or item.issued_on >= said):
            said, stated = item.issued_on, item.values.get(self.value or "")
            values |= {"stated": seen(stated) if isinstance(stated, str) else None}
            if stated != residency.registration_no:
                return Verdict("manual_differs", values | {"issued_on": day(said)})
        values["issued_on"] = day(said)
        if said is None:
            return self.absent(facts, values)
        return Verdict("pass", values) if self.is_fresh(said, facts.as_of) else self.too_old(facts, values)

    def judge_points(self, facts: Facts, values: dict[str, Value]) -> Verdict:
        item = in_force(facts.evidence, self.evidence, facts.as_of)
        if item is None:
            return self.absent(facts, values | {"score": "0"})
        score = Fraction(0)
        for name, points in self.points.items():
            stated = item.values.get(name)
            amount = exact(stated) if isinstance(stated, Decimal) else None
            score += Fraction(points) * amount if amount is not None and amount > 0 else 0
        return Verdict("pass", values | shown_of(item) | {"score": shown(min(score, Fraction(self.most_points)))})


def shown_of(item: Item) -> dict[str, Value]:
    return {"number": seen(item.number), "issued_on": day(item.issued_on), "valid_until": day(item.valid_until)}
