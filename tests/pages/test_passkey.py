"""Passkeys in a browser: Chromium's virtual authenticator registers one and signs in with it, without a name."""

import pytest

from tests.factories import PASSWORD, ok
from tests.pages.factories import open_site
from tests.pages.test_confirm import add_authenticator

REGISTER = """async token => {
  const headers = {'Authorization': 'Bearer ' + token, 'Content-Type': 'application/json'};
  const begun = await (await fetch('/v1/me/passkeys/options', {method: 'POST', headers})).json();
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.options);
  const registration = (await navigator.credentials.create({publicKey})).toJSON();
  const body = JSON.stringify({name: 'This browser', ticket: begun.ticket, registration});
  return (await fetch('/v1/me/passkeys', {method: 'POST', headers, body})).status;
}"""
SIGN_IN = """async () => {
  const begun = await (await fetch('/v1/auth/passkey/options', {method: 'POST'})).json();
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(begun.options);
  const assertion = JSON.stringify((await navigator.credentials.get({publicKey})).toJSON());
  const body = new URLSearchParams({grant_type: 'urn:mik:grant-type:passkey', ticket: begun.ticket, assertion});
  const answer = await (await fetch('/v1/auth/token', {method: 'POST', body})).json();
  if(!answer.access_token) { return answer; }
  return await (await fetch('/v1/me', {headers: {'Authorization': 'Bearer ' + answer.access_token}})).json();
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with open_site(tmp_path_factory.mktemp("site"), lambda _app, _site: None, stays=True) as site:
        yield site


def test_a_passkey_registers_and_signs_in(site, tab):
    app = site.app
    company = app.register()
    form = {"grant_type": "password", "username": f"member@{company.voen}.example", "password": PASSWORD}
    token = ok(app.http.post("/v1/auth/token", data=form))["access_token"]
    page = tab()
    page.goto("/confirm")
    cdp, authenticator = add_authenticator(page)
    assert page.evaluate(REGISTER, token) == 201
    (kept,) = cdp.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    assert kept["isResidentCredential"]
    assert page.evaluate(SIGN_IN)["id"] == company.id
    assert page.evaluate(SIGN_IN)["id"] == company.id  # its counter goes on
    cdp.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    assert "NotAllowedError" in page.evaluate(f"() => ({SIGN_IN})().catch(why => why.name)")


def test_staff_sign_in_at_the_page_of_confirmations(site, tab):
    """And the key that confirms decisions lies beside the passkey in the same authenticator."""
    app = site.app
    owner = app.staff("owner", name="passkey-owner")
    page = tab()
    page.goto("/confirm")
    cdp, authenticator = add_authenticator(page)
    token = app.container.access_tokens.issue(owner.subject, app.clock())
    assert page.evaluate(REGISTER, token) == 201
    page.click("#passkey button")
    page.wait_for_selector("#ask:not([hidden])")
    assert not page.is_visible("#sign-in") and not page.is_visible("#passkey")
    page.click("#own summary")
    page.fill("#name", "This browser")
    page.click("#register button")
    page.wait_for_selector("[data-answer=registered]:not([hidden])")
    kept = cdp.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    assert len({each["userHandle"] for each in kept}) == 2
