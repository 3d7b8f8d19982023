"""Write the answers to verifications as snapshots, and decide whether a snapshot in the database may be used.

A snapshot is used only if this service wrote it, its time has not passed, and it is not older than the last change of
the certificate, or the last word on the compromise of its key, in the verified log. Everything else is evaluated from
token and log.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from app.certificates import certificate_repository
from app.certificates.credential.reader import parse_credential
from app.certificates.model import Certificate
from app.certificates.read_model import proven_records, snapshot_repository
from app.certificates.read_model.proven_records import RecordDamaged
from app.certificates.read_model.record import CertificateRecord, record_of
from app.certificates.read_model.snapshot import Snapshot, SnapshotKey, seconds_of
from app.core.crypto import jws
from app.core.crypto.keyring import KeyRing, KeyState
from app.core.text.marking import Marking
from app.transparency.appender import LogDamaged
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.verified_log import VerifiedLog
from app.verification.response import encode, etag_of, is_answer
from app.verification.verdict import Verdict, evaluate_number, next_change_at

_FOR_EVER = 1 << 62
_SIGNED_STATES = frozenset({KeyState.ACTIVE, KeyState.RETIRED, KeyState.COMPROMISED})


class FollowedLog(Protocol):
    """What reading a snapshot needs of the verified log."""

    @property
    def is_current(self) -> bool: ...

    def last_seq(self, number: str) -> int | None: ...

    def require_current(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SnapshotCheck:
    """Decide about snapshots; the log is as fresh as the keys that the caller passes."""

    key: SnapshotKey
    log: FollowedLog

    def accepts(self, snapshot: Snapshot, keys: KeyRing, now: float) -> bool:
        """Whether the row may be used `now`, in seconds since 1970."""
        if not self.key.is_genuine(snapshot) or not self.log.is_current:
            return False
        signed_with, last = keys.by_kid.get(snapshot.kid), self.log.last_seq(snapshot.number)
        return (
            signed_with is not None
            and signed_with.state in _SIGNED_STATES
            and snapshot.log_seq >= signed_with.corrected_seq
            and (last is None or snapshot.log_seq >= last)
            and is_answer(snapshot.body)
            and snapshot.issued_at <= now < (snapshot.good_until or _FOR_EVER)
        )


def build_snapshot(
    record: CertificateRecord, keys: KeyRing, now: datetime, base_url: str, *, marking: Marking | None = None
) -> Snapshot | None:
    """Build the snapshot of a proven record, without its code; None where no certificate would be shown."""
    result = evaluate_number(record, keys, now)
    key = keys.by_kid.get(record.kid)
    if result.verdict is Verdict.FORGED or key is None or key.state not in _SIGNED_STATES or record.logged_at is None:
        return None
    body = encode(result, base_url, marking=marking)
    return Snapshot(
        number=record.number,
        signed_hash=bytes.fromhex(record.token_sha256),
        kid=record.kid,
        issued_at=int(record.logged_at.timestamp()),
        log_seq=max(record.log_seq, key.corrected_seq),
        holder_id=record.holder_id,
        list_id=record.status_list_id,
        status_index=record.status_index,
        status=record.status,
        good_until=seconds_of(next_change_at(record, now)),
        etag=etag_of(body).decode(),
        body=body,
    )


@dataclass(frozen=True, slots=True)
class SnapshotWriter:
    """Write snapshots at commit (`projector.Writer`), and renew those that are missing or not good.

    `reload_keys` is called where a certificate names a key that `keys` does not know as signing yet. `clock` returns
    aware moments.
    """

    key: SnapshotKey
    log: VerifiedLog
    keys: Callable[[], KeyRing]
    reload_keys: Callable[[], KeyRing]
    clock: Callable[[], datetime]
    base_url: str
    marking: Marking | None = None

    def write(self, session: Session, certificates: Sequence[Certificate], logged: Sequence[tuple[int, Entry]]) -> None:
        """Write the snapshots of changed certificates; `logged` is what this transaction has logged."""
        added: dict[str, list[tuple[int, Entry]]] = defaultdict(list)
        for seq, entry in logged:
            if entry.subject:
                added[entry.subject].append((seq, entry))
        if any(certificate.number not in added for certificate in certificates):
            self.log.refresh(force=True)
        now, keys = self.clock(), self._keys_for(certificates, logged)
        records, damaged = [], []
        for certificate in certificates:
            try:
                records.append(self._record(session, certificate, added[certificate.number], keys, now))
            except RecordDamaged:
                damaged.append(certificate.number)
        self._store(session, records, keys, now)
        snapshot_repository.delete(session, damaged)

    def renew(self, session: Session, now: datetime, *, every: bool = False) -> int:
        """Write missing and outdated snapshots; `every`: also those that are not genuine. Return how many.

        Certificates of which nothing is proven get none.
        """
        first = snapshot_repository.first(session)
        every = every or (first is not None and not self.key.is_genuine(first))
        count = 0
        voided = {key.kid: key.corrected_seq for key in self.keys().by_kid.values() if key.corrected_seq >= 0}
        pages = (
            snapshot_repository.iterate_numbers(session)
            if every
            else snapshot_repository.list_without_snapshot(session, int(now.timestamp()), voided)
        )
        for numbers in pages:
            count += self._renew_page(session, numbers, now)
        return count

    def _renew_page(self, session: Session, numbers: Sequence[str], now: datetime) -> int:
        keys = self.keys()
        rows = snapshot_repository.by_number(session, numbers)
        check = SnapshotCheck(self.key, self.log)
        bad = [each for each in numbers if each not in rows or not check.accepts(rows[each], keys, now.timestamp())]
        return self._store(session, list(self._proven(session, bad, keys, now)), keys, now)

    def _proven(
        self, session: Session, numbers: Sequence[str], keys: KeyRing, now: datetime
    ) -> Iterator[CertificateRecord]:
        for number in numbers:
            try:
                yield from proven_records.load_records(session, self.log, keys, [number], now).values()
            except (RecordDamaged, LogDamaged):
                continue

    def _store(self, session: Session, records: Sequence[CertificateRecord], keys: KeyRing, now: datetime) -> int:
        built = {each.number: build_snapshot(each, keys, now, self.base_url, marking=self.marking) for each in records}
        good = [self.key.sign(each) for each in built.values() if each is not None]
        snapshot_repository.replace(session, good)
        snapshot_repository.delete(session, [number for number, each in built.items() if each is None])
        return len(good)

    def _record(
        self,
        session: Session,
        certificate: Certificate,
        added: Sequence[tuple[int, Entry]],
        keys: KeyRing,
        now: datetime,
    ) -> CertificateRecord:
        """Return the record of a certificate with the entries of this transaction. Raises `RecordDamaged`."""
        is_new = any(entry.event is LogEvent.CERTIFICATE_ISSUED for _, entry in added)
        reason, number = certificate.status_reason, certificate.number
        if not is_new:
            texts = [certificate.token, *certificate_repository.reissued_tokens(session, [number]).get(number, ())]
            return proven_records.prove_current(session, self.log, keys, number, texts, now, reason, added)
        try:
            verified = jws.verify(certificate.token, typ=jws.TYP_CREDENTIAL, keys=keys.all_public)
            facts = parse_credential(verified.payload)
        except (jws.TokenRejected, ValueError) as error:
            raise RecordDamaged(certificate.number) from error
        if facts.number != number:
            raise RecordDamaged(number)
        return record_of(facts, verified.kid, verified.signed_hash, added, now, reason, keys)

    def _keys_for(self, certificates: Sequence[Certificate], logged: Sequence[tuple[int, Entry]]) -> KeyRing:
        keys, kids = self.keys(), {each.kid for each in certificates}
        kids |= {entry.key for _, entry in logged if entry.event is LogEvent.CERTIFICATE_REISSUED and entry.key}
        return keys if kids <= keys.may_have_signed.keys() else self.reload_keys()
