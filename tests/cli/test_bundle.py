"""`mik admin export-bundle` and `mik verify --offline`: what is carried along answers, and a damaged bundle says so."""

import json
import shutil
import socket

import pytest
from typer.testing import CliRunner

from app.cli import app as mik
from app.cli import verify
from app.cli.admin import export

pytestmark = pytest.mark.pg_sampled


@pytest.fixture
def run(shared_app, monkeypatch):
    """`mik …` beside the running app, by its clock."""
    monkeypatch.setenv("MIK_DATABASE_URL", shared_app.database.url)
    monkeypatch.setenv("MIK_DATA_DIR", str(shared_app.settings.data_dir))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(export, "utc_now", shared_app.clock)
    monkeypatch.setattr(verify, "utc_now", shared_app.clock)

    def command(*words):
        return CliRunner().invoke(mik, [str(word) for word in words])

    return command


@pytest.fixture(scope="module")
def numbers(shared_app):
    company = shared_app.set_up_company()
    case_id = company.apply(*(company.add_product() for _ in range(4)))
    shared_app.review(case_id)
    return shared_app.approve(case_id)["certificates"]


@pytest.fixture
def offline(run, monkeypatch):
    """Check a token by a bundle: without database, and without network."""

    def command(folder, token):
        with monkeypatch.context() as here:
            here.setenv("MIK_DATABASE_URL", "sqlite:////nowhere/mik.sqlite3")
            here.setattr(socket.socket, "connect", None)
            return run("verify", "--offline", "--bundle", folder, token)

    return command


def test_a_bundle_answers_and_says_how_old_it_is(shared_app, run, offline, numbers, tmp_path):
    good, suspended, revoked, _ = numbers
    shared_app.owner.act(f"/v1/certificates/{suspended}/suspend", {"cause": "hearing"})
    folder = tmp_path / "bundle"
    made = run("admin", "export-bundle", folder)
    assert made.exit_code == 0, made.output
    assert {path.name for path in folder.iterdir()} == {
        "bundle.json", "jwks.json", "did.json", "log", "proofs", "status-lists",
    }  # fmt: skip
    shared_app.revoke(revoked, "court-order")
    as_of = shared_app.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    shared_app.clock.advance(hours=5)

    result = offline(folder, shared_app.token(good))
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0] == f"valid as of {as_of}, list 5 h old"
    assert "Welded steel tube (HS 730630)" in result.stdout
    result = offline(folder, shared_app.token(suspended))
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, f"suspended as of {as_of}, list 5 h old")
    # It was revoked after the bundle was made: the answer is true of the moment that it names.
    assert offline(folder, shared_app.token(revoked)).stdout.startswith(f"valid as of {as_of}, list 5 h old")
    assert run("admin", "export-bundle", folder).exit_code == 0
    assert offline(folder, shared_app.token(revoked)).stdout.startswith("revoked as of ")

    result = offline(folder, shared_app.token(good)[:-8] + "AAAAAAAA")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, "forged, by keys bundled 0 min ago")
    shared_app.clock.advance(days=5)
    result = offline(folder, shared_app.token(good))
    assert result.exit_code == 2
    assert "undetermined, by keys bundled 5 d ago" in result.stdout
    assert "Fetch a new bundle." in result.stdout


def test_a_certificate_that_is_newer_than_the_bundle(shared_app, run, offline, numbers, tmp_path):
    folder = tmp_path / "bundle"
    run("admin", "export-bundle", folder)
    result = offline(folder, shared_app.token(shared_app.certify()))
    assert result.exit_code == 2
    assert "it may be newer than the bundle" in result.stdout


def test_damage_is_named(shared_app, run, offline, numbers, tmp_path):
    token = shared_app.token(numbers[0])
    whole, folder = tmp_path / "bundle", tmp_path / "damaged"
    assert run("admin", "export-bundle", whole).exit_code == 0

    def damaged(path, content):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        if content is None:
            (folder / path).unlink()
        else:
            (folder / path).write_bytes(content)
        result = offline(folder, token)
        assert result.exit_code == 2, result.output
        return result.stderr

    for path in (
        "jwks.json",
        "did.json",
        "log/vkey",
        f"proofs/{numbers[0]}.tlog-proof",
        "status-lists/revocation-1.jwt",
    ):
        for content in (None, b"", b"\xff"):
            assert f"is damaged at {path}" in damaged(path, content)
    for content, words in (
        (None, "is not a bundle"),
        (b"{", "it is not JSON"),
        (b"[]", "is not a bundle that this version reads"),
        (b'{"v": 2}', "is not a bundle that this version reads"),
        (b'{"v": 1}', "it lacks issuer or files"),
    ):
        assert words in damaged("bundle.json", content)


@pytest.mark.parametrize("made_at", [None, "soon", "2026-11-22T17:00:00", 5])
def test_a_bundle_without_a_time(shared_app, run, offline, numbers, tmp_path, made_at):
    folder = tmp_path / "bundle"
    run("admin", "export-bundle", folder)
    index = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(index | {"made_at": made_at}))
    result = offline(folder, shared_app.token(numbers[0]))
    assert (result.exit_code, "damaged at bundle.json" in result.stderr) == (2, True)


def test_nothing_else_is_overwritten(run, numbers, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").write_text("dear diary")
    result = run("admin", "export-bundle", tmp_path / "notes")
    assert (result.exit_code, "other files than a bundle" in result.stderr) == (2, True)
    assert (tmp_path / "notes" / "diary.txt").read_text() == "dear diary"
    (tmp_path / "link").symlink_to(tmp_path / "notes")
    assert run("admin", "export-bundle", tmp_path / "link").exit_code == 2
    assert run("admin", "export-bundle", tmp_path / "notes" / "diary.txt" / "x").exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_what_belongs_together(run, tmp_path):
    for words in (["--offline"], ["--bundle", tmp_path], ["--offline", "--bundle", tmp_path, "--jwks", tmp_path]):
        result = run("verify", "a.b.c", *words)
        assert (result.exit_code, "--offline and --bundle DIR together" in result.stderr) == (2, True)
    result = run("verify", "MIK-2026-000042-Y", "--offline", "--bundle", tmp_path)
    assert (result.exit_code, "Offline, give the signed token." in result.stderr) == (2, True)
    assert run("verify", "a.b.c", "--offline", "--bundle", tmp_path).exit_code == 2
