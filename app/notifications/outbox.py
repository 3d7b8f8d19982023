"""Write messages in the transaction of their cause, so that a rolled-back action sends none.

`app/notifications/delivery.py` sends them after the commit.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import event
from sqlalchemy.orm import Session

from app.core.crypto.secret_box import SecretBox
from app.core.database import new_id
from app.notifications.model import MessageKind, OutgoingMessage

WAKE_KEY = "notifications.wake"
"""In `Session.info`: a function that signals this process that a message waits."""
DEFAULT_LIFETIME = timedelta(days=14)
"""How long delivery of a message without a token is attempted."""


def add_message(
    session: Session,
    kind: MessageKind,
    recipient: str,
    *,
    now: datetime,
    language: str | None = None,
    values: dict[str, str] | None = None,
    void_at: datetime | None = None,
) -> OutgoingMessage:
    """Write a message that is sent after the commit of this session."""
    message = OutgoingMessage(
        id=new_id(),
        kind=kind.value,
        recipient=recipient,
        language=language,
        values=values or {},
        created_at=now,
        void_at=void_at or now + DEFAULT_LIFETIME,
        next_attempt_at=now,
        attempts=0,
    )
    session.add(message)
    wake: Callable[[], None] | None = session.info.get(WAKE_KEY)
    if wake is not None:
        event.listen(session, "after_commit", lambda _session: wake())
    return message


def set_token(message: OutgoingMessage, secret_box: SecretBox, token: str, void_at: datetime) -> None:
    """Store a one-time token, encrypted, until the message is delivered; the message is void when the token is."""
    message.encrypted_token = secret_box.encrypt(token, message.id)
    message.void_at = void_at


def close_message(message: OutgoingMessage, *, delivered_at: datetime | None) -> None:
    """Never send the message again, and erase its token."""
    message.next_attempt_at = message.encrypted_token = None
    message.delivered_at = delivered_at
