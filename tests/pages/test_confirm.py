"""Staff confirm decisions in a browser: the page /confirm, with Chromium's virtual authenticator."""

import pyotp
import pytest

from app.core.actor import Role
from tests.factories import PASSWORD, ok
from tests.pages.browsing import scrolls_sideways, violations
from tests.pages.factories import open_site

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One of its own: what is decided changes the register."""
    with open_site(tmp_path_factory.mktemp("site"), stays=True) as site:
        yield site


def add_authenticator(page):
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable", {"enableUI": False})
    made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return cdp, made["authenticatorId"]


def sign_in(page, app, person, name):
    caller = app.staff(person, name=name)
    secret = ok(caller.post("/v1/me/second-factor"))["secret"]
    ok(caller.post("/v1/me/second-factor/confirm", json={"otp": pyotp.TOTP(secret).at(app.clock())}))
    app.clock.advance(minutes=1)
    page.fill("#email", f"{name}@staff.example")
    page.fill("#password", PASSWORD)
    page.fill("#otp", pyotp.TOTP(secret).at(app.clock()))
    page.click("#sign-in button")
    page.wait_for_selector("#ask:not([hidden])")


def decide(page, decision, subject, reason=""):
    page.select_option("#decision", decision)
    page.fill("#subject", subject)
    page.fill("#reason", reason)
    page.click("#ask button")


def shown(page, name):
    page.wait_for_selector(f"[data-answer={name}]:not([hidden])")


def test_an_authenticator_is_registered_and_decides(site, tab):
    """The whole way: register, an owner confirms, and the next decision is signed in the browser."""
    app = site.app
    page = tab()
    page.goto("/confirm")
    cdp, authenticator = add_authenticator(page)
    sign_in(page, app, Role.OWNER, "browsing-owner")
    assert violations(page) == [] and not scrolls_sideways(page)
    page.click("#own summary")
    page.fill("#name", "This browser")
    page.click("#register button")
    shown(page, "registered")
    (proposal,) = ok(app.owner.get("/v1/proposals?kind=staff-credential&state=proposed"))["items"]
    app.confirm_proposal(proposal, by=app.second_owner)

    number = site.numbers["valid"]
    decide(page, "suspend", number, "hearing")
    page.wait_for_selector("#confirm:not([hidden])")
    told = page.inner_text("#document")
    assert number in told and "hearing" in told
    assert violations(page) == []
    page.click("#confirm button")
    shown(page, "done")
    assert app.verify(number)["verdict"] == "suspended"

    # The authenticator does not recognise its person: nothing is signed, nothing is decided.
    cdp.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    decide(page, "reinstate", number, "hearing")
    page.wait_for_selector("#confirm:not([hidden])")
    page.click("#confirm button")
    shown(page, "unsigned")
    assert app.verify(number)["verdict"] == "suspended"
    cdp.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": True})
    page.click("#confirm button")
    shown(page, "done")
    assert app.verify(number)["verdict"] == "valid"
    tab.faults.clear()  # the refusals that name the documents


def test_what_the_service_refuses_is_said(site, tab):
    page = tab(locale="az-AZ")
    page.goto("/confirm?decision=approve&subject=nothing")
    page.fill("#email", "nobody@staff.example")
    page.fill("#password", "wrong")
    page.click("#sign-in button")
    shown(page, "refused")
    assert page.inner_text("[data-detail]")
    sign_in(page, site.app, Role.APPROVER, "browsing-approver")
    assert page.input_value("#subject") == "nothing"
    page.click("#ask button")
    shown(page, "refused")
    tab.faults.clear()


def test_a_document_that_differs_from_its_hash_is_not_signed(site, tab):
    """The page hashes what it shows, letters outside ASCII included."""
    page = tab()
    page.goto("/confirm")
    add_authenticator(page)
    sign_in(page, site.app, Role.OWNER, "careful-owner")

    def lie(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('"cause":"hearing"', '"cause":"court"'))

    page.route("**/suspend", lie)
    decide(page, "suspend", site.numbers["valid"], "hearing")
    shown(page, "differs")
    assert page.is_hidden("#confirm")
    page.unroute("**/suspend")
    case = site.app.set_up_company().apply()
    site.app.review(case)
    page.goto("/confirm")
    sign_in(page, site.app, Role.APPROVER, "careful-approver")
    decide(page, "reject", case, "Sənədlər düz gəlmir: “ə” 😀")
    page.wait_for_selector("#confirm:not([hidden])")
    assert "Sənədlər düz gəlmir: “ə” 😀" in page.inner_text("#document")
    tab.faults.clear()
