"""Where checks are made: look up, then judge. The lane, the pages and the command line all come here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.certificates import number as numbers
from app.keys import KeyRing
from app.verification.checks import MISTYPED, Judgement, judge_number, judge_token, read_token
from app.verification.store import CertificateStore


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
