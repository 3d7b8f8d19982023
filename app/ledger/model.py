"""The issuer's identity, fixed at first run, and the public keys that ever signed."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, one_of
from app.keys import KeyState


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

    __table_args__ = (sa.CheckConstraint(one_of("state", KeyState), name="state"),)
