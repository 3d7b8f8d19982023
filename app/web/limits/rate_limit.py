"""How often one address may check, counted in memory by each worker for itself.

Not to spare the service, which answers a check in the time of a few headers, but so that nobody can copy the whole
register by asking for number after number, and so that one broken script does not slow down everybody.
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
"""A batch may hold a thousand numbers, but costs a tenth of a thousand requests."""

FILE_COST: Final = 100
"""A file starts a process of its own."""


class RateLimiter:
    """`per_minute` checks from each address, all at once if need be; 0 counts nothing. `clock`: seconds that only grow.

    An address for which nothing was counted for a minute is forgotten. An IPv6 address counts as its network of 64
    bits, since whoever has one has all of them. The proxies named in `trusted` are never counted: a request that seems
    to come from them came without the address of its sender, and might be anybody's.
    """

    def __init__(
        self, per_minute: int, trusted: Iterable[str] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cost = 60 / per_minute if per_minute else 0.0
        self._trusted = [ipaddress.ip_network(each) for each in trusted]
        self._clock = clock
        self._tat: dict[str, float] = {}
        """Address → when all that it spent is given back (the generic cell rate algorithm: one number for each)."""
        self._cached_client_key = lru_cache(4_096)(self._client_key)

    def hit(self, address: str, count: int = 1) -> None:
        """Errors: TooManyAttempts, with the seconds after which there is room again."""
        if not self._cost:
            return
        payer = self._cached_client_key(address)
        if payer is None:
            return
        now = self._clock()
        free_at = max(self._tat.get(payer, now), now) + count * self._cost
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
        if len(self._tat) >= MAX_ADDRESSES and payer not in self._tat:
            self._drop_idle(now)
        self._tat[payer] = free_at

    def _drop_idle(self, now: float) -> None:
        """Those to whom all was given back; where these are too few, everybody begins anew."""
        self._tat = {payer: free_at for payer, free_at in self._tat.items() if free_at > now}
        if len(self._tat) > MAX_ADDRESSES // 2:
            self._tat.clear()

    def _client_key(self, address: str) -> str | None:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return address  # a socket without an address
        if any(parsed in network for network in self._trusted):
            return None
        if isinstance(parsed, ipaddress.IPv6Address):
            mapped = parsed.ipv4_mapped
            return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
        return address
