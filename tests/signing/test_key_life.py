"""Keys as data: published, active, retired, compromised; each change in history and log; what each lets through."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from app.cli import app as mik
from app.core.actor import SYSTEM, Actor, ActorKind, Role
from app.core.crypto import jws
from app.core.crypto.jwk import parse_jwks
from app.core.crypto.keyring import KeyState
from app.core.database import new_id
from app.core.dates import format_utc
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, WrongState
from app.integrity import transparency_log
from app.signing import issuer_identity, key_lifecycle, signing_repository
from app.signing.key_documents import did_document
from app.signing.key_files import KeyFileMissing, KeyFiles
from app.signing.key_provider import KeyProvider, NoActiveKey
from tests.factories import ok
from tests.helpers import keyring_of, verified_log
from tests.transparency.helpers import derived, entries_of

pytestmark = pytest.mark.pg_sampled
NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
DID = "did:web:mark.example"
A_DAY = timedelta(days=1)


@pytest.fixture
def files(tmp_path):
    return KeyFiles(tmp_path / "keys", DID)


@pytest.fixture
def begun(session, files):
    """A register with its first key."""
    issuer_identity.set_issuer_once(session, DID, NOW)
    issuer_identity.register_keys(session, files, NOW)
    session.commit()
    return session


def states(session):
    return [KeyState(key.state) for key in signing_repository.list_keys(session)]


def active(session):
    return signing_repository.get_active_kid(session)


def test_the_whole_life(begun, database, files):
    first = active(begun)
    second = files.create_key()
    key_lifecycle.publish_key(begun, SYSTEM, second, NOW + A_DAY)
    begun.commit()
    assert states(begun) == ["active", "next"]
    key_lifecycle.activate_key(begun, SYSTEM, second.kid, at_once=False, now=NOW + 2 * A_DAY)
    begun.commit()
    assert states(begun) == ["retired", "active"]
    key_lifecycle.mark_key_compromised(begun, SYSTEM, first, since=NOW + A_DAY, now=NOW + 3 * A_DAY)
    key_lifecycle.retire_key(begun, SYSTEM, second.kid, NOW + 3 * A_DAY)
    begun.commit()
    assert states(begun) == ["compromised", "retired"]
    assert signing_repository.list_keys(begun)[0].state_since == NOW + A_DAY
    told = [(entry["event"], entry["key"]) for entry in entries_of(database) if "key" in entry]
    assert told == [
        ("key.activated", first),
        ("key.published", second.kid),
        ("key.retired", first),
        ("key.activated", second.kid),
        ("key.compromised", first),
        ("key.retired", second.kid),
    ]
    compromised = next(entry for entry in entries_of(database) if entry["event"] == "key.compromised")
    assert compromised["at"] == "2026-11-23T17:00:00.000000Z"  # since when, not when it was found
    assert transparency_log.check_keys(begun) is None
    assert derived(database).finding is None


def test_a_key_is_known_for_a_day_before_it_signs(begun, files):
    second = files.create_key()
    key_lifecycle.publish_key(begun, SYSTEM, second, NOW)
    with pytest.raises(Conflict, match="can be activated at 2026-11-23 17:00:00 UTC"):
        key_lifecycle.activate_key(begun, SYSTEM, second.kid, at_once=False, now=NOW + timedelta(hours=23))
    with pytest.raises(Conflict, match="17:00:05"):
        key_lifecycle.activate_key(begun, SYSTEM, second.kid, at_once=True, now=NOW + timedelta(seconds=4))
    key_lifecycle.activate_key(begun, SYSTEM, second.kid, at_once=True, now=NOW + timedelta(seconds=5))
    assert active(begun) == second.kid


def test_one_waits_at_a_time(begun, files):
    key_lifecycle.publish_key(begun, SYSTEM, files.create_key(), NOW)
    with pytest.raises(Conflict, match="waits to be activated"):
        key_lifecycle.publish_key(begun, SYSTEM, files.create_key(), NOW)


def test_moves_that_there_are_not(begun, files):
    first = active(begun)
    with pytest.raises(WrongState) as why:
        key_lifecycle.activate_key(begun, SYSTEM, first, at_once=True, now=NOW)
    assert why.value.data["allowed"] == ["retire", "compromise"]
    key_lifecycle.mark_key_compromised(begun, SYSTEM, first, since=NOW, now=NOW)
    for deed in (
        lambda: key_lifecycle.retire_key(begun, SYSTEM, first, NOW),
        lambda: key_lifecycle.activate_key(begun, SYSTEM, first, at_once=True, now=NOW),
        lambda: key_lifecycle.mark_key_compromised(begun, SYSTEM, first, since=NOW, now=NOW),
    ):
        with pytest.raises(WrongState):
            deed()
    with pytest.raises(NotFound):
        key_lifecycle.retire_key(begun, SYSTEM, "did:web:mark.example#none", NOW)


@pytest.mark.parametrize("since", [NOW - timedelta(seconds=1), NOW + timedelta(hours=2)])
def test_a_compromise_lies_between_the_making_and_now(begun, since):
    with pytest.raises(Invalid, match="between its making"):
        key_lifecycle.mark_key_compromised(begun, SYSTEM, active(begun), since=since, now=NOW + timedelta(hours=1))


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OWNER, Role.SYSTEM}))
def test_keys_are_the_owners_matter(begun, files, role):
    actor = Actor(ActorKind.USER, new_id(), frozenset({role}))
    for deed in (
        lambda: key_lifecycle.publish_key(begun, actor, files.get_first_signer(), NOW),
        lambda: key_lifecycle.retire_key(begun, actor, active(begun), NOW),
        lambda: key_lifecycle.mark_key_compromised(begun, actor, active(begun), since=NOW, now=NOW),
    ):
        with pytest.raises(Forbidden):
            deed()


def test_starting_again_wants_the_file_of_the_active_key_and_no_other(begun, files, tmp_path):
    second = files.create_key()
    key_lifecycle.publish_key(begun, SYSTEM, second, NOW)
    key_lifecycle.activate_key(begun, SYSTEM, second.kid, at_once=True, now=NOW + A_DAY)
    begun.commit()
    (tmp_path / "keys" / "certificates.pem").unlink()  # of a retired key
    issuer_identity.register_keys(begun, KeyFiles(tmp_path / "keys", DID), NOW + A_DAY)
    with pytest.raises(issuer_identity.UnsafeToStart, match="right key file"):
        issuer_identity.register_keys(begun, KeyFiles(tmp_path / "elsewhere", DID), NOW + A_DAY)
    key_lifecycle.retire_key(begun, SYSTEM, second.kid, NOW + A_DAY)
    issuer_identity.register_keys(begun, KeyFiles(tmp_path / "elsewhere", DID), NOW + A_DAY)  # checks go on
    assert active(begun) is None


def test_a_file_that_comes_later_is_found(files, tmp_path):
    other = KeyFiles(tmp_path / "keys", DID)
    first = files.get_first_signer()
    assert other.get_signer(first.kid).kid == first.kid
    second = files.create_key()
    assert other.get_signer(second.kid).public.x == second.public.x
    assert (tmp_path / "keys" / f"certificates-{second.kid.partition('#')[2]}.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyFileMissing):
        other.get_signer(f"{DID}#none")


def test_workers_see_a_change_within_a_second(begun, database, files):
    seconds = 0.0
    keeper = KeyProvider(database, files, verified_log(database), lambda: seconds)
    kid = active(begun)
    assert keeper.active_signer().kid == kid
    key_lifecycle.mark_key_compromised(begun, SYSTEM, kid, since=NOW, now=NOW)
    begun.commit()
    seconds = 0.9
    assert keeper.keyring().by_kid[kid].state is KeyState.ACTIVE
    seconds = 1.0
    assert keeper.keyring().by_kid[kid].state is KeyState.COMPROMISED
    with pytest.raises(NoActiveKey):
        keeper.active_signer()
    with pytest.raises(NoActiveKey):
        keeper.lock_active_signer(begun)


def test_the_ring_is_the_same_object_until_something_changes(begun, database, files):
    """What checks have made for it is thrown away with it."""
    seconds = 0.0
    keeper = KeyProvider(database, files, verified_log(database), lambda: seconds)
    ring = keeper.keyring()
    seconds = 5.0
    assert keeper.keyring() is ring
    assert keeper.reload() is ring
    key_lifecycle.mark_key_compromised(begun, SYSTEM, active(begun), since=NOW, now=NOW)
    begun.commit()
    seconds = 10.0
    changed = keeper.keyring()
    assert changed is not ring
    assert keeper.reload() is changed
    key_lifecycle.publish_key(begun, SYSTEM, files.create_key(), NOW + A_DAY)
    begun.commit()
    assert len(keeper.reload().by_kid) == 2


def test_a_register_that_is_away_leaves_the_keys_as_they_were(begun, database, files):
    seconds = 0.0
    keeper = KeyProvider(database, files, verified_log(database), lambda: seconds)
    kid = active(begun)
    begun.rollback()
    with database.write_engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE signing_keys RENAME TO elsewhere")
    seconds = 2.0
    assert keeper.keyring().by_kid[kid].state is KeyState.ACTIVE


def test_the_did_document_says_who_vouches(begun, database, files):
    second = files.create_key()
    key_lifecycle.publish_key(begun, SYSTEM, second, NOW + A_DAY)
    first = active(begun)
    key_lifecycle.mark_key_compromised(begun, SYSTEM, first, since=NOW, now=NOW)
    begun.commit()
    document = did_document(DID, keyring_of(database))
    assert [method["id"] for method in document["verificationMethod"]] == [first, second.kid]
    assert document["assertionMethod"] == [second.kid]  # next as well: it must be known before it signs
    revoked, method = document["verificationMethod"]
    assert revoked["revoked"] == format_utc(NOW)  # kept, so that earlier signatures can be checked
    assert "revoked" not in method
    assert method["type"] == "JsonWebKey"
    assert method["controller"] == document["id"] == DID
    assert method["publicKeyJwk"] == {
        "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": second.kid.partition("#")[2],
        "x": second.public.x, "y": second.public.y,
    }  # fmt: skip


@pytest.fixture
def command(app, monkeypatch):
    monkeypatch.setenv("MIK_DATABASE_URL", app.settings.database_url)
    monkeypatch.setenv("MIK_DATA_DIR", str(app.settings.data_dir))
    monkeypatch.setattr("app.cli.keys.utc_now", app.clock)
    monkeypatch.setattr("app.cli.admin.issuance.utc_now", app.clock)

    def run(*args, code=0):
        done = CliRunner().invoke(mik, list(args))
        assert done.exit_code == code, done.output
        return done.stdout + done.stderr

    return run


def listed(command):
    return json.loads(command("keys", "list", "--json"))


@pytest.mark.parametrize("path", ["/.well-known/jwks.json", "/.well-known/did.json"])
def test_published_keys_are_sent_anew_only_when_they_changed(app, command, path):
    first = app.anonymous.get(path)
    asked = {"If-None-Match": first.headers["ETag"]}
    unchanged = app.anonymous.get(path, headers=asked)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["ETag"] == first.headers["ETag"]
    command("keys", "next")
    app.container.keys.reload()
    changed = app.anonymous.get(path, headers=asked)
    assert changed.status_code == 200
    assert changed.content != first.content
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_rotation_on_the_command_line(app, command):
    company = app.set_up_company()
    before = app.certify(company)
    app.clock.advance(seconds=1)
    said = command("keys", "next")
    kid = said.splitlines()[0].removeprefix("Published: ")
    short = kid.partition("#")[2]
    command("keys", "next", code=2)
    assert "Two owners activate a key" in command("keys", "activate", "--", short, code=2)
    assert "can be activated at" in command("keys", "activate", "--emergency", "--", short, code=2)
    app.clock.advance(days=1)
    command("keys", "activate", "--emergency", "--", short)
    after = app.certify(app.set_up_company())
    first, second = listed(command)
    assert (first["state"], first["certificates"], second["state"], second["certificates"]) == (
        "retired", 1, "active", 1,
    )  # fmt: skip
    assert first["file"] is second["file"] is True
    header = json.loads(jws._decode_base64url(app.token(after).partition(".")[0]))
    assert header["kid"] == kid
    for number in (before, after):
        assert app.verify(number)["verdict"] == "valid"
        assert ok(app.anonymous.post("/v1/verify", json={"token": app.token(number)}))["verdict"] == "valid"
    app.container.keys.reload()
    jwks = app.anonymous.get("/.well-known/jwks.json").content
    assert list(parse_jwks(jwks)) == [first["kid"], kid]
    did = app.anonymous.get("/.well-known/did.json")
    assert did.headers["content-type"] == "application/did+json"
    assert did.headers["cache-control"] == "public, max-age=3600, stale-if-error=86400"
    assert did.json()["assertionMethod"] == [first["kid"], kid]
    shown = command("keys", "show", "--", short)
    assert after in shown
    assert before not in shown
    assert "key.published" in shown
    assert "retired     2026-11-2" in command("keys", "list")
    assert command("doctor", "--only", "log").endswith("events hold.\n")


def test_a_key_that_was_taken_out_of_use_lets_nothing_be_issued_and_all_be_checked(app, command):
    number = app.certify(app.set_up_company())
    kid = listed(command)[0]["kid"]
    command("keys", "retire", "--", kid)
    case = app.set_up_company().apply()
    app.review(case)
    refused = app.approver.post(f"/v1/applications/{case}/approve", version="now")
    assert (refused.status_code, refused.json()["code"]) == (503, "no-active-key")
    assert app.verify(number)["verdict"] == "valid"
    command("keys", "retire", "--", kid, code=2)
    command("keys", "retire", "none-such", code=2)
    command("keys", "compromise", "--since", "yesterday", "--", kid, code=2)
    command("keys", "compromise", "--since", "2026-11-22T17:00:00", "--", kid, code=2)
    command("keys", "compromise", "--since", "2020-11-22T17:00:00Z", "--", kid, code=2)


def test_issuance_is_paused_with_a_reason_and_resumed(app, command):
    number = app.certify(app.set_up_company())
    command("admin", "issuance", "pause", "--reason", "The register is being audited.")
    command("admin", "issuance", "pause", "--reason", "Again.", code=2)
    case = app.set_up_company().apply()
    app.review(case)
    refused = app.approver.post(f"/v1/applications/{case}/approve", version="now")
    assert (refused.status_code, refused.json()["code"]) == (503, "issuance-paused")
    assert refused.json()["reason"] == "The register is being audited."
    assert refused.json()["detail"].endswith("UTC: The register is being audited.")
    assert app.verify(number)["verdict"] == "valid"
    assert ok(app.approver.get(f"/v1/applications/{case}"))["state"] == "recommended"  # nothing was done
    command("admin", "issuance", "resume")
    command("admin", "issuance", "resume", code=2)
    assert len(app.approve(case)["certificates"]) == 1
    events = [item["event"] for item in ok(app.auditor.get("/v1/audit", params={"subject": "pause"}))["items"]]
    assert events == ["issuance.paused", "issuance.resumed"]


@pytest.mark.parametrize("reason", ["", " ", "a\x00b", "\u202eabc", "x" * 501])
def test_a_reason_is_readable(reason):
    """Looked at before anything is opened."""
    done = CliRunner().invoke(mik, ["admin", "issuance", "pause", "--reason", reason])
    assert done.exit_code == 2
    assert "--reason" in done.stderr


def test_a_compromise_divides_what_was_logged_before_from_the_rest(app, command):
    before = app.certify(app.set_up_company())
    app.clock.advance(hours=1)
    since = app.clock.now
    at_the_moment = app.certify(app.set_up_company())
    app.clock.advance(hours=1)
    after = app.certify(app.set_up_company())
    command("keys", "compromise", "--since", since.isoformat(), "--", listed(command)[0]["kid"])
    app.container.keys.reload()
    assert [app.verify(number)["verdict"] for number in (before, at_the_moment, after)] == [
        "valid",
        "key_compromised",
        "key_compromised",
    ]
    token = ok(app.anonymous.post("/v1/verify", json={"token": app.token(before)}))
    assert token["verdict"] == "valid"
    (why,) = [check for check in app.verify(after)["checks"] if not check["passed"]]
    assert why["name"] == "key_state"
    assert (
        why["detail"] == "The signing key is compromised since 2026-11-22T18:00:00Z; this was logged not before that."
    )
    assert app.anonymous.get("/.well-known/jwks.json").json() == {"keys": []}
    assert app.anonymous.get("/.well-known/did.json").json()["assertionMethod"] == []
    assert command("doctor", "--only", "log").endswith("events hold.\n")


def test_no_check_fails_while_keys_are_exchanged(app, command):
    """Issuing and checking go on in threads while three keys follow one another; the keys of the checker are old."""
    numbers, wrong, over = [app.certify(app.set_up_company())], [], threading.Event()

    def check():
        while not over.is_set():
            number = numbers[-1]
            if app.verify(number)["verdict"] != "valid":
                wrong.append(number)
            answer = ok(app.anonymous.post("/v1/verify", json={"token": app.token(number)}))
            if answer["verdict"] != "valid":
                wrong.append((number, answer))

    thread = threading.Thread(target=check)
    thread.start()
    try:
        for _ in range(3):
            kid = command("keys", "next").splitlines()[0].removeprefix("Published: ")
            app.container.keys.reload()  # published for longer than a worker keeps its keys
            app.clock.advance(days=1)
            command("keys", "activate", "--emergency", "--", kid)
            numbers.append(app.certify(app.set_up_company()))
    finally:
        over.set()
        thread.join()
    assert wrong == []
    assert [app.verify(number)["verdict"] for number in numbers] == ["valid"] * 4
