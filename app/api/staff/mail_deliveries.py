"""List what became of mails, and send those again that failed."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from app.core.actor import Actor
from app.events.public_event import format_event_id
from app.notifications import mail_deliveries
from app.notifications.mail_deliveries import MailState
from app.notifications.model import MessageKind, OutgoingMessage
from app.web.dependencies import ActorDep, IdempotentReplayDep, NowDep, SessionDep, parse_id, require_role
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import Page, ResponseModel

router = APIRouter(prefix="/v1/mail-deliveries", tags=["jobs"], route_class=GuardedRoute)

Reader = Annotated[Actor, require_role(*mail_deliveries.READER_ROLES)]


class MailDeliveryResponse(ResponseModel):
    id: UUID = Field(description="the mail's `Message-ID` begins with it")
    kind: MessageKind = Field(description="`notice`: it delivers the notice of an event")
    event_id: str | None = Field(description="id of that event", examples=["evt_000000000042"])
    recipient: str = Field(description="e-mail address", examples=["export@numune.example"])
    state: MailState = Field(
        description="`failed`: the newest attempt failed. It is tried again while `next_attempt_at` is not null. "
        "`void`: nothing was to be sent"
    )
    attempts: int
    last_error: str | None = Field(
        description="code and text of the mail server", examples=["550 5.1.1 No such mailbox"]
    )
    created_at: datetime
    next_attempt_at: datetime | None
    delivered_at: datetime | None = Field(description="when the mail server took it")


def delivery_response(row: OutgoingMessage) -> MailDeliveryResponse:
    return MailDeliveryResponse(
        id=row.id,
        kind=MessageKind(row.kind),
        event_id=None if row.sequence is None else format_event_id(row.sequence),
        recipient=row.recipient,
        state=mail_deliveries.state_of(row),
        attempts=row.attempts,
        last_error=row.last_error,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        delivered_at=row.delivered_at,
    )


@router.get("", summary="List mails and their errors", responses=error_responses(*READ_ERRORS))
def list_mail_deliveries(
    actor: Reader,
    session: SessionDep,
    page: PageDep,
    state: Annotated[MailState | None, Query(description="only mails in this state")] = None,
) -> Page[MailDeliveryResponse]:
    """Oldest first, for owners and auditors. Mails that are delivered or void are deleted after 30 days."""
    rows = mail_deliveries.list_deliveries(session, actor, state=state, after=page.after, limit=page.fetch)
    return Page[MailDeliveryResponse](items=[delivery_response(row) for row in page.cut(rows, lambda row: row.id)])


def _id_to_retry(mail_id: str, _actor: Annotated[Actor, require_role(*mail_deliveries.RETRIER_ROLES)]) -> UUID:
    """Check the role before the id, so that nobody else learns which mails exist."""
    return parse_id(mail_id, "mail")


@router.post(
    "/{mail_id}/retry",
    summary="Send a failed mail again",
    responses=error_responses(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
)
def retry_mail_delivery(
    mail_id: Annotated[UUID, Depends(_id_to_retry, scope="function")],
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> MailDeliveryResponse:
    """For owners, once the cause is repaired. A mail whose code has ended is not sent again: the person asks for a new
    one.
    """
    return delivery_response(mail_deliveries.retry_delivery(session, actor, mail_id, now))
