"""What checks print is written with every change of a certificate, and made anew where it is missing."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.bootstrap import prepare
from app.certificates import status_service
from app.certificates.model import Certificate, CertificateSnapshot
from app.certificates.read_model import projector, snapshot_repository
from app.core.errors import Unavailable
from app.core.text.marking import Marking
from app.verification.request_parser import VerifyItem
from app.verification.response import encode, verdict_in


@pytest.fixture
def number(shared_app):
    return shared_app.certify()


def of(app, number):
    """The answer that the register holds, and the one that token and log give."""
    with app.database.read_session() as session:
        held = snapshot_repository.by_number(session, [number]).get(number)
    proven = app.container.verification.verify_many_sync([VerifyItem("number", number)])[0]
    return held and (held.body, held.signed_hash.hex()), (
        encode(proven, app.settings.base_url, marking=Marking.DEMO),
        proven.record.token_sha256,
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
        seen.add(verdict_in(held[0]))
    assert seen == {"valid", "suspended", "revoked"}


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
    assert renew(shared_app) == 5
    for number in numbers:
        held, says = of(shared_app, number)
        assert held == says
    assert renew(shared_app) == 0


def renew(app):
    writer = app.database.session().info[projector.WRITER_KEY]
    with app.database.session() as session:
        count = writer.renew(session, app.clock())
        session.commit()
    return count


def test_a_stray_row_blocks_no_honest_one(shared_app, number):
    """Rows with the hash, or the number, of another certificate give way."""
    with shared_app.database.session() as session:
        held = snapshot_repository.by_number(session, [number])[number]
        session.execute(sa.delete(CertificateSnapshot).where(CertificateSnapshot.number == number))
        session.execute(sa.insert(CertificateSnapshot).values(held._replace(number="x")._asdict()))
        session.commit()
    shared_app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
    held, says = of(shared_app, number)
    assert held == says
    assert verdict_in(held[0]) == "suspended"


def test_one_whose_time_has_passed_is_written_anew(shared_app, number):
    last = shared_app.clock()
    shared_app.clock.now = last + timedelta(days=5000)
    assert shared_app.anonymous.get(f"/v1/verify/{number}").json()["verdict"] == "expired"
    assert renew(shared_app) > 0
    held, says = of(shared_app, number)
    assert held == says
    shared_app.clock.now = last
    renew(shared_app)


def test_all_are_written_anew_under_another_key(shared_app, number):
    key = shared_app.settings.snapshots_key
    kept = key.read_text()
    key.write_text("ab" * 32)
    prepare(shared_app.settings, shared_app.clock())
    with shared_app.database.read_session() as session:
        other = snapshot_repository.by_number(session, [number])[number]
    assert not shared_app.container.verification.check.key.is_genuine(other)
    key.write_text(kept)
    prepare(shared_app.settings, shared_app.clock())
    held, says = of(shared_app, number)
    assert held == says


def test_a_failed_deed_keeps_it(shared_app, number, monkeypatch):
    before, owner = of(shared_app, number), shared_app.owner

    def fail(*_args, **_kwargs):
        raise Unavailable("Not now.")

    monkeypatch.setattr(status_service.recorder, "record", fail)
    path = f"/v1/certificates/{number}/suspend"
    assert owner.post(path, version="now", json={"cause": "hearing"}).status_code == 503
    assert of(shared_app, number) == before
