"""Query the authorities that companies give to agents."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.auth.agents.model import AgentAuthority
from app.core.crypto.row_macs import authentic, is_authentic
from app.core.database import locked


def find_in_force(session: Session, agent_id: UUID, organisation_id: UUID, now: datetime) -> AgentAuthority | None:
    """Return the authority by which this person acts for this company now; of several, the one that ends last."""
    query = sa.select(AgentAuthority).where(
        AgentAuthority.agent_id == agent_id,
        AgentAuthority.organisation_id == organisation_id,
        AgentAuthority.ended_at.is_(None),
        AgentAuthority.valid_from <= now,
        AgentAuthority.valid_until > now,
    )
    rows = session.scalars(query.order_by(AgentAuthority.valid_until.desc(), AgentAuthority.id)).all()
    return next((row for row in rows if is_authentic(row)), None)


def find_authority(session: Session, authority_id: UUID, *, lock: bool = False) -> AgentAuthority | None:
    query = sa.select(AgentAuthority).where(AgentAuthority.id == authority_id)
    return authentic(session.scalars(locked(query, lock)).one_or_none())


def list_of_organisation(session: Session, organisation_id: UUID, limit: int) -> Sequence[AgentAuthority]:
    """Return the authorities that a company gave, newest first."""
    query = sa.select(AgentAuthority).where(AgentAuthority.organisation_id == organisation_id)
    rows = session.scalars(query.order_by(AgentAuthority.id.desc()).limit(limit)).all()
    return [row for row in rows if is_authentic(row)]


def count_open(session: Session, organisation_id: UUID, now: datetime) -> int:
    """Count the authorities of a company that have not ended."""
    query = sa.select(sa.func.count()).where(
        AgentAuthority.organisation_id == organisation_id,
        AgentAuthority.ended_at.is_(None),
        AgentAuthority.valid_until > now,
    )
    return session.scalar(query) or 0


def list_of_agent(session: Session, user_id: UUID, email: str, limit: int) -> Sequence[AgentAuthority]:
    """Return the authorities that a person accepted or is offered, newest first."""
    offered = sa.and_(AgentAuthority.email == email, AgentAuthority.agent_id.is_(None))
    query = sa.select(AgentAuthority).where(sa.or_(AgentAuthority.agent_id == user_id, offered))
    rows = session.scalars(query.order_by(AgentAuthority.id.desc()).limit(limit)).all()
    return [row for row in rows if is_authentic(row)]
