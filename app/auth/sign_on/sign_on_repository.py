"""Query identities at providers, sessions that providers opened, passkeys and used tickets."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.auth.model import UserSession
from app.auth.sign_on.model import IdentityLink, Passkey, ProviderSession, UsedTicket
from app.core.crypto.row_macs import authentic, is_authentic
from app.core.database import UtcDateTime, locked


def mark_used(session: Session, ticket_id: str, expires_at: datetime) -> bool:
    """Store the id of a ticket; False where it is stored already. A concurrent use waits for this transaction."""
    added = session.execute(
        sa.text(
            "INSERT INTO used_tickets (id, expires_at) VALUES (:id, :expires_at) ON CONFLICT DO NOTHING RETURNING id"
        ).bindparams(sa.bindparam("expires_at", type_=UtcDateTime())),
        {"id": ticket_id, "expires_at": expires_at},
    )
    return added.scalar_one_or_none() is not None


def is_used(session: Session, ticket_id: str) -> bool:
    return session.scalar(sa.select(UsedTicket.id).where(UsedTicket.id == ticket_id)) is not None


def has_tickets_expired_before(session: Session, before: datetime) -> bool:
    """Whether `delete_tickets_expired_before` would delete rows."""
    return bool(session.scalar(sa.select(sa.exists().where(UsedTicket.expires_at < before))))


def delete_tickets_expired_before(session: Session, before: datetime) -> None:
    """Delete used tickets that nobody could use any more at that moment."""
    session.execute(sa.delete(UsedTicket).where(UsedTicket.expires_at < before))


def find_link(session: Session, issuer: str, subject: str, *, lock: bool = False) -> IdentityLink | None:
    """Return the link of an identity that is in force."""
    query = sa.select(IdentityLink).where(
        IdentityLink.issuer == issuer, IdentityLink.subject == subject, IdentityLink.removed_at.is_(None)
    )
    return authentic(session.scalars(locked(query, lock)).one_or_none())


def find_link_by_id(session: Session, link_id: UUID) -> IdentityLink | None:
    """Return a link in its present state, if it is in force."""
    row = authentic(session.get(IdentityLink, link_id, populate_existing=True))
    return row if row is not None and row.removed_at is None else None


def list_links(session: Session, user_id: UUID, *, lock: bool = False) -> Sequence[IdentityLink]:
    """Return the links of a person that are in force, oldest first."""
    query = sa.select(IdentityLink).where(IdentityLink.user_id == user_id, IdentityLink.removed_at.is_(None))
    return [row for row in session.scalars(locked(query.order_by(IdentityLink.id), lock)) if is_authentic(row)]


def list_provider_sessions(session: Session, link_ids: Sequence[UUID], now: datetime) -> Sequence[ProviderSession]:
    """Return what providers said of the open sessions of these links, in one order."""
    query = (
        sa.select(ProviderSession)
        .join(UserSession, UserSession.id == ProviderSession.user_session_id)
        .where(ProviderSession.link_id.in_(link_ids), UserSession.ended_at.is_(None), UserSession.expires_at > now)
        .order_by(ProviderSession.user_session_id)
    )
    return session.scalars(query).all()


def find_provider_session(session: Session, user_session_id: UUID) -> tuple[ProviderSession, IdentityLink] | None:
    """Return what a provider said of a session, and the identity; None for a session that no provider opened."""
    query = (
        sa.select(ProviderSession, IdentityLink)
        .join(IdentityLink, IdentityLink.id == ProviderSession.link_id)
        .where(ProviderSession.user_session_id == user_session_id)
    )
    found = session.execute(query).one_or_none()
    return (found[0], found[1]) if found else None


def list_sessions_at_provider(
    session: Session, issuer: str, subject: str | None, provider_session: str | None, now: datetime
) -> Sequence[UUID]:
    """Return the open sessions that an issuer opened for a subject, for a session of its own, or for both."""
    query = (
        sa.select(ProviderSession.user_session_id)
        .join(IdentityLink, IdentityLink.id == ProviderSession.link_id)
        .join(UserSession, UserSession.id == ProviderSession.user_session_id)
        .where(IdentityLink.issuer == issuer, UserSession.ended_at.is_(None), UserSession.expires_at > now)
        .order_by(ProviderSession.user_session_id)
    )
    if subject is not None:
        query = query.where(IdentityLink.subject == subject)
    if provider_session is not None:
        query = query.where(ProviderSession.provider_session == provider_session)
    return session.scalars(query).all()


def list_passkeys(session: Session, user_id: UUID, *, lock: bool = False) -> Sequence[Passkey]:
    """Return the passkeys of a person that were not removed, oldest first."""
    query = sa.select(Passkey).where(Passkey.user_id == user_id, Passkey.removed_at.is_(None)).order_by(Passkey.id)
    return [row for row in session.scalars(locked(query, lock)) if is_authentic(row)]


def find_passkey(session: Session, credential_id: str, *, lock: bool = False) -> Passkey | None:
    """Return the passkey with this credential id, removed or not."""
    query = sa.select(Passkey).where(Passkey.credential_id == credential_id)
    return authentic(session.scalars(locked(query, lock)).one_or_none())


def is_known_credential(session: Session, credential_id: str) -> bool:
    """Whether there is, or was, a passkey with this credential id, whether its row counts or not."""
    return session.scalar(sa.select(Passkey.id).where(Passkey.credential_id == credential_id)) is not None


def find_own_passkey(session: Session, user_id: UUID, passkey_id: UUID) -> Passkey | None:
    """Lock and return a passkey of this person by the id of its row."""
    query = sa.select(Passkey).where(Passkey.user_id == user_id, Passkey.id == passkey_id)
    return authentic(session.scalars(locked(query)).one_or_none())
