"""Verify deliveries of webhooks (Standard Webhooks): signature, age, and that each is taken once."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from made_in_karabakh.errors import MikClientError

TOLERANCE: Final = timedelta(minutes=5)
PREFIX: Final = "whsec_"


class WebhookRejected(MikClientError):
    """The delivery is not from the service, too old, or damaged. Answer 400."""


class AlreadyTaken(WebhookRejected):
    """The same delivery came before. Answer 200: a repetition of what you have is no fault."""


class SeenDeliveries(Protocol):
    """Remember ids of deliveries, such as in a table with a unique key."""

    def take(self, delivery_id: str, until: datetime) -> bool:
        """Remember the id at least until then, in one step; False if it is remembered already."""
        ...


class SeenInMemory:
    """Remember ids in this process. Not for a receiver of several processes, or one that restarts."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}

    def take(self, delivery_id: str, until: datetime) -> bool:
        now = until - 2 * TOLERANCE
        self._until = {each: end for each, end in self._until.items() if end > now}
        is_new = delivery_id not in self._until
        self._until.setdefault(delivery_id, until)
        return is_new


class WebhookVerifier:
    """Verify deliveries with the secrets of an endpoint: one, or two while a secret is being replaced.

    With `seen`, a repeated delivery is refused. Without it, make what you do with an event harmless to do twice.
    """

    def __init__(
        self, secrets: str | Sequence[str], *, tolerance: timedelta = TOLERANCE, seen: SeenDeliveries | None = None
    ) -> None:
        listed = [secrets] if isinstance(secrets, str) else list(secrets)
        self._keys = [base64.b64decode(each.removeprefix(PREFIX), validate=True) for each in listed]
        if not self._keys or not all(self._keys):
            raise ValueError("Name the secret of the endpoint: whsec_…")
        self._tolerance, self._seen = tolerance, seen

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> dict[str, Any]:
        """Return the event. `body` is what came, byte for byte; `now` is aware. Raises `WebhookRejected`."""
        named = {name.lower(): value for name, value in headers.items()}
        try:
            delivery, stamp, signatures = (named[f"webhook-{each}"] for each in ("id", "timestamp", "signature"))
        except KeyError as why:
            raise WebhookRejected(f"The header {why} is missing.") from None
        if not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 12):
            raise WebhookRejected("webhook-timestamp is no number of seconds.")
        sent = datetime.fromtimestamp(int(stamp), UTC)
        if abs(now - sent) > self._tolerance:
            raise WebhookRejected("The delivery is too old or from the future. Check your clock.")
        signed = f"{delivery}.{stamp}.".encode() + body
        given = [_decoded(each) for each in signatures.split(" ")]
        # Every pair is compared, in constant time: how long it takes tells nothing.
        matches = [hmac.compare_digest(_mac(key, signed), each) for key in self._keys for each in given]
        if not any(matches):
            raise WebhookRejected("The signature is wrong.")
        try:
            event = json.loads(body)
        except ValueError as why:
            raise WebhookRejected("The body is no JSON.") from why
        if not isinstance(event, dict):
            raise WebhookRejected("The body is no event.")
        if self._seen is not None and not self._seen.take(delivery, now + 2 * self._tolerance):
            raise AlreadyTaken("This delivery came before.")
        return event


def _mac(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, hashlib.sha256)


def _decoded(signature: str) -> bytes:
    """Return the bytes of a `v1` signature; none for another version or for what is no base64."""
    version, _, text = signature.partition(",")
    try:
        return base64.b64decode(text, validate=True) if version == "v1" else b""
    except (binascii.Error, ValueError):
        return b""
