"""The declared hash: what moves it, and what never does. Rows are made here and never stored."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.applications.assessment.declared_hash import (
    COST_FIELDS,
    MATERIAL_FIELDS,
    PRODUCT_FIELDS,
    STEP_FIELDS,
    compute_declared_hash,
    declarable_documents,
)
from app.applications.evidence.details import EvidenceDetails, EvidenceSubject, entered_json
from app.applications.model import Application, Evidence
from app.applications.workflow import EDITABLE_STATES, OPEN_STATES, State
from app.organisations.model import Site
from app.products.model import CostItem, Material, ProcessStep, Product
from app.products.product_repository import ProductAggregate

pytestmark = pytest.mark.pure

COMPANY, APPLICATION, PRODUCT_ID, OTHER, SITE, ELSEWHERE = (UUID(int=n) for n in range(1, 7))


def a_product(**changed):
    own = {
        "names": {"az": "Boru", "en": "Tube"},
        "hs6": "730630",
        "unit": "t",
        "site_id": SITE,
        "flags": [],
        "joint_production": [],
        "ex_works": Decimal(1450),
    }
    return Product(id=PRODUCT_ID, organisation_id=COMPANY, **own | changed)


def a_material(position=1, **changed):
    own = {"name": "Coil", "hs4": "7208", "origin_country": "TR", "claim": False, "value": Decimal(830), "basis": "cif"}
    return Material(product_id=PRODUCT_ID, position=position, **{"packing": False, "proofs": []} | own | changed)


def a_step(**changed):
    own = {"seq": 1, "name": "Welding", "operation": "tube_welding", "country": "AZ", "district": "Ağdam"}
    return ProcessStep(product_id=PRODUCT_ID, **own | {"is_essential": True} | changed)


def a_cost(**changed):
    own = {"kind": "labour", "place": "KARABAKH", "amount": Decimal(563)}
    return CostItem(product_id=PRODUCT_ID, **own | changed)


def a_whole(product=None, materials=None, steps=None, costs=None):
    return ProductAggregate(
        product or a_product(), materials or (a_material(),), steps or (a_step(),), costs or (a_cost(),)
    )


def a_site(**changed):
    own = {"name": "Hall", "country": "AZ", "district": "Ağdam", "park_code": "AGDAM-SP", "source": "applicant"}
    return Site(id=SITE, organisation_id=COMPANY, **own | changed)


def a_document(
    number=1, *, kind="permit", application_id=None, product_ids=(), site_id=None, by_staff=False, **entered
):
    return Evidence(
        id=UUID(int=number + 100),
        organisation_id=COMPANY,
        application_id=application_id,
        kind=kind,
        sha256="ab" * 32,
        product_ids=[str(each) for each in product_ids],
        site_id=site_id,
        stated={},
        entered=None
        if by_staff
        else entered_json(EvidenceSubject(tuple(product_ids), site_id), EvidenceDetails()) | entered,
    )


def an_application(state=State.DRAFT):
    return Application(id=APPLICATION, organisation_id=COMPANY, state=state.value)


def hashed(whole=None, site=None, documents=()):
    return compute_declared_hash([whole or a_whole()], [site or a_site()], documents)


PLAIN = hashed()


@pytest.mark.parametrize(
    ("make", "names", "values"),
    [
        (
            lambda **c: a_whole(product=a_product(**c)),
            PRODUCT_FIELDS,
            {
                "names": {"az": "X", "en": "X"},
                "flags": ["excise"],
                "joint_production": ["TR"],
                "ex_works": Decimal(1451),
                "site_id": ELSEWHERE,
            },
        ),
        (
            lambda **c: a_whole(materials=(a_material(**c),)),
            MATERIAL_FIELDS,
            {
                "claim": None,
                "value": Decimal("830.000001"),
                "weight_kg": Decimal(1),
                "packing": True,
                "proofs": ["x"],
                "basis": "own",
            },
        ),
        (lambda **c: a_whole(steps=(a_step(**c),)), STEP_FIELDS, {"seq": 2, "is_essential": False, "country": None}),
        (lambda **c: a_whole(costs=(a_cost(**c),)), COST_FIELDS, {"amount": Decimal("563.0001"), "place": "ABROAD"}),
    ],
)
def test_every_member_that_is_entered_moves_it(make, names, values):
    for name in names:
        assert hashed(make(**{name: values.get(name, "other")})) != PLAIN, name


def test_what_the_applicant_says_of_a_site_moves_it():
    for changed in (
        {"name": "Yard"},
        {"production_started_on": date(2024, 3, 1)},
        {"district": "Füzuli"},
        {"park_code": None},
    ):
        assert hashed(site=a_site(**changed)) != PLAIN, changed


def test_what_the_register_says_of_a_site_does_not():
    of_register = hashed(site=a_site(source="register", register_key="AGDAM-SP"))
    for changed in ({"district": "Füzuli"}, {"park_code": None}, {"economic_region": "QARABAG"}):
        assert hashed(site=a_site(source="register", register_key="AGDAM-SP", **changed)) == of_register
    assert hashed(site=a_site(source="register", register_key="AGDAM-SP", name="Yard")) != of_register


def test_the_order_of_materials_and_the_spelling_of_figures_mean_nothing():
    coil, paint = a_material(1), a_material(2, name="Paint", hs4="3208")
    again = a_material(1, name="Paint", hs4="3208"), a_material(2, value=Decimal("830.000000"))
    assert hashed(a_whole(materials=(coil, paint))) == hashed(a_whole(materials=again))


def test_documents_move_it_by_what_the_applicant_stated_of_them():
    permit = hashed(documents=[a_document()])
    assert permit != PLAIN
    assert permit != hashed(documents=[a_document(issued_on="2026-01-01")])
    assert permit != hashed(documents=[a_document(kind="other")])
    assert permit != hashed(documents=[a_document(values={"a": "1"})])
    assert permit == hashed(documents=[a_document(number=9)])  # under whichever id


STAFF = st.fixed_dictionaries(
    {},
    optional={
        "stated": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
        "issued_on": st.none() | st.dates(),
        "valid_until": st.none() | st.dates(),
        "number": st.none() | st.text(max_size=5),
        "site_id": st.sampled_from([None, SITE, ELSEWHERE]),
        "product_ids": st.sampled_from([[], [str(OTHER)]]),
        "confirmed_by": st.none() | st.uuids(),
        "confirmed_at": st.none() | st.datetimes(),
        "version": st.integers(1, 9),
    },
)


@given(
    STAFF,
    st.lists(st.sampled_from(["tax-status", "inspection-record", "register-snapshot"]), max_size=3),
    st.sampled_from([None, APPLICATION]),
    st.sampled_from(sorted(State)),
)
def test_nothing_that_staff_do_moves_it(read, added, application_id, state):
    """They confirm with other values and subjects, withdraw, look up and visit."""
    application = an_application(state)
    permit = a_document(application_id=application_id, site_id=SITE)
    before = hashed(documents=declarable_documents(application, [a_whole()], [permit], None))
    for name, value in read.items():
        setattr(permit, name, value)
    more = [a_document(n, kind=kind, site_id=SITE, by_staff=True) for n, kind in enumerate(added, start=50)]
    assert hashed(documents=declarable_documents(application, [a_whole()], [*more, permit], None)) == before


def test_only_documents_about_what_is_applied_for_are_covered():
    rows = {
        "own": a_document(1, kind="photo", product_ids=[PRODUCT_ID]),
        "company": a_document(2, kind="authority-to-sign"),
        "site": a_document(3, site_id=SITE),
        "any": a_document(4, kind="other"),
        "of the application": a_document(5, kind="photo", product_ids=[], application_id=APPLICATION),
        "another product": a_document(6, kind="photo", product_ids=[OTHER]),
        "another site": a_document(7, site_id=ELSEWHERE),
        "no subject": a_document(8),
        "of staff": a_document(9, kind="tax-status", by_staff=True),
    }
    covered = declarable_documents(an_application(), [a_whole()], rows.values(), None)
    assert [name for name, row in rows.items() if row in covered] == list(rows)[:5]


@pytest.mark.parametrize("state", sorted(OPEN_STATES))
def test_under_review_a_new_document_of_the_company_changes_nothing(state):
    old, new = a_document(1, site_id=SITE), a_document(2, site_id=SITE)
    asked_for = a_document(3, kind="other", application_id=APPLICATION)
    newest = SimpleNamespace(documents=[str(old.id)])
    covered = declarable_documents(an_application(state), [a_whole()], [old, new, asked_for], newest)
    assert covered == ((old, new, asked_for) if state in EDITABLE_STATES else (old, asked_for))
