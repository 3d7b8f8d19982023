"""Verify a certificate with the files of a bundle only: no database, no network. Pure.

The headline is never a bare “valid”: a certificate that was valid when the lists were signed may be revoked since, so
every result names the moment it refers to and the age of its sources. Where a source is missing, too old or not
trusted, the verdict is None (cannot be determined).
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from app.certificates import status_list
from app.certificates.credential.reader import CertifiedFacts, CredentialUnreadable, parse_credential
from app.certificates.status_list import Purpose, StatusList, StatusListRejected
from app.core import strict_json
from app.core.crypto import jws
from app.core.crypto.jws import PublicKey, RejectionReason, TokenRejected, VerifiedToken
from app.core.crypto.keyring import KeyRecord
from app.core.dates import format_age, format_utc
from app.transparency.checkpoint import Proof, parse_proof, verify_proof
from app.transparency.log_entry import Entry, LogEvent, parse_entry
from app.transparency.logged_status import FINAL_STATUSES, status_after
from app.transparency.signed_note import NoteRejected, Verifier
from app.transparency.witness_policy import WitnessJudgement
from app.verification.token_text import extract_token
from app.verification.verdict import (
    ACTIVE,
    Check,
    Verdict,
    check_validity,
    verdict_of,
)

MAX_CLOCK_SKEW: Final = timedelta(minutes=5)
_TOKEN_EVENTS: Final = frozenset({LogEvent.CERTIFICATE_ISSUED.value, LogEvent.CERTIFICATE_REISSUED.value})


@dataclass(frozen=True, slots=True)
class OfflineSources:
    """Keys, status lists and proofs of a bundle.

    `trusted` and `withdrawn` are keys by `kid`; withdrawn keys are described in the DID document but no longer trusted.
    `find_status_list` returns the token of a list by its address, `find_proof` the tlog-proof of a token by certificate
    number and hash; None where the bundle has none. `made_at` is aware and not signed.

    `checkpoint_at` is the moment of the last entry that the checkpoint contains. `compromised` has the withdrawn keys
    of which the log says since when, and where it first said so. `status_entries` are the proven changes of one number
    with their indexes. `judge_witnesses` is called with number, moment of the issue and now; None without a policy.
    """

    issuer: str
    trusted: Mapping[str, PublicKey]
    withdrawn: Mapping[str, PublicKey]
    verifier: Verifier
    find_status_list: Callable[[str], str | None]
    find_proof: Callable[[str, str], str | None]
    made_at: datetime
    checkpoint_at: datetime | None = None
    compromised: Mapping[str, KeyRecord] = field(default_factory=dict)
    status_entries: Callable[[str], tuple[tuple[int, Entry], ...]] = lambda _number: ()
    judge_witnesses: Callable[[str, datetime, datetime], WitnessJudgement] | None = None


@dataclass(frozen=True, slots=True)
class OfflineResult:
    """Verdict of an offline verification, with its checks.

    `verdict` is None where it cannot be determined. `revoked` also covers surrendered and superseded, which a status
    list does not distinguish. `headline` names the moment that the verdict refers to.
    """

    verdict: Verdict | None
    headline: str
    checks: tuple[Check, ...]
    certified: CertifiedFacts | None = None


class _Undetermined(Exception):
    """The verdict cannot be determined; `check` has the reason."""

    def __init__(self, check: Check) -> None:
        self.check = check


class _NeverLogged(_Undetermined):
    """A compromised key signed it, and the log does not contain it: after the compromise the service signs nothing."""


def evaluate_offline(
    text: str, sources: OfflineSources, now: datetime, max_age: timedelta | None = None
) -> OfflineResult:
    """Evaluate a token, whatever text it is, with the given sources. `now` is aware.

    A checkpoint older than `max_age` determines nothing.
    """
    age_text = f"by keys bundled {format_age(now - sources.made_at)} ago"
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
    except (TokenRejected, CredentialUnreadable, StatusListRejected) as error:
        if isinstance(error, TokenRejected) and error.reason is RejectionReason.KID:
            detail = "The bundle does not contain the key that it names: it cannot be checked without a network."
            return OfflineResult(
                None, f"cannot be checked without a network, {age_text}", (Check("signature", False, detail),)
            )
        name = "content" if done else "signature"
        done.append(Check(name, False, f"This is not a certificate of {sources.issuer}: {error}"))
        return OfflineResult(Verdict.FORGED, f"forged, {age_text}", tuple(done))
    try:
        _require_key(verified, sources)
        log, seq, issued_at = _check_log_proof(verified, certified, sources)
        key = _check_key(verified, sources, seq, issued_at)
        done += [key, log, *_check_log_age(sources, now, max_age)]
        done += _check_witnesses(certified, sources, issued_at, now)
        done.append(check_validity(certified.valid_from, certified.valid_until, now))
        status, as_of, check = _check_status_lists(certified, sources, now)
        entries = sources.status_entries(certified.number)
        status, check = _apply_log(status, check, [entry for _, entry in entries])
        status, check = _apply_reissue(status, check, seq, entries, sources)
    except _NeverLogged as error:
        return OfflineResult(Verdict.FORGED, f"forged, {age_text}", (*done, error.check))
    except _Undetermined as error:
        return OfflineResult(None, f"undetermined, {age_text}", (*done, error.check), certified)
    verdict = verdict_of(status, certified.valid_from, certified.valid_until, now)
    if not key.passed and verdict not in FINAL_STATUSES:
        verdict = Verdict.KEY_COMPROMISED
    headline = f"{verdict.replace('_', ' ')} as of {format_utc(as_of)}, list {format_age(now - as_of)} old"
    if sources.checkpoint_at is not None:
        headline += f", log {format_age(now - sources.checkpoint_at)} old"
    return OfflineResult(verdict, headline, (*done, check), certified)


def _parse_certified(verified: VerifiedToken, sources: OfflineSources) -> CertifiedFacts:
    if {"vc", "vp"} & verified.payload.keys():  # VC 1.1; VC-JOSE-COSE forbids it
        raise CredentialUnreadable("it is wrapped in a claim of an older standard")
    certified = parse_credential(verified.payload)
    if not certified.issuer == sources.issuer == verified.kid.partition("#")[0]:
        raise CredentialUnreadable("its issuer is another")
    return certified


def _require_key(verified: VerifiedToken, sources: OfflineSources) -> None:
    if verified.kid not in sources.trusted and verified.kid not in sources.compromised:
        detail = "The key that signed it is compromised: only an online check can tell what was issued before."
        raise _Undetermined(Check("key_state", False, detail))


def _check_key(verified: VerifiedToken, sources: OfflineSources, seq: int, issued_at: datetime) -> Check:
    key = sources.compromised.get(verified.kid)
    if key is None:
        return Check("key_state", True, "The signing key is published.")
    detail = f"The signing key is compromised since {format_utc(key.since)}; this was logged"
    if not key.was_trusted(seq, issued_at):
        return Check("key_state", False, f"{detail} not before that: anybody may have signed it.")
    return Check("key_state", True, f"{detail} before that.")


def _check_log_age(sources: OfflineSources, now: datetime, max_age: timedelta | None) -> Iterator[Check]:
    if (moment := sources.checkpoint_at) is None:
        return
    detail = f"The last entry of the checkpoint is of {format_utc(moment)}, {format_age(now - moment)} ago."
    if moment > now + MAX_CLOCK_SKEW:
        raise _Undetermined(Check("age", False, f"{detail} It is in the future: check your clock."))
    if max_age is not None and now - moment > max_age:
        limit = f"That is more than {format_age(max_age)}. Fetch a new bundle."
        raise _Undetermined(Check("age", False, f"{detail} {limit}"))
    yield Check("age", True, detail)


def _check_witnesses(
    certified: CertifiedFacts, sources: OfflineSources, issued_at: datetime, now: datetime
) -> Iterator[Check]:
    if sources.judge_witnesses is None:
        return
    judged = sources.judge_witnesses(certified.number, issued_at, now)
    check = Check("witnesses", judged.is_acceptable, f"The log is {judged.text}.")
    if not judged.is_acceptable:
        raise _Undetermined(check)
    yield check


def _apply_reissue(
    status: str, check: Check, seq: int, entries: Sequence[tuple[int, Entry]], sources: OfflineSources
) -> tuple[str, Check]:
    """Return `superseded` for a token whose place a later one took, under a key that could be relied on."""
    if status in FINAL_STATUSES:
        return status, check
    for later, entry in entries:
        key = sources.compromised.get(entry.key or "")
        is_trusted = key.was_trusted(later, entry.at) if key else entry.key in sources.trusted
        if entry.event is LogEvent.CERTIFICATE_REISSUED and later > seq and is_trusted:
            detail = f"By the public log it was signed anew at {format_utc(entry.at)}: ask for the new certificate."
            return "superseded", Check("status", False, detail)
    return status, check


def _apply_log(status: str, check: Check, entries: Sequence[Entry]) -> tuple[str, Check]:
    """Return the more severe of the statuses by lists and log: both are signed, by different keys."""
    logged = status_after(entries)
    if logged.since is None or logged.status in {ACTIVE, status}:
        return status, check
    if logged.status not in FINAL_STATUSES and status != ACTIVE:
        return status, check
    detail = f"By the public log it is {logged.status} since {format_utc(logged.since)}."
    return logged.status, Check("status", False, detail)


def _check_log_proof(
    verified: VerifiedToken, certified: CertifiedFacts, sources: OfflineSources
) -> tuple[Check, int, datetime]:
    """Return the check, and index and moment of the entry that names this token."""
    text = sources.find_proof(certified.number, verified.signed_hash)
    if text is None:
        if verified.kid in sources.compromised:
            raise _NeverLogged(Check("log", False, "Its key is compromised, and its issue is not in the public log."))
        detail = "The bundle has no proof of its issue: it may be newer than the bundle. Fetch a new one."
        raise _Undetermined(Check("log", False, detail))
    try:
        entry, proof = _parse_proof_with_entry(text)
        checkpoint = verify_proof(entry, proof, sources.verifier)
        logged = strict_json.loads(entry)
    except (NoteRejected, ValueError) as error:
        raise _Undetermined(Check("log", False, f"The proof of its issue is refused: {error}")) from error
    expected = (certified.number, verified.signed_hash, verified.kid)
    is_own = tuple(logged.get(name) for name in ("certificate", "sha256", "key")) == expected
    if not is_own and verified.kid in sources.compromised:
        raise _NeverLogged(Check("log", False, "Its key is compromised, and its issue is not in the public log."))
    if not is_own or logged.get("event") not in _TOKEN_EVENTS:
        raise _Undetermined(Check("log", False, "The proof is of another entry than the issue of this certificate."))
    detail = f"Its issue is entry {proof.index} of the public log of {checkpoint.size} entries."
    return Check("log", True, detail), proof.index, parse_entry(entry).at


def _parse_proof_with_entry(text: str) -> tuple[bytes, Proof]:
    """Parse the log entry from the proof's `extra` line, and the proof."""
    lines = text.split("\n", 2)
    if len(lines) < 3 or not lines[1].startswith("extra "):
        raise NoteRejected("It does not contain the entry.")
    try:
        return base64.b64decode(lines[1].removeprefix("extra "), validate=True), parse_proof(text)
    except binascii.Error:
        raise NoteRejected("Its entry is not in base64.") from None


def _check_status_lists(
    certified: CertifiedFacts, sources: OfflineSources, now: datetime
) -> tuple[str, datetime, Check]:
    """Return the status by the lists, the older of their signing times, and the check."""
    found, as_of = {}, []
    for purpose, (url, index) in certified.status_entries.items():
        try:
            listed = _load_status_list(url, purpose, certified, sources, now)
            found[purpose] = status_list.is_set(listed.bits, index)
        except (TokenRejected, StatusListRejected) as error:
            raise _Undetermined(
                Check("status", False, f"The list for {purpose} cannot be relied on: {error}")
            ) from error
        as_of.append(listed.valid_from)
    status = "revoked" if found[Purpose.REVOCATION] else "suspended" if found[Purpose.SUSPENSION] else ACTIVE
    described = {"revoked": "revoked, given back or replaced", "suspended": "suspended"}.get(
        status, "neither revoked nor suspended"
    )
    detail = f"By the lists signed at {format_utc(min(as_of))} it is {described}."
    return status, min(as_of), Check("status", status == ACTIVE, detail)


def _load_status_list(
    url: str, purpose: Purpose, certified: CertifiedFacts, sources: OfflineSources, now: datetime
) -> StatusList:
    token = sources.find_status_list(url)
    if token is None:
        raise _Undetermined(Check("status", False, f"The bundle has no list for {purpose} at {url}. Fetch a new one."))
    verified = jws.verify(token, typ=jws.TYP_CREDENTIAL, keys=sources.trusted)
    listed = status_list.parse_status_list_credential(verified.payload)
    list_issuer = verified.kid.partition("#")[0]
    if (listed.url, listed.purpose, listed.issuer, list_issuer) != (url, purpose, certified.issuer, certified.issuer):
        raise _Undetermined(Check("status", False, f"The list for {purpose} is another list, or of another issuer."))
    if listed.valid_from > now + MAX_CLOCK_SKEW:
        detail = (
            f"The list for {purpose} is from {format_utc(listed.valid_from)}, which is in the future: check your clock."
        )
        raise _Undetermined(Check("status", False, detail))
    if now > listed.valid_until:
        detail = (
            f"The list for {purpose} is {format_age(now - listed.valid_from)} old and was valid until "
            f"{format_utc(listed.valid_until)}. Fetch a new bundle."
        )
        raise _Undetermined(Check("status", False, detail))
    return listed
