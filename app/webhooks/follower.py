"""Follow the events, and write a delivery for each endpoint that is told of one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.events import event_reader, event_repository
from app.events.public_event import PublicEvent
from app.events.watched import watched_as
from app.webhooks import webhook_repository
from app.webhooks.endpoints import new_delivery, renew_delivery, wants
from app.webhooks.model import DeliveryState, EndpointState, WebhookEndpoint

FOLLOWER = "webhooks"
BATCH_SIZE = 200
"""Events that one transaction deals with."""


def is_behind(session: Session) -> bool:
    """Whether there is anything to follow, or to look at again."""
    return event_repository.is_behind(session, FOLLOWER) or bool(webhook_repository.list_resending_ids(session))


def follow_events(session: Session, now: datetime) -> bool:
    """Write the deliveries of the next events, together with how far this has come. Returns whether there are more.

    Endpoints are read after the events: one that is made in between is told of a little more, never of less.
    """
    cursor = event_repository.lock_cursor(session, FOLLOWER)
    newest = event_repository.last_sequence(session)
    events = event_reader.events_after(session, cursor.sequence, BATCH_SIZE)
    is_full = len(events) == BATCH_SIZE
    told = {event.sequence: event.told.organisations | event.told.administrators_of for event in events}
    companies = frozenset[UUID]().union(*told.values())
    endpoints = webhook_repository.list_active_endpoints(session, companies) if companies else ()
    own = [
        new_delivery(endpoint.id, event.id, event.type, event.to_dict(), now)
        for event in events
        for endpoint in endpoints
        if endpoint.organisation_id in told[event.sequence] and wants(endpoint, event.type)
    ]
    followed = _followed(session, [event for event in events if event.told.watchers], now)
    webhook_repository.add_deliveries(session, [*own, *followed])  # of two of one event the first one counts
    last = events[-1].sequence if events else cursor.sequence
    cursor.sequence = last if is_full else max(last, newest)
    return is_full


def _followed(session: Session, events: Sequence[PublicEvent], now: datetime) -> Iterator[dict[str, object]]:
    """Yield deliveries to those who follow certificates of others, without the reason of an event."""
    endpoints = webhook_repository.list_following_endpoints(session) if events else ()
    if not endpoints:
        return
    places = event_repository.find_places(session, {event.subject.id for event in events})
    for event in events:
        if (place := places.get(event.subject.id)) is None:
            continue
        names = {f"{kind}:{value}" for kind, value in watched_as(event.subject.id, *place)}
        content = replace(event, reason=None).to_dict()
        for endpoint in endpoints:
            if wants(endpoint, event.type) and names.intersection(endpoint.follows or ()):
                yield new_delivery(endpoint.id, event.id, event.type, content, now)


def resend_missed(session: Session, endpoint_id: UUID, now: datetime) -> bool:
    """Write the next deliveries that the endpoint missed. Returns whether there are more."""
    endpoint = webhook_repository.find_endpoint(session, endpoint_id, lock=True)
    if endpoint is None or endpoint.state != EndpointState.ACTIVE or endpoint.resend_after is None:
        return False
    events = event_reader.events_of_organisation(
        session,
        endpoint.organisation_id,
        endpoint.resend_after,
        BATCH_SIZE,
        types=endpoint.event_types,
        with_accounts=True,
    )
    _add_missed(session, endpoint, events, now)
    endpoint.resend_after = events[-1].sequence if len(events) == BATCH_SIZE else None
    return endpoint.resend_after is not None


def _add_missed(session: Session, endpoint: WebhookEndpoint, events: Iterable[PublicEvent], now: datetime) -> None:
    by_id = {event.id: event for event in events}
    known = webhook_repository.find_deliveries_of_events(session, endpoint.id, by_id.keys())
    for delivery in known:
        if delivery.state == DeliveryState.FAILED:
            renew_delivery(delivery, now)
        del by_id[delivery.event_id]
    webhook_repository.add_deliveries(
        session,
        [new_delivery(endpoint.id, event.id, event.type, event.to_dict(), now) for event in by_id.values()],
    )
