"""Matters over HTTP: what opens them, who reads and closes them, and what the public is told of a surrender."""

import csv
from datetime import timedelta

import pytest

from app.cli.admin import sweep
from app.core.dates import baku_day
from tests.factories import PDF, ok, product
from tests.helpers import refused, rows

pytestmark = pytest.mark.pg_sampled
CHANGE = {"what": "supplier", "text": "The coil comes from another mill.", "on": "2026-12-01"}
REASON = "The authority has not issued it."


def path_of(number):
    return f"/v1/certificates/{number}"


def listed(app, **filters):
    return ok(app.owner.get("/v1/matters", params=filters))["items"]


def causes(app, number=None):
    return [each["cause"] for each in listed(app, **({"certificate": number} if number else {}))]


def permit_of(company):
    items = ok(company.get(f"/v1/organisations/{company.organisation_id}/evidence"))["items"]
    return next(each for each in items if each["kind"] == "permit")


def withdraw(app, item, *, by=None, **body):
    caller = by or app.registrar
    return caller.post(
        f"/v1/evidence/{item['id']}/withdraw-confirmation", version="now", **({"json": body} if body else {})
    )


def closing(app, matter, by=None, **body):
    said = {"outcome": "corrected", "reason": "Put right."} | body
    return (by or app.registrar).post(f"/v1/matters/{matter['id']}/close", json=said, version="now")


class TestSurrender:
    def test_it_is_told_in_the_register_the_answers_and_the_log(self, app, company):
        number, other = app.certify(company), app.certify(company)
        app.owner.act(f"{path_of(number)}/suspend", {"cause": "surveillance"})
        given_back = company.act(f"{path_of(number)}/surrender")
        plain = company.act(f"{path_of(other)}/surrender")
        assert (given_back["status"], given_back["during_investigation"]) == ("surrendered", True)
        assert "during_investigation" not in plain
        for asked, is_asked in ((number, True), (other, False)):
            answer = app.verify(asked)
            assert answer["verdict"] == "surrendered"
            faces = [answer["certificate"], ok(app.anonymous.get(path_of(asked)))]
            faces += ok(app.anonymous.get("/v1/certificates", params={"q": asked}))["items"]
            token = {"token": app.token(asked)}
            faces.append(ok(app.anonymous.post("/v1/verify", json=token))["certificate"])
            assert faces == [faces[0]] * 4
            assert faces[0].get("during_investigation", False) is is_asked
            for address in (f"/v/{asked}", f"/register?q={asked}"):
                page = app.http.get(address, headers={"Accept": "text/html"}).text
                assert ("It was surrendered while an investigation was open." in page) is is_asked
        table = csv.DictReader(app.anonymous.get("/v1/certificates.csv").text.splitlines())
        told = {row["number"]: row["during_investigation"] for row in table}
        assert (told[number], told[other]) == ("true", "")
        entries = rows(app, "SELECT entry FROM log_entries WHERE event = 'certificate.surrendered' ORDER BY seq")
        assert [b"during_investigation" in bytes(entry) for (entry,) in entries] == [True, False]

    def test_the_inquiry_goes_on_and_may_end_in_a_revocation(self, app, company):
        number = app.certify(company)
        app.owner.act(f"{path_of(number)}/suspend", {"cause": "hearing"})
        company.act(f"{path_of(number)}/surrender")
        refused(app.owner.post(f"{path_of(number)}/suspend", json={"cause": "court"}, version="now"), 409)
        revoked = app.revoke(number, "false-documents")
        assert (revoked["status"], revoked["reason"], revoked["during_investigation"]) == (
            "revoked",
            "false-documents",
            True,
        )
        assert app.verify(number)["verdict"] == "revoked"
        events = rows(app, "SELECT event FROM log_entries WHERE subject = :n ORDER BY seq", n=number)
        assert [event for (event,) in events][-2:] == ["certificate.surrendered", "certificate.revoked"]

    def test_nothing_found_it_stays_surrendered(self, app, company):
        number = app.certify(company)
        app.owner.act(f"{path_of(number)}/suspend", {"cause": "hearing"})
        company.act(f"{path_of(number)}/surrender")
        ended = app.owner.act(f"{path_of(number)}/reinstate", {"cause": "hearing"})
        assert (ended["status"], ended["during_investigation"]) == ("surrendered", True)
        assert app.verify(number)["verdict"] == "surrendered"


class TestDescription:
    def test_it_stays_as_it_was_certified(self, app, company):
        number = app.certify(company)
        path = f"{path_of(number)}/description"
        frozen = ok(company.get(path))
        said = frozen["description"]
        assert (said["company"]["legal_name_en"], said["company"]["voen"]) == (company.name, company.voen)
        assert (said["site"]["name"], said["site"]["park_code"]) == ("Hall 1", "AGDAM-SP")
        assert (said["product"]["hs6"], said["product"]["ex_works"]) == ("730630", "1450")
        assert [step["name"] for step in said["steps"]] == ["Forming", "Welding"]
        assert {(cost["kind"], cost["amount"]) for cost in said["costs"]} == {
            ("labour", "563"),
            ("quality", "14"),
        }
        assert said["materials"][0]["value"] == "830"
        (issued,) = [
            each
            for each in ok(app.auditor.get("/v1/audit", params={"event": "certificate.issued"}))["items"]
            if each["subject"]["id"] == number
        ]
        assert issued["data"]["description"] == frozen["sha256"]
        ok(company.post(f"{path_of(number)}/changes", json=CHANGE))
        product_id = said["product"]["id"]
        changed = product(company.site_id, ex_works="2000", unit="kg")
        ok(company.put(f"/v1/products/{product_id}", json=changed, version="now"))
        assert ok(company.get(path)) == frozen
        assert ok(app.reviewer.get(path)) == frozen

    def test_it_is_of_the_holder_and_the_staff_who_work_on_cases(self, app, company):
        path = f"{path_of(app.certify(company))}/description"
        refused(app.set_up_company().get(path), 404, "not-found")
        refused(app.inspector.get(path), 403)
        refused(app.anonymous.get(path), 401)
        refused(company.get(f"{path_of('MIK-2026-999999-0')}/description"), 404)
        answer = company.get(path)
        assert "no-store" in answer.headers["Cache-Control"]
        assert "Access-Control-Allow-Origin" not in answer.headers


class TestCertified:
    def test_a_product_changes_only_under_a_report_for_each_certificate(self, app, company):
        item = company.add_product()
        numbers = sorted([app.certify(company, item), app.certify(company, item, scheme="MIA")])
        path = f"/v1/products/{item}"
        whole = product(company.site_id)
        problem = refused(company.put(path, json=whole, version="now"), 409, "certified")
        assert problem["certificates"] == numbers
        assert all(f"POST /v1/certificates/{number}/changes" in problem["detail"] for number in numbers)
        cut_off = {"content": b"{", "headers": {"Content-Type": "application/json"}}
        refused(company.put(path, version="now", **cut_off), 409, "certified")  # before the body
        ok(company.post(f"{path_of(numbers[0])}/changes", json=CHANGE))
        problem = refused(company.put(path, json=whole, version="now"), 409, "certified")
        assert problem["certificates"] == numbers[1:]
        matter = ok(company.post(f"{path_of(numbers[1])}/changes", json=CHANGE))
        ok(company.put(path, json=whole, version="now"))
        ok(closing(app, matter))
        refused(company.put(path, json=whole, version="now"), 409, "certified")
        company.act(f"{path_of(numbers[1])}/surrender")
        ok(company.put(path, json=whole, version="now"))

    def test_a_suspended_one_counts_an_expired_one_does_not_and_retiring_is_no_change(self, app, company):
        item = company.add_product()
        number = app.certify(company, item)
        app.owner.act(f"{path_of(number)}/suspend", {"cause": "hearing"})
        refused(company.put(f"/v1/products/{item}", json=product(company.site_id), version="now"), 409, "certified")
        app.clock.advance(days=2_000)
        ok(company.put(f"/v1/products/{item}", json=product(company.site_id), version="now"))
        app.add_staff_evidence(company, "inspection-record")
        fresh = app.certify(company, company.add_product())
        certified = ok(company.get(f"{path_of(fresh)}/description"))["description"]["product"]["id"]
        company.act(f"/v1/products/{certified}/retire")

    def test_a_site_likewise(self, app, company):
        path, body = f"/v1/sites/{company.site_id}", {"name": "Hall 9", "production_started_on": "2024-03-01"}
        ok(company.put(path, json=body, version="now"))
        number = app.certify(company)
        problem = refused(company.put(path, json=body, version="now"), 409, "certified")
        assert problem["certificates"] == [number]
        ok(company.post(f"{path_of(number)}/changes", json=CHANGE | {"what": "address"}))
        assert ok(company.put(path, json=body | {"name": "Hall 10"}, version="now"))["name"] == "Hall 10"
        assert ok(company.get(f"{path_of(number)}/description"))["description"]["site"]["name"] == "Hall 9"


class TestReports:
    def test_a_report_is_a_matter_for_the_owner(self, app, company):
        number = app.certify(company)
        reported = ok(company.post(f"{path_of(number)}/changes", json=CHANGE))
        assert {name: reported[name] for name in CHANGE} == CHANGE
        assert (reported["certificate"], reported["state"]) == (number, "open")
        (matter,) = listed(app, certificate=number)
        assert (matter["id"], matter["kind"], matter["cause"]) == (reported["id"], "change", "supplier")
        assert (matter["text"], matter["details"]) == (CHANGE["text"], {"on": CHANGE["on"]})
        assert matter["opened_by"] == company.id
        answer = app.auditor.get(f"/v1/matters/{matter['id']}")
        assert (ok(answer), answer.headers["ETag"].partition("-")[0]) == (matter, '"1')
        assert app.verify(number)["verdict"] == "valid"

    @pytest.mark.parametrize(
        "wrong",
        [{"what": "evidence_false"}, {"what": "colour"}, {"on": "soon"}, {"text": ""}, {"surprise": 1}],
    )
    def test_wrong_reports(self, app, company, wrong):
        number = app.certify(company)
        refused(company.post(f"{path_of(number)}/changes", json=CHANGE | wrong), 422, "invalid")
        assert listed(app) == []

    def test_by_a_person_of_the_holder_while_it_is_in_force(self, app, company):
        number = app.certify(company)
        path = f"{path_of(number)}/changes"
        refused(app.set_up_company().post(path, json=CHANGE), 404, "not-found")
        refused(app.owner.post(path, json=CHANGE), 403)
        company.act(f"{path_of(number)}/surrender")
        refused(company.post(path, json=CHANGE), 409, "wrong-state")
        refused(company.post(f"{path_of('x')}/changes", json=CHANGE), 404)


class TestList:
    def test_filters_and_pages(self, app, company):
        first, second = app.certify(company), app.certify(company)
        for number in (first, second, first):
            ok(company.post(f"{path_of(number)}/changes", json=CHANGE))
        ok(withdraw(app, permit_of(company), reason=REASON))
        assert len(listed(app)) == 5
        assert {each["certificate"] for each in listed(app, certificate=second.lower())} == {second}
        assert len(listed(app, kind="change")) == 3
        assert len(listed(app, kind="lost_ground", certificate=first)) == 1
        ok(closing(app, listed(app, kind="change")[0]))
        assert (len(listed(app, state="open")), len(listed(app, state="closed"))) == (4, 1)
        assert listed(app, certificate="nonsense") == listed(app, kind="report") == []
        refused(app.owner.get("/v1/matters?state=ajar"), 422)
        page = app.owner.get("/v1/matters?limit=2")
        seen, pages = ok(page)["items"], 1
        while "Link" in page.headers:
            page = app.owner.get(page.headers["Link"].split(">")[0].lstrip("<"))
            seen, pages = seen + ok(page)["items"], pages + 1
        assert (seen, pages) == (listed(app), 3)
        for caller in (company, app.reviewer, app.approver, app.inspector):
            refused(caller.get("/v1/matters"), 403)


class TestClosing:
    def test_upheld_for_a_reason_of_the_list(self, app, company):
        number = app.certify(company)
        ok(withdraw(app, permit_of(company), reason=REASON, found_false=True))
        (matter,) = listed(app, certificate=number)
        problem = refused(closing(app, matter, outcome="upheld"), 422)
        assert problem["errors"][0]["pointer"] == "/revocation_reason"
        for wrong in ({"outcome": "lost"}, {"reason": ""}, {"revocation_reason": "because", "outcome": "upheld"}):
            refused(closing(app, matter, **wrong), 422)
        refused(closing(app, matter, revocation_reason="bankruptcy"), 422)
        refused(closing(app, matter, by=app.auditor), 403)
        closed = ok(closing(app, matter, outcome="upheld", revocation_reason="false-documents"))
        assert (closed["state"], closed["outcome"], closed["revocation_reason"]) == (
            "closed",
            "upheld",
            "false-documents",
        )
        assert (closed["closed_by"], closed["version"]) == (app.registrar.id, 2)
        refused(closing(app, matter), 409, "wrong-state")
        assert app.verify(number)["verdict"] == "valid"  # revoking is an act of its own

    def test_stale_and_missing_versions(self, app, company):
        number = app.certify(company)
        matter = ok(company.post(f"{path_of(number)}/changes", json=CHANGE))
        path, body = f"/v1/matters/{matter['id']}/close", {"outcome": "unfounded", "reason": "Nothing."}
        refused(app.owner.post(path, json=body), 428)
        refused(app.owner.post(path, json=body, version=2), 412)
        refused(app.owner.post("/v1/matters/x/close", json=body, version=1), 404)


class TestEvidence:
    def test_withdrawn_after_the_decision_it_needs_a_reason_and_opens_a_matter(self, app, company):
        number = app.certify(company)
        item = permit_of(company)
        refused(withdraw(app, item), 422, "invalid")
        gone = ok(withdraw(app, item, reason=REASON))
        assert (gone["confirmed_at"], gone["withdrawal_reason"], gone["found_false"]) == (None, REASON, False)
        assert ok(company.get(f"/v1/evidence/{item['id']}"))["withdrawal_reason"] is None
        (matter,) = listed(app)
        assert (matter["certificate"], matter["kind"], matter["cause"]) == (
            number,
            "lost_ground",
            "evidence_withdrawn",
        )
        assert (matter["about"], matter["details"]) == (f"evidence:{item['id']}", {"evidence_kind": "permit"})
        assert app.verify(number)["verdict"] == "valid"
        assert "confirmed_at" in app.confirm_evidence(item)
        ok(withdraw(app, item, reason=REASON))
        assert len(listed(app)) == 1  # the same is open already

    def test_of_the_application_too_while_a_certificate_rests_on_it(self, app):
        company = app.set_up_company()
        draft = company.draft()
        item = company.upload_for(draft, "permit", issued_on="2024-01-15", number="P-9")
        company.submit(draft)
        app.confirm_evidence(item)
        app.review(draft)
        (number,) = app.approve(draft)["certificates"]
        refused(app.registrar.post(f"/v1/evidence/{item['id']}/confirm", json={}, version="now"), 409)
        ok(withdraw(app, item, reason=REASON, by=app.reviewer))
        assert causes(app, number) == ["evidence_withdrawn"]
        refused(
            app.registrar.post(f"/v1/evidence/{item['id']}/confirm", json={}, version="now"),
            409,
            "application-frozen",
        )
        other = company.draft()
        item = company.upload_for(other, "permit", issued_on="2024-01-15", number="P-10")
        company.submit(other)
        app.confirm_evidence(item)
        app.review(other)
        (number,) = app.approve(other)["certificates"]
        company.act(f"{path_of(number)}/surrender")
        refused(withdraw(app, item, reason=REASON), 409, "application-frozen")

    def test_found_false_it_is_never_confirmed_again(self, app, company):
        number = app.certify(company)
        item = permit_of(company)
        refused(withdraw(app, item, found_false=True), 422)
        assert ok(withdraw(app, item, reason=REASON, found_false=True))["found_false"] is True
        assert causes(app, number) == ["evidence_false"]
        refused(app.registrar.post(f"/v1/evidence/{item['id']}/confirm", json={}, version="now"), 409, "found-false")
        events = rows(app, "SELECT event FROM audit_events WHERE subject_id = :i ORDER BY seq", i=item["id"])
        assert events[-1] == ("evidence.found_false",)

    def test_what_another_item_replaces_or_is_about_other_goods_opens_nothing(self, app, company):
        app.certify(company)
        app.clock.advance(hours=1)
        late = app.confirm_evidence(company.upload("permit", content=PDF + b"2", issued_on="2024-02-01"))
        ok(withdraw(app, late))  # the first one still speaks
        unrelated = company.add_product()
        about = app.confirm_evidence(
            company.upload("conformity-document", content=PDF + b"3", about=unrelated, issued_on="2024-02-01")
        )
        ok(withdraw(app, about))
        others = app.set_up_company()
        ok(withdraw(app, permit_of(others)))  # nothing is certified there
        assert listed(app) == []

    def test_a_surrender_under_such_a_matter_is_during_an_investigation(self, app, company):
        number = app.certify(company)
        ok(withdraw(app, permit_of(company), reason=REASON, found_false=True))
        assert company.act(f"{path_of(number)}/surrender")["during_investigation"] is True


class TestSweep:
    def run(self, app, *, dry_run=False):
        said = []
        sweep.run(app.database, app.clock(), dry_run=dry_run, report=said.append)
        return [line for line in said if "evidence" in line]

    def test_evidence_that_ends_under_a_certificate_opens_a_matter_once(self, app, company):
        number = app.certify(company)
        item = permit_of(company)
        today = baku_day(app.clock())
        ok(withdraw(app, item, reason=REASON))
        ends = (today + timedelta(days=10)).isoformat()
        app.confirm_evidence(item, valid_until=ends)
        ok(closing(app, listed(app)[0]))
        assert self.run(app) == []
        app.clock.advance(days=10)
        assert self.run(app) == []  # its last day
        app.clock.advance(days=1)
        assert self.run(app, dry_run=True) == [f"due: evidence {item['id']} has ended: open a matter"]
        assert self.run(app) == [f"evidence {item['id']} has ended: a matter is open about {number}"]
        (matter,) = listed(app, state="open")
        assert (matter["cause"], matter["details"]["valid_until"], matter["opened_by"]) == (
            "evidence_ended",
            ends,
            None,
        )
        assert self.run(app) == []
        ok(closing(app, matter, outcome="unfounded"))
        assert self.run(app) == []

    def test_what_was_replaced_or_is_asked_for_once_only_ends_quietly(self, app, company):
        app.certify(company)
        today = baku_day(app.clock())
        soon = (today + timedelta(days=1)).isoformat()
        for kind, values in (("permit", {}), ("authority-to-sign", {"basis": "director"})):
            items = ok(company.get(f"/v1/organisations/{company.organisation_id}/evidence"))["items"]
            item = next(each for each in items if each["kind"] == kind)
            ok(withdraw(app, item, reason=REASON))
            app.confirm_evidence(item, valid_until=soon)
            if kind == "permit":
                app.confirm_evidence(company.upload(kind, content=PDF + b"2", issued_on="2024-02-01", **values))
        app.clock.advance(days=3)
        assert self.run(app) == []


class TestRegister:
    COLUMNS = "party_id,legal_name_az,legal_name_en,legal_form,voen,zone_code,district,district_iso,economic_region,"
    COLUMNS += "status,registration_no,stage"

    def line(self, company, *, name=None, stage="operating"):
        own = f"X1,{company.name_az},{name or company.name},MMC,{company.voen},AGDAM-SP,Ağdam,AZ-AGM,QARABAG,"
        return f"{self.COLUMNS}\n{own}resident,AGSP-R-{company.voen[4:8]},{stage}\n"

    def test_another_name_than_was_certified_opens_a_matter(self, app, company):
        number = app.certify(company)
        assert ok(app.import_register(self.line(company)))["certificates"] == []
        text = self.line(company, name="Another Name")
        foretold = ok(app.import_register(text, dry_run=True))["certificates"]
        assert listed(app) == []
        done = ok(app.import_register(text))["certificates"]
        assert done == foretold
        ((hit,), (matter,)) = done, listed(app)
        assert (hit["number"], hit["action"], hit["cause"]) == (number, "matter_opened", "fact_differs")
        assert (matter["details"], matter["about"]) == (
            {"fields": ["legal_name_en"]},
            f"organisation:{company.organisation_id}",
        )
        assert ok(app.import_register(text))["certificates"] == []
        back = ok(app.import_register(self.line(company)))
        assert back["certificates"] == []  # it says again what was certified
        assert app.verify(number)["certificate"]["holder"]["name"] == company.name

    def test_a_stage_that_goes_back(self, app, company):
        number = app.certify(company)
        (row,) = ok(company.get("/v1/residencies"))["items"]
        path = f"/v1/residencies/{row['id']}/stage"
        ok(app.registrar.put(path, json={"stage": "construction"}, version="now"))
        (matter,) = listed(app, certificate=number)
        assert (matter["cause"], matter["about"]) == ("stage_back", f"residency:{row['id']}")
        assert matter["opened_by"] == app.registrar.id

    def test_a_new_residency_brings_the_certificate_back(self, app, company):
        number = app.certify(company)
        (row,) = ok(company.get("/v1/residencies"))["items"]
        ended = {"on": baku_day(app.clock()).isoformat(), "reason": "A new number."}
        app.registrar.act(f"/v1/residencies/{row['id']}/end", ended)
        assert app.verify(number)["verdict"] == "suspended"
        body = {
            "organisation_id": company.organisation_id,
            "park_code": "AGDAM-SP",
            "status": "resident",
            "holder_voen": company.voen,
            "registration_no": "AGSP-R-NEW",
            "plot_no": "12-A",
            "stage": "operating",
        }
        assert ok(app.registrar.post("/v1/residencies", json=body))["plot_no"] == "12-A"
        assert app.verify(number)["verdict"] == "valid"
        assert listed(app) == []
