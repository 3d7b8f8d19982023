"""Serve what happens to certificates as Atom feeds: of one certificate, of a holder's, of those of a heading."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response

from app.certificates import certificate_repository
from app.certificates.certificate_number import parse_number
from app.core.errors import NotFound
from app.events import event_reader
from app.events.atom_feed import MEDIA_TYPE, write_feed
from app.events.catalogue import load_catalogue
from app.events.public_event import PublicEvent
from app.web.dependencies import SessionDep, get_container, parse_id
from app.web.headers import conditional_response
from app.web.problems.openapi_responses import NOT_MODIFIED_DOCS, error_responses
from app.web.routes import GuardedRoute, PublicRouter

router = PublicRouter(prefix="/v1", tags=["public register"], route_class=GuardedRoute)

MAX_ENTRIES = 50
_DOCS: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
    **NOT_MODIFIED_DOCS,
    **error_responses(404, 422, 503),
}


@router.get(
    "/certificates/{number}/events.atom",
    summary="Follow a certificate by Atom",
    response_class=Response,
    responses=_DOCS,
)
def get_feed_of_certificate(number: str, request: Request, session: SessionDep) -> Response:
    """The newest 50 events: issued, suspended, reinstated, revoked and so on. Ask with `If-None-Match`, at most once
    a minute.
    """
    parsed = parse_number(number)
    row = certificate_repository.by_number(session, str(parsed)) if parsed else None
    if row is None:
        raise NotFound.of("certificate")
    events = event_reader.events_of_certificates(session, MAX_ENTRIES, number=row.number)
    return _feed(request, events, f"/v1/certificates/{row.number}/events.atom", row.number)


@router.get(
    "/holders/{holder_id}/events.atom",
    summary="Follow the certificates of a holder by Atom",
    response_class=Response,
    responses=_DOCS,
)
def get_feed_of_holder(holder_id: str, request: Request, session: SessionDep) -> Response:
    """`holder_id` is the id in the address of the holder's page in the register."""
    organisation_id: UUID = parse_id(holder_id, "holder")
    events = event_reader.events_of_certificates(session, MAX_ENTRIES, organisation_id=organisation_id)
    if not events:
        raise NotFound.of("holder")
    return _feed(request, events, f"/v1/holders/{organisation_id}/events.atom", f"Holder {organisation_id}")


@router.get(
    "/headings/{heading}/events.atom",
    summary="Follow the certificates of a heading by Atom",
    response_class=Response,
    responses=_DOCS,
)
def get_feed_of_heading(heading: str, request: Request, session: SessionDep) -> Response:
    """Chapter, heading or subheading of the Harmonized System: two, four or six digits."""
    if not (heading.isascii() and heading.isdigit() and len(heading) in {2, 4, 6}):
        raise NotFound.of("heading")
    events = event_reader.events_of_certificates(session, MAX_ENTRIES, heading=heading)
    return _feed(request, events, f"/v1/headings/{heading}/events.atom", f"HS {heading}")


def _feed(request: Request, events: Sequence[PublicEvent], path: str, title: str) -> Response:
    base_url = get_container(request).settings.base_url
    body = write_feed(events, load_catalogue().types, base_url=base_url, path=path, title=title)
    headers = {"Cache-Control": "public, max-age=60"}
    return conditional_response(request, body, headers, MEDIA_TYPE)
