"""Tables of audit events and of the chain head."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base


class AuditEvent(Base):
    __tablename__ = "audit_events"

    seq: Mapped[int] = mapped_column(sa.BigInteger(), primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    event: Mapped[str] = mapped_column(comment="past tense, e.g. application.submitted")
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    subject_type: Mapped[str]
    subject_id: Mapped[str] = mapped_column(comment="a row's id, or a natural key such as a certificate number")
    case_id: Mapped[UUID | None] = mapped_column(comment="the application whose timeline shows this")
    data: Mapped[dict[str, Any]] = mapped_column(comment="ids, codes and hashes only")
    prev_hash: Mapped[str]
    hash: Mapped[str]

    __table_args__ = (
        sa.Index("ix_audit_events_subject", "subject_type", "subject_id", "seq"),
        sa.Index("ix_audit_events_actor", "actor_id", "seq"),
        sa.Index("ix_audit_events_case", "case_id", "seq"),
    )


class AuditHead(Base):
    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(sa.BigInteger())
    hash: Mapped[str]

    __table_args__ = (sa.CheckConstraint("id = 1", name="one_row"),)
