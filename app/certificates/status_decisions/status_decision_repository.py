"""Store and query decisions on the status of certificates."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.certificates.model import StatusDecision, Suspension
from app.core import canonical_json
from app.core.database import new_id


def add_status_decision(
    session: Session,
    certificate_id: UUID,
    document: Mapping[str, Any],
    confirmation: Mapping[str, Any] | None,
    now: datetime,
) -> str:
    """Add the decision with its document; return the hash of the document."""
    sha256 = canonical_json.digest(document)
    session.add(
        StatusDecision(
            id=new_id(),
            certificate_id=certificate_id,
            act=document["act"],
            document=dict(document),
            sha256=sha256,
            confirmation=None if confirmation is None else dict(confirmation),
            decided_at=now,
        )
    )
    return sha256


def status_decisions_of(session: Session, certificate_ids: Sequence[UUID]) -> dict[UUID, list[StatusDecision]]:
    """Return the decisions on these certificates in the order of their ids."""
    query = sa.select(StatusDecision).where(StatusDecision.certificate_id.in_(certificate_ids))
    found: dict[UUID, list[StatusDecision]] = defaultdict(list)
    for row in session.scalars(query.order_by(StatusDecision.id)):
        found[row.certificate_id].append(row)
    return found


def suspensions_of(session: Session, certificate_ids: Sequence[UUID]) -> dict[UUID, list[Suspension]]:
    """Return all causes for which these certificates are or were suspended."""
    query = sa.select(Suspension).where(Suspension.certificate_id.in_(certificate_ids))
    found: dict[UUID, list[Suspension]] = defaultdict(list)
    for row in session.scalars(query.order_by(Suspension.id)):
        found[row.certificate_id].append(row)
    return found
