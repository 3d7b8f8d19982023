"""Assess every product of an application under the ruleset in force, and store the results."""

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
    """Hold the dossier as of now and the assessment of each product under the ruleset in force."""

    scheme: publishing.CurrentScheme
    dossier: Dossier
    assessments: Mapping[UUID, Assessment]

    @property
    def ruleset(self) -> Ruleset:
        return self.scheme.ruleset

    def limiting_dates(self, product_id: UUID) -> list[date]:
        """Return the known end dates of everything that a certificate for the product depends on."""
        each = self.dossier.products[product_id]
        residency = each.residency if self.ruleset.is_residency_based else None
        ends = [residency.ends_on if residency else None, self.assessments[product_id].holds_until]
        return [end for end in ends if end is not None]

    def last_valid_day(self, product_id: UUID, first: date) -> date:
        """Return the last valid day, inclusive, of a certificate that begins on `first`."""
        return last_valid_day(first, self.scheme.term_months, self.limiting_dates(product_id))

    def is_short_term(self, product_id: UUID, first: date) -> bool:
        """Return whether a certificate would be so short that the applicant must accept its term."""
        return (self.last_valid_day(product_id, first) - first).days < self.ruleset.short_term_consent_days


def run_assessment(session: Session, application: Application, now: datetime, *, for_share: bool) -> AssessmentRun:
    organisation = organisation_repository.find_organisation(session, application.organisation_id, lock=for_share)
    assert organisation is not None  # a foreign key
    mark = publishing.current_scheme(session, application.scheme_code)
    dossier = build_dossier(
        session,
        mark.ruleset,
        organisation,
        application_repository.product_ids(session, application.id),
        application_repository.list_usable_evidence(session, organisation.id, application.id, for_share=for_share),
        baku_day(now),
        application=application,
        for_share=for_share,
    )
    return AssessmentRun(
        mark, dossier, {pid: evaluate(mark.ruleset, each.facts) for pid, each in dossier.products.items()}
    )


def assess_products(
    session: Session, scheme_code: str, organisation_id: UUID, product_ids: list[UUID], now: datetime
) -> AssessmentRun:
    """Run a dry assessment with the same facts and rules; nothing is stored.

    Of the evidence, only the company's documents for all applications are used.
    """
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
    session: Session, application: Application, run: AssessmentRun, occasion: str, now: datetime
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
            for product_id, assessment in run.assessments.items()
        ],
    )


def findings_json(product_id: UUID, findings: list[Finding]) -> list[dict[str, Any]]:
    """Serialize findings for an error response: rule id, clause and reason."""
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
    session: Session, application: Application, run: AssessmentRun, granted: Sequence[UUID], first: date
) -> list[dict[str, Any]]:
    """Return products with a short term that the applicant has not accepted, each with its last valid day."""
    short = {
        product_id: run.last_valid_day(product_id, first)
        for product_id in granted
        if run.is_short_term(product_id, first)
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
