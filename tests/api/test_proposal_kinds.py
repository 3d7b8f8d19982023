"""What two owners do: activate a key, correct the moment of a compromise, revoke a certificate."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.core.actor import SYSTEM, Role
from app.core.dates import format_utc
from app.integrity import transparency_log
from app.signing import key_lifecycle, signing_repository
from app.signing.key_files import KeyFiles
from tests.factories import ok
from tests.helpers import at_once, events, execute, refused, rows, statuses
from tests.played import played
from tests.transparency.helpers import derived, entries_of

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]


def propose(by, kind, **content):
    return by.post("/v1/proposals", json={"kind": kind, "content": content})


def confirm(by, proposal, version=1):
    return by.post(f"/v1/proposals/{proposal['id']}/confirm", version=version)


def keys(app):
    app.container.keys.reload()
    return {kid: key.state.value for kid, key in app.container.keys.keyring().by_kid.items()}


def active_kid(app):
    (kid,) = [kid for kid, state in keys(app).items() if state == "active"]
    return kid


@pytest.fixture
def published(app):
    """A second key, published now."""
    issuer = active_kid(app).partition("#")[0]
    signer = KeyFiles(app.settings.keys_dir, issuer).create_key()
    with app.database.session() as session:
        key_lifecycle.publish_key(session, SYSTEM, signer, app.clock())
        session.commit()
    return signer.kid


def log_of(app, subject):
    return [entry for entry in entries_of(app.database) if subject in (entry.get("key"), entry.get("certificate"))]


# Keys


def test_a_key_is_activated_by_two(app, published):
    first = active_kid(app)
    proposal = ok(propose(app.owner, "key-activation", kid=published))
    assert proposal["content"] == {"kid": published, "at_once": False}
    assert (proposal["subject_type"], proposal["subject_id"]) == ("key", published)
    refused(confirm(app.owner, proposal), 403, "four-eyes")
    refused(confirm(app.second_owner, proposal), 409, "key-too-new")
    assert keys(app) == {first: "active", published: "next"}
    app.clock.advance(days=1)
    assert ok(confirm(app.second_owner, proposal))["state"] == "confirmed"
    assert keys(app) == {first: "retired", published: "active"}
    assert log_of(app, published)[-1]["event"] == "key.activated"
    assert [event.subject_id for event in events(app, "key.activated")][-1] == published
    refused(propose(app.owner, "key-activation", kid=published), 409, "wrong-state")
    assert app.verify(app.certify())["verdict"] == "valid"


def test_a_key_is_activated_at_once_where_both_say_so(app, published):
    proposal = ok(propose(app.owner, "key-activation", kid=published, at_once=True))
    app.clock.advance(seconds=6)
    ok(confirm(app.second_owner, proposal))
    assert active_kid(app) == published


def test_a_key_is_not_activated_without_its_file(app, published):
    proposal = ok(propose(app.owner, "key-activation", kid=published, at_once=True))
    app.clock.advance(seconds=6)
    for path in app.settings.keys_dir.glob(f"*{published.rpartition('#')[2]}*"):
        path.rename(app.settings.keys_dir / "elsewhere")
    refused(confirm(app.second_owner, proposal), 503, "key-file-away")
    assert keys(app)[published] == "next"
    assert ok(app.owner.get(f"/v1/proposals/{proposal['id']}"))["state"] == "proposed"


def compromise(app, kid, since):
    with app.database.session() as session:
        key_lifecycle.mark_key_compromised(session, SYSTEM, kid, since=since, now=app.clock())
        session.commit()
    app.container.keys.reload()


def test_the_moment_of_a_compromise_is_corrected_by_two(app):
    """What was logged before the true moment is good again; the last entry of the log counts."""
    kid = active_kid(app)
    app.clock.advance(days=1)
    number = app.certify()
    app.clock.advance(days=1)
    wrong, true = app.clock() - timedelta(days=2), app.clock() - timedelta(hours=1)
    content = {"kid": kid, "since": format_utc(true), "reason": "later-access"}
    refused(propose(app.owner, "compromise-correction", **content), 409, "wrong-state")
    compromise(app, kid, wrong)
    assert app.verify(number)["verdict"] == "key_compromised"
    for impossible in (app.clock() + timedelta(seconds=1), wrong - timedelta(days=9)):
        moment = format_utc(impossible)
        refused(propose(app.owner, "compromise-correction", **content | {"since": moment}), 422, "impossible-moment")
    proposal = ok(propose(app.owner, "compromise-correction", **content))
    refused(confirm(app.owner, proposal), 403, "four-eyes")
    ok(confirm(app.second_owner, proposal))
    app.container.keys.reload()
    assert app.verify(number)["verdict"] == "valid"
    logged = [entry for entry in log_of(app, kid) if entry["event"] == "key.compromised"]
    assert [(entry["at"][:19], entry.get("reason")) for entry in logged] == [
        (format_utc(wrong)[:19], None),
        (format_utc(true)[:19], "later-access"),
    ]
    assert "later-access" in str(events(app, "key.compromised")[-1].data)
    with app.database.read_session() as session:
        assert transparency_log.check_keys(session) is None
        (key,) = signing_repository.list_keys(session)
        assert (key.state, key.state_since) == ("compromised", true)
    assert derived(app.database).finding is None


# Certificates


@played
def company(app):
    return app.set_up_company()


def status(app, number):
    return ok(app.anonymous.get(f"/v1/certificates/{number}"))["status"]


def revocation(by, number, reason="false-documents"):
    return by.act(f"/v1/certificates/{number}/revoke", {"reason": reason})


def test_a_certificate_is_revoked_by_two(app, company):
    number = app.certify(company)
    proposal = revocation(app.owner, number)
    assert (proposal["kind"], proposal["content"]) == (
        "revocation",
        {"number": number, "reason": "false-documents"},
    )
    assert (proposal["subject_type"], proposal["subject_id"]) == ("certificate", number)
    refused(confirm(app.owner, proposal), 403, "four-eyes")
    assert (status(app, number), app.verify(number)["verdict"]) == ("active", "valid")
    assert [entry["event"] for entry in log_of(app, number)] == ["certificate.issued"]

    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})  # one person, at once
    assert app.verify(number)["verdict"] == "suspended"
    assert ok(confirm(app.second_owner, proposal))["decided_by"] == app.second_owner.id
    found = ok(app.anonymous.get(f"/v1/certificates/{number}"))
    assert (found["status"], found["reason"], app.verify(number)["verdict"]) == (
        "revoked",
        "false-documents",
        "revoked",
    )
    assert log_of(app, number)[-1]["event"] == "certificate.revoked"
    refused(confirm(app.second_owner, proposal, "now"), 409, "wrong-state")
    for event in ("proposal.proposed", "proposal.confirmed", "certificate.revoked"):
        assert [each.subject_id for each in events(app, event)] == [number], event


def test_the_database_wants_two_for_a_revocation(app, company):
    revocation(app.owner, app.certify(company))
    for who in ("proposed_by", "NULL"):
        with pytest.raises(sa.exc.IntegrityError, match=r"four_eyes|decided_by_somebody"):
            execute(
                app,
                f"UPDATE proposals SET state = 'confirmed', decided_by = {who}, decided_at = proposed_at, "
                "confirmed_sha256 = sha256",
            )


def test_the_state_is_checked_again_when_it_is_confirmed(app, company):
    number = app.certify(company)
    proposal = revocation(app.owner, number)
    company.act(f"/v1/certificates/{number}/surrender")
    refused(confirm(app.second_owner, proposal), 409, "wrong-state")
    assert status(app, number) == "surrendered"
    path = f"/v1/proposals/{proposal['id']}"
    assert ok(app.owner.get(path))["state"] == "proposed"
    assert app.owner.act(f"{path}/withdraw")["state"] == "withdrawn"


def test_of_two_confirmed_revocations_one_counts(app, company):
    number = app.certify(company)
    third = app.staff(Role.OWNER, name="third-owner")
    first, second = revocation(app.owner, number), revocation(app.owner, number, "court-order")
    answers = at_once(lambda: confirm(app.second_owner, first), lambda: confirm(third, second))
    assert statuses(answers) == [200, 409]
    assert len(events(app, "certificate.revoked")) == 1


def test_a_refused_revocation_leaves_the_certificate(app, company):
    number = app.certify(company)
    proposal = revocation(app.owner, number)
    assert app.second_owner.act(f"/v1/proposals/{proposal['id']}/refuse")["state"] == "refused"
    refused(confirm(app.second_owner, proposal, "now"), 409, "wrong-state")
    assert (status(app, number), app.verify(number)["verdict"]) == ("active", "valid")


def test_a_proposal_does_not_outlive_the_role_of_its_proposer(app, company):
    number = app.certify(company)
    third = app.staff(Role.OWNER, name="third-owner")
    proposal = revocation(third, number)
    ok(app.owner.delete(f"/v1/users/{third.id}/roles/owner"))
    refused(confirm(app.second_owner, proposal), 409, "asker-left")
    refused(third.post(f"/v1/proposals/{proposal['id']}/withdraw", version=1), 403, "forbidden")
    assert app.second_owner.act(f"/v1/proposals/{proposal['id']}/refuse")["state"] == "refused"
    assert status(app, number) == "active"


def test_a_proposal_of_a_revocation_is_made_once_for_each_key(app, company):
    number = app.certify(company)
    body, headers = {"reason": "bankruptcy"}, {"Idempotency-Key": "once"}
    path = f"/v1/certificates/{number}/revoke"
    version = app.owner.version_of(path)
    first, again = (app.owner.post(path, json=body, version=version, headers=headers) for _ in range(2))
    assert (first.status_code, ok(first)) == (201, ok(again))
    assert len(rows(app, "SELECT 1 FROM proposals")) == 1
