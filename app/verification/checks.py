"""What a certificate is worth at a moment: every verdict, in its order, with the checks that led to it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from app import jws
from app.certificates import number as numbers
from app.certificates.credential import BAKU, first_second
from app.certificates.number import CertificateNumber
from app.jws import Refused, Verified
from app.keys import KeyState, KnownKey
from app.verification.record import CertificateRecord


class Verdict(StrEnum):
    """In the order in which they apply: the first that fits is the answer."""

    FORGED = "forged"
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
        Verdict.MISTYPED: "This is not a certificate number: a character is wrong or missing. Please compare and try again.",
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
FINAL_STATUSES: Mapping[str, Verdict] = MappingProxyType(
    {"revoked": Verdict.REVOKED, "surrendered": Verdict.SURRENDERED, "superseded": Verdict.SUPERSEDED}
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was really looked at. Names: form, signature, record, content, key_state, validity, status."""

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
    (Check("form", False, "The number does not have the form of a certificate number, or its check character is wrong."),),
)
_FORM = Check("form", True, "The number has the right form and its check character fits.")
_FOUND = Check("record", True, "The certificate is in our register.")
_MISSING = Check("record", False, "No certificate with this number is in our register.")
_SIGNED = Check("signature", True, "The signature was made with one of our keys.")
_UNSIGNED = Check("signature", False, "The text does not carry a right signature of ours in the one form that we issue.")
_SAME = Check("content", True, "Header and content are those that we issued for this number.")
_OTHER = Check("content", False, "We signed this text, but it is not the one that we issued for this number.")


def judge_number(record: CertificateRecord | None, keys: Mapping[str, KnownKey], now: datetime) -> Judgement:
    """The verdict on a well-formed number; `record` is what the register holds for it. `now` is aware."""
    if record is None:
        return Judgement(Verdict.UNKNOWN, (_FORM, _MISSING))
    return _judge_record(record, (_FORM, _FOUND), keys, now)


@dataclass(frozen=True, slots=True)
class TokenReading:
    """A token after the check of its signature; `number` is the one it names, None where it names none."""

    verified: Verified | None
    number: CertificateNumber | None


def read_token(token: str, keys: Mapping[str, KnownKey]) -> TokenReading:
    """Check the signature of a token, whatever text it is, and find the number to look up."""
    try:
        verified = jws.verify(token, typ=jws.CREDENTIAL, keys=_PublicKeys(keys))
    except Refused:
        return TokenReading(None, None)
    subject = verified.payload.get("credentialSubject")
    text = subject.get("number") if isinstance(subject, dict) else None
    return TokenReading(verified, numbers.parse(text) if isinstance(text, str) else None)


def judge_token(
    reading: TokenReading, record: CertificateRecord | None, keys: Mapping[str, KnownKey], now: datetime
) -> Judgement:
    """The verdict on a token; `record` is what the register holds for the number it names. `now` is aware.

    The content is compared by the hash of what was signed, never by the token's text: the same content may carry
    another signature.
    """
    if reading.verified is None:
        return Judgement(Verdict.FORGED, (_UNSIGNED,))
    if record is None:
        key = keys[reading.verified.kid]
        if key.state is KeyState.COMPROMISED:  # whoever holds the key could have written this
            return Judgement(Verdict.FORGED, (_SIGNED, _MISSING, _compromised(key)))
        return Judgement(Verdict.UNKNOWN, (_SIGNED, _MISSING))
    if reading.verified.signed_hash != record.token_sha256:
        return Judgement(Verdict.FORGED, (_SIGNED, _FOUND, _OTHER))
    return _judge_record(record, (_SIGNED, _FOUND, _SAME), keys, now)


class _PublicKeys(Mapping[str, jws.PublicKey]):
    ...


def _judge_record(
    record: CertificateRecord, done: tuple[Check, ...], keys: Mapping[str, KnownKey], now: datetime
) -> Judgement:
    ...
