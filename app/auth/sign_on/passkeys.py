"""Register, rename and remove passkeys, and sign in with them (W3C Web Authentication, level 3).

A passkey signs in; it confirms no decision, and an authenticator of decisions does not sign in. The user is verified
by the authenticator, so signing in with one counts as a second factor.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes

from app.audit import recorder
from app.auth import user_repository, user_sessions
from app.auth.credentials import credential_repository
from app.auth.credentials.relying_party import MAX_TEXT, RelyingParty, WebAuthnRejected
from app.auth.model import User
from app.auth.sign_on import sign_on_repository, tickets
from app.auth.sign_on.model import Passkey
from app.auth.sign_on.tickets import RandomBytes, Ticket, TicketPurpose, TicketRejected
from app.auth.user_sessions import IssuedSession
from app.core import strict_json
from app.core.actor import Actor
from app.core.crypto.row_macs import is_authentic
from app.core.crypto.secret_box import SecretBox
from app.core.database import new_id
from app.core.errors import Conflict, Invalid, NotFound
from app.core.messages import Message

MAX_PASSKEYS = 10


def user_handle(user_id: UUID) -> bytes:
    """Return by which an authenticator knows the account of a passkey.

    It differs from that of authenticators of decisions: an authenticator keeps one key for each service and handle, so
    the newer one would replace the other.
    """
    return hashlib.sha256(b"passkey\0" + user_id.bytes).digest()


def begin_registration(
    session: Session, user: User, party: RelyingParty, box: SecretBox, now: datetime, random: RandomBytes
) -> tuple[dict[str, Any], str]:
    """Return the options of a registration, as browsers take them, and the ticket that comes back with its answer."""
    challenge = random(32)
    known = [row.credential_id for row in sign_on_repository.list_passkeys(session, user.id)]
    options = party.registration_options(challenge, user_handle(user.id), user.email, known, discoverable=True)
    content = {"challenge": _text(challenge), "user": str(user.id)}
    return options, tickets.encrypt(box, TicketPurpose.PASSKEY_REGISTRATION, content, now, random)


def register(
    session: Session,
    actor: Actor,
    user: User,
    *,
    registration: Mapping[str, Any],
    ticket: str,
    name: str,
    party: RelyingParty,
    box: SecretBox,
    now: datetime,
) -> Passkey:
    """Register a passkey of this person, who has proven recently who they are.

    Raises `Invalid` at `/registration` or `/ticket`, `Conflict` (`known-passkey`, `too-many-passkeys`).
    """
    try:
        opened = tickets.decrypt(box, TicketPurpose.PASSKEY_REGISTRATION, ticket, now)
    except TicketRejected as why:
        raise Invalid.at("/ticket", why.message) from why
    if opened.content["user"] != str(user.id):
        raise Invalid.at("/ticket", "This ticket is of another account.")
    try:
        found = party.verify_registration(registration, base64url_to_bytes(opened.content["challenge"]))
    except WebAuthnRejected as why:
        raise Invalid.at("/registration", Message("The registration does not fit: %(why)s", why=why.reason)) from why
    user_repository.lock_user(session, user.id)
    if len(sign_on_repository.list_passkeys(session, user.id)) >= MAX_PASSKEYS:
        raise Conflict(
            Message("A person has at most %(limit)s passkeys; remove one first.", limit=MAX_PASSKEYS),
            code="too-many-passkeys",
        )
    is_known = sign_on_repository.is_known_credential(session, found.credential_id)
    if is_known or credential_repository.find_credential(session, found.credential_id) is not None:
        raise Conflict("This key is registered already, or was removed; make another one.", code="known-passkey")
    tickets.use(session, opened)
    row = Passkey(
        id=new_id(),
        credential_id=found.credential_id,
        public_key=found.public_key,
        user_id=user.id,
        name=name,
        sign_count=found.sign_count,
        registered_at=now,
        last_used_at=None,
        removed_at=None,
    )
    session.add(row)
    recorder.record(session, actor, "passkey.registered", ("user", user.id), now, passkey=row.id)
    return row


def rename(session: Session, actor: Actor, row: Passkey, name: str, now: datetime) -> None:
    """Give a passkey of the actor another name."""
    row.name = name
    recorder.record(session, actor, "passkey.renamed", ("user", row.user_id), now, passkey=row.id)


def remove(session: Session, actor: Actor, user_id: UUID, passkey_id: UUID, now: datetime) -> Passkey:
    """Remove a passkey: it signs in no more. Raises `NotFound`."""
    row = own_passkey(session, user_id, passkey_id)
    _remove(session, actor, row, now)
    return row


def remove_all(session: Session, actor: Actor, user_id: UUID, now: datetime) -> None:
    """Remove every passkey of a person."""
    for row in sign_on_repository.list_passkeys(session, user_id, lock=True):
        _remove(session, actor, row, now)


def begin_sign_in(
    party: RelyingParty, box: SecretBox, now: datetime, random: RandomBytes
) -> tuple[dict[str, Any], str]:
    """Return the options of a sign-in, and the ticket that comes back with its answer."""
    challenge = random(32)
    ticket = tickets.encrypt(box, TicketPurpose.PASSKEY, {"challenge": _text(challenge)}, now, random)
    return party.sign_in_options(challenge), ticket


def open_sign_in(box: SecretBox, ticket: str, now: datetime) -> Ticket:
    """Return the ticket of a sign-in. Raises `TicketRejected`."""
    return tickets.decrypt(box, TicketPurpose.PASSKEY, ticket, now)


def sign_in(session: Session, party: RelyingParty, ticket: Ticket, text: str, now: datetime) -> IssuedSession:
    """Start a session for the person whose passkey signed the challenge of the ticket.

    `text` is the assertion as JSON. Raises `TicketRejected`.
    """
    tickets.use(session, ticket)
    assertion = _parse(text)
    row = sign_on_repository.find_passkey(session, assertion["id"], lock=True)
    if row is None or row.removed_at is not None:
        raise _rejected()
    try:
        row.sign_count = party.verify_assertion(
            assertion,
            base64url_to_bytes(ticket.content["challenge"]),
            public_key=row.public_key,
            sign_count=row.sign_count,
        )
    except WebAuthnRejected as why:
        raise _rejected() from why
    if assertion["response"].get("userHandle") != _text(user_handle(row.user_id)):
        raise _rejected()
    user = user_repository.lock_user(session, row.user_id)
    if user is None or not user.active or not is_authentic(user):
        raise _rejected()
    row.last_used_at = now
    return user_sessions.start_session(session, user, now, second_factor=True)


def _parse(text: str) -> dict[str, Any]:
    try:
        found = strict_json.loads(text.encode()) if len(text) <= MAX_TEXT else None
    except ValueError as why:
        raise _rejected() from why
    if not isinstance(found, dict) or not isinstance(found.get("id"), str):
        raise _rejected()
    if not isinstance(found.get("response"), dict) or not found["id"].isprintable():
        raise _rejected()
    return found


def own_passkey(session: Session, user_id: UUID, passkey_id: UUID) -> Passkey:
    """Lock and return a passkey of this person. Raises `NotFound`."""
    row = sign_on_repository.find_own_passkey(session, user_id, passkey_id)
    if row is None or row.removed_at is not None:
        raise NotFound.of("passkey")
    return row


def _remove(session: Session, actor: Actor, row: Passkey, now: datetime) -> None:
    row.removed_at = now
    recorder.record(session, actor, "passkey.removed", ("user", row.user_id), now, passkey=row.id)


def _rejected() -> TicketRejected:
    return TicketRejected("This passkey does not sign in here.")


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
