"""Send waiting messages, each by one of several workers.

A worker takes a message in a transaction of its own: it locks the row, sets the next attempt past the longest delivery
and resolves what depends on the account. Then it sends the message and marks it as delivered. If it dies in between,
the message is sent again under the same Message-ID.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from app.core.crypto.secret_box import SecretBox
from app.core.database import Database
from app.core.dates import BAKU
from app.core.settings import Settings
from app.events.catalogue import load_catalogue
from app.notifications import inbox_follower, inbox_repository, mail_repository, outbox, requests
from app.notifications.mail_html import to_html
from app.notifications.model import MessageKind, OutgoingMessage
from app.notifications.texts import compose_mail, message_blocks, notice_blocks, subject_of, to_plain
from app.notifications.transport import DeliveryFailed, Transport, create_transport

LEASE = timedelta(minutes=10)
"""How long a message is reserved for the worker that took it: longer than the longest delivery."""
MIN_RETRY_DELAY, MAX_RETRY_DELAY = timedelta(minutes=1), timedelta(hours=12)
SHUTDOWN_TIMEOUT_S = 5.0
"""Wait at shutdown for the message that is being sent."""
RETENTION = timedelta(days=30)
"""How long a delivered or void message is stored."""

logger = logging.getLogger(__name__)


def retry_delay(attempts: int) -> timedelta:
    """Return the wait before the next attempt: 1, 2, 4 … minutes, at most 12 hours."""
    return min(MIN_RETRY_DELAY * (1 << min(attempts - 1, 20)), MAX_RETRY_DELAY)


@dataclass(slots=True)
class DeliveryTotals:
    sent: int = 0
    failed: int = 0


class MailDelivery:
    """Send messages; one instance per process."""

    def __init__(
        self,
        database: Database,
        transport: Transport,
        secret_box: SecretBox,
        *,
        sender: str,
        base_url: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._transport, self._secret_box, self._clock = database, transport, secret_box, clock
        self._sender, self._base_url = sender, base_url
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake_event, self._is_stopping = asyncio.Event(), False

    def wake(self) -> None:
        """Signal that a message or an event waits; callable from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended; another process or the next start sends the message
                self._loop.call_soon_threadsafe(self._wake_event.set)

    @asynccontextmanager
    async def run_in_background(self, every: float) -> AsyncIterator[None]:
        """Make notices and send messages until the block ends: after each commit, and every `every` seconds.

        The interval serves retries, and finds what another process wrote. 0: send nothing.
        """
        if not every:
            yield
            return
        self._loop, self._is_stopping = asyncio.get_running_loop(), False
        task = asyncio.create_task(self._send_until_stopped(every))
        try:
            yield
        finally:
            self._loop, self._is_stopping = None, True
            self._wake_event.set()
            await asyncio.wait([task], timeout=SHUTDOWN_TIMEOUT_S)  # an aborted delivery would be repeated
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _send_until_stopped(self, every: float) -> None:
        while not self._is_stopping:
            try:
                await asyncio.to_thread(inbox_follower.follow_all, self._database, self._clock())
            except Exception:  # what waits is sent all the same; the job of the follower tries again, and shows why
                logger.exception("Making notices failed; it is tried again.")
            try:
                await self.send_due()
            except Exception:  # the worker continues and tries again
                logger.exception("Sending messages failed; it is tried again.")
            with suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await self._wake_event.wait()
            self._wake_event.clear()

    async def send_due(self) -> DeliveryTotals:
        """Send every due message. Stops early when the mail server is unavailable."""
        result = DeliveryTotals()
        while not self._is_stopping and (taken := await asyncio.to_thread(self._take_next)):
            message_id, mail, error = taken
            is_server_down = False
            if mail is not None:
                try:
                    await self._transport.send(mail)
                except DeliveryFailed as why:
                    error, is_server_down = str(why), why.is_server_down
            await asyncio.to_thread(self._record_result, message_id, error)
            result.sent += error is None
            result.failed += error is not None
            if is_server_down:
                break
        return result

    def _take_next(self) -> tuple[UUID, EmailMessage | None, str | None] | None:
        """Take the next due message that is not void, as an e-mail or with its error; None: no more."""
        now = self._clock()
        with self._database.read_session() as session:
            if not mail_repository.has_due_message(session, now):
                return None  # checked before the write lock of SQLite is taken
        with self._database.session() as session:
            while (message := mail_repository.lock_next_due(session, now)) is not None:
                if now >= message.void_at or not requests.resolve_request(session, message, self._secret_box, now):
                    outbox.close_message(message, delivered_at=None)
                    session.flush()
                    continue
                message.attempts += 1
                message.next_attempt_at = now + LEASE
                mail = error = None
                try:
                    notice = inbox_repository.get_notice(session, message.sequence) if message.sequence else None
                    mail = self._compose(message, notice.content if notice else None)
                except Exception as why:  # noqa: BLE001 (one faulty message must not stop all others)
                    error = f"{type(why).__name__}: {why}"[:300]
                session.commit()
                return message.id, mail, error
            session.commit()
        return None

    def _compose(self, message: OutgoingMessage, event: Mapping[str, Any] | None) -> EmailMessage:
        values = {
            **message.values,
            "service": self._base_url,
            "until": f"{message.void_at.astimezone(BAKU):%Y-%m-%d %H:%M}",
            "token": self._secret_box.decrypt(message.encrypted_token, message.id) if message.encrypted_token else "",
        }
        if event is None:
            blocks = message_blocks(MessageKind(message.kind), message.language, values)
        else:
            is_always = load_catalogue().types[event["type"]].is_mailed_always
            blocks = notice_blocks(event, message.language, values, is_always=is_always)
        mail = compose_mail(
            message_id=message.id,
            created_at=message.created_at,
            sender=self._sender,
            host=urlsplit(self._base_url).hostname or "localhost",
            recipient=message.recipient,
            subject=subject_of(blocks),
            body=to_plain(blocks),
            html=to_html(blocks, self._base_url),
        )
        if message.kind == MessageKind.WATCHED_CHANGE:
            mail["List-Unsubscribe"] = f"<{self._base_url}/v1/watches/unsubscribe?token={values['token']}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
        return mail

    def _record_result(self, message_id: UUID, error: str | None) -> None:
        now = self._clock()
        try:
            with self._database.session() as session:
                message = mail_repository.lock_message(session, message_id)
                if message is None or message.next_attempt_at is None:
                    return
                message.last_error = error
                if error is None:
                    outbox.close_message(message, delivered_at=now)
                else:
                    message.next_attempt_at = now + retry_delay(message.attempts)
                session.commit()
        except SQLAlchemyError:
            logger.exception("Message %s was sent and could not be marked; it is sent once more.", message_id)
        if error is not None:
            logger.warning("Message %s was not delivered: %s", message_id, error)


def create_mail_delivery(
    settings: Settings, database: Database, secret_box: SecretBox, clock: Callable[[], datetime]
) -> MailDelivery:
    """Create the delivery that the settings name: a mail server, or the folder of the demo profile."""
    transport = create_transport(settings)
    return MailDelivery(
        database, transport, secret_box, sender=settings.mail_sender, base_url=settings.base_url, clock=clock
    )
