"""Compare the rows that give staff their rights with the public log and the audit trail; name what differs.

A row that was put back holds a right code of the service (`row_macs.py`), and a row that was deleted none. The log says
which roles and authenticators there are; the audit trail, whose head is in the log, says with which password and
second factor, as hashes, and whose account was closed. Whoever calls this has verified both.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import audit_repository
from app.audit.model import AuditEvent
from app.auth import session_repository, user_repository
from app.auth.credentials import credential_repository
from app.auth.credentials.mfa import secret_sha256
from app.auth.credentials.passwords import password_sha256
from app.auth.credentials.staff_credentials import credential_sha256
from app.auth.model import TotpEnrolment
from app.auth.role_log import role_sha256
from app.core.actor import STAFF_ROLES
from app.core.database import PAGE_ROWS, UNREADABLE
from app.integrity.transparency_log import IntegrityFinding
from app.transparency import log_repository
from app.transparency.log_entry import LogEvent, parse_entry

_PASSWORD_EVENTS = frozenset({"user.created", "password.changed", "password.reset"})
_ENROLLED, _RESET, _CLOSED = "second_factor.enrolled", "second_factor.reset", "user.deactivated"


@dataclass(slots=True)
class _Account:
    """What the audit trail says of a person; None where an event of before holds no hash."""

    password: str | None = None
    secret: str | None = None
    has_factor: bool | None = None
    is_closed: bool = False


def find_rights_errors(session: Session) -> Iterator[IntegrityFinding]:
    """Yield each row that gives other rights than log and audit trail say, and each that is missing."""
    try:
        yield from _role_errors(session)
        yield from _credential_errors(session)
        yield from _account_errors(session)
    except UNREADABLE:
        yield IntegrityFinding("rights", "A row, an entry or an event that gives them cannot be read.")


def _role_errors(session: Session) -> Iterator[IntegrityFinding]:
    granted = _in_force(session, LogEvent.ROLE_GRANTED, LogEvent.ROLE_TAKEN)
    present = {role_sha256(row.user_id, row.role): row for row in user_repository.list_all_roles(session)}
    staff = user_repository.list_staff_ids(session)
    known = {role_sha256(user_id, role.value): (user_id, role.value) for user_id in staff for role in STAFF_ROLES}
    for sha256 in sorted(present.keys() - granted):
        row = present[sha256]
        yield IntegrityFinding(
            _role_name(row.user_id, row.role), "The log does not give it now, so the row gives nothing."
        )
    recorded = _recorded_roles(session)
    for sha256 in sorted(granted):
        name = _role_name(*known[sha256]) if sha256 in known else f"role {sha256}"
        if sha256 not in present:
            yield IntegrityFinding(name, "The log gives it, but its row is missing.")
        if sha256 not in recorded:
            yield IntegrityFinding(name, "The log gives it, but no event of the audit trail does.")


def _recorded_roles(session: Session) -> set[str]:
    """Return the hashes of all roles that the audit trail ever gave."""
    found = set()
    for event in _events(session, {"user.created", "role.granted"}):
        roles = event.data.get("roles", []) if event.event == "user.created" else [event.data.get("role")]
        found |= {role_sha256(UUID(event.subject_id), str(role)) for role in roles}
    return found


def _role_name(user_id: UUID, role: str) -> str:
    return f"role {role} of user {user_id}"


def _credential_errors(session: Session) -> Iterator[IntegrityFinding]:
    registered = _in_force(session, LogEvent.CREDENTIAL_REGISTERED, LogEvent.CREDENTIAL_REMOVED)
    recorded = {event.data.get("sha256") for event in _events(session, {LogEvent.CREDENTIAL_REGISTERED.value})}
    rows = credential_repository.list_all_unremoved(session)
    present = {credential_sha256(row.credential_id, row.public_key, row.user_id): row for row in rows}
    for sha256 in sorted(present.keys() - registered):
        row = present[sha256]
        yield IntegrityFinding(
            f"authenticator {row.id} of user {row.user_id}", "The log does not register it now; it confirms nothing."
        )
    for sha256 in sorted(registered - present.keys()):
        yield IntegrityFinding(f"authenticator {sha256}", "The log registers it, but its row is missing or removed.")
    for sha256 in sorted(registered - recorded):
        yield IntegrityFinding(
            f"authenticator {sha256}", "The log registers it, but no event of the audit trail records it."
        )


def _in_force(session: Session, given: LogEvent, taken: LogEvent) -> set[str]:
    """Return the subjects whose last entry of these two events is `given`."""
    entries = map(parse_entry, log_repository.list_entries_of(session, given, taken))
    last = {entry.subject: entry.event for entry in entries if entry.subject}
    return {subject for subject, event in last.items() if event is given}


def _account_errors(session: Session) -> Iterator[IntegrityFinding]:
    recorded = _read_accounts(session)
    users = {str(row.id): row for row in user_repository.list_all_users(session)}
    factors = {str(row.user_id): row for row in session_repository.list_enrolments(session)}
    for user_id, account in sorted(recorded.items()):
        user = users.get(user_id)
        if user is None:
            yield IntegrityFinding(f"user {user_id}", "The audit trail records the account, but its row is missing.")
            continue
        name = f"user {user_id}"
        if account.is_closed and user.active:
            yield IntegrityFinding(name, "The account was closed, but its row is active.")
        if account.password is not None and account.password != password_sha256(user.password_hash):
            yield IntegrityFinding(name, "Its password is not the one that the audit trail records last.")
        for wrong in _factor_errors(account, factors.get(user_id)):
            yield IntegrityFinding(f"second factor of user {user_id}", wrong)


def _factor_errors(account: _Account, factor: TotpEnrolment | None) -> Iterator[str]:
    is_present = factor is not None and factor.encrypted_secret is not None
    if account.has_factor and not is_present:
        yield "The audit trail records it, but its row is missing."
    elif account.has_factor is False and is_present:
        yield "It was reset, but its row is there."
    elif factor is not None and account.secret is not None and account.secret != secret_sha256(factor):
        yield "Its secret is not the one that the audit trail records last."


def _read_accounts(session: Session) -> Mapping[str, _Account]:
    accounts: dict[str, _Account] = {}
    for event in _events(session, {*_PASSWORD_EVENTS, _ENROLLED, _RESET, _CLOSED}):
        _apply(accounts.setdefault(event.subject_id, _Account()), event)
    return accounts


def _events(session: Session, names: AbstractSet[str]) -> Iterator[AuditEvent]:
    """Yield the events of these names about users, oldest first, a page of them in memory at a time."""
    after = 0
    while events := audit_repository.list_events_named(session, names, after, PAGE_ROWS):
        after = events[-1].seq
        yield from (event for event in events if event.subject_type == "user")
        session.expunge_all()


def _apply(account: _Account, event: AuditEvent) -> None:
    if event.event in _PASSWORD_EVENTS:
        account.password = event.data.get("password_sha256")
    elif event.event == _ENROLLED:
        account.has_factor, account.secret = True, event.data.get("secret_sha256")
    elif event.event == _RESET:
        account.has_factor, account.secret = False, None
    else:
        account.is_closed = True
