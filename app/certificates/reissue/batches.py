"""Sign certificates anew whose key was compromised before they were logged: the same content under the active key.

What is signed is the payload of the token that the log names, byte for byte: number, dates and place in the status
lists stay. The row of the certificate keeps its first token; the new one is a row of `reissued_tokens` and an entry of
the log. Whoever stole the key may have signed such a certificate as well, so the caller says by `find_faults` what must
not be signed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.certificates import certificate_repository
from app.certificates.model import Certificate, CertificateStatus, ReissuedToken
from app.certificates.read_model import projector, proven_records
from app.certificates.read_model.proven_records import RecordDamaged
from app.certificates.read_model.record import CertificateRecord
from app.core.actor import Actor
from app.core.crypto import jws
from app.core.crypto.keyring import KeyRing, KeyState
from app.core.crypto.signer import Signer
from app.core.dates import baku_day
from app.core.errors import Conflict, NotFound, Unavailable, WrongState
from app.signing import signing_repository
from app.transparency import appender
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.verified_log import VerifiedLog

NOT_LOGGED = "Its issue is not in the log."
_IN_FORCE = frozenset({CertificateStatus.ACTIVE.value, CertificateStatus.SUSPENDED.value})
FindFaults = Callable[[Session, Sequence[Certificate]], Mapping[str, Sequence[str]]]
"""Return number → why it must not be signed anew; numbers without a fault are left out."""


@dataclass(frozen=True, slots=True)
class ReissueContext:
    """What a reissue needs: the verified log, the present keys, and the key that signs from now on."""

    log: VerifiedLog
    keys: KeyRing
    lock_active_signer: Callable[[Session], Signer]
    find_faults: FindFaults


@dataclass(frozen=True, slots=True)
class ReissueBatch:
    """`skipped`: number → why it was not signed anew. `after`: where the next batch begins; None after the last."""

    examined: int
    reissued: tuple[Certificate, ...]
    skipped: Mapping[str, str]
    after: UUID | None


def require_reissuable(keys: KeyRing, kid: str) -> None:
    """Require a compromised key. Raises `NotFound`, `WrongState`."""
    key = keys.by_kid.get(kid)
    if key is None:
        raise NotFound.of("key")
    if key.state is not KeyState.COMPROMISED:
        raise WrongState("key", state=key.state.value, action="reissue", allowed=[])


def reissue_batch(
    session: Session,
    actor: Actor,
    kid: str,
    context: ReissueContext,
    *,
    after: UUID | None,
    limit: int,
    is_dry_run: bool,
    now: datetime,
) -> ReissueBatch:
    """Sign the next certificates of this key anew. The caller commits, or not in a dry run.

    One that was signed anew before is left out, so that a run that was stopped goes on where it was. Raises
    `NoActiveKey`, `LogDamaged`, `Conflict` (`key-changed`).
    """
    require_reissuable(context.keys, kid)
    active = signing_repository.get_active_kid(session) or ""
    rows = certificate_repository.list_signed_by(session, kid, active, after, limit, lock=not is_dry_run)
    signer = context.lock_active_signer(session)
    if signer.kid != active:
        raise Conflict("Another key was activated meanwhile: start again.", code="key-changed")
    hit: list[tuple[Certificate, CertificateRecord]] = []
    skipped: dict[str, str] = {}
    for row in rows:
        try:
            record = proven_records.load_records(session, context.log, context.keys, [row.number], now).get(row.number)
        except RecordDamaged as error:
            skipped[row.number] = str(error.message)
            continue
        if record is None or record.logged_at is None:
            skipped[row.number] = NOT_LOGGED
        elif _is_hit(record, context.keys, now):
            hit.append((row, record))
    for number, faults in context.find_faults(session, [row for row, _ in hit]).items():
        skipped[number] = " ".join(faults)
    chosen = [(row, record) for row, record in hit if row.number not in skipped]
    if not is_dry_run:
        for row, record in chosen:
            _reissue(session, actor, row, record, signer, context, now)
    return ReissueBatch(
        len(rows), tuple(row for row, _ in chosen), skipped, rows[-1].id if len(rows) == limit else None
    )


def _is_hit(record: CertificateRecord, keys: KeyRing, now: datetime) -> bool:
    """Whether no key vouches for a token of a certificate that has not ended."""
    return (
        record.token_logged_at is not None
        and not keys.was_trusted(record.kid, record.token_seq, record.token_logged_at)
        and record.status in _IN_FORCE
        and record.valid_until >= baku_day(now)
    )


def _reissue(
    session: Session,
    actor: Actor,
    row: Certificate,
    record: CertificateRecord,
    signer: Signer,
    context: ReissueContext,
    now: datetime,
) -> None:
    replaced = proven_records.require_token(session, row, record, context.keys)
    token = signer.sign(jws.payload_bytes(replaced), typ=jws.TYP_CREDENTIAL)
    try:
        verified = jws.verify(token, typ=jws.TYP_CREDENTIAL, keys={signer.kid: signer.public})
    except jws.TokenRejected as error:  # a damaged key must not produce what cannot be verified
        raise Unavailable("The new signature does not verify; nothing was issued.") from error
    issue = context.log.find_issue(session, row.number)
    assert issue is not None  # the record rests on it
    sha256, decision = verified.signed_hash, issue.entry.decision
    session.add(ReissuedToken(number=row.number, kid=signer.kid, token_sha256=sha256, reissued_at=now, token=token))
    entry = Entry(LogEvent.CERTIFICATE_REISSUED, now, row.number, sha256=sha256, key=signer.kid, decision=decision)
    appender.add_entry(session, entry)
    projector.mark_dirty(session, row)
    recorder.record(
        session,
        actor,
        LogEvent.CERTIFICATE_REISSUED.value,
        ("certificate", row.number),
        now,
        case_id=row.application_id,
        sha256=sha256,
        kid=signer.kid,
        replaced_sha256=record.token_sha256,
        decision_sha256=decision,
    )
