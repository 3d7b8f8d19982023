"""Table of what people without an account follow by mail."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, check_in, new_id
from app.events.watched import WatchKind


class Watch(Base):
    """Somebody asked to be told; counts once the address is confirmed, and is deleted when they end it."""

    __tablename__ = "watches"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    value: Mapped[str] = mapped_column(comment="number of a certificate, id of a holder, or digits of an HS code")
    email: Mapped[str] = mapped_column(comment="lower case")
    language: Mapped[str | None] = mapped_column(comment="of messages: az, en or ru; null: not known")
    token_hash: Mapped[str] = mapped_column(unique=True, comment="SHA-256 of 32 random bytes")
    encrypted_token: Mapped[str] = mapped_column(comment="AES-GCM, bound to the id: each mail has a link to end it")
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]

    __table_args__ = (
        sa.CheckConstraint(check_in("kind", WatchKind), name="kind"),
        sa.Index("ix_watches_value", "value", "kind"),
        sa.Index("ix_watches_email", "email"),
    )
