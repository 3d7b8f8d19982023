"""Create, deactivate and restrict user accounts of staff and members."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import (
    api_client_repository,
    api_clients,
    role_log,
    session_repository,
    user_repository,
    user_sessions,
)
from app.auth.credentials import staff_credentials
from app.auth.credentials.passwords import password_sha256
from app.auth.model import User
from app.auth.user_sessions import EndReason
from app.core.actor import STAFF_ROLES, Actor, Role
from app.core.database import new_id
from app.core.errors import Conflict
from app.core.messages import Message


def normalize_email(email: str) -> str:
    """Return an e-mail address in the spelling under which it is unique."""
    return email.strip().lower()


def create_staff(
    session: Session,
    actor: Actor,
    *,
    email: str,
    full_name: str,
    password_hash: str,
    roles: Iterable[Role],
    now: datetime,
) -> User:
    """Create a staff user with roles. Raises `Conflict` (`no-such-role`, `email-taken`)."""
    granted = sorted(set(roles))
    if not granted or not set(granted) <= STAFF_ROLES:
        raise Conflict(
            Message(
                "Staff need at least one of the roles %(roles)s.", roles=sorted(role.value for role in STAFF_ROLES)
            ),
            code="no-such-role",
        )
    user = create_user(session, email, full_name, password_hash, organisation_id=None, now=now)
    for role in granted:
        user_repository.add_role(session, user.id, role)
        role_log.log_granted(session, user.id, role, now)
    recorder.record(
        session,
        actor,
        "user.created",
        ("user", user.id),
        now,
        roles=[r.value for r in granted],
        password_sha256=password_sha256(password_hash),
    )
    return user


def create_member(
    session: Session,
    actor: Actor,
    *,
    organisation_id: UUID,
    email: str,
    full_name: str,
    password_hash: str,
    now: datetime,
    language: str | None = None,
) -> User:
    """Create a member of a company; the first one is its administrator. Raises `Conflict` (`email-taken`)."""
    is_first = not user_repository.list_active_members(session, organisation_id, None, 1)
    user = create_user(session, email, full_name, password_hash, organisation_id=organisation_id, now=now)
    user.is_administrator, user.language = is_first, language
    recorder.record(
        session,
        actor,
        "user.created",
        ("user", user.id),
        now,
        organisation=organisation_id,
        administrator=is_first,
        password_sha256=password_sha256(password_hash),
    )
    return user


def create_user(
    session: Session, email: str, full_name: str, password_hash: str, *, organisation_id: UUID | None, now: datetime
) -> User:
    """Insert a user row; the caller adds permissions and audit events. Raises `Conflict` (`email-taken`)."""
    if user_repository.find_user_by_email(session, normalize_email(email)):
        raise Conflict("This e-mail address is registered already.", code="email-taken")
    user = User(
        id=new_id(),
        email=normalize_email(email),
        full_name=full_name,
        password_hash=password_hash,
        is_staff=organisation_id is None,
        organisation_id=organisation_id,
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def withdraw_administration(session: Session, actor: Actor, organisation_id: UUID, now: datetime) -> None:
    """Withdraw administration from members who join a company that others already act for.

    The administrators of that company decide about their permissions and about API clients.
    """
    for user in user_repository.list_members(session, organisation_id):
        user.is_administrator = False
    for client in api_client_repository.list_clients_of_organisation(session, organisation_id, None, 10_000):
        api_clients.mark_revoked(session, actor, client, now)


def make_members_read_only(session: Session, actor: Actor, organisation_id: UUID, now: datetime) -> None:
    """Make the members of a refused organisation read-only; its API clients end with this transaction."""
    for user in user_repository.list_members(session, organisation_id):
        if user.active and user.read_only_since is None:
            user.read_only_since = now
            user_sessions.end_all_sessions(session, actor, user.id, EndReason.CLAIM_REFUSED, now)
            session_repository.close_resets(session, user.id, now)
            recorder.record(session, actor, "user.sealed", ("user", user.id), now)
    for client in api_client_repository.list_clients_of_organisation(session, organisation_id, None, 10_000):
        api_clients.mark_revoked(session, actor, client, now)


def deactivate_user(session: Session, actor: Actor, user: User, now: datetime) -> None:
    """Deactivate an account: its sessions, authenticators, resets and invitations end with this transaction.

    Rows of the person's actions stay; the address becomes free for another account.
    """
    user.active = False
    user.former_email, user.email = user.email, f"removed:{user.id}"
    user_sessions.end_all_sessions(session, actor, user.id, EndReason.REMOVED, now)
    session_repository.close_resets(session, user.id, now)
    staff_credentials.remove_all_credentials(session, actor, user.id, now)
    for invitation_id in session_repository.close_invitations(session, now, by=user.id):
        recorder.record(session, actor, "invitation.withdrawn", ("invitation", invitation_id), now)
    recorder.record(session, actor, "user.deactivated", ("user", user.id), now)
