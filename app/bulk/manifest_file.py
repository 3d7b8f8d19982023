"""Parse a manifest: CSV with a column `number`, JSON Lines, or text with a number on each line."""

import re
from collections.abc import Iterator
from typing import Any, Final

from app.core import strict_json
from app.core.csv_table import InvalidCsv, decode_text, detect_delimiter, normalize_column_name, read_records
from app.core.errors import Invalid
from app.core.messages import Message

NUMBER_COLUMN: Final = "number"
MAX_NUMBER_CHARS: Final = 200
MAX_LISTED: Final = 100
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_TOO_LONG = Message("This is longer than %(limit)s characters.", code="too-long", limit=MAX_NUMBER_CHARS)
_NOT_A_NUMBER = Message('Send {"number": …} or a number in quotes on each line.', code="wrong-format")


def parse_manifest(data: bytes, *, max_bytes: int, max_numbers: int) -> list[str]:
    """Return the numbers in order, as they were sent; whether they are well-formed is a verdict, not a fault.

    Raises `Invalid` with the first faults by line.
    """
    try:
        text = decode_text(data, max_bytes)
        lines = list(_read(text, max_numbers))
    except InvalidCsv as why:
        place = why.row_message
        raise Invalid.at(f"/{place.line}" if place.line else "/file", place.message) from None
    faults = [
        {"pointer": f"/{line}", "detail": _TOO_LONG if isinstance(found, str) else _NOT_A_NUMBER}
        for line, found in lines
        if not isinstance(found, str) or len(found) > MAX_NUMBER_CHARS
    ]
    if faults:
        raise Invalid.with_errors(faults, shown=MAX_LISTED)
    numbers = [_CONTROL.sub("\ufffd", found.strip()) for _, found in lines]
    if not numbers:
        raise Invalid.at("/file", Message("The file names no number.", code="empty"))
    if len(numbers) > max_numbers:
        limit = f"{max_numbers:,}"
        raise Invalid.at("/file", Message("Send at most %(limit)s numbers.", code="too-many", limit=limit))
    return numbers


def _read(text: str, max_numbers: int) -> Iterator[tuple[int, Any]]:
    """Yield line and number; None where a line of JSON holds none."""
    stripped = text.lstrip()
    if stripped.startswith(("{", '"{', '"')) and _is_json(stripped.splitlines()[0]):
        yield from _read_json_lines(text)
        return
    delimiter = detect_delimiter(text, (NUMBER_COLUMN,))
    header = [normalize_column_name(cell) for cell in stripped.splitlines()[0].split(delimiter)]
    if NUMBER_COLUMN not in header:
        yield from ((n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip())
        return
    records = read_records(text, delimiter, max_numbers)
    _, names = next(records)
    column = [normalize_column_name(name) for name in names].index(NUMBER_COLUMN)
    for line, cells in records:
        yield line, cells[column] if column < len(cells) else ""


def _is_json(line: str) -> bool:
    try:
        return isinstance(strict_json.loads(line), str | dict)
    except ValueError:
        return False


def _read_json_lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = strict_json.loads(line)
        except ValueError:
            found = None
        yield number, found.get(NUMBER_COLUMN) if isinstance(found, dict) else found
