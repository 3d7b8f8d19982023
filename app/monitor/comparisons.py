"""Compare what a service publishes about a certificate with its token and its log entries. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.certificates.credential.reader import CertifiedFacts
from app.core.crypto.jwk import thumbprint
from app.core.crypto.jws import PublicKey
from app.core.dates import format_utc
from app.transparency.log_entry import Entry, LogEvent
from app.verification.verdict import Verdict, verdict_of

CLOCK_TOLERANCE = timedelta(minutes=1)
"""How far the clocks of monitor and service may differ, and how long an answer may be on its way."""


def facts_of(certified: CertifiedFacts) -> dict[str, Any]:
    """Return what the public register must show of a certificate, in the shape of an answer."""
    return {
        "number": certified.number,
        "scheme": {"code": certified.scheme_code, "name": certified.scheme_name},
        "holder": _stated(name=certified.holder_name, name_az=certified.holder_name_az, voen=certified.voen),
        "product": {"name": dict(certified.product_names), "hs6": certified.hs6, "gtin": certified.gtin},
        "site": {"park": certified.park_code, "district": certified.district},
        **_stated(country=certified.country),
        "origin_criterion": certified.origin_criterion,
        "valid_from": certified.valid_from.isoformat(),
        "valid_until": certified.valid_until.isoformat(),
    }


def _stated(**members: str | None) -> dict[str, str]:
    """Earlier shapes of credentials lack these members; what is not signed is not compared."""
    return {name: value for name, value in members.items() if value is not None}


def differing_members(expected: Mapping[str, Any], shown: object, prefix: str = "") -> Iterator[str]:
    """Yield a sentence for each member that is not as expected; other members are ignored."""
    if not isinstance(shown, Mapping):
        yield f"{prefix or 'the certificate'} is missing"
        return
    for name, value in expected.items():
        path = f"{prefix}.{name}" if prefix else name
        if isinstance(value, Mapping) and path != "product.name":
            yield from differing_members(value, shown.get(name), path)
        elif not _is_same(value, shown.get(name)):
            yield f"{path} is {shown.get(name)!r} instead of {value!r}"


def _is_same(expected: object, shown: object) -> bool:
    """A number of a natural person may be masked on either side."""
    if isinstance(expected, str) and isinstance(shown, str) and len(expected) == len(shown):
        return all(a == b or "*" in (a, b) for a, b in zip(expected, shown, strict=True))
    return expected == shown


def possible_verdicts(status: str, facts: CertifiedFacts, now: datetime) -> frozenset[Verdict]:
    """Return the verdicts that a genuine certificate may have within the tolerance of clocks."""
    moments = (now - CLOCK_TOLERANCE, now, now + CLOCK_TOLERANCE)
    return frozenset(verdict_of(status, facts.valid_from, facts.valid_until, moment) for moment in moments)


def key_fault(seq: int, entries: Sequence[tuple[int, Entry]]) -> str | None:
    """Say why the key of an issue was not allowed to sign it, by the entries about the key; None where it was."""
    state = None
    for entry_seq, entry in entries:
        if entry_seq < seq and entry.event is not LogEvent.KEY_PUBLISHED:
            state = entry.event
    if state is LogEvent.KEY_ACTIVATED:
        return None
    if state is None:
        return "the log did not activate it before"
    return f"in the log it was {state.value.partition('.')[2]} before"


def is_voided(seq: int, named: Entry, entries: Sequence[tuple[int, Entry]]) -> bool:
    """Whether the key of a token was compromised when entry `seq` named it, or had been declared so before."""
    declared = [(at_seq, entry.at) for at_seq, entry in entries if entry.event is LogEvent.KEY_COMPROMISED]
    return bool(declared) and (named.at >= declared[-1][1] or seq > declared[0][0])


def current_token(
    issue: tuple[int, Entry], changes: Sequence[tuple[int, Entry]], keys: Mapping[str, Sequence[tuple[int, Entry]]]
) -> tuple[int, Entry]:
    """Return the entry of the token that counts: the newest whose key could be relied on, else the issue."""
    tokens = [issue, *(each for each in changes if each[1].event is LogEvent.CERTIFICATE_REISSUED)]
    good = [each for each in tokens if not is_voided(*each, keys.get(each[1].key or "", ()))]
    return good[-1] if good else issue


def reissue_faults(
    issue: tuple[int, Entry], changes: Sequence[tuple[int, Entry]], keys: Mapping[str, Sequence[tuple[int, Entry]]]
) -> Iterator[str]:
    """Say which entries sign a certificate anew that may not: the token before must have been taken by a compromise.

    Whether it was is judged by the declarations in the log up to then: a later correction changes nothing.
    """
    token = issue
    for seq, entry in changes:
        if entry.event is not LogEvent.CERTIFICATE_REISSUED:
            continue
        if (fault := key_fault(seq, keys.get(entry.key or "", ()))) is not None:
            yield f"Entry {seq} signs it anew with {entry.key}, and {fault}."
            continue
        known = [each for each in keys.get(token[1].key or "", ()) if each[0] < seq]
        if not is_voided(*token, known):
            yield f"Entry {seq} signs it anew, and no compromise in the log took the token before."
        if entry.decision != issue[1].decision:
            yield f"Entry {seq} signs it anew for another decision than that of its issue."
        token = (seq, entry)


def key_document_faults(
    logged: Mapping[str, Sequence[tuple[int, Entry]]],
    jwks: Mapping[str, PublicKey],
    methods: Mapping[str, PublicKey],
    assertion_methods: frozenset[str],
    recent: datetime,
) -> Iterator[tuple[str, str, str]]:
    """Yield kind, `kid` and sentence for each contradiction between the log and the published keys.

    Entries after `recent` are not compared: the documents may be cached.
    """
    last = {kid: entries[-1][1] for kid, entries in logged.items()}
    for kid in sorted({*jwks, *methods, *assertion_methods}):
        if kid not in last:
            yield "key-not-logged", kid, "The key is published, and the log does not contain it."
        for key in {found for found in (jwks.get(kid), methods.get(kid)) if found is not None}:
            if thumbprint(key) != kid.rpartition("#")[2]:
                yield "key-not-logged", kid, "The published key is not the one that its identifier names."
    for kid, entry in sorted(last.items()):
        if entry.at > recent:
            continue
        if entry.event is LogEvent.KEY_COMPROMISED:
            if kid in jwks or kid in assertion_methods:
                yield "key-compromised", kid, f"The key is compromised since {format_utc(entry.at)}, and still trusted."
        elif kid not in jwks or kid not in methods or kid not in assertion_methods:
            yield "key-missing", kid, "The key is in the log, and not in the JWKS or the DID document."
