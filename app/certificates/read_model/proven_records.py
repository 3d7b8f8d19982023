"""Build certificate records from tokens and the verified log, so that they rest on no column of the database.

A row of `certificates` gives the token, or one of `reissued_tokens` where the log says that it was signed anew. It
counts only if its signature is ours and its hash is the one in the log; the status follows from the log alone.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.certificates import certificate_repository
from app.certificates.credential.reader import CertifiedFacts, CredentialUnreadable, parse_credential
from app.certificates.model import Certificate
from app.certificates.read_model.record import TOKEN_EVENTS, CertificateRecord, current_token, record_of
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
    reissued = certificate_repository.reissued_tokens(session, [each for each in wanted if log.reissues(each)])
    if any(number in rows and not log.was_issued(number) for number in wanted):
        log.refresh(force=True)  # another process may have issued it within this second
    found = {}
    for number in wanted:
        row = rows.get(number)
        if log.was_issued(number):
            texts = [row.token, *reissued.get(number, ())] if row else []
            found[number] = prove_current(
                session, log, keys, number, texts, now, row.status_reason if row else None, ()
            )
        elif row is not None and (proof := _read_token(row.token, number, keys)) is not None:
            found[number] = _record(*proof, (), now, None, keys)
    return found


def prove_current(
    session: Session,
    log: VerifiedLog,
    keys: KeyRing,
    number: str,
    texts: Sequence[str],
    now: datetime,
    stored_reason: str | None,
    added: Sequence[tuple[int, Entry]],
) -> CertificateRecord:
    """Return the record of the token that counts, which must be among `texts`; `added`: entries of this transaction.

    Raises `RecordDamaged`.
    """
    entries = _entries_of(session, log, number, added)
    _, token = current_token([each for each in entries if each[1].event in TOKEN_EVENTS], keys)
    for text in texts:
        proof = _read_token(text, number, keys)
        if proof is not None and (proof[1].signed_hash, proof[1].kid) == (token.sha256, token.key):
            return _record(*proof, entries, now, stored_reason, keys)
    raise RecordDamaged(number)


def load_record_of_token(
    session: Session, log: VerifiedLog, keys: KeyRing, verified: VerifiedToken, number: str, now: datetime
) -> CertificateRecord | None:
    """Return the record of a token with a signature of ours that the log names; its row is not needed."""
    log.require_intact()
    if not log.was_issued(number):
        return None
    try:
        facts = parse_credential(verified.payload)
    except (CredentialUnreadable, StatusListRejected):
        return None
    if facts.number != number:
        return None
    entries = _entries_of(session, log, number, ())
    tokens = {(entry.sha256, entry.key) for _, entry in entries if entry.event in TOKEN_EVENTS}
    if (verified.signed_hash, verified.kid) not in tokens:
        return None
    stored = certificate_repository.stored_tokens(session, [number]).get(number)
    return _record(facts, verified, entries, now, stored.status_reason if stored else None, keys)


def _entries_of(
    session: Session, log: VerifiedLog, number: str, added: Sequence[tuple[int, Entry]]
) -> list[tuple[int, Entry]]:
    """Return the proven entries of a certificate, its issue first. Raises `RecordDamaged` without an issue."""
    issue = log.find_issue(session, number)
    if issue is None:
        raise RecordDamaged(number)
    later = log.entries_about("certificate", number)
    return [(issue.seq, issue.entry), *((each.seq, each.entry) for each in later), *added]


def require_token(session: Session, row: Certificate, record: CertificateRecord, keys: KeyRing) -> str:
    """Return the stored token that the record names. Raises `RecordDamaged`."""
    texts = [row.token]
    if row.token_sha256 != record.token_sha256:
        texts += certificate_repository.reissued_tokens(session, [row.number]).get(row.number, ())
    for text in texts:
        try:
            verified = jws.verify(text, typ=jws.TYP_CREDENTIAL, keys=keys.all_public)
        except jws.TokenRejected:
            continue
        if verified.signed_hash == record.token_sha256:
            return text
    raise RecordDamaged(record.number)


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
    keys: KeyRing,
) -> CertificateRecord:
    return record_of(facts, verified.kid, verified.signed_hash, entries, now, stored_reason, keys)
