"""Judging every product of an application by the ruleset in force, and keeping what was said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository
from app.applications.assessment.dossier import Dossier, build_dossier
from app.applications.model import Application
from app.core.database import new_id
from app.core.dates import baku_day, last_valid_day
from app.core.errors import NotFound
from app.core.messages import Message
from app.organisations import organisation_repository
from app.schemes import publishing
from app.schemes.evaluator import Assessment, Finding, evaluate
from app.schemes.ruleset import Ruleset


@dataclass(frozen=True, slots=True)
class AssessmentRun:
    """The dossier as of now, and what the ruleset in force says of each product."""

    scheme: publishing.CurrentScheme
    dossier: Dossier
    assessments: Mapping[UUID, Assessment]

    @property
    def ruleset(self) -> Ruleset:
        return self.scheme.ruleset

    def limiting_dates(self, product_id: UUID) -> list[date]:
        """Known ends of what a certificate for this product would rest on."""
        each = self.dossier.products[product_id]
        residency = each.residency if self.ruleset.is_residency_based else None
        ends = [residency.ends_on if residency else None, self.assessments[product_id].holds_until]
        return [end for end in ends if end is not None]

    def last_valid_day(self, product_id: UUID, first: date) -> date:
        """Last day of a certificate for this product that begins on the day."""
        return last_valid_day(first, self.scheme.term_months, self.limiting_dates(product_id))

    def is_short_term(self, product_id: UUID, first: date) -> bool:
        """Whether a certificate would run for so few days that the applicant has to agree."""
        return (self.last_valid_day(product_id, first) - first).days < self.ruleset.short_term_consent_days


def run_assessment(session: Session, application: Application, now: datetime, *, hold: bool) -> AssessmentRun:
    organisation = organisation_repository.find_organisation(session, application.organisation_id, lock=hold)
    assert organisation is not None  # a foreign key
    mark = publishing.current_scheme(session, application.scheme_code)
    dossier = build_dossier(
        session,
        mark.ruleset,
        organisation,
        application_repository.product_ids(session, application.id),
        application_repository.list_usable_evidence(session, organisation.id, application.id, hold=hold),
        baku_day(now),
        application=application,
        hold=hold,
    )
    return AssessmentRun(
        mark, dossier, {pid: evaluate(mark.ruleset, each.facts) for pid, each in dossier.products.items()}
    )


def assess_products(
    session: Session, scheme_code: str, organisation_id: UUID, product_ids: list[UUID], now: datetime
) -> AssessmentRun:
    """The dry assessment: the same facts and rules as for an application, and nothing is kept. Of the evidence it has
    what the company laid before the house once for all."""
    organisation = organisation_repository.find_organisation(session, organisation_id)
    if organisation is None:
        raise NotFound.of("organisation")
    mark = publishing.current_scheme(session, scheme_code)
    evidence = application_repository.list_usable_evidence(session, organisation.id, None)
    dossier = build_dossier(session, mark.ruleset, organisation, product_ids, evidence, baku_day(now))
    return AssessmentRun(
        mark, dossier, {pid: evaluate(mark.ruleset, each.facts) for pid, each in dossier.products.items()}
    )


def save_assessments(
    session: Session, application: Application, judged: AssessmentRun, occasion: str, now: datetime
) -> None:
    application_repository.add_assessments(
        session,
        [
            {
                "id": new_id(),
                "application_id": application.id,
                "product_id": product_id,
                "occasion": occasion,
                "scheme_code": assessment.scheme,
                "ruleset_version": assessment.ruleset_version,
                "input_hash": assessment.input_hash,
                "outcome": assessment.outcome.value,
                "content": assessment.to_json(),
                "assessed_at": now,
            }
            for product_id, assessment in judged.assessments.items()
        ],
    )


def findings_json(product_id: UUID, findings: list[Finding]) -> list[dict[str, Any]]:
    """Findings as a refusal names them: every criterion, in words, with the rule's id and clause."""
    return [
        {
            "product_id": str(product_id),
            "rule": finding.rule,
            "clause": finding.clause,
            "outcome": finding.outcome.value,
            "reason": finding.reason,
        }
        for finding in findings
    ]


def short_term_products(
    session: Session, application: Application, judged: AssessmentRun, granted: Sequence[UUID], first: date
) -> list[dict[str, Any]]:
    """Products whose certificate would run for a short time that the applicant has not accepted, with the last day."""
    short = {
        product_id: judged.last_valid_day(product_id, first)
        for product_id in granted
        if judged.is_short_term(product_id, first)
    }
    if not short:
        return []
    accepted = [
        each
        for each in application_repository.list_information_requests(session, application.id)
        if each.accepts and each.accepted_until
    ]
    return [
        {
            "product_id": str(product_id),
            "valid_until": end.isoformat(),
            "days": max((end - first).days, 0),
            "reason": Message(
                "It would run only until %(valid_until)s, %(count)s day.",
                many="It would run only until %(valid_until)s, %(count)s days.",
                valid_until=end.isoformat(),
                count=max((end - first).days, 0),
            ),
        }
        for product_id, end in short.items()
        if not any(
            each.product_id in (None, product_id) and each.accepted_until is not None and each.accepted_until <= end
            for each in accepted
        )
    ]
