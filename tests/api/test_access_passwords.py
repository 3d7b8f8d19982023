"""A password is changed by whoever knows it, or set by a token that was mailed; either way all sessions end."""

import pytest

from app.core.actor import Role
from tests.api.helpers import bearer, colleague, denied, email_of, enrolled, me, renew, sign_in
from tests.factories import PASSWORD, ok
from tests.helpers import at_once, events, execute, refused, rows, statuses

pytestmark = pytest.mark.pg_sampled
NEW = "an entirely different pass phrase"


@pytest.fixture
def company(app):
    return app.register()


def change(app, tokens, present=PASSWORD, new=NEW):
    body = {"present_password": present, "password": new}
    return app.http.post("/v1/me/password", json=body, headers=bearer(tokens))


def reset(app, token, password=NEW, **more):
    return app.http.post("/v1/auth/password-reset", json={"token": token, "password": password} | more)


def hand_over(by, to):
    """The token that this member of staff has sent to an account's own address."""
    assert ok(by.post(f"/v1/users/{to.id}/password-resets")).keys() == {"user_id", "expires_at"}
    return by.app.code(email_of(to))


# One's own


def test_a_new_password_ends_every_session(app, company):
    first, second = (ok(sign_in(app, email_of(company))) for _ in range(2))
    assert change(app, first).status_code == 204
    for tokens in (first, second):
        refused(me(app, tokens), 401, "unauthenticated")
        denied(renew(app, tokens["refresh_token"]), 400, "invalid_grant")
    denied(sign_in(app, email_of(company)), 401, "invalid_grant")
    ok(sign_in(app, email_of(company), NEW))
    assert len(events(app, "password.changed")) == 1
    for table in ("users", "audit_events", "idempotency_records"):
        assert NEW not in str(rows(app, f"SELECT * FROM {table}"))


def test_the_present_password_is_needed_and_guesses_are_throttled(app, company):
    tokens = ok(sign_in(app, email_of(company)))
    for _ in range(10):
        refused(change(app, tokens, present="not the one"), 403, "wrong-password")
    refused(change(app, tokens), 429, "too-many-attempts")
    denied(sign_in(app, email_of(company)), 429, "slow_down")  # one count for both doors
    app.clock.advance(minutes=15, seconds=1)
    assert change(app, ok(sign_in(app, email_of(company)))).status_code == 204


def test_a_weak_password_changes_nothing(app, company):
    tokens = ok(sign_in(app, email_of(company)))
    for weak in ("", "short", "aaaaaaaaaaaaaaaaaaaa", "x" * 257):
        assert "errors" in refused(change(app, tokens, new=weak), 422)
    answer = app.http.post(
        "/v1/me/password",
        content=b'{"present_password": "\\ud800", "password": "\\ud800\\ud801 and some more"}',
        headers=bearer(tokens) | {"Content-Type": "application/json"},
    )
    assert answer.status_code in {403, 422}
    ok(me(app, tokens))
    ok(sign_in(app, email_of(company)))


def test_two_changes_at_once(app, company):
    tokens = ok(sign_in(app, email_of(company)))
    news = ["the first new pass phrase", "the second new pass phrase"]
    answers = at_once(*[lambda new=new: change(app, tokens, new=new) for new in news])
    assert statuses(answers) == [204, 401]
    won = news[0] if answers[0].status_code == 204 else news[1]
    ok(sign_in(app, email_of(company), won))


def test_a_sign_in_with_the_old_password_does_not_outlive_the_new_one(app, company):
    """Whichever comes first: afterwards no session stands that began with the old password."""
    for turn in range(4):
        old, new = (PASSWORD, NEW) if turn % 2 == 0 else (NEW, PASSWORD)
        tokens = ok(sign_in(app, email_of(company), old))
        changed, came_in = at_once(
            lambda tokens=tokens, old=old, new=new: change(app, tokens, old, new),
            lambda old=old: sign_in(app, email_of(company), old),
        )
        assert changed.status_code == 204
        if came_in.status_code == 200:
            refused(me(app, came_in.json()), 401)
        execute(app, "DELETE FROM failed_logins")


def test_the_first_guesses_of_a_window_all_count_though_they_come_at_once(app, company):
    answers = at_once(*[lambda: sign_in(app, email_of(company), "a wrong guess")] * 6)
    assert statuses(answers) == [401] * 6
    assert [row.failures for row in rows(app, "SELECT failures FROM failed_logins")] == [6, 6, 6]


def test_guesses_at_once_do_not_overrun_the_limit(app, company):
    """Each is counted before any of them is compared."""
    answers = at_once(*[lambda: sign_in(app, email_of(company), "a wrong guess")] * 25)
    assert statuses(answers) == [401] * 10 + [429] * 15


# Mailed by staff


def test_the_registrar_has_a_token_mailed_to_a_member(app, company):
    tokens = ok(sign_in(app, email_of(company)))
    token = hand_over(app.registrar, company)
    ok(me(app, tokens))  # nothing ends before it is used
    ok(sign_in(app, email_of(company)))
    assert reset(app, token).status_code == 204
    refused(me(app, tokens), 401)
    denied(sign_in(app, email_of(company)), 401, "invalid_grant")
    ok(sign_in(app, email_of(company), NEW))
    refused(reset(app, token, PASSWORD), 409, "token-over")
    assert [len(events(app, name)) for name in ("password.reset_issued", "password.reset")] == [1, 1]
    for table in ("password_resets", "audit_events", "idempotency_records"):
        assert token not in str(rows(app, f"SELECT * FROM {table}"))


def test_who_has_it_mailed_to_whom(app, company):
    roles = (Role.REVIEWER, Role.APPROVER, Role.AUDITOR, Role.INSPECTOR)
    for caller in (company, *[app.staff(role) for role in roles]):
        refused(caller.post(f"/v1/users/{company.id}/password-resets"), 403, "forbidden")
        refused(caller.post(f"/v1/users/{app.reviewer.id}/password-resets"), 403, "forbidden")
    refused(app.registrar.post(f"/v1/users/{app.owner.id}/password-resets"), 403, "forbidden")
    refused(app.owner.post(f"/v1/users/{company.id}/password-resets"), 403, "forbidden")
    for nobody in ("x", "00000000-0000-7000-8000-000000000000"):
        refused(app.owner.post(f"/v1/users/{nobody}/password-resets"), 404, "not-found")
    hand_over(app.owner, app.reviewer)


def test_a_retry_sends_no_second_one(app, company):
    key = {"Idempotency-Key": "a-key"}
    path = f"/v1/users/{company.id}/password-resets"
    assert ok(app.registrar.post(path, headers=key)) == ok(app.registrar.post(path, headers=key))
    assert len(app.mail(email_of(company))) == 1


def test_staff_see_no_token(app, company):
    """Not in the answer, and nowhere in the database."""
    token = hand_over(app.registrar, company)
    for table in ("password_resets", "outgoing_messages", "audit_events", "idempotency_records"):
        assert token not in str(rows(app, f"SELECT * FROM {table}"))


def test_it_is_good_for_a_day_and_a_newer_one_voids_it(app, company):
    first = hand_over(app.registrar, company)
    second = hand_over(app.registrar, company)
    refused(reset(app, first), 409, "token-over")
    app.clock.advance(hours=24)
    refused(reset(app, second), 409, "token-over")
    third = hand_over(app.registrar, company)
    app.clock.advance(hours=23, minutes=59)
    assert reset(app, third).status_code == 204


def test_a_changed_password_voids_it(app, company):
    token = hand_over(app.registrar, company)
    assert change(app, ok(sign_in(app, email_of(company)))).status_code == 204
    refused(reset(app, token), 409, "token-over")


def test_what_is_no_token(app, company):
    hand_over(app.registrar, company)
    for text in ("", "x", "mikp_" + "A" * 43, "\0", "ə"):
        refused(reset(app, text), 404, "not-found")
    refused(app.http.post("/v1/auth/password-reset", json={"token": "x"}), 422)


def test_a_weak_password_uses_no_token_up(app, company):
    token = hand_over(app.registrar, company)
    refused(reset(app, token, "short"), 422)
    assert reset(app, token).status_code == 204


def test_two_at_once_with_one_token(app, company):
    token = hand_over(app.registrar, company)
    answers = at_once(*[lambda n=n: reset(app, token, f"{NEW} {n}") for n in range(4)])
    assert statuses(answers) == [204, 409, 409, 409]


def test_a_removed_account_is_past_help(app, company):
    token = hand_over(app.registrar, app.confirm(company))
    second = colleague(company)
    ok(company.put(f"/v1/members/{second.id}/administrator"))
    ok(company.delete(f"/v1/members/{company.id}"))
    answer = reset(app, token)
    assert answer.status_code in {404, 409}
    refused(app.registrar.post(f"/v1/users/{company.id}/password-resets"), 409, "not-active")


# An owner does not become the person it is for


def test_who_has_an_authenticator_gives_its_code_as_well(app):
    phone = enrolled(app.approver)
    token = hand_over(app.owner, app.approver)
    refused(reset(app, token), 403, "second-factor-required")
    refused(reset(app, token, otp=phone.wrong()), 403, "wrong-code")
    ok(sign_in(app, email_of(app.approver)))
    assert reset(app, token, otp=phone.code()).status_code == 204
    ok(sign_in(app, email_of(app.approver), NEW))


def test_guesses_at_that_code_are_throttled(app):
    phone = enrolled(app.approver)
    token = hand_over(app.owner, app.approver)
    for _ in range(10):
        refused(reset(app, token, otp=phone.wrong()), 403, "wrong-code")
    refused(reset(app, token, otp=phone.code()), 429, "too-many-attempts")
    app.clock.advance(minutes=15, seconds=1)
    assert reset(app, token, otp=phone.code()).status_code == 204
