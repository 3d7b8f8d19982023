"""Entries are added in the transaction of their event, in one line, and two checkpoints never contradict each other."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import sqlalchemy as sa

from app.audit import audit_repository, recorder
from app.commit_pipeline import open_database
from app.core.actor import SYSTEM
from app.integrity import audit_chain
from app.transparency import appender, log_repository, merkle, reader
from app.transparency.appender import LogDamaged, LogKeyMissing
from app.transparency.checkpoint import verify_checkpoint
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.merkle import SubtreeRange
from app.transparency.signed_note import parse_vkey
from tests.conftest import LOG_SIGNER
from tests.transparency.helpers import attack, derived, entries_of, head_of, signer_of

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


def add(database, *kids):
    """One transaction with an event of the history and an entry of the log for each."""
    with database.session() as session:
        for kid in kids:
            recorder.record(session, SYSTEM, "key.retired", ("key", kid), NOW)
            appender.add_entry(session, Entry(LogEvent.KEY_RETIRED, NOW, kid))
        session.commit()


def checkpoint_of(database):
    head = head_of(database)
    return verify_checkpoint(head.checkpoint, parse_vkey(head.vkey))


def test_entries_head_and_history_move_together(database):
    add(database, "a", "b")
    told = [(entry["event"], entry.get("key")) for entry in entries_of(database)]
    assert told == [("key.retired", "a"), ("key.retired", "b"), ("audit.head", None)]
    with database.read_session() as session:
        assert entries_of(database)[-1]["head"] == 2
        assert entries_of(database)[-1]["sha256"] == audit_repository.get_head_hash(session)
    found = derived(database)
    assert (found.size, found.finding) == (3, None)
    checkpoint = checkpoint_of(database)
    assert (checkpoint.size, checkpoint.root) == (3, found.root)
    assert head_of(database).vkey == LOG_SIGNER.verifier.vkey


def test_what_is_rolled_back_was_never_said(database):
    add(database, "a")
    before = head_of(database).checkpoint
    with database.session() as session:
        assert log_repository.get_head(session) is not None  # as every service reads before it writes
        appender.add_entry(session, Entry(LogEvent.KEY_RETIRED, NOW, "b"))
        session.rollback()
        session.commit()
    assert head_of(database).checkpoint == before
    assert derived(database).size == 2


def test_a_failure_while_adding_fails_the_whole_transaction(database):
    add(database, "a")
    with database.session() as session:
        recorder.record(session, SYSTEM, "key.retired", ("key", "b"), NOW)
        appender.add_entry(session, Entry(LogEvent.KEY_RETIRED, NOW, "\ud800"))
        with pytest.raises(UnicodeEncodeError):
            session.commit()
    assert derived(database).size == 2
    with database.read_session() as session:
        assert audit_chain.check_audit_chain(session).events == 1


def test_the_head_of_the_history_is_logged_when_it_moved(database):
    def sweep():
        with database.session() as session:
            moved = appender.append_audit_head(session, NOW)
            session.commit()
            return moved

    add(database, "a")
    assert not sweep()
    with database.session() as session:
        recorder.record(session, SYSTEM, "application.changed", ("application", "x"), NOW)
        session.commit()
    assert sweep()
    assert not sweep()
    assert [entry.get("head") for entry in entries_of(database)] == [None, 1, 2]


def test_many_at_once_make_one_line_and_every_checkpoint_grows_out_of_the_one_before(database):
    seen = []

    def work(worker):
        own = open_database(database.url)  # as another process would
        own.attach_session_info({appender.SIGNER_KEY: lambda _session: LOG_SIGNER})
        for number in range(6):
            add(own, f"{worker}-{number}")
            seen.append(head_of(own).checkpoint)
        own.dispose()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    found = derived(database)
    assert (found.size, found.finding) == (48, None)
    assert len({entry["key"] for entry in entries_of(database) if "key" in entry}) == 24
    line = sorted({verify_checkpoint(note, LOG_SIGNER.verifier) for note in seen}, key=lambda each: each.size)
    assert len(line) == len({each.size for each in line})  # for one size there is one root
    with database.read_session() as session:
        for old, new in pairwise(line):
            path = reader.consistency_proof(session, old.size, new.size)
            assert merkle.verify_consistency(old.size, new.size, old.root, new.root, path)
    with database.read_session() as session:
        assert audit_chain.check_audit_chain(session).first_break is None


def test_an_append_and_a_proof_read_few_rows(database):
    """Statements and rows, not seconds: at 700 entries as at 7."""
    add(database, *(f"k{number}" for number in range(700)))
    read = []

    def counts(_connection, _cursor, statement, parameters, *_more):
        read.append((statement, parameters))

    sa.event.listen(database.write_engine, "before_cursor_execute", counts)
    add(database, "last")
    about_log = [statement for statement, _ in read if "log_entries" in statement and statement.startswith("SELECT")]
    assert len(about_log) == 1
    assert len(merkle.compact_range_nodes(701)) <= 10
    with database.session() as session:
        read.clear()
        assert reader.consistency_proof(session, 300, 701)
        assert len([s for s, _ in read if "log_entries" in s]) == 1


@pytest.mark.parametrize(
    ("statement", "match"),
    [
        ("DELETE FROM log_entries WHERE seq = 3", "missing"),
        ("UPDATE log_entries SET hashes = entry WHERE seq = 3", "not give the root"),
        ("UPDATE log_head SET size = 3", "missing"),
        ("UPDATE log_head SET checkpoint = 'x'", "cannot be read"),
        ("DELETE FROM log_head", "head is missing"),
    ],
)
def test_nothing_is_signed_over_a_damaged_log(database, statement, match):
    add(database, "a")
    add(database, "b")
    attack(database, statement)
    before = head_of(database)
    with pytest.raises(LogDamaged, match=match):
        add(database, "c")
    after = head_of(database)
    assert (after and after.checkpoint) == (before and before.checkpoint)


def test_a_log_that_was_rolled_back_alone_cannot_be_extended(database):
    """Whoever puts back an older head, rightly signed, meets the entries that came after it."""
    add(database, "a")
    old = head_of(database)
    add(database, "b")
    attack(database, "UPDATE log_head SET size = :size, checkpoint = :note", size=old.size, note=old.checkpoint)
    with pytest.raises(sa.exc.DBAPIError):
        add(database, "c")


def test_only_the_key_that_began_the_log_signs_it(database):
    add(database, "a")
    other = open_database(database.url)
    with pytest.raises(LogKeyMissing, match="not available"):
        add(other, "b")
    other.attach_session_info({appender.SIGNER_KEY: lambda _session: signer_of(7)})
    with pytest.raises(LogKeyMissing, match="was started with"):
        add(other, "b")
    other.dispose()
    assert derived(database).size == 2


@pytest.mark.parametrize("statement", ["UPDATE log_entries SET event = 'x'", "DELETE FROM log_entries"])
def test_the_database_itself_refuses_to_rewrite_an_entry(database, statement):
    add(database, "a")
    with pytest.raises(sa.exc.DBAPIError, match="never changed"), database.write_engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_not_even_by_replacing_it(database):
    if not database.is_sqlite:
        return  # has no REPLACE
    with database.session() as session:
        appender.add_entry(session, Entry(LogEvent.CERTIFICATE_ISSUED, NOW, "N", sha256="a"))
        session.commit()
    for seq in (0, 9):
        values = f"({seq}, '2026-11-22', 'certificate.issued', 'N', 'b', x'00', x'00')"
        with pytest.raises(sa.exc.DBAPIError, match="never changed"), database.write_engine.begin() as connection:
            connection.exec_driver_sql(f"INSERT OR REPLACE INTO log_entries VALUES {values}")


def test_a_certificate_is_issued_once(database):
    for again in (False, True):
        with database.session() as session:
            appender.add_entry(session, Entry(LogEvent.CERTIFICATE_ISSUED, NOW, "N", sha256="a"))
            if again:
                with pytest.raises(sa.exc.DBAPIError):
                    session.commit()
            else:
                session.commit()
    assert derived(database).size == 2


def test_the_roots_of_all_sizes_come_out_of_the_rows(database):
    notes = {}
    for number in range(9):
        add(database, f"k{number}")
        checkpoint = checkpoint_of(database)
        notes[checkpoint.size] = checkpoint.root
    with database.read_session() as session:
        for size, root in notes.items():
            spans = merkle.subtree_nodes(SubtreeRange(0, size))
            kept = log_repository.get_hashes(session, spans)
            assert merkle.root_from_range([kept[node] for node in spans]) == root
