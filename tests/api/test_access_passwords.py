"""A password is changed by whoever knows it, or set by a token that was mailed; either way all sessions end."""

import pytest

from app.actor import Role
from tests.api.helpers import bearer, colleague, denied, email_of, enrolled, me, renew, sign_in
from tests.factories import PASSWORD, ok
from tests.helpers import at_once, events, execute, refused, rows, statuses

pytestmark = pytest.mark.pg_sampled
NEW = "an entirely different pass phrase"


@pytest.fixture
def company(house):
    return house.register()


def change(house, tokens, present=PASSWORD, new=NEW):
    body = {"present_password": present, "password": new}
    return house.http.post("/v1/me/password", json=body, headers=bearer(tokens))


def reset(house, token, password=NEW, **more):
    return house.http.post("/v1/auth/password-reset", json={"token": token, "password": password} | more)


def hand_over(by, to):
    """The token that this member of staff has sent to an account's own address."""
    assert ok(by.post(f"/v1/users/{to.id}/password-resets")).keys() == {"user_id", "expires_at"}
    return by.house.code(email_of(to))


# One's own


def test_a_new_password_ends_every_session(house, company):
    first, second = (ok(sign_in(house, email_of(company))) for _ in range(2))
    assert change(house, first).status_code == 204
    for tokens in (first, second):
        refused(me(house, tokens), 401, "unauthenticated")
        denied(renew(house, tokens["refresh_token"]), 400, "invalid_grant")
    denied(sign_in(house, email_of(company)), 401, "invalid_grant")
    ok(sign_in(house, email_of(company), NEW))
    assert len(events(house, "password.changed")) == 1
    for table in ("users", "audit_events", "kept_answers"):
        assert NEW not in str(rows(house, f"SELECT * FROM {table}"))


def test_the_present_password_is_needed_and_guesses_are_throttled(house, company):
    tokens = ok(sign_in(house, email_of(company)))
    for _ in range(10):
        refused(change(house, tokens, present="not the one"), 403, "wrong-password")
    refused(change(house, tokens), 429, "too-many-attempts")
    denied(sign_in(house, email_of(company)), 429, "slow_down")  # one count for both doors
    house.clock.advance(minutes=15, seconds=1)
    assert change(house, ok(sign_in(house, email_of(company)))).status_code == 204


def test_a_weak_password_changes_nothing(house, company):
    tokens = ok(sign_in(house, email_of(company)))
    for weak in ("", "short", "aaaaaaaaaaaaaaaaaaaa", "x" * 257):
        assert "errors" in refused(change(house, tokens, new=weak), 422)
    answer = house.http.post(
        "/v1/me/password",
        content=b'{"present_password": "\\ud800", "password": "\\ud800\\ud801 and some more"}',
        headers=bearer(tokens) | {"Content-Type": "application/json"},
    )
    assert answer.status_code in {403, 422}
    ok(me(house, tokens))
    ok(sign_in(house, email_of(company)))


def test_two_changes_at_once(house, company):
    tokens = ok(sign_in(house, email_of(company)))
    news = ["the first new pass phrase", "the second new pass phrase"]
    answers = at_once(*[lambda new=new: change(house, tokens, new=new) for new in news])
    assert statuses(answers) == [204, 401]
    won = news[0] if answers[0].status_code == 204 else news[1]
    ok(sign_in(house, email_of(company), won))


def test_a_sign_in_with_the_old_password_does_not_outlive_the_new_one(house, company):
    """Whichever comes first: afterwards no session stands that began with the old password."""
    for turn in range(4):
        old, new = (PASSWORD, NEW) if turn % 2 == 0 else (NEW, PASSWORD)
        tokens = ok(sign_in(house, email_of(company), old))
        changed, came_in = at_once(
            lambda tokens=tokens, old=old, new=new: change(house, tokens, old, new),
            lambda old=old: sign_in(house, email_of(company), old),
        )
        assert changed.status_code == 204
        if came_in.status_code == 200:
            refused(me(house, came_in.json()), 401)
        execute(house, "DELETE FROM guesses")


def test_the_first_guesses_of_a_window_all_count_though_they_come_at_once(house, company):
    answers = at_once(*[lambda: sign_in(house, email_of(company), "a wrong guess")] * 6)
    assert statuses(answers) == [401] * 6
    assert [row.failures for row in rows(house, "SELECT failures FROM guesses")] == [6, 6, 6]


def test_guesses_at_once_do_not_overrun_the_limit(house, company):
    """Each is counted before any of them is compared."""
    answers = at_once(*[lambda: sign_in(house, email_of(company), "a wrong guess")] * 25)
    assert statuses(answers) == [401] * 10 + [429] * 15


# Mailed by staff


def test_the_registrar_has_a_token_mailed_to_a_member(house, company):
    tokens = ok(sign_in(house, email_of(company)))
    token = hand_over(house.registrar, company)
    ok(me(house, tokens))  # nothing ends before it is used
    ok(sign_in(house, email_of(company)))
    assert reset(house, token).status_code == 204
    refused(me(house, tokens), 401)
    denied(sign_in(house, email_of(company)), 401, "invalid_grant")
    ok(sign_in(house, email_of(company), NEW))
    refused(reset(house, token, PASSWORD), 409, "token-over")
    assert [len(events(house, name)) for name in ("password.reset_issued", "password.reset")] == [1, 1]
    for table in ("password_resets", "audit_events", "kept_answers"):
        assert token not in str(rows(house, f"SELECT * FROM {table}"))


def test_who_has_it_mailed_to_whom(house, company):
    roles = (Role.REVIEWER, Role.APPROVER, Role.AUDITOR, Role.INSPECTOR)
    for caller in (company, *[house.staff(role) for role in roles]):
        refused(caller.post(f"/v1/users/{company.id}/password-resets"), 403, "forbidden")
        refused(caller.post(f"/v1/users/{house.reviewer.id}/password-resets"), 403, "forbidden")
    refused(house.registrar.post(f"/v1/users/{house.owner.id}/password-resets"), 403, "forbidden")
    refused(house.owner.post(f"/v1/users/{company.id}/password-resets"), 403, "forbidden")
    for nobody in ("x", "00000000-0000-7000-8000-000000000000"):
        refused(house.owner.post(f"/v1/users/{nobody}/password-resets"), 404, "not-found")
    hand_over(house.owner, house.reviewer)


def test_a_retry_sends_no_second_one(house, company):
    key = {"Idempotency-Key": "a-key"}
    path = f"/v1/users/{company.id}/password-resets"
    assert ok(house.registrar.post(path, headers=key)) == ok(house.registrar.post(path, headers=key))
    assert len(house.mail(email_of(company))) == 1


def test_staff_see_no_token(house, company):
    """Not in the answer, and nowhere in the database."""
    token = hand_over(house.registrar, company)
    for table in ("password_resets", "outgoing_messages", "audit_events", "kept_answers"):
        assert token not in str(rows(house, f"SELECT * FROM {table}"))


def test_it_is_good_for_a_day_and_a_newer_one_voids_it(house, company):
    first = hand_over(house.registrar, company)
    second = hand_over(house.registrar, company)
    refused(reset(house, first), 409, "token-over")
    house.clock.advance(hours=24)
    refused(reset(house, second), 409, "token-over")
    third = hand_over(house.registrar, company)
    house.clock.advance(hours=23, minutes=59)
    assert reset(house, third).status_code == 204


def test_a_changed_password_voids_it(house, company):
    token = hand_over(house.registrar, company)
    assert change(house, ok(sign_in(house, email_of(company)))).status_code == 204
    refused(reset(house, token), 409, "token-over")


def test_what_is_no_token(house, company):
    hand_over(house.registrar, company)
    for text in ("", "x", "mikp_" + "A" * 43, "\0", "ə"):
        refused(reset(house, text), 404, "not-found")
    refused(house.http.post("/v1/auth/password-reset", json={"token": "x"}), 422)


def test_a_weak_password_uses_no_token_up(house, company):
    token = hand_over(house.registrar, company)
    refused(reset(house, token, "short"), 422)
    assert reset(house, token).status_code == 204


def test_two_at_once_with_one_token(house, company):
    token = hand_over(house.registrar, company)
    answers = at_once(*[lambda n=n: reset(house, token, f"{NEW} {n}") for n in range(4)])
    assert statuses(answers) == [204, 409, 409, 409]


def test_a_removed_account_is_past_help(house, company):
    token = hand_over(house.registrar, house.confirm(company))
    second = colleague(company)
    ok(company.put(f"/v1/members/{second.id}/administrator"))
    ok(company.delete(f"/v1/members/{company.id}"))
    answer = reset(house, token)
    assert answer.status_code in {404, 409}
    refused(house.registrar.post(f"/v1/users/{company.id}/password-resets"), 409, "not-active")


# An owner does not become the person it is for


def test_who_has_an_authenticator_gives_its_code_as_well(house):
    phone = enrolled(house.approver)
    token = hand_over(house.owner, house.approver)
    refused(reset(house, token), 403, "second-factor-required")
    refused(reset(house, token, otp=phone.wrong()), 403, "wrong-code")
    ok(sign_in(house, email_of(house.approver)))
    assert reset(house, token, otp=phone.code()).status_code == 204
    ok(sign_in(house, email_of(house.approver), NEW))


def test_guesses_at_that_code_are_throttled(house):
    phone = enrolled(house.approver)
    token = hand_over(house.owner, house.approver)
    for _ in range(10):
        refused(reset(house, token, otp=phone.wrong()), 403, "wrong-code")
    refused(reset(house, token, otp=phone.code()), 429, "too-many-attempts")
    house.clock.advance(minutes=15, seconds=1)
    assert reset(house, token, otp=phone.code()).status_code == 204
