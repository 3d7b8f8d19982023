"""List, repeat and decide claims to act for a company: for claimants, companies and registrars."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.api.shared import application_schemas
from app.api.shared.application_schemas import PersonResponse, person_response
from app.api.shared.evidence import EvidenceRoute, EvidenceUploadDep
from app.applications import claims
from app.applications.deadline_calculator import objections_until
from app.applications.evidence import evidence_documents
from app.auth import user_repository
from app.auth.model import User
from app.core.actor import Actor
from app.notifications import notices
from app.organisations import organisation_repository, tax_number
from app.organisations.model import Claim, ClaimState, OrganisationStatus, RecordSource
from app.organisations.tax_number import Voen
from app.web.dependencies import (
    ActorDep,
    EvidenceFilesDep,
    NowDep,
    QuotasDep,
    ReplayHookDep,
    SessionDep,
    VersionDep,
    format_etag,
    parse_id,
)
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import READ_ERRORS, UPDATE_ERRORS, UPLOAD_ERRORS, error_responses
from app.web.schema_types import Code, Page, RequestModel, ResponseModel, Text100, Text250, Text4000

router = APIRouter(prefix="/v1", tags=["claims"], route_class=EvidenceRoute)

NOTICES = {
    ClaimState.CONFIRMED: "The registrar has confirmed that you act for this company.",
    ClaimState.REFUSED: "You were not shown to act for this company. What you entered is closed, and your uploads are "
    "erased 30 days after the decision. With new evidence you can claim again: POST /v1/claims.",
}


class ClaimSummaryResponse(ResponseModel):
    id: UUID
    voen: str
    voen_needs_review: bool = Field(description="true: the check digit is wrong; look the VÖEN up in the tax register")
    legal_name_az: str = Field(description="as stated in the claim, like the other names")
    legal_name_en: str
    legal_form: str
    state: ClaimState = Field(
        description="`disputed` (others act for the company already) is shown to staff only; others see `waiting`"
    )
    created_at: datetime
    due_at: datetime | None = Field(
        description="of a waiting claim: the deadline of the decision, five working days after the claim; staff only"
    )
    overdue: bool | None = Field(description="staff only")
    objections_until: datetime | None = Field(
        description="of a disputed claim: members of the company can object until then, and it cannot be confirmed "
        "before; staff only"
    )
    proposed_at: datetime | None = Field(description="of a disputed claim; staff only, like the next two")
    proposed_by: UUID | None = Field(description="the registrar who proposed confirmation; another registrar confirms")
    proposal: str | None = Field(description="evidence on which confirmation was proposed")
    decided_at: datetime | None
    notice: str | None = Field(description="text for the claimant once the claim is decided")
    organisation_id: UUID = Field(
        description="the organisation that holds what the claimant entered; after confirmation, the company"
    )
    claimant: PersonResponse | None = Field(description="staff only")
    decided_by: UUID | None = Field(description="staff only")
    reason: str | None = Field(description="reason of refusal; staff only")
    basis: str | None = Field(description="evidence on which it was confirmed; staff only")
    evidence_seen: list[UUID] | None = Field(description="staff only")
    version: int | None = Field(description="row version, as in `ETag`; staff only")


class ClaimWithEvidenceResponse(ClaimSummaryResponse):
    evidence: list[application_schemas.EvidenceResponse] = Field(
        description="documents uploaded with the claim; of a confirmed claim, see the company"
    )


class RegisteredCompanyResponse(ResponseModel):
    """The company as it is registered."""

    id: UUID
    legal_name_az: str
    legal_name_en: str
    legal_form: str
    status: OrganisationStatus
    source: RecordSource
    parks: list[str] = Field(description="parks in which it has an open residency")
    members: list[PersonResponse] = Field(description="users who act for it now")


class ClaimResponse(ClaimWithEvidenceResponse):
    register_entry: RegisteredCompanyResponse | None = Field(
        description="the registered company with this VÖEN, null if there is none; staff only"
    )
    other_claims: list[ClaimWithEvidenceResponse] | None = Field(
        description="other claims with the same VÖEN; staff only"
    )


def _claim_summaries(session: Session, actor: Actor, rows: Sequence[Claim], now: datetime) -> list[dict[str, Any]]:
    people = user_repository.find_users(session, [row.claimant_id for row in rows]) if actor.is_staff else {}
    due = claims.due_dates(session, rows) if actor.is_staff else {}
    return [_claim_fields(actor, row, people.get(row.claimant_id), due.get(row.id), now) for row in rows]


def _claim_fields(
    actor: Actor, row: Claim, person: User | None, due_at: datetime | None, now: datetime
) -> dict[str, Any]:
    """Return the members of a claim. Only staff see `disputed`: it would reveal that the company is registered."""
    state, number = ClaimState(row.state), tax_number.parse_voen(row.voen)
    is_told = actor.is_staff or state is not ClaimState.DISPUTED
    own = {name: getattr(row, name) for name in ClaimSummaryResponse.model_fields if hasattr(row, name)}
    proposed = ("proposed_at", "proposed_by", "proposal")
    for_staff = (*proposed, "decided_by", "reason", "basis", "evidence_seen", "version")
    disputed = actor.is_staff and state is ClaimState.DISPUTED
    return own | {
        "state": state if is_told else ClaimState.WAITING,
        "notice": NOTICES.get(state),
        "due_at": due_at,
        "overdue": (due_at is not None and now >= due_at) if actor.is_staff else None,
        "objections_until": objections_until(row.created_at) if disputed else None,
        "voen_needs_review": not isinstance(number, Voen) or number.needs_review,
        "claimant": person and person_response(person),
        **({} if actor.is_staff else dict.fromkeys(for_staff)),
    }


def _claims_with_evidence(session: Session, actor: Actor, rows: Sequence[Claim], now: datetime) -> list[dict[str, Any]]:
    open_ones = [row for row in rows if actor.is_staff or row.state != ClaimState.REFUSED]
    documents = application_schemas.evidence_responses(
        session, actor, evidence_documents.visible_documents(actor, claims.list_documents(session, open_ones))
    )
    of_each = defaultdict(list)
    for document in documents:
        of_each[document.organisation_id].append(document)
    summaries = _claim_summaries(session, actor, rows, now)
    return [each | {"evidence": of_each[each["organisation_id"]]} for each in summaries]


def _claim_response(session: Session, actor: Actor, row: Claim, response: Response, now: datetime) -> ClaimResponse:
    session.flush()
    others = claims.list_other_claims(session, row) if actor.is_staff else ()
    whole, *beside = _claims_with_evidence(session, actor, [row, *others], now)
    if not actor.is_staff:
        return ClaimResponse(**whole, register_entry=None, other_claims=None)
    response.headers["ETag"] = format_etag(row.version)
    entry = _register_entry(session, row.voen)
    return ClaimResponse(
        **whole, register_entry=entry, other_claims=[ClaimWithEvidenceResponse(**each) for each in beside]
    )


def _register_entry(session: Session, voen: str) -> RegisteredCompanyResponse | None:
    company = organisation_repository.find_company_by_voen(session, voen)
    if company is None:
        return None
    periods = organisation_repository.list_residencies(session, organisation_id=company.id, only_open=True)
    names = {name: getattr(company, name) for name in RegisteredCompanyResponse.model_fields if hasattr(company, name)}
    members = [person_response(user) for user in user_repository.list_members(session, company.id) if user.active]
    return RegisteredCompanyResponse(
        **names,
        parks=[period.park_code for period in periods],
        members=members,
    )


@router.get("/claims", summary="List claims", responses=error_responses(*READ_ERRORS))
def list_claims(
    actor: ActorDep,
    session: SessionDep,
    page: PageDep,
    now: NowDep,
    state: Annotated[ClaimState | None, Query(description="only claims in this state")] = None,
    voen: Annotated[str | None, Query(max_length=20, description="VÖEN of the claimed company")] = None,
) -> Page[ClaimSummaryResponse]:
    """Staff who read cases see all claims, filtered by state and VÖEN; others see their own."""
    states = () if state is None else (state,)
    number = application_schemas.storable_text(voen)
    rows = claims.list_claims(session, actor, states=states, voen=number, after=page.after, limit=page.fetch)
    shown = _claim_summaries(session, actor, page.cut(rows, lambda row: row.id), now)
    return Page[ClaimSummaryResponse](items=[ClaimSummaryResponse(**each) for each in shown])


@router.get("/claims/{claim_id}", summary="Get a claim", responses=error_responses(*READ_ERRORS))
def get_claim(claim_id: str, actor: ActorDep, session: SessionDep, response: Response, now: NowDep) -> ClaimResponse:
    """The claimant sees the claim; staff also see other claims with this VÖEN, their evidence, and the company."""
    return _claim_response(
        session, actor, claims.get_visible(session, actor, parse_id(claim_id, "company claim")), response, now
    )


def _require_can_claim_again(actor: ActorDep, ask_first: ReplayHookDep) -> Actor:
    claims.require_can_claim_again(actor, ask_first)
    return actor


@router.post(
    "/claims",
    status_code=201,
    summary="Create another claim with new evidence",
    responses=error_responses(*UPLOAD_ERRORS),
)
def create_claim(
    actor: Annotated[Actor, Depends(_require_can_claim_again, scope="function")],
    session: SessionDep,
    files: EvidenceFilesDep,
    quotas: QuotasDep,
    now: NowDep,
    response: Response,
    upload: EvidenceUploadDep,
    legal_name_az: Annotated[Text250, Form()],
    legal_name_en: Annotated[Text250, Form()],
    legal_form: Annotated[Text100, Form()],
    voen: Annotated[Code, Form()],
) -> ClaimResponse:
    """For a person whose claim was refused. Upload evidence that was not part of a refused claim. Nothing is taken over
    from refused claims."""
    draft = upload.draft()
    row = claims.create_another_claim(
        session,
        actor,
        names={"legal_name_az": legal_name_az, "legal_name_en": legal_name_en, "legal_form": legal_form},
        voen=voen,
        stored=draft.file,
        quotas=quotas,
        kind=upload.kind,
        file_name=upload.file_name,
        about=upload.subject(),
        details=upload.details(),
        now=now,
    )
    notices.notify_claim_made(session, row, now=now)
    files.store(draft)
    return _claim_response(session, actor, row, response, now)


class ClaimConfirmRequest(RequestModel):
    basis: Text4000 = Field(examples=["Extract of the tax register and power of attorney of 3 November, both seen."])
    evidence_seen: list[UUID] = Field(
        default=[], max_length=100, description="documents of the claim that you examined"
    )


def _load_for_decision(action: claims.ClaimDecision) -> object:
    """Return a dependency that rejects (404, 403, 428, 412, 409) before the body is validated."""

    def load(claim_id: str, actor: ActorDep, session: SessionDep, version: VersionDep, now: NowDep) -> UUID:
        return claims.load_for_decision(session, actor, parse_id(claim_id, "company claim"), version, action, now).id

    return Depends(load, scope="function")


@router.post("/claims/{claim_id}/confirm", summary="Confirm a claim", responses=error_responses(*UPDATE_ERRORS))
def confirm_claim(
    claim_id: Annotated[UUID, _load_for_decision(claims.ClaimDecision.CONFIRM)],
    body: ClaimConfirmRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> ClaimResponse:
    """For registrars who have examined evidence that this person acts for the company. What the claimant entered moves
    to the company, and all other claims with this VÖEN are refused.

    A disputed claim (others act for the company already) needs two registrars and ten days: 409 `not-proposed`, 403 for
    the registrar who proposed it, 409 `objections-open`. The claimant becomes a further member; other claims stay open.
    """
    row = claims.confirm_claim(
        session, actor, claim_id, basis=body.basis, evidence_seen=body.evidence_seen, version=version, now=now
    )
    notices.notify_claims_decided(session, row.voen, now=now)
    return _claim_response(session, actor, row, response, now)


class ClaimProposalRequest(RequestModel):
    basis: Text4000 = Field(examples=["Extract of 3 November names this person as the new director."])


@router.post(
    "/claims/{claim_id}/propose",
    summary="Propose to confirm a disputed claim",
    responses=error_responses(*UPDATE_ERRORS),
)
def propose_claim_confirmation(
    claim_id: Annotated[UUID, _load_for_decision(claims.ClaimDecision.PROPOSE)],
    body: ClaimProposalRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> ClaimResponse:
    """Another registrar confirms it, at the earliest ten days after the company's members could see the claim."""
    row = claims.propose_confirmation(session, actor, claim_id, basis=body.basis, version=version, now=now)
    return _claim_response(session, actor, row, response, now)


class CompetingClaimResponse(ResponseModel):
    id: UUID
    claimant: str = Field(description="name that the claimant stated")
    state: ClaimState
    created_at: datetime
    objections_until: datetime = Field(
        description="the claim is not confirmed before; to object, contact the registrar"
    )
    decided_at: datetime | None


@router.get(
    "/organisations/{organisation_id}/claims",
    summary="List claims of other people to your company",
    responses=error_responses(*READ_ERRORS),
)
def list_competing_claims(organisation_id: str, actor: ActorDep, session: SessionDep) -> Page[CompetingClaimResponse]:
    """For members of a confirmed company. If you do not know the person, contact the registrar before
    `objections_until`: two registrars must agree before a claimant becomes a member.
    """
    rows = claims.list_competing_claims(session, actor, parse_id(organisation_id, "company"))
    people = user_repository.find_users(session, [row.claimant_id for row in rows])
    return Page[CompetingClaimResponse](
        items=[
            CompetingClaimResponse(
                id=row.id,
                claimant=people[row.claimant_id].full_name,
                state=ClaimState(row.state),
                created_at=row.created_at,
                objections_until=objections_until(row.created_at),
                decided_at=row.decided_at,
            )
            for row in rows
        ]
    )


class ReasonRequest(RequestModel):
    reason: Text4000


@router.post("/claims/{claim_id}/refuse", summary="Refuse a claim", responses=error_responses(*UPDATE_ERRORS))
def refuse_claim(
    claim_id: Annotated[UUID, _load_for_decision(claims.ClaimDecision.REFUSE)],
    body: ReasonRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> ClaimResponse:
    """The claim is closed: the claimant sees the notice only, and nothing that was entered moves to a company."""
    row = claims.refuse_claim(session, actor, claim_id, reason=body.reason, version=version, now=now)
    notices.notify_claims_decided(session, row.voen, now=now)
    return _claim_response(session, actor, row, response, now)
