"""Read an uploaded CSV or XLSX file into the lines of its tables, with every fault of its form.

Lines become members as in a JSON body: whether those are valid is not checked here.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.bulk.layouts import (
    COMMENT_PREFIX,
    LIST_SEPARATOR,
    PRODUCT_RECORD,
    RECORD_COLUMN,
    ColumnType,
    ImportLayout,
    ImportSheet,
)
from app.bulk.xlsx_table import OLD_EXCEL_MAGIC, is_xlsx, read_sheets
from app.core.csv_table import CsvRow, CsvTable, InvalidCsv, RowMessage, parse_csv
from app.core.messages import Message

_LANGUAGE_COLUMN: Final = re.compile(r"name_([a-z]{2,3})")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DECIMAL_COMMA: Final = re.compile(r"(-?[0-9]+),([0-9]+)")
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """Most bytes of the file, bytes that it may unpack to, lines of the first table and lines in all."""

    max_bytes: int
    max_unpacked_bytes: int
    max_records: int
    max_rows: int


@dataclass(frozen=True, slots=True)
class ImportFault:
    """What is wrong at a place of the file. Line 0: the file as a whole. Sheet None: the file has one table."""

    sheet: str | None
    line: int
    column: str | None
    message: Message


@dataclass(frozen=True, slots=True)
class ImportLine:
    """A line of a table: its members as in a JSON body, empty cells left out, and the faults of its cells."""

    sheet: str | None
    line: int
    members: Mapping[str, Any]
    faults: tuple[ImportFault, ...] = ()

    def fault(self, column: str | None, message: Message) -> ImportFault:
        return ImportFault(self.sheet, self.line, column, message)


@dataclass(frozen=True, slots=True)
class ImportTables:
    """The lines by table. With `file_faults` the file as a whole cannot be used."""

    lines: Mapping[str, tuple[ImportLine, ...]]
    file_faults: tuple[ImportFault, ...]


def read_import_file(data: bytes, layout: ImportLayout, limits: ImportLimits) -> ImportTables:
    """Read the tables of a layout. Never raises for what the file holds."""
    if len(data) > limits.max_bytes:
        return _unusable(
            Message("The file is larger than %(limit)s bytes.", code="too-long", limit=f"{limits.max_bytes:,}")
        )
    if data.startswith(OLD_EXCEL_MAGIC):
        return _unusable(
            Message("This is an old Excel file (.xls), or has a password. Save it as .xlsx.", code="unreadable-file")
        )
    if not is_xlsx(data):
        table = parse_csv(data, layout.csv_columns, max_bytes=limits.max_bytes, max_rows=limits.max_rows)
        return _checked(_csv_tables(table, layout), layout, limits)
    try:
        names = [sheet.name for sheet in layout.sheets]
        tables = read_sheets(
            data,
            names,
            max_unpacked_bytes=limits.max_unpacked_bytes,
            max_rows=limits.max_rows,
            max_chars=limits.max_bytes,
        )
    except InvalidCsv as why:
        return _unusable(why.row_message.message, why.row_message.line)
    return _checked(_xlsx_tables(tables, layout), layout, limits)


def _unusable(message: Message, line: int = 0) -> ImportTables:
    return ImportTables({}, (ImportFault(None, line, None, message),))


def _checked(tables: ImportTables, layout: ImportLayout, limits: ImportLimits) -> ImportTables:
    records = len(tables.lines.get(layout.sheets[0].name, ()))
    if tables.file_faults:
        return tables
    if not records:
        return _unusable(Message("The file has no rows below its header.", code="empty"))
    if records > limits.max_records:
        limit = f"{limits.max_records:,}"
        return _unusable(Message("Import at most %(limit)s at once; split the file.", code="too-many", limit=limit))
    return tables


def _xlsx_tables(tables: Mapping[str, CsvTable], layout: ImportLayout) -> ImportTables:
    lines, faults = {}, list[ImportFault]()
    for sheet in layout.sheets:
        table = tables.get(sheet.name)
        if table is None:
            continue
        faults += _column_faults(table.columns, (sheet,), sheet.name)
        found = [*_lines(table, sheet, table.rows, sheet.name), *_misshapen_lines(table, sheet.name)]
        lines[sheet.name] = tuple(found)
    return ImportTables(lines, tuple(faults))


def _csv_tables(table: CsvTable, layout: ImportLayout) -> ImportTables:
    first = layout.sheets[0]
    if not table.columns:
        return ImportTables({}, tuple(ImportFault(None, e.line, e.column, e.message) for e in table.errors))
    has_records = RECORD_COLUMN in table.columns and len(layout.sheets) > 1
    sheets = layout.sheets if has_records else (first,)
    faults = _column_faults(table.columns, sheets, None)
    rows: dict[str, list[CsvRow]] = {sheet.name: [] for sheet in sheets}
    by_record = {sheet.record: sheet.name for sheet in sheets}
    for row in table.rows:
        word = row.cells.get(RECORD_COLUMN, "").casefold() if has_records else first.record
        if _is_comment(row):
            continue
        if word in by_record:
            rows[by_record[word]].append(row)
        else:
            message = Message("Enter one of: %(allowed)s.", code="not-in-list", allowed=list(by_record))
            faults.append(ImportFault(None, row.number, RECORD_COLUMN, message))
    lines = {sheet.name: tuple(_lines(table, sheet, rows[sheet.name], None)) for sheet in sheets}
    lines[first.name] += tuple(_misshapen_lines(table, None))
    return ImportTables(lines, tuple(faults))


def _is_comment(row: CsvRow) -> bool:
    return next(iter(row.cells.values()), "").startswith(COMMENT_PREFIX)


def _column_faults(columns: tuple[str, ...], sheets: tuple[ImportSheet, ...], place: str | None) -> list[ImportFault]:
    """Return unknown, repeated and missing columns: a misspelt name must not lose its cells silently."""
    known = {name for sheet in sheets for name in sheet.column_names}
    if len(sheets) > 1:
        known.add(RECORD_COLUMN)
    is_main = sheets[0].record == PRODUCT_RECORD
    faults = []
    for position, column in enumerate(columns):
        if not column or column in columns[:position]:
            if column:
                message = Message("This column occurs twice.", code="duplicate")
                faults.append(ImportFault(place, 1, column, message))
        elif column not in known and not (is_main and _LANGUAGE_COLUMN.fullmatch(column)):
            message = Message("Unknown column. Check its spelling, or remove it.", code="unknown-column")
            faults.append(ImportFault(place, 1, column, message))
    faults += [
        ImportFault(place, 1, column.name, Message("This column is missing.", code="required"))
        for column in sheets[0].columns
        if column.is_required and column.name not in columns
    ]
    return faults


def _lines(table: CsvTable, sheet: ImportSheet, rows: Sequence[CsvRow], place: str | None) -> Iterator[ImportLine]:
    errors: dict[int, list[RowMessage]] = defaultdict(list)
    for error in table.errors:
        errors[error.line].append(error)
    for row in rows:
        if not _is_comment(row):
            yield ImportLine(
                place,
                row.number,
                _members(sheet, row, table.delimiter),
                tuple(ImportFault(place, row.number, error.column, error.message) for error in errors[row.number]),
            )


def _misshapen_lines(table: CsvTable, place: str | None) -> Iterator[ImportLine]:
    """Yield the lines that have another number of cells than the header: what their cells mean is not known."""
    read = {row.number for row in table.rows}
    for error in table.errors:
        if error.line not in read and error.column is None:
            yield ImportLine(place, error.line, {}, (ImportFault(place, error.line, None, error.message),))


def _members(sheet: ImportSheet, row: CsvRow, delimiter: str) -> dict[str, Any]:
    members = {
        column.name: _read_cell(column.type, text, delimiter)
        for column in sheet.columns
        if (text := row.cells.get(column.name))
    }
    if sheet.record == PRODUCT_RECORD:
        members |= {name: text for name, text in row.cells.items() if text and _LANGUAGE_COLUMN.fullmatch(name)}
    return members


def _read_cell(kind: ColumnType, text: str, delimiter: str) -> Any:
    """Return the value of a cell; a text that does not fit its type stays, and is refused with the other content."""
    if kind == "list":
        return [word for each in text.split(LIST_SEPARATOR) if (word := each.strip())]
    if kind == "boolean":
        return _WORDS.get(text.casefold(), text)
    return _read_number(text, decimal_comma=delimiter in (";", "\t")) if kind == "number" else text


def _read_number(text: str, *, decimal_comma: bool) -> str:
    """Return a number with a decimal point; any other text as it is, which is refused as a number later.

    A comma with three digits after it may separate thousands, so it is read as a decimal comma only in files that do
    not use the comma as delimiter.
    """
    if _NUMBER.fullmatch(text):
        return text
    comma = _DECIMAL_COMMA.fullmatch(text)
    if comma and (decimal_comma or len(comma[2]) != 3):
        return f"{comma[1]}.{comma[2]}"
    return text
