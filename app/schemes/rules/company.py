"""Rules about the applicant and its residency: C-01, K-02, K-03, K-05, U-10."""

import re
from typing import ClassVar, Literal

from pydantic import Field
from stdnum.az import voen as az_voen
from stdnum.exceptions import InvalidChecksum, InvalidComponent

from app.schemes.facts import Facts, Residency, ResidencyState, SiteStage
from app.schemes.outcome import Outcome
from app.schemes.rules.base import Rule, Source, TerritorySets, Value, Verdict, day, seen

TEN_DIGITS = re.compile(r"[0-9]{10}")
LEGAL_PERSON, NATURAL_PERSON = "1", "2"
"""The last digit of a VÖEN (`domain.md` §3.1)."""


class TaxNumberRule(Rule):
    """C-01: the VÖEN has the right form; a wrong check digit alone is for a person to look up (`domain.md` §3.1)."""

    kind: Literal["tax_number"]
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "fail_form": Outcome.FAIL,
        "fail_ending": Outcome.FAIL,
        "incomplete": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"voen"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        if facts.applicant is None:
            return Verdict("not_assessed", {"voen": None})
        voen = facts.applicant.voen
        return Verdict(tax_number_case(voen), {"voen": seen(voen)})


def tax_number_case(voen: str | None) -> str:
    if voen is None or not voen.strip():
        return "incomplete"
    # The library would pad nine digits and drop blanks; a number that is kept as text must be whole by itself.
    if not TEN_DIGITS.fullmatch(voen):
        return "fail_form"
    try:
        az_voen.validate(voen)
    except InvalidComponent:
        return "fail_ending"
    except InvalidChecksum:
        return "manual"
    return "pass"


class ResidencyRule(Rule):
    """K-02: a residency of the park that holds on the day. A mark with this rule rests on the residency."""

    kind: Literal["residency"]
    SOURCE: ClassVar[Source | None] = Source.REGISTER
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual_non_resident": Outcome.MANUAL,
        "manual_none": Outcome.MANUAL,
        "fail_cancelled": Outcome.FAIL,
        "fail_ended": Outcome.FAIL,
        "incomplete_not_begun": Outcome.INCOMPLETE,
        "incomplete": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"status", "registration_no", "starts_on", "ends_on", "cancelled_on", "as_of"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        residency = facts.residency
        values: dict[str, Value] = dict.fromkeys(self.VALUES) | {"as_of": facts.as_of.isoformat()}
        if residency is None:
            return Verdict("not_assessed", values)
        values |= {
            "status": residency.status and residency.status.value,
            "registration_no": seen(residency.registration_no),
            "starts_on": day(residency.starts_on),
            "ends_on": day(residency.ends_on),
            "cancelled_on": day(residency.cancelled_on),
        }
        return Verdict(residency_case(residency, facts), values)


def residency_case(residency: Residency, facts: Facts) -> str:
    if residency.status is None:
        return "incomplete"
    if residency.status is ResidencyState.NONE:
        return "manual_none"
    cancelled = residency.cancelled_on is not None and residency.cancelled_on <= facts.as_of
    if cancelled or residency.status is ResidencyState.CANCELLED:
        return "fail_cancelled"
    if residency.ends_on is not None and residency.ends_on < facts.as_of:
        return "fail_ended"
    if residency.starts_on is not None and residency.starts_on > facts.as_of:
        return "incomplete_not_begun"
    return "pass" if residency.status is ResidencyState.RESIDENT else "manual_non_resident"


class ResidencyHolderRule(Rule):
    """K-03: the park's certificate is the applicant's own. The other company's number is never shown."""

    kind: Literal["residency_holder"]
    SOURCE: ClassVar[Source | None] = Source.REGISTER
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "fail": Outcome.FAIL,
        "incomplete_applicant": Outcome.INCOMPLETE,
        "incomplete_holder": Outcome.INCOMPLETE,
        "not_applicable": Outcome.NOT_APPLICABLE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"voen", "registration_no"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        residency, applicant = facts.residency, facts.applicant
        if residency is None or applicant is None:
            return Verdict("not_assessed", {"voen": None, "registration_no": None})
        values = {"voen": seen(applicant.voen), "registration_no": seen(residency.registration_no)}
        own, holder = (applicant.voen or "").strip(), (residency.holder_voen or "").strip()
        if residency.status is ResidencyState.NONE:
            return Verdict("not_applicable", values)
        if not own:
            return Verdict("incomplete_applicant", values)
        if not holder:
            return Verdict("incomplete_holder", values)
        return Verdict("pass" if own == holder else "fail", values)


class ProductionStartedRule(Rule):
    """K-05: production runs. Not yet running is asked for, not refused; where no stage is known the date decides."""

    kind: Literal["production_started"]
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "incomplete_not_operating": Outcome.INCOMPLETE,
        "incomplete_no_start": Outcome.INCOMPLETE,
        "incomplete_future": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"stage", "started_on", "as_of"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        as_of = facts.as_of.isoformat()
        if facts.production is None or facts.residency is None:
            return Verdict("not_assessed", {"stage": None, "started_on": None, "as_of": as_of})
        stage, started = facts.residency.stage, facts.production.started_on
        values = {"stage": stage and stage.value, "started_on": day(started), "as_of": as_of}
        if stage is not None and stage is not SiteStage.OPERATING:
            return Verdict("incomplete_not_operating", values)
        if started is None:
            return Verdict("incomplete_no_start", values)
        return Verdict("pass" if started <= facts.as_of else "incomplete_future", values)


class ApplicantKindRule(Rule):
    """U-10: whether a natural person or a company applies, by the last digit of the VÖEN. Both may; fees differ."""

    kind: Literal["applicant_kind"]
    natural_fee_class: str = Field(pattern=r"^[a-z]+$")
    legal_fee_class: str = Field(pattern=r"^[a-z]+$")
    CASES: ClassVar = {
        "pass_natural": Outcome.PASS,
        "pass_legal": Outcome.PASS,
        "incomplete": Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"voen"})

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        if facts.applicant is None:
            return Verdict("not_assessed", {"voen": None})
        voen = facts.applicant.voen or ""
        values = {"voen": seen(facts.applicant.voen)}
        if not TEN_DIGITS.fullmatch(voen) or voen[-1] not in (NATURAL_PERSON, LEGAL_PERSON):
            return Verdict("incomplete", values)
        return Verdict("pass_natural" if voen[-1] == NATURAL_PERSON else "pass_legal", values)
