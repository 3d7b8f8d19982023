"""Show staff what became of mails, and send those again that a mail server refused."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import require_role
from app.core.actor import Actor, Role
from app.core.errors import NotFound, WrongState
from app.notifications import mail_repository, outbox
from app.notifications.model import MessageKind, OutgoingMessage
from app.notifications.texts import TEXTS, TOKEN_LINE

READER_ROLES = (Role.OWNER, Role.AUDITOR)
RETRIER_ROLES = (Role.OWNER,)


class MailState(StrEnum):
    """`FAILED`: the newest attempt failed; it is tried again while `next_attempt_at` is not null."""

    WAITING = "waiting"
    FAILED = "failed"
    DELIVERED = "delivered"
    VOID = "void"  # nothing was to be sent, or its token had ended before the first attempt


def state_of(message: OutgoingMessage) -> MailState:
    if message.delivered_at is not None:
        return MailState.DELIVERED
    if message.last_error is not None:
        return MailState.FAILED
    return MailState.WAITING if message.next_attempt_at is not None else MailState.VOID


def list_deliveries(
    session: Session, actor: Actor, *, state: MailState | None, after: UUID | None, limit: int
) -> Sequence[OutgoingMessage]:
    """Return mails, oldest first. Raises `Forbidden`."""
    require_role(actor, *READER_ROLES)
    return mail_repository.list_messages(session, state=state.value if state else None, after=after, limit=limit)


def retry_delivery(session: Session, actor: Actor, message_id: UUID, now: datetime) -> OutgoingMessage:
    """Send a mail that failed again at once, and as often as a new one.

    One whose token was erased cannot be sent: the person asks for a new one. Raises, in this order: `Forbidden`,
    `NotFound`, `WrongState`.
    """
    require_role(actor, *RETRIER_ROLES)
    message = mail_repository.lock_message(session, message_id)
    if message is None:
        raise NotFound.of("mail")
    state = state_of(message)
    is_erased = message.next_attempt_at is None and needs_token(message)
    if state is not MailState.FAILED or is_erased:
        raise WrongState("mail", state=MailState.VOID if is_erased else state, action="retry", allowed=())
    if message.encrypted_token is None:
        message.void_at = max(message.void_at, now + outbox.DEFAULT_LIFETIME)
    message.next_attempt_at, message.attempts, message.last_error = now, 0, None
    recorder.record(session, actor, "mail.retried", ("mail", message.id), now, kind=message.kind)
    outbox.wake_after_commit(session)
    return message


def needs_token(message: OutgoingMessage) -> bool:
    text = TEXTS.get(MessageKind(message.kind))
    return text is not None and TOKEN_LINE in text.paragraphs
