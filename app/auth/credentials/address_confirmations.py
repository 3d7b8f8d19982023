"""E-mail addresses that were shown to be somebody's own: a token was mailed there, and whoever has it may register."""

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
    """A token for whoever reads the mail of this address. Earlier ones stay good: strangers ask for them as well."""
    token, digest = new_token(TOKEN_PREFIX)
    confirmation = AddressConfirmation(
        id=new_id(), email=email, language=language, token_hash=digest, created_at=now, expires_at=now + TOKEN_LIFETIME
    )
    session.add(confirmation)
    return confirmation, token


def require_usable_token(session: Session, token: str, now: datetime) -> None:
    """Refuse a token that is good for nothing, before time is spent on a hash.

    Errors: NotFound; Conflict `token-over`.
    """
    _load_usable(session, token, now)


def redeem_confirmation(session: Session, token: str, now: datetime) -> AddressConfirmation:
    """The confirmed address. The token, and all others of this address, are used up. Errors: as `look`."""
    found = _load_usable(session, token, now)
    of_address = session_repository.lock_confirmations(session, found.email)  # of two tokens at once, one is used
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
