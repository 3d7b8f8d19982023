"""Each event arrives at least once, under one id, whatever the receiver does; and one does not hold up the others."""

import re
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from standardwebhooks.webhooks import Webhook

from app.webhooks import sender
from app.webhooks.addresses import AddressRules
from app.webhooks.model import WebhookEndpoint
from app.webhooks.schedule import RETRY_DELAYS
from tests.applications.test_cost import counting
from tests.factories import in_state, ok
from tests.helpers import count, events, refused, rows
from tests.webhooks.receiver import allow_inner, deliver, deliveries, endless, hang, hook, receiving, status

pytestmark = pytest.mark.no_coverage


@pytest.fixture
def company(app):
    allow_inner(app)
    return app.set_up_company()


@pytest.fixture
def receiver():
    with receiving() as each:
        yield each


def verified(received, secret):
    """The event of a request; its time is that of the test's clock, which the library does not know."""
    with patch.object(Webhook, "_Webhook__verify_timestamp", lambda _self, text: _moment(text)):
        return Webhook(secret).verify(received.text, received.headers)


def _moment(text):
    return datetime.fromtimestamp(int(text), UTC)


def events_of(company):
    return ok(company.get("/v1/events?limit=100"))["items"]


def test_events_of_the_company_arrive_signed_and_only_its_own(app, company, receiver):
    before = events_of(company)
    webhook = hook(company, receiver)
    in_state(app, company, "information_requested")
    in_state(app, app.set_up_company(), "information_requested")
    deliver(app)
    new = events_of(company)[len(before) :]
    assert {each["type"] for each in new} >= {"application.submitted", "application.information_requested"}
    sent = [verified(each, webhook["secret"]) for each in receiver.received]
    seen = {each["id"] for each in before}
    told = [(each["id"], each["type"], each["subject"]) for each in sent if each["id"] not in seen]
    assert told == [(each["id"], each["type"], each["subject"]) for each in new]
    assert receiver.ids == [each["id"] for each in sent]
    assert all(each.headers["content-type"] == "application/json" for each in receiver.received)

    (first, *_) = deliveries(company, webhook)
    assert (first["state"], first["event_id"]) == ("delivered", receiver.ids[0])
    assert [(each["status"], each["error"]) for each in first["attempts"]] == [(204, None)]
    deliver(app)
    assert len(receiver.ids) == len(set(receiver.ids)) == len(deliveries(company, webhook))


def test_addresses_are_not_logged(app, company, receiver, caplog):
    hook(company, f"{receiver.url}?key=hidden", event_types=["application.submitted"])
    company.apply()
    deliver(app)
    assert receiver.received[0].path == "/hook?key=hidden"
    assert "hidden" not in caplog.text


def test_types_are_chosen(app, company, receiver):
    webhook = hook(company, receiver, event_types=["application.submitted"])
    in_state(app, company, "information_requested")
    deliver(app)
    assert receiver.types == ["application.submitted"]
    assert webhook["event_types"] == ["application.submitted"]


def test_certificates_of_others_are_followed(app, company, receiver):
    other = app.set_up_company()
    number = app.certify(other)
    webhook = hook(
        company,
        receiver,
        event_types=["certificate.suspended"],
        follows=[{"kind": "holder", "value": other.organisation_id}, {"kind": "certificate", "value": number.lower()}],
    )
    assert {"kind": "certificate", "value": number} in webhook["follows"]
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
    own = app.certify(company)
    app.owner.act(f"/v1/certificates/{own}/suspend", {"cause": "hearing"})
    app.owner.act(f"/v1/certificates/{app.certify(app.set_up_company())}/suspend", {"cause": "hearing"})
    deliver(app)
    sent = [each.event for each in receiver.received]
    assert sorted(each["subject"]["id"] for each in sent) == sorted([number, own])
    assert {each["subject"]["id"]: each["data"]["reason"] is None for each in sent} == {number: True, own: False}
    wrong = company.post("/v1/webhooks", json={"url": receiver.url, "follows": [{"kind": "heading", "value": "7"}]})
    assert refused(wrong, 422, "invalid")["errors"][0]["pointer"] == "/follows/0/value"


def test_a_list_of_numbers_calls_back(app, company, receiver):
    hook(company, receiver, event_types=["manifest.finished"])
    sent = ok(company.post("/v1/verify/manifests", files={"file": ("numbers.txt", b"MIK-2026-000001-F")}))
    ok(app.owner.post("/v1/verify/manifests", files={"file": ("numbers.txt", b"MIK-2026-000001-F")}))
    app.run_jobs()
    deliver(app)
    assert [each.event["subject"] for each in receiver.received] == [
        {"kind": "manifest", "id": sent["id"], "number": None}
    ]
    assert "manifest.finished" in {each["type"] for each in events_of(company)}


FAULTS = {
    "500": (status(500, "ə".encode() * 3_000), 500, None),
    "redirect to an inner address": (status(307, Location="http://169.254.169.254/latest/meta-data"), 307, None),
    "hanging": (hang(0.6), None, "timeout"),
    "not HTTP": (lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n"), None, "protocol_error"),
    "hangs up": (lambda handler: handler.connection.close(), None, None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_fails_is_sent_again_under_its_id(app, company, receiver, fault):
    receiver.behaviour, code, error = FAULTS[fault]
    webhook = hook(company, receiver, event_types=["application.submitted"])
    company.apply()
    with patch.object(sender, "TIMEOUT_S", 0.3):
        deliver(app)
    (failed,) = deliveries(company, webhook)
    (attempt,) = failed["attempts"]
    assert failed["state"] == "waiting"
    assert attempt["status"] == code
    assert attempt["error"] == error or (error is None and code is None)
    assert len((attempt["answer"] or "").encode()) <= 1_024 + 3
    assert ok(company.get(f"/v1/webhooks/{webhook['id']}"))["failing_since"] is not None

    receiver.behaviour = None
    deliver(app)
    (done,) = deliveries(company, webhook)
    assert done["state"] == "delivered"
    assert [each["status"] for each in done["attempts"]] == [code, 204]
    assert len(receiver.received) == 2
    assert set(receiver.ids) == {done["event_id"]}
    assert len({each.text for each in receiver.received}) == 1
    assert ok(company.get(f"/v1/webhooks/{webhook['id']}"))["failing_since"] is None


def test_an_endless_answer_is_cut_off(app, company, receiver):
    receiver.behaviour = endless
    webhook = hook(company, receiver, event_types=["application.submitted"])
    company.apply()
    started = time.monotonic()
    deliver(app)
    assert time.monotonic() - started < 5
    (done,) = deliveries(company, webhook)
    assert done["state"] == "delivered"
    assert done["attempts"][0]["answer"] == "x" * 1_024


def test_a_receiver_that_is_down_for_ten_minutes_misses_nothing(app, company):
    with receiving() as gone:
        address = gone.url
    webhook = hook(company, address, event_types=["application.submitted"])
    for _ in range(3):
        company.apply()
    until = app.clock() + timedelta(minutes=10)
    while app.clock() < until:
        app.clock.advance(seconds=50)
        app.run_jobs()
    waiting = deliveries(company, webhook, "&state=waiting")
    assert len(waiting) == 3
    tried = [each["error"] for delivery in waiting for each in delivery["attempts"]]
    assert set(tried) == {"connection_failed"}
    assert len(tried) < 15  # who gives no answer is asked seldom

    with receiving() as back:
        move_webhooks(app, back.url)
        for _ in range(12):
            app.clock.advance(minutes=4)
            app.run_jobs()
        assert sorted(back.ids) == sorted(each["event_id"] for each in waiting)
    assert {each["state"] for each in deliveries(company, webhook)} == {"delivered"}


def move_webhooks(app, url):
    """The receiver is back, at another port: only a test moves it without the company's doing."""
    with app.database.session() as session:
        for row in session.query(WebhookEndpoint):
            row.url = url
        session.commit()


def test_a_slow_receiver_holds_up_itself_alone(app, company, receiver):
    with ExitStack() as stack:
        slow = stack.enter_context(receiving(hang(0.6)))
        for number in range(5):
            hook(company, f"{slow.url}/{number}", event_types=["application.submitted"])
        hook(company, receiver, event_types=["application.submitted"])
        for _ in range(2):
            company.apply()
        stack.enter_context(patch.object(sender, "TIMEOUT_S", 0.4))
        started = time.monotonic()
        deliver(app)
        assert len(receiver.received) == 2
        assert len(slow.received) == 5  # each once: then it is paused
        assert time.monotonic() - started < 2.5


def test_after_five_days_the_webhook_is_disabled_and_what_was_missed_can_be_asked_for(app, company, receiver):
    receiver.behaviour = status(503)
    began = app.clock()
    webhook = hook(company, receiver, event_types=["application.submitted", "account.webhook_disabled"])
    company.apply()
    deliver(app)
    for delay in (*RETRY_DELAYS, RETRY_DELAYS[-1], RETRY_DELAYS[-1]):
        app.clock.advance(seconds=1.1 * delay.total_seconds() + 11)
        app.run_jobs()
    shown = ok(company.get(f"/v1/webhooks/{webhook['id']}"))
    assert (shown["state"], shown["disabled_because"]) == ("disabled", "failing")
    (lost,) = deliveries(company, webhook, "&state=failed")
    assert len(lost["attempts"]) == len(RETRY_DELAYS) + 3
    assert len(events(app, "webhook.disabled")) == 1
    (told,) = (each for each in events_of(company) if each["type"] == "account.webhook_disabled")
    assert told["subject"]["id"] == webhook["id"]
    assert told["data"]["kind"] == "failing"

    receiver.behaviour, receiver.received = None, []
    company.apply()  # while it is disabled
    deliver(app)
    path = f"/v1/webhooks/{webhook['id']}"
    for action in ("test", "redeliver", f"deliveries/{lost['id']}/redeliver"):
        body = {"json": {"since": began.isoformat()}} if action == "redeliver" else {}
        refused(company.post(f"{path}/{action}", **body), 409, "wrong-state")
    assert receiver.received == []
    company.act(f"{path}/enable")
    ok(company.post(f"{path}/redeliver", json={"since": began.isoformat()}))
    deliver(app)
    wanted = {each["id"] for each in events_of(company) if each["type"] in webhook["event_types"]}
    assert set(receiver.ids) == wanted
    assert len(receiver.ids) == 3
    ok(company.post(f"{path}/redeliver", json={"since": began.isoformat()}))
    deliver(app)
    assert len(receiver.ids) == 3  # what was delivered is not sent again
    ok(company.post(f"{path}/deliveries/{lost['id']}/redeliver"))
    deliver(app)
    assert receiver.ids[3:] == [lost["event_id"]]  # unless it is asked for


def test_gone_disables_at_once(app, company, receiver):
    receiver.behaviour = status(410)
    webhook = hook(company, receiver)
    company.apply()
    deliver(app)
    shown = ok(company.get(f"/v1/webhooks/{webhook['id']}"))
    assert (shown["state"], shown["disabled_because"]) == ("disabled", "gone")
    assert len(receiver.received) == 1
    assert {each["state"] for each in deliveries(company, webhook)} == {"failed"}


def test_a_rotated_secret_overlaps_for_a_day(app, company, receiver):
    webhook = hook(company, receiver, event_types=["application.submitted"])
    path = f"/v1/webhooks/{webhook['id']}"
    new = company.act(f"{path}/rotate-secret")
    assert new["secret"] != webhook["secret"]
    assert new["previous_secret_until"] is not None
    company.apply()
    deliver(app)
    for secret in (webhook["secret"], new["secret"]):
        verified(receiver.received[0], secret)
    app.clock.advance(hours=24)
    company.apply()
    deliver(app)
    verified(receiver.received[1], new["secret"])
    with pytest.raises(Exception, match="No matching signature"):
        verified(receiver.received[1], webhook["secret"])
    assert ok(company.get(path))["previous_secret_until"] is None
    assert webhook["secret"] not in str(rows(app, "SELECT * FROM webhook_endpoints"))


def test_a_test_event(app, company, receiver):
    webhook = hook(company, receiver, event_types=["application.submitted"])
    asked = ok(company.post(f"/v1/webhooks/{webhook['id']}/test"))
    deliver(app)
    assert receiver.types == ["webhook.test"]
    assert receiver.ids == [asked["event_id"]]
    assert verified(receiver.received[0], webhook["secret"])["id"] == asked["event_id"]


def test_a_name_that_leads_inside_later_is_not_followed(app, company, receiver):
    """DNS rebinding: public when it was stated, inner when it is sent."""
    answers = ["93.184.216.34"]

    async def resolve(_host, _port):
        return answers

    app.container.webhook_sender.rules = AddressRules()
    app.container.webhook_sender.resolve = resolve
    webhook = hook(company, "https://erp.example.com/hook", event_types=["application.submitted"])
    answers[:] = ["127.0.0.1"]
    refused(company.post("/v1/webhooks", json={"url": "https://erp.example.com/hook"}), 422, "invalid")
    company.apply()
    deliver(app)
    ((failed,),) = (each["attempts"] for each in deliveries(company, webhook))
    assert failed["error"] == "inner_address"
    assert receiver.received == []


def test_an_approval_costs_no_more_with_webhooks(app, company, receiver):
    """The follower reads afterwards: the act itself does not know of webhooks."""
    hook(company, receiver)
    case_id = company.apply()
    app.review(case_id)
    deliver(app)
    with counting(app) as seen:
        app.approver.act(f"/v1/applications/{case_id}/approve")
    assert seen
    assert not [each for each in seen if re.search("webhook|watches|event_cursors| jobs", each)]
    deliver(app)
    assert "certificate.issued" in receiver.types


def test_what_is_deleted_is_sent_nothing_more(app, company, receiver):
    webhook = hook(company, receiver)
    company.apply()
    assert company.delete(f"/v1/webhooks/{webhook['id']}").status_code == 204
    deliver(app)
    assert receiver.received == []
    refused(company.get(f"/v1/webhooks/{webhook['id']}"), 404)


def test_old_deliveries_are_deleted(app, company, receiver):
    hook(company, receiver)
    company.apply()
    deliver(app)
    assert count(app, "webhook_attempts") == count(app, "webhook_deliveries") > 0
    app.clock.advance(days=32)
    app.run_jobs()
    assert count(app, "webhook_attempts") == count(app, "webhook_deliveries") == 0
