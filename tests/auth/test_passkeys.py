"""Passkeys: register while signed in, sign in, rename, remove; what must not sign in."""

import pyotp
import pytest

from app.auth.login_throttle import MAX_SIGN_ONS
from app.auth.sign_on.passkeys import user_handle
from app.core.actor import Role
from tests.auth.passkeys import PRESENT_ONLY, PasskeyDevice, challenge_of, registered, sign_in
from tests.factories import ok
from tests.helpers import execute, refused


def me(app, answer):
    token = ok(answer)["access_token"]
    return app.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})


def is_refused(answer):
    return answer.status_code == 400 and answer.json()["error"] == "invalid_grant"


def test_a_member_signs_in_with_a_passkey(app):
    company = app.register()
    device, passkey = registered(company)
    assert ok(me(app, sign_in(app, device)))["id"] == company.id
    (listed,) = ok(company.get("/v1/me/passkeys"))["items"]
    assert listed == passkey | {"last_used_at": listed["last_used_at"]} and listed["last_used_at"]
    subjects = [each.subject for each in app.mail(f"member@{company.voen}.example")]
    assert any("new way to sign in" in subject for subject in subjects)


def test_it_counts_as_a_second_factor_of_staff_and_confirms_no_decision(app):
    reviewer = app.staff(Role.REVIEWER)
    device, _ = registered(reviewer)
    signed_in = ok(me(app, sign_in(app, device)))
    assert signed_in["roles"] == ["reviewer"] and signed_in["second_factor"]["good_until"]
    assert len(ok(reviewer.get("/v1/me/credentials"))["items"]) == 1  # the one that confirms decisions


def test_what_does_not_sign_in(app):
    """Each in turn; the right one succeeds afterwards, so nothing but the fault was refused."""
    company, other = app.register(), app.register()
    device, _ = registered(company)
    registered(other)
    faults = (
        {"flags": PRESENT_ONLY},  # nobody was verified
        {"origin": "https://elsewhere.example"},
        {"handle": None},
        {"handle": other_handle(other)},
        {"counter": 0, "flags": 0x04},  # nobody was there
    )
    for said in faults:
        assert is_refused(sign_in(app, device, **said)), said
    stranger = PasskeyDevice(app.container.relying_party)
    stranger.handle = device.handle
    assert is_refused(sign_in(app, stranger))
    begun = challenge_of(app)
    answered_elsewhere = {"options": challenge_of(app)["options"], "ticket": begun["ticket"]}
    assert is_refused(sign_in(app, device, answered_elsewhere))
    ok(sign_in(app, device))


def other_handle(company):
    device, _ = registered(company, "Second")
    return device.handle


def test_a_challenge_is_good_once_and_for_five_minutes(app):
    device, _ = registered(app.register())
    begun = challenge_of(app)
    ok(sign_in(app, device, begun))
    assert is_refused(sign_in(app, device, begun))
    begun = challenge_of(app)
    app.clock.advance(minutes=5)
    assert is_refused(sign_in(app, device, begun))


def test_a_counter_that_goes_back_is_a_copy(app):
    device, _ = registered(app.register())
    ok(sign_in(app, device, counter=7))
    assert is_refused(sign_in(app, device, counter=7))
    ok(sign_in(app, device, counter=8))


def test_names_and_removal(app):
    company, stranger = app.register(), app.register()
    device, passkey = registered(company)
    path = f"/v1/me/passkeys/{passkey['id']}"
    refused(stranger.put(path, json={"name": "Mine"}), 404)
    refused(stranger.delete(path), 404)
    assert ok(company.put(path, json={"name": "Old telephone"}))["name"] == "Old telephone"
    ok(sign_in(app, device))
    assert company.delete(path).status_code == 204
    assert is_refused(sign_in(app, device))
    refused(company.delete(path), 404)
    assert ok(company.get("/v1/me/passkeys"))["items"] == []
    begun = ok(company.post("/v1/me/passkeys/options"))
    again = {"name": "Again", "ticket": begun["ticket"], "registration": device.create(begun["options"])}
    refused(company.post("/v1/me/passkeys", json=again), 409, "known-passkey")


def test_a_registration_answers_its_own_ticket(app):
    company, other = app.register(), app.register()
    device = PasskeyDevice(app.container.relying_party)
    begun = ok(other.post("/v1/me/passkeys/options"))
    body = {"name": "x", "ticket": begun["ticket"], "registration": device.create(begun["options"])}
    assert refused(company.post("/v1/me/passkeys", json=body), 422)["errors"][0]["pointer"] == "/ticket"
    mine = ok(company.post("/v1/me/passkeys/options"))
    refused(company.post("/v1/me/passkeys", json=body | {"ticket": mine["ticket"]}), 422)
    unverified = device.create(mine["options"], flags=PRESENT_ONLY)
    refused(company.post("/v1/me/passkeys", json=body | {"ticket": mine["ticket"], "registration": unverified}), 422)


def test_registration_needs_a_recent_sign_in(app):
    company = app.register()
    ok(company.get("/v1/me"))
    app.clock.advance(minutes=11)
    body = {"name": "x", "ticket": "x", "registration": {}}
    refused(company.post("/v1/me/passkeys", json=body), 403, "recent-sign-in-required")
    staff = app.staff(Role.REVIEWER).without_factor()
    refused(staff.post("/v1/me/passkeys", json=body), 403, "second-factor-required")


@pytest.mark.parametrize("ended", ["removed account", "changed row", "reset factor"])
def test_what_ends_a_passkey(app, ended):
    reviewer = app.staff(Role.REVIEWER)
    device, _ = registered(reviewer)
    if ended == "removed account":
        ok(app.owner.delete(f"/v1/users/{reviewer.id}"))
    elif ended == "changed row":
        execute(app, "UPDATE passkeys SET sign_count = -1")
    else:
        secret = ok(reviewer.post("/v1/me/second-factor"))["secret"]
        ok(reviewer.post("/v1/me/second-factor/confirm", json={"otp": pyotp.TOTP(secret).at(app.clock())}))
        proposal = ok(
            app.owner.post("/v1/proposals", json={"kind": "second-factor-reset", "content": {"user_id": reviewer.id}})
        )
        app.confirm_proposal(proposal)
    assert is_refused(sign_in(app, device))


def test_guesses_are_limited_by_network(app):
    stranger = PasskeyDevice(app.container.relying_party)
    for _ in range(MAX_SIGN_ONS):
        assert is_refused(sign_in(app, stranger))
    limited = sign_in(app, stranger)
    assert limited.status_code == 429 and limited.headers["retry-after"]


def test_the_handle_is_not_that_of_an_authenticator_of_decisions(app):
    reviewer = app.staff(Role.REVIEWER)
    options = ok(reviewer.get("/v1/me/credentials/options"))["options"]
    mine = ok(reviewer.post("/v1/me/passkeys/options"))["options"]
    assert options["user"]["id"] != mine["user"]["id"]
    assert mine["authenticatorSelection"]["residentKey"] == "required"
    assert len(user_handle(reviewer.subject.id)) == 32
