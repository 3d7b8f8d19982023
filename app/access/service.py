"""Use cases around who may come in: staff, members, and who an access token speaks for."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app import audit
from app.access import client_store, clients, second_factor, session_store, sessions, store
from app.access.model import StaffRole, User
from app.access.sessions import Ended
from app.actor import STAFF_ROLES, Actor, ActorKind, Role, Scope
from app.core.messages import Message
from app.db import new_id
from app.errors import Conflict, Unauthenticated


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a token speaks for: `user:<id>` in a session of theirs, or `client:<id>`, narrowed to scopes or not."""

    kind: ActorKind
    id: UUID
    session_id: UUID | None = None  # of a client: the secret that the token was given for
    scopes: frozenset[Scope] | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str, session_id: object = None, scope: object = None) -> "Subject":
        kind, _, ident = text.partition(":")
        try:
            return cls(
                ActorKind(kind),
                UUID(ident),
                UUID(str(session_id)) if session_id is not None else None,
                frozenset(map(Scope, str(scope).split())) if scope is not None else None,
            )
        except ValueError as why:
            raise Unauthenticated("The access token names nobody.") from why


def email_key(email: str) -> str:
    """The spelling under which an address is unique."""
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
    granted = sorted(set(roles))
    if not granted or not set(granted) <= STAFF_ROLES:
        raise Conflict(
            Message(
                "Staff need at least one of the roles %(roles)s.", roles=sorted(role.value for role in STAFF_ROLES)
            ),
            code="no-such-role",
        )
    user = create_user(session, email, full_name, password_hash, organisation_id=None, now=now)
    session.add_all(StaffRole(user_id=user.id, role=role.value) for role in granted)
    audit.record(session, actor, "user.created", ("user", user.id), now, roles=[r.value for r in granted])
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
    """A member of the company; the first one is its administrator. Errors: Conflict `email-taken`."""
    is_first = not store.active_members(session, organisation_id, None, 1)
    user = create_user(session, email, full_name, password_hash, organisation_id=organisation_id, now=now)
    user.is_administrator, user.language = is_first, language
    audit.record(
        session, actor, "user.created", ("user", user.id), now, organisation=organisation_id, administrator=is_first
    )
    return user


def create_user(
    session: Session, email: str, full_name: str, password_hash: str, *, organisation_id: UUID | None, now: datetime
) -> User:
    """A row for a person, and nothing else: rights and history are the caller's. Errors: Conflict `email-taken`."""
    if store.user_by_email(session, email_key(email)):
        raise Conflict("This e-mail address is registered already.", code="email-taken")
    user = User(
        id=new_id(),
        email=email_key(email),
        full_name=full_name,
        password_hash=password_hash,
        is_staff=organisation_id is None,
        organisation_id=organisation_id,
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def join_others(session: Session, actor: Actor, organisation_id: UUID, now: datetime) -> None:
    """These people are about to join a company that others act for: its administrators decide about their rights, and
    about programs."""
    for user in store.members(session, organisation_id):
        user.is_administrator = False
    for client in client_store.clients_of(session, organisation_id, None, 10_000):
        clients.revoke(session, actor, client, now)


def seal_members(session: Session, actor: Actor, organisation_id: UUID, now: datetime) -> None:
    """Nobody acts for this organisation any more: its people read what was decided and do nothing else; its clients
    end with this transaction."""
    for user in store.members(session, organisation_id):
        if user.active and user.sealed_at is None:
            user.sealed_at = now
            sessions.end_all(session, actor, user.id, Ended.SEALED, now)
            session_store.close_resets(session, user.id, now)
            audit.record(session, actor, "user.sealed", ("user", user.id), now)
    for client in client_store.clients_of(session, organisation_id, None, 10_000):
        clients.revoke(session, actor, client, now)


def deactivate(session: Session, actor: Actor, user: User, now: datetime) -> None:
    """Nobody comes in by this account again: sessions, codes, resets and invitations end with this transaction. What
    the person did keeps its row; the address is free, for the same person at another company perhaps."""
    user.active = False
    user.former_email, user.email = user.email, f"removed:{user.id}"
    sessions.end_all(session, actor, user.id, Ended.REMOVED, now)
    session_store.close_resets(session, user.id, now)
    for invitation_id in session_store.close_invitations(session, now, by=user.id):
        audit.record(session, actor, "invitation.withdrawn", ("invitation", invitation_id), now)
    audit.record(session, actor, "user.deactivated", ("user", user.id), now)


def actor_of(session: Session, subject: Subject, now: datetime) -> Actor:
    """Roles, membership and session as they are now, not as when the token was made: an end cuts off at once."""
    if subject.kind is ActorKind.CLIENT:
        client = client_store.client(session, subject.id)
        if client is None or client.revoked_at is not None:
            raise Unauthenticated("This API client was revoked.")
        if subject.session_id is not None and not clients.works(session, subject.session_id, now):
            raise Unauthenticated("The secret that this token was given for has ended.")
        scopes = clients.granted(client) if subject.scopes is None else clients.granted(client) & subject.scopes
        return Actor(ActorKind.CLIENT, client.id, frozenset({Role.APPLICANT}), client.organisation_id, scopes=scopes)
    who = session_store.present(session, subject.session_id) if subject.session_id else None
    if who is None or who.user_id != subject.id or not sessions.is_open(who, now):
        raise Unauthenticated("This session has ended; sign in again.")
    if not who.active:
        raise Unauthenticated("This account is not active.")
    acts_for = None if who.is_sealed else who.organisation_id
    return Actor(
        ActorKind.USER,
        who.user_id,
        who.roles if who.is_staff or acts_for is None else frozenset({Role.APPLICANT}),
        acts_for,
        is_administrator=who.is_administrator and acts_for is not None,
        session_id=who.id,
        second_factor_at=who.second_factor_at if second_factor.recent(who.second_factor_at, now) else None,
    )


def acting_for(actor: Actor, organisation_id: UUID) -> Actor:
    """The same person, as of the organisation that they have just become a member of."""
    return replace(actor, roles=frozenset({Role.APPLICANT}), organisation_id=organisation_id)
