"""Create, list and revoke the API clients of a company, and add or end their secrets."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field
from sqlalchemy.orm import Session

from app.auth import api_client_repository, api_clients
from app.auth.model import ApiClient, ClientSecret
from app.auth.permissions import require_administrator, require_organisation_id, require_person
from app.core.actor import Actor, Role, Scope
from app.core.errors import NotFound
from app.core.settings import Settings
from app.web.dependencies import ActorDep, IdempotentReplayDep, NowDep, SessionDep, SettingsDep, parse_id, require_role
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import SHOWN_ONCE_DESCRIPTION, Page, RequestModel, ResponseModel, Text500

router = APIRouter(prefix="/v1", tags=["api clients"], route_class=GuardedRoute)

Applicant = Annotated[Actor, require_role(Role.APPLICANT)]


class ApiClientRequest(RequestModel):
    name: Text500 = Field(examples=["Order system"])
    scopes: list[Scope] = Field(
        default=[Scope.READ],
        min_length=1,
        max_length=20,
        description="scopes granted to the client; default: `read`",
    )


class ClientSecretResponse(ResponseModel):
    id: UUID
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    ended_at: datetime | None


class NewClientSecretResponse(ClientSecretResponse):
    client_secret: str | None = Field(description=SHOWN_ONCE_DESCRIPTION)


class ApiClientResponse(ResponseModel):
    id: UUID
    client_id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    secrets: list[ClientSecretResponse] = Field(description="active secrets, oldest first; at most two")


class ApiClientWithSecretResponse(ApiClientResponse):
    client_secret: str | None = Field(description=SHOWN_ONCE_DESCRIPTION)


def _secret_response(row: ClientSecret) -> ClientSecretResponse:
    return ClientSecretResponse.model_validate(row, from_attributes=True)


def _client_responses(session: Session, rows: Sequence[ApiClient], now: datetime) -> list[ApiClientResponse]:
    alive = api_client_repository.list_active_secrets(session, [row.id for row in rows if row.revoked_at is None], now)
    own = ("id", "client_id", "name", "scopes", "created_at", "last_used_at", "revoked_at")
    return [
        ApiClientResponse(
            **{name: getattr(row, name) for name in own},
            secrets=[_secret_response(secret) for secret in alive if secret.client_id == row.id],
        )
        for row in rows
    ]


def _secret_lifetime(settings: Settings) -> timedelta:
    return timedelta(days=settings.client_secret_days)


@router.get("/api-clients", summary="List API clients", responses=error_responses(*READ_ERRORS))
def list_api_clients(actor: Applicant, session: SessionDep, page: PageDep, now: NowDep) -> Page[ApiClientResponse]:
    """Revoked clients are listed as well, with `revoked_at`."""
    rows = api_client_repository.list_clients_of_organisation(
        session, require_organisation_id(actor), page.after, page.fetch
    )
    return Page[ApiClientResponse](items=_client_responses(session, list(page.cut(rows, lambda row: row.id)), now))


def _require_administrator(actor: Applicant) -> Actor:
    require_person(actor)
    require_administrator(actor)
    return actor


@router.post("/api-clients", status_code=201, summary="Create an API client", responses=error_responses(*CREATE_ERRORS))
def create_api_client(
    body: ApiClientRequest,
    actor: Annotated[Actor, Depends(_require_administrator, scope="function")],
    session: SessionDep,
    settings: SettingsDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> ApiClientWithSecretResponse:
    """For administrators of the company. The secret is shown once; only its hash is stored. Add another secret before
    `expires_at`."""
    row, _, secret = api_clients.create_client(
        session, actor, name=body.name, scopes=body.scopes, now=now, life=_secret_lifetime(settings)
    )
    return ApiClientWithSecretResponse(**_client_responses(session, [row], now)[0].model_dump(), client_secret=secret)


@router.get("/api-clients/{client_id}", summary="Get an API client", responses=error_responses(*READ_ERRORS))
def get_api_client(client_id: str, actor: Applicant, session: SessionDep, now: NowDep) -> ApiClientResponse:
    """Includes its active secrets, without their text."""
    row = api_client_repository.find_client_of_organisation(
        session, require_organisation_id(actor), parse_id(client_id, "API client")
    )
    if row is None:
        raise NotFound.of("API client")
    return _client_responses(session, [row], now)[0]


@router.delete("/api-clients/{client_id}", summary="Revoke an API client", responses=error_responses(*CREATE_ERRORS))
def revoke_api_client(
    client_id: str, actor: Applicant, session: SessionDep, now: NowDep, _retry: IdempotentReplayDep
) -> ApiClientResponse:
    """For administrators of the company. The access tokens of the client end at once."""
    row = api_clients.revoke_client(session, actor, parse_id(client_id, "API client"), now)
    return _client_responses(session, [row], now)[0]


def _require_own_client(client_id: str, actor: Applicant, session: SessionDep) -> UUID:
    return api_clients.load_own_client(session, actor, parse_id(client_id, "API client")).id


OwnClientId = Annotated[UUID, Depends(_require_own_client, scope="function")]


@router.post(
    "/api-clients/{client_id}/secrets",
    status_code=201,
    summary="Add a secret to an API client",
    responses=error_responses(*CREATE_ERRORS),
)
def add_api_client_secret(
    client_id: OwnClientId,
    actor: ActorDep,
    session: SessionDep,
    settings: SettingsDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> NewClientSecretResponse:
    """For administrators. Both secrets work until you end the old one, so that the client is never interrupted."""
    row, secret = api_clients.add_secret(session, actor, client_id, now=now, life=_secret_lifetime(settings))
    return NewClientSecretResponse(**_secret_response(row).model_dump(), client_secret=secret)


@router.delete(
    "/api-clients/{client_id}/secrets/{secret_id}",
    summary="End a secret of an API client",
    responses=error_responses(*CREATE_ERRORS),
)
def end_api_client_secret(
    client_id: OwnClientId,
    secret_id: str,
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> ClientSecretResponse:
    """For administrators. Access tokens issued for this secret end at once; those of the other secret stay valid."""
    return _secret_response(api_clients.end_secret(session, actor, client_id, parse_id(secret_id, "secret"), now))
