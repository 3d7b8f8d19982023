"""Publish status lists: update bits at commit, sign a list when it is requested.

`queue_bit_update` only notes what changed. At commit, the lists concerned are locked in a fixed order and their bits
set; the lock order is application, counters, lists, log head, audit head. Signing is not part of that transaction: a
request for a list that changed, or that was signed too long ago or with another key, signs it again and stores it for
all workers. What is signed comes from the log (`read_model/status_list_bits.py`), and the log names its hash; `mik
doctor` compares the bits of the table.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.certificates import status_list, status_list_repository, status_workflow
from app.certificates.model import Certificate, CertificateStatus
from app.certificates.read_model.status_list_bits import StatusListBits
from app.certificates.status_list import Purpose, list_name, parse_list_name
from app.core.crypto import jws
from app.core.crypto.signer import Signer
from app.core.database import Database
from app.core.errors import NotFound, Unavailable
from app.core.unit_of_work import get_pending, take_pending
from app.transparency import appender
from app.transparency.log_entry import Entry, LogEvent

RESIGN_AFTER: Final = timedelta(hours=12)
"""A served list is valid for at least the remainder of `status_list.LIFETIME`."""
_PENDING_KEY = "bits of status lists"


def queue_bit_update(session: Session, certificate: Certificate) -> None:
    """Note the status of a certificate; its list bits are set when the session commits."""
    get_pending(session, _PENDING_KEY, dict)[certificate.status_list_id, certificate.status_index] = status_bits(
        certificate.status
    )


def status_bits(status: str) -> dict[Purpose, bool]:
    """Return the bits of a status: final sets revocation, suspended sets suspension."""
    return {
        Purpose.REVOCATION: status in status_workflow.FINAL_STATUSES,
        Purpose.SUSPENSION: status == CertificateStatus.SUSPENDED,
    }


def flush_bit_updates(session: Session) -> None:
    """Set the noted bits under the lock of their lists; the first commit step."""
    pending: dict[tuple[int, int], dict[Purpose, bool]] = take_pending(session, _PENDING_KEY, dict)
    if not pending:
        return
    session.flush()
    updates: dict[tuple[int, Purpose], dict[int, bool]] = defaultdict(dict)
    for (list_id, index), bits in pending.items():
        for purpose, value in bits.items():
            updates[list_id, purpose][index] = value
    locked_bits = status_list_repository.lock_bits(session, {list_id for list_id, _ in updates})
    for (list_id, purpose), values in sorted(updates.items()):
        current = locked_bits.get((list_id, purpose))
        if current is None:  # a certificate older than its list: rebuild the list
            current = _rebuild_bits(session, list_id, purpose)
        updated = current
        for index, value in values.items():
            updated = status_list.set_bit(updated, index, value=value)
        if updated != current:
            status_list_repository.set_bits(session, list_id, purpose, updated)


def _rebuild_bits(session: Session, list_id: int, purpose: Purpose) -> bytes:
    """Recompute the bits of a list from its certificates, under the lock of its row."""
    status_list_repository.create_list(session, list_id)
    status_list_repository.lock_bits(session, {list_id})
    bits = expected_bits(status_list_repository.iterate_statuses(session, list_id), purpose)
    status_list_repository.set_bits(session, list_id, purpose, bits)
    return bits


def expected_bits(statuses: Iterable[tuple[str, int, str]], purpose: Purpose) -> bytes:
    """Compute the bits of a list from number, index and status of its certificates."""
    bits = bytearray(status_list.empty_bits())
    for _, index, status in statuses:
        if status_bits(status)[purpose]:
            bits[index // 8] |= 0x80 >> index % 8
    return bytes(bits)


@dataclass(frozen=True, slots=True)
class StatusListPublisher:
    """Serve signed lists. `signer` is called for each request; `clock` returns aware moments.

    Only a list whose hash is the last one in the log for its name is served, and what is signed is derived from the
    log: an older list that is put back into the database is not.
    """

    database: Database
    signer: Callable[[], Signer]
    issuer: str
    base_url: str
    clock: Callable[[], datetime]
    bits: StatusListBits

    def get_token(self, name: str) -> str:
        """Return the current list as a compact `vc+jwt`. Raises `NotFound`, `Unavailable`."""
        list_key = parse_list_name(name)
        if list_key is None:
            raise NotFound.of("status list")
        self.bits.log.refresh()
        if not self.bits.log.is_current:
            self.bits.log.require_intact()
        with self.database.read_session() as session:
            signed = status_list_repository.get_signed(session, *list_key)
            if signed is not None and self._is_fresh(session, name, *list_key, signed):
                return signed.token
        return self._sign(name, *list_key)

    def _is_fresh(
        self, session: Session, name: str, list_id: int, purpose: Purpose, signed: status_list_repository.SignedList
    ) -> bool:
        logged = self.bits.log.entries_about("status_list", name)
        if not (signed.is_current and logged and logged[-1].entry.sha256 == jws.signed_hash(signed.token)):
            return False
        signer, now, signed_at = self.signer(), self.clock(), logged[-1].entry.at
        try:
            jws.verify_signature(signed.token, typ=jws.TYP_CREDENTIAL, keys={signer.kid: signer.public})
        except jws.TokenRejected:
            return False
        derived = self.bits.derive(session, list_id, purpose, now)
        return timedelta(0) <= now - signed_at < RESIGN_AFTER and derived.last_seq < logged[-1].seq

    def _sign(self, name: str, list_id: int, purpose: Purpose) -> str:
        """Sign the list under the lock of its row, so that concurrent requests sign it once.

        A change of status takes the same lock before it is logged: no entry can come between what the bits were
        derived from and the entry of the signed list.
        """
        with self.database.session() as session:
            row = status_list_repository.lock_row(session, list_id, purpose)
            if row is None:
                raise NotFound.of("status list")
            self.bits.log.refresh(force=True)
            self.bits.log.require_intact()
            signed = status_list_repository.get_signed(session, list_id, purpose)
            if signed is not None and self._is_fresh(session, name, list_id, purpose, signed):
                return signed.token
            now, signer = self.clock(), self.signer()
            url = f"{self.base_url}/v1/status-lists/{list_name(list_id, purpose)}"
            bits = self.bits.derive(session, list_id, purpose, now).bits
            token = sign_status_list(
                signer, status_list.build_status_list_credential(url, self.issuer, purpose, bits, now)
            )
            row.token, row.token_version, row.kid, row.signed_at = token, row.version, signer.kid, now
            appender.add_entry(session, Entry(LogEvent.STATUS_LIST_SIGNED, now, name, sha256=jws.signed_hash(token)))
            session.commit()
            return token


def sign_status_list(signer: Signer, payload: dict[str, object]) -> str:
    """Sign a list and verify it with the published key. Raises `Unavailable`."""
    token = signer.sign(jws.dump_json(payload), typ=jws.TYP_CREDENTIAL)
    try:
        jws.verify(token, typ=jws.TYP_CREDENTIAL, keys={signer.kid: signer.public})
    except jws.TokenRejected as error:
        raise Unavailable("The new signature does not verify; the status list is not served.") from error
    return token
