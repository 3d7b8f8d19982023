"""Buyers without an account are mailed what happens to certificates that they follow."""

import re
from email import message_from_bytes
from email.policy import default

import pytest

from tests.factories import ok
from tests.helpers import count, refused

EMAIL = "buyer@sample.example"


def ask(app, kind, value, email=EMAIL, language="en"):
    return app.anonymous.post("/v1/watches", json={"kind": kind, "value": value, "email": email, "language": language})


def token_of(app, email=EMAIL):
    return re.search(r"/watch/(mikw_[\w-]+)", app.mail(email)[-1].body)[1]


def follow(app, kind, value, email=EMAIL):
    pass_a_minute(app)  # what happened before is of no interest
    ok(ask(app, kind, value, email))
    token = token_of(app, email)
    answer = app.anonymous.post(f"/watch/{token}", data={"action": "confirm"})
    assert 'data-state="confirmed"' in answer.text
    return token


def pass_a_minute(app):
    app.run_jobs()
    app.clock.advance(seconds=40)
    app.run_jobs()


def news(app, email=EMAIL):
    return [each.body for each in app.mail(email) if "There is news" in each.body]


@pytest.mark.parametrize("kind", ["certificate", "holder", "heading"])
def test_a_change_is_told_within_a_minute(app, kind):
    company = app.set_up_company()
    number, other = app.certify(company), app.certify(app.set_up_company(), scheme="MIA")
    value = {"certificate": number.lower(), "holder": company.organisation_id, "heading": "73.06"}[kind]
    token = follow(app, kind, value)
    pass_a_minute(app)
    assert news(app) == []
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing", "note": "Between us."})
    pass_a_minute(app)
    (text,) = news(app)
    assert f"/v/{number}" in text
    assert f"/watch/{token}" in text
    assert "hearing" not in text
    assert other not in text
    pass_a_minute(app)
    assert len(news(app)) == 1


def test_nothing_is_told_to_an_address_that_is_not_confirmed(app):
    number = app.certify()
    ok(ask(app, "certificate", number))
    page = app.anonymous.get(f"/watch/{token_of(app)}")  # a program that reads mails follows the link
    assert number in page.text
    assert page.headers["cache-control"] == "no-store"
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
    pass_a_minute(app)
    assert news(app) == []
    token = token_of(app)
    app.clock.advance(days=7)
    assert 'data-state="over"' in app.anonymous.get(f"/watch/{token}").text
    assert app.anonymous.post(f"/watch/{token}", data={"action": "confirm"}).status_code == 404
    app.clock.advance(days=1)
    app.run_jobs()
    assert count(app, "watches") == 0


def test_it_ends_by_one_click(app):
    number = app.certify()
    token = follow(app, "certificate", number)
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
    pass_a_minute(app)
    assert len(news(app)) == 1
    (raw,) = [path.read_bytes() for path in app.settings.mail_dir.glob("*") if b"List-Unsubscribe" in path.read_bytes()]
    mail = message_from_bytes(raw, policy=default)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = mail["List-Unsubscribe"].strip("<>").removeprefix(app.settings.base_url)
    assert token in address
    answer = app.anonymous.post(address, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert count(app, "watches") == 0
    assert app.anonymous.post(address).status_code == 200  # a second click
    app.owner.act(f"/v1/certificates/{number}/reinstate", {"cause": "hearing"})
    pass_a_minute(app)
    assert len(news(app)) == 1
    assert 'data-state="over"' in app.anonymous.get(f"/watch/{token}").text


def test_two_watches_of_one_address_give_one_mail(app):
    company = app.set_up_company()
    number = app.certify(company)
    follow(app, "certificate", number)
    follow(app, "holder", company.organisation_id)
    follow(app, "certificate", number)  # again: it takes the place of the first one
    assert count(app, "watches") == 2
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
    pass_a_minute(app)
    assert len(news(app)) == 1


def test_no_answer_tells_whether_an_address_or_a_thing_is_known(app):
    company = app.set_up_company()
    number = app.certify(company)
    answers = {
        ask(app, "certificate", each, email).text
        for each in (number, "MIK-2026-000042-Y")
        for email in (EMAIL, "member@sample.example")
    }
    assert len(answers) == 1
    for _ in range(4):
        ok(ask(app, "certificate", number))
    assert len(app.mail(EMAIL)) == 5  # of one address in an hour, with the same answers


@pytest.mark.parametrize(
    ("kind", "value"),
    [("certificate", "x"), ("holder", "x"), ("heading", "730"), ("heading", "٧٣"), ("heading", "7306%"), ("all", "x")],
)
def test_what_cannot_be_followed_is_refused(shared_app, kind, value):
    refused(ask(shared_app, kind, value), 422, "invalid")
    page = shared_app.anonymous.post("/watch", data={"kind": kind, "value": value, "email": EMAIL})
    assert page.status_code == 422


def test_the_form_asks_as_the_api_does(app):
    assert app.anonymous.get("/watch?kind=heading&value=7306").status_code == 200
    page = app.anonymous.post("/watch", data={"kind": "heading", "value": "7306", "email": EMAIL})
    assert 'data-state="asked"' in page.text
    token = token_of(app)
    assert "7306" in app.anonymous.get(f"/watch/{token}").text
    ended = app.anonymous.post(f"/watch/{token}", data={"action": "end"})
    assert 'data-state="ended"' in ended.text
    assert count(app, "watches") == 0
