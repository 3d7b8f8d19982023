"""Sign-on with a provider of another author: npm's oidc-provider, as a process of its own."""

import hashlib
import json
import os
import secrets
import subprocess
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import httpx2 as httpx
import pytest
from joserfc.jwk import ECKey

from app.core.actor import Role
from app.core.settings import IdentityProvider
from tests.factories import ok, running_app
from tests.helpers import refused
from tests.interop.helpers import FOLDER, NODE, install
from tests.live import free_port

pytestmark = pytest.mark.short

BASE = "http://localhost:8000"
SECRET = "a secret of thirty-two characters"
ELSEWHERE = "http://127.0.0.1:49152/signed-in"


class RemoteProvider:
    """A provider that runs, as its people and the browsers of the test see it."""

    def __init__(self, name, port):
        self.name, self.address = name, f"http://127.0.0.1:{port}"

    def signs_in(self, sub, **claims):
        """Whoever comes from now on is this person."""
        httpx.post(f"{self.address}/test/account", json={"sub": sub, **claims}, trust_env=False)

    def logout_tokens(self):
        return httpx.get(f"{self.address}/test/logout-tokens", trust_env=False).json()


class Browser:
    """A browser with its cookies, and the client that begins sign-ins in it."""

    def __init__(self, app):
        self.app = app
        self.cookies = {}
        self.outside = httpx.Client(trust_env=False)
        self.verifier = secrets.token_urlsafe(32)

    def start(self, provider, **parameters):
        """Where the service sends the browser."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        query = {"code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode()} | parameters
        answer = self._ours(f"/v1/auth/oidc/{provider.name}/start?{urlencode(query)}")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def visit(self, location):
        """Sign in at the provider; where it sends the browser back."""
        while not location.startswith(BASE):
            answer = self.outside.get(location)
            assert answer.status_code in {302, 303}, answer.text
            location = str(answer.url.join(answer.headers["location"]))
        return location

    def come_back(self, location):
        """What the service answers to a callback."""
        return self._ours(location.removeprefix(BASE))

    def sign_on(self, provider, **parameters):
        return self.come_back(self.visit(self.start(provider, **parameters)))

    def tokens(self, code, **changed):
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": self.verifier} | changed
        return self.app.http.post("/v1/auth/token", data=form)

    def session_of(self, provider, **parameters):
        """A caller with the token of a sign-in that had to succeed."""
        return Bearer(self.app, ok(self.tokens(ok(self.sign_on(provider, **parameters))["code"])))

    def _ours(self, path):
        header = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.app.http.cookies.clear()
        answer = self.app.http.get(path, headers={"cookie": header} if header else {}, follow_redirects=False)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            assert "HttpOnly" in line and "SameSite=lax" in line and "Path=/" in line and "Domain" not in line
            self.cookies[name] = value
            if "Max-Age=0" in line:
                del self.cookies[name]
        return answer


class Bearer:
    def __init__(self, app, tokens):
        self.app, self.tokens = app, tokens

    def send(self, method, path, **more):
        return self.app.http.request(
            method, path, headers={"Authorization": f"Bearer {self.tokens['access_token']}"}, **more
        )

    def get(self, path):
        return self.send("GET", path)


@pytest.fixture(scope="module")
def world(shared_database_url, tmp_path_factory):
    """The service with three providers: for members, for staff, and one whose issuer is not the configured one."""
    install()
    ports = [free_port() for _ in range(3)]
    names = ("members", "staff", "changed")
    issuers = {name: f"http://127.0.0.1:{port}" for name, port in zip(names, ports, strict=True)}
    key = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig", "kid": "one"}).as_dict(private=True)
    callbacks = [f"{BASE}/v1/auth/oidc/{name}/callback" for name in names]
    with node_providers([f"{port}={issuers[name]}" for name, port in zip(names, ports, strict=True)], callbacks, key):
        folder = tmp_path_factory.mktemp("sign-on")
        settings = {"identity_providers": tuple(configured(name, issuers[name]) for name in names)}
        with running_app(shared_database_url, folder, **settings) as app:
            app.clock.now = datetime.now(UTC)
            app.providers = {name: RemoteProvider(name, port) for name, port in zip(names, ports, strict=True)}
            yield app


def configured(name, issuer):
    common = {"name": name, "title": name.title(), "issuer": issuer, "client_id": "mik", "client_secret": SECRET}
    if name == "staff":
        return IdentityProvider(
            **common,
            audience="staff",
            domains=("staff.example",),
            is_authoritative=True,
            role_claim="groups",
            roles={"mik-reviewers": Role.REVIEWER, "mik-owners": Role.OWNER},
            second_factor_amr=("otp",),
        )
    if name == "changed":  # static addresses of a provider that names itself otherwise in its tokens
        return IdentityProvider(
            **common | {"issuer": f"{issuer}/realm"},
            authorization_endpoint=f"{issuer}/auth",
            token_endpoint=f"{issuer}/token",
            jwks_uri=f"{issuer}/jwks",
        )
    return IdentityProvider(**common)


@contextmanager
def node_providers(servers, callbacks, key):
    process = subprocess.Popen(
        [NODE, FOLDER / "provider.mjs", *servers, *callbacks],
        cwd=FOLDER,
        env=os.environ | {"PROVIDER_KEY": json.dumps(key)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in servers:
            assert process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def members(world):
    return world.providers["members"]


@pytest.fixture
def staff(world):
    return world.providers["staff"]


def linked(app, provider, sub):
    """A company whose member has linked this identity."""
    company = app.register()
    provider.signs_in(sub)
    browser = Browser(app)
    code = ok(browser.sign_on(provider, purpose="link"))["code"]
    ok(company.post("/v1/me/identities", json={"code": code, "code_verifier": browser.verifier}))
    return company


def with_parameters(location, **changed):
    parts = urlsplit(location)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changed
    return urlunsplit(parts._replace(query=urlencode({k: v for k, v in query.items() if v is not None})))


def test_a_linked_identity_signs_in(world, members):
    company = linked(world, members, "aysel")
    signed_in = Browser(world).session_of(members)
    assert ok(signed_in.get("/v1/me"))["id"] == company.id
    (identity,) = ok(signed_in.get("/v1/me/identities"))["items"]
    assert identity["provider"] == "members" and identity["last_used_at"]
    renewed = {"grant_type": "refresh_token", "refresh_token": signed_in.tokens["refresh_token"]}
    ok(world.http.post("/v1/auth/token", data=renewed))


def test_an_unknown_identity_is_refused_with_the_reason(world, members):
    members.signs_in("stranger", email="member@nowhere.example", email_verified=True)
    answer = refused(Browser(world).sign_on(members), 403, "account-not-linked")
    assert answer["reason"] == "not-linked"


def test_an_address_alone_links_nothing_where_the_provider_does_not_decide(world, members):
    company = world.register()
    members.signs_in("thief", email=f"member@{company.voen}.example", email_verified=True)
    refused(Browser(world).sign_on(members), 403, "account-not-linked")


def test_the_code_goes_to_a_program_on_the_same_machine(world, members):
    linked(world, members, "loopback")
    browser = Browser(world)
    answer = browser.sign_on(members, redirect_uri=ELSEWHERE, state="mine")
    assert answer.status_code == 303 and answer.headers["location"].startswith(ELSEWHERE)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["state"] == ["mine"]
    ok(browser.tokens(query["code"][0]))


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/x",
        "http://127.0.0.1/without-port",
        "http://localhost:8000@elsewhere.example/",
        "http://localhost:8000.elsewhere.example/",
        "javascript://127.0.0.1:1/%0aalert(1)",
        "http://127.0.0.1:9\\@elsewhere.example/",
    ],
)
def test_a_code_goes_nowhere_else(world, members, address):
    challenge = urlencode({"code_challenge": "x" * 43, "redirect_uri": address})
    refused(world.anonymous.get(f"/v1/auth/oidc/members/start?{challenge}"), 422)


def test_a_wrong_nonce_is_refused(world, members):
    linked(world, members, "nonce")
    browser = Browser(world)
    back = browser.visit(with_parameters(browser.start(members), nonce="another"))
    assert refused(browser.come_back(back), 409, "sign-on-rejected")["reason"] == "nonce"


def test_a_code_with_another_pkce_secret_is_refused_by_the_provider(world, members):
    linked(world, members, "pkce")
    browser = Browser(world)
    back = browser.visit(with_parameters(browser.start(members), code_challenge="A" * 43))
    assert refused(browser.come_back(back), 409, "sign-on-rejected")["reason"] == "code"


def test_a_replayed_callback_is_refused(world, members):
    linked(world, members, "replay")
    browser = Browser(world)
    back = browser.visit(browser.start(members))
    cookies = dict(browser.cookies)
    ok(browser.come_back(back))
    assert refused(browser.come_back(back), 409, "sign-on-rejected")["reason"] == "cookie"
    browser.cookies = cookies  # of a thief who copied them
    assert refused(browser.come_back(back), 409, "sign-on-rejected")["reason"] == "replayed"


def test_our_own_code_is_good_once_and_for_its_client_alone(world, members):
    linked(world, members, "once")
    browser = Browser(world)
    code = ok(browser.sign_on(members))["code"]
    assert browser.tokens(code, code_verifier="w" * 43).json()["error"] == "invalid_grant"
    ok(browser.tokens(code))
    assert browser.tokens(code).json()["error"] == "invalid_grant"
    late = ok(browser.sign_on(members))["code"]
    world.clock.advance(minutes=2)
    assert browser.tokens(late).json()["error"] == "invalid_grant"
    world.clock.now = datetime.now(UTC)


def test_the_state_of_another_browser_is_refused(world, members):
    linked(world, members, "victim")
    attacker, victim = Browser(world), Browser(world)
    back = attacker.visit(attacker.start(members))
    assert refused(victim.come_back(back), 409, "sign-on-rejected")["reason"] == "cookie"
    victim.start(members)
    assert refused(victim.come_back(back), 409, "sign-on-rejected")["reason"] == "state"


def test_a_changed_issuer_is_refused(world):
    changed = world.providers["changed"]
    changed.signs_in("issuer")
    browser = Browser(world)
    back = browser.visit(browser.start(changed))
    assert refused(browser.come_back(back), 409, "sign-on-rejected")["reason"] == "iss"
    browser = Browser(world)  # and the same in its ID token, where the browser brings no issuer
    back = with_parameters(browser.visit(browser.start(changed)), iss=None)
    assert refused(browser.come_back(back), 409, "sign-on-rejected")["reason"] == "iss"


def test_two_providers_are_not_mixed_up(world, members, staff):
    """The answer of one provider counts at no address of another, nor at its own with the other's browser state."""
    linked(world, members, "mixed")
    browser = Browser(world)
    honest = browser.start(members)
    other = browser.visit(with_parameters(honest, redirect_uri=f"{BASE}/v1/auth/oidc/staff/callback"))
    assert refused(browser.come_back(other), 409, "sign-on-rejected")["reason"] == "provider"
    browser = Browser(world)
    back = browser.visit(browser.start(members))
    wrong = with_parameters(back, iss=staff.address)
    assert refused(browser.come_back(wrong), 409, "sign-on-rejected")["reason"] == "iss"
    browser = Browser(world)
    back = browser.visit(browser.start(members))
    assert refused(browser.come_back(with_parameters(back, iss=None)), 409, "sign-on-rejected")["reason"] == "iss"


def test_staff_are_linked_by_a_verified_address_of_their_domain(world, staff):
    reviewer = world.staff(Role.REVIEWER, name="first-reviewer")
    email = "first-reviewer@staff.example"
    staff.signs_in("s-1", email=email, email_verified=False, groups=["mik-reviewers"])
    assert refused(Browser(world).sign_on(staff), 403)["reason"] == "email-not-verified"
    staff.signs_in("s-1", email="first-reviewer@elsewhere.example", email_verified=True, groups=["mik-reviewers"])
    assert refused(Browser(world).sign_on(staff), 403)["reason"] == "domain"
    staff.signs_in("s-1", email=email, email_verified=True, groups=["mik-reviewers"])
    me = ok(Browser(world).session_of(staff).get("/v1/me"))
    assert me["id"] == reviewer.id and me["roles"] == ["reviewer"]
    assert any("new way to sign in" in each.subject for each in world.mail(email))
    staff.signs_in("s-2", email=email, email_verified=True, groups=["mik-reviewers"])  # the address was given anew
    refused(Browser(world).sign_on(staff), 409, "identity-linked")


def test_roles_are_the_ones_that_both_give(world, staff):
    world.staff(Role.REVIEWER, Role.AUDITOR, name="two-roles")
    person = {"email": "two-roles@staff.example", "email_verified": True}
    staff.signs_in("s-roles", **person, groups=["mik-reviewers", "mik-owners", "unknown"])
    first = Browser(world).session_of(staff)
    assert ok(first.get("/v1/me"))["roles"] == ["reviewer"]  # owner is given by nobody here, auditor not there
    staff.signs_in("s-roles", **person, groups=[])
    second = Browser(world).session_of(staff)
    assert ok(second.get("/v1/me"))["roles"] == []
    refused(second.get("/v1/applications"), 403)
    refused(first.get("/v1/me"), 401)  # its roles are no longer given


def test_a_second_factor_counts_where_the_provider_says_so(world, staff):
    world.staff(Role.REVIEWER, name="factor")
    person = {"email": "factor@staff.example", "email_verified": True, "groups": ["mik-reviewers"]}
    staff.signs_in("s-factor", **person, amr=["pwd"])
    assert ok(Browser(world).session_of(staff).get("/v1/me"))["second_factor"]["good_until"] is None
    staff.signs_in("s-factor", **person, amr=["pwd", "otp"])
    assert ok(Browser(world).session_of(staff).get("/v1/me"))["second_factor"]["good_until"] is not None


def test_signing_out_here_leads_to_the_provider_and_back(world, members):
    linked(world, members, "out")
    browser = Browser(world)
    signed_in, other = browser.session_of(members), Browser(world).session_of(members)
    url = ok(signed_in.get("/v1/me/session"))["end_session_url"]
    assert world.http.post("/v1/auth/revoke", data={"token": signed_in.tokens["access_token"]}).status_code == 200
    refused(signed_in.get("/v1/me"), 401)
    form = browser.outside.get(url)
    assert form.status_code == 200, form.text
    xsrf = form.text.partition('name="xsrf" value="')[2].partition('"')[0]
    action = form.text.partition('action="')[2].partition('"')[0]
    done = browser.outside.post(action, data={"xsrf": xsrf, "logout": "yes"})
    assert done.headers["location"].startswith(f"{BASE}/"), done.text
    ok(other.get("/v1/me"))  # another browser, another session at the provider


def test_signing_out_at_the_provider_ends_the_session_here(world, members):
    linked(world, members, "backchannel")
    browser = Browser(world)
    ended, kept = browser.session_of(members), Browser(world).session_of(members)
    url = f"{members.address}/session/end?client_id=mik"
    form = browser.outside.get(url)
    xsrf = form.text.partition('name="xsrf" value="')[2].partition('"')[0]
    before = len(members.logout_tokens())
    browser.outside.post(f"{members.address}/session/end/confirm", data={"xsrf": xsrf, "logout": "yes"})
    token = members.logout_tokens()[before]
    path = "/v1/auth/oidc/members/backchannel-logout"
    assert world.http.post(path, data={"logout_token": token[:-4] + "AAAA"}).status_code == 400
    assert world.http.post("/v1/auth/oidc/staff/backchannel-logout", data={"logout_token": token}).status_code == 400
    ok(ended.get("/v1/me"))
    assert world.http.post(path, data={"logout_token": token}).status_code == 200
    refused(ended.get("/v1/me"), 401)
    ok(kept.get("/v1/me"))
    again = Browser(world).session_of(members)
    assert world.http.post(path, data={"logout_token": token}).status_code == 200  # a replay ends nothing
    ok(again.get("/v1/me"))


def test_an_unlinked_identity_signs_in_no_more(world, members):
    company = linked(world, members, "unlinked")
    signed_in = Browser(world).session_of(members)
    (identity,) = ok(company.get("/v1/me/identities"))["items"]
    stranger = world.register()
    refused(stranger.delete(f"/v1/me/identities/{identity['id']}"), 404)
    assert company.delete(f"/v1/me/identities/{identity['id']}").status_code == 204
    refused(signed_in.get("/v1/me"), 401)
    refused(Browser(world).sign_on(members), 403, "account-not-linked")
    assert ok(company.get("/v1/me"))["id"] == company.id


def test_an_identity_opens_one_account(world, members):
    linked(world, members, "twice")
    browser = Browser(world)
    code = ok(browser.sign_on(members, purpose="link"))["code"]
    body = {"code": code, "code_verifier": browser.verifier}
    refused(world.register().post("/v1/me/identities", json=body), 409, "identity-taken")
    assert browser.tokens(code).json()["error"] == "invalid_grant"


def test_a_link_needs_a_recent_sign_in(world, members):
    company = world.register()
    members.signs_in("late")
    browser = Browser(world)
    body = {"code": ok(browser.sign_on(members, purpose="link"))["code"], "code_verifier": browser.verifier}
    world.clock.advance(minutes=11)
    refused(company.post("/v1/me/identities", json=body), 403, "recent-sign-in-required")
    world.clock.now = datetime.now(UTC)
