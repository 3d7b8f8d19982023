"""Define the static files of answers: one for each number, and signed ranges by which a reader verifies them. Pure.

The file of a number holds the bytes of the online answer. The file of a range, a JWS under the key that signs
certificates, holds the hash of each answer of up to a hundred numbers, the checkpoint of the log that they follow from,
and the moment until which they are good. So a file that was changed, left behind or swapped is refused.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from app.certificates import certificate_number
from app.core.crypto import jws
from app.core.crypto.jws import PublicKey, TokenRejected
from app.core.crypto.signer import Signer
from app.core.dates import format_age, format_utc
from app.core.errors import MikError
from app.transparency.checkpoint import verify_checkpoint
from app.transparency.signed_note import NoteRejected, Verifier
from app.verification.response import verdict_in
from app.verification.verdict import Verdict

VERSION: Final = 1
LIFETIME: Final = timedelta(days=1)
"""How long a signed range is good at most: for so long somebody could show an older one instead of the newest."""
RESIGN_AFTER: Final = LIFETIME / 2
MAX_CLOCK_SKEW: Final = timedelta(minutes=5)
RANGE_SIZE: Final = 100
JWKS, DID, CHECKPOINT, VKEY = ".well-known/jwks.json", ".well-known/did.json", "log/checkpoint", "log/vkey"
_HASH = re.compile(r"[0-9a-f]{64}")
_MEMBERS = frozenset({"v", "iss", "range", "issued_at", "good_until", "checkpoint", "answers"})


class RangeRejected(MikError):
    """A file of a range that must not be signed or relied on, or an answer that is not the one it names."""

    code = "range-refused"


class StaticAnswer(NamedTuple):
    """The answer to a number. `log_seq`: last log entry it follows from; `good_until`: when time alone changes it."""

    number: str
    body: bytes
    log_seq: int
    good_until: datetime | None


class ListedAnswer(NamedTuple):
    """What a range says of an answer; `sha256` of its body in lower-case hex."""

    sha256: str
    verdict: str
    log_seq: int


@dataclass(frozen=True, slots=True)
class AnswerRange:
    """A parsed range. Moments are aware; `checkpoint` is a signed note."""

    name: str
    issuer: str
    kid: str
    issued_at: datetime
    good_until: datetime
    checkpoint: str
    answers: Mapping[str, ListedAnswer]


def range_of(number: str) -> str:
    """Return the name of the range of a number: without its last two digits and check character."""
    return number.rpartition("-")[0][:-2]


def answer_path(number: str) -> str:
    return f"v1/verify/{number}"


def range_path(name: str) -> str:
    return f"v1/ranges/{name}"


def status_list_path(name: str) -> str:
    return f"v1/status-lists/{name}"


def list_answers(answers: Sequence[StaticAnswer]) -> dict[str, ListedAnswer]:
    """Return what a range says of these answers, by number."""
    return {
        each.number: ListedAnswer(hashlib.sha256(each.body).hexdigest(), verdict_in(each.body).value, each.log_seq)
        for each in sorted(answers)
    }


class LintedRange:
    """A payload that passed `lint_range`, as the bytes to sign. Only `lint_range` creates instances."""

    __slots__ = ("issuer", "name", "payload")

    def __init__(self, payload: bytes, name: str, issuer: str, *, token: object) -> None:
        if token is not _TOKEN:
            raise TypeError("a LintedRange comes from lint_range() only")
        self.payload, self.name, self.issuer = payload, name, issuer


_TOKEN: Final = object()


def build_range(
    name: str, issuer: str, checkpoint: str, answers: Sequence[StaticAnswer], now: datetime
) -> dict[str, Any]:
    """Build the payload of a range. It is good until the first of its answers changes, and at most `LIFETIME`."""
    ends = [each.good_until for each in answers if each.good_until is not None]
    return {
        "v": VERSION,
        "iss": issuer,
        "range": name,
        "issued_at": format_utc(now),
        "good_until": format_utc(min([now + LIFETIME, *ends])),
        "checkpoint": checkpoint,
        "answers": {number: listed._asdict() for number, listed in list_answers(answers).items()},
    }


def lint_range(payload: Mapping[str, Any], answers: Sequence[StaticAnswer], log: Verifier) -> LintedRange:
    """Check a payload against the answers that it is for, and freeze it. Raises `RangeRejected`."""
    found = _parse(payload, kid=f"{payload['iss']}#")
    if found.answers != list_answers(answers):
        raise RangeRejected("The range does not name the answers that it is for.")
    if any(each.good_until is not None and each.good_until < found.good_until for each in answers):
        raise RangeRejected("The range would be good for longer than one of its answers.")
    for each in answers:
        shown = json.loads(each.body)["certificate"]
        if shown is not None and shown["number"] != each.number:
            raise RangeRejected(f"The answer to {each.number} shows another certificate.")
    _require_covered(found, log)
    return LintedRange(jws.dump_json(payload), found.name, found.issuer, token=_TOKEN)


def sign_range(signer: Signer, linted: LintedRange) -> str:
    """Sign a range as a compact JWS, and verify it with the published key. Raises `RangeRejected`."""
    if not isinstance(linted, LintedRange):
        raise TypeError("only what the linter returned is signed")
    token = signer.sign(linted.payload, typ=jws.TYP_ANSWER_RANGE)
    read_range(token, linted.name, {signer.kid: signer.public})
    return token


def read_range(token: str, name: str, keys: Mapping[str, PublicKey]) -> AnswerRange:
    """Return the range of this name, if one of the keys signed it. Its age is not checked. Raises `RangeRejected`."""
    try:
        verified = jws.verify(token, typ=jws.TYP_ANSWER_RANGE, keys=keys)
    except TokenRejected as error:
        raise RangeRejected(f"The signature of the range is refused: {error.message}") from error
    found = _parse(verified.payload, kid=verified.kid)
    if found.name != name:
        raise RangeRejected(f"This is the range {found.name}, and not {name}.")
    return found


def verify_answer(
    number: str,
    body: bytes,
    token: str,
    keys: Mapping[str, PublicKey],
    now: datetime,
    log: Verifier | None = None,
    max_age: timedelta | None = None,
) -> tuple[Verdict, AnswerRange]:
    """Return the verdict that the file of a number gives, with the range that proves it. `now` is aware.

    `keys` are the issuer's, from a source that the reader trusts. With the key of its `log`, the checkpoint is verified
    too. Raises `RangeRejected` where nothing can be relied on.
    """
    found = read_range(token, range_of(number), keys)
    age = now - found.issued_at
    if age < -MAX_CLOCK_SKEW:
        raise RangeRejected(f"The range is from {format_utc(found.issued_at)}, in the future: check your clock.")
    if now >= found.good_until:
        raise RangeRejected(f"The range was good until {format_utc(found.good_until)}. Fetch it again.")
    if max_age is not None and age > max_age:
        raise RangeRejected(f"The range is {format_age(age)} old. Fetch it again.")
    if log is not None:
        _require_covered(found, log)
    listed = found.answers.get(number)
    if listed is None:
        raise RangeRejected("The range names no certificate with this number.")
    if listed.sha256 != hashlib.sha256(body).hexdigest():
        raise RangeRejected("The file of the number is not the one that the range names. Fetch both again.")
    return Verdict(listed.verdict), found


def _require_covered(found: AnswerRange, log: Verifier) -> None:
    """Require that the log signed the checkpoint, and that it covers every entry that the answers follow from."""
    try:
        size = verify_checkpoint(found.checkpoint, log).size
    except NoteRejected as error:
        raise RangeRejected(f"The checkpoint of the range is refused: {error}") from error
    if any(each.log_seq >= size for each in found.answers.values()):
        raise RangeRejected("The checkpoint of the range is older than one of its answers.")


def _parse(payload: Mapping[str, Any], kid: str) -> AnswerRange:
    """Parse a payload that names the owner of the key `kid` as its issuer. Raises `RangeRejected`."""
    try:
        answers = {number: ListedAnswer(**listed) for number, listed in payload["answers"].items()}
        found = AnswerRange(
            name=payload["range"],
            issuer=payload["iss"],
            kid=kid,
            issued_at=datetime.fromisoformat(payload["issued_at"]),
            good_until=datetime.fromisoformat(payload["good_until"]),
            checkpoint=payload["checkpoint"],
            answers=answers,
        )
        is_sound = (
            payload.keys() == _MEMBERS
            and payload["v"] == VERSION
            and found.issuer == kid.partition("#")[0]
            and isinstance(found.checkpoint, str)
            and [format_utc(each) for each in (found.issued_at, found.good_until)]
            == [payload["issued_at"], payload["good_until"]]
            and timedelta(0) < found.good_until - found.issued_at <= LIFETIME
            and all(_is_sound(number, listed, found.name) for number, listed in answers.items())
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RangeRejected("The range does not have the members of a range.") from error
    if not is_sound:
        raise RangeRejected("The range contradicts itself.")
    return found


def _is_sound(number: str, listed: ListedAnswer, name: str) -> bool:
    return (
        certificate_number.to_display_form(number) == number
        and range_of(number) == name
        and _HASH.fullmatch(listed.sha256) is not None
        and listed.verdict in set(Verdict)
        and type(listed.log_seq) is int
        and listed.log_seq >= 0
    )
