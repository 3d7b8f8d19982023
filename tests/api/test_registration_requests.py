"""To register, an address is confirmed first; no answer tells whether it is known (case claim-04)."""

import pytest

from app.access import guesses
from tests.api.helpers import email_of, sign_in
from tests.api.test_password_requests import counted
from tests.factories import PASSWORD, ok, voen_of
from tests.helpers import events, refused, rows

pytestmark = pytest.mark.pg_sampled
ASK, CONFIRM = "/v1/registrations", "/v1/registrations/confirm"


def ask(house, email, **more):
    return house.anonymous.post(ASK, json={"email": email} | more)


def confirm(house, token, voen=None, **changed):
    member = {"full_name": "Aysel Nümunə", "password": PASSWORD} | changed
    body = {
        "legal_name_az": "“Nümunə” MMC",
        "legal_name_en": "Sample",
        "legal_form": "MMC",
        "voen": voen or voen_of(8001),
    }
    return house.anonymous.post(CONFIRM, json=body | {"token": token, "member": member})


def test_the_whole_way(house):
    assert ask(house, "First@numune.example", language="ru").status_code == 202
    (mail,) = house.mail("first@numune.example")
    assert mail.subject == "Подтвердите адрес электронной почты"
    token = house.code("first@numune.example")
    made = ok(confirm(house, token))
    assert made["standing"] == "unconfirmed"
    ok(sign_in(house, "first@numune.example"))
    refused(confirm(house, token, voen_of(8002)), 409, "token-over")
    assert rows(house, "SELECT language, is_administrator FROM users WHERE NOT is_staff") == [("ru", True)]
    for table in ("address_confirmations", "outgoing_messages", "audit_events", "kept_answers"):
        assert token not in str(rows(house, f"SELECT * FROM {table}"))


def test_claim_04_the_answer_is_the_same_for_every_address_and_so_is_the_work(house):
    """Known, unknown, refused, of staff: the same answer after the same statements, and nothing is hashed."""
    known, gone = house.register(), house.register()
    house.registrar.act(f"/v1/organisations/{gone.organisation_id}/refuse", {"reason": "No power of attorney."})
    seen = []
    for email in (email_of(known), "nobody@numune.example", email_of(gone), email_of(house.owner)):
        with counted(house) as said:
            answer = ask(house, email)
        headers = {name for name in answer.headers if name != "x-request-id"}
        seen.append((answer.status_code, answer.json(), headers, said["statements"], said["hashes"]))
    assert all(each == seen[0] for each in seen)
    assert (seen[0][0], seen[0][4]) == (202, 0)
    assert rows(house, "SELECT id FROM address_confirmations WHERE email = 'nobody@numune.example'") == []
    subjects = {email: house.mail(email)[-1].subject for email in (email_of(known), "nobody@numune.example")}
    assert "You have an account already" in subjects[email_of(known)]
    assert "Confirm your e-mail address" in subjects["nobody@numune.example"]


def test_nothing_is_hashed_for_a_token_that_is_no_good(house):
    ask(house, "first@numune.example")
    token = house.code("first@numune.example")
    for wrong in ("", "x", "mikr_" + "A" * 43, "\0", "ə"):
        with counted(house) as said:
            refused(confirm(house, wrong), 404, "not-found")
        assert said["hashes"] == 0
    house.clock.advance(hours=24)
    with counted(house) as said:
        refused(confirm(house, token), 409, "token-over")
    assert said["hashes"] == 0


def test_a_mistake_uses_no_token_up(house):
    ask(house, "first@numune.example")
    token = house.code("first@numune.example")
    refused(confirm(house, token, "123"), 422)
    refused(confirm(house, token, password="short"), 422)
    ok(confirm(house, token))


def test_a_token_of_a_stranger_voids_none(house):
    """Whoever asks for somebody's address cannot keep them from registering; one registration uses all up."""
    ask(house, "first@numune.example")
    first = house.code("first@numune.example")
    ask(house, "first@numune.example")
    second = house.code("first@numune.example")
    assert first != second
    ok(confirm(house, first))
    refused(confirm(house, second), 409, "token-over")


def test_who_came_by_another_way_meanwhile_is_told(house):
    company = house.confirm(house.register())
    ask(house, "second@numune.example")
    token = house.code("second@numune.example")
    ok(company.post("/v1/invitations", json={"email": "second@numune.example"}))
    body = {"token": house.code("second@numune.example"), "full_name": "Kənan Nümunə", "password": PASSWORD}
    ok(house.anonymous.post("/v1/invitations/accept", json=body))
    refused(confirm(house, token), 409, "email-taken")


@pytest.mark.parametrize("known", [True, False])
def test_an_address_is_not_flooded_and_the_answer_does_not_tell(house, known):
    email = email_of(house.register()) if known else "nobody@numune.example"
    answers = [ask(house, email) for _ in range(guesses.MOST_MAIL + 2)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, answers[0].text)}
    assert len(house.mail(email)) == guesses.MOST_MAIL


def test_claimants_are_told_what_was_decided(house):
    voen = voen_of(8100)
    first, second, third = (house.register(voen) for _ in range(3))
    house.registrar.act(f"/v1/claims/{third.claim_id}/refuse", {"reason": "No power of attorney."})
    house.clock.advance(minutes=1)
    house.registrar.act(f"/v1/claims/{first.claim_id}/confirm", {"basis": "Extract seen.", "evidence_seen": []})
    told = {
        who: [mail.subject.rpartition(" / ")[2] for mail in house.mail(email_of(who))] for who in (first, second, third)
    }
    assert told == {
        first: ["You act for the company"],
        second: ["The claim was refused"],
        third: ["The claim was refused"],
    }
    assert "No power of attorney" not in house.mail(email_of(third))[0].body  # the reason is for staff


def test_administrators_are_told_of_a_claim_beside_theirs(house):
    company = house.confirm(house.register())
    house.mail()
    house.register(company.voen)
    (mail,) = [mail for mail in house.mail(email_of(company)) if "claims your company" in mail.subject]
    assert company.voen in mail.body
    assert len(events(house, "organisation.registered")) == 2
