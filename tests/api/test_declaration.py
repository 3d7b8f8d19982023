"""The declaration before an application is submitted, and the waiver of a site visit."""

import pytest

from app.applications.declaration import load_declaration_text
from tests.factories import PDF, in_state, ok, product, program_of
from tests.helpers import count, execute, refused, rows

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]


@pytest.fixture(scope="module")
def company(shared_app):
    return shared_app.set_up_company()


@pytest.fixture
def draft(shared_app, company):
    draft = company.draft()
    shared_app.document_products(company, draft)
    return draft


def path_of(draft):
    return f"/v1/applications/{draft}/declaration"


def present(caller, draft):
    answer = ok(caller.get(path_of(draft)))
    return {name: answer[name] for name in ("text_version", "declared_hash")}


def submit(caller, draft):
    return caller.post(f"/v1/applications/{draft}/submit", version="now")


def test_the_text_comes_in_both_languages_with_the_hash_to_declare(company, draft):
    answer = ok(company.get(path_of(draft)))
    assert answer["text"] == dict(load_declaration_text().text)
    assert answer["text"]["en"] == (
        "All facts and documents are true and complete; changes will be told; checks on site are allowed; "
        "false statements lead to revocation."
    )
    assert set(answer["text"]) == {"az", "en"}
    assert (answer["text_version"], answer["declaration"]) == ("2026.1", None)
    assert len(answer["declared_hash"]) == 64


def test_a_member_declares_and_then_submits(company, draft):
    made = company.declare(draft)["declaration"]
    assert (made["method"], made["made_by"], made["covers_present"]) == ("click", company.id, True)
    assert ok(company.get(path_of(draft)))["declaration"] == made
    assert ok(submit(company, draft))["state"] == "submitted"
    assert "application.declared" in [each["event"] for each in _timeline(company, draft)]


def _timeline(company, draft):
    return ok(company.get(f"/v1/applications/{draft}/timeline"))["items"]


def test_an_api_client_submits_only_what_a_member_has_declared(company, draft):
    program = program_of(company)
    document = refused(submit(program, draft), 409, "declaration-missing")
    named = {name: document[name] for name in ("text_version", "declared_hash")}
    assert named == present(company, draft) == present(program, draft)
    refused(program.post(path_of(draft), json=named), 403)
    ok(company.post(path_of(draft), json=named))
    assert ok(submit(program, draft))["state"] == "submitted"


def test_a_member_too_declares_first(company, draft):
    refused(submit(company, draft), 409, "declaration-missing")


def test_what_changes_afterwards_is_declared_again(company, draft):
    company.declare(draft)
    [product_id] = company.application(draft)["product_ids"]
    coil = product(company.site_id)["materials"][0] | {"weight_kg": "1040"}
    heavier = product(company.site_id, materials=[coil])
    ok(company.put(f"/v1/products/{product_id}", json=heavier, version="now"))
    document = refused(submit(company, draft), 409, "declaration-missing")
    assert ok(company.get(path_of(draft)))["declaration"]["covers_present"] is False
    assert document["declared_hash"] == present(company, draft)["declared_hash"]
    company.declare(draft)
    ok(submit(company, draft))


def test_a_document_added_afterwards_is_declared_again(company, draft):
    company.declare(draft)
    ok(company.add_evidence(draft, PDF + b"new"))
    refused(submit(company, draft), 409, "declaration-missing")


def test_another_hash_or_an_old_text_is_refused_with_the_present_ones(shared_app, company, draft):
    now = present(company, draft)
    for wrong in ({"declared_hash": "0" * 64}, {"text_version": "2025.1"}):
        document = refused(company.post(path_of(draft), json=now | wrong), 409, "declaration-outdated")
        assert {name: document[name] for name in now} == now
    for wrong in ({"declared_hash": "short"}, {"text_version": ""}, {"surprise": 1}):
        refused(company.post(path_of(draft), json=now | wrong), 422)
    assert ok(company.get(path_of(draft)))["declaration"] is None


def test_who_declares_and_who_reads(shared_app, company, draft):
    app, now = shared_app, present(company, draft)
    stranger = app.set_up_company(evidence=False)
    refused(app.anonymous.post(path_of(draft), json=now), 401)
    for caller in (stranger, program_of(stranger)):
        refused(caller.get(path_of(draft)), 404)
    refused(stranger.post(path_of(draft), json=now), 404)
    for caller in (app.reviewer, app.registrar, app.owner):
        refused(caller.post(path_of(draft), json=now), 403)
        assert present(caller, draft) == now
    refused(app.inspector.get(path_of(draft)), 403)


def test_nothing_is_declared_for_an_application_that_is_over(shared_app, company):
    case_id = in_state(shared_app, company, "withdrawn")
    refused(company.post(path_of(case_id), json=present(company, case_id)), 409, "application-frozen")


def test_work_of_the_staff_never_undoes_a_declaration(app):
    """C-16-04: they confirm with other values, look up, visit, and import; the company uploads for other purposes."""
    company = app.set_up_company()
    draft = company.draft()
    permit = company.upload_for(draft, "permit", issued_on="2026-01-01", number="E-1")
    company.submit(draft)
    before = present(company, draft)
    app.confirm_evidence(permit, number="E-2", valid_until="2027-01-01")
    app.add_staff_evidence(company, "tax-status", "inspection-record", case_id=draft)
    app.registrar.act(f"/v1/evidence/{permit['id']}/withdraw-confirmation")
    app.clock.advance(days=3)
    company.upload("permit", issued_on="2026-02-02")  # of the company: not in what was declared
    assert present(company, draft) == before
    assert ok(company.get(path_of(draft)))["declaration"]["covers_present"] is True


def test_an_answer_needs_a_declaration_over_what_was_changed(app):
    company = app.set_up_company()
    case_id = in_state(app, company, "information_requested")
    [question] = company.application(case_id)["questions"]
    ok(company.add_evidence(case_id, PDF + b"asked for"))
    path = f"/v1/applications/{case_id}/respond"
    body = {"answers": [{"question_id": question["id"], "text": "In March 2024."}]}
    refused(company.post(path, json=body, version="now"), 409, "declaration-missing")
    company.declare(case_id)
    assert ok(company.post(path, json=body, version="now"))["state"] == "in_review"


def test_declarations_are_never_rewritten(app):
    company = app.set_up_company(evidence=False)
    draft = company.draft()
    company.declare(draft)
    company.declare(draft)
    assert count(app, "declarations") == 2  # each stays
    for statement in ("UPDATE declarations SET text_version = 'x'", "DELETE FROM declarations"):
        with pytest.raises(Exception, match="never changed"):
            execute(app, statement)


# Waiver of the visit

WAIVED = {"reason": "The municipality saw the yard in October."}


def waive(caller, case_id, body=WAIVED, **more):
    return caller.post(f"/v1/applications/{case_id}/visit-waiver", json=body, **({"version": "now"} | more))


def test_the_owner_waives_a_visit_and_the_decision_says_why(app):
    company = app.set_up_company()
    case_id = in_state(app, company, "in_review")
    assert ok(waive(app.owner, case_id))["visit_waiver"]["waived_by"] == app.owner.id
    refused(waive(app.owner, case_id), 409, "already-waived")
    app.review(case_id)
    app.approve(case_id)
    shown = company.application(case_id)
    assert shown["visit_waiver"]["reason"] == shown["decision"]["visit_waiver"]["reason"] == WAIVED["reason"]
    assert shown["visit_waiver"]["waived_by"] is None  # staff only
    [(event,)] = rows(app, "SELECT data FROM audit_events WHERE event = 'case.visit_waived'")
    assert WAIVED["reason"] not in str(event)
    with pytest.raises(Exception, match="never changed"):
        execute(app, "UPDATE visit_waivers SET reason = 'x'")


def test_a_waiver_voids_a_recommendation_made_before(app):
    company = app.set_up_company()
    case_id = in_state(app, company, "recommended")
    ok(waive(app.owner, case_id))
    refused(app.approver.post(f"/v1/applications/{case_id}/approve", version="now"), 409, "dossier-changed")


def test_who_may_waive_and_when(app):
    company = app.set_up_company()
    draft, case_id = company.draft(), in_state(app, company, "submitted")
    refused(app.anonymous.post(f"/v1/applications/{case_id}/visit-waiver", json=WAIVED), 401)
    refused(waive(app.owner, draft), 409, "application-frozen")
    for caller in (company, app.reviewer, app.approver, app.registrar, app.auditor):
        refused(waive(caller, case_id, version=1), 403)
    refused(waive(app.owner.without_factor(), case_id), 403, "second-factor-required")
    refused(waive(app.owner, case_id, version=None), 428)
    refused(waive(app.owner, case_id, version=99), 412)
    refused(waive(app.owner, case_id, {"reason": " "}), 422)
    reviewer = app.staff("reviewer", "owner", name="reviewer-and-owner")
    reviewer.act(f"/v1/applications/{case_id}/claim")
    refused(waive(reviewer, case_id), 403, "four-eyes")
    ok(waive(app.owner, case_id))
