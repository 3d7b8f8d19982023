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
from tests.services.factories import NOW, TODAY, VOENS, World, add_park, member, register


@pytest.fixture
def world(session):
    return World(session)


def effects(certificates_of_report):
    found = [
        each.as_json() if isinstance(each, residency_cascade.CertificateEffect) else each
        for each in certificates_of_report
    ]
    return {each["number"]: each["action"] for each in found}


ACTIVE = ["active"] * 4
HIT = ["suspended", "suspended", "active", "active"]


@pytest.mark.parametrize("how", [ResidencyAction.END, ResidencyAction.CANCEL])
def test_lost_by_hand_and_restored(world, session, how):
    report = world.close(how)
    assert effects(report.certificates) == {world.first.number: "suspended", world.second.number: "suspended"}
    assert (world.states(), world.first.status_reason, world.first.version) == (HIT, "residency", 2)
    assert report.as_json()["kind"] == "lost"
    events = session.query(AuditEvent).filter_by(event="certificate.suspended").all()
    assert {e.subject_id for e in events} == {world.first.number, world.second.number}
    report = world.restore()
    assert effects(report.certificates) == {world.first.number: "reinstated", world.second.number: "reinstated"}
    assert (world.states(), world.first.status_reason) == (ACTIVE, None)


def test_residency_and_certificates_change_together_or_not_at_all(world, session):
    world.close()
    session.rollback()
    session.expire_all()
    assert (world.residency.cancelled_on, world.states()) == (None, ACTIVE)
    assert session.query(AuditEvent).filter(AuditEvent.event.like("%.cancelled")).count() == 0


def test_dry_runs_foretell_the_same_and_change_nothing(world):
    before = world.rows()
    dry = world.close(dry_run=True)
    assert world.rows() == before
    assert world.close() == dry
    before = world.rows()
    dry = world.restore(dry_run=True)
    assert world.rows() == before
    assert world.restore() == dry


def test_by_import(world, session):
    before = world.rows()
    foretold = world.import_register("cancelled", dry_run=True)
    assert world.rows() == before
    report = world.import_register("cancelled")
    assert effects(report["certificates"]) == {world.first.number: "suspended", world.second.number: "suspended"}
    assert foretold | {"dry_run": False, "import_id": report["import_id"]} == report
    assert world.states() == HIT
    assert session.query(RegisterImport).one().report == report
    again = world.import_register("cancelled")
    assert (again["import_id"], again["certificates"]) == (None, [])
    foretold = world.import_register("resident", dry_run=True)
    assert world.states() == HIT
    back = world.import_register("resident")
    assert back["certificates"] == foretold["certificates"]
    assert effects(back["certificates"]) == {world.first.number: "reinstated", world.second.number: "reinstated"}
    assert world.states() == ACTIVE


def seen(report):
    """Number and action in their order, with the cause of a matter."""
    return [(each["number"], each["action"], each.get("cause")) for each in report["certificates"]]


def matters_of(session):
    session.commit()
    return {(session.get(Certificate, m.certificate_id).number, m.cause) for m in session.query(Matter)}


def events_about(session, number):
    query = session.query(AuditEvent).filter_by(subject_type="certificate", subject_id=number)
    return [row.event for row in query.order_by(AuditEvent.seq)]


def test_a_change_of_status_suspends_and_reinstates_and_opens_a_matter(world, session):
    """The certificate rests on a party of the park: resident or not, it is one all the time."""
    world.import_register("resident")
    foretold = world.import_register("non_resident", dry_run=True)
    away = world.import_register("non_resident")
    assert seen(away) == seen(foretold)
    own = [world.first.number, world.second.number]
    assert [each for each in seen(away) if each[0] == own[0]] == [
        (own[0], "suspended", None),
        (own[0], "reinstated", None),
        (own[0], "matter_opened", "non_resident"),
    ]
    assert events_about(session, own[0])[-2:] == ["certificate.suspended", "certificate.reinstated"]
    assert (world.states(), matters_of(session)) == (ACTIVE, {(number, "non_resident") for number in own})
    later = session.query(Residency).filter_by(status="non_resident").one()
    third = world.certificate(world.company_id, later)
    session.commit()
    world.import_register("resident")
    assert (world.states(), third.status) == (ACTIVE, "active")
    world.import_register("non_resident")  # granted to a non-resident: nothing is lost for the third
    assert third.number not in {number for number, _ in matters_of(session)}
    assert session.query(Matter).count() == 2  # one for each, still open


def begin(world, **changed):
    details = {
        "status": ResidencyStatus.RESIDENT,
        "holder_voen": VOENS[0],
        "registration_no": "AGSP-R-2026-900",
        "starts_on": TODAY,
    }
    _, report = residency_cascade.begin_residency(
        world.session,
        world.registrar,
        organisation_id=world.company_id,
        park_code="AGDAM-SP",
        details=ResidencyDetails(**(details | changed)),
        now=NOW,
    )
    return report


def test_a_new_number_from_the_same_day_lifts_what_the_end_of_the_old_one_suspended(world, session):
    """Case lost-ground-01."""
    world.close(ResidencyAction.END)
    assert world.states() == HIT
    report = begin(world)
    assert effects(report.certificates) == {world.first.number: "reinstated", world.second.number: "reinstated"}
    assert world.states() == ACTIVE
    assert events_about(session, world.first.number) == ["certificate.suspended", "certificate.reinstated"]
    assert matters_of(session) == set()


def test_a_new_period_of_a_non_resident_lifts_and_opens_a_matter(world, session):
    world.close(ResidencyAction.END)
    begin(world, status=ResidencyStatus.NON_RESIDENT)
    assert world.states() == ACTIVE
    assert matters_of(session) == {(c.number, "non_resident") for c in (world.first, world.second)}


def test_the_period_of_another_park_or_company_lifts_nothing(world, session):
    add_park(session, "JABRAYIL-IP", "Cəbrayıl")
    world.close(ResidencyAction.END)
    details = ResidencyDetails(status=ResidencyStatus.RESIDENT, holder_voen=VOENS[0], starts_on=TODAY)
    other, _ = register(session, VOENS[2])
    other.status = "listed"  # a claim has no residency
    for company, park in ((world.company_id, "JABRAYIL-IP"), (other.id, None)):
        _, report = residency_cascade.begin_residency(
            session,
            world.registrar,
            organisation_id=company,
            park_code=park or "AGDAM-SP",
            details=details,
            now=NOW,
        )
        assert report.certificates == ()
    assert world.states() == HIT


def test_a_period_that_begins_later_lifts_on_its_first_day(world, session):
    world.close(ResidencyAction.END)
    tomorrow = TODAY + timedelta(days=1)
    report = begin(world, starts_on=tomorrow)
    assert (report.certificates, world.states()) == ((), HIT)
    assert certificate_repository.returned_residency_ids(session, TODAY) == []
    (due,) = certificate_repository.returned_residency_ids(session, tomorrow)
    then = NOW + timedelta(days=1)
    for dry_run in (True, False):
        hits = residency_cascade.activate_residency(session, SYSTEM, residency_id=due, dry_run=dry_run, now=then)
        assert effects(hits) == {world.first.number: "reinstated", world.second.number: "reinstated"}
    assert world.states() == ACTIVE
    assert certificate_repository.returned_residency_ids(session, tomorrow) == []
    assert residency_cascade.activate_residency(session, SYSTEM, residency_id=due, dry_run=False, now=then) == ()


def test_a_known_end_takes_nothing_from_who_has_another_period(world, session):
    world.residency.ends_on = TODAY
    session.commit()
    begin(world)
    then = NOW + timedelta(days=1)
    assert certificate_repository.expired_residency_ids(session, TODAY + timedelta(days=1)) == []
    assert (
        residency_cascade.expire_residency(session, SYSTEM, residency_id=world.residency.id, dry_run=False, now=then)
        == ()
    )
    world.close_all(session, TODAY - timedelta(days=1))
    assert certificate_repository.expired_residency_ids(session, TODAY) == [world.residency.id]
    hits = residency_cascade.expire_residency(session, SYSTEM, residency_id=world.residency.id, dry_run=False, now=NOW)
    assert effects(hits) == {world.first.number: "suspended", world.second.number: "suspended"}
    assert certificate_repository.expired_residency_ids(session, TODAY) == []


def test_a_stage_that_goes_back_opens_a_matter_once(world, session):
    def stage(to):
        session.commit()
        return residency_cascade.update_stage(
            session,
            world.registrar,
            residency_id=world.residency.id,
            version=world.residency.version,
            stage=to,
            now=NOW,
        )

    assert stage(ProductionStage.CONSTRUCTION).certificates == ()  # nothing was said before
    assert stage(ProductionStage.OPERATING).certificates == ()
    hits = stage(ProductionStage.CONSTRUCTION).certificates
    assert effects(hits) == {world.first.number: "matter_opened", world.second.number: "matter_opened"}
    assert (world.states(), matters_of(session)) == (
        ACTIVE,
        {(c.number, "stage_back") for c in (world.first, world.second)},
    )
    stage(ProductionStage.OPERATING)
    assert stage(ProductionStage.PLANNED).certificates == ()  # open already
    assert session.query(Matter).count() == 2
    (event, _) = session.query(AuditEvent).filter_by(event="matter.opened").order_by(AuditEvent.seq)
    assert event.data["cause"] == "stage_back"
    assert event.data["about"] == f"residency:{world.residency.id}"


def test_an_import_that_takes_a_stage_back_opens_a_matter(world, session):
    world.residency.stage = "operating"
    session.commit()
    foretold = world.import_register("resident", stage="construction", dry_run=True)
    assert matters_of(session) == set()
    report = world.import_register("resident", stage="construction")
    assert seen(report) == seen(foretold)
    assert {cause for _, _, cause in seen(report)} == {"stage_back"}
    assert len(matters_of(session)) == 2
    assert world.import_register("resident", stage="construction")["certificates"] == []


def test_a_final_certificate_gets_no_matter(world, session):
    status_service.surrender(session, member(world.user), world.first.number, version=1, now=NOW)
    world.second.valid_until = TODAY - timedelta(days=1)
    world.second.valid_from = TODAY - timedelta(days=9)
    world.residency.stage = "operating"
    session.commit()
    report = world.import_register("resident", stage="construction")
    assert (report["certificates"], matters_of(session)) == ([], set())


def test_one_wrong_line_suspends_nothing(world):
    wrong = ["R2,Başqa,Other,MMC,12,AGDAM-SP,Ağdam,AZ-AGM,QARABAG,resident,X,"]
    report = world.import_register("cancelled", extra=wrong, dry_run=True)
    assert (report["certificates"], report["totals"]["errors"]) == ([], 1)
    with pytest.raises(Invalid):
        world.import_register("cancelled", extra=wrong)
    world.session.rollback()
    assert world.states() == ACTIVE


def test_other_causes_stay(world, session):
    suspend = {"cause": SuspensionCause.SURVEILLANCE, "note": None, "now": NOW}
    status_service.suspend(session, world.owner, world.first, **suspend)
    report = world.close()
    assert effects(report.certificates) == {world.first.number: "cause_added", world.second.number: "suspended"}
    assert set(certificate_repository.open_suspensions(session, world.first.id)) == {"residency", "surveillance"}
    report = world.restore()
    assert effects(report.certificates) == {world.first.number: "cause_lifted", world.second.number: "reinstated"}
    assert world.states() == ["suspended", "active", "active", "active"]
    assert world.first.status_reason == "surveillance"
    status_service.end_suspension_cause(session, world.owner, world.first, cause=SuspensionCause.SURVEILLANCE, now=NOW)
    assert world.states() == ACTIVE


def test_final_certificates_are_left_in_peace(world, session):
    status_service.revoke(
        session, world.owner, world.first.number, reason=RevocationReason.COURT_ORDER, version=1, now=NOW
    )
    report = world.close()
    assert effects(report.certificates) == {world.second.number: "suspended"}
    status_service.surrender(session, member(world.user), world.second.number, version=2, now=NOW)
    assert world.restore().certificates == ()
    assert world.states()[:2] == ["revoked", "surrendered"]


def test_restoring_lifts_only_what_it_caused(world):
    """A certificate granted after the loss, or set free otherwise, has no cause to lift."""
    world.close()
    late = world.certificate(world.company_id, world.residency)
    report = world.restore()
    assert late.number not in effects(report.certificates)
    assert late.status == "active"


def test_refusals_leave_the_certificates_alone(world):
    for dry_run in (True, False):
        with pytest.raises(Forbidden):
            world.close(actor=world.owner, dry_run=dry_run)
        with pytest.raises(Forbidden):
            world.import_register("cancelled", actor=world.owner, dry_run=dry_run)
        with pytest.raises(StaleVersion):
            world.close(version=9, dry_run=dry_run)
        with pytest.raises(WrongState):
            world.restore(version=1, dry_run=dry_run)
    assert world.states() == ACTIVE


def by_hand(session, world):
    world.session = session
    return [hit.as_json() for hit in world.close().certificates]


def by_import(session, world):
    world.session = session
    return world.import_register("cancelled")["certificates"]


@pytest.mark.parametrize("cancel", [by_hand, by_import])
def test_a_certificate_granted_at_the_same_moment_is_not_missed(database, cancel):
    """Who grants holds the residency: a cancellation waits, without a deadlock, and then finds the new certificate."""
    with database.session() as granting, database.session() as cancelling:
        world = World(granting)
        organisation_repository.find_latest_residency(granting, world.company_id, "AGDAM-SP", for_share=True)
        other = copy(world)
        hits = []

        def work():
            hits.extend(cancel(cancelling, other))
            cancelling.commit()

        registrar = threading.Thread(target=work)
        registrar.start()
        registrar.join(timeout=0.3)
        assert registrar.is_alive()  # it waits
        late = world.certificate(world.company_id, world.residency)
        granting.commit()
        registrar.join()
    assert late.number in effects(hits)
