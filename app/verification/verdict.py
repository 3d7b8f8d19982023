"""Evaluate certificates: the verdict at a moment, with the checks that led to it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from app.certificates import certificate_number
from app.certificates.certificate_number import CertificateNumber
from app.certificates.read_model.record import KEY_COMPROMISED, CertificateRecord
from app.core.crypto import jws
from app.core.crypto.jws import SignatureResult, TokenRejected, VerifiedToken
from app.core.crypto.keyring import KeyRecord, KeyRing, KeyState
from app.core.dates import baku_day, day_end, day_start, format_utc
from app.transparency.logged_status import ACTIVE_STATUS, FINAL_STATUSES
from app.verification.token_text import extract_token


class Verdict(StrEnum):
    """Verdicts in order of precedence: the first that applies is the result."""

    FORGED = "forged"
    UNREADABLE = "unreadable"
    MISTYPED = "mistyped"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    SURRENDERED = "surrendered"
    SUPERSEDED = "superseded"
    KEY_COMPROMISED = "key_compromised"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    NOT_YET_VALID = "not_yet_valid"
    VALID = "valid"


MESSAGES: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.FORGED: "This is not a certificate that we issued. Do not rely on it.",
        Verdict.UNREADABLE: "This is not a whole certificate. Ask for it again or type its number.",
        Verdict.MISTYPED: "This is not a certificate number: a character is wrong or missing. Compare and try again.",
        Verdict.UNKNOWN: "We have no record of this certificate. Do not rely on it.",
        Verdict.REVOKED: "This certificate was revoked by the owner of the mark. It must no longer be used.",
        Verdict.SURRENDERED: "This certificate was surrendered by its holder. It must no longer be used.",
        Verdict.SUPERSEDED: "This certificate was replaced by a newer one. Ask the holder for the new one.",
        Verdict.KEY_COMPROMISED: (
            "We recorded this certificate, but others may have had the key that signed it. Do not rely on it until it "
            "is signed anew."
        ),
        Verdict.EXPIRED: "This certificate is genuine, but its term has ended.",
        Verdict.SUSPENDED: "This certificate is genuine, but suspended: at present it must not be used.",
        Verdict.NOT_YET_VALID: "This certificate is genuine, but its term has not begun.",
        Verdict.VALID: "This certificate is genuine and valid.",
    }
)
ACTIVE = ACTIVE_STATUS


@dataclass(frozen=True, slots=True)
class Check:
    """One examined thing: form, signature, record, content, log, key_state, validity, status."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """Verdict with its checks.

    `record` is None where no certificate may be shown; `as_of` is None where no record was found.
    """

    verdict: Verdict
    checks: tuple[Check, ...]
    as_of: datetime | None = None
    record: CertificateRecord | None = None

    @property
    def message(self) -> str:
        return MESSAGES[self.verdict]


MISTYPED = VerificationResult(
    Verdict.MISTYPED,
    (
        Check(
            "form",
            False,
            "The number does not have the format of a certificate number, or its check character is wrong.",
        ),
    ),
)
_FORMAT_VALID = Check("form", True, "The number has the right format and its check character is correct.")
_RECORD_FOUND = Check("record", True, "The certificate is in our register.")
_RECORD_MISSING = Check("record", False, "No certificate with this number is in our register.")
UNKNOWN = VerificationResult(Verdict.UNKNOWN, (_FORMAT_VALID, _RECORD_MISSING))
"""For a well-formed number without a record."""
_KEY_GOOD = Check("key_state", True, "The signing key is not known to be compromised.")
_SIGNATURE_VALID = Check("signature", True, "The signature was made with one of our keys.")
_SIGNATURE_INVALID = Check(
    "signature", False, "The text does not carry a valid signature of ours in the format that we issue."
)
UNSIGNED = VerificationResult(Verdict.FORGED, (_SIGNATURE_INVALID,))
"""For a token that no published key signed."""
UNREADABLE = VerificationResult(Verdict.UNREADABLE, ())
"""For text that is not a whole token: nothing was checked."""
_CONTENT_SAME = Check("content", True, "Header and content are those that we issued for this number.")
_CONTENT_DIFFERENT = Check(
    "content", False, "We signed this text, but it is not the one that we issued for this number."
)


NUMBER_CHECKS = (_FORMAT_VALID, _RECORD_FOUND)
TOKEN_CHECKS = (_SIGNATURE_VALID, _RECORD_FOUND, _CONTENT_SAME)
"""The first checks of a recorded number, and of a token as it was issued; all others are the same."""


def evaluate_number(record: CertificateRecord | None, keys: KeyRing, now: datetime) -> VerificationResult:
    """Evaluate a well-formed number. `record` is its database record; `now` is aware."""
    if record is None:
        return UNKNOWN
    return _evaluate_record(record, NUMBER_CHECKS, keys, now)


def verify_signature(text: str, keys: KeyRing) -> SignatureResult | VerificationResult:
    """Verify the signature of a token, whatever text it is, with all keys, including next ones.

    Returns the final result where none of the keys signed it.
    """
    token = extract_token(text)
    if token is None:
        return UNREADABLE
    try:
        return jws.verify_signature(token, typ=jws.TYP_CREDENTIAL, keys=keys.all_public)
    except TokenRejected:
        return UNSIGNED


@dataclass(frozen=True, slots=True)
class TokenLookup:
    """Result of verifying a token's signature.

    `number` is the certificate number that the token names; None where it names none.
    """

    verified: VerifiedToken | None
    number: CertificateNumber | None
    signed_with_next_key: bool = False  # signed with a key that is still `next` in this keyring
    is_whole: bool = True


def verify_token(text: str, keys: KeyRing) -> TokenLookup:
    """Verify the signature of a token, whatever text it is, and find the number to look up."""
    token = extract_token(text)
    if token is None:
        return TokenLookup(None, None, is_whole=False)
    try:
        verified = jws.verify(token, typ=jws.TYP_CREDENTIAL, keys=keys.all_public)
    except TokenRejected:
        return TokenLookup(None, None)
    if verified.kid not in keys.may_have_signed:
        return TokenLookup(None, None, signed_with_next_key=True)
    subject = verified.payload.get("credentialSubject")
    number = subject.get("number") if isinstance(subject, dict) else None
    return TokenLookup(verified, certificate_number.parse_number(number) if isinstance(number, str) else None)


def evaluate_token(
    lookup: TokenLookup, record: CertificateRecord | None, keys: KeyRing, now: datetime
) -> VerificationResult:
    """Evaluate a token. `record` is the record of the number that it names; `now` is aware.

    The content is compared by the hash of what was signed, never by the token's text: the same content may carry
    another signature.
    """
    if lookup.verified is None:
        return UNSIGNED if lookup.is_whole else UNREADABLE
    if record is None:
        key = keys.by_kid[lookup.verified.kid]
        if key.state is KeyState.COMPROMISED:  # anyone with the stolen key could have signed this
            return VerificationResult(
                Verdict.FORGED, (_SIGNATURE_VALID, _RECORD_MISSING, _check_compromised_key(key, None))
            )
        return VerificationResult(Verdict.UNKNOWN, (_SIGNATURE_VALID, _RECORD_MISSING))
    if lookup.verified.signed_hash != record.token_sha256:
        return VerificationResult(Verdict.FORGED, (_SIGNATURE_VALID, _RECORD_FOUND, _CONTENT_DIFFERENT))
    return evaluate_issued_token(record, keys, now)


def evaluate_issued_token(record: CertificateRecord, keys: KeyRing, now: datetime) -> VerificationResult:
    """Evaluate a token whose signature and content are those issued for this record."""
    return _evaluate_record(record, TOKEN_CHECKS, keys, now)


def _evaluate_record(
    record: CertificateRecord, done: tuple[Check, ...], keys: KeyRing, now: datetime
) -> VerificationResult:
    log = _check_log(record)
    key_state = _check_key_state(record, keys)
    validity = check_validity(record.valid_from, record.valid_until, now)
    status = _check_status(record)
    checks = (*done, log, key_state, validity, status)
    as_of = _last_change_at(record, keys, now)
    key, logged_at = keys.by_kid.get(record.kid), _logged_at(record)
    if not log.passed or logged_at is None or key is None or key.state is KeyState.NEXT:
        return VerificationResult(Verdict.FORGED, checks, as_of)
    verdict = verdict_of(record.status, record.valid_from, record.valid_until, now)
    if not key_state.passed and verdict not in FINAL_STATUSES:
        # Genuine, or made by whoever stole the key: nothing in it tells which.
        shown = record._replace(status=KEY_COMPROMISED, status_since=logged_at, status_reason=None)
        return VerificationResult(Verdict.KEY_COMPROMISED, checks, as_of, shown)
    return VerificationResult(verdict, checks, as_of, record)


def verdict_of(status: str, valid_from: date, valid_until: date, now: datetime) -> Verdict:
    """Return the verdict for a genuine certificate. `now` is aware.

    A final status takes precedence over the term, and an ended term over a suspension.
    """
    today = baku_day(now)
    if status in FINAL_STATUSES:
        return Verdict(status)
    if today > valid_until:
        return Verdict.EXPIRED
    if status != ACTIVE:
        return Verdict.SUSPENDED
    return Verdict.NOT_YET_VALID if today < valid_from else Verdict.VALID


def _check_log(record: CertificateRecord) -> Check:
    """Check the log entry: a row inserted without the service has none, or another hash."""
    if record.logged_at is None:
        return Check("log", False, "Its issue is not in the public log, in which everything that we issue is.")
    if record.logged_sha256 != record.token_sha256:
        return Check("log", False, "The public log has another content for this number.")
    anew = record.token_logged_at
    if anew is not None and anew != record.logged_at:
        since = f"{format_utc(record.logged_at)}; it was signed anew at {format_utc(anew)}"
        return Check("log", True, f"Its issue is in the public log since {since}.")
    return Check("log", True, f"Its issue is in the public log since {format_utc(record.logged_at)}.")


def _check_key_state(record: CertificateRecord, keys: KeyRing) -> Check:
    key = keys.by_kid.get(record.kid)
    if key is None or key.state is KeyState.NEXT:
        return Check("key_state", False, "The key named for this certificate has never signed for us.")
    if key.state is not KeyState.COMPROMISED:
        return _KEY_GOOD
    return _check_compromised_key(key, _logged_at(record), record.token_seq)


def _logged_at(record: CertificateRecord) -> datetime | None:
    """Return when this token was logged: with the issue, or when the certificate was signed anew."""
    return record.token_logged_at or record.logged_at


def _check_compromised_key(key: KeyRecord, logged_at: datetime | None, seq: int = -1) -> Check:
    """Check that the token was logged before the key was compromised.

    The date in a token proves nothing: anyone with the stolen key can write it.
    """
    was_before = logged_at is not None and key.was_trusted(seq, logged_at)
    when = "before" if was_before else "not before"
    detail = f"The signing key is compromised since {format_utc(key.since)}; this was logged {when} that."
    return Check("key_state", was_before, detail)


def check_validity(valid_from: date, valid_until: date, now: datetime) -> Check:
    """Check the term.

    The detail does not name the current day, so that the ETag changes only when the verdict may.
    """
    today = baku_day(now)
    term = f"from {valid_from} to {valid_until}, both days included (Asia/Baku)"
    if today > valid_until:
        return Check("validity", False, f"The term has ended: it ran {term}.")
    if today < valid_from:
        return Check("validity", False, f"The term has not begun: it runs {term}.")
    return Check("validity", True, f"The term runs {term}.")


def _check_status(record: CertificateRecord) -> Check:
    since = format_utc(record.status_since)
    return Check("status", record.status == ACTIVE, f"The certificate is {record.status} since {since}.")


def _last_change_at(record: CertificateRecord, keys: KeyRing, now: datetime) -> datetime | None:
    """Return the last moment at which anything changed that the verdict depends on; None where nothing is proven.

    Of the key only a compromise counts: its activation or retirement changes no answer.
    """
    if record.logged_at is None:
        return None
    moments = [record.logged_at, record.status_since, record.token_logged_at or record.logged_at]
    today = baku_day(now)
    if record.valid_from <= today:
        moments.append(day_start(record.valid_from))
    if record.valid_until < today:
        moments.append(day_end(record.valid_until))
    key = keys.by_kid.get(record.kid)
    if key is not None and key.state is KeyState.COMPROMISED:
        moments.append(key.since)
    return max(moments)


def next_change_at(record: CertificateRecord, now: datetime) -> datetime | None:
    """Return the next moment at which time alone changes the answer; None: never."""
    turns = [day_start(record.valid_from)]
    if record.valid_until < date.max:
        turns.append(day_start(record.valid_until + timedelta(days=1)))
    return min((moment for moment in turns if moment > now), default=None)
