"""Define materials, steps and costs per unit of the demo's products, which agree with each other.

The value of foreign materials, their headings and both shares of cost are those of `app/demo/sample/products.csv`; a
test compares them. The flour of K01 is in this module only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

KARABAKH, AZ_OTHER = "KARABAKH", "AZ_OTHER"


@dataclass(frozen=True, slots=True)
class Line:
    """Describe a material: from abroad at its CIF value, or bought in Azerbaijan from a supplier who declares it."""

    name: str
    hs4: str
    value: str
    country: str = "TR"
    district: str | None = None
    supplier: str | None = None
    weight_kg: str | None = None
    packing: bool = False

    @property
    def is_claimed(self) -> bool:
        """Return whether it is stated to originate in Azerbaijan, which requires a proof."""
        return self.country == "AZ"


def local(name: str, hs4: str, value: str, *, of: str, district: str, weight_kg: str | None = None) -> Line:
    return Line(name, hs4, value, "AZ", district, of, weight_kg)


@dataclass(frozen=True, slots=True)
class Work:
    """Describe a step at the site. `operation`: code of the list of operations."""

    name: str
    operation: str
    is_essential: bool = False


@dataclass(frozen=True, slots=True)
class Make:
    """Describe how a product is made. `costs`: place → kind → AZN per unit, without materials."""

    materials: tuple[Line, ...]
    steps: tuple[Work, ...]
    costs: Mapping[str, Mapping[str, str]]


def costs(labour: str, energy: str, depreciation: str, quality: str | None = None) -> Mapping[str, Mapping[str, str]]:
    """Return the costs of a site in Karabakh, and of tests in a laboratory elsewhere in the country."""
    here = {KARABAKH: {"labour": labour, "energy": energy, "depreciation": depreciation}}
    return here | ({AZ_OTHER: {"quality": quality}} if quality else {})


CEMENT, QUARRY = "Nümunə-Sement MMC", "Nümunə-Karxana MMC"
PACKING = Work("Packing", "packing")

FLOUR: Mapping[str, str] = {
    "product_id": "K01-1",
    "owner_id": "K01",
    "name_az": "Buğda unu",
    "name_en": "Wheat flour",
    "hs6": "110100",
    "unit": "t",
    "ex_works_azn": "620",
    "flags": "food",
    "annual_capacity": "9000",
    "sample_gtin13": "",
}
OWN_ROWS = (FLOUR,)

MADE: Mapping[str, Make] = {
    "P001": Make(
        (Line("Hot-rolled coil", "7208", "830"),),
        (
            Work("Slitting the coil", "slitting"),
            Work("Forming and welding", "tube_welding", is_essential=True),
            Work("Testing", "testing"),
        ),
        costs("320", "143", "100", "14"),
    ),
    "P002": Make(
        (Line("Hot-rolled coil", "7208", "860"),),
        (
            Work("Slitting the coil", "slitting"),
            Work("Forming and welding", "tube_welding", is_essential=True),
            Work("Testing", "testing"),
        ),
        costs("316", "141", "102", "15"),
    ),
    "P003": Make(
        (Line("Polyethylene granulate", "3901", "2150"),),
        (Work("Extrusion", "plastic_extrusion", is_essential=True), Work("Coiling", "coiling")),
        costs("560", "470", "310", "35"),
    ),
    "P004": Make(
        (Line("PVC compound", "3904", "1980"),),
        (Work("Extrusion", "plastic_extrusion", is_essential=True), Work("Cutting to length", "cutting")),
        costs("341", "290", "190", "28"),
    ),
    "P005": Make(
        (Line("Angles and beams", "7216", "1250"), Line("Coated sheet", "7210", "400")),
        (
            Work("Cutting", "cutting"),
            Work("Fabricating and welding", "structure_welding", is_essential=True),
            Work("Painting", "painting"),
        ),
        costs("780", "210", "330", "30"),
    ),
    "P007": Make(
        (
            Line("Redispersible polymer", "3905", "80"),
            Line("Cellulose ether", "3912", "40"),
            local("Cement", "2523", "60", of=CEMENT, district="Ağdam"),
            local("Quartz sand", "2505", "36", of=QUARRY, district="Tərtər"),
        ),
        (Work("Dosing and blending by recipe", "mortar_blending", is_essential=True), Work("Bagging", "bagging")),
        costs("90", "50", "40", "4"),
    ),
    "P010": Make(
        (
            Line("Ribbed bars in coils", "7213", "40"),
            Line("Reinforcing bars", "7214", "15"),
            local("Cement", "2523", "75", of=CEMENT, district="Ağdam"),
            local("Gravel", "2517", "45", of=QUARRY, district="Tərtər"),
        ),
        (
            Work("Bending the bars", "bending"),
            Work("Reinforcing, casting and curing", "reinforced_casting", is_essential=True),
        ),
        costs("70", "20", "22", "3"),
    ),
    "P013": Make(
        (Line("Paint-coated sheet in coils", "7210", "1560"),),
        (Work("Roll forming", "roll_forming", is_essential=True), Work("Cutting to length", "cutting")),
        costs("150", "69", "60", "19"),
    ),
    "P015": Make(
        (Line("Petroleum bitumen", "2713", "2.10"), Line("Glass fleece", "7019", "1.20")),
        (Work("Coating the fleece with bitumen", "bitumen_coating", is_essential=True), PACKING),
        costs("1.20", "0.84", "0.60", "0.06"),
    ),
    "P016": Make(
        (Line("Electric motor", "8501", "230", "CN"), Line("Zinc-coated sheet", "7210", "115")),
        (
            Work("Stamping blades and housing", "stamping", is_essential=True),
            Work("Final assembly", "final_assembly", is_essential=True),
            Work("Testing", "testing"),
        ),
        costs("160", "45", "60", "7"),
    ),
    "P017": Make(
        (Line("Zinc-coated sheet", "7210", "19"),),
        (Work("Forming and seaming", "duct_forming", is_essential=True), PACKING),
        costs("10.20", "3", "4", "0.36"),
    ),
    "P019": Make(
        (Line("Valves", "8481", "80"), Line("Steel tube", "7306", "32")),
        (
            Work("Turning and drilling", "machining", is_essential=True),
            Work("Assembly", "assembly"),
            Work("Pressure test", "testing"),
        ),
        costs("52", "16", "22", "2"),
    ),
    "P041": Make(
        (Line("Polymer film", "3920", "2000", "CN"), Line("Adhesive", "3506", "900")),
        (
            Work("Coating the film with adhesive", "adhesive_coating", is_essential=True),
            Work("Slitting into rolls", "slitting"),
            PACKING,
        ),
        costs("900", "700", "537", "51"),
    ),
    "P043": Make(
        (
            Line("Admixture", "3824", "6"),
            local("Cement", "2523", "45", of=CEMENT, district="Ağdam"),
            local("Sand", "2505", "12", of=QUARRY, district="Tərtər"),
            local("Gravel", "2517", "13", of=QUARRY, district="Tərtər"),
        ),
        (Work("Batching by recipe", "concrete_batching", is_essential=True), Work("Transport", "transporting")),
        costs("10", "5", "7", "2"),
    ),
    "P045": Make(
        (),
        (Work("Beekeeping and extraction", "beekeeping", is_essential=True), Work("Filling into jars", "filling")),
        {AZ_OTHER: {"labour": "14", "energy": "1", "other": "3"}},
    ),
    "K01-1": Make(
        (
            local("Wheat", "1001", "420", of="Nümunə-Taxıl fermer təsərrüfatı", district="Tərtər", weight_kg="1330"),
            Line("Woven bags", "6305", "12", packing=True),
        ),
        (
            Work("Cleaning", "cleaning"),
            Work("Milling", "milling", is_essential=True),
            Work("Bagging", "bagging"),
        ),
        costs("55", "38", "30", "4"),
    ),
}


def product_body(row: Mapping[str, str], site: Mapping[str, Any], proofs: Mapping[str, str]) -> dict[str, Any]:
    """Return the body of `POST /v1/products` for this site. `proofs`: heading → id of its proof of origin."""
    made = MADE[row["product_id"]]
    return {
        "names": {"az": row["name_az"], "en": row["name_en"]},
        "hs6": row["hs6"],
        "unit": row["unit"],
        "site_id": site["id"],
        "gtin": row["sample_gtin13"] or None,
        "reference": row["product_id"],
        "flags": [flag for flag in row["flags"].split(";") if flag],
        "ex_works": row["ex_works_azn"],
        "materials": [_material(line, proofs) for line in made.materials],
        "steps": [_step(work, site["district"]) for work in made.steps],
        "costs": [
            {"kind": kind, "place": place, "amount": amount}
            for place, kinds in made.costs.items()
            for kind, amount in kinds.items()
        ],
    }


def _material(line: Line, proofs: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": line.name,
        "hs4": line.hs4,
        "origin_country": line.country,
        "origin_district": line.district,
        "originating": line.is_claimed,
        "value": line.value,
        "basis": "domestic" if line.is_claimed else "cif",
        "weight_kg": line.weight_kg,
        "packing": line.packing,
        "supplier": line.supplier,
        "proofs": [proofs[line.hs4]] if line.hs4 in proofs else [],
    }


def _step(work: Work, district: str) -> dict[str, Any]:
    return {
        "name": work.name,
        "operation": work.operation,
        "country": "AZ",
        "district": district,
        "is_essential": work.is_essential,
    }


def claimed_lines(code: str) -> tuple[Line, ...]:
    return tuple(line for line in MADE[code].materials if line.is_claimed)


def sums(code: str) -> dict[str, str]:
    """Return the sums of a cost statement by its value names: materials and other costs by place."""
    made = MADE[code]
    stated: dict[str, str] = {}
    for name, place in (("karabakh", KARABAKH), ("az_other", AZ_OTHER)):
        stated[f"other_{name}"] = _sum(made.costs.get(place, {}).values())
    stated["materials_karabakh"] = _sum(line.value for line in made.materials if line.is_claimed)
    stated["materials_abroad"] = _sum(line.value for line in made.materials if not line.is_claimed)
    return stated


def _sum(amounts: Iterable[str]) -> str:
    return str(sum((Decimal(amount) for amount in amounts), Decimal(0)))
