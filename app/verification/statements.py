"""What the stores ask, in the words of both databases. Constants only: what somebody typed is a parameter."""

from typing import Final, LiteralString

from app.certificates.record import COLUMNS, CertificateRecord
from app.verification.row import DAYS, MOMENTS, NAMES

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
