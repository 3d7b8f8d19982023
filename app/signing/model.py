"""Tables of the issuer, of signing keys and of pauses of issuance."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto.keyring import KeyState
from app.core.database import Base, check_in, unique_where


class ServiceIdentity(Base):
    __tablename__ = "service_identity"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issuer: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = (sa.CheckConstraint("id = 1", name="one_row"),)


class SigningKey(Base):
    """A public key under which certificates were signed. The private half stays in its file."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(primary_key=True, comment="<DID>#<RFC 7638 thumbprint>")
    public_jwk: Mapped[dict[str, Any]]
    state: Mapped[str]
    state_since: Mapped[datetime]
    created_at: Mapped[datetime]

    __table_args__ = (
        sa.CheckConstraint(check_in("state", KeyState), name="state"),
        unique_where("uq_signing_keys_active", "state", condition="state = 'active'"),
    )


class IssuancePause(Base):
    """A time in which nothing is issued; open until `until`."""

    __tablename__ = "issuance_pauses"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    is_open: Mapped[bool | None] = mapped_column(unique=True, comment="true or null: one is open at most")
    reason: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime | None]

    __table_args__ = (sa.CheckConstraint("(is_open IS NULL) = (until IS NOT NULL)", name="open"),)
