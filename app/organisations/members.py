"""The people of a company: invited and removed by its administrators; never the last.

The first member is an administrator. A confirmed company gains members only by invitation: the registrar has seen that
its people act for it, and they vouch for the next. Whoever is removed, a founder among them, is removed by another
administrator; where the only one is in the way, the registrar makes a second.
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
from app.auth.permissions import own_organisation, person, require_administrator, require_second_factor
from app.core.actor import SYSTEM, Actor, Role
from app.core.database import new_id
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.text.normalize import tidy
from app.organisations import organisation_repository
from app.organisations.model import Standing

INVITATION_LIFE = timedelta(days=7)
PREFIX = "miki_"


@dataclass(frozen=True, slots=True)
class Parted:
    """Who left, and the programs whose secrets that person may know: whoever stays decides on them."""

    user: User
    clients: Sequence[ApiClient]


def list_members(session: Session, actor: Actor, *, after: UUID | None = None, limit: int = 50) -> Sequence[User]:
    person(actor)
    return user_repository.active_members(session, own_organisation(actor), after, limit)


def invite(session: Session, actor: Actor, *, email: str, now: datetime) -> tuple[Invitation, str]:
    """A seat for the person with this address, to which the token is mailed; an earlier one to this address is void.

    Errors: Forbidden; Conflict `organisation-unconfirmed`, `email-taken`.
    """
    organisation_id, address = own_organisation(actor), users.email_key(email)
    inviter = require_administrator(actor)
    _refuse_unconfirmed(session, organisation_id)
    if user_repository.user_by_email(session, address):
        raise Conflict("This e-mail address is registered already.", code="email-taken")
    for earlier in session_repository.close_invitations(session, now, organisation_id=organisation_id, email=address):
        recorder.record(session, actor, "invitation.withdrawn", ("invitation", earlier), now)
    token, digest = new_token(PREFIX)
    invitation = Invitation(
        id=new_id(),
        organisation_id=organisation_id,
        email=address,
        token_hash=digest,
        invited_by=inviter,
        created_at=now,
        expires_at=now + INVITATION_LIFE,
    )
    session.add(invitation)
    recorder.record(session, actor, "member.invited", ("invitation", invitation.id), now, organisation=organisation_id)
    return invitation, token


def open_invitations(
    session: Session, actor: Actor, now: datetime, *, after: UUID | None = None, limit: int = 50
) -> Sequence[Invitation]:
    person(actor)
    return session_repository.open_invitations(session, own_organisation(actor), now, after, limit)


def withdraw(session: Session, actor: Actor, invitation_id: UUID, now: datetime) -> Invitation:
    """By an administrator of the company."""
    invitation = session_repository.invitation_of(session, own_organisation(actor), invitation_id)
    if invitation is None:
        raise NotFound.of("invitation")
    require_administrator(actor)
    if invitation.closed_at is not None:
        raise Conflict("This invitation was accepted or withdrawn already.", code="invitation-over")
    invitation.closed_at = now
    recorder.record(session, actor, "invitation.withdrawn", ("invitation", invitation.id), now)
    return invitation


def look(session: Session, token: str, now: datetime) -> None:
    """Refuse a token that is good for nothing, before time is spent on a hash."""
    _usable(session, token, now)


def accept(
    session: Session, token: str, *, full_name: str, password_hash: str, now: datetime, language: str | None = None
) -> User:
    """The account that the invitation was for. Of two at once, one gets it.

    Errors: NotFound; Conflict `invitation-over`, `organisation-unconfirmed`, `email-taken`.
    """
    organisation_id = _usable(session, token, now).organisation_id
    organisation_repository.organisation(
        session, organisation_id, lock=True
    )  # before the invitation: `remove` does so too
    invitation = _usable(session, token, now, lock=True)
    _refuse_unconfirmed(session, invitation.organisation_id)
    member = users.create_member(
        session,
        SYSTEM,
        organisation_id=invitation.organisation_id,
        email=invitation.email,
        full_name=tidy(full_name),
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


def guard(session: Session, actor: Actor, member_id: UUID) -> User:
    """A present member of one's own company; another company's is absent."""
    user = user_repository.user(session, member_id)
    if user is None or not user.active or user.organisation_id != own_organisation(actor):
        raise NotFound.of("member")
    person(actor)
    return user


def remove(session: Session, actor: Actor, member_id: UUID, now: datetime) -> Parted:
    """Another member, by an administrator; or oneself: leaving. Tokens and sessions end with this transaction.

    Errors: Forbidden; NotFound; Conflict `last-member`, `last-administrator`: a company without anybody could never
    come back.
    """
    organisation_id = own_organisation(actor)
    organisation_repository.organisation(
        session, organisation_id, lock=True
    )  # of two who remove each other, one comes first
    present = {user.id for user in user_repository.active_members(session, organisation_id, None, 1_000)}
    administrators = user_repository.active_administrators(session, organisation_id)
    guard(session, actor, member_id)
    user = user_repository.locked_user(session, member_id)
    if actor.id not in present:
        raise Forbidden("You are no member of this company any more.")
    if user is None or member_id not in present:
        raise NotFound.of("member")
    if actor.id != member_id and actor.id not in administrators:
        require_administrator(replace(actor, is_administrator=False))
    if present == {member_id}:
        raise Conflict("This is the last member of the company; invite somebody first.", code="last-member")
    _refuse_last(administrators, member_id)
    users.deactivate(session, actor, user, now)
    left = actor.id == member_id
    recorder.record(
        session,
        actor,
        "member.left" if left else "member.removed",
        ("user", member_id),
        now,
        organisation=organisation_id,
    )
    return Parted(user, api_client_repository.clients_known_to(session, member_id))


def administrable(session: Session, actor: Actor, member_id: UUID) -> User:
    """A present member whose rights this actor may change: of one's own company, or, for a registrar, of any.

    Errors: Forbidden; NotFound; SecondFactorRequired.
    """
    if not actor.has(Role.REGISTRAR):
        own_organisation(actor)
        user = guard(session, actor, member_id)
        require_administrator(actor)
        return user
    found = user_repository.user(session, member_id)
    if found is None or not found.active or found.organisation_id is None:
        raise NotFound.of("member")
    require_second_factor(actor)
    return found


def set_administrator(session: Session, actor: Actor, member_id: UUID, *, wanted: bool, now: datetime) -> bool:
    """Make a member an administrator, or no administrator any more; whether that changed anything.

    Errors: Forbidden; NotFound; SecondFactorRequired; Conflict `last-administrator`.
    """
    organisation_id = administrable(session, actor, member_id).organisation_id
    assert organisation_id is not None  # a member has a company
    organisation_repository.organisation(
        session, organisation_id, lock=True
    )  # of two who unmake each other, one comes first
    administrators = user_repository.active_administrators(session, organisation_id)
    user = user_repository.locked_user(session, member_id)
    if not actor.has(Role.REGISTRAR) and actor.id not in administrators:
        require_administrator(replace(actor, is_administrator=False))
    if user is None or not user.active or user.organisation_id != organisation_id:
        raise NotFound.of("member")
    if user.is_administrator == wanted:
        return False
    if not wanted:
        _refuse_last(administrators, member_id)
    user.is_administrator = wanted
    event = "member.administrator_given" if wanted else "member.administrator_taken"
    recorder.record(session, actor, event, ("user", member_id), now, organisation=organisation_id)
    return True


def _refuse_last(administrators: frozenset[UUID], member_id: UUID) -> None:
    if administrators == {member_id}:
        raise Conflict(
            "This is the last administrator of the company; make another member one first.", code="last-administrator"
        )


def _usable(session: Session, token: str, now: datetime, *, lock: bool = False) -> Invitation:
    invitation = session_repository.invitation_of_token(session, token_hash(token), lock=lock)
    if invitation is None:
        raise NotFound.of("invitation")
    if invitation.closed_at is not None or now >= invitation.expires_at:
        raise Conflict(
            "This invitation was accepted, withdrawn or is older than a week; ask for another one.",
            code="invitation-over",
        )
    return invitation


def _refuse_unconfirmed(session: Session, organisation_id: UUID) -> None:
    organisation = organisation_repository.organisation(session, organisation_id)
    if organisation is None or organisation.standing != Standing.CONFIRMED:
        raise Conflict(
            "Members are invited once the registrar has confirmed the company.", code="organisation-unconfirmed"
        )
