"""Tables of products, materials, process steps and costs."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, ExactDecimal, check_in, new_id
from app.schemes.facts import ValueBasis


class Place(StrEnum):
    """Where a cost was incurred, for the cost statement."""

    KARABAKH = "KARABAKH"
    AZ_OTHER = "AZ_OTHER"
    ABROAD = "ABROAD"


class CostKind(StrEnum):
    """Type of manufacturing cost. Packing, transport, marketing and profit do not count."""

    MATERIALS = "materials"
    LABOUR = "labour"
    ENERGY = "energy"
    DEPRECIATION = "depreciation"
    RESEARCH = "research"
    QUALITY = "quality"
    OTHER = "other"


class Product(Base):
    __tablename__ = "products"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    site_id: Mapped[UUID]
    reference: Mapped[str | None] = mapped_column(comment="the company's own code for it")
    names: Mapped[dict[str, str]] = mapped_column(comment="language → name")
    hs6: Mapped[str] = mapped_column(comment="HS 2022 subheading")
    national_code: Mapped[str | None] = mapped_column(comment="XIF MN, 10 digits, begins with the HS code")
    gtin: Mapped[str | None]
    unit: Mapped[str]
    brand: Mapped[str | None]
    annual_capacity: Mapped[Decimal | None] = mapped_column(ExactDecimal(16, 3))  # of before; now stated by site
    flags: Mapped[list[str]]
    joint_production: Mapped[list[str]] = mapped_column(comment="countries of partners, ISO 3166-1 alpha-2")
    ex_works: Mapped[Decimal | None] = mapped_column(ExactDecimal(16, 4), comment="AZN per unit")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        sa.ForeignKeyConstraint(["site_id", "organisation_id"], ["sites.id", "sites.organisation_id"]),
        sa.CheckConstraint("length(hs6) = 6", name="hs6_length"),
        sa.CheckConstraint("national_code IS NULL OR substr(national_code, 1, 6) = hs6", name="national_code"),
        sa.CheckConstraint("ex_works IS NULL OR ex_works >= 0", name="ex_works"),
        sa.UniqueConstraint("organisation_id", "reference"),
    )


class Material(Base):
    """A line of the bill of materials."""

    __tablename__ = "materials"

    product_id: Mapped[UUID] = mapped_column(sa.ForeignKey("products.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    hs4: Mapped[str | None] = mapped_column(comment="HS 2022 heading; null: not known")
    origin_country: Mapped[str | None] = mapped_column(comment="ISO 3166-1 alpha-2; null: not known")
    origin_district: Mapped[str | None] = mapped_column(comment="of the territory, in Azerbaijan")
    claim: Mapped[bool | None] = mapped_column(comment="whether the applicant says that it originates; never decides")
    basis: Mapped[str | None] = mapped_column(comment="how the value was taken")
    packing: Mapped[bool] = mapped_column(default=False, comment="said to be retail packing")
    supplier: Mapped[str | None] = mapped_column(comment="taxpayer number or name")
    proofs: Mapped[list[str]] = mapped_column(default=list, comment="ids of the evidence documents that it lists")
    value: Mapped[Decimal | None] = mapped_column(ExactDecimal(18, 6), comment="AZN per unit of product")
    weight_kg: Mapped[Decimal | None] = mapped_column(ExactDecimal(16, 6), comment="per unit of product")

    __table_args__ = (
        sa.CheckConstraint(check_in("basis", ValueBasis), name="basis"),
        sa.CheckConstraint("value IS NULL OR value >= 0", name="value"),
        sa.CheckConstraint("weight_kg IS NULL OR weight_kg >= 0", name="weight"),
    )


class ProcessStep(Base):
    __tablename__ = "process_steps"

    product_id: Mapped[UUID] = mapped_column(sa.ForeignKey("products.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    operation: Mapped[str] = mapped_column(comment="code of the list of operations, or free text")
    country: Mapped[str | None] = mapped_column(comment="ISO 3166-1 alpha-2; null: not known")
    district: Mapped[str | None]
    subcontractor: Mapped[str | None]
    is_essential: Mapped[bool]


class CostItem(Base):
    __tablename__ = "cost_items"

    product_id: Mapped[UUID] = mapped_column(sa.ForeignKey("products.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[Decimal] = mapped_column(ExactDecimal(16, 4), comment="AZN per unit of product")

    __table_args__ = (
        sa.CheckConstraint(check_in("kind", CostKind), name="kind"),
        sa.CheckConstraint(check_in("place", Place), name="place"),
        sa.CheckConstraint("amount >= 0", name="amount"),
    )
