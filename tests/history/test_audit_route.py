"""The history as auditors read it."""

from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from app.audit.recorder import chain_hash
from tests.factories import NOW, ok

pytestmark = pytest.mark.pg_sampled


def read(caller, **params):
    return ok(caller.get("/v1/audit", params={"limit": 100} | params))["items"]


def test_auditors_and_owners_read_everything_in_its_order(app):
    company = app.set_up_company()
    case_id = company.apply()
    items = read(app.auditor)
    assert [item["seq"] for item in items] == list(range(1, len(items) + 1))
    assert all(a["hash"] == b["prev_hash"] for a, b in pairwise(items))
    assert read(app.owner)[: len(items)] == items
    submitted = next(item for item in items if item["event"] == "application.submitted")
    assert submitted["actor"] == {"kind": "user", "id": company.id, "name": "Aysel Nümunə"}
    assert submitted["subject"] == {"type": "application", "id": case_id}
    assert submitted["case_id"] == case_id
    members = {
        "seq": submitted["seq"],
        "at": NOW.isoformat(timespec="microseconds"),
        "event": "application.submitted",
        "actor": ["user", company.id],
        "subject": ["application", case_id],
        "case": case_id,
        "data": submitted["data"],
    }
    assert chain_hash(submitted["prev_hash"], members) == submitted["hash"]  # anybody can derive it


def test_it_can_be_narrowed(app):
    company = app.set_up_company()
    first = company.apply()
    app.clock.advance(days=1)
    number = app.certify(company, company.add_product())
    everything = read(app.auditor)

    def expect(check, **params):
        found = read(app.auditor, **params)
        assert found == [item for item in everything if check(item)] != []

    expect(lambda i: i["event"] == "application.submitted", event="application.submitted")
    expect(lambda i: i["subject"]["type"] == "application", subject="application")
    expect(lambda i: i["subject"]["id"] == first, subject=f"application:{first}")
    expect(lambda i: i["subject"]["id"] == number, subject=f"certificate:{number}")
    expect(lambda i: i["actor"]["id"] == company.id, actor=company.id)
    day_two = NOW + timedelta(days=1)
    expect(lambda i: i["at"] >= "2026-11-23", **{"from": day_two.isoformat()})
    expect(lambda i: i["at"] < "2026-11-23", to=day_two.isoformat())
    expect(
        lambda i: i["actor"]["id"] == company.id and i["at"] >= "2026-11-23",
        actor=company.id,
        **{"from": "2026-11-23T00:00:00+04:00"},
    )
    for nothing in ({"event": "nothing"}, {"event": "\0"}, {"subject": ":"}, {"actor": str(uuid4())}):
        assert (read(app.auditor, **nothing) == []) == (nothing != {"subject": ":"})


def test_it_comes_in_pages(app):
    company = app.set_up_company()
    for _ in range(3):
        company.add_product()
    everything, seen, path = read(app.auditor), [], "/v1/audit?limit=4"
    while path:
        answer = app.auditor.get(path)
        seen += ok(answer)["items"]
        link = answer.headers.get("Link")
        path = link.split(">")[0].removeprefix("<") if link else None
    assert seen == everything


@pytest.mark.parametrize(
    "params",
    [
        {"actor": "x"},
        {"from": "yesterday"},
        {"from": "2026-11-22T00:00:00"},  # whose midnight?
        {"from": "0001-01-01T00:00:00+14:00"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"cursor": "_____________________w"},
        {"cursor": "x"},
        {"limit": 0},
        {"limit": 101},
        {"event": "x" * 101},
    ],
)
def test_what_cannot_be_right_is_refused(app, params):
    assert app.auditor.get("/v1/audit", params=params).status_code == 422


def test_it_is_for_auditors_and_owners_alone(app):
    for caller in (app.reviewer, app.approver, app.registrar, app.inspector, app.register()):
        assert caller.get("/v1/audit").status_code == 403
    assert app.anonymous.get("/v1/audit").status_code == 401
