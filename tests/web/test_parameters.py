"""Unknown query parameters, `updated_since`, and revalidation of what one client reads."""

import re
from datetime import timedelta

import pytest
from fastapi.routing import APIRoute

from app.web.parameters import CHANGE_OVERLAP
from app.web.routes import GuardedRoute
from tests.factories import in_state, ok, product
from tests.helpers import refused

PLACE = re.compile(r"\{(\w+)\}")
KNOWN = {"number": "MIK-2026-000042-Y", "code": "MIK"}


def operations(app):
    for path, verbs in app.fastapi.openapi()["paths"].items():
        if path.startswith("/v1/"):
            for verb in verbs:
                yield verb.upper(), path


def test_every_route_refuses_a_parameter_that_it_does_not_have(shared_app):
    """As somebody who may do it: whatever the route says first, an unknown parameter never changes it to success."""
    asked = [(verb, path) for verb, path in operations(shared_app) if verb in {"GET", "HEAD"}]
    assert len(asked) > 50
    for verb, path in asked:
        target = PLACE.sub(lambda place: KNOWN.get(place[1], "0193f3c0-0000-7000-8000-000000000000"), path)
        for caller in (shared_app.anonymous, shared_app.auditor, shared_app.owner):
            plain, unknown = (caller.request(verb, target + query) for query in ("", "?filtre=1"))
            if plain.status_code in {200, 304, 404, 406, 409, 422}:
                allowed = {422} if plain.status_code in {200, 304} else {plain.status_code, 422}
                assert unknown.status_code in allowed, (verb, path, plain.status_code, unknown.status_code)
            else:
                assert unknown.status_code == plain.status_code, (verb, path)


def test_every_route_of_the_api_is_guarded(shared_app):
    for route in shared_app.fastapi.routes:
        if isinstance(route, APIRoute) and route.path.startswith("/v1/"):
            assert isinstance(route, GuardedRoute), route.path


def test_a_misspelled_filter_is_named_with_those_that_there_are(shared_app):
    answer = shared_app.owner.get("/v1/matters?sate=open&kind=change&x=1&sate=2")
    errors = refused(answer, 422)["errors"]
    assert [(each["pointer"], each["code"]) for each in errors] == [
        ("query:sate", "unknown-parameter"),
        ("query:x", "unknown-parameter"),
    ]
    assert errors[0]["allowed"] == ["certificate", "cursor", "kind", "limit", "state", "updated_since"]


@pytest.mark.parametrize("path", ["/v1/verify/MIK-2026-000042-Y?x", "/v1/verify/MIK-2026-000042-Y?lang=az"])
def test_the_fast_path_has_no_parameters(shared_app, path):
    errors = refused(shared_app.http.get(path), 422)["errors"]
    assert errors[0]["code"] == "unknown-parameter"
    refused(shared_app.http.post("/v1/verify?x=1", json={"number": "x"}), 422)


@pytest.mark.parametrize("path", ["/?utm_source=x", "/register?utm_source=x", "/v/MIK-2026-000042-Y?utm_source=x"])
def test_pages_ignore_other_parameters(shared_app, path):
    assert shared_app.http.get(path).status_code == shared_app.http.get(path.partition("?")[0]).status_code


def test_access_is_refused_before_a_parameter(shared_app):
    refused(shared_app.anonymous.get("/v1/products?x=1"), 401)
    refused(shared_app.owner.get("/v1/products?x=1"), 403)


def since(caller, path, moment, more=""):
    moment = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [each["id"] for each in ok(caller.get(f"{path}?updated_since={moment}{more}"))["items"]]


def test_updated_since_lists_changes_again_within_the_overlap(app):
    company = app.set_up_company()
    case = in_state(app, company, "draft")
    made = app.clock()
    app.clock.advance(hours=1)
    assert since(company, "/v1/applications", app.clock()) == []
    (item,) = ok(company.get("/v1/products"))["items"]
    assert since(company, "/v1/products", made) == [item["id"]]
    assert since(company, "/v1/products", made + CHANGE_OVERLAP) == [item["id"]]  # inclusive
    assert since(company, "/v1/products", made + CHANGE_OVERLAP + timedelta(seconds=1)) == []

    company.submit(case)
    assert since(company, "/v1/applications", app.clock()) == [case]
    assert since(app.auditor, "/v1/applications", app.clock() - timedelta(minutes=1)) == [case]
    app.clock.advance(hours=1)
    company.act(f"/v1/applications/{case}/withdraw")
    company.act(f"/v1/products/{item['id']}/retire")
    assert since(company, "/v1/products", app.clock(), "&retired=true") == [item["id"]]


@pytest.mark.parametrize("text", ["yesterday", "2026-11-22", "2026-11-22T17:00:00", "0001-01-01T00:00:00Z"])
def test_updated_since_is_a_moment_with_its_zone(shared_app, text):
    refused(shared_app.auditor.get(f"/v1/applications?updated_since={text}"), 422)


def test_matters_changed_since(app):
    company = app.set_up_company()
    number = app.certify(company)
    start = app.clock()
    app.clock.advance(hours=1)
    report = {"what": "price", "text": "Dearer.", "on": "2026-11-22"}
    ok(company.post(f"/v1/certificates/{number}/changes", json=report))
    assert len(since(app.owner, "/v1/matters", start + timedelta(hours=1))) == 1
    assert since(app.owner, "/v1/matters", start + timedelta(hours=2)) == []


def test_what_one_client_reads_is_revalidated(app):
    company = app.set_up_company()
    case = in_state(app, company, "draft")
    path = f"/v1/applications/{case}"
    first = company.get(path)
    assert first.headers["cache-control"] == "private, no-cache"
    tag = first.headers["etag"]
    assert re.fullmatch(r'"\d+-[0-9a-f]{16}"', tag)
    again = company.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["cache-control"] == "private, no-cache"
    assert company.get(path, headers={"If-None-Match": '"1"'}).status_code == 200

    app.clock.advance(days=100)  # overdue: the content changes without a version
    assert company.get(path, headers={"If-None-Match": tag}).status_code == 200
    edit = {"product_ids": [ok(company.get("/v1/products"))["items"][0]["id"]], "reference": "new"}
    assert company.put(path, json=edit, headers={"If-Match": tag}).status_code == 200  # a tag names its version
    refused(company.put(path, json=edit, headers={"If-Match": tag}), 412)
    refused(company.put(path, json=edit, headers={"If-Match": '"1-xyz"'}), 412)


@pytest.mark.parametrize("what", ["products", "organisations"])
def test_products_and_companies_are_revalidated_too(app, what):
    company = app.set_up_company()
    own = ok(company.get("/v1/products"))["items"]
    item = own[0]["id"] if own else ok(company.post("/v1/products", json=product(company.site_id)))["id"]
    path = f"/v1/products/{item}" if what == "products" else f"/v1/organisations/{company.organisation_id}"
    tag = company.get(path).headers["etag"]
    assert company.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert app.register().get(path, headers={"If-None-Match": tag}).status_code == 404
