"""Cases shared out, notes among the staff, questions about one field and answers with their files."""

from uuid import uuid4

import pytest

from app.auth.model import User
from app.core.actor import Role
from tests.applications.helpers import QUESTION, asked, claimed, second_reviewer
from tests.factories import ok
from tests.helpers import pointers, refused

pytestmark = pytest.mark.pg_sampled


def hand_over(caller, case_id, to, **more):
    return caller.post(f"/v1/applications/{case_id}/hand-over", json={"to": str(to)}, **{"version": "now"} | more)


def deeds(caller, case_id):
    return [entry["event"] for entry in ok(caller.get(f"/v1/applications/{case_id}/timeline"))["items"]]


def test_a_case_goes_from_hand_to_hand(app):
    case_id = claimed(app, app.set_up_company())
    second = second_reviewer(app)
    before = ok(app.reviewer.get(f"/v1/applications/{case_id}"))
    assert "hand-over" in before["allowed_actions"]
    app.clock.advance(hours=1)
    after = ok(hand_over(app.reviewer, case_id, second.id))
    assert (after["state"], after["assignee_id"]) == ("in_review", second.id)
    assert after["version"] == before["version"] + 1
    assert after["state_since"] == before["state_since"]  # still the same review
    assert "hand-over" not in after["allowed_actions"]
    refused(hand_over(app.reviewer, case_id, second.id), 403, "not-case-holder")
    second.act(f"/v1/applications/{case_id}/release")
    refused(hand_over(second, case_id, app.reviewer.id), 409, "wrong-state")


def test_only_an_active_reviewer_takes_a_case_over(app):
    case_id = claimed(app, app.set_up_company())
    gone = app.staff(Role.REVIEWER, name="gone")
    with app.database.session() as session:
        session.get(User, gone.subject.id).active = False
        session.commit()
    company = app.set_up_company()
    for to in (app.approver.id, company.id, gone.id, app.reviewer.id, uuid4()):
        assert pointers(refused(hand_over(app.reviewer, case_id, to), 422)) == ["/to"]
    refused(hand_over(app.reviewer, case_id, "x"), 422)
    refused(hand_over(app.reviewer, case_id, second_reviewer(app).id, version=None), 428)
    refused(hand_over(app.reviewer, case_id, second_reviewer(app).id, version=99), 412)
    for caller in (app.approver, app.owner, app.auditor):
        refused(hand_over(caller, case_id, app.reviewer.id, version=99), 403)
    refused(hand_over(company, case_id, app.reviewer.id, version=99), 404)
    assert ok(app.reviewer.get(f"/v1/applications/{case_id}"))["assignee_id"] == app.reviewer.id


def assign(caller, case_ids, to, **more):
    return caller.post("/v1/applications/assign", json={"application_ids": case_ids, "to": str(to)}, **more)


def test_many_cases_are_assigned_at_once(app):
    company = app.set_up_company()
    cases = [company.apply(company.add_product()) for _ in range(3)]
    second = second_reviewer(app)
    answer = ok(assign(app.reviewer, cases, second.id))
    assert [item["id"] for item in answer["items"]] == cases
    assert {(item["state"], item["assignee_id"]) for item in answer["items"]} == {("in_review", second.id)}
    assert all("application.assigned" in deeds(company, case_id) for case_id in cases)
    second.act(f"/v1/applications/{cases[0]}/release")  # whoever was given it works on it like on a case of their own


def test_a_colleagues_case_is_never_taken_and_nothing_is_half_done(app):
    company = app.set_up_company()
    free, draft, withdrawn = company.apply(), company.draft(), company.apply(company.add_product())
    held = claimed(app, company, company.add_product())
    company.act(f"/v1/applications/{withdrawn}/withdraw")
    unknown = str(uuid4())
    second = second_reviewer(app)
    document = refused(assign(second, [free, held, draft, withdrawn, unknown], second.id), 409, "not-assignable")
    assert {each["application_id"]: each["code"] for each in document["applications"]} == {
        held: "case-held",
        draft: "wrong-state",
        withdrawn: "wrong-state",
        unknown: "not-found",
    }
    assert all(each["detail"] for each in document["applications"])
    assert ok(second.get(f"/v1/applications/{free}"))["state"] == "submitted"
    assert ok(second.get(f"/v1/applications/{held}"))["assignee_id"] == app.reviewer.id
    assert "application.assigned" not in deeds(company, free)
    assert pointers(refused(assign(second, [free, free], second.id), 422)) == ["/application_ids"]
    assert pointers(refused(assign(second, [free], app.approver.id), 422)) == ["/to"]
    refused(assign(second, [], second.id), 422)
    for caller in (app.approver, app.auditor, company):
        refused(assign(caller, [free], second.id), 403)
    assert ok(second.get(f"/v1/applications/{free}"))["state"] == "submitted"


def test_assigning_again_with_the_same_key_answers_the_same(app):
    case_id = app.set_up_company().apply()
    headers = {"Idempotency-Key": "assign-1"}
    first = assign(app.reviewer, [case_id], app.reviewer.id, headers=headers)
    again = assign(app.reviewer, [case_id], app.reviewer.id, headers=headers)
    assert ok(first) == ok(again)
    assert again.headers["Idempotent-Replayed"] == "true"
    refused(assign(app.reviewer, [case_id], app.reviewer.id), 409, "not-assignable")


def test_notes_are_for_the_staff_alone(app):
    company = app.set_up_company()
    case_id = claimed(app, company)
    path = f"/v1/applications/{case_id}/notes"
    version = company.version_of(f"/v1/applications/{case_id}")
    seen = deeds(company, case_id)
    for writer in (app.reviewer, app.approver, app.registrar, app.owner):
        note = writer.post(path, json={"text": f"Seen by {writer.id}.\nNothing odd."})
        assert note.status_code == 201
        assert note.json()["internal"] is True
    items = ok(app.auditor.get(path))["items"]
    assert [item["text"].split()[2][:-1] for item in items] == [
        each.id for each in (app.reviewer, app.approver, app.registrar, app.owner)
    ]
    assert [item["author"] for item in items] == ["Reviewer", "Approver", "Registrar", "Owner"]
    assert deeds(company, case_id) == seen  # the company does not learn that something was noted
    assert deeds(app.reviewer, case_id)[-4:] == ["case.noted"] * 4
    assert company.version_of(f"/v1/applications/{case_id}") == version
    refused(app.auditor.post(path, json={"text": "x"}), 403)
    refused(app.inspector.get(path), 403)
    refused(company.get(path), 403)
    refused(company.post(path, json={"text": "x"}), 403)
    refused(app.set_up_company().get(path), 404)
    for text in ("", " ", "a\0b", "\ud800", None, 1, "x" * 4_001):
        refused(app.reviewer.post(path, content=_json({"text": text}), headers=JSON), 422)
    assert len(ok(app.auditor.get(path))["items"]) == 4


JSON = {"Content-Type": "application/json"}


def _json(body):
    import json  # noqa: PLC0415 (the client's own encoder refuses lone surrogates)

    return json.dumps(body)


def test_notes_come_in_pages(app):
    case_id = claimed(app, app.set_up_company())
    path = f"/v1/applications/{case_id}/notes"
    for n in range(3):
        ok(app.reviewer.post(path, json={"text": str(n)}))
    first = app.auditor.get(path, params={"limit": 2})
    assert [item["text"] for item in ok(first)["items"]] == ["0", "1"]
    following = app.auditor.get(first.headers["Link"].split(">")[0].removeprefix("<"))
    assert [item["text"] for item in ok(following)["items"]] == ["2"]
    assert "Link" not in following.headers


def test_why_a_case_was_returned_is_among_the_notes(app):
    case_id = claimed(app, app.set_up_company())
    app.review(case_id)
    app.approver.act(f"/v1/applications/{case_id}/return", {"reason": "The cost statement does not add up."})
    (said,) = ok(app.reviewer.get(f"/v1/applications/{case_id}/notes"))["items"]
    assert (said["text"], said["author"]) == ("The cost statement does not add up.", "Approver")


def test_a_question_says_what_it_is_about_and_an_answer_on_what_it_rests(app):
    company = app.set_up_company()
    case_id = company.apply()
    (product_id,) = company.application(case_id)["product_ids"]
    app.reviewer.act(f"/v1/applications/{case_id}/claim")
    questions = [
        {"text": "Where does the coil come from?", "product_id": product_id, "field": "/materials"},
        {"text": "Since when does the hall run?", "field": "/site/production_started_on"},
        {"text": "Anything else?"},
    ]
    app.reviewer.act(f"/v1/applications/{case_id}/request-information", {"questions": questions})
    waiting = company.application(case_id)["questions"]
    assert [(q["field"], q["product_id"]) for q in waiting] == [
        ("/materials", product_id),
        ("/site/production_started_on", None),
        (None, None),
    ]
    assert {q["evidence_ids"] is None for q in waiting} == {True}
    file_id = ok(company.add_evidence(case_id))["id"]
    answers = [{"question_id": q["id"], "text": "See the file."} for q in waiting]
    answers[0]["evidence_ids"] = [file_id, file_id]
    company.declare(case_id)  # with the file
    company.act(f"/v1/applications/{case_id}/respond", {"answers": answers})
    answered = ok(app.reviewer.get(f"/v1/applications/{case_id}"))["questions"]
    assert [q["evidence_ids"] for q in answered] == [[file_id], [], []]
    assert {q["answer"] for q in answered} == {"See the file."}


@pytest.mark.parametrize(
    ("question", "pointer"),
    [
        ({"field": "/materials"}, "/questions/0/product_id"),
        ({"field": "/nonsense"}, "/questions/0/field"),
        ({"field": ""}, "/questions/0/field"),
        ({"field": 1}, "/questions/0/field"),
        ({"product_id": str(uuid4())}, "/questions/0/product_id"),
    ],
)
def test_a_question_about_nothing_is_refused(app, question, pointer):
    case_id = claimed(app, app.set_up_company())
    body = {"questions": [QUESTION | question]}
    answer = app.reviewer.post(f"/v1/applications/{case_id}/request-information", json=body, version="now")
    assert pointers(refused(answer, 422)) == [pointer]


def test_an_answer_names_files_of_its_own_application_and_each_question_once(app):
    company = app.set_up_company()
    foreign = ok(company.add_evidence(company.draft(company.add_product())))["id"]
    case_id = asked(app, company, QUESTION, {"text": "And where?"})
    first, second = (q["id"] for q in company.application(case_id)["questions"])
    path = f"/v1/applications/{case_id}/respond"

    def respond(*answers):
        return refused(company.post(path, json={"answers": list(answers)}, version="now"), 422)

    full = [{"question_id": first, "text": "On 1 March."}, {"question_id": second, "text": "In hall 2."}]
    assert pointers(respond({**full[0], "evidence_ids": [foreign]}, full[1])) == ["/answers/0/evidence_ids/0"]
    assert pointers(respond(full[0], full[0], full[1])) == ["/answers/1/question_id"]
    assert pointers(respond(full[0])) == ["/answers"]
    stranger = {"question_id": str(uuid4()), "text": "x"}
    assert pointers(respond(*full, stranger)) == ["/answers/2/question_id"]
    company.act(path, {"answers": full})
