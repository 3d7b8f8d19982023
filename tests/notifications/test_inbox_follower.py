"""Notices and their mails are made of each event once, whatever is killed or runs twice."""

import threading
from contextlib import suppress
from dataclasses import replace
from unittest.mock import patch
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.events.catalogue import load_catalogue
from app.events.public_event import ActorGroup, EventSubject, PublicEvent, Told
from app.notifications import inbox_follower, inbox_repository
from app.notifications.model import InboxSettings, Notice, NoticeRecipient, OutgoingMessage
from tests.api.helpers import colleague, email_of
from tests.factories import NOW, ok, running_app
from tests.helpers import rows

CHANGE = {"what": "supplier", "text": "Another mill.", "on": "2026-12-01"}


def notices(app):
    with app.database.read_session() as session:
        return [(row.sequence, row.type) for row in session.scalars(sa.select(Notice).order_by(Notice.sequence))]


def mailed(app, *types):
    """Recipient and type of the event of each mail, in the order of events."""
    query = sa.select(OutgoingMessage.recipient, Notice.type).join(Notice, Notice.sequence == OutgoingMessage.sequence)
    with app.database.read_session() as session:
        found = session.execute(query.order_by(Notice.sequence, OutgoingMessage.recipient)).all()
    return [tuple(row) for row in found if not types or row.type in types]


def told(app, event_type):
    query = sa.select(NoticeRecipient).join(Notice, Notice.sequence == NoticeRecipient.sequence)
    with app.database.read_session() as session:
        return [
            (row.audience, row.organisation_id or row.user_id)
            for row in session.scalars(query.where(Notice.type == event_type).order_by(NoticeRecipient.id))
        ]


def test_each_event_has_one_notice_and_each_member_one_mail(app):
    company = app.set_up_company()
    second = colleague(company)
    app.follow_events()
    before = notices(app)
    number = app.certify(company)
    assert app.follow_events().notices == len(notices(app)) - len(before) > 0
    assert [name for _, name in notices(app)[len(before) :]].count("certificate.issued") == 1
    both = sorted([email_of(company), email_of(second)])
    assert mailed(app, "certificate.issued") == [(email, "certificate.issued") for email in both]
    assert told(app, "certificate.issued") == [("company", UUID(company.organisation_id))]
    events = {item["id"]: item for item in ok(company.get("/v1/events?limit=100"))["items"]}
    with app.database.read_session() as session:
        for row in session.scalars(sa.select(Notice).where(Notice.type == "certificate.issued")):
            same = ("id", "type", "subject", "data", "log_index")
            assert {name: row.content[name] for name in same} == {
                name: events[row.content["id"]][name] for name in same
            }
            assert row.content["subject"]["number"] == number
    everything = (notices(app), mailed(app))
    assert app.follow_events() == inbox_follower.FollowTotals()
    assert (notices(app), mailed(app)) == everything


def test_who_is_told_of_accounts(app):
    company = app.set_up_company(evidence=False)
    second = colleague(company)
    app.follow_events()
    before = mailed(app, "account.rights_changed")
    assert (email_of(second), "account.rights_changed") in before  # who joined, and the administrator
    ok(company.post("/v1/api-clients", json={"name": "Orders"}))
    app.follow_events()
    assert mailed(app, "account.rights_changed") == [*before, (email_of(company), "account.rights_changed")]


def test_the_mail_that_an_act_writes_is_the_only_one(app):
    """Who got a mail of the act itself, which names more, gets none of its event."""
    company = app.register()
    app.follow_events()
    app.confirm(company)
    app.follow_events()
    assert told(app, "claim.decided") == [
        ("company", UUID(company.organisation_id)),
        ("person", UUID(company.id)),
    ]
    assert mailed(app, "claim.decided") == []
    assert [mail.subject.rpartition(" / ")[2] for mail in app.mail(email_of(company))] == ["You act for the company"]


def test_mails_that_are_off_and_those_that_cannot_be(app):
    company = app.set_up_company()
    ok(company.put("/v1/me/notification-settings", json={"language": "ru", "not_mailed": ["certificate.issued"]}))
    number = app.certify(company)
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
    with app.database.session() as session:  # as it could never be set
        session.scalars(sa.select(InboxSettings)).one().not_mailed = ["certificate.issued", "certificate.suspended"]
        session.commit()
    app.follow_events()
    assert [name for _, name in mailed(app) if name.startswith("certificate.")] == ["certificate.suspended"]
    (mail,) = [mail for mail in app.mail(email_of(company)) if f"{number} приостановлен" in mail.subject]
    assert "слушание" in mail.body and f"/v/{number}" in mail.body


def test_owners_read_of_matters(app):
    company, owner = app.set_up_company(), email_of(app.owner)
    number = app.certify(company)
    ok(company.post(f"/v1/certificates/{number}/changes", json=CHANGE))
    app.follow_events()
    assert ("owner", None) in told(app, "matter.opened")
    assert {email for email, _ in mailed(app, "matter.opened")} == {email_of(company), owner}
    (notice,) = ok(app.owner.get("/v1/inbox?type=matter.opened"))["items"]
    assert notice["event"]["data"]["certificate"] == number
    assert ok(app.reviewer.get("/v1/inbox?type=matter.opened"))["items"] == []
    assert notice["event"]["data"]["kind"] == "change"


@pytest.mark.parametrize("step", ["add_notices", "add_messages"])
@pytest.mark.parametrize("is_written", [False, True], ids=["before", "after"])
def test_a_kill_between_the_steps_loses_nothing_and_doubles_nothing(app, step, is_written):
    company = app.set_up_company(evidence=False)
    real = getattr(inbox_repository, step)

    def killed(*given):
        if is_written:
            real(*given)
        raise KeyboardInterrupt

    with patch.object(inbox_repository, step, killed), suppress(KeyboardInterrupt):
        app.follow_events()
    assert (notices(app), mailed(app)) == ([], [])
    app.follow_events()
    assert len(notices(app)) == len({sequence for sequence, _ in notices(app)}) > 0
    assert (email_of(company), "residency.changed") not in mailed(app)
    assert len(mailed(app)) == len(set(mailed(app)))


def test_two_followers_at_once_make_each_notice_once(app):
    company = app.set_up_company()
    for _ in range(2):
        app.certify(company)
    ready = threading.Barrier(3)

    def follow(totals):
        ready.wait()
        totals.append(inbox_follower.follow_all(app.database, app.clock()))

    totals = []
    with patch.object(inbox_follower, "BATCH_SIZE", 2):
        threads = [threading.Thread(target=follow, args=(totals,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(totals) == 3
    assert sum(each.notices for each in totals) == len(notices(app)) > 4
    expected = {item["id"] for item in ok(company.get("/v1/events?limit=100"))["items"]}
    with app.database.read_session() as session:
        ids = [row.content["id"] for row in session.scalars(sa.select(Notice))]
    assert expected <= set(ids)
    assert len(ids) == len(set(ids))
    assert sum(each.mails for each in totals) == len(mailed(app)) == len(set(mailed_with_sequence(app)))


def mailed_with_sequence(app):
    return [tuple(row) for row in rows(app, "SELECT sequence, recipient FROM outgoing_messages WHERE sequence > 0")]


def test_the_cursor_passes_what_nobody_is_told_of(app, monkeypatch):
    app.register()
    app.follow_events()
    with app.database.read_session() as session:
        assert not inbox_follower.has_news(session)
    position = rows(app, "SELECT sequence FROM event_cursors WHERE follower = 'inbox'")
    assert app.follow_events() == inbox_follower.FollowTotals()
    assert rows(app, "SELECT sequence FROM event_cursors WHERE follower = 'inbox'") == position
    monkeypatch.setattr(inbox_follower, "MAX_SKIPPED", 0)
    app.register()
    app.follow_events()
    (last,) = rows(app, "SELECT max(seq) FROM audit_events")
    assert rows(app, "SELECT sequence FROM event_cursors WHERE follower = 'inbox'") == [last]


def test_who_has_left_gets_no_mail_that_waited(app):
    company = app.set_up_company()
    second = colleague(company)
    app.certify(company)
    app.follow_events()
    address = email_of(second)
    assert (address, "certificate.issued") in mailed(app)
    members = ok(company.get("/v1/members"))["items"]
    member = next(each for each in members if each["id"] == second.id)
    ok(company.request("DELETE", f"/v1/members/{member['id']}"))
    assert not [mail for mail in app.mail(address) if "MIK-2026" in mail.subject]


def test_the_job_follows(app):
    app.run_jobs()
    company = app.set_up_company(evidence=False)
    app.clock.advance(minutes=1)
    app.run_jobs()
    assert ok(company.get("/v1/inbox"))["unread"] > 0


def test_a_notice_is_there_within_seconds_of_its_commit(database_url, tmp_path):
    """The commit wakes the process: the interval is an hour."""
    with running_app(database_url, tmp_path, mail_seconds=3_600) as app:
        company = app.register()
        app.confirm(company)
        for _ in range(200):
            if found := ok(company.get("/v1/inbox"))["items"]:
                break
            threading.Event().wait(0.05)
        assert [each["type"] for each in found] == ["claim.decided"]


def test_some_matters_are_in_the_inbox_alone():
    event = replace(_event("matter.opened"), kind="alarm")
    assert not inbox_follower.is_mailed(event, load_catalogue())
    assert inbox_follower.is_mailed(replace(event, kind="hearing"), load_catalogue())
    assert not inbox_follower.is_mailed(_event("certificate.reissued"), load_catalogue())  # one mail names them all


def _event(name):
    subject = EventSubject("matter", "x")
    return PublicEvent(1, name, NOW, ActorGroup.STAFF, subject, "open", None, None, None, None, None, Told(owner=True))
