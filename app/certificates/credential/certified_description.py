"""Build the certified description of a product: what a certificate covers, frozen at issue.

The JSON contains everything recorded about the product, its site and the company. Columns that are added to these
tables later are included; omitted columns are listed here.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from app.core.database import Base
from app.organisations.model import Organisation, Site
from app.products.product_repository import ProductAggregate
from app.schemes import hashing

DESCRIPTION_VERSION = 1
_ROW_METADATA = frozenset({"created_at", "updated_at", "retired_at", "version"})
_OMITTED_OF_PRODUCT = _ROW_METADATA | {"organisation_id", "site_id", "reference"}
_OMITTED_OF_SITE = _ROW_METADATA | {"organisation_id", "source", "register_key"}
_OMITTED_OF_CHILD = frozenset({"product_id"})
COMPANY_FIELDS = ("id", "legal_name_az", "legal_name_en", "legal_form", "voen")
"""Names and tax number of the company; other rules evaluate its other data."""


def build_description(aggregate: ProductAggregate, site: Site, organisation: Organisation) -> dict[str, Any]:
    """Return JSON values: decimals as text, dates in ISO form, ids as text."""
    return {
        "v": DESCRIPTION_VERSION,
        "company": company_fields(organisation),
        "site": site_fields(site),
        "product": _row_fields(aggregate.product, _OMITTED_OF_PRODUCT),
        "materials": [_row_fields(row, _OMITTED_OF_CHILD) for row in aggregate.materials],
        "steps": [_row_fields(row, _OMITTED_OF_CHILD) for row in aggregate.steps],
        "costs": [_row_fields(row, _OMITTED_OF_CHILD) for row in aggregate.costs],
    }


def company_fields(organisation: Organisation) -> dict[str, Any]:
    return {name: _to_json_value(getattr(organisation, name)) for name in COMPANY_FIELDS}


def site_fields(site: Site) -> dict[str, Any]:
    return _row_fields(site, _OMITTED_OF_SITE)


def changed_fields(certified: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """Return the fields whose value now differs from the certified one.

    A field that only one of the two has is not a difference.
    """
    return sorted(name for name in certified.keys() & current.keys() if certified[name] != current[name])


def _row_fields(row: Base, omitted: Iterable[str]) -> dict[str, Any]:
    names = type(row).__table__.columns.keys()
    return {name: _to_json_value(getattr(row, name)) for name in names if name not in omitted}


def _to_json_value(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else hashing.to_jsonable(value)
