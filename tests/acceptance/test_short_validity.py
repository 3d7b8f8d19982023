"""A certificate that would end soon is granted only where the applicant has accepted the short term in an answer."""

from datetime import timedelta

import pytest

from app.core.dates import baku_day
from tests.factories import COMPANY_DOCUMENTS, ok
from tests.helpers import execute, refused, stored_id

pytestmark = pytest.mark.pg_sampled
RULES = {"residency": "K-02", "permit": "K-11", "conformity-document": "C-11"}
QUESTION = {"questions": [{"text": "It would end soon. Do you accept that?", "field": "/term"}]}


def ending_in(app, days, what):
    """A case under review whose certificate would rest on something that ends in so many days, and that day."""
    last = (baku_day(app.clock()) + timedelta(days=days)).isoformat()
    company = app.set_up_company(evidence=what == "residency")
    if what == "residency":
        own = stored_id(app, company.organisation_id)
        execute(app, "UPDATE residencies SET ends_on = :last WHERE organisation_id = :own", last=last, own=own)
    else:
        app.document(company, {what: COMPANY_DOCUMENTS[what] | {"valid_until": last}})
    case_id = company.apply()
    app.reviewer.act(f"/v1/applications/{case_id}/claim")
    return company, case_id, last


def recommend(app, case_id, what):
    (product_id,) = ok(app.reviewer.get(f"/v1/applications/{case_id}"))["product_ids"]
    resolved = [{"rule": RULES[what], "accept": True, "reason": "It is about to be renewed."}]
    verdict = {"product_id": product_id, "outcome": "approve", "resolutions": resolved}
    return app.reviewer.post(f"/v1/applications/{case_id}/recommend", version="now", json={"products": [verdict]})


def answer(app, company, case_id, **said):
    """The reviewer asks about the term, and the company answers."""
    app.reviewer.act(f"/v1/applications/{case_id}/request-information", QUESTION)
    asked = company.application(case_id)["questions"][-1]
    return company.post(
        f"/v1/applications/{case_id}/respond",
        version="now",
        json={"answers": [{"question_id": asked["id"], "text": "We have read it."} | said]},
    )


@pytest.mark.parametrize("what", sorted(RULES))
def test_a_short_term_is_granted_to_a_company_that_accepts_it(app, what):
    company, case_id, last = ending_in(app, 29, what)
    named = refused(recommend(app, case_id, what), 409, "term-too-short")
    (product_id,) = company.application(case_id)["product_ids"]
    assert named["products"] == [
        {
            "product_id": product_id,
            "valid_until": last,
            "days": 29,
            "reason": f"It would run only until {last}, 29 days.",
        }
    ]
    assert "/term" in named["detail"]  # what the reviewer asks about

    # Not accepted is not granted, and neither is an answer that does not say.
    ok(answer(app, company, case_id, accepts=False))
    refused(recommend(app, case_id, what), 409, "term-too-short")
    refused(answer(app, company, case_id), 422, "invalid")
    asked = company.application(case_id)["questions"][-1]
    said = {"question_id": asked["id"], "text": "Yes.", "accepts": True}
    company.act(f"/v1/applications/{case_id}/respond", {"answers": [said]})
    assert company.application(case_id)["questions"][-1]["accepted_until"] == last

    # Accepted, it is recommended and approved, and ends with what it rests on.
    ok(recommend(app, case_id, what))
    (number,) = app.approve(case_id)["certificates"]
    assert app.verify(number)["certificate"]["valid_until"] == last


def test_thirty_days_need_no_consent(app):
    _, case_id, last = ending_in(app, 30, "residency")
    ok(recommend(app, case_id, "residency"))
    (number,) = app.approve(case_id)["certificates"]
    assert app.verify(number)["certificate"]["valid_until"] == last


def test_a_term_that_became_short_since_the_recommendation_goes_back_to_review(app):
    company, case_id, last = ending_in(app, 30, "residency")
    ok(recommend(app, case_id, "residency"))
    app.clock.advance(days=1)
    refusal = refused(app.approver.post(f"/v1/applications/{case_id}/approve", version="now"), 409, "term-too-short")
    assert [each["valid_until"] for each in refusal["products"]] == [last]
    assert company.application(case_id)["state"] == "in_review"
    assert company.application(case_id)["certificates"] == []
    ok(answer(app, company, case_id, accepts=True))
    ok(recommend(app, case_id, "residency"))
    assert app.approve(case_id)["state"] == "approved"


def test_an_accepted_term_holds_for_no_shorter_one(app):
    company, case_id, _ = ending_in(app, 29, "residency")
    ok(answer(app, company, case_id, accepts=True))
    last = (baku_day(app.clock()) + timedelta(days=10)).isoformat()
    own = stored_id(app, company.organisation_id)
    execute(app, "UPDATE residencies SET ends_on = :last WHERE organisation_id = :own", last=last, own=own)
    named = refused(recommend(app, case_id, "residency"), 409, "term-too-short")
    assert [(each["valid_until"], each["days"]) for each in named["products"]] == [(last, 10)]
