"""Check codes, flags and goods against lists (C-04, C-05, C-14, K-09, A-04, U-02, U-09)."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from app.reference import hs_nomenclature
from app.schemes.evidence_choice import find_document_in_force
from app.schemes.facts import Facts, ParkResidencyStatus
from app.schemes.outcome import Outcome
from app.schemes.rules.base import HsPrefix, KindCode, Remedy, Rule, RuleContext, RuleResult, Value, ValueName, sanitize
from app.schemes.rules.base import Word as Flag

ListOutcome = Literal["pass", "manual", "fail"]
OUTCOME_SEVERITY: tuple[ListOutcome, ...] = ("fail", "manual", "pass")


class ListedRule(Rule):
    """Check that the HS code begins with a listed code, or that the product has a listed flag.

    `list`: `codes` of the file; `nomenclature`, HS 2022 itself; `excise`, the published list of excise goods with its
    flags; `document`, the goods that a confirmed document of kind `evidence` names. `listed` and `unlisted` are the
    results for codes, `flagged` for flags, `unknown` for a missing document.
    """

    kind: Literal["listed"]
    list: Literal["codes", "nomenclature", "excise", "document", "flags"] = "codes"
    codes: tuple[HsPrefix, ...] = ()
    flags: tuple[Flag, ...] = ()
    listed: ListOutcome = "pass"
    unlisted: ListOutcome = "pass"
    flagged: ListOutcome = "manual"
    unknown: Literal["manual", "incomplete"] = "manual"
    evidence: KindCode | None = None
    value: ValueName | None = None
    residents_only: bool = Field(default=False, description="not applicable to a company without a park residency")
    CODE_GROUPS: ClassVar = {"flags_found": "flag", "flags": "flag"}
    VALUE_KEYS: ClassVar = frozenset({"hs6", "description", "matched", "flags_found", "suggestion", "approved"})

    @model_validator(mode="after")
    def require_consistent_parameters(self) -> Self:
        if self.list == "codes" and not self.codes:
            raise ValueError(f"{self.id}: no code is listed")
        if self.list == "flags" and not self.flags:
            raise ValueError(f"{self.id}: no flag is listed")
        if (self.list == "document") != (self.evidence is not None and self.value is not None):
            raise ValueError(f"{self.id}: only a list in a document names the kind of document and its value")
        return self

    def cases(self) -> Mapping[str, Outcome]:
        cases: dict[str, Outcome] = {}
        if self.list == "nomenclature":
            cases |= dict.fromkeys(("fail", "fail_form", "fail_zero_lost"), Outcome.FAIL) | {"pass": Outcome.PASS}
        elif self.list == "flags":
            cases |= {"pass": Outcome.PASS}
        else:
            cases |= {
                f"{self.listed}_listed": Outcome(self.listed),
                f"{self.unlisted}_unlisted": Outcome(self.unlisted),
            }
        if self.flags or self.list in ("excise", "flags"):
            cases[f"{self.flagged}_flagged"] = Outcome(self.flagged)
        if self.list == "document":
            cases[f"{self.unknown}_unknown"] = Outcome(self.unknown)
        if self.list != "flags":
            cases["incomplete"] = Outcome.INCOMPLETE
        if self.residents_only:
            cases["not_applicable"] = Outcome.NOT_APPLICABLE
        if self.residents_only or self.list == "document":
            cases["not_assessed"] = Outcome.NOT_ASSESSED
        return cases

    def evidence_kinds(self) -> tuple[str, ...]:
        return () if self.evidence is None else (self.evidence,)

    def value_names(self) -> tuple[str, ...]:
        return () if self.value is None else (self.value,)

    def parameters(self) -> dict[str, Any]:
        return super().parameters() | {
            "chapters": [code for code in self.codes if len(code) == hs_nomenclature.CHAPTER_DIGITS]
        }

    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:
        values: dict[str, Value] = dict.fromkeys(self.VALUE_KEYS) | {"hs6": sanitize(facts.product.hs6), "approved": ()}
        flags = self.flags + (context.lists.excise_flags if self.list == "excise" else ())
        raised = tuple(flag for flag in flags if flag in facts.product.flags)
        values["flags_found"] = raised
        flagged = RuleResult(f"{self.flagged}_flagged", values) if raised else None
        if self.list == "flags":
            return flagged or RuleResult("pass", values)
        if self.list == "document" and facts.evidence is None:
            return RuleResult("not_assessed", values)
        if self.residents_only:
            if facts.residency is None:
                return RuleResult("not_assessed", values)
            if facts.residency.status is ParkResidencyStatus.NONE:
                return RuleResult("not_applicable", values)
        if self.list == "nomenclature":
            return self.evaluate_code(facts, values, flagged)
        hs6 = hs_nomenclature.as_six_digits(facts.product.hs6)
        if hs6 is None:
            return RuleResult("incomplete", values, Remedy(field="/hs6"))
        codes = self.find_listed_codes(facts, context)
        if codes is None:
            missing = Remedy(evidence=self.evidence) if self.unknown == "incomplete" else None
            return RuleResult(f"{self.unknown}_unknown", values, missing)
        matched = next((code for code in codes if code and hs6.startswith(code)), None)
        values |= {"matched": matched}
        if self.list == "document":
            values["approved"] = tuple(sanitize(code) or "?" for code in codes)
        place = "unlisted" if matched is None else "listed"
        answer: ListOutcome = self.unlisted if matched is None else self.listed
        if flagged and OUTCOME_SEVERITY.index(self.flagged) < OUTCOME_SEVERITY.index(answer):
            return flagged
        return RuleResult(f"{answer}_{place}", values)

    def find_listed_codes(self, facts: Facts, context: RuleContext) -> tuple[str, ...] | None:
        if self.list == "excise":
            return context.lists.excise_codes + self.codes
        if self.list == "codes":
            return self.codes
        assert self.evidence is not None and self.value is not None  # checked when the file was loaded
        item = find_document_in_force(facts.evidence, self.evidence, facts.as_of)
        stated = item.values.get(self.value) if item else None
        return stated if isinstance(stated, tuple) and stated else None

    def evaluate_code(self, facts: Facts, values: dict[str, Value], flagged: RuleResult | None) -> RuleResult:
        """Check that HS 2022 has the code; suggests a zero that a spreadsheet dropped."""
        hs6 = facts.product.hs6
        if hs6 is None or not hs6.strip():
            return RuleResult("incomplete", values, Remedy(field="/hs6"))
        if not hs_nomenclature.as_six_digits(hs6):
            suggestion = hs_nomenclature.restore_leading_zero(hs6)
            return RuleResult("fail_zero_lost" if suggestion else "fail_form", values | {"suggestion": suggestion})
        description = hs_nomenclature.find_title(hs6)
        if description is None:
            return RuleResult("fail", values)
        values["description"] = description
        return flagged or RuleResult("pass", values)
