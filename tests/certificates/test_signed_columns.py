"""What a certificate signs cannot be changed in the database, by whoever may not change its triggers."""

import pytest
import sqlalchemy as sa

from app.certificates.model import Certificate

CHANGEABLE = {"status", "status_since", "status_reason", "during_investigation", "version"}
SIGNED = sorted({column.name for column in Certificate.__table__.columns} - CHANGEABLE)
REFUSAL = "signed columns of certificates are never changed"


@pytest.fixture
def change(shared_app):
    number = shared_app.certify()

    def run(statement):
        with shared_app.database.write_engine.begin() as connection:
            connection.execute(sa.text(statement), {"number": number} if ":number" in statement else {})

    return run


def test_no_signed_column_is_changed(change):
    for column in SIGNED:
        with pytest.raises(sa.exc.DatabaseError, match=REFUSAL):
            change(f"UPDATE certificates SET {column} = {column} WHERE number = :number")


def test_no_certificate_is_deleted_or_replaced(change, shared_app):
    with pytest.raises(sa.exc.DatabaseError, match=REFUSAL):
        change("DELETE FROM certificates WHERE number = :number")
    with pytest.raises(sa.exc.DatabaseError, match=REFUSAL):
        change(
            "INSERT OR REPLACE INTO certificates SELECT * FROM certificates WHERE number = :number"
            if shared_app.database.is_sqlite
            else "TRUNCATE certificates CASCADE"
        )


def test_its_life_goes_on(change):
    for column in CHANGEABLE:
        change(f"UPDATE certificates SET {column} = {column} WHERE number = :number")
