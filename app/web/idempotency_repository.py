"""Stored responses of writes with an `Idempotency-Key`: the table and its queries."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.database import Base, UtcDateTime


class IdempotencyRecord(Base):
    """The answer to a write that named an `Idempotency-Key`, kept in the transaction of that write for its retries."""

    __tablename__ = "kept_answers"

    principal: Mapped[str] = mapped_column(primary_key=True, comment="user:<id>, client:<id> or anonymous")
    route: Mapped[str] = mapped_column(primary_key=True, comment="method and path")
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(comment="SHA-256 of the request without its secrets")
    status: Mapped[int | None] = mapped_column(comment="null only inside the transaction that works")
    headers: Mapped[dict[str, str] | None]
    body: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(index=True)


def claim_key(
    session: Session, *, principal: str, route: str, key: str, fingerprint: str, now: datetime
) -> IdempotencyRecord | None:
    """Take the key for this write, or the answer that was kept for it.

    Of two at once the second waits here for the commit of the first (the primary key on PostgreSQL, the one writer on
    SQLite), and then finds its answer; if the first failed, the key is free again.
    """
    taken = session.execute(
        sa.text(
            "INSERT INTO kept_answers (principal, route, key, fingerprint, created_at) "
            "VALUES (:principal, :route, :key, :fingerprint, :now) ON CONFLICT DO NOTHING RETURNING key"
        ).bindparams(sa.bindparam("now", type_=UtcDateTime())),
        {"principal": principal, "route": route, "key": key, "fingerprint": fingerprint, "now": now},
    ).first()
    if taken is not None:
        return None
    return session.get(IdempotencyRecord, (principal, route, key))


def store_response(
    session: Session, *, principal: str, route: str, key: str, status: int, headers: dict[str, str], body: str
) -> None:
    session.execute(
        sa.update(IdempotencyRecord)
        .where(IdempotencyRecord.principal == principal, IdempotencyRecord.route == route, IdempotencyRecord.key == key)
        .values(status=status, headers=headers, body=body)
    )


def release_key(session: Session, *, principal: str, route: str, key: str) -> None:
    """Give the key back: this answer is not one to be repeated."""
    session.execute(
        sa.delete(IdempotencyRecord).where(
            IdempotencyRecord.principal == principal, IdempotencyRecord.route == route, IdempotencyRecord.key == key
        )
    )


def has_expired_records(session: Session, before: datetime) -> bool:
    return bool(session.scalar(sa.select(sa.exists().where(IdempotencyRecord.created_at < before))))


def delete_expired_records(session: Session, before: datetime) -> None:
    """Retries come within a day; older answers go."""
    session.execute(sa.delete(IdempotencyRecord).where(IdempotencyRecord.created_at < before))
