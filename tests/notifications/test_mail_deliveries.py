"""What became of mails, as staff see it, and the retry of those that failed."""

import asyncio
from datetime import timedelta

import pytest

from app.notifications.model import MessageKind, OutgoingMessage
from app.notifications.transport import DeliveryFailed
from tests.factories import ok
from tests.helpers import refused, rows

pytestmark = pytest.mark.pg_sampled


def fail(app, monkeypatch, text="550 5.1.1 No such mailbox"):
    """Let the mail server refuse everything, once."""

    async def refuse(_mail):
        raise DeliveryFailed(text)

    with monkeypatch.context() as patched:
        patched.setattr(app.container.mail._transport, "send", refuse)
        asyncio.run(app.container.mail.send_due())


def ask(app, email="nobody@numune.example"):
    app.anonymous.post("/v1/registrations", json={"email": email})


def test_errors_are_shown_and_the_mail_is_sent_again(app, monkeypatch):
    ask(app)
    (waiting,) = ok(app.auditor.get("/v1/mail-deliveries?state=waiting"))["items"]
    assert (waiting["attempts"], waiting["last_error"]) == (0, None)
    refused(app.owner.post(f"/v1/mail-deliveries/{waiting['id']}/retry"), 409, "wrong-state")
    fail(app, monkeypatch)
    (failed,) = ok(app.auditor.get("/v1/mail-deliveries?state=failed"))["items"]
    assert (failed["state"], failed["attempts"], failed["last_error"]) == ("failed", 1, "550 5.1.1 No such mailbox")
    assert (failed["recipient"], failed["kind"], failed["event_id"]) == (
        "nobody@numune.example",
        "confirm-address",
        None,
    )
    retried = ok(app.owner.post(f"/v1/mail-deliveries/{failed['id']}/retry"))
    assert (retried["state"], retried["attempts"], retried["last_error"]) == ("waiting", 0, None)
    assert rows(app, "SELECT subject_id FROM audit_events WHERE event = 'mail.retried'") == [(failed["id"],)]
    assert len(app.mail("nobody@numune.example")) == 1
    (delivered,) = ok(app.owner.get("/v1/mail-deliveries?state=delivered"))["items"]
    assert delivered["id"] == failed["id"] and delivered["delivered_at"]
    assert ok(app.owner.get("/v1/mail-deliveries?state=failed"))["items"] == []


def test_a_notice_that_was_given_up_is_sent_again_but_no_token_that_has_ended(app, monkeypatch):
    company = app.set_up_company(evidence=False)
    app.follow_events()
    ask(app)
    fail(app, monkeypatch)
    app.clock.advance(days=15)
    app.mail()  # by now all are void
    failed = {each["kind"]: each for each in ok(app.owner.get("/v1/mail-deliveries?state=failed"))["items"]}
    assert {each["next_attempt_at"] for each in failed.values()} == {None}
    path = f"/v1/mail-deliveries/{failed['confirm-address']['id']}/retry"
    assert refused(app.owner.post(path), 409, "wrong-state")["state"] == "void"
    notice = failed["claim-confirmed"]
    ok(app.owner.post(f"/v1/mail-deliveries/{notice['id']}/retry"))
    assert len(app.mail(f"member@{company.voen}.example")) == 1


def test_states_are_told_apart_by_query_as_by_row(app):
    now = app.clock()
    with app.database.session() as session:
        for index, columns in enumerate(
            (
                {"next_attempt_at": now},
                {"next_attempt_at": now, "last_error": "x"},
                {"last_error": "x"},
                {"delivered_at": now},
                {"delivered_at": now, "last_error": None},
                {},
            )
        ):
            session.add(
                OutgoingMessage(
                    kind=MessageKind.ROLE_GRANTED.value,
                    recipient=f"{index}@numune.example",
                    values={},
                    created_at=now,
                    void_at=now + timedelta(days=1),
                    attempts=1,
                    **columns,
                )
            )
        session.commit()
    by_state = {}
    for each in ok(app.owner.get("/v1/mail-deliveries"))["items"]:
        by_state.setdefault(each["state"], []).append(each["id"])
    assert {state: len(ids) for state, ids in by_state.items()} == {
        "waiting": 1,
        "failed": 2,
        "delivered": 2,
        "void": 1,
    }
    for state, ids in by_state.items():
        assert [each["id"] for each in ok(app.owner.get(f"/v1/mail-deliveries?state={state}"))["items"]] == ids


def test_it_is_for_owners_and_auditors(app):
    ask(app)
    (mail,) = ok(app.owner.get("/v1/mail-deliveries"))["items"]
    path = f"/v1/mail-deliveries/{mail['id']}/retry"
    for caller in (app.reviewer, app.registrar, app.register()):
        refused(caller.get("/v1/mail-deliveries"), 403)
        refused(caller.post(path), 403)
    refused(app.auditor.post(path), 403)
    refused(app.owner.post("/v1/mail-deliveries/x/retry"), 404)
