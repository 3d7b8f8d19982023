"""`mik admin export-bundle` and `mik verify --offline`: what is carried along answers, and a damaged bundle says so."""

import json
import socket
import tarfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from app.cli import app as mik
from app.cli import verify
from app.cli.admin import export
from app.transparency.checkpoint import parse_checkpoint
from app.transparency.cosignature import Cosigner
from app.transparency.signed_note import NoteSigner, split_note
from app.verification import offline_bundle

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
def offline(run, monkeypatch, tmp_path):
    """Check a token by a bundle: without database, and without network."""

    def command(archive, token, *options):
        options = options or ("--pin", "--state", tmp_path / "state" / "logs.json")
        with monkeypatch.context() as here:
            here.setenv("MIK_DATABASE_URL", "sqlite:////nowhere/mik.sqlite3")
            here.setattr(socket.socket, "connect", None)
            return run("verify", "--offline", "--bundle", archive, token, *options)

    return command


def test_a_bundle_answers_and_says_how_old_it_is(shared_app, run, offline, numbers, tmp_path):
    good, suspended, revoked, _ = numbers
    shared_app.owner.act(f"/v1/certificates/{suspended}/suspend", {"cause": "hearing"})
    folder = tmp_path / "bundle.tar"
    made = run("admin", "export-bundle", folder)
    assert made.exit_code == 0, made.output
    with tarfile.open(folder) as archive:
        names = archive.getnames()
    assert names[:5] == ["bundle.json", "log/vkey", "log/checkpoint", "log/witnessed", "keys.json"]
    assert {name.split("/")[0] for name in names[5:]} == {"status-lists", "log"}
    shared_app.revoke(revoked, "court-order")
    as_of = shared_app.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    shared_app.clock.advance(hours=5)

    result = offline(folder, shared_app.token(good))
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0] == f"valid as of {as_of}, list 5 h old, log 5 h old"
    assert "Welded steel tube (HS 730630)" in result.stdout
    result = offline(folder, shared_app.token(suspended))
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        1,
        f"suspended as of {as_of}, list 5 h old, log 5 h old",
    )
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
    folder = tmp_path / "bundle.tar"
    run("admin", "export-bundle", folder)
    result = offline(folder, shared_app.token(shared_app.certify()))
    assert result.exit_code == 2
    assert "it may be newer than the bundle" in result.stdout


def rebuilt(whole, path, change):
    """The archive with its members changed: `change` maps a list of (name, content) to another."""
    with tarfile.open(whole) as archive:
        members = [(info.name, archive.extractfile(info).read()) for info in archive]
    offline_bundle.write_bundle(path, change(members))
    return path


def with_content(wanted, content):
    """Give the members whose name begins so another content; None leaves them out."""
    return lambda members: [
        (name, content if name.startswith(wanted) else old)
        for name, old in members
        if content is not None or not name.startswith(wanted)
    ]


def test_damage_is_named(shared_app, run, offline, numbers, tmp_path):
    token = shared_app.token(numbers[0])
    whole = tmp_path / "whole.tar"
    assert run("admin", "export-bundle", whole).exit_code == 0

    def damaged(path, content):
        result = offline(rebuilt(whole, tmp_path / "damaged.tar", with_content(path, content)), token)
        assert result.exit_code == 2, result.output
        return result.stdout + result.stderr

    for path in ("log/vkey", "log/checkpoint", "keys.json", "log/tile"):
        for content in (None, b"", b"\xff"):
            assert "damaged" in damaged(path, content) or path == "log/vkey"
    for content in (None, b"", b"\xff"):
        assert "undetermined" in damaged("status-lists/revocation-1", content)
    for content, words in (
        (None, "damaged"),
        (b"{", "it is not JSON"),
        (b"[]", "is not a bundle that this version reads"),
        (b'{"v": 1}', "is not a bundle that this version reads"),
        (b'{"v": 2}', "is not a bundle that this version reads"),
    ):
        assert words in damaged("bundle.json", content)
    for length in (0, 511, 512, 2000, whole.stat().st_size - 1024, whole.stat().st_size - 1):
        cut = tmp_path / "cut.tar"
        cut.write_bytes(whole.read_bytes()[:length])
        result = offline(cut, token)
        assert (result.exit_code, "damaged" in result.stderr) == (2, True), result.output
    (tmp_path / "more.tar").write_bytes(whole.read_bytes() + b"x")
    assert "something follows it" in offline(tmp_path / "more.tar", token).stderr
    assert offline(whole, token).exit_code in {0, 1}


def test_members_in_another_form_are_refused(shared_app, run, offline, numbers, tmp_path):
    whole = tmp_path / "whole.tar"
    run("admin", "export-bundle", whole)
    tricks = []
    for name, kind in (("/etc/passwd", b"0"), ("../x", b"0"), ("log/vkey", b"2"), ("log/vkey", b"1"), ("log", b"5")):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd" if kind in b"12" else ""
        tricks.append(info.tobuf(tarfile.USTAR_FORMAT))
    huge = tarfile.TarInfo("log/tile/entries/000")
    huge.size = 1 << 40
    tricks.append(huge.tobuf(tarfile.GNU_FORMAT))
    extended = tarfile.TarInfo("x" * 300)
    tricks.append(extended.tobuf(tarfile.PAX_FORMAT))
    for trick in tricks:
        for content in (trick + whole.read_bytes(), whole.read_bytes()[:1024] + trick + whole.read_bytes()[1024:]):
            (tmp_path / "trick.tar").write_bytes(content)
            result = offline(tmp_path / "trick.tar", shared_app.token(numbers[0]))
            assert (result.exit_code, "damaged" in result.stderr) == (2, True), result.output
    assert not (tmp_path / "x").exists()


def test_entries_of_a_revoked_certificate_cannot_be_left_out(shared_app, run, offline, numbers, tmp_path):
    number = shared_app.certify()
    before, whole = tmp_path / "before.tar", tmp_path / "whole.tar"
    run("admin", "export-bundle", before)
    shared_app.revoke(number, "court-order")
    run("admin", "export-bundle", whole)
    result = offline(whole, shared_app.token(number))
    assert (result.exit_code, result.stdout.split()[0]) == (1, "revoked"), result.output
    old = {}
    with tarfile.open(before) as archive:
        old = {info.name: archive.extractfile(info).read() for info in archive}

    def with_old(*wanted):
        return lambda members: [(name, old[name] if name.startswith(wanted) else content) for name, content in members]

    # Lists from before the revocation: the log says it.
    mixed = rebuilt(whole, tmp_path / "mixed.tar", with_old("status-lists"))
    result = offline(mixed, shared_app.token(number))
    assert (result.exit_code, result.stdout.split()[0]) == (1, "revoked"), result.output
    assert "By the public log it is revoked" in result.stdout

    def without_last_entry(members):
        name, content = members[-1]
        entries = content[: content.rindex(b'{"') - 2]
        return [*members[:-1], (name, entries)]

    result = offline(rebuilt(whole, tmp_path / "less.tar", without_last_entry), shared_app.token(number))
    assert (result.exit_code, "damaged" in result.stderr) == (2, True), result.output
    # The whole older archive: it is true of its moment, and named as older.
    result = offline(before, shared_app.token(number))
    assert "This bundle is older than one that was used before" in result.stderr
    assert result.stdout.startswith("valid as of")


def test_a_bundle_of_somebody_else_is_refused(shared_app, run, offline, numbers, tmp_path):
    whole, token = tmp_path / "whole.tar", shared_app.token(numbers[0])
    made = run("admin", "export-bundle", whole)
    vkey = shared_app.http.get("/log/vkey").text.strip()
    thumbprint = offline_bundle.log_thumbprint(vkey)
    assert f"thumbprint of the log: {thumbprint}" in made.stdout
    state = ("--state", tmp_path / "other" / "logs.json")
    assert "Whose log is it?" in offline(whole, token, *state).stderr
    for options in (("--vkey", vkey), ("--thumbprint", thumbprint.upper())):
        assert offline(whole, token, *options, *state).exit_code == 0
    for options in (("--vkey", vkey.replace("+", "x+", 1)), ("--thumbprint", "0" * 64)):
        result = offline(whole, token, *options, *state)
        assert (result.exit_code, "of another log" in result.stderr) == (2, True)
    pinned = offline(whole, token, "--pin", *state)
    assert (pinned.exit_code, thumbprint in pinned.stderr) == (0, True)
    assert offline(whole, token, *state).exit_code == 0  # the pinned key
    # A log of the same name with a key of the attacker, and all entries of ours.
    name = vkey.partition("+")[0]
    thief = NoteSigner(name, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    checkpoint = parse_checkpoint(split_note(shared_app.http.get("/log/checkpoint").text)[0])

    def stolen(members):
        found = dict(members) | {"log/vkey": thief.verifier.vkey.encode()}
        return list((found | {"log/checkpoint": thief.sign(checkpoint.text).encode()}).items())

    forged = rebuilt(whole, tmp_path / "forged.tar", stolen)
    assert "another key of" in offline(forged, token, "--pin", *state).stderr
    # Only the key exchanged, or only the checkpoint.
    found = rebuilt(whole, tmp_path / "half.tar", with_content("log/checkpoint", thief.sign(checkpoint.text).encode()))
    assert "damaged at log" in offline(found, token, *state).stderr


def test_two_histories_of_one_log_are_refused(shared_app, run, offline, numbers, tmp_path):
    whole, state = tmp_path / "whole.tar", tmp_path / "state" / "logs.json"
    run("admin", "export-bundle", whole)
    assert offline(whole, shared_app.token(numbers[0])).exit_code == 0
    known = json.loads(state.read_text())
    for log in known.values():
        log["root"] = "A" * 43 + "="
    state.write_text(json.dumps(known))
    result = offline(whole, shared_app.token(numbers[0]))
    assert (result.exit_code, "two histories" in result.stderr) == (2, True)
    state.write_text("[")
    assert "repair or remove it" in offline(whole, shared_app.token(numbers[0])).stderr


def test_age_and_witnesses_decide(shared_app, run, offline, numbers, tmp_path):
    whole, token = tmp_path / "whole.tar", shared_app.token(shared_app.certify())
    run("admin", "export-bundle", whole)
    vkey = shared_app.http.get("/log/vkey").text.strip()
    options = ("--vkey", vkey, "--state", tmp_path / "logs.json")
    witness = Cosigner("witness.example/w1", Ed25519PrivateKey.from_private_bytes(bytes([7] * 32)))
    policy = tmp_path / "policy"
    policy.write_text(f"log {vkey}\nwitness w1 {witness.verifier.vkey}\nquorum w1\n")
    result = offline(whole, token, *options, "--policy", policy)
    assert (result.exit_code, "not yet witnessed, age 0 min" in result.stdout) == (0, True), result.output
    shared_app.clock.advance(hours=30)
    result = offline(whole, token, *options, "--policy", policy)
    assert (result.exit_code, "not yet witnessed, age 1 d 6 h" in result.stdout) == (2, True), result.output
    note = shared_app.http.get("/log/checkpoint").text
    line = witness.cosign(split_note(note)[0], int(shared_app.clock().timestamp())).text
    seen = rebuilt(whole, tmp_path / "seen.tar", with_content("log/checkpoint", (note + line).encode()))
    result = offline(seen, token, *options, "--policy", policy)
    assert (result.exit_code, "seen by 1 of 1 witnesses" in result.stdout) == (0, True), result.output
    result = offline(seen, token, *options, "--max-age", "24")
    assert (result.exit_code, "more than 1 d. Fetch a new bundle." in result.stdout) == (2, True), result.output


def test_the_same_log_and_lists_give_the_same_bytes(run, numbers, tmp_path):
    for name in ("a.tar", "b.tar"):
        assert run("admin", "export-bundle", tmp_path / name).exit_code == 0
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_a_folder_of_an_earlier_version_is_refused(shared_app, offline, numbers, tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "bundle.json").write_text("{}")
    result = offline(tmp_path / "old", shared_app.token(numbers[0]))
    assert (result.exit_code, "mik admin export-bundle FILE" in result.stderr) == (2, True)


def test_nothing_else_is_overwritten(run, numbers, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").write_text("dear diary")
    result = run("admin", "export-bundle", tmp_path / "notes")
    assert (result.exit_code, "is a folder" in result.stderr) == (2, True)
    assert (tmp_path / "notes" / "diary.txt").read_text() == "dear diary"
    assert run("admin", "export-bundle", tmp_path / "notes" / "diary.txt" / "x").exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_what_belongs_together(run, tmp_path):
    for words in (["--offline"], ["--bundle", tmp_path], ["--offline", "--bundle", tmp_path, "--jwks", tmp_path]):
        result = run("verify", "a.b.c", *words)
        assert (result.exit_code, "--offline and --bundle ARCHIVE together" in result.stderr) == (2, True)
    result = run("verify", "MIK-2026-000042-Y", "--offline", "--bundle", tmp_path)
    assert (result.exit_code, "Offline, give the signed token." in result.stderr) == (2, True)
    assert run("verify", "a.b.c", "--offline", "--bundle", tmp_path).exit_code == 2
