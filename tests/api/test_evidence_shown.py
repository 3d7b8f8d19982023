"""Who sees which document, who is named with it, and how a company takes one back."""

import pytest

from tests.factories import PDF, STAFF_DOCUMENTS, ok
from tests.helpers import refused, rows
from tests.played import played

pytestmark = pytest.mark.pg_sampled
STAFF_ONLY = ("tax-status", "background-check", "inspection-record", "register-snapshot")
PERMIT = {"issued_on": "2025-03-01", "number": "E-4"}
REASON = {"reason": "It was exchanged for another one."}


@played
def company(app):
    return app.set_up_company(evidence=False)


def path_of(item, deed=""):
    return f"/v1/evidence/{item['id']}{deed}"


def kinds_in(answer, member="items"):
    return {each["kind"] for each in ok(answer)[member]}


def snapshot(app, company):
    return app.add_staff_evidence(
        company, "register-snapshot", stated={"register-snapshot": {"registration_no": "X-1"}}
    )


def test_what_only_staff_supply_is_absent_for_the_company(app, company):
    item = snapshot(app, company)
    looked_up = [app.add_staff_evidence(company, kind) for kind in STAFF_ONLY if kind in STAFF_DOCUMENTS] + [item]
    company.upload("permit", **PERMIT)
    listing = f"/v1/organisations/{company.organisation_id}/evidence"
    assert kinds_in(company.get(listing)) == {"permit"}
    assert kinds_in(app.reviewer.get(listing)) == {"permit", *STAFF_ONLY}
    for each in looked_up:
        for path in (path_of(each), path_of(each, "/file")):
            refused(company.get(path), 404, "not-found")
            assert app.reviewer.get(path).status_code == 200
        refused(company.post(path_of(each, "/withdraw"), json=REASON, version=1), 404, "not-found")


def test_what_staff_add_to_a_case_is_absent_for_the_company(app):
    company = app.set_up_company()
    case_id = company.apply()
    app.reviewer.act(f"/v1/applications/{case_id}/claim")
    item = app.add_staff_evidence(company, "tax-status", case_id=case_id)
    own = company.upload_for(company.draft(), "permit", **PERMIT)
    assert own["uploaded_by"] == "Aysel Nümunə"
    path = f"/v1/applications/{case_id}"
    assert "tax-status" not in kinds_in(company.get(path), "evidence") | kinds_in(company.get(f"{path}/evidence"))
    assert "tax-status" in kinds_in(app.reviewer.get(path), "evidence")
    refused(company.get(f"{path}/evidence/{item['id']}"), 404, "not-found")


def test_the_company_reads_reasons_and_not_what_staff_saw(app):
    company = app.set_up_company()
    case_id = company.apply()
    dry = {"product_ids": company.application(case_id)["product_ids"]}
    judged = {
        "company": company.get(f"/v1/applications/{case_id}/assessment"),
        "dry": company.post("/v1/schemes/MIK/assessments", json=dry),
        "staff": app.reviewer.get(f"/v1/applications/{case_id}/assessment"),
    }
    for who, answer in judged.items():
        rules = [rule for rule in ok(answer)["items"][-1]["rules"] if rule["parameters"].get("evidence") in STAFF_ONLY]
        assert len(rules) >= 3
        assert all(rule["reason"] for rule in rules)
        assert any(rule["values"] for rule in rules) == (who == "staff"), who


def test_every_document_says_who_uploaded_it_and_when(app, company):
    own = company.upload("permit", **PERMIT)
    project = app.add_staff_evidence(company, "resident-project")
    assert own["uploaded_by"] == "Aysel Nümunə"
    assert own["uploaded_at"].startswith(f"{app.clock():%Y-%m-%dT%H:%M}")
    assert ok(company.get(path_of(project)))["uploaded_by"] == "staff"
    assert ok(app.reviewer.get(path_of(project)))["uploaded_by"] == "Registrar"
    assert ok(app.reviewer.get(path_of(own)))["uploaded_by"] == "Aysel Nümunə"


def test_a_document_of_a_program_names_the_program(app, company):
    from tests.factories import program_of  # noqa: PLC0415 (only this test has one)

    program = program_of(company)
    path = f"/v1/organisations/{company.organisation_id}/evidence"
    made = ok(program.post(path, files={"file": ("a.pdf", PDF)}, data={"kind": "other"}))
    names = {each["name"] for each in ok(company.get("/v1/api-clients"))["items"]}
    assert made["uploaded_by"] in names


class TestWithdrawal:
    def test_it_is_kept_and_no_longer_counted(self, app, company):
        item = app.confirm_evidence(company.upload("permit", **PERMIT))
        gone = company.act(path_of(item, "/withdraw"), REASON)
        assert (gone["confirmed_at"], gone["withdrawal_reason"]) == (None, REASON["reason"])
        assert gone["withdrawn_at"]
        assert company.get(path_of(item, "/file")).status_code == 200
        product_id = company.add_product()
        assert rows(app, "SELECT event FROM audit_events ORDER BY seq DESC LIMIT 2")[1] == ("evidence.withdrawn",)
        judged = ok(company.post("/v1/schemes/MIK/assessments", json={"product_ids": [product_id]}))["items"][0]
        assert item["id"] not in str(judged)
        for caller, deed, body in ((app.registrar, "/confirm", {}), (company, "/withdraw", REASON)):
            refused(caller.post(path_of(item, deed), json=body, version="now"), 409, "evidence-withdrawn")
        again = company.upload("permit", **PERMIT)
        assert again["id"] != item["id"]

    def test_not_while_an_application_under_review_rests_on_it(self, app):
        company = app.set_up_company(evidence=("permit",))
        [permit] = ok(company.get(f"/v1/organisations/{company.organisation_id}/evidence"))["items"]
        app.document(company)
        case_id = company.apply()
        answer = company.post(path_of(permit, "/withdraw"), json=REASON, version="now")
        number = company.application(case_id)["number"]
        assert refused(answer, 409, "evidence-in-use")["applications"] == [number]
        company.act(f"/v1/applications/{case_id}/withdraw")
        assert company.act(path_of(permit, "/withdraw"), REASON)["withdrawn_at"]

    def test_under_a_certificate_it_opens_a_matter(self, app):
        company = app.set_up_company()
        app.certify(company)
        items = ok(company.get(f"/v1/organisations/{company.organisation_id}/evidence"))["items"]
        permit = next(each for each in items if each["kind"] == "permit")
        company.act(path_of(permit, "/withdraw"), REASON)
        [matter] = ok(app.owner.get("/v1/matters"))["items"]
        assert (matter["cause"], matter["about"]) == ("evidence_withdrawn", f"evidence:{permit['id']}")

    def test_only_what_the_company_uploaded_for_all_applications(self, app, company):
        stranger = app.set_up_company(evidence=False)
        item = company.upload("permit", **PERMIT)
        refused(stranger.post(path_of(item, "/withdraw"), json=REASON, version=1), 404, "not-found")
        refused(app.registrar.post(path_of(item, "/withdraw"), json=REASON, version=1), 403, "forbidden")
        refused(company.post(path_of(item, "/withdraw"), json=REASON), 428)
        refused(company.post(path_of(item, "/withdraw"), json=REASON, version=7), 412)
        refused(company.post(path_of(item, "/withdraw"), json={"reason": " "}, version=1), 422)
        of_staff = app.add_staff_evidence(company, "resident-project")
        of_draft = company.upload_for(company.draft(), "other")
        for each in (of_staff, of_draft):
            refused(company.post(path_of(each, "/withdraw"), json=REASON, version="now"), 409, "not-company-evidence")
