"""What each material counts as: originating only with a confirmed proof that speaks for its line (`domain.md` §5.3).

A tick never decides. One function reads the bill of materials with its proofs, and every rule that asks where a
material comes from (C-06, C-07, C-10, C-15, K-06, A-05) rests on its answer. Pure.

Own produce: a step of growing, raising, catching or mining for goods of the product's own code claims that the product
is grown or mined by the applicant. That claim wants the production record of the site.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from stdnum.az import voen as az_voen

from app.core.dates import add_months
from app.core.text.normalize import fold_alphanumeric
from app.reference import hs_nomenclature
from app.schemes.closed_lists import ClosedLists, load_lists
from app.schemes.facts import CostPlace, EvidenceItem, EvidenceSubjectKind, Facts, Material, Step, ValueBasis
from app.schemes.percentages import to_fraction

HOME_COUNTRY = "AZ"
HEADING_DIGITS = hs_nomenclature.HEADING_DIGITS
SUPPLIER_DECLARATION = "supplier-declaration"
ORIGIN_DOCUMENT = "origin-document"
PRODUCTION_RECORD = "production-record"
GROWER_LETTER = "grower-letter"
OWN_PRODUCE_RECORDS = frozenset({PRODUCTION_RECORD, GROWER_LETTER})
SMALL_SIZES = frozenset({"micro", "small"})
NATURAL_PERSON_DIGIT = "2"
"""The last digit of the taxpayer number of a natural person (`domain.md` §3.1)."""


class OriginSettings(BaseModel):
    """Parameters of a ruleset that every rule on the origin of materials shares."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cumulation: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = Field(
        default=(), description="partner countries whose materials count as originating"
    )
    packing_max_pct: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(10)
    supplier_declaration_max_months: Annotated[int, Field(ge=1, le=120)] = 24
    record_season_max_months: Annotated[int, Field(ge=1, le=120)] = 12
    record_holds_after_months: Annotated[int, Field(ge=0, le=120)] = 12
    karabakh_regions: tuple[str, ...] = Field(
        default_factory=lambda: load_lists().karabakh_regions,
        description="economic regions whose costs and materials are Karabakh's",
    )


class ProofState(StrEnum):
    PROVEN = "proven"  # a confirmed proof speaks for the line
    AWAITING = "awaiting"  # one speaks for it that nobody has confirmed yet
    UNPROVEN = "unproven"  # it is said to come from here or from a partner, and nothing shows it
    FOREIGN = "foreign"  # from elsewhere, or from a place that is not known


class Contradiction(NamedTuple):
    """Two things said of one line that cannot both be true."""

    field: Literal["origin_country", "hs4", "originating", "packing", "basis"]
    stated: str | None
    other_field: Literal["proof", "origin_country", "originating", "hs4"]
    other_stated: str | None


@dataclass(frozen=True, slots=True)
class MaterialLine:
    """A material with what it counts as. `number` counts from 0, as in the bill of materials."""

    number: int
    material: Material
    state: ProofState
    contradiction: Contradiction | None
    claimed_place: CostPlace  # by the country and district that the line names
    counted_place: CostPlace  # by its origin status: what is not proven is ABROAD
    proven_place: CostPlace  # were every proof confirmed and at hand
    location: tuple[str | None, str | None]  # region and district by the proof, or by the line where it has none
    contradicting_proof: EvidenceItem | None  # a confirmed proof that says otherwise than the line
    is_packing: bool  # retail packing, as its heading allows
    is_own_produce: bool  # of the applicant's own growing or mining
    is_domestic: bool  # from Azerbaijan, not from a partner

    @property
    def is_originating(self) -> bool:
        return self.state is ProofState.PROVEN

    @property
    def heading(self) -> str | None:
        """The heading as entered, where HS 2022 has it."""
        heading = (self.material.hs4 or "").strip()
        return heading if hs_nomenclature.is_heading(heading) else None


@dataclass(frozen=True, slots=True)
class OwnProduce:
    """The product is said to be grown, raised, caught or mined by the applicant (by a step, listed or not)."""

    state: ProofState
    is_listed: bool  # as a line of the bill of materials
    locations: tuple[tuple[str | None, str | None], ...]  # region and district of each step that claims it


@dataclass(frozen=True)
class BillOfMaterials:
    lines: tuple[MaterialLine, ...]
    own_produce: OwnProduce | None  # None: nothing of the kind is claimed

    @cached_property
    def non_originating(self) -> tuple[MaterialLine, ...]:
        """Lines that count as non-originating."""
        return tuple(line for line in self.lines if not line.is_originating)

    @property
    def unlisted_own_produce(self) -> OwnProduce | None:
        return self.own_produce if self.own_produce is not None and not self.own_produce.is_listed else None


def classify_materials(facts: Facts, settings: OriginSettings, lists: ClosedLists) -> BillOfMaterials | None:
    """The bill of materials with the origin status of each line; None where the call carries none."""
    inputs = facts.value.inputs if facts.value else None
    if not isinstance(inputs, tuple):
        return None
    reader = _MaterialClassifier(facts, settings, lists)
    claiming = reader.own_produce_steps()
    own = [reader.is_own_product_line(material) for material in inputs] if claiming else [False] * len(inputs)
    lines = tuple(
        reader.classify_line(number, material, own[number], claiming) for number, material in enumerate(inputs)
    )
    if not claiming:
        return BillOfMaterials(lines, None)
    listed = [line for line in lines if line.is_own_produce]
    states = [line.state for line in listed] or [reader.determine_unlisted_state(claiming)]
    places = tuple((step.economic_region, step.district) for step in claiming)
    return BillOfMaterials(lines, OwnProduce(_weakest(states), bool(listed), places))


def cost_place_of(country: str | None, region: str | None, settings: OriginSettings) -> CostPlace:
    """Karabakh by the region; Azerbaijan with another or no known region is AZ_OTHER; everything else is abroad."""
    if _normalize_code(country) != HOME_COUNTRY:
        return CostPlace.ABROAD
    return CostPlace.KARABAKH if region in settings.karabakh_regions else CostPlace.AZ_OTHER


def is_small_producer(facts: Facts) -> bool:
    """A micro or small firm by the register, or a natural person: it may bring the letter of its municipality."""
    if facts.applicant is None:
        return False
    return facts.applicant.size_class in SMALL_SIZES or is_natural_person(facts)


def is_natural_person(facts: Facts) -> bool:
    voen = facts.applicant.voen if facts.applicant else None
    return bool(voen) and str(voen).endswith(NATURAL_PERSON_DIGIT)


class _MaterialClassifier:
    def __init__(self, facts: Facts, settings: OriginSettings, lists: ClosedLists) -> None:
        self.facts = facts
        self.day = facts.as_of
        self.settings = settings
        self.lists = lists
        self.items = {item.id: item for item in facts.evidence.items if item.id} if facts.evidence else {}
        self.hs6 = hs_nomenclature.as_six_digits(facts.product.hs6)
        self.home = frozenset({HOME_COUNTRY, *settings.cumulation})

    def classify_line(
        self, number: int, material: Material, own_product: bool, claiming: Sequence[Step]
    ) -> MaterialLine:
        listed = [item for name in material.proofs if (item := self.items.get(name))]
        own_basis = material.basis is ValueBasis.OWN
        slip = None if own_basis else next((item for item in listed if self.is_contradicting(item, material)), None)
        country = _normalize_code(material.origin_country)
        at_home = country in self.home
        # Own produce of several places wants the record of each.
        by_place = [
            [item for item in listed if self.is_proof_of(item, material, step)]
            for step in (claiming if own_product else (None,))
        ]
        answers = [self.determine_state(material, country, at_home, slip, items) for items in by_place]
        state, contradiction = _weakest([each for each, _ in answers]), answers[0][1]
        speaking = [item for items in by_place for item in items]
        packing = material.packing and self.can_be_packing(material)
        if contradiction is None and material.packing and not packing:
            contradiction = Contradiction("packing", "true", "hs4", material.hs4)
        if contradiction is None and own_basis and country is not None and country != HOME_COUNTRY:
            contradiction = Contradiction("basis", ValueBasis.OWN.value, "origin_country", country)
        claimed = cost_place_of(country, material.origin_region, self.settings)
        paper = next((item for item in speaking if item.confirmed), None) or next(iter(speaking), None)
        proven = self.cost_place_by_proof(paper, country, material)
        return MaterialLine(
            number=number,
            material=material,
            state=state,
            contradiction=contradiction,
            claimed_place=claimed,
            counted_place=proven if state is ProofState.PROVEN else CostPlace.ABROAD,
            proven_place=claimed if paper is None else proven,
            location=(material.origin_region, material.origin_district) if paper is None else location_in_proof(paper),
            contradicting_proof=slip,
            is_packing=packing,
            is_own_produce=own_product,
            is_domestic=country == HOME_COUNTRY,
        )

    def determine_state(
        self,
        material: Material,
        country: str | None,
        at_home: bool,
        slip: EvidenceItem | None,
        speaking: Sequence[EvidenceItem],
    ) -> tuple[ProofState, Contradiction | None]:
        """The first row of the table in `domain.md` §5.3 that matches."""
        if slip is not None:
            stated = str(slip.values.get("country") or "")
            if stated != (country or ""):
                contradiction = Contradiction("origin_country", country, "proof", stated)
            else:
                contradiction = Contradiction("hs4", material.hs4, "proof", str(slip.values.get("hs4") or ""))
            return (ProofState.UNPROVEN if at_home or country is None else ProofState.FOREIGN), contradiction
        if material.claim is True and not at_home:
            return ProofState.FOREIGN, Contradiction("origin_country", country, "originating", "true")
        if material.claim is False and at_home:
            return ProofState.FOREIGN, Contradiction("originating", "false", "origin_country", country)
        if not at_home:
            return ProofState.FOREIGN, None
        if any(item.confirmed for item in speaking):
            return ProofState.PROVEN, None
        return (ProofState.AWAITING if speaking else ProofState.UNPROVEN), None

    def is_contradicting(self, item: EvidenceItem, material: Material) -> bool:
        """A confirmed proof of a material of this product that names another country or heading than the line."""
        if not item.confirmed or not _is_of_a_material(item):
            return False
        country, heading = item.values.get("country"), item.values.get("hs4")
        return country != _normalize_code(material.origin_country) or heading != (material.hs4 or "").strip()

    def is_proof_of(self, item: EvidenceItem, material: Material, claiming: Step | None) -> bool:
        if material.basis is ValueBasis.OWN:
            heading = (material.hs4 or "").strip()
            return _normalize_code(material.origin_country) == HOME_COUNTRY and self.is_record_of(
                item, heading, claiming
            )
        if not _is_of_a_material(item):
            return False
        if item.values.get("country") != _normalize_code(material.origin_country):
            return False
        if item.values.get("hs4") != (material.hs4 or "").strip():
            return False
        begin, end = self.validity_period(item)
        if begin > self.day or (end is not None and end < self.day):
            return False
        if item.kind != SUPPLIER_DECLARATION:
            return True
        return is_same_supplier(material.supplier, item) and not self.is_self_declaration(item)

    def is_self_declaration(self, declaration: EvidenceItem) -> bool:
        """Whether the applicant declares as its own supplier: own make has its record instead."""
        applicant = self.facts.applicant
        own = {_supplier_key(text) for text in (applicant.voen, applicant.name) if text} if applicant else set()
        return any(_supplier_key(name) in own for name in declared_suppliers(declaration))

    def validity_period(self, item: EvidenceItem) -> tuple[date, date | None]:
        """First and last day on which a proof holds; a declaration holds for a limited time from its start."""
        begin, end = item.issued_on or date.min, item.valid_until
        if item.kind != SUPPLIER_DECLARATION:
            return begin, end
        start, until = item.values.get("period_from"), item.values.get("period_until")
        if not isinstance(start, date) or not isinstance(until, date):
            return date.max, end  # a declaration without its period holds at no time
        longest = add_months(start, self.settings.supplier_declaration_max_months)
        ends = [day for day in (end, until, longest) if day is not None]
        return max(start, begin), min(ends)

    def is_record_of(self, item: EvidenceItem, heading: str | None, claiming: Step | None) -> bool:
        """Whether a production record, or the letter of a small producer, shows own produce of this heading here."""
        if item.kind not in OWN_PRODUCE_RECORDS or item.subject is not EvidenceSubjectKind.SITE:
            return False
        if item.kind == GROWER_LETTER and not is_small_producer(self.facts):
            return False
        start, until = item.values.get("season_from"), item.values.get("season_until")
        if not isinstance(start, date) or not isinstance(until, date) or until < start:
            return False
        if until > add_months(start, self.settings.record_season_max_months):
            return False
        if (item.issued_on or start) > self.day or start > self.day:
            return False
        if add_months(until, self.settings.record_holds_after_months) < self.day:
            return False
        if item.valid_until is not None and item.valid_until < self.day:
            return False
        headings = item.values.get("headings")
        if (
            not heading
            or not isinstance(headings, tuple)
            or heading not in {each[:HEADING_DIGITS] for each in headings}
        ):
            return False  # a record of a whole chapter shows no goods
        district = item.values.get("district")
        if not isinstance(district, str) or not district:
            return False
        if claiming is None:
            return True
        if _normalize_code(claiming.country) != HOME_COUNTRY:
            return False
        return claiming.district is None or fold_alphanumeric(claiming.district) == fold_alphanumeric(district)

    def own_produce_steps(self) -> tuple[Step, ...]:
        """The steps of growing, raising, catching or mining goods of the product's code; with one of them here they
        claim own produce, and one elsewhere is part of the claim that no record shows."""
        if self.hs6 is None or not self.lists.is_good_of_nature(self.hs6):
            return ()
        named = [(step, self.lists.find_operation(step.operation)) for step in self.facts.steps or ()]
        steps = tuple(
            step
            for step, operation in named
            if operation and operation.is_of_nature and self.hs6.startswith(tuple(operation.only_in))
        )
        return steps if any(_normalize_code(step.country) == HOME_COUNTRY for step in steps) else ()

    def is_own_product_line(self, material: Material) -> bool:
        own_heading = (
            self.hs6 is not None and (material.hs4 or "").strip() == self.hs6[: hs_nomenclature.HEADING_DIGITS]
        )
        return material.basis is ValueBasis.OWN and own_heading

    def determine_unlisted_state(self, claiming: Sequence[Step]) -> ProofState:
        """Whether records of the site show the own produce that the bill of materials does not list."""
        return _weakest([self.determine_unlisted_state_at(step) for step in claiming])

    def determine_unlisted_state_at(self, claiming: Step) -> ProofState:
        heading = self.hs6[: hs_nomenclature.HEADING_DIGITS] if self.hs6 else None
        evidence = self.facts.evidence.items if self.facts.evidence else ()
        records = [item for item in evidence if self.is_record_of(item, heading, claiming)]
        if any(item.confirmed for item in records):
            return ProofState.PROVEN
        return ProofState.AWAITING if records else ProofState.UNPROVEN

    def can_be_packing(self, material: Material) -> bool:
        """Retail packing by its heading, and not of the product's own heading."""
        heading = (material.hs4 or "").strip()
        own = self.hs6[: hs_nomenclature.HEADING_DIGITS] if self.hs6 else None
        return heading in self.lists.packing_headings and heading != own

    def cost_place_by_proof(self, paper: EvidenceItem | None, country: str | None, material: Material) -> CostPlace:
        """By the district that the proof names: without one, a material from here is of no known district."""
        if paper is None:
            return cost_place_of(country, material.origin_region, self.settings)
        return cost_place_of(country, location_in_proof(paper)[0], self.settings)


def location_in_proof(paper: EvidenceItem) -> tuple[str | None, str | None]:
    """Region and district that a proof names."""
    region, district = paper.values.get("region"), paper.values.get("district")
    return region if isinstance(region, str) else None, district if isinstance(district, str) else None


def is_same_supplier(supplier: str | None, declaration: EvidenceItem) -> bool:
    """The declaration's supplier is the line's, by VÖEN or folded name. A blank line takes the declaration's."""
    names = declared_suppliers(declaration)
    if not supplier or not fold_alphanumeric(supplier):
        return bool(names)
    return _supplier_key(supplier) in map(_supplier_key, names)


def declared_suppliers(declaration: EvidenceItem) -> tuple[str, ...]:
    """Who declares, by VÖEN and by name; a declaration of nobody speaks for no line."""
    stated = (declaration.values.get(name) for name in ("supplier_voen", "supplier"))
    return tuple(name for name in stated if isinstance(name, str) and fold_alphanumeric(name))


def _supplier_key(text: str) -> str:
    digits = text.strip()
    return digits if digits.isdigit() and az_voen.is_valid(digits) else fold_alphanumeric(text)


def _is_of_a_material(item: EvidenceItem) -> bool:
    if item.subject not in (EvidenceSubjectKind.PRODUCT, EvidenceSubjectKind.SITE):
        return False
    return item.kind == SUPPLIER_DECLARATION or (
        item.kind == ORIGIN_DOCUMENT and item.values.get("about") == "material"
    )


def _weakest(states: Sequence[ProofState]) -> ProofState:
    order = (ProofState.FOREIGN, ProofState.UNPROVEN, ProofState.AWAITING, ProofState.PROVEN)
    return min(states, key=order.index)


def _normalize_code(text: str | None) -> str | None:
    return (text or "").strip().upper() or None


def is_positive(figure: Decimal | None) -> bool:
    """Whether a figure is there, makes sense, and is above zero."""
    return figure is not None and to_fraction(figure) is not None and figure > 0
