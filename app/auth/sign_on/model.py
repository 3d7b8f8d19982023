"""Tables of identities at providers, of sessions that a provider opened, of passkeys and of used tickets."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto.row_macs import Authenticated
from app.core.database import Base, new_id, unique_where


class IdentityLink(Authenticated, Base):
    """An identity at a provider, by issuer and subject alone, that signs in to an account."""

    __tablename__ = "identity_links"
    mac_columns = ("id", "user_id", "issuer", "subject", "removed_at")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    issuer: Mapped[str]
    subject: Mapped[str] = mapped_column(comment="`sub` of the ID token")
    linked_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]

    __table_args__ = (
        unique_where("uq_identity_links_identity", "issuer", "subject", condition="removed_at IS NULL"),
        unique_where("uq_identity_links_account", "user_id", "issuer", condition="removed_at IS NULL"),
    )


class ProviderSession(Authenticated, Base):
    """What a provider said when it opened a session: it bounds the session's roles and finds it at sign-out."""

    __tablename__ = "provider_sessions"
    mac_columns = ("user_session_id", "link_id", "roles", "provider_session")

    user_session_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("user_sessions.id", ondelete="CASCADE"), primary_key=True
    )
    link_id: Mapped[UUID] = mapped_column(sa.ForeignKey("identity_links.id"), index=True)
    roles: Mapped[list[str] | None] = mapped_column(comment="the most roles of the session; null: no bound")
    provider_session: Mapped[str | None] = mapped_column(comment="`sid` of the ID token")


class Passkey(Authenticated, Base):
    """A key with which a person signs in (WebAuthn). It confirms no decision: see `StaffCredential`."""

    __tablename__ = "passkeys"
    mac_columns = ("id", "credential_id", "public_key", "user_id", "sign_count", "removed_at")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    credential_id: Mapped[str] = mapped_column(unique=True, comment="given by the authenticator, base64url")
    public_key: Mapped[str] = mapped_column(comment="COSE key, base64url")
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(comment="by which the person knows it")
    sign_count: Mapped[int] = mapped_column(sa.BigInteger(), comment="of its last signature; 0: it does not count")
    registered_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class UsedTicket(Base):
    """A ticket that was used: it is good once."""

    __tablename__ = "used_tickets"

    id: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True, comment="from then on the row is not needed")
