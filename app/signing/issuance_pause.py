"""Pause and resume issuance, by the owner and with a reason. Verification continues during a pause."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import require_role
from app.core.actor import Actor, Role
from app.core.database import new_id
from app.core.errors import Conflict, Unavailable
from app.core.messages import Message
from app.signing import signing_repository
from app.signing.model import IssuancePause


class IssuancePaused(Unavailable):
    """Issuance is paused; the message contains the reason that the owner entered."""

    code = "issuance-paused"


def pause_issuance(session: Session, actor: Actor, reason: str, now: datetime) -> None:
    """Pause issuance. Raises `Forbidden`, `Conflict` (`already-paused`)."""
    require_role(actor, Role.OWNER, Role.SYSTEM)
    if signing_repository.find_open_pause(session) is not None:
        raise Conflict("Issuance is paused already.", code="already-paused")
    row = IssuancePause(id=new_id(), is_open=True, reason=reason, since=now, until=None)
    session.add(row)
    session.flush()
    recorder.record(session, actor, "issuance.paused", ("pause", row.id), now)


def resume_issuance(session: Session, actor: Actor, now: datetime) -> None:
    """Resume issuance. Raises `Forbidden`, `Conflict` (`not-paused`)."""
    require_role(actor, Role.OWNER, Role.SYSTEM)
    row = signing_repository.find_open_pause(session)
    if row is None:
        raise Conflict("Issuance is not paused.", code="not-paused")
    row.is_open, row.until = None, now
    recorder.record(session, actor, "issuance.resumed", ("pause", row.id), now)


def require_not_paused(session: Session) -> None:
    """Require that issuance is not paused. Raises `IssuancePaused`."""
    row = signing_repository.find_open_pause(session)
    if row is not None:
        since = f"{row.since:%Y-%m-%d %H:%M} UTC"
        raise IssuancePaused(
            Message("Issuance is paused since %(since)s: %(reason)s", since=since, reason=row.reason),
            data={"reason": row.reason},
        )
