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
MAX_REPORTS = 10
MAX_MAIL_REQUESTS = 20
MAIL_WINDOW = timedelta(hours=1)
MAX_MAILS_PER_RECIPIENT = 5
MAX_BY_ACCOUNT_AND_NETWORK, MAX_BY_NETWORK, MAX_BY_ACCOUNT = 10, 100, 50
MAX_WHEN_THROTTLED = 3
"""Tries that a network has at an account at which all others together failed more than `MOST_BY_ACCOUNT` times."""
REGISTRATION_WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FailureLimit:
    key: str
    max_failures: int


def account_limits(account: str, address: str) -> tuple[FailureLimit, ...]:
    return (
        FailureLimit(_key("account+address", account, network_of(address)), MAX_BY_ACCOUNT_AND_NETWORK),
        FailureLimit(_key("address", network_of(address)), MAX_BY_NETWORK),
        FailureLimit(_key("account", account), MAX_BY_ACCOUNT),
    )


def code_limits(user_id: UUID) -> tuple[FailureLimit, ...]:
    return (FailureLimit(_key("code", str(user_id)), 10),)


@dataclass(frozen=True, slots=True)
class FailureCounts:
    """How often was guessed in this window, the present guess included."""

    by_account_and_network: int
    by_network: int
    by_account: int

    @property
    def needs_second_factor(self) -> bool:
        """Whether the password alone is not enough now: the network has used up its tries at this account."""
        return self.by_account_and_network > (
            MAX_WHEN_THROTTLED if self.by_account > MAX_BY_ACCOUNT else MAX_BY_ACCOUNT_AND_NETWORK
        )


def require_network_below_limit(session: Session, account: str, address: str, now: datetime) -> None:
    """Refuse a network that has failed too often, by reading alone: a flood of such requests must write nothing."""
    _require_below_limits(session, account_limits(account, address)[1:2], now)


def count_attempt(session: Session, account: str, address: str, now: datetime) -> FailureCounts:
    """Count a guess that is about to be compared; commit before it is. Errors: TooManyAttempts for the network."""
    by_both, by_network, by_account = account_limits(account, address)
    counts = {
        limit.key: user_repository.add_failure(session, limit.key, now, now - WINDOW)
        for limit in sorted((by_both, by_network, by_account), key=lambda each: each.key)  # one order of locks for all
    }
    if counts[by_network.key] > by_network.max_failures:
        raise too_many_attempts()
    return FailureCounts(counts[by_both.key], counts[by_network.key], counts[by_account.key])


def require_code_attempts_left(session: Session, user_id: UUID, now: datetime) -> None:
    _require_below_limits(session, code_limits(user_id), now)


def _require_below_limits(session: Session, exhausted: tuple[FailureLimit, ...], now: datetime) -> None:
    for limit in exhausted:
        if user_repository.get_failure_count(session, limit.key, now - WINDOW) >= limit.max_failures:
            raise too_many_attempts()


def too_many_attempts() -> TooManyAttempts:
    return TooManyAttempts(
        "Too many failed attempts. Wait a quarter of an hour, then try again.",
        retry_after=int(WINDOW.total_seconds()),
    )


def is_audited(counted: FailureCounts, *, known: bool) -> bool:
    """Whether this failure leaves an audit event. Few of many do, so that guessing fills no disk: the first of a
    window, the tenth, and the one that reaches a limit; of nobody's account those of the network are counted."""
    return counted.by_account in {1, 10, MAX_BY_ACCOUNT} if known else counted.by_network in {1, 10, MAX_BY_NETWORK}


def record_failure(
    session: Session, counted: FailureCounts, account: str, address: str, known: tuple[str, UUID] | None, now: datetime
) -> None:
    """Record a wrong password or secret. `known`: whose it would be; None: nobody's. Then the key of the network is
    named, never what was typed, which may be a password in the wrong box."""
    _, by_network, _ = account_limits(account, address)
    count = counted.by_account if known else counted.by_network
    recorder.record(session, SYSTEM, "sign_in.failed", known or ("address", by_network.key), now, failures=count)


def count_wrong_code(session: Session, user_id: UUID, now: datetime) -> None:
    """Count a wrong code of an authenticator; each leaves an audit event, as no more than ten are looked at."""
    for limit in code_limits(user_id):
        count = user_repository.add_failure(session, limit.key, now, now - WINDOW)
        recorder.record(session, SYSTEM, "second_factor.failed", ("user", user_id), now, failures=count)


def count_report(session: Session, address: str, now: datetime) -> None:
    """Reports of misuse take no account: ten from one address in a window. An IPv6 address counts as its network."""
    limit = FailureLimit(_key("report", network_of(address)), MAX_REPORTS)
    if (
        user_repository.add_failure(session, limit.key, now, now - WINDOW) > limit.max_failures
    ):  # rolled back with the report
        raise TooManyAttempts(
            "Too many reports from your address. Wait a quarter of an hour, then try again.",
            retry_after=int(WINDOW.total_seconds()),
        )


def count_mail_request(session: Session, address: str, now: datetime) -> None:
    """Requests for mail from one network, whatever address they name. Errors: TooManyAttempts."""
    limit = FailureLimit(_key("mail", network_of(address)), MAX_MAIL_REQUESTS)
    if (
        user_repository.add_failure(session, limit.key, now, now - WINDOW) > limit.max_failures
    ):  # rolled back with the request
        raise TooManyAttempts(
            "Too many requests from your address. Wait a quarter of an hour, then try again.",
            retry_after=int(WINDOW.total_seconds()),
        )


def consume_mail_allowance(session: Session, email: str, now: datetime) -> bool:
    """Count a message that was asked for this e-mail address; False: it has had enough of them for this hour."""
    key, since = _key("mailed", email), now - MAIL_WINDOW
    return user_repository.add_failure(session, key, now, since) <= MAX_MAILS_PER_RECIPIENT


def network_of(address: str) -> str:
    """Whoever has one address of an IPv6 network of 64 bits has all of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return address


def clear_code_failures(session: Session, user_id: UUID) -> None:
    for limit in code_limits(user_id):
        user_repository.clear_failures(session, limit.key)


def clear_failures(session: Session, account: str, address: str) -> None:
    """A right password clears what this account failed from this network; of what was failed elsewhere only the guess
    itself is taken back, which was counted beforehand."""
    by_both, by_network, by_account = account_limits(account, address)
    for limit in sorted((by_both, by_network, by_account), key=lambda each: each.key):
        if limit is by_both:
            user_repository.clear_failures(session, limit.key)
        else:
            user_repository.decrement_failures(session, limit.key)


def count_registration(session: Session, address: str, now: datetime, *, most: int) -> None:
    """Count a registration that was made from this address; the machine itself may make any number.

    Errors: TooManyAttempts where `most` were made within a day; 0: as many as come.
    """
    if most == 0 or _is_loopback(address):
        return
    key, since = _key("registration", network_of(address)), now - REGISTRATION_WINDOW
    if user_repository.add_failure(session, key, now, since) > most:  # rolled back with the registration
        raise TooManyAttempts(
            Message("No more than %(limit)s registrations are taken from one address in a day.", limit=most),
            retry_after=int(REGISTRATION_WINDOW.total_seconds()),
        )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
