"""Companies, parks and people for the tests of the rooms below applications. All names are invented."""

from datetime import UTC, date, datetime
from uuid import UUID

from app.access import service as access
from app.access.model import User
from app.actor import Actor, ActorKind, Role
from app.applications import claims
from app.registry import organisations, residency, store
from app.registry.model import Claim, Organisation, Park, ResidencyStatus
from app.registry.residency_rows import ResidencyDetails

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
VOENS = ("0010000101", "0010000231", "0010000361", "0010000491")
WRONG_CHECK_DIGIT = "0010000111"


def staff(session, role=Role.REGISTRAR, name="registrar") -> Actor:
    email = f"{name}@example.az"
    user = session.query(User).filter_by(email=email).one_or_none() or access.create_staff(
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
    claim, user = organisations.register_company(session, **(fields | changed))
    return store.organisation(session, claim.organisation_id), user


def claim_of(session, company) -> Claim:
    """The claim that this was entered with."""
    return next(each for each in store.claims(session, voen=company.voen) if each.organisation_id == company.id)


def confirm(session, actor, company, *, basis="Extract", version=1) -> Organisation:
    """The company that comes of the claim."""
    claim = claim_of(session, company)
    decided = claims.confirm(session, actor, claim.id, version=version, basis=basis, now=NOW)
    return store.organisation(session, decided.organisation_id)


def refuse(session, actor, company, *, reason="No", version=1) -> None:
    claims.refuse(session, actor, claim_of(session, company).id, version=version, reason=reason, now=NOW)


def add_park(session, code="AGDAM-SP", district="Ağdam", region="QARABAG") -> Park:
    park = session.get(Park, code)
    if park is None:
        park = Park(code=code, kind="industrial_park", names={"en": code}, district=district, economic_region=region)
        session.add(park)
        session.flush()
    return park


def bear_number(session, actor, organisation_id: UUID) -> None:
    """Make a company of a claim without more ado: only companies have residencies."""
    company = store.organisation(session, organisation_id)
    if company is not None and company.standing == "unconfirmed":
        company.standing, company.confirmed_by, company.confirmed_at = "confirmed", actor.id, NOW
        session.flush()


def resident(session, actor, organisation_id: UUID, park="AGDAM-SP", **changed):
    details = {
        "status": ResidencyStatus.RESIDENT,
        "holder_voen": VOENS[0],
        "registration_no": "AGSP-R-2021-001",
        "starts_on": date(2021, 11, 22),
    }
    bear_number(session, actor, organisation_id)
    return residency.begin_residency(
        session,
        actor,
        organisation_id=organisation_id,
        park_code=park,
        details=ResidencyDetails(**(details | changed)),
        now=NOW,
    )
