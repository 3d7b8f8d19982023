"""How goods of the same heading were decided before: whole for the staff, in figures for other companies."""

import pytest
import sqlalchemy as sa

from app.applications.model import DecidedProduct
from tests.applications.helpers import claimed
from tests.factories import ok, product
from tests.helpers import refused
from tests.played import played

pytestmark = [pytest.mark.no_coverage, pytest.mark.pg_sampled]


def reject(app, case_id, reason="The statement of “Gizli” cannot be believed."):
    app.review(case_id, outcome="reject", reasons=[reason])
    app.approver.act(f"/v1/applications/{case_id}/approve")


def for_staff(app, case_id, **params):
    return ok(app.approver.get(f"/v1/applications/{case_id}/earlier-decisions", params=params))["items"]


def for_company(company, case_id):
    return ok(company.get(f"/v1/applications/{case_id}/earlier-decisions"))["items"]


@played
def decided(app):
    """One company granted and refused on heading 7306, another refused by a rule; a third asks."""
    granted, refused_one, asking = app.set_up_company(), app.set_up_company(), app.set_up_company()
    number = app.certify(granted)
    low = product(refused_one.site_id)["costs"]
    low[0] = low[0] | {"amount": "100"}
    failing = refused_one.apply(refused_one.add_product(costs=low))
    reject(app, failing)
    own = asking.apply(asking.add_product(reference="first"))
    reject(app, own, "The site was empty.")
    again = asking.add_product(hs6="730661")  # the same heading, another subheading
    case_id = claimed(app, asking, again)
    return app, asking, case_id, {"granted": number, "failing": failing, "own": own}


def test_the_staff_reads_them_whole_newest_first(decided):
    app, asking, case_id, was = decided
    own, failing, granted = for_staff(app, case_id)
    assert [own["application_id"], failing["application_id"]] == [was["own"], was["failing"]]
    assert [own["same_company"], failing["same_company"], granted["same_company"]] == [True, False, False]
    assert own["organisation"]["id"] == asking.organisation_id
    assert failing["organisation"]["legal_name_en"].startswith("Sample")
    (refusal,) = failing["products"]
    assert (refusal["heading"], refusal["hs6"], refusal["outcome"]) == ("7306", "730630", "rejected")
    assert "K-06" in [finding["rule"] for finding in refusal["failed"]]
    assert refusal["reasons"] == ["The statement of “Gizli” cannot be believed."]
    assert granted["products"][0]["certificate"] == was["granted"]
    assert [each["application_id"] for each in for_staff(app, case_id, same_company=True)] == [was["own"]]
    assert len(for_staff(app, case_id, same_company=False)) == 2


def test_they_come_in_pages(decided):
    app, _, case_id, was = decided
    path = f"/v1/applications/{case_id}/earlier-decisions"
    first = app.reviewer.get(path, params={"limit": 2})
    following = app.reviewer.get(first.headers["Link"].split(">")[0].removeprefix("<"))
    seen = [item["application_id"] for item in ok(first)["items"] + ok(following)["items"]]
    assert len(seen) == len(set(seen)) == 3
    assert seen[0] == was["own"]


def test_a_company_reads_its_own_and_counts_of_others(decided):
    app, asking, case_id, was = decided
    answer = asking.get(f"/v1/applications/{case_id}/earlier-decisions")
    (heading,) = ok(answer)["items"]
    assert heading["heading"] == "7306"
    (own,) = heading["own"]
    assert (own["application_id"], own["outcome"], own["reasons"]) == (was["own"], "rejected", ["The site was empty."])
    others = heading["others"]
    assert (others["approved"], others["rejected"]) == (1, 1)
    rules = {rule["rule"]: rule for rule in others["rules"]}
    assert (rules["K-06"]["failed"], rules["K-06"]["accepted"]) == (1, 0)
    assert rules["K-06"]["title"]["az"] and rules["K-06"]["clause"]["en"]
    # No name, number, product, sentence or value of anybody else.
    shown = answer.text
    company = app.auditor.get(f"/v1/applications/{was['failing']}").json()["organisation"]
    for secret in ("Gizli", was["granted"], was["failing"], company["legal_name_en"], company["id"], "10.0 %"):
        assert secret not in shown


def test_manual_rules_that_a_person_accepted_are_counted(app):
    company, asking = app.set_up_company(), app.set_up_company()
    manual = company.apply(company.add_product(flags=["assembly_only"]))
    app.review(manual, resolutions=[{"rule": "C-08", "accept": True, "reason": "Seen on site."}])
    app.approve(manual)
    (heading,) = for_company(asking, asking.draft())
    assert [(r["rule"], r["failed"], r["accepted"]) for r in heading["others"]["rules"]] == [("C-08", 0, 1)]
    assert "Seen on site" not in str(heading)


def test_a_case_is_compared_with_what_was_decided_before_it(decided):
    app, asking, _, was = decided
    assert [each["application_id"] for each in for_staff(app, was["failing"])] == [
        app.auditor.get("/v1/applications").json()["items"][0]["id"]
    ]
    (heading,) = for_company(asking, was["own"])
    assert heading["own"] == []


def test_a_decision_stays_under_the_code_of_its_day(decided):
    """Described anew under another heading afterwards, the product is still found where it was decided."""
    app, asking, case_id, was = decided
    (product_id,) = asking.application(was["own"])["product_ids"]
    body = product(asking.site_id) | {"hs6": "391721", "reference": "first"}
    ok(asking.put(f"/v1/products/{product_id}", json=body, version="now"))
    (own, *_) = for_staff(app, case_id)
    assert (own["application_id"], own["products"][0]["hs6"]) == (was["own"], "730630")
    other_heading = asking.draft(asking.add_product(hs6="391723"))
    assert for_company(asking, other_heading)[0] == {
        "heading": "3917",
        "own": [],
        "others": {"approved": 0, "rejected": 0, "rules": []},
    }


def test_other_marks_have_other_rules(decided):
    app, asking, *_ = decided
    (heading,) = for_company(asking, asking.draft(asking.add_product(), scheme="MIA"))
    assert heading["own"] == []
    assert heading["others"]["rejected"] == 0
    assert app


def test_they_are_for_those_who_may_see_the_case(decided):
    app, asking, case_id, _ = decided
    stranger = app.register()
    refused(stranger.get(f"/v1/applications/{case_id}/earlier-decisions"), 404)
    (heading,) = ok(asking.get(f"/v1/applications/{case_id}/earlier-decisions?same_company=false"))["items"]
    assert heading.keys() == {"heading", "own", "others"}  # nothing of what staff read
    refused(app.inspector.get(f"/v1/applications/{case_id}/earlier-decisions"), 403)
    refused(app.anonymous.get(f"/v1/applications/{case_id}/earlier-decisions"), 401)


@pytest.mark.parametrize(
    "statement", ["UPDATE decided_products SET outcome = 'approved'", "DELETE FROM decided_products"]
)
def test_what_was_decided_is_never_changed(decided, statement):
    app, *_ = decided
    with app.database.session() as session, pytest.raises(sa.exc.DBAPIError, match="never changed"):
        session.execute(sa.text(statement))
    with app.database.read_session() as session:
        assert len(session.scalars(sa.select(DecidedProduct)).all()) == 3
