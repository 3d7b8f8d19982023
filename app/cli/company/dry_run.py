"""Assess the content of a file by the rules of this release, without a service: what the file says is taken as proven.

What only the service knows (residency, earlier certificates, other brands, what staff look up) is not assessed.
"""

from datetime import date

from app.api.company.products import ProductRequest
from app.cli.company.application_file import NO_ID, ApplicationFile, FileDocument
from app.core.errors import NotFound
from app.products.inputs import MaterialInput, ProductInput, StepInput
from app.reference.territory import HOME_COUNTRY, load_territory
from app.schemes import evidence_kinds, facts
from app.schemes.evaluator import Assessment, evaluate
from app.schemes.evidence_kinds import EvidenceScope, load_evidence_kinds
from app.schemes.facts import EvidenceSubjectKind
from app.schemes.ruleset import Ruleset
from app.schemes.scheme_loader import load_schemes

SUBJECTS = {
    EvidenceScope.COMPANY: EvidenceSubjectKind.COMPANY,
    EvidenceScope.SITE: EvidenceSubjectKind.SITE,
    EvidenceScope.LOT: EvidenceSubjectKind.LOT,
}


def load_rules(code: str) -> Ruleset:
    """Return the rules of a mark. Raises `NotFound`."""
    schemes = load_schemes()
    if code not in schemes:
        raise NotFound.of("scheme")
    return schemes[code].ruleset


def assess_file(file: ApplicationFile, ruleset: Ruleset, today: date) -> Assessment:
    """Return the assessment, with every rule."""
    entry = ProductRequest.model_validate({**file.product, "site_id": str(NO_ID)}).to_input()
    return evaluate(ruleset, facts_of(file, entry, today))


def facts_of(file: ApplicationFile, entry: ProductInput, today: date) -> facts.Facts:
    site, district = file.site, load_territory().district_by_name(str(file.site["district"]))
    started = site.get("production_started_on")
    return facts.Facts(
        as_of=today,
        product=facts.ProductFacts(
            hs6=entry.hs6,
            name_en=entry.names.get("en"),
            name_az=entry.names.get("az"),
            flags=frozenset(entry.flags),
            partner_countries=entry.joint_production,
            unit=entry.unit,
            other_names=tuple(name for language, name in sorted(entry.names.items()) if language not in {"az", "en"}),
            brand=entry.brand,
        ),
        place=facts.Place(
            district.region if district else None,
            district.name if district else str(site["district"]),
            site.get("park_code"),
        ),
        production=facts.ProductionFacts(
            str(site.get("country", HOME_COUNTRY)), date.fromisoformat(started) if started else None
        ),
        value=facts.ValueStatement(
            entry.ex_works, tuple(_material(line, file.proofs.get(at, ())) for at, line in enumerate(entry.materials))
        ),
        cost=facts.CostStatement(
            tuple(facts.Cost(each.kind, facts.CostPlace(each.place), each.amount) for each in entry.costs)
        ),
        steps=tuple(_step(seq, step) for seq, step in enumerate(entry.steps, 1)),
        evidence=facts.Evidence(tuple(_item(each) for each in file.documents)),
    )


def _material(line: MaterialInput, proofs: tuple[str, ...]) -> facts.Material:
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
        basis=line.basis,
        packing=line.packing,
        supplier=line.supplier,
        proofs=proofs,
    )


def _step(seq: int, step: StepInput) -> facts.Step:
    known = load_territory().district_by_name(step.district) if step.district and step.country == HOME_COUNTRY else None
    return facts.Step(
        seq=seq,
        name=step.name,
        operation=step.operation,
        country=step.country,
        district=known.name if known else step.district,
        economic_region=known.region if known else None,
        subcontractor=step.subcontractor,
        is_essential=step.is_essential,
    )


def _item(document: FileDocument) -> facts.EvidenceItem:
    values = dict(evidence_kinds.to_facts(load_evidence_kinds()[document.kind], document.details.values))
    if isinstance(district := values.get("district"), str) and (region := load_territory().region_of(district)):
        values["region"] = region
    return facts.EvidenceItem(
        kind=document.kind,
        issued_on=document.details.issued_on,
        valid_until=document.details.valid_until,
        number=document.details.number,
        values=values,
        id=document.path.name,
        subject=SUBJECTS.get(document.scope, EvidenceSubjectKind.PRODUCT),
    )
