"""Two at once with one Idempotency-Key: one does it, the other waits and gets the same answer."""

import threading
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import event

from app.web import idempotency_repository
from tests.api.helpers import SITE, is_replay, kept, keyed, new_key, sites


class TestTwoAtOnce:
    def test_one_write_and_the_same_answer_for_both(self, company, key):
        answers = at_once(8, lambda: company.post("/v1/sites", json=SITE, headers=keyed(key)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert [is_replay(answer) for answer in answers].count(False) == 1
        assert sites(company).count("Hall 2") == 1

    def test_of_a_transition(self, company, key):
        path = f"/v1/applications/{company.prepare(company.draft())}/submit"
        answers = at_once(8, lambda: company.post(path, version=1, headers=keyed(key)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert [is_replay(answer) for answer in answers].count(False) == 1

    def test_other_keys_do_not_wait_for_one_another_in_vain(self, company):
        keys = iter([new_key() for _ in range(6)])
        answers = at_once(6, lambda: company.post("/v1/sites", json=SITE, headers=keyed(next(keys))))
        assert [answer.status_code for answer in answers] == [201] * 6
        assert sites(company).count("Hall 2") == 6

    def test_when_the_first_fails_the_second_does_it(self, app, company, key):
        """The first holds the key, waits, and is rolled back; the second then finds it free."""
        with holding_the_key(app, company, key) as holder:
            second = in_background(lambda: company.post("/v1/sites", json=SITE, headers=keyed(key)))
            second.join(0.3)
            assert second.is_alive()
            holder.rollback()
        second.join(15)
        assert (second.answer.status_code, is_replay(second.answer)) == (201, False)

    def test_waiting_too_long_is_409_with_a_time_to_come_back(self, app, company, key):
        with impatient(app), holding_the_key(app, company, key):
            answer = company.post("/v1/sites", json=SITE, headers=keyed(key))
        assert (answer.status_code, answer.json()["code"]) == (409, "in-progress")
        assert int(answer.headers["retry-after"]) > 0
        assert kept(app) == []
        assert company.post("/v1/sites", json=SITE, headers=keyed(key)).status_code == 201

    def test_waiting_too_long_without_a_key_is_a_busy_house(self, app, company):
        application = company.draft()
        with impatient(app), app.database.session() as holder:
            holder.execute(sa.text("UPDATE applications SET version = version"))
            answer = company.post(f"/v1/applications/{application}/withdraw", version=1)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0

    def test_waiting_too_long_for_the_row_of_a_transition(self, app, company, key):
        application = company.draft()
        with impatient(app), app.database.session() as holder:
            holder.execute(sa.text("UPDATE applications SET version = version"))
            answer = company.post(f"/v1/applications/{application}/withdraw", version=1, headers=keyed(key))
        assert (answer.status_code, answer.json()["code"]) == (409, "in-progress")
        again = company.post(f"/v1/applications/{application}/withdraw", version=1, headers=keyed(key))
        assert (again.status_code, is_replay(again)) == (200, False)


@contextmanager
def holding_the_key(app, company, key):
    """A transaction that has taken the key and has not ended."""
    with app.database.session() as holder:
        idempotency_repository.claim_key(
            holder, principal=str(company.subject), route="POST /v1/sites", key=key, fingerprint="x", now=app.clock()
        )
        yield holder
        holder.rollback()


@contextmanager
def impatient(app):
    """Locks are waited for a fifth of a second only."""

    def hurry(connection, _record, _proxy):
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=200" if app.database.is_sqlite else "SET lock_timeout = '200ms'")
        cursor.close()

    engine = app.database.write_engine
    event.listen(engine, "checkout", hurry)
    try:
        yield
    finally:
        event.remove(engine, "checkout", hurry)
        engine.dispose()  # impatience sticks to a connection


def in_background(work):
    def run():
        thread.answer = work()

    thread = threading.Thread(target=run)
    thread.answer = None
    thread.start()
    return thread


def at_once(times, work):
    start = threading.Barrier(times)

    def run():
        start.wait()
        return work()

    threads = [in_background(run) for _ in range(times)]
    for thread in threads:
        thread.join(60)
    return [thread.answer for thread in threads]
