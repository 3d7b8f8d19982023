"""List, create and change sites of production."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field

from app.api.company.products import Applicant, router
from app.auth.permissions import own_organisation
from app.certificates import matters
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.organisations import sites
from app.organisations.model import Source
from app.web.dependencies import ActorDep, NowDep, ReplayDep, SessionDep, VersionDep, allow, etag, parse_id
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CHANGES, CREATES, READS, refuses
from app.web.routes import Asked, also_wrong
from app.web.schema_types import Answer, Body, Code, Day, Name, Page, Word


class SiteBody(Body):
    name: Name = Field(examples=["Pipe mill, hall 2"])
    country: Code = Field("AZ", description="ISO 3166-1 alpha-2")
    district: Word = Field(
        description="in Azerbaijan one of its districts, in az, en or ru, with or without “rayonu”, in any spelling",
        examples=["Ağdam"],
    )
    park_code: Code | None = Field(None, examples=["AGDAM-SP"])
    production_started_on: Day | None = Field(None, description="first day of series production here")


class SiteChange(Body):
    name: Name
    production_started_on: Day | None
    district: Word | None = Field(None, description="in any spelling; null: as it is", examples=["Ağdam"])


class SiteAnswer(Answer):
    id: UUID
    name: str
    country: str
    district: str
    economic_region: str | None = Field(description="follows from the district")
    park_code: str | None
    production_started_on: date | None
    source: Source = Field(description="whose word it is")
    version: int


def _site(row: Any) -> SiteAnswer:
    return SiteAnswer.model_validate(row, from_attributes=True)


@router.get("/sites", summary="Places of production of your company", responses=refuses(*READS))
def list_sites(actor: Applicant, session: SessionDep, page: PageDep) -> Page[SiteAnswer]:
    rows = sites.list_sites(session, actor, organisation_id=own_organisation(actor), after=page.after, limit=page.fetch)
    return Page[SiteAnswer](items=[_site(row) for row in page.cut(rows, lambda row: row.id)])


def _wrong_site(asked: Asked, body: SiteBody) -> Sequence[Mapping[str, str]]:
    return sites.wrong_site(asked.session, **body.model_dump(), now=asked.now)


@router.post(
    "/sites",
    status_code=201,
    summary="Add a place of production",
    responses=refuses(*CREATES),
    dependencies=[also_wrong(_wrong_site)],
)
def create_site(
    body: SiteBody, actor: Applicant, session: SessionDep, response: Response, now: NowDep, _retry: ReplayDep
) -> SiteAnswer:
    """The economic region follows from the district; a park must lie in that district."""
    row = sites.create_site(session, actor, **body.model_dump(), now=now)
    response.headers["ETag"] = etag(row.version)
    return _site(row)


@router.get("/sites/{site_id}", summary="One place of production", responses=refuses(*READS))
def get_site(site_id: str, actor: ActorDep, session: SessionDep, response: Response) -> SiteAnswer:
    row = sites.get_site(session, actor, parse_id(site_id, "site"))
    response.headers["ETag"] = etag(row.version)
    return _site(row)


def _own_site(site_id: str, actor: ActorDep, session: SessionDep, version: VersionDep, now: NowDep) -> UUID:
    at_site = partial(matters.unreported_at_site, today=baku_day(now))
    return sites.changeable_site(session, actor, parse_id(site_id, "site"), version, certified=at_site).id


def _wrong_change(asked: Asked, body: SiteChange) -> Sequence[Mapping[str, str]]:
    return sites.wrong_change(body.name, body.production_started_on, asked.now)


@router.put(
    "/sites/{site_id}",
    summary="Change name, start of production, district",
    responses=refuses(*CHANGES),
    dependencies=[also_wrong(_wrong_change)],
)
def change_site(
    site_id: Annotated[UUID, Depends(_own_site, scope="function")],
    body: SiteChange,
    actor: Annotated[Actor, allow(Role.APPLICANT, Role.REGISTRAR)],
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> SiteAnswer:
    """Of a site where something certified is made, report the change of each certificate first. The district of a site
    that the resident register names is corrected by the registrar (409 `register-says` for others)."""
    row = sites.update_site(
        session,
        actor,
        site_id=site_id,
        version=version,
        name=body.name,
        production_started_on=body.production_started_on,
        district=body.district,
        certified=partial(matters.unreported_at_site, today=baku_day(now)),
        now=now,
    )
    response.headers["ETag"] = etag(row.version)
    return _site(row)
