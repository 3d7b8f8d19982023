"""Query API clients and their secrets."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.auth.model import ApiClient, ClientSecret
from app.core.crypto.row_macs import authentic, is_authentic
from app.core.database import locked, page_of


def find_client_by_public_id(session: Session, client_id: str) -> ApiClient | None:
    return authentic(session.scalars(sa.select(ApiClient).where(ApiClient.client_id == client_id)).one_or_none())


def find_client(session: Session, client_id: UUID) -> ApiClient | None:
    return authentic(session.get(ApiClient, client_id))


def find_clients(session: Session, ids: Sequence[UUID]) -> Sequence[ApiClient]:
    return session.scalars(sa.select(ApiClient).where(ApiClient.id.in_(ids))).all() if ids else ()


def find_client_of_organisation(
    session: Session, organisation_id: UUID, client_id: UUID, *, lock: bool = False
) -> ApiClient | None:
    query = sa.select(ApiClient).where(ApiClient.id == client_id, ApiClient.organisation_id == organisation_id)
    return session.scalars(locked(query, lock)).one_or_none()


def list_clients_of_organisation(
    session: Session, organisation_id: UUID, after: UUID | None, limit: int
) -> Sequence[ApiClient]:
    query = sa.select(ApiClient).where(ApiClient.organisation_id == organisation_id)
    return page_of(session, query, ApiClient.id, after, limit)


def list_clients_with_secret_by(session: Session, user_id: UUID) -> Sequence[ApiClient]:
    """Return clients that are not revoked and have an active secret that this person created."""
    seen = sa.exists().where(
        ClientSecret.client_id == ApiClient.id, ClientSecret.created_by == user_id, ClientSecret.ended_at.is_(None)
    )
    return session.scalars(
        sa.select(ApiClient).where(ApiClient.revoked_at.is_(None), seen).order_by(ApiClient.id)
    ).all()


def find_secret(session: Session, secret_id: UUID) -> ClientSecret | None:
    return authentic(session.get(ClientSecret, secret_id))


def list_active_secrets(session: Session, client_ids: Sequence[UUID], now: datetime) -> Sequence[ClientSecret]:
    """Return the active secrets of these clients, oldest first."""
    query = sa.select(ClientSecret).where(ClientSecret.client_id.in_(client_ids), ClientSecret.ended_at.is_(None))
    rows = session.scalars(query.where(ClientSecret.expires_at > now).order_by(ClientSecret.id))
    return [row for row in rows if is_authentic(row)]


def list_newest_secrets(session: Session, client_id: UUID, limit: int) -> Sequence[ClientSecret]:
    query = sa.select(ClientSecret).where(ClientSecret.client_id == client_id).order_by(ClientSecret.id.desc())
    return [row for row in session.scalars(query.limit(limit)) if is_authentic(row)]


def record_use(session: Session, secret_row: ClientSecret, now: datetime) -> None:
    """Record the last use of a client and of its secret."""
    session.execute(sa.update(ApiClient).where(ApiClient.id == secret_row.client_id).values(last_used_at=now))
    session.execute(sa.update(ClientSecret).where(ClientSecret.id == secret_row.id).values(last_used_at=now))
