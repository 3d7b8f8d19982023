"""Render verification responses from templates, in a twentieth of the time of `encode`.

A verdict depends on few columns (term, status, key), whose values thousands of certificates share; all other columns
are only displayed. For each such combination the verdict function evaluates a sample certificate, its response is
compiled into a template with placeholders, and a certificate snapshot supplies the values. Nothing is decided here and
nothing about a single certificate is cached: a changed certificate uses another template at once. Pure.

Templates are valid for one set of keys and one part of a day; then all are discarded.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import Any, Final

from app.certificates.read_model import snapshot
from app.certificates.read_model.record import CertificateRecord
from app.core.crypto import jws
from app.core.crypto.keyring import KeyRing
from app.core.dates import baku_day, day_start, format_utc
from app.verification.response import EncodedResponse, encode, encode_with_etag
from app.verification.verdict import MISTYPED, UNKNOWN, Verdict, VerificationResult, evaluate_number

VerdictFunction = Callable[[CertificateRecord, KeyRing, datetime], VerificationResult]
MAX_TEMPLATES: Final = 8_192
"""About 2 KB each. With more combinations in use responses are correct, but slower."""

_MICROSECOND: Final = timedelta(microseconds=1)
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Template:
    """One compiled response.

    `text` has a `%b` for each placeholder and `pick_values` selects the values for them. `as_of` is the latest moment
    apart from those of the certificate. `etag_part` and the hash in the snapshot together form the ETag.
    """

    verdict: Verdict
    text: bytes
    pick_values: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
    as_of: bytes
    etag_part: bytes


class _TemplateCache:
    """Templates of one time window.

    A new window gets a new object, because another thread may still use the old one.
    """

    def __init__(self, keys: KeyRing | None, begin: datetime, end: datetime) -> None:
        self.keys, self.begin, self.end = keys, begin, end
        self.templates: dict[bytes, _Template | None] = {}


class ResponseTemplates:
    """Templates of one verdict function for one base address (no trailing slash)."""

    def __init__(
        self, base_url: str, verdict_function: VerdictFunction = evaluate_number, *, demo: bool = False
    ) -> None:
        self._encode = partial(encode, base_url=base_url, demo=demo)
        self._evaluate = verdict_function
        self._cache = _TemplateCache(None, _BEFORE_ALL, _BEFORE_ALL)
        self.mistyped = encode_with_etag(MISTYPED, base_url, demo=demo)
        self.unknown = encode_with_etag(UNKNOWN, base_url, demo=demo)

    def render(self, text: bytes, keys: KeyRing, now: datetime) -> EncodedResponse | None:
        """Return verdict, JSON body and ETag for a certificate snapshot. `now` is aware.

        Returns None where no template applies: the verdict function reads a column that is only displayed, or the key
        is not loaded.
        """
        verdict_fields, number, since, issued, logged, content_hash, displayed = text.split(b"\n")
        cache = self._cache
        if keys is not cache.keys or not cache.begin <= now <= cache.end:
            self._cache = cache = _TemplateCache(keys, *validity_window(now))
        template = cache.templates.get(verdict_fields)
        if template is None:
            template = self._get_or_compile(cache, verdict_fields, keys, now)
            if template is None:
                return None
        as_of = max(template.as_of, since, issued)  # all have the same length, so that text order is time order
        body = template.text % template.pick_values((displayed, number, since, as_of, logged))
        return template.verdict, body, b'"%b%b"' % (content_hash, template.etag_part)

    def _get_or_compile(
        self, cache: _TemplateCache, verdict_fields: bytes, keys: KeyRing, now: datetime
    ) -> _Template | None:
        if verdict_fields in cache.templates:
            return None
        if len(cache.templates) >= MAX_TEMPLATES:
            cache.templates.clear()
        members = snapshot.parse_verdict_fields(verdict_fields)
        template = (
            _build_template(self._evaluate, members, keys, now, self._encode)
            if members["kid"] in keys.may_have_signed
            else None
        )
        cache.templates[verdict_fields] = template
        return template


def validity_window(now: datetime) -> tuple[datetime, datetime]:
    """Return the first and last microsecond around `now` in which no response changes by time.

    A verdict changes at midnight in Baku; `as_of` changes just after the first moment and the last second of a day.
    """
    midnight = day_start(baku_day(now)).astimezone(UTC)  # UTC, which is compared fastest
    if now == midnight:
        return midnight, midnight
    last_second = midnight + timedelta(days=1, seconds=-1)
    if now <= last_second:
        return midnight + _MICROSECOND, last_second
    return last_second + _MICROSECOND, last_second + timedelta(seconds=1) - _MICROSECOND


def _probe_record(label: str, voen: str, moment: datetime, *, flag: bool) -> Mapping[str, Any]:
    """Build the displayed columns of a sample certificate, which become placeholders."""
    texts = {name: f"\ue000{label} {name}\ue000" for name in _DISPLAYED_FIELDS}
    hashes = dict.fromkeys(("token_sha256", "logged_sha256"), f"\ue000{label} sha256\ue000")
    names = {f"\ue000{label} names\ue000": ""}
    moments = {"status_since": moment, "issued_at": moment, "logged_at": moment + timedelta(days=2)}
    flags = {"holder_is_legal_person": flag, "during_investigation": flag}
    return {**texts, **hashes, "holder_voen": voen, "product_names": names, **moments, **flags}


_DISPLAYED_FIELDS: Final = (
    *("number", "scheme_code", "scheme_name", "holder_name", "holder_name_az", "hs6", "gtin", "park_code"),
    *("district", "country", "origin_criterion", "status_reason"),
)
# Two samples that differ in every displayed column. Where their responses differ in more than the placeholders, the
# verdict function read such a column: these certificates are evaluated one by one.
_PROBE_RECORDS: Final = (
    _probe_record("a", "0000000001", datetime(1, 1, 2, tzinfo=UTC), flag=True),
    _probe_record("z", "9999999999", datetime(9998, 12, 30, tzinfo=UTC), flag=False),
)


def _build_template(
    verdict_function: VerdictFunction,
    verdict_fields: Mapping[str, Any],
    keys: KeyRing,
    now: datetime,
    encode_result: Callable[[VerificationResult], bytes],
) -> _Template | None:
    first, second = (
        _compile(verdict_function, CertificateRecord(**verdict_fields, **sample), keys, now, encode_result)
        for sample in _PROBE_RECORDS
    )
    if first[:3] != second[:3]:
        return None
    verdict, text, places, as_of = first
    content_hash = hashlib.sha256(text + as_of.encode()).hexdigest()[:16].encode()
    return _Template(verdict, text, itemgetter(*places), as_of.encode(), content_hash)


def _compile(
    verdict_function: VerdictFunction,
    record: CertificateRecord,
    keys: KeyRing,
    now: datetime,
    encode_result: Callable[[VerificationResult], bytes],
) -> tuple[Verdict, bytes, tuple[int, ...], str]:
    """Return verdict, text with `%b`, the index of each placeholder, and the verdict's moment."""
    result = verdict_function(record, keys, now)
    assert result.as_of is not None  # a record was found
    as_of = record.status_since + timedelta(days=1)  # differs from every moment of the record
    text = encode_result(replace(result, as_of=as_of)).decode()
    public_fields = jws.dump_json(snapshot.public_fields(record)).decode()
    values = (public_fields, record.number, *map(format_utc, (record.status_since, as_of, record.logged_at or as_of)))
    indexes = {value: place for place, value in enumerate(values)}
    pieces = re.split("(" + "|".join(map(re.escape, indexes)) + ")", text)
    template = "%b".join(piece.replace("%", "%%") for piece in pieces[::2])
    return result.verdict, template.encode(), tuple(indexes[value] for value in pieces[1::2]), format_utc(result.as_of)
