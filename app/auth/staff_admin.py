"""Manage staff users and their roles, on behalf of owners.

Granting a role or resetting an authenticator needs two owners (`proposals.py`). One owner
alone can revoke a role at once, because that is the safe direction. The last active owner cannot be removed.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import proposals, role_log, user_repository, users
from app.auth.credentials import mfa, password_resets
from app.auth.credentials.passwords import NO_PASSWORD, password_sha256
from app.auth.model import PasswordReset, User
from app.auth.permissions import require_role, require_second_factor
from app.core.actor import Actor, Role
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
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
    session: Session, actor: Actor, *, email: str, full_name: str, now: datetime
) -> tuple[User, PasswordReset, str]:
    """Create an account without password and roles, with a token that sets the password.

    Its roles are proposals, which another owner confirms. Raises `Conflict` (`email-taken`).
    """
    require_role(actor, Role.OWNER)
    require_second_factor(actor)
    user = users.create_user(session, email, full_name, NO_PASSWORD, organisation_id=None, now=now)
    recorder.record(
        session, actor, "user.created", ("user", user.id), now, roles=[], password_sha256=password_sha256(NO_PASSWORD)
    )
    return user, *password_resets.issue_reset_for(session, actor, user, now)


def deactivate_staff_user(session: Session, actor: Actor, user_id: UUID, now: datetime) -> User:
    """Deactivate an account with its sessions, roles and open proposals. Raises `Conflict` (`last-owner`)."""
    load_changeable(session, actor, user_id)
    owners = _lock_active_owners(session, actor)
    user = user_repository.lock_user(session, user_id)
    if user is None or not user.active:
        raise Conflict("This account was removed already.", code="not-active")
    _require_other_owner(owners, user_id)
    proposals.close_proposals_of_user(session, actor, user_id, now)
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


def lock_grantable(session: Session, user_id: UUID, role: Role) -> User:
    """Lock a staff user who may receive a role. Raises `Invalid`, `Conflict` (`not-active`, `has-role`)."""
    user = lock_active(session, user_id)
    if role in user_repository.get_roles(session, user_id):
        raise Conflict(Message("This person has the role %(role)s already.", role=Message(role.value)), code="has-role")
    return user


def grant_role(session: Session, actor: Actor, user_id: UUID, role: Role, proposal_id: UUID, now: datetime) -> None:
    """Grant a role that two owners decided; `lock_grantable` checked it."""
    user_repository.add_role(session, user_id, role)
    role_log.log_granted(session, user_id, role, now)
    recorder.record(session, actor, "role.granted", ("user", user_id), now, role=role.value, proposal=proposal_id)


def lock_resettable(session: Session, user_id: UUID) -> User:
    """Lock a staff user whose authenticator may be reset. Raises `Invalid`, `Conflict`.

    Together with a password reset it opens an account, so one person alone must not be able to do both.
    """
    user = lock_active(session, user_id)
    if not mfa.is_enrolled(session, user_id):
        raise Conflict("This person has no authenticator.", code="not-enrolled")
    return user


def lock_active(session: Session, user_id: UUID) -> User:
    """Lock a staff user whose account is active. Raises `Invalid`, `Conflict` (`not-active`)."""
    user = user_repository.lock_user(session, user_id)
    if user is None or not user.is_staff:
        raise Invalid.at(
            "/content/user_id", Message("There is no such %(what)s.", code="not-found", what=Message("member of staff"))
        )
    if not user.active:
        raise Conflict("This account was removed.", code="not-active")
    return user


def _remove_role(session: Session, actor: Actor, user_id: UUID, role: Role, now: datetime) -> None:
    if not user_repository.remove_role(session, user_id, role):
        raise Conflict(
            Message("This person does not have the role %(role)s.", role=Message(role.value)), code="no-such-role"
        )
    role_log.log_taken(session, user_id, role, now)
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
