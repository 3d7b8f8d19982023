"""For companies: the programs that act for them (API clients)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field

from app.access import service as access
from app.access import store
from app.access.rights import own_organisation, require_administrator, require_person
from app.actor import Actor, Role, Scope
from app.errors import NotFound
from app.web.deps import NowDep, ReplayDep, SessionDep, allow, parse_id
from app.web.fields import SHOWN_ONCE, Answer, Body, Sentence
from app.web.paging import PageDep
from app.web.refusals import CREATES, READS, refuses
from app.web.routing import OrderedRoute

router = APIRouter(prefix="/v1", tags=["applicant"], route_class=OrderedRoute)

Applicant = Annotated[Actor, allow(Role.APPLICANT)]


class NewClient(Body):
    name: Sentence = Field(examples=["Order system"])
    scopes: list[Scope] = Field(
        default=list(Scope), min_length=1, max_length=20, description="what it may do; everything unless you narrow it"
    )


class ClientAnswer(Answer):
    id: UUID
    client_id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class ClientWithSecret(ClientAnswer):
    client_secret: str | None = Field(description=SHOWN_ONCE)


@router.get("/api-clients", summary="List API clients", responses=refuses(*READS))
def list_clients(actor: Applicant, session: SessionDep, page: PageDep) -> dict[str, list[ClientAnswer]]:
    rows = store.clients_of(session, own_organisation(actor), page.after, page.fetch)
    shown = page.cut(rows, lambda row: row.id)
    return {"items": [ClientAnswer.model_validate(row, from_attributes=True) for row in shown]}


def _administrator(actor: Applicant) -> Actor:
    require_person(actor)
    require_administrator(actor)
    return actor


@router.post("/api-clients", status_code=201, summary="Create an API client", responses=refuses(*CREATES))
def create_client(
    body: NewClient,
    actor: Annotated[Actor, Depends(_administrator, scope="function")],
    session: SessionDep,
    now: NowDep,
    _retry: ReplayDep,
) -> ClientWithSecret:
    """By an administrator of the company. The secret is shown once; only a hash of it is kept."""
    row, secret = access.create_client(session, actor, name=body.name, scopes=body.scopes, now=now)
    session.flush()
    return ClientWithSecret(**ClientAnswer.model_validate(row, from_attributes=True).model_dump(), client_secret=secret)


@router.get("/api-clients/{client_id}", summary="One API client", responses=refuses(*READS))
def get_client(client_id: str, actor: Applicant, session: SessionDep) -> ClientAnswer:
    row = store.client_of(session, own_organisation(actor), parse_id(client_id, "API client"))
    if row is None:
        raise NotFound.of("API client")
    return ClientAnswer.model_validate(row, from_attributes=True)


@router.delete("/api-clients/{client_id}", summary="Revoke an API client", responses=refuses(*CREATES))
def revoke_client(
    client_id: str, actor: Applicant, session: SessionDep, now: NowDep, _retry: ReplayDep
) -> ClientAnswer:
    """By an administrator of the company. Its access tokens end with this answer."""
    row = access.revoke_client(session, actor, parse_id(client_id, "API client"), now)
    return ClientAnswer.model_validate(row, from_attributes=True)
