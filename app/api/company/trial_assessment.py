"""Assess products by the rules of a scheme without an application."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.api.company.applications import Applicant
from app.api.shared import application_schemas
from app.applications.assessment import assessments
from app.auth.permissions import own_organisation
from app.core.errors import NotFound
from app.products import product_repository
from app.web.dependencies import ONLY_READS, NowDep, SessionDep
from app.web.problems.openapi_responses import CREATES, refuses
from app.web.routes import OrderedRoute
from app.web.schema_types import Body, Page

trial = APIRouter(prefix="/v1", tags=["schemes"], route_class=OrderedRoute)


class DryAssessment(Body):
    product_ids: list[UUID] = Field(min_length=1, max_length=50)


@trial.post(
    "/schemes/{code}/assessments",
    summary="Assess products before applying",
    responses=refuses(*CREATES),
    dependencies=[ONLY_READS],
)
def assess(
    code: str, body: DryAssessment, actor: Applicant, session: SessionDep, now: NowDep
) -> Page[application_schemas.AssessmentAnswer]:
    """Every rule with its outcome, what it saw, and what is needed. Nothing is kept, nobody is told."""
    organisation_id = own_organisation(actor)
    wanted = list(dict.fromkeys(body.product_ids))
    if len(product_repository.owned(session, organisation_id, wanted)) < len(wanted):
        raise NotFound.of("product")
    judged = assessments.judge_products(session, code, organisation_id, wanted, now)
    return Page[application_schemas.AssessmentAnswer](
        items=[application_schemas.dry_assessment(actor, pid, each) for pid, each in judged.assessments.items()]
    )
