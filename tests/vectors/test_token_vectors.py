"""Tokens of the past stay good: what was accepted or refused once is so for ever, and for the same reason."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from joserfc.jwk import KeySet
from joserfc.jws import deserialize_compact

from app.core.crypto import jwk, jws

VECTORS = json.loads((Path(__file__).parent / "certificate_tokens.json").read_text(encoding="utf-8"))
KEYS = jwk.parse_jwks(json.dumps(VECTORS["jwks"]).encode())


def named(cases):
    return [pytest.param(case, id=case["name"]) for case in cases]


@pytest.mark.parametrize("case", named(VECTORS["accepted"]))
def test_accepted(case):
    verified = jws.verify(case["token"], typ=jws.TYP_CREDENTIAL, keys=KEYS)
    assert verified.signed_hash == jws.signed_hash(case["token"]) == case["signed_hash"]
    assert verified.payload["credentialSubject"]["number"] == case["number"]
    theirs = deserialize_compact(case["token"], KeySet.import_key_set(VECTORS["jwks"]), algorithms=["ES256"])
    assert json.loads(theirs.payload) == verified.payload


@pytest.mark.parametrize("case", named(VECTORS["refused"]))
def test_refused(case):
    with pytest.raises(jws.TokenRejected) as caught:
        jws.verify(case["token"], typ=jws.TYP_CREDENTIAL, keys=KEYS)
    assert caught.value.reason == case["reason"]


def test_access_token():
    vector = VECTORS["access"]

    def check(seconds):
        now = datetime.fromtimestamp(seconds, UTC)
        return jws.verify_access_token(
            vector["token"], keys=KEYS, issuer="did:web:mark.example", audience="mik-api", now=now
        )

    assert check(vector["now_accepted"]).jti == "vector"
    for moment, reason in (("now_expired", jws.RejectionReason.EXPIRED), ("now_too_early", jws.RejectionReason.CLAIMS)):
        with pytest.raises(jws.TokenRejected) as caught:
            check(vector[moment])
        assert caught.value.reason is reason
