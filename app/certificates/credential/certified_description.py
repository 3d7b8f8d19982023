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
from app.products.product_repository import WholeProduct
from app.schemes import hashing

VERSION = 1
_OF_THE_ROW = frozenset({"created_at", "updated_at", "retired_at", "version"})
_PRODUCT = _OF_THE_ROW | {"organisation_id", "site_id", "reference"}
_SITE = _OF_THE_ROW | {"organisation_id", "source", "register_key"}
_CHILD = frozenset({"product_id"})
COMPANY = ("id", "legal_name_az", "legal_name_en", "legal_form", "voen")
"""Of the company its names and its number; what it is beside that, other rules ask for."""


def describe(whole: WholeProduct, site: Site, organisation: Organisation) -> dict[str, Any]:
    """JSON values: decimals as text, days in ISO form, ids as text."""
    return {
        "v": VERSION,
        "company": company_members(organisation),
        "site": site_members(site),
        "product": _members(whole.product, _PRODUCT),
        "materials": [_members(row, _CHILD) for row in whole.materials],
        "steps": [_members(row, _CHILD) for row in whole.steps],
        "costs": [_members(row, _CHILD) for row in whole.costs],
    }


def company_members(organisation: Organisation) -> dict[str, Any]:
    return {name: _value(getattr(organisation, name)) for name in COMPANY}


def site_members(site: Site) -> dict[str, Any]:
    return _members(site, _SITE)


def differing(certified: Mapping[str, Any], present: Mapping[str, Any]) -> list[str]:
    """Members that now say another thing than was certified. One that only one of the two knows is no difference."""
    return sorted(name for name in certified.keys() & present.keys() if certified[name] != present[name])


def _members(row: Base, left_out: Iterable[str]) -> dict[str, Any]:
    names = [column.key for column in sa.inspect(type(row)).columns]
    return {name: _value(getattr(row, name)) for name in names if name not in left_out}


def _value(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else hashing.jsonable(value)
