"""PUT accepts what GET of the same address answered, and changes nothing."""

import pytest

from app.main import ROUTERS
from tests.factories import ok, product
from tests.helpers import refused

PLACES = {
    "/v1/sites/{site_id}": lambda company: f"/v1/sites/{company.site_id}",
    "/v1/products/{product_id}": lambda company: f"/v1/products/{company.add_product(flags=['joint_production_TR'])}",
    "/v1/applications/{application_id}": lambda company: f"/v1/applications/{company.draft()}",
    "/v1/webhooks/{webhook_id}": lambda company: f"/v1/webhooks/{company.add_webhook()['id']}",
}
"""Where a company has what each such route changes."""
EDITABLE = {
    "/v1/sites/{site_id}": {"name", "production_started_on", "district"},
    "/v1/applications/{application_id}": {"product_ids", "reference"},
    "/v1/webhooks/{webhook_id}": {"url", "description", "event_types", "follows"},
}


def _paths(method):
    return {route.path for router in ROUTERS for route in router.routes if method in (route.methods or ())}


def test_every_put_of_an_address_that_is_also_read_is_here():
    settings = {"/v1/me/notification-settings"}  # without id and version; tests/api/test_inbox.py
    assert set(PLACES) | settings == _paths("PUT") & _paths("GET")


@pytest.mark.parametrize("path", PLACES)
def test_sending_back_what_was_read_changes_nothing(app, company, path):
    at = PLACES[path](company)
    read = company.get(at)
    events = len(ok(app.auditor.get("/v1/audit"))["items"])
    answer = company.put(at, json=read.json(), version=read.json()["version"])
    assert ok(answer) == read.json()
    assert answer.headers["etag"].strip('"') == read.headers["etag"].strip('"').partition("-")[0]
    assert company.get(at).json() == read.json()
    assert len(ok(app.auditor.get("/v1/audit"))["items"]) == events


@pytest.mark.parametrize("path", PLACES)
def test_a_changed_read_only_member_is_refused_by_name(company, path):
    at = PLACES[path](company)
    read = ok(company.get(at))
    whole = set(product(company.site_id)) | {"national_code", "gtin", "brand", "joint_production"}
    changed = {name for name in read if name not in EDITABLE.get(path, whole)} - {"reference", "flags"}
    assert {"id", "version"} <= changed
    body = read | dict.fromkeys(changed, "another value")
    document = refused(company.put(at, json=body, version=read["version"]), 422, "invalid")
    assert {fault["pointer"]: fault["code"] for fault in document["errors"]} == {
        f"/{name}": "read-only" for name in changed
    }
    # together with a fault of the format, and of the content
    wrong = body | {"nonsense": 1}
    document = refused(company.put(at, json=wrong, version=read["version"]), 422, "invalid")
    assert {fault["pointer"] for fault in document["errors"]} == {f"/{name}" for name in {*changed, "nonsense"}}
    assert ok(company.get(at)) == read


def test_a_change_beside_the_read_members_is_made(company):
    at = PLACES["/v1/products/{product_id}"](company)
    read = ok(company.get(at))
    read["materials"][0]["value"] = "831.5"
    changed = ok(company.put(at, json=read, version=read["version"]))
    assert changed["version"] == read["version"] + 1
    assert float(changed["materials"][0]["value"]) == 831.5
    assert ok(company.get(at)) == changed


def test_a_content_fault_and_a_read_only_fault_are_named_together(company):
    at = PLACES["/v1/products/{product_id}"](company)
    read = ok(company.get(at))
    document = refused(company.put(at, json=read | {"hs6": "999999", "id": None}, version=1), 422, "invalid")
    assert {fault["pointer"] for fault in document["errors"]} == {"/hs6", "/id"}
