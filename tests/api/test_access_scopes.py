"""Programs do what they were trusted with, and no more: for every route of the OpenAPI document."""

import re
from uuid import UUID

import pytest

from app.auth.authenticate import TokenSubject
from app.core.actor import ActorKind, Scope
from app.web.scope_policy import NO_SCOPE_NEEDED, ROUTE_SCOPES
from tests.api.helpers import FORM, denied
from tests.factories import PDF, ApiClient, ok, product
from tests.helpers import refused, rows

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]
NOWHERE = "00000000-0000-7000-8000-000000000000"
PEOPLE = {
    "POST /v1/me/password",
    "POST /v1/me/second-factor",
    "POST /v1/me/second-factor/confirm",
    "POST /v1/auth/step-up",
    "GET /v1/me/session",
    "GET /v1/me/identities",
    "POST /v1/me/identities",
    "DELETE /v1/me/identities/{identity_id}",
    "GET /v1/me/passkeys",
    "POST /v1/me/passkeys",
    "POST /v1/me/passkeys/options",
    "PUT /v1/me/passkeys/{passkey_id}",
    "DELETE /v1/me/passkeys/{passkey_id}",
    "POST /v1/authorities",
    "DELETE /v1/authorities/{authority_id}",
    "GET /v1/me/authorities",
    "POST /v1/me/authorities/{authority_id}/accept",
    "DELETE /v1/me/authorities/{authority_id}",
    "GET /v1/organisations/{organisation_id}/authorities",
    "GET /v1/members",
    "DELETE /v1/members/{member_id}",
    "PUT /v1/members/{member_id}/administrator",
    "DELETE /v1/members/{member_id}/administrator",
    "GET /v1/invitations",
    "POST /v1/invitations",
    "DELETE /v1/invitations/{invitation_id}",
    "POST /v1/api-clients",
    "DELETE /v1/api-clients/{client_id}",
    "POST /v1/api-clients/{client_id}/secrets",
    "DELETE /v1/api-clients/{client_id}/secrets/{secret_id}",
    "POST /v1/applications/{application_id}/declaration",
    "POST /v1/certificates/{number}/changes",
    "GET /v1/claims",
    "GET /v1/inbox",
    "POST /v1/inbox/read",
    "POST /v1/inbox/{notice_id}/read",
    "GET /v1/me/notification-settings",
    "PUT /v1/me/notification-settings",
    "GET /v1/claims/{claim_id}",
    "POST /v1/claims",
    "GET /v1/organisations/{organisation_id}/claims",
}
"""What members of companies do themselves: no scope opens it."""


def program(company, *scopes):
    body = {"name": "Order system"} | ({"scopes": list(scopes)} if scopes else {})
    return ok(company.post("/v1/api-clients", json=body))


def token(app, made, **more):
    form = {"grant_type": "client_credentials"} | {k: made[k] for k in ("client_id", "client_secret")}
    return app.http.post(FORM, data=form | more)


def call(caller, route, **known):
    """Whatever else is wrong with the call, this route is asked; ids that are not known lead nowhere."""
    method, path = route.split()
    for name in re.findall(r"{(\w+)}", path):
        path = path.replace(f"{{{name}}}", known.get(name, NOWHERE))
    file = {"files": {"file": ("statement.pdf", PDF)}} if takes_file(route) else {}
    return caller.request(method, path, **file)


def takes_file(route):
    ends = ("/evidence", "/imports", "/claims", "/imports/products", "/imports/applications", "/manifests")
    return route.startswith("POST ") and route.endswith(ends)


def things(app, company):
    number = app.certify(company)
    own = {"site_id": company.site_id, "organisation_id": company.organisation_id, "application_id": company.draft()}
    made = program(company, *Scope)
    own |= {"client_id": made["id"], "secret_id": made["secrets"][0]["id"]}
    return own | {"code": "MIK", "number": number}


def test_every_route_that_a_company_gets_through_names_its_scope_or_is_for_people(app, company):
    """A new route turns this red until it is entered into app/web/scope_policy.py, or above."""
    paths = ok(app.anonymous.get("/openapi.json"))["paths"]
    secured = {
        f"{m.upper()} {p}" for p, operations in paths.items() for m, each in operations.items() if each.get("security")
    }
    known = things(app, company)
    # What staff act on is absent for a company before it is forbidden; a member reads his residencies: that is listed.
    hidden = {
        route for route in secured if re.search(r"(POST|PUT) /v1/residencies/{|POST /v1/(evidence|claims)/{", route)
    }
    opened = {
        route
        for route in secured - hidden
        if call(company, route, **known).status_code != 403 or route == "POST /v1/me/second-factor/confirm"
    }
    assert opened <= set(ROUTE_SCOPES) | PEOPLE, "enter these into app/web/scope_policy.py"
    assert set(ROUTE_SCOPES) <= secured
    assert secured >= PEOPLE
    assert not PEOPLE & set(ROUTE_SCOPES)


def test_the_table_uses_every_scope(app):
    assert {route for route, scope in ROUTE_SCOPES.items() if scope is NO_SCOPE_NEEDED} == {"GET /v1/me"}
    assert {scope for scope in ROUTE_SCOPES.values() if scope is not NO_SCOPE_NEEDED} == set(Scope)


def test_without_its_scope_every_route_is_closed_and_with_it_open(app, company):
    """Each route with every scope but its own (403), and with its own alone (anything but 403)."""
    known = things(app, company)
    client = UUID(known["client_id"])

    def bearing(scopes):
        return ApiClient(app, TokenSubject(ActorKind.CLIENT, client, scopes=frozenset(scopes)))

    for route, scope in ROUTE_SCOPES.items():
        if scope is not NO_SCOPE_NEEDED:
            answer = call(bearing(set(Scope) - {scope}), route, **known)
            assert refused(answer, 403, "insufficient-scope")["scope"] == scope, route
            assert answer.headers["WWW-Authenticate"] == f'Bearer error="insufficient_scope", scope="{scope}"'
        answer = call(bearing({scope} - {NO_SCOPE_NEEDED}), route, **known)
        assert answer.status_code not in {401, 403}, (route, answer.text)
    for route in sorted(PEOPLE):
        refused(call(bearing(Scope), route, **known), 403, "forbidden")


def test_a_client_has_what_it_was_granted_and_by_default_it_only_reads(app, company):
    assert program(company)["scopes"] == ["read"]
    made = program(company, "read", "products:write", "read")
    assert made["scopes"] == ["products:write", "read"]
    assert ok(company.get(f"/v1/api-clients/{made['id']}"))["scopes"] == ["products:write", "read"]
    answer = ok(token(app, made))
    assert answer["scope"] == "products:write read"
    assert "refresh_token" not in answer
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    ok(app.http.post("/v1/products", json=product(company.site_id), headers=headers))
    body = {"scheme": "MIK", "product_ids": [NOWHERE]}
    refused(app.http.post("/v1/applications", json=body, headers=headers), 403, "insufficient-scope")
    assert ok(app.http.get("/v1/me", headers=headers))["scopes"] == ["products:write", "read"]


def test_a_token_is_narrowed_by_scope(app, company):
    made = program(company, "read", "products:write")
    answer = ok(token(app, made, scope="read"))
    assert answer["scope"] == "read"
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    ok(app.http.get("/v1/products", headers=headers))
    document = refused(
        app.http.post("/v1/products", json=product(company.site_id), headers=headers), 403, "insufficient-scope"
    )
    assert document["scope"] == "products:write"
    assert ok(token(app, made, scope="  read   products:write read "))["scope"] == "products:write read"
    assert ok(token(app, made, scope=""))["scope"] == "products:write read"


@pytest.mark.parametrize(
    "scope", ["applications:submit", "read applications:submit", "READ", "everything", "*", "read,x"]
)
def test_a_token_never_gets_more_than_its_client(app, company, scope):
    denied(token(app, program(company, "read", "products:write"), scope=scope), 400, "invalid_scope")


@pytest.mark.parametrize("scopes", [[], ["everything"], ["read", "READ"], "read", [None], ["read"] * 30])
def test_what_cannot_be_granted(app, company, scopes):
    refused(company.post("/v1/api-clients", json={"name": "Order system", "scopes": scopes}), 422)
    assert rows(app, "SELECT 1 FROM api_clients") == []


def test_people_are_not_narrowed(app, company):
    assert ok(company.get("/v1/me"))["scopes"] is None
    ok(company.post("/v1/products", json=product(company.site_id)))


def test_the_last_use_is_shown(app, company):
    made = program(company)
    assert made["last_used_at"] is None
    app.clock.advance(hours=1)
    ok(token(app, made))
    assert ok(company.get(f"/v1/api-clients/{made['id']}"))["last_used_at"] == "2026-11-22T18:00:00Z"
