"""List companies with their status and members. Claims to act for a company are in `company/claims.py`."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.shared.application_schemas import PersonResponse, person_response, storable_text
from app.auth import user_repository
from app.core.actor import Actor, Role
from app.organisations import registration
from app.organisations.model import Organisation, OrganisationStatus
from app.web.dependencies import ActorDep, SessionDep, format_etag, parse_id, require_role
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import Page, ResponseModel

router = APIRouter(prefix="/v1", tags=["organisations"], route_class=GuardedRoute)

Staff = Annotated[
    Actor, require_role(Role.REGISTRAR, Role.REVIEWER, Role.APPROVER, Role.OWNER, Role.AUDITOR, Role.INSPECTOR)
]


class OrganisationResponse(ResponseModel):
    id: UUID
    legal_name_az: str
    legal_name_en: str
    legal_form: str
    voen: str
    voen_needs_review: bool = Field(description="true: the check digit is wrong; look the VÖEN up in the tax register")
    size_class: str | None
    status: OrganisationStatus
    confirmed_at: datetime | None
    confirmation_basis: str | None
    refusal_reason: str | None
    created_at: datetime
    version: int
    members: list[PersonResponse] | None = Field(None, description="users of the company; null in lists")


def _organisation_response(row: Organisation, session: SessionDep | None = None) -> OrganisationResponse:
    answer = OrganisationResponse.model_validate(row, from_attributes=True)
    if session is None:
        return answer
    people = [person_response(user) for user in user_repository.list_members(session, row.id)]
    return answer.model_copy(update={"members": people})


@router.get("/organisations", summary="List companies", responses=error_responses(*READ_ERRORS))
def list_organisations(
    actor: Staff,
    session: SessionDep,
    page: PageDep,
    status: Annotated[OrganisationStatus | None, Query(description="only companies with this status")] = None,
    q: Annotated[str | None, Query(max_length=200, description="part of a name or of the VÖEN")] = None,
) -> Page[OrganisationResponse]:
    """For staff. The company that registered first comes first."""
    rows = registration.list_organisations(
        session, actor, status=status, q=storable_text(q), after=page.after, limit=page.fetch
    )
    return Page[OrganisationResponse](items=[_organisation_response(row) for row in page.cut(rows, lambda row: row.id)])


@router.get("/organisations/{organisation_id}", summary="Get a company", responses=error_responses(*READ_ERRORS))
def get_organisation(
    organisation_id: str, actor: ActorDep, session: SessionDep, response: Response
) -> OrganisationResponse:
    """Visible to its members and to staff, with the users of the company."""
    row = registration.get_organisation(session, actor, parse_id(organisation_id, "company"))
    response.headers["ETag"] = format_etag(row.version)
    return _organisation_response(row, session)
