"""Screen a company against the sanctions list and decide each resemblance."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field

from app.organisations.sanctions import screening
from app.organisations.sanctions.screening import Examined, Resemblance, Screening
from app.web.dependencies import ActorDep, IdempotentReplayDep, NowDep, SessionDep, parse_id
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import RequestModel, ResponseModel, Text100, Text250, Text4000

router = APIRouter(prefix="/v1/organisations", tags=["organisations"], route_class=GuardedRoute)


class SanctionsDecisionResponse(ResponseModel):
    decision: Resemblance
    reason: str
    decided_by: UUID
    decided_at: datetime


class SanctionsCandidateResponse(ResponseModel):
    entry_id: str
    entry_sha256: str
    names: list[str]
    country: str
    programme: str
    score: int = Field(description="0–100")
    listed_name: str = Field(description="the name of the entry that resembles")
    company_name: str = Field(description="the name of the company that it resembles")
    decision: SanctionsDecisionResponse | None = Field(description="the newest that holds; null: undecided")


class SanctionsScreeningResponse(ResponseModel):
    list_sha256: str | None = Field(description="hash of the list that was compared; null: none was ever loaded")
    loaded_at: datetime | None
    threshold: int | None
    is_clear: bool = Field(description="a list was compared and every candidate is decided to be different")
    candidates: list[SanctionsCandidateResponse]


class SanctionsDecisionRequest(RequestModel):
    entry_id: Text250
    entry_sha256: Text100
    decision: Resemblance
    reason: Text4000 = Field(examples=["Another country and year of registration; extract seen."])


def _response(found: Screening) -> SanctionsScreeningResponse:
    return SanctionsScreeningResponse(
        list_sha256=found.list_sha256,
        loaded_at=found.loaded_at,
        threshold=found.threshold,
        is_clear=found.is_clear,
        candidates=[_candidate(each) for each in found.candidates],
    )


def _candidate(each: Examined) -> SanctionsCandidateResponse:
    entry, row = each.candidate.entry, each.decision
    return SanctionsCandidateResponse(
        entry_id=entry.id,
        entry_sha256=entry.sha256,
        names=list(entry.names),
        country=entry.country,
        programme=entry.programme,
        score=each.candidate.score,
        listed_name=each.candidate.listed_name,
        company_name=each.candidate.company_name,
        decision=SanctionsDecisionResponse(
            decision=Resemblance(row.decision), reason=row.reason, decided_by=row.decided_by, decided_at=row.decided_at
        )
        if row
        else None,
    )


@router.get(
    "/{organisation_id}/sanctions-screening",
    summary="Screen a company against the sanctions list",
    responses=error_responses(*READ_ERRORS),
)
def get_sanctions_screening(organisation_id: str, actor: ActorDep, session: SessionDep) -> SanctionsScreeningResponse:
    """For staff. Entries of the newest list whose names resemble those of the company, the most similar first."""
    return _response(screening.get_screening(session, actor, parse_id(organisation_id, "company")))


def _company_to_decide(organisation_id: str, actor: ActorDep, session: SessionDep) -> UUID:
    company_id = parse_id(organisation_id, "company")
    screening.require_can_decide(session, actor, company_id)
    return company_id


@router.post(
    "/{organisation_id}/sanctions-screening/decisions",
    status_code=201,
    summary="Decide whether a company is an entry of the sanctions list",
    responses=error_responses(*CREATE_ERRORS),
)
def decide_sanctions_candidate(
    organisation_id: Annotated[UUID, Depends(_company_to_decide, scope="function")],
    body: SanctionsDecisionRequest,
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> SanctionsScreeningResponse:
    """For registrars and reviewers. A decision is never changed; a later one takes its place. It ends when the entry
    or a name of the company changes. A background check without a match is confirmed only once every candidate is
    decided to be different.
    """
    return _response(
        screening.decide(
            session,
            actor,
            organisation_id,
            entry_id=body.entry_id,
            entry_sha256=body.entry_sha256,
            decision=body.decision,
            reason=body.reason,
            now=now,
        )
    )
