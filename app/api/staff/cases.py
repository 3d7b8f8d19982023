"""What reviewers and approvers do with an application: take it, ask, recommend, decide (four eyes)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from app.api.shared import application_schemas
from app.applications import assignment, case_access, decision, review, visit_waiver
from app.applications.decision import ReturnedToReview
from app.applications.information_requests import Question, QuestionField
from app.applications.model import Application
from app.applications.workflow import Action
from app.core.actor import Actor
from app.web.dependencies import ActorDep, IssuerContextDep, NowDep, SessionDep, VersionDep, format_etag, parse_id
from app.web.problems.openapi_responses import UPDATE_ERRORS, error_responses
from app.web.problems.problem_details import problem
from app.web.routes import GuardedRoute
from app.web.schema_types import Code, RequestModel, StrictBoolean, Text4000

router = APIRouter(prefix="/v1/applications", tags=["review"], route_class=GuardedRoute)


def _case_id(application_id: str) -> UUID:
    return parse_id(application_id, "application")


def _guard(action: Action) -> object:
    """Refusals that do not depend on the body come before it is looked at (404, 403, 428, 412, 409). A route without a
    body needs none of this: its service refuses in the same order."""

    def admitted(application_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
        return case_access.begin_action(session, actor, _case_id(application_id), action, version).id

    return Depends(admitted, scope="function")


def _response(
    session: SessionDep, actor: Actor, row: Application, response: Response, now: datetime
) -> application_schemas.ApplicationResponse:
    response.headers["ETag"] = format_etag(row.version)
    return application_schemas.application_response(session, actor, row, now)


@router.post(
    "/{application_id}/claim", summary="Assign an application to yourself", responses=error_responses(*UPDATE_ERRORS)
)
def claim(
    application_id: str,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    row = review.claim(session, actor, _case_id(application_id), version=version, now=now)
    return _response(session, actor, row, response, now)


@router.post("/{application_id}/release", summary="Unassign", responses=error_responses(*UPDATE_ERRORS))
def release(
    application_id: str,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    row = review.release(session, actor, _case_id(application_id), version=version, now=now)
    return _response(session, actor, row, response, now)


class QuestionRequest(RequestModel):
    text: Text4000 = Field(examples=["When did series production start? The site's record has no date."])
    product_id: UUID | None = None
    field: QuestionField | None = Field(None, description="what it is about; a member of a product needs `product_id`")


class QuestionsRequest(RequestModel):
    questions: list[QuestionRequest] = Field(min_length=1, max_length=20)


@router.post(
    "/{application_id}/request-information", summary="Ask the applicant", responses=error_responses(*UPDATE_ERRORS)
)
def request_information(
    application_id: Annotated[UUID, _guard(Action.REQUEST_INFORMATION)],
    body: QuestionsRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """The processing clock is paused until the applicant has answered."""
    questions = [Question(q.text, q.product_id, q.field) for q in body.questions]
    row = review.request_information(session, actor, application_id, questions=questions, version=version, now=now)
    return _response(session, actor, row, response, now)


class HandOverRequest(RequestModel):
    to: UUID = Field(description="a reviewer's id")


@router.post(
    "/{application_id}/hand-over",
    summary="Hand an application over to another reviewer",
    responses=error_responses(*UPDATE_ERRORS),
)
def hand_over(
    application_id: Annotated[UUID, _guard(Action.HAND_OVER)],
    body: HandOverRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """By the reviewer who holds it. What was asked and noted so far goes along."""
    row = assignment.hand_over(session, actor, application_id, to=body.to, version=version, now=now)
    return _response(session, actor, row, response, now)


class ResolutionRequest(RequestModel):
    rule: Code = Field(examples=["K-06"])
    accept: StrictBoolean
    reason: Text4000


class ProductRecommendationRequest(RequestModel):
    product_id: UUID
    outcome: review.RecommendedOutcome
    reasons: list[Text4000] = Field(default=[], max_length=20)
    resolutions: list[ResolutionRequest] = Field(default=[], max_length=50, description="one for each manual rule")


class RecommendationRequest(RequestModel):
    products: list[ProductRecommendationRequest] = Field(min_length=1, max_length=50)


@router.post(
    "/{application_id}/recommend",
    summary="Recommend approval or refusal of every product",
    responses=error_responses(*UPDATE_ERRORS),
)
def recommend(
    application_id: Annotated[UUID, _guard(Action.RECOMMEND)],
    body: RecommendationRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """Bound to the dossier as it is now. A failed rule cannot be recommended past; a manual one needs your reason."""
    verdicts = [
        review.ProductRecommendation(
            v.product_id,
            v.outcome,
            tuple(v.reasons),
            tuple(review.ManualResolution(r.rule, r.accept, r.reason) for r in v.resolutions),
        )
        for v in body.products
    ]
    row = review.recommend(session, actor, application_id, products=verdicts, version=version, now=now)
    return _response(session, actor, row, response, now)


@router.post(
    "/{application_id}/approve",
    summary="Approve and issue certificates",
    response_model=application_schemas.ApplicationResponse,
    responses=error_responses(*UPDATE_ERRORS),
)
def approve(
    application_id: str,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    issuance: IssuerContextDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse | Response:
    """By another person than the recommender. Everything is assessed again; where anything differs from what was
    recommended, nothing is granted and the case goes back to review (409 `dossier-changed`,
    `not-eligible` or `term-too-short`)."""
    result = decision.approve(session, actor, _case_id(application_id), version=version, issuance=issuance, now=now)
    if isinstance(result, ReturnedToReview):
        # Answered, not raised: the way back to review is committed with this refusal.
        named: dict[str, Any] = {result.member_name: list(result.findings)}
        return problem(409, result.code, result.message, **named)
    return _response(session, actor, result.application, response, now)


class CaseReasonRequest(RequestModel):
    reason: Text4000


@router.post("/{application_id}/reject", summary="Refuse every product", responses=error_responses(*UPDATE_ERRORS))
def reject(
    application_id: Annotated[UUID, _guard(Action.REJECT)],
    body: CaseReasonRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """Whatever was recommended; the applicant reads the reason."""
    result = decision.reject(session, actor, application_id, reason=body.reason, version=version, now=now)
    return _response(session, actor, result.application, response, now)


@router.post("/{application_id}/return", summary="Return to review", responses=error_responses(*UPDATE_ERRORS))
def return_to_review(
    application_id: Annotated[UUID, _guard(Action.RETURN)],
    body: CaseReasonRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """The recommendation is void; the reviewer who holds the case acts next and reads why."""
    row = decision.return_to_review(session, actor, application_id, reason=body.reason, version=version, now=now)
    return _response(session, actor, row, response, now)


def _require_can_waive(application_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    return visit_waiver.load_for_waiver(session, actor, _case_id(application_id), version).id


@router.post(
    "/{application_id}/visit-waiver", summary="Waive the site visit", responses=error_responses(*UPDATE_ERRORS)
)
def waive_visit(
    application_id: Annotated[UUID, Depends(_require_can_waive, scope="function")],
    body: CaseReasonRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """For the owner of the mark with a second factor, never for the reviewer of the case. The decision shows the
    reason; a recommendation made before is void."""
    row = visit_waiver.waive_visit(session, actor, application_id, reason=body.reason, version=version, now=now)
    return _response(session, actor, row, response, now)
