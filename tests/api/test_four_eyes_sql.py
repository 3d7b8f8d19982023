"""What the database itself refuses, whoever holds the connection: one pair of eyes, and history rewritten."""

import pytest
import sqlalchemy as sa

from tests.factories import both, in_state
from tests.helpers import count, rows

COLUMNS = """id, application_id, recommendation_id, recommended_by, decided_by, decided_at, outcome, reason, products,
    ruleset_version, dossier_hash"""
REFUSED = (sa.exc.IntegrityError, sa.exc.InternalError, sa.exc.DatabaseError)
HISTORY = {"decisions": "outcome", "audit_events": "event", "rulesets": "digest", "assessments": "outcome"}


@pytest.fixture(scope="module")
def recommended(shared_app):
    """A case on which one person has recommended who is an approver as well."""
    app = shared_app
    case_id = in_state(app, app.set_up_company(), "recommended", reviewer=both(app))
    (row,) = rows(
        app,
        "SELECT r.id, r.application_id, r.recommended_by FROM recommendations r "
        "JOIN applications a ON a.id = r.application_id WHERE a.state = 'recommended'",
    )
    assert str(row.application_id).replace("-", "") == case_id.replace("-", "")
    return row


def person(app, caller):
    """The id as the tables hold it."""
    found = rows(app, "SELECT id, email FROM users")
    return next(row.id for row in found if str(row.id).replace("-", "") == caller.id.replace("-", ""))


def decision(app, recommended, recommended_by, decided_by):
    """A decision written past the service: statement and values."""
    ident = "1" * 32 if app.database.is_sqlite else "11111111-1111-7111-8111-111111111111"
    values = {"id": ident, "application": recommended.application_id, "recommendation": recommended.id}
    statement = (
        f"INSERT INTO decisions ({COLUMNS}) VALUES (:id, :application, :recommendation, :recommended_by, :decided_by, "
        "'2026-11-22 17:00:00', 'approved', NULL, '[]', '1', 'x')"
    )
    return sa.text(statement), values | {"recommended_by": recommended_by, "decided_by": decided_by}


def decide(app, recommended, *, recommended_by, decided_by):
    with app.database.write_engine.begin() as connection:
        connection.execute(*decision(app, recommended, recommended_by, decided_by))


def test_the_recommender_cannot_be_written_down_as_the_decider(shared_app, recommended):
    with pytest.raises(REFUSED, match="four_eyes"):
        decide(
            shared_app,
            recommended,
            recommended_by=recommended.recommended_by,
            decided_by=recommended.recommended_by,
        )
    assert count(shared_app, "decisions") == 0


def test_nor_by_a_false_word_on_who_recommended(shared_app, recommended):
    """The recommender decides and names somebody else as the recommender."""
    approver = person(shared_app, shared_app.approver)
    with pytest.raises(REFUSED, match=r"(?i)foreign key"):
        decide(shared_app, recommended, recommended_by=approver, decided_by=recommended.recommended_by)
    with pytest.raises(REFUSED, match=r"(?i)not.null"):
        decide(shared_app, recommended, recommended_by=None, decided_by=recommended.recommended_by)
    assert count(shared_app, "decisions") == 0


def test_nor_by_rewriting_the_recommendation(shared_app):
    """Once decided, the recommendation that it names cannot become another person's."""
    app = shared_app
    app.certify()
    approver = person(app, app.approver)
    statement = "UPDATE recommendations SET recommended_by = :who WHERE id IN (SELECT recommendation_id FROM decisions)"
    with pytest.raises(REFUSED, match=r"(?i)foreign key"), app.database.write_engine.begin() as connection:
        connection.execute(sa.text(statement), {"who": approver})


def test_another_person_can(shared_app, recommended):
    """The same statement with four eyes goes through: the others were refused for what they said."""
    app = shared_app
    approver = person(app, app.approver)
    with app.database.write_engine.connect() as connection:
        connection.execute(*decision(app, recommended, recommended.recommended_by, approver))
        connection.rollback()


def test_a_decided_case_is_not_decided_again(shared_app):
    """Not even under another id, nor by SQLite's REPLACE."""
    app = shared_app
    app.certify()
    verbs = ["INSERT", "INSERT OR REPLACE"] if app.database.is_sqlite else ["INSERT"]
    others = COLUMNS.replace("id, application_id", "application_id", 1)
    other_id = f"'{'2' * 32}'" if app.database.is_sqlite else f"CAST('{'2' * 32}' AS uuid)"
    before = rows(app, "SELECT * FROM decisions ORDER BY 1")
    for verb in verbs:
        again = f"{verb} INTO decisions ({COLUMNS}) SELECT {other_id}, {others} FROM decisions LIMIT 1"
        refused = pytest.raises(REFUSED, match=r"(?i)unique|never changed")
        with refused, app.database.write_engine.begin() as connection:
            connection.execute(sa.text(again))
    assert rows(app, "SELECT * FROM decisions ORDER BY 1") == before


@pytest.mark.parametrize("table", HISTORY)
def test_history_is_never_rewritten(shared_app, table):
    app = shared_app
    app.certify()
    before = rows(app, f"SELECT * FROM {table} ORDER BY 1")
    assert before
    statements = [f"UPDATE {table} SET {HISTORY[table]} = {HISTORY[table]}", f"DELETE FROM {table}"]
    if app.database.is_sqlite:
        statements += [f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"]  # no delete trigger sees a REPLACE
    else:
        statements += [f"TRUNCATE {table} CASCADE"]
    for statement in statements:
        with pytest.raises(REFUSED, match="never changed"), app.database.write_engine.begin() as connection:
            connection.execute(sa.text(statement))
    assert rows(app, f"SELECT * FROM {table} ORDER BY 1") == before
