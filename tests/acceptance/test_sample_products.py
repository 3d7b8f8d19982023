"""The sample's products go the whole way over HTTP, with evidence, to the outcome that the sample expects."""

import csv
from importlib.resources import files

import pytest

from app.demo.sample_products import MADE, claimed_lines, product_body
from tests.factories import ok

pytestmark = pytest.mark.pg_sampled
IN_THE_PARK = ("P001", "P002", "P003", "P004", "P005", "P007", "P010", "P013", "P015", "P016", "P017", "P019")
OF_A_NON_RESIDENT = ("P043",)
SAMPLE = files("app.demo") / "sample" / "products.csv"
ROWS = {row["product_id"]: row for row in csv.DictReader(SAMPLE.read_text("utf-8").splitlines())}


def entered(app, company, code):
    """Id of the product as the sample describes it, with proofs of origin that staff have confirmed."""
    site = {"id": company.site_id, "district": "Ağdam"}
    product_id = ok(company.post("/v1/products", json=product_body(ROWS[code], site, {})))["id"]
    proofs = {}
    for line in claimed_lines(code):
        declaration = company.upload(
            "supplier-declaration",
            about=product_id,
            issued_on="2026-01-01",
            supplier=line.supplier,
            hs4=line.hs4,
            country=line.country,
            district=line.district,
            period_from="2026-01-01",
            period_until="2027-12-31",
        )
        app.confirm_evidence(declaration)
        proofs[line.hs4] = declaration["id"]
    if proofs:
        body = product_body(ROWS[code], site, proofs)
        ok(company.put(f"/v1/products/{product_id}", version="now", json=body))
    return product_id


def judged(company, scheme, ids):
    """Code → outcome and criterion, as the rules said at the submission of one application for all."""
    case_id = company.apply(*ids.values(), scheme=scheme)
    said = ok(company.get(f"/v1/applications/{case_id}/assessment"))["items"]
    codes = {product_id: code for code, product_id in ids.items()}
    return {codes[each["product_id"]]: each for each in said}


@pytest.mark.parametrize(("status", "codes"), [("resident", IN_THE_PARK), ("non_resident", OF_A_NON_RESIDENT)])
def test_the_sample_is_judged_as_it_expects(app, status, codes):
    company = app.set_up_company(resident=False)
    app.add_residency(company, status=status)
    ids = {code: entered(app, company, code) for code in codes}
    assert set(codes) <= MADE.keys()
    for scheme in ("MIK", "MIA"):
        said = judged(company, scheme, ids)
        expected = {code: ROWS[code][f"expected_{scheme.lower()}_result"] for code in codes}
        found = {code: each["outcome"] for code, each in said.items()}
        assert found == expected, [
            (code, rule["rule"], rule["reason"])
            for code, each in said.items()
            if found[code] != expected[code]
            for rule in each["rules"]
            if rule["outcome"] not in {"pass", "not_applicable"}
        ]
        for code, each in said.items():
            assert (each["origin"]["criterion"] or "NONE") == ROWS[code]["expected_origin_criterion"]
            assert f"{float(each['origin']['rvc_pct']):.1f}" == ROWS[code]["expected_rvc_pct"]
