"""Verify certificates: look up the record, then evaluate it.

The API, the pages and the command line use the same service.
"""

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
"""A parsed item: a number in display form, a token, or None for a mistyped number."""
ClassifiedItem = str | SignatureResult | VerificationResult
"""A classified item: a number, the signature of a token not yet parsed, or a final result."""


PROCESSOR_COUNT = os.cpu_count() or 1
MIN_TOKENS_PER_THREAD = 100
"""Fewer tokens are not worth a thread of their own."""


@dataclass(frozen=True, slots=True)
class VerificationService:
    """Verify numbers and tokens. `keys` and `clock` are called for each verification.

    `keys` may be a second old. A key that became active within this second would look as if it did not sign yet: such
    keys are reloaded (`reload_keys`) and the item is evaluated again. `clock` returns aware moments.

    The `render_…` methods fill a response template from the certificate snapshot where they can; otherwise the record
    itself is evaluated.
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
        rejections = {item.verdict: self._render(item) for item in (MISTYPED, UNSIGNED, UNREADABLE)}
        object.__setattr__(self, "_rejections", rejections)

    def _render(self, result: VerificationResult) -> EncodedResponse:
        return encode_with_etag(result, self.base_url, demo=self.demo)

    def to_dict(self, result: VerificationResult) -> dict[str, Any]:
        """Build the response as a dictionary."""
        return to_dict(result, self.base_url, demo=self.demo)

    async def verify_number(self, text: str) -> VerificationResult:
        """Evaluate a number as a user typed it."""
        number = certificate_number.to_display_form(text)
        if number is None:
            return MISTYPED
        record = await self.store.find(number)
        return evaluate_number(record, self._keys_for(record), self.clock())

    async def verify_token(self, text: str) -> VerificationResult:
        """Evaluate a token, whatever text it is."""
        lookup = self._verify_token(text)
        record = await self.store.find(str(lookup.number)) if lookup.number else None
        return evaluate_token(lookup, record, self._keys_for(record), self.clock())

    def render_now(self, text: str) -> EncodedResponse | None:
        """Render the response for a number in exact display form, without waiting; None otherwise.

        Most verifications end here. The number is not parsed: one with a snapshot is correct.
        """
        snapshot = self.store.snapshot_now(text)
        return None if snapshot is None else self.number_templates.render(snapshot, self.keys(), self.clock())

    async def render_number(self, text: str) -> EncodedResponse:
        """Render the response for a number as a user typed it."""
        number = certificate_number.to_display_form(text)
        if number is None:
            return self.number_templates.mistyped
        snapshot = await self.store.find_snapshot(number)
        responses = self.number_templates.render(snapshot, self.keys(), self.clock()) if snapshot is not None else None
        return responses or self._render(await self.verify_number(number))

    async def render_token(self, text: str) -> EncodedResponse:
        """Render the response for a token.

        A token that was issued is found by its hash; only any other token is parsed.
        """
        signed = self._verify_signature(text)
        if isinstance(signed, VerificationResult):
            return self._rejections[signed.verdict]
        store = self.store
        snapshot = store.snapshot_now_by_hash(signed.hash) or await store.find_snapshot_by_hash(signed.hash)
        responses = self.token_templates.render(snapshot, self.keys(), self.clock()) if snapshot is not None else None
        return responses or self._render(await self.verify_token(text))

    async def render_many(self, items: Sequence[VerifyItem]) -> list[EncodedResponse]:
        """Render the responses for many items at one moment: one query for numbers, one for tokens.

        A thousand signatures take a tenth of a second: they are verified on a thread, so that single verifications
        continue.
        """
        classified = await self._classify_all(items)
        by_number = await self.store.find_snapshots(list({item for item in classified if isinstance(item, str)}))
        by_hash = await self.store.find_snapshots_by_hash(
            list({item.hash for item in classified if isinstance(item, SignatureResult)})
        )
        keys, now = self.keys(), self.clock()

        def render_one(classified: ClassifiedItem) -> EncodedResponse | None:
            """Returns None where the record itself must be evaluated."""
            if isinstance(classified, str):
                snapshot = by_number.get(classified)
                return self.number_templates.render(snapshot, keys, now) if snapshot is not None else None
            if isinstance(classified, SignatureResult):
                snapshot = by_hash.get(classified.hash)
                return self.token_templates.render(snapshot, keys, now) if snapshot is not None else None
            return self._rejections[classified.verdict]

        responses = await anyio.to_thread.run_sync(lambda: list(map(render_one, classified)))
        rest = [item for item, response in zip(items, responses, strict=True) if response is None]
        results = iter(await self._evaluate_many(rest, now))
        return [response or self._render(next(results)) for response in responses]

    async def _classify_all(self, items: Sequence[VerifyItem]) -> list[ClassifiedItem]:
        """Classify items on as many threads as there are processors: OpenSSL releases the GIL."""
        tokens = sum(item.kind == "token" for item in items)
        share = -(-len(items) // max(1, min(PROCESSOR_COUNT, tokens // MIN_TOKENS_PER_THREAD))) or 1
        shares = [items[first : first + share] for first in range(0, len(items), share)]
        batches = await asyncio.gather(*(anyio.to_thread.run_sync(self._classify_batch, item) for item in shares))
        return [item for batch in batches for item in batch]

    def _classify_batch(self, items: Sequence[VerifyItem]) -> list[ClassifiedItem]:
        return list(map(self._classify, items))

    def _classify(self, item: VerifyItem) -> ClassifiedItem:
        if item.kind == "number":
            return certificate_number.to_display_form(item.text) or MISTYPED
        return self._verify_signature(item.text)

    async def _evaluate_many(self, items: Sequence[VerifyItem], now: datetime) -> list[VerificationResult]:
        if not items:
            return []
        parsed = await anyio.to_thread.run_sync(lambda: list(map(self._parse_item, items)))
        records = await self.store.find_many(_distinct_numbers(parsed))
        return self._evaluate(parsed, records, now)

    def verify_many_sync(self, items: Sequence[VerifyItem]) -> list[VerificationResult]:
        """Evaluate many items at one moment, for threads and the command line."""
        parsed = list(map(self._parse_item, items))
        return self._evaluate(parsed, self.store.find_many_sync(_distinct_numbers(parsed)), self.clock())

    def _evaluate(
        self, parsed: Sequence[ParsedItem], records: Mapping[str, CertificateRecord], now: datetime
    ) -> list[VerificationResult]:
        keys = self._keys_for(*records.values())
        results = []
        for lookup in parsed:
            if lookup is None:
                results.append(MISTYPED)
            elif isinstance(lookup, TokenLookup):
                results.append(evaluate_token(lookup, records.get(str(lookup.number)), keys, now))
            else:
                results.append(evaluate_number(records.get(lookup), keys, now))
        return results

    def _parse_item(self, item: VerifyItem) -> ParsedItem:
        return certificate_number.to_display_form(item.text) if item.kind == "number" else self._verify_token(item.text)

    def _verify_token(self, text: str) -> TokenLookup:
        lookup = verify_token(text, self.keys())
        return verify_token(text, self.reload_keys()) if lookup.signed_with_next_key and self.reload_keys else lookup

    def _verify_signature(self, text: str) -> SignatureResult | VerificationResult:
        """Verify the signature; returns the final result where no published key signed the token."""
        keys = self.keys()
        signed = verify_signature(text, keys)
        if isinstance(signed, VerificationResult) or signed.kid in keys.may_have_signed:
            return signed
        return signed if self.reload_keys and signed.kid in self.reload_keys().may_have_signed else UNSIGNED

    def _keys_for(self, *records: CertificateRecord | None) -> KeyRing:
        """Return the keys, reloaded where a record names a key that does not sign yet."""
        keys = self.keys()
        if any(record is not None and record.kid not in keys.may_have_signed for record in records):
            return self.reload_keys() if self.reload_keys else keys
        return keys


def _distinct_numbers(parsed: Iterable[ParsedItem]) -> list[str]:
    """Return each number once, in the order of the items."""
    named = (lookup.number if isinstance(lookup, TokenLookup) else lookup for lookup in parsed)
    return list(dict.fromkeys(str(number) for number in named if number is not None))
