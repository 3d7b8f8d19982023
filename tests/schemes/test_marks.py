"""What each rule of each mark answers, case by case; and that every case it declares is reached here."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from app.cli.rules.case_table import facts_of
from app.schemes.evaluator import evaluate
from app.schemes.facts import (
    Applicant,
    EvidenceSubjectKind,
    HistoryFacts,
    ParkResidencyStatus,
    PastCertificate,
    Place,
    ProductionFacts,
    SiteStage,
    VolumeClaim,
    ZoneFacts,
)
from app.schemes.outcome import Outcome
from tests.schemes.factories import (
    AZERBAIJAN,
    CASES,
    DAY,
    GOOD,
    HONEY,
    MARKS,
    SCHEMES,
    D,
    bill,
    case,
    changed,
    facts,
    findings,
    inputs,
    item,
    jam,
    material,
    product,
    residency,
    shares,
    step,
    steps,
    waiting,
    with_items,
    without,
)
from tests.schemes.test_cases_in_code import ROWS as IN_CODE

pytestmark = pytest.mark.pure

BLIND = replace(GOOD, evidence=None)
BLIND_HONEY = replace(HONEY, evidence=None)
NOBODY = residency(status=ParkResidencyStatus.NONE)
CRAFT = product(HONEY, hs6="570110")
FILE = replace(GOOD, steps=None)
JOINT = product(FILE, partner_countries=("tr", "IR"))


def applicant(voen):
    return replace(GOOD, applicant=replace(GOOD.applicant, voen=voen))


def days_ago(days):
    return DAY - timedelta(days=days)


def past(on, reason=None, facts=GOOD, **members):
    certificate = PastCertificate(on, reason, **{"same_product": False, **members})
    return replace(facts, record=HistoryFacts((certificate,)))


def volumes(facts, volume=None, unit="t", **members):
    claims = () if volume is None else (VolumeClaim("own", D(volume), unit, own=True),)
    return replace(facts, volumes=replace(facts.volumes, claims=claims, **members))


def word(name, said):
    these = changed("local-material", facts=CRAFT, main_material="stone", technique="casting")
    return changed("local-material", facts=these, **{name: said})


def findings_of_visit(*classes, facts=GOOD):
    return changed("inspection-record", facts=facts, findings=classes)


# mark, rule, case, facts
ROWS = [
    ("MIK", "C-01", "pass", GOOD),
    ("MIK", "C-01", "manual", applicant("0010000111")),
    ("MIK", "C-01", "fail_form", applicant("010000101")),
    ("MIK", "C-01", "fail_form", applicant("001 000010")),
    ("MIK", "C-01", "fail_ending", applicant("0010000103")),
    ("MIK", "C-01", "incomplete", applicant(None)),
    ("MIK", "C-01", "incomplete", applicant(" ")),
    ("MIK", "C-01", "not_assessed", replace(GOOD, applicant=None)),
    ("MIK", "C-02", "pass", changed("tax-status", issued_on=days_ago(29))),
    ("MIK", "C-02", "manual", changed("tax-status", taxpayer_status="suspended")),
    ("MIK", "C-02", "manual_old", changed("tax-status", issued_on=days_ago(30))),
    ("MIK", "C-02", "manual_missing", without("tax-status")),
    ("MIK", "C-02", "manual_missing", waiting("tax-status")),
    ("MIK", "C-02", "manual_missing", changed("tax-status", taxpayer_status="asleep")),
    ("MIK", "C-02", "fail", changed("tax-status", taxpayer_status="struck_off", issued_on=days_ago(400))),
    ("MIK", "C-02", "not_assessed", BLIND),
    ("MIK", "C-03", "pass", GOOD),
    ("MIK", "C-03", "fail_expired", changed("authority-to-sign", valid_until=days_ago(1))),
    ("MIK", "C-03", "incomplete_missing", without("authority-to-sign")),
    ("MIK", "C-03", "incomplete_unconfirmed", waiting("authority-to-sign")),
    ("MIK", "C-03", "incomplete_after", changed("authority-to-sign", issued_on=DAY + timedelta(days=1))),
    ("MIK", "C-03", "not_assessed", BLIND),
    ("MIK", "C-04", "pass", GOOD),
    ("MIK", "C-04", "manual_flagged", product(flags=frozenset({"hs_ambiguous", "food"}))),
    ("MIK", "C-04", "fail", product(hs6="730699", flags=frozenset({"hs_ambiguous"}))),
    ("MIK", "C-04", "fail_form", product(hs6="٧٣٠٦٣٠")),
    ("MIK", "C-04", "fail_zero_lost", product(hs6="40900")),
    ("MIK", "C-04", "incomplete", product(hs6=None)),
    ("MIK", "C-05", "pass_unlisted", GOOD),
    ("MIK", "C-05", "fail_listed", product(hs6="930200")),
    ("MIK", "C-05", "incomplete", product(hs6="27101")),
    ("MIK", "C-06", "not_assessed", replace(GOOD, value=None)),
    ("MIK", "C-06", "incomplete_negative", inputs("100", "-1", "7208")),
    ("MIK", "C-06", "incomplete_hs6", product(hs6="730699")),
    ("MIK", "C-07", "not_assessed", replace(GOOD, value=None)),
    ("MIK", "C-07", "incomplete", bill(material(), ex_works=None)),
    ("MIK", "C-07", "incomplete", bill(material(value="0"))),
    ("MIK", "C-07", "incomplete", replace(GOOD, value=replace(GOOD.value, inputs=None))),
    ("MIK", "C-07", "pass", inputs("100", "100", "7208")),
    ("MIK", "C-08", "not_assessed", FILE),
    ("MIK", "C-08", "manual_flagged", product(FILE, flags=frozenset({"assembly_only"}))),
    ("MIK", "C-08", "incomplete_no_steps", replace(GOOD, steps=())),
    ("MIA", "C-08", "incomplete_step", steps(step("packing", country=None), facts=AZERBAIJAN)),
    ("MIK", "C-09", "not_assessed", FILE),
    ("MIK", "C-09", "not_assessed", JOINT),
    ("MIK", "C-09", "incomplete_no_steps", replace(GOOD, steps=())),
    ("MIK", "C-09", "manual_subcontractor", steps(step(subcontractor="Nümunə-Qaynaq"))),
    ("MIA", "C-09", "manual_partner", JOINT),
    ("MIA", "C-09", "manual_partner", product(AZERBAIJAN, partner_countries=("IR",))),
    ("MIK", "C-10", "not_applicable", GOOD),
    ("MIK", "C-10", "incomplete_hs6", jam("80", hs6="20079")),
    ("MIK", "C-10", "incomplete_missing", jam(None)),
    ("MIK", "C-10", "incomplete_range", jam("100.1")),
    ("MIK", "C-10", "pass", jam("80")),
    ("MIK", "C-10", "manual", jam("60")),
    ("MIK", "C-10", "fail", jam("59.9")),
    ("MIK", "C-10", "not_assessed", replace(jam("80"), raw_weight=None)),
    ("MIK", "C-11", "pass", GOOD),
    ("MIK", "C-11", "incomplete_expired", changed("conformity-document", valid_until=days_ago(1))),
    ("MIK", "C-11", "incomplete_missing", without("conformity-document")),
    ("MIK", "C-11", "incomplete_missing", changed("conformity-document", issued_on=DAY + timedelta(days=1))),
    ("MIK", "C-11", "incomplete_unconfirmed", waiting("conformity-document")),
    ("MIK", "C-11", "not_assessed", BLIND),
    ("MIK", "C-12", "manual_found", changed("background-check", tax_debt=True)),
    ("MIK", "C-12", "incomplete_missing", without("background-check")),
    ("MIK", "C-12", "incomplete_unconfirmed", waiting("background-check")),
    ("MIK", "C-12", "not_assessed", replace(GOOD, record=None)),
    ("MIK", "C-12", "not_assessed", BLIND),
    ("MIK", "C-12", "pass", past(days_ago(30), same_product=True)),
    ("MIK", "C-12", "pass", past(date(2025, 12, 1), "bankruptcy", same_product=True)),
    ("MIK", "C-12", "manual_revoked", past(date(2025, 12, 2), "bankruptcy", same_product=True)),
    ("MIK", "C-12", "manual_related", past(days_ago(9), "false-documents", company="B", ground="ownership")),
    ("MIK", "C-13", "pass", GOOD),
    ("MIK", "C-13", "manual", product(name_en="Shusha tube")),
    ("MIK", "C-13", "pass_consent", product(changed("name-consent", protected_name="Şuşa"), name_en="Shusha tube")),
    ("MIK", "C-13", "manual", product(changed("name-consent", protected_name="Şəki"), name_en="Shusha tube")),
    ("MIK", "C-13", "not_assessed", BLIND),
    ("MIK", "C-14", "incomplete", product(hs6="87032")),
    ("MIK", "C-14", "manual_flagged", product(flags=frozenset({"advertising_ban"}))),
    ("MIK", "C-15", "not_assessed", replace(GOOD, cost=None)),
    ("MIK", "C-15", "not_assessed", shares("40")),
    ("MIK", "C-15", "incomplete_value", bill(material(), ex_works="0")),
    ("MIK", "C-16", "pass", GOOD),
    ("MIK", "C-16", "incomplete_none", replace(GOOD, declaration=replace(GOOD.declaration, made_hash=None))),
    ("MIK", "C-16", "incomplete_text", replace(GOOD, declaration=replace(GOOD.declaration, text_version="2027.1"))),
    ("MIK", "C-16", "incomplete_statement", without("cost-statement")),
    ("MIK", "C-16", "incomplete_outdated", changed("cost-statement", period_until=date(2025, 11, 30))),
    ("MIK", "C-16", "pass", changed("cost-statement", period_until=date(2025, 12, 1))),
    ("MIK", "C-16", "incomplete_unconfirmed", waiting("authority-to-sign")),
    ("MIK", "C-16", "incomplete_authority", changed("authority-to-sign", valid_until=days_ago(1))),
    ("MIK", "C-16", "not_assessed", replace(GOOD, declaration=None)),
    ("MIK", "C-16", "not_assessed", BLIND),
    ("MIK", "C-17", "fail", findings_of_visit("minor", "critical")),
    ("MIK", "C-17", "manual", findings_of_visit("major")),
    ("MIK", "C-17", "pass", findings_of_visit("minor")),
    ("MIK", "C-17", "incomplete_unconfirmed", waiting("inspection-record")),
    ("MIK", "C-17", "not_assessed", replace(GOOD, visit=None)),
    ("MIK", "C-17", "not_assessed", BLIND),
    ("MIK", "K-01", "pass", GOOD),
    ("MIK", "K-01", "manual", facts(site="Laçın")),
    ("MIK", "K-01", "fail", facts(site="Bakı")),
    ("MIK", "K-01", "incomplete", replace(GOOD, place=Place(None))),
    ("MIK", "K-01", "not_assessed", replace(GOOD, place=None)),
    ("MIK", "K-02", "pass", residency(ends_on=DAY + timedelta(days=90))),
    ("MIK", "K-02", "manual_short", residency(ends_on=DAY + timedelta(days=89))),
    ("MIK", "K-02", "manual_non_resident", residency(status=ParkResidencyStatus.NON_RESIDENT)),
    ("MIK", "K-02", "manual_none", NOBODY),
    ("MIK", "K-02", "fail_cancelled", residency(cancelled_on=DAY)),
    ("MIK", "K-02", "pass", residency(cancelled_on=DAY + timedelta(days=1))),
    ("MIK", "K-02", "fail_cancelled", residency(status=ParkResidencyStatus.CANCELLED)),
    ("MIK", "K-02", "fail_ended", residency(ends_on=days_ago(1))),
    ("MIK", "K-02", "incomplete_not_begun", residency(starts_on=DAY + timedelta(days=1))),
    ("MIK", "K-02", "incomplete", residency(status=None)),
    ("MIK", "K-02", "not_assessed", replace(GOOD, residency=None)),
    ("MIK", "K-03", "pass", GOOD),
    ("MIK", "K-03", "fail", residency(holder_voen="0010000201")),
    ("MIK", "K-03", "incomplete_applicant", applicant(None)),
    ("MIK", "K-03", "incomplete_holder", residency(holder_voen=None)),
    ("MIK", "K-03", "not_applicable", NOBODY),
    ("MIK", "K-03", "not_assessed", replace(GOOD, applicant=None)),
    ("MIK", "K-04", "pass", residency(without("register-snapshot"), confirmed_on=days_ago(30))),
    ("MIK", "K-04", "manual_old", residency(without("register-snapshot"), confirmed_on=days_ago(31))),
    ("MIK", "K-04", "manual_missing", residency(without("register-snapshot"), confirmed_on=None)),
    ("MIK", "K-04", "manual_differs", changed("register-snapshot", registration_no="AGSP-R-2021-002")),
    ("MIK", "K-04", "pass", residency(confirmed_on=days_ago(99))),
    ("MIK", "K-04", "not_applicable_none", NOBODY),
    ("MIK", "K-04", "not_assessed", replace(GOOD, residency=None)),
    ("MIK", "K-05", "pass", GOOD),
    ("MIK", "K-05", "incomplete_not_operating", residency(stage=SiteStage.CONSTRUCTION)),
    ("MIK", "K-05", "incomplete_no_start", replace(GOOD, production=ProductionFacts("AZ", None))),
    ("MIK", "K-05", "incomplete_future", replace(GOOD, production=ProductionFacts("AZ", DAY + timedelta(days=1)))),
    ("MIK", "K-05", "not_assessed", replace(GOOD, production=None)),
    ("MIK", "K-06", "pass", shares("40")),
    ("MIK", "K-06", "manual", shares("39.999")),
    ("MIK", "K-06", "fail", shares("29.999")),
    ("MIK", "K-06", "incomplete_range", shares("100.1")),
    ("MIK", "K-06", "incomplete_missing", shares(None)),
    ("MIK", "K-06", "incomplete_missing", bill(material(value=None))),
    ("MIK", "K-06", "not_assessed", replace(GOOD, cost=None)),
    ("MIK", "K-07", "not_assessed", FILE),
    ("MIK", "K-07", "not_assessed", replace(GOOD, place=None)),
    ("MIK", "K-07", "incomplete_no_steps", replace(GOOD, steps=())),
    ("MIK", "K-07", "incomplete_no_essential", steps(step(is_essential=False))),
    ("MIK", "K-07", "incomplete_step", steps(step(country=None))),
    ("MIK", "K-07", "fail", steps(step(country="TR"))),
    ("MIK", "K-07", "pass", replace(GOOD, production=None)),
    ("MIK", "K-08", "manual_partner", JOINT),
    ("MIK", "K-08", "not_assessed", FILE),
    ("MIK", "K-08", "incomplete_no_steps", replace(GOOD, steps=())),
    ("MIK", "K-09", "pass_listed", GOOD),
    ("MIK", "K-09", "manual_unlisted", changed("resident-project", approved_goods=("39", "7307"))),
    ("MIK", "K-09", "manual_unknown", without("resident-project")),
    ("MIK", "K-09", "incomplete", product(hs6="7306")),
    ("MIK", "K-09", "not_applicable", NOBODY),
    ("MIK", "K-09", "not_assessed", replace(GOOD, residency=None)),
    ("MIK", "K-09", "not_assessed", BLIND),
    ("MIK", "K-10", "incomplete_missing", volumes(GOOD)),
    ("MIK", "K-10", "incomplete_unconfirmed", volumes(GOOD, claim_awaits=True)),
    ("MIK", "K-10", "incomplete_unconfirmed", volumes(GOOD, "1000", capacities=(), capacity_awaits=True)),
    ("MIK", "K-10", "incomplete_missing", volumes(GOOD, "-1")),
    ("MIK", "K-10", "not_assessed", replace(GOOD, volumes=None)),
    ("MIK", "K-11", "pass", GOOD),
    ("MIK", "K-11", "incomplete_expired", changed("permit", valid_until=days_ago(30))),
    ("MIK", "K-11", "fail_expired", changed("permit", valid_until=days_ago(31))),
    ("MIK", "K-11", "incomplete_missing", without("permit")),
    ("MIK", "K-11", "incomplete_unconfirmed", waiting("permit")),
    (
        "MIK",
        "K-11",
        "incomplete_unconfirmed",
        with_items(
            item("permit", valid_until=days_ago(9), subject=EvidenceSubjectKind.SITE),
            item("permit", confirmed=False, subject=EvidenceSubjectKind.SITE),
        ),
    ),
    ("MIK", "K-11", "incomplete_subject", changed("permit", subject=None)),
    ("MIK", "K-11", "not_assessed", BLIND),
    ("MIA", "A-01", "pass", AZERBAIJAN),
    ("MIA", "A-01", "fail", replace(AZERBAIJAN, production=ProductionFacts("TR", None))),
    ("MIA", "A-01", "incomplete", replace(AZERBAIJAN, production=ProductionFacts(" ", None))),
    ("MIA", "A-01", "not_assessed", replace(AZERBAIJAN, production=None)),
    ("MIA", "A-02", "pass", changed("tax-status", taxpayer_status="suspended")),
    ("MIA", "A-02", "fail", changed("tax-status", taxpayer_status="not_registered")),
    ("MIA", "A-02", "incomplete_missing", without("tax-status")),
    ("MIA", "A-02", "incomplete_unconfirmed", waiting("tax-status")),
    ("MIA", "A-02", "not_assessed", BLIND),
    ("MIA", "A-03", "pass", changed("ownership-statement", state_share_pct=D(50), facts=AZERBAIJAN)),
    ("MIA", "A-03", "manual", changed("ownership-statement", state_share_pct=D("50.001"), facts=AZERBAIJAN)),
    ("MIA", "A-03", "manual_control", changed("ownership-statement", state_controlled=True, facts=AZERBAIJAN)),
    ("MIA", "A-03", "incomplete_missing", without("ownership-statement", facts=AZERBAIJAN)),
    ("MIA", "A-03", "incomplete_missing", changed("ownership-statement", state_share_pct=None, facts=AZERBAIJAN)),
    ("MIA", "A-03", "incomplete_unconfirmed", waiting("ownership-statement", facts=AZERBAIJAN)),
    ("MIA", "A-03", "not_assessed", BLIND),
    ("MIA", "A-04", "pass_unlisted", AZERBAIJAN),
    ("MIA", "A-04", "fail_listed", product(AZERBAIJAN, hs6="271019")),
    ("MIA", "A-04", "incomplete", product(AZERBAIJAN, hs6="")),
    ("MIA", "A-05", "pass", shares("0", "40")),
    ("MIA", "A-05", "manual", shares("0", "30")),
    ("MIA", "A-05", "fail", shares("0", "29.9")),
    ("MIA", "A-05", "incomplete_missing", shares("0")),
    ("MIA", "A-05", "incomplete_range", shares("0", "-1")),
    ("MIA", "A-05", "not_assessed", replace(GOOD, cost=None)),
    ("MIA", "A-06", "pass", AZERBAIJAN),
    ("MIA", "A-06", "not_applicable_other", changed("origin-document", hs4="7210", facts=AZERBAIJAN)),
    ("MIA", "A-06", "not_applicable", changed("origin-document", form="OTHER", facts=AZERBAIJAN)),
    ("MIA", "A-06", "incomplete_hs6", product(AZERBAIJAN, hs6="7306")),
    ("MIA", "A-06", "not_assessed", BLIND),
    ("MIA", "A-07", "pass", changed("export-record", export_years=D(3), export_markets=D(2), facts=AZERBAIJAN)),
    ("MIA", "A-07", "pass", changed("export-record", export_years=None, facts=AZERBAIJAN)),
    ("MIA", "A-07", "pass_none", without("export-record", facts=AZERBAIJAN)),
    ("MIA", "A-07", "not_assessed", BLIND),
    ("MIA", "A-08", "pass", AZERBAIJAN),
    ("MIA", "A-08", "pass", replace(AZERBAIJAN, zone=ZoneFacts(None))),
    ("MIA", "A-08", "manual", replace(AZERBAIJAN, zone=ZoneFacts("free_zone"))),
    ("MIA", "A-08", "not_assessed", replace(AZERBAIJAN, zone=None)),
    ("URVA", "C-08", "pass", HONEY),
    ("URVA", "C-08", "fail", steps(step("packing", district="Qusar", region="QUBA-XACMAZ"), facts=HONEY)),
    ("URVA", "C-08", "manual_unlisted", steps(step("singing", district="Qusar", region="QUBA-XACMAZ"), facts=HONEY)),
    ("URVA", "U-01", "pass", HONEY),
    ("URVA", "U-01", "fail", changed("municipality-letter", municipality="Qusar", facts=HONEY)),
    ("URVA", "U-01", "incomplete", without("municipality-letter", facts=HONEY)),
    ("URVA", "U-01", "incomplete", changed("municipality-letter", municipality=None, facts=HONEY)),
    ("URVA", "U-01", "incomplete_unconfirmed", waiting("municipality-letter", facts=HONEY)),
    ("URVA", "U-01", "incomplete_expired", changed("municipality-letter", valid_until=days_ago(1), facts=HONEY)),
    ("URVA", "U-01", "not_assessed", BLIND_HONEY),
    ("URVA", "U-02", "pass_listed", HONEY),
    ("URVA", "U-02", "manual_unlisted", product(HONEY, hs6="200989")),
    ("URVA", "U-02", "incomplete", product(HONEY, hs6="0409")),
    ("URVA", "U-03", "pass", HONEY),
    ("URVA", "U-03", "manual", changed("specification-check", result="minor_missed", facts=HONEY)),
    ("URVA", "U-03", "fail", changed("specification-check", result="core_missed", facts=HONEY)),
    ("URVA", "U-03", "incomplete_missing", without("specification-check", facts=HONEY)),
    ("URVA", "U-03", "incomplete_unconfirmed", waiting("specification-check", facts=HONEY)),
    ("URVA", "U-03", "not_assessed", BLIND_HONEY),
    ("URVA", "U-04", "pass", changed("local-material", local_material_pct=D(80), facts=HONEY)),
    ("URVA", "U-04", "manual", changed("local-material", local_material_pct=D(60), facts=HONEY)),
    ("URVA", "U-04", "fail", changed("local-material", local_material_pct=D("59.9"), facts=HONEY)),
    ("URVA", "U-04", "incomplete_missing", changed("local-material", local_material_pct=None, facts=HONEY)),
    ("URVA", "U-04", "incomplete_missing", without("local-material", facts=HONEY)),
    ("URVA", "U-04", "incomplete_unconfirmed", waiting("local-material", facts=HONEY)),
    ("URVA", "U-04", "incomplete_hs6", product(HONEY, hs6=None)),
    ("URVA", "U-04", "pass_word", word("main_material", "wool")),
    ("URVA", "U-04", "pass_word", word("technique", "felting")),
    ("URVA", "U-04", "manual_word", word("technique", "painting")),
    (
        "URVA",
        "U-04",
        "incomplete_missing",
        changed("local-material", main_material=None, technique=None, facts=CRAFT),
    ),
    ("URVA", "U-04", "not_assessed", BLIND_HONEY),
    ("URVA", "U-05", "pass", volumes(HONEY, "2000")),
    ("URVA", "U-05", "manual", volumes(HONEY, "2000.1")),
    ("URVA", "U-05", "manual_no_cap", product(HONEY, hs6="200989")),
    ("URVA", "U-05", "incomplete_hs6", product(HONEY, hs6="409")),
    ("URVA", "U-05", "incomplete_missing", volumes(HONEY)),
    ("URVA", "U-05", "incomplete_unconfirmed", volumes(HONEY, claim_awaits=True)),
    ("URVA", "U-05", "not_assessed", replace(HONEY, volumes=None)),
    ("URVA", "U-06", "pass", HONEY),
    ("URVA", "U-06", "pass", replace(HONEY, other_brands=("Qusar bulağı",))),
    ("URVA", "U-06", "manual_used", replace(HONEY, other_brands=("Numune baghi", "Şəfəq"))),
    ("URVA", "U-06", "manual_registered", changed("trademark-search", match="similar", facts=HONEY)),
    ("URVA", "U-06", "incomplete_missing", without("trademark-search", facts=HONEY)),
    ("URVA", "U-06", "incomplete_unconfirmed", waiting("trademark-search", facts=HONEY)),
    ("URVA", "U-06", "not_applicable", product(HONEY, brand="…")),
    ("URVA", "U-06", "not_assessed", replace(HONEY, other_brands=None)),
    ("URVA", "U-06", "not_assessed", BLIND_HONEY),
    ("URVA", "U-07", "pass", HONEY),
    ("URVA", "U-07", "incomplete_expired", changed("food-registration", valid_until=days_ago(1), facts=HONEY)),
    ("URVA", "U-07", "incomplete_missing", without("food-registration", facts=HONEY)),
    ("URVA", "U-07", "incomplete_subject", changed("food-registration", subject=None, facts=HONEY)),
    ("URVA", "U-07", "incomplete_unconfirmed", waiting("food-registration", facts=HONEY)),
    ("URVA", "U-07", "not_applicable", CRAFT),
    ("URVA", "U-07", "incomplete_hs6", product(HONEY, hs6="0409")),
    ("URVA", "U-07", "not_assessed", BLIND_HONEY),
    ("URVA", "U-08", "pass", HONEY),
    ("URVA", "U-08", "manual", product(HONEY, other_names=("Шекинский мёд",))),
    ("URVA", "U-09", "pass", HONEY),
    ("URVA", "U-09", "manual_flagged", product(HONEY, flags=frozenset({"guide", "food"}))),
    ("URVA", "U-10", "pass_natural", HONEY),
    ("URVA", "U-10", "pass_legal", GOOD),
    ("URVA", "U-10", "incomplete", replace(HONEY, applicant=Applicant("12"))),
    ("URVA", "U-10", "not_assessed", replace(HONEY, applicant=None)),
]


@pytest.mark.parametrize(
    ("mark", "rule", "wanted", "these"), ROWS, ids=[f"{mark}-{rule}-{case}" for mark, rule, case, _ in ROWS]
)
def test_a_rule_answers(mark, rule, wanted, these):
    assert case(mark, rule, these) == wanted


@pytest.mark.parametrize(("mark", "facts_in_order"), [("MIK", GOOD), ("MIA", AZERBAIJAN), ("URVA", HONEY)])
def test_a_product_in_order_passes(mark, facts_in_order):
    outcomes = {finding.outcome for finding in findings(mark, facts_in_order).values()}
    assert outcomes <= {Outcome.PASS, Outcome.NOT_APPLICABLE}


@pytest.mark.parametrize("mark", MARKS)
def test_every_case_that_a_rule_declares_is_met(mark):
    """By the rows here, by the cases in words, or by the table."""
    ruleset = SCHEMES[mark].ruleset
    met = {(rule, case) for _, rule, case, _ in ROWS} | {(rule, case) for _, _, rule, _, case in IN_CODE}
    for each in CASES:
        met |= {(found.rule, found.case) for found in evaluate(ruleset, facts_of(each, ruleset)).findings}
    declared = {(rule.id, case) for rule in ruleset.rules for case in rule.cases()}
    assert sorted(declared - met) == []
