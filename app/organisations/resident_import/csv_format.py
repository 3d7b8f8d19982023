"""Parse the register of an industrial park as CSV: bytes in, rows and warnings out. Pure.

Two sets of columns are accepted: that of residents (`resident_id`, `zone_name_en`, `sector_en`, dates and plans) and
that of other companies (`party_id`, `activity_en`). Errors make a file unusable; warnings are for the importing person.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from app.core.csv_table import MAX_BYTES, MAX_ROWS, CellReader, CsvRow, RowMessage, parse_csv
from app.core.decimals import AREA, MONEY, DecimalColumn, decimal_error
from app.core.messages import Message
from app.organisations import tax_number
from app.reference.territory import HOME_COUNTRY, Territory, canonical_district_name, district_error, load_territory

MAX_ID_LENGTH = 60
MAX_NAME_LENGTH = 250
MAX_FORM_LENGTH = 60
SHARE = DecimalColumn(5, 2)
JOBS = DecimalColumn(9, 0)

ID_COLUMNS = ("resident_id", "party_id")
REQUIRED_COLUMNS = (
    "legal_name_az",
    "legal_name_en",
    "legal_form",
    "voen",
    "zone_code",
    "district",
    "district_iso",
    "economic_region",
    "status",
)
OPTIONAL_COLUMNS = (
    "zone_name_en",
    "registration_no",
    "registered_on",
    "incentive_until",
    "plot_ha",
    "planned_investment_azn",
    "planned_jobs",
    "size_class",
    "foreign_share_pct",
    "stage",
    "sector_en",
    "activity_en",
    "line_source",
    "is_fictional",
)
COLUMNS = frozenset(ID_COLUMNS + REQUIRED_COLUMNS + OPTIONAL_COLUMNS)

STATUSES = {word: word for word in ("resident", "non_resident", "cancelled", "none")}
STAGES = {word: word for word in ("planned", "construction", "operating")}
SIZES = {word: word for word in ("micro", "small", "medium", "large")}
BOOLEANS: Mapping[str, bool] = MappingProxyType({"true": True, "false": False})


@dataclass(frozen=True, slots=True)
class ResidentRow:
    """One company's line in a register. None: the cell is empty or the register lacks the column."""

    line: int
    party_id: str
    legal_name_az: str
    legal_name_en: str
    legal_form: str
    voen: str
    park_code: str | None
    park_name_en: str | None
    district: str | None
    district_iso: str | None
    economic_region: str | None
    status: str  # resident, non_resident, cancelled, none
    registration_no: str | None = None
    registered_on: date | None = None
    incentive_until: date | None = None  # a tax privilege, not the end of the residency
    plot_ha: Decimal | None = None
    planned_investment_azn: Decimal | None = None
    planned_jobs: int | None = None
    size_class: str | None = None
    foreign_share_pct: Decimal | None = None
    stage: str | None = None
    activity_en: str | None = None
    is_fictional: bool = False


@dataclass(frozen=True, slots=True)
class ResidentFile:
    """`rows` has every readable line; a file with any error must not be applied."""

    rows: tuple[ResidentRow, ...]
    errors: tuple[RowMessage, ...]
    warnings: tuple[RowMessage, ...]


def parse_resident_file(data: bytes, *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> ResidentFile:
    """Parse a register file. All errors and warnings are reported together, in the order of the lines."""
    table = parse_csv(data, COLUMNS, max_bytes=max_bytes, max_rows=max_rows)
    errors = list(table.errors)
    remarks = [
        RowMessage(1, column, Message("Unknown column; it is ignored.", code="unknown-column"))
        for column in table.columns
        if column and column not in COLUMNS
    ]
    if missing := tuple(missing_column_errors(table.columns)) if table.columns else table.errors:
        return ResidentFile((), missing, tuple(remarks))
    rows = []
    for line in table.rows:
        cells = CellReader(line)
        row = parse_row(cells, load_territory())
        errors.extend(cells.errors)
        remarks.extend(cells.warnings)
        if not cells.errors:
            rows.append(row)
    errors.extend(duplicate_rows(rows))
    return ResidentFile(tuple(rows), tuple(sorted(errors, key=lambda note: note.line)), tuple(remarks))


def missing_column_errors(columns: tuple[str, ...]) -> Iterator[RowMessage]:
    found = [column for column in ID_COLUMNS if column in columns]
    if not found:
        yield RowMessage(
            1, "party_id", Message("This column is missing (resident_id will do as well).", code="required")
        )
    if len(found) > 1:
        yield RowMessage(1, "party_id", Message("Only one of resident_id and party_id may be there.", code="duplicate"))
    for column in REQUIRED_COLUMNS:
        if column not in columns:
            yield RowMessage(1, column, Message("This column is missing.", code="required"))


def parse_row(cells: CellReader, places: Territory) -> ResidentRow:
    line: CsvRow = cells.line
    id_column = next(column for column in ID_COLUMNS if column in line.cells)
    jobs = decimal_cell(cells, "planned_jobs", JOBS)
    status = cells.choice("status", STATUSES)
    if not line.cells["status"]:
        cells.error("status", Message("Enter one of: %(allowed)s.", code="not-in-list", allowed=list(STATUSES)))
    park_code = cells.optional("zone_code")
    row = ResidentRow(
        line=line.number,
        party_id=cells.required(id_column, max_length=MAX_ID_LENGTH),
        legal_name_az=cells.required("legal_name_az", max_length=MAX_NAME_LENGTH),
        legal_name_en=cells.required("legal_name_en", max_length=MAX_NAME_LENGTH),
        legal_form=cells.required("legal_form", max_length=MAX_FORM_LENGTH),
        voen=voen_cell(cells),
        park_code=park_code and park_code.upper(),
        park_name_en=cells.optional("zone_name_en"),
        district=canonical_district_name(HOME_COUNTRY, cells.optional("district")),
        district_iso=cells.optional("district_iso"),
        economic_region=region_cell(cells, places),
        status=status or "none",
        registration_no=cells.optional("registration_no"),
        registered_on=cells.day("registered_on"),
        incentive_until=cells.day("incentive_until"),
        plot_ha=decimal_cell(cells, "plot_ha", AREA),
        planned_investment_azn=decimal_cell(cells, "planned_investment_azn", MONEY),
        planned_jobs=None if jobs is None else int(jobs),
        size_class=cells.choice("size_class", SIZES),
        foreign_share_pct=decimal_cell(cells, "foreign_share_pct", SHARE, max_value=Decimal(100)),
        stage=cells.choice("stage", STAGES),
        activity_en=cells.optional("activity_en") or cells.optional("sector_en"),
        is_fictional=bool(cells.choice("is_fictional", BOOLEANS)),
    )
    warn_on_place(cells, row, places)
    return row


def voen_cell(cells: CellReader) -> str:
    text = cells.required("voen")
    if not text:
        return text
    number = tax_number.parse_voen(text)
    if isinstance(number, tax_number.InvalidVoen):
        cells.error("voen", number.reason)
        return text
    if number.needs_review:
        cells.warning(
            "voen",
            Message(
                "The check digit differs: confirm the number with the tax register (manual review).",
                code="wrong-check-digit",
            ),
        )
    return number.digits


def decimal_cell(
    cells: CellReader, column: str, size: DecimalColumn, *, max_value: Decimal | None = None
) -> Decimal | None:
    number = cells.number(column)
    if number is None:
        return None
    if fault := decimal_error(number, size, max_value=max_value):
        cells.error(column, fault)
        return None
    return number


def region_cell(cells: CellReader, places: Territory) -> str | None:
    """Return the region in the register or, if empty, that of the district."""
    region = cells.optional("economic_region")
    if region is not None:
        return region.upper()
    district_region = places.region_of(canonical_district_name(HOME_COUNTRY, cells.optional("district")))
    if district_region is not None:
        cells.warning(
            "economic_region", Message("Empty; the district lies in %(region)s.", code="empty", region=district_region)
        )
    return district_region


def warn_on_place(cells: CellReader, row: ResidentRow, places: Territory) -> None:
    """Warn about contradictions, which the importing person decides on: the register may be more current."""
    if row.park_code is not None and row.park_code not in places.parks:
        cells.warning(
            "zone_code", Message("The park %(park)s does not exist yet.", code="unknown-park", park=row.park_code)
        )
    if row.status in ("resident", "non_resident") and row.park_code is None:
        cells.warning(
            "zone_code",
            Message("The status is %(status)s, but no park is named.", code="required", status=str(row.status)),
        )
    if row.economic_region is not None and row.economic_region not in places.regions:
        cells.warning(
            "economic_region",
            Message("There is no economic region %(region)s.", code="unknown-region", region=row.economic_region),
        )
    district = places.find_district(row.district)
    if row.district is None or district is None:
        fault = row.district and district_error(HOME_COUNTRY, row.district)
        cells.warning("district", fault or Message("The district is empty.", code="empty"))
        return
    if row.economic_region != district.region:
        cells.warning(
            "economic_region",
            Message(
                "%(district)s lies in %(region)s, not in %(other)s.",
                code="other-region",
                district=row.district,
                region=district.region,
                other=row.economic_region,
            ),
        )
    if row.district_iso is not None and row.district_iso.upper() != district.iso:
        cells.warning("district_iso", _code_mismatch(row.district, district.iso))


def _code_mismatch(district: str, code: str | None) -> Message:
    if code is None:
        return Message("The code of %(district)s is not yet assigned.", code="other-code", district=district)
    return Message("The code of %(district)s is %(suggestion)s.", code="other-code", district=district, suggestion=code)


def duplicate_rows(rows: Iterable[ResidentRow]) -> Iterator[RowMessage]:
    """Report lines that repeat an earlier one: the same id, or the same company in the same park."""
    ids: dict[str, int] = {}
    memberships: dict[tuple[str, str | None], int] = {}
    for row in rows:
        first = ids.setdefault(row.party_id, row.line)
        if first != row.line:
            yield RowMessage(
                row.line,
                "party_id",
                Message("%(id)s is already on line %(line)s.", code="duplicate", id=row.party_id, line=first),
            )
        first = memberships.setdefault((row.voen, row.park_code), row.line)
        if first != row.line:
            yield RowMessage(
                row.line,
                "voen",
                Message(
                    "The company %(voen)s is already on line %(line)s for the same park.",
                    code="duplicate",
                    voen=row.voen,
                    line=first,
                ),
            )
