"""A line of the products file and what the demo sends for it are judged alike, on every line and for both marks."""

import re
from decimal import Decimal

import pytest
from demo_support import theatre

from app.cli.assess import read_registers
from app.cli.demo import cast
from app.cli.demo.papers import product_body, small_pdf
from app.cli.demo.stage import sample, sample_rows
from app.products.sheet import parse_products
from app.registry.days import day_in_baku
from app.schemes.eligibility import assess
from app.schemes.outcome import Outcome
from app.schemes.scheme_file import load_schemes
from tests.support import NOW, ok

ROWS = sample_rows(cast.PRODUCTS_FILE)


@pytest.fixture(scope="module")
def in_the_file(tmp_path_factory):
    """(mark, product) → outcome of every rule that a file can feed."""
    folder = tmp_path_factory.mktemp("sample")
    for name in cast.REGISTER_FILES:
        (folder / name).write_bytes(sample(name))
    register = read_registers([folder / name for name in cast.REGISTER_FILES])
    sheet = parse_products(sample(cast.PRODUCTS_FILE), register, day_in_baku(NOW))
    assert len(sheet.products) == len(ROWS)
    return {
        (code, line.product_id): {
            finding.rule: finding.outcome
            for finding in assess(scheme.ruleset, line.facts).findings
            if finding.outcome is not Outcome.NOT_ASSESSED
        }
        for code, scheme in load_schemes().items()
        for line in sheet.products
    }


@pytest.fixture(scope="module")
def over_http(sqlite_template, tmp_path_factory):
    """(mark, product) → outcome of every rule, for the products as the demo sends them."""
    outcomes = {}
    with theatre(sqlite_template, tmp_path_factory.mktemp("papers")) as house:
        for name in cast.REGISTER_FILES:
            ok(house.import_register(sample(name)))
        listing = {
            row.get("resident_id") or row["party_id"]: row for n in cast.REGISTER_FILES for row in sample_rows(n)
        }
        for owner in sorted({row["owner_id"] for row in ROWS}):
            company = house.register(listing[owner]["voen"])
            (site,) = ok(company.get("/v1/sites"))["items"]
            for row in (row for row in ROWS if row["owner_id"] == owner):
                made = ok(company.post("/v1/products", json=product_body(row, site)))
                for code in ("MIK", "MIA"):
                    path = f"/v1/schemes/{code}/assessments"
                    (judged,) = ok(company.post(path, json={"product_ids": [made["id"]]}))["items"]
                    outcomes[code, row["product_id"]] = {each["rule"]: each["outcome"] for each in judged["rules"]}
    return outcomes


@pytest.mark.parametrize("code", ["MIK", "MIA"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["product_id"])
def test_the_rules_see_what_they_see_in_the_file(row, code, in_the_file, over_http):
    seen = over_http[code, row["product_id"]]
    expected = in_the_file[code, row["product_id"]]
    if expected.get("K-01") is Outcome.FAIL:
        # The steps are done at the site, outside the territory; a file has no steps, so it cannot say this as well.
        assert seen["C-08"] == expected.pop("C-08").FAIL
    assert {rule: seen[rule] for rule in expected} == expected


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["product_id"])
def test_the_figures_of_the_file_are_kept_exactly(row):
    body = product_body(row, {"id": "site", "district": "Ağdam"})
    foreign = [Decimal(line["value"]) for line in body["materials"] if not line["originating"]]
    assert sum(foreign) == Decimal(row["vnm_azn"])
    amounts = {cost["place"]: Decimal(cost["amount"]) for cost in body["costs"]}
    total = sum(amounts.values())
    assert amounts.get("KARABAKH", 0) / total * 100 == Decimal(row["karabakh_cost_pct"])
    assert (total - amounts.get("ABROAD", 0)) / total * 100 == Decimal(row["azerbaijan_cost_pct"])


def test_joint_production_goes_to_its_own_member():
    row = ROWS[0] | {"flags": "food;joint_production_tr"}
    body = product_body(row, {"id": "site", "district": "Ağdam"})
    assert (body["flags"], body["joint_production"]) == (["food"], ["TR"])


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
