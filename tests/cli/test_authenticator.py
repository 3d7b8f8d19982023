"""Confirm decisions with a key in a file: `mik authenticator` and `mik admin users authenticator`."""

import json

import pytest
from typer.testing import CliRunner

from app.auth import users
from app.auth.credentials.relying_party import RelyingParty, challenge_of, decode_assertion
from app.auth.credentials.software_authenticator import SoftwareAuthenticator
from app.bootstrap import prepare
from app.cli import app as cli
from app.cli.common import write_session
from app.core.actor import SYSTEM, Role
from app.core.canonical_json import digest
from app.core.dates import utc_now
from app.core.settings import Settings

URL = "https://verify.example.az"
PARTY = RelyingParty.of(URL)
DOCUMENT = {"v": 1, "act": "suspend", "certificate": "MIK-1", "version": 3, "cause": "hearing", "note": None}


def run(*words, code=0, **env):
    done = CliRunner().invoke(cli, [str(word) for word in words], env={"MIK_BASE_URL": URL, "COLUMNS": "300"} | env)
    assert done.exit_code == code, done.output
    return done


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "mine.pem"
    run("authenticator", "create", "--file", path)
    return path


def test_a_key_is_made_once_and_signs_what_the_service_asks_for(key, tmp_path):
    assert key.stat().st_mode & 0o777 == 0o600
    run("authenticator", "create", "--file", key, code=2)
    authenticator = SoftwareAuthenticator.load(key)
    registration = json.loads(run("authenticator", "register", "--file", key, "--account", "Me@Staff.example").stdout)
    document = {"v": 1, "act": "register", "account": "me@staff.example"}
    assert PARTY.verify_registration(registration, challenge_of(document)).public_key == authenticator.public_key
    asked = {"code": "confirmation-required", "document": DOCUMENT, "sha256": digest(DOCUMENT)}
    for content in (DOCUMENT, asked):
        file = tmp_path / "document.json"
        file.write_text(json.dumps(content))
        done = run("authenticator", "sign", "--file", key, "--document", file)
        assertion = decode_assertion(done.stdout.strip())
        PARTY.verify_assertion(assertion, challenge_of(DOCUMENT), public_key=authenticator.public_key, sign_count=0)
        assert "certificate: MIK-1" in done.stderr and digest(DOCUMENT) in done.stderr


@pytest.mark.parametrize(
    "content",
    ["", "[]", json.dumps({"code": "confirmation-required", "document": DOCUMENT, "sha256": "0" * 64})],
)
def test_nothing_but_a_whole_document_is_signed(key, tmp_path, content):
    file = tmp_path / "document.json"
    file.write_text(content)
    assert run("authenticator", "sign", "--file", key, "--document", file, code=2).stdout == ""


def test_missing_files_and_addresses_are_named(key, tmp_path):
    lost = tmp_path / "lost.pem"
    said = run("authenticator", "register", "--file", lost, "--account", "a@b.example", code=2)
    assert "mik authenticator create" in said.stderr
    run("authenticator", "sign", "--file", key, "--document", tmp_path / "lost.json", code=2)
    run("authenticator", "register", "--file", key, "--account", "a@b.example", "--url", "nothing", code=2)


def test_first_owners_are_registered_on_the_machine(key, tmp_path):
    env = {"MIK_DATA_DIR": str(tmp_path / "data")}
    settings = Settings(data_dir=tmp_path / "data", base_url=URL)
    prepare(settings, utc_now())
    with write_session(settings) as session:
        owner = users.create_staff(
            session, SYSTEM, email="me@staff.example", full_name="Me", password_hash="x", roles=[Role.OWNER],
            now=utc_now(),
        )  # fmt: skip
    file = tmp_path / "registration.json"
    file.write_text(run("authenticator", "register", "--file", key, "--account", "me@staff.example").stdout)
    words = ("admin", "users", "authenticator", "me@staff.example", "--registration", file)
    assert "the public log names it" in run(*words, **env).stdout
    with write_session(settings) as session:
        log = session.info["log.guard"]
        log.refresh(force=True)
        assert list(log.credentials().values()) == [str(owner.id)]
    assert "registered already" in run(*words, code=2, **env).stderr
    run("admin", "users", "authenticator", "other@staff.example", "--registration", file, code=2, **env)
    file.write_text("{}")
    assert "does not fit" in run(*words, code=2, **env).stderr
    file.write_text("[")
    run(*words, code=2, **env)
