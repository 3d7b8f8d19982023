"""Where checks are made: look up, then judge. The lane, the pages and the command line all come here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import anyio.to_thread

from app.certificates import number as numbers
from app.certificates.number import CertificateNumber
from app.keys import KeyRing
from app.verification.checks import MISTYPED, Judgement, TokenReading, judge_number, judge_token, read_token
from app.verification.questions import Question
from app.verification.record import CertificateRecord
from app.verification.store import CertificateStore

Reading = CertificateNumber | TokenReading | None
"""What a question turned out to be; None for a mistyped number."""


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

    async def by_number(self, text: str) -> Judgement:
        """The verdict on a number as somebody typed it."""
        number = numbers.parse(text)
        if number is None:
            return MISTYPED
        record = await self.store.find(number)
        return judge_number(record, self._keys_for(record), self.clock())

    async def by_token(self, text: str) -> Judgement:
        """The verdict on a token, whatever text it is."""
        reading = self._read_token(text)
        record = await self.store.find(reading.number) if reading.number else None
        return judge_token(reading, record, self._keys_for(record), self.clock())

    async def many(self, questions: Sequence[Question], encode: Callable[[list[Judgement]], bytes]) -> bytes:
        """The verdicts on many things at one moment, encoded; one look-up for all of them.

        A thousand signatures take a tenth of a second: they are checked on a thread, so that single checks go on.
        """
        readings = await anyio.to_thread.run_sync(self._read, questions)
        records = await self.store.find_many(_numbers(readings))
        keys, now = self._keys_for(*records.values()), self.clock()
        return await anyio.to_thread.run_sync(lambda: encode(_judge(readings, records, keys, now)))

    def many_now(self, questions: Sequence[Question]) -> list[Judgement]:
        """As `many`, for threads and the command line."""
        readings = self._read(questions)
        records = self.store.find_many_now(_numbers(readings))
        return _judge(readings, records, self._keys_for(*records.values()), self.clock())

    def by_number_now(self, text: str) -> Judgement:
        """As `by_number`, for threads and the command line."""
        number = numbers.parse(text)
        if number is None:
            return MISTYPED
        record = self.store.find_now(number)
        return judge_number(record, self._keys_for(record), self.clock())

    def by_token_now(self, text: str) -> Judgement:
        """As `by_token`, for threads and the command line."""
        reading = self._read_token(text)
        record = self.store.find_now(reading.number) if reading.number else None
        return judge_token(reading, record, self._keys_for(record), self.clock())

    def _read_token(self, text: str) -> TokenReading:
        reading = read_token(text, self.keys())
        return read_token(text, self.reread()) if reading.is_early and self.reread else reading

    def _read(self, questions: Sequence[Question]) -> list[Reading]:
        return [numbers.parse(q.text) if q.kind == "number" else self._read_token(q.text) for q in questions]

    def _keys_for(self, *records: CertificateRecord | None) -> KeyRing:
        """The keys, read anew where a certificate of ours names one that does not sign yet."""
        keys = self.keys()
        if self.reread and any(record is not None and record.kid not in keys.signing for record in records):
            return self.reread()
        return keys


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
