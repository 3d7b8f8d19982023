"""The body of a verification response, member by member, and its ETag."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from app.certificates.read_model.record import public_fields
from app.core.text.marking import Marking
from app.verification.response import encode, encode_with_etag, to_dict
from app.verification.verdict import MISTYPED, evaluate_number
from tests.verification.factories import NOW

pytestmark = pytest.mark.pure

BASE = "https://mark.example"


def test_the_whole_answer(record, time_and_keys):
    body = encode(evaluate_number(record, time_and_keys.ring, NOW), BASE)
    assert json.loads(body) == {
        "verdict": "valid",
        "message": "This certificate is genuine and valid.",
        "as_of": "2026-11-22T17:00:00Z",
        "certificate": {
            "number": "MIK-2026-000042-Y",
            "scheme": {"code": "MIK", "name": "Made in Karabakh"},
            "holder": {"name": "Sample Pipe LLC", "name_az": "“Nümunə-Boru” MMC", "voen": "0010002221"},
            "product": {"name": {"en": "Steel pipe", "az": "Polad boru"}, "hs6": "730630", "gtin": None},
            "site": {"park": "AGDAM-SP", "district": "Ağdam"},
            "country": "AZ",
            "origin_criterion": "CTH",
            "valid_from": "2026-11-22",
            "valid_until": "2029-11-21",
            "status": "active",
            "status_since": "2026-11-22T17:00:00Z",
            "reason": None,
        },
        "checks": [
            {
                "name": "form",
                "passed": True,
                "detail": "The number has the right format and its check character is correct.",
            },
            {"name": "record", "passed": True, "detail": "The certificate is in our register."},
            {"name": "log", "passed": True, "detail": "Its issue is in the public log since 2026-11-22T17:00:00Z."},
            {
                "name": "key_state",
                "passed": True,
                "detail": "The signing key is not known to be compromised.",
            },
            {
                "name": "validity",
                "passed": True,
                "detail": "The term runs from 2026-11-22 to 2029-11-21, both days included (Asia/Baku).",
            },
            {"name": "status", "passed": True, "detail": "The certificate is active since 2026-11-22T17:00:00Z."},
        ],
        "links": {
            "credential": "https://mark.example/v1/certificates/MIK-2026-000042-Y",
            "page": "https://mark.example/v/MIK-2026-000042-Y",
        },
    }


def test_nothing_is_shown_of_what_is_not_ours():
    members = to_dict(MISTYPED, BASE)
    assert members["certificate"] is None
    assert members["as_of"] is None
    assert members["links"] == {"credential": None, "page": None}


def test_the_answer_of_a_demo_says_so(record, time_and_keys):
    judgement = evaluate_number(record, time_and_keys.ring, NOW)
    plain, demo = (json.loads(encode_with_etag(judgement, BASE, marking=each)[1]) for each in (None, Marking.DEMO))
    assert "demo" not in plain and demo == plain | {"demo": True}


def test_a_natural_persons_voen_is_not_shown(record):
    members = public_fields(record._replace(holder_voen=None))
    assert members["holder"]["voen"] is None
    assert "0010002222" not in str(members)


def test_a_reason_is_shown(record):
    members = public_fields(record._replace(status="revoked", status_reason="false-documents"))
    assert members["reason"] == "false-documents"


class TestEtag:
    def etag(self, record, time_and_keys, now=NOW):
        _, body, etag = encode_with_etag(evaluate_number(record, time_and_keys.ring, now), BASE)
        assert encode_with_etag(evaluate_number(record, time_and_keys.ring, now), BASE)[1:] == (body, etag)
        assert etag[:1] == etag[-1:] == b'"'
        return etag

    def test_stays_while_nothing_changes(self, record, time_and_keys):
        assert self.etag(record, time_and_keys) == self.etag(
            record, time_and_keys, NOW + timedelta(days=300, seconds=7)
        )

    def test_an_expiry_cannot_hide(self, record, time_and_keys):
        last = datetime(2029, 11, 21, 19, 59, 59, tzinfo=UTC)
        assert self.etag(record, time_and_keys, last) == self.etag(record, time_and_keys)
        assert self.etag(record, time_and_keys, last + timedelta(seconds=1)) != self.etag(record, time_and_keys)

    def test_a_change_of_status_shows(self, record, time_and_keys):
        assert self.etag(record._replace(status="suspended"), time_and_keys) != self.etag(record, time_and_keys)
