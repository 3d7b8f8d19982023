"""Review, recommend and decide applications (four eyes)."""

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
from app.web.dependencies import (
    CONFIRMED,
    ActorDep,
    IssuerContextDep,
    NowDep,
    SessionDep,
    VersionDep,
    format_etag,
    parse_id,
)
from app.web.problems.openapi_responses import UPDATE_ERRORS, error_responses
from app.web.problems.problem_details import problem
from app.web.routes import GuardedRoute
from app.web.schema_types import Code, RequestModel, StrictBoolean, Text4000

router = APIRouter(prefix="/v1/applications", tags=["review"], route_class=GuardedRoute)


def _case_id(application_id: str) -> UUID:
    return parse_id(application_id, "application")


def _guard(action: Action) -> object:
    """Return a dependency that rejects (404, 403, 428, 412, 409) before the body is validated.

    Routes without a body do not need it: their services reject in the same order.
    """

    def begin(application_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
        return case_access.begin_action(session, actor, _case_id(application_id), action, version).id

    return Depends(begin, scope="function")


def _response(
    session: SessionDep, actor: Actor, row: Application, response: Response, now: datetime
) -> application_schemas.ApplicationResponse:
    response.headers["ETag"] = format_etag(row.version)
    return application_schemas.application_response(session, actor, row, now)


@router.post(
    "/{application_id}/claim", summary="Assign an application to yourself", responses=error_responses(*UPDATE_ERRORS)
)
def claim_application(
    application_id: str,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """For reviewers, of a submitted application that is not assigned. The review begins."""
    row = review.claim(session, actor, _case_id(application_id), version=version, now=now)
    return _response(session, actor, row, response, now)


@router.post("/{application_id}/release", summary="Unassign an application", responses=error_responses(*UPDATE_ERRORS))
def release_application(
    application_id: str,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """For the assigned reviewer. The application can be assigned again."""
    row = review.release(session, actor, _case_id(application_id), version=version, now=now)
    return _response(session, actor, row, response, now)


class QuestionRequest(RequestModel):
    text: Text4000 = Field(examples=["When did series production start? The site's record has no date."])
    product_id: UUID | None = None
    field: QuestionField | None = Field(
        None, description="what the question is about; a member of a product needs `product_id`"
    )


class QuestionsRequest(RequestModel):
    questions: list[QuestionRequest] = Field(min_length=1, max_length=20)


@router.post(
    "/{application_id}/request-information",
    summary="Request information from the applicant",
    responses=error_responses(*UPDATE_ERRORS),
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
    to: UUID = Field(description="id of a reviewer")


@router.post(
    "/{application_id}/hand-over",
    summary="Hand an application over to another reviewer",
    responses=error_responses(*UPDATE_ERRORS),
)
def hand_over_application(
    application_id: Annotated[UUID, _guard(Action.HAND_OVER)],
    body: HandOverRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """For the assigned reviewer. Questions and notes stay with the application."""
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
def recommend_decision(
    application_id: Annotated[UUID, _guard(Action.RECOMMEND)],
    body: RecommendationRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """Refers to the current dossier. A product with a failed rule cannot be recommended for approval; resolve each
    manual rule with a reason.
    """
    recommendations = [
        review.ProductRecommendation(
            v.product_id,
            v.outcome,
            tuple(v.reasons),
            tuple(review.ManualResolution(r.rule, r.accept, r.reason) for r in v.resolutions),
        )
        for v in body.products
    ]
    row = review.recommend(session, actor, application_id, products=recommendations, version=version, now=now)
    return _response(session, actor, row, response, now)


@router.post(
    "/{application_id}/approve",
    summary="Approve and issue certificates",
    response_model=application_schemas.ApplicationResponse,
    responses=error_responses(*UPDATE_ERRORS),
    dependencies=[CONFIRMED],
)
def approve_application(
    application_id: str,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    issuance: IssuerContextDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse | Response:
    """For an approver who did not make the recommendation. The products are assessed again. If a result differs from
    the recommendation, nothing is issued and the application returns to review (409 `dossier-changed`, `not-eligible`
    or `term-too-short`).
    """
    result = decision.approve(session, actor, _case_id(application_id), version=version, issuance=issuance, now=now)
    if isinstance(result, ReturnedToReview):
        # Returned, not raised: the transition back to review is committed with this response.
        named: dict[str, Any] = {result.member_name: list(result.findings)}
        return problem(409, result.code, result.message, **named)
    return _response(session, actor, result.application, response, now)


class CaseReasonRequest(RequestModel):
    reason: Text4000


@router.post(
    "/{application_id}/reject",
    summary="Reject every product",
    responses=error_responses(*UPDATE_ERRORS),
    dependencies=[CONFIRMED],
)
def reject_application(
    application_id: Annotated[UUID, _guard(Action.REJECT)],
    body: CaseReasonRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """Independent of the recommendation. The applicant reads the reason."""
    result = decision.reject(session, actor, application_id, reason=body.reason, version=version, now=now)
    return _response(session, actor, result.application, response, now)


@router.post(
    "/{application_id}/return", summary="Return an application to review", responses=error_responses(*UPDATE_ERRORS)
)
def return_application_to_review(
    application_id: Annotated[UUID, _guard(Action.RETURN)],
    body: CaseReasonRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """The recommendation becomes void. The assigned reviewer acts next and reads the reason."""
    row = decision.return_to_review(session, actor, application_id, reason=body.reason, version=version, now=now)
    return _response(session, actor, row, response, now)


def _require_can_waive(application_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    return visit_waiver.load_for_waiver(session, actor, _case_id(application_id), version).id


@router.post(
    "/{application_id}/visit-waiver", summary="Waive the site visit", responses=error_responses(*UPDATE_ERRORS)
)
def waive_site_visit(
    application_id: Annotated[UUID, Depends(_require_can_waive, scope="function")],
    body: CaseReasonRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """For an owner with a recent second factor who is not the reviewer of the application. The decision shows the
    reason; an earlier recommendation becomes void.
    """
    row = visit_waiver.waive_visit(session, actor, application_id, reason=body.reason, version=version, now=now)
    return _response(session, actor, row, response, now)
