"""One row of the register as both databases hand it out: texts, which cost nothing to make. Pure."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Final

from app.certificates.record import CertificateRecord

Row = tuple[Any, ...]
"""In the order of the fields of CertificateRecord. Days as `2026-11-22`, moments as `2026-11-22 17:00:00` with or
without a fraction, in UTC, names as JSON, flags as 0 and 1 or as they are."""

DAYS: Final = ("valid_from", "valid_until")
MOMENTS: Final = ("status_since", "issued_at", "logged_at")
NAMES: Final = ("product_names",)
FLAGS: Final = ("holder_is_legal_person", "during_investigation")


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
