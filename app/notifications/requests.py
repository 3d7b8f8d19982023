"""Requests of people who are not signed in: which message an address gets is found out when it is sent.

The request itself looks nothing up, so its answer and its time are the same whether or not there is an account.
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
"""Of a reset that a person asked for: they wait for the mail."""


def request_reset(session: Session, *, email: str, language: str | None, address: str, now: datetime) -> None:
    """Mail a token that sets a password to this address, if it has an account.

    Errors: TooManyAttempts for too many requests from one network. Too many for one e-mail address send nothing more,
    and the answer is the same.
    """
    email = normalize_email(email)
    login_throttle.count_mail_request(session, address, now)
    if login_throttle.consume_mail_allowance(session, email, now):
        outbox.add_message(session, MessageKind.RESET_REQUESTED, email, language=language, now=now)


def request_registration(
    session: Session, *, email: str, language: str | None, address: str, now: datetime, most: int
) -> None:
    """Mail a token that confirms this address; where it has an account, say so there.

    Errors: TooManyAttempts for more than `most` from one network in a day. Too many for one e-mail address send nothing
    more, and the answer is the same.
    """
    email = normalize_email(email)
    login_throttle.count_registration(session, address, now, max_registrations=most)
    if login_throttle.consume_mail_allowance(session, email, now):
        outbox.add_message(session, MessageKind.REGISTRATION_REQUESTED, email, language=language, now=now)


def resolve_request(session: Session, message: OutgoingMessage, seal: SecretBox, now: datetime) -> bool:
    """Turn a request into the message that its address gets; False: none."""
    if message.kind == MessageKind.RESET_REQUESTED:
        return _resolve_reset(session, message, seal, now)
    if message.kind == MessageKind.REGISTRATION_REQUESTED:
        _resolve_registration(session, message, seal, now)
    return True


def _resolve_registration(session: Session, message: OutgoingMessage, seal: SecretBox, now: datetime) -> None:
    user = user_repository.find_user_by_email(session, message.recipient)
    if user is not None:
        message.kind = MessageKind.ADDRESS_TAKEN.value
        message.language = user.language or message.language
        return
    confirmation, token = address_confirmations.issue_confirmation(session, message.recipient, message.language, now)
    message.kind = MessageKind.CONFIRM_ADDRESS.value
    outbox.set_token(message, seal, token, confirmation.expires_at)


def _resolve_reset(session: Session, message: OutgoingMessage, seal: SecretBox, now: datetime) -> bool:
    user = user_repository.find_user_by_email(session, message.recipient)
    if user is None or not user.active:
        return False
    reset, token = password_resets.issue_reset_for(session, SYSTEM, user, now, life=RESET_LIFETIME)
    message.kind = MessageKind.RESET_PASSWORD.value
    message.language = user.language or message.language
    outbox.set_token(message, seal, token, reset.expires_at)
    return True
