"""Queries over what was decided before, by HS heading."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.applications.model import DecidedProduct, Decision


@dataclass(frozen=True, slots=True)
class PrecedentQuery:
    """Earlier decisions: on these headings, under this mark, of one company, of all but it, or of both."""

    scheme_code: str
    headings: frozenset[str]
    excluded_application_id: UUID  # the application that is asked about
    before_decision_id: UUID | None = None  # its own decision, if there is one
    organisation_id: UUID | None = None
    excluded_organisation_id: UUID | None = None

    def organisation_conditions(self) -> list[sa.ColumnElement[bool]]:
        asked = []
        if self.organisation_id is not None:
            asked.append(DecidedProduct.organisation_id == self.organisation_id)
        if self.excluded_organisation_id is not None:
            asked.append(DecidedProduct.organisation_id != self.excluded_organisation_id)
        return asked


def list_decisions(session: Session, asked: PrecedentQuery, before: UUID | None, limit: int) -> Sequence[Decision]:
    """Decisions on products of these headings under this mark, newest first."""
    there = sa.exists().where(
        DecidedProduct.decision_id == Decision.id,
        DecidedProduct.scheme_code == asked.scheme_code,
        DecidedProduct.hs4.in_(asked.headings),
        *asked.organisation_conditions(),
    )
    query = (
        sa.select(Decision)
        .where(there, Decision.application_id != asked.excluded_application_id)
        .order_by(Decision.id.desc())
    )
    for bound in (asked.before_decision_id, before):
        if bound is not None:
            query = query.where(Decision.id < bound)
    return session.scalars(query.limit(limit)).all()


def list_decided_products(
    session: Session, decision_ids: Sequence[UUID], headings: Collection[str]
) -> Sequence[DecidedProduct]:
    query = sa.select(DecidedProduct).where(
        DecidedProduct.decision_id.in_(decision_ids), DecidedProduct.hs4.in_(headings)
    )
    return session.scalars(query.order_by(DecidedProduct.decision_id.desc(), DecidedProduct.product_id)).all()


def count_decided_products(session: Session, asked: PrecedentQuery) -> dict[tuple[str, str], int]:
    """(heading, outcome) → how many products were decided so."""
    query = (
        sa.select(DecidedProduct.hs4, DecidedProduct.outcome, sa.func.count())
        .join(Decision, Decision.id == DecidedProduct.decision_id)
        .where(
            DecidedProduct.scheme_code == asked.scheme_code,
            DecidedProduct.hs4.in_(asked.headings),
            Decision.application_id != asked.excluded_application_id,
            *asked.organisation_conditions(),
        )
        .group_by(DecidedProduct.hs4, DecidedProduct.outcome)
    )
    if asked.before_decision_id is not None:
        query = query.where(Decision.id < asked.before_decision_id)
    return {(row[0], row[1]): row[2] for row in session.execute(query)}
