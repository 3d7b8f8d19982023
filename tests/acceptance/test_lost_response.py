"""The line breaks when all is done and nobody has heard it: the program asks again, and nothing happens twice."""

from contextlib import contextmanager
from unittest.mock import patch

import httpx2
import pytest

from app.core.actor import Scope
from tests.factories import ok, product


@contextmanager
def broken_line(app):
    """Every request arrives and is done; its answer does not come back."""
    request = app.http.request

    def without_answer(*args, **more):
        request(*args, **more)
        raise httpx2.ReadTimeout("nothing came back")

    with patch.object(app.http, "request", without_answer), pytest.raises(httpx2.ReadTimeout):
        yield


class OrderSystem:
    """A program of the company. It gives every write a key, and asks again with the same key until it hears."""

    def __init__(self, app, company):
        made = ok(company.post("/v1/api-clients", json={"name": "Order system", "scopes": list(Scope)}))
        form = {
            "grant_type": "client_credentials",
            "client_id": made["client_id"],
            "client_secret": made["client_secret"],
        }
        token = ok(app.http.post("/v1/auth/token", data=form))["access_token"]
        self.app, self.headers = app, {"Authorization": f"Bearer {token}"}

    def post(self, path, key, *, version=None, **more):
        headers = self.headers | {"Idempotency-Key": key} | ({"If-Match": f'"{version}"'} if version else {})
        return self.app.http.request("POST", path, headers=headers, **more)


def test_asked_again_and_done_once(app):
    company = app.set_up_company()
    program = OrderSystem(app, company)

    # It enters a product. The answer is lost, so it cannot know whether there is one now; it simply asks again.
    tube = product(company.site_id)
    with broken_line(app):
        program.post("/v1/products", "product-1", json=tube)
    answer = program.post("/v1/products", "product-1", json=tube)
    assert (answer.status_code, answer.headers["Idempotent-Replayed"]) == (201, "true")
    assert [each["id"] for each in ok(company.get("/v1/products"))["items"]] == [answer.json()["id"]]

    # The same with the application.
    draft = {"scheme": "MIK", "product_ids": [answer.json()["id"]], "reference": "Order 17"}
    with broken_line(app):
        program.post("/v1/applications", "draft-1", json=draft)
    case = ok(program.post("/v1/applications", "draft-1", json=draft))["id"]
    assert [each["id"] for each in ok(company.get("/v1/applications"))["items"]] == [case]

    # A person of the company looks at it and declares it true; a program cannot.
    company.prepare(case)

    # It submits, and hears nothing for a while. Meanwhile a reviewer has taken the case: version and state have moved
    # on. The retry is told that its submission worked, and does not disturb the reviewer.
    with broken_line(app):
        program.post(f"/v1/applications/{case}/submit", "submit-1", version=1)
    app.clock.advance(minutes=10)
    app.reviewer.act(f"/v1/applications/{case}/claim")
    assert ok(program.post(f"/v1/applications/{case}/submit", "submit-1", version=1))["state"] == "submitted"
    assert company.application(case)["state"] == "in_review"

    # A key stands for one request: with another order behind it, it is refused.
    other = program.post("/v1/applications", "draft-1", json=draft | {"reference": "Order 18"})
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")


def test_an_approval_whose_answer_is_lost_makes_one_certificate(app):
    company = app.set_up_company()
    case = company.apply()
    app.review(case)
    path, key = f"/v1/applications/{case}/approve", {"Idempotency-Key": "approve-1"}
    version = app.approver.version_of(path)
    with broken_line(app):
        app.approver.post(path, version=version, headers=key)

    # The approver presses the button again, and gets the number that was given the first time.
    (number,) = ok(app.approver.post(path, version=version, headers=key))["certificates"]
    assert [each["number"] for each in ok(app.anonymous.get("/v1/certificates"))["items"]] == [number]
    assert app.verify(number)["verdict"] == "valid"

    # Without a key the second press is refused, and grants nothing either.
    assert app.approver.post(path, version=version).status_code == 412
    assert len(ok(app.anonymous.get("/v1/certificates"))["items"]) == 1
