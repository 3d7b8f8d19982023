"""Answers to checks by number, printed from forms: the bytes of `answer(judge_number(…))` for a tenth of its time.

What a verdict rests on (term, status, key) is shared by thousands of certificates; the rest of an answer is only
shown. So the law judges a made-up certificate for each such combination, its answer becomes a form with holes, and a
row fills them. Nothing is decided here and no row is remembered: a changed row meets another form at once. Pure.

The made-up certificates are in the log as they were signed. A row of which that cannot be said is judged alone.

Forms hold for the keys and for the stretch of a day for which they were made; then all are thrown away.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from json.encoder import encode_basestring
from operator import itemgetter
from typing import Any, Final

from app import jws
from app.certificates.credential import BAKU, mask_voen
from app.keys import KeyRing
from app.verification.answer import answer
from app.verification.checks import MISTYPED, UNKNOWN, Judgement, Verdict, judge_number, utc_text
from app.verification.record import CertificateRecord
from app.verification.row import Row, from_row

Law = Callable[[CertificateRecord, KeyRing, datetime], Judgement]
MAX_FORMS: Final = 8_192
"""About 2 KB each. A register with more combinations in force is answered right, only slower."""

_TEXTS: Final = (
    "scheme_code",
    "scheme_name",
    "holder_name",
    "hs6",
    "district",
    "origin_criterion",
    "gtin",
    "park_code",
    "status_reason",
)
_SHOWN: Final = (*_TEXTS, "number", "holder_voen", "product_names", "status_since", "issued_at", "logged_at")
_ALIKE: Final = ("token_sha256", "logged_sha256")  # of all that matters here only whether they are the same
_FIELDS: Final = CertificateRecord._fields
# A column that is not listed as only shown belongs to the combination: one that is added later is slow, never wrong.
_judged = itemgetter(*(place for place, name in enumerate(_FIELDS) if name not in {*_SHOWN, *_ALIKE}))
_shown = itemgetter(*map(_FIELDS.index, (*_SHOWN, *_ALIKE)))
_MICROSECOND: Final = timedelta(microseconds=1)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Form:
    """`text` has a `%b` for each hole, `order` picks what belongs there; `as_of` is the latest moment but the row's."""

    verdict: Verdict
    text: bytes
    order: Callable[[list[bytes]], tuple[bytes, ...]]
    as_of: str
    as_of_stored: str  # as rows have it


class _Pile:
    """The forms of one stretch of time. Each pile is whole: another thread may already have begun the next."""

    def __init__(self, keys: KeyRing | None, begin: datetime, end: datetime) -> None:
        self.keys, self.begin, self.end = keys, begin, end
        self.forms: dict[tuple[Any, ...], _Form | None] = {}


class Forms:
    """The forms of one law for one base address, which has no slash at its end."""

    def __init__(self, base_url: str, law: Law = judge_number) -> None:
        self._base_url = base_url
        self._law = law
        self._pile = _Pile(None, _NEVER, _NEVER)
        self.mistyped = self.print(MISTYPED)
        self.unknown = self.print(UNKNOWN)

    def print(self, judgement: Judgement) -> tuple[Verdict, bytes]:
        """Verdict and JSON body of one judgement, without a form."""
        return judgement.verdict, answer(judgement, self._base_url)[0]

    def fill(self, row: Row, keys: KeyRing, now: datetime) -> tuple[Verdict, bytes]:
        """Verdict and JSON body for what has this row. `now` is aware."""
        (
            scheme, scheme_name, holder, hs6, district, origin, gtin, park, reason, number, voen, names, since, issued,
            logged, signed, logged_as,
        ) = _shown(row)  # fmt: skip
        if signed != logged_as or logged is None:
            return self.print(self._law(from_row(row), keys, now))
        pile = self._pile
        if keys is not pile.keys or not pile.begin <= now <= pile.end:
            self._pile = pile = _Pile(keys, *stretch_of(now))
        judged = _judged(row)
        form = pile.forms.get(judged)
        if form is None:
            if judged not in pile.forms:
                if len(pile.forms) >= MAX_FORMS:
                    pile.forms.clear()
                pile.forms[judged] = form = _form(self._law, from_row(row), keys, now, self._base_url)
            if form is None:
                return self.print(self._law(from_row(row), keys, now))
        latest = max(since, issued)
        since = f"{since[:10]}T{since[11:19]}Z"
        as_of = form.as_of if latest < form.as_of_stored else f"{latest[:10]}T{latest[11:19]}Z"
        voen = mask_voen(voen)
        values = (
            encode_basestring(scheme),
            encode_basestring(scheme_name),
            encode_basestring(holder),
            encode_basestring(hs6),
            encode_basestring(district),
            encode_basestring(origin),
            "null" if gtin is None else encode_basestring(gtin),
            "null" if park is None else encode_basestring(park),
            "null" if reason is None else encode_basestring(reason),
            number,
            "null" if voen is None else f'"{voen}"',
            names,
            since,
            as_of,
            f"{logged[:10]}T{logged[11:19]}Z",
        )
        # Encoded together and cut again at NUL, which JSON never holds: half the time of encoding the whole, or each.
        return form.verdict, form.text % form.order("\0".join(values).encode().split(b"\0"))


def stretch_of(now: datetime) -> tuple[datetime, datetime]:
    """First and last microsecond around `now` between which no answer changes by time alone.

    A verdict turns at midnight in Baku; `as_of` moves just after the first moment and the last second of a day.
    """
    midnight = datetime.combine(now.astimezone(BAKU).date(), time.min, BAKU).astimezone(UTC)  # compared the fastest
    if now == midnight:
        return midnight, midnight
    last_second = midnight + timedelta(days=1, seconds=-1)
    if now <= last_second:
        return midnight + _MICROSECOND, last_second
    return last_second + _MICROSECOND, last_second + timedelta(seconds=1) - _MICROSECOND


@dataclass(frozen=True, slots=True)
class _Sample:
    """What stands in the holes of a made-up certificate. `as_of` is none of its moments."""

    shown: Mapping[str, Any]
    as_of: datetime

    @property
    def holes(self) -> tuple[str, ...]:
        """The text of each hole as an answer shows it, in the order in which `fill` has the values."""
        texts = [f'"{self.shown[name]}"' for name in _TEXTS]
        voen = f'"{mask_voen(self.shown["holder_voen"])}"'
        names = jws.dump_json(self.shown["product_names"]).decode()
        moments = (self.shown["status_since"], self.as_of, self.shown["logged_at"])
        return (*texts, self.shown["number"], voen, names, *map(utc_text, moments))


def _sample(mark: str, voen: str, moment: datetime) -> _Sample:
    private = {name: f"\ue000{mark} {name}\ue000" for name in (*_TEXTS, "number")}
    private |= dict.fromkeys(_ALIKE, f"\ue000{mark} sha256\ue000")
    names = {f"\ue000{mark} names\ue000": ""}
    moments = {"status_since": moment, "issued_at": moment, "logged_at": moment + timedelta(days=2)}
    return _Sample({**private, "holder_voen": voen, "product_names": names, **moments}, moment + timedelta(days=1))


# Two certificates that are alike in nothing that is only shown. Where their answers differ in more than that, the law
# looked at it: such rows are judged one by one.
_SAMPLES: Final = (
    _sample("a", "0000000001", datetime(1, 1, 2, tzinfo=UTC)),
    _sample("z", "9999999999", datetime(9998, 12, 30, tzinfo=UTC)),
)


def _form(law: Law, record: CertificateRecord, keys: KeyRing, now: datetime, base_url: str) -> _Form | None:
    early, late = (_punched(law, record, sample, keys, now, base_url) for sample in _SAMPLES)
    if early[:3] != late[:3]:
        return None
    verdict, text, places, as_of = early
    return _Form(verdict, text, itemgetter(*places), as_of, f"{as_of[:10]} {as_of[11:19]}")


def _punched(
    law: Law, record: CertificateRecord, sample: _Sample, keys: KeyRing, now: datetime, base_url: str
) -> tuple[Verdict, bytes, tuple[int, ...], str]:
    """Verdict, text with `%b` in its holes, the hole at each, and the moment of the verdict."""
    judgement = law(record._replace(**sample.shown), keys, now)
    assert judgement.as_of is not None  # a row was found
    text = answer(replace(judgement, as_of=sample.as_of), base_url)[0].decode()
    holes = {hole: place for place, hole in enumerate(sample.holes)}
    pieces = re.split("(" + "|".join(map(re.escape, holes)) + ")", text)
    form = "%b".join(piece.replace("%", "%%") for piece in pieces[::2])
    return judgement.verdict, form.encode(), tuple(holes[hole] for hole in pieces[1::2]), utc_text(judgement.as_of)
