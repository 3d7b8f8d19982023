"""Two residents of a park with granted certificates, for the tests of what becomes of them."""

import hashlib
from datetime import date
from itertools import count

from app.actor import SYSTEM, Role
from app.applications.model import Application, Decision, Recommendation
from app.audit import AuditEvent
from app.certificates import cascade
from app.certificates.model import Certificate
from app.ledger.model import SigningKey
from app.products.model import Product
from app.registry.imports import RegisterFile
from app.registry.model import RegisterImport, Residency, Site
from app.registry.sheet import parse_register
from app.schemes.model import SchemeRow
from tests.services.registry_support import NOW, TODAY, VOENS, add_park, register, resident, staff

HEADER = (
    "party_id,legal_name_az,legal_name_en,legal_form,voen,zone_code,district,district_iso,economic_region,status,"
    "registration_no,stage"
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

    def close_all(self, session, on):
        """Every period of the company has its last day on this one."""
        for row in session.query(Residency).filter_by(organisation_id=self.company_id):
            row.starts_on, row.ends_on = None, on
        session.commit()

    def import_register(self, status, *, dry_run=False, extra=(), actor=SYSTEM, stage=""):
        own = f"R1,Nümunə,Sample,MMC,{VOENS[0]},AGDAM-SP,Ağdam,AZ-AGM,QARABAG,{status},AGSP-R-2021-001,{stage}"
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
