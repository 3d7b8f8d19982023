"""Load the actor that an access token names."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.auth import api_client_repository, api_clients, session_repository, user_sessions
from app.auth.agents import authority_repository
from app.auth.credentials import mfa
from app.core.actor import Actor, ActorKind, Role, Scope
from app.core.errors import Forbidden, Unauthenticated


@dataclass(frozen=True, slots=True)
class TokenSubject:
    """Subject of a token: `user:<id>` with a session, or `client:<id>`, optionally narrowed to scopes."""

    kind: ActorKind
    id: UUID
    session_id: UUID | None = None  # of a client: the secret that the token was issued for
    scopes: frozenset[Scope] | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str, session_id: object = None, scope: object = None) -> "TokenSubject":
        kind, _, ident = text.partition(":")
        try:
            return cls(
                ActorKind(kind),
                UUID(ident),
                UUID(str(session_id)) if session_id is not None else None,
                frozenset(map(Scope, str(scope).split())) if scope is not None else None,
            )
        except ValueError as why:
            raise Unauthenticated("The access token names no user or API client.") from why


class NoAuthority(Forbidden):
    """The actor names a company that they do not act for."""

    code = "no-authority"


def load_actor(session: Session, subject: TokenSubject, now: datetime, *, named: UUID | None = None) -> Actor:
    """Load the actor with current roles, membership and session, so that a revocation takes effect at once.

    `named`: the company that the request names; an agent acts for it by their authority.

    Raises `Unauthenticated` when the client, secret, session or account is no longer active, `NoAuthority`.
    """
    if subject.kind is ActorKind.CLIENT:
        client = api_client_repository.find_client(session, subject.id)
        if client is None or client.revoked_at is not None:
            raise Unauthenticated("This API client was revoked.")
        if subject.session_id is not None and not api_clients.is_secret_active(session, subject.session_id, now):
            raise Unauthenticated("The secret that this token was given for has ended.")
        scopes = (
            api_clients.granted_scopes(client)
            if subject.scopes is None
            else api_clients.granted_scopes(client) & subject.scopes
        )
        if named not in {None, client.organisation_id}:
            raise no_authority()
        return Actor(ActorKind.CLIENT, client.id, frozenset({Role.APPLICANT}), client.organisation_id, scopes=scopes)
    who = session_repository.session_with_user(session, subject.session_id, now) if subject.session_id else None
    if who is None or who.user_id != subject.id or not user_sessions.is_session_open(who, now):
        raise Unauthenticated("This session has ended; sign in again.")
    if not who.active:
        raise Unauthenticated("This account is not active.")
    acts_for = None if who.is_read_only else who.organisation_id
    second_factor_at = who.second_factor_at if mfa.is_recent(who.second_factor_at, now) else None
    if named is not None and named != acts_for:
        authority = authority_repository.find_in_force(session, who.user_id, named, now)
        if authority is None or who.is_staff or who.is_read_only:
            raise no_authority()
        return Actor(
            ActorKind.USER,
            who.user_id,
            frozenset({Role.APPLICANT}),
            named,
            session_id=who.id,
            second_factor_at=second_factor_at,
            scopes=frozenset(map(Scope, authority.scopes)),
            authority_id=authority.id,
        )
    return Actor(
        ActorKind.USER,
        who.user_id,
        who.roles if who.is_staff or acts_for is None else frozenset({Role.APPLICANT}),
        acts_for,
        is_administrator=who.is_administrator and acts_for is not None,
        session_id=who.id,
        second_factor_at=second_factor_at,
        must_name_organisation=who.is_agent and named is None and not who.is_read_only,
    )


def no_authority() -> NoAuthority:
    """Return the refusal of a request that names a company which the actor does not act for."""
    return NoAuthority(
        "You do not act for the company that the header Organisation names: there is no such company, or no authority "
        "of yours that is in force today. GET /v1/me/authorities lists yours."
    )


def with_organisation(actor: Actor, organisation_id: UUID) -> Actor:
    """Return the actor as a member of the organisation that they have just joined."""
    return replace(actor, roles=frozenset({Role.APPLICANT}), organisation_id=organisation_id)
