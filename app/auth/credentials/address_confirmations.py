"""Confirm e-mail addresses: a token is mailed to the address, and its bearer may register with it."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.auth import session_repository
from app.auth.credentials.passwords import new_token, token_hash
from app.auth.model import AddressConfirmation
from app.core.database import new_id
from app.core.errors import Conflict, NotFound

TOKEN_LIFETIME = timedelta(hours=24)
TOKEN_PREFIX = "mikr_"  # noqa: S105 (the prefix of every token, no secret)


def issue_confirmation(
    session: Session, email: str, language: str | None, now: datetime
) -> tuple[AddressConfirmation, str]:
    """Issue a token for the reader of this mailbox. Earlier tokens stay valid, as anyone can request one."""
    token, digest = new_token(TOKEN_PREFIX)
    confirmation = AddressConfirmation(
        id=new_id(), email=email, language=language, token_hash=digest, created_at=now, expires_at=now + TOKEN_LIFETIME
    )
    session.add(confirmation)
    return confirmation, token


def require_usable_token(session: Session, token: str, now: datetime) -> None:
    """Reject an unusable token before time is spent on a password hash.

    Raises `NotFound` or `Conflict` (`token-over`).
    """
    _load_usable(session, token, now)


def redeem_confirmation(session: Session, token: str, now: datetime) -> AddressConfirmation:
    """Return the confirmed address and use up all its tokens. Raises the errors of `require_usable_token`."""
    found = _load_usable(session, token, now)
    of_address = session_repository.lock_confirmations(
        session, found.email
    )  # only one of two concurrent tokens is used
    _require_open(found, now)
    for each in of_address:
        each.closed_at = each.closed_at or now
    return found


def _load_usable(session: Session, token: str, now: datetime) -> AddressConfirmation:
    confirmation = session_repository.find_confirmation_by_token(session, token_hash(token))
    if confirmation is None:
        raise NotFound.of("token")
    _require_open(confirmation, now)
    return confirmation


def _require_open(confirmation: AddressConfirmation, now: datetime) -> None:
    if confirmation.closed_at is not None or now >= confirmation.expires_at:
        raise Conflict("This token was used or is older than a day; ask for another one.", code="token-over")
