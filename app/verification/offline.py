"""What a certificate is worth by what was carried along: no register, no network. Pure.

Never a bare “valid”: what was valid when the lists were signed may be revoked since, so every answer says of what
moment it is and how old its sources are. Where a source is missing, too old or not to be trusted, the answer is that
nothing can be said (`verdict` None), never that all is well.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.certificates import status_list
from app.certificates.credential.reader import Certified, Unreadable, read
from app.certificates.status_list import ListRefused, Purpose, StatusList
from app.core import strict_json
from app.core.crypto import jws
from app.core.crypto.jws import PublicKey, Reason, Refused, Verified
from app.core.dates import format_utc
from app.transparency.checkpoint import Proof, prove, read_proof
from app.transparency.log_entry import LogEvent
from app.transparency.signed_note import NoteRefused, Verifier
from app.verification.token_text import whole
from app.verification.verdict import ACTIVE, Check, Verdict, validity_of, verdict_of

CLOCKS_DIFFER: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Sources:
    """What a bundle holds. `trusted` and `withdrawn` are keys by `kid`: the latter are described in the DID document
    and vouch for nothing. `list_of` gives a list's token by its address, `proof_of` a tlog-proof by a number; None
    where there is none. `made_at` is what the bundle says of itself, unsigned; aware."""

    issuer: str
    trusted: Mapping[str, PublicKey]
    withdrawn: Mapping[str, PublicKey]
    verifier: Verifier
    list_of: Callable[[str], str | None]
    proof_of: Callable[[str], str | None]
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """`verdict` is None where nothing can be said; `revoked` also stands for given back and replaced, which a list
    does not tell apart. `headline` says of what moment the verdict is."""

    verdict: Verdict | None
    headline: str
    checks: tuple[Check, ...]
    certified: Certified | None = None


class _Undecided(Exception):
    """Nothing can be said, and why."""

    def __init__(self, check: Check) -> None:
        self.check = check


def judge(text: str, sources: Sources, now: datetime) -> Answer:
    """The answer on a token, whatever text it is, as far as the sources reach. `now` is aware."""
    aged = f"by keys bundled {age(now - sources.made_at)} ago"
    done: list[Check] = []
    token = whole(text)
    if token is None:
        return Answer(Verdict.UNREADABLE, "unreadable", (Check("form", False, "This is not a whole certificate."),))
    try:
        verified = jws.verify(token, typ=jws.CREDENTIAL, keys={**sources.trusted, **sources.withdrawn})
        done.append(Check("signature", True, "The signature was made with one of the issuer's keys."))
        certified = _certified(verified, sources)
    except (Refused, Unreadable, ListRefused) as why:
        if isinstance(why, Refused) and why.reason is Reason.KID:
            detail = "The bundle does not hold the key that it names: it cannot be checked without a network."
            return Answer(None, f"cannot be checked without a network, {aged}", (Check("signature", False, detail),))
        name = "content" if done else "signature"
        done.append(Check(name, False, f"This is not a certificate of {sources.issuer}: {why}"))
        return Answer(Verdict.FORGED, f"forged, {aged}", tuple(done))
    try:
        done.append(_key(verified, sources))
        done.append(_logged(verified, certified, sources))
        done.append(validity_of(certified.valid_from, certified.valid_until, now))
        status, as_of, check = _status(certified, sources, now)
    except _Undecided as why:
        return Answer(None, f"cannot be said, {aged}", (*done, why.check), certified)
    verdict = verdict_of(status, certified.valid_from, certified.valid_until, now)
    headline = f"{verdict.replace('_', ' ')} as of {format_utc(as_of)}, list {age(now - as_of)} old"
    return Answer(verdict, headline, (*done, check), certified)


def age(passed: timedelta) -> str:
    """`5 h`, `3 d 4 h`, `12 min`; what is younger than a minute, or from a clock that is ahead, is `0 min`."""
    minutes = max(0, int(passed.total_seconds()) // 60)
    if minutes < 60:
        return f"{minutes} min"
    days, hours = divmod(minutes // 60, 24)
    if not days:
        return f"{hours} h"
    return f"{days} d {hours} h" if hours else f"{days} d"


def _certified(verified: Verified, sources: Sources) -> Certified:
    if {"vc", "vp"} & verified.payload.keys():  # VC 1.1; VC-JOSE-COSE forbids it
        raise Unreadable("it is wrapped in a claim of an older standard")
    certified = read(verified.payload)
    if not certified.issuer == sources.issuer == verified.kid.partition("#")[0]:
        raise Unreadable("its issuer is another")
    return certified


def _key(verified: Verified, sources: Sources) -> Check:
    if verified.kid not in sources.trusted:
        detail = "The key that signed it is compromised: only the register can tell what was issued before."
        raise _Undecided(Check("key_state", False, detail))
    return Check("key_state", True, "The signing key is published.")


def _logged(verified: Verified, certified: Certified, sources: Sources) -> Check:
    text = sources.proof_of(certified.number)
    if text is None:
        detail = "The bundle has no proof of its issue: it may be newer than the bundle. Fetch a new one."
        raise _Undecided(Check("log", False, detail))
    try:
        entry, proof = _with_entry(text)
        checkpoint = prove(entry, proof, sources.verifier)
        said = strict_json.loads(entry)
    except (NoteRefused, ValueError) as why:
        raise _Undecided(Check("log", False, f"The proof of its issue is refused: {why}")) from why
    expected = (LogEvent.CERTIFICATE_ISSUED.value, certified.number, verified.signed_hash, verified.kid)
    if tuple(said.get(name) for name in ("event", "certificate", "sha256", "key")) != expected:
        raise _Undecided(Check("log", False, "The proof is of another entry than the issue of this certificate."))
    return Check("log", True, f"Its issue is entry {proof.index} of the public log of {checkpoint.size} entries.")


def _with_entry(text: str) -> tuple[bytes, Proof]:
    """The entry that a proof is about travels in its `extra` line."""
    lines = text.split("\n", 2)
    if len(lines) < 3 or not lines[1].startswith("extra "):
        raise NoteRefused("It does not hold the entry.")
    try:
        return base64.b64decode(lines[1].removeprefix("extra "), validate=True), read_proof(text)
    except binascii.Error:
        raise NoteRefused("Its entry is not in base64.") from None


def _status(certified: Certified, sources: Sources, now: datetime) -> tuple[str, datetime, Check]:
    """Status by the lists, the older of the moments in which they were signed, and what to say of it."""
    found, as_of = {}, []
    for purpose, (url, index) in certified.places.items():
        try:
            listed = _list(url, purpose, certified, sources, now)
            found[purpose] = status_list.is_set(listed.bits, index)
        except (Refused, ListRefused) as why:
            raise _Undecided(Check("status", False, f"The list for {purpose} cannot be relied on: {why}")) from why
        as_of.append(listed.valid_from)
    status = "revoked" if found[Purpose.REVOCATION] else "suspended" if found[Purpose.SUSPENSION] else ACTIVE
    said = {"revoked": "revoked, given back or replaced", "suspended": "suspended"}.get(
        status, "neither revoked nor suspended"
    )
    detail = f"By the lists signed at {format_utc(min(as_of))} it is {said}."
    return status, min(as_of), Check("status", status == ACTIVE, detail)


def _list(url: str, purpose: Purpose, certified: Certified, sources: Sources, now: datetime) -> StatusList:
    token = sources.list_of(url)
    if token is None:
        raise _Undecided(Check("status", False, f"The bundle has no list for {purpose} at {url}. Fetch a new one."))
    verified = jws.verify(token, typ=jws.CREDENTIAL, keys=sources.trusted)
    listed = status_list.read(verified.payload)
    whose = verified.kid.partition("#")[0]
    if (listed.url, listed.purpose, listed.issuer, whose) != (url, purpose, certified.issuer, certified.issuer):
        raise _Undecided(Check("status", False, f"The list for {purpose} is another list, or of another issuer."))
    if listed.valid_from > now + CLOCKS_DIFFER:
        detail = (
            f"The list for {purpose} is from {format_utc(listed.valid_from)}, which is to come: look at your clock."
        )
        raise _Undecided(Check("status", False, detail))
    if now > listed.valid_until:
        detail = (
            f"The list for {purpose} is {age(now - listed.valid_from)} old and was good until "
            f"{format_utc(listed.valid_until)}. Fetch a new bundle."
        )
        raise _Undecided(Check("status", False, detail))
    return listed
