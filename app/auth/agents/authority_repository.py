"""Query the authorities that companies give to agents."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.auth.agents.model import Authority
from app.core.crypto.row_macs import authentic, is_authentic
from app.core.database import locked


def find_in_force(session: Session, agent_id: UUID, organisation_id: UUID, now: datetime) -> Authority | None:
    """Return the authority by which this person acts for this company now; of several, the one that ends last."""
    query = sa.select(Authority).where(
        Authority.agent_id == agent_id,
        Authority.organisation_id == organisation_id,
        Authority.ended_at.is_(None),
        Authority.valid_from <= now,
        Authority.valid_until > now,
    )
    rows = session.scalars(query.order_by(Authority.valid_until.desc(), Authority.id)).all()
    return next((row for row in rows if is_authentic(row)), None)


def find_authority(session: Session, authority_id: UUID, *, lock: bool = False) -> Authority | None:
    query = sa.select(Authority).where(Authority.id == authority_id)
    return authentic(session.scalars(locked(query, lock)).one_or_none())


def list_of_organisation(session: Session, organisation_id: UUID, limit: int) -> Sequence[Authority]:
    """Return the authorities that a company gave, newest first."""
    query = sa.select(Authority).where(Authority.organisation_id == organisation_id)
    rows = session.scalars(query.order_by(Authority.id.desc()).limit(limit)).all()
    return [row for row in rows if is_authentic(row)]


def count_open(session: Session, organisation_id: UUID, now: datetime) -> int:
    """Count the authorities of a company that have not ended."""
    query = sa.select(sa.func.count()).where(
        Authority.organisation_id == organisation_id, Authority.ended_at.is_(None), Authority.valid_until > now
    )
    return session.scalar(query) or 0


def list_of_agent(session: Session, user_id: UUID, email: str, limit: int) -> Sequence[Authority]:
    """Return the authorities that a person accepted or is offered, newest first."""
    offered = sa.and_(Authority.email == email, Authority.agent_id.is_(None))
    query = sa.select(Authority).where(sa.or_(Authority.agent_id == user_id, offered))
    rows = session.scalars(query.order_by(Authority.id.desc()).limit(limit)).all()
    return [row for row in rows if is_authentic(row)]
