"""List the events of one's own company."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.auth.permissions import require_organisation_id
from app.core.actor import Actor, Role
from app.core.errors import Invalid
from app.core.messages import Message
from app.events import event_reader
from app.events.catalogue import load_catalogue
from app.events.public_event import ActorGroup, PublicEvent, parse_event_id
from app.web.dependencies import SessionDep, require_role
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import Page, ResponseModel

router = APIRouter(prefix="/v1/events", tags=["events"], route_class=GuardedRoute)

Member = Annotated[Actor, require_role(Role.APPLICANT)]
MAX_TYPES = 50
MAX_SEQUENCE = 2**63 - 1
if TYPE_CHECKING:
    EventName = str
else:  # the names are data, which a type checker does not read
    EventName = Literal[tuple(load_catalogue().types)]


class PublicEventSubject(ResponseModel):
    kind: str = Field(examples=["certificate"])
    id: str = Field(description="id, or number of a certificate, as addresses of this API have it")
    number: str | None = Field(description="number of an application or a certificate")


class EventReasonResponse(ResponseModel):
    code: str = Field(examples=["court"])
    az: str
    en: str


class EventDataResponse(ResponseModel):
    status: str | None = Field(description="status of the subject after the event", examples=["suspended"])
    kind: str | None = Field(description="kind of the subject, or of the change")
    reason: EventReasonResponse | None
    deadline: datetime | None = Field(description="exclusive: from this moment on it has passed")
    certificate: str | None = Field(description="number of the certificate that a matter is about")


class PublicEventResponse(ResponseModel):
    """An event; the webhook of its type has the same content."""

    id: str = Field(examples=["evt_000000000042"], description="the same in every delivery")
    type: str = Field(examples=["certificate.suspended"])
    at: datetime
    actor: ActorGroup
    subject: PublicEventSubject
    data: EventDataResponse
    log_index: int | None = Field(description="index of the entry in the public log; null where the act is not logged")


@router.get("", summary="List the events of your company", responses=error_responses(*READ_ERRORS))
def list_company_events(
    actor: Member,
    session: SessionDep,
    page: PageDep,
    after: Annotated[
        str | None,
        Query(max_length=40, description="id of the last event you have", examples=["evt_000000000042"]),
    ] = None,
    types: Annotated[
        list[EventName] | None,
        Query(alias="type", max_length=MAX_TYPES, description="only events of these types; repeat it for several"),
    ] = None,
) -> Page[PublicEventResponse]:
    """In the order of commits, without a gap: an event that you have not seen is never before `after`.

    Store the id of the last event and ask with it again. `Link` leads on while there are more. Events about accounts
    are for administrators.
    """
    found = event_reader.events_of_organisation(
        session,
        require_organisation_id(actor),
        sequence_of_cursor(page.after) if page.after is not None else sequence_of_event(after, "query:after"),
        page.fetch,
        types=types or (),
        with_accounts=actor.is_administrator,
    )
    shown = page.cut(found, lambda event: UUID(int=event.sequence))
    return Page[PublicEventResponse](items=[_event_response(event) for event in shown])


def sequence_of_cursor(cursor: UUID) -> int:
    """Return the sequence number in a cursor. Raises `Invalid` for one that is not of a list of events."""
    if cursor.int > MAX_SEQUENCE:
        raise Invalid.at(
            "query:cursor",
            Message("This cursor is not one of ours; start from the first page.", code="unknown-cursor"),
        )
    return cursor.int


def sequence_of_event(event_id: str | None, pointer: str) -> int:
    """Return the sequence number of an event; 0 for None. Raises `Invalid` for text that is no id."""
    if event_id is None:
        return 0
    try:
        return parse_event_id(event_id)
    except ValueError as why:
        raise Invalid.at(pointer, Message("This is no id of an event.", code="unknown-cursor")) from why


def _event_response(event: PublicEvent) -> PublicEventResponse:
    return PublicEventResponse.model_validate(event.to_dict())
