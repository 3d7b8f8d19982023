"""Administrators of a confirmed company invite members and remove them at once, but never the last administrator."""

from uuid import UUID

import pytest

from app.auth.authenticate import TokenSubject
from app.core.actor import ActorKind
from tests.api.helpers import colleague, denied, email_of, me, renew, sign_in
from tests.factories import PASSWORD, ApiClient, ok
from tests.helpers import at_once, events, refused, rows, statuses

pytestmark = pytest.mark.pg_sampled
INVITED = {"email": "second@company.example"}


@pytest.fixture
def company(app):
    return app.confirm(app.register())


def invite(company, **changed):
    return company.post("/v1/invitations", json=INVITED | changed)


def invited(company, email=INVITED["email"]):
    """The token that the invited person finds in their mail."""
    ok(invite(company, email=email))
    return company.app.code(email)


def administrator(company, email="second@company.example"):
    """A second member who is an administrator as well."""
    other = colleague(company, email)
    assert ok(company.put(f"/v1/members/{other.id}/administrator"))["administrator"] is True
    return other


def accept(app, token, **changed):
    body = {"token": token, "full_name": "Kənan Nümunə", "password": PASSWORD} | changed
    return app.anonymous.post("/v1/invitations/accept", json=body)


def members(company):
    return {each["email"]: each["id"] for each in ok(company.get("/v1/members"))["items"]}


def test_an_invited_person_becomes_a_member(app, company):
    made = ok(invite(company, email=" Second@Company.example "))
    assert made["email"] == "second@company.example"
    assert made["expires_at"] == "2026-11-29T17:00:00Z"
    token = app.code("second@company.example")
    joined = ok(accept(app, token))
    assert joined["organisation_id"] == company.organisation_id
    tokens = ok(sign_in(app, "second@company.example"))
    who = ok(me(app, tokens))
    assert (who["id"], who["name"], who["roles"]) == (joined["user_id"], "Kənan Nümunə", ["applicant"])
    assert members(company) == {email_of(company): company.id, "second@company.example": joined["user_id"]}
    assert [len(events(app, name)) for name in ("member.invited", "member.joined")] == [1, 1]
    for table in ("invitations", "outgoing_messages", "audit_events", "idempotency_records"):
        assert token not in str(rows(app, f"SELECT * FROM {table}"))
    assert "second@company.example" not in str(rows(app, "SELECT data FROM audit_events"))


def test_only_the_invited_address_gets_the_token(app, company):
    key = {"Idempotency-Key": "a-key"}
    first, again = (ok(company.post("/v1/invitations", json=INVITED, headers=key)) for _ in range(2))
    assert first == again
    (listed,) = ok(company.get("/v1/invitations"))["items"]
    assert "token" not in first.keys() | listed.keys()
    (mail,) = app.mail(INVITED["email"])
    assert "MMC" in mail.body
    assert {each.recipient for each in app.mail()} == {INVITED["email"], email_of(company)}
    assert "miki_" not in str(app.mail(email_of(company)))


def test_an_acceptance_can_be_sent_again(app, company):
    token, key = invited(company), {"Idempotency-Key": "a-key"}
    body = {"token": token, "full_name": "Kənan Nümunə", "password": PASSWORD}
    first, again = (app.anonymous.post("/v1/invitations/accept", json=body, headers=key) for _ in range(2))
    assert ok(first) == ok(again) if again.status_code == 201 else refused(again, 409, "invitation-over")


def test_an_unconfirmed_company_invites_nobody(app):
    company = app.register()
    refused(invite(company), 409, "organisation-unconfirmed")


def test_a_known_address_is_not_invited(app, company):
    other = app.register()
    for address in (email_of(company), email_of(other).upper(), email_of(app.reviewer)):
        refused(invite(company, email=address), 409, "email-taken")
    token = invited(company, "late@company.example")
    third = app.confirm(app.register())
    ok(accept(app, invited(third, "late@company.example")))
    refused(accept(app, token), 409, "email-taken")


def test_an_invitation_lasts_a_week(app, company):
    token = invited(company)
    app.clock.advance(days=6, hours=23, minutes=59)
    assert len(ok(company.get("/v1/invitations"))["items"]) == 1
    app.clock.advance(minutes=1)
    refused(accept(app, token), 409, "invitation-over")
    assert ok(company.get("/v1/invitations"))["items"] == []


def test_it_is_good_once_and_a_newer_one_voids_it(app, company):
    first, second = (invited(company) for _ in range(2))
    refused(accept(app, first), 409, "invitation-over")
    ok(accept(app, second))
    refused(accept(app, second, full_name="Somebody else"), 409, "invitation-over")
    assert ok(company.get("/v1/invitations"))["items"] == []


def test_it_can_be_taken_back(app, company):
    made = ok(invite(company))
    stranger = app.confirm(app.register())
    refused(stranger.delete(f"/v1/invitations/{made['id']}"), 404, "not-found")
    assert "token" not in ok(company.delete(f"/v1/invitations/{made['id']}"))
    refused(accept(app, app.code(INVITED["email"])), 409, "invitation-over")
    refused(company.delete(f"/v1/invitations/{made['id']}"), 409, "invitation-over")
    assert len(events(app, "invitation.withdrawn")) == 1


def test_what_is_wrong_with_an_acceptance(app, company):
    token = invited(company)
    for wrong in ("", "x", "miki_" + "A" * 43, "\0"):
        refused(accept(app, wrong), 404, "not-found")
    refused(accept(app, token, password="short"), 422)
    refused(accept(app, token, full_name="a\0b"), 422)
    refused(accept(app, token, email="another@company.example"), 422)
    ok(accept(app, token))


def test_of_many_who_accept_at_once_one_gets_in(app, company):
    token = invited(company)
    answers = at_once(*[lambda n=n: accept(app, token, full_name=f"Number {n}") for n in range(4)])
    assert statuses(answers) == [201, 409, 409, 409]
    assert len(members(company)) == 2


# Leaving


def test_a_removed_member_is_out_at_once(app, company):
    second = colleague(company)
    tokens = ok(sign_in(app, "second@company.example"))
    ok(company.delete(f"/v1/members/{second.id}"))
    refused(second.get("/v1/products"), 401, "unauthenticated")
    refused(me(app, tokens), 401)
    denied(renew(app, tokens["refresh_token"]), 400, "invalid_grant")
    denied(sign_in(app, "second@company.example"), 401, "invalid_grant")
    assert list(members(company)) == [email_of(company)]
    assert len(events(app, "member.removed")) == 1
    refused(company.delete(f"/v1/members/{second.id}"), 404, "not-found")
    people = ok(app.registrar.get(f"/v1/organisations/{company.organisation_id}"))["members"]
    assert ("second@company.example", False) in {(each["email"], each["active"]) for each in people}


def test_leaving(app, company):
    second = colleague(company)
    ok(second.delete(f"/v1/members/{second.id}"))
    refused(second.get("/v1/me"), 401)
    assert len(events(app, "member.left")) == 1


def test_the_last_member_stays(app, company):
    refused(company.delete(f"/v1/members/{company.id}"), 409, "last-member")
    second = administrator(company)
    ok(company.delete(f"/v1/members/{company.id}"))
    refused(second.delete(f"/v1/members/{second.id}"), 409, "last-member")


def test_of_two_who_remove_each_other_one_stays(app, company):
    for turn in range(3):
        other = administrator(company, f"member{turn}@company.example")
        answers = at_once(
            lambda stays=company, goes=other: stays.delete(f"/v1/members/{goes.id}"),
            lambda stays=other, goes=company: stays.delete(f"/v1/members/{goes.id}"),
        )
        assert [answer.status_code for answer in answers].count(200) == 1
        company = company if answers[0].status_code == 200 else other
        assert len(members(company)) == 1


def test_two_who_leave_at_once(app, company):
    second = colleague(company)
    answers = at_once(*[lambda who=who: who.delete(f"/v1/members/{who.id}") for who in (company, second)])
    assert statuses(answers) == [200, 409]


def test_what_a_removed_member_leaves_behind(app, company):
    """An open invitation would let him in again; programs he made are named, for he may know their secrets."""
    second = administrator(company)
    token = invited(second, "third@company.example")
    kept = invited(company, "fourth@company.example")
    program = ok(second.post("/v1/api-clients", json={"name": "Order system"}))
    parted = ok(company.delete(f"/v1/members/{second.id}"))
    assert parted == {"id": second.id, "api_clients": [program["id"]]}
    refused(accept(app, token), 409, "invitation-over")
    ok(accept(app, kept))


def test_who_left_may_come_back_or_go_elsewhere(app, company):
    """The address is free again; what was done before stays with the former account."""
    second = colleague(company)
    ok(second.delete(f"/v1/members/{second.id}"))
    back = colleague(company)
    assert back.id != second.id
    ok(company.delete(f"/v1/members/{back.id}"))
    other = app.confirm(app.register())
    colleague(other)
    assert "second@company.example" in members(other)
    ok(sign_in(app, "second@company.example"))


def test_another_companys_people_are_absent(app, company):
    stranger = app.confirm(app.register())
    invitation = ok(invite(company))
    refused(stranger.delete(f"/v1/members/{company.id}"), 404, "not-found")
    refused(stranger.delete(f"/v1/invitations/{invitation['id']}"), 404, "not-found")
    for nobody in ("x", "00000000-0000-7000-8000-000000000000", app.reviewer.id):
        refused(company.delete(f"/v1/members/{nobody}"), 404, "not-found")
    assert list(members(stranger)) == [email_of(stranger)]
    assert ok(stranger.get("/v1/invitations"))["items"] == []


def test_people_are_no_business_of_programs_or_of_staff(app, company):
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    program = ApiClient(app, TokenSubject(ActorKind.CLIENT, UUID(made["id"])))
    for caller in (program, app.registrar, app.owner):
        refused(caller.get("/v1/members"), 403, "forbidden")
        refused(caller.get("/v1/invitations"), 403, "forbidden")
        refused(caller.post("/v1/invitations", json=INVITED), 403, "forbidden")
        refused(caller.delete(f"/v1/members/{company.id}"), 403, "forbidden")
    ok(company.get("/v1/members"))
    for path in ("/v1/members", "/v1/invitations"):
        refused(app.anonymous.get(path), 401)


def test_members_come_in_pages(app, company):
    for n in range(3):
        colleague(company, f"member{n}@company.example")
    first = company.get("/v1/members?limit=2")
    assert len(ok(first)["items"]) == 2
    second = company.get(first.links["next"]["url"])
    assert len(ok(second)["items"]) == 2
    assert "next" not in second.links


# Administrators


def test_the_first_member_is_an_administrator_and_others_are_not(app, company):
    second = colleague(company)
    rights = {each["id"]: each["administrator"] for each in ok(company.get("/v1/members"))["items"]}
    assert rights == {company.id: True, second.id: False}
    assert [ok(who.get("/v1/me"))["administrator"] for who in (company, second, app.owner)] == [True, False, None]


def test_what_takes_an_administrator(app, company):
    """A plain member reads who is there and leaves; all that changes people and programs is refused."""
    second, third = colleague(company), colleague(company, "third@company.example")
    open_ = ok(invite(company, email="fourth@company.example"))["id"]
    program = ok(company.post("/v1/api-clients", json={"name": "Order system"}))["id"]
    for method, path, body in (
        ("POST", "/v1/invitations", INVITED),
        ("DELETE", f"/v1/invitations/{open_}", None),
        ("DELETE", f"/v1/members/{third.id}", None),
        ("DELETE", f"/v1/members/{company.id}", None),
        ("PUT", f"/v1/members/{second.id}/administrator", None),
        ("DELETE", f"/v1/members/{company.id}/administrator", None),
        ("POST", "/v1/api-clients", {"name": "Another"}),
        ("DELETE", f"/v1/api-clients/{program}", None),
    ):
        refused(second.request(method, path, **({} if body is None else {"json": body})), 403, "administrator-required")
    for path in ("/v1/members", "/v1/invitations", "/v1/api-clients"):
        ok(second.get(path))
    ok(company.put(f"/v1/members/{second.id}/administrator"))
    ok(second.delete(f"/v1/members/{third.id}"))
    ok(second.delete(f"/v1/members/{company.id}"))  # the founder, by the second administrator


def test_the_last_administrator_stays(app, company):
    second = colleague(company)
    refused(company.delete(f"/v1/members/{company.id}"), 409, "last-administrator")
    refused(company.delete(f"/v1/members/{company.id}/administrator"), 409, "last-administrator")
    ok(company.put(f"/v1/members/{second.id}/administrator"))
    ok(company.delete(f"/v1/members/{company.id}/administrator"))
    refused(second.delete(f"/v1/members/{second.id}"), 409, "last-administrator")
    ok(second.delete(f"/v1/members/{company.id}"))


@pytest.mark.parametrize("ending", ["", "/administrator"])
def test_of_two_administrators_who_part_each_other_one_stays(app, company, ending):
    for turn in range(3):
        other = administrator(company, f"member{turn}@company.example")
        answers = at_once(
            lambda by=company, whom=other: by.delete(f"/v1/members/{whom.id}{ending}"),
            lambda by=other, whom=company: by.delete(f"/v1/members/{whom.id}{ending}"),
        )
        assert [answer.status_code for answer in answers].count(200) == 1
        company = company if answers[0].status_code == 200 else other
        assert [each["administrator"] for each in ok(company.get("/v1/members"))["items"]].count(True) == 1


def test_two_administrators_who_leave_at_once(app, company):
    second = administrator(company)
    colleague(company, "third@company.example")
    answers = at_once(*[lambda who=who: who.delete(f"/v1/members/{who.id}") for who in (company, second)])
    assert statuses(answers) == [200, 409]


def test_the_registrar_makes_one_where_the_only_one_is_in_the_way(app, company):
    second, path = colleague(company), "/v1/members/{}/administrator"
    refused(app.registrar.without_factor().put(path.format(second.id)), 403, "second-factor-required")
    for caller in (app.owner, app.reviewer, app.auditor):
        refused(caller.put(path.format(second.id)), 403, "forbidden")
    for nobody in ("x", "00000000-0000-7000-8000-000000000000", app.reviewer.id):
        refused(app.registrar.put(path.format(nobody)), 404, "not-found")
    ok(app.registrar.put(path.format(second.id)))
    ok(second.delete(f"/v1/members/{company.id}"))
    stranger = app.confirm(app.register())
    refused(stranger.put(path.format(second.id)), 404, "not-found")


def test_who_is_concerned_is_told(app, company):
    second = colleague(company)
    address = "second@company.example"
    for _ in range(2):  # the second time changes nothing
        ok(company.put(f"/v1/members/{second.id}/administrator"))
    ok(company.delete(f"/v1/members/{second.id}/administrator"))
    ok(company.delete(f"/v1/members/{second.id}"))
    subjects = [mail.subject.rpartition(" / ")[2] for mail in app.mail(address)]
    assert subjects == [
        "Invitation",
        "Your rights have changed",
        "Your rights have changed",
        "You were removed from the company",
    ]
    third = colleague(company, "third@company.example")
    ok(third.delete(f"/v1/members/{third.id}"))
    assert len(app.mail("third@company.example")) == 1  # who leaves knows it
