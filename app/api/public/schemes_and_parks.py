"""Publish the schemes with their rulesets, and the industrial parks."""

from datetime import datetime
from typing import Any

from pydantic import Field

from app.api.shared.application_schemas import storable_text
from app.reference import parks
from app.reference.territory import ParkKind
from app.schemes import publishing, scheme_repository
from app.schemes.ruleset import AssessmentLevel, SchemeKind
from app.web.dependencies import SessionDep
from app.web.problems.openapi_responses import error_responses
from app.web.routes import GuardedRoute, PublicRouter
from app.web.schema_types import Page, ResponseModel

router = PublicRouter(route_class=GuardedRoute)


class AuthorityResponse(ResponseModel):
    names: dict[str, str]
    email: str
    phone: str | None
    address: str | None


class SchemeResponse(ResponseModel):
    code: str
    names: dict[str, str]
    kind: SchemeKind
    owner: str
    term_months: int
    assessment_level: AssessmentLevel = Field(description="assessment level of certificates, as UNTP names it")
    legal_notes: list[dict[str, str]]
    emblem: str | None = Field(None, description="name of its emblem; null: the neutral emblem")
    authority: AuthorityResponse | None = Field(
        None, description="authority that owns the mark; null: only `owner` is stated"
    )
    current_ruleset: str


class RulesetResponse(ResponseModel):
    version: str
    digest: str = Field(description="SHA-256 over the canonical JSON of the content")
    published_at: datetime
    content: dict[str, Any] = Field(description="rules with clause, parameters and reasons, as published")


def _scheme_response(row: Any) -> SchemeResponse:
    return SchemeResponse(current_ruleset=row.current_ruleset, **row.content)


@router.get("/v1/schemes", tags=["schemes"], summary="List schemes", responses=error_responses(503))
def list_schemes(session: SessionDep) -> Page[SchemeResponse]:
    """Each scheme certifies one mark and has its own rules."""
    return Page[SchemeResponse](items=[_scheme_response(row) for row in scheme_repository.list_schemes(session)])


@router.get("/v1/schemes/{code}", tags=["schemes"], summary="Get a scheme", responses=error_responses(404, 503))
def get_scheme(code: str, session: SessionDep) -> SchemeResponse:
    """Names, owner, term, legal notes and the version of the current ruleset."""
    return _scheme_response(publishing.get_scheme(session, storable_text(code) or ""))


@router.get(
    "/v1/schemes/{code}/rulesets",
    tags=["schemes"],
    summary="List the published rulesets of a scheme",
    responses=error_responses(404, 503),
)
def list_rulesets(code: str, session: SessionDep) -> Page[RulesetResponse]:
    """Newest first. A published ruleset never changes; a decision names the version that was applied. Rulesets of an
    earlier edition are returned as they were published."""
    publishing.get_scheme(session, storable_text(code) or "")
    rows = scheme_repository.list_rulesets(session, code)
    return Page[RulesetResponse](items=[RulesetResponse.model_validate(row, from_attributes=True) for row in rows])


class ParkResponse(ResponseModel):
    code: str
    kind: ParkKind
    names: dict[str, str]
    district: str | None
    economic_region: str | None
    area_ha: str | None
    legal_basis: str | None


def _park_response(row: Any) -> ParkResponse:
    area = None if row.area_ha is None else f"{row.area_ha.normalize():f}"
    fields = {name: getattr(row, name) for name in ParkResponse.model_fields if name != "area_ha"}
    return ParkResponse(**fields, area_ha=area)


@router.get(
    "/v1/parks", tags=["public register"], summary="List industrial parks and zones", responses=error_responses(503)
)
def list_parks(session: SessionDep) -> Page[ParkResponse]:
    """Industrial parks, districts and zones that sites and residencies refer to."""
    return Page[ParkResponse](items=[_park_response(row) for row in parks.list_parks(session)])


@router.get(
    "/v1/parks/{code}", tags=["public register"], summary="Get a park or zone", responses=error_responses(404, 503)
)
def get_park(code: str, session: SessionDep) -> ParkResponse:
    """Names, district, area and legal basis."""
    return _park_response(parks.get_park(session, storable_text(code) or ""))
