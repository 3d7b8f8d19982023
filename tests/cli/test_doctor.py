"""`mik doctor`: one report of all parts, each by itself, and the exit code that the worst of them asks for."""

import json

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from app.cli import app as mik
from tests.cli.factories import Installation
from tests.factories import running_app

PARTS = ["config", "log", "audit", "status-lists", "decisions", "rights", "jobs"]
DISARM = {"sqlite": "DROP TRIGGER audit_events_no_update", "postgresql": "ALTER TABLE audit_events DISABLE TRIGGER ALL"}


@pytest.fixture
def register(database_url, tmp_path):
    """A register with one certificate, in the demo profile."""
    with running_app(database_url, tmp_path) as app:
        app.certify()
        yield app


@pytest.fixture
def doctor(register, monkeypatch):
    monkeypatch.setenv("MIK_DATABASE_URL", register.settings.database_url)
    monkeypatch.setenv("MIK_DATA_DIR", str(register.settings.data_dir))
    return lambda *words: CliRunner().invoke(mik, ["doctor", *map(str, words)])


def states(result):
    return {part: each["result"] for part, each in json.loads(result.stdout).items()}


def test_all_parts_in_one_report(doctor):
    done = doctor()
    assert done.exit_code == 0, done.output
    headings = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert headings == [f"{part}: passed" for part in PARTS]
    told = doctor("--json")
    assert (told.exit_code, states(told)) == (0, dict.fromkeys(PARTS, "passed"))
    found = json.loads(told.stdout)
    assert found["config"]["profile"] == "demo"
    assert found["log"]["events"] == found["audit"]["events"] > 0
    assert found["log"]["certificates"] == 1


def test_parts_are_chosen_and_keep_their_order(doctor):
    assert list(states(doctor("--only", "audit", "--only", "log", "--json"))) == ["log", "audit"]
    assert doctor("--only", "everything").exit_code == 2


def test_one_event_rewritten_is_wrong_for_log_and_audit(doctor, register):
    with register.database.write_engine.begin() as connection:
        connection.execute(sa.text(DISARM[connection.dialect.name]))
        connection.execute(sa.text("UPDATE audit_events SET event = 'application.approved' WHERE seq = 4"))
    done = doctor("--json")
    assert done.exit_code == 1
    wrong = ("log", "audit", "decisions", "rights")  # the last two rest on the audit trail
    assert states(done) == dict.fromkeys(PARTS, "passed") | dict.fromkeys(wrong, "wrong")
    found = json.loads(done.stdout)
    assert found["log"]["wrong"][0]["row"] == "audit event 4"
    assert found["audit"]["broken"]["seq"] == 4


def test_one_part_that_cannot_be_checked_does_not_keep_the_others(doctor, tmp_path):
    done = doctor("--against", tmp_path / "none", "--json")
    assert done.exit_code == 2
    assert states(done) == dict.fromkeys(PARTS, "passed") | dict.fromkeys(("log", "decisions", "rights"), "not-checked")
    assert "cannot be read" in json.loads(done.stdout)["log"]["error"]


def test_wrong_counts_more_than_not_checked(doctor, register, tmp_path):
    with register.database.write_engine.begin() as connection:
        connection.execute(sa.text(DISARM[connection.dialect.name]))
        connection.execute(sa.text("UPDATE audit_events SET event = 'application.approved' WHERE seq = 4"))
    done = doctor("--against", tmp_path / "none", "--json")
    assert (done.exit_code, states(done)["log"], states(done)["audit"]) == (1, "not-checked", "wrong")


def test_a_checkpoint_needs_the_log(doctor, tmp_path):
    refused = doctor("--only", "audit", "--against", tmp_path / "none")
    assert (refused.exit_code, "--only log" in refused.stderr) == (2, True)


def test_without_a_database_every_part_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("MIK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("MIK_DATABASE_URL", f"sqlite:///{tmp_path / 'none.sqlite3'}")
    done = CliRunner().invoke(mik, ["doctor", "--json"])
    assert done.exit_code == 2
    assert states(done) == {"config": "passed", **dict.fromkeys(PARTS[1:], "not-checked")}
    assert "mik admin migrate" in json.loads(done.stdout)["audit"]["error"]


def test_settings_that_are_refused_are_named_once(monkeypatch, tmp_path):
    monkeypatch.setenv("MIK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("MIK_BASE_URL", "ftp://example.org")
    done = CliRunner().invoke(mik, ["doctor", "--json"])
    assert (done.exit_code, states(done)) == (2, dict.fromkeys(PARTS, "not-checked"))
    found = json.loads(done.stdout)
    assert "MIK_BASE_URL" in found["config"]["error"]
    assert {found[part]["error"] for part in PARTS[1:]} == {"The settings are refused: see config."}
    alone = CliRunner().invoke(mik, ["doctor", "--only", "audit"])
    assert (alone.exit_code, "MIK_BASE_URL" in alone.stdout) == (2, True)


def test_configuration_errors_end_with_2(database_url, monkeypatch, tmp_path):
    installation = Installation(database_url, tmp_path)
    for name, value in (installation.environment | {"MIK_LOG_LEVEL": "debug"}).items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(mik, ["doctor", "--only", "config", "--json"])
    assert (done.exit_code, states(done)) == (2, {"config": "refused"})
    assert any("MIK_LOG_LEVEL" in line for line in json.loads(done.stdout)["config"]["errors"])
    said = CliRunner().invoke(mik, ["doctor", "--only", "config"])
    assert said.stdout.startswith("config: refused\n  Configuration errors:\n  - ")
