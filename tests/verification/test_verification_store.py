"""Looking up on both databases, over the migrated tables: right values, fresh values, and what happens without them."""

import asyncio
import shutil
import threading
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from app.certificates.model import Certificate, CertificateSnapshot
from app.certificates.read_model import snapshot
from app.certificates.read_model.record import RECORD_COLUMNS, CertificateRecord
from app.core.database import dumps_canonical
from app.transparency.model import LogEntry
from app.verification.stores import sql
from app.verification.stores.base import DatabaseUnavailable
from app.verification.stores.factory import create_certificate_store
from app.verification.stores.postgres import BatchLoader, PostgresStore
from tests.verification.factories import content_of, record_of, signer_of

SIGNER = signer_of(0xC0FFEE)
NUMBER = "MIK-2026-000042-Y"
RECORD = record_of(content_of(gtin="4006381333931"), "header.payload.signature", SIGNER)


class Register:
    """Writes rows past the rules that tie them to companies and applications: those are not what is tested here."""

    def __init__(self, url):
        self.engine = sa.create_engine(url, json_serializer=dumps_canonical)

    def run(self, *statements):
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for statement in statements:
                connection.execute(statement)

    def put(self, record, *, is_logged=True):
        number = record.number.split("-")
        values = {name: getattr(record, name) for name in RECORD_COLUMNS} | {
            "ruleset_version": "1", "year": int(number[1]), "serial": int(number[2]), "status_list_id": 1,
            "status_index": int(number[2]), "token": "header.payload.signature",
        }  # fmt: skip
        ids = ("id", "organisation_id", "product_id", "site_id", "application_id", "decision_id")
        entry = {
            "seq": int(number[2]), "at": record.logged_at, "event": "certificate.issued", "subject": record.number,
            "sha256": record.logged_sha256, "entry": b"", "hashes": b"",
        }  # fmt: skip
        rows = [sa.insert(Certificate).values(**values, **{name: uuid4() for name in ids})]
        self.run(*rows, *([sa.insert(LogEntry).values(entry)] if is_logged else []))

    def change(self, **values):
        self.run(sa.update(Certificate).values(**values))


@pytest.fixture
def register(database_url):
    register = Register(database_url)
    register.put(RECORD)
    yield register
    register.engine.dispose()


def ask(url, *numbers, between=lambda: None):
    """Ask for each number on one held store, with something done before each but the first."""

    async def run():
        store = create_certificate_store(url)
        await store.open()
        try:
            found = []
            for index, number in enumerate(numbers):
                if index:
                    await asyncio.to_thread(between)
                found.append(await store.find(number))
            return found
        finally:
            await store.close()

    return asyncio.run(run())


def on_one_store(url, do):
    async def run():
        store = create_certificate_store(url)
        await store.open()
        try:
            return await do(store)
        finally:
            await store.close()

    return asyncio.run(run())


def test_every_value_comes_back_as_it_was(register, database_url):
    (found,) = ask(database_url, NUMBER)
    assert found == RECORD
    assert isinstance(found, CertificateRecord)
    assert found.status_since.utcoffset() is not None
    assert create_certificate_store(database_url).find_many_sync([NUMBER]) == {NUMBER: RECORD}


def test_values_that_may_be_missing(register, database_url):
    register.change(gtin=None, park_code=None, status_reason=None)
    (found,) = ask(database_url, NUMBER)
    assert (found.gtin, found.park_code, found.status_reason) == (None, None, None)


def test_a_surrender_during_an_investigation_is_told(register, database_url):
    register.change(status="surrendered", during_investigation=True)
    (found,) = ask(database_url, NUMBER)
    assert found.during_investigation is True


def test_what_is_not_in_the_log_is_found_without_it(register, database_url):
    """The law says what that means; a later entry about the same number is not its issue."""
    past = RECORD._replace(number="MIK-2026-000043-W")
    register.put(past, is_logged=False)
    about = {"at": RECORD.issued_at, "event": "certificate.revoked", "subject": past.number, "sha256": "f" * 64}
    register.run(sa.insert(LogEntry).values(seq=43, entry=b"", hashes=b"", **about))
    assert ask(database_url, "MIK-2026-000043-W") == [past._replace(logged_at=None, logged_sha256=None)]


def test_unknown(register, database_url):
    assert ask(database_url, "MIK-2026-000043-W") == [None]
    assert create_certificate_store(database_url).find_many_sync(["MIA-2026-000042-X"]) == {}


def test_a_change_is_seen_by_the_very_next_look(register, database_url):
    before, after = ask(
        database_url, NUMBER, NUMBER, between=lambda: register.change(status="revoked", status_reason="false-documents")
    )
    assert (before.status, after.status, after.status_reason) == ("active", "revoked", "false-documents")


def test_no_look_keeps_a_transaction_open(register, database_url):
    """An unfinished read would stop a checkpoint of SQLite and show the past on both."""

    async def run():
        store = create_certificate_store(database_url)
        await store.open()
        try:
            await store.find(NUMBER)
            if database_url.startswith("sqlite"):
                assert not store._per_thread.connection.in_transaction
                with register.engine.connect() as connection:
                    busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
                assert busy == 0
            else:
                async with store._pool.connection() as connection:
                    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        finally:
            await store.close()

    asyncio.run(run())


def test_it_cannot_write(register, database_url):
    async def run():
        store = create_certificate_store(database_url)
        await store.open()
        try:
            await store.find(NUMBER)
            if database_url.startswith("sqlite"):
                store._per_thread.connection.execute("DELETE FROM certificates")
            else:
                async with store._pool.connection() as connection:
                    await connection.execute("DELETE FROM certificates")
        finally:
            await store.close()

    with pytest.raises(Exception, match=r"readonly|read-only"):
        asyncio.run(run())


def test_threads_share_a_store(register, database_url):
    store = create_certificate_store(database_url)
    found = []
    threads = [threading.Thread(target=lambda: found.append(store.find_many_sync([NUMBER]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{NUMBER: RECORD}] * 8


def test_without_its_table(database_url):
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE certificates RENAME TO elsewhere")
    engine.dispose()
    with pytest.raises(DatabaseUnavailable):
        ask(database_url, NUMBER)
    with pytest.raises(DatabaseUnavailable):
        create_certificate_store(database_url).find_many_sync([NUMBER])


class TestSqlite:
    def test_no_file_is_made_by_asking(self, tmp_path):
        with pytest.raises(DatabaseUnavailable):
            create_certificate_store(f"sqlite:///{tmp_path / 'none.sqlite3'}").find_many_sync([NUMBER])
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_comes_later_or_is_broken_meanwhile(self, tmp_path):
        path = tmp_path / "a b%20ü?.sqlite3"
        store = create_certificate_store(f"sqlite:///{path}")
        path.write_bytes(b"this is no database, but long enough to look like one" * 100)
        with pytest.raises(DatabaseUnavailable):
            store.find_many_sync([NUMBER])

    def test_opened_before_there_is_a_file(self, tmp_path, sqlite_template):
        path = tmp_path / "later.sqlite3"

        async def ask(store):
            assert store.snapshot_now(NUMBER) is None
            shutil.copy(sqlite_template, path)
            assert store.snapshot_now(NUMBER) is None
            return store._execute_in_loop("SELECT count(*) FROM extracts", ()).fetchall()

        assert on_one_store(f"sqlite:///{path}", ask) == [(0,)]

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
    def test_memory_is_refused(self, url):
        with pytest.raises(ValueError, match="memory"):
            create_certificate_store(url)

    def test_a_closed_store_connects_anew(self, sqlite_template):
        store = create_certificate_store(f"sqlite:///{sqlite_template}")
        assert store.find_many_sync([NUMBER]) == {}
        asyncio.run(store.close())
        assert store.find_many_sync([NUMBER]) == {}
        store._per_thread.connection.close()
        assert store.find_many_sync([NUMBER]) == {}


class TestPostgres:
    @pytest.fixture
    def database_url(self, pg_url, pg_template):
        return sa.make_url(pg_url).set(database=pg_template).render_as_string(hide_password=False)

    def test_cut_connections_are_replaced(self, database_url):
        def cut():
            with psycopg.connect(create_certificate_store(database_url)._conninfo, autocommit=True) as connection:
                cut = connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                ).fetchall()
                assert cut

        assert ask(database_url, NUMBER, NUMBER, NUMBER, between=cut) == [None] * 3

    def test_no_server(self, tmp_path):
        store = PostgresStore(f"postgresql://nobody@/none?host={tmp_path}")
        with pytest.raises(DatabaseUnavailable):
            store.find_many_sync([NUMBER])

    def test_not_opened(self, database_url):
        async def run():
            await create_certificate_store(database_url).find(NUMBER)

        with pytest.raises(DatabaseUnavailable):
            asyncio.run(run())


class TestMany:
    """One query, however many numbers are asked for."""

    OTHER = "MIK-2026-000043-W"

    @pytest.fixture
    def second(self, register):
        second = RECORD._replace(number=self.OTHER, product_names={"en": "Other"})
        register.put(second)
        return second

    def ask_many(self, url, numbers):
        found = on_one_store(url, lambda store: store.find_many(numbers))
        assert create_certificate_store(url).find_many_sync(numbers) == found
        return found

    def test_those_that_are_there_by_number(self, second, database_url):
        missing = [f"MIA-2026-{serial:06d}-X" for serial in range(1_500)]
        found = self.ask_many(database_url, [self.OTHER, *missing, NUMBER])
        assert found == {NUMBER: RECORD, self.OTHER: second}

    def test_none_asked_for_is_not_asked(self):
        for url in ("sqlite:////nowhere/none.sqlite3", "postgresql+psycopg://nobody@127.0.0.1:1/none"):
            assert self.ask_many(url, []) == {}

    def test_by_the_index(self, register):
        """A look at every row of the register would be felt by everybody."""
        with register.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                plan = str(connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sql.RECORDS_SQLITE, ('["a"]',)).all())
                assert "SEARCH c USING INDEX" in plan
                assert "SEARCH l USING INDEX uq_log_entries_issued" in plan
                for query in (sql.SNAPSHOT_SQLITE, sql.SNAPSHOT_BY_HASH_SQLITE, sql.SNAPSHOTS_SQLITE):
                    plan = str(connection.exec_driver_sql("EXPLAIN QUERY PLAN " + query, ("[]",)).all())
                    assert "SEARCH extracts USING INDEX" in plan
            else:
                connection.exec_driver_sql("SET enable_seqscan = off")
                for query, asked, index in (
                    (sql.RECORDS_POSTGRES, "a", "uq_certificates_number"),
                    (sql.RECORDS_POSTGRES, "a", "uq_log_entries_issued"),
                    (sql.SNAPSHOTS_POSTGRES, "a", "pk_extracts"),
                    (sql.SNAPSHOTS_BY_HASH_POSTGRES, b"a", "uq_extracts_signed_hash"),
                ):
                    assert index in str(connection.exec_driver_sql("EXPLAIN " + query, ([asked],)).all())

    def test_away(self, database_url):
        engine = sa.create_engine(database_url)
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE certificates RENAME TO elsewhere")
        engine.dispose()
        with pytest.raises(DatabaseUnavailable):
            self.ask_many(database_url, [NUMBER])
        with pytest.raises(DatabaseUnavailable):
            create_certificate_store(database_url).find_many_sync([NUMBER])


class TestExtracts:
    SIGNED = bytes.fromhex(RECORD.token_sha256)

    @pytest.fixture
    def held(self, register):
        """The text of the extract that the register holds."""
        text = snapshot.serialize(RECORD)
        register.run(sa.insert(CertificateSnapshot).values(number=NUMBER, signed_hash=self.SIGNED, text=text))
        return text

    def test_by_number_and_by_what_was_signed(self, held, database_url):
        async def ask(store):
            return (
                await asyncio.gather(store.find_snapshot(NUMBER), store.find_snapshot("none"), store.find_snapshot("")),
                await asyncio.gather(store.find_snapshot_by_hash(self.SIGNED), store.find_snapshot_by_hash(b"")),
                await store.find_snapshots([NUMBER, "none"]),
                await store.find_snapshots_by_hash([self.SIGNED, b"none"]),
                await store.find_snapshots([]),
                await store.find_snapshots_by_hash([]),
            )

        one, one_of, many, many_of, none, none_of = on_one_store(database_url, ask)
        assert (one, one_of) == ([held, None, None], [held, None])
        assert (many, many_of, none, none_of) == ({NUMBER: held}, {self.SIGNED: held}, {}, {})

    @pytest.mark.parametrize("text", ["", "x", NUMBER.lower(), f" {NUMBER}", "\0", "\ud800", "x" * 100_000])
    def test_at_once_only_what_is_the_number_letter_by_letter(self, held, database_url, text):
        async def ask(store):
            return store.snapshot_now(text), store.snapshot_now(NUMBER)

        known = held if database_url.startswith("sqlite") else None  # any look into PostgreSQL takes a journey
        assert on_one_store(database_url, ask) == (None, known)

    def test_at_once_after_a_break(self, held, database_url):
        """The check that finds the connection broken goes the long way, the next one not."""

        async def ask(store):
            if isinstance(store, PostgresStore):
                return held
            store._per_thread.connection.close()
            assert store.snapshot_now(NUMBER) is None
            return store.snapshot_now(NUMBER)

        assert on_one_store(database_url, ask) == held

    @pytest.mark.parametrize("value", [{"status": "revoked"}, {"holder_name": "Other"}, {"version": 2}])
    @pytest.mark.usefixtures("held")
    def test_whoever_changes_the_certificate_drops_it(self, register, database_url, value):
        register.change(**value)
        assert on_one_store(database_url, lambda store: store.find_snapshot(NUMBER)) is None

    @pytest.mark.parametrize("deed", [sa.delete(LogEntry), sa.update(LogEntry).values(sha256="f" * 64)])
    @pytest.mark.usefixtures("held")
    def test_whoever_changes_the_log_past_its_guard_drops_it(self, register, database_url, deed):
        if database_url.startswith("sqlite"):
            register.run(*(sa.text(f"DROP TRIGGER log_entries_no_{verb}") for verb in ("update", "delete")))
        register.run(deed)
        assert on_one_store(database_url, lambda store: store.find_snapshot(NUMBER)) is None

    @pytest.mark.parametrize("other", [{"number": "MIK-2026-000043-W"}, {"signed_hash": b"f" * 32}])
    def test_none_of_what_is_not_in_the_log_as_it_was_signed(self, register, other):
        values = {"number": NUMBER, "signed_hash": self.SIGNED, "text": b""} | other
        with pytest.raises(sa.exc.DBAPIError, match="in the log"), register.engine.begin() as connection:
            connection.execute(sa.insert(CertificateSnapshot).values(values))
        with register.engine.begin() as connection:
            connection.execute(sa.insert(CertificateSnapshot).values(number=NUMBER, signed_hash=self.SIGNED, text=b""))
        with pytest.raises(sa.exc.DBAPIError, match="in the log"), register.engine.begin() as connection:
            connection.execute(sa.update(CertificateSnapshot).values(values | {"signed_hash": b"f" * 32}))

    @pytest.mark.usefixtures("held")
    @pytest.mark.parametrize("looks_at_foreign_keys", [True, False])
    def test_it_goes_with_its_certificate(self, register, database_url, looks_at_foreign_keys):
        """Also in SQLite's own shell, which does not look at foreign keys."""
        with register.engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql(f"PRAGMA foreign_keys = {looks_at_foreign_keys}")
            elif not looks_at_foreign_keys:
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.execute(sa.delete(Certificate))
        assert on_one_store(database_url, lambda store: store.find_snapshot(NUMBER)) is None


class TestTogether:
    """PostgreSQL: single look-ups that come at the same time are asked in one query."""

    @pytest.fixture
    def database_url(self, pg_url, pg_template):
        return sa.make_url(pg_url).set(database=pg_template).render_as_string(hide_password=False)

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
