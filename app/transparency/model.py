"""Tables of the entries and the head of the public log."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, unique_where


class LogEntry(Base):
    """One entry of the public log with the tree hashes that it completes. Append-only (trigger)."""

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
    """Size, key and last signed checkpoint of the log. Every append locks its single row."""

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


class LogCosignature(Base):
    """What one witness has signed of a checkpoint. Every line is verified again when it is served."""

    __tablename__ = "log_cosignatures"

    size: Mapped[int] = mapped_column(sa.BigInteger(), primary_key=True, autoincrement=False)
    witness: Mapped[str] = mapped_column(primary_key=True, comment="name and id of its key")
    checkpoint: Mapped[str] = mapped_column(comment="the note with the signature of the log alone")
    line: Mapped[str] = mapped_column(comment="the signature line of the witness")
    received_at: Mapped[datetime]

    __table_args__ = (sa.CheckConstraint("size >= 0", name="size"),)
