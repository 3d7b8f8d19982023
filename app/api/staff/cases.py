"""What reviewers and approvers do with an application: take it, ask, recommend, decide (four eyes)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from app.api.shared import application_schemas
from app.applications import assignment, case_access, decision, review, visit_waiver
from app.applications.decision import SentBack
from app.applications.information_requests import Field as QuestionField
from app.applications.information_requests import Question
from app.applications.model import Application
from app.applications.workflow import Action
from app.core.actor import Actor
from app.web.dependencies import ActorDep, IssuanceDep, NowDep, SessionDep, VersionDep, etag, parse_id
from app.web.problems.openapi_responses import CHANGES, refuses
from app.web.problems.problem_details import problem
from app.web.routes import OrderedRoute
from app.web.schema_types import Body, Code, Flag, Prose

router = APIRouter(prefix="/v1/applications", tags=["review"], route_class=OrderedRoute)


def _named(application_id: str) -> UUID:
    return parse_id(application_id, "application")


def _admitted(action: Action) -> object:
    """Refusals that do not depend on the body come before it is looked at (404, 403, 428, 412, 409). A route without a
    body needs none of this: its service refuses in the same order."""

    def admitted(application_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
        return case_access.admit(session, actor, _named(application_id), action, version).id

    return Depends(admitted, scope="function")


def _answer(
    session: SessionDep, actor: Actor, row: Application, response: Response, now: datetime
) -> application_schemas.ApplicationAnswer:
    response.headers["ETag"] = etag(row.version)
    return application_schemas.application(session, actor, row, now)


@router.post("/{application_id}/claim", summary="Assign an application to yourself", responses=refuses(*CHANGES))
def claim(
    application_id: str,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationAnswer:
    row = review.claim(session, actor, _named(application_id), version=version, now=now)
    return _answer(session, actor, row, response, now)


@router.post("/{application_id}/release", summary="Unassign", responses=refuses(*CHANGES))
def release(
    application_id: str,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationAnswer:
    row = review.release(session, actor, _named(application_id), version=version, now=now)
    return _answer(session, actor, row, response, now)


class QuestionBody(Body):
    text: Prose = Field(examples=["When did series production start? The site's record has no date."])
    product_id: UUID | None = None
    field: QuestionField | None = Field(None, description="what it is about; a member of a product needs `product_id`")


class Questions(Body):
    questions: list[QuestionBody] = Field(min_length=1, max_length=20)


@router.post("/{application_id}/request-information", summary="Ask the applicant", responses=refuses(*CHANGES))
def request_information(
    application_id: Annotated[UUID, _admitted(Action.REQUEST_INFORMATION)],
    body: Questions,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationAnswer:
    """The processing clock is paused until the applicant has answered."""
    questions = [Question(q.text, q.product_id, q.field) for q in body.questions]
    row = review.request_information(session, actor, application_id, questions=questions, version=version, now=now)
    return _answer(session, actor, row, response, now)


class HandOverBody(Body):
    to: UUID = Field(description="a reviewer's id")


@router.post(
    "/{application_id}/hand-over", summary="Hand an application over to another reviewer", responses=refuses(*CHANGES)
)
def hand_over(
    application_id: Annotated[UUID, _admitted(Action.HAND_OVER)],
    body: HandOverBody,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationAnswer:
    """By the reviewer who holds it. What was asked and noted so far goes along."""
    row = assignment.hand_over(session, actor, application_id, to=body.to, version=version, now=now)
    return _answer(session, actor, row, response, now)


class ResolutionBody(Body):
    rule: Code = Field(examples=["K-06"])
    accept: Flag
    reason: Prose


class VerdictBody(Body):
    product_id: UUID
    outcome: review.Verdict
    reasons: list[Prose] = Field(default=[], max_length=20)
    resolutions: list[ResolutionBody] = Field(default=[], max_length=50, description="one for each manual rule")


class RecommendationBody(Body):
    products: list[VerdictBody] = Field(min_length=1, max_length=50)


@router.post(
    "/{application_id}/recommend", summary="Recommend approval or refusal of every product", responses=refuses(*CHANGES)
)
def recommend(
    application_id: Annotated[UUID, _admitted(Action.RECOMMEND)],
    body: RecommendationBody,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationAnswer:
    """Bound to the dossier as it is now. A failed rule cannot be recommended past; a manual one needs your reason."""
    verdicts = [
        review.ProductVerdict(
            v.product_id,
            v.outcome,
            tuple(v.reasons),
            tuple(review.Resolution(r.rule, r.accept, r.reason) for r in v.resolutions),
        )
        for v in body.products
    ]
    row = review.recommend(session, actor, application_id, verdicts=verdicts, version=version, now=now)
    return _answer(session, actor, row, response, now)


@router.post(
    "/{application_id}/approve",
    summary="Approve and issue certificates",
    response_model=application_schemas.ApplicationAnswer,
    responses=refuses(*CHANGES),
)
def approve(
    application_id: str,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    issuance: IssuanceDep,
    now: NowDep,
) -> application_schemas.ApplicationAnswer | Response:
    """By another person than the recommender. Everything is assessed again; where anything differs from what was
    recommended, nothing is granted and the case goes back to review (409 `dossier-changed`,
    `not-eligible` or `term-too-short`)."""
    result = decision.approve(session, actor, _named(application_id), version=version, issuance=issuance, now=now)
    if isinstance(result, SentBack):
        # Answered, not raised: the way back to review is committed with this refusal.
        named: dict[str, Any] = {result.named: list(result.findings)}
        return problem(409, result.code, result.message, **named)
    return _answer(session, actor, result.application, response, now)


class ReasonBody(Body):
    reason: Prose


@router.post("/{application_id}/reject", summary="Refuse every product", responses=refuses(*CHANGES))
def reject(
    application_id: Annotated[UUID, _admitted(Action.REJECT)],
    body: ReasonBody,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationAnswer:
    """Whatever was recommended; the applicant reads the reason."""
    result = decision.reject(session, actor, application_id, reason=body.reason, version=version, now=now)
    return _answer(session, actor, result.application, response, now)


@router.post("/{application_id}/return", summary="Return to review", responses=refuses(*CHANGES))
def return_to_review(
    application_id: Annotated[UUID, _admitted(Action.RETURN)],
    body: ReasonBody,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationAnswer:
    """The recommendation is void; the reviewer who holds the case acts next and reads why."""
    row = decision.return_to_review(session, actor, application_id, reason=body.reason, version=version, now=now)
    return _answer(session, actor, row, response, now)


def _may_waive(application_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    return visit_waiver.guard(session, actor, _named(application_id), version).id


@router.post("/{application_id}/visit-waiver", summary="Waive the site visit", responses=refuses(*CHANGES))
def waive_visit(
    application_id: Annotated[UUID, Depends(_may_waive, scope="function")],
    body: ReasonBody,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationAnswer:
    """For the owner of the mark with a second factor, never for the reviewer of the case. The decision shows the
    reason; a recommendation made before is void."""
    row = visit_waiver.waive_visit(session, actor, application_id, reason=body.reason, version=version, now=now)
    return _answer(session, actor, row, response, now)
