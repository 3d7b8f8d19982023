"""Published status lists: a bit moves in the transaction of its certificate; the next reader finds the list signed.

`follow` only notes what changed. When the session commits, the lists concerned are locked, in one order, and their bits
set; lock order is application, counters, lists, log head, audit head. No other certificate is looked at. Signing takes
no part in that transaction: whoever asks for a list whose bits moved, or which was signed too long ago or by another
key, signs it anew and stores it for all workers.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.certificates import status_list, status_list_repository, status_workflow
from app.certificates.model import Certificate, CertificateStatus
from app.certificates.status_list import Purpose, list_name, parse_list_name
from app.core.crypto import jws
from app.core.crypto.signer import Signer
from app.core.database import Database
from app.core.errors import NotFound, Unavailable
from app.core.unit_of_work import get_pending, take_pending

RESIGN_AFTER: Final = timedelta(hours=12)
"""A list is served with at least the rest of `status_list.LIFE` before it."""
_PENDING_KEY = "bits of status lists"


def queue_bit_update(session: Session, certificate: Certificate) -> None:
    """Note the status of a certificate for its lists; it is entered with the commit of this session, or not at all."""
    get_pending(session, _PENDING_KEY, dict)[certificate.status_list_id, certificate.status_index] = status_bits(
        certificate.status
    )


def status_bits(status: str) -> dict[Purpose, bool]:
    """What a status sets: one that is final the one bit, a suspension the other, expiry none."""
    return {
        Purpose.REVOCATION: status in status_workflow.FINAL_STATUSES,
        Purpose.SUSPENSION: status == CertificateStatus.SUSPENDED,
    }


def flush_bit_updates(session: Session) -> None:
    """Set the noted bits under the lock of their lists; the first step of the commit."""
    pending: dict[tuple[int, int], dict[Purpose, bool]] = take_pending(session, _PENDING_KEY, dict)
    if not pending:
        return
    session.flush()
    wanted: dict[tuple[int, Purpose], dict[int, bool]] = defaultdict(dict)
    for (list_id, index), bits in pending.items():
        for purpose, value in bits.items():
            wanted[list_id, purpose][index] = value
    held = status_list_repository.lock_bits(session, {list_id for list_id, _ in wanted})
    for (list_id, purpose), values in sorted(wanted.items()):
        before = held.get((list_id, purpose))
        if before is None:  # a certificate older than its list: what all of them say now is known, and entered whole
            before = _rebuild_bits(session, list_id, purpose)
        changed = before
        for index, value in values.items():
            changed = status_list.set_bit(changed, index, to=value)
        if changed != before:
            status_list_repository.set_bits(session, list_id, purpose, changed)


def _rebuild_bits(session: Session, list_id: int, purpose: Purpose) -> bytes:
    """The bits of a list made from its certificates; its row is locked."""
    status_list_repository.create_list(session, list_id)
    status_list_repository.lock_bits(session, {list_id})
    bits = expected_bits(status_list_repository.iterate_statuses(session, list_id), purpose)
    status_list_repository.set_bits(session, list_id, purpose, bits)
    return bits


def expected_bits(statuses: Iterable[tuple[str, int, str]], purpose: Purpose) -> bytes:
    """What a list must hold by number, index and status of each of its certificates."""
    bits = bytearray(status_list.empty_bits())
    for _, index, status in statuses:
        if status_bits(status)[purpose]:
            bits[index // 8] |= 0x80 >> index % 8
    return bytes(bits)


@dataclass(frozen=True, slots=True)
class StatusListPublisher:
    """What serves the lists. `signer` is asked anew each time; `clock` gives aware moments."""

    database: Database
    signer: Callable[[], Signer]
    issuer: str
    base_url: str
    clock: Callable[[], datetime]

    def get_token(self, name: str) -> str:
        """The list as a compact `vc+jwt`, with the bits as they are. Errors: NotFound, Unavailable."""
        wanted = parse_list_name(name)
        if wanted is None:
            raise NotFound.of("status list")
        with self.database.read_session() as session:
            found = status_list_repository.get_signed(session, *wanted)
        if found is not None and self._is_fresh(found):
            return found.token
        return self._sign(*wanted)

    def _is_fresh(self, found: status_list_repository.SignedList) -> bool:
        age = self.clock() - found.signed_at
        return found.is_current and found.kid == self.signer().kid and timedelta(0) <= age < RESIGN_AFTER

    def _sign(self, list_id: int, purpose: Purpose) -> str:
        """Under the lock of its row: of two readers the second finds it signed."""
        with self.database.session() as session:
            row = status_list_repository.lock_row(session, list_id, purpose)
            if row is None:
                raise NotFound.of("status list")
            found = status_list_repository.get_signed(session, list_id, purpose)
            if found is not None and self._is_fresh(found):
                return found.token
            now, signer = self.clock(), self.signer()
            url = f"{self.base_url}/v1/status-lists/{list_name(list_id, purpose)}"
            token = sign_status_list(
                signer, status_list.build_status_list_credential(url, self.issuer, purpose, row.bits, now)
            )
            row.token, row.token_version, row.kid, row.signed_at = token, row.version, signer.kid, now
            session.commit()
            return token


def sign_status_list(signer: Signer, payload: dict[str, object]) -> str:
    """Signed, and verified with the published key before anybody sees it. Errors: Unavailable."""
    token = signer.sign(jws.dump_json(payload), typ=jws.TYP_CREDENTIAL)
    try:
        jws.verify(token, typ=jws.TYP_CREDENTIAL, keys={signer.kid: signer.public})
    except jws.TokenRejected as why:
        raise Unavailable("The signature just made does not verify; the status list is not served.") from why
    return token
