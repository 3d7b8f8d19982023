"""Query what registers of others answered."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.organisations.model import RegisterAnswer


def is_taken(session: Session, register: str, sha256: str) -> bool:
    """Whether this content was taken at any time."""
    query = sa.select(RegisterAnswer.id).where(RegisterAnswer.register == register, RegisterAnswer.sha256 == sha256)
    return session.execute(query.limit(1)).first() is not None


def newest_answer(session: Session, register: str) -> RegisterAnswer | None:
    """Return the answer that was taken last."""
    query = sa.select(RegisterAnswer).where(RegisterAnswer.register == register)
    return session.scalars(query.order_by(RegisterAnswer.received_at.desc(), RegisterAnswer.id.desc()).limit(1)).first()
