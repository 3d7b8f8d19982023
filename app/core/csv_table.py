"""Parse uploaded CSV files strictly: bytes in, cells with their line numbers out. Pure.

All faults of a file are reported together, each with line and column, so that one correction is enough. Accepts UTF-8
with or without a byte order mark; comma, semicolon or tab; quotes and any line ends.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from app.core.messages import Message
from app.core.text.normalize import normalize, text_error

MAX_BYTES = 5_000_000
MAX_ROWS = 20_000
MAX_CELL_LENGTH = 1_000
DELIMITERS = ",;\t"

MAX_LINE_LENGTH = 1_000_000
_HEADER = re.compile(r"\s*([^\r\n]*)")

NUMBER_PATTERN = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?")
ISO_DATE_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowMessage:
    """An error or warning about a place in the file. Line 0 means the file as a whole."""

    line: int
    column: str | None
    message: Message

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line else "file"
        text = f"{place}, column {self.column}: {self.message}" if self.column else f"{place}: {self.message}"
        # The message quotes the file: control characters in it must not reach the terminal that displays it.
        return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One record: the physical line on which it begins, and its cells by column. Empty cells are ""."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """The parsed file: column names, rows that have the right number of cells, and every fault found."""

    columns: tuple[str, ...]
    rows: tuple[CsvRow, ...]
    errors: tuple[RowMessage, ...]
    delimiter: str = ""


class InvalidCsv(ValueError):
    """The file cannot be parsed as a table, or not beyond this line."""

    def __init__(self, line: int, message: Message) -> None:
        super().__init__(message)
        self.row_message = RowMessage(line, None, message)


def parse_csv(
    data: bytes, expected_columns: Collection[str], *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS
) -> CsvTable:
    """Parse a CSV file into rows and errors. `expected_columns` serve to detect the delimiter."""
    try:
        text = decode_text(data, max_bytes)
        delimiter = detect_delimiter(text, expected_columns)
        records = list(read_records(text, delimiter, max_rows))
    except InvalidCsv as fault:
        return CsvTable((), (), (fault.row_message,))
    return build_table(records, delimiter)


def build_table(records: Sequence[tuple[int, Sequence[str]]], delimiter: str = "") -> CsvTable:
    """Build the table of records with their line numbers, of which the first is the header."""
    if len(records) <= 1:
        return CsvTable((), (), (RowMessage(0, None, Message("The file has no rows below its header.", code="empty")),))
    columns = tuple(normalize_column_name(cell) for cell in records[0][1])
    errors = [
        RowMessage(records[0][0], column, Message("This column occurs twice.", code="duplicate"))
        for position, column in enumerate(columns)
        if column and column in columns[:position]
    ]
    lines = []
    for number, cells in records[1:]:
        if len(cells) != len(columns):
            errors.append(
                RowMessage(
                    number,
                    None,
                    Message(
                        "There are %(cells)s cells, the header has %(columns)s.",
                        code="wrong-count",
                        cells=len(cells),
                        columns=len(columns),
                    ),
                )
            )
            continue
        line = CsvRow(number, {column: normalize(cell) for column, cell in zip(columns, cells, strict=True)})
        errors.extend(unsafe_cell_errors(line))
        lines.append(line)
    return CsvTable(columns, tuple(lines), tuple(errors), delimiter)


def decode_text(data: bytes, max_bytes: int) -> str:
    """Decode the file as UTF-8. Raises `InvalidCsv` when it is too large, not text, not UTF-8 or empty."""
    if len(data) > max_bytes:
        raise InvalidCsv(
            0, Message("The file is larger than %(limit)s bytes.", code="too-long", limit=f"{max_bytes:,}")
        )
    if b"\0" in data:
        raise InvalidCsv(0, Message("This is not a text file. Save the table as “CSV UTF-8”.", code="unreadable-file"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidCsv(
            line, Message("The text is not UTF-8. Save the table as “CSV UTF-8”.", code="unreadable-file")
        ) from None
    if not text.strip():
        raise InvalidCsv(0, Message("The file is empty.", code="empty"))
    return text


def detect_delimiter(text: str, expected_columns: Collection[str]) -> str:
    """Return the delimiter that yields the most expected columns in the header; the comma when others yield as many."""
    header = _HEADER.match(text)[1]  # type: ignore[index]  # it matches every text
    return max(
        DELIMITERS,
        key=lambda delimiter: sum(normalize_column_name(cell) in expected_columns for cell in header.split(delimiter)),
    )


def normalize_column_name(cell: str) -> str:
    """Return a header cell as it is compared with column names: normalised, without quotes, case-folded."""
    return normalize(cell).strip('"').casefold()


def read_records(text: str, delimiter: str, max_rows: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that have a non-empty cell, each with the line on which it begins."""
    reader = csv.reader(_short_lines(text), delimiter=delimiter, strict=True)
    first_line, count = 1, 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                count += 1
                if count > max_rows + 1:
                    raise InvalidCsv(
                        first_line,
                        Message("The file has more than %(limit)s rows.", code="too-many", limit=f"{max_rows:,}"),
                    )
                yield first_line, cells
            first_line = reader.line_num + 1
    except csv.Error:
        raise InvalidCsv(
            first_line, Message("The quotes or delimiters of this row cannot be read.", code="unreadable-row")
        ) from None


def _short_lines(text: str) -> Iterator[str]:
    """Yield the lines of the file. Their length is limited: a line of 20 million commas would make as many cells."""
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if len(line) > MAX_LINE_LENGTH:
            raise InvalidCsv(number, Message("This line is longer than %(limit)s characters.", limit=MAX_LINE_LENGTH))
        yield line


def unsafe_cell_errors(line: CsvRow) -> Iterator[RowMessage]:
    """Yield an error for each cell whose text is too long or has characters that are not accepted."""
    for column, cell in line.cells.items():
        if cell and (fault := text_error(cell, MAX_CELL_LENGTH)):
            yield RowMessage(line.number, column, fault)


class CellReader:
    """Read the cells of one line column by column. Faults are collected in `errors` and `warnings`, not raised."""

    def __init__(self, line: CsvRow) -> None:
        self.line = line
        self.errors: list[RowMessage] = []
        self.warnings: list[RowMessage] = []

    def error(self, column: str, message: Message) -> None:
        self.errors.append(RowMessage(self.line.number, column, message))

    def warning(self, column: str, message: Message) -> None:
        self.warnings.append(RowMessage(self.line.number, column, message))

    def optional(self, column: str) -> str | None:
        """Return the cell's text; None where it is empty or the column is missing."""
        return self.line.cells.get(column) or None

    def required(self, column: str, *, max_length: int = MAX_CELL_LENGTH) -> str:
        """Return the cell's text; an empty or too long one adds an error."""
        text = self.line.cells.get(column, "")
        if not text:
            self.error(column, Message("This must not be empty.", code="empty"))
        elif len(text) > max_length:
            self.error(column, Message("This is longer than %(limit)s characters.", code="too-long", limit=max_length))
        return text

    def choice(self, column: str, choices: Mapping[str, T]) -> T | None:
        """Return the value of a listed word, in any capitalisation; another word adds an error."""
        text = self.optional(column)
        if text is None:
            return None
        if text.casefold() not in choices:
            self.error(
                column,
                Message(
                    "“%(value)s” is not one of %(allowed)s.",
                    code="not-in-list",
                    value=shorten(text),
                    allowed=list(choices),
                ),
            )
        return choices.get(text.casefold())

    def day(self, column: str) -> date | None:
        """Return the cell as a date in the format YYYY-MM-DD; any other text adds an error."""
        text = self.optional(column)
        if text is None:
            return None
        if ISO_DATE_PATTERN.fullmatch(text):  # fromisoformat alone would also take 20211122 and 2021-W47-1
            with suppress(ValueError):
                return date.fromisoformat(text)
        self.error(
            column,
            Message("“%(value)s” is not a date; write it as 2026-11-22.", code="invalid-date", value=shorten(text)),
        )
        return None

    def number(self, column: str) -> Decimal | None:
        """Return the cell as a decimal number: no exponent, no thousands separator, a point before the decimals."""
        text = self.optional(column)
        if text is None:
            return None
        if not NUMBER_PATTERN.fullmatch(text):
            self.error(
                column,
                Message("“%(value)s” is not a number; write it as 1234.5.", code="not-a-number", value=shorten(text)),
            )
            return None
        return Decimal(text)


def shorten(text: str) -> str:
    """Cut a quoted value to 40 characters for use in a message."""
    return text if len(text) <= 40 else text[:40] + "…"
