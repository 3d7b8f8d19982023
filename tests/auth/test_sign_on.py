"""Sessions that a provider opened, and the cookie of a browser; tests/interop/test_sign_on.py has a real provider."""

import shutil

from app.auth.login_throttle import MAX_SIGN_ONS
from tests.auth import provider_links
from tests.factories import ok, running_app
from tests.helpers import execute, refused

CHALLENGE = "x" * 43
LOGOUT = "/v1/auth/oidc/sample/backchannel-logout"


def get(app, tokens, path="/v1/me"):
    return app.http.get(path, headers={"Authorization": f"Bearer {tokens['access_token']}"})


def test_a_logout_token_ends_sessions_once(app):
    company = app.register()
    first = provider_links.signed_in(company, "subject")
    token = provider_links.logout_token(app, "subject")
    assert app.http.post(LOGOUT, data={"logout_token": token}).status_code == 200
    refused(get(app, first), 401)
    ok(company.get("/v1/me"))  # begun with a password
    company.delete(f"/v1/me/identities/{ok(company.get('/v1/me/identities'))['items'][0]['id']}")
    second = provider_links.signed_in(company, "subject")
    assert app.http.post(LOGOUT, data={"logout_token": token}).status_code == 200
    ok(get(app, second))
    for wrong in ({"aud": "other"}, {"iss": "https://id.other.example"}, {"nonce": "n"}, {"events": {}}):
        text = provider_links.logout_token(app, "subject", **wrong)
        assert app.http.post(LOGOUT, data={"logout_token": text}).json()["error"] == "invalid_request"
    ok(get(app, second))


def test_the_session_says_where_to_sign_out(app):
    company = app.register()
    assert ok(company.get("/v1/me/session"))["end_session_url"] is None
    shown = ok(get(app, provider_links.signed_in(company, "subject"), "/v1/me/session"))
    assert shown["provider"] == "sample"
    assert shown["end_session_url"].startswith("https://id.sample.example/end?client_id=mik&")


def test_what_a_provider_said_of_a_session_is_not_changed_past_the_service(app):
    tokens = provider_links.signed_in(app.register(), "subject")
    ok(get(app, tokens))
    execute(app, "UPDATE provider_sessions SET provider_session = 'other'")
    refused(get(app, tokens), 401)


def test_a_link_that_was_written_past_the_service_signs_in_nobody(app):
    company, thief = app.register(), app.register()
    provider_links.link(company, "subject")
    execute(app, "UPDATE identity_links SET subject = 'thief'")
    assert ok(company.get("/v1/me/identities"))["items"] == []
    provider_links.link(thief, "another")
    assert len(ok(thief.get("/v1/me/identities"))["items"]) == 1


def test_forged_returns_are_limited_by_network(app):
    path = "/v1/auth/oidc/sample/callback?code=x&state=y"
    for _ in range(MAX_SIGN_ONS):
        refused(app.anonymous.get(path), 409, "sign-on-rejected")
    refused(app.anonymous.get(path), 429)


def test_the_cookie_is_bound_to_the_host_where_it_is_secure(sqlite_template, tmp_path):
    shutil.copy(sqlite_template, tmp_path / "mik.sqlite3")
    url = f"sqlite:///{tmp_path / 'mik.sqlite3'}"
    with running_app(url, tmp_path, base_url="https://verify.sample.example") as app:
        answer = app.http.get(f"/v1/auth/oidc/sample/start?code_challenge={CHALLENGE}", follow_redirects=False)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-mik-sign-on=") and "Secure" in cookie and "Path=/" in cookie
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["location"].startswith("https://id.sample.example/authorize?")
        longest = {"code_challenge": CHALLENGE, "state": "ə" * 200, "redirect_uri": f"http://127.0.0.1:1/{'x' * 270}"}
        long = app.http.get("/v1/auth/oidc/sample/start", params=longest, follow_redirects=False)
        assert len(long.headers["set-cookie"]) < 4_096  # browsers keep no larger one
