"""Authorities of agents: a company gives and revokes them, an agent accepts them and gives them up."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import EmailStr, Field
from sqlalchemy.orm import Session

from app.auth import user_repository
from app.auth.agents.model import AgentAuthority
from app.auth.permissions import require_administrator, require_organisation_id, require_user_id
from app.core.actor import Actor, Scope
from app.core.dates import baku_day
from app.notifications import notices
from app.organisations import agents, organisation_repository
from app.organisations.agents import AuthorityState
from app.web.dependencies import ActorDep, IdempotentReplayDep, NowDep, SessionDep, parse_id
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import RequestModel, ResponseModel

router = APIRouter(prefix="/v1", tags=["agents"], route_class=GuardedRoute)


class AuthorityRequest(RequestModel):
    email: EmailStr = Field(max_length=254, description="of the agent", examples=["broker@numune.example"])
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    first_day: date
    last_day: date = Field(description="inclusive; at most two years after the first")


class AgentAuthorityResponse(ResponseModel):
    id: UUID
    organisation_id: UUID
    organisation_name: str
    email: str
    agent_name: str | None = Field(description="null until it is accepted")
    scopes: list[Scope]
    first_day: date
    last_day: date
    state: AuthorityState
    granted_by: UUID
    granted_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None = Field(description="before its last day: revoked, given up or declined")


class AuthorityList(ResponseModel):
    items: list[AgentAuthorityResponse] = Field(max_length=agents.MAX_LISTED)


def _require_administrator(actor: ActorDep) -> Actor:
    require_organisation_id(actor)
    require_administrator(actor)
    return actor


AdministratorActor = Annotated[Actor, Depends(_require_administrator, scope="function")]


@router.post("/authorities", status_code=201, summary="Offer an authority", responses=error_responses(*CREATE_ERRORS))
def grant_authority(
    actor: AdministratorActor, _retry: IdempotentReplayDep, body: AuthorityRequest, session: SessionDep, now: NowDep
) -> AgentAuthorityResponse:
    """For administrators of a confirmed company. The person with this address is told by mail, and acts for the company
    once they have accepted it: in these scopes, on these days, and naming the company in the header `Organisation` of
    each request. What a member does in person, such as a declaration, stays with the company."""
    row = agents.grant_authority(
        session,
        actor,
        email=str(body.email),
        scopes=body.scopes,
        first_day=body.first_day,
        last_day=body.last_day,
        now=now,
    )
    session.flush()
    notices.notify_authority_offered(session, row, _days(row), now=now)
    return _responses(session, [row], now)[0]


@router.delete("/authorities/{authority_id}", summary="Revoke an authority", responses=error_responses(*CREATE_ERRORS))
def revoke_authority(
    authority_id: str, actor: ActorDep, session: SessionDep, now: NowDep, _retry: IdempotentReplayDep
) -> AgentAuthorityResponse:
    """For administrators of the company. From now on the agent does not act for it."""
    row = agents.revoke_authority(session, actor, parse_id(authority_id, "authority"), now)
    notices.notify_authority_ended(session, row, now=now)
    return _responses(session, [row], now)[0]


@router.get(
    "/organisations/{organisation_id}/authorities",
    summary="List the authorities that a company gave",
    responses=error_responses(*READ_ERRORS),
)
def list_authorities(organisation_id: str, actor: ActorDep, session: SessionDep, now: NowDep) -> AuthorityList:
    """For members of the company and for staff: who acts for it, or did, in what and when. The newest 500."""
    rows = agents.list_authorities(session, actor, parse_id(organisation_id, "company"))
    return AuthorityList(items=_responses(session, rows, now))


@router.get("/me/authorities", summary="List one's authorities", responses=error_responses(*READ_ERRORS))
def list_own_authorities(actor: ActorDep, session: SessionDep, now: NowDep) -> AuthorityList:
    """What was offered to the own address, and what was accepted, newest first."""
    return AuthorityList(items=_responses(session, agents.list_own_authorities(session, actor), now))


@router.post(
    "/me/authorities/{authority_id}/accept", summary="Accept an authority", responses=error_responses(*CREATE_ERRORS)
)
def accept_authority(
    authority_id: str, actor: ActorDep, session: SessionDep, now: NowDep, _retry: IdempotentReplayDep
) -> AgentAuthorityResponse:
    """For a member of another company. While an authority is in force, each request about a company names it in the
    header `Organisation`, also one about the own company."""
    require_user_id(actor)
    row = agents.accept_authority(session, actor, parse_id(authority_id, "authority"), now)
    session.flush()
    notices.notify_authority_accepted(session, row, _days(row), now=now)
    return _responses(session, [row], now)[0]


@router.delete(
    "/me/authorities/{authority_id}",
    status_code=204,
    summary="Give up an authority",
    responses=error_responses(*CREATE_ERRORS),
)
def give_up_authority(
    authority_id: str, actor: ActorDep, session: SessionDep, now: NowDep, _retry: IdempotentReplayDep
) -> Response:
    """Or decline one that was offered."""
    require_user_id(actor)
    row = agents.give_up_authority(session, actor, parse_id(authority_id, "authority"), now)
    notices.notify_authority_ended(session, row, now=now)
    return Response(status_code=204)


def _days(row: AgentAuthority) -> tuple[date, date]:
    return baku_day(row.valid_from), baku_day(row.valid_until - timedelta(days=1))


def _responses(session: Session, rows: Sequence[AgentAuthority], now: datetime) -> list[AgentAuthorityResponse]:
    people = user_repository.find_users(session, [row.agent_id for row in rows if row.agent_id is not None])
    names = {}
    for organisation_id in {row.organisation_id for row in rows}:
        company = organisation_repository.find_organisation(session, organisation_id)
        names[organisation_id] = company.legal_name_az if company else ""
    answers = []
    for row in rows:
        first_day, last_day = _days(row)
        agent = people.get(row.agent_id) if row.agent_id else None
        answers.append(
            AgentAuthorityResponse(
                id=row.id,
                organisation_id=row.organisation_id,
                organisation_name=names[row.organisation_id],
                email=row.email,
                agent_name=agent.full_name if agent else None,
                scopes=[Scope(scope) for scope in row.scopes],
                first_day=first_day,
                last_day=last_day,
                state=agents.state_of(row, now),
                granted_by=row.granted_by,
                granted_at=row.granted_at,
                accepted_at=row.accepted_at,
                ended_at=row.ended_at,
            )
        )
    return answers
