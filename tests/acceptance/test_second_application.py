"""A company that is refused reads why, mends what can be mended, and comes back."""

from tests.factories import ok, product

FORMED_ABROAD = {
    "steps": [
        {"name": "Forming", "operation": "forming", "country": "TR"},
        {
            "name": "Welding",
            "operation": "tube_welding",
            "country": "AZ",
            "district": "Ağdam",
            "is_essential": True,
        },
    ],
    "costs": [
        {"kind": "labour", "place": "KARABAKH", "amount": "190"},
        {"kind": "labour", "place": "ABROAD", "amount": "290"},
        {"kind": "materials", "place": "ABROAD", "amount": "830"},
    ],
}


def test_refused_mended_granted(app):
    company = app.set_up_company()
    tube = company.add_product(**FORMED_ABROAD)

    # It might have known: the rules can be tried before anybody is asked.
    (tried,) = ok(company.post("/v1/schemes/MIK/assessments", json={"product_ids": [tube]}))["items"]
    assert tried["outcome"] == "fail"
    assert [each["rule"] for each in tried["rules"] if each["outcome"] == "fail"] == ["K-06"]

    # It applies all the same, and is refused, by a person and with the rule's own words.
    case = company.apply(tube)
    app.review(case, outcome="reject", reasons=["Too little of it is made in Karabakh."])
    assert app.approve(case)["state"] == "rejected"
    decision = company.application(case)["decision"]["products"][0]
    assert decision["certificate"] is None
    (why,) = decision["failed"]
    assert why["rule"] == "K-06" and "14.5 %" in why["reason"]

    # A refusal is no ban. The forming line is moved into the hall in Ağdam, and the product's costs with it.
    moved = product(company.site_id)
    assert company.put(f"/v1/products/{tube}", version="now", json=moved).status_code == 200
    (tried,) = ok(company.post("/v1/schemes/MIK/assessments", json={"product_ids": [tube]}))["items"]
    assert tried["outcome"] == "pass"

    # The second application is a case of its own; the reviewer sees the first one beside it.
    again = company.apply(tube)
    assert again != case
    earlier = ok(app.reviewer.get(f"/v1/applications/{again}/earlier-decisions"))
    assert "rejected" in str(earlier)
    app.review(again)
    (number,) = app.approve(again)["certificates"]
    assert app.verify(number)["verdict"] == "valid"

    # What was decided first stays decided, and readable with the reasons of its day.
    old = company.application(case)
    assert (old["state"], old["certificates"]) == ("rejected", [])
    assert old["decision"]["products"][0]["failed"] == [why]
