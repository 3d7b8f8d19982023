"""Build the dossier: all facts and evidence that the rules read as of a moment, with one hash.

The hash leaves out the day, so it changes only when the content does. A recommendation is bound to it: a change between
review and approval is detected.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, declaration
from app.applications.assessment import applicant_history, yearly_volumes
from app.applications.declaration import DeclarationScope
from app.applications.evidence import details
from app.applications.model import Application, Evidence
from app.auth import user_repository
from app.certificates.holder_history import EndedCertificate, HolderHistory, InquiryState
from app.certificates.model import CertificateStatus
from app.core import canonical_json
from app.core.dates import baku_day
from app.organisations import organisation_repository
from app.organisations.model import Organisation, Residency, ResidencyStatus, Site
from app.products import product_repository
from app.products.model import CostItem, Material, ProcessStep, Product
from app.products.product_repository import ProductAggregate
from app.reference import reference_repository
from app.reference.territory import HOME_COUNTRY, load_territory
from app.schemes import facts, hashing
from app.schemes.rules.names import similarity
from app.schemes.ruleset import Ruleset

NO_DAY = date.min
REASON_LANGUAGES = frozenset({"az", "en"})


@dataclass(frozen=True, slots=True)
class ProductDossier:
    """Hold one product with its site and residency, as rows and as facts."""

    aggregate: ProductAggregate
    site: Site
    residency: Residency | None
    facts: facts.Facts


@dataclass(frozen=True, slots=True)
class Dossier:
    organisation: Organisation
    products: Mapping[UUID, ProductDossier]
    hash: str
    declared: DeclarationScope | None = None  # None: a dry run without an application


def build_dossier(
    session: Session,
    ruleset: Ruleset,
    organisation: Organisation,
    product_ids: Sequence[UUID],
    evidence: Sequence[Evidence],
    as_of: date,
    *,
    application: Application | None = None,
    for_share: bool = False,
) -> Dossier:
    """Load the facts of the products as of a day and hash them. Without an application this is a dry run.

    `for_share` locks products, sites and residencies until the transaction ends. The caller locks the company first: a
    resident import locks the company, then residencies, then sites, and another order could deadlock.
    """
    aggregates = product_repository.load_aggregates_by_id(session, product_ids, for_update=for_share)
    sites = organisation_repository.find_sites(
        session, [each.product.site_id for each in aggregates.values()], for_share=for_share
    )
    residencies: dict[str, Residency | None] = {}
    for park in sorted({site.park_code for site in sites.values() if site.park_code}):
        residencies[park] = organisation_repository.find_latest_residency(
            session, organisation.id, park, for_share=for_share
        )
    in_force = application_repository.certificates_of_sites(session, list(sites), as_of)
    declared = None
    if application is not None:
        declared = declaration.build_declaration_scope(
            session, application, list(aggregates.values()), list(sites.values()), evidence
        )
    context = _LoadedContext(
        submitted_on=baku_day(application.submitted_at) if application and application.submitted_at else None,
        evidence=evidence,
        volumes=yearly_volumes.load_site_volumes(
            session, organisation.id, aggregates, evidence, in_force, as_of, application
        ),
        certificates={
            each.site_id: each.number
            for each, _ in reversed(in_force)
            if each.status == CertificateStatus.ACTIVE and each.valid_from <= as_of
        },
        waiver_reason=_waiver_reason(session, application),
        declaration=None if declared is None else _declaration_facts(session, declared),
        history=applicant_history.load_applicant_history(session, organisation.id),
        name_alike_pct=ruleset.name_alike_pct,
        zones=reference_repository.get_park_kinds(session, residencies) if residencies else {},
        brands=application_repository.brands_of_others(session, ruleset.scheme, organisation.id)
        if ruleset.has_brand_rule
        else None,
    )
    dossiers: dict[UUID, ProductDossier] = {}
    for product_id in product_ids:
        each = aggregates[product_id]
        site = sites[each.product.site_id]
        residency = residencies[site.park_code] if site.park_code else None
        dossiers[product_id] = ProductDossier(
            each, site, residency, build_product_facts(organisation, each, site, residency, context, as_of)
        )
    return Dossier(organisation, dossiers, _dossier_hash(ruleset.scheme, organisation, dossiers, evidence), declared)


def _waiver_reason(session: Session, application: Application | None) -> str | None:
    waiver = application_repository.get_visit_waiver(session, application.id) if application is not None else None
    return waiver.reason if waiver else None


def _declaration_facts(session: Session, declared: DeclarationScope) -> facts.DeclarationFacts:
    text_version = declaration.load_declaration_text().version
    newest = declared.latest
    if newest is None:
        return facts.DeclarationFacts(declared.hash, text_version)
    maker = user_repository.find_user(session, newest.made_by)
    return facts.DeclarationFacts(
        declared_hash=declared.hash,
        text_version=text_version,
        made_hash=newest.declared_hash,
        made_text_version=newest.text_version,
        made_on=baku_day(newest.made_at),
        made_by=str(newest.made_by),
        made_by_name=maker.full_name if maker else None,
    )


@dataclass(frozen=True, slots=True)
class _LoadedContext:
    """Hold the facts that do not come from the product itself."""

    submitted_on: date | None
    evidence: Sequence[Evidence]
    volumes: yearly_volumes.SiteVolumes
    certificates: Mapping[UUID, str]  # site → number of its certificate in force
    waiver_reason: str | None
    declaration: facts.DeclarationFacts | None  # None: a dry run
    history: HolderHistory
    name_alike_pct: int
    zones: Mapping[str, str]  # park code → kind of zone
    brands: Sequence[str] | None  # None: no rule of the mark reads brands


def build_product_facts(
    organisation: Organisation,
    aggregate: ProductAggregate,
    site: Site,
    residency: Residency | None,
    context: _LoadedContext,
    as_of: date,
) -> facts.Facts:
    """Build the facts of one product. Every group of facts is present; a missing value is None."""
    product = aggregate.product
    return facts.Facts(
        as_of=as_of,
        product=facts.ProductFacts(
            hs6=product.hs6,
            name_en=product.names.get("en"),
            name_az=product.names.get("az"),
            flags=frozenset(product.flags),
            partner_countries=tuple(product.joint_production),
            unit=product.unit,
            other_names=tuple(
                name for language, name in sorted(product.names.items()) if language not in REASON_LANGUAGES
            ),
            brand=product.brand,
        ),
        applicant=facts.Applicant(
            voen=organisation.voen,
            name=organisation.legal_name_en,
            legal_form=organisation.legal_form,
            size_class=organisation.size_class,
        ),
        place=facts.Place(site.economic_region, site.district, site.park_code),
        production=facts.ProductionFacts(site.country, site.production_started_on),
        residency=_residency_facts(residency),
        value=facts.ValueStatement(
            ex_works=product.ex_works,
            inputs=tuple(_material_facts(line) for line in aggregate.materials),
        ),
        cost=_cost_facts(aggregate.costs),
        steps=tuple(
            facts.Step(
                seq=s.seq,
                name=s.name,
                operation=s.operation,
                country=s.country,
                district=_canonical_district(s),
                economic_region=_economic_region(s),
                subcontractor=s.subcontractor,
                is_essential=s.is_essential,
            )
            for s in aggregate.steps
        ),
        submitted_on=context.submitted_on,
        evidence=details.to_facts(context.evidence, product.id, site.id),
        record=facts.HistoryFacts(tuple(_past_certificates(context, product, site))),
        zone=facts.ZoneFacts(context.zones.get(site.park_code) if site.park_code else None),
        other_brands=None if context.brands is None else tuple(context.brands),
        volumes=context.volumes.facts_for(product.id, site.id, product.unit),
        declaration=context.declaration,
        visit=facts.VisitFacts(context.certificates.get(site.id), context.waiver_reason),
    )


def _past_certificates(context: _LoadedContext, product: Product, site: Site) -> Iterator[facts.PastCertificate]:
    """Yield certificates that ended by revocation, or by surrender during an inquiry, for rule C-12."""
    for revoked in context.history.revocations:
        yield _past_certificate_facts(context, product, site, revoked.certificate, revoked.day, revoked.reason)
    for given_back in context.history.surrenders:
        if given_back.inquiry is InquiryState.NOT_UPHELD:
            continue
        on = given_back.decided_on or given_back.day
        ended = _past_certificate_facts(context, product, site, given_back.certificate, on, given_back.reason)
        yield replace(ended, surrendered=True)


def _past_certificate_facts(
    context: _LoadedContext, product: Product, site: Site, ended: EndedCertificate, on: date, reason: str | None
) -> facts.PastCertificate:
    same_gtin = product.gtin is not None and ended.gtin == product.gtin
    same_heading = ended.hs6[:4] == product.hs6[:4]
    return facts.PastCertificate(
        on=on,
        reason=reason,
        same_product=ended.product_id == product.id or same_gtin,
        alike=same_heading and (ended.site_id == site.id or _is_name_similar(context, product, ended)),
        company=ended.holder_name if ended.grounds else None,
        ground=min(ended.grounds).value if ended.grounds else None,
    )


def _is_name_similar(context: _LoadedContext, product: Product, ended: EndedCertificate) -> bool:
    """Compare all pairs of az and en names by their best similarity."""
    pairs = [(name, other) for name in product.names.values() for other in (ended.name_az, ended.name_en) if other]
    return any(similarity(name, other) * 100 >= context.name_alike_pct for name, other in pairs)


def _material_facts(line: Material) -> facts.Material:
    is_home = line.origin_country == HOME_COUNTRY
    return facts.Material(
        name=line.name,
        hs4=line.hs4,
        origin_country=line.origin_country,
        claim=line.claim,
        value=line.value,
        weight_kg=line.weight_kg,
        origin_district=line.origin_district,
        origin_region=load_territory().region_of(line.origin_district) if is_home else None,
        basis=facts.ValueBasis(line.basis) if line.basis else None,
        packing=line.packing,
        supplier=line.supplier,
        proofs=tuple(line.proofs),
    )


def _canonical_district(step: ProcessStep) -> str | None:
    """Return the district as the reference data spells it, where it is known."""
    district = load_territory().district_by_name(step.district) if step.country == HOME_COUNTRY else None
    return district.name if district else step.district


def _economic_region(step: ProcessStep) -> str | None:
    if step.country != HOME_COUNTRY or not step.district:
        return None
    district = load_territory().district_by_name(step.district)
    return district.region if district else None


def _residency_facts(row: Residency | None) -> facts.Residency:
    if row is None:
        return facts.Residency(facts.ParkResidencyStatus.NONE)
    status = facts.ParkResidencyStatus.RESIDENT
    if row.cancelled_on is not None:
        status = facts.ParkResidencyStatus.CANCELLED
    elif row.status == ResidencyStatus.NON_RESIDENT:
        status = facts.ParkResidencyStatus.NON_RESIDENT
    return facts.Residency(
        status=status,
        holder_voen=row.holder_voen,
        registration_no=row.registration_no,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        cancelled_on=row.cancelled_on,
        stage=facts.SiteStage(row.stage) if row.stage else None,
        confirmed_on=row.confirmed_on,
    )


def _cost_facts(items: Sequence[CostItem]) -> facts.CostStatement:
    """Return the cost figures as entered. A place without an entry has no cost."""
    return facts.CostStatement(
        tuple(facts.Cost(kind=item.kind, place=facts.CostPlace(item.place), amount=item.amount) for item in items)
    )


def _dossier_hash(
    scheme_code: str,
    organisation: Organisation,
    dossiers: Mapping[UUID, ProductDossier],
    evidence: Sequence[Evidence],
) -> str:
    return canonical_json.digest(
        {
            "scheme": scheme_code,
            "organisation": [str(organisation.id), organisation.legal_name_az, organisation.legal_name_en],
            "products": {
                str(product_id): {
                    "facts": hashing.to_jsonable(_without_volatile_facts(each.facts)),
                    "names": each.aggregate.product.names,
                    "codes": [each.aggregate.product.national_code, each.aggregate.product.gtin],
                    "site": [str(each.site.id), each.site.name],
                    "residency": str(each.residency.id) if each.residency else None,
                }
                for product_id, each in dossiers.items()
            },
            "evidence": sorted(details.fingerprint(row) for row in evidence if _is_counted(row, dossiers)),
        }
    )


def _is_counted(row: Evidence, dossiers: Mapping[UUID, ProductDossier]) -> bool:
    """Return whether the hash covers the document: of the application, or confirmed and about its products or sites."""
    if row.application_id is not None:
        return True
    about = details.document_subject(row)
    seen = (details.resolve_subject(row.kind, about, product_id, each.site.id) for product_id, each in dossiers.items())
    return row.confirmed_at is not None and any(is_within for is_within, _ in seen)


def _without_volatile_facts(seen: facts.Facts) -> facts.Facts:
    """Return the facts without those that change while the dossier does not.

    Left out: the day, the day of the last confirmation by the resident register, unconfirmed documents, other
    companies' brands, and other certificates of the site. The decision evaluates the rules again with all of them.
    """
    assert (
        seen.residency is not None and seen.evidence is not None and seen.visit is not None
    )  # build_product_facts sets all three
    return replace(
        seen,
        as_of=NO_DAY,
        residency=replace(seen.residency, confirmed_on=None),
        evidence=facts.Evidence(tuple(item for item in seen.evidence.items if item.confirmed)),
        other_brands=None,
        volumes=None,
        visit=replace(seen.visit, certificate_in_force=None),
    )
