"""Own certificates, exports of own lists, and copies of applications."""

import csv
import io
import json
from datetime import date, timedelta
from unittest.mock import patch

from tests.applications.test_cost import counting
from tests.factories import ok, product
from tests.helpers import refused
from tests.played import played


def lines(answer):
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def table(answer):
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


@played
def holder(app):
    """A company with two certificates, of which one is suspended, for two products."""
    company = app.set_up_company()
    company.numbers = [app.certify(company), app.certify(company)]
    app.change_status(company.numbers[1], "suspend", {"cause": "hearing", "note": "A hearing is set."})
    return company


def test_a_company_lists_its_certificates_by_what_they_are(app, holder):
    app.certify()
    items = ok(holder.get("/v1/my/certificates"))["items"]
    assert [item["number"] for item in items] == holder.numbers[::-1]
    first = items[1]
    public = ok(app.anonymous.get(f"/v1/certificates/{first['number']}"))
    assert {name: first[name] for name in public} == public

    def numbers(**asked):
        return [item["number"] for item in ok(holder.get("/v1/my/certificates", params=asked))["items"]]

    assert numbers(status="suspended") == [holder.numbers[1]]
    assert numbers(status="expired") == []
    assert numbers(product=first["product_id"]) == [holder.numbers[0]]
    assert numbers(site=first["site_id"]) == holder.numbers[::-1]
    assert numbers(scheme="MIA") == []
    last = date.fromisoformat(first["valid_until"])
    assert numbers(expiring_before=last.isoformat()) == []
    assert len(numbers(expiring_before=(last + timedelta(1)).isoformat())) == 2
    assert numbers(limit=1) == [holder.numbers[1]]
    following = holder.get("/v1/my/certificates?limit=1").links["next"]["url"]
    assert [item["number"] for item in ok(holder.get(following))["items"]] == [holder.numbers[0]]
    refused(holder.get("/v1/my/certificates?product=x"), 422, "invalid")
    refused(app.owner.get("/v1/my/certificates"), 403, "forbidden")
    app.clock.advance(days=366 * 4)
    assert numbers(expiring_before="2099-01-01") == []
    assert len(numbers(status="expired")) == 2


def test_products_name_their_certificates_without_a_query_for_each(app, holder):
    items = ok(holder.get("/v1/products"))["items"]
    assert sorted(number for item in items for number in item["certificates"]) == sorted(holder.numbers)
    assert ok(holder.get(f"/v1/products/{items[0]['id']}")) == items[0]
    for _ in range(5):
        holder.add_product()
    with counting(app) as seen:
        assert len(ok(holder.get("/v1/products"))["items"]) == 7
    assert sum("FROM certificates" in statement for statement in seen) == 1


def test_lists_are_exported_whole_in_chunks(app, holder):
    stranger = app.set_up_company()
    stranger.add_product()
    for _ in range(3):
        holder.add_product(names={"az": "Boru", "en": '=HYPERLINK("http://x","y")'})
    holder.act(f"/v1/products/{holder.add_product()}/retire")
    with patch("app.api.company.my_lists.BATCH_SIZE", 2):
        products = lines(holder.get("/v1/products.jsonl"))
        assert products == [ok(holder.get(f"/v1/products/{item['id']}")) for item in products]
        assert len(products) == 6
        assert len(lines(holder.get("/v1/products.jsonl?retired=true"))) == 1
        cells = table(holder.get("/v1/products.csv"))
        assert [row["id"] for row in cells] == [item["id"] for item in products]
        assert {row["name_en"][:3] for row in cells} == {"Wel", "'=H"}
        applications = lines(holder.get("/v1/applications.jsonl"))
        assert applications == ok(holder.get("/v1/applications"))["items"]
        assert [row["number"] for row in table(holder.get("/v1/applications.csv"))] == [
            item["number"] for item in applications
        ]
        certificates = lines(holder.get("/v1/my/certificates.jsonl"))
        assert certificates == ok(holder.get("/v1/my/certificates"))["items"]
        cells = table(holder.get("/v1/my/certificates.csv?status=suspended"))
        assert [(row["number"], row["status"]) for row in cells] == [(holder.numbers[1], "suspended")]
    answer = holder.get("/v1/products.csv?bom=true")
    assert answer.content.startswith(b"\xef\xbb\xbfid,")
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["content-disposition"] == 'attachment; filename="products-2026-11-22.csv"'
    refused(app.owner.get("/v1/products.csv"), 403, "forbidden")


def test_a_copy_is_a_new_draft_with_the_products_alone(app, company):
    earlier = company.apply()
    ok(app.reviewer.get(f"/v1/applications/{earlier}"))
    before = company.application(earlier)
    assert before["evidence"] or ok(company.get(f"/v1/applications/{earlier}/declaration"))["declaration"]
    copy = ok(company.post(f"/v1/applications/{earlier}/copy", json={"reference": "again"}))
    assert copy["id"] != earlier
    assert (copy["state"], copy["reference"], copy["scheme"]) == ("draft", "again", "MIK")
    assert copy["product_ids"] == before["product_ids"]
    assert (copy["evidence"], copy["questions"], copy["decision"], copy["certificates"]) == ([], [], None, [])
    assert ok(company.get(f"/v1/applications/{copy['id']}/declaration"))["declaration"] is None
    refused(company.post(f"/v1/applications/{copy['id']}/submit", version=copy["version"]), 409)
    assert company.application(earlier) == before
    assert ok(company.post(f"/v1/applications/{earlier}/copy", json={"scheme": "MIA"}))["scheme"] == "MIA"
    refused(company.post(f"/v1/applications/{earlier}/copy", json={"reference": "again"}), 409, "reference-taken")
    stranger = app.set_up_company()
    refused(stranger.post(f"/v1/applications/{earlier}/copy", json={}), 404, "not-found")
    refused(app.reviewer.post(f"/v1/applications/{earlier}/copy", json={}), 403, "forbidden")


def test_a_retired_product_is_not_copied_silently(company):
    kept, gone = company.add_product(), company.add_product()
    earlier = company.draft(kept, gone)
    company.act(f"/v1/products/{gone}/retire")
    document = refused(company.post(f"/v1/applications/{earlier}/copy", json={}), 422, "invalid")
    assert [(e["pointer"], e["code"]) for e in document["errors"]] == [("/product_ids/1", "product-retired")]
    assert product(company.site_id)["site_id"] == company.site_id
