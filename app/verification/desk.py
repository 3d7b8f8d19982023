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
    """All that a check needs. `keys` and `clock` are asked anew each time; `clock` gives aware moments."""

    store: CertificateStore
    keys: Callable[[], KeyRing]
    clock: Callable[[], datetime]
    base_url: str

    async def by_number(self, text: str) -> Judgement:
        """The verdict on a number as somebody typed it."""
        number = numbers.parse(text)
        if number is None:
            return MISTYPED
        return judge_number(await self.store.find(number), self.keys(), self.clock())

    async def by_token(self, text: str) -> Judgement:
        """The verdict on a token, whatever text it is."""
        keys = self.keys()
        reading = read_token(text, keys)
        record = await self.store.find(reading.number) if reading.number else None
        return judge_token(reading, record, keys, self.clock())

    async def many(self, questions: Sequence[Question], encode: Callable[[list[Judgement]], bytes]) -> bytes:
        """The verdicts on many things at one moment, encoded; one look-up for all of them.

        A thousand signatures take a tenth of a second: they are checked on a thread, so that single checks go on.
        """
        keys, now = self.keys(), self.clock()
        readings = await anyio.to_thread.run_sync(_read, questions, keys)
        records = await self.store.find_many(_numbers(readings))
        return await anyio.to_thread.run_sync(lambda: encode(_judge(readings, records, keys, now)))

    def many_now(self, questions: Sequence[Question]) -> list[Judgement]:
        """As `many`, for threads and the command line."""
        keys, now = self.keys(), self.clock()
        readings = _read(questions, keys)
        return _judge(readings, self.store.find_many_now(_numbers(readings)), keys, now)

    def by_number_now(self, text: str) -> Judgement:
        """As `by_number`, for threads and the command line."""
        number = numbers.parse(text)
        if number is None:
            return MISTYPED
        return judge_number(self.store.find_now(number), self.keys(), self.clock())

    def by_token_now(self, text: str) -> Judgement:
        """As `by_token`, for threads and the command line."""
        keys = self.keys()
        reading = read_token(text, keys)
        record = self.store.find_now(reading.number) if reading.number else None
        return judge_token(reading, record, keys, self.clock())


def _read(questions: Sequence[Question], keys: KeyRing) -> list[Reading]:
    return [numbers.parse(q.text) if q.kind == "number" else read_token(q.text, keys) for q in questions]


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
