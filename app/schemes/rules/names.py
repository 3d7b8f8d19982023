"""Rules about names: protected ones need a consent (C-13, U-08), and a family brand is the family's own (U-06)."""

from collections.abc import Mapping
from datetime import date
from difflib import SequenceMatcher
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemes.facts import Facts, ProductFacts
from app.schemes.outcome import Outcome
from app.schemes.rules.base import AWAITS_STAFF, Rule, Source, TerritorySets, Value, Verdict, day, seen
from app.schemes.rules.documents import MISSING, EvidenceRule, KindCode, ValueName, Word
from app.schemes.spelling import occurs, skeleton


class ProtectedName(BaseModel):
    """A name that is somebody's: how it is written, and whose consent is needed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=2)
    holder: str = Field(min_length=2)
    spellings: tuple[str, ...] = Field(min_length=1)

    def stands_in(self, text: str) -> bool:
        return any(occurs(spelling, text) for spelling in self.spellings)


class ProtectedNamesRule(Rule):
    """C-13, U-08: a protected name in product or brand is for a person, unless a confirmed consent covers it.

    Without `consent` no consent helps. A certificate never outlives a consent with an end.
    """

    kind: Literal["protected_names"]
    names: tuple[ProtectedName, ...] = Field(min_length=1)
    consent: KindCode | None = None
    consent_value: ValueName = "protected_name"
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "pass_consent": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"found", "holders", "consented", "valid_until"})

    def cases(self) -> Mapping[str, Outcome]:
        alone = ("pass", "manual")
        return {case: each for case, each in self.CASES.items() if self.consent is not None or case in alone}

    def evidence_kinds(self) -> tuple[str, ...]:
        return () if self.consent is None else (self.consent,)

    def value_names(self) -> tuple[str, ...]:
        return () if self.consent is None else (self.consent_value,)

    def found(self, product: ProductFacts) -> tuple[ProtectedName, ...]:
        texts = [text for text in (product.name_en, product.name_az, *product.other_names, product.brand) if text]
        return tuple(each for each in self.names if any(each.stands_in(text) for text in texts))

    def consents(self, facts: Facts) -> dict[str, date | None]:
        """Name → last day of the consent that covers it; None where it is open."""
        covered: dict[str, date | None] = {}
        items = facts.evidence.of(self.consent) if self.consent and facts.evidence else ()
        for each in self.found(facts.product) if items else ():
            for item in items:
                stated = item.values.get(self.consent_value)
                held = item.valid_until is None or item.valid_until >= facts.as_of
                if held and isinstance(stated, str) and each.stands_in(stated):
                    covered[each.name] = item.valid_until
                    break
        return covered

    def holds_until(self, facts: Facts) -> date | None:
        return _first_end(self.consents(facts))

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        if self.consent is not None and facts.evidence is None:
            return Verdict("not_assessed", dict.fromkeys(self.VALUES))
        found, covered = self.found(facts.product), self.consents(facts)
        values: dict[str, Value] = {
            "found": tuple(each.name for each in found),
            "holders": tuple(sorted({each.holder for each in found})),
            "consented": tuple(sorted(covered)),
            "valid_until": day(_first_end(covered)),
        }
        if not found:
            return Verdict("pass", values)
        return Verdict("pass_consent" if len(covered) == len({each.name for each in found}) else "manual", values)


def _first_end(consents: Mapping[str, date | None]) -> date | None:
    return min((end for end in consents.values() if end), default=None)


class FamilyBrandRule(EvidenceRule):
    """U-06: the family brand is no other producer's, nor a registered mark by the search that staff made."""

    kind: Literal["family_brand"]
    value: ValueName
    free: tuple[Word, ...] = Field(min_length=1, description="results of the search that leave the name free")
    similar_from_pct: int = Field(ge=50, le=100)
    SOURCE: ClassVar[Source | None] = Source.HOUSE
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual_used": Outcome.MANUAL,
        "manual_registered": Outcome.MANUAL,
        MISSING: Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_applicable": Outcome.NOT_APPLICABLE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"brand", "similar_to", "search"})

    def value_names(self) -> tuple[str, ...]:
        return (self.value,)

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        brand = facts.product.brand
        values: dict[str, Value] = {"brand": seen(brand), "similar_to": (), "search": None}
        if facts.other_brands is None or facts.evidence is None:
            return Verdict("not_assessed", values)
        if not brand or not skeleton(brand):
            return Verdict("not_applicable", values)
        item = self.item(facts)
        stated = item.values.get(self.value) if item else None
        alike = sorted({seen(other) or "?" for other in facts.other_brands if self.alike(brand, other)})
        values |= {"similar_to": tuple(alike), "search": seen(stated) if isinstance(stated, str) else None}
        if not isinstance(stated, str):
            return Verdict(self.absent(facts), values)
        if alike:
            return Verdict("manual_used", values)
        return Verdict("pass" if stated in self.free else "manual_registered", values)

    def alike(self, one: str, other: str) -> bool:
        ratio = SequenceMatcher(None, skeleton(one), skeleton(other), autojunk=False).ratio()
        return ratio * 100 >= self.similar_from_pct
