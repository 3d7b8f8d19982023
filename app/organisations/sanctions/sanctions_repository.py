"""Query sanctions lists and what people decided about resemblances."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.organisations.model import SanctionsDecision, SanctionsList

_NEWEST = sa.select(SanctionsList.sha256, SanctionsList.threshold, SanctionsList.loaded_at, SanctionsList.id)


def newest_list(session: Session) -> tuple[str, int, object, UUID] | None:
    """Return hash, threshold, time of loading and id of the newest version, without its entries."""
    row = session.execute(_NEWEST.order_by(SanctionsList.loaded_at.desc(), SanctionsList.id.desc()).limit(1)).first()
    return None if row is None else (row.sha256, row.threshold, row.loaded_at, row.id)


def get_list(session: Session, list_id: UUID) -> SanctionsList:
    return session.get_one(SanctionsList, list_id)


def list_decisions(session: Session, organisation_id: UUID) -> Sequence[SanctionsDecision]:
    """Return all decisions about a company, the oldest first."""
    query = sa.select(SanctionsDecision).where(SanctionsDecision.organisation_id == organisation_id)
    return session.scalars(query.order_by(SanctionsDecision.decided_at, SanctionsDecision.id)).all()
