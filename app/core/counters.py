"""Draw serial numbers without gaps from named counters."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.database import Base


class Counter(Base):
    """The last number drawn from a named counter. Its row is locked by the transaction that draws a number."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(sa.BigInteger())


def next_number(session: Session, counter: str) -> int:
    """Return the next value of a counter. The row stays locked until the transaction ends, so there are no gaps."""
    return next_numbers(session, counter, 1)[0]


def next_numbers(session: Session, counter: str, count: int) -> range:
    """Return the next `count` values of a counter; see `next_number`."""
    last: int = session.execute(_INCREMENT_COUNTER, {"name": counter, "count": count}).scalar_one()
    return range(last - count + 1, last + 1)


_INCREMENT_COUNTER = sa.text(
    "INSERT INTO counters (name, value) VALUES (:name, :count) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value RETURNING value"
)
