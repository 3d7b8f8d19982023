"""The log shown to its witnesses: what they sign is served, and a history told twice is refused."""

import asyncio
import json
import threading

import httpx2 as httpx
import pytest

from app.cli.admin import sweep
from app.cli.admin.export import _bundled, _Parts
from app.core.errors import UnsafeToStart
from app.transparency import log_repository
from app.transparency.checkpoint import parse_proof, verify_checkpoint, verify_proof
from app.transparency.signed_note import parse_vkey
from app.transparency.witness_client import load_policy
from app.transparency.witness_policy import evaluate_note, parse_policy
from app.transparency.witness_rounds import WitnessRounds
from tests.helpers import execute, refused, rewrite, rows
from tests.transparency.helpers import attack, signer_of
from tests.transparency.witnesses import Witnesses, ed25519, entries, request

pytestmark = pytest.mark.pg_sampled


@pytest.fixture
def log_key(app):
    return parse_vkey(app.anonymous.get("/log/vkey").text.strip())


@pytest.fixture
def witnesses(app, log_key, tmp_path):
    found = Witnesses(tmp_path / "witnesses", app.clock, log_key)
    yield found
    for name in found.nodes:
        found.folder(name).close()


@pytest.fixture
def client(app, log_key, witnesses, tmp_path):
    """The client of the app, asking these witnesses, two of which must agree."""
    asked = app.container.witnesses.client
    asked.policy = parse_policy(witnesses.policy(log_key).encode())
    asked._transport = witnesses.transport
    asked._refusals = tmp_path / "refusals"
    return asked


def text(app, path):
    answer = app.anonymous.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text, answer.headers.get("mik-witnesses")


def errors(outcomes):
    return {each.witness.name: each.error for each in outcomes if each.error}


def refusals(tmp_path):
    return [json.loads(path.read_text()) for path in sorted((tmp_path / "refusals").glob("*.json"))]


def test_without_a_policy_nothing_changes(app):
    assert app.container.witnesses.client.run_round() == ()
    note, header = text(app, "/log/checkpoint")
    assert (note.count("— "), header) == (1, None)
    refused(app.anonymous.get("/log/checkpoint?witnessed=true"), 404, "not-found")


def test_the_checkpoint_is_served_with_its_cosignatures(app, client, log_key):
    before, header = text(app, "/log/checkpoint")
    assert header.startswith("not yet witnessed, age ")
    assert errors(client.run_round()) == {}
    note, header = text(app, "/log/checkpoint")
    assert header == f"seen by 3 of 3 witnesses at {app.clock():%Y-%m-%dT%H:%M:%SZ}"
    assert note.startswith(before)  # the log signs first
    assert verify_checkpoint(note, log_key) == verify_checkpoint(before, log_key)
    assert evaluate_note(client.policy, note, app.clock()).parties_seen == 3
    assert client.run_round() == ()  # nobody is asked twice about the same


def test_a_proof_leads_to_the_checkpoint_that_witnesses_have_seen(app, client, log_key):
    number = app.certify(app.set_up_company())
    client.run_round()
    witnessed, _ = text(app, "/log/checkpoint")
    app.clock.advance(minutes=20)
    other = app.certify(app.set_up_company())
    newest, header = text(app, "/log/checkpoint")
    assert newest.count("— ") == 1
    assert header == "not yet witnessed, age 0 min"
    assert text(app, "/log/checkpoint?witnessed=true")[0] == witnessed
    proof, header = text(app, f"/v1/certificates/{number}/log-proof")
    assert parse_proof(proof).checkpoint == witnessed
    assert header.startswith("seen by 3 of 3 witnesses at ")
    waiting, header = text(app, f"/v1/certificates/{other}/log-proof")
    assert parse_proof(waiting).checkpoint == newest
    assert header == "not yet witnessed, age 0 min"
    with app.database.read_session() as session:
        for each, note in ((number, proof), (other, waiting)):
            row = log_repository.find_issue_entry(session, each)
            verify_proof(row.entry, parse_proof(note), log_key)
    first = verify_checkpoint(witnessed, log_key).size
    second = verify_checkpoint(newest, log_key).size
    assert app.anonymous.get(f"/log/consistency?first={first}&second={second}").status_code == 200


def test_a_bundle_holds_what_witnesses_have_seen(app, client, witnesses, log_key, tmp_path):
    app.certify(app.set_up_company())
    client.run_round()
    path = tmp_path / "policy"
    path.write_text(witnesses.policy(log_key))
    settings = app.container.settings.model_copy(update={"witness_policy": str(path)})
    files = dict(_bundled(app.database, settings, _Parts(app.database, settings)))
    assert files["log/checkpoint"].decode() == text(app, "/log/checkpoint")[0]
    assert evaluate_note(client.policy, files["log/witnessed"].decode(), app.clock()).quorum_at is not None


def test_the_key_of_the_log_is_that_of_its_file(app, client):
    number = app.certify()
    client.run_round()
    told = text(app, f"/v1/certificates/{number}/log-proof")
    other = signer_of(7).verifier.vkey
    rewrite(app, f"UPDATE log_head SET vkey = '{other}'")
    assert text(app, f"/v1/certificates/{number}/log-proof") == told
    assert text(app, "/log/checkpoint?witnessed=true")[1].startswith("seen by 3 of 3")
    assert errors(client.run_round()) == {}


def test_two_of_three_are_enough_and_one_is_not(app, client, witnesses):
    app.clock.advance(hours=3)
    witnesses.down = {"customs", "chamber"}
    assert set(errors(client.run_round())) == {"customs", "chamber"}
    _, header = text(app, "/log/checkpoint")
    assert header == "not yet witnessed, age 3 h (seen by 1 of 3 witnesses, 2 are needed)"
    refused(app.anonymous.get("/log/checkpoint?witnessed=true"), 404, "not-found")
    witnesses.down = {"customs"}
    assert set(errors(client.run_round())) == {"customs"}
    assert text(app, "/log/checkpoint")[1].startswith("seen by 2 of 3 witnesses at ")


def test_a_client_that_forgot_learns_the_size(app, client, witnesses):
    client.run_round()
    execute(app, "DELETE FROM log_cosignatures")
    app.certify(app.set_up_company())
    witnesses.asked.clear()
    assert errors(client.run_round()) == {}
    assert sorted(witnesses.asked) == sorted(["customs", "chamber", "university"] * 2)  # 409, then with a proof
    assert text(app, "/log/checkpoint")[1].startswith("seen by 3 of 3")


def test_only_the_newest_witnessed_checkpoint_is_kept(app, client):
    for _ in range(2):
        app.certify(app.set_up_company())
        client.run_round()
    assert rows(app, "SELECT count(DISTINCT size) FROM log_cosignatures")[0][0] == 1


def _tell_another_history(app, witnesses):
    """The log of this key, told to all witnesses with other entries first."""
    signer = signer_of_app(app)
    for _, node in witnesses.nodes.values():
        assert node.add_checkpoint(request(entries(2, b"other"), signer=signer)).status == 200


def signer_of_app(app):
    with app.database.session() as session:
        return session.info["log.signer"](session)


def test_the_second_of_two_histories_is_refused_with_evidence_on_both_sides(app, client, witnesses, tmp_path):
    _tell_another_history(app, witnesses)
    app.certify(app.set_up_company())
    outcomes = client.run_round()
    assert {each.error[:14] for each in outcomes} == {"it answers 422"}
    assert text(app, "/log/checkpoint")[1].startswith("not yet witnessed")
    kept = refusals(tmp_path)
    assert len(kept) == 3
    newest = text(app, "/log/checkpoint")[0]
    assert all(newest in each["sent"] and each["sent"].startswith("old 2\n") for each in kept)
    for name in witnesses.nodes:
        (evidence,) = (witnesses.folder(name)._path / "evidence").iterdir()
        assert newest in evidence.read_text()
    client.run_round()
    assert len(refusals(tmp_path)) == 3  # one a day and witness


def test_another_history_of_the_same_length_is_refused(app, client, witnesses, tmp_path):
    with app.database.read_session() as session:
        size = log_repository.get_head(session).size
    for _, node in witnesses.nodes.values():
        assert node.add_checkpoint(request(entries(size, b"other"), signer=signer_of_app(app))).status == 200
    assert set(errors(client.run_round()).values()) == {f"it has cosigned another checkpoint of {size} entries"}
    assert len(refusals(tmp_path)) == 3


def test_a_log_that_was_rolled_back_is_noticed(app, client, witnesses, tmp_path):
    for _, node in witnesses.nodes.values():
        assert node.add_checkpoint(request(entries(900), signer=signer_of_app(app))).status == 200
    found = set(errors(client.run_round()).values())
    assert len(found) == 1
    assert "it has cosigned 900 entries, and the log has " in found.pop()
    assert len(refusals(tmp_path)) == 3


@pytest.mark.parametrize(
    ("answer", "error", "is_kept"),
    [
        (httpx.Response(403, text="no\n"), "it answers 403: no", True),
        (httpx.Response(404, text="<html>"), "it answers 404: <html>", True),
        (httpx.Response(500, text="oh"), "it answers 500", False),
        (httpx.Response(302, headers={"Location": "http://elsewhere.example/"}), "it answers 302", False),
        (httpx.Response(409, text="soon\n"), "The answer has no size.", True),
        (httpx.Response(409, text="1\n"), "it does not agree on the last size", False),
        (httpx.Response(200, text="ok\n"), "A signature line of the note is malformed.", True),
        (httpx.Response(200, text="— x.example/w AAAAAAAA\n"), "its answer has no cosignature of its key", True),
        (httpx.Response(200, text="x" * 70_000), "its answer is too long", False),
    ],
)
def test_what_a_witness_answers_is_not_believed(app, client, witnesses, tmp_path, answer, error, is_kept):
    app.certify(app.set_up_company())
    witnesses.answers["customs"] = answer
    assert errors(client.run_round()) == {"customs": error}
    assert len(refusals(tmp_path)) == is_kept
    assert text(app, "/log/checkpoint")[1].startswith("seen by 2 of 3 witnesses at ")


def test_a_cosignature_of_another_checkpoint_is_refused(app, client, witnesses, tmp_path):
    other = witnesses.folder("customs").cosigners[0].cosign("mark.example/log\n1\n" + "A" * 43 + "=\n", 1_700_000_000)
    witnesses.answers["customs"] = httpx.Response(200, text=other.text)
    assert errors(client.run_round()) == {"customs": "The cosignature of customs.example/w is wrong."}
    assert len(refusals(tmp_path)) == 1


def test_rows_that_nobody_signed_change_no_answer(app, client, log_key):
    app.certify(app.set_up_company())
    client.run_round()
    good, header = text(app, "/log/checkpoint?witnessed=true")
    size = verify_checkpoint(good, log_key).size
    put = (
        "INSERT INTO log_cosignatures (size, witness, checkpoint, line, received_at) "
        "SELECT {size}, 'x' || witness, {checkpoint}, {line}, received_at FROM log_cosignatures WHERE size = :size"
    )
    execute(app, put.format(size=size + 5, checkpoint="checkpoint", line="line"), size=size)
    execute(app, put.format(size="size", checkpoint="checkpoint", line="'nonsense'"), size=size)
    execute(app, put.format(size="size - 1", checkpoint="'other'", line="line"), size=size)
    assert text(app, "/log/checkpoint?witnessed=true") == (good, header)
    assert text(app, "/log/checkpoint") == (good, header)


def test_the_age_is_that_of_the_signed_entry(app, client):
    number = app.certify(app.set_up_company())
    path = f"/v1/certificates/{number}/log-proof"
    app.clock.advance(hours=30)
    attack(app.database, "UPDATE log_entries SET at = :at", at="2026-11-23 22:00:00")
    assert text(app, path)[1] == "not yet witnessed, age 1 d 6 h"
    with app.database.read_session() as session:
        row = log_repository.find_issue_entry(session, number)
        later = row.entry.replace(b"2026-11-22T", b"2026-11-23T")
    attack(app.database, "UPDATE log_entries SET entry = :entry WHERE subject = :number", entry=later, number=number)
    refused(app.anonymous.get(path), 503, "log-damaged")


def test_a_witness_without_an_address_is_not_asked(app, client, witnesses):
    client.policy = parse_policy(witnesses.policy().replace(" http://chamber.example/w/", "").encode())
    assert sorted(each.witness.name for each in client.run_round()) == ["customs", "university"]


def test_a_policy_about_another_log_is_refused(app, client, witnesses):
    client.policy = parse_policy(witnesses.policy(signer_of(7).verifier).encode())
    with pytest.raises(UnsafeToStart, match="names other logs"):
        client.run_round()


def test_ml_dsa_witnesses(app, client, witnesses, log_key):
    client.policy = parse_policy(witnesses.policy(log_key, kind=1).encode())
    assert errors(client.run_round()) == {}
    note, header = text(app, "/log/checkpoint")
    assert header.startswith("seen by 3 of 3")
    assert len(note) > 3 * 3_000


def test_a_revocation_asks_the_witnesses_at_once_and_no_failure_reaches_the_request(app, client, monkeypatch):
    number = app.certify(app.set_up_company())
    woken = []
    monkeypatch.setattr(app.container.witnesses, "_loop", _Loop(woken))
    app.certify(app.set_up_company())
    assert woken == []
    app.revoke(number, "bankruptcy")
    assert len(woken) == 1

    class Ended:
        def call_soon_threadsafe(self, _):
            raise RuntimeError("Event loop is closed")

    monkeypatch.setattr(app.container.witnesses, "_loop", Ended())
    other = app.certify(app.set_up_company())
    app.owner.act(f"/v1/certificates/{other}/revoke", {"reason": "bankruptcy"})


class _Loop:
    def __init__(self, woken):
        self.call_soon_threadsafe = woken.append


def test_the_sweep_shows_the_log(app, client, witnesses, log_key, tmp_path, monkeypatch):
    path = tmp_path / "policy"
    path.write_text(witnesses.policy(log_key))
    settings = app.container.settings.model_copy(update={"witness_policy": str(path)})
    reported = []
    monkeypatch.setattr(sweep, "WitnessClient", lambda *_, **__: client)
    witnesses.down = {"customs"}
    assert sweep.ask_witnesses(settings, app.database, reported.append) == 1
    assert reported == [
        "witness customs has not cosigned the log: it does not answer (ConnectError)",
        "2 of 3 witnesses have cosigned the log.",
    ]
    witnesses.down = set()
    assert sweep.ask_witnesses(settings, app.database, reported.append) == 0
    assert sweep.ask_witnesses(settings, app.database, reported.append) == 0
    assert len(reported) == 3  # nothing is said of nothing


class FakeClient:
    def __init__(self):
        self.policy, self.is_stopped, self.rounds = object(), False, []
        self.ended = threading.Semaphore(0)

    def run_round(self):
        self.rounds.append(None)
        self.ended.release()
        if len(self.rounds) == 1:
            raise RuntimeError("the database is away")

    def stop(self):
        self.is_stopped = True


def test_rounds_in_the_background_outlive_a_failure():
    async def run():
        client = FakeClient()
        rounds = WitnessRounds(client)
        rounds.wake()  # before the start: nothing
        async with rounds.run_in_background(3_600):
            await asyncio.to_thread(client.ended.acquire, timeout=10)
            rounds.wake()
            await asyncio.to_thread(client.ended.acquire, timeout=10)
        assert client.is_stopped
        async with rounds.run_in_background(0):
            await asyncio.sleep(0.02)
        assert len(client.rounds) == 2

    asyncio.run(asyncio.wait_for(run(), 20))


def test_a_client_that_stops_asks_nobody(client, witnesses):
    client.stop()
    assert set(errors(client.run_round()).values()) == {"the service ends"}
    assert witnesses.asked == []


def test_the_policy_file(tmp_path):
    assert load_policy("") is None
    path = tmp_path / "policy"
    with pytest.raises(UnsafeToStart, match="cannot be read"):
        load_policy(path)
    path.write_text("what\nquorum none\nquorum none\n")
    with pytest.raises(UnsafeToStart, match=r"(?s)Line 1.*Line 3"):
        load_policy(path)
    for address in ("ftp://w.example", "w.example", "https://", "https://w.example/?x", "https://[w"):
        path.write_text(_one_witness(address))
        with pytest.raises(UnsafeToStart, match="has no address"):
            load_policy(path)
    path.write_text(_one_witness("https://w.example/w1"))
    assert load_policy(path).witnesses[0].url == "https://w.example/w1"


def _one_witness(address):
    return f"witness A {ed25519().verifier.vkey} {address}\nquorum A\n"
