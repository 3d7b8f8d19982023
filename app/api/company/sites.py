"""List, create and update the production sites of a company."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.auth.permissions import require_organisation_id
from app.certificates import matters
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.core.errors import ErrorCollector
from app.organisations import sites
from app.organisations.model import RecordSource
from app.web.dependencies import (
    ActorDep,
    IdempotentReplayDep,
    NowDep,
    SessionDep,
    VersionDep,
    format_etag,
    parse_id,
    require_role,
)
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, UPDATE_ERRORS, error_responses
from app.web.problems.replace_bodies import ReplaceModel, accepts_response, read_only_errors, require_unchanged
from app.web.routes import BodyCheckContext, GuardedRoute, check_body
from app.web.schema_types import Code, IsoDate, Page, RequestModel, ResponseModel, Text100, Text250

router = APIRouter(prefix="/v1", tags=["sites"], route_class=GuardedRoute)

Applicant = Annotated[Actor, require_role(Role.APPLICANT)]


class SiteRequest(RequestModel):
    name: Text250 = Field(examples=["Pipe mill, hall 2"])
    country: Code = Field("AZ", description="ISO 3166-1 alpha-2")
    district: Text100 = Field(
        description="in Azerbaijan one of its districts, in az, en or ru, with or without “rayonu”, in any spelling",
        examples=["Ağdam"],
    )
    park_code: Code | None = Field(None, examples=["AGDAM-SP"])
    production_started_on: IsoDate | None = Field(None, description="first day of series production here")


class SiteResponse(ResponseModel):
    id: UUID
    name: str
    country: str
    district: str
    economic_region: str | None = Field(description="follows from the district")
    park_code: str | None
    production_started_on: date | None
    source: RecordSource = Field(description="whether the resident register or the applicant states it")
    version: int


@accepts_response(SiteResponse)
class SiteUpdateRequest(ReplaceModel):
    """What can change. The answer of `GET` is accepted as it is."""

    name: Text250
    production_started_on: IsoDate | None
    district: Text100 | None = Field(None, description="in any spelling; null: unchanged", examples=["Ağdam"])


def _site_response(row: Any) -> SiteResponse:
    return SiteResponse.model_validate(row, from_attributes=True)


@router.get("/sites", summary="List production sites of your company", responses=error_responses(*READ_ERRORS))
def list_sites(actor: Applicant, session: SessionDep, page: PageDep) -> Page[SiteResponse]:
    """The site that was added first comes first."""
    rows = sites.list_sites(
        session, actor, organisation_id=require_organisation_id(actor), after=page.after, limit=page.fetch
    )
    return Page[SiteResponse](items=[_site_response(row) for row in page.cut(rows, lambda row: row.id)])


def _site_errors(asked: BodyCheckContext, body: SiteRequest) -> Sequence[Mapping[str, str]]:
    return sites.site_errors(asked.session, **body.model_dump(), now=asked.now)


@router.post(
    "/sites",
    status_code=201,
    summary="Create a production site",
    responses=error_responses(*CREATE_ERRORS),
    dependencies=[check_body(_site_errors)],
)
def create_site(
    body: SiteRequest,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> SiteResponse:
    """The economic region follows from the district; the park must be located in that district."""
    row = sites.create_site(session, actor, **body.model_dump(), now=now)
    response.headers["ETag"] = format_etag(row.version)
    return _site_response(row)


@router.get("/sites/{site_id}", summary="Get a production site", responses=error_responses(*READ_ERRORS))
def get_site(site_id: str, actor: ActorDep, session: SessionDep, response: Response) -> SiteResponse:
    """Visible to its company and to staff."""
    row = sites.get_site(session, actor, parse_id(site_id, "site"))
    response.headers["ETag"] = format_etag(row.version)
    return _site_response(row)


def _require_own_site(site_id: str, actor: ActorDep, session: SessionDep, version: VersionDep, now: NowDep) -> UUID:
    at_site = partial(matters.certificates_blocking_site_change, today=baku_day(now))
    return sites.load_changeable_site(session, actor, parse_id(site_id, "site"), version, certified=at_site).id


def _site_change_errors(asked: BodyCheckContext, body: SiteUpdateRequest) -> Sequence[Mapping[str, str]]:
    assert asked.actor is not None  # the dependencies of the route require an actor
    present = partial(_load_response, asked.session, asked.actor, UUID(asked.path["site_id"]))
    changes = sites.site_change_errors(body.name, body.production_started_on, asked.now)
    return [*read_only_errors(body, present), *changes]


def _load_response(session: Session, actor: Actor, site_id: UUID) -> SiteResponse:
    return _site_response(sites.get_site(session, actor, site_id))


@router.put(
    "/sites/{site_id}",
    summary="Update a production site",
    responses=error_responses(*UPDATE_ERRORS),
    dependencies=[check_body(_site_change_errors)],
)
def update_site(
    site_id: Annotated[UUID, Depends(_require_own_site, scope="function")],
    body: SiteUpdateRequest,
    actor: Annotated[Actor, require_role(Role.APPLICANT, Role.REGISTRAR)],
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> SiteResponse:
    """For a site of a certified product, report the change of each certificate first. Only a registrar changes the
    district of a site that comes from the resident register (409 `register-says` for others). The answer of `GET` sent
    back changes nothing, not even the version.
    """
    faults = ErrorCollector()
    with faults.collect():
        require_unchanged(body, partial(_load_response, session, actor, site_id))
    with faults.collect():
        row = sites.update_site(
            session,
            actor,
            site_id=site_id,
            version=version,
            name=body.name,
            production_started_on=body.production_started_on,
            district=body.district,
            certified=partial(matters.certificates_blocking_site_change, today=baku_day(now)),
            now=now,
        )
    faults.raise_if_any()
    response.headers["ETag"] = format_etag(row.version)
    return _site_response(row)
