"""Reminders are recorded on their day, each once, whatever runs twice or not at all."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

from app.cli.admin import sweep
from app.core.actor import SYSTEM
from app.core.dates import baku_day
from app.events import reminder_service
from app.events.event_reader import events_after
from tests.factories import in_state, ok


def swept(app, *, dry_run=False):
    said = []
    assert sweep.run(app.database, app.clock(), dry_run=dry_run, report=said.append) == 0, said
    return [line for line in said if "reminders" in line]


def dated(app, *types):
    with app.database.read_session() as session:
        return [
            (event.type, event.kind, event.deadline)
            for event in events_after(session, 0, 10_000)
            if event.type in types
        ]


def test_a_certificate_reminds_of_its_end_and_then_says_that_it_has_ended(app):
    number = app.certify()
    end = app.verify(number)["certificate"]["valid_until"]
    types = ("certificate.expiring", "certificate.expired")
    for days, count in ((91, 0), (90, 1), (89, 1), (20, 2), (7, 3), (0, 3), (-1, 4), (-2, 4)):
        app.clock.advance(days=(_day(end) - baku_day(app.clock())).days - days)
        swept(app)
        assert len(found := dated(app, *types)) == count, days
        assert swept(app, dry_run=True) == swept(app) == []
    assert [each[0] for each in found] == ["certificate.expiring"] * 3 + ["certificate.expired"]
    assert {each[2].isoformat()[:13] for each in found} == {f"{_day(end)}T20"}  # midnight in Baku


def _day(text):
    return date.fromisoformat(text)


def test_a_certificate_that_ended_before_reminds_of_nothing(app):
    number = app.certify()
    app.revoke(number, "bankruptcy")
    app.clock.advance(days=(_day(app.verify(number)["certificate"]["valid_until"]) - baku_day(app.clock())).days - 10)
    swept(app)
    assert dated(app, "certificate.expiring") == []


def test_an_application_reminds_of_the_answer(app):
    company = app.set_up_company()
    case = in_state(app, company, "information_requested")
    app.clock.advance(days=11)
    swept(app)
    swept(app)
    ((_, kind, deadline),) = dated(app, "application.answer_due")
    assert kind == "initial"
    assert deadline.isoformat()[:16] == ok(company.get(f"/v1/applications/{case}"))["due_at"][:16]


def test_a_document_of_the_company_reminds_of_its_end(app):
    company = app.set_up_company()
    until = (baku_day(app.clock()) + timedelta(30)).isoformat()
    item = company.upload("permit", issued_on="2024-01-15", valid_until=until)
    app.confirm_evidence(item)
    swept(app)
    assert len(dated(app, "evidence.expiring")) == 1
    app.clock.advance(days=31)
    swept(app)
    assert [each[:2] for each in dated(app, "evidence.changed")][-1] == ("evidence.changed", "expired")


def test_runs_at_once_record_each_reminder_once(app):
    number = app.certify()
    app.clock.advance(days=(_day(app.verify(number)["certificate"]["valid_until"]) - baku_day(app.clock())).days - 5)
    now = app.clock()

    def run(_):
        with app.database.session() as session:
            count = reminder_service.record_due(session, SYSTEM, now)
            session.commit()
            return count

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(run, range(4)))
    assert len(dated(app, "certificate.expiring")) == 1
    assert sum(counts) == max(counts)


def test_it_stops_at_the_limit_and_goes_on(app):
    for _ in range(2):
        number = app.certify()
    app.clock.advance(days=(_day(app.verify(number)["certificate"]["valid_until"]) - baku_day(app.clock())).days - 5)
    with app.database.session() as session:
        whole = reminder_service.count_due(session, app.clock())
        assert reminder_service.record_due(session, SYSTEM, app.clock(), limit=1) == 1
        session.commit()
        assert reminder_service.count_due(session, app.clock()) == whole - 1
