"""What a certificate is worth at a moment: every verdict, in its order, with the checks that led to it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from app.certificates import certificate_number
from app.certificates.certificate_number import CertificateNumber
from app.certificates.read_model.record import CertificateRecord
from app.core.crypto import jws
from app.core.crypto.jws import Refused, Signed, Verified
from app.core.crypto.keyring import KeyRing, KeyState, KnownKey
from app.core.dates import baku_day, day_end, day_start, format_utc
from app.verification.token_text import whole


class Verdict(StrEnum):
    """In the order in which they apply: the first that fits is the answer."""

    FORGED = "forged"
    UNREADABLE = "unreadable"
    MISTYPED = "mistyped"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    SURRENDERED = "surrendered"
    SUPERSEDED = "superseded"
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
        Verdict.SURRENDERED: "This certificate was given back by its holder. It must no longer be used.",
        Verdict.SUPERSEDED: "This certificate was replaced by a newer one. Ask the holder for the new number.",
        Verdict.EXPIRED: "This certificate is genuine, but its term has ended.",
        Verdict.SUSPENDED: "This certificate is genuine, but suspended: at present it must not be used.",
        Verdict.NOT_YET_VALID: "This certificate is genuine, but its term has not begun.",
        Verdict.VALID: "This certificate is genuine and valid.",
    }
)
ACTIVE = "active"
FINAL_STATUSES: Mapping[str, Verdict] = MappingProxyType(
    {"revoked": Verdict.REVOKED, "surrendered": Verdict.SURRENDERED, "superseded": Verdict.SUPERSEDED}
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was really looked at: form, signature, record, content, log, key_state, validity, status."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and its grounds. `record` is None where no certificate may be shown; `as_of` where none was found."""

    verdict: Verdict
    checks: tuple[Check, ...]
    as_of: datetime | None = None
    record: CertificateRecord | None = None

    @property
    def message(self) -> str:
        return MESSAGES[self.verdict]


MISTYPED = Judgement(
    Verdict.MISTYPED,
    (
        Check(
            "form", False, "The number has not the form of a certificate number, or its check character does not fit."
        ),
    ),
)
_FORM = Check("form", True, "The number has the right form and its check character fits.")
_FOUND = Check("record", True, "The certificate is in our register.")
_MISSING = Check("record", False, "No certificate with this number is in our register.")
UNKNOWN = Judgement(Verdict.UNKNOWN, (_FORM, _MISSING))
"""On a well-formed number."""
_SIGNED = Check("signature", True, "The signature was made with one of our keys.")
_UNSIGNED = Check(
    "signature", False, "The text does not carry a right signature of ours in the one form that we issue."
)
UNSIGNED = Judgement(Verdict.FORGED, (_UNSIGNED,))
"""On a token that none of our keys signed."""
UNREADABLE = Judgement(Verdict.UNREADABLE, ())
"""On what is no whole token: nothing was checked."""
_SAME = Check("content", True, "Header and content are those that we issued for this number.")
_OTHER = Check("content", False, "We signed this text, but it is not the one that we issued for this number.")


def judge_number(record: CertificateRecord | None, keys: KeyRing, now: datetime) -> Judgement:
    """The verdict on a well-formed number; `record` is what the register holds for it. `now` is aware."""
    if record is None:
        return UNKNOWN
    return _judge_record(record, (_FORM, _FOUND), keys, now)


def read_signature(text: str, keys: KeyRing) -> Signed | Judgement:
    """Check the signature of a token, whatever text it is, by all keys, also those that do not sign yet.

    The verdict where none of them signed it.
    """
    token = whole(text)
    if token is None:
        return UNREADABLE
    try:
        return jws.verify_signature(token, typ=jws.CREDENTIAL, keys=keys.every)
    except Refused:
        return UNSIGNED


@dataclass(frozen=True, slots=True)
class TokenReading:
    """A token after the check of its signature; `number` is the one it names, None where it names none."""

    verified: Verified | None
    number: CertificateNumber | None
    is_early: bool = False  # signed with a key that, as far as these keys tell, does not sign yet
    is_whole: bool = True


def read_token(text: str, keys: KeyRing) -> TokenReading:
    """Check the signature of a token, whatever text it is, and find the number to look up."""
    token = whole(text)
    if token is None:
        return TokenReading(None, None, is_whole=False)
    try:
        verified = jws.verify(token, typ=jws.CREDENTIAL, keys=keys.every)
    except Refused:
        return TokenReading(None, None)
    if verified.kid not in keys.signing:
        return TokenReading(None, None, is_early=True)
    subject = verified.payload.get("credentialSubject")
    number = subject.get("number") if isinstance(subject, dict) else None
    return TokenReading(verified, certificate_number.parse(number) if isinstance(number, str) else None)


def judge_token(reading: TokenReading, record: CertificateRecord | None, keys: KeyRing, now: datetime) -> Judgement:
    """The verdict on a token; `record` is what the register holds for the number it names. `now` is aware.

    The content is compared by the hash of what was signed, never by the token's text: the same content may carry
    another signature.
    """
    if reading.verified is None:
        return UNSIGNED if reading.is_whole else UNREADABLE
    if record is None:
        key = keys.known[reading.verified.kid]
        if key.state is KeyState.COMPROMISED:  # whoever holds the key could have written this
            return Judgement(Verdict.FORGED, (_SIGNED, _MISSING, _compromised(key, None)))
        return Judgement(Verdict.UNKNOWN, (_SIGNED, _MISSING))
    if reading.verified.signed_hash != record.token_sha256:
        return Judgement(Verdict.FORGED, (_SIGNED, _FOUND, _OTHER))
    return judge_issued_token(record, keys, now)


def judge_issued_token(record: CertificateRecord, keys: KeyRing, now: datetime) -> Judgement:
    """The verdict on a token whose signature and content are those that were issued for this record."""
    return _judge_record(record, (_SIGNED, _FOUND, _SAME), keys, now)


def _judge_record(record: CertificateRecord, done: tuple[Check, ...], keys: KeyRing, now: datetime) -> Judgement:
    log = _log(record)
    key_state = _key_state(record, keys)
    validity = validity_of(record.valid_from, record.valid_until, now)
    status = _status(record)
    checks = (*done, log, key_state, validity, status)
    as_of = _as_of(record, keys, now)
    if not (log.passed and key_state.passed):
        return Judgement(Verdict.FORGED, checks, as_of)
    verdict = verdict_of(record.status, record.valid_from, record.valid_until, now)
    return Judgement(verdict, checks, as_of, record)


def verdict_of(status: str, valid_from: date, valid_until: date, now: datetime) -> Verdict:
    """The verdict on what is genuine: status before term, but an ended term before a suspension. `now` is aware."""
    today = baku_day(now)
    if status in FINAL_STATUSES:
        return FINAL_STATUSES[status]
    if today > valid_until:
        return Verdict.EXPIRED
    if status != ACTIVE:
        return Verdict.SUSPENDED
    return Verdict.NOT_YET_VALID if today < valid_from else Verdict.VALID


def _log(record: CertificateRecord) -> Check:
    """A row that somebody put into the register past the service is not in the log, or not as it is."""
    if record.logged_at is None:
        return Check("log", False, "Its issue is not in the public log, in which everything that we issue is.")
    if record.logged_sha256 != record.token_sha256:
        return Check("log", False, "The public log has another content for this number.")
    return Check("log", True, f"Its issue is in the public log since {format_utc(record.logged_at)}.")


def _key_state(record: CertificateRecord, keys: KeyRing) -> Check:
    key = keys.known.get(record.kid)
    if key is None or key.state is KeyState.NEXT:
        return Check("key_state", False, "The key named for this certificate has never signed for us.")
    if key.state is not KeyState.COMPROMISED:
        return Check("key_state", True, f"The signing key is {key.state}.")
    return _compromised(key, record.logged_at)


def _compromised(key: KnownKey, logged_at: datetime | None) -> Check:
    """Good is only what the public log had before: the date in a text is written by whoever holds the key."""
    was_before = logged_at is not None and logged_at < key.since
    when = "before" if was_before else "not before"
    detail = f"The signing key is compromised since {format_utc(key.since)}; this was logged {when} that."
    return Check("key_state", was_before, detail)


def validity_of(valid_from: date, valid_until: date, now: datetime) -> Check:
    """The detail names no day of asking: the answer, and with it the ETag, changes only when the verdict may."""
    today = baku_day(now)
    term = f"from {valid_from} to {valid_until}, both days included (Asia/Baku)"
    if today > valid_until:
        return Check("validity", False, f"The term has ended: it ran {term}.")
    if today < valid_from:
        return Check("validity", False, f"The term has not begun: it runs {term}.")
    return Check("validity", True, f"The term runs {term}.")


def _status(record: CertificateRecord) -> Check:
    since = format_utc(record.status_since)
    return Check("status", record.status == ACTIVE, f"The certificate is {record.status} since {since}.")


def _as_of(record: CertificateRecord, keys: KeyRing, now: datetime) -> datetime:
    """The last moment at which something changed that this verdict rests on."""
    moments = [record.issued_at, record.status_since]
    dates = (day_start(record.valid_from), day_end(record.valid_until))
    moments += [moment for moment in dates if moment < now]
    if (key := keys.known.get(record.kid)) is not None:
        moments.append(key.since)
    return max(moments)
