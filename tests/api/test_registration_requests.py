"""To register, an address is confirmed first; no answer tells whether it is known (case claim-04)."""

import pytest

from app.auth import login_throttle
from tests.api.helpers import email_of, sign_in
from tests.api.test_password_requests import counted
from tests.factories import PASSWORD, ok, voen_of
from tests.helpers import events, refused, rows

pytestmark = pytest.mark.pg_sampled
ASK, CONFIRM = "/v1/registrations", "/v1/registrations/confirm"


def ask(app, email, **more):
    return app.anonymous.post(ASK, json={"email": email} | more)


def confirm(app, token, voen=None, **changed):
    member = {"full_name": "Aysel Nümunə", "password": PASSWORD} | changed
    body = {
        "legal_name_az": "“Nümunə” MMC",
        "legal_name_en": "Sample",
        "legal_form": "MMC",
        "voen": voen or voen_of(8001),
    }
    return app.anonymous.post(CONFIRM, json=body | {"token": token, "member": member})


def test_the_whole_way(app):
    assert ask(app, "First@numune.example", language="ru").status_code == 202
    (mail,) = app.mail("first@numune.example")
    assert mail.subject == "Подтвердите адрес электронной почты"
    token = app.code("first@numune.example")
    made = ok(confirm(app, token))
    assert made["status"] == "unconfirmed"
    ok(sign_in(app, "first@numune.example"))
    refused(confirm(app, token, voen_of(8002)), 409, "token-over")
    assert rows(app, "SELECT language, is_administrator FROM users WHERE NOT is_staff") == [("ru", True)]
    for table in ("address_confirmations", "outgoing_messages", "audit_events", "idempotency_records"):
        assert token not in str(rows(app, f"SELECT * FROM {table}"))


def test_claim_04_the_answer_is_the_same_for_every_address_and_so_is_the_work(app):
    """Known, unknown, refused, of staff: the same answer after the same statements, and nothing is hashed."""
    known, gone = app.register(), app.register()
    app.registrar.act(f"/v1/claims/{gone.claim_id}/refuse", {"reason": "No power of attorney."})
    seen = []
    for email in (email_of(known), "nobody@numune.example", email_of(gone), email_of(app.owner)):
        with counted(app) as said:
            answer = ask(app, email)
        headers = {name for name in answer.headers if name != "x-request-id"}
        seen.append((answer.status_code, answer.json(), headers, said["statements"], said["hashes"]))
    assert all(each == seen[0] for each in seen)
    assert (seen[0][0], seen[0][4]) == (202, 0)
    assert rows(app, "SELECT id FROM address_confirmations WHERE email = 'nobody@numune.example'") == []
    subjects = {email: app.mail(email)[-1].subject for email in (email_of(known), "nobody@numune.example")}
    assert "You have an account already" in subjects[email_of(known)]
    assert "Confirm your e-mail address" in subjects["nobody@numune.example"]


def test_nothing_is_hashed_for_a_token_that_is_no_good(app):
    ask(app, "first@numune.example")
    token = app.code("first@numune.example")
    for wrong in ("", "x", "mikr_" + "A" * 43, "\0", "ə"):
        with counted(app) as said:
            refused(confirm(app, wrong), 404, "not-found")
        assert said["hashes"] == 0
    app.clock.advance(hours=24)
    with counted(app) as said:
        refused(confirm(app, token), 409, "token-over")
    assert said["hashes"] == 0


def test_a_mistake_uses_no_token_up(app):
    ask(app, "first@numune.example")
    token = app.code("first@numune.example")
    refused(confirm(app, token, "123"), 422)
    refused(confirm(app, token, password="short"), 422)
    ok(confirm(app, token))


def test_a_token_of_a_stranger_voids_none(app):
    """Whoever asks for somebody's address cannot keep them from registering; one registration uses all up."""
    ask(app, "first@numune.example")
    first = app.code("first@numune.example")
    ask(app, "first@numune.example")
    second = app.code("first@numune.example")
    assert first != second
    ok(confirm(app, first))
    refused(confirm(app, second), 409, "token-over")


def test_who_came_by_another_way_meanwhile_is_told(app):
    company = app.confirm(app.register())
    ask(app, "second@numune.example")
    token = app.code("second@numune.example")
    ok(company.post("/v1/invitations", json={"email": "second@numune.example"}))
    body = {"token": app.code("second@numune.example"), "full_name": "Kənan Nümunə", "password": PASSWORD}
    ok(app.anonymous.post("/v1/invitations/accept", json=body))
    refused(confirm(app, token), 409, "email-taken")


@pytest.mark.parametrize("known", [True, False])
def test_an_address_is_not_flooded_and_the_answer_does_not_tell(app, known):
    email = email_of(app.register()) if known else "nobody@numune.example"
    answers = [ask(app, email) for _ in range(login_throttle.MAX_MAILS_PER_RECIPIENT + 2)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, answers[0].text)}
    assert len(app.mail(email)) == login_throttle.MAX_MAILS_PER_RECIPIENT


def test_claimants_are_told_what_was_decided(app):
    voen = voen_of(8100)
    first, second, third = (app.register(voen) for _ in range(3))
    app.registrar.act(f"/v1/claims/{third.claim_id}/refuse", {"reason": "No power of attorney."})
    app.clock.advance(minutes=1)
    app.registrar.act(f"/v1/claims/{first.claim_id}/confirm", {"basis": "Extract seen.", "evidence_seen": []})
    told = {
        who: [mail.subject.rpartition(" / ")[2] for mail in app.mail(email_of(who))] for who in (first, second, third)
    }
    assert told == {
        first: ["You act for the company"],
        second: ["The claim was refused"],
        third: ["The claim was refused"],
    }
    assert "No power of attorney" not in app.mail(email_of(third))[0].body  # the reason is for staff


def test_administrators_are_told_of_a_claim_beside_theirs(app):
    company = app.confirm(app.register())
    app.mail()
    app.register(company.voen)
    (mail,) = [mail for mail in app.mail(email_of(company)) if "claims your company" in mail.subject]
    assert company.voen in mail.body
    assert len(events(app, "organisation.registered")) == 2
