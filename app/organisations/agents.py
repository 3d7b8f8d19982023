"""Give, accept and end authorities: a person who is not a member acts for a company, in some scopes and for some time.

An agent names the company in each request and acts in its scopes alone. They are no member: what a member states in
person, such as a declaration, or decides about people, stays with the company.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import user_repository, users
from app.auth.agents import authority_repository
from app.auth.agents.model import AgentAuthority
from app.auth.model import User
from app.auth.permissions import (
    can_read_organisation,
    require_administrator,
    require_organisation_id,
    require_user_id,
)
from app.core.actor import Actor, Scope
from app.core.database import new_id
from app.core.dates import baku_day, day_start
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.messages import Message
from app.organisations.members import require_confirmed

MAX_DAYS = 731
MAX_OPEN = 100
MAX_LISTED = 500


class AuthorityState(StrEnum):
    OFFERED = "offered"  # the agent has not accepted it
    ACCEPTED = "accepted"  # its first day is still to come
    IN_FORCE = "in_force"
    EXPIRED = "expired"  # its last day has passed
    ENDED = "ended"  # revoked, given up or declined


def state_of(row: AgentAuthority, now: datetime) -> AuthorityState:
    """Return the state at this moment."""
    if row.ended_at is not None:
        return AuthorityState.ENDED
    if row.valid_until <= now:
        return AuthorityState.EXPIRED
    if row.accepted_at is None:
        return AuthorityState.OFFERED
    return AuthorityState.IN_FORCE if row.valid_from <= now else AuthorityState.ACCEPTED


def grant_authority(
    session: Session,
    actor: Actor,
    *,
    email: str,
    scopes: Collection[Scope],
    first_day: date,
    last_day: date,
    now: datetime,
) -> AgentAuthority:
    """Offer an authority to the person with this address, as an administrator of a confirmed company.

    Whether the address has an account is not told. Raises `Forbidden`, `Invalid`, `Conflict` (`already-member`,
    `organisation-unconfirmed`, `too-many-authorities`).
    """
    organisation_id, address = require_organisation_id(actor), users.normalize_email(email)
    granter = require_administrator(actor)
    require_confirmed(session, organisation_id)
    if last_day < first_day or last_day < baku_day(now):
        raise Invalid.at("/last_day", "It is before the first day, or has passed.")
    if (last_day - first_day).days >= MAX_DAYS:
        raise Invalid.at("/last_day", Message("An authority is given for at most %(limit)s days.", limit=MAX_DAYS))
    known = user_repository.find_user_by_email(session, address)
    if known is not None and known.organisation_id == organisation_id:
        raise Conflict("This person is a member of your company already.", code="already-member")
    if authority_repository.count_open(session, organisation_id, now) >= MAX_OPEN:
        raise Conflict(
            Message("A company has at most %(limit)s authorities at once; revoke one first.", limit=MAX_OPEN),
            code="too-many-authorities",
        )
    row = AgentAuthority(
        id=new_id(),
        organisation_id=organisation_id,
        email=address,
        scopes=sorted(set(scopes)),
        granted_by=granter,
        granted_at=now,
        valid_from=day_start(first_day),
        valid_until=day_start(last_day + timedelta(days=1)),
    )
    session.add(row)
    _record(session, actor, "authority.granted", row, now)
    return row


def accept_authority(session: Session, actor: Actor, authority_id: UUID, now: datetime) -> AgentAuthority:
    """Accept an authority that was offered to the address of the actor, who is a member of another company.

    Raises `NotFound`, `Forbidden`, `Conflict` (`authority-over`).
    """
    user = _person(session, actor)
    row = _of_agent(session, user, authority_id)
    if user.is_staff or user.organisation_id == row.organisation_id:
        raise Forbidden("Staff of the mark, and members of the company itself, cannot be its agents.")
    if row.accepted_at is not None or row.ended_at is not None or row.valid_until <= now:
        raise Conflict("This authority was accepted before, or has ended.", code="authority-over")
    row.agent_id, row.accepted_at = user.id, now
    _record(session, actor, "authority.accepted", row, now)
    return row


def revoke_authority(session: Session, actor: Actor, authority_id: UUID, now: datetime) -> AgentAuthority:
    """End an authority that the actor's company gave, at once. Raises `NotFound`, `Forbidden`, `Conflict`."""
    row = authority_repository.find_authority(session, authority_id, lock=True)
    if row is None or row.organisation_id != actor.organisation_id or actor.is_staff:
        raise NotFound.of("authority")
    require_administrator(actor)
    return _end(session, actor, row, now)


def give_up_authority(session: Session, actor: Actor, authority_id: UUID, now: datetime) -> AgentAuthority:
    """Give up, or decline, an authority as the agent. Raises `NotFound`, `Conflict` (`authority-over`)."""
    return _end(session, actor, _of_agent(session, _person(session, actor), authority_id), now)


def list_own_authorities(session: Session, actor: Actor) -> Sequence[AgentAuthority]:
    """Return what the actor accepted or is offered, newest first."""
    user = _person(session, actor)
    return authority_repository.list_of_agent(session, user.id, user.email, MAX_LISTED)


def list_authorities(session: Session, actor: Actor, organisation_id: UUID) -> Sequence[AgentAuthority]:
    """Return the authorities that a company gave, for its members and for staff. Raises `NotFound`."""
    require_user_id(actor)
    if not can_read_organisation(actor, organisation_id):
        raise NotFound.of("company")
    return authority_repository.list_of_organisation(session, organisation_id, MAX_LISTED)


def _person(session: Session, actor: Actor) -> User:
    user = user_repository.find_user(session, require_user_id(actor))
    assert user is not None  # the session of the actor belongs to it
    return user


def _of_agent(session: Session, user: User, authority_id: UUID) -> AgentAuthority:
    row = authority_repository.find_authority(session, authority_id, lock=True)
    is_theirs = row is not None and (row.agent_id == user.id or (row.agent_id is None and row.email == user.email))
    if row is None or not is_theirs:
        raise NotFound.of("authority")
    return row


def _end(session: Session, actor: Actor, row: AgentAuthority, now: datetime) -> AgentAuthority:
    if row.ended_at is not None or row.valid_until <= now:
        raise Conflict("This authority was accepted before, or has ended.", code="authority-over")
    row.ended_at, row.ended_by = now, require_user_id(actor)
    _record(session, actor, "authority.ended", row, now)
    return row


def _record(session: Session, actor: Actor, event: str, row: AgentAuthority, now: datetime) -> None:
    recorder.record(
        session,
        actor,
        event,
        ("authority", row.id),
        now,
        organisation=row.organisation_id,
        agent=row.agent_id,
        scopes=list(row.scopes),
    )
