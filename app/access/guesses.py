"""Throttling of guesses, pure numbers over the store: by account and address together, by address, by account.

Counting only by account would let anybody lock out a reviewer; counting only by address would let a botnet guess on.
The account alone therefore has the widest limit.

Codes of an authenticator are counted apart, and by account alone: they have a million values, and whoever gets to guess
them has the password already. A right password must not forgive them: it would let its thief go on for ever.
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import store
from app.core.messages import Message
from app.errors import TooManyAttempts

WINDOW = timedelta(minutes=15)
MOST_REPORTS = 10
MOST_MAIL_REQUESTS = 20
MAIL_WINDOW = timedelta(hours=1)
MOST_MAIL = 5
REGISTRATION_WINDOW = timedelta(days=1)


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


def code_limits(user_id: UUID) -> tuple[Limit, ...]:
    return (Limit(_key("code", str(user_id)), 10),)


def refuse_if_exhausted(session: Session, account: str, address: str, now: datetime) -> None:
    _refuse(session, limits(account, address), now)


def refuse_codes_if_exhausted(session: Session, user_id: UUID, now: datetime) -> None:
    _refuse(session, code_limits(user_id), now)


def _refuse(session: Session, exhausted: tuple[Limit, ...], now: datetime) -> None:
    for limit in exhausted:
        if store.failures(session, limit.key, now - WINDOW) >= limit.most:
            raise TooManyAttempts(
                "Too many failed attempts. Wait a quarter of an hour, then try again.",
                retry_after=int(WINDOW.total_seconds()),
            )


def count_failure(session: Session, account: str, address: str, now: datetime) -> None:
    for limit in sorted(limits(account, address), key=lambda each: each.key):  # one order of locks for everybody
        store.add_failure(session, limit.key, now, now - WINDOW)


def count_wrong_code(session: Session, user_id: UUID, now: datetime) -> None:
    for limit in code_limits(user_id):
        store.add_failure(session, limit.key, now, now - WINDOW)


def count_report(session: Session, address: str, now: datetime) -> None:
    """Reports of misuse take no account: ten from one address in a window. An IPv6 address counts as its network."""
    limit = Limit(_key("report", network_of(address)), MOST_REPORTS)
    if store.failures(session, limit.key, now - WINDOW) >= limit.most:
        raise TooManyAttempts(
            "Too many reports from your address. Wait a quarter of an hour, then try again.",
            retry_after=int(WINDOW.total_seconds()),
        )
    store.add_failure(session, limit.key, now, now - WINDOW)


def count_mail_request(session: Session, address: str, now: datetime) -> None:
    """Requests for mail from one network, whatever address they name. Errors: TooManyAttempts."""
    limit = Limit(_key("mail", network_of(address)), MOST_MAIL_REQUESTS)
    store.add_failure(session, limit.key, now, now - WINDOW)  # first: of many at once each waits for the one before
    if store.failures(session, limit.key, now - WINDOW) > limit.most:
        raise TooManyAttempts(
            "Too many requests from your address. Wait a quarter of an hour, then try again.",
            retry_after=int(WINDOW.total_seconds()),
        )


def may_mail(session: Session, email: str, now: datetime) -> bool:
    """Count a message that was asked for this e-mail address; False: it has had enough of them for this hour."""
    key, since = _key("mailed", email), now - MAIL_WINDOW
    store.add_failure(session, key, now, since)
    return store.failures(session, key, since) <= MOST_MAIL


def network_of(address: str) -> str:
    """Whoever has one address of an IPv6 network of 64 bits has all of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return address


def forgive_codes(session: Session, user_id: UUID) -> None:
    for limit in code_limits(user_id):
        store.clear_failures(session, limit.key)


def forgive(session: Session, account: str, address: str) -> None:
    """A right password clears what this account failed from this address, not what the address failed elsewhere."""
    store.clear_failures(session, limits(account, address)[0].key)


def count_registration(session: Session, address: str, now: datetime, *, most: int) -> None:
    """Count a registration that was made from this address; the machine itself may make any number.

    Errors: TooManyAttempts where `most` were made within a day; 0: as many as come.
    """
    if most == 0 or _is_this_machine(address):
        return
    key, since = _key("registration", network_of(address)), now - REGISTRATION_WINDOW
    store.add_failure(session, key, now, since)  # first: of many at once each waits for the one before
    if store.failures(session, key, since) > most:
        raise TooManyAttempts(
            Message("No more than %(limit)s registrations are taken from one address in a day.", limit=most),
            retry_after=int(REGISTRATION_WINDOW.total_seconds()),
        )


def _is_this_machine(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
