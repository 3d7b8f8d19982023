"""Query what is followed by mail."""

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.database import locked
from app.watches.model import Watch


def find_watch_by_hash(session: Session, token_hash: str, *, lock: bool = False) -> Watch | None:
    query = sa.select(Watch).where(Watch.token_hash == token_hash)
    return session.scalars(locked(query, lock)).one_or_none()


def list_confirmed(session: Session, values: Collection[str]) -> Sequence[Watch]:
    """Return confirmed watches of these values, of whatever kind."""
    query = sa.select(Watch).where(Watch.value.in_(values), Watch.confirmed_at.is_not(None))
    return session.scalars(query.order_by(Watch.id)).all()


def delete_doubles(session: Session, watch: Watch) -> None:
    """Delete other watches of the same address for the same thing."""
    session.execute(
        sa.delete(Watch).where(
            Watch.email == watch.email, Watch.kind == watch.kind, Watch.value == watch.value, Watch.id != watch.id
        )
    )


def count_of_address(session: Session, email: str) -> int:
    query = sa.select(sa.func.count()).select_from(Watch)
    return session.scalar(query.where(Watch.email == email, Watch.confirmed_at.is_not(None))) or 0


def has_unconfirmed_before(session: Session, before: datetime) -> bool:
    """Whether `delete_unconfirmed_before` would delete watches."""
    return bool(session.scalar(sa.select(sa.exists().where(*_unconfirmed_before(before)))))


def delete_unconfirmed_before(session: Session, before: datetime) -> None:
    session.execute(sa.delete(Watch).where(*_unconfirmed_before(before)))


def _unconfirmed_before(before: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return Watch.confirmed_at.is_(None), Watch.created_at < before
