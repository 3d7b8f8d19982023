"""Deliver events to endpoints, in one job that recurs: follow the events, send what is due, note what came of it.

One worker at a time runs the job, and sends to many endpoints at once, to each of them one request at a time: an
endpoint that is slow holds up itself alone. No transaction is open while a request is sent. When the worker dies, what
it had not noted is due still, and is sent again by the next one under the same id.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core.crypto.secret_box import SecretBox
from app.core.database import Database, new_id
from app.jobs.job_type import JobPostponed, JobRun, JobType
from app.webhooks import endpoints, follower, schedule, webhook_repository
from app.webhooks.model import DeliveryState, DisableReason, EndpointState, WebhookAttempt, WebhookDelivery
from app.webhooks.sender import SendResult, WebhookSender
from app.webhooks.signatures import sign_headers

DELIVER = JobType("webhooks.deliver", every=timedelta(seconds=10))
MAX_ENDPOINTS = 16
"""Endpoints that are sent to at the same time."""
BATCH_SIZE = 20
"""Requests to one endpoint before others that wait have their turn."""
ROUND_S = 30.0
"""A run ends after so long, and is called again at once if there is more to do."""
_LOOK_EVERY_S = 2.0
_LONGEST_PAUSE_S = 0.05
_GONE = 410

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Request:
    delivery_id: UUID
    url: str
    headers: dict[str, str]
    body: str


class WebhookDeliveries:
    """Run the job. `jitter`: random numbers from 0 to 1."""

    def __init__(
        self,
        database: Database,
        sender: WebhookSender,
        secret_box: SecretBox,
        *,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self._database, self._sender, self._secret_box = database, sender, secret_box
        self._clock, self._jitter = clock, jitter

    def run(self, run: JobRun) -> None:
        """Deliver what is due. Raises `JobPostponed` where more is."""
        if not asyncio.run(self._deliver(run.is_stopping)):
            raise JobPostponed(self._clock())

    async def _deliver(self, is_stopping: Callable[[], bool]) -> bool:
        """Deliver until nothing is due; False: time is up."""
        writing = asyncio.Lock()
        tasks: dict[asyncio.Task[None], UUID] = {}
        broken: set[UUID] = set()
        ends_at = time.monotonic() + ROUND_S
        while True:
            is_over = is_stopping() or time.monotonic() >= ends_at
            if not is_over:
                async with writing:
                    await asyncio.to_thread(self.follow)
                due = await asyncio.to_thread(
                    self._due_endpoints, broken.union(tasks.values()), MAX_ENDPOINTS - len(tasks)
                )
                for endpoint_id in due:
                    tasks[asyncio.create_task(self._send_to(endpoint_id, writing, is_stopping, ends_at))] = endpoint_id
            if not tasks:
                return not is_over
            ended, _ = await asyncio.wait(tasks, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                endpoint_id = tasks.pop(task)
                if (error := task.exception()) is not None:
                    logger.error("Delivering to webhook %s failed; others go on.", endpoint_id, exc_info=error)
                    broken.add(endpoint_id)

    def follow(self) -> None:
        """Write the deliveries of all new events, and of those that endpoints asked for again."""
        with self._database.read_session() as session:
            if not follower.is_behind(session):
                return  # checked before the write lock of SQLite is taken
        has_more = True
        while has_more:
            with self._database.session() as session:
                has_more = follower.follow_events(session, self._clock())
                session.commit()
        with self._database.read_session() as session:
            resending = webhook_repository.list_resending_ids(session)
        for endpoint_id in resending:
            has_more = True
            while has_more:
                with self._database.session() as session:
                    has_more = follower.resend_missed(session, endpoint_id, self._clock())
                    session.commit()

    def _due_endpoints(self, busy: set[UUID], limit: int) -> list[UUID]:
        if limit <= 0:
            return []
        with self._database.read_session() as session:
            return list(webhook_repository.list_due_endpoint_ids(session, self._clock(), busy, limit))

    async def _send_to(
        self, endpoint_id: UUID, writing: asyncio.Lock, is_stopping: Callable[[], bool], ends_at: float
    ) -> None:
        """Send to one endpoint, one request after the other, while it answers."""
        for _ in range(BATCH_SIZE):
            if is_stopping() or time.monotonic() >= ends_at:
                return
            request = await asyncio.to_thread(self._next_request, endpoint_id)
            if request is None:
                return
            started_at = self._clock()
            result = await self._sender.send(request.url, request.headers, request.body)
            async with writing:  # SQLite has one writer, whom others get to in the pauses only
                began = time.monotonic()
                await asyncio.to_thread(self._note, request.delivery_id, endpoint_id, started_at, result)
                if self._database.is_sqlite:
                    await asyncio.sleep(min(time.monotonic() - began, _LONGEST_PAUSE_S))
            if result.status is None:
                return

    def _next_request(self, endpoint_id: UUID) -> _Request | None:
        now = self._clock()
        with self._database.read_session() as session:
            endpoint = webhook_repository.find_endpoint(session, endpoint_id)
            if endpoint is None or endpoint.state != EndpointState.ACTIVE:
                return None
            delivery = webhook_repository.next_due_delivery(session, endpoint_id, now)
            if delivery is None:
                return None
            secrets = endpoints.signing_secrets(endpoint, self._secret_box, now)
            headers = sign_headers(secrets, delivery.event_id, delivery.body, now)
            return _Request(delivery.id, endpoint.url, headers, delivery.body)

    def _note(self, delivery_id: UUID, endpoint_id: UUID, started_at: datetime, result: SendResult) -> None:
        """Store the attempt and what follows from it, unless endpoint or delivery were deleted meanwhile."""
        with self._database.session() as session:
            endpoint = webhook_repository.find_endpoint(session, endpoint_id, lock=True)
            delivery = webhook_repository.find_delivery(session, delivery_id, lock=True)
            if endpoint is None or delivery is None:
                return
            now = self._clock()
            session.add(
                WebhookAttempt(
                    id=new_id(),
                    delivery_id=delivery.id,
                    at=started_at,
                    duration_ms=result.duration_ms,
                    status=result.status,
                    error=result.error.value if result.error else None,
                    answer=result.answer,
                )
            )
            if result.is_success:
                endpoint.failing_since = endpoint.paused_until = None
                _end(delivery, DeliveryState.DELIVERED, now)
            elif endpoint.state == EndpointState.ACTIVE:
                endpoint.failing_since = endpoint.failing_since or now
                self._retry_later(delivery, now)
                if result.status is None:
                    endpoint.paused_until = schedule.pause_until(endpoint.failing_since, now)
                if result.status == _GONE:
                    endpoints.disable_endpoint(session, endpoint, DisableReason.GONE, now)
                elif schedule.is_given_up(endpoint.failing_since, now):
                    endpoints.disable_endpoint(session, endpoint, DisableReason.FAILING, now)
            session.commit()

    def _retry_later(self, delivery: WebhookDelivery, now: datetime) -> None:
        if delivery.state != DeliveryState.WAITING:
            return
        delivery.attempts += 1
        delivery.failing_since = delivery.failing_since or now
        if schedule.is_given_up(delivery.failing_since, now):
            _end(delivery, DeliveryState.FAILED, now)
        else:
            delivery.next_attempt_at = schedule.retry_at(delivery.attempts, now, self._jitter())


def _end(delivery: WebhookDelivery, state: DeliveryState, now: datetime) -> None:
    delivery.state, delivery.next_attempt_at, delivery.finished_at = state.value, None, now
