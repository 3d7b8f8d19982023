"""SQL queries of both stores. Pure.

The queries are constants: user input is always a parameter.
"""

from typing import Final, LiteralString

SNAPSHOT_COLUMNS: Final[LiteralString] = (
    "number, signed_hash, kid, issued_at, log_seq, holder_id, list_id, status_index, status, good_until, etag, body, "
    "mac"
)
"""In the order of the fields of `Snapshot`; a test compares them."""
_SELECT: Final[LiteralString] = f"SELECT {SNAPSHOT_COLUMNS} FROM certificate_snapshots WHERE "  # noqa: S608 (constants only)
SNAPSHOT_SQLITE: Final[LiteralString] = _SELECT + "number = ?"
SNAPSHOT_BY_HASH_SQLITE: Final[LiteralString] = _SELECT + "signed_hash = ?"
SNAPSHOTS_SQLITE: Final[LiteralString] = _SELECT + "number IN (SELECT value FROM json_each(?))"  # noqa: S608 (constants only)
SNAPSHOTS_POSTGRES: Final[LiteralString] = _SELECT + "number = ANY(%s)"
SNAPSHOTS_BY_HASH_POSTGRES: Final[LiteralString] = _SELECT + "signed_hash = ANY(%s)"
