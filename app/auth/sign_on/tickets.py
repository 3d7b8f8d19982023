"""Encrypt what a sign-on needs until its next step into a text that only this service reads, and that is good once.

A ticket is encrypted under the key of the second factors and bound to its purpose. So nothing is stored when somebody
only begins; using a ticket stores its id, which makes a second use impossible on every worker.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.auth.sign_on import sign_on_repository
from app.core.crypto.secret_box import DecryptionFailed, SecretBox
from app.core.errors import Conflict

RandomBytes = Callable[[int], bytes]
_MAX_CHARACTERS = 6_000


class TicketPurpose(StrEnum):
    BROWSER = "sign-on of a browser"
    CODE = "authorization code"
    PASSKEY = "sign-in by passkey"
    PASSKEY_REGISTRATION = "registration of a passkey"


LIFETIMES: Mapping[TicketPurpose, timedelta] = {
    TicketPurpose.BROWSER: timedelta(minutes=10),
    TicketPurpose.CODE: timedelta(minutes=1),
    TicketPurpose.PASSKEY: timedelta(minutes=5),
    TicketPurpose.PASSKEY_REGISTRATION: timedelta(minutes=5),
}


class TicketRejected(Conflict):
    """The ticket is not one of this service, of this purpose, or not good any more."""

    code = "ticket-rejected"


@dataclass(frozen=True, slots=True)
class Ticket:
    id: str
    expires_at: datetime
    content: Mapping[str, Any]


def encrypt(
    box: SecretBox, purpose: TicketPurpose, content: Mapping[str, Any], now: datetime, random: RandomBytes
) -> str:
    """Return a new ticket with this content, which must be JSON."""
    members = {"id": random(16).hex(), "until": int((now + LIFETIMES[purpose]).timestamp()), "content": content}
    text = box.encrypt(json.dumps(members, separators=(",", ":"), ensure_ascii=False), _owner(purpose))
    return base64.urlsafe_b64encode(base64.b64decode(text)).rstrip(b"=").decode()


def decrypt(box: SecretBox, purpose: TicketPurpose, text: str, now: datetime) -> Ticket:
    """Return what a ticket of this purpose holds. Raises `TicketRejected`."""
    if len(text) > _MAX_CHARACTERS:
        raise _rejected()
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        members = json.loads(box.decrypt(base64.b64encode(raw).decode(), _owner(purpose)))
    except (DecryptionFailed, ValueError, binascii.Error) as why:
        raise _rejected() from why
    ticket = Ticket(members["id"], datetime.fromtimestamp(members["until"], UTC), members["content"])
    if ticket.expires_at <= now:
        raise _rejected()
    return ticket


def is_used(session: Session, ticket: Ticket) -> bool:
    """Whether the ticket was used; `use` alone decides."""
    return sign_on_repository.is_used(session, ticket.id)


def use(session: Session, ticket: Ticket) -> None:
    """Use the ticket, with the commit of this session. Raises `TicketRejected` where it was used before."""
    if not sign_on_repository.mark_used(session, ticket.id, ticket.expires_at):
        raise _rejected()


def _rejected() -> TicketRejected:
    return TicketRejected("This sign-in was used before, or it took too long. Begin again.")


def _owner(purpose: TicketPurpose) -> UUID:
    return UUID(bytes=hashlib.sha256(purpose.value.encode()).digest()[:16])
