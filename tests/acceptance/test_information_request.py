"""The reviewer asks, the company answers, and only then is there something to decide."""


def test_asked_answered_approved(app):
    # A plant that is still being built may apply …
    company = app.set_up_company(stage="construction")
    site = company.add_site(name="Hall 2", production_started_on=None)
    case = company.apply(company.add_product())

    # … but nobody can recommend it for the mark yet: a fact is missing, and the answer says which.
    app.reviewer.act(f"/v1/applications/{case}/claim")
    (product,) = company.application(case)["product_ids"]
    approve = {"products": [{"product_id": product, "outcome": "approve"}]}
    refusal = app.reviewer.post(f"/v1/applications/{case}/recommend", version="now", json=approve)
    assert (refusal.status_code, refusal.json()["code"]) == (409, "incomplete")
    assert [finding["rule"] for finding in refusal.json()["findings"]] == ["K-05"]

    # So the reviewer asks, and from now on everybody waits for the company.
    question = {"questions": [{"text": "When did series production start?"}]}
    asked = app.reviewer.act(f"/v1/applications/{case}/request-information", question)
    assert (asked["state"], asked["waiting_on"]) == ("information_requested", "applicant")

    # The company enters the day, adds a paper, and answers. An empty answer is not taken for one.
    start = {"name": "Hall 2", "production_started_on": "2026-11-02"}
    assert company.put(f"/v1/sites/{site}", version="now", json=start).status_code == 200
    assert company.add_evidence(case, name="act.pdf").status_code == 201
    assert company.post(f"/v1/applications/{case}/respond", version="now", json={"answers": []}).status_code == 422
    (open_question,) = company.application(case)["questions"]
    answer = {"answers": [{"question_id": open_question["id"], "text": "On 2 November; the act is attached."}]}
    company.declare(case)  # the day and the paper are new: what was declared before does not cover them
    assert company.act(f"/v1/applications/{case}/respond", answer)["state"] == "in_review"

    # The park confirms that the plant runs, and the case can be decided.
    (residency,) = app.registrar.get(f"/v1/residencies?organisation_id={company.organisation_id}").json()["items"]
    stage = f"/v1/residencies/{residency['id']}/stage"
    assert app.registrar.put(stage, version="now", json={"stage": "operating"}).status_code == 200
    app.review(case)
    decided = app.approve(case)
    assert decided["state"] == "approved"
    assert app.verify(decided["certificates"][0])["verdict"] == "valid"
    assert decided["questions"][0]["answer"] == "On 2 November; the act is attached."


def test_where_the_rules_leave_it_open_a_person_decides_and_says_why(app):
    # Between 30 and 40 % of the cost in Karabakh the rules do not say yes or no.
    company = app.set_up_company()
    costs = [
        {"kind": "labour", "place": "KARABAKH", "amount": "420"},
        {"kind": "quality", "place": "AZ_OTHER", "amount": "70"},
        {"kind": "materials", "place": "ABROAD", "amount": "830"},
    ]
    case = company.apply(company.add_product(costs=costs))

    # Without a word on it the recommendation is not complete.
    app.reviewer.act(f"/v1/applications/{case}/claim")
    (product,) = company.application(case)["product_ids"]
    silent = {"products": [{"product_id": product, "outcome": "approve"}]}
    assert not app.reviewer.post(f"/v1/applications/{case}/recommend", version="now", json=silent).is_success

    app.review(case, resolutions=[{"rule": "K-06", "accept": True, "reason": "The line is new; the plan shows 44 %."}])
    assert app.approve(case)["state"] == "approved"
