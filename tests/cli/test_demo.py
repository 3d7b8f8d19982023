"""`mik demo` as a command: the real service, killed on the way, run again; and what it says when it cannot play."""

import json
import os
import re
import signal
import sqlite3
import stat

import httpx2 as httpx
import pytest
from typer.testing import CliRunner

from app.cli import app as mik
from app.cli import demo as command
from app.demo.api_client import NoService, wait_until_ready
from tests.cli.helpers import OF_SESSIONS, transcript
from tests.live import clean_environment, free_port, serving

pytestmark = pytest.mark.no_coverage
ADDRESS = "http://localhost:8000"


def rows(live):
    with sqlite3.connect(live.data_dir / "mik.sqlite3") as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in tables
            if name not in OF_SESSIONS
        }


def any_year(text):
    return re.sub(r"-20\d\d-", "-YEAR-", text)


def kill_once_it_says(process, words):
    """SIGKILL, as a power cut would: nothing can be tidied up."""
    for line in process.stderr:
        if words in line:
            break
    else:
        raise AssertionError(f"It ended without saying “{words}”.")
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.long
def test_killed_completed_and_played_again(tmp_path):
    with serving(tmp_path) as live:
        kill_once_it_says(live.start("demo"), "Sample Roofing declares")

        completed = live.mik("demo", "--json")
        assert completed.returncode == 0, completed.stderr
        played, there = json.loads(completed.stdout), rows(live)

        again = live.mik("demo")
        assert again.returncode == 0, again.stderr
        assert rows(live) == there

        outcomes = [each["outcome"] for each in played["applications"]]
        assert sorted(outcomes) == ["approved"] * 8 + ["information_requested", "rejected", "submitted"]
        assert sorted(each["verdict"] for each in played["certificates"]) == ["revoked", "suspended"] + ["valid"] * 9
        assert there["certificates"] == 11
        shown = any_year(again.stdout.replace(live.base_url, ADDRESS)).splitlines()
        told = [line for line in transcript() if line.strip(" …") and not line.startswith("· ")]
        assert [line for line in told if any_year(line) not in shown] == []
        for each in played["certificates"]:
            assert each["links"]["verify"] in again.stdout
            assert httpx.get(each["links"]["verify"], trust_env=False).json()["verdict"] == each["verdict"]
        reviewer = next(each for each in played["accounts"] if each["who"] == "reviewer")
        form = {"grant_type": "password", "username": reviewer["email"], "password": reviewer["password"]}
        assert httpx.post(f"{live.base_url}/v1/auth/token", data=form, trust_env=False).is_success
        assert stat.S_IMODE((live.data_dir / "demo-accounts.json").stat().st_mode) == 0o600


@pytest.fixture
def demo(monkeypatch, tmp_path):
    """Run the command in this process, on its own data folder and an address where nothing listens."""
    for name in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)
    monkeypatch.setenv("MIK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("MIK_BASE_URL", f"http://localhost:{free_port()}")
    return lambda: CliRunner().invoke(mik, ["demo"])


def test_production_is_no_stage(demo, monkeypatch):
    monkeypatch.setenv("MIK_PROFILE", "production")
    monkeypatch.setenv("MIK_BASE_URL", "https://verify.example.az")
    monkeypatch.setenv("MIK_ISSUER", "did:web:verify.example.az")
    monkeypatch.setenv("MIK_DATABASE_URL", "postgresql://localhost/mik")
    monkeypatch.setenv("MIK_SMTP_URL", "smtp://mail.example.az")
    monkeypatch.setenv("MIK_MAIL_FROM", "noreply@verify.example.az")
    result = demo()
    assert result.exit_code == 2
    assert "demo profile only" in result.output


def test_without_accounts_it_says_who_makes_them(demo, monkeypatch):
    monkeypatch.setattr(command, "wait_until_ready", lambda *_: None)
    result = demo()
    assert result.exit_code == 2
    assert "There are no staff accounts" in result.output and "MIK_DATA_DIR" in result.output


def test_a_service_that_goes_away_is_said_so(demo, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "wait_until_ready", lambda *_: None)
    monkeypatch.setattr(command, "_refuse_without_accounts", lambda _: None)
    result = demo()
    assert result.exit_code == 2
    assert "Run `mik demo` again" in " ".join(result.output.split())


def answering(*answers):
    """A client whose service gives these answers, the last one for ever; None stands for no answer at all."""
    left = list(answers)

    def answer(request):
        given = left.pop(0) if len(left) > 1 else left[0]
        if given is None:
            raise httpx.ConnectError("refused")
        return given

    return httpx.Client(base_url=ADDRESS, transport=httpx.MockTransport(answer))


def wait(http, timeout=0.0):
    wait_until_ready(http, ADDRESS, timeout=timeout, sleep=lambda _: None)


READY = httpx.Response(200, json={"status": "ok"})
MARKS = httpx.Response(200, json={"items": [{"code": "MIK", "current_ruleset": "2026.1"}]})


def test_a_service_that_is_starting_is_waited_for():
    wait(answering(None, httpx.Response(503), READY, MARKS), timeout=60)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([None], "Nothing answers at http://localhost:8000"),
        ([httpx.Response(503)], "not ready (HTTP 503) at http://localhost:8000"),
    ],
    ids=["nothing", "never ready"],
)
def test_patience_ends(answers, words):
    with pytest.raises(NoService) as refused:
        wait(answering(*answers))
    assert words in str(refused.value)
    assert "mik serve" in str(refused.value)


@pytest.mark.parametrize(
    "answers",
    [
        [httpx.Response(404)],
        [httpx.Response(200, text="<html>"), httpx.Response(200, text="<html>")],
        [READY, httpx.Response(200, json=[])],
        [READY, httpx.Response(200, json={"items": []})],
    ],
    ids=["not found", "a web page", "a list", "no marks"],
)
def test_another_program_at_the_address_is_not_waited_for(answers):
    with pytest.raises(NoService, match="not this service"):
        wait(answering(*answers), timeout=60)
