"""`mik witness serve` as a process that is killed, and what `mik verify` and `mik doctor` say of witnesses."""

import subprocess
import time
from contextlib import contextmanager

import httpx2 as httpx
import pytest
from typer.testing import CliRunner

from app.cli import app as mik
from app.transparency.signed_note import parse_signature_lines, parse_vkey
from app.transparency.witness_policy import parse_policy
from tests.live import MIK, clean_environment, free_port
from tests.transparency.helpers import signer_of
from tests.transparency.witnesses import Witnesses, entries, request

LOG = signer_of().verifier
NAME = "witness.customs.example/w1"


@contextmanager
def witness_process(folder, *options):
    """A witness on a port of its own: its address, its keys as it printed them, and the process."""
    port = free_port()
    command = [*MIK, "witness", "serve", "--folder", folder, "--port", str(port), "--log-vkey", LOG.vkey, *options]
    server = subprocess.Popen(
        command, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    address = f"http://127.0.0.1:{port}"
    try:
        vkeys = [server.stdout.readline().strip() for _ in range(2)]
        for _ in range(400):
            try:
                httpx.get(address, trust_env=False)
                break
            except httpx.TransportError:
                assert server.poll() is None
                time.sleep(0.05)
        yield f"{address}/add-checkpoint", vkeys, server
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def post(address, body):
    return httpx.post(address, content=body, trust_env=False)


def test_one_command_and_one_folder_survive_a_kill(tmp_path):
    folder = tmp_path / "witness"
    with witness_process(folder, "--name", NAME) as (address, vkeys, server):
        answer = post(address, request(entries(5)))
        assert answer.status_code == 200
        assert [f"{line.name}+{line.key_id.hex()}" for line in parse_signature_lines(answer.text)] == [
            "+".join(vkey.split("+")[:2]) for vkey in vkeys
        ]
        busy = CliRunner().invoke(mik, ["witness", "serve", "--folder", str(folder), "--log-vkey", LOG.vkey])
        assert busy.exit_code == 2
        server.kill()
    with witness_process(folder) as (address, again, _):
        assert again == vkeys
        forgotten = post(address, request(entries(4)))
        assert (forgotten.status_code, forgotten.text) == (409, "5\n")
        assert post(address, request(entries(5, b"other"), 5)).status_code == 409
        assert post(address, request([*entries(5), b"x"], 5)).status_code == 200
    assert len(list((folder / "evidence").iterdir())) == 1
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--log-vkey", "nonsense", "--name", NAME], "not a verifier key"),
        (["--log-vkey", LOG.vkey], "Name the witness at its first run"),
        (["--log-vkey", LOG.vkey, "--name", "two words"], "Name the witness at its first run"),
        ([], "--log-vkey"),
    ],
)
def test_what_cannot_be_served_is_said(tmp_path, options, message):
    answer = CliRunner().invoke(
        mik, ["witness", "serve", "--folder", str(tmp_path / "w"), *options], env={"COLUMNS": "300"}
    )
    assert answer.exit_code == 2
    assert message in answer.output


@pytest.fixture
def verify(app, tmp_path, monkeypatch):
    monkeypatch.setenv("MIK_DATABASE_URL", app.settings.database_url)
    monkeypatch.setenv("MIK_DATA_DIR", str(app.settings.data_dir))
    monkeypatch.setenv("COLUMNS", "300")
    return lambda *arguments: CliRunner().invoke(mik, arguments)


def test_verify_says_who_has_seen_the_issue(app, verify, tmp_path, monkeypatch):
    number = app.certify()
    assert "public log:" not in verify("verify", number).stdout
    log = parse_vkey(app.anonymous.get("/log/vkey").text.strip())
    witnesses = Witnesses(tmp_path / "witnesses", app.clock, log)
    policy = tmp_path / "policy"
    policy.write_text(witnesses.policy(log))
    monkeypatch.setenv("MIK_WITNESS_POLICY", str(policy))
    assert "public log: not yet witnessed, age " in verify("verify", number).stdout
    client = app.container.witnesses.client
    client.policy, client._transport = parse_policy(policy.read_bytes()), witnesses.transport
    witnesses.down = {"university"}
    client.run_round()
    assert "public log: seen by 2 of 3 witnesses at " in verify("verify", number).stdout
    policy.write_text("quorum nobody\n")
    refused = verify("verify", number)
    assert refused.exit_code == 2
    assert "Line 1: It names a witness or group" in refused.output


def test_the_doctor_names_what_is_wrong_with_a_policy(app, verify, tmp_path, monkeypatch):
    policy = tmp_path / "policy"
    monkeypatch.setenv("MIK_WITNESS_POLICY", str(policy))
    assert "cannot be read" in verify("doctor", "--only", "config").stdout
    policy.write_text("quorum nobody\n")
    assert "Line 1: It names a witness or group" in verify("doctor", "--only", "config").stdout
    policy.write_text(f"log {LOG.vkey}\nquorum none\n")
    assert "names other logs" in verify("doctor", "--only", "config").stdout
    policy.write_text("quorum none\n")
    assert "WITNESS" not in verify("doctor", "--only", "config").stdout
