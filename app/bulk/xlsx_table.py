"""Read the sheets of an XLSX file as tables: bytes in, cells with their line numbers out.

Only values are read: of a formula the result that the spreadsheet stored. A text that begins like a formula is a text.
Links to other files, macros and pictures are not opened. The file is measured while it is unpacked, before it is
parsed: a few kilobytes can unpack to gigabytes, and a document type could define entities that grow. Characters are
counted as well: many cells can share one long text.
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

from app.core.csv_table import MAX_CELL_LENGTH, CsvTable, InvalidCsv, RowMessage, build_table
from app.core.messages import Message

XLSX_MAGIC: Final = b"PK\x03\x04"
OLD_EXCEL_MAGIC: Final = b"\xd0\xcf\x11\xe0"
MAX_PARTS: Final = 500
MAX_COLUMNS: Final = 50
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


def read_sheets(
    data: bytes, names: Sequence[str], *, max_unpacked_bytes: int, max_rows: int, max_chars: int
) -> Mapping[str, CsvTable]:
    """Read the sheets with these names; where there is none of them, the first sheet under the first name.

    Raises `InvalidCsv` for a file that cannot be read, is too large, or has more rows or characters in all.
    """
    try:
        _measure(data, max_unpacked_bytes)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            found = {sheet.title.strip().casefold(): sheet for sheet in book.worksheets}
            wanted = {name: found[name] for name in names if name in found} or {names[0]: book.worksheets[0]}
            budget = _Budget(max_rows, max_chars)
            return {name: _build(list(_records(sheet, budget))) for name, sheet in wanted.items()}
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


class _Budget:
    """Count the rows and characters of all sheets. Raises `InvalidCsv` beyond their limits."""

    def __init__(self, max_rows: int, max_chars: int) -> None:
        self.max_rows, self.max_chars = max_rows, max_chars
        self.rows = self.chars = 0

    def spend(self, line: int, texts: Sequence[str], *, is_header: bool) -> None:
        self.rows += not is_header
        self.chars += sum(map(len, texts))
        if self.rows > self.max_rows:
            limit = f"{self.max_rows:,}"
            raise InvalidCsv(line, Message("The file has more than %(limit)s rows.", code="too-many", limit=limit))
        if self.chars > self.max_chars:
            raise _too_large(self.max_chars)


def _records(sheet: Any, budget: _Budget) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that have a value, each with its line."""
    sheet.reset_dimensions()  # what the file says of its size is not believed
    is_header = True
    for number, cells in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS), start=1):
        if number > (budget.max_rows + 1) * EMPTY_ROWS_PER_ROW:
            message = Message("Delete the empty rows above this one, and all below the last.", code="too-many")
            raise InvalidCsv(number, message)
        if cells.count(None) == len(cells):
            continue
        texts = [_text_of(cell) for cell in cells]
        if any(texts):
            budget.spend(number, texts, is_header=is_header)
            is_header = False
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
    return str(cell)[: MAX_CELL_LENGTH + 1].strip()  # one more, so that it is refused


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
