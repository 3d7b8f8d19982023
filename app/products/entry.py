"""A product as its company enters it. Money in AZN per unit of product, weights in kilograms per unit of product."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from app.products.model import CostKind, Place


@dataclass(frozen=True, slots=True)
class MaterialEntry:
    """A line of the bill of materials; lines keep their order."""

    name: str
    hs4: str
    origin_country: str  # ISO 3166-1 alpha-2
    originating: bool
    value: Decimal | None = None
    weight_kg: Decimal | None = None


@dataclass(frozen=True, slots=True)
class StepEntry:
    """A step of the process; steps come in the order in which they are done."""

    name: str
    operation: str
    country: str
    district: str | None = None
    subcontractor: str | None = None  # None: the company's own work
    is_essential: bool = False


@dataclass(frozen=True, slots=True)
class CostEntry:
    kind: CostKind
    place: Place
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ProductEntry:
    names: Mapping[str, str]  # language → name; `az` and `en` are needed
    hs6: str
    unit: str
    site_id: UUID
    national_code: str | None = None
    gtin: str | None = None
    brand: str | None = None
    reference: str | None = None
    flags: tuple[str, ...] = ()
    joint_production: tuple[str, ...] = ()  # countries of partners
    annual_capacity: Decimal | None = None
    ex_works: Decimal | None = None
    materials: tuple[MaterialEntry, ...] = ()
    steps: tuple[StepEntry, ...] = ()
    costs: tuple[CostEntry, ...] = ()
