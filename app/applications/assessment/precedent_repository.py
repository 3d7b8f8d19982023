"""Queries over what was decided before, by HS heading."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.applications.model import DecidedProduct, Decision


@dataclass(frozen=True, slots=True)
class Precedents:
    """Earlier decisions: on these headings, under this mark, of one company, of all but it, or of both."""

    scheme_code: str
    headings: frozenset[str]
    but: UUID  # the application that is asked about
    before: UUID | None = None  # its own decision, if there is one
    company: UUID | None = None
    others_than: UUID | None = None

    def companies(self) -> list[sa.ColumnElement[bool]]:
        asked = []
        if self.company is not None:
            asked.append(DecidedProduct.organisation_id == self.company)
        if self.others_than is not None:
            asked.append(DecidedProduct.organisation_id != self.others_than)
        return asked


def decided_on(session: Session, asked: Precedents, before: UUID | None, limit: int) -> Sequence[Decision]:
    """Decisions on products of these headings under this mark, newest first."""
    there = sa.exists().where(
        DecidedProduct.decision_id == Decision.id,
        DecidedProduct.scheme_code == asked.scheme_code,
        DecidedProduct.hs4.in_(asked.headings),
        *asked.companies(),
    )
    query = sa.select(Decision).where(there, Decision.application_id != asked.but).order_by(Decision.id.desc())
    for bound in (asked.before, before):
        if bound is not None:
            query = query.where(Decision.id < bound)
    return session.scalars(query.limit(limit)).all()


def decided_products(
    session: Session, decision_ids: Sequence[UUID], headings: Collection[str]
) -> Sequence[DecidedProduct]:
    query = sa.select(DecidedProduct).where(
        DecidedProduct.decision_id.in_(decision_ids), DecidedProduct.hs4.in_(headings)
    )
    return session.scalars(query.order_by(DecidedProduct.decision_id.desc(), DecidedProduct.product_id)).all()


def decided_counts(session: Session, asked: Precedents) -> dict[tuple[str, str], int]:
    """(heading, outcome) → how many products were decided so."""
    query = (
        sa.select(DecidedProduct.hs4, DecidedProduct.outcome, sa.func.count())
        .join(Decision, Decision.id == DecidedProduct.decision_id)
        .where(
            DecidedProduct.scheme_code == asked.scheme_code,
            DecidedProduct.hs4.in_(asked.headings),
            Decision.application_id != asked.but,
            *asked.companies(),
        )
        .group_by(DecidedProduct.hs4, DecidedProduct.outcome)
    )
    if asked.before is not None:
        query = query.where(Decision.id < asked.before)
    return {(row[0], row[1]): row[2] for row in session.execute(query)}
