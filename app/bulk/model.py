"""Map manifests of numbers to verify to tables."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto.row_macs import Authenticated
from app.core.database import Base, JsonColumnOrNull, check_in, new_id


class ManifestState(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class Manifest(Base):
    """A list of numbers that someone has verified, and its signed result."""

    __tablename__ = "manifests"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("organisations.id"), index=True, comment="the company that reads it; null: of a member of staff"
    )
    created_by: Mapped[UUID] = mapped_column(index=True, comment="user or API client")
    name: Mapped[str] = mapped_column(comment="of the file")
    sha256: Mapped[str] = mapped_column(comment="of the file as it was sent")
    state: Mapped[str]
    total: Mapped[int]
    done: Mapped[int] = mapped_column(comment="numbers evaluated so far")
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(comment="finished or cancelled")
    verdicts: Mapped[dict[str, Any] | None] = mapped_column(JsonColumnOrNull, comment="verdict → count, at the end")
    token: Mapped[str | None] = mapped_column(comment="signed result")
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        sa.CheckConstraint(check_in("state", ManifestState), name="state"),
        sa.CheckConstraint("(state = 'finished') = (token IS NOT NULL)", name="finished_is_signed"),
    )


class ManifestPart(Authenticated, Base):
    """Some of the numbers of a manifest, in order, with their verdicts once they are evaluated."""

    __tablename__ = "manifest_parts"
    mac_columns = ("manifest_id", "position", "numbers", "results", "evaluated_at")

    manifest_id: Mapped[UUID] = mapped_column(sa.ForeignKey("manifests.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    numbers: Mapped[list[str]] = mapped_column(comment="as they were sent")
    results: Mapped[list[Any] | None] = mapped_column(
        JsonColumnOrNull, comment="number, verdict and last day of each; null: not yet evaluated"
    )
    evaluated_at: Mapped[datetime | None]
