"""A company's products: entered whole, checked all at once, read in bulk."""

import threading
from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from app.audit.model import AuditEvent
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion, VersionRequired
from app.organisations import sites
from app.products import company_products, product_repository
from app.products.inputs import CostInput, MaterialInput, ProductInput, StepInput
from app.products.model import CostKind, Place
from app.schemes.closed_lists import load_lists
from app.schemes.facts import ValueBasis
from tests.organisations.factories import NOW, VOENS, add_park, member, register, staff

pytestmark = pytest.mark.pg_sampled


def a_site(session, actor):
    add_park(session)
    return sites.create_site(
        session,
        actor,
        name="Hall 1",
        country="AZ",
        district="Ağdam",
        park_code="AGDAM-SP",
        production_started_on=None,
        now=NOW,
    )


@pytest.fixture
def actor(session):
    return member(register(session)[1])


@pytest.fixture
def entry(session, actor):
    return ProductInput(
        names={"az": "Polad boru", "en": "Steel tube "},
        hs6="730630",
        unit="t",
        site_id=a_site(session, actor).id,
        national_code="7306300001",
        gtin="9520000000011",
        brand="Boru",
        reference="P-001",
        flags=("hs_ambiguous",),
        joint_production=("TR",),
        ex_works=Decimal(1450),
        materials=(
            MaterialInput("Hot-rolled coil", "7208", "RU", False, Decimal("830.000001"), Decimal("1002.5")),
            MaterialInput(
                "Paint",
                "3208",
                "AZ",
                True,
                origin_district="Aghdam",
                basis=ValueBasis.DOMESTIC,
                packing=True,
                supplier="Boya MMC",
                proofs=(PAPER,),
            ),
            MaterialInput("Flux"),
        ),
        steps=(
            StepInput("Welding", "Weld-on", "AZ", "Агдам", is_essential=True),
            StepInput("Packing", "Packing", "AZ", "Ağdam rayonu", "Qablaşdırma MMC"),
            StepInput("Drying", "tube welding"),
        ),
        costs=(
            CostInput(CostKind.MATERIALS, Place.ABROAD, Decimal(830)),
            CostInput(CostKind.LABOUR, Place.KARABAKH, Decimal("200.25")),
        ),
    )


PAPER = UUID(int=7)


def papers(_session, _organisation_id, ids):
    """As if the company had one document."""
    return {PAPER} & set(ids)


def create(session, actor, entry):
    return company_products.create_product(session, actor, entry=entry, now=NOW, documents=papers)


def never(_session, _product_id):
    return False


def always(_session, _product_id):
    return True


def words(whole):
    """Everything of a product but its ids and times, to compare."""
    skipped = {"id", "product_id", "created_at", "updated_at"}
    rows = [whole.product, *whole.materials, *whole.steps, *whole.costs]
    return [{c.key: getattr(r, c.key) for c in r.__table__.columns if c.key not in skipped} for r in rows]


def refused(session, actor, entry):
    with pytest.raises(Invalid) as refusal:
        create(session, actor, entry)
    return [e["pointer"] for e in refusal.value.data["errors"]]


def test_what_is_entered_is_read_back(session, actor, entry):
    created = create(session, actor, entry)
    session.commit()
    session.expire_all()
    read = company_products.get_product(session, actor, created.product.id)
    assert words(read) == words(created)
    assert (read.product.names["en"], read.product.version) == ("Steel tube", 1)
    assert [(m.position, m.name, m.value, m.claim, m.packing) for m in read.materials] == [
        (1, "Hot-rolled coil", Decimal("830.000001"), False, False),
        (2, "Paint", None, True, True),
        (3, "Flux", None, None, False),
    ]
    paint, flux = read.materials[1:]
    assert (paint.origin_district, paint.basis, paint.supplier, paint.proofs) == (
        "Ağdam",
        "domestic",
        "Boya MMC",
        [str(PAPER)],
    )
    assert (flux.hs4, flux.origin_country, flux.origin_district, flux.basis, flux.proofs) == (
        None,
        None,
        None,
        None,
        [],
    )
    assert [(s.seq, s.operation, s.country, s.district, s.subcontractor) for s in read.steps] == [
        (1, "Weld-on", "AZ", "Ağdam", None),  # free text stays: a person decides
        (2, "packing", "AZ", "Ağdam", "Qablaşdırma MMC"),
        (3, "tube_welding", None, None, None),
    ]
    assert [(c.kind, c.amount) for c in read.costs] == [("labour", Decimal("200.2500")), ("materials", Decimal(830))]
    event = session.query(AuditEvent).filter_by(event="product.created").one()
    assert event.data == {"hs6": "730630", "site": str(entry.site_id)}


def test_replacing_is_whole(session, actor, entry):
    created = create(session, actor, entry)
    session.commit()
    other = ProductInput(
        names={"az": "Boru", "en": "Tube"},
        hs6="730661",
        unit="m",
        site_id=entry.site_id,
        reference="P-001",
        materials=(MaterialInput("Coil", "7210", "TR", False, Decimal(1)),),
    )
    company_products.replace_product(
        session, actor, product_id=created.product.id, version=1, entry=other, frozen=never, now=NOW
    )
    session.commit()
    session.expire_all()
    read = company_products.get_product(session, actor, created.product.id)
    assert (read.product.version, read.product.gtin, read.product.flags) == (2, None, [])
    assert ([m.name for m in read.materials], read.steps, read.costs) == (["Coil"], (), ())


def test_everything_wrong_is_told_at_once(session, actor, entry):
    wrong = replace(
        entry,
        names={"en": " ", "english": "Tube", "\ud800": "x"},
        hs6="999999",
        national_code="123456789",
        gtin="9520000000012",
        unit="",
        brand="\0",
        reference="x" * 101,
        site_id=uuid4(),
        flags=("Food", "excise", "excise", "organic", "joint_production_AZ", "joint_production_"),
        joint_production=("AZ", "XX", "TR", "TR"),
        ex_works=Decimal("NaN"),
        materials=(
            MaterialInput("", "720", "ru", True, Decimal(-1), Decimal("0.0000001")),
            MaterialInput("Coil", "9999", "RU", True, Decimal("1E+13"), origin_district="", proofs=(uuid4(),)),
            MaterialInput("Coil", "7208", "AZ", supplier="\0", origin_district="Agdan", proofs=(PAPER, PAPER)),
        ),
        steps=(StepInput("Step", "\u202e", "A", "", " "),),
        costs=(
            CostInput(CostKind.LABOUR, Place.ABROAD, Decimal("sNaN")),
            CostInput(CostKind.LABOUR, Place.ABROAD, Decimal(1)),
        ),
    )
    assert refused(session, actor, wrong) == [
        "/names/az",
        "/names/en",
        "/names",
        "/names",
        "/hs6",
        "/national_code",
        "/gtin",
        "/unit",
        "/brand",
        "/reference",
        "/ex_works",
        "/flags/0",
        "/flags/2",
        "/flags/3",
        "/flags/4",
        "/flags/5",
        "/joint_production/0",
        "/joint_production/1",
        "/joint_production/3",
        "/materials/0/name",
        "/materials/0/hs4",
        "/materials/0/origin_country",
        "/materials/0/value",
        "/materials/0/weight_kg",
        "/materials/1/hs4",
        "/materials/1/origin_district",
        "/materials/1/value",
        "/materials/2/origin_district",
        "/materials/2/supplier",
        "/materials/2/proofs",
        "/steps/0/operation",
        "/steps/0/country",
        "/steps/0/district",
        "/steps/0/subcontractor",
        "/costs/0/amount",
        "/costs/1",
        "/materials/1/proofs/0",
        "/site_id",
    ]


@pytest.mark.parametrize(
    ("hs6", "words_in_reason"),
    [
        ("80810", "leading zero of 080810"),
        ("99999", "exactly 6 digits"),
        ("7306.30", "exactly 6 digits"),
        ("٧٣٠٦٣٠", "exactly 6 digits"),
        ("", "exactly 6 digits"),
        ("730699", "no such code"),
        ("999999", "no such code"),
    ],
)
def test_codes_that_are_none(session, actor, entry, hs6, words_in_reason):
    with pytest.raises(Invalid) as refusal:
        create(session, actor, replace(entry, hs6=hs6, national_code=None))
    [error] = refusal.value.data["errors"]
    assert error["pointer"] == "/hs6"
    assert words_in_reason in error["detail"]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"national_code": "7306610001"}, "/national_code"),
        ({"gtin": "952000000001"}, "/gtin"),
        ({"gtin": "9520 000000011"}, "/gtin"),
        ({"gtin": "123"}, "/gtin"),
        ({"flags": tuple(f"f{n}" for n in range(21))}, "/flags"),
        ({"joint_production": ("TR", "GE", "RU", "IR", "DE", "FR", "IT") * 3}, "/joint_production"),
        ({"materials": (MaterialInput("Coil", "7208", "RU", True),) * 201}, "/materials"),
        ({"materials": (MaterialInput("Coil", proofs=tuple(UUID(int=n) for n in range(21))),)}, "/materials/0/proofs"),
        ({"materials": (MaterialInput("Coil", value=Decimal("-0.000001")),)}, "/materials/0/value"),
        ({"materials": (MaterialInput("Coil", value=Decimal("0.0000001")),)}, "/materials/0/value"),
        ({"materials": (MaterialInput("Coil", hs4="7299"),)}, "/materials/0/hs4"),
        ({"unit": "bushel"}, "/unit"),
        ({"steps": (StepInput("Welding", " "),)}, "/steps/0/operation"),
        ({"steps": (StepInput("Welding", "welding", "AZ", "Agdan"),)}, "/steps/0/district"),
        ({"steps": (StepInput("Welding", "welding", None, "Agdan"),)}, "/steps/0/district"),
        ({"steps": (StepInput("Welding", "welding", "AZ"),) * 101}, "/steps"),
        ({"ex_works": Decimal("1." + "0" * 40 + "1")}, "/ex_works"),
    ],
)
def test_single_faults(session, actor, entry, changed, pointer):
    assert refused(session, actor, replace(entry, **changed))[0] == pointer


@pytest.mark.parametrize("gtin", [None, "09520000000011", "9520000000011", "96385074"])
def test_gtins_of_every_length(session, actor, entry, gtin):
    assert create(session, actor, replace(entry, gtin=gtin)).product.gtin == gtin


def test_the_largest_product_goes_in(session, actor, entry):
    large = replace(
        entry,
        materials=(MaterialInput("Coil", "7208", "RU", True, Decimal("999999999999.999999")),) * 200,
        steps=(StepInput("Welding", "welding", "AZ"),) * 100,
        costs=tuple(CostInput(kind, place, Decimal("1e3")) for kind in CostKind for place in Place),
        ex_works=Decimal("-0"),
    )
    whole = create(session, actor, large)
    session.commit()
    session.expire_all()
    read = company_products.get_product(session, actor, whole.product.id)
    assert (len(read.materials), len(read.steps), len(read.costs)) == (200, 100, 21)
    assert read.materials[199].value == Decimal("999999999999.999999")
    assert str(read.product.ex_works) == "0.0000"


@pytest.mark.parametrize(("typed", "stored"), [("1000 pcs", "1000_pcs"), ("T", "t"), (" M2 ", "m2"), ("set", "set")])
def test_a_unit_is_stored_under_its_code(session, actor, entry, typed, stored):
    assert create(session, actor, replace(entry, unit=typed)).product.unit == stored


def test_an_unknown_unit_or_flag_is_refused_with_the_list(session, actor, entry):
    with pytest.raises(Invalid) as refusal:
        create(session, actor, replace(entry, unit="bushel", flags=("organic",)))
    unit, flag = refusal.value.data["errors"]
    assert all(each in unit["detail"] for each in load_lists().units)
    assert all(each in flag["detail"] for each in (*load_lists().flags, "joint_production_XX"))


def test_a_flag_of_joint_production_names_a_partner(session, actor, entry):
    flags = ("excise", "joint_production_GE", "joint_production_TR")
    made = create(session, actor, replace(entry, flags=flags, joint_production=("TR",))).product
    assert (made.flags, made.joint_production) == (["excise"], ["TR", "GE"])


def test_what_is_on_no_list_stays_until_the_next_save(session, actor, entry):
    """Rows from before the lists: shown as they are."""
    created = create(session, actor, entry)
    created.product.unit, created.product.flags = "bushel", ["organic"]
    created.product.annual_capacity = Decimal(24000)
    created.steps[0].district = "Yeni Rayon"
    session.commit()
    session.expire_all()
    read = company_products.get_product(session, actor, created.product.id)
    assert (read.product.unit, read.product.flags) == ("bushel", ["organic"])
    anew = {"product_id": created.product.id, "version": 1, "frozen": never, "now": NOW, "documents": papers}
    old = replace(entry, unit="bushel", flags=("organic",))
    with pytest.raises(Invalid) as refusal:
        company_products.replace_product(session, actor, entry=old, **anew)
    assert [each["pointer"] for each in refusal.value.data["errors"]] == ["/unit", "/flags/0"]
    company_products.replace_product(session, actor, entry=entry, **anew)
    assert (read.product.unit, read.product.annual_capacity) == ("t", 24000)  # the capacity of before is kept


def test_a_listed_document_is_one_of_the_company(session, actor, entry):
    stranger = uuid4()
    line = MaterialInput("Coil", proofs=(PAPER, stranger))
    with pytest.raises(Invalid) as refusal:
        create(session, actor, replace(entry, materials=(line,)))
    [error] = refusal.value.data["errors"]
    assert error == {
        "pointer": "/materials/0/proofs/1",
        "detail": "This is not an evidence document of your company.",
    }


def test_a_site_of_another_company_is_no_site(session, entry):
    stranger = member(register(session, VOENS[1])[1])
    assert refused(session, stranger, entry) == ["/site_id"]


def test_a_reference_is_borne_once_in_a_company(session, actor, entry):
    first = create(session, actor, entry)
    assert refused(session, actor, entry) == ["/reference"]
    assert refused(session, actor, replace(entry, reference=" P-001 ")) == ["/reference"]
    second = create(session, actor, replace(entry, reference="P-002"))
    with pytest.raises(Invalid):
        company_products.replace_product(
            session, actor, product_id=second.product.id, version=1, entry=entry, frozen=never, now=NOW
        )
    same = {"entry": entry, "documents": papers}
    company_products.replace_product(
        session, actor, product_id=first.product.id, version=1, frozen=never, now=NOW, **same
    )
    for _ in range(2):
        create(session, actor, replace(entry, reference=None))
    stranger = member(register(session, VOENS[1])[1])
    elsewhere = replace(entry, site_id=a_site(session, stranger).id)
    assert create(session, stranger, elsewhere)


def test_of_two_at_once_one_gets_the_reference(database):
    with database.session() as session:
        actor = member(register(session)[1])
        site = a_site(session, actor)
        session.commit()
    entry = ProductInput(names={"az": "Boru", "en": "Tube"}, hs6="730630", unit="t", site_id=site.id, reference="P-001")
    outcomes = []

    def create():
        with database.session() as session:
            try:
                company_products.create_product(session, actor, entry=entry, now=NOW)
                session.commit()
                outcomes.append("created")
            except Invalid as why:
                outcomes.append(why.data["errors"][0]["pointer"])

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["/reference"] * 3 + ["created"]


def test_what_lies_before_the_house_does_not_change(session, actor, entry):
    created = create(session, actor, entry)
    arguments = {"product_id": created.product.id, "version": 1, "frozen": always, "now": NOW}
    for change in (
        lambda: company_products.replace_product(session, actor, entry=entry, **arguments),
        lambda: company_products.retire_product(session, actor, **arguments),
    ):
        with pytest.raises(Conflict) as refusal:
            change()
        assert refusal.value.refusal_code == "product-frozen"


def test_a_retired_product_is_read_but_not_changed(session, actor, entry):
    created = create(session, actor, entry)
    arguments = {"product_id": created.product.id, "frozen": never, "now": NOW}
    retired = company_products.retire_product(session, actor, version=1, **arguments)
    session.commit()
    assert (retired.product.retired_at, retired.product.version) == (NOW, 2)
    assert words(company_products.get_product(session, actor, created.product.id)) == words(retired)
    with pytest.raises(Conflict) as refusal:
        company_products.replace_product(session, actor, version=2, entry=entry, **arguments)
    assert refusal.value.refusal_code == "product-retired"
    other = create(session, actor, replace(entry, reference=None))

    def listed(**query):
        return [each.product.id for each in company_products.list_products(session, actor, **query)]

    assert listed() == [other.product.id]
    assert listed(retired=True) == [created.product.id]
    assert listed(retired=None) == [created.product.id, other.product.id]
    assert listed(retired=None, after=created.product.id) == [other.product.id]
    assert listed(retired=None, limit=1) == [created.product.id]


def test_refusals_around_a_change(session, actor, entry):
    created = create(session, actor, entry)
    product_id = created.product.id
    stranger = member(register(session, VOENS[1])[1])

    def change(who=actor, which=product_id, version=1):
        return company_products.replace_product(
            session, who, product_id=which, version=version, entry=entry, frozen=never, now=NOW
        )

    with pytest.raises(NotFound):
        change(which=uuid4())
    with pytest.raises(NotFound):
        change(who=stranger)
    with pytest.raises(NotFound):
        company_products.get_product(session, stranger, product_id)
    with pytest.raises(StaleVersion):
        change(version=2)
    with pytest.raises(VersionRequired):
        change(version=None)
    for deed in (
        lambda: change(who=staff(session)),
        lambda: company_products.create_product(session, staff(session), entry=entry, now=NOW),
        lambda: company_products.list_products(session, staff(session)),
    ):
        with pytest.raises(Forbidden):
            deed()
    assert company_products.get_product(session, staff(session), product_id).product.id == product_id


def test_many_products_are_read_with_as_many_queries_as_one(session, actor, entry):
    made = [create(session, actor, replace(entry, reference=f"P-{n}")) for n in range(12)]
    ids = [each.product.id for each in made]
    session.commit()

    def queries(wanted):
        session.expunge_all()
        count = 0

        def counted(_connection, _cursor, statement, *_):
            nonlocal count
            count += statement.startswith("SELECT")

        engine = session.get_bind()
        sa.event.listen(engine, "before_cursor_execute", counted)
        found = product_repository.load_aggregates_by_id(session, wanted)
        sa.event.remove(engine, "before_cursor_execute", counted)
        assert {each: words(whole) for each, whole in found.items()} == {
            each.product.id: words(each) for each in made if each.product.id in wanted
        }
        return count

    assert queries(ids[:1]) == queries(ids) == 4
    assert product_repository.load_aggregates_by_id(session, [uuid4()]) == {}
    session.expunge_all()
    assert [row.id for row in product_repository.lock_products(session, reversed(ids))] == ids
