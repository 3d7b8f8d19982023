"""Products from a file: the sample as expected by its authors, and products that nobody has seen before."""

import csv
import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.organisations.resident_import.csv_format import parse_resident_file
from app.products.csv_format import OPTIONAL_COLUMNS, REQUIRED_COLUMNS, parse_products
from app.schemes.evaluator import evaluate
from app.schemes.facts import ParkResidencyStatus
from app.schemes.outcome import SEVERITY, Outcome
from app.schemes.scheme_loader import load_schemes

pytestmark = [pytest.mark.short, pytest.mark.pure]
SAMPLE = files("app.demo") / "sample"
REGISTER = {
    row.party_id: row
    for name in ("residents.csv", "others.csv")
    for row in parse_resident_file((SAMPLE / name).read_bytes()).rows
}
PRODUCTS = (SAMPLE / "products.csv").read_bytes()
ROWS = {row["product_id"]: row for row in csv.DictReader(io.StringIO(PRODUCTS.decode()))}
SCHEMES = load_schemes()
AS_OF = date(2026, 11, 22)
TUBE = {
    "product_id": "X1",
    "owner_id": "R01",
    "hs6": "730630",
    "ex_works_azn": "100",
    "vnm_azn": "50",
    "nonorig_input_hs4": "7208",
    "karabakh_cost_pct": "50",
    "azerbaijan_cost_pct": "60",
    "flags": "",
    "az_raw_weight_pct": "",
}


def sheet(*rows):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return parse_products(text.getvalue().encode(), REGISTER, AS_OF)


def judged(mark, **changes):
    read = sheet(TUBE | changes)
    assert read.errors == ()
    return evaluate(SCHEMES[mark].ruleset, read.products[0].facts)


def cases(mark, **changes):
    return {finding.rule: finding.case for finding in judged(mark, **changes).findings}


@pytest.mark.parametrize(("mark", "column"), [("MIK", "expected_mik_result"), ("MIA", "expected_mia_result")])
def test_the_sample_comes_out_as_its_authors_expect(mark, column):
    read = parse_products(PRODUCTS, REGISTER, AS_OF)
    assert (read.errors, read.warnings) == ((), ())
    assert [line.product_id for line in read.products] == list(ROWS)
    for line in read.products:
        expected, assessment = ROWS[line.product_id], evaluate(SCHEMES[mark].ruleset, line.facts)
        assert assessment.outcome.value == expected[column], line.product_id
        assert str(assessment.origin.rvc_pct) == expected["expected_rvc_pct"]
        criterion = assessment.origin.criterion.value if assessment.origin.criterion else None
        if criterion is None:  # none is met, or none can be told
            assert expected["expected_origin_criterion"] == ("NONE" if is_refused(assessment) else "")
        else:
            assert criterion == expected["expected_origin_criterion"]
            assert ("false" if assessment.origin.same_heading else "true") == expected["expected_cth"]


def is_refused(assessment):
    return next(each.case for each in assessment.findings if each.rule == "C-06") == "fail"


def test_answers_in_the_file_are_never_read():
    lying = [row | {name: "nonsense" for name in row if name.startswith("expected_")} for row in ROWS.values()]
    bare = [{name: cell for name, cell in row.items() if name in REQUIRED_COLUMNS} for row in ROWS.values()]
    sample = parse_products(PRODUCTS, REGISTER, AS_OF)
    assert sheet(*lying) == sample
    for with_names, without in zip(sample.products, sheet(*bare).products, strict=True):
        same = {name: getattr(with_names.facts.product, name) for name in ("hs6", "flags", "partner_countries")}
        assert same == {name: getattr(without.facts.product, name) for name in same}
        assert with_names.facts.value == without.facts.value
        assert {without.facts.product.name_az, without.facts.product.name_en} == {None}  # not needed either


NO_FILE_CARRIES = {  # who applies, how it is made, and everything that a paper shows
    "MIK": "C-01 C-02 C-03 C-08 C-09 C-11 C-12 C-13 C-15 C-16 C-17 K-03 K-04 K-05 K-07 K-08 K-09 K-10 K-11",
    "MIA": "C-01 C-02 C-03 C-08 C-09 C-11 C-12 C-13 C-15 C-16 C-17 A-01 A-02 A-03 A-06 A-07 A-08",
    "URVA": "C-01 C-02 C-03 C-08 C-09 C-11 C-12 C-13 C-15 C-16 C-17 U-01 U-03 U-04 U-05 U-06 U-10",
}


@pytest.mark.parametrize("mark", sorted(SCHEMES))
def test_files_feed_exactly_these_rules(mark):
    unfed = {finding.rule for finding in judged(mark).findings_with(Outcome.NOT_ASSESSED)}
    assert unfed == set(NO_FILE_CARRIES[mark].split())


def test_what_a_file_cannot_carry_is_not_carried():
    facts = sheet(TUBE).products[0].facts
    assert (facts.applicant, facts.production, facts.steps) == (None, None, None)
    assert facts.residency.status is ParkResidencyStatus.RESIDENT
    assert (facts.residency.starts_on, facts.residency.stage) == (None, None)
    assert (facts.place.economic_region, facts.place.district) == ("QARABAG", "Ağdam")


@pytest.mark.parametrize(
    ("changes", "karabakh", "azerbaijan"),
    [
        ({}, "pass", "pass"),
        ({"flags": "joint_production_IR"}, "manual", "manual"),
        ({"flags": "food; Joint_Production_tr ;joint_production_IR"}, "manual", "manual"),
        ({"flags": "joint_production"}, "manual", "manual"),
        ({"flags": "hs_ambiguous"}, "manual", "manual"),
        ({"flags": "assembly_only"}, "manual", "manual"),
        ({"flags": "excise"}, "manual", "manual"),
        ({"flags": "advertising_ban"}, "manual", "manual"),
        ({"flags": "food;non_resident;local_brand;dual_use"}, "pass", "pass"),
        ({"hs6": "271019"}, "fail", "fail"),
        ({"hs6": "930200"}, "fail", "fail"),
        ({"hs6": "220421", "az_raw_weight_pct": "90"}, "manual", "manual"),
        ({"hs6": "999999"}, "fail", "fail"),
        ({"hs6": "40900", "az_raw_weight_pct": "90"}, "fail", "fail"),
        ({"hs6": ""}, "incomplete", "incomplete"),
        ({"hs6": "200799", "az_raw_weight_pct": ""}, "incomplete", "incomplete"),
        ({"hs6": "200799", "az_raw_weight_pct": "80"}, "pass", "pass"),
        ({"hs6": "200799", "az_raw_weight_pct": "79.99"}, "manual", "manual"),
        ({"hs6": "200799", "az_raw_weight_pct": "59.99"}, "fail", "fail"),
        ({"hs6": "200799", "az_raw_weight_pct": "101"}, "incomplete", "incomplete"),
        ({"az_raw_weight_pct": "3"}, "pass", "pass"),
        ({"nonorig_input_hs4": "7306", "vnm_azn": "60"}, "pass", "pass"),
        ({"nonorig_input_hs4": "7306", "vnm_azn": "60.001"}, "fail", "fail"),
        ({"nonorig_input_hs4": "", "vnm_azn": "90"}, "incomplete", "incomplete"),
        ({"nonorig_input_hs4": "7306", "vnm_azn": "0"}, "pass", "pass"),
        ({"nonorig_input_hs4": "7208;9998"}, "incomplete", "incomplete"),
        ({"nonorig_input_hs4": "7208", "vnm_azn": "100.01"}, "fail", "fail"),
        ({"vnm_azn": ""}, "incomplete", "incomplete"),
        ({"vnm_azn": "-1"}, "incomplete", "incomplete"),
        ({"ex_works_azn": "0", "vnm_azn": "0"}, "incomplete", "incomplete"),
        ({"ex_works_azn": ""}, "incomplete", "incomplete"),
        ({"karabakh_cost_pct": "40"}, "pass", "pass"),
        ({"karabakh_cost_pct": "39.999"}, "manual", "pass"),
        ({"karabakh_cost_pct": "30"}, "manual", "pass"),
        ({"karabakh_cost_pct": "29.999"}, "fail", "pass"),
        ({"karabakh_cost_pct": ""}, "incomplete", "pass"),
        ({"karabakh_cost_pct": "100.1"}, "incomplete", "pass"),
        ({"azerbaijan_cost_pct": "39.999"}, "pass", "manual"),
        ({"azerbaijan_cost_pct": "30"}, "pass", "manual"),
        ({"azerbaijan_cost_pct": "29.999"}, "pass", "fail"),
        ({"azerbaijan_cost_pct": "-0.1"}, "pass", "incomplete"),
        ({"owner_id": "V02"}, "manual", "pass"),
        ({"owner_id": "N02"}, "manual", "pass"),
        ({"owner_id": "K01"}, "manual", "pass"),
        ({"owner_id": "B01"}, "fail", "pass"),
        ({"owner_id": "U01", "flags": "hs_ambiguous", "vnm_azn": ""}, "fail", "incomplete"),
    ],
)
def test_unseen_products(changes, karabakh, azerbaijan):
    assert judged("MIK", **changes).outcome.value == karabakh
    assert judged("MIA", **changes).outcome.value == azerbaijan


def test_joint_production_stands_for_another_rule_in_each_mark():
    karabakh, azerbaijan = (cases(mark, flags="joint_production_IR") for mark in ("MIK", "MIA"))
    assert (karabakh["K-08"], karabakh["C-09"]) == ("manual_partner", "not_assessed")
    assert azerbaijan["C-09"] == "manual_partner"
    (declared,) = (each for each in judged("MIK", flags="joint_production_ir").findings if each.rule == "K-08")
    assert "with a partner in Iran is declared" in declared.reason


def test_a_cancelled_residency_fails():
    register = {"R01": replace(REGISTER["R01"], status="cancelled")}
    text = ",".join(TUBE) + "\n" + ",".join(TUBE.values())
    facts = parse_products(text.encode(), register, AS_OF).products[0].facts
    assert evaluate(SCHEMES["MIK"].ruleset, facts).outcome is Outcome.FAIL


PERCENT = st.decimals("0", "100", places=3)


@given(PERCENT, PERCENT, st.decimals("0.01", "100", places=2), st.sampled_from(["7208", "7306", "", "7208;7306"]))
def test_unseen_products_follow_the_thresholds(karabakh, azerbaijan, inputs_value, headings):
    changes = {
        "karabakh_cost_pct": f"{karabakh}",
        "azerbaijan_cost_pct": f"{azerbaijan}",
        "vnm_azn": f"{inputs_value}",
        "nonorig_input_hs4": headings,
    }
    origin = "incomplete" if not headings else "fail" if "7306" in headings and 100 - inputs_value < 40 else "pass"
    for mark, share in (("MIK", karabakh), ("MIA", azerbaijan)):
        cost = "pass" if share >= 40 else "manual" if share >= 30 else "fail"
        worst = min((origin, cost), key=[each.value for each in SEVERITY].index)
        assert judged(mark, **changes).outcome.value == worst


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"owner_id": "Z99"}, "line 2, column owner_id: There is no company Z99 in the register."),
        ({"owner_id": ""}, "line 2, column owner_id: This must not be empty."),
        ({"product_id": ""}, "line 2, column product_id: This must not be empty."),
        ({"ex_works_azn": "1,450"}, "line 2, column ex_works_azn: “1,450” is not a number; write it as 1234.5."),
        ({"vnm_azn": "NaN"}, "line 2, column vnm_azn: “NaN” is not a number; write it as 1234.5."),
        ({"karabakh_cost_pct": "52%"}, "line 2, column karabakh_cost_pct: “52%” is not a number; write it as 1234.5."),
        ({"azerbaijan_cost_pct": "x"}, "line 2, column azerbaijan_cost_pct: “x” is not a number; write it as 1234.5."),
        ({"az_raw_weight_pct": "1e2"}, "line 2, column az_raw_weight_pct: “1e2” is not a number; write it as 1234.5."),
    ],
)
def test_a_wrong_cell_is_named(changes, told):
    read = sheet(TUBE | changes)
    assert [str(note) for note in read.errors] == [told]
    assert read.products == ()


def test_all_faults_are_named_and_no_product_is_listed_twice():
    read = sheet(TUBE, TUBE | {"vnm_azn": "x"}, TUBE | {"product_id": "X2", "owner_id": "Z"})
    assert [(note.line, note.column) for note in read.errors] == [(3, "product_id"), (3, "vnm_azn"), (4, "owner_id")]
    assert read.errors[0].message == "X1 is already on line 2."
    assert [line.product_id for line in read.products] == ["X1"]


@pytest.mark.parametrize("column", REQUIRED_COLUMNS)
def test_a_needed_column_may_not_be_missing(column):
    read = sheet({name: cell for name, cell in TUBE.items() if name != column})
    assert [str(note) for note in read.errors] == [f"line 1, column {column}: This column is missing."]
    assert read.products == ()


def test_unknown_columns_and_flags_are_remarks():
    even = {"azerbaijan_cost_pct": "50"}
    read = sheet(
        TUBE | even | {"colour": "red", "expected_anything": "x", OPTIONAL_COLUMNS[0]: "Boru", "flags": "Shiny"}
    )
    assert read.errors == ()
    assert [str(note) for note in read.warnings] == [
        "line 1, column colour: Unknown column; it is ignored.",
        "line 2, column flags: Unknown flag “Shiny”; it is ignored.",
    ]
    assert read.products[0].facts.product.flags == {"shiny"}


@pytest.mark.parametrize(
    ("changes", "remarked"),
    [
        ({"azerbaijan_cost_pct": "50"}, False),
        ({"azerbaijan_cost_pct": "50.001"}, True),
        ({"azerbaijan_cost_pct": ""}, False),
        ({"vnm_azn": ""}, False),
        ({"vnm_azn": "101"}, False),
        ({"ex_works_azn": "0"}, False),
    ],
)
def test_a_share_of_cost_above_the_value_content_is_a_remark(changes, remarked):
    remarks = [str(note) for note in sheet(TUBE | changes).warnings]
    told = "The Azerbaijan share of cost is above the value content: one of the two must be wrong."
    assert remarks == ([f"line 2, column azerbaijan_cost_pct: {told}"] if remarked else [])


def test_a_file_that_is_no_table_is_told_so():
    assert [str(note) for note in parse_products(b"", REGISTER, AS_OF).errors] == ["file: The file is empty."]
    assert "more than 1 rows" in str(parse_products(PRODUCTS, REGISTER, AS_OF, max_rows=1).errors[0])


def test_figures_are_exact():
    value = sheet(TUBE | {"ex_works_azn": "6.20", "vnm_azn": "3.3"}).products[0].facts.value
    assert (value.ex_works, value.inputs.non_originating_value) == (Decimal("6.20"), Decimal("3.3"))
