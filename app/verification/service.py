"""Where checks are made: look up, then judge. The lane, the pages and the command line all come here."""

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import anyio.to_thread

from app.certificates import certificate_number
from app.certificates.read_model.record import CertificateRecord
from app.core.crypto.jws import Signed
from app.core.crypto.keyring import KeyRing
from app.verification.request_parser import Question
from app.verification.response import Printed, as_members, print_judgement
from app.verification.response_templates import Forms
from app.verification.stores.base import CertificateStore
from app.verification.verdict import (
    MISTYPED,
    UNREADABLE,
    UNSIGNED,
    Judgement,
    TokenReading,
    Verdict,
    judge_issued_token,
    judge_number,
    judge_token,
    read_signature,
    read_token,
)

Reading = str | TokenReading | None
"""What a question turned out to be: a number in display form, a token, or None for a mistyped number."""
Glance = str | Signed | Judgement
"""The same at first sight: what a token says was not read; a verdict for what is no certificate of ours."""


PROCESSORS = os.cpu_count() or 1
LEAST_SHARE = 100
"""Tokens that are worth a thread of their own."""


@dataclass(frozen=True, slots=True)
class VerificationDesk:
    """All that a check needs. `keys` and `clock` are asked anew each time; `clock` gives aware moments.

    `keys` may be a second old. A key that took over within this second would look as if it did not sign yet: where one
    of ours turns up so, the keys are read anew (`reread`) and the question is judged again.

    What is only printed goes the short way where it can: the extract of a certificate, put into a form. Everything else
    is judged from the row itself.
    """

    store: CertificateStore
    keys: Callable[[], KeyRing]
    clock: Callable[[], datetime]
    base_url: str
    reread: Callable[[], KeyRing] | None = None
    demo: bool = False
    forms: Forms = field(init=False)
    token_forms: Forms = field(init=False)
    _refused: Mapping[Verdict, Printed] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "forms", Forms(self.base_url, demo=self.demo))
        object.__setattr__(self, "token_forms", Forms(self.base_url, judge_issued_token, demo=self.demo))
        refused = {each.verdict: self._print(each) for each in (MISTYPED, UNSIGNED, UNREADABLE)}
        object.__setattr__(self, "_refused", refused)

    def _print(self, judgement: Judgement) -> Printed:
        return print_judgement(judgement, self.base_url, demo=self.demo)

    def members(self, judgement: Judgement) -> dict[str, Any]:
        """The answer before it is encoded."""
        return as_members(judgement, self.base_url, demo=self.demo)

    async def by_number(self, text: str) -> Judgement:
        """The verdict on a number as somebody typed it."""
        number = certificate_number.display(text)
        if number is None:
            return MISTYPED
        record = await self.store.find(number)
        return judge_number(record, self._keys_for(record), self.clock())

    async def by_token(self, text: str) -> Judgement:
        """The verdict on a token, whatever text it is."""
        reading = self._read_token(text)
        record = await self.store.find(str(reading.number)) if reading.number else None
        return judge_token(reading, record, self._keys_for(record), self.clock())

    def print_at_once(self, text: str) -> Printed | None:
        """As `print_number`, for what the register knows letter by letter, since its numbers are right; None else.

        The way of nearly all checks, and the cheapest: nothing in it waits.
        """
        extract = self.store.extract_at_once(text)
        return None if extract is None else self.forms.fill(extract, self.keys(), self.clock())

    async def print_number(self, text: str) -> Printed:
        """As `by_number`, as the answer."""
        number = certificate_number.display(text)
        if number is None:
            return self.forms.mistyped
        extract = await self.store.find_extract(number)
        printed = self.forms.fill(extract, self.keys(), self.clock()) if extract is not None else None
        return printed or self._print(await self.by_number(number))

    async def print_token(self, text: str) -> Printed:
        """As `by_token`, as the answer. What we issued is known by its hash; only else is a token's content read."""
        signed = self._read_signature(text)
        if isinstance(signed, Judgement):
            return self._refused[signed.verdict]
        store = self.store
        extract = store.extract_at_once_of(signed.hash) or await store.find_extract_of(signed.hash)
        printed = self.token_forms.fill(extract, self.keys(), self.clock()) if extract is not None else None
        return printed or self._print(await self.by_token(text))

    async def print_many(self, questions: Sequence[Question]) -> list[Printed]:
        """The answers on many things at one moment; one look-up for all numbers, and one for all tokens.

        A thousand signatures take a tenth of a second: they are checked on a thread, so that single checks go on.
        """
        seen = await self._glance_at_all(questions)
        by_number = await self.store.find_extracts(list({each for each in seen if isinstance(each, str)}))
        by_hash = await self.store.find_extracts_of(list({each.hash for each in seen if isinstance(each, Signed)}))
        keys, now = self.keys(), self.clock()

        def print_one(seen: Glance) -> Printed | None:
            """None for what the short way does not serve."""
            if isinstance(seen, str):
                extract = by_number.get(seen)
                return self.forms.fill(extract, keys, now) if extract is not None else None
            if isinstance(seen, Signed):
                extract = by_hash.get(seen.hash)
                return self.token_forms.fill(extract, keys, now) if extract is not None else None
            return self._refused[seen.verdict]

        printed = await anyio.to_thread.run_sync(lambda: list(map(print_one, seen)))
        rest = [question for question, done in zip(questions, printed, strict=True) if done is None]
        judged = iter(await self._judge_many(rest, now))
        return [done or self._print(next(judged)) for done in printed]

    async def _glance_at_all(self, questions: Sequence[Question]) -> list[Glance]:
        """Many tokens on as many threads as there are processors: OpenSSL lets others go on while it works."""
        tokens = sum(question.kind == "token" for question in questions)
        share = -(-len(questions) // max(1, min(PROCESSORS, tokens // LEAST_SHARE))) or 1
        shares = [questions[first : first + share] for first in range(0, len(questions), share)]
        seen = await asyncio.gather(*(anyio.to_thread.run_sync(self._glance_at, each) for each in shares))
        return [glance for each in seen for glance in each]

    def _glance_at(self, questions: Sequence[Question]) -> list[Glance]:
        return list(map(self._glance, questions))

    def _glance(self, question: Question) -> Glance:
        if question.kind == "number":
            return certificate_number.display(question.text) or MISTYPED
        return self._read_signature(question.text)

    async def _judge_many(self, questions: Sequence[Question], now: datetime) -> list[Judgement]:
        if not questions:
            return []
        readings = await anyio.to_thread.run_sync(lambda: list(map(self._read, questions)))
        records = await self.store.find_many(_numbers(readings))
        return self._judge(readings, records, now)

    def many_now(self, questions: Sequence[Question]) -> list[Judgement]:
        """The verdicts on many things at one moment, for threads and the command line."""
        readings = list(map(self._read, questions))
        return self._judge(readings, self.store.find_many_now(_numbers(readings)), self.clock())

    def _judge(
        self, readings: Sequence[Reading], records: Mapping[str, CertificateRecord], now: datetime
    ) -> list[Judgement]:
        keys = self._keys_for(*records.values())
        judgements = []
        for reading in readings:
            if reading is None:
                judgements.append(MISTYPED)
            elif isinstance(reading, TokenReading):
                judgements.append(judge_token(reading, records.get(str(reading.number)), keys, now))
            else:
                judgements.append(judge_number(records.get(reading), keys, now))
        return judgements

    def _read(self, question: Question) -> Reading:
        return (
            certificate_number.display(question.text) if question.kind == "number" else self._read_token(question.text)
        )

    def _read_token(self, text: str) -> TokenReading:
        reading = read_token(text, self.keys())
        return read_token(text, self.reread()) if reading.is_early and self.reread else reading

    def _read_signature(self, text: str) -> Signed | Judgement:
        """The verdict for a token whose signature is not one of ours."""
        keys = self.keys()
        signed = read_signature(text, keys)
        if isinstance(signed, Judgement) or signed.kid in keys.signing:
            return signed
        return signed if self.reread and signed.kid in self.reread().signing else UNSIGNED

    def _keys_for(self, *records: CertificateRecord | None) -> KeyRing:
        """The keys, read anew where certificates of ours name one that does not sign yet."""
        keys = self.keys()
        if any(record is not None and record.kid not in keys.signing for record in records):
            return self.reread() if self.reread else keys
        return keys


def _numbers(readings: Iterable[Reading]) -> list[str]:
    """Each once, in the order of asking."""
    named = (reading.number if isinstance(reading, TokenReading) else reading for reading in readings)
    return list(dict.fromkeys(str(number) for number in named if number is not None))
