"""What people are told of acts of others. Called beside the act, in its transaction."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.access.model import Invitation, PasswordReset, User
from app.access.seal import Seal
from app.actor import Role
from app.notifications import outbox
from app.notifications.model import Kind


def reset_issued(session: Session, seal: Seal, user: User, reset: PasswordReset, token: str, *, now: datetime) -> None:
    """To the account's own address, and to nobody else. An account without a password gets its first one."""
    kind = Kind.RESET_PASSWORD if user.password_hash else Kind.FIRST_PASSWORD
    message = outbox.add(session, kind, user.email, language=user.language, now=now)
    outbox.set_token(message, seal, token, reset.expires_at)


def role_granted(session: Session, user: User, role: Role, *, now: datetime) -> None:
    _tell(session, Kind.ROLE_GRANTED, user, {"role": role.value}, now)


def role_taken(session: Session, user: User, role: Role, *, now: datetime) -> None:
    _tell(session, Kind.ROLE_TAKEN, user, {"role": role.value}, now)


def account_closed(session: Session, user: User, *, now: datetime) -> None:
    _tell(session, Kind.ACCOUNT_CLOSED, user, {}, now)


def member_removed(session: Session, user: User, company: str, *, now: datetime) -> None:
    _tell(session, Kind.MEMBER_REMOVED, user, {"company": company}, now)


def invited(
    session: Session,
    seal: Seal,
    invitation: Invitation,
    token: str,
    company: str,
    *,
    language: str | None,
    now: datetime,
) -> None:
    message = outbox.add(
        session, Kind.INVITATION, invitation.email, language=language, values={"company": company}, now=now
    )
    outbox.set_token(message, seal, token, invitation.expires_at)


def administrator_changed(session: Session, user: User, company: str, *, now: datetime) -> None:
    kind = Kind.ADMINISTRATOR_GIVEN if user.is_administrator else Kind.ADMINISTRATOR_TAKEN
    _tell(session, kind, user, {"company": company}, now)


def _tell(session: Session, kind: Kind, user: User, values: dict[str, str], now: datetime) -> None:
    outbox.add(session, kind, user.address, language=user.language, values=values, now=now)
