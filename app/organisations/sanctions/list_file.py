"""Parse the file of a sanctions list: CSV with `id`, `names`, `country` and `programme`. Pure.

`names` holds the name and its aliases, separated by semicolons. The file is taken whole or not at all: a line that was
skipped could be the one that matters.
"""

import csv
import io
from dataclasses import dataclass
from typing import Any, Final

from app.core.canonical_json import digest
from app.core.errors import Invalid
from app.core.messages import Message
from app.core.text.normalize import normalize

COLUMNS: Final = ("id", "names", "country", "programme")
MAX_ENTRIES: Final = 200_000
_MAX_PROBLEMS: Final = 100


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One listed person or company, as the file states it."""

    id: str
    names: tuple[str, ...]
    country: str
    programme: str

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "names": list(self.names), "country": self.country, "programme": self.programme}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "ListEntry":
        return cls(content["id"], tuple(content["names"]), content["country"], content["programme"])

    @property
    def sha256(self) -> str:
        """Return the hash of the entry: a decision about it ends when it changes."""
        return digest(self.to_json())


def parse_list(content: bytes) -> tuple[ListEntry, ...]:
    """Return the entries of a file. Raises `Invalid` with every fault, named by line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as why:
        raise Invalid("The sanctions list is not UTF-8 text.") from why
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(row)]
    except csv.Error as why:
        raise Invalid(Message("Line %(line)s of the sanctions list is no CSV.", line=reader.line_num)) from why
    if not rows or tuple(rows[0][1]) != COLUMNS:
        raise Invalid(Message("The first line of the sanctions list must be: %(columns)s.", columns=",".join(COLUMNS)))
    if not 1 <= len(rows) - 1 <= MAX_ENTRIES:
        raise Invalid(Message("A sanctions list has 1 to %(limit)s entries.", limit=MAX_ENTRIES))
    entries: dict[str, ListEntry] = {}
    problems = []
    for line, row in rows[1:]:
        entry = _parse_row(row)
        if entry is None or entry.id in entries:
            problems.append({"pointer": f"/lines/{line}", "detail": _WRONG_LINE})
        else:
            entries[entry.id] = entry
    if problems:
        raise Invalid.with_errors(problems, shown=_MAX_PROBLEMS)
    return tuple(entries.values())


_WRONG_LINE: Final = Message("This line needs an id of its own, a name, and four values.", code="wrong-line")


def _parse_row(row: list[str]) -> ListEntry | None:
    if len(row) != len(COLUMNS):
        return None
    ident, names, country, programme = (normalize(value) for value in row)
    listed = tuple(dict.fromkeys(name for each in names.split(";") if (name := normalize(each))))
    return ListEntry(ident, listed, country, programme) if ident and listed else None
