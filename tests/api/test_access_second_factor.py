"""What decides takes a recent code of an authenticator: each code once, guesses throttled, and no way round it."""

import pytest

from app.core.actor import Role
from tests.api.helpers import FORM, Authenticator, bearer, denied, email_of, enrolled, me, renew, sign_in
from tests.factories import PASSWORD, ok
from tests.helpers import at_once, events, refused, rows, statuses

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]


def step_up(app, tokens, code):
    return app.http.post("/v1/auth/step-up", json={"otp": code}, headers=bearer(tokens))


def good_until(app, tokens):
    return ok(me(app, tokens))["second_factor"]["good_until"]


@pytest.fixture
def phone(app):
    return enrolled(app.owner)


@pytest.fixture
def owner(app, phone):
    return email_of(app.owner)


# Enrolment


def test_enrolment_shows_the_secret_once_and_counts_after_a_code(app):
    reviewer = app.reviewer.without_factor()
    assert ok(reviewer.get("/v1/me"))["second_factor"] == {"enrolled": False, "good_until": None}
    made = ok(reviewer.post("/v1/me/second-factor"))
    phone = Authenticator(app, made["secret"])
    assert made["secret"] in made["otpauth"]
    assert ok(reviewer.get("/v1/me"))["second_factor"]["enrolled"] is False
    denied(sign_in(app, email_of(reviewer), otp=phone.code()), 401, "invalid_grant")
    refused(reviewer.post("/v1/me/second-factor/confirm", json={"otp": phone.wrong()}), 403, "wrong-code")
    state = ok(reviewer.post("/v1/me/second-factor/confirm", json={"otp": phone.code()}))
    assert state == {"enrolled": True, "good_until": "2026-11-22T17:10:00Z"}
    assert ok(reviewer.get("/v1/me"))["second_factor"] == state
    denied(sign_in(app, email_of(reviewer), otp=phone.code()), 401, "invalid_grant")  # used up by the enrolment
    ok(sign_in(app, email_of(reviewer), otp=phone.code(later=30)))
    assert len(events(app, "second_factor.enrolled")) == 1


def test_the_secret_is_sealed_wherever_it_is_kept(app):
    reviewer = app.reviewer.without_factor()
    key = {"Idempotency-Key": "a-key"}
    made = ok(reviewer.post("/v1/me/second-factor", headers=key))
    again = ok(reviewer.post("/v1/me/second-factor", headers=key))
    assert again["secret"] is None and again["otpauth"] is None
    for table in ("totp_enrolments", "audit_events", "idempotency_records"):
        assert made["secret"] not in str(rows(app, f"SELECT * FROM {table}"))


def test_a_secret_waits_a_quarter_of_an_hour_for_its_code(app):
    reviewer = app.reviewer.without_factor()
    refused(reviewer.post("/v1/me/second-factor/confirm", json={"otp": "000000"}), 409, "nothing-to-confirm")
    phone = Authenticator(app, ok(reviewer.post("/v1/me/second-factor"))["secret"])
    app.clock.advance(minutes=15, seconds=1)
    refused(reviewer.post("/v1/me/second-factor/confirm", json={"otp": phone.code()}), 409, "nothing-to-confirm")


def test_another_authenticator_takes_a_code_of_the_one_in_force(app, owner, phone):
    tokens = ok(sign_in(app, owner))
    start = lambda: app.http.post("/v1/me/second-factor", headers=bearer(tokens))  # noqa: E731 (said three times)
    refused(start(), 403, "second-factor-required")
    ok(step_up(app, tokens, phone.code()))
    other = Authenticator(app, ok(start())["secret"])
    ok(sign_in(app, owner, otp=phone.code(later=30)))  # in force until the other one is confirmed
    ok(app.http.post("/v1/me/second-factor/confirm", json={"otp": other.code()}, headers=bearer(tokens)))
    app.clock.advance(minutes=2)
    denied(sign_in(app, owner, otp=phone.code()), 401, "invalid_grant")
    ok(sign_in(app, owner, otp=other.code()))


def test_a_pending_secret_is_not_confirmed_by_a_session_without_the_factor(app, owner, phone):
    """Whoever has only the password cannot finish what the owner began."""
    house_owner = ok(sign_in(app, owner, otp=phone.code()))
    other = Authenticator(app, ok(app.http.post("/v1/me/second-factor", headers=bearer(house_owner)))["secret"])
    thief = ok(sign_in(app, owner))
    answer = app.http.post("/v1/me/second-factor/confirm", json={"otp": other.code()}, headers=bearer(thief))
    refused(answer, 403, "second-factor-required")


def test_companies_and_programs_have_none(app):
    company = app.set_up_company()
    refused(company.post("/v1/me/second-factor"), 403, "forbidden")
    assert ok(company.get("/v1/me"))["second_factor"] is None
    refused(company.post("/v1/auth/step-up", json={"otp": "123456"}), 409, "not-enrolled")
    denied(sign_in(app, email_of(company), otp="123456"), 401, "invalid_grant")


# Codes


def test_signing_in_with_a_code(app, owner, phone):
    tokens = ok(sign_in(app, owner, otp=phone.code()))
    assert good_until(app, tokens) == "2026-11-22T17:10:00Z"
    spaced = phone.code(later=30)
    ok(sign_in(app, owner, otp=f"{spaced[:3]} {spaced[3:]}"))


def test_a_code_is_good_once(app, owner, phone):
    ok(sign_in(app, owner, otp=phone.code()))
    denied(sign_in(app, owner, otp=phone.code()), 401, "invalid_grant")
    denied(sign_in(app, owner, otp=phone.code(later=-30)), 401, "invalid_grant")
    tokens = ok(sign_in(app, owner))
    refused(step_up(app, tokens, phone.code()), 403, "wrong-code")
    app.clock.advance(seconds=30)
    ok(step_up(app, tokens, phone.code()))


def test_of_two_with_the_same_code_one_gets_in(app, owner, phone):
    for _ in range(4):
        answers = at_once(*[lambda: sign_in(app, owner, otp=phone.code())] * 3)
        assert statuses(answers) == [200, 401, 401]
        app.clock.advance(seconds=30)


def test_a_wrong_password_uses_no_code_up(app, owner, phone):
    denied(sign_in(app, owner, "not the password", otp=phone.code()), 401, "invalid_grant")
    ok(sign_in(app, owner, otp=phone.code()))


def test_clocks_may_differ_by_one_step(app, owner, phone):
    denied(sign_in(app, owner, otp=phone.code(later=-60)), 401, "invalid_grant")
    denied(sign_in(app, owner, otp=phone.code(later=60)), 401, "invalid_grant")
    ok(sign_in(app, owner, otp=phone.code(later=-30)))
    ok(sign_in(app, owner, otp=phone.code(later=30)))


def test_guesses_at_codes_are_throttled_and_a_right_password_forgives_none(app, owner, phone):
    for _ in range(5):
        denied(sign_in(app, owner, otp=phone.wrong()), 401, "invalid_grant")
        ok(sign_in(app, owner))  # its thief could clear the count by this
    tokens = ok(sign_in(app, owner))
    for _ in range(5):
        refused(step_up(app, tokens, phone.wrong()), 403, "wrong-code")
    denied(sign_in(app, owner, otp=phone.code()), 429, "slow_down")  # not even the right one tells
    assert refused(step_up(app, tokens, phone.code()), 429, "too-many-attempts")["retry_after"] == 900
    assert step_up(app, tokens, phone.code()).headers["Retry-After"] == "900"
    ok(sign_in(app, owner))  # without a code the day's other work goes on
    app.clock.advance(minutes=15, seconds=1)
    ok(step_up(app, ok(sign_in(app, owner)), phone.code()))


def test_a_right_code_forgives_wrong_ones(app, owner, phone):
    for _ in range(3):
        for _ in range(9):
            denied(sign_in(app, owner, otp=phone.wrong()), 401, "invalid_grant")
        ok(sign_in(app, owner, otp=phone.code()))
        app.clock.advance(seconds=30)


def test_a_right_code_passes_however_often_strangers_fail(app, owner, phone):
    """Also from the very network from which they fail: only the authenticator tells them apart."""
    for _ in range(11):
        sign_in(app, owner, "a wrong guess")
    denied(sign_in(app, owner), 429, "slow_down")
    denied(sign_in(app, owner, otp=phone.wrong()), 429, "slow_down")
    denied(sign_in(app, owner, "a wrong guess", otp=phone.code()), 429, "slow_down")
    ok(sign_in(app, owner, otp=phone.code()))


def test_parallel_guesses_all_count(app, owner, phone):
    tokens = ok(sign_in(app, owner))
    answers = at_once(*[lambda: step_up(app, tokens, phone.wrong())] * 14)
    assert statuses(answers) == [403] * 10 + [429] * 4


# Step up, and how long it lasts


def test_step_up_serves_the_present_access_token_for_ten_minutes(app, owner, phone):
    number = app.certify()
    tokens = ok(sign_in(app, owner))
    path, body = f"/v1/certificates/{number}/suspend", {"cause": "hearing"}

    def suspend():
        version = app.owner.version_of(f"/v1/certificates/{number}")
        headers = bearer(tokens) | {"If-Match": f'"{version}"'}
        return app.owner.confirming(lambda signed: app.http.post(path, json=body, headers=headers | signed))

    document = refused(suspend(), 403, "second-factor-required")
    assert "/v1/auth/step-up" in document["detail"]
    app.clock.advance(minutes=4)
    ok(step_up(app, tokens, phone.code()))
    assert good_until(app, tokens) == "2026-11-22T17:14:00Z"
    app.clock.advance(minutes=9, seconds=59)
    tokens = ok(renew(app, tokens["refresh_token"]))  # renewing brings the session along, but no new factor
    assert good_until(app, tokens) == "2026-11-22T17:14:00Z"
    app.clock.advance(seconds=1)
    refused(suspend(), 403, "second-factor-required")
    assert good_until(app, tokens) is None
    ok(step_up(app, tokens, phone.code()))
    assert suspend().status_code == 200


def test_the_factor_is_the_sessions_and_no_other_sessions(app, owner, phone):
    with_it, without = ok(sign_in(app, owner, otp=phone.code())), ok(sign_in(app, owner))
    assert good_until(app, with_it) is not None
    assert good_until(app, without) is None
    assert good_until(app, ok(renew(app, without["refresh_token"]))) is None


# What takes it


@pytest.fixture
def decidable(app):
    """Everything that takes a second factor: (who, call with headers of that session)."""
    number = app.certify()
    case_id = app.set_up_company().apply()
    app.review(case_id)
    role = {"kind": "role", "content": {"user_id": str(app.reviewer.id), "role": "auditor"}}
    asked = ok(app.owner.post("/v1/proposals", json=role))
    member = app.set_up_company()
    another = app.staff(Role.OWNER, name="second-owner")
    user = f"/v1/users/{app.reviewer.id}"
    return {
        "approve": (app.approver, f"/v1/applications/{case_id}/approve", None),
        "reject": (app.approver, f"/v1/applications/{case_id}/reject", {"reason": "No."}),
        "suspend": (app.owner, f"/v1/certificates/{number}/suspend", {"cause": "hearing"}),
        "reinstate": (app.owner, f"/v1/certificates/{number}/reinstate", {"cause": "hearing"}),
        "revoke": (app.owner, f"/v1/certificates/{number}/revoke", {"reason": "bankruptcy"}),
        "create staff": (app.owner, "/v1/users", {"email": "new@staff.example", "full_name": "New"}),
        "remove staff": (app.owner, f"DELETE {user}", None),
        "ask for a role": (app.owner, "/v1/proposals", role),
        "take a role": (app.owner, f"DELETE {user}/roles/reviewer", None),
        "ask for a reset": (
            app.owner,
            "/v1/proposals",
            {"kind": "second-factor-reset", "content": {"user_id": str(app.reviewer.id)}},
        ),
        "reset of staff": (app.owner, f"{user}/password-resets", None),
        "reset of a member": (app.registrar, f"/v1/users/{member.id}/password-resets", None),
        "confirm": (another, f"/v1/proposals/{asked['id']}/confirm", None),
        "refuse": (another, f"/v1/proposals/{asked['id']}/refuse", None),
        "withdraw": (app.owner, f"/v1/proposals/{asked['id']}/withdraw", None),
    }


def method_and(path):
    method, _, path = path.rpartition(" ")
    return method or "POST", path


def test_no_decision_without_a_recent_second_factor(app, decidable):
    before = rows(app, "SELECT count(*) FROM audit_events")
    for name, (who, path, body) in decidable.items():
        caller = who.without_factor()
        for more in ({}, {"version": 1}, {"version": 77}, {"json": body}, {"json": {"x": 1}}):
            answer = caller.request(*method_and(path), **more)
            assert refused(answer, 403)["code"] == "second-factor-required", name
    assert rows(app, "SELECT count(*) FROM audit_events") == before


def test_with_one_the_same_calls_get_through(app, decidable):
    for name, (who, path, body) in decidable.items():
        answer = who.request(*method_and(path), **({} if body is None else {"json": body}))
        assert answer.status_code not in {401, 403, 404}, (name, answer.text)


def test_the_wrong_role_is_told_that_first(app, decidable):
    """An auditor is not sent for a code that would not help."""
    for name, (_, path, body) in decidable.items():
        answer = app.auditor.without_factor().request(*method_and(path), json=body or {})
        assert refused(answer, 403)["code"] == "forbidden", name


def test_the_rest_of_the_days_work_takes_a_password_only(app):
    company = app.set_up_company()
    case_id = company.apply()
    reviewer = app.reviewer.without_factor()
    reviewer.act(f"/v1/applications/{case_id}/claim")
    ok(reviewer.post(f"/v1/applications/{case_id}/notes", json={"text": "Ask for the invoices."}))
    reviewer.act(f"/v1/applications/{case_id}/request-information", {"questions": [{"text": "Since when?"}]})
    registrar, park = (
        app.registrar.without_factor(),
        f"/v1/residencies/{app.add_residency(app.confirm(app.register()))}",
    )
    lost = {"on": "2026-11-22", "reason": "Given up."}
    assert ok(registrar.post(f"{park}/end?dry_run=true", json=lost, version=1))["dry_run"]
    refused(registrar.post(f"{park}/end", json=lost, version=1), 403, "second-factor-required")


def test_the_way_by_a_real_sign_in(app):
    """Password, authenticator, signature, decision: nothing made past the service but the approver's account."""
    case_id = app.set_up_company().apply()
    app.review(case_id)
    approver = app.approver
    tokens = ok(
        app.http.post(FORM, data={"grant_type": "password", "username": email_of(approver), "password": PASSWORD})
    )
    headers = bearer(tokens) | {"If-Match": f'"{approver.version_of(f"/v1/applications/{case_id}")}"'}
    refused(app.http.post(f"/v1/applications/{case_id}/approve", headers=headers), 403, "second-factor-required")
    phone = Authenticator(app, ok(app.http.post("/v1/me/second-factor", headers=bearer(tokens)))["secret"])
    ok(app.http.post("/v1/me/second-factor/confirm", json={"otp": phone.code()}, headers=bearer(tokens)))
    path = f"/v1/applications/{case_id}/approve"
    approved = approver.confirming(lambda signed: app.http.post(path, headers=headers | signed))
    assert ok(approved)["state"] == "approved"
