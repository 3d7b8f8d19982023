"""Assess products by the rules of a scheme without an application."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.api.company.applications import Applicant
from app.api.shared import application_schemas
from app.applications.assessment import assessments
from app.auth.permissions import require_organisation_id
from app.core.errors import NotFound
from app.products import product_repository
from app.web.dependencies import READ_ONLY_ATTRIBUTE, NowDep, SessionDep
from app.web.problems.openapi_responses import CREATE_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import Page, RequestModel

trial_router = APIRouter(prefix="/v1", tags=["schemes"], route_class=GuardedRoute)


class DryAssessmentRequest(RequestModel):
    product_ids: list[UUID] = Field(min_length=1, max_length=50)


@trial_router.post(
    "/schemes/{code}/assessments",
    summary="Assess products before applying",
    responses=error_responses(*CREATE_ERRORS),
    dependencies=[READ_ONLY_ATTRIBUTE],
)
def assess_products(
    code: str, body: DryAssessmentRequest, actor: Applicant, session: SessionDep, now: NowDep
) -> Page[application_schemas.AssessmentResponse]:
    """Every rule with its outcome, the values that it read, and what is missing. Nothing is stored."""
    organisation_id = require_organisation_id(actor)
    wanted = list(dict.fromkeys(body.product_ids))
    if len(product_repository.find_owned_products(session, organisation_id, wanted)) < len(wanted):
        raise NotFound.of("product")
    result = assessments.assess_products(session, code, organisation_id, wanted, now)
    return Page[application_schemas.AssessmentResponse](
        items=[
            application_schemas.dry_assessment_response(actor, pid, each) for pid, each in result.assessments.items()
        ]
    )
