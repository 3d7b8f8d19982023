"""What is noted in a transaction is written once, at its end: not at savepoints, and never lost with one."""

from contextlib import suppress

import pytest
import sqlalchemy as sa

from app.audit import model, recorder
from app.commit_pipeline import COMMIT_STEPS
from app.core.actor import SYSTEM
from app.core.database import Database
from app.core.unit_of_work import PendingWorkNotWritten
from tests.organisations.factories import NOW


def note(session, event):
    recorder.record(session, SYSTEM, event, ("test", "x"), NOW)


def written(database):
    with database.read_session() as session:
        return list(session.scalars(sa.select(model.AuditEvent.event).order_by(model.AuditEvent.seq)))


def test_the_order_of_the_steps_is_the_order_of_the_locks():
    names = [f"{step.__module__}.{step.__name__}" for step in COMMIT_STEPS]
    assert names == [
        "app.certificates.status_list_publisher.flush_bit_updates",
        "app.transparency.appender.write_pending",
        "app.audit.recorder.write_pending",
        "app.certificates.read_model.projector.write_pending",
        "app.auth.credentials.confirmations.remember_used",  # takes none: it writes a file after the commit
    ]


def test_a_savepoint_takes_no_lock_on_the_head_of_the_history(database):
    """A residency was restored in a savepoint: the head was held from there on, and an approval, which had the head of
    the log and waited for this one, waited for ever."""
    with database.session() as restoring:
        with restoring.begin_nested():
            note(restoring, "test.inside")
        assert restoring.scalar(sa.select(sa.func.count()).select_from(model.AuditEvent)) == 0
        if not database.is_sqlite:  # SQLite has one writer, and no locks to take in a wrong order
            with database.session() as approving:
                approving.execute(sa.text("SELECT size FROM log_head FOR UPDATE NOWAIT"))
                approving.execute(sa.text("SELECT seq FROM audit_head FOR UPDATE NOWAIT"))
        restoring.commit()
    assert written(database) == ["test.inside"]


def test_rolling_back_to_a_savepoint_loses_what_was_noted_inside_it_and_nothing_else(database):
    with database.session() as session:
        note(session, "test.before")
        with suppress(ZeroDivisionError), session.begin_nested():
            note(session, "test.inside")
            with session.begin_nested():
                note(session, "test.deep")
            raise ZeroDivisionError
        with session.begin_nested():
            note(session, "test.second")
        with suppress(sa.exc.DBAPIError), session.begin_nested():
            note(session, "test.third")
            session.execute(sa.text("SELECT * FROM no_such_table"))
        note(session, "test.after")
        session.commit()
    assert written(database) == ["test.before", "test.second", "test.after"]


def test_a_rollback_and_a_closed_session_lose_everything(database):
    session = database.session()
    note(session, "test.rolled_back")
    session.flush()
    session.rollback()
    session.execute(sa.text("SELECT 1"))
    note(session, "test.closed")
    session.close()
    session.execute(sa.text("SELECT 1"))
    session.commit()
    session.close()
    assert written(database) == []


def test_noted_work_that_no_step_writes_stops_the_commit(database):
    forgetful = Database(database.url)
    with forgetful.session() as session:
        note(session, "test.lost")
        with pytest.raises(PendingWorkNotWritten, match="audit events"):
            session.commit()
    with database.session() as session, pytest.raises(PendingWorkNotWritten), session.begin():
        note(session, "test.past_the_steps")  # `begin` commits by itself, without `UnitOfWork.commit`
    with database.read_session() as session, pytest.raises(TypeError, match="only reads"):
        note(session, "test.read")
    forgetful.dispose()
    assert written(database) == []
