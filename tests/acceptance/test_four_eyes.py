"""Nobody decides alone: not through the API, and not with a hand on the database."""

import pytest
import sqlalchemy as sa

from app.core.actor import Role


@pytest.fixture
def both(app):
    """One person with both roles."""
    return app.staff(Role.REVIEWER, Role.APPROVER, name="both")


def test_two_people_are_needed(app, both):
    company = app.set_up_company()
    case = company.apply()

    # Somebody who may review and may approve reviews a case …
    app.review(case, reviewer=both)
    # … and is then the one person who cannot decide it, one way or the other.
    for verb, body in (("approve", None), ("reject", {"reason": "No."}), ("return", {"reason": "Again."})):
        refusal = both.post(f"/v1/applications/{case}/{verb}", version="now", **({"json": body} if body else {}))
        assert (refusal.status_code, refusal.json()["code"]) == (403, "four-eyes"), verb
    assert company.application(case)["certificates"] == []

    # Another approver can.
    assert app.approve(case)["state"] == "approved"


BY_HAND = """
INSERT INTO decisions (id, application_id, recommendation_id, recommended_by, decided_by, decided_at, outcome, products,
                       ruleset_version, dossier_hash)
SELECT id, application_id, id, {recommended_by}, {decided_by}, recommended_at, 'approved', products, '2026.1',
       dossier_hash
FROM recommendations
"""
ONESELF = "recommended_by"
ANOTHER = "(SELECT id FROM users WHERE email = 'approver@staff.example')"


@pytest.mark.parametrize(
    ("recommended_by", "decided_by", "guard"),
    [(ONESELF, ONESELF, "four_eyes"), (ANOTHER, ONESELF, "(?i)foreign")],
    ids=["the recommender decides", "another is said to have recommended"],
)
def test_the_database_refuses_it_too(app, both, recommended_by, decided_by, guard):
    case = app.set_up_company().apply()
    app.review(case, reviewer=both)
    assert app.approver.id != both.id  # hired now: the statement names the address

    with app.database.session() as session, pytest.raises(sa.exc.IntegrityError, match=guard):
        session.execute(sa.text(BY_HAND.format(recommended_by=recommended_by, decided_by=decided_by)))

    # The same statement with two people goes through: it was the guard that refused, and nothing else.
    with app.database.session() as session:
        session.execute(sa.text(BY_HAND.format(recommended_by=ONESELF, decided_by=ANOTHER)))
