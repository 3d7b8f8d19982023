"""Let a developer begin without a person: a company with a member and an API client, and a product with documents."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import claims
from app.applications.evidence.details import EvidenceDetails, EvidenceSubject
from app.auth import api_clients, demo_staff, user_repository
from app.auth.permissions import require_organisation_id
from app.core.actor import Actor, ActorKind, Role, Scope
from app.core.dates import baku_day
from app.core.errors import Conflict
from app.organisations import organisation_repository, registration, residencies, sites
from app.organisations.model import ProductionStage, ResidencyStatus
from app.organisations.residency_transitions import ResidencyDetails
from app.products import company_products
from app.products.inputs import CostInput, MaterialInput, ProductInput, StepInput
from app.products.model import CostKind, Place
from app.sandbox.robots import REGISTRAR, Robots
from app.sandbox.scenarios import SERIALS, Scenario, magic_number
from app.schemes.facts import ValueBasis

PARK, DISTRICT = "AGDAM-SP", "Ağdam"
SECRET_LIFE: Final = timedelta(days=36_500)
_MAX_TRIES: Final = 200
_YEARS: Final = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class NewCompany:
    """What a developer is given; the secrets are shown only here."""

    organisation_id: UUID
    voen: str
    scenario: Scenario
    site_id: UUID
    email: str
    password: str
    client_id: str
    client_secret: str


def register_company(
    session: Session,
    robots: Robots,
    *,
    scenario: Scenario,
    name: str,
    hash_password: str,
    password: str,
    randbelow: Callable[[int], int],
    now: datetime,
) -> NewCompany:
    """Register a company under a free magic number; a robot confirms it and enters it into the park's register.

    Raises `Invalid` for the name, `Conflict` (`sandbox-full`).
    """
    voen = _free_number(session, scenario, randbelow)
    email = f"member-{voen}@sandbox.example"
    claim, user = registration.register_company(
        session,
        legal_name_az=f"{name} (sandbox)",
        legal_name_en=f"{name} (sandbox)",
        legal_form="MMC",
        voen=voen,
        email=email,
        full_name="Sandbox member",
        password_hash=hash_password,
        now=now,
    )
    registrar = robots.actor(session, REGISTRAR)
    basis = "Sandbox: confirmed by a robot."
    confirmed = claims.confirm_claim(session, registrar, claim.id, basis=basis, version=claim.version, now=now)
    organisation_id = confirmed.organisation_id
    residencies.begin_residency(
        session,
        registrar,
        organisation_id=organisation_id,
        park_code=PARK,
        details=ResidencyDetails(
            status=ResidencyStatus.RESIDENT,
            holder_voen=voen,
            registration_no=f"SBX-{voen[4:8]}",
            starts_on=baku_day(now - _YEARS),
            stage=ProductionStage.OPERATING,
        ),
        now=now,
    )
    member = _member(user.id, organisation_id)
    site = sites.create_site(
        session,
        member,
        name="Sandbox hall",
        country="AZ",
        district=DISTRICT,
        park_code=PARK,
        production_started_on=baku_day(now - _YEARS),
        now=now,
    )
    client, _, secret = api_clients.create_client(
        session, member, name="Sandbox", now=now, life=SECRET_LIFE, scopes=tuple(Scope)
    )
    return NewCompany(organisation_id, voen, scenario, site.id, email, password, client.client_id, secret)


def generate_password() -> str:
    return demo_staff.generate_password()


def _free_number(session: Session, scenario: Scenario, randbelow: Callable[[int], int]) -> str:
    for _ in range(_MAX_TRIES):
        voen = magic_number(scenario, randbelow(SERIALS))
        if voen is not None and organisation_repository.find_company_by_voen(session, voen) is None:
            return voen
    raise Conflict("The sandbox has no free taxpayer number for this scenario until it is reset.", code="sandbox-full")


def _member(user_id: UUID, organisation_id: UUID) -> Actor:
    return Actor(ActorKind.USER, user_id, frozenset({Role.APPLICANT}), organisation_id, is_administrator=True)


def add_sample_product(session: Session, robots: Robots, actor: Actor, now: datetime) -> UUID:
    """Describe a product that the rules of MIK allow, with every document that its application needs; return its id."""
    organisation_id = require_organisation_id(actor)
    member = _member(user_repository.list_active_members(session, organisation_id, None, 1)[0].id, organisation_id)
    site_id = organisation_repository.list_sites(session, organisation_id)[0].id
    product_id = company_products.create_product(session, member, entry=_sample(site_id), now=now).product.id
    for kind, about, values, valid_for in _sample_documents(product_id, site_id, baku_day(now)):
        issued_on = baku_day(now) - timedelta(days=40)
        details = EvidenceDetails(issued_on, issued_on + valid_for if valid_for else None, None, values)
        robots.add_document(session, member, organisation_id, kind, about, details)
    return product_id


def _sample(site_id: UUID) -> ProductInput:
    return ProductInput(
        names={"az": "Qaynaqlı polad boru", "en": "Welded steel tube"},
        hs6="730630",
        unit="t",
        site_id=site_id,
        ex_works=Decimal(1450),
        materials=(
            MaterialInput(
                "Hot-rolled coil",
                hs4="7208",
                origin_country="TR",
                claim=False,
                value=Decimal(830),
                basis=ValueBasis.CIF,
            ),
        ),
        steps=tuple(
            StepInput(name, operation, country="AZ", district=DISTRICT, is_essential=True)
            for name, operation in (("Forming", "forming"), ("Welding", "tube_welding"))
        ),
        costs=(
            CostInput(CostKind.LABOUR, Place.KARABAKH, Decimal(563)),
            CostInput(CostKind.QUALITY, Place.AZ_OTHER, Decimal(14)),
        ),
    )


def _sample_documents(
    product_id: UUID, site_id: UUID, today: date
) -> list[tuple[str, EvidenceSubject, dict[str, Any], timedelta | None]]:
    company, product, site = EvidenceSubject(), EvidenceSubject((product_id,)), EvidenceSubject((), site_id)
    last = today.replace(day=1) - timedelta(days=1)
    cost = {
        "accountant": "Sandbox accountant",
        "licence_no": "SBX-1",
        "signed": True,
        "period_from": last.replace(month=1, day=1).isoformat(),
        "period_until": last.isoformat(),
    }
    years = timedelta(days=1_825)
    return [
        ("authority-to-sign", company, {"basis": "director"}, None),
        ("permit", site, {}, years),
        ("capacity-statement", site, {"unit": "t", "per_year": "24000"}, None),
        ("conformity-document", product, {}, years),
        ("volume-statement", product, {"claimed_volume": "200"}, None),
        ("cost-statement", product, cost, None),
    ]
