"""Evidence items through the API: stated by the company, confirmed by staff, read by the rules, kept in the dossier."""

import json
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.applications.model import Evidence  # past the service on purpose
from app.core.actor import Role
from app.schemes.evidence_kinds import EvidenceScope, load_evidence_kinds
from tests.factories import COMPANY_DOCUMENTS, LONG_AGO, PDF, STAFF_DOCUMENTS, ok, other_reviewer, upload
from tests.helpers import count, refused, rows
from tests.played import played

pytestmark = pytest.mark.pg_sampled
STRUCTURE = {
    "names": {"az": "Polad konstruksiya", "en": "Steel structure"},
    "hs6": "730890",
    "steps": [
        {
            "name": "Fabricating",
            "operation": "structure_welding",
            "country": "AZ",
            "district": "Ağdam",
            "is_essential": True,
        }
    ],
}

PERMIT = {"issued_on": "2025-03-01", "valid_until": "2027-02-28", "number": "E-4"}


@played
def company(app):
    return app.set_up_company(evidence=False)


def path_of(item, deed=""):
    return f"/v1/evidence/{item['id']}{deed}"


def outcomes(app, case_id):
    """Rule → outcome, newest assessment of the (only) product."""
    judged = ok(app.reviewer.get(f"/v1/applications/{case_id}/assessment"))["items"][-1]
    return {rule["rule"]: rule["outcome"] for rule in judged["rules"]}


def tried(company, product_id, scheme="MIK"):
    """Rule → (outcome, reason) before applying."""
    answer = company.post(f"/v1/schemes/{scheme}/assessments", json={"product_ids": [product_id]})
    [judged] = ok(answer)["items"]
    return {rule["rule"]: (rule["outcome"], rule["reason"]) for rule in judged["rules"]}, judged


def test_an_item_is_stated_confirmed_and_withdrawn(app, company):
    item = company.upload("permit", **PERMIT)
    assert (item["confirmed_at"], item["confirmed_by"], item["version"]) == (None, None, 1)
    assert (item["organisation_id"], item["application_id"]) == (company.organisation_id, None)
    assert {name: item[name] for name in PERMIT} == PERMIT
    confirmed = app.registrar.act(path_of(item, "/confirm"), {"valid_until": "2027-01-31"})
    assert (confirmed["valid_until"], confirmed["number"], confirmed["version"]) == ("2027-01-31", "E-4", 2)
    assert confirmed["confirmed_by"] == app.registrar.id
    seen = ok(company.get(path_of(item)))
    assert (seen["confirmed_by"], seen["confirmed_at"]) == (None, confirmed["confirmed_at"])  # staff are not named
    withdrawn = app.reviewer.act(path_of(item, "/withdraw-confirmation"))
    assert (withdrawn["confirmed_at"], withdrawn["confirmed_by"], withdrawn["version"]) == (None, None, 3)
    history = rows(app, "SELECT event FROM audit_events WHERE subject_type = 'evidence' ORDER BY seq")
    assert [event for (event,) in history] == [
        "evidence.added",
        "evidence.confirmed",
        "evidence.confirmation_withdrawn",
    ]


def test_refusals_come_in_their_order(app, company):
    item = company.upload("volume-statement", about=company.add_product(), issued_on="2026-01-01")
    confirm, withdraw = path_of(item, "/confirm"), path_of(item, "/withdraw-confirmation")
    stranger = app.set_up_company(evidence=False)
    for path in (confirm, withdraw):
        refused(app.anonymous.post(path, json={}), 401)
        refused(stranger.post(path, json={}), 404, "not-found")
        refused(app.registrar.post("/v1/evidence/nonsense/confirm", json={}), 404)
        for caller in (company, app.approver, app.owner, app.auditor, app.inspector):
            refused(caller.post(path, json={}), 403)
        refused(app.registrar.post(path, json={"surprise": 1}), 428)
        refused(app.registrar.post(path, json={"surprise": 1}, version=2), 412)
    refused(app.registrar.post(withdraw, version=1), 409, "not-confirmed")
    document = refused(app.registrar.post(confirm, json={}, version=1), 422)
    assert document["errors"] == [
        {"pointer": "/values/claimed_volume", "code": "required", "detail": "This is needed."}
    ]
    for body in ({"surprise": 1}, {"values": []}, {"issued_on": "2026-13-01"}, {"values": {"claimed_volume": "many"}}):
        refused(app.registrar.post(confirm, json=body, version=1), 422)
    ok(app.registrar.post(confirm, json={"values": {"claimed_volume": 12.5}}, version=1))
    refused(app.registrar.post(confirm, json={}, version=2), 409, "already-confirmed")
    assert ok(company.get(path_of(item)))["values"] == {"claimed_volume": "12.5"}


def test_two_who_confirm_at_once_do_not_overwrite_each_other(app, company):
    item = company.upload("permit", **PERMIT)
    ok(app.registrar.post(path_of(item, "/confirm"), json={}, version=1))
    refused(other_reviewer(app).post(path_of(item, "/confirm"), json={"number": "X"}, version=1), 412)


def test_a_retry_gets_the_answer_of_the_first_try(app, company):
    item = company.upload("permit", **PERMIT)
    key = {"Idempotency-Key": "confirm-1"}
    first = app.registrar.post(path_of(item, "/confirm"), json={}, version=1, headers=key)
    again = app.registrar.post(path_of(item, "/confirm"), json={}, version=1, headers=key)
    assert ok(first) == ok(again)
    assert again.headers["Idempotent-Replayed"] == "true"
    upload = {"files": {"file": ("p.pdf", PDF)}, "data": {"kind": "other"}, "headers": {"Idempotency-Key": "up-1"}}
    path = f"/v1/organisations/{company.organisation_id}/evidence"
    assert ok(company.post(path, **upload))["id"] == ok(company.post(path, **upload))["id"]


def test_the_same_item_twice_is_one_and_another_reading_is_another(app, company):
    first = company.upload("permit", **PERMIT)
    assert company.upload("permit", **PERMIT)["id"] == first["id"]
    assert company.upload("permit", **PERMIT | {"number": "E-5"})["id"] != first["id"]
    assert count(app, "evidence") == 2


def test_each_kind_is_supplied_by_its_side(app, company):
    product_id = company.add_product()
    case_id = company.draft(product_id)
    place = f"/v1/organisations/{company.organisation_id}/evidence"
    subjects = {EvidenceScope.SITE: {"site_id": company.site_id}, EvidenceScope.COMPANY: {}, EvidenceScope.ANY: {}}
    for kind in load_evidence_kinds().values():
        subject = subjects.get(kind.scope, {"product_id": product_id})
        form = {"files": {"file": ("p.pdf", PDF)}, "data": {"kind": kind.code} | subject}
        for path in (place, f"/v1/applications/{case_id}/evidence"):
            answer = company.post(path, **form)
            if "applicant" in kind.supplied_by:
                ok(answer)
            else:
                assert "supplied by the staff" in refused(answer, 422)["detail"]
        if "staff" not in kind.supplied_by:
            assert "supplied by the applicant" in refused(app.registrar.post(place, **form), 422)["detail"]
    refused(company.post(place, files={"file": ("p.pdf", PDF)}, data={"kind": "horoscope"}), 422)
    listed = ok(app.anonymous.get("/v1/evidence-kinds"))["items"]
    assert [each["code"] for each in listed] == list(load_evidence_kinds())


def test_what_staff_look_up_is_confirmed_by_another_of_them(app, company):
    path = f"/v1/organisations/{company.organisation_id}/evidence"
    alone = app.staff(Role.REGISTRAR, Role.REVIEWER, name="both-roles")
    item = upload(alone, path, "tax-status", PDF, None, STAFF_DOCUMENTS["tax-status"] | {"issued_on": "2026-11-22"})
    assert (item["confirmed_at"], item["confirmed_by"]) == (None, None)
    refused(alone.post(path_of(item, "/confirm"), json={}, version=1), 403, "four-eyes")
    assert app.confirm_evidence(item)["confirmed_by"] == app.registrar.id
    himself = sa.text("UPDATE evidence SET confirmed_by = uploaded_by")  # past the service
    with app.database.session() as session, pytest.raises(sa.exc.IntegrityError, match="confirmed_by_another"):
        session.execute(himself)
    files = {"file": ("p.pdf", PDF)}
    values = json.dumps({"taxpayer_status": "active"})
    wrong = app.registrar.post(path, files=files, data={"kind": "tax-status", "values": values})
    assert refused(wrong, 422)["errors"] == [{"pointer": "/issued_on", "code": "required", "detail": "This is needed."}]
    form = {"kind": "tax-status", "values": values, "issued_on": "2026-11-23"}
    assert refused(app.registrar.post(path, files=files, data=form), 422)["errors"][0]["pointer"] == "/issued_on"
    for values in ("[1]", "{", '{"a": NaN}', '{"a": 1, "a": 2}', "[" * 40):
        document = refused(app.registrar.post(path, files=files, data={"kind": "other", "values": values}), 422)
        assert document["errors"][0]["pointer"] == "/values"


def test_dates_and_numbers_that_cannot_be_right(app, company):
    path = f"/v1/organisations/{company.organisation_id}/evidence"
    for form, pointer in (
        ({"issued_on": "2025-01-02", "valid_until": "2025-01-01"}, "/valid_until"),
        ({"issued_on": "2026-11-23"}, "/issued_on"),
        ({"number": "a\u0000b"}, "/number"),
        ({"number": "x" * 101}, "/number"),
        ({"values": '{"colour": "red"}'}, "/values/colour"),
    ):
        about = {"kind": "permit", "site_id": company.site_id}
        answer = company.post(path, files={"file": ("p.pdf", PDF)}, data=about | form)
        assert refused(answer, 422)["errors"][0]["pointer"] == pointer, form
    assert count(app, "evidence") == 0


def test_who_sees_the_evidence_of_a_company(app, company):
    item = company.upload("permit", **PERMIT)
    stranger = app.set_up_company(evidence=False)
    place = f"/v1/organisations/{company.organisation_id}/evidence"
    for path in (place, path_of(item), path_of(item, "/file")):
        refused(app.anonymous.get(path), 401)
        refused(stranger.get(path), 404)
        refused(app.inspector.get(path), 403)
        for caller in (company, app.registrar, app.reviewer, app.approver, app.owner, app.auditor):
            assert caller.get(path).status_code == 200
    refused(stranger.post(place, files={"file": ("p.pdf", PDF)}, data={"kind": "other"}), 404)
    for caller in (app.approver, app.owner, app.auditor, app.inspector):
        refused(caller.post(place, files={"file": ("p.pdf", PDF)}, data={"kind": "other"}), 403)
    file = company.get(path_of(item, "/file"))
    assert file.content == PDF
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert [each["id"] for each in ok(company.get(place))["items"]] == [item["id"]]


def test_evidence_about_a_product_speaks_for_that_product_only(app):
    company = app.set_up_company(evidence=False)
    one, other, third = (company.add_product() for _ in range(3))
    ending = company.upload("conformity-document", about=one, issued_on="2026-05-01", valid_until="2026-12-01")
    open_end = company.upload("conformity-document", about=[other, third], issued_on="2026-05-01")
    for item in (ending, open_end):
        app.confirm_evidence(item)
    found = {product_id: tried(company, product_id)[0]["C-11"][0] for product_id in (one, other, third)}
    assert found == {one: "manual", other: "pass", third: "pass"}
    assert tried(company, company.add_product())[0]["C-11"][0] == "incomplete"
    stranger = app.set_up_company(evidence=False)
    path = f"/v1/organisations/{company.organisation_id}/evidence"
    form = {"kind": "photo", "product_id": stranger.add_product()}
    answer = company.post(path, files={"file": ("p.pdf", PDF)}, data=form)
    assert refused(answer, 422)["errors"][0]["pointer"] == "/product_ids"


def test_before_applying_the_rules_say_what_is_missing(company):
    judged, whole = tried(company, company.add_product())
    assert whole["outcome"] == "incomplete"
    assert {rule for rule, (outcome, _) in judged.items() if outcome == "incomplete"} == {
        *("C-03", "C-11", "C-12", "C-16", "C-17", "K-10", "K-11")
    }
    assert judged["C-11"][1] == ("The product standard or test report is missing: add it. (criterion C-11)")
    assert judged["C-02"][0] == judged["K-09"][0] == "manual"
    assert whole["holds_until"] is None
    # There is nothing to declare before there is an application, but the cost statement can be asked for.
    assert judged["C-16"][1] == "The signed cost statement of the accountant is missing. (criterion C-16)"
    assert [rule for rule, (outcome, _) in judged.items() if outcome == "not_assessed"] == []


def test_what_is_the_applicants_to_supply_must_be_there_at_submission(company):
    case_id = company.draft()
    path = f"/v1/applications/{case_id}/submit"

    def missing():
        company.declare(case_id)
        document = refused(company.post(path, version="now"), 409, "incomplete")
        return [finding["rule"] for finding in document["findings"]]

    assert missing() == ["C-03", "C-11", "C-16", "K-10", "K-11"]
    for kind in ("authority-to-sign", "conformity-document", "permit", "cost-statement"):
        company.upload_for(case_id, kind, **COMPANY_DOCUMENTS[kind])
    assert missing() == ["K-10"]
    # A capacity that waits for staff does not stand for the volume, nor one in another unit for that in tonnes.
    company.upload_for(case_id, "capacity-statement", **COMPANY_DOCUMENTS["capacity-statement"], unit="m3")
    assert missing() == ["K-10"]
    company.upload_for(case_id, "capacity-statement", **COMPANY_DOCUMENTS["capacity-statement"], unit="t")
    assert missing() == ["K-10"]
    company.upload_for(case_id, "volume-statement", **COMPANY_DOCUMENTS["volume-statement"])
    assert company.submit(case_id)["state"] == "submitted"


def test_what_staff_confirm_and_look_up_is_asked_for_before_a_recommendation(app, company):
    case_id = company.draft()
    units = {"capacity-statement": {"unit": "t"}}
    laid = [
        company.upload_for(case_id, kind, **details, **units.get(kind, {}))
        for kind, details in COMPANY_DOCUMENTS.items()
    ]
    app.registrar.get(path_of(laid[0]))
    refused(app.registrar.post(path_of(laid[0], "/confirm"), json={}, version=1), 409, "application-frozen")
    company.submit(case_id)
    app.reviewer.act(f"/v1/applications/{case_id}/claim")
    verdict = {"product_id": company.application(case_id)["product_ids"][0], "outcome": "approve"}
    recommend = {"json": {"products": [verdict]}, "version": "now"}
    answer = app.reviewer.post(f"/v1/applications/{case_id}/recommend", **recommend)
    missing = [finding["rule"] for finding in refused(answer, 409, "incomplete")["findings"]]
    assert sorted(missing) == ["C-02", "C-03", "C-11", "C-12", "C-16", "C-17", "K-09", "K-10", "K-11"]
    for item in laid:
        app.confirm_evidence(item)
    app.add_staff_evidence(company, *STAFF_DOCUMENTS, case_id=case_id)
    app.reviewer.act(f"/v1/applications/{case_id}/recommend", {"products": [verdict]})
    assert len(app.approve(case_id)["certificates"]) == 1
    assert set(outcomes(app, case_id).values()) == {"pass", "not_applicable"}
    form = {"files": {"file": ("p.pdf", PDF)}, "data": {"kind": "other"}}
    refused(app.reviewer.post(f"/v1/applications/{case_id}/evidence", **form), 409, "application-frozen")


def test_staff_add_to_cases_and_to_no_drafts(app):
    company = app.set_up_company()
    draft = company.draft()
    form = {"files": {"file": ("p.pdf", PDF)}, "data": {"kind": "other"}}
    refused(app.reviewer.post(f"/v1/applications/{draft}/evidence", **form), 409, "application-frozen")
    refused(company.post(f"/v1/applications/{draft}/evidence", **form | {"data": {"kind": "tax-status"}}), 422)
    refused(app.approver.post(f"/v1/applications/{draft}/evidence", **form), 403)
    refused(app.set_up_company().post(f"/v1/applications/{draft}/evidence", **form), 404)
    company.submit(draft)
    item = ok(app.registrar.post(f"/v1/applications/{draft}/evidence", **form))
    assert item["application_id"] == draft
    assert item["id"] in [each["id"] for each in company.application(draft)["evidence"]]


@pytest.mark.parametrize("deed", ["withdraw", "add", "confirm"])
def test_a_recommendation_falls_with_the_evidence_it_stands_on(app, deed):
    company = app.set_up_company()
    waiting = company.upload("other")
    case_id = company.apply()
    app.review(case_id)
    permit = next(
        each
        for each in ok(company.get(f"/v1/organisations/{company.organisation_id}/evidence"))["items"]
        if each["kind"] == "permit"
    )
    if deed == "withdraw":
        app.registrar.act(path_of(permit, "/withdraw-confirmation"))
    elif deed == "add":
        app.add_staff_evidence(company, "background-check", case_id=case_id)
    else:
        app.confirm_evidence(waiting)
    answer = app.approver.post(f"/v1/applications/{case_id}/approve", version="now")
    refused(answer, 409, "not-eligible" if deed == "withdraw" else "dossier-changed")
    assert company.application(case_id)["state"] == "in_review"
    assert count(app, "certificates") == 0


def test_what_waits_or_is_said_again_leaves_a_recommendation_alone(app):
    """A company cannot void a recommendation by uploading, nor the registrar by saying the same of a residency, nor
    both with the documents of another product or site."""
    company = app.set_up_company()
    case_id = company.apply()
    app.review(case_id)
    other = company.upload("conformity-document", about=company.add_product(), issued_on="2026-01-01")
    app.confirm_evidence(other)
    app.confirm_evidence(company.upload("permit", site=company.add_site(name="Hall 2"), **PERMIT))
    company.upload("permit", issued_on="2026-11-01")
    [residency] = ok(app.registrar.get(f"/v1/residencies?organisation_id={company.organisation_id}"))["items"]
    app.clock.advance(days=2)
    answer = app.registrar.put(f"/v1/residencies/{residency['id']}/stage", json={"stage": "operating"}, version=1)
    ok(answer)
    assert len(app.approve(case_id)["certificates"]) == 1


def test_a_manual_rule_that_opens_between_the_eyes_sends_the_case_back(app):
    company = app.set_up_company()
    case_id = company.apply()
    app.review(case_id)
    app.clock.advance(days=30)  # the look-up in the tax register has grown old
    document = refused(app.approver.post(f"/v1/applications/{case_id}/approve", version="now"), 409, "not-eligible")
    assert [finding["rule"] for finding in document["findings"]] == ["C-02"]


def test_the_newest_confirmed_item_is_read_and_not_the_one_confirmed_last(app):
    company = app.set_up_company()
    app.add_staff_evidence(company, "tax-status", taxpayer_status="liquidated", issued_on="2026-10-01")
    product_id = company.add_product()
    assert tried(company, product_id)[0]["C-02"][0] == "pass"
    app.add_staff_evidence(company, "tax-status", taxpayer_status="liquidated")
    assert tried(company, product_id)[0]["C-02"][0] == "fail"


def test_a_certificate_never_outlives_the_evidence_it_rests_on(app):
    company = app.set_up_company()
    product_id = company.add_product()
    company.papers = {kind: details for kind, details in company.papers.items() if kind != "conformity-document"}
    for end in ("2027-08-15", "2027-03-01"):  # the one that holds longest counts
        stated = {"issued_on": "2026-05-01", "valid_until": end}
        app.confirm_evidence(company.upload("conformity-document", about=product_id, **stated))
    number = app.certify(company, product_id)
    verdict = app.verify(number)
    assert verdict["certificate"]["valid_until"] == "2027-08-15"
    assert app.verify(app.certify(app.set_up_company()))["certificate"]["valid_until"] == "2029-11-21"


def test_an_authority_is_looked_at_as_of_the_submission(app):
    company = app.set_up_company(evidence=tuple((COMPANY_DOCUMENTS | STAFF_DOCUMENTS).keys() - {"authority-to-sign"}))
    ending = {"basis": "director", "issued_on": "2026-11-01", "valid_until": "2026-11-22"}
    app.confirm_evidence(company.upload("authority-to-sign", **ending))
    case_id = company.apply()
    app.clock.advance(days=3)
    app.review(case_id)
    [number] = app.approve(case_id)["certificates"]
    assert app.verify(number)["certificate"]["valid_until"] == "2029-11-24"
    later = company.prepare(company.draft())  # expired by now: nobody can sign with it, and nobody can override that
    answer = company.post(f"/v1/applications/{later}/submit", version="now")
    assert [each["rule"] for each in refused(answer, 409, "incomplete")["findings"]] == ["C-16"]
    assert tried(company, company.add_product())[0]["C-03"][0] == "fail"


def test_a_revocation_for_fraud_bars_the_company_and_another_one_the_product(app):
    company = app.set_up_company()
    product_id = company.add_product()
    number = app.certify(company, product_id)
    app.revoke(number, "court-order")
    assert tried(company, product_id)[0]["C-12"][0] == "manual"
    assert tried(company, company.add_product())[0]["C-12"][0] == "manual"  # of that heading, from that site
    other = company.add_product(**STRUCTURE)
    assert tried(company, other)[0]["C-12"][0] == "pass"
    number = app.certify(company, other)
    app.revoke(number, "false-documents")
    for scheme in ("MIK", "MIA"):
        assert tried(company, company.add_product(), scheme)[0]["C-12"][0] == "fail"


def test_a_name_in_any_language_needs_a_consent(app):
    company = app.set_up_company()
    names = {"az": "Boru", "en": "Tube", "ru": "Труба Шуша"}
    product_id = company.add_product(names=names)
    outcome, reason = tried(company, product_id)[0]["C-13"]
    assert outcome == "manual"
    assert "Shusha City State Reserve" in reason
    stated = {"issued_on": LONG_AGO, "valid_until": "2028-01-01", "protected_name": "Şuşa"}
    consent = company.upload("name-consent", about=product_id, **stated)
    app.confirm_evidence(consent)
    judged, whole = tried(company, product_id)
    assert judged["C-13"][0] == "pass"
    assert whole["holds_until"] == "2028-01-01"


def test_goods_of_a_free_zone_are_for_a_person_and_a_missing_certificate_of_origin_is_no_fault(app):
    company = app.set_up_company()
    company.add_site(district="Bakı", park_code="ALAT-AIZ")
    judged, _ = tried(company, company.add_product(), "MIA")
    assert (judged["A-08"][0], judged["A-06"][0]) == ("manual", "not_applicable")
    outcome, reason = judged["A-07"]
    assert outcome == "pass"
    assert reason.startswith("Export experience: no record is among the confirmed evidence, so 0 of 30 points.")


def test_an_old_record_of_the_register_is_for_a_person_until_it_is_said_again(app):
    company = app.set_up_company()
    product_id = company.add_product()
    app.clock.advance(days=31)
    assert tried(company, product_id)[0]["K-04"][0] == "manual"
    app.attest(company, company.draft(product_id))
    assert tried(company, product_id)[0]["K-04"][0] == "pass"


def test_a_member_of_staff_with_another_role_confirms_nothing(app, company):
    item = company.upload("permit", **PERMIT)
    refused(app.staff(Role.APPROVER, Role.AUDITOR, name="two").post(path_of(item, "/confirm"), json={}), 403)


# Subjects, second person, and what the applicant entered


def test_a_document_without_its_subject_is_refused_at_confirmation_until_staff_name_it(app, company):
    """Rows from before subjects were asked for stay, speak for none, and can be mended by the person who reads them."""
    item = company.upload("permit", **PERMIT)
    with app.database.session() as session:
        session.get(Evidence, UUID(item["id"])).site_id = None
        session.commit()
    document = refused(app.registrar.post(path_of(item, "/confirm"), json={}, version=1), 422)
    assert document["errors"][0]["pointer"] == "/site_id"
    stranger = app.set_up_company(evidence=False)
    answer = app.registrar.post(path_of(item, "/confirm"), json={"site_id": stranger.site_id}, version=1)
    assert refused(answer, 422)["errors"] == [
        {"pointer": "/site_id", "code": "unknown-site", "detail": "The company has no such site."}
    ]
    confirmed = app.registrar.act(path_of(item, "/confirm"), {"site_id": company.site_id})
    assert confirmed["site_id"] == company.site_id
    assert confirmed["entered"]["site_id"] == company.site_id  # as it was stated at upload


def test_the_record_of_a_visit_is_confirmed_by_another_member_of_staff(app, company):
    path = f"/v1/organisations/{company.organisation_id}/evidence"
    findings = [
        {"class": "critical", "text": "No lock on the marks."},
        {"class": "major", "text": "Old plan.", "closed_on": "2026-11-20"},
    ]
    values = json.dumps({"visited_by": "staff", "surveyor": "Rəşad Nümunə", "findings": findings})
    form = {"kind": "inspection-record", "site_id": company.site_id, "issued_on": "2026-11-01", "values": values}
    item = ok(app.reviewer.post(path, files={"file": ("p.pdf", PDF)}, data=form))
    assert (item["confirmed_at"], item["entered"]) == (None, None)
    refused(app.reviewer.post(path_of(item, "/confirm"), json={}, version=1), 403, "four-eyes")
    confirmed = ok(app.registrar.post(path_of(item, "/confirm"), json={}, version=1))
    assert confirmed["confirmed_by"] == app.registrar.id
    assert confirmed["values"]["findings"] == findings
    assert (
        "supplied by the staff" in refused(company.post(path, files={"file": ("p.pdf", PDF)}, data=form), 422)["detail"]
    )


def test_the_signer_is_a_member_and_by_default_the_one_who_uploads(app, company):
    item = company.upload("authority-to-sign", issued_on=LONG_AGO, basis="director")
    assert item["values"]["signer"] == company.id
    for signer in (app.registrar.id, app.set_up_company(evidence=False).id, "somebody"):
        path = f"/v1/organisations/{company.organisation_id}/evidence"
        form = {"kind": "authority-to-sign", "values": json.dumps({"signer": signer})}
        document = refused(company.post(path, files={"file": ("p.pdf", PDF)}, data=form), 422)
        assert document["errors"][0]["pointer"] == "/values/signer"
    with app.database.session() as session:  # as it was stored before signers were asked for
        row = session.get(Evidence, UUID(item["id"]))
        row.stated = {"basis": "director"}
        session.commit()
    assert app.confirm_evidence(item)["values"]["signer"] == company.id


def test_a_district_in_a_document_is_one_of_the_territory(app, company):
    stated = {
        "issued_on": "2026-01-10",
        "headings": ["0806"],
        "season_from": "2025-03-01",
        "season_until": "2025-10-31",
        "quantity": "12 t",
        "ground": "field",
    }
    item = company.upload("production-record", **stated, district="Agdam rayonu")
    assert item["values"]["district"] == "Ağdam"
    path = f"/v1/organisations/{company.organisation_id}/evidence"
    form = {"kind": "production-record", "site_id": company.site_id, "values": json.dumps({"district": "Agdamm"})}
    document = refused(company.post(path, files={"file": ("p.pdf", PDF)}, data=form), 422)
    assert document["errors"][0]["pointer"] == "/values/district"
    assert "Write one of: Bakı" in document["errors"][0]["detail"]


def test_what_staff_read_leaves_what_the_applicant_entered(app, company):
    item = company.upload("permit", **PERMIT)
    entered = item["entered"]
    assert entered == PERMIT | {"values": {}, "product_ids": [], "site_id": company.site_id}
    confirmed = app.registrar.act(path_of(item, "/confirm"), {"valid_until": "2027-01-31", "number": "E-5"})
    assert (confirmed["number"], confirmed["entered"]) == ("E-5", entered)
