"""Determine the origin status of each material; only a confirmed proof makes it originating.

A claim never decides. `classify_materials` reads the bill of materials with its proofs, and every rule that depends on
the origin of a material (C-06, C-07, C-10, C-15, K-06, A-05) uses its result. Pure.

Own produce: a step of growing, raising, catching or mining goods of the product's code claims that the applicant grows
or mines the product. That claim requires the site's production record.
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
"""Last digit of the taxpayer number (VÖEN) of a natural person."""


class OriginSettings(BaseModel):
    """Ruleset parameters that every rule on the origin of materials shares."""

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
    PROVEN = "proven"  # a confirmed proof covers the line
    AWAITING = "awaiting"  # a proof that covers the line awaits confirmation
    UNPROVEN = "unproven"  # claimed from here or from a partner, without proof
    FOREIGN = "foreign"  # from elsewhere, or of unknown origin


class Contradiction(NamedTuple):
    """Two statements about one line that cannot both be true."""

    field: Literal["origin_country", "hs4", "originating", "packing", "basis"]
    stated: str | None
    other_field: Literal["proof", "origin_country", "originating", "hs4"]
    other_stated: str | None


@dataclass(frozen=True, slots=True)
class MaterialLine:
    """A material with its origin status. `number` is its zero-based index in the bill."""

    number: int
    material: Material
    state: ProofState
    contradiction: Contradiction | None
    claimed_place: CostPlace  # by the country and district that the line names
    counted_place: CostPlace  # by its origin status: ABROAD if not proven
    proven_place: CostPlace  # if every proof were confirmed and present
    location: tuple[str | None, str | None]  # region and district by the proof, or by the line where it has none
    contradicting_proof: EvidenceItem | None  # a confirmed proof that differs from the line
    is_packing: bool  # retail packing, as its heading allows
    is_own_produce: bool  # of the applicant's own growing or mining
    is_domestic: bool  # from Azerbaijan, not from a partner

    @property
    def is_originating(self) -> bool:
        return self.state is ProofState.PROVEN

    @property
    def heading(self) -> str | None:
        """Return the heading as entered if HS 2022 has it."""
        heading = (self.material.hs4 or "").strip()
        return heading if hs_nomenclature.is_heading(heading) else None


@dataclass(frozen=True, slots=True)
class OwnProduce:
    """Claim that the applicant grows, raises, catches or mines the product."""

    state: ProofState
    is_listed: bool  # as a line of the bill of materials
    locations: tuple[tuple[str | None, str | None], ...]  # region and district of each step that claims it


@dataclass(frozen=True)
class BillOfMaterials:
    lines: tuple[MaterialLine, ...]
    own_produce: OwnProduce | None  # None: not claimed

    @cached_property
    def non_originating(self) -> tuple[MaterialLine, ...]:
        """Return the lines that count as non-originating."""
        return tuple(line for line in self.lines if not line.is_originating)

    @property
    def unlisted_own_produce(self) -> OwnProduce | None:
        return self.own_produce if self.own_produce is not None and not self.own_produce.is_listed else None


def classify_materials(facts: Facts, settings: OriginSettings, lists: ClosedLists) -> BillOfMaterials | None:
    """Determine the origin status of each line; None where the call has no bill of materials."""
    inputs = facts.value.inputs if facts.value else None
    if not isinstance(inputs, tuple):
        return None
    classifier = _MaterialClassifier(facts, settings, lists)
    claiming_steps = classifier.own_produce_steps()
    own = [classifier.is_own_product_line(material) for material in inputs] if claiming_steps else [False] * len(inputs)
    lines = tuple(
        classifier.classify_line(number, material, own[number], claiming_steps)
        for number, material in enumerate(inputs)
    )
    if not claiming_steps:
        return BillOfMaterials(lines, None)
    own_lines = [line for line in lines if line.is_own_produce]
    states = [line.state for line in own_lines] or [classifier.determine_unlisted_state(claiming_steps)]
    places = tuple((step.economic_region, step.district) for step in claiming_steps)
    return BillOfMaterials(lines, OwnProduce(_weakest(states), bool(own_lines), places))


def cost_place_of(country: str | None, region: str | None, settings: OriginSettings) -> CostPlace:
    """Return the cost place of a country and region; AZ_OTHER where the region is unknown."""
    if _normalize_code(country) != HOME_COUNTRY:
        return CostPlace.ABROAD
    return CostPlace.KARABAKH if region in settings.karabakh_regions else CostPlace.AZ_OTHER


def is_small_producer(facts: Facts) -> bool:
    """Check for a micro or small firm by the register, or a natural person.

    Small producers may use the letter of their municipality.
    """
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
        self, number: int, material: Material, own_product: bool, claiming_steps: Sequence[Step]
    ) -> MaterialLine:
        listed_proofs = [item for name in material.proofs if (item := self.items.get(name))]
        own_basis = material.basis is ValueBasis.OWN
        contradicting_proof = (
            None if own_basis else next((item for item in listed_proofs if self.is_contradicting(item, material)), None)
        )
        country = _normalize_code(material.origin_country)
        is_home_origin = country in self.home
        # Own produce of several places needs a record of each.
        proofs_by_place = [
            [item for item in listed_proofs if self.is_proof_of(item, material, step)]
            for step in (claiming_steps if own_product else (None,))
        ]
        states = [
            self.determine_state(material, country, is_home_origin, contradicting_proof, items)
            for items in proofs_by_place
        ]
        state, contradiction = _weakest([each for each, _ in states]), states[0][1]
        proofs = [item for items in proofs_by_place for item in items]
        packing = material.packing and self.can_be_packing(material)
        if contradiction is None and material.packing and not packing:
            contradiction = Contradiction("packing", "true", "hs4", material.hs4)
        if contradiction is None and own_basis and country is not None and country != HOME_COUNTRY:
            contradiction = Contradiction("basis", ValueBasis.OWN.value, "origin_country", country)
        claimed_place = cost_place_of(country, material.origin_region, self.settings)
        proof = next((item for item in proofs if item.confirmed), None) or next(iter(proofs), None)
        proven_place = self.cost_place_by_proof(proof, country, material)
        return MaterialLine(
            number=number,
            material=material,
            state=state,
            contradiction=contradiction,
            claimed_place=claimed_place,
            counted_place=proven_place if state is ProofState.PROVEN else CostPlace.ABROAD,
            proven_place=claimed_place if proof is None else proven_place,
            location=(material.origin_region, material.origin_district) if proof is None else location_in_proof(proof),
            contradicting_proof=contradicting_proof,
            is_packing=packing,
            is_own_produce=own_product,
            is_domestic=country == HOME_COUNTRY,
        )

    def determine_state(
        self,
        material: Material,
        country: str | None,
        is_home_origin: bool,
        contradicting_proof: EvidenceItem | None,
        proofs: Sequence[EvidenceItem],
    ) -> tuple[ProofState, Contradiction | None]:
        """Return the state and contradiction of a line: the first condition that applies decides."""
        if contradicting_proof is not None:
            stated = str(contradicting_proof.values.get("country") or "")
            if stated != (country or ""):
                contradiction = Contradiction("origin_country", country, "proof", stated)
            else:
                contradiction = Contradiction(
                    "hs4", material.hs4, "proof", str(contradicting_proof.values.get("hs4") or "")
                )
            return (ProofState.UNPROVEN if is_home_origin or country is None else ProofState.FOREIGN), contradiction
        if material.claim is True and not is_home_origin:
            return ProofState.FOREIGN, Contradiction("origin_country", country, "originating", "true")
        if material.claim is False and is_home_origin:
            return ProofState.FOREIGN, Contradiction("originating", "false", "origin_country", country)
        if not is_home_origin:
            return ProofState.FOREIGN, None
        if any(item.confirmed for item in proofs):
            return ProofState.PROVEN, None
        return (ProofState.AWAITING if proofs else ProofState.UNPROVEN), None

    def is_contradicting(self, item: EvidenceItem, material: Material) -> bool:
        """Check for a confirmed proof of a material that names another country or heading."""
        if not item.confirmed or not _is_of_a_material(item):
            return False
        country, heading = item.values.get("country"), item.values.get("hs4")
        return country != _normalize_code(material.origin_country) or heading != (material.hs4 or "").strip()

    def is_proof_of(self, item: EvidenceItem, material: Material, claiming_step: Step | None) -> bool:
        if material.basis is ValueBasis.OWN:
            heading = (material.hs4 or "").strip()
            return _normalize_code(material.origin_country) == HOME_COUNTRY and self.is_record_of(
                item, heading, claiming_step
            )
        if not _is_of_a_material(item):
            return False
        if item.values.get("country") != _normalize_code(material.origin_country):
            return False
        if item.values.get("hs4") != (material.hs4 or "").strip():
            return False
        starts_on, end = self.validity_period(item)
        if starts_on > self.day or (end is not None and end < self.day):
            return False
        if item.kind != SUPPLIER_DECLARATION:
            return True
        return is_same_supplier(material.supplier, item) and not self.is_self_declaration(item)

    def is_self_declaration(self, declaration: EvidenceItem) -> bool:
        """Check that the applicant declares as its own supplier: own make needs a record instead."""
        applicant = self.facts.applicant
        own = {_supplier_key(text) for text in (applicant.voen, applicant.name) if text} if applicant else set()
        return any(_supplier_key(name) in own for name in declared_suppliers(declaration))

    def validity_period(self, item: EvidenceItem) -> tuple[date, date | None]:
        """Return the first and last day of a proof; a declaration is limited from its start."""
        starts_on, end = item.issued_on or date.min, item.valid_until
        if item.kind != SUPPLIER_DECLARATION:
            return starts_on, end
        start, until = item.values.get("period_from"), item.values.get("period_until")
        if not isinstance(start, date) or not isinstance(until, date):
            return date.max, end  # a declaration without its period is never valid
        latest_end = add_months(start, self.settings.supplier_declaration_max_months)
        ends = [day for day in (end, until, latest_end) if day is not None]
        return max(start, starts_on), min(ends)

    def is_record_of(self, item: EvidenceItem, heading: str | None, claiming_step: Step | None) -> bool:
        """Check that a production record or grower letter of the site covers this heading."""
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
            return False  # a record of a whole chapter proves no goods
        district = item.values.get("district")
        if not isinstance(district, str) or not district:
            return False
        if claiming_step is None:
            return True
        if _normalize_code(claiming_step.country) != HOME_COUNTRY:
            return False
        return claiming_step.district is None or fold_alphanumeric(claiming_step.district) == fold_alphanumeric(
            district
        )

    def own_produce_steps(self) -> tuple[Step, ...]:
        """Return the steps that claim own produce: growing or mining goods of the product's code.

        At least one of them must be in Azerbaijan. A step elsewhere is part of the claim, but no record can prove it.
        """
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

    def determine_unlisted_state(self, claiming_steps: Sequence[Step]) -> ProofState:
        """Check the site's records for own produce that the bill of materials does not list."""
        return _weakest([self.determine_unlisted_state_at(step) for step in claiming_steps])

    def determine_unlisted_state_at(self, claiming_step: Step) -> ProofState:
        heading = self.hs6[: hs_nomenclature.HEADING_DIGITS] if self.hs6 else None
        evidence = self.facts.evidence.items if self.facts.evidence else ()
        records = [item for item in evidence if self.is_record_of(item, heading, claiming_step)]
        if any(item.confirmed for item in records):
            return ProofState.PROVEN
        return ProofState.AWAITING if records else ProofState.UNPROVEN

    def can_be_packing(self, material: Material) -> bool:
        """Check that a material is retail packing by its heading, other than the product's heading."""
        heading = (material.hs4 or "").strip()
        own = self.hs6[: hs_nomenclature.HEADING_DIGITS] if self.hs6 else None
        return heading in self.lists.packing_headings and heading != own

    def cost_place_by_proof(self, proof: EvidenceItem | None, country: str | None, material: Material) -> CostPlace:
        """Return the cost place by the district of the proof; without a district it is unknown."""
        if proof is None:
            return cost_place_of(country, material.origin_region, self.settings)
        return cost_place_of(country, location_in_proof(proof)[0], self.settings)


def location_in_proof(proof: EvidenceItem) -> tuple[str | None, str | None]:
    """Return the region and district that a proof names."""
    region, district = proof.values.get("region"), proof.values.get("district")
    return region if isinstance(region, str) else None, district if isinstance(district, str) else None


def is_same_supplier(supplier: str | None, declaration: EvidenceItem) -> bool:
    """Compare the declaration's supplier with the line's, by VÖEN or folded name.

    A line without a supplier takes that of the declaration.
    """
    names = declared_suppliers(declaration)
    if not supplier or not fold_alphanumeric(supplier):
        return bool(names)
    return _supplier_key(supplier) in map(_supplier_key, names)


def declared_suppliers(declaration: EvidenceItem) -> tuple[str, ...]:
    """Return VÖEN and name of the declaring supplier; a declaration without both is no proof."""
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
    """Check that a figure is present, of a sensible size and above zero."""
    return figure is not None and to_fraction(figure) is not None and figure > 0
