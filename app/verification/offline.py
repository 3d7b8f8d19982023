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
from app.certificates.credential.reader import CertifiedFacts, CredentialUnreadable, parse_credential
from app.certificates.status_list import Purpose, StatusList, StatusListRejected
from app.core import strict_json
from app.core.crypto import jws
from app.core.crypto.jws import PublicKey, RejectionReason, TokenRejected, VerifiedToken
from app.core.dates import format_utc
from app.transparency.checkpoint import Proof, parse_proof, verify_proof
from app.transparency.log_entry import LogEvent
from app.transparency.signed_note import NoteRejected, Verifier
from app.verification.token_text import extract_token
from app.verification.verdict import ACTIVE, Check, Verdict, check_validity, verdict_of

MAX_CLOCK_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class OfflineSources:
    """What a bundle holds. `trusted` and `withdrawn` are keys by `kid`: the latter are described in the DID document
    and vouch for nothing. `list_of` gives a list's token by its address, `proof_of` a tlog-proof by a number; None
    where there is none. `made_at` is what the bundle says of itself, unsigned; aware."""

    issuer: str
    trusted: Mapping[str, PublicKey]
    withdrawn: Mapping[str, PublicKey]
    verifier: Verifier
    find_status_list: Callable[[str], str | None]
    find_proof: Callable[[str], str | None]
    made_at: datetime


@dataclass(frozen=True, slots=True)
class OfflineResult:
    """`verdict` is None where nothing can be said; `revoked` also stands for given back and replaced, which a list
    does not tell apart. `headline` says of what moment the verdict is."""

    verdict: Verdict | None
    headline: str
    checks: tuple[Check, ...]
    certified: CertifiedFacts | None = None


class _Undetermined(Exception):
    """Nothing can be said, and why."""

    def __init__(self, check: Check) -> None:
        self.check = check


def evaluate_offline(text: str, sources: OfflineSources, now: datetime) -> OfflineResult:
    """The answer on a token, whatever text it is, as far as the sources reach. `now` is aware."""
    aged = f"by keys bundled {format_age(now - sources.made_at)} ago"
    done: list[Check] = []
    token = extract_token(text)
    if token is None:
        return OfflineResult(
            Verdict.UNREADABLE, "unreadable", (Check("form", False, "This is not a whole certificate."),)
        )
    try:
        verified = jws.verify(token, typ=jws.TYP_CREDENTIAL, keys={**sources.trusted, **sources.withdrawn})
        done.append(Check("signature", True, "The signature was made with one of the issuer's keys."))
        certified = _parse_certified(verified, sources)
    except (TokenRejected, CredentialUnreadable, StatusListRejected) as why:
        if isinstance(why, TokenRejected) and why.reason is RejectionReason.KID:
            detail = "The bundle does not hold the key that it names: it cannot be checked without a network."
            return OfflineResult(
                None, f"cannot be checked without a network, {aged}", (Check("signature", False, detail),)
            )
        name = "content" if done else "signature"
        done.append(Check(name, False, f"This is not a certificate of {sources.issuer}: {why}"))
        return OfflineResult(Verdict.FORGED, f"forged, {aged}", tuple(done))
    try:
        done.append(_check_key(verified, sources))
        done.append(_check_log_proof(verified, certified, sources))
        done.append(check_validity(certified.valid_from, certified.valid_until, now))
        status, as_of, check = _check_status_lists(certified, sources, now)
    except _Undetermined as why:
        return OfflineResult(None, f"cannot be said, {aged}", (*done, why.check), certified)
    verdict = verdict_of(status, certified.valid_from, certified.valid_until, now)
    headline = f"{verdict.replace('_', ' ')} as of {format_utc(as_of)}, list {format_age(now - as_of)} old"
    return OfflineResult(verdict, headline, (*done, check), certified)


def format_age(passed: timedelta) -> str:
    """`5 h`, `3 d 4 h`, `12 min`; what is younger than a minute, or from a clock that is ahead, is `0 min`."""
    minutes = max(0, int(passed.total_seconds()) // 60)
    if minutes < 60:
        return f"{minutes} min"
    days, hours = divmod(minutes // 60, 24)
    if not days:
        return f"{hours} h"
    return f"{days} d {hours} h" if hours else f"{days} d"


def _parse_certified(verified: VerifiedToken, sources: OfflineSources) -> CertifiedFacts:
    if {"vc", "vp"} & verified.payload.keys():  # VC 1.1; VC-JOSE-COSE forbids it
        raise CredentialUnreadable("it is wrapped in a claim of an older standard")
    certified = parse_credential(verified.payload)
    if not certified.issuer == sources.issuer == verified.kid.partition("#")[0]:
        raise CredentialUnreadable("its issuer is another")
    return certified


def _check_key(verified: VerifiedToken, sources: OfflineSources) -> Check:
    if verified.kid not in sources.trusted:
        detail = "The key that signed it is compromised: only the register can tell what was issued before."
        raise _Undetermined(Check("key_state", False, detail))
    return Check("key_state", True, "The signing key is published.")


def _check_log_proof(verified: VerifiedToken, certified: CertifiedFacts, sources: OfflineSources) -> Check:
    text = sources.find_proof(certified.number)
    if text is None:
        detail = "The bundle has no proof of its issue: it may be newer than the bundle. Fetch a new one."
        raise _Undetermined(Check("log", False, detail))
    try:
        entry, proof = _parse_proof_with_entry(text)
        checkpoint = verify_proof(entry, proof, sources.verifier)
        said = strict_json.loads(entry)
    except (NoteRejected, ValueError) as why:
        raise _Undetermined(Check("log", False, f"The proof of its issue is refused: {why}")) from why
    expected = (LogEvent.CERTIFICATE_ISSUED.value, certified.number, verified.signed_hash, verified.kid)
    if tuple(said.get(name) for name in ("event", "certificate", "sha256", "key")) != expected:
        raise _Undetermined(Check("log", False, "The proof is of another entry than the issue of this certificate."))
    return Check("log", True, f"Its issue is entry {proof.index} of the public log of {checkpoint.size} entries.")


def _parse_proof_with_entry(text: str) -> tuple[bytes, Proof]:
    """The entry that a proof is about travels in its `extra` line."""
    lines = text.split("\n", 2)
    if len(lines) < 3 or not lines[1].startswith("extra "):
        raise NoteRejected("It does not hold the entry.")
    try:
        return base64.b64decode(lines[1].removeprefix("extra "), validate=True), parse_proof(text)
    except binascii.Error:
        raise NoteRejected("Its entry is not in base64.") from None


def _check_status_lists(
    certified: CertifiedFacts, sources: OfflineSources, now: datetime
) -> tuple[str, datetime, Check]:
    """Status by the lists, the older of the moments in which they were signed, and what to say of it."""
    found, as_of = {}, []
    for purpose, (url, index) in certified.status_entries.items():
        try:
            listed = _load_status_list(url, purpose, certified, sources, now)
            found[purpose] = status_list.is_set(listed.bits, index)
        except (TokenRejected, StatusListRejected) as why:
            raise _Undetermined(Check("status", False, f"The list for {purpose} cannot be relied on: {why}")) from why
        as_of.append(listed.valid_from)
    status = "revoked" if found[Purpose.REVOCATION] else "suspended" if found[Purpose.SUSPENSION] else ACTIVE
    said = {"revoked": "revoked, given back or replaced", "suspended": "suspended"}.get(
        status, "neither revoked nor suspended"
    )
    detail = f"By the lists signed at {format_utc(min(as_of))} it is {said}."
    return status, min(as_of), Check("status", status == ACTIVE, detail)


def _load_status_list(
    url: str, purpose: Purpose, certified: CertifiedFacts, sources: OfflineSources, now: datetime
) -> StatusList:
    token = sources.find_status_list(url)
    if token is None:
        raise _Undetermined(Check("status", False, f"The bundle has no list for {purpose} at {url}. Fetch a new one."))
    verified = jws.verify(token, typ=jws.TYP_CREDENTIAL, keys=sources.trusted)
    listed = status_list.parse_status_list_credential(verified.payload)
    whose = verified.kid.partition("#")[0]
    if (listed.url, listed.purpose, listed.issuer, whose) != (url, purpose, certified.issuer, certified.issuer):
        raise _Undetermined(Check("status", False, f"The list for {purpose} is another list, or of another issuer."))
    if listed.valid_from > now + MAX_CLOCK_SKEW:
        detail = (
            f"The list for {purpose} is from {format_utc(listed.valid_from)}, which is to come: look at your clock."
        )
        raise _Undetermined(Check("status", False, detail))
    if now > listed.valid_until:
        detail = (
            f"The list for {purpose} is {format_age(now - listed.valid_from)} old and was good until "
            f"{format_utc(listed.valid_until)}. Fetch a new bundle."
        )
        raise _Undetermined(Check("status", False, detail))
    return listed
