"""The park's register says that a company is no longer resident: its certificates fall, and rise again with it."""

from tests.factories import ok

COLUMNS = "resident_id,legal_name_az,legal_name_en,legal_form,voen,zone_code,district,district_iso,economic_region,"
COLUMNS += "status,registration_no,registered_on,stage"


def register(company, status):
    """A register of one line."""
    line = f"X1,{company.name_az},{company.name},MMC,{company.voen},AGDAM-SP,Ağdam,AZ-AGM,QARABAG,"
    line += f"{status},AGSP-R-{company.voen[4:8]},2021-11-22,operating"
    return f"{COLUMNS}\n{line}\n"


def test_cancelled_suspended_restored_valid(house):
    company = house.company()
    tube, pipe = company.add_product(), company.add_product(names={"az": "Boru", "en": "Pipe"})
    hers = sorted([house.certify(company, tube), house.certify(company, pipe)])
    everywhere = house.certify(company, tube, scheme="MIA")  # this mark does not ask where in the country
    others = house.certify()

    # The registrar tries the new file first, and is told which certificates it would hit. Nothing has happened yet.
    dry = ok(house.import_register(register(company, "cancelled"), dry_run=True))
    assert {hit["number"]: hit["action"] for hit in dry["certificates"]} == dict.fromkeys(hers, "suspended")
    assert [house.verify(number)["verdict"] for number in hers] == ["valid", "valid"]

    # Imported, it does what it said: in the same moment, and to nobody else.
    house.clock.advance(hours=1)
    done = ok(house.import_register(register(company, "cancelled")))
    assert done["certificates"] == dry["certificates"]
    for number in hers:
        answer = house.verify(number)
        assert answer["verdict"] == "suspended"
        assert answer["certificate"]["reason"] == "residency"
        assert answer["as_of"] == "2026-11-22T18:00:00Z"
    assert house.verify(everywhere)["verdict"] == "valid"
    assert house.verify(others)["verdict"] == "valid"

    # The owner cannot make it good; the register can.
    refusal = house.owner.post(f"/v1/certificates/{hers[0]}/reinstate", version="now", json={"cause": "residency"})
    assert (refusal.status_code, refusal.json()["code"]) == (409, "residency-lost")

    # One of them is suspended for a second cause as well.
    house.owner.act(f"/v1/certificates/{hers[0]}/suspend", {"cause": "hearing"})

    # The park corrects its register, and what rested on the residency alone is good again.
    house.clock.advance(days=2)
    restored = ok(house.import_register(register(company, "resident")))
    assert {hit["number"]: hit["action"] for hit in restored["certificates"]} == {
        hers[0]: "cause_lifted",
        hers[1]: "reinstated",
    }
    assert house.verify(hers[1])["verdict"] == "valid"
    assert house.verify(hers[0])["certificate"]["reason"] == "hearing"
    house.owner.act(f"/v1/certificates/{hers[0]}/reinstate", {"cause": "hearing"})
    assert house.verify(hers[0])["verdict"] == "valid"


def test_a_cancelled_residency_stops_a_case_that_was_recommended(house):
    company = house.company()
    case = company.apply()
    house.review(case)
    ok(house.import_register(register(company, "cancelled")))

    refusal = house.approver.post(f"/v1/cases/{case}/approve", version="now")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "not-eligible")
    assert [finding["rule"] for finding in refusal.json()["findings"]] == ["K-02"]
    assert ok(house.anonymous.get("/v1/certificates"))["items"] == []
