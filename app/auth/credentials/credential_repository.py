"""Query the authenticators of staff."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.auth.model import StaffCredential
from app.core.crypto.row_macs import authentic, is_authentic
from app.core.database import locked

_CREDENTIALS = (
    sa.select(StaffCredential)
    .where(StaffCredential.user_id == sa.bindparam("user_id"), StaffCredential.removed_at.is_(None))
    .order_by(StaffCredential.id)
)
_CREDENTIALS_LOCKED = locked(_CREDENTIALS)


def list_credentials(session: Session, user_id: UUID, *, lock: bool = False) -> Sequence[StaffCredential]:
    """Return the authenticators of a person that were not removed, oldest first."""
    rows = session.scalars(_CREDENTIALS_LOCKED if lock else _CREDENTIALS, {"user_id": user_id})
    return [row for row in rows if is_authentic(row)]


def list_all_unremoved(session: Session) -> Sequence[StaffCredential]:
    """Return the authenticators of everybody that were not removed, whether their rows count or not."""
    return session.scalars(sa.select(StaffCredential).where(StaffCredential.removed_at.is_(None))).all()


def had_credential(session: Session, user_id: UUID) -> bool:
    """Whether this person ever had an authenticator."""
    return session.scalar(sa.select(StaffCredential.id).where(StaffCredential.user_id == user_id).limit(1)) is not None


def find_credential(session: Session, credential_id: str) -> StaffCredential | None:
    """Return the authenticator with this credential id, removed or not."""
    return session.scalars(
        sa.select(StaffCredential).where(StaffCredential.credential_id == credential_id)
    ).one_or_none()


def find_own_credential(session: Session, user_id: UUID, row_id: UUID, *, lock: bool = False) -> StaffCredential | None:
    """Return an authenticator of this person by the id of its row."""
    query = sa.select(StaffCredential).where(StaffCredential.user_id == user_id, StaffCredential.id == row_id)
    return authentic(session.scalars(locked(query, lock)).one_or_none())
