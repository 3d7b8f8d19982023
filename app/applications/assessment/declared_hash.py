"""Compute the declared hash over everything the applicant entered and uploaded (C-16). Pure.

It covers products, the applicant's own data of their sites, and documents as stated at upload. It leaves out what staff
read, confirm, look up or import, and the day: work of staff never invalidates a declaration.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from app.applications.evidence.details import entered_subject, resolve_subject
from app.applications.model import Application, Declaration, Evidence
from app.applications.workflow import EDITABLE_STATES, State
from app.core import canonical_json
from app.organisations.model import RecordSource, Site
from app.products.product_repository import ProductAggregate
from app.schemes import hashing

PRODUCT_FIELDS = (
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
MATERIAL_FIELDS = (
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
STEP_FIELDS = ("seq", "name", "operation", "country", "district", "subcontractor", "is_essential")
COST_FIELDS = ("kind", "place", "amount")
SITE_FIELDS = ("name", "production_started_on")
APPLICANT_SITE_FIELDS = (
    "country",
    "district",
    "park_code",
)  # fields that the resident register supplies for its sites


def compute_declared_hash(
    products: Iterable[ProductAggregate], sites: Iterable[Site], documents: Iterable[Evidence]
) -> str:
    """Return the SHA-256 in lower-case hex. `documents`: the result of `declarable_documents`."""
    return canonical_json.digest(
        {
            "products": {str(each.product.id): _product_content(each) for each in products},
            "sites": {str(site.id): _site_content(site) for site in sites},
            "documents": sorted(
                canonical_json.canonical_json([row.kind, row.sha256, row.entered]) for row in documents
            ),
        }
    )


def declarable_documents(
    application: Application,
    products: Iterable[ProductAggregate],
    evidence: Iterable[Evidence],
    newest: Declaration | None,
) -> tuple[Evidence, ...]:
    """Return the documents that a declaration covers: the application's, and the company's about its products or sites.

    While the application is under review, of the company's documents only those count that the newest declaration
    covers, so that a new upload does not invalidate the declaration.
    """
    aggregates = list(products)
    is_frozen = State(application.state) not in EDITABLE_STATES
    covered = frozenset(newest.documents) if newest is not None and is_frozen else None
    return tuple(
        row
        for row in evidence
        if row.entered is not None
        and (
            row.application_id == application.id
            or (_is_within(row.kind, row.entered, aggregates) and (covered is None or str(row.id) in covered))
        )
    )


def _is_within(kind: str, entered: Mapping[str, Any], aggregates: Iterable[ProductAggregate]) -> bool:
    """Compare by the subject that the applicant named; staff may confirm another one."""
    about = entered_subject(entered)
    seen = (resolve_subject(kind, about, each.product.id, each.product.site_id) for each in aggregates)
    return any(is_within and subject is not None for is_within, subject in seen)


def _product_content(aggregate: ProductAggregate) -> dict[str, Any]:
    return {
        **_fields_of(aggregate.product, PRODUCT_FIELDS),
        "materials": sorted(
            (_fields_of(line, MATERIAL_FIELDS) for line in aggregate.materials), key=canonical_json.canonical_json
        ),
        "steps": [_fields_of(step, STEP_FIELDS) for step in aggregate.steps],
        "costs": [_fields_of(cost, COST_FIELDS) for cost in aggregate.costs],
    }


def _site_content(site: Site) -> dict[str, Any]:
    return _fields_of(
        site, SITE_FIELDS if site.source == RecordSource.REGISTER else (*SITE_FIELDS, *APPLICANT_SITE_FIELDS)
    )


def _fields_of(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: _to_json_value(getattr(row, name)) for name in names}


def _to_json_value(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else hashing.to_jsonable(value)
