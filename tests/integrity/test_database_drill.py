"""Somebody has every right in the database, and no key: no public answer becomes false, and nothing false is signed.

Each attack is made on the tables with their triggers dropped. A public address then says the truth or refuses (503).
"""

import json
from contextlib import contextmanager
from uuid import uuid4

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from app.bootstrap import prepare
from app.certificates import status_list
from app.certificates.certificate_number import CertificateNumber
from app.certificates.read_model import snapshot_repository
from app.certificates.status_list import Purpose
from app.core.crypto import jws
from app.core.errors import MikError
from app.main import create_asgi_app
from app.transparency import verified_log
from tests.helpers import rows
from tests.played import played
from tests.transparency.helpers import attack

pytestmark = pytest.mark.no_coverage
TRUE, FALSE = "Sample Pipe (fictional)", "Somebody Else Ltd"
STRAY = str(CertificateNumber("MIK", 2026, 777))
REFUSED = 503


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """The process looks at the log before every answer."""
    monkeypatch.setattr(verified_log, "REFRESH_SECONDS", 0.0)
    monkeypatch.setattr("app.signing.key_provider.RELOAD_SECONDS", 0.0)


@played
def number(app):
    """An issued certificate."""
    return app.certify()


@contextmanager
def restarted(app):
    """The service started anew on the same tables and files; None where it refuses to start."""
    try:
        prepare(app.settings, app.clock())
        asgi = create_asgi_app(app.settings, app.clock)
    except MikError:
        yield None
        return
    with TestClient(asgi, base_url=app.settings.base_url, raise_server_exceptions=False) as http:
        yield http


def kept_rows(app, number):
    """The rows of a certificate as they are now, to be put back later."""
    with app.database.read_session() as session:
        held = snapshot_repository.by_number(session, [number]).get(number)
    return held, rows(app, "SELECT status, status_reason, version FROM certificates WHERE number = :n", n=number)[0]


def put_back(app, number, kept):
    held, (status, reason, version) = kept
    attack(
        app.database,
        "UPDATE certificates SET status = :s, status_reason = :r, version = :v WHERE number = :n",
        s=status, r=reason, v=version, n=number,
    )  # fmt: skip
    put_snapshot(app, held)


def put_snapshot(app, held):
    with app.database.write_engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM certificate_snapshots WHERE number = :n"), {"n": held.number})
        columns = ", ".join(held._fields)
        values = ", ".join(f":{name}" for name in held._fields)
        connection.execute(sa.text(f"INSERT INTO certificate_snapshots ({columns}) VALUES ({values})"), held._asdict())


def drop_snapshot(app, number):
    attack(app.database, "DELETE FROM certificate_snapshots WHERE number = :n", n=number)


def verdicts(http, number, token=None):
    """What verification says of a number, and of a token, alone and in a batch; 503 where it refuses."""
    bodies = [{"number": number}, *([{"token": token}] if token else [])]
    answers = [http.get(f"/v1/verify/{number}"), *(http.post("/v1/verify", json=body) for body in bodies)]
    answers.append(http.post("/v1/verify/batch", json={"items": bodies}))
    said = set()
    for answer in answers:
        if answer.status_code == REFUSED:
            said.add(REFUSED)
            continue
        items = answer.json().get("items", [answer.json()])
        said |= {item["verdict"] for item in items}
    return said


def public_texts(http, number):
    """Everything that the public gets about a certificate, as bytes; refusals are left out."""
    paths = [
        f"/v1/verify/{number}", f"/v1/certificates/{number}", "/v1/certificates", "/v1/certificates.csv",
        "/v1/certificates.jsonl", f"/v/{number}", f"/v1/certificates/{number}/badge.svg", "/register",
        f"/v1/certificates/{number}/label.svg", f"/v1/certificates/{number}/qr.svg",
    ]  # fmt: skip
    found = {}
    for path in paths:
        answer = http.get(path)
        assert answer.status_code in {200, 404, 409, REFUSED}, (path, answer.text)
        if answer.status_code == 200:
            found[path] = answer.content
    return found


def list_bits(http, app, number):
    """(revoked, suspended) by the published lists; 503 where they are refused."""
    with app.database.read_session() as session:
        held = session.execute(
            sa.text("SELECT status_list_id, status_index FROM certificates WHERE number = :n"), {"n": number}
        ).one()
    said = []
    for purpose in Purpose:
        answer = http.get(f"/v1/status-lists/{purpose}-{held[0]}")
        if answer.status_code == REFUSED:
            said.append(REFUSED)
            continue
        payload = jws.verify(answer.text, typ="vc+jwt", keys=app.container.keys.keyring().all_public).payload
        said.append(status_list.is_set(status_list.parse_status_list_credential(payload).bits, held[1]))
    return tuple(said)


@pytest.mark.parametrize("with_snapshot", [True, False])
@pytest.mark.parametrize("restart", [False, True])
def test_a_renamed_holder(app, number, with_snapshot, restart):
    token = app.token(number)
    true = app.verify(number)["certificate"]["holder"]["name"]
    attack(
        app.database,
        "UPDATE certificates SET holder_name = :f, holder_name_az = :f, district = :f, hs6 = '2204' WHERE number = :n",
        f=FALSE, n=number,
    )  # fmt: skip
    if not with_snapshot:
        drop_snapshot(app, number)
    with restarted(app) if restart else _same(app) as http:
        assert verdicts(http, number, token) == {"valid"}
        texts = public_texts(http, number)
        assert not [path for path, content in texts.items() if FALSE.encode() in content]
        for path in (f"/v1/verify/{number}", f"/v1/certificates/{number}", "/v1/certificates.csv", f"/v/{number}"):
            assert true.encode() in texts[path], path
        document = app.container.verification.read_many
        with app.database.read_session() as session:
            assert document(session, [number], app.clock())[number].record.holder_name == true


@contextmanager
def _same(app):
    yield app.http


def test_a_body_written_into_a_snapshot(app, number):
    attack(
        app.database,
        "UPDATE certificate_snapshots SET body = :body WHERE number = :n",
        body=b'{"verdict":"valid","message":"x","certificate":null,"checks":[]}', n=number,
    )  # fmt: skip
    answer = app.verify(number)
    assert (answer["verdict"], answer["certificate"]["number"]) == ("valid", number)


@pytest.mark.parametrize("forged_log", [False, True])
@pytest.mark.parametrize("restart", [False, True])
def test_a_new_number(app, number, forged_log, restart):
    """A row copied from a genuine one, with or without a row of the log, its head and a snapshot that fit."""
    own = {"id", "number", "serial", "status_index", "product_id"}
    copied = ", ".join(name for (name,) in _columns(app) if name not in own)
    new_id = uuid4().hex if app.database.is_sqlite else str(uuid4())
    app.set_up_company().add_product()
    attack(
        app.database,
        f"INSERT INTO certificates (id, number, serial, status_index, product_id, {copied}) "
        f"SELECT :id, :new, 777, 99, (SELECT id FROM products WHERE id <> c.product_id LIMIT 1), {copied} "
        "FROM certificates AS c WHERE number = :n",
        id=new_id, new=STRAY, n=number,
    )  # fmt: skip
    if forged_log:
        entry = {"at": "2026-11-22T17:00:00.000000Z", "certificate": STRAY, "event": "certificate.issued", "v": 1}
        attack(
            app.database,
            "INSERT INTO log_entries (seq, at, event, subject, sha256, entry, hashes) "
            "SELECT max(seq) + 1, max(at), 'certificate.issued', :new, 'ab', :entry, :hashes FROM log_entries",
            "UPDATE log_head SET size = size + 1",
            new=STRAY, entry=json.dumps(entry).encode(), hashes=bytes(64),
        )  # fmt: skip
    held, _ = kept_rows(app, number)
    put_snapshot(app, held._replace(number=STRAY, signed_hash=b"x" * 32))
    with restarted(app) if restart else _same(app) as http:
        if http is None:
            return
        assert verdicts(http, STRAY) <= {"unknown", "forged", REFUSED}
        texts = public_texts(http, STRAY)
        texts.pop(f"/v1/verify/{STRAY}", None)
        texts.pop(f"/v/{STRAY}", None)
        texts.pop(f"/v1/certificates/{STRAY}/badge.svg", None)
        assert not [path for path, content in texts.items() if STRAY.encode() in content]


def _columns(app):
    if app.database.is_sqlite:
        return [(row[1],) for row in rows(app, "PRAGMA table_info(certificates)")]
    return rows(app, "SELECT column_name FROM information_schema.columns WHERE table_name = 'certificates'")


@pytest.mark.parametrize("log_row", ["kept", "deleted", "cut"])
@pytest.mark.parametrize("restart", [False, True])
def test_an_undone_revocation(app, number, log_row, restart):
    token, kept = app.token(number), kept_rows(app, number)
    lists = rows(app, "SELECT list_id, purpose, bits, version, token, token_version, kid, signed_at FROM status_lists")
    app.http.get("/v1/status-lists/revocation-1")
    old_list = rows(app, "SELECT token, token_version, version, bits FROM status_lists WHERE purpose = 'revocation'")[0]
    size = rows(app, "SELECT size, checkpoint FROM log_head")[0]
    app.revoke(number, "false-documents")
    assert lists
    put_back(app, number, kept)
    attack(
        app.database,
        "UPDATE status_lists SET token = :t, token_version = :tv, version = :v, bits = :b WHERE purpose = 'revocation'",
        t=old_list[0], tv=old_list[1], v=old_list[2], b=old_list[3],
    )  # fmt: skip
    if log_row == "deleted":
        attack(app.database, "DELETE FROM log_entries WHERE event = 'certificate.revoked' AND subject = :n", n=number)
    if log_row == "cut":
        attack(
            app.database,
            "DELETE FROM log_entries WHERE seq >= :s",
            "UPDATE log_head SET size = :s, checkpoint = :c",
            s=size[0], c=size[1],
        )  # fmt: skip
    with restarted(app) if restart else _same(app) as http:
        if http is None:
            return
        assert verdicts(http, number, token) <= {"revoked", REFUSED}
        if log_row == "kept":
            assert verdicts(http, number, token) == {"revoked"}
        assert list_bits(http, app, number)[0] in {True, REFUSED}
        for path, content in public_texts(http, number).items():
            if path.endswith(".jsonl"):
                assert '"status": "revoked"' in content.decode()
        assert http.get(f"/v1/certificates/{number}/qr.svg").status_code in {409, REFUSED}
        assert http.get(f"/v1/certificates/{number}/label.svg").status_code in {409, REFUSED}


def test_a_list_whose_certificate_is_gone_is_refused(app, number):
    app.revoke(number, "false-documents")
    app.container.status_lists.bits._places.clear()
    about = "DELETE FROM {0} WHERE certificate_id IN (SELECT id FROM certificates WHERE number = :n)"
    attack(
        app.database,
        *(
            about.format(table)
            for table in ("suspensions", "certificate_search_terms", "certified_descriptions", "status_decisions")
        ),
        "DELETE FROM certificate_snapshots WHERE number = :n",
        "DELETE FROM certificates WHERE number = :n",
        n=number,
    )
    assert app.http.get("/v1/status-lists/revocation-1").status_code == REFUSED


@pytest.mark.parametrize("with_log", [True, False])
@pytest.mark.parametrize("restart", [False, True])
def test_deleted_rows(app, number, with_log, restart):
    """Nobody is told that the certificate does not exist; its genuine token still says what it is."""
    token = app.token(number)
    about = "DELETE FROM {0} WHERE certificate_id IN (SELECT id FROM certificates WHERE number = :n)"
    attack(
        app.database,
        *(
            about.format(table)
            for table in ("suspensions", "certificate_search_terms", "certified_descriptions", "status_decisions")
        ),
        "DELETE FROM certificate_snapshots WHERE number = :n",
        "DELETE FROM certificates WHERE number = :n",
        *([] if with_log else ["DELETE FROM log_entries WHERE subject = :n"]),
        n=number,
    )
    with restarted(app) if restart else _same(app) as http:
        if http is None:
            return
        assert http.get(f"/v1/verify/{number}").status_code == REFUSED
        said = http.post("/v1/verify", json={"token": token})
        assert said.status_code == REFUSED or said.json()["verdict"] == "valid"
        assert http.get(f"/v1/certificates/{number}").status_code == REFUSED
        assert http.get(f"/v1/certificates/{number}/qr.svg").status_code == REFUSED


@pytest.mark.parametrize("column", ["issued_at", "status_since"])
def test_backdating(app, number, column):
    true = app.verify(number)
    attack(
        app.database,
        f"UPDATE certificates SET {column} = '2020-01-01 00:00:00', valid_until = '2039-01-01' WHERE number = :n",
        n=number,
    )
    drop_snapshot(app, number)
    assert app.verify(number) == true
    assert b"2020-01-01" not in b"".join(public_texts(app.http, number).values())
    assert b"2039-01-01" not in b"".join(public_texts(app.http, number).values())


def test_a_certificate_given_to_another_holder_s_page(app, number):
    other = app.set_up_company()
    theirs = app.certify(other)
    attack(
        app.database,
        "UPDATE certificates SET organisation_id = (SELECT organisation_id FROM certificates WHERE number = :t) "
        "WHERE number = :n",
        t=theirs, n=number,
    )  # fmt: skip
    page = app.http.get(f"/register/holders/{other.organisation_id}").text
    assert theirs in page
    assert number not in page


def test_a_token_in_the_place_of_another(app, number):
    other = app.certify(app.set_up_company())
    attack(
        app.database,
        "UPDATE certificates SET token = (SELECT c.token FROM certificates AS c WHERE c.number = :o) WHERE number = :n",
        n=number, o=other,
    )  # fmt: skip
    answer = app.http.get(f"/v1/certificates/{number}", headers={"Accept": "application/vc+jwt"})
    assert answer.status_code == REFUSED
    drop_snapshot(app, number)
    assert app.http.get(f"/v1/verify/{number}").status_code == REFUSED


def test_an_honest_change_after_an_attack_writes_over_it(app, number):
    held, _ = kept_rows(app, number)
    with app.database.write_engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM certificate_snapshots"))
    put_snapshot(app, held._replace(number=STRAY))
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
    assert app.verify(number)["verdict"] == "suspended"
    with app.database.read_session() as session:
        assert not snapshot_repository.by_number(session, [STRAY])
