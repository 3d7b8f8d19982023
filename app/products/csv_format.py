"""Products as a CSV file, joined with the register: bytes in, facts out. Pure.

A file carries only part of the facts: no process steps, no tax number to check, no start of production. Those groups
stay None, so that their rules answer `not_assessed`. The site is the owner's row of the register, and of its residency
only the status counts. Columns that hold answers (`expected_…`) are never read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from app.core.csv_table import MOST_BYTES, MOST_ROWS, Cells, Note, read_table
from app.core.messages import Message
from app.organisations.resident_import.csv_format import RegisterRow
from app.schemes.closed_lists import lists
from app.schemes.facts import (
    CostShares,
    Facts,
    InputSummary,
    Place,
    ProductFacts,
    RawWeight,
    Residency,
    ResidencyState,
    ValueStatement,
)
from app.schemes.percentages import exact

NEEDED = (
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
OPTIONAL = (
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
COLUMNS = frozenset(NEEDED + OPTIONAL)
ANSWERS = "expected_"

JOINT_PRODUCTION = re.compile(r"joint_production(?:_(.*))?")
LIST_MARK = ";"


@dataclass(frozen=True, slots=True)
class ProductLine:
    line: int
    product_id: str
    owner: RegisterRow
    facts: Facts


@dataclass(frozen=True, slots=True)
class ProductSheet:
    """`products` holds every line that could be read, in the order of the file; with any error it must not be used."""

    products: tuple[ProductLine, ...]
    errors: tuple[Note, ...]
    remarks: tuple[Note, ...]


def parse_products(
    data: bytes,
    register: Mapping[str, RegisterRow],
    as_of: date,
    *,
    most_bytes: int = MOST_BYTES,
    most_rows: int = MOST_ROWS,
) -> ProductSheet:
    """Read a products file against the register (id of a company → its row)."""
    table = read_table(data, COLUMNS, most_bytes=most_bytes, most_rows=most_rows)
    remarks = [
        Note(1, column, Message("Unknown column, not read.", code="unknown-column"))
        for column in table.columns
        if column and column not in COLUMNS and not column.startswith(ANSWERS)
    ]
    missing = tuple(
        Note(1, column, Message("This column is missing.", code="required"))
        for column in NEEDED
        if column not in table.columns
    )
    if not table.columns or missing:
        return ProductSheet((), missing if table.columns else table.errors, tuple(remarks))
    errors = list(table.errors)
    products: list[ProductLine] = []
    first_line: dict[str, int] = {}
    for line in table.lines:
        cells = Cells(line)
        product_id = cells.needed("product_id")
        first = first_line.setdefault(product_id, line.number)
        if product_id and first != line.number:
            cells.wrong(
                "product_id",
                Message("%(id)s is already on line %(line)s.", code="duplicate", id=product_id, line=first),
            )
        owner_id = cells.needed("owner_id")
        owner = register.get(owner_id)
        if owner_id and owner is None:
            cells.wrong(
                "owner_id", Message("There is no company %(id)s in the register.", code="unknown-company", id=owner_id)
            )
        product = read_product(cells, owner, as_of)
        errors.extend(cells.errors)
        remarks.extend(cells.remarks)
        if owner is not None and not cells.errors:
            products.append(ProductLine(line.number, product_id, owner, product))
    return ProductSheet(tuple(products), tuple(sorted(errors, key=lambda note: note.line)), tuple(remarks))


def read_product(cells: Cells, owner: RegisterRow | None, as_of: date) -> Facts:
    """The facts of one line. An empty cell is a missing fact (None); without an owner there is no place."""
    flags, partners = read_flags(cells)
    value = ValueStatement(
        ex_works=cells.number("ex_works_azn"),
        inputs=InputSummary(cells.number("vnm_azn"), listed(cells.optional("nonorig_input_hs4"))),
    )
    cost = CostShares(cells.number("karabakh_cost_pct"), cells.number("azerbaijan_cost_pct"))
    if _share_exceeds_value_content(value, cost):
        cells.remark(
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
            unit=lists().unit(cells.optional("unit")),
        ),
        place=Place(owner.economic_region, owner.district, owner.park_code) if owner else None,
        residency=Residency(ResidencyState(owner.status), registration_no=owner.registration_no) if owner else None,
        value=value,
        cost=cost,
        raw_weight=RawWeight(cells.number("az_raw_weight_pct")),
    )


def _share_exceeds_value_content(value: ValueStatement, cost: CostShares) -> bool:
    """Whether more than the value content is cost in Azerbaijan, which true figures never show (C-15)."""
    assert isinstance(value.inputs, InputSummary)  # a file carries no more
    price, inputs = exact(value.ex_works), exact(value.inputs.non_originating_value)
    share = exact(cost.azerbaijan_pct)
    if price is None or inputs is None or share is None or price <= 0 or not 0 <= inputs <= price:
        return False
    return share > (price - inputs) / price * 100


def read_flags(cells: Cells) -> tuple[frozenset[str], tuple[str, ...]]:
    """The flags, and the partner countries of those that say `joint_production_XX`.

    A joint production without a country is one all the same: the country is then "?".
    """
    flags, partners = set(), []
    for word in listed(cells.optional("flags")):
        flag = word.casefold()
        joint = JOINT_PRODUCTION.fullmatch(flag)
        if joint:
            partners.append((joint[1] or "?").upper())
            continue
        known = lists().flag(word)
        if known is None:
            cells.remark(
                "flags",
                Message("The flag “%(flag)s” is not known and changes nothing.", code="unknown-flag", flag=word),
            )
        flags.add(known or flag)
    return frozenset(flags), tuple(partners)


def listed(cell: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (cell or "").split(LIST_MARK) if word.strip())
