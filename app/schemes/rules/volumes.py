"""Rules about stated figures: volume (K-10, U-05), the state's share (A-03), local material (U-04)."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.schemes import nomenclature
from app.schemes.facts import Facts, Item
from app.schemes.figures import exact, percentage, plain, shown_above
from app.schemes.outcome import Outcome
from app.schemes.rules.base import AWAITS_STAFF, TerritorySets, Value, Verdict, seen
from app.schemes.rules.documents import MISSING, EvidenceRule, ValueName, Word
from app.schemes.rules.goods import Chapter, HsPrefix
from app.schemes.rules.shares import Percentage, ShareRule

Amount = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]


def figure(item: Item | None, name: str) -> Decimal | None:
    """A figure that an item states; None where it states none, or one that cannot be right."""
    stated = item.values.get(name) if item else None
    if not isinstance(stated, Decimal):
        return None
    amount = exact(stated)
    return stated if amount is not None and amount >= 0 else None


class ClaimedVolumeRule(EvidenceRule):
    """K-10: the yearly volume that is claimed fits the capacity; much more may be bought in and relabelled."""

    kind: Literal["claimed_volume"]
    value: ValueName
    review_above_pct: Annotated[Decimal, Field(ge=100, allow_inf_nan=False)]
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "incomplete_capacity": Outcome.INCOMPLETE,
        MISSING: Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"claimed", "capacity", "share"})

    def value_names(self) -> tuple[str, ...]:
        return (self.value,)

    def parameters(self) -> dict[str, Any]:
        return super().parameters() | {"review_above_pct": plain(self.review_above_pct)}

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        claimed = figure(self.item(facts), self.value)
        values: dict[str, Value] = {"claimed": None if claimed is None else plain(claimed), "capacity": None}
        values["share"] = None
        if facts.evidence is None:
            return Verdict("not_assessed", values)
        capacity = None if facts.product.annual_capacity is None else exact(facts.product.annual_capacity)
        if capacity is None or capacity <= 0 or facts.product.annual_capacity is None:
            return Verdict("incomplete_capacity", values)
        values["capacity"] = plain(facts.product.annual_capacity)
        if claimed is None:
            return Verdict(self.absent(facts), values)
        share = Fraction(claimed) / capacity * 100
        values["share"] = shown_above(share, self.review_above_pct)
        return Verdict("manual" if share > Fraction(self.review_above_pct) else "pass", values)


class Cap(BaseModel):
    """The most that a household makes in a year of goods of these headings, in the product's own unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    codes: tuple[HsPrefix, ...] = Field(min_length=1)
    most: Amount


class HouseholdVolumeRule(EvidenceRule):
    """U-05: what a family makes in a year stays within what a household can make."""

    kind: Literal["household_volume"]
    value: ValueName
    caps: tuple[Cap, ...] = Field(min_length=1)
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "manual_no_cap": Outcome.MANUAL,
        "incomplete_hs6": Outcome.INCOMPLETE,
        MISSING: Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"hs6", "claimed", "cap"})

    def value_names(self) -> tuple[str, ...]:
        return (self.value,)

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        claimed = figure(self.item(facts), self.value)
        values: dict[str, Value] = {"hs6": seen(facts.product.hs6), "cap": None}
        values["claimed"] = None if claimed is None else plain(claimed)
        if facts.evidence is None:
            return Verdict("not_assessed", values)
        hs6 = nomenclature.six_digits(facts.product.hs6)
        if hs6 is None:
            return Verdict("incomplete_hs6", values)
        cap = next((each.most for each in self.caps if hs6.startswith(each.codes)), None)
        if cap is None:
            return Verdict("manual_no_cap", values)
        values["cap"] = plain(cap)
        if claimed is None:
            return Verdict(self.absent(facts), values)
        return Verdict("pass" if claimed <= cap else "manual", values)


class OwnedShareRule(EvidenceRule):
    """A-03: up to `review_above` percent are owned by the state, and it does not control the company otherwise."""

    kind: Literal["owned_share"]
    value: ValueName
    control_value: ValueName
    review_above: Percentage
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "manual_control": Outcome.MANUAL,
        MISSING: Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"share"})

    def value_names(self) -> tuple[str, ...]:
        return (self.value, self.control_value)

    def parameters(self) -> dict[str, Any]:
        return super().parameters() | {"review_above": plain(self.review_above)}

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        if facts.evidence is None:
            return Verdict("not_assessed", {"share": None})
        item = self.item(facts)
        share = percentage(figure(item, self.value))
        if item is None or share is None:
            return Verdict(self.absent(facts), {"share": None})
        values = {"share": shown_above(share, self.review_above)}
        if share > Fraction(self.review_above):
            return Verdict("manual", values)
        return Verdict("manual_control" if item.values.get(self.control_value) is True else "pass", values)


class LocalMaterialRule(EvidenceRule, ShareRule):
    """U-04: food is made of local raw material, by weight; a craft has its main material or its technique from here."""

    kind: Literal["local_material"]
    food_chapters: tuple[Chapter, ...] = Field(min_length=1)
    share_value: ValueName
    material_value: ValueName
    technique_value: ValueName
    materials: tuple[Word, ...] = Field(description="main materials of crafts that count as local")
    techniques: tuple[Word, ...] = Field(description="techniques of crafts that are the place's own")
    CASES: ClassVar = {
        "pass": Outcome.PASS,
        "pass_craft": Outcome.PASS,
        "manual": Outcome.MANUAL,
        "manual_craft": Outcome.MANUAL,
        "fail": Outcome.FAIL,
        "incomplete_hs6": Outcome.INCOMPLETE,
        MISSING: Outcome.INCOMPLETE,
        AWAITS_STAFF: Outcome.INCOMPLETE,
        "not_assessed": Outcome.NOT_ASSESSED,
    }
    VALUES: ClassVar = frozenset({"hs6", "share", "material", "technique"})

    @model_validator(mode="after")
    def crafts_have_a_way(self) -> Self:
        if not self.materials and not self.techniques:
            raise ValueError(f"{self.id}: neither a material nor a technique counts as local")
        return self

    def value_names(self) -> tuple[str, ...]:
        return (self.share_value, self.material_value, self.technique_value)

    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:  # noqa: ARG002 (same for every kind)
        item = self.item(facts)
        share = percentage(figure(item, self.share_value))
        material, technique = (
            item.values.get(name) if item else None for name in (self.material_value, self.technique_value)
        )
        values: dict[str, Value] = {
            "hs6": seen(facts.product.hs6),
            "share": None if share is None else self.show(share),
            "material": seen(material) if isinstance(material, str) else None,
            "technique": seen(technique) if isinstance(technique, str) else None,
        }
        if facts.evidence is None:
            return Verdict("not_assessed", values)
        hs6 = nomenclature.six_digits(facts.product.hs6)
        if hs6 is None:
            return Verdict("incomplete_hs6", values)
        if hs6[: nomenclature.CHAPTER] in self.food_chapters:
            return Verdict(self.absent(facts) if share is None else self.grade(share), values)
        if material is None and technique is None:
            return Verdict(self.absent(facts), values)
        local = material in self.materials or technique in self.techniques
        return Verdict("pass_craft" if local else "manual_craft", values)
