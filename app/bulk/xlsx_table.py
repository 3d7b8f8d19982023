"""Read the sheets of an XLSX file as tables: bytes in, cells with their line numbers out.

Only values are read: of a formula the result that the spreadsheet stored. A text that begins like a formula is a text.
Links to other files, macros and pictures are not opened. The file is measured while it is unpacked, before it is
parsed: a few kilobytes can unpack to gigabytes, and a document type could define entities that grow.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from app.core.csv_table import CsvTable, InvalidCsv, RowMessage, build_table
from app.core.messages import Message

XLSX_MAGIC: Final = b"PK\x03\x04"
OLD_EXCEL_MAGIC: Final = b"\xd0\xcf\x11\xe0"
MAX_PARTS: Final = 500
MAX_COLUMNS: Final = 100
EMPTY_ROWS_PER_ROW: Final = 20
"""Rows scanned for each row that a file may have: spreadsheets store formatted empty rows."""
_PIECE: Final = 1 << 20
_ERROR_VALUES: Final = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})
_UNREADABLE = Message(
    "This spreadsheet cannot be read. Save it again as “Excel workbook (.xlsx)”.", code="unreadable-file"
)
_FAILURES: Final = (
    *(zipfile.BadZipFile, InvalidFileException, ParseError, EOFError, NotImplementedError, RuntimeError, OSError),
    *(KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError),
)
"""What zipfile, the XML parser and openpyxl raise for files that are not as they should be."""


def is_xlsx(data: bytes) -> bool:
    return data.startswith(XLSX_MAGIC)


def read_sheets(data: bytes, names: Sequence[str], *, max_unpacked_bytes: int, max_rows: int) -> Mapping[str, CsvTable]:
    """Read the sheets with these names; where there is none of them, the first sheet under the first name.

    Raises `InvalidCsv` for a file that cannot be read, is too large, or has more rows than `max_rows` in all.
    """
    try:
        _measure(data, max_unpacked_bytes)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            found = {sheet.title.strip().casefold(): sheet for sheet in book.worksheets}
            wanted = {name: found[name] for name in names if name in found} or {names[0]: book.worksheets[0]}
            tables, left = {}, max_rows
            for name, sheet in wanted.items():
                records = list(_records(sheet, left, max_rows))
                left -= max(0, len(records) - 1)
                tables[name] = _build(records)
            return tables
        finally:
            book.close()
    except InvalidCsv:
        raise
    except _FAILURES as why:
        raise InvalidCsv(0, _UNREADABLE) from why


def _measure(data: bytes, max_unpacked_bytes: int) -> None:
    """Unpack every part in pieces and throw it away. Raises `InvalidCsv` before the file needs more than its limit."""
    left = max_unpacked_bytes
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        if len(parts) > MAX_PARTS or len({part.filename for part in parts}) < len(parts):
            raise InvalidCsv(0, _UNREADABLE)
        if sum(part.file_size for part in parts) > max_unpacked_bytes:
            raise _too_large(max_unpacked_bytes)
        for part in parts:
            tail = b""
            with archive.open(part) as stream:
                while piece := stream.read(_PIECE):
                    left -= len(piece)
                    if left < 0:
                        raise _too_large(max_unpacked_bytes)
                    if part.filename.casefold().endswith((".xml", ".rels")):
                        text = tail + piece
                        if b"<!DOCTYPE" in text or b"<!ENTITY" in text or b"\0" in piece:
                            raise InvalidCsv(0, _UNREADABLE)
                        tail = text[-16:]


def _too_large(limit: int) -> InvalidCsv:
    message = Message("The file unpacks to more than %(limit)s bytes.", code="too-long", limit=f"{limit:,}")
    return InvalidCsv(0, message)


def _records(sheet: Any, left: int, max_rows: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that have a value, each with its line."""
    sheet.reset_dimensions()  # what the file says of its size is not believed
    count = 0
    for number, cells in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS), start=1):
        if number > (max_rows + 1) * EMPTY_ROWS_PER_ROW:
            raise InvalidCsv(
                number, Message("Delete the empty rows above this one, and all below the last.", code="too-many")
            )
        texts = [_text_of(cell) for cell in cells]
        if not any(texts):
            continue
        count += 1
        if count > left + 1:
            raise InvalidCsv(
                number, Message("The file has more than %(limit)s rows.", code="too-many", limit=f"{max_rows:,}")
            )
        yield number, texts


def _text_of(cell: Any) -> str:
    """Return a value as a person sees it: numbers with the 15 digits of a spreadsheet and without an exponent."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).casefold()
    if isinstance(cell, float):
        return f"{Decimal(f'{cell:.15g}'):f}"
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return str(cell).strip()


def _build(records: list[tuple[int, list[str]]]) -> CsvTable:
    """Build the table: empty columns at the right end are cut, short rows filled."""
    if not records:
        return CsvTable((), (), ())
    first, header = records[0]
    width = max(position for position, cell in enumerate(header, start=1) if cell)
    rows = [(first, header[:width])]
    errors = []
    for number, cells in records[1:]:
        extra = any(cells[width:])
        rows.append((number, cells if extra else (cells + [""] * width)[:width]))
        errors += [
            RowMessage(number, column, Message("The spreadsheet shows an error in this cell.", code="invalid"))
            for column, cell in zip(header, cells, strict=False)
            if cell in _ERROR_VALUES
        ]
    if len(rows) == 1:
        return CsvTable(tuple(cell.casefold() for cell in header[:width]), (), ())
    table = build_table(rows)
    return CsvTable(table.columns, table.rows, (*table.errors, *errors))
