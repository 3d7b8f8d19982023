"""The queries of both stores, and how a row is read that both databases hand out as texts, which cost nothing to make.

The queries are constants: what somebody typed is a parameter. Pure.
"""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Final, LiteralString

from app.certificates.read_model.record import COLUMNS, CertificateRecord

Row = tuple[Any, ...]
"""In the order of the fields of CertificateRecord. Days as `2026-11-22`, moments as `2026-11-22 17:00:00` with or
without a fraction, in UTC, names as JSON, flags as 0 and 1 or as they are."""

DAYS: Final = ("valid_from", "valid_until")
MOMENTS: Final = ("status_since", "issued_at", "logged_at")
NAMES: Final = ("product_names",)
FLAGS: Final = ("holder_is_legal_person", "during_investigation")

TEXT_SQLITE: Final = "SELECT text FROM extracts WHERE number = ?"
TEXT_OF_SIGNED_SQLITE: Final = "SELECT text FROM extracts WHERE signed_hash = ?"
TEXTS_SQLITE: Final = "SELECT number, text FROM extracts WHERE number IN (SELECT value FROM json_each(?))"
TEXTS_POSTGRES: Final[LiteralString] = "SELECT number, text FROM extracts WHERE number = ANY(%s)"
TEXTS_OF_SIGNED_POSTGRES: Final[LiteralString] = "SELECT signed_hash, text FROM extracts WHERE signed_hash = ANY(%s)"

# A row in full: the entry of the log is found by an index that holds nothing but issues.
_PLACE = {name: f"c.{name}" for name in COLUMNS} | {"logged_at": "l.at", "logged_sha256": "l.sha256"}
_FIELDS = CertificateRecord._fields
_FROM = (
    " FROM certificates c LEFT JOIN log_entries l ON l.subject = c.number AND l.event = 'certificate.issued' "
    "WHERE c.number "
)
_MOMENT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
_AS_TEXT = dict.fromkeys(DAYS + NAMES, "{}::text") | dict.fromkeys(MOMENTS, _MOMENT)  # as SQLite keeps them
_SQLITE = f"SELECT {', '.join(_PLACE[name] for name in _FIELDS)}{_FROM}"
_POSTGRES = f"SELECT {', '.join(_AS_TEXT.get(name, '{}').format(_PLACE[name]) for name in _FIELDS)}{_FROM}"

ROWS_SQLITE: Final = _SQLITE + "IN (SELECT value FROM json_each(?))"  # noqa: S608 (constants only; one query for all)
ROWS_POSTGRES: Final[LiteralString] = _POSTGRES + "= ANY(%s)"


def read_rows(rows: Iterable[Row]) -> dict[str, CertificateRecord]:
    """By number."""
    records = map(from_row, rows)
    return {record.number: record for record in records}


def from_row(row: Row) -> CertificateRecord:
    values = list(row)
    for place, read in _READERS:
        values[place] = read(values[place])
    return CertificateRecord._make(values)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


_READERS: Final = tuple(
    (CertificateRecord._fields.index(name), read)
    for names, read in ((NAMES, json.loads), (DAYS, date.fromisoformat), (MOMENTS, _moment), (FLAGS, bool))
    for name in names
)
