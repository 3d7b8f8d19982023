"""Query the cosignatures of witnesses."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.transparency.model import LogCosignature


def list_cosignatures(session: Session, first_size: int, limit: int) -> Sequence[LogCosignature]:
    """Return the rows of checkpoints of at least this size, the largest first."""
    query = sa.select(LogCosignature).where(LogCosignature.size >= first_size)
    return session.scalars(query.order_by(LogCosignature.size.desc(), LogCosignature.witness).limit(limit)).all()


def list_cosignatures_of(session: Session, size: int) -> Sequence[LogCosignature]:
    query = sa.select(LogCosignature).where(LogCosignature.size == size)
    return session.scalars(query.order_by(LogCosignature.witness)).all()


def last_sizes(session: Session) -> dict[str, int]:
    """Return the largest size that each witness cosigned."""
    largest = sa.func.max(LogCosignature.size).label("largest")
    query = sa.select(LogCosignature.witness, largest).group_by(LogCosignature.witness)
    return {row.witness: row.largest for row in session.execute(query)}


def put_cosignature(
    session: Session, *, size: int, witness: str, checkpoint: str, line: str, received_at: datetime
) -> None:
    """Store a line; a later one of the same witness for the same size replaces it."""
    row = session.get(LogCosignature, (size, witness)) or LogCosignature(size=size, witness=witness)
    row.checkpoint, row.line, row.received_at = checkpoint, line, received_at
    session.add(row)


def delete_cosignatures_before(session: Session, size: int) -> None:
    session.execute(sa.delete(LogCosignature).where(LogCosignature.size < size))
