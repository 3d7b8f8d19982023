"""Signatures by Standard Webhooks, verified by the library of another language in tests/interop."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.webhooks.signatures import format_secret, sign_headers

pytestmark = pytest.mark.pure
OLD, NEW = format_secret(b"o" * 32), format_secret(b"n" * 32)
BODY = '{"ə":1}'


def test_a_secret_is_base64_after_its_prefix():
    assert NEW.startswith("whsec_")
    assert base64.b64decode(NEW.removeprefix("whsec_")) == b"n" * 32


def test_each_secret_signs():
    now = datetime.now(UTC).astimezone(timezone(timedelta(hours=4)))
    headers = sign_headers([NEW, OLD], "evt_000000000042", BODY, now)
    assert headers["webhook-timestamp"] == str(int(now.timestamp()))
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(BODY, headers) == {"ə": 1}
    for changed in ({"webhook-id": "evt_000000000043"}, {"webhook-timestamp": str(int(now.timestamp()) + 1)}):
        with pytest.raises(WebhookVerificationError):
            Webhook(NEW).verify(BODY, headers | changed)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY + " ", headers)


def test_an_old_request_is_refused():
    headers = sign_headers([NEW], "evt_000000000042", BODY, datetime.now(UTC) - timedelta(minutes=6))
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY, headers)
