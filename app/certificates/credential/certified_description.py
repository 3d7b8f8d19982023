"""The certified description: what a certificate speaks of, as JSON, frozen on the day of issue.

Everything that the company stated and the register knew of the product, its site and the company. Columns that are
added to these tables later belong to it without a word here; what is left out is named.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

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
"""Of the company its names and its number; what it is beside that, other rules ask for."""


def build_description(whole: ProductAggregate, site: Site, organisation: Organisation) -> dict[str, Any]:
    """JSON values: decimals as text, days in ISO form, ids as text."""
    return {
        "v": DESCRIPTION_VERSION,
        "company": company_fields(organisation),
        "site": site_fields(site),
        "product": _row_fields(whole.product, _OMITTED_OF_PRODUCT),
        "materials": [_row_fields(row, _OMITTED_OF_CHILD) for row in whole.materials],
        "steps": [_row_fields(row, _OMITTED_OF_CHILD) for row in whole.steps],
        "costs": [_row_fields(row, _OMITTED_OF_CHILD) for row in whole.costs],
    }


def company_fields(organisation: Organisation) -> dict[str, Any]:
    return {name: _to_json_value(getattr(organisation, name)) for name in COMPANY_FIELDS}


def site_fields(site: Site) -> dict[str, Any]:
    return _row_fields(site, _OMITTED_OF_SITE)


def changed_fields(certified: Mapping[str, Any], present: Mapping[str, Any]) -> list[str]:
    """Members that now say another thing than was certified. One that only one of the two knows is no difference."""
    return sorted(name for name in certified.keys() & present.keys() if certified[name] != present[name])


def _row_fields(row: Base, left_out: Iterable[str]) -> dict[str, Any]:
    names = [column.key for column in sa.inspect(type(row)).columns]
    return {name: _to_json_value(getattr(row, name)) for name in names if name not in left_out}


def _to_json_value(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else hashing.to_jsonable(value)
