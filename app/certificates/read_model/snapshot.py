"""Define the snapshot of a certificate: the answer to a verification of its number, authenticated. Pure.

A message authentication code under a key that is not in the database covers every member. So whoever can write to the
database can remove an answer or put back an older one, but cannot write one; see `app/verification/snapshots.py` for
what a reader checks besides.
"""

import hmac
import struct
from datetime import datetime
from typing import Final, NamedTuple

BODY_VERSION: Final = "2"
"""Moves with any change of the answer, so that no snapshot written before is used."""


class Snapshot(NamedTuple):
    """Columns of `certificate_snapshots`, in the order in which they are read."""

    number: str
    signed_hash: bytes  # SHA-256 of the token's header.payload
    kid: str  # key that signed the token
    issued_at: int  # second since 1970 (UTC) of the issue in the log
    log_seq: int  # index of the last log entry about the certificate
    holder_id: str | None
    list_id: int
    status_index: int
    status: str
    good_until: int | None  # first second since 1970 (UTC) at which time alone changes the answer; None: never
    etag: str  # with its quotes
    body: bytes
    mac: bytes = b""


class SnapshotKey:
    """Authenticate snapshots. `base_url` and `demo` change every answer: snapshots of other values are not genuine."""

    def __init__(self, secret: bytes, base_url: str, *, demo: bool = False) -> None:
        context = f"certificate snapshot {BODY_VERSION}\n{base_url}\n{demo}"
        self._key = hmac.digest(secret, context.encode(), "sha256")

    def sign(self, snapshot: Snapshot) -> Snapshot:
        return snapshot._replace(mac=self._mac(snapshot))

    def is_genuine(self, snapshot: Snapshot) -> bool:
        """Whether this service wrote exactly this. Values of any type are accepted: the database may hold anything."""
        try:
            return hmac.compare_digest(self._mac(snapshot), snapshot.mac)
        except (AttributeError, TypeError, ValueError, struct.error):
            return False

    def _mac(self, s: Snapshot) -> bytes:
        # Packed whole: a database may hold 1.5 where an integer belongs.
        end = -1 if s.good_until is None else s.good_until
        numbers = struct.pack(">5q", s.issued_at, s.log_seq, s.list_id, s.status_index, end)
        texts = (s.number, s.kid, s.holder_id or "", s.status, s.etag)
        parts = (numbers, s.signed_hash, s.body, *(text.encode() for text in texts))
        lengths = struct.pack(">8I", *map(len, parts))  # of all parts first: no two snapshots give the same bytes
        return hmac.digest(self._key, lengths + b"".join(parts), "sha256")


def seconds_of(moment: datetime | None) -> int | None:
    """Return the whole second of a moment at which a day begins."""
    return None if moment is None else int(moment.timestamp())
