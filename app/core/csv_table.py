"""Tables that people send as CSV, read strictly: bytes in, cells with their line numbers out. Pure.

Every fault is named by line and column, all of them at once, so that a file is put right in one round. UTF-8 with or
without a byte order mark, comma or semicolon, quotes, any line ends.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from app.core.messages import Message
from app.core.text.normalize import tidy, wrong_with

MOST_BYTES = 5_000_000
MOST_ROWS = 20_000
LONGEST_CELL = 1_000
DELIMITERS = ",;"

LONGEST_LINE = 1_000_000
_HEADER = re.compile(r"\s*([^\r\n]*)")

NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?")
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the file. Line 0 is the file as a whole."""

    line: int
    column: str | None
    message: Message

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line else "file"
        text = f"{place}, column {self.column}: {self.message}" if self.column else f"{place}: {self.message}"
        # Parts of the file are quoted here: nothing in them may steer the terminal that shows it.
        return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


@dataclass(frozen=True, slots=True)
class Line:
    """One record: the physical line on which it begins, and its cells by column; empty cells are ""."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    errors: tuple[Note, ...]


class BadTableError(ValueError):
    """The file cannot be read as a table at all, or not beyond this line."""

    def __init__(self, line: int, message: Message) -> None:
        super().__init__(message)
        self.note = Note(line, None, message)


def read_table(
    data: bytes, known: Collection[str], *, most_bytes: int = MOST_BYTES, most_rows: int = MOST_ROWS
) -> Table:
    """The cells of a CSV file. `known` names the columns expected: they tell which delimiter the file uses."""
    try:
        text = decode(data, most_bytes)
        records = list(read_records(text, delimiter_of(text, known), most_rows))
    except BadTableError as fault:
        return Table((), (), (fault.note,))
    if len(records) <= 1:
        return Table((), (), (Note(0, None, Message("The file has no rows below its header.", code="empty")),))
    columns = tuple(column_name(cell) for cell in records[0][1])
    errors = [
        Note(records[0][0], column, Message("This column occurs twice.", code="duplicate"))
        for position, column in enumerate(columns)
        if column and column in columns[:position]
    ]
    lines = []
    for number, cells in records[1:]:
        if len(cells) != len(columns):
            errors.append(
                Note(
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
        line = Line(number, {column: tidy(cell) for column, cell in zip(columns, cells, strict=True)})
        errors.extend(unsafe_cells(line))
        lines.append(line)
    return Table(columns, tuple(lines), tuple(errors))


def decode(data: bytes, most_bytes: int) -> str:
    if len(data) > most_bytes:
        raise BadTableError(
            0, Message("The file is larger than %(limit)s bytes.", code="too-long", limit=f"{most_bytes:,}")
        )
    if b"\0" in data:
        raise BadTableError(
            0, Message("This is not a text file. Save the table as “CSV UTF-8”.", code="unreadable-file")
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadTableError(
            line, Message("The text is not UTF-8. Save the table as “CSV UTF-8”.", code="unreadable-file")
        ) from None
    if not text.strip():
        raise BadTableError(0, Message("The file is empty.", code="empty"))
    return text


def delimiter_of(text: str, known: Collection[str]) -> str:
    """The delimiter by which the header names most of the known columns; the comma where both do alike."""
    header = _HEADER.match(text)[1]  # type: ignore[index]  # it matches every text
    return max(DELIMITERS, key=lambda mark: sum(column_name(cell) in known for cell in header.split(mark)))


def column_name(cell: str) -> str:
    return tidy(cell).strip('"').casefold()


def read_records(text: str, delimiter: str, most_rows: int) -> Iterator[tuple[int, list[str]]]:
    """The records that hold something, each with the line on which it begins."""
    reader = csv.reader(_short_lines(text), delimiter=delimiter, strict=True)
    begins, count = 1, 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                count += 1
                if count > most_rows + 1:
                    raise BadTableError(
                        begins,
                        Message("The file has more than %(limit)s rows.", code="too-many", limit=f"{most_rows:,}"),
                    )
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error:
        raise BadTableError(
            begins, Message("The quotes or delimiters of this row cannot be read.", code="unreadable-row")
        ) from None


def _short_lines(text: str) -> Iterator[str]:
    """Line by line: one of 20 million commas would become as many cells."""
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if len(line) > LONGEST_LINE:
            raise BadTableError(number, Message("This line is longer than %(limit)s characters.", limit=LONGEST_LINE))
        yield line


def unsafe_cells(line: Line) -> Iterator[Note]:
    for column, cell in line.cells.items():
        if cell and (wrong := wrong_with(cell, LONGEST_CELL)):
            yield Note(line.number, column, wrong)


class Cells:
    """The cells of one line, read column by column; what is wrong is noted, not raised."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.errors: list[Note] = []
        self.remarks: list[Note] = []

    def wrong(self, column: str, message: Message) -> None:
        self.errors.append(Note(self.line.number, column, message))

    def remark(self, column: str, message: Message) -> None:
        self.remarks.append(Note(self.line.number, column, message))

    def optional(self, column: str) -> str | None:
        """The cell's text; None where it is empty or the column is missing."""
        return self.line.cells.get(column) or None

    def needed(self, column: str, *, most: int = LONGEST_CELL) -> str:
        text = self.line.cells.get(column, "")
        if not text:
            self.wrong(column, Message("This must not be empty.", code="empty"))
        elif len(text) > most:
            self.wrong(column, Message("This is longer than %(limit)s characters.", code="too-long", limit=most))
        return text

    def one_of(self, column: str, choices: Mapping[str, T]) -> T | None:
        """One of the listed words, however capitalised."""
        text = self.optional(column)
        if text is None:
            return None
        if text.casefold() not in choices:
            self.wrong(
                column,
                Message(
                    "“%(value)s” is not one of %(allowed)s.",
                    code="not-in-list",
                    value=short(text),
                    allowed=list(choices),
                ),
            )
        return choices.get(text.casefold())

    def day(self, column: str) -> date | None:
        text = self.optional(column)
        if text is None:
            return None
        if ISO_DAY.fullmatch(text):  # fromisoformat alone would also take 20211122 and 2021-W47-1
            with suppress(ValueError):
                return date.fromisoformat(text)
        self.wrong(
            column,
            Message("“%(value)s” is not a date; write it as 2026-11-22.", code="invalid-date", value=short(text)),
        )
        return None

    def number(self, column: str) -> Decimal | None:
        """A plain decimal number: no exponent, no thousands, a point before the decimals."""
        text = self.optional(column)
        if text is None:
            return None
        if not NUMBER.fullmatch(text):
            self.wrong(
                column,
                Message("“%(value)s” is not a number; write it as 1234.5.", code="not-a-number", value=short(text)),
            )
            return None
        return Decimal(text)


def short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
