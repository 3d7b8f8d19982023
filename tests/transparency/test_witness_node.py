"""A witness: every answer of the protocol, a second history refused with evidence, and nothing forgotten."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from app.cli.witness.serve import witness_app
from app.core.crypto.pem_files import UnsafeKeyFile
from app.core.errors import UnsafeToStart
from app.transparency.signed_note import parse_signature_lines, split_note
from app.transparency.witness.node import Witness, WitnessFolder
from app.transparency.witness.protocol import MAX_BODY_BYTES
from tests.transparency.helpers import signer_of
from tests.transparency.witnesses import checkpoint, entries, request

NOW = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
LOG = signer_of().verifier
NAME = "witness.customs.example/w1"


@pytest.fixture
def folder(tmp_path):
    opened = WitnessFolder(tmp_path / "w", NAME, [LOG])
    yield opened
    opened.close()


@pytest.fixture
def witness(folder):
    return Witness(folder, [LOG], lambda: NOW)


def evidence(folder):
    return sorted((folder._path / "evidence").glob("*")) if (folder._path / "evidence").exists() else []


def said(answer):
    return answer.status, answer.body


def test_a_log_that_grows_is_cosigned_by_both_keys(folder, witness):
    old = 0
    for size in (1, 2, 7, 8, 8, 300):
        answer = witness.add_checkpoint(request([b"x"] * size, old))
        assert answer.status == 200, answer.body
        text, _ = split_note(checkpoint([b"x"] * size))
        lines = parse_signature_lines(answer.body)
        assert [each.verifier.verify(text, line) for each, line in zip(folder.cosigners, lines, strict=True)] == [
            int(NOW.timestamp())
        ] * 2
        old = size
    assert evidence(folder) == []


def test_an_empty_log_is_cosigned_as_well(witness):
    assert witness.add_checkpoint(request([])).status == 200
    assert witness.add_checkpoint(request(entries(3))).status == 200


def test_the_size_is_learned_from_the_409(witness):
    assert witness.add_checkpoint(request(entries(5))).status == 200
    for old in (0, 3):
        answer = witness.add_checkpoint(request([b"entry 0"] * 9, old))
        assert said(answer) == (409, "5\n")
        assert answer.media_type == "text/x.tlog.size"


def test_refusals(folder, witness):
    assert witness.add_checkpoint(b"old 0").status == 400
    assert witness.add_checkpoint(b"old 0\n\nno note\n").status == 400
    assert witness.add_checkpoint(b"old 0\n\n" + signer_of().sign("no checkpoint\n").encode()).status == 400
    assert witness.add_checkpoint(request(entries(3), 4)).status == 400
    assert witness.add_checkpoint(request(entries(3), signer=signer_of(1, "other.example/log"))).status == 404
    assert witness.add_checkpoint(request(entries(3), signer=signer_of(2))).status == 403
    wrong = request(entries(3)).decode().replace("\n3\n", "\n4\n").encode()
    assert witness.add_checkpoint(wrong).status == 403
    assert witness.add_checkpoint(request(entries(3), proof=[bytes(32)])).status == 422  # of an empty log nothing
    assert folder.last_checkpoint(LOG.name) is None


def test_a_second_history_of_the_same_length_is_refused_and_kept(folder, witness):
    assert witness.add_checkpoint(request(entries(5))).status == 200
    for old in (5, 0):
        answer = witness.add_checkpoint(request(entries(5, b"other"), old))
        assert said(answer) == (409, "5\n")
    (kept,) = evidence(folder)
    text = kept.read_text()
    assert checkpoint(entries(5)) in text  # both are signed by the log: whoever reads them knows
    assert checkpoint(entries(5, b"other")) in text


def test_a_second_history_that_grows_is_refused_and_kept(folder, witness):
    assert witness.add_checkpoint(request(entries(5))).status == 200
    other = [*entries(5, b"other"), b"more"]
    answer = witness.add_checkpoint(request(other, 5))
    assert answer.status == 422
    (kept,) = evidence(folder)
    assert checkpoint(other) in kept.read_text()
    honest = [*entries(5), b"more"]
    assert witness.add_checkpoint(request(honest, 5)).status == 200  # the refusal changed nothing


def test_a_rollback_is_refused(witness):
    assert witness.add_checkpoint(request(entries(5))).status == 200
    assert said(witness.add_checkpoint(request(entries(3)))) == (409, "5\n")
    assert witness.add_checkpoint(request(entries(3), 5)).status == 400


def test_evidence_is_kept_once_for_each_checkpoint(folder, witness):
    assert witness.add_checkpoint(request(entries(5))).status == 200
    for number in range(3):  # anybody can send a signed checkpoint with a wrong proof
        assert witness.add_checkpoint(request([*entries(5), b"x"], 5, proof=[bytes([number]) * 32])).status == 422
    assert len(evidence(folder)) == 1


def test_nothing_is_forgotten_over_a_restart(tmp_path):
    first = WitnessFolder(tmp_path, NAME, [LOG])
    assert Witness(first, [LOG], lambda: NOW).add_checkpoint(request(entries(5))).status == 200
    vkeys = [each.verifier.vkey for each in first.cosigners]
    with pytest.raises(UnsafeToStart, match="Another witness runs"):
        WitnessFolder(tmp_path, None, [LOG])
    first.close()
    second = WitnessFolder(tmp_path, None, [LOG, signer_of(3, "other.example/log").verifier])
    assert [each.verifier.vkey for each in second.cosigners] == vkeys
    assert said(Witness(second, [LOG], lambda: NOW).add_checkpoint(request(entries(2)))) == (409, "5\n")
    second.close()


@pytest.mark.parametrize(
    ("lost", "message"),
    [("log-*.checkpoint", "second history"), ("ed25519.pem", "is gone"), ("ml-dsa-44.pem", "is gone")],
)
def test_a_witness_that_lost_something_does_not_begin_again(tmp_path, lost, message):
    first = WitnessFolder(tmp_path, NAME, [LOG])
    assert Witness(first, [LOG], lambda: NOW).add_checkpoint(request(entries(5))).status == 200
    first.close()
    for path in tmp_path.glob(lost):
        path.unlink()
    with pytest.raises(UnsafeToStart, match=message):
        WitnessFolder(tmp_path, None, [LOG])


def test_a_lost_list_of_logs_erases_no_state(tmp_path):
    first = WitnessFolder(tmp_path, NAME, [LOG])
    assert Witness(first, [LOG], lambda: NOW).add_checkpoint(request(entries(5))).status == 200
    first.close()
    (tmp_path / "logs").unlink()
    again = WitnessFolder(tmp_path, None, [LOG])
    assert again.last_checkpoint(LOG.name) == checkpoint(entries(5))
    again.close()


def test_the_name_and_the_keys_belong_together(tmp_path):
    for name in (None, "", "two words", "a+b", "x" * 256):
        with pytest.raises(UnsafeToStart, match="Name the witness"):
            WitnessFolder(tmp_path, name, [LOG])
    WitnessFolder(tmp_path, NAME, [LOG]).close()
    with pytest.raises(UnsafeToStart, match="leave --name out"):
        WitnessFolder(tmp_path, "another.example/w", [LOG])
    assert {(tmp_path / file).stat().st_mode & 0o777 for file in ("ed25519.pem", "ml-dsa-44.pem")} == {0o600}
    (tmp_path / "ed25519.pem").write_bytes((tmp_path / "ml-dsa-44.pem").read_bytes())
    with pytest.raises(UnsafeKeyFile, match="another kind"):
        WitnessFolder(tmp_path, None, [LOG])
    (tmp_path / "ed25519.pem").write_bytes(b"no key")
    with pytest.raises(UnsafeKeyFile, match="PEM"):
        WitnessFolder(tmp_path, None, [LOG])


def test_of_two_histories_at_the_same_moment_one_is_cosigned(witness):
    bodies = [request(entries(5, b"%d" % number)) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(witness.add_checkpoint, bodies))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 7


def test_state_is_on_the_disk_before_the_answer(folder, witness, monkeypatch):
    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr("app.transparency.witness.node.replace_file", fail)
    with pytest.raises(OSError, match="full"):
        witness.add_checkpoint(request(entries(5)))
    assert folder.last_checkpoint(LOG.name) is None


def test_several_keys_of_one_log(folder):
    witness = Witness(folder, [LOG, signer_of(9).verifier], lambda: NOW)
    assert witness.add_checkpoint(request(entries(2), signer=signer_of(9))).status == 200
    assert witness.add_checkpoint(request([*entries(2), b"x"], 2)).status == 200


def test_over_http(witness):
    with TestClient(witness_app(witness)) as http:
        good = http.post("/add-checkpoint", content=request(entries(5)))
        assert (good.status_code, good.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        conflict = http.post("/add-checkpoint", content=request(entries(7)))
        assert (conflict.status_code, conflict.text) == (409, "5\n")
        assert conflict.headers["content-type"] == "text/x.tlog.size"
        assert http.post("/add-checkpoint", content=b"x" * (MAX_BODY_BYTES + 1)).status_code == 400
        assert http.get("/add-checkpoint").status_code == 405
        assert http.get("/").status_code == 404
