"""Jobs run once after their commit, again after failures, and by another worker when theirs is dead."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.jobs import job_repository, job_worker, port
from app.jobs.job_type import JobPostponed, JobRejected, JobType
from app.jobs.job_worker import LEASE
from tests.jobs.factories import HOURLY, NOTE, Bench


@pytest.fixture
def bench(database):
    return Bench(database)


def test_a_committed_job_runs_once(bench):
    job_id = bench.enqueue({"n": 1})
    assert (bench.worker.run_due(), bench.worker.run_due()) == (1, 0)
    assert [(run.id, run.payload, run.attempt) for run in bench.runs] == [(job_id, {"n": 1}, 1)]
    job = bench.job(job_id)
    assert (job.state, job.due_at, job.finished_at) == ("done", None, bench.clock())


def test_a_job_that_was_rolled_back_never_runs(bench):
    bench.enqueue(commit=False)
    with bench.database.session() as session:
        savepoint = session.begin_nested()
        port.enqueue(session, NOTE, {}, now=bench.clock())
        savepoint.rollback()
        session.commit()
    assert bench.worker.run_due() == 0


def test_a_key_is_taken_once(bench):
    first = bench.enqueue({"n": 1}, key="a")
    assert bench.enqueue({"n": 2}, key="a") == first
    assert bench.enqueue(key="b") != first
    assert bench.worker.run_due() == 2
    assert bench.enqueue({"n": 3}, key="a") == first  # done, and known for as long as it is kept
    assert bench.worker.run_due() == 0
    with bench.database.session() as session:
        job_repository.delete_finished_before(session, bench.clock() + timedelta(seconds=1))
        session.commit()
    assert bench.enqueue(key="a") != first


def test_two_transactions_enqueue_one_key_at_once(bench):
    barrier = threading.Barrier(2)

    def enqueue(_):
        barrier.wait()
        return bench.enqueue(key="a")

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(enqueue, range(2)))) == 1
    assert bench.worker.run_due() == 1


def test_a_job_waits_for_its_moment(bench):
    bench.enqueue(not_before=bench.clock() + timedelta(hours=2))
    bench.clock.advance(minutes=119)
    assert bench.worker.run_due() == 0
    bench.clock.advance(minutes=1)
    assert bench.worker.run_due() == 1


def test_a_failed_job_is_tried_again_and_then_parked(bench):
    bench.fails = [OSError("no answer"), ValueError("still none"), OSError("gone")]
    job_id = bench.enqueue()
    for attempt, wait in ((1, 15), (2, 30)):
        assert bench.worker.run_due() == 1
        job = bench.job(job_id)
        assert (job.state, job.attempts, job.due_at) == (
            "waiting",
            attempt,
            bench.clock() + timedelta(seconds=wait),
        )
        bench.clock.advance(seconds=wait - 1)
        assert bench.worker.run_due() == 0
        bench.clock.advance(seconds=1)
    assert bench.worker.run_due() == 1
    job = bench.job(job_id)
    assert (job.state, job.due_at, job.last_error) == ("parked", None, "OSError: gone")
    bench.clock.advance(days=100)
    assert bench.hire(NOTE).run_due() == 0


def test_an_error_that_cannot_be_stored_is_stored_in_part(bench, monkeypatch):
    monkeypatch.setattr(job_worker.logger, "disabled", True)  # pytest-xdist cannot send it either
    bench.fails = [ValueError("a\0b \ud800 " + "x" * 500)]
    job_id = bench.enqueue()
    bench.worker.run_due()
    assert bench.job(job_id).last_error.startswith("ValueError: ab ? xxx")


def test_a_handler_may_postpone_or_reject(bench):
    later = bench.clock() + timedelta(minutes=5)
    bench.fails = [JobPostponed(later), JobRejected("There is no such address.")]
    job_id = bench.enqueue()
    bench.worker.run_due()
    job = bench.job(job_id)
    assert (job.state, job.due_at, job.attempts, job.last_error) == ("waiting", later, 0, None)
    bench.clock.advance(minutes=5)
    bench.worker.run_due()
    assert (bench.job(job_id).state, bench.job(job_id).last_error) == ("parked", "There is no such address.")


def test_what_recurs_waits_a_period_and_is_never_parked(bench):
    other = bench.hire()
    assert (bench.worker.run_due(), other.run_due(), bench.count()) == (0, 0, 1)
    bench.clock.advance(hours=5)  # nothing ran meanwhile: once, not five times
    assert (other.run_due(), bench.worker.run_due()) == (1, 0)
    bench.clock.advance(hours=1)
    bench.fails = [OSError("no disk")] * 30
    for _ in range(30):
        assert bench.worker.run_due() == 1
        bench.clock.advance(hours=1)
    with bench.database.read_session() as session:
        figures = job_repository.queue_figures(session, bench.clock())
    assert (figures.waiting, figures.parked, figures.failing) == (1, 0, (HOURLY.name,))
    bench.worker.run_due()
    with bench.database.read_session() as session:
        assert job_repository.queue_figures(session, bench.clock()).failing == ()


def test_a_dead_worker_is_taken_over_from_at_the_end_of_its_lease(bench):
    """`_take` commits the reservation; then the process dies."""
    job_id = bench.enqueue()
    dead = bench.hire()
    assert dead._take() is not None
    assert (bench.job(job_id).state, bench.worker.run_due()) == ("running", 0)
    bench.clock.advance(seconds=LEASE.total_seconds())
    assert (bench.worker.run_due(), [run.attempt for run in bench.runs]) == (1, [2])


def test_a_worker_that_lives_prolongs_its_lease_and_one_that_lost_it_changes_nothing(bench):
    started, may_end = threading.Event(), threading.Event()

    def slow(_run):
        started.set()
        may_end.wait(30)

    job_id, slow_worker = bench.enqueue(), bench.hire(NOTE, handler=slow)
    running = threading.Thread(target=slow_worker.run_next)
    running.start()
    started.wait(30)
    bench.clock.advance(seconds=50)
    slow_worker.prolong()
    bench.clock.advance(seconds=50)
    assert bench.worker.run_due() == 0  # the lease was prolonged
    bench.clock.advance(seconds=10)
    bench.fails = [OSError("no answer")]
    assert bench.worker.run_due() == 1  # the lease was not prolonged: another worker runs it, and fails
    may_end.set()
    running.join(30)
    job = bench.job(job_id)
    assert (job.state, job.attempts, job.last_error) == ("waiting", 2, "OSError: no answer")


def test_a_job_that_ends_its_worker_each_time_is_parked(bench):
    job_id = bench.enqueue()
    for _ in range(NOTE.max_attempts):
        assert bench.hire()._take() is not None
        bench.clock.advance(seconds=LEASE.total_seconds())
    assert bench.worker.run_due() == 0
    assert (bench.job(job_id).state, bench.job(job_id).last_error) == ("parked", "Its worker ended before it did.")


def test_progress_is_seen_while_a_job_runs(bench):
    seen = []

    def handler(run):
        run.report_progress(3, 10)
        job = bench.job(run.id)
        seen.append((job.state, job.progress_done, job.progress_total))

    bench.enqueue()
    assert bench.hire(NOTE, handler=handler).run_due() == 1
    assert seen == [("running", 3, 10)]


def test_names_are_unique(bench):
    with pytest.raises(ValueError, match="same name"):
        bench.hire(NOTE, JobType(NOTE.name))


def test_threads_run_what_is_committed_at_once_and_end(bench):
    """They look only every minute: the commit wakes them."""
    ran, all_ran = [], threading.Event()

    def handler(run):
        ran.append(run.payload["n"])
        if len(ran) == 20:
            all_ran.set()

    worker = bench.hire(NOTE, handler=handler)
    bench.database.attach_session_info({port.WAKE_KEY: worker.wake})
    with worker.run_in_background(3):
        for n in range(20):
            bench.enqueue({"n": n})
        assert all_ran.wait(30)
    assert sorted(ran) == list(range(20))
    bench.enqueue({"n": 20})
    assert len(ran) == 20
    assert not [each for each in threading.enumerate() if each.name.startswith("jobs-")]


def test_two_workers_double_nothing(bench):
    lock, ran, all_ran = threading.Lock(), [], threading.Event()

    def handler(run):
        with lock:
            ran.append(run.payload["n"])
            if len(ran) == 60:
                all_ran.set()

    workers = [bench.hire(NOTE, handler=handler) for _ in range(2)]
    with bench.database.session() as session:
        for n in range(60):
            port.enqueue(session, NOTE, {"n": n}, now=bench.clock())
        session.commit()
    with workers[0].run_in_background(3), workers[1].run_in_background(3):
        assert all_ran.wait(60)
    assert sorted(ran) == list(range(60))


def test_a_thread_outlives_a_database_that_does_not_answer(bench, monkeypatch):
    monkeypatch.setattr(job_worker, "_BROKEN_S", 0.01)
    calls, next_due_at, ran = [], job_repository.next_due_at, threading.Event()

    def flaky(session, names):
        calls.append(1)
        if len(calls) < 3:
            raise sa.exc.OperationalError("", {}, OSError("gone"))
        return next_due_at(session, names)

    monkeypatch.setattr(job_repository, "next_due_at", flaky)
    bench.enqueue()
    with bench.hire(NOTE, handler=lambda _: ran.set()).run_in_background(1):
        assert ran.wait(30)
