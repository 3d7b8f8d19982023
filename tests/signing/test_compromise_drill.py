"""Many certificates of one key, which was stolen at T: each side of T gets its verdict, and no date helps.

Then the later half is signed anew under another key, in two runs of which the first is cut off.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.certificates import certificate_repository
from app.certificates.certificate_number import CertificateNumber
from app.certificates.credential.untp_builder import CertificateContent
from app.certificates.model import Certificate
from app.certificates.reissue.batches import ReissueContext, reissue_batch
from app.core.actor import SYSTEM
from app.core.crypto import jws
from app.signing import issuer_identity, key_lifecycle
from app.signing.key_files import KeyFiles
from app.signing.key_lifecycle import CorrectionReason
from app.transparency import appender
from app.transparency.log_entry import Entry, LogEvent
from app.verification.evaluation import ProvenRecords, evaluate_items
from app.verification.request_parser import VerifyItem
from tests.helpers import WHOLE, keyring_of, verified_log
from tests.verification.factories import content_of, token_of

pytestmark = pytest.mark.no_coverage
DID = "did:web:mark.example"
START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
COUNT = 1_000 if WHOLE else 300  # more than one tile of the log
HALF, LIMIT = COUNT // 2, COUNT * 2 // 5
STOLEN = START + timedelta(minutes=HALF)


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
def stolen(database, tmp_path, monkeypatch):
    """A register whose certificates were issued a minute apart and whose key is compromised since half of them."""
    monkeypatch.setattr("app.core.database.PAGE_ROWS", COUNT)  # not all fit on one page
    files = KeyFiles(tmp_path / "keys", DID)
    with database.session() as session:
        issuer_identity.set_issuer_once(session, DID, START)
        issuer_identity.register_keys(session, files, START)
        session.commit()
    signer = files.get_first_signer()
    rows = [row(signer, serial, START + timedelta(minutes=serial)) for serial in range(1, COUNT + 1)]
    late = [row(signer, COUNT + 1, START), row(signer, COUNT + 2, START)]  # made by the thief, with an early date
    write(database.url, rows + late)
    for start in range(0, COUNT, COUNT // 4):
        enter(database, rows[start : start + COUNT // 4], lambda each: each["issued_at"])
    enter(database, late[:1], lambda _: STOLEN + timedelta(days=1))  # slipped into the log; the other one not even that
    with database.session() as session:
        key_lifecycle.mark_key_compromised(session, SYSTEM, signer.kid, since=STOLEN, now=STOLEN + timedelta(days=2))
        session.commit()
    return signer, rows, late, files


def judge(database, kind, found, moment=STOLEN + timedelta(days=3)):
    source = ProvenRecords(database, verified_log(database))
    ring = keyring_of(database)
    return [
        each.verdict.value for each in evaluate_items(source, [VerifyItem(kind, f[kind]) for f in found], ring, moment)
    ]


VERDICTS = ["valid"] * (HALF - 1) + ["key_compromised"] * (HALF + 1)


def test_certificates_on_both_sides_of_the_theft(stolen, database):
    signer, rows, late, _ = stolen
    for kind in ("number", "token"):
        assert judge(database, kind, rows) == VERDICTS
        assert judge(database, kind, late) == ["key_compromised", "forged"]
    assert judge(database, "token", [{"token": token_of(signer, content(COUNT + 9))}]) == ["forged"]


def test_the_moment_of_the_compromise_is_corrected(stolen, database):
    """Verdicts follow the last entry, in either direction."""
    signer, rows, _, _ = stolen
    for since, valid in ((START + timedelta(minutes=COUNT - 99), COUNT - 100), (START + timedelta(minutes=101), 100)):
        with database.session() as session:
            key_lifecycle.correct_compromise(
                session, SYSTEM, signer.kid, since=since, reason=CorrectionReason.WRONG_ENTRY,
                now=STOLEN + timedelta(days=2),
            )  # fmt: skip
            session.commit()
        expected = ["valid"] * valid + ["key_compromised"] * (COUNT - valid)
        assert judge(database, "number", rows) == judge(database, "token", rows) == expected


def test_the_later_half_is_signed_anew(stolen, database):
    signer, rows, late, files = stolen
    new = files.create_key()
    moment = STOLEN + timedelta(days=2)
    with database.session() as session:
        key_lifecycle.publish_key(session, SYSTEM, new, moment)
        session.commit()
        key_lifecycle.activate_key(session, SYSTEM, new.kid, at_once=True, now=moment + timedelta(minutes=1))
        session.commit()
    made_up = {each["number"] for each in late}

    def named(_session, found):
        return {each.number: ["No decision."] for each in found if each.number in made_up}

    log = verified_log(database)
    context = ReissueContext(log, keyring_of(database), lambda _session: new, named)

    def run(batches, after=None, **changed):
        done = []
        for _ in range(batches):
            with database.session() as session:
                batch = reissue_batch(
                    session, SYSTEM, signer.kid, context, after=after, limit=LIMIT, now=moment + timedelta(hours=1),
                    **{"is_dry_run": False} | changed,
                )  # fmt: skip
                done += [each.number for each in batch.reissued]
                skipped.update(batch.skipped)
                session.commit()
            after = batch.after
            log.refresh(force=True)
            if after is None:
                break
        return done

    skipped = {}
    hit = [each["number"] for each in rows[HALF - 1 :]]
    assert sorted(run(9, is_dry_run=True)) == sorted(hit)
    first, second = run(2), run(9)
    assert sorted(first + second) == sorted(hit)
    assert first and second and run(9) == []
    assert skipped == {late[0]["number"]: "No decision.", late[1]["number"]: "Its issue is not in the log."}
    assert judge(database, "number", rows) == ["valid"] * COUNT
    assert judge(database, "token", rows) == ["valid"] * (HALF - 1) + ["superseded"] * (HALF + 1)
    assert judge(database, "number", late) == ["key_compromised", "forged"]
    with database.read_session() as session:
        texts = certificate_repository.reissued_tokens(session, hit)
    anew = [{"token": text} for number in hit for text in texts[number]]
    assert judge(database, "token", anew) == ["valid"] * (HALF + 1)
    keys = {new.kid: new.public, signer.kid: signer.public}
    payloads = [jws.verify(each["token"], typ="vc+jwt", keys=keys).payload for each in (rows[HALF - 1], anew[0])]
    assert payloads[0] == payloads[1]
    with database.session() as session:  # the moment proves later: what was signed anew stays the one that counts
        key_lifecycle.correct_compromise(
            session, SYSTEM, signer.kid, since=START + timedelta(days=2), reason=CorrectionReason.LATER_ACCESS,
            now=moment + timedelta(hours=2),
        )  # fmt: skip
        session.commit()
    assert judge(database, "number", rows) == ["valid"] * COUNT
    assert judge(database, "token", rows)[HALF - 1 :] == ["superseded"] * (HALF + 1)
