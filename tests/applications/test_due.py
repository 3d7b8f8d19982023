"""Age and deadline on every case, the filter of late ones, and what `mik admin sweep` does when a time is over.

The clock stands on Sunday, 22 November 2026. 31 December and 1, 4 and 20 January are free.
"""

import threading
from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from app.applications import application_deadlines
from app.auth.model import RefreshToken
from app.certificates import residency_cascade
from app.cli import app as mik
from app.cli.admin import sweep
from app.core.actor import SYSTEM
from app.organisations.model import Residency
from app.web.idempotency_repository import IdempotencyRecord
from app.worker import due_tasks
from tests.applications.helpers import QUESTION, asked, claimed
from tests.factories import PASSWORD, ok
from tests.helpers import refused

pytestmark = pytest.mark.pg_sampled


def timed(caller, case_id):
    case = ok(caller.get(f"/v1/applications/{case_id}"))
    return tuple(case[name] for name in ("clock", "age_working_days", "due_step", "overdue")), case["due_at"]


def swept(app, **more):
    said = []
    undone = sweep.run(app.database, app.clock(), dry_run=False, report=said.append, **more)
    assert undone == 0, said
    return said


def test_every_case_says_how_old_it_is_and_what_is_due(app):
    company = app.set_up_company()
    case_id = company.draft()
    assert timed(company, case_id) == (("stopped", None, "draft", False), "2027-02-18T20:00:00Z")
    company.submit(case_id)
    assert timed(app.reviewer, case_id) == (("running", 0, "first-look", False), "2026-11-27T20:00:00Z")
    app.clock.advance(days=6)
    assert timed(app.reviewer, case_id)[0] == ("running", 5, "first-look", True)
    app.reviewer.act(f"/v1/applications/{case_id}/claim")
    assert timed(app.reviewer, case_id) == (("running", 5, "decision", False), "2027-01-06T20:00:00Z")
    app.reviewer.act(f"/v1/applications/{case_id}/request-information", {"questions": [QUESTION]})
    expected = (("stopped", 5, "answer", False), "2026-12-11T20:00:00Z")
    assert timed(company, case_id) == timed(app.reviewer, case_id) == expected
    app.clock.advance(days=9)
    answer_all(company, case_id)
    assert timed(app.reviewer, case_id) == (("running", 5, "decision", False), "2027-01-14T20:00:00Z")
    app.review(case_id)
    app.approve(case_id)
    app.clock.advance(days=90)
    assert timed(company, case_id) == (("stopped", 5, None, False), None)


def answer_all(company, case_id):
    waiting = [q["id"] for q in company.application(case_id)["questions"] if q["answer"] is None]
    answers = [{"question_id": i, "text": "On 1 March 2024."} for i in waiting]
    company.act(f"/v1/applications/{case_id}/respond", {"answers": answers})


def test_lists_show_the_same_and_late_ones_can_be_asked_for(app):
    company = app.set_up_company()
    late = [company.apply(company.add_product()) for _ in range(3)]
    held = claimed(app, company, company.add_product())
    app.clock.advance(days=7)
    fresh = company.apply(company.add_product())
    waiting = asked(app, company)
    listed = {item["id"]: item for item in ok(app.reviewer.get("/v1/applications"))["items"]}
    for case_id in (*late, held, fresh, waiting):
        item, case = listed[case_id], ok(app.reviewer.get(f"/v1/applications/{case_id}"))
        for name in ("clock", "age_working_days", "due_at", "due_step", "overdue"):
            assert item[name] == case[name]
    mine = {item["id"]: item["overdue"] for item in ok(company.get("/v1/applications"))["items"]}
    assert {case_id for case_id, is_late in mine.items() if is_late} == set(late)

    def late_ones(**params):
        return app.reviewer.get("/v1/applications", params={"overdue": True} | params)

    assert [item["id"] for item in ok(late_ones())["items"]] == late
    for caller, own in ((company, late), (app.set_up_company(), [])):
        items = ok(caller.get("/v1/applications", params={"overdue": True}))["items"]
        assert [item["id"] for item in items] == own
    assert ok(late_ones(state="in_review"))["items"] == []
    first = late_ones(limit=2)
    assert [item["id"] for item in ok(first)["items"]] == late[:2]
    following = app.reviewer.get(first.headers["Link"].split(">")[0].removeprefix("<"))
    assert [item["id"] for item in ok(following)["items"]] == late[2:]
    app.clock.advance(days=60)  # now all are late
    assert {item["id"] for item in ok(late_ones())["items"]} == {*late, held, fresh, waiting}


def test_late_cases_are_found_behind_many_that_are_not(app, monkeypatch):
    monkeypatch.setattr(application_deadlines, "BATCH_SIZE", 2)
    company = app.set_up_company()
    first = company.apply(company.add_product())
    kept = [claimed(app, company, company.add_product()) for _ in range(4)]
    last = company.apply(company.add_product())
    app.clock.advance(days=34)  # more days than a decision may take working days
    items = ok(app.reviewer.get("/v1/applications", params={"overdue": True}))["items"]
    assert [item["id"] for item in items] == [first, last]
    assert kept


def test_announced_holidays_move_a_deadline(app):
    case_id = claimed(app, app.set_up_company())
    assert timed(app.reviewer, case_id)[1] == "2027-01-06T20:00:00Z"
    days = [{"day": "2026-12-01", "occasion": "other"}, {"day": "2026-12-05", "occasion": "other", "works": True}]
    ok(app.owner.post("/v1/calendar/holidays", json={"year": 2026, "days": [*days, {**days[0], "day": "2026-12-02"}]}))
    assert timed(app.reviewer, case_id)[1] == "2027-01-07T20:00:00Z"


def test_an_unanswered_question_ends_the_application(app):
    company = app.set_up_company()
    case_id = asked(app, company)
    app.clock.advance(days=12)  # until Friday
    assert swept(app) == ["reminders of deadlines: 1 recorded", "1 done."]
    assert swept(app) == ["0 done."]
    app.clock.advance(days=1)
    number = company.application(case_id)["number"]
    assert swept(app) == [f"application {number} has lapsed", "1 done."]
    after = company.application(case_id)
    assert (after["state"], after["allowed_actions"], after["waiting_on"]) == ("lapsed", [], None)
    last = ok(company.get(f"/v1/applications/{case_id}/timeline"))["items"][-1]
    assert (last["event"], last["by"], last["state"]) == ("application.lapsed", "system", "lapsed")
    assert swept(app) == ["0 done."]
    company.apply(*after["product_ids"])  # the product is free again


def test_an_answer_that_comes_late_but_before_the_sweep_counts(app):
    company = app.set_up_company()
    case_id = asked(app, company)
    app.clock.advance(days=30)
    assert timed(company, case_id)[0][-1] is True
    answer_all(company, case_id)
    assert swept(app) == ["0 done."]
    assert company.application(case_id)["state"] == "in_review"


def test_a_forgotten_draft_ends_and_cases_in_the_hands_of_the_house_do_not(app):
    company = app.set_up_company()
    draft, submitted = company.draft(company.add_product()), company.apply(company.add_product())
    held = claimed(app, company, company.add_product())
    app.clock.advance(days=400)
    assert [each for each in swept(app) if each.startswith("application")] == [
        f"application {company.application(draft)['number']} has lapsed"
    ]
    states = {case_id: company.application(case_id)["state"] for case_id in (draft, submitted, held)}
    assert states == {draft: "lapsed", submitted: "submitted", held: "in_review"}


def test_a_dry_run_changes_nothing(app):
    company = app.set_up_company()
    case_id = asked(app, company)
    number = company.application(case_id)["number"]
    app.clock.advance(days=30)
    said = []
    sweep.run(app.database, app.clock(), dry_run=True, report=said.append)
    assert said == [
        f"due: application {number}: the time to answer expired on 2026-12-04",
        "1 due; nothing was changed.",
    ]
    assert company.application(case_id)["state"] == "information_requested"


def test_two_sweeps_at_once_do_it_once(app):
    company = app.set_up_company()
    cases = [company.draft(company.add_product()) for _ in range(4)]
    app.clock.advance(days=200)
    said, start = [], threading.Barrier(2)

    def run():
        start.wait()
        sweep.run(app.database, app.clock(), dry_run=False, report=said.append)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([line for line in said if line.endswith("has lapsed")]) == 4
    for case_id in cases:
        events = [e["event"] for e in ok(company.get(f"/v1/applications/{case_id}/timeline"))["items"]]
        assert events.count("application.lapsed") == 1


def test_lapsing_is_looked_at_again_under_the_lock(app):
    company = app.set_up_company()
    case_id = asked(app, company)
    app.clock.advance(days=30)
    with app.database.read_session() as session:
        (found,) = application_deadlines.list_expiring(session, app.clock())
    answer_all(company, case_id)
    with app.database.session() as session:
        assert application_deadlines.lapse_application(session, SYSTEM, found.application_id, app.clock()) is False
        assert application_deadlines.lapse_application(session, SYSTEM, UUID(int=7), app.clock()) is False
        session.commit()
    assert company.application(case_id)["state"] == "in_review"


def ends_on(app, company, day):
    """The register comes to know the last day of the company's residency beforehand."""
    with app.database.session() as session:
        session.execute(
            sa.update(Residency).values(ends_on=day).where(Residency.organisation_id == UUID(company.organisation_id))
        )
        session.commit()


def test_a_residency_that_ran_out_suspends_its_certificates(app):
    company = app.set_up_company()
    number = app.certify(company)
    today = date(2026, 11, 22)
    ends_on(app, company, today + timedelta(days=2))
    app.clock.advance(days=2)
    assert swept(app) == ["0 done."]  # its last day
    assert app.verify(number)["verdict"] == "valid"
    app.clock.advance(days=1)
    dry = []
    sweep.run(app.database, app.clock(), dry_run=True, report=dry.append)
    assert dry[0].startswith("due: residency ") and dry[0].endswith(f"has ended: suspend {number}")
    assert app.verify(number)["verdict"] == "valid"
    assert swept(app)[0].endswith(f"has ended: {number} suspended")
    assert app.verify(number)["verdict"] == "suspended"
    assert swept(app) == ["0 done."]


def test_a_residency_restored_before_the_lock_keeps_its_certificates(app):
    company = app.set_up_company()
    number = app.certify(company)
    (residency,) = ok(app.registrar.get("/v1/residencies", params={"organisation_id": company.organisation_id}))[
        "items"
    ]
    with app.database.session() as session:
        hits = residency_cascade.expire_residency(
            session, SYSTEM, residency_id=UUID(residency["id"]), dry_run=False, now=app.clock()
        )
    assert hits == ()
    assert app.verify(number)["verdict"] == "valid"


def test_kept_answers_are_forgotten_after_a_day(app):
    company = app.set_up_company()
    body = {"name": "Hall 2", "district": "Ağdam", "park_code": "AGDAM-SP"}
    headers = {"Idempotency-Key": "hall-2"}
    made = company.post("/v1/sites", json=body, headers=headers)
    app.clock.advance(hours=23)
    assert swept(app) == ["0 done."]
    assert company.post("/v1/sites", json=body, headers=headers).json() == made.json()
    app.clock.advance(hours=2)
    assert swept(app) == ["responses stored for retries are deleted", "1 done."]
    with app.database.read_session() as session:
        assert session.scalars(sa.select(IdempotencyRecord)).all() == []


def test_sessions_are_forgotten_a_month_after_their_end(app):
    company = app.register()
    form = {"grant_type": "password", "username": f"member@{company.voen}.example", "password": PASSWORD}
    ok(app.anonymous.post("/v1/auth/token", data=form))  # lives for thirty days
    app.clock.advance(days=60)
    swept(app)  # the address that it confirmed when it registered
    assert swept(app) == ["0 done."]
    app.clock.advance(seconds=1)
    assert swept(app) == ["sessions ended more than a month ago are deleted", "1 done."]
    with app.database.read_session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(RefreshToken)) == 0
    assert swept(app) == ["0 done."]


def test_what_is_in_use_is_left_for_the_next_run(app, monkeypatch):
    company = app.set_up_company()
    cases = [company.draft(company.add_product()) for _ in range(2)]
    app.clock.advance(days=200)
    lapse = application_deadlines.lapse_application

    def busy(session, actor, application_id, now):
        if str(application_id) == cases[0]:
            raise sa.exc.OperationalError("", {}, TimeoutError("locked"))
        return lapse(session, actor, application_id, now)

    monkeypatch.setattr(application_deadlines, "lapse_application", busy)
    said = []
    assert sweep.run(app.database, app.clock(), dry_run=False, report=said.append) == 1
    assert [company.application(case_id)["state"] for case_id in cases] == ["draft", "lapsed"]
    assert said[0].startswith("in use, left for the next run: application ")


def test_the_command(app, monkeypatch):
    monkeypatch.setenv("MIK_DATABASE_URL", app.settings.sqlalchemy_url)
    monkeypatch.setenv("MIK_DATA_DIR", str(app.settings.data_dir))
    company = app.set_up_company()
    case_id = company.draft()
    monkeypatch.setattr(sweep, "utc_now", lambda: app.clock() + timedelta(days=200))
    dry = CliRunner().invoke(mik, ["admin", "sweep", "--dry-run"])
    assert (dry.exit_code, company.application(case_id)["state"]) == (0, "draft")
    done = CliRunner().invoke(mik, ["admin", "sweep"])
    assert done.exit_code == 0
    assert "has lapsed" in done.stdout
    assert company.application(case_id)["state"] == "lapsed"


def test_every_step_that_lapses_has_its_words():
    assert due_tasks.TIME_TO.keys() == {
        step.name for step in application_deadlines.load_deadline_steps() if step.lapses
    }


@pytest.mark.parametrize("value", ["maybe", "2", ""])
def test_a_filter_that_is_neither_true_nor_false_is_refused(app, value):
    refused(app.reviewer.get("/v1/applications", params={"overdue": value}), 422)
