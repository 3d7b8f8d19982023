"""The library of Standard Webhooks for JavaScript verifies what is sent, and refuses what is old or changed."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from app.webhooks.signatures import format_secret, sign_headers
from tests.interop.helpers import install, node

BODY = '{"id":"evt_000000000042","type":"certificate.issued","ə":"Ağdam"}'
OLD, NEW = format_secret(b"o" * 32), format_secret(b"n" * 32)


@pytest.fixture(scope="module", autouse=True)
def packages():
    install()


def verify(secret, *requests):
    given = {"secret": secret, "requests": [{"headers": headers, "body": body} for headers, body in requests]}
    return json.loads(node("webhook.mjs", input=json.dumps(given)))


def test_signatures_are_verified_by_another_library():
    now = datetime.now(UTC)
    both = sign_headers([NEW, OLD], "evt_000000000042", BODY, now)
    late = sign_headers([NEW], "evt_000000000042", BODY, now - timedelta(minutes=6))
    early = sign_headers([NEW], "evt_000000000042", BODY, now + timedelta(minutes=6))
    other = both | {"webhook-id": "evt_000000000043"}
    requests = [(both, BODY), (late, BODY), (early, BODY), (other, BODY), (both, BODY + " ")]
    event = json.loads(BODY)
    for secret in (NEW, OLD):
        found = verify(secret, *requests)
        assert found[0] == event
        assert all("refused" in each for each in found[1:])
    assert "too old" in verify(NEW, *requests)[1]["refused"]
