"""Surrender during an investigation, the frozen description, and matters, below the API."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.audit.model import AuditEvent
from app.certificates import certificate_repository, matter_repository, matters, status_service
from app.certificates.model import (
    CAUSES_BY_KIND,
    INVESTIGATION_CAUSES,
    CertifiedDescription,
    Matter,
    MatterCause,
    MatterKind,
    MatterOutcome,
    RevocationReason,
    SuspensionCause,
)
from app.core.actor import Role
from app.core.database import new_id
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion, WrongState
from app.transparency import log_repository
from app.transparency.log_entry import LogEvent
from tests.organisations.factories import NOW, TODAY, CertifiedResidents, member, register, staff


@pytest.fixture
def certified(session):
    return CertifiedResidents(session)


def surrender(certified, certificate):
    holder = member(certified.user)
    return status_service.surrender(
        certified.session, holder, certificate.number, version=certificate.version, now=NOW
    ).during_investigation


def logged(certified, certificate):
    """What the log says of the surrender."""
    certified.session.commit()
    about = log_repository.find_entries_about(certified.session, LogEvent.CERTIFICATE_SURRENDERED, [certificate.number])
    return b'"during_investigation":true' in about[certificate.number]


@pytest.mark.parametrize("cause", SuspensionCause)
def test_a_surrender_while_suspended_for_cause_is_during_an_investigation(certified, cause):
    status_service.suspend(certified.session, certified.owner, certified.first, cause=cause, note=None, now=NOW)
    is_asked = cause not in {SuspensionCause.RESIDENCY, SuspensionCause.HOLDER}
    assert surrender(certified, certified.first) is is_asked
    assert certified.first.status == "surrendered"
    assert logged(certified, certified.first) is is_asked
    assert set(certificate_repository.open_suspensions(certified.session, certified.first.id)) == (
        {cause} if is_asked else set()
    )
    event = certified.session.query(AuditEvent).filter_by(event="certificate.surrendered").one()
    assert event.data.get("during_investigation") is (True if is_asked else None)


def test_only_what_asks_stays_open(certified):
    for cause in (SuspensionCause.HOLDER, SuspensionCause.RESIDENCY, SuspensionCause.COURT):
        status_service.suspend(certified.session, certified.owner, certified.first, cause=cause, note=None, now=NOW)
    assert surrender(certified, certified.first)
    assert set(certificate_repository.open_suspensions(certified.session, certified.first.id)) == {
        SuspensionCause.COURT
    }


@pytest.mark.parametrize(("outcome", "is_asked"), [(None, True), (MatterOutcome.UNFOUNDED, False)])
def test_a_surrender_under_a_matter(certified, outcome, is_asked):
    matter = matters.open_matter(
        certified.session, certified.registrar, certified.first, MatterCause.STAGE_BACK, now=NOW
    )
    if outcome:
        close(certified, matter, outcome=outcome)
    assert surrender(certified, certified.first) is is_asked
    assert logged(certified, certified.first) is is_asked
    assert not surrender(certified, certified.second)


def test_it_can_be_revoked_while_the_inquiry_goes_on_and_only_then(certified):
    status_service.suspend(
        certified.session, certified.owner, certified.first, cause=SuspensionCause.HEARING, note=None, now=NOW
    )
    surrender(certified, certified.first)
    surrender(certified, certified.second)
    revoked = status_service.revoke(
        certified.session,
        certified.owner,
        certified.first.number,
        reason=RevocationReason.FALSE_DOCUMENTS,
        version=certified.first.version,
        now=NOW,
    )
    assert (revoked.status, revoked.status_reason, revoked.during_investigation) == (
        "revoked",
        "false-documents",
        True,
    )
    assert certificate_repository.open_suspensions(certified.session, certified.first.id) == {}
    certified.session.commit()
    assert (
        log_repository.get_last_events(certified.session, [certified.first.number])[certified.first.number][0]
        == "certificate.revoked"
    )
    with pytest.raises(WrongState):
        status_service.revoke(
            certified.session,
            certified.owner,
            certified.second.number,
            reason=RevocationReason.FALSE_DOCUMENTS,
            version=certified.second.version,
            now=NOW,
        )


def test_a_cause_that_ends_after_the_surrender_brings_nothing_back(certified):
    for cause in (SuspensionCause.HEARING, SuspensionCause.DOCUMENT):
        status_service.suspend(certified.session, certified.owner, certified.first, cause=cause, note=None, now=NOW)
    surrender(certified, certified.first)
    certified.session.commit()
    for cause in (SuspensionCause.HEARING, SuspensionCause.DOCUMENT):
        assert status_service.end_suspension_cause(
            certified.session, certified.owner, certified.first, cause=cause, now=NOW
        )
        assert (certified.first.status, certified.first.status_reason) == ("surrendered", "holder")
    certified.session.commit()
    assert (
        log_repository.get_last_events(certified.session, [certified.first.number])[certified.first.number][0]
        == "certificate.surrendered"
    )
    events = certified.session.query(AuditEvent.event).order_by(AuditEvent.seq.desc()).limit(2)
    assert [row[0] for row in events] == ["certificate.suspension_narrowed"] * 2
    assert not status_service.end_suspension_cause(
        certified.session, certified.owner, certified.first, cause=SuspensionCause.HEARING, now=NOW
    )


def test_every_cause_belongs_to_a_kind():
    assert {cause for causes in CAUSES_BY_KIND.values() for cause in causes} == set(MatterCause)
    assert CAUSES_BY_KIND.keys() == set(MatterKind) == matters.NEEDS_REASON.keys()
    assert set(SuspensionCause) - INVESTIGATION_CAUSES == {SuspensionCause.RESIDENCY, SuspensionCause.HOLDER}


def report(certified, certificate=None, **changed):
    said = {"what": MatterCause.SUPPLIER, "text": "Another mill.", "on": TODAY, "now": NOW}
    number = (certificate or certified.first).number
    return matters.report_change(certified.session, said.pop("actor", member(certified.user)), number, **said | changed)


def close(certified, matter, actor=None, **changed):
    said = {"outcome": MatterOutcome.CORRECTED, "reason": "Put right.", "revocation_reason": None, "now": NOW}
    said |= {"version": matter.version}
    return matters.close_matter(certified.session, actor or certified.owner, matter.id, **said | changed)


def test_a_report_opens_and_a_closing_ends(certified, session):
    matter = report(certified)
    assert (matter.kind, matter.cause, matter.state, matter.text) == ("change", "supplier", "open", "Another mill.")
    assert (matter.opened_by, matter.details) == (certified.user.id, {"on": TODAY.isoformat()})
    assert certified.first.status == "active"
    closed, certificate = close(certified, matter)
    assert (closed.state, closed.outcome, closed.closed_by, closed.version) == (
        "closed",
        "corrected",
        certified.owner.id,
        2,
    )
    assert certificate is certified.first
    session.commit()
    opened, ended = session.query(AuditEvent).filter(AuditEvent.event.like("matter.%")).order_by(AuditEvent.seq)
    same = {"certificate": certified.first.number, "kind": "change", "cause": "supplier"}
    assert (opened.event, opened.data) == ("matter.opened", same)
    assert (ended.event, ended.data) == ("matter.closed", same | {"outcome": "corrected"})
    with pytest.raises(WrongState):
        close(certified, matter)


def test_what_a_closing_must_name(certified, session):
    lost = matters.open_matter(session, certified.registrar, certified.first, MatterCause.STAGE_BACK, now=NOW)
    change = report(certified)
    session.commit()
    with pytest.raises(Invalid):
        close(certified, lost, outcome=MatterOutcome.UPHELD)
    with pytest.raises(Invalid):
        close(certified, lost, revocation_reason=RevocationReason.BANKRUPTCY)
    with pytest.raises(StaleVersion):
        close(certified, lost, version=9)
    for actor in (member(certified.user), staff(session, Role.REVIEWER, "reviewer"), staff(session, Role.AUDITOR, "a")):
        with pytest.raises(Forbidden):
            close(certified, lost, actor)
    session.refresh(lost)
    assert lost.state == "open"
    upheld, _ = close(
        certified,
        lost,
        certified.registrar,
        outcome=MatterOutcome.UPHELD,
        revocation_reason=RevocationReason.RESIDENCY_CANCELLED,
    )
    assert (upheld.revocation_reason, certified.first.status) == ("residency-cancelled", "active")
    assert close(certified, change, outcome=MatterOutcome.UPHELD)[0].revocation_reason is None


def test_who_may_report_and_of_what(certified, session):
    stranger = member(register(session, "0010000361")[1])
    with pytest.raises(NotFound):
        matters.load_for_change_report(session, stranger, certified.first.number, TODAY)
    with pytest.raises(NotFound):
        matters.load_for_change_report(session, member(certified.user), "MIK-2026-999999", TODAY)
    with pytest.raises(Forbidden):
        matters.load_for_change_report(session, certified.owner, certified.first.number, TODAY)
    with pytest.raises(Invalid):
        report(certified, what=MatterCause.EVIDENCE_FALSE)
    surrender(certified, certified.first)
    with pytest.raises(WrongState):
        report(certified)
    with pytest.raises(WrongState) as expired:
        report(certified, certified.second, now=NOW + timedelta(days=5_000))
    assert expired.value.data["state"] == "expired"


def test_reports_without_end_are_refused(certified, session, monkeypatch):
    monkeypatch.setattr(matters, "MAX_OPEN_CHANGES", 2)
    first, _ = report(certified), report(certified)
    with pytest.raises(Conflict) as refused:
        report(certified)
    assert refused.value.refusal_code == "too-many-changes"
    close(certified, first)
    assert report(certified)


def again(session, matter):
    """The same matter once more, past the service."""
    same = {column.key: getattr(matter, column.key) for column in Matter.__table__.columns}
    with session.begin_nested():
        session.execute(sa.insert(Matter.__table__).values(same | {"id": new_id()}))


def test_of_one_subject_one_is_open_and_the_database_says_so(certified, session):
    about = {"subject": "evidence:x", "now": NOW}
    first = matters.open_matter(session, certified.registrar, certified.first, MatterCause.EVIDENCE_FALSE, **about)
    assert (
        matters.open_matter(session, certified.registrar, certified.first, MatterCause.EVIDENCE_FALSE, **about) is None
    )
    assert matters.open_matter(session, certified.registrar, certified.second, MatterCause.EVIDENCE_FALSE, **about)
    assert matters.open_matter(session, certified.registrar, certified.first, MatterCause.EVIDENCE_ENDED, **about)
    with pytest.raises(sa.exc.IntegrityError):
        again(session, first)
    close(certified, first, outcome=MatterOutcome.UNFOUNDED)
    assert matters.open_matter(session, certified.registrar, certified.first, MatterCause.EVIDENCE_FALSE, **about)


def test_what_was_certified_is_never_rewritten(certified, session):
    session.add(CertifiedDescription(certificate_id=certified.first.id, content={"v": 1}, sha256="x", frozen_at=NOW))
    session.commit()
    replace = "INSERT OR REPLACE" if session.get_bind().dialect.name == "sqlite" else None
    deeds = [
        "UPDATE certified_descriptions SET sha256 = 'y'",
        "DELETE FROM certified_descriptions",
        f"{replace} INTO certified_descriptions SELECT * FROM certified_descriptions"
        if replace
        else "TRUNCATE certified_descriptions",
    ]
    for deed in deeds:
        with pytest.raises(sa.exc.DBAPIError, match="never changed"), session.begin_nested():
            session.execute(sa.text(deed))
    assert session.query(CertifiedDescription).one().sha256 == "x"


def test_unreported_certificates_of_a_product_and_a_site(certified, session):
    first = certified.first
    product, site = {"product_id": first.product_id}, {"site_id": first.site_id}
    for about in (product, site):
        assert matter_repository.numbers_without_reported_change(session, TODAY, **about) == [first.number]
        assert matter_repository.numbers_without_reported_change(session, TODAY + timedelta(days=5_000), **about) == ()
    matters.open_matter(session, certified.registrar, first, MatterCause.STAGE_BACK, now=NOW)
    assert matter_repository.numbers_without_reported_change(session, TODAY, **product) == [
        first.number
    ]  # nobody reported a change
    change = report(certified)
    for about in (product, site):
        assert matter_repository.numbers_without_reported_change(session, TODAY, **about) == []
    close(certified, change)
    assert matter_repository.numbers_without_reported_change(session, TODAY, **site) == [first.number]
    surrender(certified, first)
    assert matter_repository.numbers_without_reported_change(session, TODAY, **site) == ()
