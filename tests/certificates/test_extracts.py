"""What checks print is written with every change of a certificate, and made anew where it is missing."""

import pytest
import sqlalchemy as sa

from app.bootstrap import prepare
from app.certificates import status_service
from app.certificates.model import Certificate, CertificateSnapshot
from app.certificates.read_model import projector, snapshot
from app.certificates.read_model.record import CertificateRecord
from app.core.errors import Unavailable
from app.transparency import log_repository


@pytest.fixture
def number(shared_app):
    return shared_app.certify()


def of(app, number):
    """What the register holds as extract, and what its certificate says."""
    with app.database.read_session() as session:
        row = session.get(CertificateSnapshot, number)
        certificate = session.scalars(sa.select(Certificate).where(Certificate.number == number)).one()
        record = CertificateRecord.from_row(certificate, log_repository.find_issue_entry(session, number))
        return row and (bytes(row.content), row.signed_hash.hex()), (
            snapshot.serialize(record),
            certificate.token_sha256,
        )


def drop(app, *numbers):
    with app.database.session() as session:
        session.execute(sa.delete(CertificateSnapshot).where(CertificateSnapshot.number.in_(numbers)))
        session.commit()


def test_every_deed_leaves_one_that_says_what_the_row_says(shared_app, number):
    deeds = [
        ("suspend", {"cause": "hearing"}), ("suspend", {"cause": "surveillance"}), ("reinstate", {"cause": "hearing"}),
        ("reinstate", {"cause": "surveillance"}), ("suspend", {"cause": "hearing"}),
        ("revoke", {"reason": "false-documents"}),
    ]  # fmt: skip
    seen = set()
    for deed, body in [(None, None), *deeds]:
        if deed:
            shared_app.change_status(number, deed, body)
        held, says = of(shared_app, number)
        assert held == says
        seen.add(held[0].split(b"\n")[0].split(b" ")[2])
    assert seen == {b"active", b"suspended", b"revoked"}


def test_what_is_taken_back_leaves_it_as_it_was(shared_app, number):
    before = of(shared_app, number)
    with shared_app.database.session() as session:
        certificate = session.scalars(sa.select(Certificate).where(Certificate.number == number)).one()
        certificate.status = "revoked"
        projector.mark_dirty(session, certificate)
        session.rollback()
        session.commit()
    assert of(shared_app, number) == before


def test_one_that_is_missing_changes_no_answer_and_is_made_at_the_next_start(shared_app, number):
    token = shared_app.anonymous.get(f"/v1/certificates/{number}").text
    ways = [
        lambda: shared_app.anonymous.get(f"/v1/verify/{number}"),
        lambda: shared_app.anonymous.post("/v1/verify", json={"token": token}),
        lambda: shared_app.anonymous.post("/v1/verify/batch", json={"items": [{"number": number}, {"token": token}]}),
    ]
    answers = [way().content for way in ways]
    drop(shared_app, number)
    assert [way().content for way in ways] == answers
    prepare(shared_app.settings, shared_app.clock())
    held, says = of(shared_app, number)
    assert held == says


def test_those_that_are_missing_are_made_page_by_page(shared_app, monkeypatch):
    monkeypatch.setattr("app.certificates.read_model.snapshot_repository.PAGE_ROWS", 2)
    numbers = [shared_app.certify() for _ in range(5)]
    drop(shared_app, *numbers)
    with shared_app.database.session() as session:
        assert projector.backfill(session) == 5
        session.commit()
    for number in numbers:
        held, says = of(shared_app, number)
        assert held == says
    with shared_app.database.session() as session:
        assert projector.backfill(session) == 0


def test_a_failed_deed_keeps_it(shared_app, number, monkeypatch):
    before, owner = of(shared_app, number), shared_app.owner

    def fail(*_args, **_kwargs):
        raise Unavailable("Not now.")

    monkeypatch.setattr(status_service.recorder, "record", fail)
    path = f"/v1/certificates/{number}/suspend"
    assert owner.post(path, version="now", json={"cause": "hearing"}).status_code == 503
    assert of(shared_app, number) == before
