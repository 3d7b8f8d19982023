"""Refresh tokens are good once, a stolen one ends the session, and whoever is out is out at once."""

import hashlib
from uuid import UUID

import pytest

from app.auth import user_sessions
from app.auth.authenticate import TokenSubject
from app.core.actor import ActorKind
from tests.api.helpers import FORM, bearer, denied, email_of, me, renew, sign_in
from tests.factories import ok
from tests.helpers import at_once, events, execute, refused, rows, statuses

pytestmark = pytest.mark.pg_sampled


@pytest.fixture
def company(app):
    return app.register()


@pytest.fixture
def tokens(app, company):
    return ok(sign_in(app, email_of(company)))


def test_a_refresh_token_brings_the_next_one_and_a_new_access_token(app, company, tokens):
    second = ok(renew(app, tokens["refresh_token"]))
    assert second.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert second["refresh_token"] != tokens["refresh_token"]
    assert ok(me(app, second))["id"] == company.id
    third = ok(renew(app, second["refresh_token"]))
    assert ok(me(app, third))["id"] == company.id
    assert ok(me(app, tokens))["id"] == company.id  # one session: what is not over stays good


def test_only_a_hash_is_kept(app, tokens):
    secret = tokens["refresh_token"]
    assert len(secret) >= 43  # 32 random bytes
    ((kept,),) = rows(app, "SELECT token_hash FROM refresh_tokens")
    assert kept == hashlib.sha256(secret.encode()).hexdigest()
    for table in ("user_sessions", "audit_events", "idempotency_records"):
        assert secret not in str(rows(app, f"SELECT * FROM {table}"))


def test_a_second_use_ends_the_whole_session(app, tokens):
    second = ok(renew(app, tokens["refresh_token"]))
    denied(renew(app, tokens["refresh_token"]), 400, "invalid_grant")
    denied(renew(app, second["refresh_token"]), 400, "invalid_grant")
    for each in (tokens, second):
        refused(me(app, each), 401, "unauthenticated")
    (event,) = events(app, "session.ended")
    assert "refresh-token-reused" in str(event.data)


def test_a_second_use_ends_no_other_session(app, company, tokens):
    other = ok(sign_in(app, email_of(company)))
    ok(renew(app, tokens["refresh_token"]))
    denied(renew(app, tokens["refresh_token"]), 400, "invalid_grant")
    ok(me(app, other))
    ok(renew(app, other["refresh_token"]))


def test_of_two_at_once_one_wins_and_the_other_is_reuse(app, company):
    for turn in range(1, 6):
        token = ok(sign_in(app, email_of(company)))["refresh_token"]
        answers = at_once(*[lambda token=token: renew(app, token)] * 2)
        assert statuses(answers) == [200, 400]
        assert len(rows(app, "SELECT 1 FROM refresh_tokens")) == 2 * turn
        won = next(answer.json() for answer in answers if answer.status_code == 200)
        refused(me(app, won), 401)  # nobody can tell which of the two was the thief
        assert len(events(app, "session.ended")) == turn


def test_what_is_no_refresh_token(app, tokens):
    for text in ("mikr_unknown", tokens["access_token"][:200], tokens["refresh_token"][:-1], "\0", "ə" * 50):
        denied(renew(app, text), 400, "invalid_grant")
    denied(app.http.post(FORM, data={"grant_type": "refresh_token"}), 400, "invalid_request")
    denied(app.http.post(FORM, data={"grant_type": "refresh_token", "refresh_token": ""}), 400, "invalid_request")
    refused(renew(app, "x" * 300), 422)
    raw = "grant_type=refresh_token&refresh_token=%ED%A0%80"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    denied(app.http.post(FORM, content=raw, headers=headers), 400, "invalid_grant")
    ok(renew(app, tokens["refresh_token"]))  # none of this was a use of it


@pytest.mark.parametrize(("who", "life"), [("staff", {"hours": 12}), ("member", {"days": 30})])
def test_a_session_has_an_end_whatever_is_renewed(app, company, who, life):
    email = email_of(app.reviewer) if who == "staff" else email_of(company)
    first = app.clock()
    token = ok(sign_in(app, email))
    step = {unit: number / 2 for unit, number in life.items()}
    app.clock.advance(**step)
    token = ok(renew(app, token["refresh_token"]))
    app.clock.now = first
    app.clock.advance(**life)
    app.clock.advance(seconds=-1)
    token = ok(renew(app, token["refresh_token"]))
    ok(me(app, token))
    app.clock.advance(seconds=1)
    refused(me(app, token), 401, "unauthenticated")  # the access token would live on
    denied(renew(app, token["refresh_token"]), 400, "invalid_grant")


def test_programs_get_none(app, company):
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    form = {"grant_type": "client_credentials"} | {k: made[k] for k in ("client_id", "client_secret")}
    assert "refresh_token" not in ok(app.http.post(FORM, data=form))
    assert rows(app, "SELECT 1 FROM refresh_tokens") == []


def revoke(app, token, **more):
    return app.http.post("/v1/auth/revoke", data={"token": token} | more)


@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
def test_sign_out(app, company, tokens, which):
    other = ok(sign_in(app, email_of(company)))
    answer = revoke(app, tokens[which], token_type_hint="whatever")
    assert (answer.status_code, answer.content) == (200, b"")
    refused(me(app, tokens), 401)
    denied(renew(app, tokens["refresh_token"]), 400, "invalid_grant")
    ok(me(app, other))
    (event,) = events(app, "session.ended")
    assert "signed-out" in str(event.data)
    assert revoke(app, tokens[which]).status_code == 200  # once more is no error
    assert len(events(app, "session.ended")) == 1


def test_sign_out_with_an_old_refresh_token_ends_the_session_as_well(app, tokens):
    second = ok(renew(app, tokens["refresh_token"]))
    assert revoke(app, tokens["refresh_token"]).status_code == 200
    refused(me(app, second), 401)


def test_sign_out_with_what_is_no_token(app, company, tokens):
    for text in ("x", "mikr_x", tokens["refresh_token"] + "x", "a.b.c", "\0"):
        assert revoke(app, text).status_code == 200
    ok(me(app, tokens))
    denied(app.http.post("/v1/auth/revoke", data={"x": "y"}), 400, "invalid_request")
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    program = app.container.access_tokens.issue(TokenSubject(ActorKind.CLIENT, UUID(made["id"])), app.clock())
    denied(revoke(app, program), 400, "unsupported_token_type")


def test_a_deactivated_account_renews_nothing(app, company, tokens):
    execute(app, "UPDATE users SET active = false WHERE email = :e", e=email_of(company))
    denied(renew(app, tokens["refresh_token"]), 400, "invalid_grant")


def test_a_refused_claim_ends_sessions(app, company, tokens):
    app.registrar.act(f"/v1/claims/{company.claim_id}/refuse", {"reason": "No power of attorney."})
    refused(me(app, tokens), 401)
    denied(renew(app, tokens["refresh_token"]), 400, "invalid_grant")


def test_a_token_without_a_session_of_its_own_is_refused(app, company, tokens):
    """Of a person: one that names no session, or somebody else's."""
    own = UUID(company.id)
    ((session_id,),) = rows(app, "SELECT s.id FROM user_sessions s JOIN refresh_tokens r ON r.user_session_id = s.id")
    stranger = app.register()
    for subject in (
        TokenSubject(ActorKind.USER, own),
        TokenSubject(ActorKind.USER, UUID(stranger.id), UUID(str(session_id))),
        TokenSubject(ActorKind.USER, own, UUID(int=7)),
    ):
        token = app.container.access_tokens.issue(subject, app.clock())
        refused(app.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"}), 401, "unauthenticated")
    ok(app.http.get("/v1/me", headers=bearer(tokens)))


def test_old_sessions_are_forgotten(app, company, tokens):
    ok(renew(app, tokens["refresh_token"]))
    app.clock.advance(days=59)
    for left, much in ((1, {}), (0, {"days": 2})):
        app.clock.advance(**much)
        with app.database.session() as session:
            user_sessions.delete_expired_sessions(session, app.clock())
            session.commit()
        found = rows(app, "SELECT s.id FROM user_sessions s JOIN refresh_tokens r ON r.user_session_id = s.id")
        assert len({row.id for row in found}) == left


def test_no_scope_for_people(app, company):
    denied(sign_in(app, email_of(company), scope="read"), 400, "invalid_scope")
