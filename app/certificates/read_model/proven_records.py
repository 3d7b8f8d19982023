"""Build certificate records from tokens and the verified log, so that they rest on no column of the database.

A row of `certificates` gives the token. It counts only if its signature is ours and its hash is the one of the issue in
the log; the status follows from the log alone.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.certificates import certificate_repository
from app.certificates.credential.reader import CertifiedFacts, CredentialUnreadable, parse_credential
from app.certificates.model import Certificate
from app.certificates.read_model.record import CertificateRecord, record_of
from app.certificates.status_list import StatusListRejected
from app.core.crypto import jws
from app.core.crypto.jws import VerifiedToken
from app.core.crypto.keyring import KeyRing
from app.core.errors import Unavailable
from app.core.messages import Message
from app.transparency.log_entry import Entry
from app.transparency.verified_log import VerifiedLog


class RecordDamaged(Unavailable):
    """The log contains the issue of a certificate whose row is missing or differs."""

    code = "record-damaged"

    def __init__(self, number: str) -> None:
        super().__init__(Message("The record of %(number)s is missing or differs from the public log.", number=number))


def require_not_issued(log: VerifiedLog, number: str | None) -> None:
    """Raise `RecordDamaged` where the log knows a certificate that has no row; `LogDamaged` where nothing is known."""
    log.require_current()
    if number is not None and log.was_issued(number):
        raise RecordDamaged(number)


def load_records(
    session: Session, log: VerifiedLog, keys: KeyRing, numbers: Iterable[str], now: datetime
) -> dict[str, CertificateRecord]:
    """Return the records of these numbers; numbers of which nothing is proven are left out.

    A certificate that is signed by us, but was never logged, has no `logged_at`. Raises `LogDamaged`; `RecordDamaged`
    where the log proves an issue and the row does not.
    """
    log.require_intact()
    wanted = list(dict.fromkeys(numbers))
    rows = certificate_repository.stored_tokens(session, wanted)
    if any(number in rows and not log.was_issued(number) for number in wanted):
        log.refresh(force=True)  # another process may have issued it within this second
    found = {}
    for number in wanted:
        row = rows.get(number)
        proof = _read_token(row.token, number, keys) if row else None
        if log.was_issued(number):
            if proof is None:
                raise RecordDamaged(number)
            found[number] = prove(session, log, *proof, now, row.status_reason if row else None)
        elif proof is not None:
            found[number] = _record(*proof, (), now, None)
    return found


def load_record_of_token(
    session: Session, log: VerifiedLog, verified: VerifiedToken, number: str, now: datetime
) -> CertificateRecord | None:
    """Return the record of a token with a signature of ours whose issue is in the log; its row is not needed."""
    log.require_intact()
    if not log.was_issued(number):
        return None
    try:
        facts = parse_credential(verified.payload)
    except (CredentialUnreadable, StatusListRejected):
        return None
    issue = log.find_issue(session, number)
    if issue is None or facts.number != number or issue.entry.sha256 != verified.signed_hash:
        return None
    stored = certificate_repository.stored_tokens(session, [number]).get(number)
    return prove(session, log, facts, verified, now, stored.status_reason if stored else None)


def prove(
    session: Session,
    log: VerifiedLog,
    facts: CertifiedFacts,
    verified: VerifiedToken,
    now: datetime,
    stored_reason: str | None,
    added: Sequence[tuple[int, Entry]] = (),
) -> CertificateRecord:
    """Return the record of a token whose issue the log must contain; `added` are its entries of this transaction.

    Raises `RecordDamaged` if the log contains another one, or none.
    """
    issue = log.find_issue(session, facts.number)
    if issue is None or issue.entry.sha256 != verified.signed_hash or issue.entry.key != verified.kid:
        raise RecordDamaged(facts.number)
    entries = [(issue.seq, issue.entry), *((each.seq, each.entry) for each in log.status_entries(facts.number)), *added]
    return _record(facts, verified, entries, now, stored_reason)


def require_token(row: Certificate, record: CertificateRecord, keys: KeyRing) -> str:
    """Return the stored token, if it is the one that was issued. Raises `RecordDamaged`."""
    try:
        verified = jws.verify(row.token, typ=jws.TYP_CREDENTIAL, keys=keys.all_public)
    except jws.TokenRejected as error:
        raise RecordDamaged(record.number) from error
    if verified.signed_hash != record.token_sha256:
        raise RecordDamaged(record.number)
    return row.token


def _read_token(token: str, number: str, keys: KeyRing) -> tuple[CertifiedFacts, VerifiedToken] | None:
    """Return what a stored token says, if one of our keys signed it and it is the one of this number."""
    try:
        verified = jws.verify(token, typ=jws.TYP_CREDENTIAL, keys=keys.all_public)
        facts = parse_credential(verified.payload)
    except (jws.TokenRejected, CredentialUnreadable, StatusListRejected):
        return None
    return (facts, verified) if facts.number == number else None


def _record(
    facts: CertifiedFacts,
    verified: VerifiedToken,
    entries: Sequence[tuple[int, Entry]],
    now: datetime,
    stored_reason: str | None,
) -> CertificateRecord:
    return record_of(facts, verified.kid, verified.signed_hash, entries, now, stored_reason)
