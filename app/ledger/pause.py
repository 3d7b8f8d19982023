"""Stopping issuance for a while: nothing new is certified, and every check goes on. By the owner, with a reason."""

from datetime import datetime

from sqlalchemy.orm import Session

from app import audit
from app.access.rights import require
from app.actor import Actor, Role
from app.core.messages import Message
from app.db import new_id
from app.errors import Conflict, Unavailable
from app.ledger import store
from app.ledger.model import IssuancePause


class IssuancePaused(Unavailable):
    """The message holds the reason as the owner gave it."""

    code = "issuance-paused"


def pause(session: Session, actor: Actor, reason: str, now: datetime) -> None:
    """Errors: Conflict where it is paused already."""
    require(actor, Role.OWNER, Role.SYSTEM)
    if store.open_pause(session) is not None:
        raise Conflict("Issuance is paused already.", code="already-paused")
    row = IssuancePause(id=new_id(), is_open=True, reason=reason, since=now, until=None)
    session.add(row)
    session.flush()
    audit.record(session, actor, "issuance.paused", ("pause", row.id), now)


def resume(session: Session, actor: Actor, now: datetime) -> None:
    """Errors: Conflict where it is not paused."""
    require(actor, Role.OWNER, Role.SYSTEM)
    row = store.open_pause(session)
    if row is None:
        raise Conflict("Issuance is not paused.", code="not-paused")
    row.is_open, row.until = None, now
    audit.record(session, actor, "issuance.resumed", ("pause", row.id), now)


def refuse_while_paused(session: Session) -> None:
    """Errors: IssuancePaused."""
    row = store.open_pause(session)
    if row is not None:
        since = f"{row.since:%Y-%m-%d %H:%M} UTC"
        raise IssuancePaused(
            Message("Issuance is paused since %(since)s: %(reason)s", since=since, reason=row.reason),
            data={"reason": row.reason},
        )
