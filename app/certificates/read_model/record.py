"""Define what is known of a certificate from its token and the public log, and build it. Pure.

No column of the database is in it, so that nobody can change it without the keys. Columns are for searching.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from app.certificates.credential.reader import CertifiedFacts
from app.certificates.model import CertificateStatus, RevocationReason, SuspensionCause
from app.certificates.status_list import Purpose, parse_list_name
from app.core.crypto.keyring import KeyRing
from app.core.dates import format_utc
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.logged_status import ACTIVE_STATUS, FINAL_STATUSES, LoggedStatus, status_after

_REASONS: Final = frozenset({*map(str, SuspensionCause), *map(str, RevocationReason)})
TOKEN_EVENTS: Final = frozenset({LogEvent.CERTIFICATE_ISSUED, LogEvent.CERTIFICATE_REISSUED})
"""Events whose entries name a token of a certificate."""
REISSUED: Final = "reissued"
"""Reason for which a token is superseded although its number is not: the certificate was signed anew."""
KEY_COMPROMISED: Final = "key_compromised"
"""Shown as the status of a certificate whose token cannot be told from one that others made."""
_ORIGIN_BEFORE: Final = "AZ"
"""Country of origin of certificates in earlier shapes, which do not name it: they were issued for no other."""


class CertificateRecord(NamedTuple):
    """A certificate as of a moment. Moments are aware, in UTC; days are inclusive, Asia/Baku.

    Without `logged_at` its issue is not in the log; then it may be evaluated, but not shown.
    """

    number: str
    scheme_code: str
    scheme_name: str
    holder_name: str
    holder_name_az: str | None  # with its legal form
    holder_voen: str | None  # as published: null for a natural person
    product_names: Mapping[str, str]
    hs6: str
    gtin: str | None
    park_code: str | None
    district: str
    country: str  # of origin
    origin_criterion: str
    valid_from: date
    valid_until: date
    status: str
    status_since: datetime
    status_reason: str | None
    during_investigation: bool  # surrendered while an investigation was open
    kid: str
    token_sha256: str
    logged_at: datetime | None = None  # when its issue was logged
    logged_sha256: str | None = None  # hash in the log entry of this token
    log_seq: int = -1  # index of its last log entry
    holder_id: str | None = None  # URN of the company; None in earlier shapes
    status_list_id: int = 0
    status_index: int = 0
    token_logged_at: datetime | None = None  # when this token was logged; None: with the issue
    token_seq: int = -1  # index of the log entry of this token


def current_token(tokens: Sequence[tuple[int, Entry]], keys: KeyRing) -> tuple[int, Entry]:
    """Return the entry of the token that counts: the newest whose key could be relied on, else the issue.

    `tokens` are the entries of `TOKEN_EVENTS` with their indexes, oldest first. Whoever stole a key and the one of the
    log can log a token under the number of an honest certificate, but not take its place.
    """
    return next((t for t in reversed(tokens) if keys.was_trusted(t[1].key, t[0], t[1].at)), tokens[0])


def record_of(
    facts: CertifiedFacts,
    kid: str,
    token_sha256: str,
    entries: Sequence[tuple[int, Entry]],
    now: datetime,
    stored_reason: str | None,
    keys: KeyRing,
) -> CertificateRecord:
    """Build the record from the facts of a token and the entries (index, entry) about it, oldest first.

    Without entries it is not logged. A token whose place another one took is superseded. `stored_reason` is the reason
    of a status whose entry names none, if it is on a list: that of the row.
    """
    issue = entries[0][1] if entries else None
    status = status_after(entry for _, entry in entries)
    tokens = [each for each in entries if each[1].event in TOKEN_EVENTS]
    own = next((t for t in tokens if (t[1].sha256, t[1].key) == (token_sha256, kid)), tokens[0] if tokens else None)
    if own is not None and status.status not in FINAL_STATUSES:
        counts = current_token(tokens, keys)
        if counts[0] > own[0]:
            status = LoggedStatus(CertificateStatus.SUPERSEDED, counts[1].at, REISSUED)
    reason = status.reason or (stored_reason if status.status != ACTIVE_STATUS and stored_reason in _REASONS else None)
    url, index = facts.status_entries[Purpose.REVOCATION]
    place = parse_list_name(url.rpartition("/")[2])
    return CertificateRecord(
        number=facts.number,
        scheme_code=facts.scheme_code,
        scheme_name=facts.scheme_name,
        holder_name=facts.holder_name,
        holder_name_az=facts.holder_name_az,
        holder_voen=facts.voen,
        product_names=facts.product_names,
        hs6=facts.hs6,
        gtin=facts.gtin,
        park_code=facts.park_code,
        district=facts.district,
        country=facts.country or _ORIGIN_BEFORE,
        origin_criterion=facts.origin_criterion,
        valid_from=facts.valid_from,
        valid_until=facts.valid_until,
        status=status.status,
        status_since=status.since or now,
        status_reason=reason,
        during_investigation=status.during_investigation,
        kid=kid,
        token_sha256=token_sha256,
        logged_at=issue.at if issue else None,
        logged_sha256=own[1].sha256 if own else None,
        log_seq=entries[-1][0] if entries else -1,
        holder_id=facts.holder_id,
        status_list_id=place[0] if place else 0,
        status_index=index,
        token_logged_at=own[1].at if own else None,
        token_seq=own[0] if own else -1,
    )


def public_fields(record: CertificateRecord) -> dict[str, Any]:
    """Return the public fields of a certificate, for verification responses and the register.

    They contain no VÖEN of a natural person, no user and no cost. `during_investigation` is a member only
    where it is true, so that responses for all other certificates stay unchanged.
    """
    members: dict[str, Any] = {
        "number": record.number,
        "scheme": {"code": record.scheme_code, "name": record.scheme_name},
        "holder": {"name": record.holder_name, "name_az": record.holder_name_az, "voen": record.holder_voen},
        "product": {"name": dict(sorted(record.product_names.items())), "hs6": record.hs6, "gtin": record.gtin},
        "site": {"park": record.park_code, "district": record.district},
        "country": record.country,
        "origin_criterion": record.origin_criterion,
        "valid_from": record.valid_from.isoformat(),
        "valid_until": record.valid_until.isoformat(),
        "status": record.status,
        "status_since": format_utc(record.status_since),
        "reason": record.status_reason,
    }
    if record.during_investigation:
        members["during_investigation"] = True
    return members


def parse_public_fields(
    members: Mapping[str, Any],
    *,
    kid: str,
    token_sha256: str,
    logged_at: datetime,
    log_seq: int,
    holder_id: str | None,
    place: tuple[int, int],
) -> CertificateRecord:
    """Build the record of public fields that were authenticated (`snapshot.py`), with what the snapshot adds."""
    scheme, holder, product, site = (members[name] for name in ("scheme", "holder", "product", "site"))
    return CertificateRecord(
        number=members["number"],
        scheme_code=scheme["code"],
        scheme_name=scheme["name"],
        holder_name=holder["name"],
        holder_name_az=holder["name_az"],
        holder_voen=holder["voen"],
        product_names=product["name"],
        hs6=product["hs6"],
        gtin=product["gtin"],
        park_code=site["park"],
        district=site["district"],
        country=members["country"],
        origin_criterion=members["origin_criterion"],
        valid_from=date.fromisoformat(members["valid_from"]),
        valid_until=date.fromisoformat(members["valid_until"]),
        status=members["status"],
        status_since=datetime.fromisoformat(members["status_since"]),
        status_reason=members["reason"],
        during_investigation=members.get("during_investigation", False),
        kid=kid,
        token_sha256=token_sha256,
        logged_at=logged_at,
        logged_sha256=token_sha256,
        log_seq=log_seq,
        holder_id=holder_id,
        status_list_id=place[0],
        status_index=place[1],
    )
