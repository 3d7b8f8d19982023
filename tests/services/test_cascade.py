"""A lost residency suspends its certificates in the same transaction; a restored one lifts that cause and no other."""

import hashlib
import threading
from copy import copy
from datetime import date
from itertools import count

import pytest
from registry_support import NOW, TODAY, VOENS, add_park, member, register, resident, staff

from app.actor import SYSTEM, Role
from app.applications.model import Application, Decision, Recommendation
from app.audit import AuditEvent
from app.certificates import cascade, service
from app.certificates import store as certificates
from app.certificates.model import Certificate, RevocationReason, SuspensionCause
from app.errors import Forbidden, Invalid, StaleVersion, WrongState
from app.ledger.model import SigningKey
from app.products.model import Product
from app.registry import store as registry
from app.registry.imports import RegisterFile
from app.registry.model import RegisterImport, Residency, Site
from app.registry.sheet import parse_register
from app.schemes.model import SchemeRow

HEADER = (
    "party_id,legal_name_az,legal_name_en,legal_form,voen,zone_code,district,district_iso,economic_region,status,"
    "registration_no"
)


class World:
    """Two residents of a park with granted certificates. Rows are written by hand: how they come to be is not asked."""

    def __init__(self, session):
        self.session = session
        self.serials = count(1)
        self.registrar = staff(session)
        self.owner = staff(session, Role.OWNER, "owner")
        add_park(session)
        session.add(SchemeRow(code="MIK", content={}, current_ruleset="1", updated_at=NOW))
        session.add(SigningKey(kid="k", public_jwk={}, state="active", state_since=NOW, created_at=NOW))
        self.user = register(session)[1]
        self.company_id = self.user.organisation_id
        self.residency = resident(session, self.registrar, self.company_id)[0]
        self.first, self.second = (self.certificate(self.company_id, self.residency) for _ in range(2))
        self.other_company_id = register(session, VOENS[1])[1].organisation_id
        self.others = self.certificate(
            self.other_company_id,
            resident(session, self.registrar, self.other_company_id, holder_voen=VOENS[1])[0],
        )
        self.unbound = self.certificate(self.company_id, None)
        session.commit()

    def certificate(self, company_id, residency):
        serial = next(self.serials)
        add = self.session.add
        site = Site(
            organisation_id=company_id,
            name="Hall",
            country="AZ",
            district="Ağdam",
            park_code="AGDAM-SP",
            source="applicant",
            created_at=NOW,
        )
        application = Application(
            number=f"MIK-A-{serial}",
            scheme_code="MIK",
            organisation_id=company_id,
            state="approved",
            state_since=NOW,
            created_at=NOW,
        )
        add(site)
        add(application)
        self.session.flush()
        product = Product(
            organisation_id=company_id,
            site_id=site.id,
            names={"en": "Tube"},
            hs6="730630",
            unit="t",
            flags=[],
            joint_production=[],
            created_at=NOW,
            updated_at=NOW,
        )
        recommendation = Recommendation(
            application_id=application.id,
            recommended_by=self.registrar.id,
            recommended_at=NOW,
            dossier_hash="",
            products=[],
        )
        add(product)
        add(recommendation)
        self.session.flush()
        decision = Decision(
            application_id=application.id,
            recommendation_id=recommendation.id,
            recommended_by=self.registrar.id,
            decided_by=self.owner.id,
            decided_at=NOW,
            outcome="approved",
            products=[],
            ruleset_version="1",
            dossier_hash="",
        )
        add(decision)
        self.session.flush()
        certificate = Certificate(
            number=f"MIK-2026-{serial:06d}",
            scheme_code="MIK",
            scheme_name="Mark",
            ruleset_version="1",
            year=2026,
            serial=serial,
            organisation_id=company_id,
            product_id=product.id,
            site_id=site.id,
            residency_id=residency.id if residency else None,
            application_id=application.id,
            decision_id=decision.id,
            holder_name="Sample",
            holder_voen=VOENS[0],
            product_names={"en": "Tube"},
            hs6="730630",
            park_code="AGDAM-SP",
            district="Ağdam",
            origin_criterion="CTH",
            valid_from=TODAY,
            valid_until=date(2029, 11, 21),
            status="active",
            status_since=NOW,
            status_list_id=1,
            status_index=serial,
            kid="k",
            token="",
            token_sha256="",
            issued_at=NOW,
        )
        add(certificate)
        self.session.flush()
        return certificate

    def close(self, how=cascade.cancel_residency, *, version=1, dry_run=False, actor=None):
        return how(
            self.session,
            actor or self.registrar,
            residency_id=self.residency.id,
            version=version,
            on=TODAY,
            reason="Taken back",
            dry_run=dry_run,
            now=NOW,
        )

    def restore(self, *, version=2, dry_run=False):
        return cascade.restore_residency(
            self.session,
            self.registrar,
            residency_id=self.residency.id,
            version=version,
            dry_run=dry_run,
            now=NOW,
        )

    def import_register(self, status, *, dry_run=False, extra=(), actor=SYSTEM):
        own = f"R1,Nümunə,Sample,MMC,{VOENS[0]},AGDAM-SP,Ağdam,AZ-AGM,QARABAG,{status},AGSP-R-2021-001"
        data = "\n".join([HEADER, own, *extra]).encode()
        file = RegisterFile(parse_register(data), "register.csv", hashlib.sha256(data).hexdigest())
        report = cascade.import_register(self.session, actor, file, dry_run=dry_run, now=NOW)
        self.session.commit()
        return report

    def states(self):
        self.session.commit()
        return [c.status for c in (self.first, self.second, self.others, self.unbound)]

    def rows(self):
        """What may not move in a dry run."""
        self.session.commit()
        self.session.expire_all()
        return [
            [[getattr(row, c.key) for c in table.__table__.columns] for row in self.session.query(table)]
            for table in (Certificate, Residency, RegisterImport, AuditEvent)
        ]


@pytest.fixture
def world(session):
    return World(session)


def effects(certificates_of_report):
    found = [each.as_json() if isinstance(each, cascade.Hit) else each for each in certificates_of_report]
    return {each["number"]: each["action"] for each in found}


ACTIVE = ["active"] * 4
HIT = ["suspended", "suspended", "active", "active"]


@pytest.mark.parametrize("how", [cascade.end_residency, cascade.cancel_residency])
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


def test_a_change_of_status_takes_what_rested_on_the_former_one_and_gives_it_back(world, session):
    world.import_register("resident")
    away = world.import_register("non_resident")
    assert set(effects(away["certificates"]).values()) == {"suspended"}
    later = session.query(Residency).filter_by(status="non_resident").one()
    third = world.certificate(world.company_id, later)
    session.commit()
    assert (world.states(), third.status) == (HIT, "active")
    back = world.import_register("resident")
    assert effects(back["certificates"]) == {
        world.first.number: "reinstated",
        world.second.number: "reinstated",
        third.number: "suspended",
    }
    assert (world.states(), third.status) == (ACTIVE, "suspended")


def test_one_wrong_line_suspends_nothing(world):
    wrong = ["R2,Başqa,Other,MMC,12,AGDAM-SP,Ağdam,AZ-AGM,QARABAG,resident,X"]
    report = world.import_register("cancelled", extra=wrong, dry_run=True)
    assert (report["certificates"], report["totals"]["errors"]) == ([], 1)
    with pytest.raises(Invalid):
        world.import_register("cancelled", extra=wrong)
    world.session.rollback()
    assert world.states() == ACTIVE


def test_other_causes_stay(world, session):
    suspend = {"cause": SuspensionCause.SURVEILLANCE, "note": None, "now": NOW}
    service.suspend(session, world.owner, world.first, **suspend)
    report = world.close()
    assert effects(report.certificates) == {world.first.number: "cause_added", world.second.number: "suspended"}
    assert set(certificates.open_suspensions(session, world.first.id)) == {"residency", "surveillance"}
    report = world.restore()
    assert effects(report.certificates) == {world.first.number: "cause_lifted", world.second.number: "reinstated"}
    assert world.states() == ["suspended", "active", "active", "active"]
    assert world.first.status_reason == "surveillance"
    service.lift(session, world.owner, world.first, cause=SuspensionCause.SURVEILLANCE, now=NOW)
    assert world.states() == ACTIVE


def test_final_certificates_are_left_in_peace(world, session):
    service.revoke(session, world.owner, world.first.number, reason=RevocationReason.COURT_ORDER, version=1, now=NOW)
    report = world.close()
    assert effects(report.certificates) == {world.second.number: "suspended"}
    service.surrender(session, member(world.user), world.second.number, version=2, now=NOW)
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
        registry.present_residency(granting, world.company_id, "AGDAM-SP", hold=True)
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
