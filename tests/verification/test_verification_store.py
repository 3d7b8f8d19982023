"""Looking up on both databases, over the migrated tables: right values, fresh values, and what happens without them."""

import asyncio
import shutil
import threading

import psycopg
import pytest
import sqlalchemy as sa

from app.certificates.model import CertificateSnapshot
from app.certificates.read_model.snapshot import Snapshot
from app.verification.stores import sql
from app.verification.stores.base import DatabaseUnavailable
from app.verification.stores.factory import create_snapshot_store
from app.verification.stores.postgres import BatchLoader, PostgresStore
from tests.verification.factories import content_of, record_of, signer_of, snapshot_of

NUMBER, OTHER = "MIK-2026-000042-Y", "MIK-2026-000043-W"
RECORD = record_of(content_of(gtin="4006381333931"), "header.payload.signature", signer_of(0xC0FFEE))
HELD = snapshot_of(RECORD)
SIGNED = HELD.signed_hash


class Register:
    """Writes rows of snapshots, as anybody who owns the database can."""

    def __init__(self, url):
        self.engine = sa.create_engine(url)

    def run(self, *statements):
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(statement)

    def put(self, snapshot):
        self.run(sa.insert(CertificateSnapshot).values(snapshot._asdict()))

    def change(self, **values):
        self.run(sa.update(CertificateSnapshot).values(**values))


@pytest.fixture
def register(database_url):
    register = Register(database_url)
    register.put(HELD)
    yield register
    register.engine.dispose()


def on_one_store(url, do):
    async def run():
        store = create_snapshot_store(url)
        await store.open()
        try:
            return await do(store)
        finally:
            await store.close()

    return asyncio.run(run())


def ask(url, *numbers, between=lambda: None):
    """Ask for each number on one held store, with something done before each but the first."""

    async def run(store):
        found = []
        for index, number in enumerate(numbers):
            if index:
                await asyncio.to_thread(between)
            found.append(await store.find_snapshot(number))
        return found

    return on_one_store(url, run)


def rename(url):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE certificate_snapshots RENAME TO elsewhere")
    engine.dispose()


def test_every_value_comes_back_as_it_was(register, database_url):
    (found,) = ask(database_url, NUMBER)
    assert found == HELD
    assert isinstance(found, Snapshot)


def test_values_that_may_be_missing(register, database_url):
    register.change(good_until=None, holder_id=None)
    (found,) = ask(database_url, NUMBER)
    assert (found.good_until, found.holder_id) == (None, None)


def test_unknown(register, database_url):
    assert ask(database_url, OTHER) == [None]


def test_a_change_is_seen_by_the_very_next_look(register, database_url):
    before, after = ask(database_url, NUMBER, NUMBER, between=lambda: register.change(status="revoked", body=b"{}"))
    assert (before.status, after.status, after.body) == ("active", "revoked", b"{}")


def test_no_look_keeps_a_transaction_open(register, database_url):
    """An unfinished read would stop a checkpoint of SQLite and show the past on both."""

    async def run(store):
        await store.find_snapshot(NUMBER)
        if database_url.startswith("sqlite"):
            assert not store._per_thread.connection.in_transaction
            with register.engine.connect() as connection:
                busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            assert busy == 0
        else:
            async with store._pool.connection() as connection:
                assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE

    on_one_store(database_url, run)


def test_it_cannot_write(register, database_url):
    async def run(store):
        await store.find_snapshot(NUMBER)
        if database_url.startswith("sqlite"):
            store._per_thread.connection.execute("DELETE FROM certificate_snapshots")
        else:
            async with store._pool.connection() as connection:
                await connection.execute("DELETE FROM certificate_snapshots")

    with pytest.raises(Exception, match=r"readonly|read-only"):
        on_one_store(database_url, run)


def test_threads_share_a_store(register, database_url):
    if not database_url.startswith("sqlite"):
        return  # its connections belong to the event loop
    store = create_snapshot_store(database_url)
    found = []

    def look():
        found.append(store._rows(sql.SNAPSHOT_SQLITE, NUMBER))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[tuple(HELD)]] * 8


def test_without_its_table(database_url):
    rename(database_url)
    with pytest.raises(DatabaseUnavailable):
        ask(database_url, NUMBER)


class TestSqlite:
    def test_no_file_is_made_by_asking(self, tmp_path):
        with pytest.raises(DatabaseUnavailable):
            ask(f"sqlite:///{tmp_path / 'none.sqlite3'}", NUMBER)
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_comes_later_or_is_broken_meanwhile(self, tmp_path):
        path = tmp_path / "a b%20ü?.sqlite3"
        path.write_bytes(b"this is no database, but long enough to look like one" * 100)
        with pytest.raises(DatabaseUnavailable):
            ask(f"sqlite:///{path}", NUMBER)

    def test_opened_before_there_is_a_file(self, tmp_path, sqlite_template):
        path = tmp_path / "later.sqlite3"

        async def ask(store):
            assert store.snapshot_now(NUMBER) is None
            shutil.copy(sqlite_template, path)
            assert store.snapshot_now(NUMBER) is None
            return store._execute_in_loop("SELECT count(*) FROM certificate_snapshots", ()).fetchall()

        assert on_one_store(f"sqlite:///{path}", ask) == [(0,)]

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
    def test_memory_is_refused(self, url):
        with pytest.raises(ValueError, match="memory"):
            create_snapshot_store(url)

    def test_a_closed_store_connects_anew(self, sqlite_template):
        async def ask(store):
            assert await store.find_snapshot(NUMBER) is None
            await store.close()
            assert await store.find_snapshot(NUMBER) is None
            store._per_thread.connection.close()
            assert await store.find_snapshot(NUMBER) is None

        on_one_store(f"sqlite:///{sqlite_template}", ask)


class TestPostgres:
    @pytest.fixture
    def database_url(self, pg_template):
        return pg_template

    def test_cut_connections_are_replaced(self, database_url):
        def cut():
            address = sa.make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
            with psycopg.connect(address, autocommit=True) as connection:
                cut = connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                ).fetchall()
                assert cut

        assert ask(database_url, NUMBER, NUMBER, NUMBER, between=cut) == [None] * 3

    def test_no_server(self, tmp_path):
        async def run():
            store = PostgresStore(f"postgresql://nobody@/none?host={tmp_path}")
            await store.open()
            try:
                await store.find_snapshot(NUMBER)
            finally:
                await store.close()

        with pytest.raises(DatabaseUnavailable):
            asyncio.run(run())

    def test_not_opened(self, database_url):
        async def run():
            await create_snapshot_store(database_url).find_snapshot(NUMBER)

        with pytest.raises(DatabaseUnavailable):
            asyncio.run(run())


class TestMany:
    """One query, however many numbers are asked for."""

    @pytest.fixture
    def second(self, register):
        second = snapshot_of(RECORD._replace(number=OTHER, token_sha256="ab" * 32, logged_sha256="ab" * 32))
        register.put(second)
        return second

    def test_those_that_are_there_by_number(self, second, database_url):
        missing = [f"MIA-2026-{serial:06d}-X" for serial in range(1_500)]
        found = on_one_store(database_url, lambda store: store.find_snapshots([OTHER, *missing, NUMBER]))
        assert found == {NUMBER: HELD, OTHER: second}

    def test_none_asked_for_is_not_asked(self):
        async def ask(url):
            store = create_snapshot_store(url)
            return await store.find_snapshots([]), await store.find_snapshots_by_hash([])

        for url in ("sqlite:////nowhere/none.sqlite3", "postgresql+psycopg://nobody@127.0.0.1:1/none"):
            assert asyncio.run(ask(url)) == ({}, {})

    def test_by_the_index(self, register):
        """A look at every row of the register would be felt by everybody."""
        with register.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                for query in (sql.SNAPSHOT_SQLITE, sql.SNAPSHOT_BY_HASH_SQLITE, sql.SNAPSHOTS_SQLITE):
                    plan = str(connection.exec_driver_sql("EXPLAIN QUERY PLAN " + query, ("[]",)).all())
                    assert "SEARCH certificate_snapshots USING INDEX" in plan
            else:
                connection.exec_driver_sql("SET enable_seqscan = off")
                for query, asked, index in (
                    (sql.SNAPSHOTS_POSTGRES, "a", "pk_certificate_snapshots"),
                    (sql.SNAPSHOTS_BY_HASH_POSTGRES, b"a", "uq_certificate_snapshots_signed_hash"),
                ):
                    assert index in str(connection.exec_driver_sql("EXPLAIN " + query, ([asked],)).all())

    def test_away(self, database_url):
        rename(database_url)
        with pytest.raises(DatabaseUnavailable):
            on_one_store(database_url, lambda store: store.find_snapshots([NUMBER]))


@pytest.mark.usefixtures("register")
class TestSnapshots:
    def test_by_number_and_by_what_was_signed(self, database_url):
        async def ask(store):
            return (
                await asyncio.gather(store.find_snapshot(NUMBER), store.find_snapshot("none"), store.find_snapshot("")),
                await asyncio.gather(store.find_snapshot_by_hash(SIGNED), store.find_snapshot_by_hash(b"")),
                await store.find_snapshots([NUMBER, "none"]),
                await store.find_snapshots_by_hash([SIGNED, b"none"]),
            )

        one, one_of, many, many_of = on_one_store(database_url, ask)
        assert (one, one_of) == ([HELD, None, None], [HELD, None])
        assert (many, many_of) == ({NUMBER: HELD}, {SIGNED: HELD})

    @pytest.mark.parametrize("text", ["", "x", NUMBER.lower(), f" {NUMBER}", "\0", "\ud800", "x" * 100_000])
    def test_at_once_only_what_is_the_number_letter_by_letter(self, database_url, text):
        async def ask(store):
            return store.snapshot_now(text), store.snapshot_now(NUMBER)

        known = HELD if database_url.startswith("sqlite") else None  # any look into PostgreSQL takes a journey
        assert on_one_store(database_url, ask) == (None, known)

    def test_at_once_after_a_break(self, database_url):
        """The check that finds the connection broken goes the long way, the next one not."""

        async def ask(store):
            if isinstance(store, PostgresStore):
                return HELD
            store._per_thread.connection.close()
            assert store.snapshot_now(NUMBER) is None
            return store.snapshot_now(NUMBER)

        assert on_one_store(database_url, ask) == HELD


class TestTogether:
    """PostgreSQL: single look-ups that come at the same time are asked in one query."""

    @pytest.fixture
    def database_url(self, pg_template):
        return pg_template

    @pytest.fixture
    def held(self):
        """One asker whose queries are counted, and wait where the test says so."""

        class Held(BatchLoader):
            def __init__(self):
                self.queries, self.began, self.may_go_on = [], asyncio.Event(), asyncio.Event()
                self.error = None
                super().__init__(self.find_all, 1)

            async def find_all(self, numbers):
                self.queries.append(sorted(numbers))
                self.began.set()
                if self.error:
                    raise self.error
                await self.may_go_on.wait()
                return {number: b"yes" for number in numbers if number == "there"}

        return Held()

    def run(self, play):
        async def run():
            return await asyncio.wait_for(play(), 20)

        return asyncio.run(run())

    def test_what_comes_in_one_turn_is_one_query(self, held):
        async def play():
            held.may_go_on.set()
            return await asyncio.gather(*(held.find(name) for name in ("there", "x", "there", "y")))

        assert self.run(play) == [b"yes", None, b"yes", None]
        assert held.queries == [["there", "x", "y"]]

    def test_nobody_joins_a_query_that_is_under_way(self, held):
        """Its answer may be older than the question."""

        async def play():
            first = asyncio.create_task(held.find("there"))
            await held.began.wait()
            later = [asyncio.create_task(held.find(name)) for name in ("there", "z")]
            await asyncio.sleep(0)
            held.may_go_on.set()
            return await asyncio.gather(first, *later)

        assert self.run(play) == [b"yes", b"yes", None]
        assert held.queries == [["there"], ["there", "z"]]

    def test_no_query_asks_for_all_the_world(self, held, monkeypatch):
        monkeypatch.setattr("app.verification.stores.postgres.MAX_BATCH", 2)

        async def play():
            held.may_go_on.set()
            return await asyncio.gather(*(held.find(str(each)) for each in range(5)))

        assert self.run(play) == [None] * 5
        assert [len(query) for query in held.queries] == [2, 2, 1]

    def test_who_hangs_up_does_not_harm_the_others(self, held):
        async def play():
            tasks = [asyncio.create_task(held.find(name)) for name in ("x", "there")]
            await held.began.wait()
            tasks[0].cancel()
            held.may_go_on.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

        gone, found = self.run(play)
        assert isinstance(gone, asyncio.CancelledError)
        assert found == b"yes"

    @pytest.mark.parametrize("error", [psycopg.DataError("x"), RuntimeError("x")])
    def test_all_hear_of_a_failure_and_the_next_is_answered(self, held, error):
        async def play():
            held.error = error
            failed = await asyncio.gather(*(held.find(n) for n in "ab"), return_exceptions=True)
            held.error = None
            held.may_go_on.set()
            return failed, await held.find("there")

        failed, found = self.run(play)
        assert [type(each) for each in failed] == [DatabaseUnavailable] * 2
        assert found == b"yes"
