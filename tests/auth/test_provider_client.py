"""What a provider answers, and what becomes of it: rotated keys, wrong documents, redirects, floods, silence."""

import json
from datetime import timedelta

import httpx2 as httpx
import pytest
from joserfc.jwk import ECKey

from app.auth.sign_on.id_tokens import SignOnRejected
from app.auth.sign_on.provider_client import MAX_ANSWER_BYTES, MAX_AT_ONCE, ProviderClient
from app.core.errors import Unavailable
from app.core.settings import IdentityProvider
from tests.auth.test_id_tokens import NOW

ISSUER = "https://id.sample.example"
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}


class Answers:
    """What the provider answers by path, and how often it was asked."""

    def __init__(self, **changed):
        self.asked = []
        self.by_path = {
            "/.well-known/openid-configuration": DOCUMENT,
            "/keys": {"keys": [public("one")]},
            "/token": {"id_token": "a.b.c"},
        } | changed

    def __call__(self, request):
        self.asked.append(request)
        answer = self.by_path[request.url.path]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def client(self, **settings):
        given = {"name": "sample", "title": "Sample", "issuer": ISSUER, "client_id": "m:k", "client_secret": "p w"}
        return ProviderClient(IdentityProvider(**given | settings), httpx.MockTransport(self))


def public(kid):
    return ECKey.generate_key("P-256", {"kid": kid}).as_dict(private=False)


def test_addresses_and_keys_are_read_once():
    answers = Answers()
    client = answers.client()
    for _ in range(3):
        assert client.addresses(NOW).token == f"{ISSUER}/token" and client.keys(NOW).keys[0].kid == "one"
    assert len(answers.asked) == 2


def test_keys_are_read_again_when_a_token_names_another_but_not_at_every_token():
    answers = Answers()
    client = answers.client()
    client.keys(NOW)
    answers.by_path["/keys"] = {"keys": [public("two")]}
    assert client.keys(NOW + timedelta(seconds=10), newer=True).keys[0].kid == "one"
    assert client.keys(NOW + timedelta(seconds=31), newer=True).keys[0].kid == "two"
    answers.by_path["/keys"] = {"keys": [public("three")]}
    assert client.keys(NOW + timedelta(minutes=16)).keys[0].kid == "three"


def test_the_client_authenticates_and_sends_the_verifier():
    answers = Answers()
    assert answers.client().fetch_id_token("c", "v", "https://here.example/cb", NOW) == "a.b.c"
    request = answers.asked[-1]
    assert httpx.QueryParams(request.content.decode())["code_verifier"] == "v"
    assert request.headers["authorization"] == httpx.BasicAuth("m%3Ak", "p+w")._auth_header
    answers.client(client_authentication="client_secret_post").fetch_id_token("c", "v", "https://here.example/cb", NOW)
    assert "client_secret=p+w" in answers.asked[-1].content.decode()


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_code_that_the_provider_refuses(status):
    answers = Answers(**{"/token": httpx.Response(status, json={"error": "invalid_grant"})})
    with pytest.raises(SignOnRejected):
        answers.client().fetch_id_token("c", "v", "https://here.example/cb", NOW)


@pytest.mark.parametrize(
    "document",
    [
        DOCUMENT | {"issuer": "https://id.other.example"},
        DOCUMENT | {"token_endpoint": "http://id.sample.example/token"},
        DOCUMENT | {"jwks_uri": None},
        DOCUMENT | {"end_session_endpoint": "javascript:alert(1)"},
        [],
        httpx.Response(302, headers={"location": "http://127.0.0.1/"}),
        httpx.Response(500),
        httpx.Response(200, content=b"{"),
        httpx.Response(200, content=json.dumps(DOCUMENT | {"x": "x" * MAX_ANSWER_BYTES}).encode()),
        httpx.ConnectError("refused"),
    ],
)
def test_a_provider_that_cannot_be_used(document):
    with pytest.raises(Unavailable):
        Answers(**{"/.well-known/openid-configuration": document}).client().addresses(NOW)


@pytest.mark.parametrize("keys", [{}, {"keys": []}, {"keys": [{"kty": "EC"}]}, {"keys": "x"}])
def test_malformed_keys(keys):
    with pytest.raises(Unavailable):
        Answers(**{"/keys": keys}).client().keys(NOW)


def test_an_answer_without_an_id_token():
    with pytest.raises(Unavailable):
        Answers(**{"/token": {"access_token": "x"}}).client().fetch_id_token("c", "v", "https://here.example/cb", NOW)


def test_a_slow_provider_does_not_hold_all_threads():
    client = Answers().client()
    for _ in range(MAX_AT_ONCE):
        client._slots.acquire()
    with pytest.raises(Unavailable):
        client.keys(NOW)
