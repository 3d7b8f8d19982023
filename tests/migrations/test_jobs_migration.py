"""Jobs that wait outlive a downgrade to a version that has none, and the upgrade after it."""

import sqlalchemy as sa
from alembic import command

from app.database_schema import migrate
from app.jobs import port
from app.jobs.job_type import JobType
from tests.jobs.factories import NOTE, Bench
from tests.migrations.test_migrations import run

BEFORE = "20261128_0350_witnesses"


def test_waiting_jobs_outlive_a_downgrade(database):
    bench = Bench(database)
    done = bench.enqueue(key="done")
    assert bench.worker.run_due() == 1
    waiting = bench.enqueue({"n": 2}, key="waiting")
    run(database, command.downgrade, BEFORE)
    migrate(database)
    run(database, command.check)
    assert bench.worker.run_due() == 1
    assert [each.payload for each in bench.runs] == [{}, {"n": 2}]
    assert {bench.job(done).state, bench.job(waiting).state} == {"done"}
    assert bench.enqueue(key="done") == done


def test_without_waiting_jobs_nothing_is_left(database):
    bench = Bench(database)
    bench.worker.schedule()
    bench.enqueue()
    bench.hire(NOTE).run_due()
    run(database, command.downgrade, BEFORE)
    with database.read_engine.connect() as connection:
        assert {"jobs", "kept_jobs"}.isdisjoint(sa.inspect(connection).get_table_names())
    migrate(database)
    assert bench.count() == 0


def test_a_version_that_does_not_know_a_type_leaves_it_alone(database):
    """A downgrade that changes no table, and the upgrade after it."""
    bench, newer = Bench(database), JobType("test.newer")
    with database.session() as session:
        port.enqueue(session, newer, {}, now=bench.clock())
        session.commit()
    assert bench.worker.run_due() == 0
    assert bench.hire(newer).run_due() == 1
