"""For everybody: the register of certificates, the marks with their rules, the parks, the keys, the state of health."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from app.api.dossier import searchable
from app.certificates import search_store
from app.certificates import store as certificates
from app.certificates.extract import certificate_members
from app.certificates.model import Certificate, CertificateStatus
from app.certificates.number import parse
from app.certificates.record import CertificateRecord
from app.certificates.search import Search, Standing
from app.core.dates import baku_day
from app.errors import NotFound, Unavailable
from app.registry import places
from app.schemes import service as schemes_service
from app.schemes import store as schemes
from app.web.deps import DatabaseDep, NowDep, SessionDep, get_container
from app.web.fields import Answer, Page
from app.web.headers import negotiate_media_type, not_modified
from app.web.paging import PageDep
from app.web.refusals import UNCHANGED, refuses
from app.web.routing import OrderedRoute, PublicRouter

router = PublicRouter(route_class=OrderedRoute)

VC_JWT = "application/vc+jwt"
JSON = "application/json"


class Mark(Answer):
    code: str = Field(examples=["MIK"])
    name: str = Field(examples=["Made in Karabakh – Heart of Azerbaijan"])


class Holder(Answer):
    name: str = Field(description="English", examples=["Sample Pipe (fictional)"])
    name_az: str | None = Field(
        description="legal name with its form; null where it is not known for certain", examples=["“Nümunə-Boru” MMC"]
    )
    voen: str | None = Field(description="of a legal person; null for a natural person", examples=["0010000101"])


class CertifiedProduct(Answer):
    name: dict[str, str]
    hs6: str
    gtin: str | None


class CertifiedSite(Answer):
    park: str | None
    district: str


class CertificateAnswer(Answer):
    """The public face of a certificate. `status` is what was decided; whether it is good today says `/v1/verify`."""

    number: str = Field(examples=["MIK-2026-000042-Y"])
    scheme: Mark
    holder: Holder
    product: CertifiedProduct
    site: CertifiedSite
    country: str = Field(description="of origin, ISO 3166-1 alpha-2", examples=["AZ"])
    origin_criterion: str = Field(examples=["CTH"])
    valid_from: date
    valid_until: date = Field(description="inclusive, Asia/Baku")
    status: CertificateStatus
    status_since: datetime
    reason: str | None
    during_investigation: bool = Field(
        False, description="true: given back while an inquiry about it was open; otherwise the member is absent"
    )


def public_face(row: Certificate) -> dict[str, Any]:
    return certificate_members(CertificateRecord.of(row))


@router.get(
    "/v1/certificates",
    tags=["public"],
    summary="Search the public register",
    response_model_exclude_unset=True,  # what is there only where it is true
    responses=refuses(422, 503),
)
def search(
    session: SessionDep,
    page: PageDep,
    now: NowDep,
    q: Annotated[
        str | None, Query(max_length=200, description="words of number, holder, product, HS code or place; a VÖEN")
    ] = None,
    scheme: Annotated[str | None, Query(max_length=8, examples=["MIK"])] = None,
    status: Annotated[Standing | None, Query(description="as of today: `expired` goes before `active`")] = None,
    hs6: Annotated[str | None, Query(pattern=r"^[0-9]{2,6}$", description="chapter, heading or subheading")] = None,
    holder: Annotated[str | None, Query(max_length=200, description="words of the holder's names, or its VÖEN")] = None,
    product: Annotated[str | None, Query(max_length=200, description="words of the product's names")] = None,
    park: Annotated[str | None, Query(max_length=40, examples=["AGDAM-SP"])] = None,
) -> Page[CertificateAnswer]:
    """Newest first; all filters given hold together. Words are found by their beginnings, in any of the spellings:
    “Ağdam”, “Agdam”, “Aghdam” and “Агдам” are one word, dotted and dotless i one letter, accents do not count. A VÖEN
    finds the certificates of a legal person; that of a natural person finds nothing.
    """
    wanted = Search(
        q=searchable(q),
        holder=searchable(holder),
        product=searchable(product),
        scheme=searchable(scheme),
        status=status,
        hs6=hs6,
        park=searchable(park),
    )
    rows = search_store.search(session, wanted, baku_day(now), before=page.after, limit=page.fetch)
    shown = page.cut(rows, lambda row: row.id)
    return Page[CertificateAnswer](items=[CertificateAnswer.model_validate(public_face(row)) for row in shown])


@router.get(
    "/v1/certificates/{number}",
    tags=["public"],
    summary="One certificate",
    response_model=CertificateAnswer,
    responses={
        200: {"content": {VC_JWT: {"schema": {"type": "string"}}}},
        **UNCHANGED,
        **refuses(404, 406, 503),
    },
)
def get_certificate(number: str, request: Request, session: SessionDep, now: NowDep) -> Response:
    """JSON, or the signed credential itself with `Accept: application/vc+jwt`.

    The ETag is the version to name in `If-Match` when the owner suspends, reinstates or revokes.
    """
    media_type = negotiate_media_type(request.headers.get("accept"), (JSON, VC_JWT))
    parsed = parse(number)
    row = certificates.by_number(session, str(parsed)) if parsed else None
    if row is None:
        raise NotFound.of("certificate")
    # Each form has its own tag, and so has each side of an expiry: a 304 must never hide one.
    expired = row.valid_until < baku_day(now)
    tag = f'"{row.version}"' if media_type == JSON and not expired else f'"{row.version}-{media_type[-3:]}-{expired}"'
    headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": "no-cache"}
    if unchanged := not_modified(request, headers):
        return unchanged
    if media_type == VC_JWT:
        return Response(row.token, media_type=VC_JWT, headers=headers)
    return JSONResponse(public_face(row), headers=headers)


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
    return Page[SchemeAnswer](items=[_scheme(row) for row in schemes.schemes(session)])


@router.get("/v1/schemes/{code}", tags=["schemes"], summary="One mark", responses=refuses(404, 503))
def get_scheme(code: str, session: SessionDep) -> SchemeAnswer:
    return _scheme(schemes_service.known(session, searchable(code) or ""))


@router.get("/v1/schemes/{code}/rulesets", tags=["schemes"], summary="Its published rules", responses=refuses(404, 503))
def list_rulesets(code: str, session: SessionDep) -> Page[RulesetAnswer]:
    """Newest first. A published ruleset never changes; a decision names the version it was made by. Those of an earlier
    edition of the rules are shown as they were published."""
    schemes_service.known(session, searchable(code) or "")
    rows = schemes.rulesets(session, code)
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
    return Page[ParkAnswer](items=[_park(row) for row in places.list_parks(session)])


@router.get("/v1/parks/{code}", tags=["public"], summary="One park", responses=refuses(404, 503))
def get_park(code: str, session: SessionDep) -> ParkAnswer:
    return _park(places.get_park(session, searchable(code) or ""))


class Health(Answer):
    status: Literal["ok"]


@router.get("/health/live", tags=["health"], summary="The process is running")
def live() -> Health:
    return Health(status="ok")


@router.get("/health/ready", tags=["health"], summary="The database is reachable and migrated", responses=refuses(503))
def ready(database: DatabaseDep, request: Request) -> Health:
    try:
        with database.read_session() as session:
            session.execute(sa.text("SELECT 1"))
        if not get_container(request).is_migrated(database):
            raise Unavailable("The database is not migrated to this version.")
    except sa.exc.SQLAlchemyError as why:
        raise Unavailable("The database does not answer.") from why
    return Health(status="ok")
