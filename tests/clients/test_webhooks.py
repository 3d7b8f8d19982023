"""Deliveries of webhooks: those that the library `standardwebhooks` signs are taken, everything else is refused."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from made_in_karabakh import AlreadyTaken, SeenInMemory, WebhookRejected, WebhookVerifier

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
OLD, NEW, OTHER = ("whsec_" + base64.b64encode(bytes([each]) * 24).decode() for each in (1, 2, 3))
BODY = '{"id":"evt_1","type":"certificate.issued","at":"2026-11-28T12:00:00Z"}'


def delivery(secret=OLD, *, at=NOW, body=BODY, id_="msg_1"):
    return {
        "Webhook-Id": id_,
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(secret).sign(id_, at, body),
    }


def test_a_signed_delivery_gives_its_event():
    event = WebhookVerifier(OLD).verify(delivery(), BODY.encode(), NOW)
    assert event["type"] == "certificate.issued"


def test_while_a_secret_is_replaced_either_of_both_sides_may_have_two():
    two = WebhookVerifier([NEW, OLD])
    assert two.verify(delivery(OLD), BODY.encode(), NOW) == two.verify(delivery(NEW), BODY.encode(), NOW)
    both = delivery(OLD)
    both["Webhook-Signature"] = f"v1a,AAAA {delivery(OTHER)['Webhook-Signature']} {both['Webhook-Signature']}"
    assert WebhookVerifier(OLD).verify(both, BODY.encode(), NOW)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_delivery_and_one_from_the_future_are_refused(minutes):
    at = NOW + timedelta(minutes=minutes)
    with pytest.raises(WebhookRejected, match="clock"):
        WebhookVerifier(OLD).verify(delivery(at=at), BODY.encode(), NOW)
    assert WebhookVerifier(OLD, tolerance=timedelta(minutes=7)).verify(delivery(at=at), BODY.encode(), NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1,"},
        {"Webhook-Signature": "v1,not base64"},
        {"Webhook-Signature": "v2," + delivery()["Webhook-Signature"][3:]},
        {"Webhook-Signature": delivery(OTHER)["Webhook-Signature"]},
        {"Webhook-Id": "msg_2"},
        {"Webhook-Timestamp": str(int(NOW.timestamp()) + 1)},
        {"Webhook-Timestamp": "now"},
        {"Webhook-Timestamp": "-1"},
        {"Webhook-Timestamp": "٣"},
        {"Webhook-Timestamp": "9" * 11},
    ],
)
def test_a_changed_delivery_is_refused(changed):
    with pytest.raises(WebhookRejected):
        WebhookVerifier(OLD).verify(delivery() | changed, BODY.encode(), NOW)


@pytest.mark.parametrize("missing", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_a_missing_header_is_named(missing):
    headers = {name: value for name, value in delivery().items() if name != missing}
    with pytest.raises(WebhookRejected, match=missing.lower()):
        WebhookVerifier(OLD).verify(headers, BODY.encode(), NOW)


def test_a_changed_body_is_refused():
    with pytest.raises(WebhookRejected):
        WebhookVerifier(OLD).verify(delivery(), BODY.replace("issued", "revoked").encode(), NOW)


@pytest.mark.parametrize("body", ["", "{", "[]", "3"])
def test_what_is_signed_and_no_event_is_refused(body):
    with pytest.raises(WebhookRejected):
        WebhookVerifier(OLD).verify(delivery(body=body), body.encode(), NOW)


def test_a_replayed_delivery_is_refused_and_a_forged_one_blocks_nothing():
    verifier = WebhookVerifier(OLD, seen=SeenInMemory())
    with pytest.raises(WebhookRejected):
        verifier.verify(delivery(OTHER), BODY.encode(), NOW)
    assert verifier.verify(delivery(), BODY.encode(), NOW)
    with pytest.raises(AlreadyTaken):
        verifier.verify(delivery(), BODY.encode(), NOW + timedelta(minutes=1))
    again = delivery(at=NOW + timedelta(minutes=9))  # sent again later, signed anew: still the same delivery
    with pytest.raises(AlreadyTaken):
        verifier.verify(again, BODY.encode(), NOW + timedelta(minutes=9))
    assert verifier.verify(delivery(id_="msg_2"), BODY.encode(), NOW)


@pytest.mark.parametrize("secrets", ["", [], "whsec_", "whsec_not base64"])
def test_without_a_secret_there_is_no_verifier(secrets):
    with pytest.raises(ValueError):  # noqa: PT011 (of the library or ours)
        WebhookVerifier(secrets)
