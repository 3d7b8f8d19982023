"""The drill: somebody with the owner's rights drops the triggers and rewrites history. `mik doctor` names where.

Each attack changes one chain of eight events. What the attacker can and cannot hide is written down as it is.
"""

import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from app.audit import recorder
from app.audit.model import AuditEvent, AuditHead
from app.audit.recorder import chain_hash, hashed_members
from app.cli import app as mik
from app.core.actor import SYSTEM
from app.integrity import audit_chain
from app.integrity.audit_chain import ChainFault, check_audit_chain
from tests.transparency.helpers import attack, disarm

pytestmark = pytest.mark.pg_sampled
NOW = datetime(2026, 11, 22, 17, 0, 0, 123_456, tzinfo=UTC)
LENGTH = 8


@pytest.fixture
def chain(database):
    """A database with eight events, each in a transaction of its own or two together."""
    for n in (1, 2, 3, 5, 7):
        with database.session() as session:
            for each in range(n, n + (1 if n < 3 else 2)):
                subject = ("application", f"case-{each}")
                recorder.record(
                    session, SYSTEM, "application.changed", subject, NOW, number=each, list=["ü", each, None]
                )
            session.commit()
    return database


def verdict(database):
    with database.read_session() as session:
        report = check_audit_chain(session)
    return (report.first_break.seq, report.first_break.fault, report.events) if report.first_break else None


def test_a_whole_chain_holds(chain):
    with chain.read_session() as session:
        report = check_audit_chain(session)
        head = session.get(AuditHead, 1)
    assert (report.events, report.first_break) == (LENGTH, None)
    assert (head.seq, head.hash) == (LENGTH, report.head_hash)


def test_an_empty_chain_holds(database):
    with database.read_session() as session:
        assert check_audit_chain(session) == audit_chain.ChainReport(0, recorder.GENESIS, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET event = 'x' WHERE seq = 4",
        "DELETE FROM audit_events WHERE seq = 4",
        "DELETE FROM audit_events",
    ],
)
def test_the_triggers_stand_before_all_that(chain, statement):
    with pytest.raises(sa.exc.DBAPIError, match="never changed"), chain.write_engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert verdict(chain) is None


def test_postgresql_refuses_to_empty_the_table(chain):
    if chain.is_sqlite:
        return  # has no TRUNCATE
    with pytest.raises(sa.exc.DBAPIError, match="never changed"), chain.write_engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE audit_events")


@pytest.mark.parametrize(
    "change",
    [
        "event = 'application.approved'",
        "actor_kind = 'user'",
        "subject_id = 'case-5'",
        "subject_type = 'certificate'",
        "hash = upper(hash)",
        "prev_hash = hash",
        "at = '2026-11-22 17:00:00.123457'",
    ],
)
def test_a_changed_event_is_named(chain, change):
    if "at =" in change and not chain.is_sqlite:
        change += "::timestamptz"
    attack(chain, f"UPDATE audit_events SET {change} WHERE seq = 4")
    assert verdict(chain) == (4, ChainFault.CHANGED, 3)


def test_a_changed_detail_is_named(chain):
    attack(chain, "UPDATE audit_events SET data = :data WHERE seq = 8", data=json.dumps({"list": ["ü", 8, None]}))
    assert verdict(chain) == (8, ChainFault.CHANGED, 7)


def test_the_same_detail_written_otherwise_is_no_change(chain):
    spaced = json.dumps({"number": 4, "list": ["ü", 4, None]}, indent=2)
    attack(chain, "UPDATE audit_events SET data = :data WHERE seq = 4", data=spaced)
    assert verdict(chain) is None


@pytest.mark.parametrize(
    "change", ["data = 'no json'", "data = 'NaN'", "actor_id = 'x'", "at = 'yesterday'", "seq = 'x'"]
)
def test_what_cannot_even_be_read_is_named(chain, change):
    if not chain.is_sqlite:
        return  # its columns hold only what their types can be
    place = LENGTH if change.startswith("seq") else 4  # text sorts behind all numbers
    attack(chain, f"UPDATE audit_events SET {change} WHERE seq = {place}")
    assert verdict(chain) == (place, ChainFault.CHANGED, place - 1)


@pytest.mark.parametrize("place", [1, 4, 7])
def test_a_missing_event_is_named(chain, place):
    attack(chain, f"DELETE FROM audit_events WHERE seq = {place}")
    assert verdict(chain) == (place, ChainFault.MISSING, place - 1)


def test_a_missing_event_is_named_even_if_the_rest_moved_up(chain):
    moved = [f"UPDATE audit_events SET seq = {n - 1} WHERE seq = {n}" for n in range(5, 9)]
    attack(chain, "DELETE FROM audit_events WHERE seq = 4", *moved, "UPDATE audit_head SET seq = 7")
    assert verdict(chain) == (4, ChainFault.MISPLACED, 3)


@pytest.mark.parametrize(("first", "second"), [(4, 5), (2, 7), (1, 2), (7, 8)])
def test_two_exchanged_events_are_named(chain, first, second):
    places = ((first, 99), (second, first), (99, second))
    attack(chain, *(f"UPDATE audit_events SET seq = {to} WHERE seq = {seq}" for seq, to in places))
    assert verdict(chain) == (first, ChainFault.MISPLACED, first - 1)
    with chain.read_session() as session:
        detail = check_audit_chain(session).first_break.detail
    assert detail == f"Event {first} was written as event {second}."


def test_an_event_before_the_first_is_named(chain):
    attack(chain, "UPDATE audit_events SET seq = 0 WHERE seq = 1")
    assert verdict(chain) == (0, ChainFault.MISPLACED, 0)


def rehash(database, first):
    """Rewrite an event and hash it anew, and the following ones as well if `first` says so."""
    with database.session() as session:
        disarm(session.connection())
        row = session.get(AuditEvent, first)
        row.event = "application.approved"
        row.hash = chain_hash(row.prev_hash, hashed_members(row))
        session.flush()
        session.commit()


def test_an_event_that_was_hashed_anew_breaks_the_next_one(chain):
    rehash(chain, 4)
    assert verdict(chain) == (5, ChainFault.UNCHAINED, 4)


def test_a_last_event_that_was_hashed_anew_does_not_fit_the_head(chain):
    rehash(chain, LENGTH)
    assert verdict(chain) == (LENGTH, ChainFault.HEAD, LENGTH)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM audit_events WHERE seq > 6", (7, ChainFault.CUT, 6)),
        ("DELETE FROM audit_events", (1, ChainFault.CUT, 0)),
        ("UPDATE audit_head SET seq = 7", (8, ChainFault.HEAD, 8)),
        ("UPDATE audit_head SET seq = 9", (9, ChainFault.CUT, 8)),
        ("UPDATE audit_head SET hash = 'x'", (8, ChainFault.HEAD, 8)),
        ("DELETE FROM audit_head", (8, ChainFault.HEAD, 8)),
    ],
)
def test_head_and_rows_must_fit(chain, statement, expected):
    attack(chain, statement)
    assert verdict(chain) == expected


def test_a_tail_cut_together_with_its_head_is_not_seen_here(chain):
    """Said plainly, because only a head that was published elsewhere can show it."""
    with chain.read_session() as session:
        hash_of_six = session.get(AuditEvent, 6).hash
    attack(
        chain,
        "DELETE FROM audit_events WHERE seq > 6",
        "UPDATE audit_head SET seq = 6, hash = :hash",
        hash=hash_of_six,
    )
    assert verdict(chain) is None


def test_a_long_chain_is_read_in_parts(chain, monkeypatch):
    monkeypatch.setattr("app.core.database.PAGE_ROWS", 3)
    assert verdict(chain) is None
    attack(chain, "UPDATE audit_events SET event = 'x' WHERE seq = 7")
    assert verdict(chain) == (7, ChainFault.CHANGED, 6)


def test_what_is_written_while_it_is_checked_is_no_fault(chain, monkeypatch):
    monkeypatch.setattr("app.core.database.PAGE_ROWS", 3)
    real = audit_chain._check_row

    def writes_meanwhile(session, row, expected, last):
        if expected == 5:
            with chain.session() as other:
                recorder.record(other, SYSTEM, "application.changed", ("application", "late"), NOW)
                other.commit()
        return real(session, row, expected, last)

    monkeypatch.setattr(audit_chain, "_check_row", writes_meanwhile)
    with chain.read_session() as session:
        report = check_audit_chain(session)
    assert (report.events, report.first_break) == (LENGTH, None)


@pytest.fixture
def command(chain, monkeypatch, tmp_path):
    monkeypatch.setenv("MIK_DATABASE_URL", chain.url)
    monkeypatch.setenv("MIK_DATA_DIR", str(tmp_path))
    return lambda *args: CliRunner().invoke(mik, ["doctor", "--only", "audit", *args])


def test_the_command_on_a_whole_chain(command):
    done = command()
    assert done.exit_code == 0
    assert done.stdout.startswith("audit: passed\n  8 events hold. Head: ")
    told = json.loads(command("--json").stdout)["audit"]
    assert (told["events"], told["broken"]) == (8, None)


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["DELETE FROM audit_events WHERE seq = 4"], "(missing): There is no event 4; the next one is 5."),
        (
            ["UPDATE audit_events SET event = 'application.approved' WHERE seq = 4"],
            "(changed): Event 4 differs from what was written: its hash does not match.",
        ),
        (
            [f"UPDATE audit_events SET seq = {to} WHERE seq = {seq}" for seq, to in ((4, 99), (6, 4), (99, 6))],
            "(misplaced): Event 4 was written as event 6.",
        ),
    ],
    ids=["one taken out", "one changed", "two exchanged"],
)
def test_the_command_on_a_broken_one(command, chain, statements, said):
    attack(chain, *statements)
    done = command()
    assert done.exit_code == 1
    assert done.stdout.startswith(f"audit: wrong\n  Broken at event 4 {said}\n  3 events")
    told = command("--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["audit"]["broken"]["seq"] == 4


def test_the_command_without_a_register(monkeypatch, tmp_path):
    monkeypatch.setenv("MIK_DATABASE_URL", f"sqlite:///{tmp_path / 'none.sqlite3'}")
    done = CliRunner().invoke(mik, ["doctor", "--only", "audit"])
    assert done.exit_code == 2
