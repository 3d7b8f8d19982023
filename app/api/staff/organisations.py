"""For the staff: who the companies are and who acts for them; whether a claim is confirmed, `claims.py` says."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.shared.application_schemas import searchable
from app.auth import user_repository
from app.core.actor import Actor, Role
from app.organisations import registration
from app.organisations.model import Organisation, Standing
from app.web.dependencies import ActorDep, SessionDep, allow, etag, parse_id
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import READS, refuses
from app.web.routes import OrderedRoute
from app.web.schema_types import Answer, Page

router = APIRouter(prefix="/v1", tags=["registrar"], route_class=OrderedRoute)

Staff = Annotated[Actor, allow(Role.REGISTRAR, Role.REVIEWER, Role.APPROVER, Role.OWNER, Role.AUDITOR, Role.INSPECTOR)]


class PersonAnswer(Answer):
    id: UUID
    full_name: str
    email: str
    active: bool


class OrganisationAnswer(Answer):
    id: UUID
    legal_name_az: str
    legal_name_en: str
    legal_form: str
    voen: str
    voen_needs_review: bool = Field(description="the check digit differs: confirm with the tax register")
    size_class: str | None
    status: Standing = Field(validation_alias="standing")
    confirmed_at: datetime | None
    confirmation_basis: str | None
    refusal_reason: str | None
    created_at: datetime
    version: int
    members: list[PersonAnswer] | None = Field(None, description="in the answer about one company only")


def _organisation(row: Organisation, session: SessionDep | None = None) -> OrganisationAnswer:
    answer = OrganisationAnswer.model_validate(row, from_attributes=True)
    if session is None:
        return answer
    people = [
        PersonAnswer(id=user.id, full_name=user.full_name, email=user.address, active=user.active)
        for user in user_repository.members(session, row.id)
    ]
    return answer.model_copy(update={"members": people})


@router.get("/organisations", summary="Companies", responses=refuses(*READS))
def list_organisations(
    actor: Staff,
    session: SessionDep,
    page: PageDep,
    status: Standing | None = None,
    q: Annotated[str | None, Query(max_length=200, description="in names or VÖEN")] = None,
) -> Page[OrganisationAnswer]:
    rows = registration.list_organisations(
        session, actor, standing=status, q=searchable(q), after=page.after, limit=page.fetch
    )
    return Page[OrganisationAnswer](items=[_organisation(row) for row in page.cut(rows, lambda row: row.id)])


@router.get("/organisations/{organisation_id}", summary="One company", responses=refuses(*READS))
def get_organisation(
    organisation_id: str, actor: ActorDep, session: SessionDep, response: Response
) -> OrganisationAnswer:
    row = registration.get_organisation(session, actor, parse_id(organisation_id, "company"))
    response.headers["ETag"] = etag(row.version)
    return _organisation(row, session)
