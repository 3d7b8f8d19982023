"""Refresh tokens are good once, a stolen one ends the session, and whoever is out is out at once."""

import hashlib
from uuid import UUID

import pytest

from app.access import sessions
from app.access.service import Subject
from app.actor import ActorKind
from tests.api.helpers import FORM, bearer, denied, email_of, me, renew, sign_in
from tests.factories import ok
from tests.helpers import at_once, events, execute, refused, rows, statuses

pytestmark = pytest.mark.pg_sampled


@pytest.fixture
def company(house):
    return house.register()


@pytest.fixture
def tokens(house, company):
    return ok(sign_in(house, email_of(company)))


def test_a_refresh_token_brings_the_next_one_and_a_new_access_token(house, company, tokens):
    second = ok(renew(house, tokens["refresh_token"]))
    assert second.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert second["refresh_token"] != tokens["refresh_token"]
    assert ok(me(house, second))["id"] == company.id
    third = ok(renew(house, second["refresh_token"]))
    assert ok(me(house, third))["id"] == company.id
    assert ok(me(house, tokens))["id"] == company.id  # one session: what is not over stays good


def test_only_a_hash_is_kept(house, tokens):
    secret = tokens["refresh_token"]
    assert len(secret) >= 43  # 32 random bytes
    ((kept,),) = rows(house, "SELECT token_hash FROM refresh_tokens")
    assert kept == hashlib.sha256(secret.encode()).hexdigest()
    for table in ("sign_ins", "audit_events", "kept_answers"):
        assert secret not in str(rows(house, f"SELECT * FROM {table}"))


def test_a_second_use_ends_the_whole_session(house, tokens):
    second = ok(renew(house, tokens["refresh_token"]))
    denied(renew(house, tokens["refresh_token"]), 400, "invalid_grant")
    denied(renew(house, second["refresh_token"]), 400, "invalid_grant")
    for each in (tokens, second):
        refused(me(house, each), 401, "unauthenticated")
    (event,) = events(house, "session.ended")
    assert "refresh-token-reused" in str(event.data)


def test_a_second_use_ends_no_other_session(house, company, tokens):
    other = ok(sign_in(house, email_of(company)))
    ok(renew(house, tokens["refresh_token"]))
    denied(renew(house, tokens["refresh_token"]), 400, "invalid_grant")
    ok(me(house, other))
    ok(renew(house, other["refresh_token"]))


def test_of_two_at_once_one_wins_and_the_other_is_reuse(house, company):
    for turn in range(1, 6):
        token = ok(sign_in(house, email_of(company)))["refresh_token"]
        answers = at_once(*[lambda token=token: renew(house, token)] * 2)
        assert statuses(answers) == [200, 400]
        assert len(rows(house, "SELECT 1 FROM refresh_tokens")) == 2 * turn
        won = next(answer.json() for answer in answers if answer.status_code == 200)
        refused(me(house, won), 401)  # nobody can tell which of the two was the thief
        assert len(events(house, "session.ended")) == turn


def test_what_is_no_refresh_token(house, tokens):
    for text in ("mikr_unknown", tokens["access_token"][:200], tokens["refresh_token"][:-1], "\0", "ə" * 50):
        denied(renew(house, text), 400, "invalid_grant")
    denied(house.http.post(FORM, data={"grant_type": "refresh_token"}), 400, "invalid_request")
    denied(house.http.post(FORM, data={"grant_type": "refresh_token", "refresh_token": ""}), 400, "invalid_request")
    refused(renew(house, "x" * 300), 422)
    raw = "grant_type=refresh_token&refresh_token=%ED%A0%80"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    denied(house.http.post(FORM, content=raw, headers=headers), 400, "invalid_grant")
    ok(renew(house, tokens["refresh_token"]))  # none of this was a use of it


@pytest.mark.parametrize(("who", "life"), [("staff", {"hours": 12}), ("member", {"days": 30})])
def test_a_session_has_an_end_whatever_is_renewed(house, company, who, life):
    email = email_of(house.reviewer) if who == "staff" else email_of(company)
    first = house.clock()
    token = ok(sign_in(house, email))
    step = {unit: number / 2 for unit, number in life.items()}
    house.clock.advance(**step)
    token = ok(renew(house, token["refresh_token"]))
    house.clock.now = first
    house.clock.advance(**life)
    house.clock.advance(seconds=-1)
    token = ok(renew(house, token["refresh_token"]))
    ok(me(house, token))
    house.clock.advance(seconds=1)
    refused(me(house, token), 401, "unauthenticated")  # the access token would live on
    denied(renew(house, token["refresh_token"]), 400, "invalid_grant")


def test_programs_get_none(house, company):
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    form = {"grant_type": "client_credentials"} | {k: made[k] for k in ("client_id", "client_secret")}
    assert "refresh_token" not in ok(house.http.post(FORM, data=form))
    assert rows(house, "SELECT 1 FROM refresh_tokens") == []


def revoke(house, token, **more):
    return house.http.post("/v1/auth/revoke", data={"token": token} | more)


@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
def test_sign_out(house, company, tokens, which):
    other = ok(sign_in(house, email_of(company)))
    answer = revoke(house, tokens[which], token_type_hint="whatever")
    assert (answer.status_code, answer.content) == (200, b"")
    refused(me(house, tokens), 401)
    denied(renew(house, tokens["refresh_token"]), 400, "invalid_grant")
    ok(me(house, other))
    (event,) = events(house, "session.ended")
    assert "signed-out" in str(event.data)
    assert revoke(house, tokens[which]).status_code == 200  # once more is no error
    assert len(events(house, "session.ended")) == 1


def test_sign_out_with_an_old_refresh_token_ends_the_session_as_well(house, tokens):
    second = ok(renew(house, tokens["refresh_token"]))
    assert revoke(house, tokens["refresh_token"]).status_code == 200
    refused(me(house, second), 401)


def test_sign_out_with_what_is_no_token(house, company, tokens):
    for text in ("x", "mikr_x", tokens["refresh_token"] + "x", "a.b.c", "\0"):
        assert revoke(house, text).status_code == 200
    ok(me(house, tokens))
    denied(house.http.post("/v1/auth/revoke", data={"x": "y"}), 400, "invalid_request")
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    program = house.app.state.tokens.issue(Subject(ActorKind.CLIENT, UUID(made["id"])), house.clock())
    denied(revoke(house, program), 400, "unsupported_token_type")


def test_a_deactivated_account_renews_nothing(house, company, tokens):
    execute(house, "UPDATE users SET active = false WHERE email = :e", e=email_of(company))
    denied(renew(house, tokens["refresh_token"]), 400, "invalid_grant")


def test_a_refused_claim_ends_sessions(house, company, tokens):
    house.registrar.act(f"/v1/organisations/{company.organisation_id}/refuse", {"reason": "No power of attorney."})
    refused(me(house, tokens), 401)
    denied(renew(house, tokens["refresh_token"]), 400, "invalid_grant")


def test_a_token_without_a_session_of_its_own_is_refused(house, company, tokens):
    """Of a person: one that names no session, or somebody else's."""
    own = UUID(company.id)
    ((session_id,),) = rows(house, "SELECT s.id FROM sign_ins s JOIN refresh_tokens r ON r.sign_in_id = s.id")
    stranger = house.register()
    for subject in (
        Subject(ActorKind.USER, own),
        Subject(ActorKind.USER, UUID(stranger.id), UUID(str(session_id))),
        Subject(ActorKind.USER, own, UUID(int=7)),
    ):
        token = house.app.state.tokens.issue(subject, house.clock())
        refused(house.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"}), 401, "unauthenticated")
    ok(house.http.get("/v1/me", headers=bearer(tokens)))


def test_old_sessions_are_forgotten(house, company, tokens):
    ok(renew(house, tokens["refresh_token"]))
    house.clock.advance(days=59)
    for left, much in ((1, {}), (0, {"days": 2})):
        house.clock.advance(**much)
        with house.database.session() as session:
            sessions.forget(session, house.clock())
            session.commit()
        found = rows(house, "SELECT s.id FROM sign_ins s JOIN refresh_tokens r ON r.sign_in_id = s.id")
        assert len({row.id for row in found}) == left


def test_no_scope_for_people(house, company):
    denied(sign_in(house, email_of(company), scope="read"), 400, "invalid_scope")
