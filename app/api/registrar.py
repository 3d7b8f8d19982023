"""For the registrar: who the companies are, and whether these people act for them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from app.access import store as access
from app.actor import Actor, Role
from app.api.dossier import searchable
from app.applications import claims
from app.notifications import notices
from app.registry import organisations
from app.registry.model import Organisation, Standing
from app.web.deps import ActorDep, NowDep, SessionDep, VersionDep, allow, etag, parse_id
from app.web.fields import Answer, Body, Prose
from app.web.paging import PageDep
from app.web.refusals import CHANGES, READS, refuses
from app.web.routing import OrderedRoute

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
    standing: Standing
    confirmed_at: datetime | None
    confirmation_basis: str | None
    refusal_reason: str | None
    created_at: datetime
    version: int
    members: list[PersonAnswer] | None = Field(None, description="in the answer about one company only")


def _organisation(row: Organisation, session: SessionDep | None = None) -> OrganisationAnswer:
    answer = OrganisationAnswer.model_validate(
        {name: getattr(row, name) for name in OrganisationAnswer.model_fields if name != "members"}
    )
    if session is None:
        return answer
    people = [
        PersonAnswer(id=user.id, full_name=user.full_name, email=user.address, active=user.active)
        for user in access.members(session, row.id)
    ]
    return answer.model_copy(update={"members": people})


@router.get("/organisations", summary="Companies", responses=refuses(*READS))
def list_organisations(
    actor: Staff,
    session: SessionDep,
    page: PageDep,
    standing: Standing | None = None,
    q: Annotated[str | None, Query(max_length=200, description="in names or VÖEN")] = None,
) -> dict[str, list[OrganisationAnswer]]:
    rows = organisations.list_organisations(
        session, actor, standing=standing, q=searchable(q), after=page.after, limit=page.fetch
    )
    return {"items": [_organisation(row) for row in page.cut(rows, lambda row: row.id)]}


@router.get("/organisations/{organisation_id}", summary="One company", responses=refuses(*READS))
def get_organisation(
    organisation_id: str, actor: ActorDep, session: SessionDep, response: Response
) -> OrganisationAnswer:
    row = organisations.get_organisation(session, actor, parse_id(organisation_id, "company"))
    response.headers["ETag"] = etag(row.version)
    return _organisation(row, session)


def _decides(action: claims.Decision) -> object:
    """Refusals that do not depend on the body come before it is looked at (404, 403, 428, 412, 409)."""

    def admitted(organisation_id: str, actor: ActorDep, session: SessionDep, version: VersionDep, now: NowDep) -> UUID:
        company = parse_id(organisation_id, "company")
        return claims.guard_organisation(session, actor, company, version, action, now)[0].id

    return Depends(admitted, scope="function")


class Basis(Body):
    basis: Prose = Field(examples=["Extract of the tax register and power of attorney of 3 November, both seen."])


class Reason(Body):
    reason: Prose


@router.post("/organisations/{organisation_id}/confirm", summary="Confirm a company", responses=refuses(*CHANGES))
def confirm(
    organisation_id: Annotated[UUID, _decides(claims.Decision.CONFIRM)],
    body: Basis,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> OrganisationAnswer:
    """You have seen evidence that these people act for the company; say which. From now on it may submit.

    The same as confirming its claim: where the register lists the company, the answer is the listed one, into which
    everything was moved.
    """
    row = claims.confirm_organisation(
        session, actor, organisation_id=organisation_id, version=version, basis=body.basis, now=now
    )
    notices.claims_decided(session, row.voen, now=now)
    response.headers["ETag"] = etag(row.version)
    return _organisation(row, session)


@router.post("/organisations/{organisation_id}/refuse", summary="Refuse a claim", responses=refuses(*CHANGES))
def refuse(
    organisation_id: Annotated[UUID, _decides(claims.Decision.REFUSE)],
    body: Reason,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> OrganisationAnswer:
    """These people do not act for the company. The same as refusing its claim."""
    row = claims.refuse_organisation(
        session, actor, organisation_id=organisation_id, version=version, reason=body.reason, now=now
    )
    notices.claims_decided(session, row.voen, now=now)
    session.flush()
    response.headers["ETag"] = etag(row.version)
    return _organisation(row, session)
