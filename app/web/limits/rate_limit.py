"""Limit verifications per client address, counted in memory by each worker.

One faulty script must not slow down other clients. Pages have no limit of their own.
"""

import ipaddress
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from app.core.errors import TooManyAttempts
from app.core.messages import Message

MAX_ADDRESSES: Final = 65_536
BATCH_COST: Final = 100
"""A batch of up to a thousand numbers counts as a tenth of a thousand requests."""

FILE_COST: Final = 100
"""A PDF file is read in a process of its own."""


class RateLimiter:
    """Allow `per_minute` verifications per address, in a burst if needed; 0: no limit. `clock`: monotonic seconds.

    An address is dropped after a minute without a request. An IPv6 address counts as its /64 network, because one
    client has all addresses of it. Proxies named in `trusted` are not counted: a request from such an address lacks the
    address of its sender.
    """

    def __init__(
        self, per_minute: int, trusted: Iterable[str] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cost = 60 / per_minute if per_minute else 0.0
        self._trusted = [ipaddress.ip_network(each) for each in trusted]
        self._clock = clock
        self._tat: dict[str, float] = {}
        """Client key → theoretical arrival time (generic cell rate algorithm: one number per client)."""
        self._cached_client_key = lru_cache(4_096)(self._client_key)

    def hit(self, address: str, count: int = 1) -> None:
        """Count verifications. Raises `TooManyAttempts` with the seconds until the next one is allowed."""
        if not self._cost:
            return
        client_key = self._cached_client_key(address)
        if client_key is None:
            return
        now = self._clock()
        free_at = max(self._tat.get(client_key, now), now) + count * self._cost
        if free_at > now + 60:
            wait = int(free_at - now - 60) + 1
            raise TooManyAttempts(
                Message(
                    "Too many checks from your address. Wait %(seconds)s s, or send many numbers at once to "
                    "/v1/verify/batch.",
                    seconds=wait,
                ),
                retry_after=wait,
            )
        if len(self._tat) >= MAX_ADDRESSES and client_key not in self._tat:
            self._drop_idle(now)
        self._tat[client_key] = free_at

    def _drop_idle(self, now: float) -> None:
        """Drop clients below their limit; where these are too few, drop all."""
        self._tat = {client_key: free_at for client_key, free_at in self._tat.items() if free_at > now}
        if len(self._tat) > MAX_ADDRESSES // 2:
            self._tat.clear()

    def _client_key(self, address: str) -> str | None:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return address  # the address of a socket without an IP address
        if any(parsed in network for network in self._trusted):
            return None
        if isinstance(parsed, ipaddress.IPv6Address):
            mapped = parsed.ipv4_mapped
            return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
        return address
