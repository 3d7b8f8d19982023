"""`mik keys reissue` on a running service: what is signed anew, what is not, and what everybody is shown meanwhile."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from app.applications.model import Decision
from app.certificates import certificate_repository
from app.cli import app as mik
from app.core.actor import SYSTEM
from app.integrity.reissues import ReissueCheck, survey_log
from app.signing import issuer_identity, key_lifecycle, signing_repository
from tests.factories import ok
from tests.helpers import events, refused, rewrite, rows, verified_log
from tests.monitor.helpers import Watching
from tests.transparency.helpers import entries_of

pytestmark = pytest.mark.pg_sampled

KILL_AT_THIRD = """
import os, signal, sys
from datetime import datetime
import app.cli.reissue as command
from app.certificates.reissue import batches
moment = datetime.fromisoformat(sys.argv.pop(1))
command.utc_now = lambda: moment
counted = []
kept = batches._reissue
def killing(*arguments):
    kept(*arguments)
    counted.append(1)
    if len(counted) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
batches._reissue = killing
from app.cli import main
main()
"""


@pytest.fixture
def command(app, monkeypatch):
    monkeypatch.setenv("MIK_DATABASE_URL", app.settings.database_url)
    monkeypatch.setenv("MIK_DATA_DIR", str(app.settings.data_dir))
    for module in ("keys", "reissue"):
        monkeypatch.setattr(f"app.cli.{module}.utc_now", app.clock)

    def run(*args, code=0):
        done = CliRunner().invoke(mik, list(args))
        assert done.exit_code == code, done.output
        return done.stdout

    return run


def certify(app, count):
    company = app.set_up_company()
    case_id = company.apply(*(company.add_product() for _ in range(count)))
    app.review(case_id)
    return app.approve(case_id)["certificates"]


def active_kid(app):
    with app.database.read_session() as session:
        return signing_repository.get_active_kid(session)


def replace_key(app, command, kid, since):
    """The key is compromised since a moment, and another one signs from now on."""
    command("keys", "compromise", "--since", since.isoformat(), "--", kid)
    published = command("keys", "next").splitlines()[0].removeprefix("Published: ")
    app.clock.advance(seconds=6)
    command("keys", "activate", "--emergency", "--at-once", "--", published)
    app.container.keys.reload()
    return published


def verdicts(app, numbers):
    return [app.verify(number)["verdict"] for number in numbers]


def verdict_of(app, token):
    return ok(app.anonymous.post("/v1/verify", json={"token": token}))


def reissue(command, kid, *more, code=0):
    return json.loads(command("keys", "reissue", "--json", "--kid", kid, *more, code=code))


def test_a_compromise_and_a_reissue_are_seen_everywhere(app, command, tmp_path):
    kid, honest = active_kid(app), app.certify()
    app.clock.advance(hours=1)
    since = app.clock()
    app.clock.advance(hours=1)
    first, second, revoked = certify(app, 3)
    app.revoke(revoked, "court-order")
    tokens = {number: app.token(number) for number in (honest, first)}
    assert app.anonymous.get(f"/v1/certificates/{first}/qr.svg").status_code == 200
    watching = Watching(app, tmp_path / "monitor")
    app.clock.advance(minutes=10)
    assert watching.kinds() == set()
    new = replace_key(app, command, kid, since)
    # Voided everywhere.
    assert verdicts(app, [honest, first, second, revoked]) == ["valid", "key_compromised", "key_compromised", "revoked"]
    assert verdict_of(app, tokens[first])["verdict"] == "key_compromised"
    assert verdict_of(app, tokens[honest])["verdict"] == "valid"
    line = ok(app.anonymous.get(f"/v1/certificates?q={first}"))["items"]
    shown = app.anonymous.get(f"/v1/certificates/{first}")
    assert [each["status"] for each in (*line, shown.json())] == ["key_compromised"] * 2
    assert shown.headers["etag"].endswith('-voided"')
    by_status = ok(app.anonymous.get("/v1/certificates?status=key_compromised"))["items"]
    assert {each["number"] for each in by_status} == {first, second}
    assert first not in {each["number"] for each in ok(app.anonymous.get("/v1/certificates?status=active"))["items"]}
    lines = app.anonymous.get("/v1/certificates.jsonl").text.splitlines()
    assert {each["number"] for each in map(json.loads, lines) if each["status"] == "key_compromised"} == {first, second}
    for path in ("qr.svg", "label.svg", "certificate.pdf"):
        refused(app.anonymous.get(f"/v1/certificates/{first}/{path}"), 409, "not-in-force")
    refused(app.anonymous.get(f"/v1/certificates/{first}/credential.jwt"), 409, "key-compromised")
    accept = {"accept": "application/vc+jwt"}
    refused(app.anonymous.get(f"/v1/certificates/{first}", headers=accept), 409, "key-compromised")
    assert "Key compromised" in app.anonymous.get(f"/v1/certificates/{first}/badge.svg?lang=en").text
    page = app.anonymous.get(f"/v/{first}", headers={"accept": "text/html", "accept-language": "en"}).text
    assert "Do not rely on it now." in page
    method, other = ok(app.anonymous.get("/.well-known/did.json"))["verificationMethod"]
    assert (method["id"], method["revoked"], "revoked" in other) == (kid, "2026-11-22T18:00:00Z", False)
    assert watching.kinds() == set()
    # Signed anew.
    dry = reissue(command, kid, "--dry-run")
    assert (sorted(dry["reissued"]), dry["skipped"], dry["active"]) == (sorted([first, second]), [], new)
    assert verdicts(app, [first]) == ["key_compromised"]
    assert sorted(reissue(command, kid)["reissued"]) == sorted([first, second])
    app.container.log.refresh(force=True)
    assert verdicts(app, [honest, first, second, revoked]) == ["valid", "valid", "valid", "revoked"]
    old = verdict_of(app, tokens[first])
    assert (old["verdict"], old["certificate"]["reason"]) == ("superseded", "reissued")
    anew = app.token(first)
    assert anew != tokens[first]
    assert verdict_of(app, anew)["verdict"] == "valid"
    assert app.anonymous.get(f"/v1/certificates/{first}/qr.svg").status_code == 200
    assert ok(app.anonymous.get("/v1/certificates?status=key_compromised"))["items"] == []
    logged = [each for each in entries_of(app.database) if each["event"] == "certificate.reissued"]
    issue = next(each for each in entries_of(app.database) if each.get("certificate") == first)
    assert {each["certificate"] for each in logged} == {first, second}
    assert {(each["key"], each["decision"]) for each in logged} == {(new, issue["decision"])}
    assert len(events(app, "certificate.reissued")) == 2
    sent = rows(app, "SELECT kind, \"values\" FROM outgoing_messages WHERE kind = 'certificates-reissued'")
    assert len(sent) == 1 and first in str(sent[0]) and second in str(sent[0])
    app.clock.advance(minutes=10)
    assert watching.kinds() == set()
    assert "Wrong" not in command("doctor", "--only", "log", "--only", "decisions", "--only", "audit")
    bundle = tmp_path / "bundle.tar"
    command("admin", "export-bundle", str(bundle))
    assert reissue(command, kid)["reissued"] == []
    # A status is changed as before; what it was signed with first does not matter.
    app.owner.act(f"/v1/certificates/{first}/suspend", {"cause": "hearing"})
    assert verdicts(app, [first]) == ["suspended"]
    assert verdict_of(app, tokens[first])["verdict"] == "superseded"


def test_a_run_that_was_killed_goes_on_where_it_was(app, command):
    """SIGKILL in the middle of the third transaction of the command, as a process of its own."""
    kid, _ = active_kid(app), app.certify()
    app.clock.advance(hours=1)
    since, numbers = app.clock(), certify(app, 5)
    app.clock.advance(minutes=1)
    new = replace_key(app, command, kid, since)
    arguments = [app.clock().isoformat(), "keys", "reissue", "--kid", kid, "--batch", "1"]
    killed = subprocess.run(
        [sys.executable, "-c", KILL_AT_THIRD, *arguments], env=dict(os.environ), capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(rows(app, "SELECT number FROM reissued_tokens")) == 2
    app.container.log.refresh(force=True)
    assert sorted(verdicts(app, numbers)) == ["key_compromised"] * 3 + ["valid"] * 2
    assert len(reissue(command, kid, "--batch", "2")["reissued"]) == 3
    app.container.log.refresh(force=True)
    assert verdicts(app, numbers) == ["valid"] * 5
    logged = [each["certificate"] for each in entries_of(app.database) if each["event"] == "certificate.reissued"]
    assert sorted(logged) == sorted(numbers)
    assert sorted(each.number for each in rows(app, "SELECT number FROM reissued_tokens")) == sorted(numbers)
    assert {each.kid for each in rows(app, "SELECT kid FROM reissued_tokens")} == {new}


def test_only_the_certificates_of_a_compromised_key_are_signed_anew(app, command):
    kid = active_kid(app)
    app.certify()
    command("keys", "reissue", "--kid", kid, code=2)
    command("keys", "compromise", "--since", app.clock().isoformat(), "--", kid)
    command("keys", "reissue", "--kid", kid, code=2)  # no key is active


class Suspicion:
    """One certificate that was logged after the compromise began, and what is held against it."""

    def __init__(self, app, kid):
        self.app, self.kid = app, kid
        self.log = verified_log(app.database)

    def faults(self, number, *, is_log_key_safe=False, **survey):
        with self.app.database.read_session() as session:
            since = issuer_identity.load_keys(session, self.log)[self.kid].since
            found = replace(survey_log(session, since), **survey)
            public = issuer_identity.load_public_keys(session)
            check = ReissueCheck(self.log, public, found, is_log_key_safe)
            return " ".join(check(session, [certificate_repository.by_number(session, number)]).get(number, ()))


def compromised_since(app, since):
    kid = active_kid(app)
    with app.database.session() as session:
        key_lifecycle.mark_key_compromised(session, SYSTEM, kid, since=since, now=app.clock())
        session.commit()
    return Suspicion(app, kid)


@pytest.fixture
def suspicion(app):
    """People registered their authenticators before the compromise."""
    app.certify()
    app.clock.advance(hours=1)
    since, number = app.clock(), app.certify()
    app.clock.advance(minutes=1)
    return compromised_since(app, since), number


def test_an_honest_certificate_is_signed_anew(suspicion):
    found, number = suspicion
    assert found.faults(number) == found.faults(number, is_log_key_safe=True) == ""


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE certificates SET holder_name = 'Other'", "Its row differs from what was signed."),
        ("UPDATE decided_products SET outcome = 'rejected'", "rejected its product"),
        ("UPDATE decisions SET sha256 = 'x'", "Its decision"),
        ("UPDATE decisions SET confirmation = NULL", "Nobody signed its decision"),
    ],
)
def test_a_decision_that_was_made_up_is_not_signed_for(suspicion, statement, words):
    found, number = suspicion
    rewrite(found.app, statement)
    assert words in found.faults(number)


def test_a_decision_that_is_missing_is_not_signed_for(suspicion):
    found, number = suspicion
    rewrite(found.app, "UPDATE certificates SET decision_id = id")
    assert "is missing" in found.faults(number)


def test_a_decision_is_not_used_again(suspicion):
    """With all keys somebody can log another certificate for a genuine decision: then it counts for none."""
    found, number = suspicion
    with found.app.database.read_session() as session:
        row = certificate_repository.by_number(session, number)
        sha256 = session.get(Decision, row.decision_id).sha256
    said = found.faults(number, is_log_key_safe=True, issues={sha256: 2})
    assert said == "The log names its decision for more certificates than the 1 that it approved."


def test_an_authenticator_that_was_registered_later_proves_nothing(app):
    """With the key of the log somebody registers an authenticator of their own."""
    since, number = app.clock(), app.certify()
    app.clock.advance(minutes=1)
    found = compromised_since(app, since)
    assert found.faults(number) == "The key that signed its decision was registered after the compromise began."
    assert found.faults(number, is_log_key_safe=True) == ""
