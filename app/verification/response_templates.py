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
from app.verification.response import Printed, answer, print_judgement
from app.verification.verdict import MISTYPED, UNKNOWN, Judgement, Verdict, judge_number

Law = Callable[[CertificateRecord, KeyRing, datetime], Judgement]
MAX_FORMS: Final = 8_192
"""About 2 KB each. A register with more combinations in force is answered right, only slower."""

_MICROSECOND: Final = timedelta(microseconds=1)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Form:
    """`text` has a `%b` for each hole, `order` picks what belongs there; `as_of` is the latest moment but those of the
    certificate. With the mark of an extract, `mark` names an answer."""

    verdict: Verdict
    text: bytes
    order: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
    as_of: bytes
    mark: bytes


class _Pile:
    """The forms of one stretch of time. Each pile is whole: another thread may already have begun the next."""

    def __init__(self, keys: KeyRing | None, begin: datetime, end: datetime) -> None:
        self.keys, self.begin, self.end = keys, begin, end
        self.forms: dict[bytes, _Form | None] = {}


class Forms:
    """The forms of one law for one base address, which has no slash at its end."""

    def __init__(self, base_url: str, law: Law = judge_number, *, demo: bool = False) -> None:
        self._answer = partial(answer, base_url=base_url, demo=demo)
        self._law = law
        self._pile = _Pile(None, _NEVER, _NEVER)
        self.mistyped = print_judgement(MISTYPED, base_url, demo=demo)
        self.unknown = print_judgement(UNKNOWN, base_url, demo=demo)

    def fill(self, text: bytes, keys: KeyRing, now: datetime) -> Printed | None:
        """Verdict, JSON body and ETag for what has this extract. `now` is aware.

        None where no form serves: the law looks at something that is only shown, or does not know the key.
        """
        judged, number, since, issued, logged, mark, face = text.split(b"\n")
        pile = self._pile
        if keys is not pile.keys or not pile.begin <= now <= pile.end:
            self._pile = pile = _Pile(keys, *stretch_of(now))
        form = pile.forms.get(judged)
        if form is None:
            form = self._make(pile, judged, keys, now)
            if form is None:
                return None
        as_of = max(form.as_of, since, issued)  # all of one length, so that texts are in the order of moments
        body = form.text % form.order((face, number, since, as_of, logged))
        return form.verdict, body, b'"%b%b"' % (mark, form.mark)

    def _make(self, pile: _Pile, judged: bytes, keys: KeyRing, now: datetime) -> _Form | None:
        if judged in pile.forms:
            return None
        if len(pile.forms) >= MAX_FORMS:
            pile.forms.clear()
        members = snapshot.read_judged(judged)
        form = _form(self._law, members, keys, now, self._answer) if members["kid"] in keys.signing else None
        pile.forms[judged] = form
        return form


def stretch_of(now: datetime) -> tuple[datetime, datetime]:
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


def _sample(mark: str, voen: str, moment: datetime, *, flag: bool) -> Mapping[str, Any]:
    """What stands in the holes of a made-up certificate: all that an extract only shows."""
    texts = {name: f"\ue000{mark} {name}\ue000" for name in _TEXTS}
    hashes = dict.fromkeys(("token_sha256", "logged_sha256"), f"\ue000{mark} sha256\ue000")
    names = {f"\ue000{mark} names\ue000": ""}
    moments = {"status_since": moment, "issued_at": moment, "logged_at": moment + timedelta(days=2)}
    flags = {"holder_is_legal_person": flag, "during_investigation": flag}
    return {**texts, **hashes, "holder_voen": voen, "product_names": names, **moments, **flags}


_TEXTS: Final = (
    *("number", "scheme_code", "scheme_name", "holder_name", "holder_name_az", "hs6", "gtin", "park_code"),
    *("district", "country", "origin_criterion", "status_reason"),
)
# Two certificates that are alike in nothing that is only shown. Where their answers differ in more than that, the law
# looked at it: such rows are judged one by one.
_SAMPLES: Final = (
    _sample("a", "0000000001", datetime(1, 1, 2, tzinfo=UTC), flag=True),
    _sample("z", "9999999999", datetime(9998, 12, 30, tzinfo=UTC), flag=False),
)


def _form(
    law: Law, judged: Mapping[str, Any], keys: KeyRing, now: datetime, written: Callable[[Judgement], bytes]
) -> _Form | None:
    early, late = (_punched(law, CertificateRecord(**judged, **sample), keys, now, written) for sample in _SAMPLES)
    if early[:3] != late[:3]:
        return None
    verdict, text, places, as_of = early
    mark = hashlib.sha256(text + as_of.encode()).hexdigest()[:16].encode()
    return _Form(verdict, text, itemgetter(*places), as_of.encode(), mark)


def _punched(
    law: Law, record: CertificateRecord, keys: KeyRing, now: datetime, written: Callable[[Judgement], bytes]
) -> tuple[Verdict, bytes, tuple[int, ...], str]:
    """Verdict, text with `%b` in its holes, the hole at each, and the moment of the verdict."""
    judgement = law(record, keys, now)
    assert judgement.as_of is not None  # a row was found
    as_of = record.status_since + timedelta(days=1)  # none of its moments
    text = written(replace(judgement, as_of=as_of)).decode()
    face = jws.dump_json(snapshot.certificate_members(record)).decode()
    shown = (face, record.number, *map(format_utc, (record.status_since, as_of, record.logged_at or as_of)))
    holes = {hole: place for place, hole in enumerate(shown)}
    pieces = re.split("(" + "|".join(map(re.escape, holes)) + ")", text)
    form = "%b".join(piece.replace("%", "%%") for piece in pieces[::2])
    return judgement.verdict, form.encode(), tuple(holes[hole] for hole in pieces[1::2]), format_utc(judgement.as_of)
