"""Manage staff users and their roles, on behalf of owners.

Granting a role needs two owners: one requests, another confirms, and neither may be the one who receives it. One owner
alone can revoke a role at once, because that is the safe direction. The last active owner cannot be removed.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import session_repository, user_repository, users
from app.auth.credentials import mfa, password_resets
from app.auth.credentials.passwords import NO_PASSWORD
from app.auth.model import AccessRequest, AccessRequestKind, AccessRequestState, PasswordReset, User
from app.auth.permissions import require_role, require_second_factor, require_user_id
from app.core.actor import STAFF_ROLES, Actor, Role
from app.core.database import new_id
from app.core.errors import Conflict, ExpectedVersion, Forbidden, FourEyes, NotFound, WrongState, require_version
from app.core.messages import Message

READER_ROLES = (Role.OWNER, Role.AUDITOR)


def get_staff_user(session: Session, actor: Actor, user_id: UUID) -> User:
    """Load a staff user for owners and auditors. Members of companies raise `NotFound`."""
    require_role(actor, *READER_ROLES)
    user = user_repository.find_user(session, user_id)
    if user is None or not user.is_staff:
        raise NotFound.of("member of staff")
    return user


def load_changeable(session: Session, actor: Actor, user_id: UUID) -> User:
    """Load a staff user for an owner who changes permissions.

    Raises, in this order: `Forbidden` (role), `NotFound`, `SecondFactorRequired`.
    """
    require_role(actor, Role.OWNER)
    user = get_staff_user(session, actor, user_id)
    require_second_factor(actor)
    return user


def create_staff_user(
    session: Session, actor: Actor, *, email: str, full_name: str, roles: Iterable[Role], now: datetime
) -> tuple[User, PasswordReset, str]:
    """Create an account without password and roles, with a token that sets the password, and request its roles.

    Another owner confirms the roles. Raises `Conflict` (`email-taken`).
    """
    require_role(actor, Role.OWNER)
    require_second_factor(actor)
    user = users.create_user(session, email, full_name, NO_PASSWORD, organisation_id=None, now=now)
    recorder.record(session, actor, "user.created", ("user", user.id), now, roles=[])
    for role in sorted(set(roles)):
        _create_request(session, actor, user, AccessRequestKind.GRANT_ROLE, role, now)
    return user, *password_resets.issue_reset_for(session, actor, user, now)


def deactivate_staff_user(session: Session, actor: Actor, user_id: UUID, now: datetime) -> User:
    """Deactivate an account with its sessions, roles and open requests. Raises `Conflict` (`last-owner`)."""
    load_changeable(session, actor, user_id)
    owners = _lock_active_owners(session, actor)
    user = user_repository.lock_user(session, user_id)
    if user is None or not user.active:
        raise Conflict("This account was removed already.", code="not-active")
    _require_other_owner(owners, user_id)
    for request in session_repository.lock_open_requests_of_user(session, user_id):
        _close_request(session, actor, request, AccessRequestState.REFUSED, now)
    for role in sorted(user_repository.get_roles(session, user_id)):
        _remove_role(session, actor, user_id, role, now)
    users.deactivate_user(session, actor, user, now)
    return user


def revoke_role(session: Session, actor: Actor, user_id: UUID, role: Role, now: datetime) -> User:
    """Revoke a role. Raises `Conflict` (`last-owner`, `no-such-role`)."""
    user = load_changeable(session, actor, user_id)
    owners = _lock_active_owners(session, actor)
    if role is Role.OWNER:
        _require_other_owner(owners, user_id)
    _remove_role(session, actor, user_id, role, now)
    return user


def request_role(session: Session, actor: Actor, user_id: UUID, role: Role, now: datetime) -> AccessRequest:
    """Request a role for this person; another owner confirms it. Raises `Conflict` (`no-such-role`, `has-role`)."""
    user = load_changeable(session, actor, user_id)
    if role not in STAFF_ROLES:
        raise Conflict("This role cannot be granted to a person.", code="no-such-role")
    if role in user_repository.get_roles(session, user_id):
        raise Conflict(Message("This person has the role %(role)s already.", role=Message(role.value)), code="has-role")
    return _create_request(session, actor, _require_active(user), AccessRequestKind.GRANT_ROLE, role, now)


def request_second_factor_reset(session: Session, actor: Actor, user_id: UUID, now: datetime) -> AccessRequest:
    """Request the reset of a lost authenticator; another owner confirms it.

    Together with a password reset it opens an account, so one person alone must not be able to do both.
    """
    user = load_changeable(session, actor, user_id)
    if not mfa.is_enrolled(session, user_id):
        raise Conflict("This person has no authenticator.", code="not-enrolled")
    return _create_request(session, actor, _require_active(user), AccessRequestKind.RESET_SECOND_FACTOR, None, now)


def get_access_request(session: Session, actor: Actor, request_id: UUID) -> AccessRequest:
    """Load an access request for owners and auditors. Raises `NotFound`."""
    require_role(actor, *READER_ROLES)
    request = session_repository.find_access_request(session, request_id)
    if request is None:
        raise NotFound.of("request")
    return request


def confirm_request(
    session: Session, actor: Actor, request_id: UUID, version: ExpectedVersion, now: datetime
) -> AccessRequest:
    """Confirm a request as second owner: the role is granted, or the authenticator reset.

    Raises, in this order: `Forbidden`; `NotFound`; `SecondFactorRequired`; `FourEyes`; `VersionRequired`,
    `StaleVersion`; `WrongState`; `Conflict` (`asker-left`, `not-active`, `has-role`).
    """
    request, owners = _load_decidable(session, actor, request_id)
    if actor.id in {request.requested_by, request.user_id}:
        raise FourEyes("You asked for this, or it is for you; another owner must confirm it.")
    _require_open(request, version, "confirm")
    if request.requested_by not in owners:
        raise Conflict("The person who requested this is no longer an owner; request it again.", code="asker-left")
    user = user_repository.lock_user(session, request.user_id)
    if user is None:
        raise NotFound.of("member of staff")
    _require_active(user)
    _close_request(session, actor, request, AccessRequestState.CONFIRMED, now)
    if request.role is None:
        mfa.delete_enrolment(session, actor, user.id, now)
        return request
    role = Role(request.role)
    if role in user_repository.get_roles(session, user.id):
        raise Conflict(Message("This person has the role %(role)s already.", role=Message(role.value)), code="has-role")
    user_repository.add_role(session, user.id, role)
    recorder.record(session, actor, "role.granted", ("user", user.id), now, role=role.value, request=request.id)
    return request


def refuse_request(
    session: Session, actor: Actor, request_id: UUID, version: ExpectedVersion, now: datetime
) -> AccessRequest:
    """Refuse a request as any owner; the requester thereby takes it back."""
    request, _ = _load_decidable(session, actor, request_id)
    _require_open(request, version, "refuse")
    _close_request(session, actor, request, AccessRequestState.REFUSED, now)
    return request


def _load_decidable(session: Session, actor: Actor, request_id: UUID) -> tuple[AccessRequest, frozenset[UUID]]:
    """Return the request, locked, and the current owners."""
    require_role(actor, Role.OWNER)
    get_access_request(session, actor, request_id)
    require_second_factor(actor)
    owners = _lock_active_owners(session, actor)
    request = session_repository.find_access_request(session, request_id, lock=True)
    assert request is not None  # found above, and requests are never deleted
    return request, owners


def _require_open(request: AccessRequest, version: ExpectedVersion, action: str) -> None:
    require_version(version, request.version)
    if request.state != AccessRequestState.OPEN:
        raise WrongState("request", state=request.state, action=action, allowed=())


def _create_request(
    session: Session, actor: Actor, user: User, kind: AccessRequestKind, role: Role | None, now: datetime
) -> AccessRequest:
    request = AccessRequest(
        id=new_id(),
        user_id=user.id,
        kind=kind.value,
        role=role.value if role else None,
        state=AccessRequestState.OPEN.value,
        requested_by=require_user_id(actor),
        requested_at=now,
        version=1,
    )
    session.add(request)
    _record_request_event(session, actor, "access.requested", request, now)
    return request


def _close_request(
    session: Session, actor: Actor, request: AccessRequest, state: AccessRequestState, now: datetime
) -> None:
    request.state, request.decided_by, request.decided_at = state.value, require_user_id(actor), now
    request.version += 1
    _record_request_event(session, actor, f"access.request_{state}", request, now)


def _record_request_event(session: Session, actor: Actor, event: str, request: AccessRequest, now: datetime) -> None:
    subject = ("user", request.user_id)
    recorder.record(session, actor, event, subject, now, request=request.id, kind=request.kind, role=request.role)


def _remove_role(session: Session, actor: Actor, user_id: UUID, role: Role, now: datetime) -> None:
    if not user_repository.remove_role(session, user_id, role):
        raise Conflict(
            Message("This person does not have the role %(role)s.", role=Message(role.value)), code="no-such-role"
        )
    recorder.record(session, actor, "role.taken", ("user", user_id), now, role=role.value)


def _lock_active_owners(session: Session, actor: Actor) -> frozenset[UUID]:
    """Lock and return the active owners, before any other lock of this module.

    Of two owners who remove each other concurrently, the second is no longer an owner when the lock is granted.
    """
    owners = user_repository.lock_active_owner_ids(session)
    if actor.id not in owners:
        raise Forbidden("You are no owner any more.")
    return owners


def _require_other_owner(owners: frozenset[UUID], user_id: UUID) -> None:
    if owners == {user_id}:
        raise Conflict("This is the last owner: grant the role to somebody else first.", code="last-owner")


def _require_active(user: User) -> User:
    if not user.active:
        raise Conflict("This account was removed.", code="not-active")
    return user
