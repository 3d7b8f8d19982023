"""Query sessions, refresh tokens, second factors, invitations, and one-time tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.auth.agents.model import AgentAuthority
from app.auth.model import (
    AddressConfirmation,
    Invitation,
    PasswordReset,
    RefreshToken,
    StaffRole,
    TotpEnrolment,
    User,
    UserSession,
)
from app.auth.role_log import is_granted
from app.auth.sign_on.model import ProviderSession
from app.core.actor import Role
from app.core.crypto.row_macs import authentic, protected_columns, row_macs_of
from app.core.database import UtcDateTime, core_table, page_of


@dataclass(frozen=True, slots=True)
class SessionWithUser:
    """A session with its user and their current permissions. `roles` are those of staff.

    A session that a provider opened has no role that the provider did not give.
    """

    id: UUID
    user_id: UUID
    expires_at: datetime
    ended_at: datetime | None
    second_factor_at: datetime | None
    active: bool
    is_staff: bool
    is_administrator: bool
    is_read_only: bool
    organisation_id: UUID | None
    is_agent: bool
    roles: frozenset[Role]


_SESSION, _USER, _PROVIDER, _ROLE = (
    protected_columns(mapped) for mapped in (UserSession, User, ProviderSession, StaffRole)
)
_USER_STARTS, _PROVIDER_STARTS = len(_SESSION), len(_SESSION) + len(_USER)
_ROLE_STARTS = _PROVIDER_STARTS + len(_PROVIDER)
_ROLE_ENDS = _ROLE_STARTS + len(_ROLE)


def _session_with_user_query() -> sa.Select[Any]:
    """Build the query of every request once: by columns, one row for each role, or one row without a role."""
    session, person, role = core_table(UserSession), core_table(User), core_table(StaffRole)
    provider = core_table(ProviderSession)
    authority = core_table(AgentAuthority)
    is_agent = sa.exists().where(
        authority.c.agent_id == person.c.id,
        authority.c.ended_at.is_(None),
        authority.c.valid_from <= sa.bindparam("now", type_=UtcDateTime()),
        authority.c.valid_until > sa.bindparam("now", type_=UtcDateTime()),
    )
    columns = (*_SESSION, *_USER, *_PROVIDER, *_ROLE)
    return (
        sa.select(
            *(column.label(f"{column.table.name}_{column.name}") for column in columns), is_agent.label("is_agent")
        )
        .join_from(session, person, person.c.id == session.c.user_id)
        .outerjoin(provider, provider.c.user_session_id == session.c.id)
        .outerjoin(role, role.c.user_id == person.c.id)
        .where(session.c.id == sa.bindparam("user_session_id"))
    )


_SESSION_WITH_USER = _session_with_user_query()


def session_with_user(session: Session, user_session_id: UUID, now: datetime) -> SessionWithUser | None:
    """Load a session with its user and their roles; None if there is no such session.

    Rows without the right MAC count as not existing, and roles that the public log does not give.
    """
    rows = session.execute(_SESSION_WITH_USER, {"user_session_id": user_session_id, "now": now}).all()
    if not rows:
        return None
    who, macs = rows[0], row_macs_of(session)
    if not macs.verify(UserSession, who[:_USER_STARTS]) or not macs.verify(User, who[_USER_STARTS:_PROVIDER_STARTS]):
        return None
    by_provider = who.provider_sessions_user_session_id is not None
    if by_provider and not macs.verify(ProviderSession, who[_PROVIDER_STARTS:_ROLE_STARTS]):
        return None
    most_roles = who.provider_sessions_roles if by_provider else None
    return SessionWithUser(
        id=who.user_sessions_id,
        user_id=who.user_sessions_user_id,
        expires_at=who.user_sessions_expires_at,
        ended_at=who.user_sessions_ended_at,
        second_factor_at=who.user_sessions_second_factor_at,
        active=who.users_active,
        is_staff=who.users_is_staff,
        is_administrator=who.users_is_administrator,
        is_read_only=who.users_read_only_since is not None,
        organisation_id=who.users_organisation_id,
        is_agent=bool(who.is_agent),
        roles=frozenset(
            Role(row.staff_roles_role)
            for row in rows
            if row.staff_roles_role is not None
            and (most_roles is None or row.staff_roles_role in most_roles)
            and macs.verify(StaffRole, row[_ROLE_STARTS:_ROLE_ENDS])
            and is_granted(session, who.user_sessions_user_id, row.staff_roles_role)
        ),
    )


def find_session(session: Session, user_session_id: UUID, *, lock: bool = False) -> UserSession | None:
    if not lock:
        return authentic(session.get(UserSession, user_session_id))
    return authentic(session.get(UserSession, user_session_id, with_for_update=True, populate_existing=True))


def find_session_by_token(session: Session, token_hash: str, *, lock: bool = False) -> UserSession | None:
    """Find the session that a refresh token belongs to."""
    query = sa.select(UserSession).join(RefreshToken, RefreshToken.user_session_id == UserSession.id)
    query = query.where(RefreshToken.token_hash == token_hash)
    if lock:
        query = query.with_for_update(of=UserSession).execution_options(populate_existing=True)
    return authentic(session.scalars(query).one_or_none())


def find_refresh_token(session: Session, token_hash: str) -> RefreshToken | None:
    """Find a refresh token in its current state; lock the session first."""
    return authentic(session.get(RefreshToken, token_hash, populate_existing=True))


def end_sessions(session: Session, user_id: UUID, because: str, now: datetime) -> int:
    """End every open session of a person; returns their number."""
    query = sa.select(UserSession).where(
        UserSession.user_id == user_id, UserSession.ended_at.is_(None), UserSession.expires_at > now
    )
    ending = query.order_by(UserSession.id).with_for_update().execution_options(populate_existing=True)
    rows = session.scalars(ending).all()
    for row in rows:  # by the mapper, which signs each row again
        row.ended_at, row.ended_because = now, because
    session.flush()
    return len(rows)


def has_sessions_expired_before(session: Session, before: datetime) -> bool:
    """Whether `delete_sessions_expired_before` would delete sessions."""
    return bool(session.scalar(sa.select(sa.exists().where(UserSession.expires_at < before))))


def delete_sessions_expired_before(session: Session, before: datetime) -> None:
    """Delete sessions that could not be renewed at that moment, with their refresh tokens."""
    session.execute(sa.delete(UserSession).where(UserSession.expires_at < before))


def list_enrolments(session: Session) -> Sequence[TotpEnrolment]:
    return session.scalars(sa.select(TotpEnrolment)).all()


def find_enrolment(session: Session, user_id: UUID, *, lock: bool = False) -> TotpEnrolment | None:
    if not lock:
        return session.get(TotpEnrolment, user_id)
    return session.get(TotpEnrolment, user_id, with_for_update=True, populate_existing=True)


def find_enrolled_user_ids(session: Session, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Return which of these users have an active authenticator."""
    query = sa.select(TotpEnrolment.user_id).where(
        TotpEnrolment.user_id.in_(ids), TotpEnrolment.encrypted_secret.is_not(None)
    )
    return frozenset(session.scalars(query))


def find_invitation_by_token(session: Session, token_hash: str, *, lock: bool = False) -> Invitation | None:
    query = sa.select(Invitation).where(Invitation.token_hash == token_hash)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return authentic(session.scalars(query).one_or_none())


def find_invitation(session: Session, organisation_id: UUID, invitation_id: UUID) -> Invitation | None:
    query = sa.select(Invitation).where(Invitation.id == invitation_id, Invitation.organisation_id == organisation_id)
    return session.scalars(query.with_for_update()).one_or_none()


def list_open_invitations(
    session: Session, organisation_id: UUID, now: datetime, after: UUID | None, limit: int
) -> Sequence[Invitation]:
    query = sa.select(Invitation).where(Invitation.organisation_id == organisation_id, Invitation.closed_at.is_(None))
    query = query.where(Invitation.expires_at > now)
    return page_of(session, query, Invitation.id, after, limit)


def close_invitations(
    session: Session, now: datetime, *, by: UUID | None = None, organisation_id: UUID | None = None, email: str = ""
) -> Sequence[UUID]:
    """Withdraw the open invitations made by a person, or to an address by one company; returns their ids."""
    closing = sa.select(Invitation).where(Invitation.closed_at.is_(None))
    if by is not None:
        closing = closing.where(Invitation.invited_by == by)
    else:
        closing = closing.where(Invitation.organisation_id == organisation_id, Invitation.email == email)
    locking = closing.order_by(Invitation.id).with_for_update().execution_options(populate_existing=True)
    rows = session.scalars(locking).all()
    for row in rows:
        row.closed_at = now
    session.flush()
    return [row.id for row in rows]


def find_confirmation_by_token(session: Session, token_hash: str) -> AddressConfirmation | None:
    query = sa.select(AddressConfirmation).where(AddressConfirmation.token_hash == token_hash)
    return session.scalars(query).one_or_none()


def lock_confirmations(session: Session, email: str) -> Sequence[AddressConfirmation]:
    """Lock all confirmations of this address in one order and return their current state."""
    query = sa.select(AddressConfirmation).where(AddressConfirmation.email == email).order_by(AddressConfirmation.id)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()


def has_old_confirmations(session: Session, before: datetime) -> bool:
    """Whether `delete_old_confirmations` would delete rows."""
    return bool(session.scalar(sa.select(sa.exists().where(AddressConfirmation.expires_at < before))))


def delete_old_confirmations(session: Session, before: datetime) -> None:
    """Delete address confirmations of that age, used or not."""
    session.execute(sa.delete(AddressConfirmation).where(AddressConfirmation.expires_at < before))


def find_reset_by_token(session: Session, token_hash: str, *, lock: bool = False) -> PasswordReset | None:
    query = sa.select(PasswordReset).where(PasswordReset.token_hash == token_hash)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return authentic(session.scalars(query).one_or_none())


def close_resets(session: Session, user_id: UUID, now: datetime) -> None:
    """Close all open password resets of a user."""
    open_ = sa.select(PasswordReset).where(PasswordReset.user_id == user_id, PasswordReset.closed_at.is_(None))
    locking = open_.order_by(PasswordReset.id).with_for_update().execution_options(populate_existing=True)
    for row in session.scalars(locking).all():
        row.closed_at = now
    session.flush()
