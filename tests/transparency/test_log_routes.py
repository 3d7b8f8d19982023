"""The log as its readers see it: every change of a certificate is in it, and all of it can be proved from outside."""

import base64
import json

import pytest
from pymerkle import InmemoryTree

from app.core.crypto import jws
from app.transparency import merkle, tiles
from app.transparency.checkpoint import parse_proof, verify_checkpoint, verify_proof
from app.transparency.signed_note import parse_vkey
from tests.factories import ok
from tests.transparency.helpers import derived, entries_in, entries_of, head_of

pytestmark = pytest.mark.pg_sampled
IMMUTABLE = "public, max-age=31536000, immutable"


def text(app, path):
    answer = app.anonymous.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return answer.text


def verifier(app):
    return parse_vkey(text(app, "/log/vkey").removesuffix("\n"))


def present(app):
    return verify_checkpoint(text(app, "/log/checkpoint"), verifier(app))


def about(app, number):
    return [entry["event"] for entry in entries_of(app.database) if entry.get("certificate") == number]


def test_every_change_of_status_or_its_reason_is_in_the_log_and_nothing_else(app):
    number = app.certify(app.set_up_company())
    path = f"/v1/certificates/{number}"
    assert about(app, number) == ["certificate.issued"]
    app.owner.act(f"{path}/suspend", {"cause": "hearing"})
    app.owner.act(f"{path}/suspend", {"cause": "surveillance"})  # a further cause changes nothing that is shown
    assert about(app, number) == ["certificate.issued", "certificate.suspended"]
    app.owner.act(f"{path}/reinstate", {"cause": "hearing"})  # the reason shown is now the other cause
    assert about(app, number) == ["certificate.issued", "certificate.suspended", "certificate.suspended"]
    app.owner.act(f"{path}/reinstate", {"cause": "surveillance"})
    app.revoke(number, "bankruptcy")
    assert about(app, number)[3:] == ["certificate.reinstated", "certificate.revoked"]
    company = app.set_up_company()
    other = app.certify(company)
    company.act(f"/v1/certificates/{other}/surrender")
    assert about(app, other) == ["certificate.issued", "certificate.surrendered"]
    issued = next(entry for entry in entries_of(app.database) if entry.get("certificate") == number)
    assert issued["sha256"] == jws.signed_hash(app.token(number))
    assert (
        issued["key"]
        == jws.verify(app.token(number), typ=jws.TYP_CREDENTIAL, keys=app.container.keys.keyring().may_have_signed).kid
    )
    assert entries_of(app.database)[-1]["event"] == "audit.head"  # with every event of a certificate
    assert derived(app.database).finding is None


def test_a_proof_leads_from_the_certificate_to_the_checkpoint(shared_app):
    app = shared_app
    number = app.certify(app.set_up_company())
    answer = app.anonymous.get(f"/v1/certificates/{number.lower().replace('-', ' ')}/log-proof")
    assert answer.headers["cache-control"] == "public, max-age=5"
    proof = parse_proof(text(app, f"/v1/certificates/{number}/log-proof"))
    entry = next(
        json.dumps(e, sort_keys=True, separators=(",", ":"))
        for e in entries_of(app.database)
        if e.get("certificate") == number
    )
    assert verify_proof(entry.encode(), proof, verifier(app)) == present(app)


def test_the_tree_can_be_built_from_the_tiles_alone(shared_app):
    app = shared_app
    checkpoint = present(app)
    content = app.anonymous.get(f"/log/tile/{tiles.Tile(None, 0, checkpoint.size).path}")
    assert content.headers["cache-control"] == IMMUTABLE
    assert content.headers["content-type"] == "application/octet-stream"
    entries = entries_in(content.content)
    other = InmemoryTree(algorithm="sha256")
    for entry in entries:
        other.append_entry(entry)
    assert other.get_root() == checkpoint.root
    hashes = app.anonymous.get(f"/log/tile/{tiles.Tile(0, 0, checkpoint.size).path}").content
    assert hashes == b"".join(merkle.leaf_hash(entry) for entry in entries)
    shorter = app.anonymous.get(f"/log/tile/{tiles.Tile(0, 0, 2).path}").content
    assert shorter == hashes[:64]
    assert not any(b"Sample" in entry or b"901" in entry[:0] for entry in entries)  # no names


def test_growth_is_proved(shared_app):
    app = shared_app
    old = present(app)
    app.certify(app.set_up_company())
    new = present(app)
    assert new.size > old.size
    answer = app.anonymous.get("/log/consistency", params={"first": old.size, "second": new.size})
    assert answer.headers["cache-control"] == IMMUTABLE
    hashes = [base64.b64decode(each) for each in ok(answer)["hashes"]]
    assert merkle.verify_consistency(old.size, new.size, old.root, new.root, hashes)
    assert ok(app.anonymous.get("/log/consistency?first=0&second=0"))["hashes"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/log/tile/0/000", 404),  # not full yet
        ("/log/tile/0/001.p/1", 404),
        ("/log/tile/1/000.p/1", 404),
        ("/log/tile/9/000.p/1", 404),
        ("/log/tile/0/000.p/0", 404),
        ("/log/tile/0/0.p/1", 404),
        ("/log/tile/", 404),
        ("/log/tile/entries/000", 404),
        ("/log/tile/entries/%00", 404),
        ("/log/tile/0/x999/x999/x999/x999/x999/999", 404),
        ("/log/consistency", 422),
        ("/log/consistency?first=2&second=1", 422),
        ("/log/consistency?first=-1&second=1", 422),
        ("/log/consistency?first=x&second=1", 422),
        ("/log/consistency?first=1&second=999999999", 404),
        (f"/log/consistency?first=1&second={10**30}", 422),
        ("/v1/certificates/x/log-proof", 404),
        ("/v1/certificates/MIK-2026-000042-Y/log-proof", 404),
        ("/v1/certificates/%00/log-proof", 404),
    ],
)
def test_what_there_is_not_is_refused_in_words(shared_app, path, status):
    answer = shared_app.anonymous.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text


def test_the_checkpoint_is_for_everybody(shared_app):
    answer = shared_app.anonymous.get("/log/checkpoint", headers={"Origin": "https://witness.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=5"
    assert text(shared_app, "/log/checkpoint").startswith("localhost:8000/log\n")
    assert head_of(shared_app.database).vkey == verifier(shared_app).vkey
