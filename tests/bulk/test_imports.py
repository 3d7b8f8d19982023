"""Products and draft applications from CSV and XLSX: every fault by line and column, all or nothing, dry runs."""

import io
import zipfile

import pytest

from app.bulk import templates
from app.bulk.import_file import ImportLimits, read_import_file
from app.bulk.layouts import LAYOUTS
from tests.bulk.sheets import cost_row, csv_file, material_row, product_row, step_row, workbook
from tests.factories import ok
from tests.helpers import refused, rows
from tests.played import played

LIMITS = ImportLimits(10_000_000, 20_000_000, 100, 1_000)
PRODUCTS, APPLICATIONS = "/v1/imports/products", "/v1/imports/applications"


@played
def company(app):
    company = app.set_up_company(evidence=False)
    company.site_name = ok(company.get(f"/v1/sites/{company.site_id}"))["name"]
    return company


def send(company, path, data, name="file.xlsx", **more):
    asked = {key: more.pop(key) for key in ("mode", "dry_run") if key in more}
    return company.post(path, params=asked, files={"file": (name, data)}, **more)


def whole(company, *numbers, **changed):
    return {
        "products": [product_row(n, site=company.site_name, **changed) for n in numbers],
        "materials": [material_row(n) for n in numbers],
        "steps": [step_row(n) for n in numbers],
        "costs": [cost_row(n) for n in numbers],
    }


def places(found):
    return [(f["sheet"], f["line"], f["column"], f["code"]) for f in found]


def stored(app):
    (count,) = rows(app, "SELECT count(*) AS n FROM products")
    return count.n


def test_products_from_a_workbook_are_what_the_api_would_create(app, company):
    report = ok(send(company, PRODUCTS, workbook(**whole(company, 1, 2))))
    assert (report["kind"], report["good"], report["bad"], report["fault_count"]) == ("products", 2, 0, 0)
    assert [(each["line"], each["reference"]) for each in report["created"]] == [(2, "P00001"), (3, "P00002")]
    one = ok(company.get(f"/v1/products/{report['created'][0]['id']}"))
    body = {
        "reference": "by hand",
        "names": {"az": "Boru 1", "en": "Tube 1"},
        "hs6": "730630",
        "unit": "t",
        "site_id": company.site_id,
        "ex_works": "1450.00",
        "materials": [
            {"name": "Hot-rolled coil", "hs4": "7208", "origin_country": "TR", "value": "830.1", "basis": "cif"}
            | {"weight_kg": "1040"}
        ],
        "steps": [
            {"name": "Welding", "operation": "tube_welding", "country": "AZ", "district": "Ağdam", "is_essential": True}
        ],
        "costs": [{"kind": "labour", "place": "KARABAKH", "amount": "310.00"}],
    }
    by_hand = ok(company.post("/v1/products", json=body))
    same = set(one) - {"id", "reference"}
    assert {name: one[name] for name in same} == {name: by_hand[name] for name in same}
    events = [e["event"] for e in ok(app.auditor.get("/v1/audit?limit=100"))["items"]]
    assert events.count("product.created") == 3


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-8")])
def test_a_csv_file_says_of_each_line_what_it_is(company, delimiter, encoding):
    comma = "," if delimiter != "," else "."
    lines = [
        {"record": "product", **product_row(1, site=company.site_id, ex_works=f"1450{comma}50", flags="assembly_only")},
        {"record": "material", **material_row(1, value=f"1{comma}040", name="Sac, isti")},
        {"record": "Step", **step_row(1, is_essential="yes")},
        {"record": "cost", **cost_row(1)},
    ]
    report = ok(send(company, PRODUCTS, csv_file(lines, delimiter=delimiter, encoding=encoding), "file.csv"))
    one = ok(company.get(f"/v1/products/{report['created'][0]['id']}"))
    assert (float(one["ex_works"]), float(one["materials"][0]["value"])) == (1450.5, 1.04)
    assert (one["flags"], one["steps"][0]["is_essential"]) == (["assembly_only"], True)


def test_a_comma_that_may_separate_thousands_is_refused(company):
    data = csv_file([product_row(1, site=company.site_id, ex_works="1,450")])
    document = refused(send(company, PRODUCTS, data), 422, "import-refused")
    assert places(document["errors"]) == [(None, 2, "ex_works", "not-a-number")]
    good = csv_file([product_row(1, site=company.site_id, ex_works="1450,5")])
    assert ok(send(company, PRODUCTS, good, dry_run=True))["good"] == 1


def test_every_fault_of_every_line_is_named_and_nothing_is_written(app, company):
    company.post("/v1/products", json={})
    file = whole(company, 1, 2, 3, 4)
    file["products"][0] |= {"hs6": "73063", "unit": "parsec", "gtin": "123"}
    file["products"][1] |= {"site": "Moon", "name_en": None}
    file["products"].append(product_row(4, site=company.site_name))
    file["materials"][2] |= {"value": "much", "hs4": "0000", "originating": "perhaps", "proofs": "x | y"}
    file["materials"].append(material_row(9))
    file["costs"].append(cost_row(3, amount="1"))
    file["steps"][2] |= {"operation": "x" * 101, "country": "Türkiyə"}
    expected = {
        ("products", 2, "hs6", "wrong-format"),
        ("products", 2, "unit", "unknown-unit"),
        ("products", 2, "gtin", "wrong-format"),
        ("products", 3, "site", "unknown-site"),
        ("products", 3, "name_en", "required"),
        ("products", 5, "reference", "duplicate"),
        ("products", 6, "reference", "duplicate"),
        ("materials", 4, "value", "not-a-number"),
        ("materials", 4, "hs4", "unknown-hs-code"),
        ("materials", 4, "originating", "wrong-type"),
        ("materials", 4, "proofs", "invalid-id"),
        ("materials", 6, "reference", "unknown-product"),
        ("steps", 4, "operation", "too-long"),
        ("steps", 4, "country", "unknown-country"),
        ("costs", 6, None, "duplicate"),
    }
    data = workbook(**file)
    report = ok(send(company, PRODUCTS, data, dry_run=True))
    found = places(report["faults"])
    assert expected <= set(found), expected - set(found)
    assert (report["good"], report["bad"], report["created"]) == (0, 5, [])
    document = refused(send(company, PRODUCTS, data), 422, "import-refused")
    assert places(document["errors"]) == found
    refused(send(company, PRODUCTS, data, mode="good_lines_as_drafts"), 422, "import-refused")  # there is no good one
    assert stored(app) == 0


def test_good_lines_are_written_where_that_was_asked_for(app, company):
    file = whole(company, 1, 2, 3)
    file["products"][1]["hs6"] = "999999"
    file["materials"][2]["origin_country"] = "XX"
    data = workbook(**file)
    report = ok(send(company, PRODUCTS, data, mode="good_lines_as_drafts"))
    assert (report["good"], report["bad"]) == (1, 2)
    assert [each["reference"] for each in report["created"]] == ["P00001"]
    assert places(report["faults"]) == [
        ("products", 3, "hs6", "unknown-hs-code"),
        ("materials", 4, "origin_country", "unknown-country"),
    ]
    again = refused(send(company, PRODUCTS, data, mode="good_lines_as_drafts"), 422, "import-refused")
    assert ("products", 2, "reference", "reference-taken") in places(again["errors"])
    assert stored(app) == 1
    stranger = app.set_up_company(evidence=False)
    ours = refused(send(stranger, PRODUCTS, workbook(products=[product_row(7, site=company.site_id)])), 422)
    assert places(ours["errors"]) == [("products", 2, "site", "unknown-site")]


def test_a_retry_with_the_same_key_writes_once(app, company):
    key = "import-1"
    data = workbook(**whole(company, 1))
    send(company, PRODUCTS, data, dry_run=True, headers={"Idempotency-Key": key})
    first = send(company, PRODUCTS, data, headers={"Idempotency-Key": key})
    again = send(company, PRODUCTS, data, headers={"Idempotency-Key": key})
    assert ok(first) == ok(again)
    assert again.headers["idempotent-replayed"] == "true"
    assert stored(app) == 1
    other = workbook(**whole(company, 2))
    refused(send(company, PRODUCTS, other, headers={"Idempotency-Key": key}), 422, "key-reused")
    refused(send(app.owner, PRODUCTS, data), 403, "forbidden")


def test_messages_are_in_the_language_of_the_reader(company):
    file = workbook(products=[product_row(1, site=company.site_name, hs6="999999")])
    said = [
        ok(send(company, PRODUCTS, file, dry_run=True, headers={"Accept-Language": language}))["faults"][0]["message"]
        for language in ("en", "az", "ru")
    ]
    assert len(set(said)) == 3


def test_applications_name_products_by_reference_or_id(app, company):
    first, second = company.add_product(reference="A 1"), company.add_product(reference="A 2")
    company.draft(first, reference="taken")
    lines = [
        {"scheme": "MIK", "reference": "N1", "products": f"A 1 | {second}"},
        {"scheme": "MIA", "products": "A 2"},
        {"scheme": "XYZ", "reference": "N1", "products": "A 9 | A 1"},
        {"scheme": "MIK", "reference": "taken", "products": "A 1|A 1"},
        {"scheme": "MIK", "reference": "N4"},
    ]
    data = csv_file(lines, kind="applications", delimiter=";")
    report = ok(send(company, APPLICATIONS, data, dry_run=True))
    assert places(report["faults"]) == [
        (None, 4, "products", "unknown-product"),
        (None, 4, "scheme", "unknown-scheme"),
        (None, 4, "reference", "duplicate"),
        (None, 5, "reference", "reference-taken"),
        (None, 5, "products", "wrong-count"),
        (None, 6, "products", "required"),
    ]
    refused(send(company, APPLICATIONS, data), 422, "import-refused")
    assert len(ok(company.get("/v1/applications"))["items"]) == 1
    report = ok(send(company, APPLICATIONS, data, mode="good_lines_as_drafts"))
    assert [(each["line"], each["reference"]) for each in report["created"]] == [(2, "N1"), (3, None)]
    drafted = company.application(report["created"][0]["id"])
    assert (drafted["state"], drafted["scheme"], drafted["product_ids"]) == ("draft", "MIK", [first, second])
    stranger = app.set_up_company(evidence=False)
    foreign = csv_file([{"scheme": "MIK", "products": first}], kind="applications")
    document = refused(send(stranger, APPLICATIONS, foreign), 422, "import-refused")
    assert places(document["errors"]) == [(None, 2, "products", "unknown-product")]


def test_templates_are_empty_files_with_header_explanations_and_lists(app):
    for kind in ("products", "applications"):
        for form in ("csv", "xlsx"):
            answer = app.anonymous.get(f"/v1/imports/templates/{kind}.{form}")
            assert answer.status_code == 200
            tables = read_import_file(answer.content, LAYOUTS[kind], LIMITS)
            assert [fault.message.code for fault in tables.file_faults] == ["empty"]
    refused(app.anonymous.get("/v1/imports/templates/products.ods"), 404, "not-found")
    text = templates.csv_template("products").decode("utf-8-sig")
    assert "basis: how the value was taken; one of: cif, domestic, own" in text


def read(data, kind="products", limits=LIMITS):
    return read_import_file(data, LAYOUTS[kind], limits)


def codes(data, limits=LIMITS):
    return [(fault.line, fault.column, fault.message.code) for fault in read(data, limits=limits).file_faults]


def test_columns_are_neither_lost_nor_guessed():
    good = product_row(1)
    assert codes(csv_file([good])) == []
    assert codes(csv_file([good]).replace(b"hs6", b"hs_6")) == [(1, "hs_6", "unknown-column"), (1, "hs6", "required")]
    twice = csv_file([good]).replace(b"ex_works", b"unit")
    assert (1, "unit", "duplicate") in codes(twice)
    assert codes(csv_file([{"record": "prodct", **good}]))[0] == (2, "record", "not-in-list")
    short = csv_file([good]) + b"P2,only two\r\n"
    assert [[f.message.code for f in line.faults] for line in read(short).lines["products"]] == [[], ["wrong-count"]]
    named = read(workbook(Sheet1=[product_row(1, name_ru="Труба")])).lines["products"]
    assert named[0].members["name_ru"] == "Труба"


def test_what_a_spreadsheet_shows_is_what_is_read():
    cells = {"reference": "=1+1", "name_az": "-5%", "brand": "@x", "hs6": 730630, "ex_works": 0.1 + 0.2, "gtin": 1e15}
    (line,) = read(workbook(products=[product_row(1, **cells)])).lines["products"]
    assert "reference" not in line.members  # a formula that no spreadsheet has computed has no value
    assert (line.members["name_az"], line.members["brand"], line.members["hs6"]) == ("-5%", "@x", "730630")
    assert (line.members["ex_works"], line.members["gtin"]) == ("0.3", "1000000000000000")
    (line,) = read(workbook(products=[product_row(1, unit="#N/A")])).lines["products"]
    assert [(fault.column, fault.message.code) for fault in line.faults] == [("unit", "invalid")]


def test_a_text_that_begins_like_a_formula_is_a_text(company):
    data = csv_file([product_row(1, site=company.site_id, name_en="=HYPERLINK(1)", brand="+x")])
    report = ok(send(company, PRODUCTS, data, "file.csv"))
    one = ok(company.get(f"/v1/products/{report['created'][0]['id']}"))
    assert (one["names"]["en"], one["brand"]) == ("=HYPERLINK(1)", "+x")
    assert "'=HYPERLINK(1)" in company.get("/v1/products.csv").text


def packed(**parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", content)
    return out.getvalue()


def with_part(data, name, change):
    """The file with one part changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            content = old.read(part)
            new.writestr(part.filename, change(content) if part.filename == name else content)
    return out.getvalue()


def test_files_that_grow_or_lie_are_refused_in_bounded_memory():
    good = workbook(products=[product_row(1)])
    sheet = "xl/worksheets/sheet1.xml"
    assert codes(good) == []
    assert codes(packed(bomb=b"<x>" + b"\0" * 50_000_000)) == [(0, None, "too-long")]
    assert codes(good, ImportLimits(10**7, 1_000, 100, 1_000)) == [(0, None, "too-long")]
    assert codes(good, ImportLimits(100, 10**7, 100, 1_000)) == [(0, None, "too-long")]
    entity = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>'
    assert codes(with_part(good, sheet, lambda xml: entity + xml)) == [(0, None, "unreadable-file")]
    far = with_part(good, sheet, lambda xml: xml.replace(b'r="2"', b'r="1000000"'))
    assert codes(far) == [(20_021, None, "too-many")]
    wide = with_part(
        good, sheet, lambda xml: xml.replace(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>')
    )
    assert codes(wide) == []
    shared = workbook(products=[product_row(n, brand="x" * 900) for n in range(90)])
    assert codes(shared, ImportLimits(50_000, 10**7, 100, 1_000)) == [(0, None, "too-long")]
    assert codes(good[:200]) == [(0, None, "unreadable-file")]
    assert codes(good[:-40]) == [(0, None, "unreadable-file")]
    assert codes(packed(a=b"<x/>")) == [(0, None, "unreadable-file")]
    assert codes(b"\xd0\xcf\x11\xe0 old")[0][2] == "unreadable-file"
    assert codes("reference,ad\r\nBoru,şüşə\r\n".encode("utf-16")) == [(0, None, "unreadable-file")]
    many = [product_row(n) for n in range(101)]
    assert codes(workbook(products=many)) == codes(csv_file(many)) == [(0, None, "too-many")]
    rows_ = {"products": [product_row(1)], "materials": [material_row(1)] * 1_000}
    assert codes(workbook(**rows_)) == [(1_001, None, "too-many")]
