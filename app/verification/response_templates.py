"""Answers to checks, printed from forms: the bytes of `answer(judge_number(…))` for a twentieth of its time.

What a verdict rests on (term, status, key) is shared by thousands of certificates; the rest of an answer is only
shown. So the law judges a made-up certificate for each such combination, its answer becomes a form with holes, and an
extract from the register fills them. Nothing is decided here and nothing is remembered of a certificate: a changed one
meets another form at once. Pure.

Forms hold for the keys and for the stretch of a day for which they were made; then all are thrown away.
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
"""About 2 KB each. A register with more combinations in force is answered right, only slower."""

_MICROSECOND: Final = timedelta(microseconds=1)
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Template:
    """`text` has a `%b` for each hole, `order` picks what belongs there; `as_of` is the latest moment but those of the
    certificate. With the mark of an extract, `mark` names an answer."""

    verdict: Verdict
    text: bytes
    pick_values: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
    as_of: bytes
    etag_part: bytes


class _TemplateCache:
    """The forms of one stretch of time. Each pile is whole: another thread may already have begun the next."""

    def __init__(self, keys: KeyRing | None, begin: datetime, end: datetime) -> None:
        self.keys, self.begin, self.end = keys, begin, end
        self.templates: dict[bytes, _Template | None] = {}


class ResponseTemplates:
    """The forms of one law for one base address, which has no slash at its end."""

    def __init__(self, base_url: str, law: VerdictFunction = evaluate_number, *, demo: bool = False) -> None:
        self._encode = partial(encode, base_url=base_url, demo=demo)
        self._evaluate = law
        self._cache = _TemplateCache(None, _BEFORE_ALL, _BEFORE_ALL)
        self.mistyped = encode_with_etag(MISTYPED, base_url, demo=demo)
        self.unknown = encode_with_etag(UNKNOWN, base_url, demo=demo)

    def render(self, text: bytes, keys: KeyRing, now: datetime) -> EncodedResponse | None:
        """Verdict, JSON body and ETag for what has this extract. `now` is aware.

        None where no form serves: the law looks at something that is only shown, or does not know the key.
        """
        judged, number, since, issued, logged, mark, face = text.split(b"\n")
        pile = self._cache
        if keys is not pile.keys or not pile.begin <= now <= pile.end:
            self._cache = pile = _TemplateCache(keys, *validity_window(now))
        form = pile.templates.get(judged)
        if form is None:
            form = self._get_or_compile(pile, judged, keys, now)
            if form is None:
                return None
        as_of = max(form.as_of, since, issued)  # all of one length, so that texts are in the order of moments
        body = form.text % form.pick_values((face, number, since, as_of, logged))
        return form.verdict, body, b'"%b%b"' % (mark, form.etag_part)

    def _get_or_compile(self, pile: _TemplateCache, judged: bytes, keys: KeyRing, now: datetime) -> _Template | None:
        if judged in pile.templates:
            return None
        if len(pile.templates) >= MAX_TEMPLATES:
            pile.templates.clear()
        members = snapshot.parse_verdict_fields(judged)
        form = (
            _build_template(self._evaluate, members, keys, now, self._encode)
            if members["kid"] in keys.may_have_signed
            else None
        )
        pile.templates[judged] = form
        return form


def validity_window(now: datetime) -> tuple[datetime, datetime]:
    """First and last microsecond around `now` between which no answer changes by time alone.

    A verdict turns at midnight in Baku; `as_of` moves just after the first moment and the last second of a day.
    """
    midnight = day_start(baku_day(now)).astimezone(UTC)  # compared the fastest
    if now == midnight:
        return midnight, midnight
    last_second = midnight + timedelta(days=1, seconds=-1)
    if now <= last_second:
        return midnight + _MICROSECOND, last_second
    return last_second + _MICROSECOND, last_second + timedelta(seconds=1) - _MICROSECOND


def _probe_record(mark: str, voen: str, moment: datetime, *, flag: bool) -> Mapping[str, Any]:
    """What stands in the holes of a made-up certificate: all that an extract only shows."""
    texts = {name: f"\ue000{mark} {name}\ue000" for name in _DISPLAYED_FIELDS}
    hashes = dict.fromkeys(("token_sha256", "logged_sha256"), f"\ue000{mark} sha256\ue000")
    names = {f"\ue000{mark} names\ue000": ""}
    moments = {"status_since": moment, "issued_at": moment, "logged_at": moment + timedelta(days=2)}
    flags = {"holder_is_legal_person": flag, "during_investigation": flag}
    return {**texts, **hashes, "holder_voen": voen, "product_names": names, **moments, **flags}


_DISPLAYED_FIELDS: Final = (
    *("number", "scheme_code", "scheme_name", "holder_name", "holder_name_az", "hs6", "gtin", "park_code"),
    *("district", "country", "origin_criterion", "status_reason"),
)
# Two certificates that are alike in nothing that is only shown. Where their answers differ in more than that, the law
# looked at it: such rows are judged one by one.
_PROBE_RECORDS: Final = (
    _probe_record("a", "0000000001", datetime(1, 1, 2, tzinfo=UTC), flag=True),
    _probe_record("z", "9999999999", datetime(9998, 12, 30, tzinfo=UTC), flag=False),
)


def _build_template(
    law: VerdictFunction,
    judged: Mapping[str, Any],
    keys: KeyRing,
    now: datetime,
    written: Callable[[VerificationResult], bytes],
) -> _Template | None:
    early, late = (
        _compile(law, CertificateRecord(**judged, **sample), keys, now, written) for sample in _PROBE_RECORDS
    )
    if early[:3] != late[:3]:
        return None
    verdict, text, places, as_of = early
    mark = hashlib.sha256(text + as_of.encode()).hexdigest()[:16].encode()
    return _Template(verdict, text, itemgetter(*places), as_of.encode(), mark)


def _compile(
    law: VerdictFunction,
    record: CertificateRecord,
    keys: KeyRing,
    now: datetime,
    written: Callable[[VerificationResult], bytes],
) -> tuple[Verdict, bytes, tuple[int, ...], str]:
    """Verdict, text with `%b` in its holes, the hole at each, and the moment of the verdict."""
    judgement = law(record, keys, now)
    assert judgement.as_of is not None  # a row was found
    as_of = record.status_since + timedelta(days=1)  # none of its moments
    text = written(replace(judgement, as_of=as_of)).decode()
    face = jws.dump_json(snapshot.public_fields(record)).decode()
    shown = (face, record.number, *map(format_utc, (record.status_since, as_of, record.logged_at or as_of)))
    holes = {hole: place for place, hole in enumerate(shown)}
    pieces = re.split("(" + "|".join(map(re.escape, holes)) + ")", text)
    form = "%b".join(piece.replace("%", "%%") for piece in pieces[::2])
    return judgement.verdict, form.encode(), tuple(holes[hole] for hole in pieces[1::2]), format_utc(judgement.as_of)
