"""Names of product and brand: protected ones need a consent (C-13, U-08); a family brand is the family's own (U-06)."""

from collections.abc import Mapping
from datetime import date
from difflib import SequenceMatcher
from functools import cached_property
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.core.text.name_matching import occurs_folded, skeleton
from app.schemes.evidence_choice import awaiting, confirmed, holds, in_force
from app.schemes.facts import Facts, ProductFacts
from app.schemes.outcome import Outcome
from app.schemes.rules.base import (
    AWAITS_STAFF,
    Context,
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


class ProtectedName(BaseModel):
    """A name that is somebody's: how it is written, and whose consent is needed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=2)
    holder: str = Field(min_length=2)
    spellings: tuple[str, ...] = Field(min_length=1)

    @cached_property
    def skeletons(self) -> tuple[str, ...]:
        return tuple(skeleton(spelling) for spelling in self.spellings)

    def stands_in(self, text: str) -> bool:
        found = skeleton(text)
        return any(occurs_folded(wanted, found) for wanted in self.skeletons)


class NamesRule(Rule):
    """`asks = "protected"`: a protected name in product or brand is for a person, or refused (`unconsented`), unless a
    confirmed consent covers it; without `evidence` no consent helps, and a certificate never outlives a consent with an
    end. `asks = "unique"`: the brand is no other producer's, nor a registered mark by the search that staff made."""

    kind: Literal["names"]
    asks: Literal["protected", "unique"] = "protected"
    names: tuple[ProtectedName, ...] = ()
    evidence: KindCode | None = None
    value: ValueName = "protected_name"
    free: tuple[Word, ...] = Field(default=(), description="results of the search that leave the name free")
    unconsented: Literal["manual", "fail"] = "manual"
    similar_from_pct: int = Field(default=80, ge=50, le=100)
    NAMED: ClassVar = {"search": "match"}
    VALUES: ClassVar = frozenset({"found", "holders", "consented", "valid_until", "brand", "similar_to", "search"})
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
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_applicable": Outcome.NOT_APPLICABLE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    CASES: ClassVar = PROTECTED_CASES

    @model_validator(mode="after")
    def parameters_fit(self) -> Self:
        if self.asks == "protected" and not self.names:
            raise ValueError(f"{self.id}: no name is protected")
        if self.asks == "unique" and (self.evidence is None or not self.free):
            raise ValueError(f"{self.id}: a search needs its kind of document and the results that leave a name free")
        return self

    def cases(self) -> Mapping[str, Outcome]:
        if self.asks == "unique":
            return self.UNIQUE_CASES
        named = {"pass": Outcome.PASS, self.unconsented: Outcome(self.unconsented)}
        consent = {case: each for case, each in self.CASES.items() if case not in ("pass", "manual")}
        return named if self.evidence is None else named | consent

    @property
    def source(self) -> Source | None:
        return Source.OWN_RECORDS if self.asks == "unique" else Source.APPLICANT

    def evidence_kinds(self) -> tuple[str, ...]:
        return () if self.evidence is None else (self.evidence,)

    def value_names(self) -> tuple[str, ...]:
        return () if self.evidence is None else (self.value,)

    def found(self, facts: Facts, context: Context) -> tuple[ProtectedName, ...]:
        return context.once((self.id, "found"), facts, lambda: self.found_in(facts.product))

    def found_in(self, product: ProductFacts) -> tuple[ProtectedName, ...]:
        texts = [text for text in (product.name_en, product.name_az, *product.other_names, product.brand) if text]
        return tuple(each for each in self.names if any(each.stands_in(text) for text in texts))

    def consents(self, facts: Facts, context: Context) -> dict[str, date | None]:
        """Name → last day of the consent that covers it; None where it is open."""
        covered: dict[str, date | None] = {}
        items = confirmed(facts.evidence, self.evidence) if self.evidence else ()
        for each in self.found(facts, context) if items else ():
            ends = [
                item.valid_until
                for item in items
                if holds(item, facts.as_of)
                and isinstance(stated := item.values.get(self.value), str)
                and each.stands_in(stated)
            ]
            if ends:
                covered[each.name] = max(ends, key=lambda end: end or date.max)
        return covered

    def holds_until(self, facts: Facts, context: Context) -> date | None:
        return _first_end(self.consents(facts, context)) if self.asks == "protected" else None

    def judge(self, facts: Facts, context: Context) -> Verdict:
        values: dict[str, Value] = dict.fromkeys(self.VALUES)
        if self.evidence is not None and facts.evidence is None:
            return Verdict("not_assessed", values)
        if self.asks == "unique":
            return self.judge_brand(facts, values)
        found, covered = self.found(facts, context), self.consents(facts, context)
        values |= {
            "found": tuple(each.name for each in found),
            "holders": tuple(sorted({each.holder for each in found})),
            "consented": tuple(sorted(covered)),
            "valid_until": day(_first_end(covered)),
        }
        if not found:
            return Verdict("pass", values)
        return Verdict(
            "pass_consent" if len(covered) == len({each.name for each in found}) else self.unconsented, values
        )

    def judge_brand(self, facts: Facts, values: dict[str, Value]) -> Verdict:
        brand = facts.product.brand
        values |= {"brand": seen(brand), "similar_to": ()}
        if facts.other_brands is None:
            return Verdict("not_assessed", values)
        if not brand or not skeleton(brand):
            return Verdict("not_applicable", values)
        assert self.evidence is not None  # checked when the file was read
        item = in_force(facts.evidence, self.evidence, facts.as_of)
        stated = item.values.get(self.value) if item else None
        alike = sorted({seen(other) or "?" for other in facts.other_brands if self.alike(brand, other)})
        values |= {"similar_to": tuple(alike), "search": seen(stated) if isinstance(stated, str) else None}
        if not isinstance(stated, str):
            waits = bool(awaiting(facts.evidence, self.evidence))
            remedy = Remedy(evidence=self.evidence, by_staff=True)
            return Verdict(AWAITS_STAFF if waits else "incomplete_missing", values, remedy)
        if alike:
            return Verdict("manual_used", values)
        return Verdict("pass" if stated in self.free else "manual_registered", values)

    def alike(self, one: str, other: str) -> bool:
        return similarity(one, other) * 100 >= self.similar_from_pct


def similarity(one: str, other: str) -> float:
    """How alike two names are over their folded letters, 0 to 1, whichever comes first."""
    a, b = skeleton(one), skeleton(other)
    return max(
        SequenceMatcher(None, a, b, autojunk=False).ratio(),
        SequenceMatcher(None, b, a, autojunk=False).ratio(),
    )


def _first_end(consents: Mapping[str, date | None]) -> date | None:
    return min((end for end in consents.values() if end), default=None)
