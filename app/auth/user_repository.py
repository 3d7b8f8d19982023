"""Query users, roles and failed log-ins."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.auth.model import FailedLogins, StaffRole, User
from app.auth.role_log import is_granted
from app.core.actor import Role
from app.core.crypto.row_macs import is_authentic
from app.core.database import UtcDateTime, page_of


def find_user_by_email(session: Session, email: str) -> User | None:
    return session.scalars(sa.select(User).where(User.email == email)).one_or_none()


def find_user(session: Session, user_id: UUID) -> User | None:
    return session.get(User, user_id)


def find_users(session: Session, ids: Sequence[UUID]) -> dict[UUID, User]:
    return {u.id: u for u in session.scalars(sa.select(User).where(User.id.in_(ids)))}


def list_emails_with_suffix(session: Session, ending: str) -> Sequence[str]:
    """Return up to ten e-mail addresses of active users with this ending, such as `.example`."""
    query = sa.select(User.email).where(User.email.endswith(ending, autoescape=True), User.active)
    return session.scalars(query.order_by(User.email).limit(10)).all()


def get_roles(session: Session, user_id: UUID) -> frozenset[Role]:
    """Return the roles of a user; rows without the right MAC, and those that the log does not give, give none."""
    return frozenset(get_roles_of_users(session, [user_id]).get(user_id, ()))


def list_members(session: Session, organisation_id: UUID) -> Sequence[User]:
    query = sa.select(User).where(User.organisation_id == organisation_id).order_by(User.id)
    return session.scalars(query).all()


def get_failure_count(session: Session, key: str, since: datetime) -> int:
    query = sa.select(FailedLogins.failures).where(FailedLogins.key == key, FailedLogins.window_start >= since)
    return session.scalar(query) or 0


def add_failure(session: Session, key: str, now: datetime, since: datetime) -> int:
    """Count one more failure and return the new count; an expired window restarts.

    One statement, so that concurrent attempts all count, also the first ones of a window.
    """
    count: int = session.execute(
        sa.text(
            "INSERT INTO failed_logins AS present (key, window_start, failures) VALUES (:key, :now, 1) "
            "ON CONFLICT (key) DO UPDATE SET "
            "failures = CASE WHEN present.window_start < :since THEN 1 ELSE present.failures + 1 END, "
            "window_start = CASE WHEN present.window_start < :since THEN :now ELSE present.window_start END "
            "RETURNING failures"
        ).bindparams(sa.bindparam("now", type_=UtcDateTime()), sa.bindparam("since", type_=UtcDateTime())),
        {"key": key, "now": now, "since": since},
    ).scalar_one()
    return count


def decrement_failures(session: Session, key: str) -> None:
    """Take back one failure: an attempt counted before its comparison was successful."""
    session.execute(
        sa.update(FailedLogins)
        .where(FailedLogins.key == key, FailedLogins.failures > 0)
        .values(failures=FailedLogins.failures - 1)
    )


def clear_failures(session: Session, key: str) -> None:
    session.execute(sa.delete(FailedLogins).where(FailedLogins.key == key))


def is_known_email(session: Session, email: str) -> bool:
    """Whether a user has, or had, this address."""
    query = sa.select(User.id).where(sa.or_(User.email == email, User.former_email == email)).limit(1)
    return session.scalar(query) is not None


def lock_user(session: Session, user_id: UUID) -> User | None:
    """Lock a user until the commit and return the current row.

    Of a concurrent sign-in and password change, the second sees the first.
    """
    return session.get(User, user_id, with_for_update=True, populate_existing=True)


def list_active_members(session: Session, organisation_id: UUID, after: UUID | None, limit: int) -> Sequence[User]:
    query = sa.select(User).where(User.organisation_id == organisation_id, User.active)
    return page_of(session, query, User.id, after, limit)


def get_active_administrator_ids(session: Session, organisation_id: UUID) -> frozenset[UUID]:
    """Return the current administrators; the caller has locked the company."""
    query = sa.select(User.id).where(User.organisation_id == organisation_id, User.active, User.is_administrator)
    return frozenset(session.scalars(query))


def list_staff(session: Session, after: UUID | None, limit: int) -> Sequence[User]:
    query = sa.select(User).where(User.is_staff)
    return page_of(session, query, User.id, after, limit)


def get_roles_of_users(session: Session, ids: Sequence[UUID]) -> dict[UUID, set[Role]]:
    found: dict[UUID, set[Role]] = {}
    for row in session.scalars(sa.select(StaffRole).where(StaffRole.user_id.in_(ids))):
        if _counts(session, row):
            found.setdefault(row.user_id, set()).add(Role(row.role))
    return found


def has_active_role(session: Session, user_id: UUID, roles: Collection[Role]) -> bool:
    """Whether this user is active and has one of these roles now."""
    user = find_user(session, user_id)
    return user is not None and user.active and is_authentic(user) and not get_roles(session, user_id).isdisjoint(roles)


def find_active_owners(session: Session) -> Sequence[User]:
    """Return the active owners by id, without a lock."""
    roles = session.scalars(sa.select(StaffRole).where(StaffRole.role == Role.OWNER.value)).all()
    users = find_users(session, [row.user_id for row in roles if _counts(session, row)])
    return [user for _, user in sorted(users.items()) if user.active and is_authentic(user)]


def lock_active_owner_ids(session: Session) -> frozenset[UUID]:
    """Lock the roles of owners, then return the active owners, so that two who remove each other are serialised."""
    owner = StaffRole.role == Role.OWNER.value
    locking = sa.select(StaffRole).where(owner).order_by(StaffRole.user_id).with_for_update()
    roles = session.scalars(locking.execution_options(populate_existing=True)).all()
    users = find_users(session, [row.user_id for row in roles if _counts(session, row)])
    return frozenset(user.id for user in users.values() if user.active and is_authentic(user))


def _counts(session: Session, row: StaffRole) -> bool:
    """Whether the service wrote this row and the log gives this role now."""
    return is_authentic(row) and is_granted(session, row.user_id, row.role)


def list_all_roles(session: Session) -> Sequence[StaffRole]:
    """Return every row of a role, whether it counts or not."""
    return session.scalars(sa.select(StaffRole).order_by(StaffRole.user_id, StaffRole.role)).all()


def list_all_users(session: Session) -> Sequence[User]:
    return session.scalars(sa.select(User).order_by(User.id)).all()


def list_staff_ids(session: Session) -> Sequence[UUID]:
    return session.scalars(sa.select(User.id).where(User.is_staff)).all()


def add_role(session: Session, user_id: UUID, role: Role) -> None:
    present = session.get(StaffRole, (user_id, role.value))
    if present is not None and not _counts(session, present):  # a row that gives nothing must not block this one
        session.delete(present)
        session.flush()
    session.add(StaffRole(user_id=user_id, role=role.value))


def remove_role(session: Session, user_id: UUID, role: Role) -> bool:
    """Remove a role; returns whether there was one."""
    gone = sa.delete(StaffRole).where(StaffRole.user_id == user_id, StaffRole.role == role.value)
    return session.execute(gone.returning(StaffRole.role)).first() is not None
