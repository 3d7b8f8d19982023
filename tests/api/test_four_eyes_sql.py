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
def recommended(shared_house):
    """A case on which one person has recommended who is an approver as well."""
    house = shared_house
    case_id = in_state(house, house.company(), "recommended", reviewer=both(house))
    (row,) = rows(
        house,
        "SELECT r.id, r.application_id, r.recommended_by FROM recommendations r "
        "JOIN applications a ON a.id = r.application_id WHERE a.state = 'recommended'",
    )
    assert str(row.application_id).replace("-", "") == case_id.replace("-", "")
    return row


def person(house, caller):
    """The id as the tables hold it."""
    found = rows(house, "SELECT id, email FROM users")
    return next(row.id for row in found if str(row.id).replace("-", "") == caller.id.replace("-", ""))


def decision(house, recommended, recommended_by, decided_by):
    """A decision written past the service: statement and values."""
    ident = "1" * 32 if house.database.is_sqlite else "11111111-1111-7111-8111-111111111111"
    values = {"id": ident, "application": recommended.application_id, "recommendation": recommended.id}
    statement = (
        f"INSERT INTO decisions ({COLUMNS}) VALUES (:id, :application, :recommendation, :recommended_by, :decided_by, "
        "'2026-11-22 17:00:00', 'approved', NULL, '[]', '1', 'x')"
    )
    return sa.text(statement), values | {"recommended_by": recommended_by, "decided_by": decided_by}


def decide(house, recommended, *, recommended_by, decided_by):
    with house.database.write_engine.begin() as connection:
        connection.execute(*decision(house, recommended, recommended_by, decided_by))


def test_the_recommender_cannot_be_written_down_as_the_decider(shared_house, recommended):
    with pytest.raises(REFUSED, match="four_eyes"):
        decide(
            shared_house,
            recommended,
            recommended_by=recommended.recommended_by,
            decided_by=recommended.recommended_by,
        )
    assert count(shared_house, "decisions") == 0


def test_nor_by_a_false_word_on_who_recommended(shared_house, recommended):
    """The recommender decides and names somebody else as the recommender."""
    approver = person(shared_house, shared_house.approver)
    with pytest.raises(REFUSED, match=r"(?i)foreign key"):
        decide(shared_house, recommended, recommended_by=approver, decided_by=recommended.recommended_by)
    with pytest.raises(REFUSED, match=r"(?i)not.null"):
        decide(shared_house, recommended, recommended_by=None, decided_by=recommended.recommended_by)
    assert count(shared_house, "decisions") == 0


def test_nor_by_rewriting_the_recommendation(shared_house):
    """Once decided, the recommendation that it names cannot become another person's."""
    house = shared_house
    house.certify()
    approver = person(house, house.approver)
    statement = "UPDATE recommendations SET recommended_by = :who WHERE id IN (SELECT recommendation_id FROM decisions)"
    with pytest.raises(REFUSED, match=r"(?i)foreign key"), house.database.write_engine.begin() as connection:
        connection.execute(sa.text(statement), {"who": approver})


def test_another_person_can(shared_house, recommended):
    """The same statement with four eyes goes through: the others were refused for what they said."""
    house = shared_house
    approver = person(house, house.approver)
    with house.database.write_engine.connect() as connection:
        connection.execute(*decision(house, recommended, recommended.recommended_by, approver))
        connection.rollback()


def test_a_decided_case_is_not_decided_again(shared_house):
    """Not even under another id, nor by SQLite's REPLACE."""
    house = shared_house
    house.certify()
    verbs = ["INSERT", "INSERT OR REPLACE"] if house.database.is_sqlite else ["INSERT"]
    others = COLUMNS.replace("id, application_id", "application_id", 1)
    other_id = f"'{'2' * 32}'" if house.database.is_sqlite else f"CAST('{'2' * 32}' AS uuid)"
    before = rows(house, "SELECT * FROM decisions ORDER BY 1")
    for verb in verbs:
        again = f"{verb} INTO decisions ({COLUMNS}) SELECT {other_id}, {others} FROM decisions LIMIT 1"
        refused = pytest.raises(REFUSED, match=r"(?i)unique|never changed")
        with refused, house.database.write_engine.begin() as connection:
            connection.execute(sa.text(again))
    assert rows(house, "SELECT * FROM decisions ORDER BY 1") == before


@pytest.mark.parametrize("table", HISTORY)
def test_history_is_never_rewritten(shared_house, table):
    house = shared_house
    house.certify()
    before = rows(house, f"SELECT * FROM {table} ORDER BY 1")
    assert before
    statements = [f"UPDATE {table} SET {HISTORY[table]} = {HISTORY[table]}", f"DELETE FROM {table}"]
    if house.database.is_sqlite:
        statements += [f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"]  # no delete trigger sees a REPLACE
    else:
        statements += [f"TRUNCATE {table} CASCADE"]
    for statement in statements:
        with pytest.raises(REFUSED, match="never changed"), house.database.write_engine.begin() as connection:
            connection.execute(sa.text(statement))
    assert rows(house, f"SELECT * FROM {table} ORDER BY 1") == before
