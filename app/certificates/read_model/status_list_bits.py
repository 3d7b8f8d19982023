"""Derive the bits of status lists from the verified log, never from columns of the database.

A list contains a bit only for certificates whose status ever changed; the log names them. Where a certificate is in a
list was signed: it comes from a genuine snapshot, or from the token. It never changes, so it is kept.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.certificates import status_list
from app.certificates.read_model import proven_records, snapshot_repository
from app.certificates.read_model.proven_records import RecordDamaged
from app.certificates.read_model.snapshot import SnapshotKey
from app.certificates.status_list import Purpose
from app.core.crypto.keyring import KeyRing
from app.core.database import parts_of
from app.transparency.logged_status import FINAL_STATUSES, STATUS_OF_EVENT, status_after
from app.transparency.verified_log import LoggedEntry, VerifiedLog


class DerivedList(NamedTuple):
    """`last_seq`: newest log entry that the bits depend on, -1 for none."""

    bits: bytes
    last_seq: int


class StatusListBits:
    """Derive lists; one per process. `keys` is called for each certificate without a genuine snapshot."""

    def __init__(self, log: VerifiedLog, snapshot_key: SnapshotKey, keys: Callable[[], KeyRing]) -> None:
        self.log = log
        self._snapshot_key = snapshot_key
        self._keys = keys
        self._places: dict[str, tuple[int, int]] = {}

    def derive(self, session: Session, list_id: int, purpose: Purpose, now: datetime) -> DerivedList:
        """Return the bits of a list as of now. Raises `RecordDamaged` where a certificate has no proven place."""
        numbers = self.log.changed_numbers()
        self._learn_places(session, [number for number in numbers if number not in self._places], now)
        bits = bytearray(status_list.empty_bits())
        last_seq = -1
        for number in numbers:
            in_list, index = self._places[number]
            if in_list != list_id:
                continue
            entries = self.log.status_entries(number)
            if _is_set(status_after(each.entry for each in entries).status, purpose):
                bits[index // 8] |= 0x80 >> index % 8
            last_seq = max([last_seq, *(each.seq for each in entries if _concerns(each, purpose))])
        return DerivedList(bytes(bits), last_seq)

    def _learn_places(self, session: Session, numbers: Iterable[str], now: datetime) -> None:
        for part in parts_of(list(numbers)):
            rows = snapshot_repository.by_number(session, part)
            genuine = {number: row for number, row in rows.items() if self._snapshot_key.is_genuine(row)}
            rest = [number for number in part if number not in genuine]
            records = proven_records.load_records(session, self.log, self._keys(), rest, now) if rest else {}
            for number in rest:
                if number not in records or records[number].logged_at is None:
                    raise RecordDamaged(number)
            self._places |= {number: (row.list_id, row.status_index) for number, row in genuine.items()}
            self._places |= {n: (each.status_list_id, each.status_index) for n, each in records.items()}


def _is_set(status: str, purpose: Purpose) -> bool:
    return status in FINAL_STATUSES if purpose is Purpose.REVOCATION else status == "suspended"


def _concerns(logged: LoggedEntry, purpose: Purpose) -> bool:
    """Whether an entry can change the bits of a purpose; a final status ends a suspension too."""
    return purpose is Purpose.SUSPENSION or STATUS_OF_EVENT.get(logged.entry.event) in FINAL_STATUSES
