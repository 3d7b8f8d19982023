"""Stamps stand on paper for years: what was accepted or refused once is so for ever."""

import json
from pathlib import Path

import pytest

from app import keys
from app.documents import stamp

VECTORS = json.loads((Path(__file__).parent / "stamps.json").read_text(encoding="utf-8"))
KEYS = keys.read_jwks(json.dumps(VECTORS["jwks"]).encode())


@pytest.mark.parametrize("case", VECTORS["accepted"], ids=lambda case: case["name"])
def test_accepted(case):
    assert json.loads(stamp.read(case["stamp"], KEYS).payload()) == case["payload"]


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_refused(case):
    with pytest.raises(stamp.StampRefused):
        stamp.read(case["stamp"], KEYS)
