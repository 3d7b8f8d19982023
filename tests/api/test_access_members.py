"""A confirmed company gains members by invitation and loses them at once, but never the last."""

from uuid import UUID

import pytest
from access_world import (
    at_once,
    colleague,
    denied,
    email_of,
    events,
    me,
    refused,
    renew,
    rows,
    sign_in,
    statuses,
)

from app.access.service import Subject
from app.actor import ActorKind
from tests.support import PASSWORD, Caller, ok

INVITED = {"email": "second@company.example"}


@pytest.fixture
def company(house):
    return house.confirm(house.register())


def invite(company, **changed):
    return company.post("/v1/invitations", json=INVITED | changed)


def accept(house, token, **changed):
    body = {"token": token, "full_name": "Kənan Nümunə", "password": PASSWORD} | changed
    return house.anonymous.post("/v1/invitations/accept", json=body)


def members(company):
    return {each["email"]: each["id"] for each in ok(company.get("/v1/members"))["items"]}


def test_an_invited_person_becomes_a_member(house, company):
    made = ok(invite(company, email=" Second@Company.example "))
    assert made["email"] == "second@company.example"
    assert made["expires_at"] == "2026-11-29T17:00:00Z"
    joined = ok(accept(house, made["token"]))
    assert joined["organisation_id"] == company.organisation_id
    tokens = ok(sign_in(house, "second@company.example"))
    who = ok(me(house, tokens))
    assert (who["id"], who["name"], who["roles"]) == (joined["user_id"], "Kənan Nümunə", ["applicant"])
    assert members(company) == {email_of(company): company.id, "second@company.example": joined["user_id"]}
    assert [len(events(house, name)) for name in ("member.invited", "member.joined")] == [1, 1]
    for table in ("invitations", "audit_events", "kept_answers"):
        assert made["token"] not in str(rows(house, f"SELECT * FROM {table}"))
    assert "second@company.example" not in str(rows(house, "SELECT data FROM audit_events"))


def test_the_token_is_shown_once(house, company):
    key = {"Idempotency-Key": "a-key"}
    assert ok(company.post("/v1/invitations", json=INVITED, headers=key))["token"].startswith("miki_")
    assert ok(company.post("/v1/invitations", json=INVITED, headers=key))["token"] is None
    (listed,) = ok(company.get("/v1/invitations"))["items"]
    assert "token" not in listed


def test_an_acceptance_can_be_sent_again(house, company):
    token, key = ok(invite(company))["token"], {"Idempotency-Key": "a-key"}
    body = {"token": token, "full_name": "Kənan Nümunə", "password": PASSWORD}
    first, again = (house.anonymous.post("/v1/invitations/accept", json=body, headers=key) for _ in range(2))
    assert ok(first) == ok(again) if again.status_code == 201 else refused(again, 409, "invitation-over")


def test_an_unconfirmed_company_invites_nobody(house):
    company = house.register()
    refused(invite(company), 409, "organisation-unconfirmed")


def test_a_known_address_is_not_invited(house, company):
    other = house.register()
    for address in (email_of(company), email_of(other).upper(), email_of(house.reviewer)):
        refused(invite(company, email=address), 409, "email-taken")
    token = ok(invite(company, email="late@company.example"))["token"]
    third = house.confirm(house.register())
    ok(accept(house, ok(invite(third, email="late@company.example"))["token"]))
    refused(accept(house, token), 409, "email-taken")


def test_an_invitation_lasts_a_week(house, company):
    token = ok(invite(company))["token"]
    house.clock.advance(days=6, hours=23, minutes=59)
    assert len(ok(company.get("/v1/invitations"))["items"]) == 1
    house.clock.advance(minutes=1)
    refused(accept(house, token), 409, "invitation-over")
    assert ok(company.get("/v1/invitations"))["items"] == []


def test_it_is_good_once_and_a_newer_one_voids_it(house, company):
    first, second = (ok(invite(company))["token"] for _ in range(2))
    refused(accept(house, first), 409, "invitation-over")
    ok(accept(house, second))
    refused(accept(house, second, full_name="Somebody else"), 409, "invitation-over")
    assert ok(company.get("/v1/invitations"))["items"] == []


def test_it_can_be_taken_back(house, company):
    made = ok(invite(company))
    stranger = house.confirm(house.register())
    refused(stranger.delete(f"/v1/invitations/{made['id']}"), 404, "not-found")
    assert "token" not in ok(company.delete(f"/v1/invitations/{made['id']}"))
    refused(accept(house, made["token"]), 409, "invitation-over")
    refused(company.delete(f"/v1/invitations/{made['id']}"), 409, "invitation-over")
    assert len(events(house, "invitation.withdrawn")) == 1


def test_what_is_wrong_with_an_acceptance(house, company):
    token = ok(invite(company))["token"]
    for wrong in ("", "x", "miki_" + "A" * 43, "\0"):
        refused(accept(house, wrong), 404, "not-found")
    refused(accept(house, token, password="short"), 422)
    refused(accept(house, token, full_name="a\0b"), 422)
    refused(accept(house, token, email="another@company.example"), 422)
    ok(accept(house, token))


def test_of_many_who_accept_at_once_one_gets_in(house, company):
    token = ok(invite(company))["token"]
    answers = at_once(*[lambda n=n: accept(house, token, full_name=f"Number {n}") for n in range(4)])
    assert statuses(answers) == [201, 409, 409, 409]
    assert len(members(company)) == 2


# Leaving


def test_a_removed_member_is_out_at_once(house, company):
    second = colleague(company)
    tokens = ok(sign_in(house, "second@company.example"))
    ok(company.delete(f"/v1/members/{second.id}"))
    refused(second.get("/v1/products"), 401, "unauthenticated")
    refused(me(house, tokens), 401)
    denied(renew(house, tokens["refresh_token"]), 400, "invalid_grant")
    denied(sign_in(house, "second@company.example"), 401, "invalid_grant")
    assert list(members(company)) == [email_of(company)]
    assert len(events(house, "member.removed")) == 1
    refused(company.delete(f"/v1/members/{second.id}"), 404, "not-found")
    people = ok(house.registrar.get(f"/v1/organisations/{company.organisation_id}"))["members"]
    assert ("second@company.example", False) in {(each["email"], each["active"]) for each in people}


def test_leaving(house, company):
    second = colleague(company)
    ok(second.delete(f"/v1/members/{second.id}"))
    refused(second.get("/v1/me"), 401)
    assert len(events(house, "member.left")) == 1


def test_the_last_member_stays(house, company):
    refused(company.delete(f"/v1/members/{company.id}"), 409, "last-member")
    second = colleague(company)
    ok(company.delete(f"/v1/members/{company.id}"))
    refused(second.delete(f"/v1/members/{second.id}"), 409, "last-member")


def test_of_two_who_remove_each_other_one_stays(house, company):
    for turn in range(3):
        other = colleague(company, f"member{turn}@company.example")
        answers = at_once(
            lambda stays=company, goes=other: stays.delete(f"/v1/members/{goes.id}"),
            lambda stays=other, goes=company: stays.delete(f"/v1/members/{goes.id}"),
        )
        assert [answer.status_code for answer in answers].count(200) == 1
        company = company if answers[0].status_code == 200 else other
        assert len(members(company)) == 1


def test_two_who_leave_at_once(house, company):
    second = colleague(company)
    answers = at_once(*[lambda who=who: who.delete(f"/v1/members/{who.id}") for who in (company, second)])
    assert statuses(answers) == [200, 409]


def test_what_a_removed_member_leaves_behind(house, company):
    """An open invitation would let him in again; programs he made are named, for he may know their secrets."""
    second = colleague(company)
    token = ok(second.post("/v1/invitations", json={"email": "third@company.example"}))["token"]
    kept = ok(company.post("/v1/invitations", json={"email": "fourth@company.example"}))["token"]
    program = ok(second.post("/v1/api-clients", json={"name": "Order system"}))
    parted = ok(company.delete(f"/v1/members/{second.id}"))
    assert parted == {"id": second.id, "api_clients": [program["id"]]}
    refused(accept(house, token), 409, "invitation-over")
    ok(accept(house, kept))


def test_who_left_may_come_back_or_go_elsewhere(house, company):
    """The address is free again; what was done before stays with the former account."""
    second = colleague(company)
    ok(second.delete(f"/v1/members/{second.id}"))
    back = colleague(company)
    assert back.id != second.id
    ok(company.delete(f"/v1/members/{back.id}"))
    other = house.confirm(house.register())
    colleague(other)
    assert "second@company.example" in members(other)
    ok(sign_in(house, "second@company.example"))


def test_another_companys_people_are_absent(house, company):
    stranger = house.confirm(house.register())
    invitation = ok(invite(company))
    refused(stranger.delete(f"/v1/members/{company.id}"), 404, "not-found")
    refused(stranger.delete(f"/v1/invitations/{invitation['id']}"), 404, "not-found")
    for nobody in ("x", "00000000-0000-7000-8000-000000000000", house.reviewer.id):
        refused(company.delete(f"/v1/members/{nobody}"), 404, "not-found")
    assert list(members(stranger)) == [email_of(stranger)]
    assert ok(stranger.get("/v1/invitations"))["items"] == []


def test_people_are_no_business_of_programs_or_of_staff(house, company):
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    program = Caller(house, Subject(ActorKind.CLIENT, UUID(made["id"])))
    for caller in (program, house.registrar, house.owner):
        refused(caller.get("/v1/members"), 403, "forbidden")
        refused(caller.get("/v1/invitations"), 403, "forbidden")
        refused(caller.post("/v1/invitations", json=INVITED), 403, "forbidden")
        refused(caller.delete(f"/v1/members/{company.id}"), 403, "forbidden")
    ok(company.get("/v1/members"))
    for path in ("/v1/members", "/v1/invitations"):
        refused(house.anonymous.get(path), 401)


def test_members_come_in_pages(house, company):
    for n in range(3):
        colleague(company, f"member{n}@company.example")
    first = company.get("/v1/members?limit=2")
    assert len(ok(first)["items"]) == 2
    second = company.get(first.links["next"]["url"])
    assert len(ok(second)["items"]) == 2
    assert "next" not in second.links
