"""Events as they are read: in the order of commits, each once, and only to those who are told."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import jsonschema_rs
import sqlalchemy as sa

from app.audit import recorder
from app.core.actor import SYSTEM
from app.events import event_reader, event_repository
from app.events.catalogue import json_schema, load_catalogue
from app.events.event_reader import events_after, events_of_organisation
from app.events.public_event import Told
from tests.factories import in_state, ok

TYPES = load_catalogue().types
WRITES = 12


def all_events(app, after=0, limit=10_000):
    with app.database.read_session() as session:
        return events_after(session, after, limit)


def about(app, number):
    return [(event.type, event.status, event.log_index) for event in all_events(app) if event.subject.id == number]


def logged(app, number):
    with app.database.read_session() as session:
        rows = session.execute(
            sa.text("SELECT seq, event FROM log_entries WHERE subject = :n ORDER BY seq"), {"n": number}
        )
        return {row.event: row.seq for row in rows}


def test_the_life_of_a_certificate(app):
    number = app.certify()
    for action, body in (
        ("suspend", {"cause": "hearing"}),
        ("suspend", {"cause": "court"}),
        ("reinstate", {"cause": "court"}),
        ("reinstate", {"cause": "hearing"}),
    ):
        app.owner.act(f"/v1/certificates/{number}/{action}", body)

    entries = logged(app, number)
    assert about(app, number) == [
        ("certificate.issued", "active", entries["certificate.issued"]),
        ("certificate.suspended", "suspended", entries["certificate.suspended"]),
        ("certificate.suspended", "suspended", None),  # a further cause is not logged
        ("certificate.reinstated", "active", entries["certificate.reinstated"]),
    ]
    everything = all_events(app)
    for event in everything:
        jsonschema_rs.Draft202012Validator(json_schema(TYPES[event.type])).validate(event.to_dict())
    assert [event.sequence for event in everything] == sorted({event.sequence for event in everything})
    assert {"application.submitted", "application.decided", "claim.decided"} <= {each.type for each in everything}


def test_a_follower_begins_now_and_sees_each_event_once(app):
    app.certify()

    def follow():
        with app.database.session() as session:
            cursor = event_repository.lock_cursor(session, "test")
            found = events_after(session, cursor.sequence, 2)
            if found:
                cursor.sequence = found[-1].sequence
            session.commit()
        return found

    assert follow() == []
    with app.database.read_session() as session:
        start = event_repository.lock_cursor(session, "test").sequence
    app.certify()
    seen = [event for _ in range(50) for event in follow()]
    assert seen == all_events(app, after=start) != []


def test_following_in_small_steps_gives_the_same(app, monkeypatch):
    monkeypatch.setattr(event_reader, "BATCH_SIZE", 3)
    app.certify()
    whole = [event.id for event in all_events(app)]
    after, found = 0, []
    while step := all_events(app, after, limit=2):
        found += [event.id for event in step]
        after = step[-1].sequence
    assert found == whole


def record_dispute(app, session, company):
    subject = ("organisation", company.organisation_id)
    recorder.record(session, SYSTEM, "claim.disputed", subject, app.clock(), claim=company.claim_id)


def test_what_is_rolled_back_is_never_an_event(app):
    company = app.set_up_company()
    before = all_events(app)
    with app.database.session() as session:
        record_dispute(app, session, company)
        session.flush()
        session.rollback()
    assert all_events(app) == before


def test_followers_beside_writers_miss_nothing_and_see_nothing_twice(app):
    """Two processes that follow under one name share the events; writers commit meanwhile, and roll back."""
    company, followed = app.set_up_company(), threading.Event()

    def write():
        for turn in range(WRITES):
            with app.database.session() as session:
                record_dispute(app, session, company)
                if turn % 3 == 2:
                    session.flush()
                    session.rollback()
                else:
                    session.commit()

    def follow():
        seen = []
        while True:
            last_look = followed.is_set()
            with app.database.session() as session:
                cursor = event_repository.lock_cursor(session, "test")
                found = events_after(session, cursor.sequence, 3)
                if found:
                    cursor.sequence = found[-1].sequence
                session.commit()
            seen += [event.sequence for event in found]
            if last_look and not found:
                return seen

    with app.database.session() as session:
        start = event_repository.lock_cursor(session, "test").sequence
        session.commit()
    with ThreadPoolExecutor(5) as pool:
        followers = [pool.submit(follow) for _ in range(2)]
        for writer in [pool.submit(write) for _ in range(3)]:
            writer.result()
        followed.set()
        seen = [sequence for follower in followers for sequence in follower.result()]
    assert sorted(seen) == [event.sequence for event in all_events(app, after=start)]
    assert len(seen) == 3 * (WRITES - WRITES // 3)


def test_a_question_names_its_deadline(app):
    company = app.set_up_company()
    case = in_state(app, company, "information_requested")
    (asked,) = [event for event in all_events(app) if event.type == "application.information_requested"]
    shown = ok(company.get(f"/v1/applications/{case}"))
    assert asked.to_dict()["data"]["deadline"][:19] == shown["due_at"][:19]
    assert asked.subject.number == shown["number"]


def test_new_rules_are_told_to_holders_and_applicants(app):
    number = app.certify()
    other = app.set_up_company()
    with app.database.session() as session:
        app.clock.advance(days=1)
        recorder.record(session, SYSTEM, "ruleset.published", ("ruleset", "MIK/9999.1"), app.clock(), sha256="0")
        session.commit()
    (event,) = [each for each in all_events(app) if each.subject.id == "MIK/9999.1"]
    holder = next(each for each in all_events(app) if each.subject.id == number).told.organisations
    assert event.told.organisations == holder
    assert [each.id for each in own(app, *holder) if each.type == event.type] == [event.id]
    assert event.type not in {each.type for each in own(app, UUID(other.organisation_id))}


def test_a_report_is_told_to_the_owner_and_not_to_the_holder(app):
    number = app.certify()
    (holder,) = next(each for each in all_events(app) if each.subject.id == number).told.organisations
    ok(app.anonymous.post("/v1/reports", json={"number": number, "text": "A copy."}))
    (opened,) = [each for each in all_events(app) if each.type == "matter.opened"]
    assert (opened.kind, opened.certificate, opened.told) == ("report", number, Told(owner=True))
    assert "matter.opened" not in {each.type for each in own(app, holder)}


def own(app, organisation_id, **options):
    with app.database.read_session() as session:
        return events_of_organisation(session, organisation_id, 0, 10_000, **options)


def test_each_company_is_told_exactly_what_concerns_it(app, monkeypatch):
    monkeypatch.setattr(event_reader, "BATCH_SIZE", 5)
    for _ in range(2):
        app.certify()
    everything = all_events(app)
    companies = {each for event in everything for each in event.told.organisations | event.told.administrators_of}
    assert len(companies) >= 2
    for company in companies:
        told = [event for event in everything if company in event.told.organisations]
        assert own(app, company) == told
        with_accounts = [
            event for event in everything if company in event.told.organisations | event.told.administrators_of
        ]
        assert own(app, company, with_accounts=True) == with_accounts
        only = {"certificate.issued", "account.rights_changed"}
        assert own(app, company, types=only) == [event for event in told if event.type in only]
        assert own(app, company, types={"account.rights_changed"}) == []
