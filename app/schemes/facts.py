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
from functools import cached_property


class ParkResidencyStatus(StrEnum):
    RESIDENT = "resident"
    NON_RESIDENT = "non_resident"  # works in the park without the privileges of a resident
    CANCELLED = "cancelled"
    NONE = "none"  # the register knows no residency of this company


class SiteStage(StrEnum):
    PLANNED = "planned"
    CONSTRUCTION = "construction"
    OPERATING = "operating"


class CostPlace(StrEnum):
    """Where a cost was incurred. Every place in Azerbaijan outside Karabakh is AZ_OTHER."""

    KARABAKH = "KARABAKH"
    AZ_OTHER = "AZ_OTHER"
    ABROAD = "ABROAD"


class ValueBasis(StrEnum):
    """How the value of a material was taken (`domain.md` §5.3, value basis)."""

    CIF = "cif"  # imported: CIF value at importation, customs duty left out
    DOMESTIC = "domestic"  # bought in Azerbaijan: price paid without VAT
    OWN = "own"  # own make: its cost


class EvidenceSubjectKind(StrEnum):
    """What an evidence document speaks for, seen from the product that is assessed."""

    COMPANY = "company"
    SITE = "site"  # the product's site
    PRODUCT = "product"  # this product
    LOT = "lot"


@dataclass(frozen=True, slots=True)
class Applicant:
    voen: str | None  # as text: leading zeros count
    name: str | None = None
    legal_form: str | None = None
    size_class: str | None = None  # micro, small, medium, large, by the resident register


@dataclass(frozen=True, slots=True)
class Place:
    """Where the goods are made, as the register or the site's record says."""

    economic_region: str | None
    district: str | None = None
    park_code: str | None = None


@dataclass(frozen=True, slots=True)
class ProductionFacts:
    """What only the site's own record knows."""

    country: str | None
    started_on: date | None


@dataclass(frozen=True, slots=True)
class Residency:
    """The register's word on the company. A date that is None is an open end; without a residency: status `none`."""

    status: ParkResidencyStatus | None
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
    unit: str | None = None  # code of the list of units
    other_names: tuple[str, ...] = ()  # in further languages
    brand: str | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """One line of the bill of materials, as entered. Its proof says what it counts as (`material_origin.py`)."""

    name: str
    hs4: str | None
    origin_country: str | None
    claim: bool | None = None  # whether the applicant says that it originates; a claim never decides
    value: Decimal | None = None
    weight_kg: Decimal | None = None
    origin_district: str | None = None
    origin_region: str | None = None  # economic region, follows from the district
    basis: ValueBasis | None = None
    packing: bool = False  # said to be retail packing
    supplier: str | None = None  # VÖEN or name; None: the supplier of the declaration that is listed
    proofs: tuple[str, ...] = ()  # ids of the evidence documents that the line lists


@dataclass(frozen=True, slots=True)
class InputSummary:
    """The bill of materials in two figures: value of all non-originating materials, and their headings."""

    non_originating_value: Decimal | None
    non_originating_headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueStatement:
    """Ex-works price and inputs, detailed or summed up (a file carries two figures only)."""

    ex_works: Decimal | None
    inputs: tuple[Material, ...] | InputSummary | None


@dataclass(frozen=True, slots=True)
class Cost:
    """One figure of the cost statement. `materials` is only compared with the bill of materials, never counted."""

    kind: str  # materials, labour, energy, depreciation, research, quality, other
    place: CostPlace
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class CostStatement:
    """Manufacturing cost by kind and place. A place that is not named had no cost."""

    costs: tuple[Cost, ...]


@dataclass(frozen=True, slots=True)
class CostShares:
    """The cost statement in percentages, each independent of the other (a file carries no more)."""

    karabakh_pct: Decimal | None
    azerbaijan_pct: Decimal | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the process, in the order of `seq`."""

    seq: int
    name: str
    operation: str | None  # code or name of an operation of the closed list; anything else counts as `other`
    country: str | None
    district: str | None = None
    economic_region: str | None = None  # follows from the district
    subcontractor: str | None = None  # None: the applicant's own work
    is_essential: bool = False  # as ticked by the applicant


@dataclass(frozen=True, slots=True)
class RawWeight:
    """Stated share of raw material from the mark's country, by weight. A detailed bill of materials goes before it."""

    local_pct: Decimal | None


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    """The park or zone that the site lies in."""

    kind: str | None  # None: it lies in none


@dataclass(frozen=True, slots=True)
class PastCertificate:
    """A certificate that ended by revocation, or by surrender while an inquiry was open; own or of a related holder."""

    on: date
    reason: str | None  # why revoked, or what the inquiry upheld; None: the inquiry is not decided
    same_product: bool  # same product id or GTIN
    alike: bool = False  # same heading, and same site or similar name
    company: str | None = None  # name of the related holder; None: the applicant's own VÖEN
    ground: str | None = None  # why it counts as related: a code of `names.related_ground`
    surrendered: bool = False


@dataclass(frozen=True, slots=True)
class HistoryFacts:
    """What our own register says of the past of the applicant and of related holders, under any mark."""

    certificates: tuple[PastCertificate, ...] = ()


@dataclass(frozen=True, slots=True)
class VolumeClaim:
    """A confirmed yearly volume of one product of the site."""

    product: str
    volume: Decimal
    unit: str | None
    own: bool = False  # of the product that is assessed


@dataclass(frozen=True, slots=True)
class SiteCapacity:
    """A confirmed yearly capacity of the site, or of one line of it."""

    unit: str | None
    per_year: Decimal
    line: str | None = None


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """What is claimed and what can be made at the site: certified products, and those of this application."""

    claims: tuple[VolumeClaim, ...] = ()
    capacities: tuple[SiteCapacity, ...] = ()
    claim_awaits: bool = False  # a statement of this product's volume waits for confirmation
    capacity_awaits: bool = False


@dataclass(frozen=True, slots=True)
class DeclarationFacts:
    """The newest declaration over this application, and what it has to cover."""

    declared_hash: str | None  # hash of what the applicant entered and uploaded, as it stands now
    text_version: str | None  # of the text that is in force
    made_hash: str | None = None  # None: nobody has declared
    made_text_version: str | None = None
    made_on: date | None = None
    made_by: str | None = None  # id of the user
    made_by_name: str | None = None


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """What beside the inspection records decides whether the site has to be visited."""

    certificate_in_force: str | None = None  # number of a certificate for the site that is in force
    waived_because: str | None = None  # the owner's reason for this case


EvidenceValue = str | bool | Decimal | date | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """An evidence document within the scope of the product, with what was read in it."""

    kind: str
    issued_on: date | None = None
    valid_until: date | None = None  # last day, inclusive; None: open
    number: str | None = None
    values: Mapping[str, EvidenceValue] = field(default_factory=dict)
    id: str = ""
    subject: EvidenceSubjectKind | None = (
        EvidenceSubjectKind.COMPANY
    )  # None: it names no subject, though its kind asks for one
    confirmed: bool = True  # by a member of staff; rules rest on confirmed documents only


@dataclass(frozen=True)
class Evidence:
    """The documents that may speak for this product: those of its company, its site and itself. Order means nothing."""

    items: tuple[EvidenceItem, ...] = ()

    @cached_property
    def _by_kind(self) -> Mapping[str, tuple[EvidenceItem, ...]]:
        kinds: dict[str, tuple[EvidenceItem, ...]] = {}
        for item in self.items:
            kinds[item.kind] = (*kinds.get(item.kind, ()), item)
        return kinds

    def of_kind(self, kind: str) -> tuple[EvidenceItem, ...]:
        return self._by_kind.get(kind, ())


@dataclass(frozen=True, slots=True)
class Facts:
    as_of: date
    product: ProductFacts
    applicant: Applicant | None = None
    place: Place | None = None
    production: ProductionFacts | None = None
    residency: Residency | None = None
    value: ValueStatement | None = None
    cost: CostStatement | CostShares | None = None
    steps: tuple[Step, ...] | None = None
    raw_weight: RawWeight | None = None
    submitted_on: date | None = None  # None: not yet submitted, `as_of` stands for it
    evidence: Evidence | None = None
    record: HistoryFacts | None = None
    zone: ZoneFacts | None = None
    other_brands: tuple[str, ...] | None = None  # family brands of other holders of this mark
    volumes: VolumeFacts | None = None
    declaration: DeclarationFacts | None = None
    visit: VisitFacts | None = None
