"""Query earlier decisions by HS heading."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.applications.model import DecidedProduct, Decision


@dataclass(frozen=True, slots=True)
class PrecedentQuery:
    """Select earlier decisions on HS headings under one mark, of one company, of all others, or of all."""

    scheme_code: str
    headings: frozenset[str]
    excluded_application_id: UUID  # the application that precedents are listed for
    before_decision_id: UUID | None = None  # the decision of that application, if there is one
    organisation_id: UUID | None = None
    excluded_organisation_id: UUID | None = None

    def organisation_conditions(self) -> list[sa.ColumnElement[bool]]:
        precedent_query = []
        if self.organisation_id is not None:
            precedent_query.append(DecidedProduct.organisation_id == self.organisation_id)
        if self.excluded_organisation_id is not None:
            precedent_query.append(DecidedProduct.organisation_id != self.excluded_organisation_id)
        return precedent_query


def list_decisions(
    session: Session, precedent_query: PrecedentQuery, before: UUID | None, limit: int
) -> Sequence[Decision]:
    """List decisions on products of the headings under the mark, newest first."""
    there = sa.exists().where(
        DecidedProduct.decision_id == Decision.id,
        DecidedProduct.scheme_code == precedent_query.scheme_code,
        DecidedProduct.hs4.in_(precedent_query.headings),
        *precedent_query.organisation_conditions(),
    )
    query = (
        sa.select(Decision)
        .where(there, Decision.application_id != precedent_query.excluded_application_id)
        .order_by(Decision.id.desc())
    )
    for bound in (precedent_query.before_decision_id, before):
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


def count_decided_products(session: Session, precedent_query: PrecedentQuery) -> dict[tuple[str, str], int]:
    """Return (heading, outcome) → number of decided products."""
    query = (
        sa.select(DecidedProduct.hs4, DecidedProduct.outcome, sa.func.count())
        .join(Decision, Decision.id == DecidedProduct.decision_id)
        .where(
            DecidedProduct.scheme_code == precedent_query.scheme_code,
            DecidedProduct.hs4.in_(precedent_query.headings),
            Decision.application_id != precedent_query.excluded_application_id,
            *precedent_query.organisation_conditions(),
        )
        .group_by(DecidedProduct.hs4, DecidedProduct.outcome)
    )
    if precedent_query.before_decision_id is not None:
        query = query.where(Decision.id < precedent_query.before_decision_id)
    return {(row[0], row[1]): row[2] for row in session.execute(query)}
