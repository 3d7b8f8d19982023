"""Queries over users, roles, clients and guesses."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access.model import ApiClient, Guesses, KeptAnswer, StaffRole, User
from app.actor import Role
from app.db import UtcDateTime


def user_by_email(session: Session, email: str) -> User | None:
    return session.scalars(sa.select(User).where(User.email == email)).one_or_none()


def user(session: Session, user_id: UUID) -> User | None:
    return session.get(User, user_id)


def users(session: Session, ids: Sequence[UUID]) -> dict[UUID, User]:
    return {u.id: u for u in session.scalars(sa.select(User).where(User.id.in_(ids)))}


def roles_of(session: Session, user_id: UUID) -> frozenset[Role]:
    return frozenset(Role(r) for r in session.scalars(sa.select(StaffRole.role).where(StaffRole.user_id == user_id)))


def members(session: Session, organisation_id: UUID) -> Sequence[User]:
    query = sa.select(User).where(User.organisation_id == organisation_id).order_by(User.id)
    return session.scalars(query).all()


def client_by_public_id(session: Session, client_id: str) -> ApiClient | None:
    return session.scalars(sa.select(ApiClient).where(ApiClient.client_id == client_id)).one_or_none()


def client(session: Session, client_id: UUID) -> ApiClient | None:
    return session.get(ApiClient, client_id)


def client_of(session: Session, organisation_id: UUID, client_id: UUID) -> ApiClient | None:
    query = sa.select(ApiClient).where(ApiClient.id == client_id, ApiClient.organisation_id == organisation_id)
    return session.scalars(query).one_or_none()


def clients_of(session: Session, organisation_id: UUID, after: UUID | None, limit: int) -> Sequence[ApiClient]:
    query = sa.select(ApiClient).where(ApiClient.organisation_id == organisation_id).order_by(ApiClient.id).limit(limit)
    if after:
        query = query.where(ApiClient.id > after)
    return session.scalars(query).all()


def failures(session: Session, key: str, since: datetime) -> int:
    query = sa.select(Guesses.failures).where(Guesses.key == key, Guesses.window_start >= since)
    return session.scalar(query) or 0


def add_failure(session: Session, key: str, now: datetime, since: datetime) -> None:
    """Count one more; a window that is over starts anew. Locked, so that parallel guesses all count."""
    row = session.get(Guesses, key, with_for_update=True)
    if row is None:
        session.add(Guesses(key=key, window_start=now, failures=1))
    elif row.window_start < since:
        row.window_start, row.failures = now, 1
    else:
        row.failures += 1


def clear_failures(session: Session, key: str) -> None:
    session.execute(sa.delete(Guesses).where(Guesses.key == key))


def touch_client(session: Session, client_id: UUID, now: datetime) -> None:
    """Note the last use of a client."""
    session.execute(sa.update(ApiClient).where(ApiClient.id == client_id).values(last_used_at=now))


def claim_answer(
    session: Session, *, principal: str, route: str, key: str, fingerprint: str, now: datetime
) -> KeptAnswer | None:
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
    return session.get(KeptAnswer, (principal, route, key))


def keep_answer(
    session: Session, *, principal: str, route: str, key: str, status: int, headers: dict[str, str], body: str
) -> None:
    session.execute(
        sa.update(KeptAnswer)
        .where(KeptAnswer.principal == principal, KeptAnswer.route == route, KeptAnswer.key == key)
        .values(status=status, headers=headers, body=body)
    )


def free_answer(session: Session, *, principal: str, route: str, key: str) -> None:
    """Give the key back: this answer is not one to be repeated."""
    session.execute(
        sa.delete(KeptAnswer).where(KeptAnswer.principal == principal, KeptAnswer.route == route, KeptAnswer.key == key)
    )


def forget_answers(session: Session, before: datetime) -> None:
    """Retries come within a day; older answers go."""
    session.execute(sa.delete(KeptAnswer).where(KeptAnswer.created_at < before))
