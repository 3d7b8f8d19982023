"""A thousand certificates of one key, which was stolen at T: each side of T gets its verdict, and no date helps."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.certificates.certificate_number import CertificateNumber
from app.certificates.credential.untp_builder import CertificateContent
from app.certificates.model import Certificate
from app.core.actor import SYSTEM
from app.core.crypto import jws
from app.signing import issuer_identity, key_lifecycle
from app.signing.key_files import KeyFiles
from app.transparency import appender
from app.transparency.log_entry import Entry, LogEvent
from app.verification.evaluation import ProvenRecords, evaluate_items
from app.verification.request_parser import VerifyItem
from tests.helpers import keyring_of, verified_log
from tests.verification.factories import content_of, token_of

DID = "did:web:mark.example"
START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
STOLEN = START + timedelta(minutes=500)
COUNT = 1_000


def content(serial):
    number = str(CertificateNumber("MIK", 2026, serial))
    return content_of(number, product_names={"en": "Steel pipe"}, status_index=serial)


def row(signer, serial, issued_at):
    """A row as `issue` would write it, with ids of things that are not there: they are not what is tested here."""
    said = content(serial)
    token = token_of(signer, said)
    own = {
        name: getattr(said, name)
        for name in CertificateContent.__dataclass_fields__
        if name in Certificate.__mapper__.c
    }
    ids = ("id", "organisation_id", "product_id", "site_id", "application_id", "decision_id")
    return own | {name: uuid4() for name in ids} | {
        "year": 2026, "serial": serial, "status": "active", "status_since": issued_at, "status_reason": None,
        "kid": signer.kid, "token": token, "token_sha256": jws.signed_hash(token), "issued_at": issued_at,
        "search_text": "", "version": 1, "residency_id": None,
    }  # fmt: skip


def write(url, rows):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.execute(sa.insert(Certificate), rows)
    engine.dispose()


def enter(database, rows, at):
    with database.session() as session:
        for each in rows:
            event, number = LogEvent.CERTIFICATE_ISSUED, each["number"]
            appender.add_entry(session, Entry(event, at(each), number, sha256=each["token_sha256"], key=each["kid"]))
        session.commit()


@pytest.fixture
def stolen(database, tmp_path):
    """A register of a thousand, issued a minute apart, whose key is compromised since the 500th."""
    files = KeyFiles(tmp_path / "keys", DID)
    with database.session() as session:
        issuer_identity.set_issuer_once(session, DID, START)
        issuer_identity.register_keys(session, files, START)
        session.commit()
    signer = files.get_first_signer()
    rows = [row(signer, serial, START + timedelta(minutes=serial)) for serial in range(1, COUNT + 1)]
    late = [row(signer, COUNT + 1, START), row(signer, COUNT + 2, START)]  # made by the thief, with an early date
    write(database.url, rows + late)
    for start in range(0, COUNT, 250):
        enter(database, rows[start : start + 250], lambda each: each["issued_at"])
    enter(database, late[:1], lambda _: STOLEN + timedelta(days=1))  # slipped into the log; the other one not even that
    with database.session() as session:
        key_lifecycle.mark_key_compromised(session, SYSTEM, signer.kid, since=STOLEN, now=STOLEN + timedelta(days=2))
        session.commit()
    return signer, rows, late


def test_a_thousand_certificates_on_both_sides_of_the_theft(stolen, database):
    signer, rows, late = stolen
    ring = keyring_of(database)
    moment = STOLEN + timedelta(days=3)
    source = ProvenRecords(database, verified_log(database))

    def judge(kind, found):
        return evaluate_items(source, [VerifyItem(kind, each[kind]) for each in found], ring, moment)

    unrecorded = token_of(signer, content(COUNT + 9))
    expected = ["valid"] * 499 + ["forged"] * 501
    for kind in ("number", "token"):
        judged = judge(kind, rows)
        assert [each.verdict.value for each in judged] == expected
        for each in judged:
            failed = [check.name for check in each.checks if not check.passed]
            assert failed == ([] if each.verdict == "valid" else ["key_state"])
        thief = judge(kind, late)
        assert [each.verdict.value for each in thief] == ["forged", "forged"]
    assert judge("token", [{"token": unrecorded}])[0].verdict == "forged"
