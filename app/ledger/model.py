"""The issuer's identity, fixed at first run, the public keys that ever signed, and the public log."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, one_of, unique_where
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

    __table_args__ = (
        sa.CheckConstraint(one_of("state", KeyState), name="state"),
        unique_where("uq_signing_keys_active", "state", condition="state = 'active'"),
    )


class LogEntry(Base):
    """One entry of the public log with the tree hashes that it completes. Rows are only ever added (trigger)."""

    __tablename__ = "log_entries"

    seq: Mapped[int] = mapped_column(sa.BigInteger(), primary_key=True, autoincrement=False, comment="from 0, no gaps")
    at: Mapped[datetime]
    event: Mapped[str]
    subject: Mapped[str | None] = mapped_column(comment="certificate number, kid, or SCHEME/version of a ruleset")
    sha256: Mapped[str | None]
    entry: Mapped[bytes] = mapped_column(comment="canonical JSON: what is hashed; the columns before repeat it")
    hashes: Mapped[bytes] = mapped_column(comment="32 bytes each: its leaf, then every subtree that it completes")

    __table_args__ = (
        sa.CheckConstraint("seq >= 0", name="seq"),
        sa.Index("ix_log_entries_subject", "subject", "seq"),
        unique_where("uq_log_entries_issued", "subject", condition="event = 'certificate.issued'"),
    )


class LogHead(Base):
    """The log as it stands, and what was last promised about it. Its one row is the lock of all who append."""

    __tablename__ = "log_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(sa.BigInteger())
    vkey: Mapped[str | None] = mapped_column(comment="of the key that signs it; fixed with the first entry")
    checkpoint: Mapped[str | None] = mapped_column(comment="the last one signed, of this size")

    __table_args__ = (
        sa.CheckConstraint("id = 1", name="one_row"),
        sa.CheckConstraint("(size = 0) = (checkpoint IS NULL)", name="signed"),
        sa.CheckConstraint("(vkey IS NULL) = (checkpoint IS NULL)", name="keyed"),
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
