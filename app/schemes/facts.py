"""Define the facts about one product under one application, as values for the rules.

There are two kinds of missing facts: a *group* that is None is not available to this call (a file has no process
steps), and its rules answer `not_assessed`; None *inside* a group is a missing fact, and its rules answer `incomplete`.
An assessment for a submission or an approval has every group.

Money and weights are Decimal, per unit of product, in one currency; percentages are Decimal, 0..100. Countries are ISO
3166-1 alpha-2. `Facts.as_of` is the only clock.
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
    NONE = "none"  # the register has no residency of this company


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
    """How the value of a material was determined."""

    CIF = "cif"  # imported: CIF value at importation, customs duty left out
    DOMESTIC = "domestic"  # bought in Azerbaijan: price paid without VAT
    OWN = "own"  # own make: its cost


class EvidenceSubjectKind(StrEnum):
    """Subject of an evidence document, relative to the assessed product."""

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
    """Place of production, from the resident register or the site's record."""

    economic_region: str | None
    district: str | None = None
    park_code: str | None = None


@dataclass(frozen=True, slots=True)
class ProductionFacts:
    """Facts that only the site's own record has."""

    country: str | None
    started_on: date | None


@dataclass(frozen=True, slots=True)
class Residency:
    """The company's residency by the register, with the status `none` if it has none.

    A missing date is an open end.
    """

    status: ParkResidencyStatus | None
    holder_voen: str | None = None
    registration_no: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None  # last day, inclusive
    cancelled_on: date | None = None
    stage: SiteStage | None = None
    confirmed_on: date | None = None  # day on which the register last confirmed it


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
    """A line of the bill of materials as entered; `material_origin.py` determines its origin."""

    name: str
    hs4: str | None
    origin_country: str | None
    claim: bool | None = None  # the applicant's claim that it originates, which never decides
    value: Decimal | None = None
    weight_kg: Decimal | None = None
    origin_district: str | None = None
    origin_region: str | None = None  # economic region, follows from the district
    basis: ValueBasis | None = None
    packing: bool = False  # stated to be retail packing
    supplier: str | None = None  # VÖEN or name; None: the supplier of the declaration that is listed
    proofs: tuple[str, ...] = ()  # ids of the evidence documents that the line lists


@dataclass(frozen=True, slots=True)
class InputSummary:
    """Bill of materials as two facts: value and headings of all non-originating materials."""

    non_originating_value: Decimal | None
    non_originating_headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueStatement:
    """Ex-works price and inputs, detailed or as a summary (a file has only two figures)."""

    ex_works: Decimal | None
    inputs: tuple[Material, ...] | InputSummary | None


@dataclass(frozen=True, slots=True)
class Cost:
    """One figure of the cost statement. `materials` is compared with the bill, never counted."""

    kind: str  # materials, labour, energy, depreciation, research, quality, other
    place: CostPlace
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class CostStatement:
    """Manufacturing cost by kind and place. A place that is not named had no cost."""

    costs: tuple[Cost, ...]


@dataclass(frozen=True, slots=True)
class CostShares:
    """Cost statement as independent percentages (a file has no more)."""

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
    is_essential: bool = False  # as stated by the applicant


@dataclass(frozen=True, slots=True)
class RawWeight:
    """Stated share of local raw material by weight. A detailed bill takes precedence over it."""

    local_pct: Decimal | None


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    """The park or zone of the site."""

    kind: str | None  # None: the site is in no park


@dataclass(frozen=True, slots=True)
class PastCertificate:
    """A certificate revoked, or surrendered during an inquiry.

    Its holder is the applicant or a related company.
    """

    on: date
    reason: str | None  # why revoked, or what the inquiry upheld; None: the inquiry is not decided
    same_product: bool  # same product id or GTIN
    alike: bool = False  # same heading, and same site or similar name
    company: str | None = None  # name of the related holder; None: the applicant's own VÖEN
    ground: str | None = None  # why it counts as related: a code of `names.related_ground`
    surrendered: bool = False


@dataclass(frozen=True, slots=True)
class HistoryFacts:
    """Past certificates of the applicant and of related holders, under any mark."""

    certificates: tuple[PastCertificate, ...] = ()


@dataclass(frozen=True, slots=True)
class VolumeClaim:
    """A confirmed yearly volume of one product of the site."""

    product: str
    volume: Decimal
    unit: str | None
    own: bool = False  # of the assessed product


@dataclass(frozen=True, slots=True)
class SiteCapacity:
    """A confirmed yearly capacity of the site, or of one of its lines."""

    unit: str | None
    per_year: Decimal
    line: str | None = None


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """Claimed volumes and capacities of the site: certified products and this application's."""

    claims: tuple[VolumeClaim, ...] = ()
    capacities: tuple[SiteCapacity, ...] = ()
    claim_awaits: bool = False  # a statement of this product's volume awaits confirmation
    capacity_awaits: bool = False


@dataclass(frozen=True, slots=True)
class DeclarationFacts:
    """The newest declaration of this application, and what it must cover."""

    declared_hash: str | None  # hash of what the applicant entered and uploaded, as it stands now
    text_version: str | None  # of the text that is in force
    made_hash: str | None = None  # None: not declared yet
    made_text_version: str | None = None
    made_on: date | None = None
    made_by: str | None = None  # id of the user
    made_by_name: str | None = None


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """Facts other than inspection records that decide whether a site visit is required."""

    certificate_in_force: str | None = None  # number of a certificate for the site that is in force
    waived_because: str | None = None  # the owner's reason for this case


EvidenceValue = str | bool | Decimal | date | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """An evidence document in the scope of the product, with the values read from it."""

    kind: str
    issued_on: date | None = None
    valid_until: date | None = None  # last day, inclusive; None: open
    number: str | None = None
    values: Mapping[str, EvidenceValue] = field(default_factory=dict)
    id: str = ""
    subject: EvidenceSubjectKind | None = (
        EvidenceSubjectKind.COMPANY
    )  # None: no subject, although its kind requires one
    confirmed: bool = True  # by staff; rules use confirmed documents only


@dataclass(frozen=True)
class Evidence:
    """Documents of the company, the site and the product. Their order has no meaning."""

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
    submitted_on: date | None = None  # None: not yet submitted, `as_of` is used
    evidence: Evidence | None = None
    record: HistoryFacts | None = None
    zone: ZoneFacts | None = None
    other_brands: tuple[str, ...] | None = None  # family brands of other holders of this mark
    volumes: VolumeFacts | None = None
    declaration: DeclarationFacts | None = None
    visit: VisitFacts | None = None
