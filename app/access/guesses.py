"""Throttling of guesses, pure numbers over the store: by account and address together, by address, by account.

Counting only by account would let anybody lock out a reviewer; counting only by address would let a botnet guess on.
The account alone therefore has the widest limit.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.access import store
from app.errors import TooManyAttempts

WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limit:
    key: str
    most: int


def limits(account: str, address: str) -> tuple[Limit, ...]:
    return (
        Limit(_key("account+address", account, address), 10),
        Limit(_key("address", address), 100),
        Limit(_key("account", account), 50),
    )


def refuse_if_exhausted(session: Session, account: str, address: str, now: datetime) -> None:
    for limit in limits(account, address):
        if store.failures(session, limit.key, now - WINDOW) >= limit.most:
            raise TooManyAttempts(
                "Too many failed attempts. Wait a quarter of an hour, then try again.",
                retry_after=int(WINDOW.total_seconds()),
            )


def count_failure(session: Session, account: str, address: str, now: datetime) -> None:
    for limit in sorted(limits(account, address), key=lambda each: each.key):  # one order of locks for everybody
        store.add_failure(session, limit.key, now, now - WINDOW)


def forgive(session: Session, account: str, address: str) -> None:
    """A right password clears what this account failed from this address, not what the address failed elsewhere."""
    store.clear_failures(session, limits(account, address)[0].key)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
