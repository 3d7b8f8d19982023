"""Queries over reports of misuse."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from app.certificates.model import Report


def reports(session: Session, *, after: UUID | None, limit: int) -> Sequence[Report]:
    """Oldest first, without their photos."""
    query = sa.select(Report).options(defer(Report.photo, raiseload=True)).order_by(Report.id).limit(limit)
    if after is not None:
        query = query.where(Report.id > after)
    return session.scalars(query).all()


def report(session: Session, report_id: UUID) -> Report | None:
    return session.get(Report, report_id)
