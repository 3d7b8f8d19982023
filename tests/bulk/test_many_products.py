"""Five thousand products at once, forty of them bad; in `make test` a tenth of them, read in pages of a tenth."""

from time import perf_counter

import pytest

from app.core import database
from tests.bulk.sheets import cost_row, material_row, product_row, step_row, workbook
from tests.bulk.test_imports import PRODUCTS, places, send, stored
from tests.factories import ok
from tests.helpers import WHOLE, refused

pytestmark = pytest.mark.no_coverage
MANY, BAD, PAGE = (5_000, 40, database.PAGE_ROWS) if WHOLE else (500, 40, database.PAGE_ROWS // 10)
WAYS = [
    ("products", "hs6", "999999", "unknown-hs-code"),
    ("products", "unit", "parsec", "unknown-unit"),
    ("products", "name_en", None, "required"),
    ("products", "ex_works", "cheap", "not-a-number"),
    ("materials", "hs4", "0000", "unknown-hs-code"),
    ("materials", "origin_country", "XX", "unknown-country"),
    ("costs", "kind", "bribes", "not-in-list"),
    ("steps", "country", "Mars", "unknown-country"),
]


def test_many_products_with_forty_bad_lines(app, monkeypatch):
    monkeypatch.setattr(database, "PAGE_ROWS", PAGE)
    company = app.set_up_company(evidence=False)
    site = ok(company.get(f"/v1/sites/{company.site_id}"))["name"]
    file = {
        "products": [product_row(n, site=site) for n in range(MANY)],
        "materials": [material_row(n) for n in range(MANY)],
        "steps": [step_row(n) for n in range(MANY)],
        "costs": [cost_row(n) for n in range(MANY)],
    }
    good = workbook(**file)
    expected = []
    for count in range(BAD):
        sheet, column, value, code = WAYS[count % len(WAYS)]
        number = 17 + count * (MANY - 20) // BAD
        file[sheet][number][column] = value
        expected.append((sheet, number + 2, column, code))
    bad = workbook(**file)
    report = ok(send(company, PRODUCTS, bad, dry_run=True))
    assert sorted(places(report["faults"])) == sorted(expected)
    assert (report["good"], report["bad"], stored(app)) == (MANY - BAD, BAD, 0)
    document = refused(send(company, PRODUCTS, bad), 422, "import-refused")
    assert sorted(places(document["errors"])) == sorted(expected)
    assert stored(app) == 0
    begun = perf_counter()
    report = ok(send(company, PRODUCTS, good))
    assert perf_counter() - begun < 60
    assert (len(report["created"]), stored(app)) == (MANY, MANY)
    assert len({each["id"] for each in report["created"]}) == MANY
