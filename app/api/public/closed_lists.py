"""Publish the closed lists that rules read, and the headings of the Harmonized System.

The lists are part of the service and change with its version only; no database is read.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import Field

from app.api.shared.application_schemas import storable_text
from app.reference import hs_nomenclature
from app.schemes.closed_lists import JOINT_PRODUCTION, OperationClass, load_lists
from app.web.headers import CACHE_ONE_HOUR, conditional_response
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import NOT_MODIFIED_DOCS, error_responses
from app.web.routes import GuardedRoute, PublicRouter
from app.web.schema_types import ResponseModel

router = PublicRouter(tags=["schemes"], route_class=GuardedRoute)


class OperationResponse(ResponseModel):
    code: str = Field(examples=["salting"])
    operation_class: OperationClass = Field(alias="class", examples=["simple"])
    names: dict[str, str] = Field(
        description="language → name: az, en, ru",
        examples=[{"az": "duzlama", "en": "salting or brining", "ru": "посол, помещение в рассол"}],
    )
    only_in: list[str] = Field(
        description="HS prefixes of the only goods for which it is substantial; empty: all goods", examples=[[]]
    )
    enough_in: list[str] = Field(
        description="HS prefixes of goods for which it is sufficient although simple", examples=[["0210", "0305"]]
    )
    basis: str = Field(
        description="R: RCEP, article 3.6; E: insufficient operations of EU agreements; `nature`; `practice`",
        examples=["R a"],
    )


class NamedCodeResponse(ResponseModel):
    code: str = Field(examples=["t"])
    names: dict[str, str] = Field(
        description="language → name: az, en, ru", examples=[{"az": "ton", "en": "tonne", "ru": "тонна"}]
    )


class UnitResponse(NamedCodeResponse):
    signs: dict[str, str] = Field(
        description="language → symbol after a number", examples=[{"az": "t", "en": "t", "ru": "т"}]
    )


class ClosedListResponse(ResponseModel):
    version: str = Field(examples=["2026.1"])
    digest: str = Field(description="SHA-256 over all closed lists; a ruleset names it as `lists_digest`")
    confirmed: bool = Field(description="false: a proposal that the owner of the marks has not confirmed")


class OperationsResponse(ClosedListResponse):
    items: list[OperationResponse]


class UnitsResponse(ClosedListResponse):
    items: list[UnitResponse]


class FlagsResponse(ClosedListResponse):
    country_prefix: str = Field(
        description="prefix of further flags; the code of a partner country (ISO 3166-1) follows",
        examples=[JOINT_PRODUCTION],
    )
    items: list[NamedCodeResponse]


class HeadingResponse(ResponseModel):
    code: str = Field(description="heading (4 digits) or subheading (6)", examples=["7306"])
    title: str = Field(description="title in English", examples=["Tubes, pipes and hollow profiles of iron or steel"])


class HeadingsResponse(ResponseModel):
    edition: int = Field(description="edition of the Harmonized System", examples=[hs_nomenclature.EDITION])
    digest: str = Field(description="SHA-256 over the table")
    items: list[HeadingResponse]


@router.get(
    "/v1/operations",
    summary="List operations of process steps",
    response_model=OperationsResponse,
    responses=NOT_MODIFIED_DOCS,
)
async def list_process_operations(request: Request) -> Response:
    """The closed list of operations. Steps are matched by code or by any of the names; case, punctuation and spaces are
    ignored. Any other text counts as `other`: a reviewer decides."""
    items = [
        {
            "code": each.code,
            "class": each.operation_class.value,
            "names": dict(each.names),
            "only_in": each.only_in,
            "enough_in": each.enough_in,
            "basis": each.basis,
        }
        for each in load_lists().operations.values()
    ]
    return _list_response(request, _list_header(load_lists().operations_version) | {"items": items})


@router.get("/v1/units", summary="List units of products", response_model=UnitsResponse, responses=NOT_MODIFIED_DOCS)
async def list_product_units(request: Request) -> Response:
    """The closed list of units. A unit is matched by code, symbol or any of the names: “1000 pcs” is `1000_pcs`."""
    signs = load_lists().names["unit"]
    items = [named | {"signs": signs[named["code"]]} for named in _named_codes("unit_in_full", load_lists().units)]
    return _list_response(request, _list_header(load_lists().version) | {"items": items})


@router.get("/v1/flags", summary="List flags of products", response_model=FlagsResponse, responses=NOT_MODIFIED_DOCS)
async def list_product_flags(request: Request) -> Response:
    """The closed list of flags, and the prefix of the flags that name the partner country of a joint production."""
    members = {"country_prefix": JOINT_PRODUCTION, "items": _named_codes("flag", load_lists().flags)}
    return _list_response(request, _list_header(load_lists().version) | members)


@router.get(
    "/v1/headings",
    summary="Search headings of the Harmonized System 2022",
    response_model=HeadingsResponse,
    responses={**NOT_MODIFIED_DOCS, **error_responses(422)},
)
async def search_headings(
    request: Request,
    page: PageDep,
    q: Annotated[
        str | None,
        Query(max_length=100, description="prefix of a code, or words of the title", examples=["7306"]),
    ] = None,
) -> Response:
    """In the order of codes. All words must match, by prefix. Titles are in English only, as the service has none in
    Azerbaijani and Russian; some are shortened."""
    after = page.after.int if page.after else 0
    found = page.cut(
        hs_nomenclature.search_entries(storable_text(q) or "", after, page.fetch),
        lambda entry: UUID(int=entry.position),
    )
    members = {
        "edition": hs_nomenclature.EDITION,
        "digest": hs_nomenclature.digest(),
        "items": [{"code": entry.code, "title": entry.title} for entry in found],
    }
    return _list_response(request, members, {"Link": page.link} if page.link else {})


def _list_header(version: str) -> dict[str, Any]:
    return {"version": version, "digest": load_lists().digest, "confirmed": load_lists().confirmed}


def _named_codes(group: str, codes: Sequence[str]) -> list[dict[str, Any]]:
    return [{"code": code, "names": dict(load_lists().names[group][code])} for code in codes]


def _list_response(request: Request, members: dict[str, Any], more: dict[str, str] | None = None) -> Response:
    body = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
    return conditional_response(request, body, {"Cache-Control": CACHE_ONE_HOUR, **(more or {})}, "application/json")
