"""Batches and expectations against the running service, with certificates that were really granted."""

import pytest

from app.core.settings import Settings
from tests.factories import ok, running_app

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]


def test_a_batch_of_everything(app):
    company = app.set_up_company()
    good, revoked = app.certify(company), app.certify(company)
    token = app.token(good)
    app.revoke(revoked, "false-documents")
    items = [{"number": revoked}, {"token": token}, {"number": "x"}, {"number": good.lower()}, {"token": token + "="}]
    answer = ok(app.anonymous.post("/v1/verify/batch", json={"items": items}))
    assert [each["verdict"] for each in answer["items"]] == ["revoked", "valid", "mistyped", "valid", "unreadable"]
    assert answer["items"][3] == app.verify(good)


def test_what_stands_on_the_invoice(app):
    company = app.set_up_company()
    number = app.certify(company)
    until = app.verify(number)["certificate"]["valid_until"]
    expect = {
        "holder": f"«{company.name}» LLC",
        "product": "QAYNAQLI POLAD BORU",
        "hs6": "730661",
        "valid_until": until,
    }
    answer = ok(app.anonymous.post("/v1/verify", json={"number": number, "expect": expect}))
    assert answer["expect"] == {"holder": "match", "product": "match", "hs6": "differs", "valid_until": "match"}
    assert {**app.verify(number), "expect": answer["expect"]} == answer


def test_the_limit_of_a_batch_is_a_setting_and_larger_than_that_of_other_bodies(app):
    filler = {"items": [{"token": "x" * 60_000}] * 20}  # 1.2 MB: too much elsewhere
    answer = ok(app.anonymous.post("/v1/verify/batch", json=filler))
    assert {each["verdict"] for each in answer["items"]} == {"unreadable"}
    assert app.settings.batch_max_bytes > app.settings.body_max_bytes
    assert app.anonymous.post("/v1/verify", json={"token": "x" * 300_000}).status_code == 413


@pytest.mark.parametrize("stated", [True, False])
def test_over_the_limit(database_url, tmp_path, stated):
    with running_app(database_url, tmp_path, batch_max_bytes=2_000) as app:
        body = b'{"items":[' + b'{"number":"x"},' * 200 + b"]}"
        content = body if stated else iter([body])
        answer = app.anonymous.post("/v1/verify/batch", content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
        assert answer.json()["code"] == "too-large"


def test_the_standard_limit_has_room_for_a_thousand_real_tokens(app):
    token = app.token(app.certify())
    assert 1_000 * (len(token) + len('{"token":""},')) * 1.5 < Settings.model_fields["batch_max_bytes"].default
    answer = ok(app.anonymous.post("/v1/verify/batch", json={"items": [{"token": token}] * 1_000}))
    assert {each["verdict"] for each in answer["items"]} == {"valid"}


def test_every_page_may_ask(app):
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    answer = app.http.options("/v1/verify/batch", headers=asked | {"Access-Control-Request-Headers": "content-type"})
    assert answer.headers["access-control-allow-origin"] == "*"


def test_the_document_describes_what_is_answered(app):
    paths = ok(app.anonymous.get("/openapi.json"))["paths"]
    assert set(paths["/v1/verify/{number}"]) == {"get", "head"}
    batch = paths["/v1/verify/batch"]["post"]
    assert batch["requestBody"]["content"]["application/json"]["schema"]["properties"]["items"]["maxItems"] == 1_000
    operations = [each["operationId"] for path in paths.values() for each in path.values()]
    assert len(operations) == len(set(operations))
    example = paths["/v1/verify"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert app.anonymous.post("/v1/verify", json=example).status_code == 200
