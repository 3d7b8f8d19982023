"""Companies, parks, people and granted certificates, made without HTTP. All names are invented."""

import hashlib
from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

from app.applications import claims
from app.applications.model import Application, Decision, Recommendation
from app.audit.model import AuditEvent
from app.auth import users
from app.auth.model import User
from app.certificates import residency_cascade
from app.certificates.model import Certificate
from app.core.actor import SYSTEM, Actor, ActorKind, Role
from app.organisations import organisation_repository, registration, residencies
from app.organisations.model import Claim, Organisation, RegisterImport, Residency, ResidencyStatus, Site
from app.organisations.residency_transitions import ResidencyDetails
from app.organisations.residency_workflow import ResidencyAction
from app.organisations.resident_import.csv_format import parse_resident_file
from app.organisations.resident_import.resident_imports import ImportFile
from app.products.model import Product
from app.reference.model import Park
from app.schemes.model import SchemeRow
from app.signing.model import SigningKey

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


TODAY = date(2026, 11, 22)


VOENS = ("0010000101", "0010000231", "0010000361", "0010000491")


WRONG_CHECK_DIGIT = "0010000111"


def staff(session, role=Role.REGISTRAR, name="registrar") -> Actor:
    email = f"{name}@example.az"
    user = session.query(User).filter_by(email=email).one_or_none() or users.create_staff(
        session,
        Actor(ActorKind.SYSTEM, None, frozenset({Role.SYSTEM})),
        email=email,
        full_name=name.title(),
        password_hash="x",
        roles=[role],
        now=NOW,
    )
    return Actor(ActorKind.USER, user.id, frozenset({role}), second_factor_at=NOW)


def member(user: User) -> Actor:
    rights = frozenset({Role.APPLICANT})
    return Actor(ActorKind.USER, user.id, rights, user.organisation_id, is_administrator=user.is_administrator)


def register(session, voen=VOENS[0], **changed) -> tuple[Organisation, User]:
    fields = {
        "legal_name_az": "“Nümunə İşıq” MMC",
        "legal_name_en": "Sample Light",
        "legal_form": "MMC",
        "voen": voen,
        "email": f"boss{voen.strip()}@example.az",
        "full_name": "Aysel Nümunə",
        "password_hash": "x",
        "now": NOW,
    }
    claim, user = registration.register_company(session, **(fields | changed))
    return organisation_repository.find_organisation(session, claim.organisation_id), user


def add_park(session, code="AGDAM-SP", district="Ağdam", region="QARABAG") -> Park:
    park = session.get(Park, code)
    if park is None:
        park = Park(code=code, kind="industrial_park", names={"en": code}, district=district, economic_region=region)
        session.add(park)
        session.flush()
    return park


def bear_number(session, actor, organisation_id: UUID) -> None:
    """Make a company of a claim without more ado: only companies have residencies."""
    company = organisation_repository.find_organisation(session, organisation_id)
    if company is not None and company.status == "unconfirmed":
        company.status, company.confirmed_by, company.confirmed_at = "confirmed", actor.id, NOW
        session.flush()


def claim_of(session, company) -> Claim:
    """The claim that this was entered with."""
    return next(
        each
        for each in organisation_repository.list_claims(session, voen=company.voen)
        if each.organisation_id == company.id
    )


def confirm(session, actor, company, *, basis="Extract", version=1) -> Organisation:
    """The company that comes of the claim."""
    claim = claim_of(session, company)
    decided = claims.confirm_claim(session, actor, claim.id, version=version, basis=basis, now=NOW)
    return organisation_repository.find_organisation(session, decided.organisation_id)


def refuse(session, actor, company, *, reason="No", version=1) -> None:
    claims.refuse_claim(session, actor, claim_of(session, company).id, version=version, reason=reason, now=NOW)


def resident(session, actor, organisation_id: UUID, park="AGDAM-SP", **changed):
    details = {
        "status": ResidencyStatus.RESIDENT,
        "holder_voen": VOENS[0],
        "registration_no": "AGSP-R-2021-001",
        "starts_on": date(2021, 11, 22),
    }
    bear_number(session, actor, organisation_id)
    return residencies.begin_residency(
        session,
        actor,
        organisation_id=organisation_id,
        park_code=park,
        details=ResidencyDetails(**(details | changed)),
        now=NOW,
    )


HEADER = (
    "party_id,legal_name_az,legal_name_en,legal_form,voen,zone_code,district,district_iso,economic_region,status,"
    "registration_no,stage"
)


class CertifiedResidents:
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

    def close(self, move=ResidencyAction.CANCEL, *, version=1, dry_run=False, actor=None):
        return residency_cascade.close_residency(
            self.session,
            actor or self.registrar,
            move,
            residency_id=self.residency.id,
            version=version,
            on=TODAY,
            reason="Taken back",
            dry_run=dry_run,
            now=NOW,
        )

    def restore(self, *, version=2, dry_run=False):
        return residency_cascade.restore_residency(
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
        file = ImportFile(parse_resident_file(data), "register.csv", hashlib.sha256(data).hexdigest())
        report = residency_cascade.import_resident_register(self.session, actor, file, dry_run=dry_run, now=NOW)
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
