"""Query endpoints, deliveries and attempts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.audit.model import AuditEvent
from app.core.database import core_table, locked, page_of
from app.webhooks.model import DeliveryState, EndpointState, WebhookAttempt, WebhookDelivery, WebhookEndpoint


def find_endpoint(session: Session, endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint | None:
    query = sa.select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id)
    return session.scalars(locked(query, lock)).one_or_none()


def list_endpoints(
    session: Session, organisation_id: UUID, after: UUID | None, limit: int
) -> Sequence[WebhookEndpoint]:
    query = sa.select(WebhookEndpoint).where(WebhookEndpoint.organisation_id == organisation_id)
    return page_of(session, query, WebhookEndpoint.id, after, limit)


def count_endpoints(session: Session, organisation_id: UUID) -> int:
    query = sa.select(sa.func.count()).select_from(WebhookEndpoint)
    return session.scalar(query.where(WebhookEndpoint.organisation_id == organisation_id)) or 0


def list_active_endpoints(session: Session, organisation_ids: Collection[UUID]) -> Sequence[WebhookEndpoint]:
    query = sa.select(WebhookEndpoint).where(
        WebhookEndpoint.state == EndpointState.ACTIVE, WebhookEndpoint.organisation_id.in_(organisation_ids)
    )
    return session.scalars(query.order_by(WebhookEndpoint.id)).all()


def list_following_endpoints(session: Session) -> Sequence[WebhookEndpoint]:
    """Return active endpoints that follow certificates of others."""
    query = sa.select(WebhookEndpoint).where(
        WebhookEndpoint.state == EndpointState.ACTIVE, WebhookEndpoint.follows.is_not(None)
    )
    return session.scalars(query.order_by(WebhookEndpoint.id)).all()


def list_resending_ids(session: Session) -> Sequence[UUID]:
    """Return the endpoints for which somebody asked to send again what was missed."""
    query = sa.select(WebhookEndpoint.id).where(
        WebhookEndpoint.state == EndpointState.ACTIVE, WebhookEndpoint.resend_after.is_not(None)
    )
    return session.scalars(query.order_by(WebhookEndpoint.id)).all()


def remove_endpoint(session: Session, endpoint_id: UUID) -> None:
    """Delete an endpoint with its deliveries and attempts."""
    deliveries = sa.select(WebhookDelivery.id).where(WebhookDelivery.endpoint_id == endpoint_id)
    session.execute(sa.delete(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(deliveries)))
    session.execute(sa.delete(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id))
    session.execute(sa.delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id))


def add_deliveries(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert deliveries; those that an endpoint has of the event already are left alone."""
    if not rows:
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(core_table(WebhookDelivery)).on_conflict_do_nothing(index_elements=["endpoint_id", "event_id"])
    session.execute(statement, [dict(row) for row in rows])


def find_delivery(session: Session, delivery_id: UUID, *, lock: bool = False) -> WebhookDelivery | None:
    query = sa.select(WebhookDelivery).where(WebhookDelivery.id == delivery_id)
    return session.scalars(locked(query, lock)).one_or_none()


def find_deliveries_of_events(
    session: Session, endpoint_id: UUID, event_ids: Collection[str]
) -> Sequence[WebhookDelivery]:
    query = sa.select(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.event_id.in_(event_ids)
    )
    return session.scalars(query).all()


def list_deliveries(
    session: Session, endpoint_id: UUID, *, state: DeliveryState | None, after: UUID | None, limit: int
) -> Sequence[WebhookDelivery]:
    query = sa.select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if state is not None:
        query = query.where(WebhookDelivery.state == state)
    return page_of(session, query, WebhookDelivery.id, after, limit)


def list_attempts(session: Session, delivery_ids: Iterable[UUID]) -> dict[UUID, list[WebhookAttempt]]:
    """Return the attempts of each delivery, oldest first."""
    query = sa.select(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(list(delivery_ids)))
    found: dict[UUID, list[WebhookAttempt]] = {}
    for row in session.scalars(query.order_by(WebhookAttempt.id)):
        found.setdefault(row.delivery_id, []).append(row)
    return found


def list_due_endpoint_ids(session: Session, now: datetime, busy: Collection[UUID], limit: int) -> Sequence[UUID]:
    """Return endpoints to which something is due, that are neither paused nor `busy`; longest due first."""
    due = WebhookDelivery.next_attempt_at
    query = (
        sa.select(WebhookDelivery.endpoint_id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .where(
            due <= now,
            WebhookEndpoint.state == EndpointState.ACTIVE,
            sa.or_(WebhookEndpoint.paused_until.is_(None), WebhookEndpoint.paused_until <= now),
            WebhookEndpoint.id.not_in(busy),
        )
        .group_by(WebhookDelivery.endpoint_id)
        .order_by(sa.func.min(due), WebhookDelivery.endpoint_id)
    )
    return session.scalars(query.limit(limit)).all()


def next_due_delivery(session: Session, endpoint_id: UUID, now: datetime) -> WebhookDelivery | None:
    """Return the delivery of this endpoint that is due longest."""
    query = sa.select(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.next_attempt_at <= now
    )
    query = query.order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.id).limit(1)
    return session.scalars(query).one_or_none()


def give_up_waiting(session: Session, endpoint_id: UUID, now: datetime) -> None:
    """Let everything that waits for this endpoint fail."""
    session.execute(
        sa.update(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == DeliveryState.WAITING)
        .values(state=DeliveryState.FAILED.value, next_attempt_at=None, finished_at=now)
    )


def last_sequence_before(session: Session, moment: datetime) -> int:
    """Return the number of the newest audit event before a moment; 0: there is none. Read from the newest backwards."""
    query = sa.select(AuditEvent.seq).where(AuditEvent.at < moment).order_by(AuditEvent.seq.desc()).limit(1)
    return session.scalar(query) or 0


def has_finished_before(session: Session, before: datetime) -> bool:
    """Whether `delete_finished_before` would delete deliveries."""
    return bool(session.scalar(sa.select(sa.exists().where(WebhookDelivery.finished_at < before))))


def delete_finished_before(session: Session, before: datetime) -> None:
    """Delete deliveries that ended before a moment, with their attempts."""
    old = sa.select(WebhookDelivery.id).where(WebhookDelivery.finished_at < before)
    session.execute(sa.delete(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(old)))
    session.execute(sa.delete(WebhookDelivery).where(WebhookDelivery.finished_at < before))
