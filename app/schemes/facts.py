"""What is known of one product under one application, as values.

Two kinds of not knowing, never mixed: a *group* that is None cannot be carried by this call (a file has no process
steps), and its rules answer `not_assessed`; a None *inside* a carried group is a fact that is missing, and its rules
answer `incomplete`. Whoever assesses for a submission or an approval carries every group.

Money and weights are Decimal, per unit of product, in one currency; percentages are Decimal, 0..100. Countries are
ISO 3166-1 alpha-2. `Facts.as_of` is the only clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum


class ResidencyState(StrEnum):
    RESIDENT = "resident"
    NON_RESIDENT = "non_resident"  # works in the park without the privileges of a resident
    CANCELLED = "cancelled"
    NONE = "none"  # the register knows no residency of this company


class SiteStage(StrEnum):
    PLANNED = "planned"
    CONSTRUCTION = "construction"
    OPERATING = "operating"


class CostScope(StrEnum):
    """Whose share of the manufacturing cost is meant. Azerbaijan includes Karabakh."""

    KARABAKH = "KARABAKH"
    AZERBAIJAN = "AZERBAIJAN"


@dataclass(frozen=True, slots=True)
class Applicant:
    voen: str | None  # as text: leading zeros count
    name: str | None = None
    legal_form: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the goods are made, as the register or the site's record says."""

    economic_region: str | None
    district: str | None = None
    park_code: str | None = None


@dataclass(frozen=True, slots=True)
class Production:
    """What only the site's own record knows."""

    country: str | None
    started_on: date | None


@dataclass(frozen=True, slots=True)
class Residency:
    """The register's word on the company. A date that is None is an open end; without a residency: status `none`."""

    status: ResidencyState | None
    holder_voen: str | None = None
    registration_no: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None  # last day, inclusive
    cancelled_on: date | None = None
    stage: SiteStage | None = None
    confirmed_on: date | None = None  # day on which the register last said so


@dataclass(frozen=True, slots=True)
class ProductFacts:
    hs6: str | None
    name_en: str | None = None
    name_az: str | None = None
    flags: frozenset[str] = frozenset()
    partner_countries: tuple[str, ...] = ()  # declared joint production with partners abroad
    annual_capacity: Decimal | None = None
    other_names: tuple[str, ...] = ()  # in further languages
    brand: str | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """One line of the bill of materials."""

    name: str
    hs4: str | None
    origin_country: str | None
    originating: bool | None
    value: Decimal | None
    weight_kg: Decimal | None = None


@dataclass(frozen=True, slots=True)
class InputSummary:
    """The bill of materials in two figures: value of all non-originating materials, and their headings."""

    non_originating_value: Decimal | None
    non_originating_headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueStatement:
    """Ex-works price and inputs, detailed or summed up: the same arithmetic judges both (`origin.py`)."""

    ex_works: Decimal | None
    inputs: tuple[Material, ...] | InputSummary | None


@dataclass(frozen=True, slots=True)
class CostByPlace:
    """Manufacturing cost by the place where it was incurred. No cost at a place is 0, not None."""

    karabakh: Decimal | None
    az_other: Decimal | None
    abroad: Decimal | None


@dataclass(frozen=True, slots=True)
class CostShares:
    """The cost statement in percentages, each independent of the other."""

    karabakh_pct: Decimal | None
    azerbaijan_pct: Decimal | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the process, in the order of `seq`."""

    seq: int
    name: str
    operation: str | None  # kind of operation, one of a list that the scheme file knows
    country: str | None
    district: str | None = None
    economic_region: str | None = None  # follows from the district
    subcontractor: str | None = None  # None: the applicant's own work
    is_essential: bool = False


@dataclass(frozen=True, slots=True)
class RawWeight:
    """Stated share of raw material from the mark's country, by weight. A detailed bill of materials goes before it."""

    local_pct: Decimal | None


@dataclass(frozen=True, slots=True)
class Zone:
    """The park or zone that the site lies in."""

    kind: str | None  # None: it lies in none


@dataclass(frozen=True, slots=True)
class Revocation:
    """A certificate of this applicant that was revoked."""

    reason: str
    on: date
    same_product: bool


@dataclass(frozen=True, slots=True)
class Record:
    """What our own register says of the applicant's past, under any mark."""

    revocations: tuple[Revocation, ...] = ()


ItemValue = str | bool | Decimal | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """An item of evidence that a member of staff has confirmed, with what was read in it."""

    kind: str
    issued_on: date | None = None
    valid_until: date | None = None  # last day, inclusive; None: open
    number: str | None = None
    values: Mapping[str, ItemValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was laid before the house for this product, its application, or its company."""

    confirmed: tuple[Item, ...] = ()  # newest first
    awaiting: frozenset[str] = frozenset()  # kinds of which an item lies here that nobody has confirmed yet

    def of(self, kind: str) -> tuple[Item, ...]:
        """Confirmed items of the kind, newest first."""
        return tuple(item for item in self.confirmed if item.kind == kind)

    def newest(self, kind: str) -> Item | None:
        return next(iter(self.of(kind)), None)


@dataclass(frozen=True, slots=True)
class Facts:
    as_of: date
    product: ProductFacts
    applicant: Applicant | None = None
    place: Place | None = None
    production: Production | None = None
    residency: Residency | None = None
    value: ValueStatement | None = None
    cost: CostByPlace | CostShares | None = None
    steps: tuple[Step, ...] | None = None
    raw_weight: RawWeight | None = None
    submitted_on: date | None = None  # None: not yet submitted, `as_of` stands for it
    evidence: Evidence | None = None
    record: Record | None = None
    zone: Zone | None = None
    other_brands: tuple[str, ...] | None = None  # family brands of other holders of this mark
