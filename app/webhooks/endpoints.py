"""Manage the endpoints of a company: make, change, test, disable, and send again what was missed."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import require_administrator, require_organisation_id
from app.core.actor import SYSTEM, Actor, ActorKind
from app.core.crypto.secret_box import SecretBox
from app.core.database import dumps_canonical, new_id
from app.core.dates import format_utc
from app.core.errors import Conflict, ExpectedVersion, Invalid, NotFound, WrongState, require_version
from app.core.messages import Message
from app.organisations import organisation_repository
from app.webhooks import webhook_repository
from app.webhooks.model import (
    DeliveryState,
    DisableReason,
    EndpointState,
    WebhookDelivery,
    WebhookEndpoint,
)
from app.webhooks.schedule import SECRET_OVERLAP
from app.webhooks.signatures import SECRET_BYTES, format_secret

RETENTION = timedelta(days=30)
"""How long a delivery is kept after its end, and how far back events are sent again."""
TEST_TYPE = "webhook.test"
_CLOCK_TOLERANCE = timedelta(minutes=5)
"""An event is dated by the beginning of its request, and committed later by less than this."""


@dataclass(frozen=True, slots=True)
class EndpointInput:
    """What a company states of an endpoint. Empty `event_types`: all. `follows`: kind, colon, value. `error`: in it."""

    url: str
    description: str | None
    event_types: Sequence[str]
    follows: Sequence[str] = ()
    error: Invalid | None = None

    def require_valid(self) -> None:
        if self.error is not None:
            raise self.error


def require_manager(actor: Actor) -> UUID:
    """Return the company of its administrator, or of its API client. Raises `Forbidden`."""
    organisation_id = require_organisation_id(actor)
    if actor.kind is not ActorKind.CLIENT:
        require_administrator(actor)
    return organisation_id


def get_endpoint(session: Session, actor: Actor, endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint:
    """Return an endpoint of the actor's company. Raises `NotFound`, `Forbidden`."""
    found = webhook_repository.find_endpoint(session, endpoint_id, lock=lock)
    if found is None or found.organisation_id != actor.organisation_id:
        raise NotFound.of("webhook")
    require_manager(actor)
    return found


def create_endpoint(
    session: Session,
    actor: Actor,
    given: EndpointInput,
    secret_box: SecretBox,
    *,
    max_endpoints: int,
    now: datetime,
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint; return it and its secret, which is shown once. Raises `Conflict` (`too-many-webhooks`)."""
    own = require_manager(actor)
    organisation_repository.find_organisation(session, own, lock=True)  # a concurrent call counts this one
    if webhook_repository.count_endpoints(session, own) >= max_endpoints:
        raise Conflict(
            Message("Your company has %(limit)s webhooks already. Delete one first.", limit=max_endpoints),
            code="too-many-webhooks",
        )
    given.require_valid()
    endpoint_id, secret = new_id(), _new_secret()
    endpoint = WebhookEndpoint(
        id=endpoint_id,
        organisation_id=own,
        url=given.url,
        description=given.description,
        event_types=sorted(set(given.event_types)),
        follows=sorted(set(given.follows)) or None,
        encrypted_secret=secret_box.encrypt(secret, endpoint_id),
        state=EndpointState.ACTIVE.value,
        created_at=now,
        version=1,
    )
    session.add(endpoint)
    session.flush()
    _record(session, actor, "webhook.created", endpoint, now)
    return endpoint, secret


def change_endpoint(
    session: Session, actor: Actor, endpoint_id: UUID, given: EndpointInput, *, version: ExpectedVersion, now: datetime
) -> WebhookEndpoint:
    """Replace what the company states; the same again changes nothing.

    Raises `NotFound`, the errors of `require_version`.
    """
    endpoint = get_endpoint(session, actor, endpoint_id, lock=True)
    require_version(version, endpoint.version)
    given.require_valid()
    event_types, follows = sorted(set(given.event_types)), sorted(set(given.follows)) or None
    present = (endpoint.url, endpoint.description, endpoint.event_types, endpoint.follows)
    if present == (given.url, given.description, event_types, follows):
        return endpoint
    if endpoint.url != given.url:
        endpoint.failing_since = endpoint.paused_until = None
    endpoint.url, endpoint.description = given.url, given.description
    endpoint.event_types, endpoint.follows = event_types, follows
    endpoint.version += 1
    _record(session, actor, "webhook.changed", endpoint, now)
    return endpoint


def delete_endpoint(session: Session, actor: Actor, endpoint_id: UUID, now: datetime) -> None:
    """Delete an endpoint with everything that was delivered to it. Raises `NotFound`."""
    endpoint = get_endpoint(session, actor, endpoint_id, lock=True)
    webhook_repository.remove_endpoint(session, endpoint.id)
    _record(session, actor, "webhook.deleted", endpoint, now)


def rotate_secret(
    session: Session,
    actor: Actor,
    endpoint_id: UUID,
    secret_box: SecretBox,
    *,
    version: ExpectedVersion,
    now: datetime,
) -> tuple[WebhookEndpoint, str]:
    """Give an endpoint another secret, which is shown once; the one before signs as well for `SECRET_OVERLAP`."""
    endpoint = get_endpoint(session, actor, endpoint_id, lock=True)
    require_version(version, endpoint.version)
    secret = _new_secret()
    endpoint.encrypted_previous_secret, endpoint.previous_until = endpoint.encrypted_secret, now + SECRET_OVERLAP
    endpoint.encrypted_secret = secret_box.encrypt(secret, endpoint.id)
    endpoint.version += 1
    _record(session, actor, "webhook.secret_rotated", endpoint, now)
    return endpoint, secret


def signing_secrets(endpoint: WebhookEndpoint, secret_box: SecretBox, now: datetime) -> list[str]:
    """Return the secrets that sign now, the newest first."""
    encrypted = [endpoint.encrypted_secret]
    if endpoint.encrypted_previous_secret and endpoint.previous_until and now < endpoint.previous_until:
        encrypted.append(endpoint.encrypted_previous_secret)
    return [secret_box.decrypt(each, endpoint.id) for each in encrypted]


def enable_endpoint(
    session: Session, actor: Actor, endpoint_id: UUID, *, version: ExpectedVersion, now: datetime
) -> WebhookEndpoint:
    """Send to a disabled endpoint again, from now on. Raises `NotFound`, `WrongState`."""
    endpoint = get_endpoint(session, actor, endpoint_id, lock=True)
    require_version(version, endpoint.version)
    if endpoint.state != EndpointState.DISABLED:
        raise WrongState("webhook", state=endpoint.state, action="enable", allowed=[])
    endpoint.state = EndpointState.ACTIVE.value
    endpoint.disabled_at = endpoint.disabled_because = endpoint.failing_since = endpoint.paused_until = None
    endpoint.version += 1
    _record(session, actor, "webhook.enabled", endpoint, now)
    return endpoint


def disable_endpoint(session: Session, endpoint: WebhookEndpoint, reason: DisableReason, now: datetime) -> None:
    """Send nothing more to a locked endpoint; what waits has failed. The administrators are told by the event."""
    endpoint.state, endpoint.disabled_at = EndpointState.DISABLED.value, now
    endpoint.disabled_because, endpoint.resend_after = reason.value, None
    endpoint.version += 1
    session.flush()
    webhook_repository.give_up_waiting(session, endpoint.id, now)
    _record(session, SYSTEM, "webhook.disabled", endpoint, now, reason=reason.value)


def send_test(session: Session, actor: Actor, endpoint_id: UUID, now: datetime) -> WebhookDelivery:
    """Let a made-up event be sent. Raises `NotFound`, `WrongState` while the endpoint is disabled."""
    endpoint = _get_active(session, actor, endpoint_id, "test")
    delivery_id = new_id()
    event_id = f"test_{delivery_id.hex}"
    body = {
        "id": event_id,
        "type": TEST_TYPE,
        "at": format_utc(now),
        "actor": "company",
        "subject": {"kind": "webhook", "id": str(endpoint.id), "number": None},
        "data": {"status": None, "kind": None, "reason": None, "deadline": None, "certificate": None},
        "log_index": None,
    }
    delivery = WebhookDelivery(**new_delivery(endpoint.id, event_id, TEST_TYPE, body, now, delivery_id=delivery_id))
    session.add(delivery)
    session.flush()
    _record(session, actor, "webhook.tested", endpoint, now, event_id=event_id)
    return delivery


def resend_delivery(
    session: Session, actor: Actor, endpoint_id: UUID, delivery_id: UUID, now: datetime
) -> WebhookDelivery:
    """Send an event once more under its id, whatever came of it before. Raises `NotFound`, `WrongState`."""
    endpoint = _get_active(session, actor, endpoint_id, "redeliver")
    delivery = webhook_repository.find_delivery(session, delivery_id, lock=True)
    if delivery is None or delivery.endpoint_id != endpoint.id:
        raise NotFound.of("delivery")
    renew_delivery(delivery, now)
    endpoint.paused_until = None
    _record(session, actor, "webhook.redelivered", endpoint, now, event_id=delivery.event_id)
    return delivery


def resend_missed(session: Session, actor: Actor, endpoint_id: UUID, since: datetime, now: datetime) -> None:
    """Let every event since a moment be sent that was not delivered, also of times when the endpoint was disabled.

    Raises `NotFound`, `WrongState`, and `Invalid` for a moment longer ago than `RETENTION`.
    """
    endpoint = _get_active(session, actor, endpoint_id, "redeliver")
    if since < now - RETENTION:
        raise Invalid.at("/since", Message("Enter a moment of the last %(days)s days.", days=RETENTION.days))
    endpoint.resend_after = webhook_repository.last_sequence_before(session, since - _CLOCK_TOLERANCE)
    endpoint.paused_until = None
    _record(session, actor, "webhook.redelivered", endpoint, now, since=format_utc(since))


def new_delivery(
    endpoint_id: UUID,
    event_id: str,
    event_type: str,
    body: object,
    now: datetime,
    *,
    delivery_id: UUID | None = None,
) -> dict[str, object]:
    """Return the columns of a delivery that is due now."""
    return {
        "id": delivery_id or new_id(),
        "endpoint_id": endpoint_id,
        "event_id": event_id,
        "event_type": event_type,
        "body": dumps_canonical(body),
        "state": DeliveryState.WAITING.value,
        "attempts": 0,
        "next_attempt_at": now,
        "created_at": now,
    }


def renew_delivery(delivery: WebhookDelivery, now: datetime) -> None:
    """Let a delivery be sent now, with all attempts before it."""
    delivery.state, delivery.next_attempt_at = DeliveryState.WAITING.value, now
    delivery.attempts, delivery.failing_since, delivery.finished_at = 0, None, None


def wants(endpoint: WebhookEndpoint, event_type: str) -> bool:
    """Whether the endpoint is told of events of this type."""
    return not endpoint.event_types or event_type in endpoint.event_types


def _get_active(session: Session, actor: Actor, endpoint_id: UUID, action: str) -> WebhookEndpoint:
    endpoint = get_endpoint(session, actor, endpoint_id, lock=True)
    if endpoint.state != EndpointState.ACTIVE:
        raise WrongState("webhook", state=endpoint.state, action=action, allowed=["enable"])
    return endpoint


def _new_secret() -> str:
    return format_secret(secrets.token_bytes(SECRET_BYTES))


def _record(session: Session, actor: Actor, name: str, endpoint: WebhookEndpoint, now: datetime, **data: Any) -> None:
    """Record an act on the company, so that its events are found by the index of its audit events."""
    subject = ("organisation", endpoint.organisation_id)
    recorder.record(session, actor, name, subject, now, webhook=endpoint.id, **data)
