"""Judging every product of an application by the ruleset in force, and keeping what was said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository
from app.applications.assessment.dossier import Dossier, gather
from app.applications.model import Application
from app.core.database import new_id
from app.core.dates import baku_day, last_valid_day
from app.core.errors import NotFound
from app.core.messages import Message
from app.organisations import organisation_repository
from app.schemes import publishing
from app.schemes.evaluator import Assessment, Finding, assess
from app.schemes.ruleset import Ruleset


@dataclass(frozen=True, slots=True)
class Judged:
    """The dossier as of now, and what the ruleset in force says of each product."""

    mark: publishing.Mark
    dossier: Dossier
    assessments: Mapping[UUID, Assessment]

    @property
    def ruleset(self) -> Ruleset:
        return self.mark.ruleset

    def ends(self, product_id: UUID) -> list[date]:
        """Known ends of what a certificate for this product would rest on."""
        each = self.dossier.products[product_id]
        residency = each.residency if self.ruleset.rests_on_residency else None
        ends = [residency.ends_on if residency else None, self.assessments[product_id].holds_until]
        return [end for end in ends if end is not None]

    def last_day(self, product_id: UUID, first: date) -> date:
        """Last day of a certificate for this product that begins on the day."""
        return last_valid_day(first, self.mark.term_months, self.ends(product_id))

    def is_short(self, product_id: UUID, first: date) -> bool:
        """Whether a certificate would run for so few days that the applicant has to agree."""
        return (self.last_day(product_id, first) - first).days < self.ruleset.short_term_consent_days


def judge(session: Session, application: Application, now: datetime, *, hold: bool) -> Judged:
    organisation = organisation_repository.organisation(session, application.organisation_id, lock=hold)
    assert organisation is not None  # a foreign key
    mark = publishing.mark(session, application.scheme_code)
    dossier = gather(
        session,
        mark.ruleset,
        organisation,
        application_repository.product_ids(session, application.id),
        application_repository.evidence_for(session, organisation.id, application.id, hold=hold),
        baku_day(now),
        application=application,
        hold=hold,
    )
    return Judged(mark, dossier, {pid: assess(mark.ruleset, each.facts) for pid, each in dossier.products.items()})


def judge_products(
    session: Session, scheme_code: str, organisation_id: UUID, product_ids: list[UUID], now: datetime
) -> Judged:
    """The dry assessment: the same facts and rules as for an application, and nothing is kept. Of the evidence it has
    what the company laid before the house once for all."""
    organisation = organisation_repository.organisation(session, organisation_id)
    if organisation is None:
        raise NotFound.of("organisation")
    mark = publishing.mark(session, scheme_code)
    evidence = application_repository.evidence_for(session, organisation.id, None)
    dossier = gather(session, mark.ruleset, organisation, product_ids, evidence, baku_day(now))
    return Judged(mark, dossier, {pid: assess(mark.ruleset, each.facts) for pid, each in dossier.products.items()})


def keep(session: Session, application: Application, judged: Judged, occasion: str, now: datetime) -> None:
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


def as_reasons(product_id: UUID, findings: list[Finding]) -> list[dict[str, Any]]:
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


def short_terms(
    session: Session, application: Application, judged: Judged, granted: Sequence[UUID], first: date
) -> list[dict[str, Any]]:
    """Products whose certificate would run for a short time that the applicant has not accepted, with the last day."""
    short = {
        product_id: judged.last_day(product_id, first) for product_id in granted if judged.is_short(product_id, first)
    }
    if not short:
        return []
    accepted = [
        each
        for each in application_repository.information_requests(session, application.id)
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
