"""Make and change the webhooks of a company, test them, see what was delivered, send again what was missed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field, StrictStr
from sqlalchemy.orm import Session

from app.api.company.events import MAX_TYPES, EventName
from app.core.actor import Actor, Role
from app.core.errors import Invalid, require_version
from app.events.watched import WatchKind, normalize_watched
from app.web.dependencies import (
    IdempotentReplayDep,
    NowDep,
    SecretBoxDep,
    SessionDep,
    SettingsDep,
    VersionDep,
    format_etag,
    get_container,
    parse_id,
    require_role,
)
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, UPDATE_ERRORS, error_responses
from app.web.problems.replace_bodies import ReplaceModel, accepts_response, read_only_errors, require_unchanged
from app.web.routes import BodyCheckContext, GuardedRoute, check_body
from app.web.schema_types import (
    SHOWN_ONCE_DESCRIPTION,
    Page,
    RequestModel,
    ResponseModel,
    StorableDatetime,
    Text100,
    Text500,
)
from app.webhooks import endpoints, webhook_repository
from app.webhooks.addresses import MAX_URL
from app.webhooks.endpoints import EndpointInput
from app.webhooks.model import (
    DeliveryState,
    DisableReason,
    EndpointState,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from app.webhooks.sender import SendError, find_url_error


class WebhookRoute(GuardedRoute):
    """Look the host of a new address up before the transaction: a name server may be slow."""

    async def before_work(self, request: Request) -> None:
        request.state.url_error = None
        body = await request.json() if self.body_field is not None and await request.body() else None
        if isinstance(body, dict):
            url = body.get("url")
            if isinstance(url, str) and len(url) <= MAX_URL:
                sender = get_container(request).webhook_sender
                request.state.url_error = await find_url_error(url, sender.rules, sender.resolve)


router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=WebhookRoute)

Applicant = Annotated[Actor, require_role(Role.APPLICANT)]


def _require_manager(actor: Applicant) -> Actor:
    endpoints.require_manager(actor)
    return actor


Manager = Annotated[Actor, Depends(_require_manager, scope="function")]


def _load_own_webhook(webhook_id: str, actor: Applicant, session: SessionDep) -> UUID:
    return endpoints.get_endpoint(session, actor, parse_id(webhook_id, "webhook")).id


OwnWebhookId = Annotated[UUID, Depends(_load_own_webhook, scope="function")]


def _load_as_read(webhook_id: OwnWebhookId, actor: Applicant, session: SessionDep, version: VersionDep) -> UUID:
    """Check the version before the body is."""
    require_version(version, endpoints.get_endpoint(session, actor, webhook_id).version)
    return webhook_id


ReadWebhookId = Annotated[UUID, Depends(_load_as_read, scope="function")]


class FollowedRequest(RequestModel):
    kind: WatchKind
    value: Text100 = Field(
        description="number of the certificate, id of the holder, or 2, 4 or 6 digits of an HS code", examples=["7306"]
    )


class WebhookRequest(RequestModel):
    url: StrictStr = Field(
        max_length=MAX_URL,
        description="public address with https://; requests are sent to it and follow no redirects",
        examples=["https://erp.example.com/mik"],
    )
    description: Text500 | None = Field(None, examples=["Order system"])
    event_types: list[EventName] | None = Field(
        None, min_length=1, max_length=MAX_TYPES, description="types of events that are sent; null: all"
    )
    follows: list[FollowedRequest] = Field(
        [],
        max_length=100,
        description="certificates of others whose events are sent as well, without the reason",
    )


class FollowedResponse(ResponseModel):
    kind: WatchKind
    value: str


class WebhookResponse(ResponseModel):
    id: UUID
    url: str
    description: str | None
    event_types: list[str] | None = Field(description="null: all")
    follows: list[FollowedResponse]
    state: EndpointState
    disabled_at: datetime | None
    disabled_because: DisableReason | None = Field(
        description="`failing`: five days without success; `gone`: it answered 410"
    )
    failing_since: datetime | None = Field(description="first failure since the last success")
    previous_secret_until: datetime | None = Field(
        description="until then each request has a second signature, by the secret before"
    )
    created_at: datetime
    version: int


@accepts_response(WebhookResponse)
class WebhookUpdateRequest(WebhookRequest, ReplaceModel):
    """The whole of what can change. The answer of `GET` is accepted as it is."""


class WebhookWithSecretResponse(WebhookResponse):
    secret: str | None = Field(description=SHOWN_ONCE_DESCRIPTION, examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class AttemptResponse(ResponseModel):
    at: datetime
    duration_ms: int
    status: int | None = Field(description="HTTP status of the answer; success is 200 to 299")
    error: SendError | None = Field(description="why there was no answer")
    answer: str | None = Field(description="beginning of the body of the answer, at most 1 kB")


class DeliveryResponse(ResponseModel):
    id: UUID
    event_id: str = Field(description="header `webhook-id`, the same in every attempt", examples=["evt_000000000042"])
    event_type: str
    state: DeliveryState
    created_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None
    attempts: list[AttemptResponse] = Field(description="oldest first")


class ResendRequest(RequestModel):
    since: StorableDatetime = Field(
        description="every event since then that was not delivered is sent; at most 30 days ago",
        examples=["2026-11-22T17:00:00Z"],
    )


def _followed_response(stored: str) -> FollowedResponse:
    kind, _, value = stored.partition(":")
    return FollowedResponse(kind=WatchKind(kind), value=value)


def _fields_of(row: WebhookEndpoint, now: datetime) -> dict[str, Any]:
    until = row.previous_until
    return {
        "id": row.id,
        "url": row.url,
        "description": row.description,
        "event_types": row.event_types or None,
        "follows": [_followed_response(each) for each in row.follows or ()],
        "state": row.state,
        "disabled_at": row.disabled_at,
        "disabled_because": row.disabled_because,
        "failing_since": row.failing_since,
        "previous_secret_until": until if until is not None and now < until else None,
        "created_at": row.created_at,
        "version": row.version,
    }


def _delivery_responses(session: Session, rows: Sequence[WebhookDelivery]) -> Iterator[DeliveryResponse]:
    attempts = webhook_repository.list_attempts(session, [row.id for row in rows])
    for row in rows:
        yield DeliveryResponse(
            id=row.id,
            event_id=row.event_id,
            event_type=row.event_type,
            state=DeliveryState(row.state),
            created_at=row.created_at,
            next_attempt_at=row.next_attempt_at,
            finished_at=row.finished_at,
            attempts=[_attempt_response(each) for each in attempts.get(row.id, ())],
        )


def _attempt_response(row: WebhookAttempt) -> AttemptResponse:
    return AttemptResponse.model_validate(row, from_attributes=True)


def _input_of(body: WebhookRequest, request: Request) -> EndpointInput:
    error: Invalid | None = request.state.url_error
    follows = []
    for place, each in enumerate(body.follows):
        try:
            follows.append(f"{each.kind}:{normalize_watched(each.kind, each.value, f'/follows/{place}/value')}")
        except Invalid as why:
            error = error or why
    return EndpointInput(body.url, body.description, body.event_types or (), follows, error)


@router.get("", summary="List webhooks", responses=error_responses(*READ_ERRORS))
def list_webhooks(actor: Manager, session: SessionDep, page: PageDep, now: NowDep) -> Page[WebhookResponse]:
    """For administrators of the company, and API clients with the scope `webhooks`."""
    organisation_id = endpoints.require_manager(actor)
    rows = webhook_repository.list_endpoints(session, organisation_id, page.after, page.fetch)
    return Page[WebhookResponse](
        items=[WebhookResponse(**_fields_of(row, now)) for row in page.cut(rows, lambda row: row.id)]
    )


@router.post("", status_code=201, summary="Create a webhook", responses=error_responses(*CREATE_ERRORS))
def create_webhook(
    body: WebhookRequest,
    actor: Manager,
    session: SessionDep,
    request: Request,
    response: Response,
    settings: SettingsDep,
    secret_box: SecretBoxDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> WebhookWithSecretResponse:
    """Events of your company are posted to the address from now on, within a minute, each at least once: keep the
    `webhook-id` of what you have dealt with. Requests are signed by Standard Webhooks
    (<https://www.standardwebhooks.com>) with `secret`, which is shown once. Answer within 10 seconds with 2xx; anything
    else is tried again for days.
    """
    row, secret = endpoints.create_endpoint(
        session, actor, _input_of(body, request), secret_box, max_endpoints=settings.webhook_max_endpoints, now=now
    )
    response.headers["ETag"] = format_etag(row.version)
    response.headers["Location"] = f"/v1/webhooks/{row.id}"
    return WebhookWithSecretResponse(**_fields_of(row, now), secret=secret)


@router.get("/{webhook_id}", summary="Get a webhook", responses=error_responses(*READ_ERRORS))
def get_webhook(
    webhook_id: str, actor: Applicant, session: SessionDep, response: Response, now: NowDep
) -> WebhookResponse:
    """`failing_since` shows that it does not answer, `state` that it was disabled for that."""
    row = endpoints.get_endpoint(session, actor, parse_id(webhook_id, "webhook"))
    response.headers["ETag"] = format_etag(row.version)
    return WebhookResponse(**_fields_of(row, now))


def _change_errors(asked: BodyCheckContext, body: WebhookUpdateRequest) -> Sequence[Mapping[str, str]]:
    assert asked.actor is not None  # the dependencies of the route require an actor
    return read_only_errors(
        body, partial(_load_response, asked.session, asked.actor, UUID(asked.path["webhook_id"]), asked.now)
    )


def _load_response(session: Session, actor: Actor, webhook_id: UUID, now: datetime) -> WebhookResponse:
    return WebhookResponse(**_fields_of(endpoints.get_endpoint(session, actor, webhook_id), now))


@router.put(
    "/{webhook_id}",
    summary="Change a webhook",
    responses=error_responses(*UPDATE_ERRORS),
    dependencies=[check_body(_change_errors)],
)
def change_webhook(
    webhook_id: ReadWebhookId,
    body: WebhookUpdateRequest,
    actor: Applicant,
    session: SessionDep,
    request: Request,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> WebhookResponse:
    """What waits is sent to the new address. The secret stays. The answer of `GET` sent back changes nothing, not even
    the version.
    """
    require_unchanged(body, partial(_load_response, session, actor, webhook_id, now))
    row = endpoints.change_endpoint(session, actor, webhook_id, _input_of(body, request), version=version, now=now)
    response.headers["ETag"] = format_etag(row.version)
    return WebhookResponse(**_fields_of(row, now))


@router.delete("/{webhook_id}", status_code=204, summary="Delete a webhook", responses=error_responses(*CREATE_ERRORS))
def delete_webhook(
    webhook_id: str, actor: Manager, session: SessionDep, now: NowDep, _retry: IdempotentReplayDep
) -> Response:
    """With its deliveries. Nothing more is sent; a request that is on its way still arrives."""
    endpoints.delete_endpoint(session, actor, parse_id(webhook_id, "webhook"), now)
    return Response(status_code=204)


@router.post(
    "/{webhook_id}/rotate-secret",
    summary="Exchange the secret of a webhook",
    responses=error_responses(*UPDATE_ERRORS),
)
def rotate_webhook_secret(
    webhook_id: OwnWebhookId,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    secret_box: SecretBoxDep,
    version: VersionDep,
    now: NowDep,
) -> WebhookWithSecretResponse:
    """For 24 hours each request has two signatures, by the new secret and by the one before."""
    row, secret = endpoints.rotate_secret(session, actor, webhook_id, secret_box, version=version, now=now)
    response.headers["ETag"] = format_etag(row.version)
    return WebhookWithSecretResponse(**_fields_of(row, now), secret=secret)


@router.post("/{webhook_id}/enable", summary="Enable a webhook again", responses=error_responses(*UPDATE_ERRORS))
def enable_webhook(
    webhook_id: OwnWebhookId,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> WebhookResponse:
    """Events are sent from now on; ask for those of the time before by `redeliver`."""
    row = endpoints.enable_endpoint(session, actor, webhook_id, version=version, now=now)
    response.headers["ETag"] = format_etag(row.version)
    return WebhookResponse(**_fields_of(row, now))


@router.post(
    "/{webhook_id}/test", status_code=202, summary="Send a test event", responses=error_responses(*CREATE_ERRORS)
)
def send_test_event(
    webhook_id: OwnWebhookId, actor: Applicant, session: SessionDep, now: NowDep, _retry: IdempotentReplayDep
) -> DeliveryResponse:
    """An event of the type `webhook.test` is sent within seconds; see what came of it among the deliveries."""
    row = endpoints.send_test(session, actor, webhook_id, now)
    (response,) = _delivery_responses(session, [row])
    return response


@router.post(
    "/{webhook_id}/redeliver",
    status_code=202,
    summary="Send again what was missed",
    responses=error_responses(*CREATE_ERRORS),
)
def redeliver_missed_events(
    webhook_id: OwnWebhookId,
    body: ResendRequest,
    actor: Applicant,
    session: SessionDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> WebhookResponse:
    """Every event since a moment that was not delivered, also while the webhook was disabled; ids stay the same."""
    endpoints.resend_missed(session, actor, webhook_id, body.since, now)
    row = endpoints.get_endpoint(session, actor, webhook_id)
    return WebhookResponse(**_fields_of(row, now))


@router.get("/{webhook_id}/deliveries", summary="List deliveries", responses=error_responses(*READ_ERRORS))
def list_webhook_deliveries(
    webhook_id: OwnWebhookId,
    session: SessionDep,
    page: PageDep,
    state: Annotated[DeliveryState | None, Query(description="only those in this state")] = None,
) -> Page[DeliveryResponse]:
    """With all attempts, in the order of the events; kept for 30 days after their end."""
    rows = webhook_repository.list_deliveries(session, webhook_id, state=state, after=page.after, limit=page.fetch)
    return Page[DeliveryResponse](items=list(_delivery_responses(session, page.cut(rows, lambda row: row.id))))


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    summary="Send one event again",
    responses=error_responses(*CREATE_ERRORS),
)
def redeliver_event(
    webhook_id: OwnWebhookId,
    delivery_id: str,
    actor: Applicant,
    session: SessionDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> DeliveryResponse:
    """Under the same id, whatever came of it before."""
    row = endpoints.resend_delivery(session, actor, webhook_id, parse_id(delivery_id, "delivery"), now)
    (response,) = _delivery_responses(session, [row])
    return response
