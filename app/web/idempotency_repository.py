"""Store and query responses of writes with an `Idempotency-Key`."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.database import Base, UtcDateTime


class IdempotencyRecord(Base):
    """Store the response to a write with an `Idempotency-Key`, in the transaction of the write, for retries."""

    __tablename__ = "idempotency_records"

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
    """Claim the key for this write, or return the stored response.

    Of two concurrent requests the second waits for the commit of the first (primary key on PostgreSQL, single writer on
    SQLite) and then finds its response; if the first failed, the key is free again.
    """
    taken = session.execute(
        sa.text(
            "INSERT INTO idempotency_records (principal, route, key, fingerprint, created_at) "
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
    """Release the key: this response must not be replayed."""
    session.execute(
        sa.delete(IdempotencyRecord).where(
            IdempotencyRecord.principal == principal, IdempotencyRecord.route == route, IdempotencyRecord.key == key
        )
    )


def has_expired_records(session: Session, before: datetime) -> bool:
    return bool(session.scalar(sa.select(sa.exists().where(IdempotencyRecord.created_at < before))))


def delete_expired_records(session: Session, before: datetime) -> None:
    """Delete records older than a day; retries come within that time."""
    session.execute(sa.delete(IdempotencyRecord).where(IdempotencyRecord.created_at < before))
