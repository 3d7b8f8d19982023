"""Schemes with their rulesets, and parks, for everybody."""

from datetime import datetime
from typing import Any

from pydantic import Field

from app.api.public.certificates import router
from app.api.shared.application_schemas import searchable
from app.reference import parks
from app.schemes import publishing, scheme_repository
from app.web.dependencies import SessionDep
from app.web.problems.openapi_responses import refuses
from app.web.schema_types import Answer, Page


class AuthorityAnswer(Answer):
    names: dict[str, str]
    email: str
    phone: str | None
    address: str | None


class SchemeAnswer(Answer):
    code: str
    names: dict[str, str]
    kind: str
    owner: str
    term_months: int
    assessment_level: str = Field(description="as certificates declare it, in the words of UNTP")
    legal_notes: list[dict[str, str]]
    emblem: str | None = Field(None, description="name of its emblem; null: the neutral one")
    authority: AuthorityAnswer | None = Field(None, description="who owns the mark; null: only `owner` is known")
    current_ruleset: str


class RulesetAnswer(Answer):
    version: str
    digest: str = Field(description="SHA-256 over the canonical JSON of the content")
    published_at: datetime
    content: dict[str, Any] = Field(description="every rule with clause, parameters and reasons, as published")


def _scheme(row: Any) -> SchemeAnswer:
    return SchemeAnswer(current_ruleset=row.current_ruleset, **row.content)


@router.get("/v1/schemes", tags=["schemes"], summary="The marks", responses=refuses(503))
def list_schemes(session: SessionDep) -> Page[SchemeAnswer]:
    return Page[SchemeAnswer](items=[_scheme(row) for row in scheme_repository.schemes(session)])


@router.get("/v1/schemes/{code}", tags=["schemes"], summary="One mark", responses=refuses(404, 503))
def get_scheme(code: str, session: SessionDep) -> SchemeAnswer:
    return _scheme(publishing.known(session, searchable(code) or ""))


@router.get("/v1/schemes/{code}/rulesets", tags=["schemes"], summary="Its published rules", responses=refuses(404, 503))
def list_rulesets(code: str, session: SessionDep) -> Page[RulesetAnswer]:
    """Newest first. A published ruleset never changes; a decision names the version it was made by. Those of an earlier
    edition of the rules are shown as they were published."""
    publishing.known(session, searchable(code) or "")
    rows = scheme_repository.rulesets(session, code)
    return Page[RulesetAnswer](items=[RulesetAnswer.model_validate(row, from_attributes=True) for row in rows])


class ParkAnswer(Answer):
    code: str
    kind: str
    names: dict[str, str]
    district: str | None
    economic_region: str | None
    area_ha: str | None
    legal_basis: str | None


def _park(row: Any) -> ParkAnswer:
    area = None if row.area_ha is None else f"{row.area_ha.normalize():f}"
    fields = {name: getattr(row, name) for name in ParkAnswer.model_fields if name != "area_ha"}
    return ParkAnswer(**fields, area_ha=area)


@router.get("/v1/parks", tags=["public"], summary="Industrial parks and zones", responses=refuses(503))
def list_parks(session: SessionDep) -> Page[ParkAnswer]:
    return Page[ParkAnswer](items=[_park(row) for row in parks.list_parks(session)])


@router.get("/v1/parks/{code}", tags=["public"], summary="One park", responses=refuses(404, 503))
def get_park(code: str, session: SessionDep) -> ParkAnswer:
    return _park(parks.get_park(session, searchable(code) or ""))
