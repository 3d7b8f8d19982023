"""What was confirmed by its upload keeps its confirmation, is marked, and from then on nothing else is."""

import pytest
import sqlalchemy as sa
from alembic import command

from app.database_schema import is_migrated
from tests.migrations.helpers import run

BEFORE, AFTER = "20261127_2240_holder", "20261127_2250_rights"
EVIDENCE = sa.text("SELECT kind, confirmed_by, confirmed_at, confirmed_by_uploader FROM evidence ORDER BY id")


def evidence(app):
    with app.database.read_engine.connect() as connection:
        return connection.execute(EVIDENCE).all()


def write(app, statement):
    with app.database.write_engine.begin() as connection:
        connection.execute(sa.text(statement))


def test_documents_confirmed_by_their_upload_stay_confirmed(app):
    company = app.set_up_company(evidence=("permit", "tax-status"))
    before = evidence(app)
    assert [row.confirmed_by_uploader for row in before] == [False, False]
    run(app.database, command.downgrade, BEFORE)
    write(app, "UPDATE evidence SET confirmed_by = uploaded_by WHERE kind = 'tax-status'")
    run(app.database, command.upgrade, AFTER)
    run(app.database, command.upgrade, "head")
    assert is_migrated(app.database)
    permit, status = sorted(evidence(app), key=lambda row: row.kind)
    assert permit == next(row for row in before if row.kind == "permit")
    assert status.confirmed_by_uploader and status.confirmed_at is not None
    with pytest.raises(sa.exc.IntegrityError, match="confirmed_by_another"):
        write(app, "UPDATE evidence SET confirmed_by_uploader = FALSE")
    (item,) = (
        each
        for each in app.owner.get(f"/v1/organisations/{company.organisation_id}/evidence").json()["items"]
        if each["kind"] == "tax-status"
    )
    app.reviewer.act(f"/v1/evidence/{item['id']}/withdraw-confirmation", {})
    assert not any(row.confirmed_by_uploader for row in evidence(app))
