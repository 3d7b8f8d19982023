"""Witnesses that are not ours: one of another author as a process, and one written with Node's OpenSSL alone.

The log of a running service is cosigned by each, our reader counts them, and each refuses the second of two histories.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2 as httpx
import pytest

from app.transparency.cosignature import parse_cosignature_vkey
from app.transparency.signed_note import parse_signature_lines, parse_vkey
from app.transparency.witness_policy import evaluate_note, parse_policy
from tests.factories import running_app
from tests.helpers import execute
from tests.interop.helpers import FOLDER, NODE
from tests.live import free_port
from tests.transparency.helpers import signer_of
from tests.transparency.witnesses import checkpoint, ed25519, entries, ml_dsa, request

pytestmark = pytest.mark.short

NOTE = checkpoint(entries(5))
TEXT = NOTE.partition("\n\n")[0] + "\n"
TIME = 1_764_309_600
VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "cosignatures.json").read_text())


def node_witness(**asked):
    run = subprocess.run(
        [NODE, FOLDER / "witness.mjs"], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


def test_what_we_cosign_verifies_elsewhere():
    cosigners = [ed25519("ours.example/w"), ml_dsa("ours.example/w")]
    note = NOTE + "".join(each.cosign(TEXT, TIME).text for each in cosigners)
    asked = [{"vkey": each.verifier.vkey, "note": note} for each in cosigners]
    changed = [each | {"note": note.replace("\n5\n", "\n6\n")} for each in asked]
    found = node_witness(verify=asked + changed)["verify"]
    assert found == [{"time": TIME}] * 2 + [{"refused": "signature"}] * 2


def test_what_is_cosigned_elsewhere_verifies_here():
    asked = [{"name": "theirs.example/w", "kind": kind, "note": NOTE, "time": TIME} for kind in (4, 6)]
    for found in node_witness(sign=asked)["sign"]:
        (line,) = parse_signature_lines(found["line"])
        assert parse_cosignature_vkey(found["vkey"]).verify(TEXT, line) == TIME


@pytest.mark.parametrize("vector", VECTORS, ids=[each["by"] for each in VECTORS])
def test_recorded_cosignatures_of_others(vector):
    """Checkpoints as they were cosigned by programs of others, on whichever Python this runs."""
    policy = parse_policy(f"witness other {vector['vkey']}\nquorum other\n".encode())
    report = evaluate_note(policy, vector["note"], datetime.fromtimestamp(vector["time"], UTC))
    assert report.quorum_at.timestamp() == vector["time"]
    broken = vector["note"].replace("\n5\n", "\n6\n")
    assert not evaluate_note(policy, broken, datetime.fromtimestamp(vector["time"], UTC)).has_quorum


def post(address, body):
    return httpx.post(f"{address}/add-checkpoint", content=body, trust_env=False)


def foreign_witness():
    """The command of another author's witness, or the one that FOREIGN_WITNESS names."""
    if named := os.environ.get("FOREIGN_WITNESS"):
        return [named]
    return [sys.executable, "-m", "aics_witness"]


@contextmanager
def foreign_witness_of(log, folder):
    """That witness, following this log, on a port of its own: its key and its address."""
    command, port = foreign_witness(), free_port()
    config = ["--config", folder / "witness.json"]
    init = [*command, "init", *config, "--name", "foreign.example/w1", "--listen", f"127.0.0.1:{port}"]
    vkey = subprocess.run(init, capture_output=True, text=True, check=True).stdout.strip()
    add = [*command, "add-log", *config, "--origin", log.name, "--vkey", log.vkey]
    subprocess.run(add, capture_output=True, check=True)
    server = subprocess.Popen([*command, "serve", *config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                httpx.get(address, trust_env=False)
                break
            except httpx.HTTPError:
                assert server.poll() is None
                time.sleep(0.05)
        yield vkey, address
    finally:
        server.terminate()
        server.wait()


@pytest.mark.python312
def test_the_log_is_cosigned_by_a_witness_of_another_author(sqlite_template, tmp_path):
    shutil.copy(sqlite_template, tmp_path / "mik.sqlite3")
    with running_app(f"sqlite:///{tmp_path / 'mik.sqlite3'}", tmp_path) as app:
        log = parse_vkey(app.anonymous.get("/log/vkey").text.strip())
        made_at = app.clock.now
        with foreign_witness_of(log, tmp_path) as (vkey, address):
            client = app.container.witnesses.client
            client.policy = parse_policy(f"log {log.vkey}\nwitness foreign {vkey} {address}\nquorum foreign\n".encode())
            client._refusals = tmp_path / "refusals"
            for _ in range(3):  # at first sight, with a proof, and with a size that is learned from its 409
                app.clock.now = datetime.now(UTC)
                (outcome,) = client.run_round()
                assert outcome.error is None
                answer = app.anonymous.get("/log/checkpoint")
                assert answer.headers["mik-witnesses"].startswith("seen by 1 of 1 witnesses at ")
                assert evaluate_note(client.policy, answer.text, app.clock.now).has_quorum
                app.clock.now = made_at
                app.certify(app.set_up_company())
                execute(app, "DELETE FROM log_cosignatures WHERE size > 40")
            assert not (tmp_path / "refusals").exists()


@pytest.mark.python312
def test_a_foreign_witness_refuses_the_second_history(tmp_path):
    log = signer_of().verifier
    with foreign_witness_of(log, tmp_path) as (vkey, address):
        first = post(address, request(entries(5)))
        assert first.status_code == 200
        (line,) = parse_signature_lines(first.text)
        assert parse_cosignature_vkey(vkey).verify(TEXT, line) > TIME
        longer = [*entries(5), b"x"]
        assert post(address, request(longer, 5)).status_code == 200
        other = [*entries(6, b"other"), b"y"]
        assert post(address, request(other, 6)).status_code == 422
        same_length = post(address, request(entries(6, b"z"), 6))
        assert same_length.status_code in {409, 422}  # the specification asks for 409
