"""A company that is refused reads every reason at once, in words, and nobody can wave it through."""

from tests.factories import ok

HERE = {"country": "AZ", "district": "Ağdam"}


def test_refused_with_all_its_reasons(app):
    # Painted sheet from bought sheet: rolled here, but the same heading in and out, and little cost in Karabakh.
    company = app.set_up_company()
    sheet = company.add_product(
        names={"az": "Rəngli profnastil", "en": "Painted sheet"},
        hs6="721070",
        ex_works="1900",
        materials=[
            {"name": "Painted coil", "hs4": "7210", "origin_country": "TR", "originating": False, "value": "1560"}
        ],
        steps=[{"name": "Rolling", "operation": "cold_rolling", "is_essential": True} | HERE],
        costs=[
            {"kind": "labour", "place": "KARABAKH", "amount": "300"},
            {"kind": "materials", "place": "ABROAD", "amount": "1560"},
        ],
    )
    good = company.add_product()
    case = company.apply(sheet, good)
    path = f"/v1/applications/{case}"

    # The reviewer cannot recommend past a failed rule, with the best will.
    app.reviewer.act(f"{path}/claim")
    generous = {
        "products": [{"product_id": each, "outcome": "approve", "reasons": ["Nice."]} for each in (sheet, good)]
    }
    refusal = app.reviewer.post(f"{path}/recommend", version="now", json=generous)
    assert (refusal.status_code, refusal.json()["code"]) == (409, "not-eligible")
    assert {finding["rule"] for finding in refusal.json()["findings"]} == {"C-06", "K-06"}

    # So one product is recommended for refusal and the other for the mark, and the approver confirms both.
    verdicts = [
        {"product_id": sheet, "outcome": "reject", "reasons": ["Bought in, and only rolled here."]},
        {"product_id": good, "outcome": "approve"},
    ]
    app.reviewer.act(f"{path}/recommend", {"products": verdicts})
    app.approve(case)

    # The company reads the whole of it: the reviewer's words, and every criterion with its arithmetic.
    application = company.application(case)
    refused, granted = (
        next(each for each in application["decision"]["products"] if each["product_id"] == product)
        for product in (sheet, good)
    )
    assert application["state"] == "approved"
    assert refused["reasons"] == ["Bought in, and only rolled here."]
    words = {each["rule"]: each["reason"] for each in refused["failed"]}
    assert words.keys() == {"C-06", "K-06"}
    assert "(1900 − 1560) / 1900 × 100 = 17.9 %" in words["C-06"]
    assert "16.1 %" in words["K-06"]
    assert application["certificates"] == [granted["certificate"]]

    # Nobody was given a certificate for the sheet, and the company may mend it and ask again.
    assert [each["product"]["name"]["en"] for each in ok(app.anonymous.get("/v1/certificates"))["items"]] == [
        "Welded steel tube"
    ]
    assert company.put(f"/v1/products/{sheet}", version="now", json={}).status_code == 422  # looked at, so not frozen


def test_the_approver_may_refuse_what_was_recommended(app):
    company = app.set_up_company()
    case = company.apply()
    app.review(case)
    app.approver.act(f"/v1/applications/{case}/reject", {"reason": "The site was found closed on 20 November."})

    application = company.application(case)
    assert (application["state"], application["certificates"]) == ("rejected", [])
    assert application["decision"]["products"][0]["reasons"] == ["The site was found closed on 20 November."]
