"""An auditor checks the history, and finds that somebody with a hand on the database rewrote it."""

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from app.cli import app as mik
from tests.factories import ok

DISARM = {
    "sqlite": ("DROP TRIGGER audit_events_no_update", "DROP TRIGGER audit_events_no_delete"),
    "postgresql": ("ALTER TABLE audit_events DISABLE TRIGGER ALL",),
}
"""What only the owner of the tables can do."""


@pytest.fixture
def audit_check(app, monkeypatch):
    """`mik doctor --only audit` over the database of the app."""
    monkeypatch.setenv("MIK_DATABASE_URL", app.database.url)
    monkeypatch.setenv("MIK_DATA_DIR", str(app.settings.data_dir))
    return lambda: CliRunner().invoke(mik, ["doctor", "--only", "audit"])


def by_hand(app, *statements, **values):
    with app.database.write_engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement), values)


def test_a_rewritten_event_is_found(app, audit_check):
    number = app.certify()
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})

    # The auditor finds who suspended the certificate, and the chain holds.
    (suspended,) = ok(app.auditor.get("/v1/audit?event=certificate.suspended"))["items"]
    assert suspended["actor"]["id"] == app.owner.id
    done = audit_check()
    assert (done.exit_code, "events hold" in done.stdout) == (0, True), done.stdout

    # Somebody would rather have it done by nobody in particular. The database refuses …
    rewrite = "UPDATE audit_events SET actor_kind = 'system', actor_id = NULL WHERE seq = :seq"
    with pytest.raises(sa.exc.DBAPIError, match="never changed"):
        by_hand(app, rewrite, seq=suspended["seq"])

    # … so the owner of its tables takes the guard away first. Now the history says something else:
    by_hand(app, *DISARM[app.database.write_engine.dialect.name], rewrite, seq=suspended["seq"])
    (told,) = ok(app.auditor.get("/v1/audit?event=certificate.suspended"))["items"]
    assert told["actor"]["id"] is None

    # and the check names the very event.
    done = audit_check()
    assert done.exit_code == 1
    assert done.stdout.startswith(f"audit: wrong\n  Broken at event {suspended['seq']} (changed)"), done.stdout

    # Life goes on, and what is written afterwards does not heal it.
    app.owner.act(f"/v1/certificates/{number}/reinstate", {"cause": "hearing"})
    assert audit_check().stdout == done.stdout


def test_an_event_that_was_taken_out_is_found(app, audit_check):
    number = app.certify()
    (issued,) = ok(app.auditor.get("/v1/audit?event=certificate.issued"))["items"]
    assert number in str(issued)
    by_hand(
        app,
        *DISARM[app.database.write_engine.dialect.name],
        "DELETE FROM audit_events WHERE seq = :seq",
        seq=issued["seq"],
    )

    # The certificate is still good for whoever asks; the auditor knows that its grant was taken out of the history.
    assert app.verify(number)["verdict"] == "valid"
    done = audit_check()
    assert (done.exit_code, done.stdout.startswith(f"audit: wrong\n  Broken at event {issued['seq']} (missing)")) == (
        1,
        True,
    )
