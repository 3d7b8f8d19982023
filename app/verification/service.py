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
from app.core.crypto.jws import SignatureResult
from app.core.crypto.keyring import KeyRing
from app.verification.request_parser import VerifyItem
from app.verification.response import EncodedResponse, encode_with_etag, to_dict
from app.verification.response_templates import ResponseTemplates
from app.verification.stores.base import CertificateStore
from app.verification.verdict import (
    MISTYPED,
    UNREADABLE,
    UNSIGNED,
    TokenLookup,
    Verdict,
    VerificationResult,
    evaluate_issued_token,
    evaluate_number,
    evaluate_token,
    verify_signature,
    verify_token,
)

ParsedItem = str | TokenLookup | None
"""What a question turned out to be: a number in display form, a token, or None for a mistyped number."""
QuickRead = str | SignatureResult | VerificationResult
"""The same at first sight: what a token says was not read; a verdict for what is no certificate of ours."""


PROCESSOR_COUNT = os.cpu_count() or 1
MIN_TOKENS_PER_THREAD = 100
"""Tokens that are worth a thread of their own."""


@dataclass(frozen=True, slots=True)
class VerificationService:
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
    reload_keys: Callable[[], KeyRing] | None = None
    demo: bool = False
    number_templates: ResponseTemplates = field(init=False)
    token_templates: ResponseTemplates = field(init=False)
    _rejections: Mapping[Verdict, EncodedResponse] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "number_templates", ResponseTemplates(self.base_url, demo=self.demo))
        object.__setattr__(
            self, "token_templates", ResponseTemplates(self.base_url, evaluate_issued_token, demo=self.demo)
        )
        refused = {each.verdict: self._render(each) for each in (MISTYPED, UNSIGNED, UNREADABLE)}
        object.__setattr__(self, "_rejections", refused)

    def _render(self, judgement: VerificationResult) -> EncodedResponse:
        return encode_with_etag(judgement, self.base_url, demo=self.demo)

    def to_dict(self, judgement: VerificationResult) -> dict[str, Any]:
        """The answer before it is encoded."""
        return to_dict(judgement, self.base_url, demo=self.demo)

    async def verify_number(self, text: str) -> VerificationResult:
        """The verdict on a number as somebody typed it."""
        number = certificate_number.to_display_form(text)
        if number is None:
            return MISTYPED
        record = await self.store.find(number)
        return evaluate_number(record, self._keys_for(record), self.clock())

    async def verify_token(self, text: str) -> VerificationResult:
        """The verdict on a token, whatever text it is."""
        reading = self._verify_token(text)
        record = await self.store.find(str(reading.number)) if reading.number else None
        return evaluate_token(reading, record, self._keys_for(record), self.clock())

    def render_now(self, text: str) -> EncodedResponse | None:
        """As `print_number`, for what the register knows letter by letter, since its numbers are right; None else.

        The way of nearly all checks, and the cheapest: nothing in it waits.
        """
        extract = self.store.snapshot_now(text)
        return None if extract is None else self.number_templates.render(extract, self.keys(), self.clock())

    async def render_number(self, text: str) -> EncodedResponse:
        """As `by_number`, as the answer."""
        number = certificate_number.to_display_form(text)
        if number is None:
            return self.number_templates.mistyped
        extract = await self.store.find_snapshot(number)
        printed = self.number_templates.render(extract, self.keys(), self.clock()) if extract is not None else None
        return printed or self._render(await self.verify_number(number))

    async def render_token(self, text: str) -> EncodedResponse:
        """As `by_token`, as the answer. What we issued is known by its hash; only else is a token's content read."""
        signed = self._verify_signature(text)
        if isinstance(signed, VerificationResult):
            return self._rejections[signed.verdict]
        store = self.store
        extract = store.snapshot_now_by_hash(signed.hash) or await store.find_snapshot_by_hash(signed.hash)
        printed = self.token_templates.render(extract, self.keys(), self.clock()) if extract is not None else None
        return printed or self._render(await self.verify_token(text))

    async def render_many(self, questions: Sequence[VerifyItem]) -> list[EncodedResponse]:
        """The answers on many things at one moment; one look-up for all numbers, and one for all tokens.

        A thousand signatures take a tenth of a second: they are checked on a thread, so that single checks go on.
        """
        seen = await self._quick_read_all(questions)
        by_number = await self.store.find_snapshots(list({each for each in seen if isinstance(each, str)}))
        by_hash = await self.store.find_snapshots_by_hash(
            list({each.hash for each in seen if isinstance(each, SignatureResult)})
        )
        keys, now = self.keys(), self.clock()

        def print_one(seen: QuickRead) -> EncodedResponse | None:
            """None for what the short way does not serve."""
            if isinstance(seen, str):
                extract = by_number.get(seen)
                return self.number_templates.render(extract, keys, now) if extract is not None else None
            if isinstance(seen, SignatureResult):
                extract = by_hash.get(seen.hash)
                return self.token_templates.render(extract, keys, now) if extract is not None else None
            return self._rejections[seen.verdict]

        printed = await anyio.to_thread.run_sync(lambda: list(map(print_one, seen)))
        rest = [question for question, done in zip(questions, printed, strict=True) if done is None]
        judged = iter(await self._evaluate_many(rest, now))
        return [done or self._render(next(judged)) for done in printed]

    async def _quick_read_all(self, questions: Sequence[VerifyItem]) -> list[QuickRead]:
        """Many tokens on as many threads as there are processors: OpenSSL lets others go on while it works."""
        tokens = sum(question.kind == "token" for question in questions)
        share = -(-len(questions) // max(1, min(PROCESSOR_COUNT, tokens // MIN_TOKENS_PER_THREAD))) or 1
        shares = [questions[first : first + share] for first in range(0, len(questions), share)]
        seen = await asyncio.gather(*(anyio.to_thread.run_sync(self._quick_read_batch, each) for each in shares))
        return [glance for each in seen for glance in each]

    def _quick_read_batch(self, questions: Sequence[VerifyItem]) -> list[QuickRead]:
        return list(map(self._quick_read, questions))

    def _quick_read(self, question: VerifyItem) -> QuickRead:
        if question.kind == "number":
            return certificate_number.to_display_form(question.text) or MISTYPED
        return self._verify_signature(question.text)

    async def _evaluate_many(self, questions: Sequence[VerifyItem], now: datetime) -> list[VerificationResult]:
        if not questions:
            return []
        readings = await anyio.to_thread.run_sync(lambda: list(map(self._parse_item, questions)))
        records = await self.store.find_many(_distinct_numbers(readings))
        return self._evaluate(readings, records, now)

    def verify_many_sync(self, questions: Sequence[VerifyItem]) -> list[VerificationResult]:
        """The verdicts on many things at one moment, for threads and the command line."""
        readings = list(map(self._parse_item, questions))
        return self._evaluate(readings, self.store.find_many_sync(_distinct_numbers(readings)), self.clock())

    def _evaluate(
        self, readings: Sequence[ParsedItem], records: Mapping[str, CertificateRecord], now: datetime
    ) -> list[VerificationResult]:
        keys = self._keys_for(*records.values())
        judgements = []
        for reading in readings:
            if reading is None:
                judgements.append(MISTYPED)
            elif isinstance(reading, TokenLookup):
                judgements.append(evaluate_token(reading, records.get(str(reading.number)), keys, now))
            else:
                judgements.append(evaluate_number(records.get(reading), keys, now))
        return judgements

    def _parse_item(self, question: VerifyItem) -> ParsedItem:
        return (
            certificate_number.to_display_form(question.text)
            if question.kind == "number"
            else self._verify_token(question.text)
        )

    def _verify_token(self, text: str) -> TokenLookup:
        reading = verify_token(text, self.keys())
        return verify_token(text, self.reload_keys()) if reading.signed_with_next_key and self.reload_keys else reading

    def _verify_signature(self, text: str) -> SignatureResult | VerificationResult:
        """The verdict for a token whose signature is not one of ours."""
        keys = self.keys()
        signed = verify_signature(text, keys)
        if isinstance(signed, VerificationResult) or signed.kid in keys.may_have_signed:
            return signed
        return signed if self.reload_keys and signed.kid in self.reload_keys().may_have_signed else UNSIGNED

    def _keys_for(self, *records: CertificateRecord | None) -> KeyRing:
        """The keys, read anew where certificates of ours name one that does not sign yet."""
        keys = self.keys()
        if any(record is not None and record.kid not in keys.may_have_signed for record in records):
            return self.reload_keys() if self.reload_keys else keys
        return keys


def _distinct_numbers(readings: Iterable[ParsedItem]) -> list[str]:
    """Each once, in the order of asking."""
    named = (reading.number if isinstance(reading, TokenLookup) else reading for reading in readings)
    return list(dict.fromkeys(str(number) for number in named if number is not None))
