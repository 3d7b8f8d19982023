"""Define the snapshot of a certificate: the answer to a verification of its number, authenticated. Pure.

A message authentication code under a key that is not in the database covers every member. So whoever can write to the
database can remove an answer or put back an older one, but cannot write one; see `app/verification/snapshots.py` for
what a reader checks besides.
"""

import hashlib
import hmac
import struct
from datetime import datetime
from typing import Final, NamedTuple

from app.core.text.marking import Marking

BODY_VERSION: Final = "2"
"""Moves with any change of the answer, so that no snapshot written before is used."""
_HEAD: Final = struct.Struct(">8I5q")
_NUMBERS_BYTES: Final = struct.calcsize(">5q")


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


_CONTEXT = {None: "False", Marking.DEMO: "True", Marking.SANDBOX: "sandbox"}


class SnapshotKey:
    """Authenticate snapshots. `base_url` and `marking` change every answer: with others, a snapshot is not genuine."""

    def __init__(self, secret: bytes, base_url: str, *, marking: Marking | None = None) -> None:
        context = f"certificate snapshot {BODY_VERSION}\n{base_url}\n{_CONTEXT[marking]}"
        key = hmac.digest(secret, context.encode(), "sha256").ljust(hashlib.sha256().block_size, b"\0")
        # HMAC begins with the key: hashing it once makes a MAC of a kilobyte half as dear (RFC 2104, section 4).
        self._inner, self._outer = (hashlib.sha256(key.translate(pad)) for pad in (hmac.trans_36, hmac.trans_5C))

    def sign(self, snapshot: Snapshot) -> Snapshot:
        return snapshot._replace(mac=self._mac(snapshot))

    def is_genuine(self, snapshot: Snapshot) -> bool:
        """Whether this service wrote exactly this. Values of any type are accepted: the database may hold anything."""
        try:
            return hmac.compare_digest(self._mac(snapshot), snapshot.mac)
        except (AttributeError, TypeError, ValueError, struct.error):
            return False

    def _mac(self, s: Snapshot) -> bytes:
        number, signed_hash, kid, issued_at, log_seq, holder, list_id, index, status, end, etag, body, _ = s
        texts = (number, kid, holder or "", status, etag)
        joined = "".join(texts)
        encoded = joined.encode()
        lengths = map(len, texts if len(encoded) == len(joined) else [text.encode() for text in texts])
        # The lengths of all parts first: no two snapshots give the same bytes. Packed whole: a database may hold 1.5
        # where an integer belongs.
        numbers = (issued_at, log_seq, list_id, index, -1 if end is None else end)
        head = _HEAD.pack(_NUMBERS_BYTES, len(signed_hash), len(body), *lengths, *numbers)
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(b"".join((head, signed_hash, body, encoded)))
        outer.update(inner.digest())
        return outer.digest()


def seconds_of(moment: datetime | None) -> int | None:
    """Return the whole second of a moment at which a day begins."""
    return None if moment is None else int(moment.timestamp())
