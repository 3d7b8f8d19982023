"""Stamps stand on paper for years: what was accepted or refused once is so for ever."""

import json
from pathlib import Path

import pytest

from app.core.crypto import jwk
from app.documents import qr_token

pytestmark = pytest.mark.pure

VECTORS = json.loads((Path(__file__).parent / "stamps.json").read_text(encoding="utf-8"))
KEYS = jwk.parse_jwks(json.dumps(VECTORS["jwks"]).encode())


@pytest.mark.parametrize("case", VECTORS["accepted"], ids=lambda case: case["name"])
def test_accepted(case):
    assert json.loads(qr_token.verify_qr_token(case["stamp"], KEYS).payload()) == case["payload"]


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_refused(case):
    with pytest.raises(qr_token.QrTokenRejected):
        qr_token.verify_qr_token(case["stamp"], KEYS)
