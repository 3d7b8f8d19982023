"""Parse products as CSV, joined with the resident register: bytes in, facts out. Pure.

A file has only part of the facts: no process steps, tax number or start of production. Those groups stay None, so that
their rules yield `not_assessed`. The site is the owner's row of the register; of its residency only the status counts.
Columns with expected results (`expected_…`) are never read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from app.core.csv_table import MAX_BYTES, MAX_ROWS, CellReader, RowMessage, parse_csv
from app.core.messages import Message
from app.organisations.resident_import.csv_format import ResidentRow
from app.schemes.closed_lists import load_lists
from app.schemes.facts import (
    CostShares,
    Facts,
    InputSummary,
    ParkResidencyStatus,
    Place,
    ProductFacts,
    RawWeight,
    Residency,
    ValueStatement,
)
from app.schemes.percentages import to_fraction

REQUIRED_COLUMNS = (
    "product_id",
    "owner_id",
    "hs6",
    "ex_works_azn",
    "vnm_azn",
    "nonorig_input_hs4",
    "karabakh_cost_pct",
    "azerbaijan_cost_pct",
    "flags",
    "az_raw_weight_pct",
)
OPTIONAL_COLUMNS = (
    "name_az",
    "name_en",
    "hs_heading",
    "hs_chapter",
    "hs_description",
    "unit",
    "last_step_place",
    "annual_capacity",
    "sample_gtin13",
    "is_fictional",
)
COLUMNS = frozenset(REQUIRED_COLUMNS + OPTIONAL_COLUMNS)
EXPECTED_COLUMN_PREFIX = "expected_"

JOINT_PRODUCTION_PATTERN = re.compile(r"joint_production(?:_(.*))?")
LIST_SEPARATOR = ";"


@dataclass(frozen=True, slots=True)
class ProductRow:
    line: int
    product_id: str
    owner: ResidentRow
    facts: Facts


@dataclass(frozen=True, slots=True)
class ProductFile:
    """`products` has every readable line, in the order of the file; a file with any error must not be used."""

    products: tuple[ProductRow, ...]
    errors: tuple[RowMessage, ...]
    warnings: tuple[RowMessage, ...]


def parse_products(
    data: bytes,
    register: Mapping[str, ResidentRow],
    as_of: date,
    *,
    max_bytes: int = MAX_BYTES,
    max_rows: int = MAX_ROWS,
) -> ProductFile:
    """Parse a products file against the register (id of a company → its row)."""
    table = parse_csv(data, COLUMNS, max_bytes=max_bytes, max_rows=max_rows)
    remarks = [
        RowMessage(1, column, Message("Unknown column; it is ignored.", code="unknown-column"))
        for column in table.columns
        if column and column not in COLUMNS and not column.startswith(EXPECTED_COLUMN_PREFIX)
    ]
    missing = tuple(
        RowMessage(1, column, Message("This column is missing.", code="required"))
        for column in REQUIRED_COLUMNS
        if column not in table.columns
    )
    if not table.columns or missing:
        return ProductFile((), missing if table.columns else table.errors, tuple(remarks))
    errors = list(table.errors)
    products: list[ProductRow] = []
    first_line: dict[str, int] = {}
    for line in table.rows:
        cells = CellReader(line)
        product_id = cells.required("product_id")
        first = first_line.setdefault(product_id, line.number)
        if product_id and first != line.number:
            cells.error(
                "product_id",
                Message("%(id)s is already on line %(line)s.", code="duplicate", id=product_id, line=first),
            )
        owner_id = cells.required("owner_id")
        owner = register.get(owner_id)
        if owner_id and owner is None:
            cells.error(
                "owner_id", Message("There is no company %(id)s in the register.", code="unknown-company", id=owner_id)
            )
        product = parse_product(cells, owner, as_of)
        errors.extend(cells.errors)
        remarks.extend(cells.warnings)
        if owner is not None and not cells.errors:
            products.append(ProductRow(line.number, product_id, owner, product))
    return ProductFile(tuple(products), tuple(sorted(errors, key=lambda note: note.line)), tuple(remarks))


def parse_product(cells: CellReader, owner: ResidentRow | None, as_of: date) -> Facts:
    """Return the facts of one line. An empty cell is a missing fact (None); without an owner there is no place."""
    flags, partners = parse_flags(cells)
    value = ValueStatement(
        ex_works=cells.number("ex_works_azn"),
        inputs=InputSummary(cells.number("vnm_azn"), split_list(cells.optional("nonorig_input_hs4"))),
    )
    cost = CostShares(cells.number("karabakh_cost_pct"), cells.number("azerbaijan_cost_pct"))
    if _share_exceeds_value_content(value, cost):
        cells.warning(
            "azerbaijan_cost_pct",
            Message(
                "The Azerbaijan share of cost is above the value content: one of the two must be wrong.",
                code="contradiction",
            ),
        )
    return Facts(
        as_of=as_of,
        product=ProductFacts(
            hs6=cells.optional("hs6"),
            name_en=cells.optional("name_en"),
            name_az=cells.optional("name_az"),
            flags=flags,
            partner_countries=partners,
            unit=load_lists().find_unit(cells.optional("unit")),
        ),
        place=Place(owner.economic_region, owner.district, owner.park_code) if owner else None,
        residency=Residency(ParkResidencyStatus(owner.status), registration_no=owner.registration_no)
        if owner
        else None,
        value=value,
        cost=cost,
        raw_weight=RawWeight(cells.number("az_raw_weight_pct")),
    )


def _share_exceeds_value_content(value: ValueStatement, cost: CostShares) -> bool:
    """Whether the cost in Azerbaijan exceeds the value content, which is impossible for correct figures (C-15)."""
    assert isinstance(value.inputs, InputSummary)  # a file has only the summary
    price, inputs = to_fraction(value.ex_works), to_fraction(value.inputs.non_originating_value)
    share = to_fraction(cost.azerbaijan_pct)
    if price is None or inputs is None or share is None or price <= 0 or not 0 <= inputs <= price:
        return False
    return share > (price - inputs) / price * 100


def parse_flags(cells: CellReader) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the flags, and the partner countries of those of the form `joint_production_XX`.

    A joint production without a country counts too, with the country "?".
    """
    flags, partners = set(), []
    for word in split_list(cells.optional("flags")):
        flag = word.casefold()
        joint = JOINT_PRODUCTION_PATTERN.fullmatch(flag)
        if joint:
            partners.append((joint[1] or "?").upper())
            continue
        listed_flag = load_lists().find_flag(word)
        if listed_flag is None:
            cells.warning(
                "flags",
                Message("Unknown flag “%(flag)s”; it is ignored.", code="unknown-flag", flag=word),
            )
        flags.add(listed_flag or flag)
    return frozenset(flags), tuple(partners)


def split_list(cell: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (cell or "").split(LIST_SEPARATOR) if word.strip())
