"""Define the sheets and columns in which products and applications are imported. Pure.

In an XLSX file each table is a sheet. A CSV file has one header for all of them; the column `record` says which table a
line belongs to, and a file without it has lines of the first table only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from app.products.model import CostKind, Place
from app.schemes.closed_lists import load_lists
from app.schemes.facts import ValueBasis

RECORD_COLUMN = "record"
PRODUCT_RECORD = "product"
LIST_SEPARATOR = "|"
COMMENT_PREFIX = "##"
"""First characters of a line that explains and is not imported."""
TRUE_FALSE = ("true", "false")

ColumnType = Literal["text", "number", "boolean", "list"]
ImportKind = Literal["products", "applications"]


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """A column: what its cells hold, and the closed list of which they are, if there is one."""

    name: str
    description: str
    type: ColumnType = "text"
    is_required: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportSheet:
    """A table. `record` names one line of it in the column `record` of a CSV file."""

    name: str
    record: str
    columns: tuple[ImportColumn, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True)
class ImportLayout:
    """The tables of a kind; the first has one line for each thing that is created."""

    kind: ImportKind
    sheets: tuple[ImportSheet, ...]

    @property
    def csv_columns(self) -> tuple[str, ...]:
        """Columns of the CSV file: those of all tables, each once."""
        names = [name for sheet in self.sheets for name in sheet.column_names]
        return tuple(dict.fromkeys([RECORD_COLUMN, *names] if len(self.sheets) > 1 else names))


_PRODUCT = ImportColumn("reference", "the product's reference, as in its own line", is_required=True)


def _products() -> ImportLayout:
    lists = load_lists()
    products = ImportSheet(
        "products",
        PRODUCT_RECORD,
        (
            ImportColumn("reference", "your own code for the product; other tables name it"),
            ImportColumn(
                "name_az", "name in Azerbaijani; more languages: name_ru, name_tr and so on", is_required=True
            ),
            ImportColumn("name_en", "name in English", is_required=True),
            ImportColumn("hs6", "subheading of HS 2022, 6 digits; format the column as text", is_required=True),
            ImportColumn("unit", "unit of quantity", is_required=True, values=tuple(lists.units)),
            ImportColumn("site", "name or id of one of your production sites", is_required=True),
            ImportColumn("national_code", "10 digits, begins with the HS code"),
            ImportColumn("gtin", "8, 12, 13 or 14 digits"),
            ImportColumn("brand", "brand"),
            ImportColumn("flags", f"separated by {LIST_SEPARATOR}", "list", values=tuple(lists.flags)),
            ImportColumn("joint_production", f"countries of partners abroad, separated by {LIST_SEPARATOR}", "list"),
            ImportColumn("ex_works", "price ex works, AZN per unit", "number"),
        ),
    )
    materials = ImportSheet(
        "materials",
        "material",
        (
            _PRODUCT,
            ImportColumn("name", "name of the material", is_required=True),
            ImportColumn("hs4", "heading of HS 2022, 4 digits; format the column as text"),
            ImportColumn("origin_country", "two capital letters (ISO 3166-1), such as TR"),
            ImportColumn("origin_district", "district of Azerbaijan"),
            ImportColumn("originating", "whether you claim Azerbaijani origin", "boolean", values=TRUE_FALSE),
            ImportColumn("value", "AZN per unit of product", "number"),
            ImportColumn("basis", "how the value was taken", values=tuple(each.value for each in ValueBasis)),
            ImportColumn("weight_kg", "kilograms per unit of product", "number"),
            ImportColumn("packing", "whether it is retail packing", "boolean", values=TRUE_FALSE),
            ImportColumn("supplier", "VÖEN or name"),
            ImportColumn("proofs", f"ids of evidence documents of your company, separated by {LIST_SEPARATOR}", "list"),
        ),
    )
    steps = ImportSheet(
        "steps",
        "step",
        (
            _PRODUCT,
            ImportColumn(
                "name", "name of the step; the order of the lines is the order of production", is_required=True
            ),
            ImportColumn("operation", "code or name from GET /v1/operations, or another text", is_required=True),
            ImportColumn("country", "two capital letters (ISO 3166-1), such as AZ"),
            ImportColumn("district", "district of Azerbaijan"),
            ImportColumn("subcontractor", "empty: your company"),
            ImportColumn(
                "is_essential", "whether the product would not exist without it", "boolean", values=TRUE_FALSE
            ),
        ),
    )
    costs = ImportSheet(
        "costs",
        "cost",
        (
            _PRODUCT,
            ImportColumn("kind", "type of cost", is_required=True, values=tuple(each.value for each in CostKind)),
            ImportColumn(
                "place", "where it was incurred", is_required=True, values=tuple(each.value for each in Place)
            ),
            ImportColumn("amount", "AZN per unit of product", "number", is_required=True),
        ),
    )
    return ImportLayout("products", (products, materials, steps, costs))


def _applications() -> ImportLayout:
    columns = (
        ImportColumn("scheme", "code of the scheme, such as MIK", is_required=True),
        ImportColumn("reference", "your own reference for the application"),
        ImportColumn(
            "products",
            f"references or ids of 1 to 50 products, separated by {LIST_SEPARATOR}",
            "list",
            is_required=True,
        ),
    )
    return ImportLayout("applications", (ImportSheet("applications", "application", columns),))


LAYOUTS: Mapping[ImportKind, ImportLayout] = MappingProxyType(
    {"products": _products(), "applications": _applications()}
)
