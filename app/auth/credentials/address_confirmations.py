"""E-mail addresses that were shown to be somebody's own: a token was mailed there, and whoever has it may register."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.auth import session_repository
from app.auth.credentials.passwords import new_token, token_hash
from app.auth.model import AddressConfirmation
from app.core.database import new_id
from app.core.errors import Conflict, NotFound

LIFE = timedelta(hours=24)
PREFIX = "mikr_"


def issue(session: Session, email: str, language: str | None, now: datetime) -> tuple[AddressConfirmation, str]:
    """A token for whoever reads the mail of this address. Earlier ones stay good: strangers ask for them as well."""
    token, digest = new_token(PREFIX)
    confirmation = AddressConfirmation(
        id=new_id(), email=email, language=language, token_hash=digest, created_at=now, expires_at=now + LIFE
    )
    session.add(confirmation)
    return confirmation, token


def look(session: Session, token: str, now: datetime) -> None:
    """Refuse a token that is good for nothing, before time is spent on a hash.

    Errors: NotFound; Conflict `token-over`.
    """
    _usable(session, token, now)


def redeem(session: Session, token: str, now: datetime) -> AddressConfirmation:
    """The confirmed address. The token, and all others of this address, are used up. Errors: as `look`."""
    found = _usable(session, token, now)
    of_address = session_repository.lock_confirmations(session, found.email)  # of two tokens at once, one is used
    _refuse_over(found, now)
    for each in of_address:
        each.closed_at = each.closed_at or now
    return found


def _usable(session: Session, token: str, now: datetime) -> AddressConfirmation:
    confirmation = session_repository.confirmation_of_token(session, token_hash(token))
    if confirmation is None:
        raise NotFound.of("token")
    _refuse_over(confirmation, now)
    return confirmation


def _refuse_over(confirmation: AddressConfirmation, now: datetime) -> None:
    if confirmation.closed_at is not None or now >= confirmation.expires_at:
        raise Conflict("This token was used or is older than a day; ask for another one.", code="token-over")
