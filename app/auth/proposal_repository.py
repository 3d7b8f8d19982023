"""Query proposals. An expired one is stored as proposed: its state is computed from its dates."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.auth.model import Proposal, ProposalState
from app.core.crypto.row_macs import authentic
from app.core.database import page_of

_PROPOSED = Proposal.state == ProposalState.PROPOSED.value


def find_proposal(session: Session, proposal_id: UUID, *, lock: bool = False) -> Proposal | None:
    """Return a proposal as the service wrote it; None for a row that was made or changed past it."""
    if not lock:
        return authentic(session.get(Proposal, proposal_id))
    return authentic(session.get(Proposal, proposal_id, with_for_update=True, populate_existing=True))


def list_proposals(
    session: Session, *, state: ProposalState | None, kind: str | None, now: datetime, after: UUID | None, limit: int
) -> Sequence[Proposal]:
    """Return proposals, oldest first, in this state at this moment."""
    query = sa.select(Proposal)
    if state is ProposalState.PROPOSED:
        query = query.where(_PROPOSED, Proposal.expires_at > now)
    elif state is ProposalState.EXPIRED:
        query = query.where(_PROPOSED, Proposal.expires_at <= now)
    elif state is not None:
        query = query.where(Proposal.state == state.value)
    if kind is not None:
        query = query.where(Proposal.kind == kind)
    return page_of(session, query, Proposal.id, after, limit)


def lock_open_proposals_of_user(session: Session, user_id: UUID, now: datetime) -> Sequence[Proposal]:
    """Lock and return the open proposals about this person or by them."""
    query = sa.select(Proposal).where(
        _PROPOSED, Proposal.expires_at > now, sa.or_(Proposal.user_id == user_id, Proposal.proposed_by == user_id)
    )
    return session.scalars(query.order_by(Proposal.id).with_for_update()).all()


def confirmed_about(session: Session, kind: str, subject_ids: Sequence[str]) -> dict[str, list[Proposal]]:
    """Return the confirmed proposals of a kind about each subject; a subject without one is left out."""
    query = sa.select(Proposal).where(
        Proposal.kind == kind, Proposal.subject_id.in_(subject_ids), Proposal.state == ProposalState.CONFIRMED.value
    )
    found: dict[str, list[Proposal]] = {}
    for row in session.scalars(query.order_by(Proposal.id)):
        found.setdefault(row.subject_id, []).append(row)
    return found


def confirmed_ids(session: Session, ids: Sequence[UUID]) -> set[UUID]:
    """Return those of these proposals that are confirmed."""
    query = sa.select(Proposal.id).where(Proposal.id.in_(ids), Proposal.state == ProposalState.CONFIRMED.value)
    return set(session.scalars(query))
