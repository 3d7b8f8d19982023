"""What the approver signs is what the reviewer looked at: anything exchanged in between sends the case back."""

from tests.factories import ok, product


def test_a_changed_dossier_goes_back_to_review(app):
    company = app.set_up_company()
    tube = company.add_product()
    case = company.apply(tube)
    app.review(case)

    # The product itself is frozen while the application is under review.
    change = company.put(f"/v1/products/{tube}", version="now", json=product(company.site_id, ex_works="1500"))
    assert (change.status_code, change.json()["code"]) == (409, "product-frozen")

    # A document can still be read again, and here staff read another number in it: that is another dossier.
    permit = next(
        each
        for each in ok(app.registrar.get(f"/v1/organisations/{company.organisation_id}/evidence"))["items"]
        if each["kind"] == "permit"
    )
    app.registrar.act(f"/v1/evidence/{permit['id']}/withdraw-confirmation")
    app.confirm_evidence(permit, number="E-2024-15")

    # Nothing is granted, although every rule still passes; the recommendation is void.
    refusal = app.approver.post(f"/v1/applications/{case}/approve", version="now")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "dossier-changed")
    assert ok(app.anonymous.get("/v1/certificates"))["items"] == []
    back = ok(app.reviewer.get(f"/v1/applications/{case}"))
    assert (back["state"], back["recommendation"]) == ("in_review", None)
    assert back["assignee_id"] == app.reviewer.id

    # The reviewer looks again, and now two people have seen the same thing.
    app.review(case)
    assert app.approve(case)["state"] == "approved"


def test_what_the_company_changes_under_review_it_declares_again(app):
    company = app.set_up_company()
    case = company.apply()
    app.review(case)

    # Its place of production is not frozen; but nobody has declared that the new day is true.
    start = {"name": "Hall 1", "production_started_on": "2024-09-09"}
    assert company.put(f"/v1/sites/{company.site_id}", version="now", json=start).status_code == 200
    refusal = app.approver.post(f"/v1/applications/{case}/approve", version="now")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "not-eligible")
    assert [(each["rule"], each["outcome"]) for each in refusal.json()["findings"]] == [("C-16", "incomplete")]
    assert "changed after the declaration" in refusal.json()["findings"][0]["reason"]

    # The reviewer cannot recommend it either, and asks. The company declares, and only then can it answer.
    (product_id,) = company.application(case)["product_ids"]
    approve = {"products": [{"product_id": product_id, "outcome": "approve"}]}
    refusal = app.reviewer.post(f"/v1/applications/{case}/recommend", version="now", json=approve)
    assert (refusal.status_code, refusal.json()["code"]) == (409, "incomplete")
    question = {"questions": [{"text": "Since when?", "field": "/site/production_started_on"}]}
    app.reviewer.act(f"/v1/applications/{case}/request-information", question)
    (asked,) = company.application(case)["questions"]
    answer = {"answers": [{"question_id": asked["id"], "text": "Since 9 September 2024, as entered now."}]}
    refusal = company.post(f"/v1/applications/{case}/respond", version="now", json=answer)
    assert (refusal.status_code, refusal.json()["code"]) == (409, "declaration-missing")
    company.declare(case)
    company.act(f"/v1/applications/{case}/respond", answer)
    app.review(case)
    assert app.approve(case)["state"] == "approved"


def test_the_approver_sends_it_back_with_a_note_that_the_company_does_not_read(app):
    company = app.set_up_company()
    case = company.apply()
    app.review(case)
    app.approver.act(f"/v1/applications/{case}/return", {"reason": "Look at the cost statement once more."})

    def notes(who, path):
        return [each["note"] for each in ok(who.get(path))["items"] if each["note"]]

    assert notes(app.reviewer, f"/v1/applications/{case}/timeline") == ["Look at the cost statement once more."]
    assert notes(company, f"/v1/applications/{case}/timeline") == []


def test_an_evidence_file_cannot_be_slipped_in_after_submission(app):
    company = app.set_up_company()
    case = company.apply()
    app.review(case)
    late = company.add_evidence(case)
    assert (late.status_code, late.json()["code"]) == (409, "application-frozen")
    assert app.approve(case)["state"] == "approved"
