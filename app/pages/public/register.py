"""Serve the pages of the public register: search, one page for each holder, one for each park.

Every state of these pages has a permanent address. All pages work without scripts.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.certificates.digital_link import gs1_uri
from app.certificates.read_model.search import EffectiveStatus, RegisterSearch
from app.core.errors import NotFound
from app.pages.public.register_view import STATUS_TEXTS, RegisterInput, RegisterView, load, parse_query
from app.pages.rendering import render
from app.reference import parks as reference_parks
from app.schemes import scheme_repository
from app.web.dependencies import NowDep, SessionDep, get_container, parse_id
from app.web.routes import GuardedRoute

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@router.get("/register")
def show_register(request: Request, session: SessionDep, now: NowDep) -> Response:
    """Search by `?q=&holder=&product=&hs=&status=&scheme=&park=`, all optional; `before` and `after` are cursors."""
    marks = {row.code: row.content["names"] for row in scheme_repository.list_schemes(session)}
    parks = {row.code: row.names for row in reference_parks.list_parks(session)}
    asked = parse_query(request.query_params, list(marks), list(parks))
    listing = None if asked.wrong else _load_view(request, session, asked.search, now)
    return render(
        request,
        "register.html",
        status=422 if asked.wrong else 200,
        asked=asked,
        listing=listing,
        filters=_filter_choices(asked, listing, marks, parks) if listing else {},
        marks=marks,
        parks=parks,
        statuses=STATUS_TEXTS,
    )


@router.get("/register/holders/{organisation_id}")
def show_holder(organisation_id: str, request: Request, session: SessionDep, now: NowDep) -> Response:
    """Show a company with all its certificates, current and former. Companies without any are not public: 404."""
    wanted = RegisterSearch(organisation_id=parse_id(organisation_id, "holder"))
    listing = _load_view(request, session, wanted, now)
    if not listing.rows:
        raise NotFound.of("holder")
    newest = listing.rows[0].certificate
    return render(
        request,
        "register_holder.html",
        listing=listing,
        name=newest.holder_name,
        name_az=newest.holder_name_az,
        voen=newest.holder_voen,
        statuses=_status_choices(listing, wanted),
        parks={row.code: row.names for row in reference_parks.list_parks(session)},
    )


@router.get("/register/parks/{code}")
def show_park(code: str, request: Request, session: SessionDep, now: NowDep) -> Response:
    parks = {row.code: row for row in reference_parks.list_parks(session)}
    if code not in parks:
        raise NotFound.of("park")
    wanted = RegisterSearch(park=code)
    listing = _load_view(request, session, wanted, now)
    return render(
        request,
        "register_park.html",
        listing=listing,
        park=parks[code],
        statuses=_status_choices(listing, wanted),
        parks={each: row.names for each, row in parks.items()},
    )


@router.get("/register/gtins/{gtin}")
def show_gtin(gtin: str, request: Request, session: SessionDep, now: NowDep) -> Response:
    """All certificates of a product: where its GS1 Digital Link leads if several are valid."""
    wanted = RegisterSearch(gtin=gs1_uri.parse_gtin(gtin))
    listing = _load_view(request, session, wanted, now)
    if not listing.rows:
        raise NotFound.of("certificate")
    return render(
        request,
        "register_gtin.html",
        listing=listing,
        gtin=wanted.gtin,
        statuses=_status_choices(listing, wanted),
        parks={row.code: row.names for row in reference_parks.list_parks(session)},
    )


def _load_view(request: Request, session: Session, wanted: RegisterSearch, now: datetime) -> RegisterView:
    return load(session, wanted, request.query_params, get_container(request).verification, now)


def _status_choices(listing: RegisterView, wanted: RegisterSearch) -> list[tuple[Any, int]]:
    found = listing.counts.by_status(wanted)
    return [(STATUS_TEXTS[status], found[status]) for status in EffectiveStatus if status in found]


FilterChoice = dict[str, Any]


def _filter_choices(
    asked: RegisterInput, listing: RegisterView, marks: Mapping[str, Any], parks: Mapping[str, Any]
) -> dict[str, list[FilterChoice]]:
    """Return the choices of each filter: address, number of certificates, and whether the choice is active."""
    wanted, counts = asked.search, listing.counts
    by_status, by_scheme, by_park = counts.by_status(wanted), counts.by_scheme(wanted), counts.by_park(wanted)

    def choice(name: str, value: str, count: int, **shown: Any) -> FilterChoice:
        chosen = asked.given.get(name) == value
        return {
            "address": "/register" + asked.address(**{name: None if chosen else value}),
            "count": count,
            "chosen": chosen,
            **shown,
        }

    def is_listed(name: str, value: str, count: int) -> bool:
        return count > 0 or asked.given.get(name) == value

    filters = {
        "status": [
            choice("status", status.value, by_status.get(status, 0), face=STATUS_TEXTS[status])
            for status in EffectiveStatus
            if is_listed("status", status.value, by_status.get(status, 0))
        ],
        "scheme": [
            choice("scheme", code, by_scheme.get(code, 0), names=names)
            for code, names in marks.items()
            if is_listed("scheme", code, by_scheme.get(code, 0))
        ],
        "park": [
            choice("park", code, by_park.get(code, 0), names=names)
            for code, names in parks.items()
            if is_listed("park", code, by_park.get(code, 0))
        ],
    }
    return {name: some for name, some in filters.items() if len(some) > 1 or any(each["chosen"] for each in some)}
