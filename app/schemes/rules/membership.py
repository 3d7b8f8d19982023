"""U-01: the producer belongs to the municipality whose name the brand bears."""

from typing import ClassVar, Literal

from pydantic import Field

from app.schemes.facts import Facts
from app.schemes.outcome import Outcome
from app.schemes.rules.base import AWAITS_STAFF, TerritorySets, Value, Verdict, code, day, seen
from app.schemes.rules.documents import MISSING, EvidenceRule, ValueName
from app.schemes.rules.place import SetName


class MunicipalityMemberRule(EvidenceRule):
    """The municipality's own document says that the producer lives or works in one of the accepted municipalities."""

    kind: Literal["municipality_member"]
    value: ValueName
    accepted: tuple[SetName, ...] = Field(min_length=1)
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "fail": Outcome.FAIL,
        "incomplete_expired": Outcome.INCOMPLETE,
        MISSING: Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"municipality", "number", "valid_until"})

    def value_names(self) -> tuple[str, ...]:
        return (self.value,)

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:
        item = self.item(facts)
        stated = item.values.get(self.value) if item else None
        values: dict[str, Value] = {
            "municipality": seen(stated) if isinstance(stated, str) else None,
            "number": seen(item.number) if item else None,
            "valid_until": day(item.valid_until) if item else None,
        }
        if facts.evidence is None:
            return Verdict("not_assessed", values)
        if item is None or not isinstance(stated, str):
            return Verdict(self.absent(facts), values)
        if item.valid_until is not None and item.valid_until < facts.as_of:
            return Verdict(AWAITS_STAFF if self.awaited(facts) else "incomplete_expired", values)
        inside = any(code(stated) in territory_sets[name] for name in self.accepted)
        return Verdict("pass" if inside else "fail", values)
