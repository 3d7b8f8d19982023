"""The products of the demo: their figures are those of the sample file, and the rules see them alike."""

import re
from decimal import Decimal

import pytest

from app.cli.assess import read_registers
from app.core.dates import baku_day
from app.demo import company_steps, scenario_data
from app.demo.application_steps import ApplicationSteps
from app.demo.context import sample, sample_rows
from app.demo.sample_documents import small_pdf
from app.demo.sample_products import KARABAKH, MADE, OWN_ROWS, sums
from app.products.csv_format import parse_products
from app.schemes.closed_lists import OperationClass, load_lists
from app.schemes.evaluator import evaluate
from app.schemes.outcome import Outcome
from app.schemes.scheme_loader import load_schemes
from tests.cli.helpers import demo_app, stage
from tests.factories import NOW

pytestmark = pytest.mark.no_coverage
CASES = (*scenario_data.CASES, scenario_data.UNCONFIRMED)
ROWS = [row for row in sample_rows(scenario_data.PRODUCTS_FILE) if row["product_id"] in MADE]


@pytest.fixture(scope="module")
def in_the_file(tmp_path_factory):
    """(mark, product) → outcome of every rule that a file can feed."""
    folder = tmp_path_factory.mktemp("sample")
    for name in scenario_data.REGISTER_FILES:
        (folder / name).write_bytes(sample(name))
    register = read_registers([folder / name for name in scenario_data.REGISTER_FILES])
    sheet = parse_products(sample(scenario_data.PRODUCTS_FILE), register, baku_day(NOW))
    return {
        (code, line.product_id): {
            finding.rule: finding.outcome
            for finding in evaluate(scheme.ruleset, line.facts).findings
            if finding.outcome is not Outcome.NOT_ASSESSED
        }
        for code, scheme in load_schemes().items()
        for line in sheet.products
    }


@pytest.fixture(scope="module")
def over_http(sqlite_template, tmp_path_factory):
    """(mark, product) → outcome of every rule, for the products as the demo describes and documents them."""
    outcomes = {}
    with demo_app(sqlite_template, tmp_path_factory.mktemp("products")) as app:
        on_stage, _ = stage(app)
        company_steps.load_register(on_stage)
        for case in CASES:
            company = next(each for each in scenario_data.COMPANIES if each.party == case.party)
            member = company_steps.bring_in(on_stage, company)
            ApplicationSteps(on_stage, case, member).found_or_drafted()
            ids = {each["reference"]: each["id"] for each in member.everything("/v1/products")}
            for code in ("MIK", "MIA"):
                for product in case.products:
                    judged = member.post(f"/v1/schemes/{code}/assessments", {"product_ids": [ids[product]]})["items"][0]
                    outcomes[code, product] = {each["rule"]: each["outcome"] for each in judged["rules"]}
    return outcomes


@pytest.mark.parametrize("code", ["MIK", "MIA"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["product_id"])
def test_the_rules_see_what_they_see_in_the_file(row, code, in_the_file, over_http):
    seen = over_http[code, row["product_id"]]
    expected = in_the_file[code, row["product_id"]]
    if "K-02" in expected and row["owner_id"] == scenario_data.UNCONFIRMED.party:
        expected = expected | {"K-02": "manual"}  # a claimant sees nothing of the residency
    assert {rule: seen[rule] for rule in expected} == expected


def test_what_is_made_is_what_the_cases_apply_for():
    assert sorted(MADE) == sorted(product for case in CASES for product in case.products)
    assert {row["product_id"] for row in (*ROWS, *OWN_ROWS)} == set(MADE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["product_id"])
def test_the_figures_are_those_of_the_file(row):
    made, stated = MADE[row["product_id"]], {name: Decimal(value) for name, value in sums(row["product_id"]).items()}
    foreign = [line for line in made.materials if not line.is_claimed]
    assert stated["materials_abroad"] == Decimal(row["vnm_azn"])
    assert [line.hs4 for line in foreign] == [each for each in row["nonorig_input_hs4"].split(";") if each]
    total, karabakh = sum(stated.values()), stated["other_karabakh"] + stated["materials_karabakh"]
    assert round(karabakh / total * 100) == Decimal(row["karabakh_cost_pct"])
    assert round((total - stated["materials_abroad"]) / total * 100) == Decimal(row["azerbaijan_cost_pct"])


@pytest.mark.parametrize("row", [*ROWS, *OWN_ROWS], ids=lambda row: row["product_id"])
def test_costs_explain_the_price_and_do_not_exceed_it(row):
    price, total = Decimal(row["ex_works_azn"]), sum(Decimal(value) for value in sums(row["product_id"]).values())
    assert price * 4 / 10 <= total <= price


@pytest.mark.parametrize("code", MADE)
def test_the_steps_are_operations_of_the_list_and_one_is_enough(code):
    row = next(row for row in (*ROWS, *OWN_ROWS) if row["product_id"] == code)
    found = [load_lists().find_operation(work.operation) for work in MADE[code].steps]
    assert all(found)
    classes = {operation.class_for_code(row["hs6"], load_lists()) for operation in found}
    is_enough = OperationClass.SUBSTANTIAL in classes
    assert is_enough is (code != "P013")  # roll forming of a sheet that stays a sheet


def test_the_tube_is_the_worked_example():
    """Coil of heading 7208 from Türkiye for 830, 563 in Karabakh, 14 elsewhere: 40.0 % of 1407."""
    (coil,) = MADE["P001"].materials
    assert (coil.hs4, coil.country, coil.value) == ("7208", "TR", "830")
    assert sums("P001") == {
        "other_karabakh": "563",
        "other_az_other": "14",
        "materials_karabakh": "0",
        "materials_abroad": "830",
    }
    assert set(MADE["P001"].costs[KARABAKH]) == {"labour", "energy", "depreciation"}


def test_the_small_pdf_is_one():
    """Header, objects where the table says that they are, and the table where the end says that it is."""
    pdf = small_pdf("Sample (fictional)", "Statement")
    assert pdf.startswith(b"%PDF-1.4\n") and pdf.endswith(b"%%EOF\n")
    table = int(re.search(rb"startxref\n(\d+)\n", pdf)[1])
    assert pdf[table:].startswith(b"xref\n")
    offsets = [int(each) for each in re.findall(rb"(\d{10}) 00000 n ", pdf[table:])]
    assert [pdf[at:].split(b" ", 1)[0] for at in offsets] == [b"%d" % n for n in range(1, len(offsets) + 1)]
    length, stream = re.search(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", pdf).groups()
    assert len(stream) == int(length)
    assert rb"(Sample \(fictional\)) Tj" in stream


def test_the_same_lines_give_the_same_file_and_others_another():
    assert small_pdf("a", "b") == small_pdf("a", "b") != small_pdf("a", "c")
