"""For companies: the programs that act for them (API clients), and their secrets."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field
from sqlalchemy.orm import Session

from app.auth import api_client_repository, api_clients
from app.auth.model import ApiClient, ClientSecret
from app.auth.permissions import own_organisation, require_administrator, require_person
from app.core.actor import Actor, Role, Scope
from app.core.errors import NotFound
from app.core.settings import Settings
from app.web.dependencies import ActorDep, NowDep, ReplayDep, SessionDep, SettingsDep, allow, parse_id
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CREATES, READS, refuses
from app.web.routes import OrderedRoute
from app.web.schema_types import SHOWN_ONCE, Answer, Body, Page, Sentence

router = APIRouter(prefix="/v1", tags=["applicant"], route_class=OrderedRoute)

Applicant = Annotated[Actor, allow(Role.APPLICANT)]


class NewClient(Body):
    name: Sentence = Field(examples=["Order system"])
    scopes: list[Scope] = Field(
        default=[Scope.READ],
        min_length=1,
        max_length=20,
        description="what it may do, and no more; who names none gets `read`",
    )


class SecretAnswer(Answer):
    id: UUID
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    ended_at: datetime | None


class NewSecretAnswer(SecretAnswer):
    client_secret: str | None = Field(description=SHOWN_ONCE)


class ClientAnswer(Answer):
    id: UUID
    client_id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    secrets: list[SecretAnswer] = Field(description="those that work, the oldest first; two at most")


class ClientWithSecret(ClientAnswer):
    client_secret: str | None = Field(description=SHOWN_ONCE)


def _secret(row: ClientSecret) -> SecretAnswer:
    return SecretAnswer.model_validate(row, from_attributes=True)


def _answers(session: Session, rows: Sequence[ApiClient], now: datetime) -> list[ClientAnswer]:
    alive = api_client_repository.alive(session, [row.id for row in rows if row.revoked_at is None], now)
    own = ("id", "client_id", "name", "scopes", "created_at", "last_used_at", "revoked_at")
    return [
        ClientAnswer(
            **{name: getattr(row, name) for name in own},
            secrets=[_secret(secret) for secret in alive if secret.client_id == row.id],
        )
        for row in rows
    ]


def _life(settings: Settings) -> timedelta:
    return timedelta(days=settings.client_secret_days)


@router.get("/api-clients", summary="List API clients", responses=refuses(*READS))
def list_clients(actor: Applicant, session: SessionDep, page: PageDep, now: NowDep) -> Page[ClientAnswer]:
    rows = api_client_repository.clients_of(session, own_organisation(actor), page.after, page.fetch)
    return Page[ClientAnswer](items=_answers(session, list(page.cut(rows, lambda row: row.id)), now))


def _administrator(actor: Applicant) -> Actor:
    require_person(actor)
    require_administrator(actor)
    return actor


@router.post("/api-clients", status_code=201, summary="Create an API client", responses=refuses(*CREATES))
def create_client(
    body: NewClient,
    actor: Annotated[Actor, Depends(_administrator, scope="function")],
    session: SessionDep,
    settings: SettingsDep,
    now: NowDep,
    _retry: ReplayDep,
) -> ClientWithSecret:
    """By an administrator of the company. The secret is shown once; only a hash of it is kept. It works until
    `expires_at`: add the next one before."""
    row, _, secret = api_clients.create_client(
        session, actor, name=body.name, scopes=body.scopes, now=now, life=_life(settings)
    )
    return ClientWithSecret(**_answers(session, [row], now)[0].model_dump(), client_secret=secret)


@router.get("/api-clients/{client_id}", summary="One API client", responses=refuses(*READS))
def get_client(client_id: str, actor: Applicant, session: SessionDep, now: NowDep) -> ClientAnswer:
    row = api_client_repository.client_of(session, own_organisation(actor), parse_id(client_id, "API client"))
    if row is None:
        raise NotFound.of("API client")
    return _answers(session, [row], now)[0]


@router.delete("/api-clients/{client_id}", summary="Revoke an API client", responses=refuses(*CREATES))
def revoke_client(
    client_id: str, actor: Applicant, session: SessionDep, now: NowDep, _retry: ReplayDep
) -> ClientAnswer:
    """By an administrator of the company. Its access tokens end with this answer."""
    row = api_clients.revoke_client(session, actor, parse_id(client_id, "API client"), now)
    return _answers(session, [row], now)[0]


def _own_client(client_id: str, actor: Applicant, session: SessionDep) -> UUID:
    return api_clients.guard(session, actor, parse_id(client_id, "API client")).id


OwnClient = Annotated[UUID, Depends(_own_client, scope="function")]


@router.post(
    "/api-clients/{client_id}/secrets",
    status_code=201,
    summary="Add a secret to an API client",
    responses=refuses(*CREATES),
)
def add_secret(
    client_id: OwnClient, actor: ActorDep, session: SessionDep, settings: SettingsDep, now: NowDep, _retry: ReplayDep
) -> NewSecretAnswer:
    """By an administrator. Both secrets work until you end the old one, so that the client never stands still."""
    row, secret = api_clients.add_secret(session, actor, client_id, now=now, life=_life(settings))
    return NewSecretAnswer(**_secret(row).model_dump(), client_secret=secret)


@router.delete(
    "/api-clients/{client_id}/secrets/{secret_id}", summary="End a secret of an API client", responses=refuses(*CREATES)
)
def end_secret(
    client_id: OwnClient, secret_id: str, actor: ActorDep, session: SessionDep, now: NowDep, _retry: ReplayDep
) -> SecretAnswer:
    """By an administrator. Access tokens that were given for it end with this answer, those of the other do not."""
    return _secret(api_clients.end_secret(session, actor, client_id, parse_id(secret_id, "secret"), now))
