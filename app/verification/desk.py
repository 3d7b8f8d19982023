"""Where checks are made: look up, then judge. The lane, the pages and the command line all come here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import anyio.to_thread

from app.certificates import number as numbers
from app.certificates.number import CertificateNumber
from app.keys import KeyRing
from app.verification.answer import answer_many
from app.verification.checks import (
    MISTYPED,
    Judgement,
    TokenReading,
    Verdict,
    judge_issued_token,
    judge_number,
    judge_token,
    read_token,
)
from app.verification.forms import Forms
from app.verification.questions import Question
from app.verification.record import CertificateRecord
from app.verification.row import Row, from_row
from app.verification.store import CertificateStore

Reading = CertificateNumber | TokenReading | None
"""What a question turned out to be; None for a mistyped number."""
_KID = CertificateRecord._fields.index("kid")
_SHA256 = CertificateRecord._fields.index("token_sha256")


@dataclass(frozen=True, slots=True)
class VerificationDesk:
    """All that a check needs. `keys` and `clock` are asked anew each time; `clock` gives aware moments.

    `keys` may be a second old. A key that took over within this second would look as if it did not sign yet: where one
    of ours turns up so, the keys are read anew (`reread`) and the question is judged again.
    """

    store: CertificateStore
    keys: Callable[[], KeyRing]
    clock: Callable[[], datetime]
    base_url: str
    reread: Callable[[], KeyRing] | None = None
    forms: Forms = field(init=False)
    token_forms: Forms = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "forms", Forms(self.base_url))
        object.__setattr__(self, "token_forms", Forms(self.base_url, judge_issued_token))

    async def by_number(self, text: str) -> Judgement:
        """The verdict on a number as somebody typed it."""
        number = numbers.parse(text)
        if number is None:
            return MISTYPED
        record = await self.store.find(number)
        return judge_number(record, self._keys_for(_kid_of(record)), self.clock())

    async def by_token(self, text: str) -> Judgement:
        """The verdict on a token, whatever text it is."""
        reading = self._read_token(text)
        record = await self.store.find(reading.number) if reading.number else None
        return judge_token(reading, record, self._keys_for(_kid_of(record)), self.clock())

    async def print_number(self, text: str) -> tuple[Verdict, bytes]:
        """As `by_number`, as the JSON body of an answer: the way of nearly all checks, and the cheapest."""
        number = numbers.display(text)
        if number is None:
            return self.forms.mistyped
        row = await self.store.find_row(number)
        return self.forms.unknown if row is None else self.forms.fill(row, self._keys_for((row[_KID],)), self.clock())

    async def print_token(self, text: str) -> tuple[Verdict, bytes]:
        """As `by_token`, as the JSON body of an answer."""
        number, reading = self._look_at(Question("token", text))
        row = await self.store.find_row(number) if number is not None else None
        keys = self._keys_for(() if row is None else (row[_KID],))
        return self._print(number, reading, row, keys, self.clock())

    async def print_many(self, questions: Sequence[Question]) -> tuple[list[Verdict], bytes]:
        """The verdicts on many things at one moment, and the JSON body of the answer; one look-up for all of them.

        A thousand signatures take a tenth of a second: they are checked on a thread, so that single checks go on.
        """
        asked = await anyio.to_thread.run_sync(lambda: list(map(self._look_at, questions)))
        rows = await self.store.find_rows(list({number for number, _ in asked if number is not None}))
        keys, now = self._keys_for(row[_KID] for row in rows.values()), self.clock()

        def print_all() -> tuple[list[Verdict], bytes]:
            printed = [
                self._print(number, reading, rows.get(number) if number else None, keys, now)
                for number, reading in asked
            ]
            return [verdict for verdict, _ in printed], answer_many(body for _, body in printed)

        return await anyio.to_thread.run_sync(print_all)

    def _print(
        self, number: str | None, reading: TokenReading | None, row: Row | None, keys: KeyRing, now: datetime
    ) -> tuple[Verdict, bytes]:
        if reading is not None:
            if row is not None and reading.verified is not None and row[_SHA256] == reading.verified.signed_hash:
                return self.token_forms.fill(row, keys, now)
            return self.forms.print(judge_token(reading, None if row is None else from_row(row), keys, now))
        if number is None:
            return self.forms.mistyped
        return self.forms.unknown if row is None else self.forms.fill(row, keys, now)

    def many_now(self, questions: Sequence[Question]) -> list[Judgement]:
        """The verdicts on many things at one moment, for threads and the command line."""
        readings = [numbers.parse(q.text) if q.kind == "number" else self._read_token(q.text) for q in questions]
        records = self.store.find_many_now(_numbers(readings))
        return _judge(readings, records, self._keys_for(record.kid for record in records.values()), self.clock())

    def by_number_now(self, text: str) -> Judgement:
        """As `by_number`, for threads and the command line."""
        number = numbers.parse(text)
        if number is None:
            return MISTYPED
        record = self.store.find_now(number)
        return judge_number(record, self._keys_for(_kid_of(record)), self.clock())

    def by_token_now(self, text: str) -> Judgement:
        """As `by_token`, for threads and the command line."""
        reading = self._read_token(text)
        record = self.store.find_now(reading.number) if reading.number else None
        return judge_token(reading, record, self._keys_for(_kid_of(record)), self.clock())

    def _read_token(self, text: str) -> TokenReading:
        reading = read_token(text, self.keys())
        return read_token(text, self.reread()) if reading.is_early and self.reread else reading

    def _look_at(self, question: Question) -> tuple[str | None, TokenReading | None]:
        """The number to look up, if any, and what a token says."""
        if question.kind == "number":
            return numbers.display(question.text), None
        reading = self._read_token(question.text)
        return str(reading.number) if reading.number else None, reading

    def _keys_for(self, kids: Iterable[str]) -> KeyRing:
        """The keys, read anew where certificates of ours name one that does not sign yet."""
        keys = self.keys()
        for kid in kids:
            if kid not in keys.signing:
                return self.reread() if self.reread else keys
        return keys


def _kid_of(record: CertificateRecord | None) -> tuple[str, ...]:
    return () if record is None else (record.kid,)


def _number(reading: Reading) -> CertificateNumber | None:
    return reading.number if isinstance(reading, TokenReading) else reading


def _numbers(readings: Sequence[Reading]) -> list[CertificateNumber]:
    """Each once, in the order of asking."""
    return list(dict.fromkeys(number for number in map(_number, readings) if number is not None))


def _judge(
    readings: Sequence[Reading], records: Mapping[str, CertificateRecord], keys: KeyRing, now: datetime
) -> list[Judgement]:
    judgements = []
    for reading in readings:
        record = records.get(str(_number(reading)))
        if reading is None:
            judgements.append(MISTYPED)
        elif isinstance(reading, TokenReading):
            judgements.append(judge_token(reading, record, keys, now))
        else:
            judgements.append(judge_number(record, keys, now))
    return judgements
