"""Resolve GS1 Digital Links: from the GTIN on a product to its certificates (GS1-Conformant Resolver, UNTP IDR)."""

from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from app.certificates.digital_link import gs1_uri
from app.certificates.digital_link.gs1_uri import DigitalLink
from app.certificates.digital_link.linkset import (
    DEFAULT_LINK,
    HTML,
    LINKSET,
    CertificateOfItem,
    ItemLinks,
    build_description,
    normalize_link_type,
)
from app.certificates.read_model import search_repository
from app.certificates.read_model.search import RegisterSearch
from app.core import i18n
from app.core.crypto import jws
from app.core.dates import baku_day
from app.core.errors import NotFound
from app.verification.verdict import Verdict
from app.web.dependencies import NowDep, SessionDep, SettingsDep, get_container
from app.web.headers import CACHE_ONE_HOUR, conditional_response, negotiate_media_type
from app.web.problems.openapi_responses import NOT_MODIFIED_DOCS, error_responses
from app.web.routes import GuardedRoute, PublicRouter
from app.web.schema_types import ResponseModel

router = PublicRouter(tags=["digital link"], route_class=GuardedRoute)

LINKSET_JSON: Final = "application/linkset+json"
MAX_CERTIFICATES: Final = 100
GTIN_DIGITS: Final = 14
LINKSET_CONTEXT: Final = "https://ref.gs1.org/standards/resolver/linkset-context"
_CONTEXT_LINK = f'<{LINKSET_CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The linkset (RFC 9264)", "content": {LINKSET_JSON: {"schema": {"type": "object"}}}},
    300: {
        "description": "Several links of this type: the linkset, to choose from",
        "content": {LINKSET_JSON: {"schema": {"type": "object"}}},
    },
    307: {"description": "Leads to the link that was asked for, else to the default link"},
    **NOT_MODIFIED_DOCS,
    **error_responses(404, 422, 503),
}
Gtin = Annotated[str, Path(description="GTIN of 8, 12, 13 or 14 digits", examples=["04006381333931"])]
Qualifiers = Annotated[
    str, Path(description="`22/{variant}`, `10/{lot}`, `21/{serial}`, in this order", examples=["10/A1/21/7"])
]
LinkType = Annotated[
    str | None,
    Query(
        alias="linkType",
        max_length=200,
        description="`linkset`, `gs1:certificationInfo`, `gs1:defaultLink` or `dcc`; without it `Accept: "
        "application/linkset+json` asks for the linkset",
        examples=["linkset"],
    ),
]


class LinkTypeVocabulary(ResponseModel):
    namespace: str
    prefix: str = Field(examples=["gs1:"])


class ResolverDescription(ResponseModel):
    """What this resolver understands, in the members that GS1 defines."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel)

    name: str
    resolver_root: str
    supported_primary_keys: list[str] = Field(examples=[["01"]])
    supported_link_type: list[LinkTypeVocabulary]
    link_type_default_can_be_linkset: bool


@router.get(
    "/01/{gtin}",
    summary="Resolve the GTIN of a product",
    status_code=307,
    response_class=Response,
    responses=_RESPONSES,
)
def resolve_gtin(
    gtin: Gtin,  # noqa: ARG001 – read from the raw path
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    now: NowDep,
    link_type: LinkType = None,
) -> Response:
    """From a product to its certificates, as a GS1 Digital Link: 8, 12, 13 or 14 digits with the check digit of GS1.

    Leads to the page of the valid certificate, or to the list where there are several. 404 where no certificate of this
    product can be shown, and for a type of link that there is none of.
    """
    return _resolve(request, session, settings.base_url, now, link_type)


@router.get(
    "/01/{gtin}/{qualifiers:path}",
    summary="Resolve the GTIN of a product with variant, lot or serial number",
    status_code=307,
    response_class=Response,
    responses=_RESPONSES,
)
def resolve_item(
    gtin: Gtin,  # noqa: ARG001 – read from the raw path
    qualifiers: Qualifiers,  # noqa: ARG001 – read from the raw path
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    now: NowDep,
    link_type: LinkType = None,
) -> Response:
    """The same with `/22/{variant}`, `/10/{lot}` and `/21/{serial}`, in this order and percent-encoded.

    A certificate is about a product: the answer is that of its GTIN, and says nothing about the lot or the item.
    """
    return _resolve(request, session, settings.base_url, now, link_type)


@router.get(
    "/.well-known/gs1resolver",
    summary="Get the description of the resolver (GS1)",
    response_model=ResolverDescription,
    responses=NOT_MODIFIED_DOCS,
)
def get_resolver_description(request: Request, settings: SettingsDep) -> Response:
    """What this resolver understands: GTIN as primary key, link types of GS1."""
    body = jws.dump_json(dict(build_description(settings.base_url, request.app.title)))
    return conditional_response(request, body, {"Cache-Control": CACHE_ONE_HOUR}, "application/json")


def _resolve(request: Request, session: Session, base_url: str, now: datetime, asked: str | None) -> Response:
    item = gs1_uri.parse_path(_raw_path(request))
    links = ItemLinks(base_url, item, _shown_certificates(request, session, item, now), i18n.LANGUAGES)
    if not links.certificates:
        raise NotFound.of("certificate")
    relation = _negotiate(request) if asked is None else normalize_link_type(asked)
    if relation is None:
        raise NotFound.of("type of link")
    if relation == LINKSET:
        return _linkset_response(request, links)
    targets = links.targets(relation)
    if len(targets) > 1:
        return _linkset_response(request, links, status=300)
    own = f'<{links.anchor}?linkType=linkset>; rel="linkset"; type="{LINKSET_JSON}"'
    return RedirectResponse(targets[0], 307, {"Link": own, "Cache-Control": "no-cache", "Vary": "Accept"})


def _raw_path(request: Request) -> str:
    """Return the path as sent: decoded, an encoded slash in a lot could not be told from a separator."""
    raw: bytes = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    return raw.decode("latin-1").partition("?")[0].removeprefix(request.scope.get("root_path", ""))


def _shown_certificates(
    request: Request, session: Session, item: DigitalLink, now: datetime
) -> list[CertificateOfItem]:
    """Return the certificates of the product that a verification of their numbers shows, newest first."""
    wanted = RegisterSearch(gtin=item.gtin)
    rows = search_repository.search_certificates(session, wanted, baku_day(now), limit=MAX_CERTIFICATES)
    found = get_container(request).verification.read_many(session, [row.number for row in rows], now)
    return [
        CertificateOfItem(number, record.scheme_name, result.verdict.value, result.verdict is Verdict.VALID)
        for number, (record, result) in found.items()
        if (record.gtin or "").zfill(GTIN_DIGITS) == item.gtin.zfill(GTIN_DIGITS)  # columns are for searching alone
        and result.record is not None
    ]


def _negotiate(request: Request) -> str:
    """Return `linkset` for a reader that prefers it, else the default link: a redirect suits every other reader."""
    try:
        chosen = negotiate_media_type(request.headers.get("accept"), (HTML, LINKSET_JSON))
    except HTTPException:
        return DEFAULT_LINK
    return LINKSET if chosen == LINKSET_JSON else DEFAULT_LINK


def _linkset_response(request: Request, links: ItemLinks, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-cache", "Vary": "Accept", "Link": _CONTEXT_LINK}
    body = jws.dump_json(links.linkset())
    if status != 200:
        return Response(body, status, headers, LINKSET_JSON)
    return conditional_response(request, body, headers, LINKSET_JSON)
