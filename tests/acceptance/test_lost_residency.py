"""The park's register says that a company is no longer resident: its certificates fall, and rise again with it."""

from tests.factories import ok

COLUMNS = "resident_id,legal_name_az,legal_name_en,legal_form,voen,zone_code,district,district_iso,economic_region,"
COLUMNS += "status,registration_no,registered_on,stage"


def register(company, status):
    """A register of one line."""
    line = f"X1,{company.name_az},{company.name},MMC,{company.voen},AGDAM-SP,Ağdam,AZ-AGM,QARABAG,"
    line += f"{status},AGSP-R-{company.voen[4:8]},2021-11-22,operating"
    return f"{COLUMNS}\n{line}\n"


def test_cancelled_suspended_restored_valid(app):
    company = app.set_up_company()
    tube, pipe = company.add_product(), company.add_product(names={"az": "Boru", "en": "Pipe"})
    hers = sorted([app.certify(company, tube), app.certify(company, pipe)])
    everywhere = app.certify(company, tube, scheme="MIA")  # this mark does not ask where in the country
    others = app.certify()

    # The registrar tries the new file first, and is told which certificates it would hit. Nothing has happened yet.
    dry = ok(app.import_register(register(company, "cancelled"), dry_run=True))
    assert {hit["number"]: hit["action"] for hit in dry["certificates"]} == dict.fromkeys(hers, "suspended")
    assert [app.verify(number)["verdict"] for number in hers] == ["valid", "valid"]

    # Imported, it does what it said: in the same moment, and to nobody else.
    app.clock.advance(hours=1)
    done = ok(app.import_register(register(company, "cancelled")))
    assert done["certificates"] == dry["certificates"]
    for number in hers:
        answer = app.verify(number)
        assert answer["verdict"] == "suspended"
        assert answer["certificate"]["reason"] == "residency"
        assert answer["as_of"] == "2026-11-22T18:00:00Z"
    assert app.verify(everywhere)["verdict"] == "valid"
    assert app.verify(others)["verdict"] == "valid"

    # The owner cannot make it good; the register can.
    refusal = app.owner.post(f"/v1/certificates/{hers[0]}/reinstate", version="now", json={"cause": "residency"})
    assert (refusal.status_code, refusal.json()["code"]) == (409, "residency-lost")

    # One of them is suspended for a second cause as well.
    app.owner.act(f"/v1/certificates/{hers[0]}/suspend", {"cause": "hearing"})

    # The park corrects its register, and what rested on the residency alone is good again.
    app.clock.advance(days=2)
    restored = ok(app.import_register(register(company, "resident")))
    assert {hit["number"]: hit["action"] for hit in restored["certificates"]} == {
        hers[0]: "cause_lifted",
        hers[1]: "reinstated",
    }
    assert app.verify(hers[1])["verdict"] == "valid"
    assert app.verify(hers[0])["certificate"]["reason"] == "hearing"
    app.owner.act(f"/v1/certificates/{hers[0]}/reinstate", {"cause": "hearing"})
    assert app.verify(hers[0])["verdict"] == "valid"


def test_a_cancelled_residency_stops_a_case_that_was_recommended(app):
    company = app.set_up_company()
    case = company.apply()
    app.review(case)
    ok(app.import_register(register(company, "cancelled")))

    refusal = app.approver.post(f"/v1/applications/{case}/approve", version="now")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "not-eligible")
    assert [finding["rule"] for finding in refusal.json()["findings"]] == ["K-02"]
    assert ok(app.anonymous.get("/v1/certificates"))["items"] == []
