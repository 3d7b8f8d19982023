"""Cases of `rule_cases.toml` that are given in words only, each under its id. `-01/2` is the second half of a case."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.applications.assessment.declared_hash import compute_declared_hash, declarable_documents
from app.applications.declaration import require_declared
from app.applications.evidence.details import EvidenceDetails, EvidenceSubject, entered_json, to_facts
from app.applications.model import Evidence as Row
from app.core.errors import Conflict
from app.products.product_repository import ProductAggregate
from app.reference.territory import canonical_district_name, district_error, load_territory
from app.schemes.closed_lists import load_lists
from app.schemes.evaluator import evaluate
from app.schemes.facts import (
    Cost,
    CostPlace,
    CostStatement,
    EvidenceSubjectKind,
    HistoryFacts,
    Material,
    PastCertificate,
    SiteCapacity,
    ValueBasis,
    VisitFacts,
    VolumeClaim,
    VolumeFacts,
)
from app.schemes.material_origin import ProofState, classify_materials
from app.schemes.percentages import to_fraction
from tests.schemes.factories import (
    AZERBAIJAN,
    DAY,
    GOOD,
    HONEY,
    SCHEMES,
    D,
    bill,
    case,
    changed,
    costs,
    finding,
    item,
    material,
    product,
    residency,
    step,
    steps,
    waiting,
    with_items,
    without,
)

pytestmark = pytest.mark.pure

COIL = material("7208", "TR", "830")


def told(stated=None, labour="520", **statement):
    """Coil of 830 from abroad, of a price of 1450, with these costs and what the accountant says of them."""
    amounts = [Cost("labour", CostPlace.KARABAKH, D(labour))]
    amounts += [Cost("materials", CostPlace.ABROAD, D(stated))] if stated else []
    these = bill(COIL, cost=CostStatement(tuple(amounts)))
    figures = {name: D(figure) for name, figure in statement.items()}
    return changed("cost-statement", facts=these, **figures) if figures else these


def past(on, reason=None, **members):
    return replace(GOOD, record=HistoryFacts((PastCertificate(on, reason, **{"same_product": False, **members}),)))


def site(claims, capacities, unit="t"):
    made = tuple(VolumeClaim(name, D(volume), each, own=name == "own") for name, volume, each in claims)
    lines = tuple(SiteCapacity(each, D(volume)) for volume, each in capacities)
    return replace(product(unit=unit), volumes=VolumeFacts(made, lines))


def authority(day):
    submitted = replace(GOOD, submitted_on=date(2026, 11, 22))
    return changed("authority-to-sign", issued_on=date(2026, 11, day), facts=submitted)


def conformity(name, days, **members):
    return item("conformity-document", valid_until=DAY + timedelta(days=days), id=name, **members)


def declared(**changes):
    return replace(GOOD, declaration=replace(GOOD.declaration, **changes))


def declaration_of(first, last, on, country="AZ"):
    """Whether a supplier's declaration for that period speaks for its line on that day."""
    values = {"supplier": "A", "hs4": "7208", "country": country, "period_from": first, "period_until": last}
    paper = item("supplier-declaration", first, id="paper", **values)
    these = bill(material("7208", "AZ", "830", proofs=("paper",)), facts=with_items(paper))
    line = classify_materials(replace(these, as_of=on), SCHEMES["MIK"].ruleset.origin, load_lists()).lines[0]
    return line.state


def record_for(hs6):
    """The same production record of a site, read for another product of it."""
    record = item(
        "production-record",
        date(2026, 10, 1),
        subject=EvidenceSubjectKind.SITE,
        id="record",
        headings=("0702", "0707", "0809"),
        district="Ağdam",
        season_from=date(2026, 1, 1),
        season_until=date(2026, 9, 30),
    )
    grown = steps(step("growing"), facts=bill(facts=product(with_items(record), hs6=hs6)))
    return case("MIK", "C-06", grown)


PLOT = {"company": "Nümunə-İki", "ground": "same_plot", "alike": True}
MEMBER = {"company": "Nümunə-Üç", "ground": "common_signer", "alike": True}
RECENT = date(2026, 9, 1)
NO_VISIT = without("inspection-record")
WAIVED = replace(NO_VISIT, visit=VisitFacts(waived_because="visited by the park"))
IN_FORCE = changed(
    "inspection-record",
    issued_on=date(2025, 4, 1),
    facts=replace(GOOD, visit=VisitFacts(certificate_in_force="MIK-2026-000001")),
)
ORIGIN = {"number": "12-26", "form": "CT1", "about": "product", "country": "AZ"}


def origin_document(issued_on=date(2026, 3, 1), hs4="7306", **values):
    return with_items(item("origin-document", issued_on, hs4=hs4, **{**ORIGIN, **values}), facts=AZERBAIJAN)


def ends(kind, days):
    return changed(kind, valid_until=DAY + timedelta(days=days))


# id, mark, rule, facts, case
ROWS = [
    (
        "C-03-01",
        "MIK",
        "C-03",
        authority(27),
        "incomplete_after",
    ),
    ("C-03-02", "MIK", "C-03", authority(22), "pass"),
    ("C-07-01/1", "MIK", "C-07", bill(material("7208", "TR", "1450")), "pass"),
    ("C-07-01/2", "MIK", "C-07", bill(material("7208", "TR", "1450.01")), "fail"),
    ("C-15-03/1", "MIK", "C-15", told(stated="823"), "pass"),
    ("C-15-03/2", "MIK", "C-15", told(stated="822.7"), "incomplete_materials"),
    ("C-15-04/1", "MIK", "C-15", told(labour="627.25"), "pass"),
    ("C-15-04/2", "MIK", "C-15", told(labour="627.26"), "incomplete_price"),
    ("C-15-05", "MIK", "C-15", steps(step(), step("galvanising", "TR", None, None), facts=told()), "incomplete_place"),
    ("C-15-09/1", "MIK", "C-15", bill(material("7208", "TR", "60"), cost=costs(KARABAKH="520")), "pass"),
    ("C-15-09/2", "MIK", "C-15", bill(material("7208", "TR", "59.99"), cost=costs(KARABAKH="520")), "manual_margin"),
    ("C-15-10/1", "MIK", "C-15", told(materials_abroad="830", other_karabakh="520"), "pass"),
    ("C-15-10/2", "MIK", "C-15", told(materials_abroad="830", other_karabakh="500"), "incomplete_statement"),
    (
        "documents-01",
        "MIK",
        "C-11",
        with_items(
            conformity("old", 900, issued_on=date(2025, 1, 1)),
            conformity("new", -1),
        ),
        "pass",
    ),
    (
        "documents-02",
        "MIK",
        "C-11",
        with_items(
            conformity("longest", 900, confirmed=False),
            conformity("next", 89),
        ),
        "manual_short",
    ),
    ("documents-03", "MIK", "C-11", changed("conformity-document", subject=None), "incomplete_subject"),
    ("documents-05/1", "MIK", "C-11", ends("conformity-document", 90), "pass"),
    ("documents-05/2", "MIK", "C-11", ends("conformity-document", 89), "manual_short"),
    ("documents-05/3", "MIK", "K-11", ends("permit", 90), "pass"),
    ("documents-05/4", "MIK", "K-11", ends("permit", 89), "manual_short"),
    ("C-12-01", "MIK", "C-12", past(RECENT, "critical-nonconformity", alike=True), "manual_revoked"),
    ("C-12-02", "MIK", "C-12", past(RECENT, "critical-nonconformity", **PLOT), "manual_related"),
    ("C-12-03", "MIK", "C-12", past(RECENT, "critical-nonconformity"), "pass"),
    ("C-12-04/1", "MIK", "C-12", past(RECENT, alike=True, surrendered=True), "manual_inquiry"),
    ("C-12-04/2", "MIK", "C-12", past(date(2024, 1, 1), "false-documents", surrendered=True), "fail_fraud"),
    ("C-12-05/1", "MIK", "C-12", changed("background-check", issued_on=DAY - timedelta(days=30)), "pass"),
    ("C-12-05/2", "MIK", "C-12", changed("background-check", issued_on=DAY - timedelta(days=31)), "incomplete_old"),
    ("C-12-06/1", "MIK", "C-12", past(date(2023, 12, 1), "false-documents"), "pass"),
    ("C-12-06/2", "MIK", "C-12", past(date(2023, 12, 2), "false-documents"), "fail_fraud"),
    ("C-12-07", "MIK", "C-12", past(RECENT, "critical-nonconformity", **MEMBER), "manual_related"),
    ("C-14-02/1", "MIK", "C-14", product(hs6="220299", flags=frozenset({"energy_drink"})), "manual_flagged"),
    ("C-14-02/2", "MIK", "C-14", product(hs6="220299"), "pass_unlisted"),
    ("C-16-01", "MIK", "C-16", declared(declared_hash="of another weight"), "incomplete_changed"),
    ("C-16-02", "MIK", "C-16", declared(made_by="somebody-else"), "incomplete_authority"),
    ("C-16-03", "MIK", "C-16", changed("cost-statement", signed=False, confirmed=False), "incomplete_unsigned"),
    ("C-16-06", "MIK", "C-16", waiting("cost-statement"), "incomplete_unconfirmed"),
    (
        "C-16-07",
        "MIK",
        "C-16",
        without("cost-statement", facts=replace(GOOD, applicant=replace(GOOD.applicant, size_class="micro"))),
        "pass",
    ),
    ("C-17-01", "MIK", "C-17", NO_VISIT, "incomplete"),
    (
        "C-17-02",
        "MIK",
        "C-17",
        WAIVED,
        "pass_waived",
    ),
    ("C-17-03/1", "MIK", "C-17", changed("inspection-record", issued_on=date(2025, 12, 1)), "pass"),
    ("C-17-03/2", "MIK", "C-17", changed("inspection-record", issued_on=date(2025, 11, 30)), "incomplete_old"),
    (
        "C-17-04/1",
        "MIK",
        "C-17",
        IN_FORCE,
        "pass_in_force",
    ),
    (
        "C-17-04/2",
        "MIA",
        "C-17",
        IN_FORCE,
        "pass_in_force",
    ),
    ("C-17-05", "URVA", "C-17", changed("inspection-record", visited_by="municipality", facts=HONEY), "pass"),
    ("A-06-01", "MIA", "A-06", without("origin-document", facts=AZERBAIJAN), "not_applicable"),
    ("A-06-02", "MIA", "A-06", origin_document(hs4="7210", about="material", country="KZ"), "not_applicable"),
    ("A-06-03", "MIA", "A-06", origin_document(date(2025, 11, 1)), "not_applicable_old"),
    ("A-06-04", "MIA", "A-06", origin_document(country="TR"), "manual_country"),
    ("K-10-01/1", "MIK", "K-10", site([("own", "20000", "t"), ("2", "6400", "t")], [("24000", "t")]), "pass"),
    ("K-10-01/2", "MIK", "K-10", site([("own", "20000", "t"), ("2", "6401", "t")], [("24000", "t")]), "manual"),
    ("K-10-02", "MIK", "K-10", site([(name, "24000", "t") for name in ("own", "2", "3")], [("24000", "t")]), "manual"),
    ("K-10-03", "MIK", "K-10", site([("own", "100", "pcs")], [("24000", "t")], unit="pcs"), "incomplete_unit"),
    ("K-10-04", "MIK", "K-10", site([("own", "10000", "t"), ("own", "8000", "t")], [("10000", "t")]), "pass"),
]


@pytest.mark.parametrize(("mark", "rule", "these", "wanted"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_case_in_words(mark, rule, these, wanted):
    assert case(mark, rule, these) == wanted


def test_the_figures_of_these_cases():
    by_id = {row[0]: row[1:4] for row in ROWS}

    def value(case_id, name):
        return finding(*by_id[case_id]).values[name]

    assert value("C-07-01/1", "rvc") == "0.0"
    assert value("K-10-01/1", "share") == "110.0"
    assert value("K-10-02", "share") == "300.0"
    assert (value("K-10-04", "claimed"), value("K-10-04", "share")) == ("10000", "100.0")
    assert value("C-17-02", "reason") == "visited by the park"
    assert value("C-12-04/2", "until") == "2027-01-01"
    assert value("A-06-03", "issued_on") == "2025-11-01"


# Cases that need more than one row

AGDAM = ("Agdam", "AGHDAM", "Агдам", "Ağdam rayonu")
PRODUCT_ID, OTHER_ID, SITE_ID, OTHER_SITE = (UUID(int=number) for number in range(1, 5))
APPLICATION = UUID(int=9)
DRAFT = SimpleNamespace(id=APPLICATION, state="draft")


def paper(kind, about=None, details=None, **members):
    """A document as it is stored, stated by the applicant."""
    details = details or EvidenceDetails(date(2026, 2, 1))
    about = about or EvidenceSubject()
    return Row(
        id=UUID(int=100 + len(kind)),
        organisation_id=UUID(int=8),
        application_id=APPLICATION,
        product_ids=[str(each) for each in about.product_ids],
        site_id=about.site_id,
        kind=kind,
        issued_on=details.issued_on,
        valid_until=details.valid_until,
        number=details.number,
        stated=dict(details.values),
        entered=entered_json(about, details),
        sha256="0" * 64,
        **members,
    )


def stored_product(weight="1"):
    line = SimpleNamespace(
        name="Coil",
        hs4="7208",
        origin_country="TR",
        origin_district=None,
        claim=None,
        value=D("830"),
        weight_kg=D(weight),
        basis="cif",
        packing=False,
        supplier=None,
        proofs=[],
    )
    whole = SimpleNamespace(
        id=PRODUCT_ID,
        names={"en": "Tube"},
        hs6="730630",
        national_code=None,
        gtin=None,
        unit="t",
        brand=None,
        flags=[],
        joint_production=[],
        ex_works=D("1450"),
        site_id=SITE_ID,
    )
    return ProductAggregate(whole, (line,), (), ())


@pytest.mark.parametrize("case_id", ["districts-01"])
@pytest.mark.parametrize("name", AGDAM)
def test_a_district_in_another_spelling(case_id, name):
    assert load_territory().district_by_name(name).name == "Ağdam"
    assert canonical_district_name("AZ", name) == "Ağdam"
    assert district_error("AZ", name) is None


@pytest.mark.parametrize("case_id", ["districts-02"])
def test_a_district_that_does_not_exist(case_id):
    assert load_territory().district_by_name("Agdamm") is None
    assert "Do you mean Ağdam" in district_error("AZ", "Agdamm")


@pytest.mark.parametrize("case_id", ["documents-04"])
def test_the_permit_of_another_site_speaks_for_none(case_id):
    when = datetime(2026, 3, 1, tzinfo=UTC)
    for site_id, wanted in ((SITE_ID, "pass"), (OTHER_SITE, "incomplete_missing")):
        row = paper("permit", EvidenceSubject(site_id=site_id), confirmed_at=when)
        these = replace(GOOD, evidence=to_facts([row], PRODUCT_ID, SITE_ID))
        assert case("MIK", "K-11", these) == wanted


@pytest.mark.parametrize("case_id", ["documents-06"])
def test_a_residency_that_ends_in_29_days_ends_the_certificate(case_id):
    last = DAY + timedelta(days=29)
    ending = residency(ends_on=last)
    assert case("MIK", "K-02", ending) == "manual_short"
    assert evaluate(SCHEMES["MIK"].ruleset, ending).holds_until == last


@pytest.mark.parametrize("case_id", ["documents-07"])
def test_a_declaration_holds_24_months_from_its_start(case_id):
    period = date(2024, 1, 1), date(2027, 12, 31)
    assert declaration_of(*period, date(2026, 1, 1)) is ProofState.PROVEN
    assert declaration_of(*period, date(2026, 1, 2)) is ProofState.UNPROVEN


@pytest.mark.parametrize("case_id", ["documents-08"])
def test_one_record_speaks_for_all_products_of_its_site(case_id):
    assert [record_for(hs6) for hs6 in ("070200", "070700", "080910", "080810")] == ["pass_wo"] * 3 + [
        "incomplete_record"
    ]


@pytest.mark.parametrize("case_id", ["C-16-04"])
def test_what_staff_add_leaves_the_declared_hash_alone(case_id):
    whole, own = stored_product(), paper("conformity-document", EvidenceSubject((PRODUCT_ID,)))
    declared_then = compute_declared_hash([whole], [], declarable_documents(DRAFT, [whole], [own], None))
    own.confirmed_at, own.issued_on = datetime(2026, 12, 1, tzinfo=UTC), date(2026, 3, 1)
    visit = paper("inspection-record", EvidenceSubject(site_id=SITE_ID))
    check = paper("background-check")
    visit.entered = check.entered = None
    assert (
        compute_declared_hash([whole], [], declarable_documents(DRAFT, [whole], [own, visit, check], None))
        == declared_then
    )
    assert compute_declared_hash([stored_product(weight="2")], [], [own]) != declared_then


@pytest.mark.parametrize("case_id", ["C-16-05"])
def test_without_a_declaration_the_hash_is_named(case_id):
    declared = SimpleNamespace(hash="hash", is_covered=False)
    with pytest.raises(Conflict) as refusal:
        require_declared(declared)
    assert (refusal.value.refusal_code, refusal.value.data["declared_hash"]) == ("declaration-missing", "hash")
    require_declared(SimpleNamespace(hash="hash", is_covered=True))


PLACES = st.sampled_from([("AZ", "Ağdam"), ("AZ", "Bakı"), ("AZ", None), ("TR", None), (None, None)])
VALUES = st.decimals("0.01", "1000", places=2)
LINES = st.builds(
    lambda place, hs4, value, proven, claim: Material(
        "M",
        hs4,
        place[0],
        claim if claim is None else place[0] == "AZ",
        value,
        None,
        place[1],
        load_territory().region_of(place[1]),
        ValueBasis.DOMESTIC if place[0] == "AZ" else ValueBasis.CIF,
        proofs=("proof",) if proven else (),
    ),
    PLACES,
    st.sampled_from(["7208", "7306", "3208"]),
    VALUES,
    st.booleans(),
    st.none() | st.just(True),
)


@pytest.mark.parametrize("case_id", ["C-15-06"])
@given(
    lines=st.lists(LINES, min_size=1, max_size=4),
    karabakh=VALUES,
    elsewhere=st.just(Decimal(0)) | VALUES,
    price=st.decimals("0.5", "4000", places=2),
    district=st.sampled_from(["Ağdam", "Bakı"]),
)
def test_the_azerbaijan_share_never_exceeds_the_value_content(case_id, lines, karabakh, elsewhere, price, district):
    paper_of = item(
        "supplier-declaration",
        date(2026, 2, 1),
        id="proof",
        supplier="A",
        hs4="7208",
        country="AZ",
        district=district,
        region=load_territory().region_of(district),
        period_from=date(2026, 1, 1),
        period_until=date(2027, 1, 1),
    )
    spent = CostStatement((Cost("other", CostPlace.KARABAKH, karabakh), Cost("other", CostPlace.AZ_OTHER, elsewhere)))
    these = bill(*lines, ex_works=price, cost=spent, facts=with_items(paper_of, facts=AZERBAIJAN))
    if not case("MIA", "C-15", these).startswith(("pass", "manual")):
        return
    values = finding("MIA", "C-07", these).values
    content = (to_fraction(price) - to_fraction(D(values["inputs_value"]))) / to_fraction(price) * 100
    tolerance = max(Fraction(price) / 200, Fraction(1, 100))
    graded = finding("MIA", "A-05", these).values["share"]
    assert Fraction(graded) <= content + 100 * tolerance / to_fraction(price) + Fraction(1, 10)


IDS = [
    *(row[0] for row in ROWS),
    *("districts-01", "districts-02", "documents-04", "documents-06", "documents-07", "documents-08"),
    *("C-16-04", "C-16-05", "C-15-06"),
]
