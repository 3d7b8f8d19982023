"""Honest, complete dossiers of many trades: every figure agrees, every paper is confirmed. Also used to cheat with."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from app.reference.territory import load_territory
from app.schemes.facts import (
    Applicant,
    Cost,
    CostPlace,
    CostStatement,
    DeclarationFacts,
    Evidence,
    EvidenceItem,
    EvidenceSubjectKind,
    Facts,
    HistoryFacts,
    Material,
    ParkResidencyStatus,
    Place,
    ProductFacts,
    ProductionFacts,
    RawWeight,
    Residency,
    SiteCapacity,
    SiteStage,
    Step,
    ValueBasis,
    ValueStatement,
    VisitFacts,
    VolumeClaim,
    VolumeFacts,
    ZoneFacts,
)

DAY = date(2026, 12, 1)
D = Decimal
VOEN, PERSON = "0010000101", "0010003422"
SUPPLIER = "Nümunə-Təchizat"
KARABAKH, AZ_OTHER, ABROAD = CostPlace
SITE = "Ağdam"


@dataclass(frozen=True)
class Dossier:
    """`rests_on`: line → the rules that do not pass without its proof; None stands for the unlisted own produce."""

    name: str
    mark: str
    facts: Facts
    rests_on: dict[int | None, tuple[str, ...]]
    may_be_manual: tuple[str, ...] = ()  # rules that honest facts of this kind leave to a person

    def __str__(self):
        return f"{self.mark} {self.name}"


def region(district):
    return load_territory().region_of(district)


def foreign(name, hs4, country, value, kg=None, *, packing=False):
    return Material(name, hs4, country, None, D(str(value)), kg and D(str(kg)), basis=ValueBasis.CIF, packing=packing)


def local(name, hs4, value, kg=None, district=SITE, *, packing=False):
    """Bought in Azerbaijan; `dossier` adds the supplier's declaration and lists it."""
    return Material(
        name, hs4, "AZ", True, D(str(value)), kg and D(str(kg)), district, region(district),
        ValueBasis.DOMESTIC, packing,
        SUPPLIER,
    )  # fmt: skip


def own(name, hs4, value, kg=None, district=SITE):
    """Own make with the record of the site."""
    return Material(
        name, hs4, "AZ", True, D(str(value)), kg and D(str(kg)), district, region(district), ValueBasis.OWN
    )  # fmt: skip


def step(operation, at=None, *, essential=True, sub=None):
    """Without a place: at the site of the dossier."""
    if at is None:
        return Step(0, operation.replace("_", " "), operation, None, is_essential=essential)
    abroad = len(at) == 2
    return Step(
        0, operation.replace("_", " "), operation, at if abroad else "AZ", None if abroad else at,
        None if abroad else region(at), sub, essential,
    )  # fmt: skip


def placed(each, seq, site):
    if each.country is not None:
        return replace(each, seq=seq)
    return replace(each, seq=seq, country="AZ", district=site, economic_region=region(site))


def declaration(line, material):
    values = {
        "supplier": SUPPLIER,
        "hs4": material.hs4,
        "country": "AZ",
        "district": material.origin_district,
        "region": material.origin_region,
        "period_from": date(2026, 3, 1),
        "period_until": date(2027, 2, 28),
    }
    return EvidenceItem(
        "supplier-declaration", date(2026, 3, 1), None, None, values, f"proof-{line}", EvidenceSubjectKind.PRODUCT
    )


def record(name, heading, district=SITE, ground="field", kind="production-record"):
    values = {
        "headings": (heading,),
        "district": district,
        "region": region(district),
        "season_from": date(2025, 11, 1),
        "season_until": date(2026, 10, 31),
        "quantity": "1000 kg",
        "ground": ground,
    }
    return EvidenceItem(kind, date(2026, 11, 1), None, None, values, name, EvidenceSubjectKind.SITE)


def item(kind, issued=DAY, until=None, subject=EvidenceSubjectKind.COMPANY, number=None, **values):
    return EvidenceItem(kind, issued, until, number, values, kind, subject)


def papers(hs6):
    return (
        item("tax-status", date(2026, 11, 20), taxpayer_status="active"),
        item("authority-to-sign", date(2024, 1, 10), basis="director", signer="aysel"),
        item("conformity-document", date(2025, 5, 5), date(2028, 5, 4), EvidenceSubjectKind.PRODUCT, "ASR-1"),
        item("permit", date(2025, 1, 5), date(2030, 1, 4), EvidenceSubjectKind.SITE, "ET-7"),
        item("background-check", date(2026, 11, 15), sanctions_match=False, tax_debt=False, open_complaint=False),
        item("resident-project", date(2021, 11, 22), subject=EvidenceSubjectKind.SITE, approved_goods=(hs6[:2],)),
        item("inspection-record", date(2026, 9, 9), subject=EvidenceSubjectKind.SITE, visited_by="staff",
        surveyor="R. N.",
             findings=()),
        item("ownership-statement", date(2026, 1, 5), state_share_pct=D(0)),
        item("municipality-letter", date(2026, 1, 5), date(2027, 12, 31), municipality="URVA", relation="works"),
        item("specification-check", date(2026, 10, 5), subject=EvidenceSubjectKind.PRODUCT, result="all_met"),
        item("local-material", date(2026, 10, 5), subject=EvidenceSubjectKind.PRODUCT, local_material_pct=D(100),
             main_material="wool"),
        item("trademark-search", date(2026, 10, 5), subject=EvidenceSubjectKind.PRODUCT, match="none"),
        item("food-registration", date(2025, 1, 5), date(2030, 1, 4), EvidenceSubjectKind.SITE, "AQ-9"),
    )  # fmt: skip


def agreed(facts, *, unconfirmed=False):
    """The facts with the accountant's statement as they say."""
    sums = {f"{kind}_{place.value.lower()}": D(0) for kind in ("materials", "other") for place in CostPlace}
    for line in facts.value.inputs:
        where = ABROAD
        if line.origin_country == "AZ":
            where = KARABAKH if line.origin_region in ("QARABAG", "SERQI-ZENGEZUR") else AZ_OTHER
        sums[f"materials_{where.value.lower()}"] += line.value or D(0)
    for cost in facts.cost.costs:
        sums[f"other_{cost.place.value.lower()}"] += cost.amount or D(0)
    statement = item("cost-statement", date(2026, 11, 1), subject=EvidenceSubjectKind.PRODUCT, accountant="M. K.",
        licence_no="7",
                     period_from=date(2025, 11, 1), period_until=date(2026, 10, 31), signed=True, **sums)  # fmt: skip
    rest = tuple(each for each in facts.evidence.items if each.kind != "cost-statement")
    return replace(facts, evidence=Evidence((*rest, replace(statement, confirmed=not unconfirmed))))


def dossier(
    name, hs6, exw, lines, steps, cost, *, mark="MIK", unit="t", site=SITE, more=(), rests_on=None, manual=(),
    size="medium", voen=VOEN, az_other=0, brand=None, volume=900,
):  # fmt: skip
    proofs, listed = [], []
    for number, line in enumerate(lines):
        if line.basis is ValueBasis.CIF:
            listed.append(line)
            continue
        paper = declaration(number, line) if line.basis is ValueBasis.DOMESTIC else record(f"proof-{number}", line.hs4)
        proofs.append(paper)
        listed.append(replace(line, proofs=(paper.id,)))
    home = KARABAKH if region(site) in ("QARABAG", "SERQI-ZENGEZUR") else AZ_OTHER
    parts = [("labour", "0.5"), ("energy", "0.2"), ("depreciation", "0.2"), ("quality", "0.1")]
    costs = [Cost(kind, home, D(str(cost)) * D(part)) for kind, part in parts]
    costs += [Cost("other", AZ_OTHER, D(str(az_other)))] if az_other else []
    facts = Facts(
        as_of=DAY,
        submitted_on=date(2026, 11, 25),
        product=ProductFacts(hs6, name, f"Nümunə {hs6}", unit=unit, brand=brand),
        applicant=Applicant(voen, "Nümunə", "MMC" if voen == VOEN else "fiziki şəxs", size),
        place=Place(region(site), site, "AGDAM-SP" if site == SITE else None),
        production=ProductionFacts("AZ", date(2024, 5, 1)),
        residency=Residency(
            ParkResidencyStatus.RESIDENT, voen, "AGSP-R-2021-001", date(2021, 11, 22), stage=SiteStage.OPERATING,
            confirmed_on=date(2026, 11, 20),
        )
        if mark == "MIK"
        else Residency(ParkResidencyStatus.NONE, confirmed_on=date(2026, 11, 20)),
        value=ValueStatement(D(str(exw)), tuple(listed)),
        cost=CostStatement(tuple(costs)),
        steps=tuple(placed(each, number + 1, site) for number, each in enumerate(steps)),
        raw_weight=RawWeight(None),
        evidence=Evidence((*papers(hs6), *proofs, *more)),
        record=HistoryFacts(),
        zone=ZoneFacts("industrial_park" if mark == "MIK" else None),
        other_brands=("Qusar bağı",),
        volumes=VolumeFacts((VolumeClaim("p1", D(volume), unit, own=True),), (SiteCapacity(unit, D(1000)),)),
        declaration=DeclarationFacts("h1", "2026.1", "h1", "2026.1", date(2026, 11, 25), "aysel", "Aysel N."),
        visit=VisitFacts(),
    )  # fmt: skip
    return Dossier(name, mark, agreed(facts), rests_on or {}, tuple(manual))


def all_dossiers():
    d = dossier
    jar = foreign("Jar", "7010", "TR", 150, packing=True)
    return (
        d(
            "Welded steel tube",
            "730630",
            1450,
            [foreign("Coil", "7208", "TR", 830)],
            [
                step("uncoiling", essential=False),
                step("tube_welding"),
                step("testing", essential=False),
                step("packing", essential=False),
            ],
            570,
        ),
        d(
            "Polyethylene pipe",
            "391721",
            3600,
            [foreign("Granulate", "3901", "SA", 1900)],
            [step("plastic_extrusion"), step("coiling", essential=False)],
            1400,
        ),
        d(
            "PVC window",
            "392520",
            260,
            [
                local("Profile", "3916", 60, district="Bakı"),
                foreign("Glass", "7005", "TR", 40),
                foreign("Fittings", "8302", "TR", 20),
            ],
            [step("profile_welding"), step("window_glazing")],
            110,
            unit="pcs",
        ),
        d(
            "Facade plaster",
            "321490",
            420,
            [
                foreign("Binder", "3905", "TR", 90),
                foreign("Cellulose ether", "3912", "DE", 30),
                local("Sand", "2505", 60),
                foreign("Bag", "4819", "TR", 12, packing=True),
            ],
            [step("sifting", essential=False), step("mortar_blending"), step("bagging", essential=False)],
            160,
        ),
        d(
            "Concrete block",
            "681011",
            110,
            [
                local("Cement", "2523", 35, district="Bakı"),
                local("Sand", "2505", 12),
                foreign("Admixture", "3824", "TR", 4),
            ],
            [step("concrete_casting")],
            45,
            unit="m3",
        ),
        d(
            "Prefabricated panel",
            "681091",
            310,
            [
                foreign("Rebar", "7214", "TR", 70),
                local("Cement", "2523", 60, district="Bakı"),
                local("Gravel", "2517", 25),
            ],
            [step("reinforced_casting")],
            110,
            unit="m3",
        ),
        d(
            "Leather shoes",
            "640399",
            72,
            [foreign("Leather", "4107", "TR", 24), foreign("Soles", "6406", "TR", 8)],
            [step("upper_making"), step("lasting")],
            31,
            unit="pair",
        ),
        d(
            "Vinyl wallpaper",
            "481420",
            24,
            [foreign("Base paper", "4805", "RU", 7), foreign("PVC", "3904", "TR", "4.5")],
            [step("wallpaper_printing")],
            10,
            unit="roll",
        ),
        d(
            "Industrial fan",
            "841459",
            640,
            [foreign("Motor", "8501", "CN", 210), foreign("Sheet", "7210", "RU", 70)],
            [step("stamping"), step("final_assembly"), step("testing", essential=False)],
            240,
            unit="pcs",
        ),
        d(
            "Control board",
            "853710",
            1900,
            [foreign("Breakers", "8536", "TR", 700), foreign("Parts", "8538", "CN", 250)],
            [step("panel_wiring"), step("control_system_building")],
            780,
            unit="pcs",
        ),
        d(
            "Copper cable",
            "854449",
            5.2,
            [foreign("Wire rod", "7408", "RU", 2), foreign("PVC", "3904", "TR", "0.5")],
            [step("conductor_stranding"), step("cable_insulating")],
            "1.9",
            unit="m",
        ),
        d(
            "Fruit jam",
            "200799",
            3900,
            [local("Quince", "0808", 900, 820), foreign("Sugar", "1701", "BR", 300, 170), jar],
            [step("washing", essential=False), step("cooking_preserving"), step("filling", essential=False)],
            1400,
            rests_on={0: ("C-10",)},
        ),
        d(
            "Wheat flour",
            "110100",
            520,
            [local("Wheat", "1001", 300, 1300)],
            [step("cleaning", essential=False), step("milling"), step("bagging", essential=False)],
            120,
            rests_on={0: ("C-10",)},
        ),
        d(
            "Mountain honey",
            "040900",
            28,
            [foreign("Jar", "7010", "TR", "1.2", packing=True)],
            [step("beekeeping"), step("filling", essential=False)],
            14,
            unit="kg",
            more=[record("record", "0409", ground="hives")],
            size="micro",
            rests_on={None: ("C-06", "C-10")},
        ),
        d(
            "Fresh tomatoes",
            "070200",
            900,
            [foreign("Seed", "1209", "NL", 40, 1), foreign("Fertiliser", "3102", "RU", 90)],
            [step("growing"), step("sorting", essential=False)],
            400,
            more=[record("record", "0702")],
            rests_on={None: ("C-06", "C-10")},
        ),
        d(
            "Marble blocks",
            "251512",
            300,
            [foreign("Saw wire", "6804", "IT", 12)],
            [step("mining"), step("cutting", essential=False)],
            150,
            more=[record("record", "2515", ground="quarry")],
            rests_on={None: ("C-06",)},
        ),
        d(
            "Marble slabs",
            "680221",
            60,
            [own("Blocks", "2515", 14), foreign("Abrasive", "6804", "IT", 3)],
            [step("stone_working"), step("polishing", essential=False)],
            22,
            unit="m2",
        ),
        d(
            "Mineral water",
            "220110",
            "0.6",
            [foreign("Bottle", "3923", "TR", "0.09", packing=True)],
            [step("water_abstraction"), step("bottling")],
            "0.3",
            unit="l",
            more=[record("record", "2201", ground="water-licence")],
            rests_on={None: ("C-06", "C-10")},
        ),
        d(
            "Raw milk",
            "040120",
            "0.9",
            [foreign("Feed", "2309", "RU", "0.2", "0.3")],
            [step("raising"), step("cooling", essential=False)],
            "0.4",
            unit="l",
            more=[record("record", "0401", ground="herd")],
            rests_on={None: ("C-06", "C-10")},
        ),
        d(
            "White cheese",
            "040610",
            9,
            [local("Milk", "0401", 4, 8), foreign("Salt", "2501", "TR", "0.1", "0.2")],
            [step("cheese_making")],
            "3.2",
            unit="kg",
            rests_on={0: ("C-10",)},
        ),
        d(
            "Dried apples",
            "081330",
            8,
            [local("Apples", "0808", 3, 7)],
            [step("washing", essential=False), step("drying")],
            "3.5",
            unit="kg",
            rests_on={0: ("C-10",)},
        ),
        d(
            "Pomegranate juice",
            "200989",
            2600,
            [own("Pomegranates", "0810", 900, 1000), foreign("Bottle", "7010", "RU", 200, packing=True)],
            [step("juice_pressing"), step("pasteurising"), step("bottling", essential=False)],
            900,
            rests_on={0: ("C-10",)},
        ),
        d(
            "Oak table",
            "940360",
            180,
            [
                local("Oak boards", "4407", 40, district="Bakı"),
                foreign("Fittings", "8302", "TR", 15),
                foreign("Lacquer", "3208", "TR", 8),
            ],
            [step("joinery"), step("furniture_assembly"), step("polishing", essential=False)],
            85,
            unit="pcs",
        ),
        d(
            "Tufted carpet",
            "570339",
            19,
            [foreign("Yarn", "5402", "TR", 8)],
            [step("tufting"), step("carpet_finishing")],
            8,
            unit="m2",
        ),
        d(
            "Hand-knotted rug",
            "570110",
            400,
            [local("Wool yarn", "5106", 90)],
            [step("hand_knotting"), step("washing")],
            200,
            unit="m2",
        ),
        d(
            "Gypsum board",
            "680911",
            3.1,
            [local("Gypsum", "2520", "0.8", district="Bakı"), foreign("Liner", "4804", "RU", "0.4")],
            [step("gypsum_board_forming")],
            "1.4",
            unit="m2",
        ),
        d(
            "Laminated glass",
            "700729",
            100,
            [local("Tempered glass", "7007", 46), foreign("Film", "3920", "BE", 18)],
            [step("glass_tempering")],
            30,
            unit="m2",
            rests_on={0: ("C-06", "K-06")},
        ),
        d(
            "Ready-mixed concrete",
            "382450",
            105,
            [local("Cement", "2523", 40), local("Admixture", "3824", 25), foreign("Pigment", "3206", "TR", 2)],
            [step("concrete_batching")],
            30,
            unit="m3",
        ),
        d(
            "Roofing membrane",
            "680710",
            "6.2",
            [foreign("Bitumen", "2713", "RU", 2), foreign("Glass mat", "7019", "CN", "1.1")],
            [step("bitumen_coating")],
            "2.4",
            unit="m2",
        ),
        d(
            "Safety shoes",
            "640340",
            88,
            [foreign("Leather", "4107", "TR", 30), foreign("Soles", "6406", "TR", 12)],
            [step("upper_making"), step("sole_moulding")],
            36,
            unit="pair",
        ),
        # Honest, and rightly for a person.
        d(
            "Cut tobacco leaf",
            "240120",
            9800,
            [local("Leaf", "2401", 6500)],
            [step("tobacco_fermenting")],
            2500,
            manual=["C-14"],
            rests_on={0: ("C-06", "K-06")},
        ),
        d(
            "Distribution board",
            "853710",
            1900,
            [foreign("Breakers", "8536", "TR", 700), foreign("Parts", "8538", "CN", 250)],
            [step("panel_wiring")],
            780,
            unit="pcs",
            manual=["C-08"],
        ),
        d(
            "Steel structure",
            "730890",
            3100,
            [foreign("Sections", "7216", "TR", 1500)],
            [step("structure_welding"), step("galvanising", "Bakı", essential=False, sub="Nümunə-Sink")],
            1150,
            az_other=150,
            manual=["K-08"],
        ),
        # Made in Azerbaijan, outside the park.
        d(
            "Pasta",
            "190219",
            900,
            [local("Flour", "1101", 420, 1000, "Bakı"), foreign("Film", "3920", "TR", 40)],
            [step("pasta_making")],
            300,
            mark="MIA",
            site="Bakı",
            rests_on={0: ("C-10",)},
        ),
        d(
            "Sunflower oil",
            "151219",
            1900,
            [local("Seed", "1206", 900, 2300, "Bakı")],
            [step("oil_pressing")],
            500,
            mark="MIA",
            site="Bakı",
            rests_on={0: ("C-10",)},
        ),
        d(
            "Cotton shirt",
            "620520",
            22,
            [foreign("Cloth", "5208", "TR", 8), foreign("Buttons", "9606", "CN", "0.4")],
            [step("making_up"), step("ironing", essential=False)],
            9,
            mark="MIA",
            site="Bakı",
            unit="pcs",
        ),
        d(
            "Emulsion paint",
            "320910",
            1800,
            [foreign("Resin", "3906", "TR", 500), local("Chalk", "2508", 80, None, "Bakı")],
            [step("paint_making")],
            600,
            mark="MIA",
            site="Bakı",
        ),
        # A family brand.
        d(
            "Urva honey",
            "040900",
            28,
            [foreign("Jar", "7010", "TR", "1.2", packing=True)],
            [step("beekeeping")],
            14,
            mark="URVA",
            site="Qusar",
            unit="kg",
            voen=PERSON,
            size="micro",
            brand="Nümunələr",
            more=[record("record", "0409", "Qusar", "hives", "grower-letter")],
            rests_on={None: ("C-06", "C-10")},
        ),
        d(
            "Urva socks",
            "611594",
            9,
            [local("Wool yarn", "5106", 3, None, "Qusar")],
            [step("hand_knitting")],
            4,
            mark="URVA",
            site="Qusar",
            unit="pair",
            voen=PERSON,
            size="micro",
            brand="Nümunələr",
            volume=300,
        ),
    )


DOSSIERS = all_dossiers()
