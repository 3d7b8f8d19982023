"""Query the issuer, signing keys and pauses of issuance."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.crypto.keyring import KeyState
from app.core.database import core_table
from app.signing.model import IssuancePause, ServiceIdentity, SigningKey

_KEY = core_table(SigningKey)
_ACTIVE_KEY = sa.select(_KEY.c.kid).where(_KEY.c.state == KeyState.ACTIVE.value)
_ACTIVE_KEY_FOR_SHARE = _ACTIVE_KEY.with_for_update(read=True)
_OPEN_PAUSE = sa.select(IssuancePause).where(IssuancePause.is_open.is_(True))


def get_issuer(session: Session) -> str | None:
    return session.scalar(sa.select(ServiceIdentity.issuer))


def list_keys(session: Session, *, lock: bool = False) -> Sequence[SigningKey]:
    """Return the keys in order of creation."""
    query = sa.select(SigningKey).order_by(SigningKey.created_at, SigningKey.kid)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).all()


def get_active_kid(session: Session, *, for_share: bool = False) -> str | None:
    """Return the `kid` of the active key; with `for_share` it cannot be retired before this transaction ends."""
    return session.execute(_ACTIVE_KEY_FOR_SHARE if for_share else _ACTIVE_KEY).scalar_one_or_none()


def find_open_pause(session: Session) -> IssuancePause | None:
    return session.scalars(_OPEN_PAUSE).one_or_none()


def active_key_since(session: Session) -> datetime | None:
    """Return when the active key was activated."""
    return session.scalar(sa.select(SigningKey.state_since).where(SigningKey.state == KeyState.ACTIVE))
