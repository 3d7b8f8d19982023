"""Throttle log-in attempts by account and network, by network, and by account.

An attempt is counted before it is compared (`count_attempt`, in a transaction of its own), so that concurrent attempts
all count; a successful one is taken back (`clear_failures`). A network with too many failures must wait. Counting by
account alone would let anyone lock out a reviewer, so that limit only slows attempts down: each network has a few
attempts left, and a correct code of the authenticator beside the password always succeeds.

Codes of an authenticator are counted separately and by account alone: they have a million values, and an attacker who
can try them already has the password. A correct password must not clear them, or its thief could continue without end.
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
MAX_SIGN_ONS = 30
"""Failed sign-ins by provider or passkey from one network in a window."""
MAX_MAIL_REQUESTS = 20
MAIL_WINDOW = timedelta(hours=1)
MAX_MAILS_PER_RECIPIENT = 5
MAX_BY_ACCOUNT_AND_NETWORK, MAX_BY_NETWORK, MAX_BY_ACCOUNT = 10, 100, 50
MAX_WHEN_THROTTLED = 3
"""Attempts that a network has at an account with more than `MAX_BY_ACCOUNT` failures in total."""
REGISTRATION_WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """A counter of failures by its key, and the number at which it blocks."""

    key: str
    max_failures: int


def account_limits(account: str, address: str) -> tuple[FailureLimit, ...]:
    """Return the limits of an attempt: by account and network, by network, by account."""
    return (
        FailureLimit(_key("account+address", account, network_of(address)), MAX_BY_ACCOUNT_AND_NETWORK),
        FailureLimit(_key("address", network_of(address)), MAX_BY_NETWORK),
        FailureLimit(_key("account", account), MAX_BY_ACCOUNT),
    )


def code_limits(user_id: UUID) -> tuple[FailureLimit, ...]:
    """Return the limits of attempts at the authenticator codes of a user."""
    return (FailureLimit(_key("code", str(user_id)), 10),)


@dataclass(frozen=True, slots=True)
class FailureCounts:
    """Number of attempts in this window, the present one included."""

    by_account_and_network: int
    by_network: int
    by_account: int

    @property
    def needs_second_factor(self) -> bool:
        """Whether the password alone is not enough: the network has used up its attempts at this account."""
        return self.by_account_and_network > (
            MAX_WHEN_THROTTLED if self.by_account > MAX_BY_ACCOUNT else MAX_BY_ACCOUNT_AND_NETWORK
        )


def require_network_below_limit(session: Session, account: str, address: str, now: datetime) -> None:
    """Reject a network with too many failures without writing, so that a flood of requests writes nothing."""
    _require_below_limits(session, account_limits(account, address)[1:2], now)


def count_attempt(session: Session, account: str, address: str, now: datetime) -> FailureCounts:
    """Count an attempt before its comparison; commit first. Raises `TooManyAttempts` for the network."""
    by_both, by_network, by_account = account_limits(account, address)
    counts = {
        limit.key: user_repository.add_failure(session, limit.key, now, now - WINDOW)
        for limit in sorted(
            (by_both, by_network, by_account), key=lambda limit: limit.key
        )  # one order of locks for all
    }
    if counts[by_network.key] > by_network.max_failures:
        raise too_many_attempts()
    return FailureCounts(counts[by_both.key], counts[by_network.key], counts[by_account.key])


def require_code_attempts_left(session: Session, user_id: UUID, now: datetime) -> None:
    """Require that authenticator codes of this user may still be tried. Raises `TooManyAttempts`."""
    _require_below_limits(session, code_limits(user_id), now)


def _require_below_limits(session: Session, exhausted: tuple[FailureLimit, ...], now: datetime) -> None:
    for limit in exhausted:
        if user_repository.get_failure_count(session, limit.key, now - WINDOW) >= limit.max_failures:
            raise too_many_attempts()


def too_many_attempts() -> TooManyAttempts:
    """Return the error of a network or account with too many failed attempts."""
    return TooManyAttempts(
        "Too many failed attempts. Wait a quarter of an hour, then try again.",
        retry_after=int(WINDOW.total_seconds()),
    )


def is_audited(counted: FailureCounts, *, account_exists: bool) -> bool:
    """Whether this failure is recorded as an audit event. Only a few are, so that attacks do not fill the disk.

    Recorded are the first and the tenth of a window and the one that reaches a limit. Failures at an account that does
    not exist are counted by network.
    """
    return (
        counted.by_account in {1, 10, MAX_BY_ACCOUNT}
        if account_exists
        else counted.by_network in {1, 10, MAX_BY_NETWORK}
    )


def record_failure(
    session: Session,
    counted: FailureCounts,
    account: str,
    address: str,
    account_owner: tuple[str, UUID] | None,
    now: datetime,
) -> None:
    """Record a wrong password or secret at the account `account_owner`.

    If None, no such account exists; the event then names the network's key, never the input, which may be a password
    typed into the wrong field.
    """
    _, by_network, _ = account_limits(account, address)
    count = counted.by_account if account_owner else counted.by_network
    recorder.record(
        session, SYSTEM, "sign_in.failed", account_owner or ("address", by_network.key), now, failures=count
    )


def count_wrong_code(session: Session, user_id: UUID, now: datetime) -> None:
    """Count a wrong authenticator code. Each is recorded as an audit event, as at most ten are evaluated."""
    for limit in code_limits(user_id):
        count = user_repository.add_failure(session, limit.key, now, now - WINDOW)
        recorder.record(session, SYSTEM, "second_factor.failed", ("user", user_id), now, failures=count)


def count_sign_on(session: Session, address: str, now: datetime) -> int:
    """Count a sign-in by provider or passkey before it is verified, and return the count; commit first.

    There is no account yet to count by. Raises `TooManyAttempts` for the network.
    """
    count = user_repository.add_failure(session, _sign_on_key(address), now, now - WINDOW)
    if count > MAX_SIGN_ONS:
        raise too_many_attempts()
    return count


def record_sign_on_failure(session: Session, count: int, address: str, now: datetime) -> None:
    """Record a failed one as an audit event: the first and the tenth of a window, and the one at the limit."""
    if count in {1, 10, MAX_SIGN_ONS}:
        recorder.record(session, SYSTEM, "sign_in.failed", ("address", _sign_on_key(address)), now, failures=count)


def clear_sign_on(session: Session, address: str) -> None:
    """Take back the present attempt, which was successful."""
    user_repository.decrement_failures(session, _sign_on_key(address))


def _sign_on_key(address: str) -> str:
    return _key("sign-on", network_of(address))


def count_report(session: Session, address: str, now: datetime) -> None:
    """Count a report of misuse, which needs no account: ten per network in a window. Raises `TooManyAttempts`."""
    limit = FailureLimit(_key("report", network_of(address)), MAX_REPORTS)
    if (
        user_repository.add_failure(session, limit.key, now, now - WINDOW) > limit.max_failures
    ):  # rolled back with the report
        raise TooManyAttempts(
            "Too many reports from your address. Wait a quarter of an hour, then try again.",
            retry_after=int(WINDOW.total_seconds()),
        )


def count_mail_request(session: Session, address: str, now: datetime) -> None:
    """Count a request for mail by its network, for any recipient. Raises `TooManyAttempts`."""
    limit = FailureLimit(_key("mail", network_of(address)), MAX_MAIL_REQUESTS)
    if (
        user_repository.add_failure(session, limit.key, now, now - WINDOW) > limit.max_failures
    ):  # rolled back with the request
        raise TooManyAttempts(
            "Too many requests from your address. Wait a quarter of an hour, then try again.",
            retry_after=int(WINDOW.total_seconds()),
        )


def consume_mail_allowance(session: Session, email: str, now: datetime) -> bool:
    """Count a mail requested for this address. Returns False when the address has reached its limit per hour."""
    key, since = _key("mailed", email), now - MAIL_WINDOW
    return user_repository.add_failure(session, key, now, since) <= MAX_MAILS_PER_RECIPIENT


def network_of(address: str) -> str:
    """Return the network of an address: IPv4 address, or /64 of IPv6, as its holder controls all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return address


def clear_code_failures(session: Session, user_id: UUID) -> None:
    """Clear the failed authenticator codes of a user."""
    for limit in code_limits(user_id):
        user_repository.clear_failures(session, limit.key)


def clear_failures(session: Session, account: str, address: str) -> None:
    """Clear the failures of this account from this network after a correct password.

    Of failures from elsewhere only the present attempt is taken back, which was counted beforehand.
    """
    by_both, by_network, by_account = account_limits(account, address)
    for limit in sorted((by_both, by_network, by_account), key=lambda each: each.key):
        if limit is by_both:
            user_repository.clear_failures(session, limit.key)
        else:
            user_repository.decrement_failures(session, limit.key)


def count_registration(session: Session, address: str, now: datetime, *, max_registrations: int) -> None:
    """Count a registration from this address; loopback addresses are not limited.

    Raises `TooManyAttempts` above `max_registrations` within a day; 0 means no limit.
    """
    if max_registrations == 0 or _is_loopback(address):
        return
    key, since = _key("registration", network_of(address)), now - REGISTRATION_WINDOW
    if user_repository.add_failure(session, key, now, since) > max_registrations:  # rolled back with the registration
        raise TooManyAttempts(
            Message("At most %(limit)s registrations are accepted from one address in a day.", limit=max_registrations),
            retry_after=int(REGISTRATION_WINDOW.total_seconds()),
        )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
