"""Manage the members of a company: its administrators invite and remove them, but never the last one.

The first member is an administrator. A confirmed company gains members only by invitation: the registrar has verified
that its members act for it, and they admit others. Every member, including a founder, is removed by another
administrator; if the only administrator must be removed, the registrar appoints a second one first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import api_client_repository, session_repository, user_repository, users
from app.auth.credentials.passwords import new_token, token_hash
from app.auth.model import ApiClient, Invitation, User
from app.auth.permissions import require_administrator, require_organisation_id, require_second_factor, require_user_id
from app.core.actor import SYSTEM, Actor, Role
from app.core.database import new_id
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.text.normalize import normalize
from app.organisations import organisation_repository
from app.organisations.model import OrganisationStatus

INVITATION_LIFETIME = timedelta(days=7)
TOKEN_PREFIX = "miki_"  # noqa: S105 (the prefix of every token, no secret)


@dataclass(frozen=True, slots=True)
class MemberRemoval:
    """The removed member, and the API clients whose secrets that person may have."""

    user: User
    clients: Sequence[ApiClient]


def list_members(session: Session, actor: Actor, *, after: UUID | None = None, limit: int = 50) -> Sequence[User]:
    require_user_id(actor)
    return user_repository.list_active_members(session, require_organisation_id(actor), after, limit)


def invite_member(session: Session, actor: Actor, *, email: str, now: datetime) -> tuple[Invitation, str]:
    """Invite the person with this address by a mailed token; an earlier invitation to the address becomes void.

    Raises `Forbidden`, `Conflict` (`organisation-unconfirmed`, `email-taken`).
    """
    organisation_id, address = require_organisation_id(actor), users.normalize_email(email)
    inviter = require_administrator(actor)
    require_confirmed(session, organisation_id)
    if user_repository.find_user_by_email(session, address):
        raise Conflict("This e-mail address is registered already.", code="email-taken")
    for earlier in session_repository.close_invitations(session, now, organisation_id=organisation_id, email=address):
        recorder.record(session, actor, "invitation.withdrawn", ("invitation", earlier), now)
    token, digest = new_token(TOKEN_PREFIX)
    invitation = Invitation(
        id=new_id(),
        organisation_id=organisation_id,
        email=address,
        token_hash=digest,
        invited_by=inviter,
        created_at=now,
        expires_at=now + INVITATION_LIFETIME,
    )
    session.add(invitation)
    recorder.record(session, actor, "member.invited", ("invitation", invitation.id), now, organisation=organisation_id)
    return invitation, token


def list_open_invitations(
    session: Session, actor: Actor, now: datetime, *, after: UUID | None = None, limit: int = 50
) -> Sequence[Invitation]:
    require_user_id(actor)
    return session_repository.list_open_invitations(session, require_organisation_id(actor), now, after, limit)


def withdraw_invitation(session: Session, actor: Actor, invitation_id: UUID, now: datetime) -> Invitation:
    """Withdraw an open invitation, as an administrator. Raises `NotFound`, `Conflict` (`invitation-over`)."""
    invitation = session_repository.find_invitation(session, require_organisation_id(actor), invitation_id)
    if invitation is None:
        raise NotFound.of("invitation")
    require_administrator(actor)
    if invitation.closed_at is not None:
        raise Conflict("This invitation was accepted or withdrawn already.", code="invitation-over")
    invitation.closed_at = now
    recorder.record(session, actor, "invitation.withdrawn", ("invitation", invitation.id), now)
    return invitation


def validate_invitation(session: Session, token: str, now: datetime) -> None:
    """Reject an unusable token before time is spent on a password hash."""
    _load_usable(session, token, now)


def accept_invitation(
    session: Session, token: str, *, full_name: str, password_hash: str, now: datetime, language: str | None = None
) -> User:
    """Create the account of the invitation. Of two concurrent calls, one succeeds.

    Raises `NotFound`, `Conflict` (`invitation-over`, `organisation-unconfirmed`, `email-taken`).
    """
    organisation_id = _load_usable(session, token, now).organisation_id
    organisation_repository.find_organisation(
        session, organisation_id, lock=True
    )  # before the invitation, in the lock order of `remove_member`
    invitation = _load_usable(session, token, now, lock=True)
    require_confirmed(session, invitation.organisation_id)
    member = users.create_member(
        session,
        SYSTEM,
        organisation_id=invitation.organisation_id,
        email=invitation.email,
        full_name=normalize(full_name),
        password_hash=password_hash,
        language=language,
        now=now,
    )
    invitation.closed_at, invitation.accepted_by = now, member.id
    recorder.record(
        session,
        SYSTEM,
        "member.joined",
        ("user", member.id),
        now,
        organisation=invitation.organisation_id,
        invitation=invitation.id,
        invited_by=invitation.invited_by,
    )
    return member


def load_removable(session: Session, actor: Actor, member_id: UUID) -> User:
    """Load an active member of the actor's own company; members of other companies raise `NotFound`."""
    user = user_repository.find_user(session, member_id)
    if user is None or not user.active or user.organisation_id != require_organisation_id(actor):
        raise NotFound.of("member")
    require_user_id(actor)
    return user


def remove_member(session: Session, actor: Actor, member_id: UUID, now: datetime) -> MemberRemoval:
    """Remove another member, as an administrator, or leave the company. Tokens and sessions end with this transaction.

    Raises `Forbidden`, `NotFound`, `Conflict` (`last-member`, `last-administrator`): no one could act for a company
    without members again.
    """
    organisation_id = require_organisation_id(actor)
    organisation_repository.find_organisation(
        session, organisation_id, lock=True
    )  # two members who remove each other concurrently are serialised
    present = {user.id for user in user_repository.list_active_members(session, organisation_id, None, 1_000)}
    administrators = user_repository.get_active_administrator_ids(session, organisation_id)
    load_removable(session, actor, member_id)
    user = user_repository.lock_user(session, member_id)
    if actor.id not in present:
        raise Forbidden("You are no member of this company any more.")
    if user is None or member_id not in present:
        raise NotFound.of("member")
    if actor.id != member_id and actor.id not in administrators:
        require_administrator(replace(actor, is_administrator=False))
    if present == {member_id}:
        raise Conflict("This is the last member of the company; invite somebody first.", code="last-member")
    _require_other_administrator(administrators, member_id)
    users.deactivate_user(session, actor, user, now)
    left = actor.id == member_id
    recorder.record(
        session,
        actor,
        "member.left" if left else "member.removed",
        ("user", member_id),
        now,
        organisation=organisation_id,
    )
    return MemberRemoval(user, api_client_repository.list_clients_with_secret_by(session, member_id))


def load_administrable(session: Session, actor: Actor, member_id: UUID) -> User:
    """Load an active member whose permissions the actor may change: of the own company or, for a registrar, of any.

    Raises `Forbidden`, `NotFound`, `SecondFactorRequired`.
    """
    if not actor.has_role(Role.REGISTRAR):
        require_organisation_id(actor)
        user = load_removable(session, actor, member_id)
        require_administrator(actor)
        return user
    found = user_repository.find_user(session, member_id)
    if found is None or not found.active or found.organisation_id is None:
        raise NotFound.of("member")
    require_second_factor(actor)
    return found


def set_administrator(
    session: Session, actor: Actor, member_id: UUID, *, is_administrator: bool, now: datetime
) -> bool:
    """Grant or withdraw administration of the company; returns whether anything changed.

    Raises `Forbidden`, `NotFound`, `SecondFactorRequired`, `Conflict` (`last-administrator`).
    """
    organisation_id = load_administrable(session, actor, member_id).organisation_id
    assert organisation_id is not None  # a member has a company
    organisation_repository.find_organisation(
        session, organisation_id, lock=True
    )  # two administrators who withdraw each other concurrently are serialised
    administrators = user_repository.get_active_administrator_ids(session, organisation_id)
    user = user_repository.lock_user(session, member_id)
    if not actor.has_role(Role.REGISTRAR) and actor.id not in administrators:
        require_administrator(replace(actor, is_administrator=False))
    if user is None or not user.active or user.organisation_id != organisation_id:
        raise NotFound.of("member")
    if user.is_administrator == is_administrator:
        return False
    if not is_administrator:
        _require_other_administrator(administrators, member_id)
    user.is_administrator = is_administrator
    event = "member.administrator_given" if is_administrator else "member.administrator_taken"
    recorder.record(session, actor, event, ("user", member_id), now, organisation=organisation_id)
    return True


def _require_other_administrator(administrators: frozenset[UUID], member_id: UUID) -> None:
    if administrators == {member_id}:
        raise Conflict(
            "This is the last administrator of the company; make another member one first.", code="last-administrator"
        )


def _load_usable(session: Session, token: str, now: datetime, *, lock: bool = False) -> Invitation:
    invitation = session_repository.find_invitation_by_token(session, token_hash(token), lock=lock)
    if invitation is None:
        raise NotFound.of("invitation")
    if invitation.closed_at is not None or now >= invitation.expires_at:
        raise Conflict(
            "This invitation was accepted, withdrawn or is older than a week; ask for another one.",
            code="invitation-over",
        )
    return invitation


def require_confirmed(session: Session, organisation_id: UUID) -> None:
    organisation = organisation_repository.find_organisation(session, organisation_id)
    if organisation is None or organisation.status != OrganisationStatus.CONFIRMED:
        raise Conflict(
            "This is possible once the registrar has confirmed the company.", code="organisation-unconfirmed"
        )
