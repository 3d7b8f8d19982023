"""For everybody: the closed lists that rules read, and the headings of the Harmonized System.

They are part of the service and change with its version only: nothing here asks the database.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import Field

from app.api.shared.application_schemas import searchable
from app.reference import hs_nomenclature
from app.schemes.closed_lists import JOINT_PRODUCTION, OperationClass, lists
from app.web.headers import FOR_AN_HOUR, conditional_response
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import UNCHANGED, refuses
from app.web.routes import OrderedRoute, PublicRouter
from app.web.schema_types import Answer

router = PublicRouter(tags=["schemes"], route_class=OrderedRoute)


class OperationAnswer(Answer):
    code: str = Field(examples=["salting"])
    operation_class: OperationClass = Field(alias="class", examples=["simple"])
    names: dict[str, str] = Field(
        description="language → name: az, en, ru",
        examples=[{"az": "duzlama", "en": "salting or brining", "ru": "посол, помещение в рассол"}],
    )
    only_in: list[str] = Field(
        description="HS prefixes: substantial for these goods only; empty: for all", examples=[[]]
    )
    enough_in: list[str] = Field(
        description="HS prefixes: goods for which a simple operation is enough", examples=[["0210", "0305"]]
    )
    basis: str = Field(
        description="R: RCEP, article 3.6; E: insufficient operations of EU agreements; `nature`; `practice`",
        examples=["R a"],
    )


class NamedCode(Answer):
    code: str = Field(examples=["t"])
    names: dict[str, str] = Field(
        description="language → name: az, en, ru", examples=[{"az": "ton", "en": "tonne", "ru": "тонна"}]
    )


class UnitAnswer(NamedCode):
    signs: dict[str, str] = Field(
        description="language → as it stands behind a figure", examples=[{"az": "t", "en": "t", "ru": "т"}]
    )


class ClosedList(Answer):
    version: str = Field(examples=["2026.1"])
    digest: str = Field(description="SHA-256 over all closed lists; a ruleset names it as `lists_digest`")
    confirmed: bool = Field(description="false: a proposal that the owner of the marks has not confirmed")


class OperationsAnswer(ClosedList):
    items: list[OperationAnswer]


class UnitsAnswer(ClosedList):
    items: list[UnitAnswer]


class FlagsAnswer(ClosedList):
    country_prefix: str = Field(
        description="with the code of a partner country (ISO 3166-1) behind it, a flag as well",
        examples=[JOINT_PRODUCTION],
    )
    items: list[NamedCode]


class HeadingAnswer(Answer):
    code: str = Field(description="heading (4 digits) or subheading (6)", examples=["7306"])
    title: str = Field(description="English", examples=["Tubes, pipes and hollow profiles of iron or steel"])


class HeadingsAnswer(Answer):
    edition: int = Field(description="of the Harmonized System", examples=[hs_nomenclature.EDITION])
    digest: str = Field(description="SHA-256 over the table")
    items: list[HeadingAnswer]


@router.get("/v1/operations", summary="Kinds of process steps", response_model=OperationsAnswer, responses=UNCHANGED)
async def list_operations(request: Request) -> Response:
    """The closed list. A step is found by code or by any of the names; case, marks and spaces do not count. What is
    not on the list counts as `other`: a person decides."""
    items = [
        {
            "code": each.code,
            "class": each.operation_class.value,
            "names": dict(each.names),
            "only_in": each.only_in,
            "enough_in": each.enough_in,
            "basis": each.basis,
        }
        for each in lists().operations.values()
    ]
    return _answer(request, _head(lists().operations_version) | {"items": items})


@router.get("/v1/units", summary="Units of products", response_model=UnitsAnswer, responses=UNCHANGED)
async def list_units(request: Request) -> Response:
    """The closed list. A unit is found by code, sign or any of the names: “1000 pcs” is `1000_pcs`."""
    signs = lists().names["unit"]
    items = [named | {"signs": signs[named["code"]]} for named in _named("unit_in_full", lists().units)]
    return _answer(request, _head(lists().version) | {"items": items})


@router.get("/v1/flags", summary="Flags of products", response_model=FlagsAnswer, responses=UNCHANGED)
async def list_flags(request: Request) -> Response:
    """The closed list, and the prefix of the flags that name the partner country of a joint production."""
    members = {"country_prefix": JOINT_PRODUCTION, "items": _named("flag", lists().flags)}
    return _answer(request, _head(lists().version) | members)


@router.get(
    "/v1/headings",
    summary="Headings and subheadings of the Harmonized System 2022",
    response_model=HeadingsAnswer,
    responses={**UNCHANGED, **refuses(422)},
)
async def list_headings(
    request: Request,
    page: PageDep,
    q: Annotated[
        str | None,
        Query(max_length=100, description="the beginning of a code, or words of the title", examples=["7306"]),
    ] = None,
) -> Response:
    """In the order of codes. Words are found by their beginnings, and all have to be there. Titles are in English only:
    those in Azerbaijani and Russian are not available to the service. Some are shortened."""
    after = page.after.int if page.after else 0
    found = page.cut(hs_nomenclature.find(searchable(q) or "", after, page.fetch), lambda entry: UUID(int=entry.place))
    members = {
        "edition": hs_nomenclature.EDITION,
        "digest": hs_nomenclature.digest(),
        "items": [{"code": entry.code, "title": entry.title} for entry in found],
    }
    return _answer(request, members, {"Link": page.link} if page.link else {})


def _head(version: str) -> dict[str, Any]:
    return {"version": version, "digest": lists().digest, "confirmed": lists().confirmed}


def _named(group: str, codes: Sequence[str]) -> list[dict[str, Any]]:
    return [{"code": code, "names": dict(lists().names[group][code])} for code in codes]


def _answer(request: Request, members: dict[str, Any], more: dict[str, str] | None = None) -> Response:
    body = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
    return conditional_response(request, body, {"Cache-Control": FOR_AN_HOUR, **(more or {})}, "application/json")
