"""A buyer gets a container with forty labels and an invoice, and wants to know what of it is true."""

from tests.factories import ok


def test_a_delivery_is_checked_at_once(app):
    company = app.set_up_company()
    tube = company.add_product()
    good = app.certify(company, tube)
    revoked = app.certify(company, company.add_product(names={"az": "Boru", "en": "Pipe"}))
    app.revoke(revoked, "false-documents")
    token = app.token(good)

    # The labels carry numbers, typed by hand, and some have the token behind their QR code.
    labels = [
        {"number": good},
        {"number": f" {good.lower().replace('-', ' ')}"},
        {"token": token},
        {"number": revoked},
        {"number": good[:-1] + ("A" if good[-1] != "A" else "B")},
        {"token": token[:-6] + "AAAAAA"},
    ]
    answer = ok(app.anonymous.post("/v1/verify/batch", json={"items": labels}))
    assert [each["verdict"] for each in answer["items"]] == ["valid"] * 3 + ["revoked", "mistyped", "forged"]

    # Every verdict comes with a sentence that can be shown to the seller; the bad ones say no more than they know.
    assert all(each["message"] for each in answer["items"])
    assert answer["items"][3]["certificate"]["reason"] == "false-documents"
    assert [each["certificate"] for each in answer["items"][4:]] == [None, None]

    # The certificate is good. Is it for what stands on the invoice? The holder is, however the name is written …
    until = app.verify(good)["certificate"]["valid_until"]
    invoice = {"holder": company.name.upper() + " LLC", "product": "welded STEEL tube", "hs6": "730630"}
    answer = ok(app.anonymous.post("/v1/verify", json={"number": good, "expect": invoice | {"valid_until": until}}))
    assert set(answer["expect"].values()) == {"match"}

    # … and a true certificate of somebody else, lent for other goods, is seen through: valid, and not for this.
    borrowed = {"holder": "Some Other Trader MMC", "product": "Carpets", "hs6": "570110"}
    answer = ok(app.anonymous.post("/v1/verify", json={"token": token, "expect": borrowed}))
    assert answer["verdict"] == "valid"
    assert answer["expect"] == dict.fromkeys(borrowed, "differs")


def test_one_line_of_another_shape_is_named_and_nothing_is_guessed(app):
    items = [{"number": "MIK-2026-000042-Y"}] * 3 + [{"number": 42}]
    refusal = app.anonymous.post("/v1/verify/batch", json={"items": items})
    assert (refusal.status_code, refusal.json()["code"]) == (422, "invalid")
    assert refusal.json()["errors"][0]["pointer"].startswith("/items/3")
