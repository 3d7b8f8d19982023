"""Compare what was signed anew after a compromise with certificate, log and audit trail. Pure but for the query."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit.model import AuditEvent
from app.certificates import certificate_repository
from app.certificates.model import Certificate, ReissuedToken
from app.core.crypto import jws
from app.core.crypto.jws import PublicKey
from app.integrity.status_history import differing_members
from app.transparency.verified_log import LoggedEntry


def find_reissue_errors(
    certificate: Certificate,
    issue: LoggedEntry | None,
    entries: Sequence[LoggedEntry],
    events: Sequence[AuditEvent],
    rows: Sequence[ReissuedToken],
) -> Iterator[str]:
    """Compare each further token of a certificate with the log and the audit trail; all oldest first."""
    decision = issue.entry.decision if issue else None
    stored = {row.token_sha256: row for row in rows}
    recorded = {each.data.get("sha256"): each for each in events}
    for logged in entries:
        row, event = stored.pop(logged.entry.sha256 or "", None), recorded.pop(logged.entry.sha256, None)
        if logged.entry.decision != decision:
            yield f"Entry {logged.seq} of the log signs it anew for another decision than that of its issue."
        if row is None:
            yield f"Entry {logged.seq} of the log signs it anew, but the token is missing."
        elif (row.kid, row.reissued_at) != (logged.entry.key, logged.entry.at):
            yield f"Key or moment of its further token is not the one of entry {logged.seq} of the log."
        if event is None:
            yield f"Entry {logged.seq} of the log signs it anew, but the audit trail does not record it."
        else:
            yield from _event_errors(certificate.application_id, logged, event)
    for row in stored.values():
        yield f"A token of it under {row.kid} is stored, but not logged."
    for event in recorded.values():
        yield f"Audit event {event.seq} signs it anew, but the log does not contain that."


def _event_errors(application_id: UUID, logged: LoggedEntry, event: AuditEvent) -> Iterator[str]:
    entry = logged.entry
    recorded: dict[str, Any] = {
        "application": event.case_id,
        "decision": event.data.get("decision_sha256"),
        "key": event.data.get("kid"),
        "moment": event.at,
    }
    expected = {"application": application_id, "decision": entry.decision, "key": entry.key, "moment": entry.at}
    if names := differing_members(recorded, expected):
        yield f"Entry {logged.seq} of the log differs from audit event {event.seq}: {names}."


def further_tokens(session: Session, numbers: Sequence[str]) -> dict[str, list[ReissuedToken]]:
    """Return the rows of further tokens by number, oldest first."""
    found: dict[str, list[ReissuedToken]] = {}
    for row in certificate_repository.reissue_rows(session, numbers):
        found.setdefault(row.number, []).append(row)
    return found


def find_token_error(
    certificate: Certificate, rows: Sequence[ReissuedToken], keys: Mapping[str, PublicKey]
) -> str | None:
    """Say which further token is not the first one under another key: only header and signature may differ."""
    for row in rows:
        try:
            verified = jws.verify(row.token, typ=jws.TYP_CREDENTIAL, keys=keys)
        except jws.TokenRejected:
            return f"Its further token under {row.kid} does not verify."
        if (verified.kid, verified.signed_hash) != (row.kid, row.token_sha256):
            return f"Its further token under {row.kid} has another key or another hash."
        if jws.payload_bytes(row.token) != jws.payload_bytes(certificate.token):
            return f"Its further token under {row.kid} says something else than the first."
    return None
