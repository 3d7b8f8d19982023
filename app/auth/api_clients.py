"""Manage API clients of companies and their secrets. Two secrets may be active, so that they can be rotated."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import api_client_repository
from app.auth.credentials.passwords import new_token, token_hash
from app.auth.model import ApiClient, ClientSecret
from app.auth.permissions import require_administrator, require_organisation_id, require_person, require_user_id
from app.core.actor import Actor, Scope
from app.core.database import new_id
from app.core.errors import Conflict, NotFound

CLIENT_PREFIX = "mikc_"
SECRET_PREFIX = "miks_"  # noqa: S105 (the prefix of every secret, no secret)
MAX_ACTIVE_SECRETS = 2
MAX_COMPARED_SECRETS = 20
"""Newest secrets compared at authentication: an expired secret among them yields a precise reason."""


class SecretInvalidReason(StrEnum):
    """Why a matching secret does not authenticate the client."""

    ENDED = "It was ended by a member of the company."
    EXPIRED = "It has expired: a member of the company makes another one (POST /v1/api-clients/{client_id}/secrets)."


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """Result of an authentication: `client` owns the id, `secret` is the matching row, `over` the reason it fails."""

    client: ApiClient | None
    secret: ClientSecret | None = None
    invalid_reason: SecretInvalidReason | None = None


def create_client(
    session: Session,
    actor: Actor,
    *,
    name: str,
    now: datetime,
    life: timedelta,
    scopes: Iterable[Scope] = (Scope.READ,),
) -> tuple[ApiClient, ClientSecret, str]:
    """Create an API client with the given scopes and its first secret, which is returned only here."""
    organisation_id = require_organisation_id(actor)
    require_person(actor)
    created_by = require_administrator(actor)
    allowed = sorted(set(scopes))
    client = ApiClient(
        id=new_id(),
        organisation_id=organisation_id,
        client_id=CLIENT_PREFIX + secrets.token_hex(8),
        name=name,
        scopes=[scope.value for scope in allowed],
        created_by=created_by,
        created_at=now,
    )
    session.add(client)
    codes = [scope.value for scope in allowed]
    recorder.record(
        session, actor, "client.created", ("client", client.id), now, organisation=organisation_id, scopes=codes
    )
    session.flush()
    return client, *_add_secret(session, actor, client, now, life)


def load_own_client(session: Session, actor: Actor, client_id: UUID, *, lock: bool = False) -> ApiClient:
    """Load a client of the actor's own company, for its administrators; other companies' clients are absent."""
    client = (
        api_client_repository.find_client_of_organisation(session, actor.organisation_id, client_id, lock=lock)
        if actor.organisation_id
        else None
    )
    if client is None:
        raise NotFound.of("API client")
    require_person(actor)
    require_administrator(actor)
    return client


def revoke_client(session: Session, actor: Actor, client_id: UUID, now: datetime) -> ApiClient:
    """Revoke a client; its secrets and tokens stop working at once. A second call changes nothing."""
    client = load_own_client(session, actor, client_id)
    mark_revoked(session, actor, client, now)
    return client


def mark_revoked(session: Session, actor: Actor, client: ApiClient, now: datetime) -> None:
    """Revoke a loaded client and record it."""
    if client.revoked_at is None:
        client.revoked_at = now
        recorder.record(session, actor, "client.revoked", ("client", client.id), now)


def add_secret(
    session: Session, actor: Actor, client_id: UUID, *, now: datetime, life: timedelta
) -> tuple[ClientSecret, str]:
    """Add a second active secret. Raises `NotFound`, `Forbidden`, `Conflict` (`client-revoked`, `too-many-secrets`)."""
    client = load_own_client(session, actor, client_id, lock=True)  # a concurrent call counts this secret
    if client.revoked_at is not None:
        raise Conflict("This API client was revoked; create another one.", code="client-revoked")
    if len(api_client_repository.list_active_secrets(session, [client.id], now)) >= MAX_ACTIVE_SECRETS:
        raise Conflict(
            "Two secrets of an API client work already. End the one that is not used any more.",
            code="too-many-secrets",
        )
    return _add_secret(session, actor, client, now, life)


def end_secret(session: Session, actor: Actor, client_id: UUID, secret_id: UUID, now: datetime) -> ClientSecret:
    """End a secret; the access tokens issued for it stop working with this transaction. Idempotent."""
    client = load_own_client(session, actor, client_id, lock=True)
    secret = api_client_repository.find_secret(session, secret_id)
    if secret is None or secret.client_id != client.id:
        raise NotFound.of("secret")
    if secret.ended_at is None:
        secret.ended_at = now
        recorder.record(session, actor, "client.secret_ended", ("client", client.id), now, secret=secret.id)
    return secret


def _add_secret(
    session: Session, actor: Actor, client: ApiClient, now: datetime, life: timedelta
) -> tuple[ClientSecret, str]:
    text, digest = new_token(SECRET_PREFIX)
    row = ClientSecret(
        id=new_id(),
        client_id=client.id,
        secret_hash=digest,
        created_by=require_user_id(actor),
        created_at=now,
        expires_at=now + life,
    )
    session.add(row)
    session.flush()
    recorder.record(session, actor, "client.secret_created", ("client", client.id), now, secret=row.id)
    return row, text


def granted_scopes(client: ApiClient) -> frozenset[Scope]:
    """Return the scopes that the client was granted when it was created."""
    return frozenset(map(Scope, client.scopes))


def is_secret_active(session: Session, secret_id: UUID, now: datetime) -> bool:
    """Whether this secret still authenticates its client."""
    secret = api_client_repository.find_secret(session, secret_id)
    return secret is not None and is_active(secret, now)


def is_active(secret: ClientSecret, now: datetime) -> bool:
    """Whether the secret has neither ended nor expired."""
    return secret.ended_at is None and now < secret.expires_at


def authenticate_client(session: Session, client_id: str, text: str, now: datetime) -> ClientAuthentication:
    """Find the client and secret that match; compared in constant time, also when there is no such client."""
    client = api_client_repository.find_client_by_public_id(session, client_id)
    candidates: Sequence[ClientSecret] = (
        api_client_repository.list_newest_secrets(session, client.id, MAX_COMPARED_SECRETS)
        if client is not None
        else ()
    )
    digest = token_hash(text)
    matching = [row for row in candidates if secrets.compare_digest(row.secret_hash, digest)]
    if client is None or client.revoked_at is not None:
        return ClientAuthentication(None)
    if not matching:
        return ClientAuthentication(client)
    secret = matching[0]
    if secret.ended_at is not None:
        return ClientAuthentication(client, secret, SecretInvalidReason.ENDED)
    return ClientAuthentication(client, secret, None if is_active(secret, now) else SecretInvalidReason.EXPIRED)
