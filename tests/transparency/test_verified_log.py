"""A process believes the log only as far as it verified it; somebody with rights in the database alone changes nothing.

Attacks are made on the tables, with triggers dropped, while a process follows the log and after it starts again.
"""

import json
from datetime import UTC, datetime

import pytest

from app.core.actor import SYSTEM
from app.core.crypto.jwk import did_kid, public_jwk
from app.core.crypto.keyring import KeyState
from app.core.crypto.pem_files import create_private_key
from app.core.database import PAGE_ROWS
from app.signing import issuer_identity, key_lifecycle
from app.signing.key_files import KeyFiles
from app.signing.key_provider import KeyProvider
from app.transparency import appender
from app.transparency.appender import LogDamaged, LogKeyMissing
from app.transparency.checkpoint import Checkpoint
from app.transparency.log_entry import Entry, LogEvent, parse_entry
from app.transparency.verified_log import REFRESH_SECONDS, VerifiedLog
from tests.conftest import LOG_SIGNER
from tests.transparency.helpers import attack, head_of, signer_of

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
NUMBER = "MIK-2026-000001-X"
DID = "did:web:mark.example"


class Seconds:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def checkpoint_file(tmp_path):
    return tmp_path / "log-checkpoint"


@pytest.fixture
def start(database, checkpoint_file, seconds):
    """Starts a process that follows the log of this installation."""
    return lambda: VerifiedLog(database, lambda: LOG_SIGNER.verifier, checkpoint_file, seconds)


@pytest.fixture
def log(database, start):
    add(database, *issued_and_suspended())
    log = start()
    log.refresh()
    return log


def issued_and_suspended():
    return (
        Entry(LogEvent.CERTIFICATE_ISSUED, NOW, NUMBER, sha256="ab" * 32, key=f"{DID}#k"),
        Entry(LogEvent.CERTIFICATE_SUSPENDED, NOW, NUMBER, reason="hearing", decision="cd" * 32),
    )


def add(database, *entries, guard=None):
    with database.session() as session:
        if guard is not None:
            session.info[appender.GUARD_KEY] = guard
        for entry in entries:
            appender.add_entry(session, entry)
        session.commit()


def revoke(number=NUMBER):
    return Entry(LogEvent.CERTIFICATE_REVOKED, NOW, number, reason="court-order")


def events(log, number=NUMBER):
    return [each.entry.event for each in log.status_entries(number)]


def test_entries_about_a_certificate_are_kept_and_its_issue_is_proven(log, database):
    assert events(log) == [LogEvent.CERTIFICATE_SUSPENDED]
    assert (log.last_seq(NUMBER), log.size) == (1, 3)
    assert log.changed_numbers() == [NUMBER]
    with database.read_session() as session:
        found = log.find_issue(session, NUMBER)
        assert (found.seq, found.entry.sha256) == (0, "ab" * 32)
        assert log.find_issue(session, "MIK-2026-000002-X") is None


def test_a_new_entry_is_known_within_a_second(log, database, seconds):
    add(database, revoke())
    assert events(log) == [LogEvent.CERTIFICATE_SUSPENDED]
    seconds.now = REFRESH_SECONDS
    assert events(log)[-1] is LogEvent.CERTIFICATE_REVOKED


def test_entries_of_this_process_are_known_at_once(log, database):
    add(database, revoke(), guard=log)
    assert events(log)[-1] is LogEvent.CERTIFICATE_REVOKED
    assert log.checkpoint == head_of(database).checkpoint


def test_a_rolled_back_entry_is_not_known(log, database, seconds):
    with database.session() as session:
        session.info[appender.GUARD_KEY] = log
        appender.add_entry(session, revoke())
        session.rollback()
    seconds.now = 5.0
    assert events(log) == [LogEvent.CERTIFICATE_SUSPENDED]


def test_a_log_of_more_than_one_page_is_verified(database, start):
    add(database, *(Entry(LogEvent.RULESET_PUBLISHED, NOW, f"MIK/{n}", sha256="ab" * 32) for n in range(PAGE_ROWS + 5)))
    log = start()
    log.require_intact()
    assert log.size == PAGE_ROWS + 6
    assert len(log.subjects("ruleset")) == PAGE_ROWS + 5


def test_a_credential_counts_until_it_is_removed(database, start):
    add(
        database,
        Entry(LogEvent.CREDENTIAL_REGISTERED, NOW, "aa" * 32, user="u1"),
        Entry(LogEvent.CREDENTIAL_REGISTERED, NOW, "bb" * 32, user="u2"),
        Entry(LogEvent.CREDENTIAL_REMOVED, NOW, "aa" * 32, user="u1"),
    )
    assert start().credentials() == {"bb" * 32: "u2"}


FORGED = json.dumps({"at": "2026-11-22T17:00:00.000000Z", "event": "certificate.reinstated", "v": 1})
ATTACKS = {
    "an entry is deleted": ["DELETE FROM log_entries WHERE seq = 1"],
    "the last entries are deleted": ["DELETE FROM log_entries WHERE seq > 0"],
    "an entry is changed": ["UPDATE log_entries SET entry = :forged WHERE seq = 1"],
    "the head is deleted": ["DELETE FROM log_head"],
    "the head is emptied": ["UPDATE log_head SET size = 0, vkey = NULL, checkpoint = NULL"],
    "the head names another size": ["UPDATE log_head SET checkpoint = replace(checkpoint, '\n3\n', '\n2\n')"],
    "the head is signed with another key": ["UPDATE log_head SET checkpoint = :other, vkey = :vkey"],
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_rewritten_log_is_damaged_for_a_process_that_starts(name, log, database, start):
    other = signer_of(2, LOG_SIGNER.name)
    attack(
        database,
        *ATTACKS[name],
        **{
            key: value
            for key, value in {
                "forged": FORGED.encode(),
                "other": other.sign(Checkpoint(other.name, 3, bytes(32)).text),
                "vkey": other.verifier.vkey,
            }.items()
            if any(f":{key}" in statement for statement in ATTACKS[name])
        },
    )
    again = start()
    assert not again.is_intact
    assert again.size == 0
    with pytest.raises(LogDamaged):
        again.require_intact()
    with pytest.raises(LogKeyMissing if "another key" in name else LogDamaged):
        add(database, revoke(), guard=again)


@pytest.mark.parametrize("restart", [False, True])
def test_a_log_put_back_to_an_older_state_is_damaged(log, database, seconds, start, restart):
    before = head_of(database)
    size, checkpoint = before.size, before.checkpoint
    add(database, revoke(), guard=log)
    attack(
        database,
        "DELETE FROM log_entries WHERE seq >= :size",
        "UPDATE log_head SET size = :size, checkpoint = :checkpoint",
        size=size,
        checkpoint=checkpoint,
    )
    seconds.now = 5.0
    follower = start() if restart else log
    with pytest.raises(LogDamaged, match="older state"):
        follower.require_intact()
    if not restart:
        assert events(log)[-1] is LogEvent.CERTIFICATE_REVOKED
    with pytest.raises(LogDamaged):
        add(database, Entry(LogEvent.CERTIFICATE_REINSTATED, NOW, NUMBER), guard=follower)


def test_two_histories_are_not_signed_after_the_log_was_put_back(log, database, seconds, start):
    """Another process has added an entry that this one has not seen; then the database was put back."""
    idle, busy = start(), log
    idle.refresh()
    before = head_of(database)
    size, checkpoint = before.size, before.checkpoint
    add(database, revoke(), guard=busy)
    attack(
        database,
        "DELETE FROM log_entries WHERE seq >= :size",
        "UPDATE log_head SET size = :size, checkpoint = :checkpoint",
        size=size,
        checkpoint=checkpoint,
    )
    with pytest.raises(LogDamaged, match="older state"):
        add(database, revoke("MIK-2026-000002-V"), guard=idle)


def test_an_entry_inserted_beside_the_log_proves_nothing(log, database):
    forged = Entry(LogEvent.CERTIFICATE_ISSUED, NOW, "MIK-2026-000009-A", sha256="ef" * 32, key="k")
    attack(
        database,
        "INSERT INTO log_entries (seq, at, event, subject, sha256, entry, hashes) "
        "SELECT 2000, at, 'certificate.issued', 'MIK-2026-000009-A', :sha256, :entry, hashes "
        "FROM log_entries WHERE seq = 0",
        sha256="ef" * 32,
        entry=forged.canonical_bytes(),
    )
    with database.read_session() as session, pytest.raises(LogDamaged, match="not covered"):
        log.find_issue(session, "MIK-2026-000009-A")


def test_a_changed_issue_entry_is_not_proven(log, database):
    forged = Entry(LogEvent.CERTIFICATE_ISSUED, NOW, NUMBER, sha256="ef" * 32, key=f"{DID}#k")
    attack(database, "UPDATE log_entries SET entry = :entry WHERE seq = 0", entry=forged.canonical_bytes())
    with database.read_session() as session, pytest.raises(LogDamaged, match="differs from what was signed"):
        log.find_issue(session, NUMBER)


def test_an_unreadable_checkpoint_file_is_replaced(log, database, checkpoint_file, start):
    checkpoint_file.write_text("no checkpoint")
    again = start()
    assert again.is_intact
    assert checkpoint_file.read_text() == head_of(database).checkpoint


def test_the_file_never_goes_back(log, database, checkpoint_file, start):
    add(database, revoke(), guard=log)
    newest = checkpoint_file.read_text()
    VerifiedLog(database, lambda: LOG_SIGNER.verifier, None).refresh()
    log.refresh(force=True)
    assert checkpoint_file.read_text() == newest == head_of(database).checkpoint


@pytest.fixture
def keys(database, tmp_path, start):
    files = KeyFiles(tmp_path / "keys", DID)
    with database.session() as session:
        issuer_identity.set_issuer_once(session, DID, NOW)
        issuer_identity.register_keys(session, files, NOW)
        session.commit()
    return KeyProvider(database, files, start())


def test_a_key_that_was_never_logged_does_not_exist(keys, database):
    key, _ = create_private_key()
    kid = did_kid(DID, key.public)
    attack(
        database,
        "INSERT INTO signing_keys (kid, public_jwk, state, state_since, created_at) "
        "SELECT :kid, :jwk, 'retired', state_since, created_at FROM signing_keys",
        kid=kid,
        jwk=json.dumps(public_jwk(key.public, kid)),
    )
    assert kid not in keys.reload().all_public


def test_a_replaced_public_key_is_noticed(keys, database):
    key, _ = create_private_key()
    kid = next(iter(keys.keyring().by_kid))
    attack(database, "UPDATE signing_keys SET public_jwk = :jwk", jwk=json.dumps(public_jwk(key.public, kid)))
    with pytest.raises(LogDamaged, match="missing or replaced"):
        keys.reload()
    assert keys.keyring().by_kid[kid].public != key.public


@pytest.mark.parametrize("restart", [False, True])
def test_a_deleted_key_is_noticed(keys, database, tmp_path, start, restart):
    attack(database, "DELETE FROM signing_keys")
    if restart:
        with pytest.raises(LogDamaged, match="missing or replaced"):
            KeyProvider(database, KeyFiles(tmp_path / "keys", DID), start())
    else:
        with pytest.raises(LogDamaged):
            keys.reload()
        assert keys.keyring().by_kid


def test_the_state_of_a_key_is_that_of_the_log(keys, database):
    kid = next(iter(keys.keyring().by_kid))
    with database.session() as session:
        key_lifecycle.mark_key_compromised(session, SYSTEM, kid, since=NOW, now=NOW)
        session.commit()
    attack(database, "UPDATE signing_keys SET state = 'active'")
    assert keys.reload().by_kid[kid].state is KeyState.COMPROMISED
    with database.session() as session, pytest.raises(LogDamaged, match="not in the log"):
        keys.lock_active_signer(session)


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b"[]",
        b'{"event":"certificate.issued"}',
        b'{"at":"2026-11-22T17:00:00.000000Z","event":"nothing.known","v":1}',
        b'{"at":"2026-11-22T17:00:00Z","event":"audit.head","v":1}',
        b'{"at":"yesterday","event":"audit.head","v":1}',
        b'{"at":"2026-11-22T17:00:00.000000Z","event":"audit.head","extra":1,"v":1}',
        b'{"at":"2026-11-22T17:00:00.000000Z","event":"audit.head","from":"x","v":1}',
        b'{"v":1,"at":"2026-11-22T17:00:00.000000Z","event":"audit.head"}',
        b"no json",
    ],
)
def test_what_is_not_the_canonical_form_of_an_entry_is_not_parsed(content):
    with pytest.raises(ValueError, match=r"log|JSON"):
        parse_entry(content)


def test_every_member_of_an_entry_is_read_back():
    entry = Entry(
        LogEvent.CERTIFICATE_ISSUED,
        NOW,
        NUMBER,
        sha256="ab" * 32,
        key="k",
        head=3,
        during_investigation=True,
        decision="cd" * 32,
        reason="hearing",
        previous="MIK-2025-000001-X",
        user="u",
    )
    assert parse_entry(entry.canonical_bytes()) == entry
