"""Credentials, status lists and bundles of the past stay readable, and mean for ever what they meant."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from joserfc.jwk import KeySet
from joserfc.jws import deserialize_compact

from app.certificates import status_list
from app.certificates.credential.reader import parse_credential
from app.certificates.status_list import Purpose, StatusListRejected
from app.core.crypto import jwk, jws
from app.transparency.signed_note import parse_vkey
from app.verification.offline import OfflineSources, evaluate_offline

pytestmark = pytest.mark.pure

VECTORS = json.loads((Path(__file__).parent / "credentials_and_lists.json").read_text(encoding="utf-8"))
KEYS = jwk.parse_jwks(json.dumps(VECTORS["jwks"]).encode())
THEIRS = KeySet.import_key_set(VECTORS["jwks"])


def named(cases):
    return [pytest.param(case, id=case["name"]) for case in cases]


def opened(token):
    verified = jws.verify(token, typ=jws.TYP_CREDENTIAL, keys=KEYS)
    assert json.loads(deserialize_compact(token, THEIRS, algorithms=["ES256"]).payload) == verified.payload
    return verified


@pytest.mark.parametrize("case", named(VECTORS["certificates"]))
def test_certificates(case):
    verified = opened(case["token"])
    assert verified.signed_hash == case["signed_hash"]
    said = parse_credential(verified.payload)
    assert (said.number, said.product_names) == (case["number"], case["product_names"])
    assert said.valid_until.isoformat() == case["valid_until"]
    assert said.status_entries[Purpose.REVOCATION] == tuple(case["place"])
    holder = case.get("holder", {"holder_name_az": None, "country": None})
    assert {name: getattr(said, name) for name in holder} == holder


@pytest.mark.parametrize("case", named(VECTORS["lists"]))
def test_lists(case):
    listed = status_list.parse_status_list_credential(opened(case["token"]).payload)
    assert (listed.purpose, len(listed.bits) * 8) == (case["purpose"], case["places"])
    assert sum(byte.bit_count() for byte in listed.bits) == len(case["set"])
    assert all(status_list.is_set(listed.bits, index) for index in case["set"])


@pytest.mark.parametrize("case", named(VECTORS["refused_lists"]))
def test_refused_lists(case):
    with pytest.raises(StatusListRejected) as caught:
        status_list.parse_status_list_credential(opened(case["token"]).payload)
    assert caught.value.error_type == case["error"]


@pytest.mark.parametrize("case", named(VECTORS["offline"]))
def test_offline(case):
    sources = OfflineSources(
        issuer="did:web:mark.example",
        trusted=KEYS,
        withdrawn={},
        verifier=parse_vkey(VECTORS["vkey"]),
        find_status_list=case["lists"].get,
        find_proof=lambda _number, _sha256: case["proof"],
        made_at=datetime(2027, 3, 1, 9, 0, tzinfo=UTC),
    )
    for moment, verdict in case["at"]:
        assert evaluate_offline(case["token"], sources, datetime.fromisoformat(moment)).verdict == verdict
