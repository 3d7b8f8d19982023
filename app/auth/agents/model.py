"""Table of the authorities that companies give to agents."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto.row_macs import Authenticated
from app.core.database import Base, new_id


class AgentAuthority(Authenticated, Base):
    """A company lets a person who is not its member act for it, in some scopes and for some time."""

    __tablename__ = "authorities"
    mac_columns = (
        "id",
        "organisation_id",
        "email",
        "agent_id",
        "scopes",
        "valid_from",
        "valid_until",
        "accepted_at",
        "ended_at",
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    email: Mapped[str] = mapped_column(index=True, comment="whom it was offered to, lower case")
    agent_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"), index=True, comment="who accepted it")
    scopes: Mapped[list[str]]
    granted_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    granted_at: Mapped[datetime]
    valid_from: Mapped[datetime] = mapped_column(comment="when its first day begins in Baku")
    valid_until: Mapped[datetime] = mapped_column(comment="when its last day ends in Baku")
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None] = mapped_column(comment="before its last day: revoked, given up or declined")
    ended_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))

    __table_args__ = (
        sa.CheckConstraint("valid_until > valid_from", name="ends_after_it_begins"),
        sa.CheckConstraint("(agent_id IS NULL) = (accepted_at IS NULL)", name="accepted_by_somebody"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_somebody"),
    )
