"""Rights of the staff: two owners to give one, one to take it, and the last owner stays."""

import pytest
import sqlalchemy as sa

from app.core.actor import STAFF_ROLES, Role
from tests.api.helpers import denied, email_of, enrolled, me, renew, sign_in
from tests.factories import PASSWORD, ok
from tests.helpers import at_once, events, execute, refused, rows, statuses

pytestmark = pytest.mark.pg_sampled
NEW = {"email": "new@staff.example", "full_name": "Leyla Nümunə"}


@pytest.fixture
def owner(app):
    return app.owner


@pytest.fixture
def second(app):
    return app.staff(Role.OWNER, name="second-owner")


def ask(owner, user, role="approver"):
    return owner.post(f"/v1/users/{user.id}/role-requests", json={"role": role})


def roles(app, user):
    return ok(app.owner.get(f"/v1/users/{user.id}"))["roles"]


def test_a_new_colleague(app, owner, second):
    """Created by one owner, given a role by another, let in by a token that was mailed."""
    made = ok(owner.post("/v1/users", json=NEW | {"roles": ["reviewer", "registrar"]}))
    assert (made["roles"], made["second_factor"], made["active"]) == ([], False, True)
    assert {request["role"] for request in made["requests"]} == {"reviewer", "registrar"}
    for guess in ("", PASSWORD, "a password that nobody has"):
        assert sign_in(app, NEW["email"], guess).status_code in {400, 401}
    token = app.code(NEW["email"])
    body = {"token": token, "password": PASSWORD}
    assert app.http.post("/v1/auth/password-reset", json=body).status_code == 204
    tokens = ok(sign_in(app, NEW["email"]))
    assert ok(me(app, tokens))["roles"] == []
    (reviewer,) = [request for request in made["requests"] if request["role"] == "reviewer"]
    second.act(f"/v1/access-requests/{reviewer['id']}/confirm")
    assert ok(me(app, tokens))["roles"] == ["reviewer"]
    assert (
        app.http.get("/v1/applications", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code
        == 200
    )
    assert len(events(app, "role.granted")) == 1
    assert token not in str(rows(app, "SELECT * FROM password_resets"))


def test_an_address_is_taken_once(app, owner):
    ok(owner.post("/v1/users", json=NEW))
    refused(owner.post("/v1/users", json=NEW | {"email": "NEW@staff.example"}), 409, "email-taken")
    company = app.register()
    refused(owner.post("/v1/users", json=NEW | {"email": email_of(company)}), 409, "email-taken")


def test_no_role_by_one_owner_alone(app, owner):
    request = ok(ask(owner, app.reviewer))
    refused(owner.post(f"/v1/access-requests/{request['id']}/confirm", version=1), 403, "four-eyes")
    assert roles(app, app.reviewer) == ["reviewer"]


def test_nobody_confirms_what_is_for_himself(app, owner, second):
    request = ok(ask(owner, second))
    refused(second.post(f"/v1/access-requests/{request['id']}/confirm", version=1), 403, "four-eyes")
    own = ok(ask(owner, owner))
    second.act(f"/v1/access-requests/{own['id']}/confirm")  # asked by the one, confirmed by the other: two owners
    assert roles(app, owner) == ["approver", "owner"]


def test_the_database_wants_two_as_well(app, owner, second):
    request = ok(ask(owner, app.reviewer))
    ((owner_id,),) = rows(app, "SELECT requested_by FROM access_requests")
    confirm = "UPDATE access_requests SET state = 'confirmed', decided_by = :who, decided_at = requested_at"
    with pytest.raises(sa.exc.IntegrityError, match="four_eyes"):
        execute(app, confirm, who=owner_id)
    with pytest.raises(sa.exc.IntegrityError, match="four_eyes"):
        execute(app, confirm.replace(":who", "user_id"))
    with pytest.raises(sa.exc.IntegrityError, match=r"four_eyes|decided_by_somebody"):
        execute(app, "UPDATE access_requests SET state = 'confirmed'")
    assert ok(owner.get(f"/v1/access-requests/{request['id']}"))["state"] == "open"


def test_a_role_by_two(app, owner, second):
    request = ok(ask(owner, app.reviewer))
    path = f"/v1/access-requests/{request['id']}"
    refused(second.post(f"{path}/confirm"), 428)
    refused(second.post(f"{path}/confirm", version=9), 412)
    decided = second.act(f"{path}/confirm")
    assert (decided["state"], decided["decided_by"]) == ("confirmed", second.id)
    assert roles(app, app.reviewer) == ["approver", "reviewer"]
    refused(second.post(f"{path}/confirm", version="now"), 409, "wrong-state")
    refused(ask(owner, app.reviewer), 409, "has-role")


def test_a_confirmation_can_be_sent_again(app, owner, second):
    request = ok(ask(owner, app.reviewer))
    path, key = f"/v1/access-requests/{request['id']}/confirm", {"Idempotency-Key": "a-key"}
    first, again = (second.post(path, version=1, headers=key) for _ in range(2))
    assert ok(first) == ok(again)
    assert len(events(app, "role.granted")) == 1


def test_a_request_is_refused_or_taken_back(app, owner, second):
    for by in (owner, second):
        request = ok(ask(owner, app.reviewer))
        assert by.act(f"/v1/access-requests/{request['id']}/refuse")["state"] == "refused"
        refused(second.post(f"/v1/access-requests/{request['id']}/confirm", version="now"), 409, "wrong-state")
    assert roles(app, app.reviewer) == ["reviewer"]


def test_what_an_owner_asked_for_goes_with_him(app, owner, second):
    """A request outlives neither the asker's role nor the asker."""
    request = ok(ask(second, app.reviewer))
    ok(owner.delete(f"/v1/users/{second.id}/roles/owner"))
    third = app.staff(Role.OWNER, name="third-owner")
    refused(third.post(f"/v1/access-requests/{request['id']}/confirm", version="now"), 409, "asker-left")
    another = ok(ask(third, app.approver, "auditor"))
    ok(owner.delete(f"/v1/users/{third.id}"))
    assert ok(owner.get(f"/v1/access-requests/{another['id']}"))["state"] == "refused"


def test_of_two_confirmations_of_the_same_role_one_counts(app, owner, second):
    third = app.staff(Role.OWNER, name="third-owner")
    asked = [ok(ask(owner, app.reviewer))["id"] for _ in range(2)]
    answers = at_once(
        lambda: second.post(f"/v1/access-requests/{asked[0]}/confirm", version=1),
        lambda: third.post(f"/v1/access-requests/{asked[1]}/confirm", version=1),
    )
    assert statuses(answers) == [200, 409]
    assert len(events(app, "role.granted")) == 1


def test_a_confirmation_and_a_refusal_at_once(app, owner, second):
    for role in ("auditor", "inspector", "registrar"):
        request = ok(ask(owner, app.reviewer, role))
        path = f"/v1/access-requests/{request['id']}"
        answers = at_once(
            lambda path=path: second.post(f"{path}/confirm", version=1),
            lambda path=path: owner.post(f"{path}/refuse", version=1),
        )
        assert statuses(answers) == [200, 412]
        state = ok(owner.get(path))["state"]
        assert (role in roles(app, app.reviewer)) == (state == "confirmed")


# Taking away


def test_one_owner_takes_a_role_at_once(app, owner):
    case_id = app.set_up_company().apply()
    reviewer = app.staff(Role.REVIEWER, Role.AUDITOR, name="two-roles")
    assert ok(owner.delete(f"/v1/users/{reviewer.id}/roles/reviewer"))["roles"] == ["auditor"]
    refused(reviewer.post(f"/v1/applications/{case_id}/claim", version=2), 403, "forbidden")
    ok(reviewer.get("/v1/applications"))
    refused(owner.delete(f"/v1/users/{reviewer.id}/roles/reviewer"), 409, "no-such-role")
    refused(owner.delete(f"/v1/users/{reviewer.id}/roles/queen"), 404, "not-found")
    assert len(events(app, "role.taken")) == 1


def test_one_owner_removes_somebody_at_once(app, owner):
    reviewer = app.reviewer
    email = email_of(reviewer)
    enrolled(reviewer)
    tokens = ok(sign_in(app, email))
    gone = ok(owner.delete(f"/v1/users/{reviewer.id}"))
    assert (gone["active"], gone["roles"], gone["email"]) == (False, [], email)
    refused(me(app, tokens), 401)
    denied(renew(app, tokens["refresh_token"]), 400, "invalid_grant")
    denied(sign_in(app, email), 401, "invalid_grant")
    refused(reviewer.get("/v1/applications"), 401)
    refused(owner.delete(f"/v1/users/{reviewer.id}"), 409, "not-active")
    refused(ask(owner, reviewer, "auditor"), 409, "not-active")
    refused(owner.post(f"/v1/users/{reviewer.id}/password-resets"), 409, "not-active")
    ok(owner.post("/v1/users", json=NEW | {"email": email}))  # the address is free again


def test_the_last_owner_stays(app, owner):
    refused(owner.delete(f"/v1/users/{owner.id}"), 409, "last-owner")
    refused(owner.delete(f"/v1/users/{owner.id}/roles/owner"), 409, "last-owner")
    second = app.staff(Role.OWNER, name="second-owner")
    execute(app, "UPDATE users SET active = false WHERE email = 'second-owner@staff.example'")
    refused(owner.delete(f"/v1/users/{owner.id}"), 409, "last-owner")  # who is gone is none
    execute(app, "UPDATE users SET active = true WHERE email = 'second-owner@staff.example'")
    ok(owner.delete(f"/v1/users/{owner.id}/roles/owner"))
    refused(second.delete(f"/v1/users/{second.id}"), 409, "last-owner")


@pytest.mark.parametrize("how", ["", "/roles/owner"])
def test_of_two_owners_who_part_each_other_one_stays(app, owner, second, how):
    answers = at_once(
        lambda: owner.delete(f"/v1/users/{second.id}{how}"),
        lambda: second.delete(f"/v1/users/{owner.id}{how}"),
    )
    codes = [answer.status_code for answer in answers]
    assert codes.count(200) == 1, [answer.text for answer in answers]
    assert set(codes) <= {200, 401, 403}
    found = rows(app, "SELECT 1 FROM users u JOIN staff_roles r ON r.user_id = u.id WHERE role = 'owner' AND active")
    assert len(found) == 1


@pytest.mark.parametrize("how", ["", "/roles/owner"])
def test_of_two_owners_who_go_at_once_one_stays(app, owner, second, how):
    answers = at_once(*[lambda who=who: who.delete(f"/v1/users/{who.id}{how}") for who in (owner, second)])
    assert statuses(answers) == [200, 409]


# A lost authenticator


def test_a_lost_authenticator_is_reset_by_two(app, owner, second):
    approver = app.approver
    phone = enrolled(approver)
    tokens = ok(sign_in(app, email_of(approver), otp=phone.code()))
    request = ok(owner.post(f"/v1/users/{approver.id}/second-factor-requests"))
    assert (request["kind"], request["role"]) == ("reset-second-factor", None)
    refused(owner.post(f"/v1/access-requests/{request['id']}/confirm", version=1), 403, "four-eyes")
    denied(sign_in(app, email_of(approver), otp=phone.wrong()), 401, "invalid_grant")
    ok(me(app, tokens))
    second.act(f"/v1/access-requests/{request['id']}/confirm")
    refused(me(app, tokens), 401)
    denied(sign_in(app, email_of(approver), otp=phone.code(later=30)), 401, "invalid_grant")
    again = ok(sign_in(app, email_of(approver)))
    assert ok(me(app, again))["second_factor"]["enrolled"] is False
    assert len(events(app, "second_factor.reset")) == 1
    refused(owner.post(f"/v1/users/{approver.id}/second-factor-requests"), 409, "not-enrolled")


# Who may ask


def test_users_are_the_owners_business_and_the_auditors_to_read(app, owner, second):
    request = ok(ask(owner, app.reviewer))
    reads = (
        "/v1/users",
        f"/v1/users/{app.reviewer.id}",
        "/v1/access-requests",
        f"/v1/access-requests/{request['id']}",
    )
    writes = (
        ("POST", "/v1/users", NEW),
        ("DELETE", f"/v1/users/{app.reviewer.id}", None),
        ("POST", f"/v1/users/{app.reviewer.id}/role-requests", {"role": "auditor"}),
        ("DELETE", f"/v1/users/{app.reviewer.id}/roles/reviewer", None),
        ("POST", f"/v1/users/{app.reviewer.id}/second-factor-requests", None),
        ("POST", f"/v1/access-requests/{request['id']}/confirm", None),
        ("POST", f"/v1/access-requests/{request['id']}/refuse", None),
    )
    company = app.set_up_company()
    for role in sorted(STAFF_ROLES - {Role.OWNER}):
        for path in reads:
            answer = app.staff(role).get(path)
            assert answer.status_code == (200 if role is Role.AUDITOR else 403), (role, path)
        for method, path, body in writes:
            refused(app.staff(role).request(method, path, json=body, version=1), 403, "forbidden")
    for method, path, body in [*[("GET", path, None) for path in reads], *writes]:
        refused(company.request(method, path, json=body), 403, "forbidden")
        refused(app.anonymous.request(method, path, json=body), 401)


def test_members_of_companies_are_no_staff(app, owner):
    company = app.register()
    for path in (f"/v1/users/{company.id}", "/v1/users/x", "/v1/users/00000000-0000-7000-8000-000000000000"):
        refused(owner.get(path), 404, "not-found")
        refused(owner.delete(path), 404, "not-found")
        refused(owner.post(f"{path}/role-requests", json={"role": "reviewer"}), 404, "not-found")
    assert company.id not in str(ok(owner.get("/v1/users")))


def test_what_cannot_be_granted(app, owner):
    for role in ("applicant", "system", "queen", "", None, 1):
        refused(ask(owner, app.reviewer, role), 422)
        refused(owner.post("/v1/users", json=NEW | {"roles": [role]}), 422)
    assert rows(app, "SELECT 1 FROM access_requests") == []


def test_the_list_of_requests(app, owner, second):
    asked = [ok(ask(owner, app.reviewer, role))["id"] for role in ("approver", "auditor", "inspector")]
    second.act(f"/v1/access-requests/{asked[0]}/confirm")
    listed = ok(app.auditor.get("/v1/access-requests?state=open"))["items"]
    assert [request["id"] for request in listed] == asked[1:]
    first = app.auditor.get("/v1/access-requests?limit=2")
    assert [request["id"] for request in ok(first)["items"]] == asked[:2]
    assert [request["id"] for request in ok(app.auditor.get(first.links["next"]["url"]))["items"]] == asked[2:]
    refused(app.auditor.get("/v1/access-requests?state=lost"), 422)


def test_history_names_nobody(app, owner, second):
    made = ok(owner.post("/v1/users", json=NEW | {"roles": ["reviewer"]}))
    second.act(f"/v1/access-requests/{made['requests'][0]['id']}/confirm")
    ok(owner.delete(f"/v1/users/{made['id']}"))
    told = str(rows(app, "SELECT event, subject_id, data FROM audit_events"))
    assert NEW["email"] not in told and "Leyla" not in told
    for event in ("user.created", "access.requested", "access.request_confirmed", "role.granted", "role.taken"):
        assert events(app, event), event
