"""A lost residency suspends its certificates in the same transaction; a restored one lifts that cause and no other."""

import threading
from copy import copy
from datetime import timedelta

import pytest

from app.audit.model import AuditEvent
from app.certificates import certificate_repository, residency_cascade, status_service
from app.certificates.model import Certificate, Matter, RevocationReason, SuspensionCause
from app.core.actor import SYSTEM
from app.core.errors import Forbidden, Invalid, StaleVersion, WrongState
from app.organisations import organisation_repository
from app.organisations.model import ProductionStage, RegisterImport, Residency, ResidencyStatus
from app.organisations.residency_transitions import ResidencyDetails
from app.organisations.residency_workflow import ResidencyAction
from tests.organisations.factories import NOW, TODAY, VOENS, CertifiedResidents, add_park, member, register
from tests.transparency.helpers import disarm_certificates


@pytest.fixture
def certified(session):
    return CertifiedResidents(session)


def effects(certificates_of_report):
    found = [
        each.as_json() if isinstance(each, residency_cascade.CertificateEffect) else each
        for each in certificates_of_report
    ]
    return {each["number"]: each["action"] for each in found}


ACTIVE = ["active"] * 4
HIT = ["suspended", "suspended", "active", "active"]


@pytest.mark.parametrize("how", [ResidencyAction.END, ResidencyAction.CANCEL])
def test_lost_by_hand_and_restored(certified, session, how):
    report = certified.close(how)
    assert effects(report.certificates) == {certified.first.number: "suspended", certified.second.number: "suspended"}
    assert (certified.states(), certified.first.status_reason, certified.first.version) == (HIT, "residency", 2)
    assert report.as_json()["kind"] == "lost"
    events = session.query(AuditEvent).filter_by(event="certificate.suspended").all()
    assert {e.subject_id for e in events} == {certified.first.number, certified.second.number}
    report = certified.restore()
    assert effects(report.certificates) == {certified.first.number: "reinstated", certified.second.number: "reinstated"}
    assert (certified.states(), certified.first.status_reason) == (ACTIVE, None)


def test_residency_and_certificates_change_together_or_not_at_all(certified, session):
    certified.close()
    session.rollback()
    session.expire_all()
    assert (certified.residency.cancelled_on, certified.states()) == (None, ACTIVE)
    assert session.query(AuditEvent).filter(AuditEvent.event.like("%.cancelled")).count() == 0


def test_dry_runs_foretell_the_same_and_change_nothing(certified):
    before = certified.rows()
    dry = certified.close(dry_run=True)
    assert certified.rows() == before
    assert certified.close() == dry
    before = certified.rows()
    dry = certified.restore(dry_run=True)
    assert certified.rows() == before
    assert certified.restore() == dry


def test_by_import(certified, session):
    before = certified.rows()
    foretold = certified.import_register("cancelled", dry_run=True)
    assert certified.rows() == before
    report = certified.import_register("cancelled")
    assert effects(report["certificates"]) == {
        certified.first.number: "suspended",
        certified.second.number: "suspended",
    }
    assert foretold | {"dry_run": False, "import_id": report["import_id"]} == report
    assert certified.states() == HIT
    assert session.query(RegisterImport).one().report == report
    again = certified.import_register("cancelled")
    assert (again["import_id"], again["certificates"]) == (None, [])
    foretold = certified.import_register("resident", dry_run=True)
    assert certified.states() == HIT
    back = certified.import_register("resident")
    assert back["certificates"] == foretold["certificates"]
    assert effects(back["certificates"]) == {
        certified.first.number: "reinstated",
        certified.second.number: "reinstated",
    }
    assert certified.states() == ACTIVE


def seen(report):
    """Number and action in their order, with the cause of a matter."""
    return [(each["number"], each["action"], each.get("cause")) for each in report["certificates"]]


def matters_of(session):
    session.commit()
    return {(session.get(Certificate, m.certificate_id).number, m.cause) for m in session.query(Matter)}


def events_about(session, number):
    query = session.query(AuditEvent).filter_by(subject_type="certificate", subject_id=number)
    return [row.event for row in query.order_by(AuditEvent.seq)]


def test_a_change_of_status_suspends_and_reinstates_and_opens_a_matter(certified, session):
    """The certificate rests on a party of the park: resident or not, it is one all the time."""
    certified.import_register("resident")
    foretold = certified.import_register("non_resident", dry_run=True)
    away = certified.import_register("non_resident")
    assert seen(away) == seen(foretold)
    own = [certified.first.number, certified.second.number]
    assert [each for each in seen(away) if each[0] == own[0]] == [
        (own[0], "suspended", None),
        (own[0], "reinstated", None),
        (own[0], "matter_opened", "non_resident"),
    ]
    assert events_about(session, own[0])[-2:] == ["certificate.suspended", "certificate.reinstated"]
    assert (certified.states(), matters_of(session)) == (ACTIVE, {(number, "non_resident") for number in own})
    later = session.query(Residency).filter_by(status="non_resident").one()
    third = certified.certificate(certified.company_id, later)
    session.commit()
    certified.import_register("resident")
    assert (certified.states(), third.status) == (ACTIVE, "active")
    certified.import_register("non_resident")  # granted to a non-resident: nothing is lost for the third
    assert third.number not in {number for number, _ in matters_of(session)}
    assert session.query(Matter).count() == 2  # one for each, still open


def begin(certified, **changed):
    details = {
        "status": ResidencyStatus.RESIDENT,
        "holder_voen": VOENS[0],
        "registration_no": "AGSP-R-2026-900",
        "starts_on": TODAY,
    }
    _, report = residency_cascade.begin_residency(
        certified.session,
        certified.registrar,
        organisation_id=certified.company_id,
        park_code="AGDAM-SP",
        details=ResidencyDetails(**(details | changed)),
        now=NOW,
    )
    return report


def test_a_new_number_from_the_same_day_lifts_what_the_end_of_the_old_one_suspended(certified, session):
    """Case lost-ground-01."""
    certified.close(ResidencyAction.END)
    assert certified.states() == HIT
    report = begin(certified)
    assert effects(report.certificates) == {certified.first.number: "reinstated", certified.second.number: "reinstated"}
    assert certified.states() == ACTIVE
    assert events_about(session, certified.first.number) == ["certificate.suspended", "certificate.reinstated"]
    assert matters_of(session) == set()


def test_a_new_period_of_a_non_resident_lifts_and_opens_a_matter(certified, session):
    certified.close(ResidencyAction.END)
    begin(certified, status=ResidencyStatus.NON_RESIDENT)
    assert certified.states() == ACTIVE
    assert matters_of(session) == {(c.number, "non_resident") for c in (certified.first, certified.second)}


def test_the_period_of_another_park_or_company_lifts_nothing(certified, session):
    add_park(session, "JABRAYIL-IP", "Cəbrayıl")
    certified.close(ResidencyAction.END)
    details = ResidencyDetails(status=ResidencyStatus.RESIDENT, holder_voen=VOENS[0], starts_on=TODAY)
    other, _ = register(session, VOENS[2])
    other.status = "listed"  # a claim has no residency
    for company, park in ((certified.company_id, "JABRAYIL-IP"), (other.id, None)):
        _, report = residency_cascade.begin_residency(
            session,
            certified.registrar,
            organisation_id=company,
            park_code=park or "AGDAM-SP",
            details=details,
            now=NOW,
        )
        assert report.certificates == ()
    assert certified.states() == HIT


def test_a_period_that_begins_later_lifts_on_its_first_day(certified, session):
    certified.close(ResidencyAction.END)
    tomorrow = TODAY + timedelta(days=1)
    report = begin(certified, starts_on=tomorrow)
    assert (report.certificates, certified.states()) == ((), HIT)
    assert certificate_repository.returned_residency_ids(session, TODAY) == []
    (due,) = certificate_repository.returned_residency_ids(session, tomorrow)
    then = NOW + timedelta(days=1)
    for dry_run in (True, False):
        hits = residency_cascade.activate_residency(session, SYSTEM, residency_id=due, dry_run=dry_run, now=then)
        assert effects(hits) == {certified.first.number: "reinstated", certified.second.number: "reinstated"}
    assert certified.states() == ACTIVE
    assert certificate_repository.returned_residency_ids(session, tomorrow) == []
    assert residency_cascade.activate_residency(session, SYSTEM, residency_id=due, dry_run=False, now=then) == ()


def test_a_known_end_takes_nothing_from_who_has_another_period(certified, session):
    certified.residency.ends_on = TODAY
    session.commit()
    begin(certified)
    then = NOW + timedelta(days=1)
    assert certificate_repository.expired_residency_ids(session, TODAY + timedelta(days=1)) == []
    assert (
        residency_cascade.expire_residency(
            session, SYSTEM, residency_id=certified.residency.id, dry_run=False, now=then
        )
        == ()
    )
    certified.close_all(session, TODAY - timedelta(days=1))
    assert certificate_repository.expired_residency_ids(session, TODAY) == [certified.residency.id]
    hits = residency_cascade.expire_residency(
        session, SYSTEM, residency_id=certified.residency.id, dry_run=False, now=NOW
    )
    assert effects(hits) == {certified.first.number: "suspended", certified.second.number: "suspended"}
    assert certificate_repository.expired_residency_ids(session, TODAY) == []


def test_a_stage_that_goes_back_opens_a_matter_once(certified, session):
    def stage(to):
        session.commit()
        return residency_cascade.update_stage(
            session,
            certified.registrar,
            residency_id=certified.residency.id,
            version=certified.residency.version,
            stage=to,
            now=NOW,
        )

    assert stage(ProductionStage.CONSTRUCTION).certificates == ()  # nothing was said before
    assert stage(ProductionStage.OPERATING).certificates == ()
    hits = stage(ProductionStage.CONSTRUCTION).certificates
    assert effects(hits) == {certified.first.number: "matter_opened", certified.second.number: "matter_opened"}
    assert (certified.states(), matters_of(session)) == (
        ACTIVE,
        {(c.number, "stage_back") for c in (certified.first, certified.second)},
    )
    stage(ProductionStage.OPERATING)
    assert stage(ProductionStage.PLANNED).certificates == ()  # open already
    assert session.query(Matter).count() == 2
    (event, _) = session.query(AuditEvent).filter_by(event="matter.opened").order_by(AuditEvent.seq)
    assert event.data["cause"] == "stage_back"
    assert event.data["about"] == f"residency:{certified.residency.id}"


def test_an_import_that_takes_a_stage_back_opens_a_matter(certified, session):
    certified.residency.stage = "operating"
    session.commit()
    foretold = certified.import_register("resident", stage="construction", dry_run=True)
    assert matters_of(session) == set()
    report = certified.import_register("resident", stage="construction")
    assert seen(report) == seen(foretold)
    assert {cause for _, _, cause in seen(report)} == {"stage_back"}
    assert len(matters_of(session)) == 2
    assert certified.import_register("resident", stage="construction")["certificates"] == []


def test_a_final_certificate_gets_no_matter(certified, session):
    status_service.surrender(session, member(certified.user), certified.first.number, version=1, now=NOW)
    disarm_certificates(session.connection())
    certified.second.valid_until = TODAY - timedelta(days=1)
    certified.second.valid_from = TODAY - timedelta(days=9)
    certified.residency.stage = "operating"
    session.commit()
    report = certified.import_register("resident", stage="construction")
    assert (report["certificates"], matters_of(session)) == ([], set())


def test_one_wrong_line_suspends_nothing(certified):
    wrong = ["R2,Başqa,Other,MMC,12,AGDAM-SP,Ağdam,AZ-AGM,QARABAG,resident,X,"]
    report = certified.import_register("cancelled", extra=wrong, dry_run=True)
    assert (report["certificates"], report["totals"]["errors"]) == ([], 1)
    with pytest.raises(Invalid):
        certified.import_register("cancelled", extra=wrong)
    certified.session.rollback()
    assert certified.states() == ACTIVE


def test_other_causes_stay(certified, session):
    suspend = {"cause": SuspensionCause.SURVEILLANCE, "note": None, "now": NOW}
    status_service.suspend(session, certified.owner, certified.first, **suspend)
    report = certified.close()
    assert effects(report.certificates) == {certified.first.number: "cause_added", certified.second.number: "suspended"}
    assert set(certificate_repository.open_suspensions(session, certified.first.id)) == {"residency", "surveillance"}
    report = certified.restore()
    assert effects(report.certificates) == {
        certified.first.number: "cause_lifted",
        certified.second.number: "reinstated",
    }
    assert certified.states() == ["suspended", "active", "active", "active"]
    assert certified.first.status_reason == "surveillance"
    status_service.end_suspension_cause(
        session, certified.owner, certified.first, cause=SuspensionCause.SURVEILLANCE, now=NOW
    )
    assert certified.states() == ACTIVE


def test_final_certificates_are_left_in_peace(certified, session):
    status_service.revoke(
        session, certified.owner, certified.first.number, reason=RevocationReason.COURT_ORDER, version=1, now=NOW
    )
    report = certified.close()
    assert effects(report.certificates) == {certified.second.number: "suspended"}
    status_service.surrender(session, member(certified.user), certified.second.number, version=2, now=NOW)
    assert certified.restore().certificates == ()
    assert certified.states()[:2] == ["revoked", "surrendered"]


def test_restoring_lifts_only_what_it_caused(certified):
    """A certificate granted after the loss, or set free otherwise, has no cause to lift."""
    certified.close()
    late = certified.certificate(certified.company_id, certified.residency)
    report = certified.restore()
    assert late.number not in effects(report.certificates)
    assert late.status == "active"


def test_refusals_leave_the_certificates_alone(certified):
    for dry_run in (True, False):
        with pytest.raises(Forbidden):
            certified.close(actor=certified.owner, dry_run=dry_run)
        with pytest.raises(Forbidden):
            certified.import_register("cancelled", actor=certified.owner, dry_run=dry_run)
        with pytest.raises(StaleVersion):
            certified.close(version=9, dry_run=dry_run)
        with pytest.raises(WrongState):
            certified.restore(version=1, dry_run=dry_run)
    assert certified.states() == ACTIVE


def by_hand(session, certified):
    certified.session = session
    return [hit.as_json() for hit in certified.close().certificates]


def by_import(session, certified):
    certified.session = session
    return certified.import_register("cancelled")["certificates"]


@pytest.mark.parametrize("cancel", [by_hand, by_import])
def test_a_certificate_granted_at_the_same_moment_is_not_missed(database, cancel):
    """Who grants holds the residency: a cancellation waits, without a deadlock, and then finds the new certificate."""
    with database.session() as granting, database.session() as cancelling:
        certified = CertifiedResidents(granting)
        organisation_repository.find_latest_residency(granting, certified.company_id, "AGDAM-SP", for_share=True)
        other = copy(certified)
        hits = []

        def work():
            hits.extend(cancel(cancelling, other))
            cancelling.commit()

        registrar = threading.Thread(target=work)
        registrar.start()
        registrar.join(timeout=0.3)
        assert registrar.is_alive()  # it waits
        late = certified.certificate(certified.company_id, certified.residency)
        granting.commit()
        registrar.join()
    assert late.number in effects(hits)
