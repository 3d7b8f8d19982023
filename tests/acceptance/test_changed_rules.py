"""The rules change while a case is open: it is decided by those of the day, or goes back to review."""

import sqlalchemy as sa

from tests.factories import ok, publish

STRICT = [("K-06", "pass_at", "99"), ("K-06", "review_at", "98")]
"""A Karabakh share that nothing reaches."""
MILD = [("K-06", "pass_at", "39")]
"""Another bound, and no other outcome."""


def ruleset_versions(app, table):
    with app.database.read_session() as session:
        return session.scalars(sa.text(f"SELECT ruleset_version FROM {table}")).all()


def test_a_version_that_changes_the_outcome_sends_the_case_back(app):
    case = app.set_up_company().apply()
    app.review(case)
    publish(app, "MIK", "2099.1", STRICT)
    refusal = app.approver.post(f"/v1/applications/{case}/approve", version="now")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "not-eligible")
    assert [each["rule"] for each in refusal.json()["findings"]] == ["K-06"]
    back = ok(app.reviewer.get(f"/v1/applications/{case}"))
    assert (back["state"], back["recommendation"]) == ("in_review", None)
    assert ok(app.anonymous.get("/v1/certificates"))["items"] == []


def test_a_version_that_changes_no_outcome_decides(app):
    case = app.set_up_company().apply()
    app.review(case)
    publish(app, "MIK", "2099.1", MILD)
    assert app.approve(case)["state"] == "approved"
    assert ruleset_versions(app, "decisions") == ruleset_versions(app, "certificates") == ["2099.1"]


def test_a_rejection_for_a_rule_that_is_met_now_goes_back_as_well(app):
    strict = publish(app, "MIK", "2099.1", STRICT)
    case = app.set_up_company().apply()
    app.review(case, outcome="reject", reasons=["The share of Karabakh is too low."])
    publish(app, "MIK", "2099.2", MILD)
    refusal = app.approver.post(f"/v1/applications/{case}/approve", version="now")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "outcome-changed")
    assert ok(app.reviewer.get(f"/v1/applications/{case}"))["state"] == "in_review"
    app.review(case)
    assert app.approve(case)["state"] == "approved"
    assert strict.version not in ruleset_versions(app, "certificates")


def test_a_rejection_for_another_reason_stands(app):
    case = app.set_up_company().apply()
    app.review(case, outcome="reject", reasons=["The samples were not those of the site."])
    publish(app, "MIK", "2099.1", MILD)
    assert app.approve(case)["state"] == "rejected"
