"""Propose, confirm, refuse and withdraw acts of two people."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from app.auth import proposal_repository, proposals
from app.auth.model import Proposal, ProposalState
from app.core.actor import Actor, Role
from app.core.crypto.row_macs import is_authentic
from app.web.dependencies import (
    CONFIRMED,
    ActorDep,
    IdempotentReplayDep,
    NowDep,
    ProposalsDep,
    SessionDep,
    VersionDep,
    format_etag,
    parse_id,
    require_role,
)
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, UPDATE_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import Code, Page, RequestModel, ResponseModel

router = APIRouter(prefix="/v1/proposals", tags=["proposals"], route_class=GuardedRoute)

Reader = Annotated[Actor, require_role(*proposals.READER_ROLES)]
Owner = Annotated[Actor, require_role(Role.OWNER, second_factor=True)]
ProposableKind = Literal["role", "second-factor-reset", "key-activation", "compromise-correction"]


class ProposalResponse(ResponseModel):
    id: UUID
    kind: str = Field(examples=["role"])
    content: dict[str, Any] = Field(description="exactly what is proposed")
    subject_type: str = Field(description="`user`, `key` or `certificate`")
    subject_id: str
    state: ProposalState
    sha256: str = Field(description="of the canonical JSON of `{v, act: propose, kind, content, by}`")
    proposed_by: UUID
    proposed_at: datetime
    expires_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    confirmed_sha256: str | None = Field(
        description="of the canonical JSON of `{v, act: confirm, kind, content, proposal, proposed, by}`; `proposed` "
        "is `sha256`"
    )
    version: int


class ProposalRequest(RequestModel):
    kind: ProposableKind
    content: dict[str, Any] = Field(
        description="`role`: `user_id`, `role`. `second-factor-reset`: `user_id`. `key-activation`: `kid` and, to skip "
        "the day of waiting, `at_once`. `compromise-correction`: `kid`, `since`, and `reason`, one of "
        "`earlier-access`, `later-access`, `wrong-entry`.",
        examples=[{"user_id": "0190b4a0-0000-7000-8000-000000000001", "role": "approver"}],
    )


def proposal_response(row: Proposal, now: datetime, response: Response | None = None) -> ProposalResponse:
    """Describe a proposal as of this moment, and set the `ETag`."""
    if response is not None:
        response.headers["ETag"] = format_etag(row.version)
    columns = {name: getattr(row, name) for name in ProposalResponse.model_fields}
    return ProposalResponse.model_validate(columns | {"state": row.state_at(now)})


@router.get("", summary="List proposals", responses=error_responses(*READ_ERRORS))
def list_proposals(
    _actor: Reader,
    session: SessionDep,
    page: PageDep,
    now: NowDep,
    state: Annotated[ProposalState | None, Query(description="only proposals in this state")] = None,
    kind: Annotated[Code | None, Query(description="only proposals of this kind")] = None,
) -> Page[ProposalResponse]:
    """Oldest first, for owners and auditors."""
    rows = proposal_repository.list_proposals(
        session, state=state, kind=kind, now=now, after=page.after, limit=page.fetch
    )
    items = [proposal_response(row, now) for row in page.cut(rows, lambda row: row.id) if is_authentic(row)]
    return Page[ProposalResponse](items=items)


@router.post(
    "",
    status_code=201,
    summary="Propose an act",
    responses=error_responses(*CREATE_ERRORS),
    dependencies=[CONFIRMED],
)
def propose_act(
    actor: Owner,
    _retry: IdempotentReplayDep,
    body: ProposalRequest,
    session: SessionDep,
    service: ProposalsDep,
    response: Response,
    now: NowDep,
) -> ProposalResponse:
    """For owners. Another owner confirms, who is not the user whom it is about. It expires after some days
    (`expires_at`). A revocation is proposed at `POST /v1/certificates/{number}/revoke`."""
    return proposal_response(service.propose(session, actor, body.kind, body.content, now), now, response)


@router.get("/{proposal_id}", summary="Get a proposal", responses=error_responses(*READ_ERRORS))
def get_proposal(
    proposal_id: str, actor: Reader, session: SessionDep, response: Response, now: NowDep
) -> ProposalResponse:
    """The `ETag` is the version to send in `If-Match` when you confirm, refuse or withdraw it."""
    row = proposals.get_proposal(session, actor, parse_id(proposal_id, "proposal"))
    return proposal_response(row, now, response)


def _id_to_decide(proposal_id: str, actor: ActorDep, service: ProposalsDep) -> UUID:
    """Check the role before the id, so that nobody else learns which proposals exist."""
    service.require_confirmer(actor)
    return parse_id(proposal_id, "proposal")


def _id_to_withdraw(proposal_id: str, actor: ActorDep, service: ProposalsDep) -> UUID:
    service.require_proposer(actor)
    return parse_id(proposal_id, "proposal")


@router.post(
    "/{proposal_id}/confirm",
    summary="Confirm a proposal",
    responses=error_responses(*UPDATE_ERRORS),
    dependencies=[CONFIRMED],
)
def confirm_proposal(
    proposal_id: Annotated[UUID, Depends(_id_to_decide, scope="function")],
    actor: ActorDep,
    session: SessionDep,
    service: ProposalsDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> ProposalResponse:
    """For an owner who neither made the proposal nor is the user whom it is about. It takes effect at once; what it
    needs is checked again."""
    row = service.confirm(session, actor, proposal_id, version, now)
    return proposal_response(row, now, response)


@router.post("/{proposal_id}/refuse", summary="Refuse a proposal", responses=error_responses(*UPDATE_ERRORS))
def refuse_proposal(
    proposal_id: Annotated[UUID, Depends(_id_to_decide, scope="function")],
    actor: ActorDep,
    session: SessionDep,
    service: ProposalsDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> ProposalResponse:
    """For owners other than the proposer."""
    row = service.refuse(session, actor, proposal_id, version, now)
    return proposal_response(row, now, response)


@router.post("/{proposal_id}/withdraw", summary="Withdraw a proposal", responses=error_responses(*UPDATE_ERRORS))
def withdraw_proposal(
    proposal_id: Annotated[UUID, Depends(_id_to_withdraw, scope="function")],
    actor: ActorDep,
    session: SessionDep,
    service: ProposalsDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> ProposalResponse:
    """For the proposer."""
    row = service.withdraw(session, actor, proposal_id, version, now)
    return proposal_response(row, now, response)
