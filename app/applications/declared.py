"""The declared hash: one hash over all that the applicant entered and uploaded for an application (C-16). Pure.

It covers products as described, the applicant's own data of their sites, and documents as the applicant stated them at
upload. Nothing that staff read, confirm, look up or import is in it, and no day: their work never undoes a declaration.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.applications.items import subject_seen
from app.applications.model import Evidence
from app.products.store import WholeProduct
from app.registry.model import Site, Source
from app.schemes import canonical

PRODUCT = (
    "names",
    "hs6",
    "national_code",
    "gtin",
    "unit",
    "brand",
    "flags",
    "joint_production",
    "ex_works",
    "site_id",
)
MATERIAL = (
    "name",
    "hs4",
    "origin_country",
    "origin_district",
    "claim",
    "value",
    "weight_kg",
    "basis",
    "packing",
    "supplier",
    "proofs",
)
STEP = ("seq", "name", "operation", "country", "district", "subcontractor", "is_essential")
COST = ("kind", "place", "amount")
SITE = ("name", "production_started_on")
APPLICANT_SITE = ("country", "district", "park_code")  # of a site from the register, these are the register's word


def declared_hash(
    application_id: UUID, products: Iterable[WholeProduct], sites: Iterable[Site], evidence: Iterable[Evidence]
) -> str:
    """SHA-256, lower-case hex. `evidence`: what the application finds; what staff added, or what is about other
    products and sites of the company, is left out."""
    wholes = list(products)
    return canonical.digest(
        {
            "products": {str(each.product.id): _product(each) for each in wholes},
            "sites": {str(site.id): _site(site) for site in sites},
            "documents": sorted(
                canonical.canonical_json([row.kind, row.sha256, row.entered])
                for row in evidence
                if row.entered is not None and (row.application_id == application_id or _is_within(row, wholes))
            ),
        }
    )


def _is_within(row: Evidence, wholes: Iterable[WholeProduct]) -> bool:
    seen = (subject_seen(row, each.product.id, each.product.site_id) for each in wholes)
    return any(is_within and subject is not None for is_within, subject in seen)


def _product(whole: WholeProduct) -> dict[str, Any]:
    return {
        **_members(whole.product, PRODUCT),
        "materials": sorted((_members(line, MATERIAL) for line in whole.materials), key=canonical.canonical_json),
        "steps": [_members(step, STEP) for step in whole.steps],
        "costs": [_members(cost, COST) for cost in whole.costs],
    }


def _site(site: Site) -> dict[str, Any]:
    return _members(site, SITE if site.source == Source.REGISTER else (*SITE, *APPLICANT_SITE))


def _members(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else canonical.jsonable(value)
