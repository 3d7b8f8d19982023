"""Rules about what others know of the applicant: its past (C-12), the resident register (K-04), its project (K-09)."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from app.schemes import nomenclature
from app.schemes.days import months_earlier
from app.schemes.facts import Facts, Item, Residency, ResidencyState
from app.schemes.outcome import Outcome
from app.schemes.rules.base import AWAITS_STAFF, Source, TerritorySets, Value, Verdict, day, seen
from app.schemes.rules.documents import MISSING, EvidenceRule, ValueName, Word, fresh


class CleanRecordRule(EvidenceRule):
    """C-12: no fraud in the last years, nothing open, and this product not revoked a short while ago.

    `matters` are the flags of the background check that a person has to look at.
    """

    kind: Literal["clean_record"]
    matters: tuple[ValueName, ...] = Field(min_length=1)
    fraud_reasons: tuple[Word, ...]
    fraud_bar_months: int = Field(ge=1, le=600)
    other_bar_months: int = Field(ge=1, le=600)
    SOURCE: ClassVar[Source | None] = Source.HOUSE
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "fail_fraud": Outcome.FAIL,
        "manual_matter": Outcome.MANUAL,
        "manual_revoked": Outcome.MANUAL,
        MISSING: Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"matters_found", "revoked_on", "revoked_for", "issued_on"})

    def value_names(self) -> tuple[str, ...]:
        return self.matters

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = dict.fromkeys(self.VALUES)
        if facts.record is None or facts.evidence is None:
            return Verdict("not_assessed", values)
        since = months_earlier(facts.as_of, self.fraud_bar_months)
        lately = months_earlier(facts.as_of, self.other_bar_months)
        past = sorted(facts.record.revocations, key=lambda each: (each.on, each.reason), reverse=True)
        fraud = next((each for each in past if each.reason in self.fraud_reasons and each.on > since), None)
        other = next((each for each in past if each.same_product and each.on > lately), None)
        if revocation := fraud or other:
            values |= {"revoked_on": day(revocation.on), "revoked_for": seen(revocation.reason)}
        item = self.item(facts)
        found = tuple(matter for matter in self.matters if item is not None and item.values.get(matter) is True)
        values |= {"matters_found": found, "issued_on": day(item.issued_on) if item else None}
        if fraud:
            return Verdict("fail_fraud", values)
        if item is None:
            return Verdict(self.absent(facts), values)
        if found:
            return Verdict("manual_matter", values)
        return Verdict("manual_revoked" if other else "pass", values)


class RegisterSnapshotRule(EvidenceRule):
    """K-04: the resident register said so a short while ago, by an import, the registrar, or a snapshot of it."""

    kind: Literal["register_snapshot"]
    value: ValueName
    max_age_days: int = Field(ge=1)
    SOURCE: ClassVar[Source | None] = Source.REGISTER
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual_none": Outcome.MANUAL,
        "manual_old": Outcome.MANUAL,
        "manual_differs": Outcome.MANUAL,
        "not_applicable": Outcome.NOT_APPLICABLE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"confirmed_on", "registration_no", "snapshot_no", "as_of"})

    def value_names(self) -> tuple[str, ...]:
        return (self.value,)

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        residency = facts.residency
        values: dict[str, Value] = dict.fromkeys(self.VALUES) | {"as_of": day(facts.as_of)}
        if residency is None or facts.evidence is None:
            return Verdict("not_assessed", values)
        values["registration_no"] = seen(residency.registration_no)
        if residency.status is ResidencyState.NONE:
            return Verdict("not_applicable", values)
        snapshot = self.later_snapshot(facts, residency)
        said = residency.confirmed_on
        if snapshot is not None:
            said, number = snapshot.issued_on, snapshot.values.get(self.value)
            values["snapshot_no"] = seen(number) if isinstance(number, str) else None
        values["confirmed_on"] = day(said)
        return Verdict(self.snapshot_case(said, values, facts.as_of, read=snapshot is not None), values)

    def later_snapshot(self, facts: Facts, residency: Residency) -> Item | None:
        """The snapshot, unless the register's own record is younger."""
        item = self.item(facts)
        if item is None or item.issued_on is None:
            return None
        return item if residency.confirmed_on is None or item.issued_on >= residency.confirmed_on else None

    def snapshot_case(self, said: date | None, values: dict[str, Value], as_of: date, *, read: bool) -> str:
        if said is None:
            return "manual_none"
        if read and values["snapshot_no"] != values["registration_no"]:
            return "manual_differs"
        return "pass" if fresh(said, as_of, self.max_age_days) else "manual_old"


class ApprovedActivityRule(EvidenceRule):
    """K-09: the product is among the goods of the resident's approved project."""

    kind: Literal["approved_activity"]
    value: ValueName
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual_outside": Outcome.MANUAL,
        "manual_unknown": Outcome.MANUAL,
        "incomplete_hs6": Outcome.INCOMPLETE,
        "not_applicable": Outcome.NOT_APPLICABLE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"hs6", "approved"})

    def value_names(self) -> tuple[str, ...]:
        return (self.value,)

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        values: dict[str, Value] = {"hs6": seen(facts.product.hs6), "approved": ()}
        if facts.residency is None or facts.evidence is None:
            return Verdict("not_assessed", values)
        if facts.residency.status is ResidencyState.NONE:
            return Verdict("not_applicable", values)
        hs6 = nomenclature.six_digits(facts.product.hs6)
        if hs6 is None:
            return Verdict("incomplete_hs6", values)
        item = self.item(facts)
        approved = item.values.get(self.value) if item else None
        if not isinstance(approved, tuple) or not approved:
            return Verdict("manual_unknown", values)
        values["approved"] = tuple(seen(code) or "?" for code in approved)
        inside = any(code and hs6.startswith(code) for code in approved)
        return Verdict("pass" if inside else "manual_outside", values)
