"""Tables of parks and of announced holidays."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, ExactDecimal


class Park(Base):
    """An industrial park, district, agropark or free zone: an open list."""

    __tablename__ = "parks"

    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(comment="language → name")
    district: Mapped[str | None]
    economic_region: Mapped[str | None]
    area_ha: Mapped[Decimal | None] = mapped_column(ExactDecimal(10, 2))
    legal_basis: Mapped[str | None]


class Holiday(Base):
    """A day that the owner announced: a moved or exchanged holiday. It takes precedence over the fixed holidays."""

    __tablename__ = "holidays"

    day: Mapped[date] = mapped_column(primary_key=True)
    occasion: Mapped[str] = mapped_column(comment="a moved holiday of the calendar file, or other")
    works: Mapped[bool] = mapped_column(comment="worked, although it would be free")
    announced_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    announced_at: Mapped[datetime]
