"""Verify the signatures with which people confirmed decisions, against the keys that the log registers for them.

Whoever had an authenticator by then signed; those before there were authenticators signed nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy.orm import Session

from app.auth.credentials.confirmations import verify_record
from app.auth.credentials.relying_party import WebAuthnRejected
from app.auth.model import Proposal
from app.certificates.model import StatusDecision, SuspensionCause
from app.certificates.status_decisions.status_document import ACTS_ON_A_CAUSE, SYSTEM, StatusAct, code_member
from app.transparency import log_repository
from app.transparency.log_entry import Entry, LogEvent, parse_entry


@dataclass(frozen=True, slots=True)
class RegisteredKeys:
    """Every authenticator that the log ever registered, by its hash, with the moment at which it was removed."""

    entries: Mapping[str, Entry]
    removed_at: Mapping[str, datetime]

    @classmethod
    def load(cls, session: Session) -> Self:
        registered, removed = (
            [parse_entry(each) for each in log_repository.list_entries_of(session, event)]
            for event in (LogEvent.CREDENTIAL_REGISTERED, LogEvent.CREDENTIAL_REMOVED)
        )
        return cls(
            {entry.subject: entry for entry in registered if entry.subject},
            {entry.subject: entry.at for entry in removed if entry.subject},
        )

    def had_key(self, user_id: UUID | str, at: datetime) -> bool:
        """Whether this person had registered an authenticator by then."""
        return any(entry.user == str(user_id) and entry.at <= at for entry in self.entries.values())

    def errors_of(
        self,
        confirmation: Mapping[str, Any] | None,
        document: Mapping[str, Any] | None,
        user_id: UUID,
        at: datetime,
        *,
        what: str = "confirmation",
        is_required: bool = True,
    ) -> Iterator[str]:
        """Yield what is wrong with the signature of this person over a document that was decided at `at`."""
        if confirmation is None:
            if is_required and self.had_key(user_id, at):
                yield f"It lacks the {what} of the person who decided it."
            return
        try:
            sha256 = verify_record(confirmation, document or {}, user_id=user_id)
        except WebAuthnRejected:
            yield f"Its {what} does not fit its document."
            return
        entry, removed_at = self.entries.get(sha256), self.removed_at.get(sha256)
        if entry is None or entry.user != str(user_id):
            yield f"The key of its {what} is not one that the log registers for the person who decided it."
        elif entry.at > at or (removed_at is not None and removed_at < at):
            yield f"The key of its {what} was not registered for the person at that moment."


def find_signature_errors(
    decision: StatusDecision, revocations: Sequence[Proposal], keys: RegisteredKeys
) -> Iterator[str]:
    """Yield what is wrong with who signed a decision on a status.

    A suspension and its end are signed by the owner, unless they follow from the resident register; a revocation is
    a proposal that two owners signed (`revocations`: the confirmed ones of this certificate). Holders sign nothing.
    """
    by = decision.document.get("by")
    if by == SYSTEM or decision.act not in {*ACTS_ON_A_CAUSE, StatusAct.REVOKE}:
        return
    try:
        user_id = UUID(by)
    except (TypeError, ValueError, AttributeError):
        yield "Its document does not name the person who decided it."
        return
    code = decision.document.get(code_member(StatusAct(decision.act)))
    if decision.act == StatusAct.REVOKE:
        if keys.had_key(user_id, decision.decided_at) and not any(
            (each.decided_by, each.decided_at, each.content.get("reason")) == (user_id, decision.decided_at, code)
            for each in revocations
        ):
            yield "No confirmed proposal of two people is behind it."
        return
    yield from keys.errors_of(
        decision.confirmation,
        decision.document,
        user_id,
        decision.decided_at,
        is_required=code != SuspensionCause.RESIDENCY,
    )


def confirming_key(
    confirmation: Mapping[str, Any] | None, document: Mapping[str, Any] | None, user_id: UUID
) -> str | None:
    """Return the hash of the authenticator with which this person signed the document; None where none did."""
    if confirmation is None:
        return None
    try:
        return verify_record(confirmation, document or {}, user_id=user_id)
    except WebAuthnRejected:
        return None
