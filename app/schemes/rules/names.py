"""Check product and brand names: protected (C-13, U-08) or unique to a family (U-06)."""

from collections.abc import Mapping
from datetime import date
from difflib import SequenceMatcher
from functools import cached_property
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.core.text.name_matching import contains_key, transliteration_key
from app.schemes.evidence_choice import confirmed_documents, find_document_in_force, is_in_force, unconfirmed_documents
from app.schemes.facts import Facts, ProductFacts
from app.schemes.outcome import Outcome
from app.schemes.rules.base import (
    UNCONFIRMED_CASE,
    FactSource,
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


class ProtectedName(BaseModel):
    """A protected name: its spellings, and the holder whose consent is required."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=2)
    holder: str = Field(min_length=2)
    spellings: tuple[str, ...] = Field(min_length=1)

    @cached_property
    def transliteration_keys(self) -> tuple[str, ...]:
        return tuple(transliteration_key(spelling) for spelling in self.spellings)

    def is_contained_in(self, text: str) -> bool:
        found = transliteration_key(text)
        return any(contains_key(protected_key, found) for protected_key in self.transliteration_keys)


class NamesRule(Rule):
    """Check names for consent or for uniqueness.

    `asks = "protected"`: a protected name in product or brand is manual, or refused (`unconsented`), unless a confirmed
    consent covers it. Without `evidence` no consent is accepted; a certificate never outlasts a consent with an end.
    `asks = "unique"`: the brand is no other producer's, nor a registered mark by the search that staff made.
    """

    kind: Literal["names"]
    asks: Literal["protected", "unique"] = "protected"
    names: tuple[ProtectedName, ...] = ()
    evidence: KindCode | None = None
    value: ValueName = "protected_name"
    free: tuple[Word, ...] = Field(default=(), description="results of the search that leave the name free")
    unconsented: Literal["manual", "fail"] = "manual"
    similar_from_pct: int = Field(default=80, ge=50, le=100)
    CODE_GROUPS: ClassVar = {"search": "match"}
    VALUE_KEYS: ClassVar = frozenset({"found", "holders", "consented", "valid_until", "brand", "similar_to", "search"})
    PROTECTED_CASES: ClassVar = {
        "pass": Outcome.PASS,
        "pass_consent": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    UNIQUE_CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual_used": Outcome.MANUAL,
        "manual_registered": Outcome.MANUAL,
        "incomplete_missing": Outcome.INCOMPLETE,
        UNCONFIRMED_CASE: Outcome.INCOMPLETE,
        "not_applicable": Outcome.NOT_APPLICABLE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    CASES: ClassVar = PROTECTED_CASES

    @model_validator(mode="after")
    def require_consistent_parameters(self) -> Self:
        if self.asks == "protected" and not self.names:
            raise ValueError(f"{self.id}: no name is protected")
        if self.asks == "unique" and (self.evidence is None or not self.free):
            raise ValueError(f"{self.id}: a search needs its kind of document and the results that leave a name free")
        return self

    def cases(self) -> Mapping[str, Outcome]:
        if self.asks == "unique":
            return self.UNIQUE_CASES
        base_cases = {"pass": Outcome.PASS, self.unconsented: Outcome(self.unconsented)}
        consent = {case: each for case, each in self.CASES.items() if case not in ("pass", "manual")}
        return base_cases if self.evidence is None else base_cases | consent

    @property
    def source(self) -> FactSource | None:
        return FactSource.OWN_RECORDS if self.asks == "unique" else FactSource.APPLICANT

    def evidence_kinds(self) -> tuple[str, ...]:
        return () if self.evidence is None else (self.evidence,)

    def value_names(self) -> tuple[str, ...]:
        return () if self.evidence is None else (self.value,)

    def find_names(self, facts: Facts, context: RuleContext) -> tuple[ProtectedName, ...]:
        return context.compute_once((self.id, "found"), facts, lambda: self.find_names_in_product(facts.product))

    def find_names_in_product(self, product: ProductFacts) -> tuple[ProtectedName, ...]:
        texts = [text for text in (product.name_en, product.name_az, *product.other_names, product.brand) if text]
        return tuple(each for each in self.names if any(each.is_contained_in(text) for text in texts))

    def find_consents(self, facts: Facts, context: RuleContext) -> dict[str, date | None]:
        """Map names to the last day of the consent that covers them; None where it is open."""
        covered: dict[str, date | None] = {}
        items = confirmed_documents(facts.evidence, self.evidence) if self.evidence else ()
        for each in self.find_names(facts, context) if items else ():
            ends = [
                item.valid_until
                for item in items
                if is_in_force(item, facts.as_of)
                and isinstance(stated := item.values.get(self.value), str)
                and each.is_contained_in(stated)
            ]
            if ends:
                covered[each.name] = max(ends, key=lambda end: end or date.max)
        return covered

    def holds_until(self, facts: Facts, context: RuleContext) -> date | None:
        return _earliest_end(self.find_consents(facts, context)) if self.asks == "protected" else None

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:
        values: dict[str, Value] = dict.fromkeys(self.VALUE_KEYS)
        if self.evidence is not None and facts.evidence is None:
            return RuleResult("not_assessed", values)
        if self.asks == "unique":
            return self.evaluate_brand(facts, values)
        found, covered = self.find_names(facts, context), self.find_consents(facts, context)
        values |= {
            "found": tuple(each.name for each in found),
            "holders": tuple(sorted({each.holder for each in found})),
            "consented": tuple(sorted(covered)),
            "valid_until": format_day(_earliest_end(covered)),
        }
        if not found:
            return RuleResult("pass", values)
        return RuleResult(
            "pass_consent" if len(covered) == len({each.name for each in found}) else self.unconsented, values
        )

    def evaluate_brand(self, facts: Facts, values: dict[str, Value]) -> RuleResult:
        brand = facts.product.brand
        values |= {"brand": sanitize(brand), "similar_to": ()}
        if facts.other_brands is None:
            return RuleResult("not_assessed", values)
        if not brand or not transliteration_key(brand):
            return RuleResult("not_applicable", values)
        assert self.evidence is not None  # checked when the file was loaded
        item = find_document_in_force(facts.evidence, self.evidence, facts.as_of)
        stated = item.values.get(self.value) if item else None
        alike = sorted({sanitize(other) or "?" for other in facts.other_brands if self.is_alike(brand, other)})
        values |= {"similar_to": tuple(alike), "search": sanitize(stated) if isinstance(stated, str) else None}
        if not isinstance(stated, str):
            waits = bool(unconfirmed_documents(facts.evidence, self.evidence))
            remedy = Remedy(evidence=self.evidence, by_staff=True)
            return RuleResult(UNCONFIRMED_CASE if waits else "incomplete_missing", values, remedy)
        if alike:
            return RuleResult("manual_used", values)
        return RuleResult("pass" if stated in self.free else "manual_registered", values)

    def is_alike(self, brand: str, other: str) -> bool:
        return similarity(brand, other) * 100 >= self.similar_from_pct


def similarity(first: str, second: str) -> float:
    """Return the similarity of two names over their folded letters, 0 to 1; symmetric."""
    a, b = transliteration_key(first), transliteration_key(second)
    return max(
        SequenceMatcher(None, a, b, autojunk=False).ratio(),
        SequenceMatcher(None, b, a, autojunk=False).ratio(),
    )


def _earliest_end(consents: Mapping[str, date | None]) -> date | None:
    return min((end for end in consents.values() if end), default=None)
