"""Counters without gaps, for serial numbers."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.database import Base


class Counter(Base):
    """A number without gaps: taken under a lock, inside the transaction that uses it."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(sa.BigInteger())


def next_number(session: Session, counter: str) -> int:
    """The next value of a counter, without gaps: the row stays locked until the transaction ends."""
    return next_numbers(session, counter, 1)[0]


def next_numbers(session: Session, counter: str, many: int) -> range:
    """The next `many` values of a counter, in the same way."""
    last: int = session.execute(_INCREMENT_COUNTER, {"name": counter, "many": many}).scalar_one()
    return range(last - many + 1, last + 1)


_INCREMENT_COUNTER = sa.text(
    "INSERT INTO counters (name, value) VALUES (:name, :many) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value RETURNING value"
)
