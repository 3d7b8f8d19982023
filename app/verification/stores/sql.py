"""SQL queries of both stores, and the parser of their rows. Pure.

The queries are constants: user input is always a parameter. Both databases return dates and JSON as text, which is
cheapest to produce.
"""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Final, LiteralString

from app.certificates.read_model.record import RECORD_COLUMNS, CertificateRecord

Row = tuple[Any, ...]
"""Values in the order of the fields of `CertificateRecord`.

Dates are `2026-11-22`; moments are `2026-11-22 17:00:00` in UTC with or without a fraction; names are JSON; flags are 0
and 1, or booleans.
"""

DATE_COLUMNS: Final = ("valid_from", "valid_until")
DATETIME_COLUMNS: Final = ("status_since", "issued_at", "logged_at")
JSON_COLUMNS: Final = ("product_names",)
BOOLEAN_COLUMNS: Final = ("holder_is_legal_person", "during_investigation")

SNAPSHOT_SQLITE: Final = "SELECT content FROM certificate_snapshots WHERE number = ?"
SNAPSHOT_BY_HASH_SQLITE: Final = "SELECT content FROM certificate_snapshots WHERE signed_hash = ?"
SNAPSHOTS_SQLITE: Final = (
    "SELECT number, content FROM certificate_snapshots WHERE number IN (SELECT value FROM json_each(?))"
)
SNAPSHOTS_POSTGRES: Final[LiteralString] = "SELECT number, content FROM certificate_snapshots WHERE number = ANY(%s)"
SNAPSHOTS_BY_HASH_POSTGRES: Final[LiteralString] = (
    "SELECT signed_hash, content FROM certificate_snapshots WHERE signed_hash = ANY(%s)"
)

# A full record: its log entry is found by a partial index of certificate issues.
_COLUMN_EXPRESSIONS = {name: f"c.{name}" for name in RECORD_COLUMNS} | {
    "logged_at": "l.at",
    "logged_sha256": "l.sha256",
}
_FIELDS = CertificateRecord._fields
_FROM = (
    " FROM certificates c LEFT JOIN log_entries l ON l.subject = c.number AND l.event = 'certificate.issued' "
    "WHERE c.number "
)
_MOMENT_EXPRESSION = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
_AS_TEXT = dict.fromkeys(DATE_COLUMNS + JSON_COLUMNS, "{}::text") | dict.fromkeys(
    DATETIME_COLUMNS, _MOMENT_EXPRESSION
)  # in the format that SQLite stores
_SELECT_SQLITE = f"SELECT {', '.join(_COLUMN_EXPRESSIONS[name] for name in _FIELDS)}{_FROM}"
_SELECT_POSTGRES = (
    f"SELECT {', '.join(_AS_TEXT.get(name, '{}').format(_COLUMN_EXPRESSIONS[name]) for name in _FIELDS)}{_FROM}"
)

RECORDS_SQLITE: Final = _SELECT_SQLITE + "IN (SELECT value FROM json_each(?))"  # noqa: S608 (constants only; one query for all)
RECORDS_POSTGRES: Final[LiteralString] = _SELECT_POSTGRES + "= ANY(%s)"


def parse_rows(rows: Iterable[Row]) -> dict[str, CertificateRecord]:
    """Parse rows into records by number."""
    records = map(parse_row, rows)
    return {record.number: record for record in records}


def parse_row(row: Row) -> CertificateRecord:
    values = list(row)
    for index, parse in _PARSERS:
        values[index] = parse(values[index])
    return CertificateRecord._make(values)


def _parse_datetime(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


_PARSERS: Final = tuple(
    (CertificateRecord._fields.index(name), parse)
    for names, parse in (
        (JSON_COLUMNS, json.loads),
        (DATE_COLUMNS, date.fromisoformat),
        (DATETIME_COLUMNS, _parse_datetime),
        (BOOLEAN_COLUMNS, bool),
    )
    for name in names
)
