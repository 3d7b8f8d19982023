"""Verify certificates: answer from the snapshot, or evaluate token and log where no snapshot may be used.

The API, the pages and the command line use the same service.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import anyio.to_thread
from sqlalchemy.orm import Session

from app.certificates import certificate_number
from app.certificates.certificate_number import has_display_shape
from app.certificates.read_model import snapshot_repository
from app.certificates.read_model.record import CertificateRecord
from app.certificates.read_model.snapshot import Snapshot
from app.core.crypto.jws import SignatureResult
from app.core.crypto.keyring import KeyRing
from app.core.text.marking import Marking
from app.verification.evaluation import RecordProver, evaluate_items
from app.verification.request_parser import VerifyItem
from app.verification.response import (
    EncodedResponse,
    encode_with_etag,
    parse_snapshot,
    to_dict,
    to_token_body,
    verdict_in,
)
from app.verification.snapshots import SnapshotCheck
from app.verification.stores.base import SnapshotStore
from app.verification.verdict import (
    MISTYPED,
    UNREADABLE,
    UNSIGNED,
    Verdict,
    VerificationResult,
    evaluate_number,
    verify_signature,
)

ClassifiedItem = str | SignatureResult | VerificationResult
"""A classified item: a number, the signature of a token not yet parsed, or a final result."""


class ShownCertificate(NamedTuple):
    """A certificate as token and log prove it, with its evaluation."""

    record: CertificateRecord
    result: VerificationResult


PROCESSOR_COUNT = os.cpu_count() or 1
MIN_TOKENS_PER_THREAD = 100
"""Fewer tokens are not worth a thread of their own."""


@dataclass(frozen=True, slots=True)
class VerificationService:
    """Verify numbers and tokens. `keys` and `clock` are called for each verification.

    `keys` may be a second old. A key that became active within this second would look as if it did not sign yet: such
    keys are reloaded (`reload_keys`) and the item is evaluated again. `clock` returns aware moments.

    The `render_…` methods return the body of a snapshot where `check` accepts it; otherwise the record is proven and
    evaluated, on a thread. Nothing is written while reading.
    """

    store: SnapshotStore
    records: RecordProver
    check: SnapshotCheck
    keys: Callable[[], KeyRing]
    clock: Callable[[], datetime]
    base_url: str
    reload_keys: Callable[[], KeyRing] | None = None
    marking: Marking | None = None
    _rejections: Mapping[Verdict, EncodedResponse] = field(init=False)

    def __post_init__(self) -> None:
        rejections = {item.verdict: self._render(item) for item in (MISTYPED, UNSIGNED, UNREADABLE)}
        object.__setattr__(self, "_rejections", rejections)

    def _render(self, result: VerificationResult) -> EncodedResponse:
        return encode_with_etag(result, self.base_url, marking=self.marking)

    def to_dict(self, result: VerificationResult) -> dict[str, Any]:
        """Build the response as a dictionary."""
        return to_dict(result, self.base_url, marking=self.marking)

    def _accept(self, snapshot: Snapshot | None, asked: str, keys: KeyRing, now: float) -> Snapshot | None:
        """Return the snapshot of the number that was asked for, if it may be used: a row can claim to be another."""
        return snapshot if snapshot and snapshot.number == asked and self.check.accepts(snapshot, keys, now) else None

    def _accept_hash(self, snapshot: Snapshot | None, asked: bytes, keys: KeyRing, now: float) -> Snapshot | None:
        good = snapshot and snapshot.signed_hash == asked and self.check.accepts(snapshot, keys, now)
        return snapshot if good else None

    async def verify_number(self, text: str) -> VerificationResult:
        """Evaluate a number as a user typed it."""
        number = certificate_number.to_display_form(text)
        if number is None:
            return MISTYPED
        snapshot = self.store.snapshot_now(number) or await self.store.find_snapshot(number)
        now = self.clock()
        good = self._accept(snapshot, number, self.keys(), now.timestamp())
        if good and (kept := parse_snapshot(good)):
            return kept
        (result,) = await anyio.to_thread.run_sync(self._evaluate_items, [VerifyItem("number", number)], now)
        return result

    async def verify_token(self, text: str) -> VerificationResult:
        """Evaluate a token, whatever text it is."""
        (result,) = await anyio.to_thread.run_sync(self._evaluate_items, [VerifyItem("token", text)], self.clock())
        return result

    def render_now(self, text: str) -> EncodedResponse | None:
        """Render the response for a number in exact display form, without waiting; None otherwise.

        Most verifications end here. The number is not parsed: one with a genuine snapshot is correct.
        """
        snapshot = self.store.snapshot_now(text)
        good = self._accept(snapshot, text, self.keys(), self.clock().timestamp())
        return _of_number(good) if good else None

    async def render_number(self, text: str) -> EncodedResponse:
        """Render the response for a number as a user typed it."""
        number = certificate_number.to_display_form(text)
        if number is None:
            return self._rejections[Verdict.MISTYPED]
        snapshot = await self.store.find_snapshot(number)
        now = self.clock()
        if good := self._accept(snapshot, number, self.keys(), now.timestamp()):
            return _of_number(good)
        (result,) = await anyio.to_thread.run_sync(self._evaluate_items, [VerifyItem("number", number)], now)
        return self._render(result)

    async def render_token(self, text: str) -> EncodedResponse:
        """Render the response for a token.

        A token that was issued is found by its hash; only any other token is parsed.
        """
        signed = self._verify_signature(text)
        if isinstance(signed, VerificationResult):
            return self._rejections[signed.verdict]
        store = self.store
        snapshot = store.snapshot_now_by_hash(signed.hash) or await store.find_snapshot_by_hash(signed.hash)
        if good := self._accept_hash(snapshot, signed.hash, self.keys(), self.clock().timestamp()):
            return _of_token(good)
        return self._render(await self.verify_token(text))

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
        seconds = now.timestamp()

        def render_one(classified: ClassifiedItem) -> EncodedResponse | None:
            """Returns None where the record itself must be evaluated."""
            if isinstance(classified, str):
                if good := self._accept(by_number.get(classified), classified, keys, seconds):
                    return _of_number(good)  # so its check character is right, which was not looked at
                return None if certificate_number.to_display_form(classified) else self._rejections[Verdict.MISTYPED]
            if isinstance(classified, SignatureResult):
                good = self._accept_hash(by_hash.get(classified.hash), classified.hash, keys, seconds)
                return _of_token(good) if good else None
            return self._rejections[classified.verdict]

        responses = await anyio.to_thread.run_sync(lambda: list(map(render_one, classified)))
        rest = [item for item, response in zip(items, responses, strict=True) if response is None]
        results = iter(await anyio.to_thread.run_sync(self._evaluate_items, rest, now) if rest else ())
        return [response or self._render(next(results)) for response in responses]

    def read_many(self, session: Session, numbers: Sequence[str], now: datetime) -> dict[str, ShownCertificate]:
        """Return these certificates for register, files and documents; those of which nothing is logged are left out.

        Raises `RecordDamaged`, `LogDamaged`: a list that cannot be proven is not shown.
        """
        keys, seconds = self.keys(), now.timestamp()
        rows = snapshot_repository.by_number(session, numbers)
        found, rest = {}, []
        for number in numbers:
            good = self._accept(rows.get(number), number, keys, seconds)
            if good and (kept := parse_snapshot(good)):
                found[number] = _shown(kept)
            else:
                rest.append(number)
        if rest:
            records = self.records.load(session, rest, keys, now)
            for number, record in records.items():
                if record.logged_at is not None:
                    result = evaluate_number(record, keys, now)
                    found[number] = ShownCertificate(result.record or record, result)
        return {number: found[number] for number in numbers if number in found}

    async def _classify_all(self, items: Sequence[VerifyItem]) -> list[ClassifiedItem]:
        """Classify items; tokens on as many threads as there are processors: OpenSSL releases the GIL."""
        tokens = sum(item.kind == "token" for item in items)
        if not tokens:
            return self._classify_batch(items)
        share = -(-len(items) // max(1, min(PROCESSOR_COUNT, tokens // MIN_TOKENS_PER_THREAD))) or 1
        shares = [items[first : first + share] for first in range(0, len(items), share)]
        batches = await asyncio.gather(*(anyio.to_thread.run_sync(self._classify_batch, item) for item in shares))
        return [item for batch in batches for item in batch]

    def _classify_batch(self, items: Sequence[VerifyItem]) -> list[ClassifiedItem]:
        return list(map(self._classify, items))

    def _classify(self, item: VerifyItem) -> ClassifiedItem:
        if item.kind == "number":
            text = item.text
            return text if has_display_shape(text) else certificate_number.to_display_form(text) or MISTYPED
        return self._verify_signature(item.text)

    def verify_numbers_sync(self, session: Session, texts: Sequence[str], now: datetime) -> list[VerificationResult]:
        """Evaluate numbers as users typed them, for threads: from snapshots, and proven where none may be used."""
        keys = self.keys()
        numbers = [certificate_number.to_display_form(text) for text in texts]
        rows = snapshot_repository.by_number(session, list({number for number in numbers if number}))
        found: dict[str, VerificationResult] = {}
        for number in {number for number in numbers if number}:
            good = self._accept(rows.get(number), number, keys, now.timestamp())
            if good and (kept := parse_snapshot(good)):
                found[number] = kept
        rest = sorted({number for number in numbers if number} - found.keys())
        results = self._evaluate_items([VerifyItem("number", number) for number in rest], now) if rest else []
        found |= dict(zip(rest, results, strict=True))
        return [found[number] if number else MISTYPED for number in numbers]

    def verify_many_sync(self, items: Sequence[VerifyItem]) -> list[VerificationResult]:
        """Prove and evaluate many items at one moment, for threads. Snapshots are not used."""
        return self._evaluate_items(items, self.clock())

    def _evaluate_items(self, items: Sequence[VerifyItem], now: datetime) -> list[VerificationResult]:
        keys = self.keys()
        self.check.log.require_current()
        return evaluate_items(self.records, items, keys, now, self.reload_keys)

    def _verify_signature(self, text: str) -> SignatureResult | VerificationResult:
        """Verify the signature; returns the final result where no published key signed the token."""
        keys = self.keys()
        self.check.log.require_current()
        signed = verify_signature(text, keys)
        if isinstance(signed, VerificationResult) or signed.kid in keys.may_have_signed:
            return signed
        return signed if self.reload_keys and signed.kid in self.reload_keys().may_have_signed else UNSIGNED


def _shown(result: VerificationResult) -> ShownCertificate:
    assert result.record is not None  # a snapshot is only of a certificate that may be shown
    return ShownCertificate(result.record, result)


def _of_number(snapshot: Snapshot) -> EncodedResponse:
    return verdict_in(snapshot.body), snapshot.body, snapshot.etag.encode()


def _of_token(snapshot: Snapshot) -> EncodedResponse:
    return verdict_in(snapshot.body), to_token_body(snapshot.body), snapshot.etag.encode()
