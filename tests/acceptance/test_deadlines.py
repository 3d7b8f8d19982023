"""A question that nobody answers ends the application; a case that waits for the staff never does.

The clock stands on Sunday, 22 November 2026.
"""

from app.cli.admin import sweep
from tests.factories import ok

QUESTION = {"questions": [{"text": "Where does the coil come from?"}]}


def swept(app):
    """What `mik admin sweep` says, run as of now."""
    said = []
    assert sweep.run(app.database, app.clock(), dry_run=False, report=said.append) == 0
    return said


def test_nobody_answers_and_the_application_lapses(app):
    company = app.set_up_company()
    tube = company.add_product()
    case = company.apply(tube)
    app.reviewer.act(f"/v1/applications/{case}/claim")
    asked = app.reviewer.act(f"/v1/applications/{case}/request-information", QUESTION)

    # The company is told by when: ten working days, until the end of Friday, 4 December, in Baku.
    waiting = company.application(case)
    assert (waiting["waiting_on"], waiting["clock"], waiting["overdue"]) == ("applicant", "stopped", False)
    assert waiting["due_at"] == asked["due_at"] == "2026-12-04T20:00:00Z"

    # The hourly sweep leaves it alone until that moment, and not a minute longer.
    app.clock.now = app.clock.now.replace(month=12, day=4, hour=19, minute=59)
    assert swept(app) == ["reminders of deadlines: 1 recorded", "1 done."]
    app.clock.advance(minutes=1)
    assert company.application(case)["overdue"] is True
    assert swept(app) == [f"application {waiting['number']} has lapsed", "1 done."]

    # It is over for everybody: the company cannot answer any more, the reviewer has it off the desk.
    lapsed = company.application(case)
    assert (lapsed["state"], lapsed["allowed_actions"], lapsed["waiting_on"]) == ("lapsed", [], None)
    late = {"answers": [{"question_id": waiting["questions"][0]["id"], "text": "From Türkiye."}]}
    refusal = company.post(f"/v1/applications/{case}/respond", version="now", json=late)
    assert (refusal.status_code, refusal.json()["code"]) == (409, "wrong-state")
    assert ok(app.reviewer.get("/v1/applications?assignee=me&state=in_review"))["items"] == []

    # Nothing is lost for good: the product is free, and the company may ask anew.
    again = company.apply(tube)
    app.review(again)
    assert app.verify(app.approve(again)["certificates"][0])["verdict"] == "valid"


def test_the_clock_stands_still_while_the_company_has_the_word(app):
    company = app.set_up_company()
    case = company.apply()
    app.clock.advance(days=2)  # Monday and Tuesday with the staff
    app.reviewer.act(f"/v1/applications/{case}/claim")
    app.reviewer.act(f"/v1/applications/{case}/request-information", QUESTION)

    # Nine days with the company do not count as time of the staff, nor are they added to its age …
    app.clock.advance(days=9)
    assert ok(app.reviewer.get(f"/v1/applications/{case}"))["age_working_days"] == 2
    (question,) = company.application(case)["questions"]
    answer = {"answers": [{"question_id": question["id"], "text": "From Türkiye."}]}
    assert company.act(f"/v1/applications/{case}/respond", answer)["clock"] == "running"
    assert ok(app.reviewer.get(f"/v1/applications/{case}"))["age_working_days"] == 2

    # … and however long the staff then take, it is the staff who are late: the company's application does not lapse.
    app.clock.advance(days=200)
    late = ok(app.reviewer.get("/v1/applications?overdue=true"))["items"]
    assert [(each["id"], each["clock"]) for each in late] == [(case, "running")]
    swept(app)
    assert company.application(case)["state"] == "in_review"
