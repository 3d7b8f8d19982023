"""Judging every product of an application by the ruleset in force, and keeping what was said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import store
from app.applications.facts import Dossier, gather
from app.applications.model import Application
from app.db import new_id
from app.errors import NotFound
from app.registry import store as registry
from app.registry.days import day_in_baku
from app.schemes import service as schemes
from app.schemes.eligibility import Assessment, Finding, assess
from app.schemes.ruleset import Ruleset


@dataclass(frozen=True, slots=True)
class Judged:
    """The dossier as of now, and what the ruleset in force says of each product."""

    mark: schemes.Mark
    dossier: Dossier
    assessments: Mapping[UUID, Assessment]

    @property
    def ruleset(self) -> Ruleset:
        return self.mark.ruleset


def judge(session: Session, application: Application, now: datetime, *, hold: bool) -> Judged:
    organisation = registry.organisation(session, application.organisation_id, lock=hold)
    assert organisation is not None  # a foreign key
    mark = schemes.mark(session, application.scheme_code)
    dossier = gather(
        session,
        mark.ruleset,
        organisation,
        store.product_ids(session, application.id),
        store.evidence_for(session, organisation.id, application.id, hold=hold),
        day_in_baku(now),
        application=application,
        hold=hold,
    )
    return Judged(mark, dossier, {pid: assess(mark.ruleset, each.facts) for pid, each in dossier.products.items()})


def judge_products(
    session: Session, scheme_code: str, organisation_id: UUID, product_ids: list[UUID], now: datetime
) -> Judged:
    """The dry assessment: the same facts and rules as for an application, and nothing is kept. Of the evidence it has
    what the company laid before the house once for all."""
    organisation = registry.organisation(session, organisation_id)
    if organisation is None:
        raise NotFound.of("organisation")
    mark = schemes.mark(session, scheme_code)
    evidence = store.evidence_for(session, organisation.id, None)
    dossier = gather(session, mark.ruleset, organisation, product_ids, evidence, day_in_baku(now))
    return Judged(mark, dossier, {pid: assess(mark.ruleset, each.facts) for pid, each in dossier.products.items()})


def keep(session: Session, application: Application, judged: Judged, occasion: str, now: datetime) -> None:
    store.add_assessments(
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
