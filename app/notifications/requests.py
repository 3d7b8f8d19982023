"""Accept requests of anonymous clients for mail; the message is chosen when it is sent.

The request looks nothing up, so its response and duration do not reveal whether there is an account.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.auth import login_throttle, user_repository
from app.auth.credentials import address_confirmations, password_resets
from app.auth.users import normalize_email
from app.core.actor import SYSTEM
from app.core.crypto.secret_box import SecretBox
from app.notifications import outbox
from app.notifications.model import MessageKind, OutgoingMessage

RESET_LIFETIME = timedelta(hours=1)
"""Lifetime of a reset that a user requested and waits for."""


def request_reset(session: Session, *, email: str, language: str | None, address: str, now: datetime) -> None:
    """Mail a token that sets a password to this address, if it has an account.

    Raises `TooManyAttempts` for too many requests from one network. Above the limit of one e-mail address nothing is
    sent, with the same response.
    """
    email = normalize_email(email)
    login_throttle.count_mail_request(session, address, now)
    if login_throttle.consume_mail_allowance(session, email, now):
        outbox.add_message(session, MessageKind.RESET_REQUESTED, email, language=language, now=now)


def request_registration(
    session: Session, *, email: str, language: str | None, address: str, now: datetime, max_registrations: int
) -> None:
    """Mail a token that confirms this address; an address with an account gets a notice instead.

    Raises `TooManyAttempts` above `max_registrations` from one network in a day. Above the limit of one e-mail address
    nothing is sent, with the same response.
    """
    email = normalize_email(email)
    login_throttle.count_registration(session, address, now, max_registrations=max_registrations)
    if login_throttle.consume_mail_allowance(session, email, now):
        outbox.add_message(session, MessageKind.REGISTRATION_REQUESTED, email, language=language, now=now)


def resolve_request(session: Session, message: OutgoingMessage, secret_box: SecretBox, now: datetime) -> bool:
    """Turn a request into the message for its address; returns False when none is to be sent."""
    if message.kind == MessageKind.RESET_REQUESTED:
        return _resolve_reset(session, message, secret_box, now)
    if message.kind == MessageKind.REGISTRATION_REQUESTED:
        _resolve_registration(session, message, secret_box, now)
    if message.kind == MessageKind.NOTICE:
        user = user_repository.find_user_by_email(session, message.recipient)
        return user is not None and user.active  # who has left since is not told any more
    return True


def _resolve_registration(session: Session, message: OutgoingMessage, secret_box: SecretBox, now: datetime) -> None:
    user = user_repository.find_user_by_email(session, message.recipient)
    if user is not None:
        message.kind = MessageKind.ADDRESS_TAKEN.value
        message.language = user.language or message.language
        return
    confirmation, token = address_confirmations.issue_confirmation(session, message.recipient, message.language, now)
    message.kind = MessageKind.CONFIRM_ADDRESS.value
    outbox.set_token(message, secret_box, token, confirmation.expires_at)


def _resolve_reset(session: Session, message: OutgoingMessage, secret_box: SecretBox, now: datetime) -> bool:
    user = user_repository.find_user_by_email(session, message.recipient)
    if user is None or not user.active:
        return False
    reset, token = password_resets.issue_reset_for(session, SYSTEM, user, now, life=RESET_LIFETIME)
    message.kind = MessageKind.RESET_PASSWORD.value
    message.language = user.language or message.language
    outbox.set_token(message, secret_box, token, reset.expires_at)
    return True
