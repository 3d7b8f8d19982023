"""Use cases around who may come in: staff, members, API clients, and who an access token speaks for."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app import audit
from app.access import store
from app.access.model import ApiClient, StaffRole, User
from app.access.rights import own_organisation, require_person
from app.actor import STAFF_ROLES, Actor, ActorKind, Role
from app.db import new_id
from app.errors import Conflict, NotFound, Unauthenticated

CLIENT_PREFIX = "mikc_"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a token speaks for: `user:<id>` or `client:<id>`."""

    kind: ActorKind
    id: UUID

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Subject":
        kind, _, ident = text.partition(":")
        try:
            return cls(ActorKind(kind), UUID(ident))
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
            "Staff need at least one of the roles " + ", ".join(sorted(STAFF_ROLES)) + ".", code="no-such-role"
        )
    user = _create_user(session, email, full_name, password_hash, organisation_id=None, now=now)
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
) -> User:
    user = _create_user(session, email, full_name, password_hash, organisation_id=organisation_id, now=now)
    audit.record(session, actor, "user.created", ("user", user.id), now, organisation=organisation_id)
    return user


def _create_user(
    session: Session, email: str, full_name: str, password_hash: str, *, organisation_id: UUID | None, now: datetime
) -> User:
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


def deactivate_members(session: Session, actor: Actor, organisation_id: UUID, now: datetime) -> None:
    """Nobody acts for the company any more; their tokens and clients end with this transaction."""
    for user in store.members(session, organisation_id):
        if user.active:
            user.active = False
            audit.record(session, actor, "user.deactivated", ("user", user.id), now)
    for client in store.clients_of(session, organisation_id, None, 10_000):
        _revoke(session, actor, client, now)


def actor_of(session: Session, subject: Subject) -> Actor:
    """Roles and membership as they are now, not as they were when the token was made: a removal cuts off at once."""
    if subject.kind is ActorKind.CLIENT:
        client = store.client(session, subject.id)
        if client is None or client.revoked_at is not None:
            raise Unauthenticated("This API client was revoked.")
        return Actor(ActorKind.CLIENT, client.id, frozenset({Role.APPLICANT}), client.organisation_id)
    user = store.user(session, subject.id)
    if user is None or not user.active:
        raise Unauthenticated("This account is not active.")
    if user.is_staff:
        return Actor(ActorKind.USER, user.id, store.roles_of(session, user.id))
    return Actor(ActorKind.USER, user.id, frozenset({Role.APPLICANT}), user.organisation_id)


def create_client(session: Session, actor: Actor, *, name: str, now: datetime) -> tuple[ApiClient, str]:
    """A new API client and its secret, which exists only in this answer."""
    organisation_id = own_organisation(actor)
    require_person(actor)
    assert actor.id is not None  # people have one
    client_id, secret = CLIENT_PREFIX + secrets.token_hex(8), secrets.token_urlsafe(32)
    client = ApiClient(
        id=new_id(),
        organisation_id=organisation_id,
        client_id=client_id,
        secret_hash=secret_hash(secret),
        name=name,
        created_by=actor.id,
        created_at=now,
    )
    session.add(client)
    audit.record(session, actor, "client.created", ("client", client.id), now, organisation=organisation_id)
    return client, secret


def revoke_client(session: Session, actor: Actor, client_id: UUID, now: datetime) -> ApiClient:
    client = store.client_of(session, actor.organisation_id, client_id) if actor.organisation_id else None
    if client is None:
        raise NotFound.of("API client")
    require_person(actor)
    _revoke(session, actor, client, now)
    return client


def _revoke(session: Session, actor: Actor, client: ApiClient, now: datetime) -> None:
    if client.revoked_at is None:
        client.revoked_at = now
        audit.record(session, actor, "client.revoked", ("client", client.id), now)


def secret_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def client_by_secret(session: Session, client_id: str, secret: str) -> ApiClient | None:
    """The client whose secret this is; compared in constant time, also when there is no such client."""
    client = store.client_by_public_id(session, client_id)
    stored = client.secret_hash if client else "0" * 64
    matches = secrets.compare_digest(stored, secret_hash(secret))
    return client if client and matches and client.revoked_at is None else None
