"""Write messages in the transaction of their cause, so that a rolled-back action sends none.

`app/notifications/delivery.py` sends them after the commit.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

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
    given = message_values(kind, recipient, language=language, values=values or {}, now=now)
    message = OutgoingMessage(**given | ({"void_at": void_at} if void_at else {}))
    session.add(message)
    wake_after_commit(session)
    return message


def message_values(
    kind: MessageKind,
    recipient: str,
    *,
    sequence: int | None = None,
    language: str | None,
    values: dict[str, str],
    now: datetime,
) -> dict[str, Any]:
    """Return the columns of a new message; `sequence` is of the notice that it delivers."""
    return {
        "id": new_id(),
        "kind": kind.value,
        "sequence": sequence,
        "recipient": recipient,
        "language": language,
        "values": values,
        "created_at": now,
        "void_at": now + DEFAULT_LIFETIME,
        "next_attempt_at": now,
        "attempts": 0,
    }


def wake_after_commit(session: Session) -> None:
    """Tell this process after the commit that a message waits."""
    wake: Callable[[], None] | None = session.info.get(WAKE_KEY)
    if wake is not None:
        event.listen(session, "after_commit", lambda _session: wake())


def set_token(message: OutgoingMessage, secret_box: SecretBox, token: str, void_at: datetime) -> None:
    """Store a one-time token, encrypted, until the message is delivered; the message is void when the token is."""
    message.encrypted_token = secret_box.encrypt(token, message.id)
    message.void_at = void_at


def close_message(message: OutgoingMessage, *, delivered_at: datetime | None) -> None:
    """Never send the message again, and erase its token."""
    message.next_attempt_at = message.encrypted_token = None
    message.delivered_at = delivered_at
