"""Check one evidence document: validity, age and values (C-02, C-03, C-11, K-04, K-11, …).

`evidence_choice.py` selects the document that counts where several could. Where none suffices but one awaits
confirmation, staff act next: the applicant has supplied everything.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from app.core.dates import subtract_months
from app.reference import hs_nomenclature
from app.schemes.closed_lists import load_lists
from app.schemes.evidence_choice import (
    choose_document,
    confirmed_documents,
    find_document_in_force,
    has_document_without_subject,
    is_in_force,
    unconfirmed_documents,
)
from app.schemes.facts import EvidenceItem, Facts, ParkResidencyStatus
from app.schemes.outcome import Outcome
from app.schemes.percentages import format_decimal, format_percentage, to_fraction
from app.schemes.rules.base import (
    UNCONFIRMED_CASE,
    Country,
    FactSource,
    HsPrefix,
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

MISSING_CASE = "incomplete_missing"
NO_SUBJECT_CASE = "incomplete_subject"
Points = Annotated[Decimal, Field(gt=0, le=1000, allow_inf_nan=False)]


class EvidenceRule(Rule):
    """Check the document of the kind `evidence` that counts; each parameter adds a requirement.

    - Dates: it is in force on the day (`on = "submission"`: the day of the submission); `review_within_days`: ends
      soon, manual; `fail_after_days`: ended so long ago that the result is fail; `max_age_days`, `max_age_months`:
      issued at most so long ago, else `old`. A certificate never outlasts a document with `limits_term`.
    - Content: `value` is among `accepted`, `review` or `refused`; `where` selects documents with these words;
      `same_heading`: their value of this name is the product's heading; `country_value`: a country other than `country`
      is manual.
    - `register`: the resident register's own confirmation counts like the document, and `value` must be the number of
      the resident certificate.
    - `points`: figures of the document in points; such a rule never fails.
    - `missing` and `old`: the results where there is no document, or only an old one.
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
    SOURCE: ClassVar[FactSource | None] = None
    CODE_GROUPS: ClassVar = {"country_found": "country"}
    VALUE_KEYS: ClassVar = frozenset(
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
    def require_consistent_parameters(self) -> Self:
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
            (MISSING_CASE, Outcome.INCOMPLETE, self.missing == "incomplete"),
            (NO_SUBJECT_CASE, Outcome.INCOMPLETE, self.missing == "incomplete" and self.has_dates and self.has_subject),
            (UNCONFIRMED_CASE, Outcome.INCOMPLETE, self.can_await_staff),
            ("incomplete_hs6", Outcome.INCOMPLETE, bool(self.goods) or self.same_heading is not None),
            ("not_applicable", Outcome.NOT_APPLICABLE, bool(self.goods) or self.missing == "not_applicable"),
            ("not_applicable_old", Outcome.NOT_APPLICABLE, self.has_age and self.old == "not_applicable"),
            ("not_applicable_other", Outcome.NOT_APPLICABLE, self.same_heading is not None),
            ("not_applicable_none", Outcome.NOT_APPLICABLE, self.register_counts),
            ("not_assessed", Outcome.NOT_ASSESSED, True),
        ]
        return {case: outcome for case, outcome, answers in possible if answers}

    def code_groups(self) -> Mapping[str, str]:
        """Name the words of a value by the group of that name."""
        return self.CODE_GROUPS if self.value is None else {**self.CODE_GROUPS, "stated": self.value}

    @property
    def has_dates(self) -> bool:
        """Check that the rule depends on validity; not where only words or age count."""
        return not (self.value or self.points or self.same_heading)

    @property
    def has_age(self) -> bool:
        return self.max_age_days is not None or self.max_age_months is not None

    @property
    def can_await_staff(self) -> bool:
        """Check that a document that awaits confirmation changes the result."""
        return self.missing == "incomplete" or self.has_dates or (self.has_age and self.old == "incomplete")

    @property
    def has_subject(self) -> bool:
        """Check that documents of the kind apply to a site, product or lot that they name."""
        return load_lists().scope.get(self.evidence) != "company"

    def evidence_kinds(self) -> tuple[str, ...]:
        return (self.evidence,)

    def value_names(self) -> tuple[str, ...]:
        names = (self.value, self.same_heading, self.country_value, *self.where, *self.points)
        return tuple(name for name in names if name is not None)

    def parameters(self) -> dict[str, Any]:
        points = {name: format_decimal(item) for name, item in self.points.items()}
        return super().parameters() | {"points": points}

    def reference_day(self, facts: Facts) -> date:
        return (facts.submitted_on or facts.as_of) if self.on == "submission" else facts.as_of

    def is_applicable(self, facts: Facts) -> bool:
        hs6 = hs_nomenclature.as_six_digits(facts.product.hs6)
        return not self.goods or (hs6 is not None and hs6.startswith(self.goods))

    def holds_until(self, facts: Facts, context: RuleContext) -> date | None:  # noqa: ARG002 (same for every kind)
        if not self.limits_term or not self.is_applicable(facts):
            return None
        item = choose_document(facts.evidence, self.evidence, facts.as_of, self.where)
        return item.valid_until if item else None

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = dict.fromkeys(self.VALUE_KEYS) | {
            "hs6": sanitize(facts.product.hs6),
            "headings_found": (),
        }
        values |= {"held_on": format_day(self.reference_day(facts)), "as_of": format_day(facts.as_of)}
        hs6 = hs_nomenclature.as_six_digits(facts.product.hs6)
        if hs6 is None and (self.goods or self.same_heading):
            return RuleResult("incomplete_hs6", values, Remedy(field="/hs6"))
        if not self.is_applicable(facts):
            return RuleResult("not_applicable", values)
        if facts.evidence is None or (self.register_counts and facts.residency is None):
            return RuleResult("not_assessed", values)
        if self.register_counts:
            return self.evaluate_register(facts, values)
        if self.points:
            return self.evaluate_points(facts, values)
        if self.same_heading:
            meant = confirmed_documents(facts.evidence, self.evidence, self.where)
            items = [item for item in meant if is_in_force(item, facts.as_of)]
            return self.evaluate_heading(items, str(hs6)[: hs_nomenclature.HEADING_DIGITS], facts, values)
        held_on = self.reference_day(facts)
        item = choose_document(facts.evidence, self.evidence, held_on, self.where)
        if item is None or (self.value and not is_in_force(item, held_on)):
            return self.missing_result(facts, values)
        values |= displayed_values(item)
        return self.evaluate_words(item, facts, values) if self.value else self.evaluate_dates(item, facts, values)

    def missing_result(self, facts: Facts, values: dict[str, Value]) -> RuleResult:
        if self.missing != "incomplete":
            case = {"manual": "manual_missing", "pass": "pass_none", "not_applicable": "not_applicable"}[self.missing]
            return RuleResult(case, values)
        if unconfirmed_documents(facts.evidence, self.evidence):
            return RuleResult(UNCONFIRMED_CASE, values, Remedy(by_staff=True))
        subject = NO_SUBJECT_CASE in self.cases() and has_document_without_subject(facts.evidence, self.evidence)
        remedy = Remedy(evidence=self.evidence, by_staff=self.may_be_supplied_later)
        return RuleResult(NO_SUBJECT_CASE if subject else MISSING_CASE, values, remedy)

    def evaluate_dates(self, item: EvidenceItem, facts: Facts, values: dict[str, Value]) -> RuleResult:
        held_on = self.reference_day(facts)
        if not self.is_fresh(item.issued_on, facts.as_of):
            return self.old_result(facts, values)
        if not is_in_force(item, held_on):
            if unconfirmed_documents(facts.evidence, self.evidence):
                return RuleResult(UNCONFIRMED_CASE, values, Remedy(by_staff=True))
            remedy = Remedy(evidence=self.evidence)
            if item.issued_on is not None and item.issued_on > held_on:
                after = self.on == "submission"
                return RuleResult("incomplete_after", values, remedy) if after else self.missing_result(facts, values)
            assert item.valid_until is not None  # it has begun and is not in force
            overdue = (held_on - item.valid_until).days
            failed = self.fail_after_days is not None and overdue > self.fail_after_days
            return RuleResult("fail_expired" if failed else "incomplete_expired", values, remedy)
        left = (item.valid_until - facts.as_of).days if item.valid_until else None
        short = self.review_within_days is not None and left is not None and left < self.review_within_days
        return RuleResult("manual_short" if short else "pass", values)

    def evaluate_words(self, item: EvidenceItem, facts: Facts, values: dict[str, Value]) -> RuleResult:
        stated = item.values.get(self.value or "")
        values |= {"stated": sanitize(stated) if isinstance(stated, str) else None}
        if self.accepted and stated not in self.accepted + self.review + self.refused:
            return self.missing_result(facts, values)
        if stated in self.refused:
            return RuleResult("fail", values)
        if not self.is_fresh(item.issued_on, facts.as_of):
            return self.old_result(facts, values)
        return RuleResult("manual" if stated in self.review else "pass", values)

    def old_result(self, facts: Facts, values: dict[str, Value]) -> RuleResult:
        if self.old == "incomplete" and unconfirmed_documents(facts.evidence, self.evidence):
            return RuleResult(UNCONFIRMED_CASE, values, Remedy(by_staff=True))
        return RuleResult(f"{self.old}_old", values, Remedy(evidence=self.evidence, by_staff=True))

    def is_fresh(self, issued_on: date | None, as_of: date) -> bool:
        """Check that a date is not older than the parameters allow."""
        if not self.has_age:
            return True
        if issued_on is None or issued_on > as_of:
            return False
        if self.max_age_days is not None and (as_of - issued_on).days > self.max_age_days:
            return False
        return self.max_age_months is None or issued_on >= subtract_months(as_of, self.max_age_months)

    def evaluate_heading(
        self, items: list[EvidenceItem], heading: str, facts: Facts, values: dict[str, Value]
    ) -> RuleResult:
        """Evaluate recent documents about the product by heading and country."""
        if self.country_value is not None:
            foreign = next((item for item in items if item.values.get(self.country_value) != self.country), None)
            if foreign is not None:
                country_found = foreign.values.get(self.country_value)
                details = displayed_values(foreign) | {
                    "country_found": sanitize(country_found) if isinstance(country_found, str) else None
                }
                return RuleResult("manual_country", values | {"heading": heading} | details)
        headings = tuple(sorted({str(item.values.get(self.same_heading or "") or "?") for item in items}))
        values |= {"heading": heading, "headings_found": tuple(sanitize(item) or "?" for item in headings)}
        own = next((item for item in items if item.values.get(self.same_heading or "") == heading), None)
        if own is None:
            return RuleResult("not_applicable_other", values) if items else self.missing_result(facts, values)
        values |= displayed_values(own)
        return (
            RuleResult("pass", values) if self.is_fresh(own.issued_on, facts.as_of) else self.old_result(facts, values)
        )

    def evaluate_register(self, facts: Facts, values: dict[str, Value]) -> RuleResult:
        """Evaluate the register's latest confirmation: import, registrar, or an extract of it."""
        residency = facts.residency
        assert residency is not None  # checked by the caller
        values["registration_no"] = sanitize(residency.registration_no)
        if residency.status is ParkResidencyStatus.NONE:
            return RuleResult("not_applicable_none", values)
        item = next(iter(confirmed_documents(facts.evidence, self.evidence)), None)
        confirmed_on = residency.confirmed_on
        if item is not None and item.issued_on is not None and (confirmed_on is None or item.issued_on >= confirmed_on):
            confirmed_on, stated = item.issued_on, item.values.get(self.value or "")
            values |= {"stated": sanitize(stated) if isinstance(stated, str) else None}
            if stated != residency.registration_no:
                return RuleResult("manual_differs", values | {"issued_on": format_day(confirmed_on)})
        values["issued_on"] = format_day(confirmed_on)
        if confirmed_on is None:
            return self.missing_result(facts, values)
        return (
            RuleResult("pass", values) if self.is_fresh(confirmed_on, facts.as_of) else self.old_result(facts, values)
        )

    def evaluate_points(self, facts: Facts, values: dict[str, Value]) -> RuleResult:
        item = find_document_in_force(facts.evidence, self.evidence, facts.as_of)
        if item is None:
            return self.missing_result(facts, values | {"score": "0"})
        score = Fraction(0)
        for name, points in self.points.items():
            stated = item.values.get(name)
            amount = to_fraction(stated) if isinstance(stated, Decimal) else None
            score += Fraction(points) * amount if amount is not None and amount > 0 else 0
        return RuleResult(
            "pass",
            values | displayed_values(item) | {"score": format_percentage(min(score, Fraction(self.most_points)))},
        )


def displayed_values(item: EvidenceItem) -> dict[str, Value]:
    return {
        "number": sanitize(item.number),
        "issued_on": format_day(item.issued_on),
        "valid_until": format_day(item.valid_until),
    }
