"""Rights of the staff: two owners to give one, one to take it, and the last owner stays."""

import hashlib
import json

import pytest
import sqlalchemy as sa

from app.core.actor import STAFF_ROLES, Role
from tests.api.helpers import denied, email_of, enrolled, me, renew, sign_in
from tests.factories import PASSWORD, ok
from tests.helpers import at_once, events, execute, refused, rows, statuses

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]
NEW = {"email": "new@staff.example", "full_name": "Leyla Nümunə"}


@pytest.fixture
def owner(app):
    return app.owner


@pytest.fixture
def second(app):
    return app.staff(Role.OWNER, name="second-owner")


def ask(owner, user, role="approver"):
    return propose(owner, "role", user_id=user.id, role=role)


def propose(by, kind, **content):
    return by.post("/v1/proposals", json={"kind": kind, "content": content})


def roles(app, user):
    return ok(app.owner.get(f"/v1/users/{user.id}"))["roles"]


def test_a_new_colleague(app, owner, second):
    """Created by one owner, given a role by another, let in by a token that was mailed."""
    made = ok(owner.post("/v1/users", json=NEW | {"roles": ["reviewer", "registrar"]}))
    assert (made["roles"], made["second_factor"], made["active"]) == ([], False, True)
    assert {each["content"]["role"] for each in made["proposals"]} == {"reviewer", "registrar"}
    for guess in ("", PASSWORD, "a password that nobody has"):
        assert sign_in(app, NEW["email"], guess).status_code in {400, 401}
    token = app.code(NEW["email"])
    body = {"token": token, "password": PASSWORD}
    assert app.http.post("/v1/auth/password-reset", json=body).status_code == 204
    tokens = ok(sign_in(app, NEW["email"]))
    assert ok(me(app, tokens))["roles"] == []
    (reviewer,) = [each for each in made["proposals"] if each["content"]["role"] == "reviewer"]
    second.act(f"/v1/proposals/{reviewer['id']}/confirm")
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
    refused(owner.post(f"/v1/proposals/{request['id']}/confirm", version=1), 403, "four-eyes")
    assert roles(app, app.reviewer) == ["reviewer"]


def test_nobody_confirms_what_is_for_himself(app, owner, second):
    request = ok(ask(owner, second))
    refused(second.post(f"/v1/proposals/{request['id']}/confirm", version=1), 403, "four-eyes")
    own = ok(ask(owner, owner))
    second.act(f"/v1/proposals/{own['id']}/confirm")  # asked by the one, confirmed by the other: two owners
    assert roles(app, owner) == ["approver", "owner"]


def test_the_database_wants_two_as_well(app, owner, second):
    request = ok(ask(owner, app.reviewer))
    ((owner_id,),) = rows(app, "SELECT proposed_by FROM proposals")
    document = "decided_at = proposed_at, confirmed_sha256 = sha256"
    confirm = f"UPDATE proposals SET state = 'confirmed', decided_by = :who, {document}"
    with pytest.raises(sa.exc.IntegrityError, match="four_eyes"):
        execute(app, confirm, who=owner_id)
    with pytest.raises(sa.exc.IntegrityError, match="four_eyes"):
        execute(app, confirm.replace(":who", "user_id"))
    with pytest.raises(sa.exc.IntegrityError, match=r"four_eyes|decided_by_somebody|confirmed_document"):
        execute(app, "UPDATE proposals SET state = 'confirmed'")
    assert ok(owner.get(f"/v1/proposals/{request['id']}"))["state"] == "proposed"


def test_a_role_by_two(app, owner, second):
    request = ok(ask(owner, app.reviewer))
    path = f"/v1/proposals/{request['id']}"
    refused(second.post(f"{path}/confirm"), 428)
    refused(second.post(f"{path}/confirm", version=9), 412)
    decided = second.act(f"{path}/confirm")
    assert (decided["state"], decided["decided_by"]) == ("confirmed", second.id)
    assert roles(app, app.reviewer) == ["approver", "reviewer"]
    refused(second.post(f"{path}/confirm", version="now"), 409, "wrong-state")
    refused(ask(owner, app.reviewer), 409, "has-role")


def test_a_confirmation_can_be_sent_again(app, owner, second):
    request = ok(ask(owner, app.reviewer))
    path, key = f"/v1/proposals/{request['id']}/confirm", {"Idempotency-Key": "a-key"}
    first, again = (second.post(path, version=1, headers=key) for _ in range(2))
    assert ok(first) == ok(again)
    assert len(events(app, "role.granted")) == 1


def test_a_request_is_refused_or_taken_back(app, owner, second):
    for by, other, deed, state in (
        (owner, second, "withdraw", "withdrawn"),
        (second, owner, "refuse", "refused"),
    ):
        request = ok(ask(owner, app.reviewer))
        refused(other.post(f"/v1/proposals/{request['id']}/{deed}", version="now"), 403, "forbidden")
        assert by.act(f"/v1/proposals/{request['id']}/{deed}")["state"] == state
        refused(second.post(f"/v1/proposals/{request['id']}/confirm", version="now"), 409, "wrong-state")
    assert roles(app, app.reviewer) == ["reviewer"]


def test_what_an_owner_asked_for_goes_with_him(app, owner, second):
    """A request outlives neither the asker's role nor the asker."""
    request = ok(ask(second, app.reviewer))
    ok(owner.delete(f"/v1/users/{second.id}/roles/owner"))
    third = app.staff(Role.OWNER, name="third-owner")
    refused(third.post(f"/v1/proposals/{request['id']}/confirm", version="now"), 409, "asker-left")
    another = ok(ask(third, app.approver, "auditor"))
    ok(owner.delete(f"/v1/users/{third.id}"))
    assert ok(owner.get(f"/v1/proposals/{another['id']}"))["state"] == "refused"


def test_of_two_confirmations_of_the_same_role_one_counts(app, owner, second):
    third = app.staff(Role.OWNER, name="third-owner")
    asked = [ok(ask(owner, app.reviewer))["id"] for _ in range(2)]
    answers = at_once(
        lambda: second.post(f"/v1/proposals/{asked[0]}/confirm", version=1),
        lambda: third.post(f"/v1/proposals/{asked[1]}/confirm", version=1),
    )
    assert statuses(answers) == [200, 409]
    assert len(events(app, "role.granted")) == 1


def test_a_confirmation_and_a_refusal_at_once(app, owner, second):
    for role in ("auditor", "inspector", "registrar"):
        request = ok(ask(owner, app.reviewer, role))
        path = f"/v1/proposals/{request['id']}"
        answers = at_once(
            lambda path=path: second.post(f"{path}/confirm", version=1),
            lambda path=path: owner.post(f"{path}/withdraw", version=1),
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
    request = ok(propose(owner, "second-factor-reset", user_id=approver.id))
    assert (request["kind"], request["content"]) == ("second-factor-reset", {"user_id": str(approver.id)})
    refused(owner.post(f"/v1/proposals/{request['id']}/confirm", version=1), 403, "four-eyes")
    denied(sign_in(app, email_of(approver), otp=phone.wrong()), 401, "invalid_grant")
    ok(me(app, tokens))
    second.act(f"/v1/proposals/{request['id']}/confirm")
    refused(me(app, tokens), 401)
    denied(sign_in(app, email_of(approver), otp=phone.code(later=30)), 401, "invalid_grant")
    again = ok(sign_in(app, email_of(approver)))
    assert ok(me(app, again))["second_factor"]["enrolled"] is False
    assert len(events(app, "second_factor.reset")) == 1
    refused(propose(owner, "second-factor-reset", user_id=approver.id), 409, "not-enrolled")


# Who may ask


def test_users_are_the_owners_business_and_the_auditors_to_read(app, owner, second):
    request = ok(ask(owner, app.reviewer))
    reads = (
        "/v1/users",
        f"/v1/users/{app.reviewer.id}",
        "/v1/proposals",
        f"/v1/proposals/{request['id']}",
    )
    writes = (
        ("POST", "/v1/users", NEW),
        ("DELETE", f"/v1/users/{app.reviewer.id}", None),
        ("POST", "/v1/proposals", {"kind": "role", "content": {"user_id": app.reviewer.id, "role": "auditor"}}),
        ("DELETE", f"/v1/users/{app.reviewer.id}/roles/reviewer", None),
        ("POST", "/v1/proposals", {"kind": "second-factor-reset", "content": {"user_id": app.reviewer.id}}),
        ("POST", f"/v1/proposals/{request['id']}/confirm", None),
        ("POST", f"/v1/proposals/{request['id']}/refuse", None),
        ("POST", f"/v1/proposals/{request['id']}/withdraw", None),
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
    for user_id in (company.id, "x", "00000000-0000-7000-8000-000000000000"):
        path = f"/v1/users/{user_id}"
        refused(owner.get(path), 404, "not-found")
        refused(owner.delete(path), 404, "not-found")
        for kind, content in (("role", {"role": "reviewer"}), ("second-factor-reset", {})):
            (error,) = refused(propose(owner, kind, user_id=str(user_id), **content), 422, "invalid")["errors"]
            expected = "invalid-id" if user_id == "x" else "not-found"
            assert (error["pointer"], error["code"]) == ("/content/user_id", expected)
    assert company.id not in str(ok(owner.get("/v1/users")))


def test_what_cannot_be_granted(app, owner):
    for role in ("applicant", "system", "queen", "", None, 1):
        refused(ask(owner, app.reviewer, role), 422)
        refused(owner.post("/v1/users", json=NEW | {"roles": [role]}), 422)
    assert rows(app, "SELECT 1 FROM proposals") == []


def test_the_list_of_requests(app, owner, second):
    asked = [ok(ask(owner, app.reviewer, role))["id"] for role in ("approver", "auditor", "inspector")]
    second.act(f"/v1/proposals/{asked[0]}/confirm")
    listed = ok(app.auditor.get("/v1/proposals?state=proposed"))["items"]
    assert [request["id"] for request in listed] == asked[1:]
    first = app.auditor.get("/v1/proposals?limit=2")
    assert [request["id"] for request in ok(first)["items"]] == asked[:2]
    assert [request["id"] for request in ok(app.auditor.get(first.links["next"]["url"]))["items"]] == asked[2:]
    refused(app.auditor.get("/v1/proposals?state=lost"), 422)


def test_what_nobody_decides_in_time_expires(app, owner, second):
    """Computed from its dates: no job has to run."""
    request = ok(ask(owner, app.reviewer))
    path = f"/v1/proposals/{request['id']}"
    app.clock.advance(days=14, seconds=-1)
    assert ok(owner.get(path))["state"] == "proposed"
    app.clock.advance(seconds=1)
    assert ok(owner.get(path))["state"] == "expired"
    assert ok(app.auditor.get("/v1/proposals?state=proposed"))["items"] == []
    (listed,) = ok(app.auditor.get("/v1/proposals?state=expired&kind=role"))["items"]
    assert listed == ok(owner.get(path))
    assert ok(app.auditor.get("/v1/proposals?kind=revocation"))["items"] == []
    for by, deed in ((second, "confirm"), (second, "refuse"), (owner, "withdraw")):
        problem = refused(by.post(f"{path}/{deed}", version=1), 409, "wrong-state")
        assert (problem["state"], problem["allowed"]) == ("expired", [])
    ok(owner.delete(f"/v1/users/{app.reviewer.id}"))
    assert ok(owner.get(path))["state"] == "expired"


def test_both_documents_are_hashed_stored_and_recorded(app, owner, second):
    proposed = ok(ask(owner, app.reviewer))
    content = {"user_id": app.reviewer.id, "role": "approver"}
    document = {"v": 1, "act": "propose", "kind": "role", "content": content, "by": owner.id}
    assert (proposed["content"], proposed["sha256"]) == (content, sha256_of(document))
    assert proposed["confirmed_sha256"] is None
    confirmed = second.act(f"/v1/proposals/{proposed['id']}/confirm")
    document |= {"act": "confirm", "proposal": proposed["id"], "proposed": proposed["sha256"], "by": second.id}
    assert confirmed["confirmed_sha256"] == sha256_of(document)
    for event, sha256 in (("proposed", proposed["sha256"]), ("confirmed", confirmed["confirmed_sha256"])):
        (recorded,) = events(app, f"proposal.{event}")
        assert sha256 in str(recorded)
    assert len(events(app, "role.granted")) == 1


def sha256_of(document):
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("kind", "content", "pointer", "code"),
    [
        ("role", {}, "/content/user_id", "required"),
        ("role", {"user_id": 1, "role": "reviewer"}, "/content/user_id", "invalid-id"),
        ("role", {"user_id": "0" * 32, "role": "reviewer", "note": "x"}, "/content/note", "unknown-member"),
        ("key-activation", {"kid": "did:web:x#none"}, "/content/kid", "not-found"),
        ("key-activation", {"kid": "did:web:x#none", "at_once": "yes"}, "/content/at_once", "wrong-type"),
        (
            "compromise-correction",
            {"kid": "x", "since": "2026-11-22", "reason": "earlier-access"},
            "/content/since",
            None,
        ),
        (
            "compromise-correction",
            {"kid": "x", "since": "2026-11-22T00:00:00Z", "reason": "why"},
            "/content/reason",
            None,
        ),
        ("revocation", {"number": "x", "reason": "bankruptcy"}, "/kind", "not-in-list"),
        ("staff", {}, "/kind", "not-in-list"),
    ],
)
def test_content_is_checked_by_its_kind(shared_app, kind, content, pointer, code):
    errors = refused(propose(shared_app.owner, kind, **content), 422, "invalid")["errors"]
    assert pointer in {error["pointer"] for error in errors}
    assert code in {None, *(error["code"] for error in errors if error["pointer"] == pointer)}


def test_history_names_nobody(app, owner, second):
    made = ok(owner.post("/v1/users", json=NEW | {"roles": ["reviewer"]}))
    second.act(f"/v1/proposals/{made['proposals'][0]['id']}/confirm")
    ok(owner.delete(f"/v1/users/{made['id']}"))
    told = str(rows(app, "SELECT event, subject_id, data FROM audit_events"))
    assert NEW["email"] not in told and "Leyla" not in told
    for event in ("user.created", "proposal.proposed", "proposal.confirmed", "role.granted", "role.taken"):
        assert events(app, event), event
