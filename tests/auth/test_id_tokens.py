"""What an ID token and a logout token must hold, claim by claim; each wrong one alone is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from app.auth.sign_on.id_tokens import (
    LOGOUT_EVENT,
    LogoutOrder,
    SignOnRejected,
    UnknownKey,
    verify_id_token,
    verify_logout_token,
)
from app.core.actor import Role
from app.core.settings import IdentityProvider

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
T = int(NOW.timestamp())
KEY, OTHER = (ECKey.generate_key("P-256", {"alg": "ES256", "kid": kid}) for kid in ("one", "two"))
KEYS = KeySet([KEY])
PROVIDER = IdentityProvider(
    name="sample",
    title="Sample",
    issuer="https://id.sample.example",
    client_id="mik",
    client_secret="x",
    audience="staff",
    role_claim="groups",
    roles={"r": Role.REVIEWER},
    second_factor_acr=("high",),
    second_factor_amr=("otp",),
)
CLAIMS = {"iss": PROVIDER.issuer, "aud": "mik", "sub": "s", "nonce": "n", "iat": T, "exp": T + 300}
LOGOUT = {"iss": PROVIDER.issuer, "aud": "mik", "sub": "s", "iat": T, "exp": T + 60, "events": {LOGOUT_EVENT: {}}}
ABSENT = object()


def token(claims, key=KEY, alg="ES256", **header):
    return jwt.encode({"alg": alg, "kid": key.kid} | header, claims, key, algorithms=[alg])


def changed(claims, changes):
    return {name: value for name, value in (claims | changes).items() if value is not ABSENT}


def read(changes=None, provider=PROVIDER, **more):
    claims = changed(CLAIMS, changes or {})
    return verify_id_token(token(claims, **more), KEYS, provider, nonce="n", now=NOW)


WRONG = {
    "iss": [{"iss": "https://id.other.example"}, {"iss": PROVIDER.issuer + "/"}, {"iss": ABSENT}],
    "aud": [{"aud": "other"}, {"aud": ["other"]}, {"aud": ABSENT}, {"aud": []}],
    "azp": [{"aud": ["mik", "other"]}, {"azp": "other"}, {"aud": ["mik", "other"], "azp": "other"}],
    "exp": [{"exp": ABSENT}, {"exp": "soon"}, {"iat": ABSENT}, {"exp": True}],
    "claims": [{"exp": T - 61}, {"nbf": T + 120}, {"amr": "otp"}, {"auth_time": "now"}, {"sub": 1}],
    "iat": [{"iat": T + 61}, {"iat": T - 601, "exp": T + 9}],
    "nonce": [{"nonce": "other"}, {"nonce": ABSENT}, {"nonce": ["n"]}],
    "sub": [{"sub": ABSENT}, {"sub": ""}, {"sub": "x" * 256}, {"sub": "a\nb"}],
}


@pytest.mark.parametrize(("reason", "changes"), [(why, each) for why, all_ in WRONG.items() for each in all_])
def test_a_wrong_claim_is_refused(reason, changes):
    with pytest.raises(SignOnRejected) as refused:
        read(changes)
    assert refused.value.data == {"reason": reason}


def test_what_is_right():
    found = read({"aud": ["mik", "other"], "azp": "mik", "exp": T - 59, "name": "Aysel", "sid": "session"})
    assert (found.issuer, found.subject, found.name, found.provider_session) == (
        PROVIDER.issuer,
        "s",
        "Aysel",
        "session",
    )
    assert (found.email, found.roles, found.second_factor_at) == (None, frozenset(), None)


def test_signatures():
    with pytest.raises(UnknownKey):
        read(key=OTHER)
    same_id = ECKey.generate_key("P-256", {"alg": "ES256", "kid": "one"})
    secret = OctKey.import_key("x" * 40, {"kid": "one"})
    for text in (
        token(CLAIMS, same_id),
        token(CLAIMS, secret, "HS256"),
        token(CLAIMS)[:-4] + "AAAA",
        "x",
        "a.b.c",
        "eyJhbGciOiJub25lIn0." + token(CLAIMS).split(".")[1] + ".",
    ):
        with pytest.raises(SignOnRejected) as refused:
            verify_id_token(text, KEYS, PROVIDER, nonce="n", now=NOW)
        assert refused.value.data["reason"] in {"signature", "kid"}
    with pytest.raises(SignOnRejected) as refused:
        read({"x": "x" * 20_000})
    assert refused.value.data == {"reason": "length"}
    only = PROVIDER.model_copy(update={"algorithms": ("RS256",)})
    with pytest.raises(SignOnRejected):
        read(provider=only)


@pytest.mark.parametrize("verified", [ABSENT, False, "true", 1, None])
def test_an_address_counts_only_if_it_is_verified(verified):
    assert read({"email": "A@Staff.Example", "email_verified": verified}).email is None
    assert read({"email": "A@Staff.Example", "email_verified": True}).email == "a@staff.example"


@pytest.mark.parametrize(
    ("groups", "roles"),
    [(["r", "x"], {"reviewer"}), ("r", {"reviewer"}), ([["r"]], ()), ({"r": 1}, ()), (None, ()), (ABSENT, ())],
)
def test_roles_of_the_claim(groups, roles):
    assert read({"groups": groups}).roles == frozenset(roles)
    assert read({"groups": groups}, PROVIDER.model_copy(update={"role_claim": None})).roles is None


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ({"amr": ["pwd", "otp"], "auth_time": T - 60}, NOW - timedelta(seconds=60)),
        ({"acr": "high", "auth_time": T + 30}, NOW),  # never later than now
        ({"amr": ["otp"]}, None),  # when is not known
        ({"amr": ["pwd"], "auth_time": T}, None),
        ({"acr": "low", "auth_time": T}, None),
        ({"acr": "high", "auth_time": True}, None),
    ],
)
def test_a_second_factor_at_the_provider(said, at):
    assert read(said).second_factor_at == at
    plain = PROVIDER.model_copy(update={"second_factor_acr": (), "second_factor_amr": ()})
    assert read(said, plain).second_factor_at is None


def logout(changes=None, **header):
    return verify_logout_token(token(changed(LOGOUT, changes or {}), **header), KEYS, PROVIDER, now=NOW)


def test_logout_tokens():
    found = logout()
    assert found == LogoutOrder("s", None, found.token_sha256) and len(found.token_sha256) == 64
    found = logout({"sub": ABSENT, "sid": "one"}, typ="logout+jwt")
    assert (found.subject, found.provider_session) == (None, "one")


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("events", {"events": ABSENT}),
        ("events", {"events": {}}),
        ("events", {"events": {LOGOUT_EVENT: 1}}),
        ("nonce", {"nonce": "n"}),
        ("sub", {"sub": ABSENT}),
        ("iss", {"iss": "https://id.other.example"}),
        ("aud", {"aud": "other"}),
        ("iat", {"iat": T - 601}),
        ("claims", {"exp": T - 61}),
    ],
)
def test_wrong_logout_tokens(reason, changes):
    with pytest.raises(SignOnRejected) as refused:
        logout(changes)
    assert refused.value.data == {"reason": reason}


def test_an_id_token_ends_no_session():
    with pytest.raises(SignOnRejected):
        verify_logout_token(token(CLAIMS), KEYS, PROVIDER, now=NOW)
    with pytest.raises(SignOnRejected):
        logout(typ="at+jwt")
