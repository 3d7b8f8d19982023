"""Input of a product. Money in AZN per unit of product, weights in kilograms per unit of product."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from app.products.model import CostKind, Place
from app.schemes.facts import ValueBasis


@dataclass(frozen=True, slots=True)
class MaterialInput:
    """A line of the bill of materials, in order. None: unknown."""

    name: str
    hs4: str | None = None
    origin_country: str | None = None  # ISO 3166-1 alpha-2
    claim: bool | None = None  # whether the company states that it originates
    value: Decimal | None = None
    weight_kg: Decimal | None = None
    origin_district: str | None = None
    basis: ValueBasis | None = None
    packing: bool = False
    supplier: str | None = None  # taxpayer number or name
    proofs: tuple[UUID, ...] = ()  # evidence documents of the company


@dataclass(frozen=True, slots=True)
class StepInput:
    """A process step, in the order of production."""

    name: str
    operation: str  # code or name of the list of operations, or free text
    country: str | None = None  # None: unknown
    district: str | None = None
    subcontractor: str | None = None  # None: done by the company
    is_essential: bool = False


@dataclass(frozen=True, slots=True)
class CostInput:
    kind: CostKind
    place: Place
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ProductInput:
    names: Mapping[str, str]  # language → name; `az` and `en` are needed
    hs6: str
    unit: str  # from the list of units, in any spelling
    site_id: UUID
    national_code: str | None = None
    gtin: str | None = None
    brand: str | None = None
    reference: str | None = None
    flags: tuple[str, ...] = ()  # of the list of flags; `joint_production_XX` names a partner
    joint_production: tuple[str, ...] = ()  # countries of partners
    ex_works: Decimal | None = None
    materials: tuple[MaterialInput, ...] = ()
    steps: tuple[StepInput, ...] = ()
    costs: tuple[CostInput, ...] = ()
