"""Rules about what the product is: its HS code and what is said of such goods (C-04, C-05, A-04, C-14, U-02, U-09)."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from app.schemes import nomenclature
from app.schemes.facts import Facts
from app.schemes.outcome import Outcome
from app.schemes.rules.base import Rule, TerritorySets, Value, Verdict, seen

Chapter = Annotated[str, Field(pattern=r"^[0-9]{2}$")]
Heading = Annotated[str, Field(pattern=r"^[0-9]{4}$")]
HsPrefix = Annotated[str, Field(pattern=r"^([0-9]{4}|[0-9]{6})$", description="heading or subheading")]
Flag = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]


class HsCodeRule(Rule):
    """C-04: the code is a subheading of the nomenclature; a doubtful classification is for a person."""

    kind: Literal["hs_code"]
    review_flags: tuple[Flag, ...]
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "fail_form": Outcome.FAIL,
        "fail_zero_lost": Outcome.FAIL,
        "incomplete": Outcome.INCOMPLETE,
    }
    VALUES: ClassVar = frozenset({"hs6", "description", "flags", "suggestion"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        hs6 = facts.product.hs6
        raised = tuple(flag for flag in self.review_flags if flag in facts.product.flags)
        values: dict[str, Value] = {"hs6": seen(hs6), "description": None, "flags": raised, "suggestion": None}
        if hs6 is None or not hs6.strip():
            return Verdict("incomplete", values)
        if not nomenclature.six_digits(hs6):
            suggestion = nomenclature.with_zero_restored(hs6)
            case = "fail_zero_lost" if suggestion else "fail_form"
            return Verdict(case, values | {"suggestion": suggestion})
        description = nomenclature.title(hs6)
        if description is None:
            return Verdict("fail", values)
        return Verdict("manual" if raised else "pass", values | {"description": description})


class BarredGoodsRule(Rule):
    """C-05, A-04: goods of these chapters, headings or subheadings cannot carry the mark."""

    kind: Literal["barred_goods"]
    chapters: tuple[Chapter, ...]
    codes: tuple[HsPrefix, ...] = ()
    CASES: ClassVar = {"pass": Outcome.PASS, "fail": Outcome.FAIL, "incomplete": Outcome.INCOMPLETE}
    VALUES: ClassVar = frozenset({"hs6", "matched"})

    @model_validator(mode="after")
    def something_is_barred(self) -> Self:
        if not self.chapters and not self.codes:
            raise ValueError(f"{self.id}: neither a chapter nor a code is barred")
        return self

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = {"hs6": seen(facts.product.hs6), "matched": None}
        hs6 = nomenclature.six_digits(facts.product.hs6)
        if hs6 is None:
            return Verdict("incomplete", values)
        matched = first_prefix(hs6, self.chapters + self.codes)
        return Verdict("fail" if matched else "pass", values | {"matched": matched})


class SpecialGoodsRule(Rule):
    """C-14: goods that the law treats specially, told by their code or by a flag, are looked at by a person."""

    kind: Literal["special_goods"]
    chapters: tuple[Chapter, ...]
    codes: tuple[HsPrefix, ...] = ()
    review_flags: tuple[Flag, ...] = ()
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual_code": Outcome.MANUAL,
        "manual_flag": Outcome.MANUAL,
        "incomplete": Outcome.INCOMPLETE,
    }
    VALUES: ClassVar = frozenset({"hs6", "matched", "flags"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        hs6 = nomenclature.six_digits(facts.product.hs6)
        raised = tuple(flag for flag in self.review_flags if flag in facts.product.flags)
        matched = first_prefix(hs6, self.chapters + self.codes) if hs6 else None
        values: dict[str, Value] = {"hs6": seen(facts.product.hs6), "matched": matched, "flags": raised}
        if hs6 is None:
            return Verdict("incomplete", values)
        if matched:
            return Verdict("manual_code", values)
        return Verdict("manual_flag" if raised else "pass", values)


class ListedGoodsRule(Rule):
    """U-02: goods of the brand's list pass; a new kind is for a person."""

    kind: Literal["listed_goods"]
    codes: tuple[HsPrefix, ...] = Field(min_length=1)
    CASES: ClassVar = {"pass": Outcome.PASS, "manual": Outcome.MANUAL, "incomplete": Outcome.INCOMPLETE}
    VALUES: ClassVar = frozenset({"hs6", "matched"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = {"hs6": seen(facts.product.hs6), "matched": None}
        hs6 = nomenclature.six_digits(facts.product.hs6)
        if hs6 is None:
            return Verdict("incomplete", values)
        matched = first_prefix(hs6, self.codes)
        return Verdict("pass" if matched else "manual", values | {"matched": matched})


class GoodsOnlyRule(Rule):
    """U-09: the mark is for goods; what is declared as a service is for a person."""

    kind: Literal["goods_only"]
    service_flags: tuple[Flag, ...] = Field(min_length=1)
    CASES: ClassVar = {"pass": Outcome.PASS, "manual": Outcome.MANUAL}
    VALUES: ClassVar = frozenset({"flags"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        raised = tuple(flag for flag in self.service_flags if flag in facts.product.flags)
        return Verdict("manual" if raised else "pass", {"flags": raised})


def first_prefix(hs6: str, prefixes: tuple[str, ...]) -> str | None:
    return next((prefix for prefix in prefixes if hs6.startswith(prefix)), None)
