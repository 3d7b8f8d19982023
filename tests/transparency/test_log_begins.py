"""How a log begins: the key at first run, a register that is older than the log, and what refuses to start."""

import re

import pytest
from cryptography.hazmat.primitives import serialization
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.bootstrap import prepare
from app.cli import app as mik
from app.core.crypto.pem_files import UnsafeKeyFile, load_or_create_key
from app.core.errors import UnsafeToStart
from app.main import create_asgi_app
from app.signing import log_signer
from app.transparency import log_repository
from app.transparency.appender import LogKeyMissing
from tests.factories import running_app
from tests.helpers import execute
from tests.transparency.helpers import attack, derived, entries_of, head_of


def test_a_start_begins_the_log_and_another_one_adds_nothing(app):
    events = [entry["event"] for entry in entries_of(app.database)]
    assert events == ["key.activated", "ruleset.published", "ruleset.published", "ruleset.published", "audit.head"]
    before = head_of(app.database).checkpoint
    prepare(app.settings, app.clock())
    assert head_of(app.database).checkpoint == before
    assert app.settings.log_key.stat().st_mode & 0o777 == 0o600


def test_a_register_that_is_older_than_the_log_is_entered_at_the_next_start(app, monkeypatch):
    company = app.set_up_company()
    good, bad = app.certify(company), app.certify(app.set_up_company())
    app.owner.act(f"/v1/certificates/{bad}/suspend", {"cause": "hearing"})
    gone = "UPDATE log_head SET size = 0, vkey = NULL, checkpoint = NULL"
    attack(
        app.database, "DELETE FROM certificate_snapshots", "DELETE FROM log_entries", gone
    )  # as an older version left it
    app.settings.verified_checkpoint.unlink()
    assert app.anonymous.get(f"/v1/verify/{good}").status_code == 503  # this process knows what was taken away
    app.clock.advance(hours=1)
    prepare(app.settings, app.clock())
    told = [(entry["event"], entry.get("certificate")) for entry in entries_of(app.database)]
    roles = [each for each in told if each == ("role.granted", None)]
    assert len(roles) == 4  # of the people whose acts these are
    assert [each for each in told if each not in roles][4:] == [
        ("certificate.issued", good),
        ("certificate.issued", bad),
        ("certificate.suspended", bad),
        ("audit.head", None),
    ]
    assert {entry["at"] for entry in entries_of(app.database)} == {"2026-11-22T18:00:00.000000Z"}  # not of the past
    with TestClient(create_asgi_app(app.settings, app.clock)) as started:
        answers = [started.get(f"/v1/verify/{number}").json()["verdict"] for number in (good, bad)]
    assert answers == ["valid", "suspended"]
    assert derived(app.database).finding is None
    monkeypatch.setenv("MIK_DATABASE_URL", app.settings.database_url)
    monkeypatch.setenv("MIK_DATA_DIR", str(app.settings.data_dir))
    done = CliRunner().invoke(mik, ["doctor", "--only", "log"])
    assert done.exit_code == 0, done.output


def test_a_row_whose_token_is_not_ours_is_not_entered(app, caplog):
    good, forged = app.certify(), app.certify(app.set_up_company())
    execute(app, "UPDATE certificates SET token = token || 'A' WHERE number = :number", number=forged)
    attack(
        app.database,
        "DELETE FROM certificate_snapshots",
        "DELETE FROM log_entries",
        "UPDATE log_head SET size = 0, vkey = NULL, checkpoint = NULL",
    )
    app.settings.verified_checkpoint.unlink()
    prepare(app.settings, app.clock())
    assert [entry["certificate"] for entry in entries_of(app.database) if "certificate" in entry] == [good]
    assert f"{forged} is not logged" in caplog.text
    with TestClient(create_asgi_app(app.settings, app.clock)) as started:
        assert started.get(f"/v1/verify/{forged}").json()["verdict"] in {"unknown", "forged"}


def test_a_lost_or_exchanged_log_key_refuses_to_start(database_url, tmp_path):
    with running_app(database_url, tmp_path) as app:
        settings, now = app.settings, app.clock()
    kept = settings.log_key.read_bytes()
    settings.log_key.unlink()
    with pytest.raises(UnsafeToStart, match=r"log\.pem is not there\. Put it back from your backup"):
        prepare(settings, now)
    assert not settings.log_key.exists()
    log_signer.load_or_create_log_key(settings.log_key)
    with pytest.raises(UnsafeToStart, match=r"was started with .* Put the right key file back"):
        prepare(settings, now)
    settings.log_key.write_bytes(kept)
    prepare(settings, now)


def test_workers_at_once_get_one_key(tmp_path):
    path = tmp_path / "keys" / "log.pem"
    first, second = log_signer.load_or_create_log_key(path), log_signer.load_or_create_log_key(path)
    assert first.public_key() == second.public_key()


@pytest.mark.parametrize("content", [b"", b"x", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_key_file_is_refused(tmp_path, content):
    path = tmp_path / "log.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UnsafeKeyFile, match=re.escape(str(path))):
        log_signer.load_log_key(path)


def test_a_key_of_another_kind_or_for_others_is_refused(tmp_path):
    load_or_create_key(tmp_path / "p256.pem")
    with pytest.raises(UnsafeKeyFile, match="Ed25519"):
        log_signer.load_log_key(tmp_path / "p256.pem")
    path = tmp_path / "log.pem"
    key = log_signer.load_or_create_log_key(path)
    path.chmod(0o640)
    with pytest.raises(UnsafeKeyFile, match="chmod 600"):
        log_signer.load_log_key(path)
    assert key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())


def test_a_session_without_key_or_issuer_says_so(database, tmp_path):
    with database.session() as session:
        with pytest.raises(LogKeyMissing, match="no key of the public log"):
            log_signer.LogKeyFile(tmp_path / "none.pem")(session)
        log_signer.load_or_create_log_key(tmp_path / "log.pem")
        with pytest.raises(LogKeyMissing, match="issuer is not set yet"):
            log_signer.LogKeyFile(tmp_path / "log.pem")(session)
        assert log_repository.get_head(session).vkey is None
