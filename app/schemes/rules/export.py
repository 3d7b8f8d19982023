"""Rules about trade abroad: a customs certificate of origin (A-06), and what was exported before (A-07)."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from app.schemes import nomenclature
from app.schemes.days import months_earlier
from app.schemes.facts import Facts, Item
from app.schemes.figures import plain, shown
from app.schemes.outcome import Outcome
from app.schemes.rules.base import TerritorySets, Value, Verdict, day, seen
from app.schemes.rules.documents import EvidenceRule, ValueName, Word
from app.schemes.rules.volumes import figure

Points = Annotated[Decimal, Field(gt=0, le=1000, allow_inf_nan=False)]


class OriginDocumentRule(EvidenceRule):
    """A-06: a certificate of origin of one of the forms was issued lately for goods of the same heading."""

    kind: Literal["origin_document"]
    form_value: ValueName
    heading_value: ValueName
    forms: tuple[Word, ...] = Field(min_length=1)
    max_age_months: int = Field(ge=1, le=120)
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual_none": Outcome.MANUAL,
        "manual_old": Outcome.MANUAL,
        "manual_other": Outcome.MANUAL,
        "incomplete_hs6": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"heading", "form", "number", "issued_on", "headings_found"})

    def value_names(self) -> tuple[str, ...]:
        return (self.form_value, self.heading_value)

    def heading_of(self, item: Item) -> str:
        return str(item.values.get(self.heading_value) or "")

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = dict.fromkeys(self.VALUES) | {"headings_found": ()}
        if facts.evidence is None:
            return Verdict("not_assessed", values)
        hs6 = nomenclature.six_digits(facts.product.hs6)
        if hs6 is None:
            return Verdict("incomplete_hs6", values)
        heading = hs6[: nomenclature.HEADING]
        known = [i for i in facts.evidence.of(self.evidence) if i.values.get(self.form_value) in self.forms]
        own = next((item for item in known if self.heading_of(item) == heading), None)
        values |= {
            "heading": heading,
            "headings_found": tuple(sorted({seen(self.heading_of(item)) or "?" for item in known})),
        }
        if own is None:
            return Verdict("manual_other" if known else "manual_none", values)
        form = own.values.get(self.form_value)
        values |= {"form": seen(str(form)), "number": seen(own.number), "issued_on": day(own.issued_on)}
        since = months_earlier(facts.as_of, self.max_age_months)
        lately = own.issued_on is not None and since <= own.issued_on <= facts.as_of
        return Verdict("pass" if lately else "manual_old", values)


class ExportRecordRule(EvidenceRule):
    """A-07: export experience in points. No condition of the mark: it always passes."""

    kind: Literal["export_record"]
    points: Mapping[ValueName, Points] = Field(min_length=1, description="points for each unit of a stated figure")
    most_points: Points
    CASES: ClassVar = {"pass": Outcome.PASS, "pass_none": Outcome.PASS, "not_assessed": Outcome.NOT_ASSESSED}
    VALUES: ClassVar = frozenset({"score"})

    def value_names(self) -> tuple[str, ...]:
        return tuple(self.points)

    def parameters(self) -> dict[str, Any]:
        points = {name: plain(each) for name, each in self.points.items()}
        return super().parameters() | {"points": points, "most_points": plain(self.most_points)}

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        if facts.evidence is None:
            return Verdict("not_assessed", {"score": None})
        item = self.item(facts)
        if item is None:
            return Verdict("pass_none", {"score": "0"})
        stated = {name: figure(item, name) for name in self.points}
        score = sum(
            (Fraction(self.points[name]) * Fraction(each) for name, each in stated.items() if each is not None),
            start=Fraction(0),
        )
        return Verdict("pass", {"score": shown(min(score, Fraction(self.most_points)))})
