"""Throttling of guesses, pure numbers over the store: by account and network together, by network, by account.

A guess is counted before it is compared (`count_guess`, in a transaction of its own), so that a hundred at once are a
hundred; one that was right is taken back (`forgive`). A network that fails too often waits. Counting by account alone
would let anybody lock out a reviewer, so that limit only slows down: each network has a few tries left, and whoever
gives a right code of the authenticator beside the password is let in however often others failed.

Codes of an authenticator are counted apart, and by account alone: they have a million values, and whoever gets to guess
them has the password already. A right password must not forgive them: it would let its thief go on for ever.
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import user_repository
from app.core.actor import SYSTEM
from app.core.errors import TooManyAttempts
from app.core.messages import Message

WINDOW = timedelta(minutes=15)
MOST_REPORTS = 10
MOST_MAIL_REQUESTS = 20
MAIL_WINDOW = timedelta(hours=1)
MOST_MAIL = 5
MOST_BY_BOTH, MOST_BY_NETWORK, MOST_BY_ACCOUNT = 10, 100, 50
MOST_WHEN_SLOW = 3
"""Tries that a network has at an account at which all others together failed more than `MOST_BY_ACCOUNT` times."""
REGISTRATION_WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limit:
    key: str
    most: int


def limits(account: str, address: str) -> tuple[Limit, ...]:
    return (
        Limit(_key("account+address", account, network_of(address)), MOST_BY_BOTH),
        Limit(_key("address", network_of(address)), MOST_BY_NETWORK),
        Limit(_key("account", account), MOST_BY_ACCOUNT),
    )


def code_limits(user_id: UUID) -> tuple[Limit, ...]:
    return (Limit(_key("code", str(user_id)), 10),)


@dataclass(frozen=True, slots=True)
class Counted:
    """How often was guessed in this window, the present guess included."""

    by_both: int
    by_network: int
    by_account: int

    @property
    def needs_second_factor(self) -> bool:
        """Whether the password alone is not enough now: the network has used up its tries at this account."""
        return self.by_both > (MOST_WHEN_SLOW if self.by_account > MOST_BY_ACCOUNT else MOST_BY_BOTH)


def refuse_network(session: Session, account: str, address: str, now: datetime) -> None:
    """Refuse a network that has failed too often, by reading alone: a flood of such requests must write nothing."""
    _refuse(session, limits(account, address)[1:2], now)


def count_guess(session: Session, account: str, address: str, now: datetime) -> Counted:
    """Count a guess that is about to be compared; commit before it is. Errors: TooManyAttempts for the network."""
    by_both, by_network, by_account = limits(account, address)
    counts = {
        limit.key: user_repository.add_failure(session, limit.key, now, now - WINDOW)
        for limit in sorted((by_both, by_network, by_account), key=lambda each: each.key)  # one order of locks for all
    }
    if counts[by_network.key] > by_network.most:
        raise too_many()
    return Counted(counts[by_both.key], counts[by_network.key], counts[by_account.key])


def refuse_codes_if_exhausted(session: Session, user_id: UUID, now: datetime) -> None:
    _refuse(session, code_limits(user_id), now)


def _refuse(session: Session, exhausted: tuple[Limit, ...], now: datetime) -> None:
    for limit in exhausted:
        if user_repository.failures(session, limit.key, now - WINDOW) >= limit.most:
            raise too_many()


def too_many() -> TooManyAttempts:
    return TooManyAttempts(
        "Too many failed attempts. Wait a quarter of an hour, then try again.",
        retry_after=int(WINDOW.total_seconds()),
    )


def is_noted(counted: Counted, *, known: bool) -> bool:
    """Whether this failure leaves an audit event. Few of many do, so that guessing fills no disk: the first of a
    window, the tenth, and the one that reaches a limit; of nobody's account those of the network are counted."""
    return counted.by_account in {1, 10, MOST_BY_ACCOUNT} if known else counted.by_network in {1, 10, MOST_BY_NETWORK}


def note_failure(
    session: Session, counted: Counted, account: str, address: str, known: tuple[str, UUID] | None, now: datetime
) -> None:
    """Record a wrong password or secret. `known`: whose it would be; None: nobody's. Then the key of the network is
    named, never what was typed, which may be a password in the wrong box."""
    _, by_network, _ = limits(account, address)
    count = counted.by_account if known else counted.by_network
    recorder.record(session, SYSTEM, "sign_in.failed", known or ("address", by_network.key), now, failures=count)


def count_wrong_code(session: Session, user_id: UUID, now: datetime) -> None:
    """Count a wrong code of an authenticator; each leaves an audit event, as no more than ten are looked at."""
    for limit in code_limits(user_id):
        count = user_repository.add_failure(session, limit.key, now, now - WINDOW)
        recorder.record(session, SYSTEM, "second_factor.failed", ("user", user_id), now, failures=count)


def count_report(session: Session, address: str, now: datetime) -> None:
    """Reports of misuse take no account: ten from one address in a window. An IPv6 address counts as its network."""
    limit = Limit(_key("report", network_of(address)), MOST_REPORTS)
    if user_repository.add_failure(session, limit.key, now, now - WINDOW) > limit.most:  # rolled back with the report
        raise TooManyAttempts(
            "Too many reports from your address. Wait a quarter of an hour, then try again.",
            retry_after=int(WINDOW.total_seconds()),
        )


def count_mail_request(session: Session, address: str, now: datetime) -> None:
    """Requests for mail from one network, whatever address they name. Errors: TooManyAttempts."""
    limit = Limit(_key("mail", network_of(address)), MOST_MAIL_REQUESTS)
    if user_repository.add_failure(session, limit.key, now, now - WINDOW) > limit.most:  # rolled back with the request
        raise TooManyAttempts(
            "Too many requests from your address. Wait a quarter of an hour, then try again.",
            retry_after=int(WINDOW.total_seconds()),
        )


def may_mail(session: Session, email: str, now: datetime) -> bool:
    """Count a message that was asked for this e-mail address; False: it has had enough of them for this hour."""
    key, since = _key("mailed", email), now - MAIL_WINDOW
    return user_repository.add_failure(session, key, now, since) <= MOST_MAIL


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
        user_repository.clear_failures(session, limit.key)


def forgive(session: Session, account: str, address: str) -> None:
    """A right password clears what this account failed from this network; of what was failed elsewhere only the guess
    itself is taken back, which was counted beforehand."""
    by_both, by_network, by_account = limits(account, address)
    for limit in sorted((by_both, by_network, by_account), key=lambda each: each.key):
        if limit is by_both:
            user_repository.clear_failures(session, limit.key)
        else:
            user_repository.take_back_failure(session, limit.key)


def count_registration(session: Session, address: str, now: datetime, *, most: int) -> None:
    """Count a registration that was made from this address; the machine itself may make any number.

    Errors: TooManyAttempts where `most` were made within a day; 0: as many as come.
    """
    if most == 0 or _is_this_machine(address):
        return
    key, since = _key("registration", network_of(address)), now - REGISTRATION_WINDOW
    if user_repository.add_failure(session, key, now, since) > most:  # rolled back with the registration
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
