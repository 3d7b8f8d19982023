"""`mik monitor` finds every answer that contradicts the log, by the public addresses alone, and keeps both sides."""

import base64
import json
from datetime import timedelta

import pytest

from app.certificates import status_list, status_workflow
from app.core.crypto import jws
from app.monitor.monitor import MonitorRefused
from app.monitor.public_service import Unreachable
from app.signing.log_signer import LogKeyFile
from app.transparency import appender
from app.transparency.checkpoint import Checkpoint, parse_checkpoint
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.logged_status import FINAL_STATUSES
from app.transparency.signed_note import split_note
from app.transparency.witness_policy import parse_policy
from tests.monitor.helpers import Relay, Watching
from tests.transparency.helpers import attack, derived
from tests.transparency.witnesses import ed25519

pytestmark = pytest.mark.pg_sampled
NEVER, UNKNOWN = "MIK-2030-000998-X", "MIK-2030-000999-X"


@pytest.fixture(scope="module")
def numbers(shared_app):
    company = shared_app.set_up_company()
    case_id = company.apply(*(company.add_product() for _ in range(3)))
    shared_app.review(case_id)
    found = shared_app.approve(case_id)["certificates"]
    shared_app.owner.act(f"/v1/certificates/{found[1]}/suspend", {"cause": "hearing"})
    shared_app.clock.advance(minutes=10)
    return found


@pytest.fixture
def watching(shared_app, numbers, tmp_path):
    return Watching(shared_app, tmp_path / "monitor", watched_holders=("sample",))


def edited(old, new):
    return lambda status, body: (status, body.replace(old, new))


def resigned(app, change):
    """Sign a status list again with other bits, by the service's own key."""

    def answer(status, body):
        payload = jws.verify(
            body.decode(), typ=jws.TYP_CREDENTIAL, keys=app.container.keys.keyring().all_public
        ).payload
        bits = status_list.decode_bits(payload["credentialSubject"]["encodedList"])
        subject = payload["credentialSubject"] | {"encodedList": status_list.encode_bits(change(bits))}
        signer = app.container.keys.active_signer()
        return status, signer.sign(payload | {"credentialSubject": subject}, typ=jws.TYP_CREDENTIAL).encode()

    return answer


def signed_by_the_log(app, checkpoint):
    with app.database.read_session() as session:
        return LogKeyFile(app.settings.log_key)(session).sign(checkpoint.text).encode()


def test_an_honest_service_has_no_findings(shared_app, watching, numbers):
    first = watching.run()
    assert (first.findings, first.unchecked, first.exit_code, first.waiting) == ([], [], 0, 0)
    assert first.pinned is not None
    assert first.examined >= len(numbers)
    assert {each["number"] for each in first.watched} >= set(numbers)
    again = watching.run()
    assert (again.exit_code, again.watched, again.pinned) == (0, [], None)
    assert not (watching.folder / "evidence").exists()
    asked = [path for path in watching.relay.asked if "/log/tile" in path]
    assert len(asked) == len(set(asked))  # an entry is read once


def test_an_entry_that_is_dated_back_is_named(app, tmp_path):
    """Whoever holds the key of the log can sign a false date, but not between the entries of that day."""
    app.certify()
    watching = Watching(app, tmp_path / "monitor")
    assert watching.run().findings == []
    with app.database.session() as session:
        appender.add_entry(session, Entry(LogEvent.ROLE_TAKEN, app.clock() - timedelta(hours=1), "0" * 64))
        session.commit()
    (finding,) = watching.run().findings
    recomputed = derived(app.database)
    assert recomputed.finding is None
    assert (finding.kind, finding.subject) == ("entry-backdated", f"entry {recomputed.size - 2}")
    assert recomputed.backdated.row == f"log {finding.subject}"


def test_false_entries_of_whoever_holds_the_key_of_the_log(app, tmp_path):
    """Each contradicts an entry before it, whatever the service answers."""
    company = app.set_up_company()
    case_id = company.apply(*(company.add_product() for _ in range(4)))
    app.review(case_id)
    revoked, reissued, twice, stranger = app.approve(case_id)["certificates"]
    app.revoke(revoked, "bankruptcy")
    attack(app.database, "DROP INDEX uq_log_entries_issued")
    now = app.clock()
    false = {
        Entry(LogEvent.CERTIFICATE_REINSTATED, now, revoked): ("change-after-end", revoked),
        Entry(LogEvent.CERTIFICATE_REISSUED, now, reissued, sha256="0" * 64, key=active_kid(app)): (
            "reissued-uncalled",
            reissued,
        ),
        Entry(LogEvent.CERTIFICATE_ISSUED, now, twice, sha256="0" * 64, key=active_kid(app)): ("issued-twice", twice),
        Entry(LogEvent.CERTIFICATE_ISSUED, now, NEVER, sha256="0" * 64, key="other"): ("issued-without-key", NEVER),
        Entry(LogEvent.CERTIFICATE_REVOKED, now, UNKNOWN, reason="bankruptcy"): ("change-without-issue", UNKNOWN),
    }
    with app.database.session() as session:
        session.info.pop(appender.GUARD_KEY)  # past the service
        for entry in false:
            appender.add_entry(session, entry)
        session.commit()
    app.clock.advance(minutes=10)
    report = Watching(app, tmp_path / "monitor").run()
    found = {(each.kind.value, each.subject) for each in report.findings}
    assert found >= set(false.values())
    assert not [subject for _, subject in found if subject == stranger]


def active_kid(app):
    return app.container.keys.active_signer().kid


def test_an_entry_that_is_no_entry_is_named(app, tmp_path, monkeypatch):
    app.certify()
    written = Entry.canonical_bytes
    monkeypatch.setattr(Entry, "canonical_bytes", lambda self: written(self).replace(b'"v":', b'"v" :'))
    with app.database.session() as session:
        session.info.pop(appender.GUARD_KEY)
        appender.add_entry(session, Entry(LogEvent.ROLE_TAKEN, app.clock(), "0" * 64))
        session.commit()
    monkeypatch.undo()
    assert "entry-refused" in Watching(app, tmp_path / "monitor").kinds()


def test_a_bit_that_is_missing_is_named(watching, shared_app, numbers):
    """The monitor has never seen it set, and the log requires it."""
    empty = lambda bits: bytes(len(bits))  # noqa: E731 (one use)
    report = watching.run(**{"/v1/status-lists/suspension-1": resigned(shared_app, empty)})
    assert [each.kind.value for each in report.findings] == ["list-bit-missing"]


def test_an_old_entry_that_no_witness_has_seen_is_named(app, tmp_path):
    app.certify()
    vkey = app.http.get("/log/vkey").text.strip()
    witness = ed25519("witness.example/w", 21).verifier.vkey
    policy = parse_policy(f"log {vkey}\nwitness W {witness}\nquorum W\n".encode())
    watching = Watching(app, tmp_path / "monitor", policy=policy)
    assert watching.run().findings == []  # there is still time
    app.clock.advance(days=2)
    assert watching.kinds() == {"unwitnessed"}


def test_a_changed_answer_is_kept_with_both_sides(watching, numbers):
    report = watching.run(**{f"/v1/verify/{numbers[0]}": edited(b'"Sample', b'"Another')})
    (finding,) = report.findings
    assert (finding.kind, finding.subject, report.exit_code) == ("answer-differs", numbers[0], 1)
    assert "holder.name" in finding.detail
    kept = json.loads((watching.folder / "evidence" / f"{finding.id}.json").read_text())
    token, answer = (base64.b64decode(each["body"]) for each in kept["received"])
    assert token.count(b".") == 2
    assert b'"Another' in answer
    assert json.loads(base64.b64decode(kept["logged"][0]))["certificate"] == numbers[0]
    assert watching.run().exit_code == 0  # the service answers as it should again


@pytest.mark.parametrize(
    ("path", "change", "kinds"),
    [
        ("/v1/verify/{1}", edited(b'"suspended"', b'"valid"'), {"answer-differs"}),
        ("/v1/verify/{0}", lambda _status, _body: (200, b"[]"), {"answer-differs"}),
        ("/v1/certificates/{0}", lambda _status, _body: (404, b"{}"), {"token-missing"}),
        ("/v1/certificates/{0}", edited(b".", b".AA"), {"token-differs"}),
        ("/v1/certificates?q={0}", lambda _status, _body: (200, b'{"items": []}'), {"register-missing"}),
        ("/v1/certificates?q={1}", edited(b'"suspended"', b'"active"'), {"register-differs"}),
        ("/log/vkey", edited(b"+A", b"+B"), {"log-key-changed"}),
        ("/log/checkpoint", edited(b"\n\n", b"\nother\n\n"), {"checkpoint-refused"}),
        ("/.well-known/jwks.json", lambda _status, _body: (200, b'{"keys": []}'), {"key-missing"}),
        ("/v1/status-lists/revocation-1", edited(b".", b".AA"), {"list-refused"}),
        ("/v1/status-lists/suspension-1", lambda _status, _body: (404, b""), {"list-refused"}),
    ],
)
def test_each_contradiction_is_named(watching, shared_app, numbers, path, change, kinds):
    watching.run()
    shared_app.clock.advance(hours=2)
    report = watching.run(**{path.format(*numbers): change})
    assert {each.kind.value for each in report.findings} == kinds, report
    assert report.exit_code == 1
    assert watching.run().exit_code == 0


def test_the_token_of_another_certificate(watching, shared_app, numbers):
    other = shared_app.token(numbers[1]).encode()
    change = lambda status, body: (status, other if body.startswith(b"ey") else body)  # noqa: E731 (one use)
    report = watching.run(**{f"/v1/certificates/{numbers[0]}": change})
    assert [each.kind.value for each in report.findings] == ["token-differs"]
    assert "was issued" in report.findings[0].detail


def test_a_register_that_shows_what_the_log_does_not_contain(watching, numbers):
    stray = "MIK-2026-999999-"
    from app.certificates import certificate_number  # noqa: PLC0415 (for this drill alone)

    number = next(
        stray + last for last in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" if certificate_number.parse_number(stray + last)
    )

    def added(status, body):
        line = json.loads(body.splitlines()[0]) | {"number": number}
        return status, body + json.dumps(line).encode() + b"\n"

    assert watching.run(**{"/v1/certificates.jsonl": added}).exit_code == 0  # a line that nothing else shows
    shown = {f"/v1/verify/{number}": lambda _status, _body: (200, b'{"certificate": {}}')}
    report = watching.run(**{"/v1/certificates.jsonl": added, **shown})
    assert [each.kind.value for each in report.findings] == ["not-logged"]


def test_bits_that_go_back_or_appear(watching, shared_app, numbers):
    assert watching.run().exit_code == 0
    empty = lambda bits: bytes(len(bits))  # noqa: E731 (one use)
    report = watching.run(**{"/v1/status-lists/suspension-1": resigned(shared_app, empty)})
    assert {each.kind.value for each in report.findings} == {"list-bit-cleared"}
    assert numbers[1] in report.findings[0].subject
    assert (
        watching.run(**{"/v1/status-lists/suspension-1": resigned(shared_app, empty)}).exit_code == 1
    )  # not forgotten
    set_one = lambda bits: status_list.set_bit(bits, 7, value=True)  # noqa: E731 (one use)
    report = watching.run(**{"/v1/status-lists/revocation-1": resigned(shared_app, set_one)})
    assert {each.kind.value for each in report.findings} == {"list-bit-unexplained"}
    assert watching.run().exit_code == 0


def test_a_change_that_lists_may_not_show_yet_waits(watching, shared_app, numbers):
    watching.run()
    shared_app.owner.act(f"/v1/certificates/{numbers[2]}/suspend", {"cause": "hearing"})
    stale = {f"/v1/verify/{numbers[2]}": edited(b'"suspended"', b'"active"')}
    report = watching.run(**stale)
    assert (report.exit_code, report.waiting) == (0, 1)
    shared_app.clock.advance(minutes=5)
    assert watching.run(**stale).exit_code == 1
    report = watching.run()
    assert (report.exit_code, report.waiting) == (0, 0)


def test_a_checkpoint_that_is_older_than_the_last_one(watching, shared_app, numbers):
    old = shared_app.http.get("/log/checkpoint").content
    shared_app.certify()
    assert watching.run().exit_code == 0
    report = watching.run(**{"/log/checkpoint": lambda status, _body: (status, old)})
    assert [each.kind.value for each in report.findings] == ["log-shrank"]


def test_two_checkpoints_of_one_size_are_a_fork(watching, shared_app, numbers):
    watching.run()
    size = parse_checkpoint(split_note(shared_app.http.get("/log/checkpoint").text)[0]).size
    origin = shared_app.http.get("/log/vkey").text.partition("+")[0]
    forged = signed_by_the_log(shared_app, Checkpoint(origin, size, bytes(32)))
    report = watching.run(**{"/log/checkpoint": lambda status, _body: (status, forged)})
    (finding,) = report.findings
    assert finding.kind == "fork"
    assert finding.received[0].body == forged
    assert finding.logged  # the checkpoint that was seen before


def test_a_second_vantage_point_is_shown_another_history(shared_app, numbers, tmp_path):
    second = Relay(shared_app)
    watching = Watching(shared_app, tmp_path / "monitor", second=second)
    assert watching.run().exit_code == 0
    origin = shared_app.http.get("/log/vkey").text.partition("+")[0]
    size = parse_checkpoint(split_note(shared_app.http.get("/log/checkpoint").text)[0]).size
    for other in (size, size + 3, size - 2):
        forged = signed_by_the_log(shared_app, Checkpoint(origin, other, bytes(32)))
        second.changes = {"/log/checkpoint": lambda status, _body, note=forged: (status, note)}
        assert [each.kind.value for each in watching.run().findings] == ["fork"]
    second.changes = {"/v1/status-lists/revocation": resigned(shared_app, lambda bits: bytes([1]) + bits[1:])}
    assert [each.kind.value for each in watching.run().findings] == ["lists-differ"]


def test_an_entry_that_was_changed_or_left_out(watching, shared_app, numbers):
    watching.run()
    shared_app.certify()
    for change in (
        lambda status, body: (status, body[:-1] + b" "),
        lambda status, body: (status, body[: -2 - body.rindex(b'{"')]),
        lambda _status, _body: (404, b""),
    ):
        report = watching.run(**{"/log/tile/entries": change})
        assert "log-rewritten" in {each.kind.value for each in report.findings}, report
    assert watching.run().exit_code == 0  # nothing of it was kept


def test_what_cannot_be_checked_is_said(watching, shared_app, numbers):
    watching.run()
    report = watching.run(**{"/v1/certificates.jsonl": lambda _status, _body: (503, b"")})
    assert (report.exit_code, len(report.unchecked)) == (2, 1)
    with pytest.raises(Unreachable):
        watching.run(**{"/log/checkpoint": lambda _status, _body: (503, b"")})


def test_the_key_of_the_log_is_asked_for(shared_app, numbers, tmp_path):
    with pytest.raises(MonitorRefused, match="--vkey"):
        Watching(shared_app, tmp_path / "a", pin=False).run()
    vkey = shared_app.http.get("/log/vkey").text.strip()
    assert Watching(shared_app, tmp_path / "b", pin=False, vkey=vkey).run().exit_code == 0
    with pytest.raises(MonitorRefused, match="another log"):
        Watching(shared_app, tmp_path / "b", vkey=vkey.replace("a", "b")).run()


def test_a_run_that_was_killed_goes_on(watching, shared_app, numbers, monkeypatch):
    class Killed(BaseException):
        pass

    def kill(_status, _body):
        raise Killed

    with pytest.raises(Killed):
        watching.run(**{f"/v1/verify/{numbers[2]}": kill})
    watching.relay.asked.clear()
    assert watching.run().exit_code == 0
    assert not [path for path in watching.relay.asked if path.startswith("/log/tile")]  # the log was read already


def test_final_statuses_are_those_of_the_service():
    assert {str(each) for each in status_workflow.FINAL_STATUSES} == FINAL_STATUSES
