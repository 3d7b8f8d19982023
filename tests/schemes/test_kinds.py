"""Kinds of rules with other parameters than those of the marks: a further mark needs no further Python."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemes.facts import Cost, CostPlace, CostStatement, ParkResidencyStatus, VolumeClaim
from app.schemes.material_origin import OriginSettings
from app.schemes.rules.condition import FACT_READERS, read_fact
from app.schemes.rules.names import similarity
from tests.schemes.factories import (
    AZERBAIJAN,
    CONTEXT,
    DAY,
    GOOD,
    HONEY,
    D,
    answer,
    bill,
    changed,
    costs,
    facts,
    finding,
    made,
    material,
    product,
    residency,
    shares,
    step,
    steps,
    waiting,
    without,
)
from tests.schemes.test_eligibility import ANY_FACTS

pytestmark = pytest.mark.pure

PERMIT = {"kind": "evidence", "evidence": "permit"}
STATUS = {"kind": "evidence", "evidence": "tax-status", "value": "taxpayer_status"}
LATER = DAY + timedelta(days=1)
OLD_STATUS = changed("tax-status", issued_on=date(2026, 1, 1))
LETTER = {"place": "municipality", "evidence": "municipality-letter", "value": "municipality"}


@pytest.mark.parametrize(
    ("parameters", "these", "case"),
    [
        (PERMIT | {"max_age_days": 30}, GOOD, "pass"),
        (PERMIT | {"max_age_days": 30}, changed("permit", issued_on=DAY - timedelta(days=31)), "manual_old"),
        (PERMIT | {"max_age_months": 2, "old": "incomplete"}, changed("permit", issued_on=None), "incomplete_old"),
        (PERMIT | {"max_age_months": 2}, changed("permit", issued_on=date(2026, 10, 1)), "pass"),
        (PERMIT | {"max_age_months": 2}, changed("permit", issued_on=date(2026, 9, 30)), "manual_old"),
        (PERMIT | {"max_age_months": 2, "old": "incomplete"}, changed("permit", issued_on=LATER), "incomplete_old"),
        (PERMIT | {"missing": "pass"}, without("permit"), "pass_none"),
        (PERMIT | {"missing": "pass"}, changed("permit", issued_on=LATER), "pass_none"),
        (PERMIT | {"missing": "manual"}, changed("permit", issued_on=LATER), "manual_missing"),
        (PERMIT | {"missing": "not_applicable"}, without("permit"), "not_applicable"),
        (PERMIT | {"where": {"form": ["other"]}}, GOOD, "incomplete_missing"),
        (PERMIT | {"fail_after_days": 0}, changed("permit", valid_until=DAY - timedelta(days=1)), "fail_expired"),
        (PERMIT | {"goods": ["04"]}, GOOD, "not_applicable"),
        (PERMIT | {"goods": ["04"]}, product(hs6="7306"), "incomplete_hs6"),
        (
            STATUS | {"old": "incomplete", "max_age_days": 9},
            changed("tax-status", issued_on=date(2026, 1, 1)),
            "incomplete_old",
        ),
        (STATUS | {"review": ["suspended"]}, changed("tax-status", taxpayer_status="suspended"), "manual"),
        (STATUS, changed("tax-status", taxpayer_status=True), "pass"),
        (STATUS | {"accepted": ["active"], "missing": "incomplete"}, waiting("tax-status"), "incomplete_unconfirmed"),
    ],
)
def test_other_questions_to_a_document(parameters, these, case):
    assert answer(made(**parameters), these) == case


def test_an_old_document_whose_successor_waits_is_with_the_staff():
    old = (
        changed("permit", issued_on=date(2024, 1, 1), id="old")
        if False
        else changed("permit", issued_on=date(2024, 1, 1))
    )
    newer = replace(next(each for each in GOOD.evidence.items if each.kind == "permit"), confirmed=False, id="newer")
    both = replace(old, evidence=replace(old.evidence, items=(*old.evidence.items, newer)))
    rule = made(**PERMIT, max_age_days=30, old="incomplete")
    assert (answer(rule, old), answer(rule, both)) == ("incomplete_old", "incomplete_unconfirmed")


CODES = {"kind": "listed", "codes": ["7306"]}


@pytest.mark.parametrize(
    ("parameters", "flags", "case"),
    [
        (CODES | {"flags": ["food"]}, {"food"}, "manual_flagged"),
        (CODES | {"flags": ["food"], "listed": "fail"}, {"food"}, "fail_listed"),
        (CODES | {"flags": ["food"], "listed": "manual"}, {"food"}, "manual_listed"),
        (CODES | {"flags": ["food"], "flagged": "pass"}, {"food"}, "pass_listed"),
        (CODES | {"flags": ["food"]}, set(), "pass_listed"),
        ({"kind": "listed", "list": "flags", "flags": ["food"], "flagged": "fail"}, {"food"}, "fail_flagged"),
    ],
)
def test_of_a_code_and_a_flag_the_worse_answer_counts(parameters, flags, case):
    assert answer(made(**parameters), product(flags=frozenset(flags))) == case


def test_a_list_of_residents_only():
    rule = made("listed", codes=["7306"], residents_only=True)
    assert answer(rule) == "pass_listed"
    assert answer(rule, residency(status=ParkResidencyStatus.NONE)) == "not_applicable"
    assert answer(rule, replace(GOOD, residency=None)) == "not_assessed"


def test_a_list_in_a_document_that_is_missing_may_be_asked_for():
    rule = made("listed", list="document", evidence="resident-project", value="approved_goods", unknown="incomplete")
    assert answer(rule, without("resident-project")) == "incomplete_unknown"
    assert answer(rule, changed("resident-project", approved_goods=())) == "incomplete_unknown"


def branch(fact, **test):
    return made("condition", fact=fact, branches=[{"case": "pass", **test}], otherwise="fail")


@pytest.mark.parametrize(
    ("rule", "these", "case"),
    [
        (branch("product.heading", any_of=["7306"]), GOOD, "pass"),
        (branch("product.chapter", none_of=["73"]), GOOD, "fail"),
        (branch("product.hs6", begins_with=["73"]), GOOD, "pass"),
        (branch("product.unit", any_of=["kg"]), GOOD, "fail"),
        (branch("product.hs6", begins_with=["04"]), GOOD, "fail"),
        (branch("site.park", any_of=["AGDAM-SP"]), GOOD, "pass"),
        (branch("site.park", any_of=["none"]), HONEY, "pass"),
        (branch("site.district", any_of=["Ağdam"]), GOOD, "pass"),
        (branch("site.region", any_of=["QARABAG"]), GOOD, "pass"),
        (branch("site.region", any_of=["QARABAG"]), replace(GOOD, place=None), "not_assessed"),
        (branch("site.stage", any_of=["operating"]), residency(stage=None), "incomplete"),
        (branch("residency.status", any_of=["resident"]), GOOD, "pass"),
        (branch("residency.status", any_of=["resident"]), residency(status=None), "incomplete"),
        (branch("applicant.legal_form", any_of=["MMC"]), GOOD, "pass"),
        (branch("applicant.size_class", any_of=["micro"]), HONEY, "pass"),
        (branch("product.brand", any_of=["x"]), GOOD, "incomplete"),
        (branch("product.hs6", above=3), GOOD, "fail"),
        (branch("site.district", by_the_day=True), GOOD, "fail"),
        (branch("site.zone_kind", begins_with=["industrial"]), GOOD, "pass"),
        (branch("evidence:resident-project.approved_goods", any_of=["x"]), GOOD, "fail"),
        (branch("evidence:volume-statement.claimed_volume", at_least=1000, at_most=1000), GOOD, "pass"),
        (branch("evidence:volume-statement.claimed_volume", below=1000), GOOD, "fail"),
        (branch("evidence:volume-statement.claimed_volume", above=1), GOOD, "pass"),
        (branch("evidence:tax-status.taxpayer_status", above=1), GOOD, "fail"),
        (branch("evidence:municipality-letter.municipality", any_of=["URVA"]), GOOD, "incomplete"),
    ],
)
def test_other_conditions(rule, these, case):
    assert answer(rule, these) == case
    assert (rule.source is None) == rule.fact.startswith("evidence:")


def test_every_fact_can_be_read_of_any_product():
    for name in FACT_READERS:
        assert read_fact(name, GOOD) is not None or name == "product.brand"
    assert read_fact("applicant.person", replace(GOOD, applicant=replace(GOOD.applicant, voen="0010000103"))) is None


def test_the_bounds_of_branches_are_there_for_the_reasons():
    rule = branch("evidence:volume-statement.claimed_volume", at_least=10, at_most=20)
    known = {name: rule.parameters()[name] for name in ("at_least", "above", "at_most", "below")}
    assert known == {"at_least": "10", "above": None, "at_most": "20", "below": None}


def test_a_territory_may_be_a_district_and_may_have_places_for_review():
    rule = made("territory", accepted=["MIK_CORE"])
    assert answer(rule, facts(site="Laçın")) == "fail"
    letter = made("territory", **LETTER, accepted=["A"])
    context = replace_sets(A=frozenset({"URVA"}), B=frozenset({"QUSAR"}))
    assert answer(letter, HONEY, context) == "pass"
    other = made(
        "territory",
        place="municipality",
        evidence="municipality-letter",
        value="municipality",
        accepted=["B"],
        review=["A"],
    )
    assert answer(other, HONEY, context) == "manual"
    third = made(
        "territory",
        place="municipality",
        evidence="municipality-letter",
        value="municipality",
        accepted=["B"],
        review=["B2"],
    )
    assert answer(third, HONEY, replace_sets(B=frozenset(), B2=frozenset())) == "fail"


def replace_sets(**sets):
    return replace(CONTEXT, territory_sets=sets)


def test_only_volumes_of_the_unit_are_added_up():
    others = (VolumeClaim("a", D(900), "pcs"), VolumeClaim("b", D(-1), "t"), VolumeClaim("own", D(1000), "t", own=True))
    told = finding("MIK", "K-10", replace(GOOD, volumes=replace(GOOD.volumes, claims=others)))
    assert (told.case, told.values["claimed"], told.values["share"]) == ("pass", "1000", "100.0")


LOCAL = {"of": "weight", "goods": ["20"], "counted": ["08", "17"], "pass_at": 80, "review_at": 60}


@pytest.mark.parametrize(
    ("country", "region", "district", "case"),
    [
        ("AZ", "QARABAG", "Ağdam", "incomplete_proof"),
        ("AZ", "BAKI", "Bakı", "fail"),
        ("AZ", None, None, "fail"),
        ("TR", None, None, "fail"),
    ],
)
def test_raw_material_may_have_to_be_from_a_territory(country, region, district, case):
    rule = made("share", **LOCAL, sources=["MIK_CORE"])
    fruit = material("0809", country, "1", "90", origin_region=region, origin_district=district)
    sugar = material("1701", "BR", "1", "10")
    assert answer(rule, bill(fruit, sugar, facts=product(hs6="200799"))) == case


def test_what_comes_from_a_partner_is_never_from_the_territory():
    rule = made("share", **LOCAL, sources=["MIK_CORE"])
    partners = replace(CONTEXT, origin=OriginSettings(cumulation=("KZ",)))
    fruit, sugar = material("0809", "KZ", "1", "90"), material("1701", "BR", "1", "10")
    assert answer(rule, bill(fruit, sugar, facts=product(hs6="200799")), partners) == "fail"


def test_names_without_a_document_need_none():
    rule = made("names", names=[{"name": "Şuşa", "holder": "Reserve", "spellings": ["Şuşa"]}])
    assert answer(rule, replace(GOOD, evidence=None)) == "pass"
    assert answer(rule, product(name_en="Shusha")) == "manual"
    assert rule.holds_until(product(name_en="Shusha"), None) is None
    assert similarity("abc", "") == 0


def test_costs_need_steps_in_their_places():
    places = (CostPlace.ABROAD, CostPlace.KARABAKH)
    labour = replace(GOOD, cost=CostStatement(tuple(Cost("labour", place, D(200)) for place in places)))
    wrong = finding("MIK", "C-15", labour)
    assert (wrong.case, wrong.remedy.field) == ("incomplete_place", "/steps")
    assert "“abroad”" in wrong.reason
    assert finding("MIK", "C-15", replace(labour, steps=None)).case == "pass"
    nowhere = steps(step(country=None))
    assert finding("MIK", "C-15", nowhere).case == "incomplete_place"  # labour, and no step with a place
    anywhere = steps(step(district=None, region=None))
    assert finding("MIK", "C-15", anywhere).case == "pass"


@pytest.mark.parametrize(
    ("these", "case"),
    [
        (bill(material(), cost=costs(KARABAKH="-1")), "incomplete_price"),
        (bill(material(), cost=costs(KARABAKH="1351")), "pass"),
        (bill(material(), cost=costs(KARABAKH="1357.26")), "incomplete_price"),
        (shares("40"), "not_assessed"),
        (replace(GOOD, value=replace(GOOD.value, inputs=None)), "pass"),
        (changed("cost-statement", other_abroad="many"), "pass"),
    ],
)
def test_costs_and_price(these, case):
    assert finding("MIK", "C-15", these).case == case


def test_a_signer_who_waits_for_confirmation_is_with_the_staff():
    assert finding("MIK", "C-16", waiting("authority-to-sign", facts=AZERBAIJAN)).remedy.by_staff
    none = finding("MIK", "C-16", replace(GOOD, declaration=replace(GOOD.declaration, declared_hash=None)))
    assert none.case == "incomplete_changed"
    natural = without("cost-statement", facts=HONEY)
    assert finding("URVA", "C-16", natural).case == "pass"
    nobody = without("cost-statement", facts=replace(GOOD, applicant=None))
    assert finding("MIK", "C-16", nobody).case == "incomplete_statement"


def test_a_visit_without_a_record_where_a_certificate_is_in_force():
    these = without("inspection-record", facts=replace(GOOD, visit=replace(GOOD.visit, certificate_in_force="MIK-1")))
    told = finding("MIK", "C-17", these)
    assert (told.case, told.reason[:39]) == ("pass_in_force", "Certificate MIK-1 for the site is in fo")
    unread = changed("inspection-record", findings="critical")
    assert finding("MIK", "C-17", unread).case == "pass"
    undated = changed("inspection-record", issued_on=None)
    assert finding("MIK", "C-17", undated).case == "incomplete_old"


# Whatever the parameters, a kind answers only what it declares.

WORDS = st.lists(st.sampled_from(["active", "suspended", "struck_off"]), unique=True, max_size=2)
EVIDENCE_PARAMETERS = st.fixed_dictionaries(
    {
        "kind": st.just("evidence"),
        "evidence": st.sampled_from(["permit", "tax-status", "origin-document", "export-record"]),
    },
    optional={
        "goods": st.just(["73"]),
        "on": st.just("submission"),
        "review_within_days": st.just(90),
        "fail_after_days": st.sampled_from([0, 30]),
        "max_age_days": st.just(30),
        "max_age_months": st.just(12),
        "value": st.just("taxpayer_status"),
        "same_heading": st.just("hs4"),
        "country_value": st.just("country"),
        "register_counts": st.just(True),
        "points": st.just({"export_years": 1}),
        "missing": st.sampled_from(["incomplete", "manual", "not_applicable", "pass"]),
        "old": st.sampled_from(["incomplete", "manual", "not_applicable"]),
    },
)
LISTED_PARAMETERS = st.fixed_dictionaries(
    {"kind": st.just("listed"), "list": st.sampled_from(["codes", "nomenclature", "excise", "flags"])},
    optional={
        "codes": st.just(["73", "0409"]),
        "flags": st.just(["food", "guide"]),
        "listed": st.sampled_from(["pass", "manual", "fail"]),
        "unlisted": st.sampled_from(["pass", "manual", "fail"]),
        "flagged": st.sampled_from(["pass", "manual", "fail"]),
        "residents_only": st.just(True),
    },
)
STEPS_PARAMETERS = st.fixed_dictionaries(
    {"kind": st.just("steps"), "asks": st.sampled_from(["finished_in", "at_site"])},
    optional={
        "home": st.just({"country": "AZ", "territory_sets": ["MIK_CORE"]}),
        "review_partners": st.just(True),
        "review_subcontractor": st.just(True),
        "review_abroad_before": st.just(True),
    },
)
OTHER_PARAMETERS = st.sampled_from(
    [
        {"kind": "visit"},
        {"kind": "declaration"},
        {"kind": "consistency"},
        {"kind": "residency"},
        {"kind": "residency", "asks": "holder"},
        {"kind": "operations", "claim": {"country": "TR"}},
        {"kind": "origin", "asks": "value_content"},
        {"kind": "share", "of": "cost", "pass_at": 60, "review_at": 60},
        {"kind": "share", "of": "weight", "pass_at": 60, "review_at": 0, "goods": ["04"], "counted": ["04"]},
        {"kind": "capacity", "against": "caps", "caps": [{"codes": ["04"], "most": 1}]},
        {"kind": "capacity"},
        {"kind": "territory", "accepted": ["MIK_EXT"]},
    ]
)


@given(EVIDENCE_PARAMETERS | LISTED_PARAMETERS | STEPS_PARAMETERS | OTHER_PARAMETERS, ANY_FACTS)
def test_a_kind_answers_only_what_it_declares(parameters, these):
    try:
        rule = made(**parameters)
    except ValueError:
        return  # parameters that do not fit are refused
    answer(rule, these)


@given(EVIDENCE_PARAMETERS, st.sampled_from(["permit", "tax-status"]), st.dates(date(2025, 1, 1), date(2027, 1, 1)))
def test_the_same_of_documents_near_the_day(parameters, kind, day):
    try:
        rule = made(**parameters)
    except ValueError:
        return
    for members in (
        {"issued_on": day},
        {"valid_until": day},
        {"issued_on": day, "confirmed": False},
        {"subject": None},
    ):
        answer(rule, changed(kind, **members))
    answer(rule, without(kind))
