"""A developer with only the address: each magic number leads where the table says."""

import pytest

from app.organisations.tax_number import Voen, parse_voen
from app.sandbox.scenarios import Scenario, load_scenarios, magic_number, scenario_of
from tests.factories import ok
from tests.helpers import refused
from tests.sandbox.conftest import Developer


def test_a_newcomer_reaches_a_certificate_without_a_person(sandbox):
    developer = Developer(sandbox)
    case_id = developer.submit()
    sandbox.run_robots()
    case = developer.application(case_id)
    assert case["state"] == "approved"
    (number,) = case["certificates"]
    assert number.startswith("SBXMIK-")
    found = ok(sandbox.get(f"/v1/verify/{number}"))
    assert (found["verdict"], found["sandbox"]) == ("valid", True) and "demo" not in found


@pytest.mark.parametrize(("scenario", "verdict"), [("suspended", "suspended"), ("revoked", "revoked")])
def test_certificates_of_some_numbers_do_not_stay(sandbox, scenario, verdict):
    developer = Developer(sandbox, scenario)
    case_id = developer.submit()
    sandbox.run_robots()
    (number,) = developer.application(case_id)["certificates"]
    assert ok(sandbox.get(f"/v1/verify/{number}"))["verdict"] == verdict
    sandbox.run_robots()
    assert ok(sandbox.get(f"/v1/verify/{number}"))["verdict"] == verdict


def test_applications_of_some_numbers_are_refused_with_reasons(sandbox):
    developer = Developer(sandbox, "refused")
    case_id = developer.submit()
    sandbox.run_robots()
    case = developer.application(case_id)
    (product,) = case["decision"]["products"]
    assert (case["state"], case["certificates"], product["outcome"]) == ("rejected", [], "rejected")
    assert product["reasons"] == ["Sandbox: applications under this taxpayer number are refused."]


def test_applications_of_some_numbers_are_approved_after_an_answer(sandbox):
    developer = Developer(sandbox, "asked")
    case_id = developer.submit()
    sandbox.run_robots()
    case = developer.application(case_id)
    assert case["state"] == "information_requested"
    sandbox.run_robots()  # nothing happens before the answer
    path = f"/v1/applications/{case_id}"
    developer.declare(path)
    case = developer.application(case_id)
    answers = [{"question_id": each["id"], "text": "Here it is."} for each in case["questions"]]
    version = {"If-Match": f'"{case["version"]}"'}
    ok(developer.call("POST", f"{path}/respond", headers=version, json={"answers": answers}))
    sandbox.run_robots()
    assert developer.application(case_id)["state"] == "approved"


def test_robots_approve_nothing_that_the_rules_refuse(sandbox):
    developer = Developer(sandbox)
    product_id = ok(developer.call("POST", "/v1/sample-product"))["product_id"]
    answer = developer.call("GET", f"/v1/products/{product_id}")
    body = ok(answer) | {"costs": [{"kind": "labour", "place": "KARABAKH", "amount": "10"}]}  # too small a share
    ok(developer.call("PUT", f"/v1/products/{product_id}", json=body, headers={"If-Match": answer.headers["ETag"]}))
    made = ok(developer.call("POST", "/v1/applications", json={"scheme": "MIK", "product_ids": [product_id]}))
    path = f"/v1/applications/{made['id']}"
    developer.declare(path)
    ok(developer.call("POST", f"{path}/submit", headers={"If-Match": f'"{made["version"]}"'}))
    sandbox.run_robots()
    case = developer.application(made["id"])
    assert (case["state"], case["certificates"]) == ("rejected", [])


def test_the_clock_moves_forward_only(sandbox):
    developer = Developer(sandbox)
    before = ok(sandbox.get("/v1/clock"))
    refused(sandbox.post("/v1/clock", json={"advance": 1}), 401)
    for wrong in (0, -1, "1", 4_000):
        refused(developer.call("POST", "/v1/clock", json={"advance": wrong}), 422)
    moved = ok(developer.call("POST", "/v1/clock", json={"advance": 40}))
    assert moved["days_ahead"] == before["days_ahead"] + 40 and moved["now"][:10] > before["now"][:10]
    refused(developer.call("GET", "/v1/me"), 401, "token-expired")
    developer.sign_in()
    ok(developer.call("GET", "/v1/me"))
    case_id = developer.submit()
    sandbox.run_robots()
    assert developer.application(case_id)["state"] == "approved"
    refused(developer.call("POST", "/v1/clock", json={"advance": 3_650}), 409, "clock-limit")


def test_the_table_is_public(sandbox):
    items = ok(sandbox.get("/v1/scenarios"))["items"]
    assert [each["scenario"] for each in items] == list(Scenario)


@pytest.mark.parametrize("scenario", Scenario)
def test_a_magic_number_is_well_formed_and_belongs_to_its_scenario(scenario):
    made = [voen for serial in range(50) if (voen := magic_number(scenario, serial))]
    assert len(made) > 40
    assert all(parse_voen(voen) == Voen(voen, needs_review=False) and scenario_of(voen) is scenario for voen in made)


def test_no_prefix_begins_another_and_other_numbers_have_no_scenario():
    prefixes = [each.prefix for each in load_scenarios().values()]
    assert len({prefix[:4] for prefix in prefixes}) == len(prefixes) == len(Scenario)
    assert scenario_of("1700001111") is None
