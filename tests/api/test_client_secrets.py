"""Programs: authentication by HTTP Basic (RFC 6749 §2.3.1), secrets that follow each other, and OpenAPI."""

import base64
from urllib.parse import quote_plus

import pytest

from app.core.actor import Scope
from app.web.scope_policy import NO_SCOPE_NEEDED, ROUTE_SCOPES
from tests.api.helpers import FORM, denied
from tests.factories import ok
from tests.helpers import events, execute, refused

pytestmark = pytest.mark.pg_sampled
GRANT = {"grant_type": "client_credentials"}
CHALLENGE = 'Basic realm="API clients", charset="UTF-8"'


@pytest.fixture
def company(app):
    return app.register()


@pytest.fixture
def made(company):
    return ok(company.post("/v1/api-clients", json={"name": "Order system", "scopes": ["read", "products:write"]}))


def header(text):
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def basic(client_id, secret):
    return header(f"{quote_plus(client_id)}:{quote_plus(secret)}")


def by_basic(app, made, secret=None, **form):
    return app.http.post(FORM, data=GRANT | form, headers=basic(made["client_id"], secret or made["client_secret"]))


def products(app, answer):
    return app.http.get("/v1/products", headers={"Authorization": f"Bearer {answer['access_token']}"})


def test_a_program_gets_in_by_basic_or_in_the_body_and_not_by_both(app, made):
    answer = ok(by_basic(app, made, scope="read"))
    assert answer["scope"] == "read"
    assert products(app, answer).status_code == 200
    ok(app.http.post(FORM, data=GRANT | {"client_id": made["client_id"]}, headers=basic(*pair(made))))
    ok(app.http.post(FORM, data=GRANT | form_of(made)))
    denied(app.http.post(FORM, data=GRANT | form_of(made), headers=basic(*pair(made))), 400, "invalid_request")
    other = GRANT | {"client_id": "mikc_other"}
    denied(app.http.post(FORM, data=other, headers=basic(*pair(made))), 400, "invalid_request")


def pair(made):
    return made["client_id"], made["client_secret"]


def form_of(made):
    return {name: made[name] for name in ("client_id", "client_secret")}


def test_what_fails_by_basic_is_challenged_and_what_fails_in_the_body_is_not(app, made):
    client_id = made["client_id"]
    for wrong in (
        basic(client_id, "miks_wrong"),
        basic("mikc_nobody", made["client_secret"]),
        basic(client_id, quote_plus("100 %")),
        header(client_id),
        header(f"{client_id}:"),
        header(f":{made['client_secret']}"),
        header(f"{client_id}\n:x"),
        header(f"{client_id}:%FF"),
        {"Authorization": "Basic"},
        {"Authorization": "basic ?"},
        {"Authorization": "Basic 4pyT4pyT/w=="},
    ):
        answer = app.http.post(FORM, data=GRANT, headers=wrong)
        denied(answer, 401, "invalid_client")
        assert answer.headers["WWW-Authenticate"] == CHALLENGE, wrong
    in_body = app.http.post(FORM, data=GRANT | {"client_id": client_id, "client_secret": "wrong"})
    denied(in_body, 401, "invalid_client")
    assert "WWW-Authenticate" not in in_body.headers
    denied(app.http.post(FORM, data=GRANT), 400, "invalid_request")
    assert {row.subject_id for row in events(app, "sign_in.failed")} >= {made["id"]}


def test_a_secret_is_followed_by_another_without_a_gap(app, company, made):
    path = f"/v1/api-clients/{made['id']}"
    (first,) = made["secrets"]
    assert first["expires_at"] == "2027-11-22T17:00:00Z"
    old = ok(by_basic(app, made))
    second = ok(company.post(f"{path}/secrets"))
    refused(company.post(f"{path}/secrets"), 409, "too-many-secrets")
    app.clock.advance(minutes=1)
    new = ok(by_basic(app, made, second["client_secret"]))
    shown = ok(company.get("/v1/api-clients"))["items"][0]["secrets"]
    assert [(each["id"], each["last_used_at"]) for each in shown] == [
        (first["id"], "2026-11-22T17:00:00Z"),
        (second["id"], "2026-11-22T17:01:00Z"),
    ]
    assert ok(company.delete(f"{path}/secrets/{first['id']}"))["ended_at"]
    ok(company.delete(f"{path}/secrets/{first['id']}"))  # once more is no harm
    denied(by_basic(app, made), 401, "invalid_client")
    refused(products(app, old), 401)  # what the old secret brought ends with it
    assert products(app, new).status_code == 200
    assert [len(events(app, f"client.secret_{what}")) for what in ("created", "ended")] == [2, 1]
    ok(company.post(f"{path}/secrets"))
    ok(company.delete(path))
    refused(company.post(f"{path}/secrets"), 409, "client-revoked")
    assert ok(company.get(path))["secrets"] == []


def test_a_secret_expires_and_the_program_is_told_why(app, company, made):
    token = ok(by_basic(app, made))
    app.clock.advance(days=365)
    for _ in range(12):  # a program that asks on is not taken for somebody who guesses
        answer = by_basic(app, made)
        denied(answer, 401, "invalid_client")
        assert "expired" in answer.json()["error_description"]
    refused(products(app, token), 401)
    assert events(app, "sign_in.failed") == []
    assert ok(company.get(f"/v1/api-clients/{made['id']}"))["secrets"] == []
    ok(by_basic(app, made, ok(company.post(f"/v1/api-clients/{made['id']}/secrets"))["client_secret"]))


def test_another_companys_secrets_are_absent(app, company, made):
    stranger = app.register()
    own = ok(stranger.post("/v1/api-clients", json={"name": "Own"}))
    (secret,) = made["secrets"]
    refused(stranger.post(f"/v1/api-clients/{made['id']}/secrets"), 404)
    for client in (made, own):
        refused(stranger.delete(f"/v1/api-clients/{client['id']}/secrets/{secret['id']}"), 404)
    refused(company.delete(f"/v1/api-clients/{made['id']}/secrets/x"), 404)
    ok(by_basic(app, made))


def test_who_leaves_and_made_a_secret_may_know_it(app, company, made):
    app.confirm(company)
    ok(company.post("/v1/invitations", json={"email": "second@company.example"}))
    token = app.code("second@company.example")
    joining = {"token": token, "full_name": "Kənan Nümunə", "password": "a long enough secret"}
    second = ok(app.anonymous.post("/v1/invitations/accept", json=joining))["user_id"]
    assert ok(company.post(f"/v1/api-clients/{made['id']}/secrets"))
    newest = "(SELECT id FROM client_secrets ORDER BY id DESC LIMIT 1)"
    whom = second.replace("-", "") if app.database.is_sqlite else second
    execute(app, f"UPDATE client_secrets SET created_by = :who WHERE id = {newest}", who=whom)
    assert ok(company.delete(f"/v1/members/{second}"))["api_clients"] == [made["id"]]


def test_the_openapi_document_names_the_flow_and_the_scope_of_each_route(app):
    document = ok(app.http.get("/openapi.json"))
    schemes = document["components"]["securitySchemes"]
    flow = schemes["client"]["flows"]["clientCredentials"]
    assert (flow["tokenUrl"], flow["scopes"].keys()) == (FORM, set(Scope))
    open_to_clients = {
        f"{method.upper()} {path}": needed["client"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for needed in operation.get("security", [])
        if "client" in needed
    }
    assert open_to_clients == {
        route: [] if scope is NO_SCOPE_NEEDED else [scope] for route, scope in ROUTE_SCOPES.items()
    }
    assert {"password": []} in document["paths"]["/v1/products"]["get"]["security"]
