"""The inbox: each person's notices in their language, what they have read, and what is mailed to them."""

import re

import pytest

from app.events.catalogue import load_catalogue
from tests.api.helpers import colleague
from tests.factories import ok, program_of
from tests.helpers import refused

pytestmark = pytest.mark.pg_sampled

SETTINGS = "/v1/me/notification-settings"


def inbox(caller, query="", **headers):
    return ok(caller.get(f"/v1/inbox{query}", headers=headers))


def test_notices_are_listed_in_pages_newest_first(app):
    company, other = app.set_up_company(), app.set_up_company()
    number = app.certify(company)
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "court"})
    app.follow_events()
    whole = inbox(company, "?limit=100")["items"]
    assert [each["id"] for each in whole] == sorted((each["id"] for each in whole), reverse=True)
    events = {each["id"]: each for each in ok(company.get("/v1/events?limit=100"))["items"]}
    assert {each["id"]: each["event"] for each in whole} == events
    found, path = [], "/v1/inbox?limit=2"
    while path:
        answer = company.get(path)
        found += ok(answer)["items"]
        path = link[1] if (link := re.match("<(.*)>", answer.headers.get("Link", ""))) else None
    assert found == whole
    newest = whole[0]
    assert (newest["type"], newest["subject"]) == ("certificate.suspended", f"Certificate {number} was suspended")
    assert newest["text"].startswith(f"Certificate {number} is suspended. Reason: court.")
    assert newest["link"].endswith(f"/v/{number}")
    assert [each["id"] for each in inbox(company, "?type=certificate.issued&type=claim.decided")["items"]] == [
        each["id"] for each in whole if each["type"] in {"certificate.issued", "claim.decided"}
    ]
    assert not {each["id"] for each in whole} & {each["id"] for each in inbox(other, "?limit=100")["items"]}


def test_the_language_is_the_persons_else_of_the_request(app):
    company = app.set_up_company(evidence=False)
    app.follow_events()
    assert inbox(company)["language"] == "en"
    in_russian = inbox(company, **{"Accept-Language": "ru-RU, en;q=0.5"})
    assert in_russian["language"] == "ru"
    assert "подтверждено" in in_russian["items"][-1]["subject"]
    assert inbox(company, **{"Accept-Language": "fa"})["language"] == "en"
    ok(company.put(SETTINGS, json={"language": "az", "not_mailed": []}))
    answer = company.get("/v1/inbox", headers={"Accept-Language": "ru"})
    assert (answer.json()["language"], answer.headers["content-language"]) == ("az", "az")
    assert "təsdiq" in answer.json()["items"][-1]["subject"]


def test_each_person_reads_for_themselves(app):
    company = app.set_up_company()
    second = colleague(company)
    app.clock.advance(minutes=1)
    app.certify(company)
    app.follow_events()
    whole = inbox(company, "?limit=100")
    assert whole["unread"] == len(whole["items"])
    newest, *_, oldest = whole["items"]
    path = f"/v1/inbox/{newest['id']}/read"
    assert ok(company.post(path))["unread"] == ok(company.post(path))["unread"] == whole["unread"] - 1
    assert newest["id"] not in {each["id"] for each in inbox(company, "?unread=true&limit=100")["items"]}
    assert [each["read"] for each in inbox(company, "?limit=2")["items"]] == [True, False]
    assert not any(each["read"] for each in inbox(second, "?unread=true")["items"])

    assert ok(company.post("/v1/inbox/read", json={"up_to": whole["items"][1]["id"]}))["unread"] == 0
    assert all(each["read"] for each in inbox(company, "?limit=100")["items"])
    assert ok(company.post("/v1/inbox/read", json={"up_to": oldest["id"]}))["unread"] == 0  # never back
    app.owner.act(f"/v1/certificates/{_number(newest, whole)}/suspend", {"cause": "court"})
    app.follow_events()
    assert inbox(company)["unread"] == 1


def _number(_newest, whole):
    return next(each["event"]["subject"]["number"] for each in whole["items"] if each["type"] == "certificate.issued")


def test_what_came_before_somebody_joined_is_read(app):
    company = app.set_up_company()
    app.certify(company)
    app.follow_events()
    app.clock.advance(minutes=1)
    second = colleague(company)
    app.follow_events()
    found = inbox(second, "?limit=100")
    assert len(found["items"]) > found["unread"] == 1
    assert [each["event"]["data"]["kind"] for each in found["items"] if not each["read"]] == ["member_added"]


def test_notices_of_others_are_not_there(app):
    company, other = app.set_up_company(), app.set_up_company(evidence=False)
    second = colleague(company)
    app.follow_events()
    theirs = inbox(other)["items"][0]["id"]
    of_administrators = inbox(company, "?type=account.invited")["items"][0]["id"]
    for caller, notice in (
        (company, theirs),
        (second, of_administrators),
        (app.owner, theirs),
        (company, "evt_999999999999"),
        (company, "evt_1"),
        (company, "x"),
    ):
        refused(caller.post(f"/v1/inbox/{notice}/read"), 404)
    refused(company.post("/v1/inbox/read", json={"up_to": theirs}), 404)
    refused(company.post("/v1/inbox/read", json={"up_to": "evt_999999999999"}), 404)  # would hide what is to come
    refused(company.post("/v1/inbox/read", json={"up_to": "x"}), 422, "invalid")
    assert of_administrators not in {each["id"] for each in inbox(second, "?limit=100")["items"]}


def test_api_clients_have_no_inbox(app):
    program = program_of(app.set_up_company(evidence=False))
    refused(program.get("/v1/inbox"), 403)
    refused(program.post("/v1/inbox/read", json={"up_to": "evt_000000000001"}), 403)
    refused(program.get(SETTINGS), 403)


def test_settings_are_given_back_as_they_are_taken(app):
    company = app.set_up_company(evidence=False)
    assert ok(company.get(SETTINGS)) == {"language": None, "not_mailed": []}
    wanted = {"language": "ru", "not_mailed": ["application.answered", "certificate.issued"]}
    assert ok(company.put(SETTINGS, json=wanted)) == wanted == ok(company.get(SETTINGS))
    assert ok(company.put(SETTINGS, json=ok(company.get(SETTINGS)))) == wanted
    doubled = wanted | {"not_mailed": ["certificate.issued", "application.answered", "certificate.issued"]}
    assert ok(company.put(SETTINGS, json=doubled)) == wanted
    for wrong in ({"language": "fa", "not_mailed": []}, {"language": "ru", "not_mailed": ["x"]}, {"not_mailed": []}):
        refused(company.put(SETTINGS, json=wrong), 422, "invalid")


def test_mails_that_must_be_are_named(app):
    company = app.set_up_company(evidence=False)
    types = load_catalogue().types.values()
    always = [each.name for each in types if each.is_mailed_always]
    asked = {"language": "az", "not_mailed": ["certificate.issued", *always]}
    document = refused(company.put(SETTINGS, json=asked), 422, "invalid")
    assert {fault["pointer"]: fault["code"] for fault in document["errors"]} == {
        f"/not_mailed/{index}": "always-mailed" for index in range(1, len(always) + 1)
    }
    assert all(name in fault["detail"] for name, fault in zip(always, document["errors"], strict=True))
    assert ok(company.get(SETTINGS)) == {"language": None, "not_mailed": []}


def test_staff_read_of_their_own_accounts(app):
    app.certify()
    app.follow_events()
    assert {each["type"] for each in inbox(app.reviewer)["items"]} <= {"account.rights_changed"}
