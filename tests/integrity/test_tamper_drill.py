"""Somebody who owns the database, but not the key of the log, changes this or that: `mik doctor` names it."""

import hashlib
import itertools
import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from app.audit import audit_repository, model, recorder
from app.certificates.read_model.snapshot import Snapshot
from app.cli import app as mik
from app.commit_pipeline import open_database
from app.core.errors import NotFound
from app.integrity import audit_chain
from app.signing.log_signer import LogKeyFile
from app.transparency import log_repository, merkle, reader, tiles
from app.transparency.appender import LogDamaged
from app.transparency.checkpoint import Checkpoint
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.signed_note import parse_vkey
from tests.conftest import _fresh
from tests.factories import running_app
from tests.integrity.helpers import Drill, copied
from tests.transparency.helpers import entries_of, head_of

pytestmark = pytest.mark.pg_sampled
SERIAL = itertools.count()
NO_LOG = "There is no public log here yet: it begins with the first start of the service."


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def register(request, tmp_path_factory):
    """A register with two certificates, one of them suspended: address, data folder, numbers. Nobody serves it."""
    folder = tmp_path_factory.mktemp("app")
    with _fresh(request, folder) as url:
        with running_app(url, folder) as app:
            numbers = [app.certify(app.set_up_company()) for _ in range(2)]
            app.owner.act(f"/v1/certificates/{numbers[1]}/suspend", {"cause": "hearing"})
        yield url, folder / "data", numbers


@pytest.fixture
def drill(register, request, monkeypatch, tmp_path):
    """A copy of that register for every test."""
    url, data_dir, numbers = register
    with copied(url, request, tmp_path) as own:
        monkeypatch.setenv("MIK_DATABASE_URL", own)
        monkeypatch.setenv("MIK_DATA_DIR", str(data_dir))
        database = open_database(own)
        yield Drill(database, numbers, tmp_path)
        database.dispose()


def test_a_whole_register_holds(drill):
    code, said = drill.check()
    assert code == 0
    size = head_of(drill.database).size
    assert said.startswith(f"log: passed\n  {size} entries, 2 certificates and ")
    assert said.endswith("events hold.\n")


@pytest.mark.parametrize(
    "change",
    [
        "holder_name = 'Somebody else'",
        "holder_name_az = '“Başqa” MMC'",
        "holder_name_az = NULL",
        "holder_is_legal_person = FALSE",
        "country = 'TR'",
        "hs6 = '220421'",
        "valid_until = '2039-01-01'",
        "token = 'a.b.c'",
        "token_sha256 = 'x'",
        "status = 'revoked'",
        "status = 'suspended'",
        "district = 'X'",
        "status_index = status_index + 1",
        "during_investigation = TRUE",
    ],
)
def test_a_changed_certificate_is_named(drill, change):
    drill.attack(f"UPDATE certificates SET {change} WHERE number = :number", number=drill.numbers[0])
    assert drill.named() == [f"certificate {drill.numbers[0]}"]


def test_a_changed_extract_is_named(drill):
    """No check uses it any longer, and whoever runs the service should know why."""
    change = "UPDATE certificate_snapshots SET body = :content WHERE number = :number"
    with drill.database.read_session() as session:
        text = session.execute(
            sa.text("SELECT body FROM certificate_snapshots WHERE number = :number"), {"number": drill.numbers[1]}
        ).scalar_one()
    drill.attack(change, number=drill.numbers[1], content=bytes(text).replace(b"suspended", b"active"))
    assert drill.named() == [f"certificate {drill.numbers[1]}"]


def test_an_extract_that_another_token_finds_is_named(drill):
    drill.attack(
        "UPDATE certificate_snapshots SET signed_hash = :other WHERE number = :number",
        number=drill.numbers[0],
        other=b"x",
    )
    assert drill.named() == [f"certificate {drill.numbers[0]}"]


def test_an_extract_of_no_certificate_is_named(drill):
    number, copied = "MIK-2026-999999-X", ", ".join(Snapshot._fields[2:])
    row = f"(number, signed_hash, {copied}) SELECT {{0}}, {{1}}, {copied} FROM certificate_snapshots LIMIT 1"
    if drill.database.is_sqlite:
        drill.attack()  # takes the guards away
        with closing(sqlite3.connect(drill.database.url.removeprefix("sqlite:///"))) as shell:  # without foreign keys
            shell.execute(f"INSERT INTO certificate_snapshots {row.format('?', '?')}", (number, b"x"))
            shell.commit()
    else:
        insert = f"INSERT INTO certificate_snapshots {row.format(':number', 'CAST(:other AS bytea)')}"
        drill.attack(insert, number=number, other=b"x")
    assert drill.named() == [f"certificate {number}"]


def test_a_suspension_taken_away_is_named(drill):
    drill.attack("UPDATE certificates SET status = 'active' WHERE number = :number", number=drill.numbers[1])
    code, said = drill.check()
    assert code == 1
    assert f"Wrong: certificate {drill.numbers[1]}: Its status is active, but its last entry in the log is " in said


def test_two_tokens_exchanged_are_named(drill):
    first, second = drill.numbers
    take = "(SELECT {0} FROM certificates AS o WHERE o.number = :other)"
    columns = ", ".join(f"{name} = {take.format(name)}" for name in ("token", "token_sha256"))
    drill.attack(f"UPDATE certificates SET {columns} WHERE number = :number", number=first, other=second)
    assert drill.named() == [f"certificate {first}"]


def test_a_deleted_certificate_is_named(drill):
    delete = "DELETE FROM {0} WHERE certificate_id IN (SELECT id FROM certificates WHERE number = :number)"
    number = drill.numbers[1]
    tables = ("suspensions", "status_decisions", "certificate_search_terms", "certified_descriptions")
    about = (delete.format(table) for table in tables)
    drill.attack(*about, "DELETE FROM certificates WHERE number = :number", number=number)
    assert drill.named() == [f"certificate {number}"]


def issue_of(drill, number):
    return next(place for place, entry in enumerate(entries_of(drill.database)) if entry.get("certificate") == number)


def forged(drill, number):
    content = json.loads(json.dumps(entries_of(drill.database)[issue_of(drill, number)]))
    content["sha256"] = "0" * 64
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize("change", ["event = 'certificate.revoked'", "sha256 = 'x'", "subject = 'x'", "entry = :entry"])
def test_a_changed_entry_is_named(drill, change):
    place = issue_of(drill, drill.numbers[0])
    values = {"entry": forged(drill, drill.numbers[0])} if ":entry" in change else {}
    drill.attack(f"UPDATE log_entries SET {change} WHERE seq = {place}", **values)
    assert f"log entry {place}" in drill.named()


def test_an_entry_rewritten_with_its_hash_is_named_where_the_tree_breaks(drill):
    place, content = issue_of(drill, drill.numbers[0]), forged(drill, drill.numbers[0])
    leaf = hashlib.sha256(b"\x00" + content).digest()
    with drill.database.read_session() as session:
        hashes = session.execute(sa.text(f"SELECT hashes FROM log_entries WHERE seq = {place}")).scalar_one()
    drill.attack(
        f"UPDATE log_entries SET entry = :entry, sha256 = :sha, hashes = :hashes WHERE seq = {place}",
        entry=content,
        sha="0" * 64,
        hashes=leaf + bytes(hashes)[32:],
    )
    named = drill.named()
    assert any(row.startswith("log entry ") for row in named)
    assert f"certificate {drill.numbers[0]}" in named


def test_an_entry_taken_out_is_named(drill):
    drill.attack("DELETE FROM log_entries WHERE seq = 3")
    assert drill.named()[0] == "log entry 3"


def test_the_last_entry_taken_away_is_named(drill):
    last = head_of(drill.database).size - 1
    drill.attack(f"DELETE FROM log_entries WHERE seq = {last}")
    assert drill.named() == [f"log entry {last}"]


def test_a_head_that_fits_the_cut_log_is_not_signed(drill):
    last = head_of(drill.database).size - 1
    drill.attack(f"DELETE FROM log_entries WHERE seq = {last}", f"UPDATE log_head SET size = {last}")
    assert drill.named() == [f"log entry {last}"]


@pytest.mark.parametrize(
    "change", ["checkpoint = 'x'", "size = size - 1", "checkpoint = replace(checkpoint, 'log', 'lag')"]
)
def test_a_changed_head_is_named(drill, change):
    drill.attack(f"UPDATE log_head SET {change}")
    assert drill.named() == ["log head"]


def test_a_head_that_is_gone_is_named(drill):
    drill.attack("DELETE FROM log_head")
    assert drill.named() == ["log head"]


def test_a_changed_event_of_the_history_is_named(drill):
    drill.attack("UPDATE audit_events SET event = 'x' WHERE seq = 4")
    assert drill.named() == ["audit event 4"]


def test_the_last_event_taken_away_is_named(drill):
    with drill.database.read_session() as session:
        last = audit_repository.last_seq(session)
    drill.attack(f"DELETE FROM audit_events WHERE seq = {last}")
    assert set(drill.named()) == {f"audit event {last}"}  # its own head knows of it, and so does the log


def test_a_tail_cut_with_its_head_shows_by_the_log(drill):
    """The history alone cannot see it; the log knew of more events."""
    with drill.database.read_session() as session:
        last = audit_repository.last_seq(session)
        (before,) = audit_repository.hashes_of(session, {last - 2}).values()
    cut = f"DELETE FROM audit_events WHERE seq > {last - 2}"
    drill.attack(cut, "UPDATE audit_head SET seq = :seq, hash = :hash", seq=last - 2, hash=before)
    assert drill.named() == [f"audit event {last - 1}"]
    _, said = drill.check()
    assert re.search(r"The log covers \d+ events \(entry \d+\), but the audit trail ends with", said)


def test_a_history_rewritten_whole_shows_by_the_log(drill):
    with drill.database.session() as session:
        first = session.get(model.AuditEvent, 1)
        connection = session.connection()
        if drill.database.is_sqlite:
            connection.exec_driver_sql("DROP TRIGGER IF EXISTS audit_events_no_update")
        else:
            connection.exec_driver_sql("ALTER TABLE audit_events DISABLE TRIGGER ALL")
        first.event, last = "x", recorder.GENESIS
        for row in session.scalars(sa.select(model.AuditEvent).order_by(model.AuditEvent.seq)):
            row.prev_hash, row.hash = last, recorder.chain_hash(last, recorder.hashed_members(row))
            last = row.hash
        session.get(model.AuditHead, 1).hash = last
        session.commit()
        assert audit_chain.check_audit_chain(session).first_break is None
    (named,) = drill.named()
    assert named.startswith("audit event ")


@pytest.mark.parametrize("change", ["state = 'retired'", "state = 'compromised'"])
def test_a_changed_key_is_named(drill, change):
    drill.attack(f"UPDATE signing_keys SET {change}")
    (named,) = drill.named()
    assert named.startswith("key did:web:")


def test_a_changed_ruleset_is_named(drill):
    drill.attack("UPDATE rulesets SET digest = 'x' WHERE scheme_code = 'MIK'")
    (named,) = drill.named()
    assert named.startswith("ruleset MIK/")


def test_a_ruleset_taken_out_or_slipped_in_is_named(drill):
    drill.attack("UPDATE rulesets SET version = '2099.1' WHERE scheme_code = 'URVA'")
    assert drill.named() == ["ruleset URVA/2099.1"]
    drill.attack("DELETE FROM rulesets WHERE scheme_code = 'URVA'")
    (named,) = drill.named()
    assert named.startswith("ruleset URVA/2026")


def test_a_certificate_of_another_key_is_named(drill):
    columns = "public_jwk, 'retired', state_since, created_at"
    copy = f"INSERT INTO signing_keys SELECT 'did:web:x#k', {columns} FROM signing_keys"
    change = "UPDATE certificates SET kid = 'did:web:x#k' WHERE number = :number"
    drill.attack(copy, change, number=drill.numbers[0])
    assert drill.named() == [f"certificate {drill.numbers[0]}", "key did:web:x#k"]


def test_what_cannot_even_be_read_is_named(drill):
    if not drill.database.is_sqlite:
        return  # its columns hold only what their types can be
    drill.attack("UPDATE log_entries SET at = 'yesterday' WHERE seq = 4")
    assert drill.named()[0] == "log entry 4"
    drill.attack("UPDATE certificates SET valid_until = 'never' WHERE number = :number", number=drill.numbers[1])
    assert "certificate after the first 1" in drill.named()


@pytest.mark.parametrize(
    ("damage", "ask"),
    [
        ("DELETE FROM log_head", reader.get_checkpoint),
        ("DELETE FROM log_entries WHERE seq = 1", lambda session: reader.read_tile(session, tiles.Tile(None, 0, 3))),
        ("DELETE FROM log_entries WHERE seq = 1", lambda session: reader.read_tile(session, tiles.Tile(0, 0, 3))),
        ("DELETE FROM log_entries WHERE seq = 1", lambda session: reader.consistency_proof(session, 1, 3)),
    ],
)
def test_a_damaged_log_is_not_read_out_as_if_it_were_whole(drill, damage, ask):
    drill.attack(damage)
    with drill.database.read_session() as session, pytest.raises(LogDamaged):
        ask(session)


def test_without_the_key_file_the_stored_key_is_taken(drill, monkeypatch):
    monkeypatch.setenv("MIK_DATA_DIR", str(drill.folder / "elsewhere"))
    assert drill.named() == []
    drill.attack("UPDATE log_head SET vkey = 'x'")
    assert "cannot be used" in drill.check()[1]
    drill.attack("UPDATE log_head SET vkey = NULL, checkpoint = NULL, size = 0")
    assert drill.check() == (2, f"log: not checked\n  {NO_LOG}\n")
    assert CliRunner().invoke(mik, ["admin", "export-log", str(drill.folder)]).exit_code == 2
    with drill.database.read_session() as session:
        for ask in (reader.get_checkpoint, reader.get_vkey):
            with pytest.raises(NotFound):
                ask(session)


def test_yesterdays_database_under_todays_checkpoint(drill, register):
    """All of it fits together, and the key of the log signed it; only what was kept elsewhere shows it."""
    yesterday, kept = head_of(drill.database), drill.folder / "checkpoint"
    kept.write_text(checkpoint_of_today(drill, register), "utf-8")
    code, said = drill.check("--against", str(kept))
    assert code == 1
    assert said.startswith(f"log: wrong\n  Wrong: log entry {yesterday.size}: The stored checkpoint covers ")
    assert drill.named() == []


def checkpoint_of_today(drill, register):
    """What the key of the log signed after one entry more."""
    _, data_dir, numbers = register
    with drill.database.session() as session:
        before = log_repository.get_head(session)
        signer = LogKeyFile(data_dir / "keys" / "log.pem")(session)
        frontier = [
            log_repository.get_hashes(session, merkle.compact_range_nodes(before.size))[node]
            for node in merkle.compact_range_nodes(before.size)
        ]
        leaf = merkle.leaf_hash(Entry(LogEvent.CERTIFICATE_REVOKED, datetime.now(UTC), numbers[0]).canonical_bytes())
        grown = merkle.extend_range(frontier, merkle.completed_hashes(leaf, before.size, frontier))
        return signer.sign(Checkpoint(signer.name, before.size + 1, merkle.root_from_range(grown)).text)


def test_a_checkpoint_of_the_past_fits_and_one_of_another_past_does_not(drill, register):
    kept = drill.folder / "checkpoint"
    with drill.database.read_session() as session:
        signer = LogKeyFile(register[1] / "keys" / "log.pem")(session)
        nodes = merkle.compact_range_nodes(4)
        found = log_repository.get_hashes(session, nodes)
        root = merkle.root_from_range([found[node] for node in nodes])
    for right, note in ((True, Checkpoint(signer.name, 4, root)), (False, Checkpoint(signer.name, 4, bytes(32)))):
        kept.write_text(signer.sign(note.text), "utf-8")
        assert drill.named("--against", str(kept)) == ([] if right else ["log entries before 4"])


def test_what_is_no_checkpoint_of_this_log_is_refused(drill, tmp_path):
    path = tmp_path / "checkpoint"
    for content in (b"", b"x", b"\xff", head_of(drill.database).checkpoint.replace("log\n", "lag\n").encode()):
        path.write_bytes(content)
        code, said = drill.check("--against", str(path))
        assert code == 2
        assert "checkpoint is refused" in said or "not a checkpoint" in said
    assert drill.check("--against", str(tmp_path / "none"))[0] == 2


def test_an_exported_log_is_the_log(drill, tmp_path):
    folder = tmp_path / "out"
    first = CliRunner().invoke(mik, ["admin", "export-log", str(folder)])
    assert first.exit_code == 0, first.output
    size = head_of(drill.database).size
    assert first.stdout == f"{size} entries in {folder}: 4 files are new.\n"
    assert (folder / "checkpoint").read_text() == head_of(drill.database).checkpoint
    assert parse_vkey((folder / "vkey").read_text().strip())
    for tile in tiles.all_tiles(size):
        with drill.database.read_session() as session:
            assert (folder / "tile" / tile.path).read_bytes() == reader.read_tile(session, tile)
    assert not list(folder.rglob(".*"))
    again = CliRunner().invoke(mik, ["admin", "export-log", str(folder)])
    assert "0 files are new" in again.stdout
    (tmp_path / "file").write_text("in the way")
    assert CliRunner().invoke(mik, ["admin", "export-log", str(tmp_path / "file")]).exit_code == 2
