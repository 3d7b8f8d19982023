"""The production profile: what is unsafe is refused with what to do about it, in one table."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import uvicorn
from typer.testing import CliRunner

from app import startup_checks
from app.audit import recorder
from app.auth import demo_staff, users
from app.bootstrap import prepare
from app.cli import app as mik
from app.core.actor import SYSTEM, Role
from app.core.crypto.row_macs import ROW_MACS, RowMacs
from app.core.errors import UnsafeToStart
from app.core.settings import Settings
from app.main import create_app
from app.signing import log_signer
from tests.cli.factories import NOW, Installation, unmigrated

pytestmark = pytest.mark.pg_sampled


@pytest.fixture
def installation(database_url, tmp_path, monkeypatch):
    """Prepared once: with issuer, keys and rules, as after a first start."""
    installation = Installation(database_url, tmp_path)
    prepare(Settings(**installation.settings.model_dump()), NOW)
    for name in [name for name in os.environ if name.startswith("MIK_")]:
        monkeypatch.delenv(name)
    return installation


def settings(**changed):
    return lambda installation: installation.environment.update(
        {f"MIK_{name.upper()}": value for name, value in changed.items()}
    )


def mode(path, bits):
    return lambda installation: (installation.folder / path).chmod(bits)


def open_seal(installation):
    path = installation.folder / "keys" / "second-factors.key"
    path.write_text("00" * 32)
    path.chmod(0o640)


def demo_account(installation):
    with installation.session() as session:
        session.info[ROW_MACS] = RowMacs(bytes(32))
        users.create_staff(
            session, SYSTEM, email="owner@mik.example", full_name="Demo owner", password_hash="x", roles=[Role.OWNER],
            now=NOW,
        )  # fmt: skip


def demo_passwords(installation):
    (installation.folder / demo_staff.ACCOUNTS_FILE).write_text("{}")


def demo_keys(installation):
    for path in (installation.folder / "keys").iterdir():
        path.unlink()
    startup_checks.mark_demo_keys(installation.settings)


def other_register(installation):
    with installation.session() as session:
        session.execute(sa.text("UPDATE service_identity SET issuer = 'did:web:other.example.az'"))


def lost_log_key(installation):
    (installation.folder / "keys" / "log.pem").unlink()


def lost_row_key(installation):
    with installation.session() as session:
        session.info[ROW_MACS] = RowMacs(bytes(32))
        users.create_staff(
            session, SYSTEM, email="a@staff.az", full_name="A", password_hash="x", roles=[Role.OWNER], now=NOW
        )  # fmt: skip
    (installation.folder / "keys" / "rows.key").unlink()


def wrong_log_key(installation):
    lost_log_key(installation)
    log_signer.load_or_create_log_key(installation.folder / "keys" / "log.pem")


def lost_key(installation):
    (installation.folder / "keys" / "certificates.pem").unlink()


def wrong_key(installation):
    lost_key(installation)
    startup_checks.pem_files.load_or_create_key(installation.folder / "keys" / "certificates.pem")


def damaged_key(installation):
    (installation.folder / "keys" / "certificates.pem").write_text("nothing")


def evidence_is_no_folder(installation):
    """The tests may run as root, whom no mode stops."""
    (installation.folder / "evidence").write_text("in the way")


def the_future_was_here(installation):
    with installation.session() as session:
        recorder.record(session, SYSTEM, "test.event", ("test", "x"), datetime(2098, 1, 1, tzinfo=UTC))


BAD = [
    ("an http address", settings(base_url="http://verify.example.az"), "MIK_BASE_URL is not https.*set https"),
    ("localhost", settings(base_url="https://localhost"), "names localhost, which the world cannot reach"),
    ("a private address", settings(base_url="https://10.0.0.7:8443"), "names 10.0.0.7, which the world cannot reach"),
    ("an internal name", settings(base_url="https://mik.internal"), "names mik.internal.*set the public name"),
    ("no issuer", settings(issuer=""), "MIK_ISSUER is not set.*MIK_ISSUER=did:web:verify.example.az"),
    ("an issuer elsewhere", settings(issuer="did:web:other.az"), "does not fit MIK_BASE_URL.*set MIK_ISSUER="),
    ("another port", settings(base_url="https://verify.example.az:8443"), "set MIK_ISSUER=did:web:.*az%3A"),
    ("no database", settings(database_url=""), "MIK_DATABASE_URL is not set: name the database"),
    ("a relative database", settings(database_url="sqlite:///mik.sqlite3"), "set a whole path, with four slashes"),
    ("a database in memory", settings(database_url="sqlite:///:memory:"), "set a whole path, with four slashes"),
    ("no file of the database", settings(database_url="sqlite:////none/mik.db"), "make it with `mik admin migrate`"),
    ("a database that is away", settings(database_url="postgresql://x@127.0.0.1:1/x"), "cannot be used.*or start"),
    ("a relative folder", settings(data_dir="var"), "MIK_DATA_DIR=var depends on.*set a whole path"),
    ("a folder that is not there", settings(data_dir="/none/mik"), "/none/mik is not there: mount it, or make it"),
    ("debug", settings(log_level="debug"), "MIK_LOG_LEVEL=debug.*use info"),
    ("long access tokens", settings(access_token_minutes="60"), "MIK_ACCESS_TOKEN_MINUTES.*less than or equal to 15"),
    ("any proxy", settings(trusted_proxies="*"), r"“\*” is refused; name the address or network of your reverse proxy"),
    ("every address as proxy", settings(trusted_proxies="::1,0.0.0.0/0"), "“0.0.0.0/0” is refused"),
    ("half a pair for papers", settings(paper_key="/none/k.pem"), "and MIK_PAPER_CERTIFICATES go together: set both"),
    (
        "no key for papers",
        settings(paper_key="/none/k.pem", paper_certificates="/none/c.pem"),
        "no key for signing PDF files at",
    ),
    ("no address for time stamps", settings(timestamp_url="tsa"), "MIK_TIMESTAMP_URL must be an address"),
    ("no mail server", settings(smtp_url=""), "MIK_SMTP_URL is not set.*name the mail server"),
    ("no address of a mail server", settings(smtp_url="mail.example.az"), "MIK_SMTP_URL must name a mail server"),
    ("no sender", settings(mail_from=""), "MIK_MAIL_FROM is not set: name the sender"),
    ("a sender with a header", settings(mail_from="a@b.az\nBcc: c@d.az"), "MIK_MAIL_FROM must be one e-mail address"),
    ("two senders", settings(mail_from="a@b.az, c@d.az"), "MIK_MAIL_FROM must be one e-mail address"),
    ("no file of the mail password", settings(smtp_password_file="/none/p"), "/none/p with the password of the mail"),
    ("a relative file of it", settings(smtp_password_file="p"), "MIK_SMTP_PASSWORD_FILE=p depends on"),
    (
        "two mail passwords",
        settings(smtp_url="smtp://u:p@mail.example.az", smtp_password_file="/none/p"),
        "MIK_SMTP_URL holds a password, and MIK_SMTP_PASSWORD_FILE names another",
    ),
    ("an unknown profile", settings(profile="prod"), "MIK_PROFILE.*'demo' or 'production'"),
    ("a slip of the pen", settings(databse_url="x"), "MIK_DATABSE_URL is no setting.*MIK_DATABASE_URL; write that"),
    ("an open folder", mode("", 0o755), "has mode 0755.*run: chmod 700"),
    ("an open key folder", mode("keys", 0o770), "keys has mode 0770.*run: chmod 700"),
    ("an open key", mode("keys/certificates.pem", 0o640), "certificates.pem has mode 0640.*chmod 600"),
    ("an open seal", open_seal, "second-factors.key has mode 0640.*chmod 600"),
    ("a damaged key", damaged_key, "certificates.pem is refused"),
    ("a lost key", lost_key, "certificates.pem is not there: put it back from your backup"),
    ("another key", wrong_key, "certificates.pem is not the key that the register signs with.*put the right file"),
    ("an open log key", mode("keys/log.pem", 0o640), "log.pem has mode 0640.*chmod 600"),
    ("a lost log key", lost_log_key, "public log is signed with .*log.pem is not there. Put it back from your backup"),
    ("another log key", wrong_log_key, "public log was started with .*Put the right key file back"),
    ("an open key of rows", mode("keys/rows.key", 0o640), "rows.key has mode 0640.*chmod 600"),
    ("a lost key of rows", lost_row_key, "authenticated with a key that is not at .*rows.key: put it back from your"),
    ("keys of the demo", demo_keys, "were made by the demo profile: use another data folder"),
    ("passwords of the demo", demo_passwords, "demo-accounts.json holds the passwords.*use another data folder"),
    ("an account of the demo", demo_account, "holds demo accounts \\(owner@mik.example\\).*use another database"),
    ("an unmigrated database", unmigrated, "is not migrated.*run `mik admin migrate`"),
    ("another register", other_register, "belongs to the issuer did:web:other.example.az.*use the database of this"),
    ("no place for evidence", evidence_is_no_folder, "No file can be written in .*evidence.*chown"),
    ("a clock that fell behind", the_future_was_here, "newest event of the register is of 2098-01-01.*set the clock"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "text"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_refused_with_what_to_do(installation, monkeypatch, spoil, text):
    spoil(installation)
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(uvicorn, "run", lambda *_, **__: pytest.fail("it started"))
    before = sorted(installation.folder.rglob("*"))
    for command in (["doctor", "--only", "config"], ["serve"]):
        answer = CliRunner().invoke(mik, command, env={"COLUMNS": "500"})
        assert answer.exit_code == 2, answer.output
        assert re.search(text, answer.output), answer.output
        assert "Traceback" not in answer.output
    assert [path for path in sorted(installation.folder.rglob("*")) if path not in before] == []


@pytest.mark.parametrize("wide", [0o644, 0o660])
def test_an_open_database_file_is_refused(installation, wide):
    if not installation.is_sqlite:
        return  # a server guards its own files
    Path(installation.file).chmod(wide)
    (found,) = startup_checks.find_start_errors(installation.settings, NOW, environment={})
    assert (
        found == f"The database {installation.file} has mode {wide:04o}: "
        f"others may read or change it; run: chmod 600 {installation.file}"
    )


def test_more_workers_than_the_database_takes(installation):
    if installation.is_sqlite:
        assert startup_checks.find_start_errors(installation.settings, NOW, workers=64, environment={}) == []
        return
    (found,) = startup_checks.find_start_errors(installation.settings, NOW, workers=64, environment={})
    assert re.search(r"64 workers may open 2176 connections, the database takes \d+: start at most \d+ workers", found)


@pytest.mark.parametrize("now", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2222, 2, 2, tzinfo=UTC)])
def test_an_absurd_clock(installation, now):
    assert any(
        "The clock of this machine says" in found
        for found in startup_checks.find_start_errors(installation.settings, now)
    )


def test_a_clock_may_be_a_little_behind(installation):
    assert startup_checks.find_start_errors(installation.settings, NOW - timedelta(minutes=4), environment={}) == []
    assert len(startup_checks.find_start_errors(installation.settings, NOW - timedelta(minutes=6), environment={})) == 1


def test_all_is_named_at_once(installation):
    for spoil in (
        demo_account,
        demo_passwords,
        mode("", 0o755),
        settings(base_url="http://localhost", log_level="debug"),
    ):
        spoil(installation)
    found = startup_checks.find_start_errors(
        installation.settings, NOW, environment={"MIK_LOGLEVEL": "x", "MIK_SERVICE_HOST": "x"}
    )
    for text in (
        "not https",
        "localhost",
        "does not fit",
        "debug",
        "MIK_LOGLEVEL",
        "0755",
        "demo-accounts",
        "demo acc",
    ):
        assert any(text in each for each in found), text
    assert len(found) == 8
    with pytest.raises(ValueError, match="not https") as refused:
        Settings(**installation.settings.model_dump())
    assert "debug" in str(refused.value)


def test_a_worker_started_past_the_command_refuses_as_well(installation):
    demo_account(installation)
    with pytest.raises(UnsafeToStart, match="demo accounts"):
        create_app(Settings(**installation.settings.model_dump()), lambda: NOW)


def test_the_demo_says_what_production_would_refuse(installation, monkeypatch):
    for name, value in (installation.environment | {"MIK_PROFILE": "demo", "MIK_LOG_LEVEL": "debug"}).items():
        monkeypatch.setenv(name, value)
    answer = CliRunner().invoke(mik, ["doctor", "--only", "config"])
    assert (answer.exit_code, "MIK_LOG_LEVEL=debug" in answer.output) == (0, True)


def test_keys_that_were_there_before_the_demo_are_not_called_its_keys(installation):
    startup_checks.mark_demo_keys(installation.settings)
    assert startup_checks.find_start_errors(installation.settings, NOW, environment={}) == []
