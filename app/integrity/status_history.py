"""Recompute the status of a certificate from the audit trail, and compare rows, decisions and log with it.

The audit trail comes first: its hashes are in the log. Every event must have its decision, every decision its event,
and every change of status its log entry.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from app.audit.model import AuditEvent
from app.certificates.log_events import STATUS_EVENT
from app.certificates.model import (
    INVESTIGATION_CAUSES,
    Certificate,
    CertificateStatus,
    StatusDecision,
    Suspension,
)
from app.certificates.status_decisions.status_document import StatusAct, build_status_document, code_member
from app.core import canonical_json
from app.integrity.transparency_log import IntegrityFinding
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.verified_log import LoggedEntry

ACT_OF_EVENT: Mapping[str, StatusAct] = MappingProxyType(
    {
        "certificate.suspended": StatusAct.SUSPEND,
        "certificate.suspension_narrowed": StatusAct.REINSTATE,
        "certificate.reinstated": StatusAct.REINSTATE,
        "certificate.revoked": StatusAct.REVOKE,
        "certificate.surrendered": StatusAct.SURRENDER,
        "certificate.superseded": StatusAct.SUPERSEDE,
    }
)
_FINAL_STATUS: Mapping[StatusAct, CertificateStatus] = MappingProxyType(
    {
        StatusAct.REVOKE: CertificateStatus.REVOKED,
        StatusAct.SURRENDER: CertificateStatus.SURRENDERED,
        StatusAct.SUPERSEDE: CertificateStatus.SUPERSEDED,
    }
)
_MISSING = object()


def differing_members(stored: Any, expected: Mapping[str, Any]) -> str:
    """Return the names of the members in which a stored document differs, for a sentence; empty where none does."""
    if not isinstance(stored, Mapping):
        return "all"
    names = stored.keys() | expected.keys()
    return ", ".join(sorted(n for n in names if stored.get(n, _MISSING) != expected.get(n, _MISSING)))


def without_unknown(expected: dict[str, Any], stored: Any) -> dict[str, Any]:
    """Return the expected document; of one that the migration built, without the version that nothing records."""
    if isinstance(stored, Mapping) and stored.get("unknown") == ["version"]:
        return expected | {"version": None, "unknown": ["version"]}
    return expected


def is_of_the_migration(document: Any) -> bool:
    return isinstance(document, Mapping) and "unknown" in document


@dataclass(slots=True)
class _Replay:
    """The status as the events make it, with all causes and the entries that the log must have."""

    status: CertificateStatus
    since: datetime
    reason: str | None = None
    during_investigation: bool = False
    open_causes: dict[str, datetime] = field(default_factory=dict)
    ended: list[tuple[str, datetime, datetime]] = field(default_factory=list)  # cause, since, until
    entries: list[Entry] = field(default_factory=list)

    def apply(self, number: str, event: AuditEvent) -> str | None:
        """Apply one event; return what is wrong with it."""
        act, code = ACT_OF_EVENT[event.event], _code(event)
        if act is StatusAct.SUSPEND:
            self.open_causes.setdefault(code, event.at)
            if self.status is CertificateStatus.ACTIVE:
                self._change(number, event, CertificateStatus.SUSPENDED, code)
            return None
        if act is StatusAct.REINSTATE:
            if code not in self.open_causes:
                return f"Audit event {event.seq} ends the cause {code}, which was not open."
            self._end([code], event.at)
            if self.status is not CertificateStatus.SUSPENDED:
                return None
            if self.open_causes:
                self._name_open_cause(number, event)
            else:
                self._change(number, event, CertificateStatus.ACTIVE, None)
            return None
        if event.data.get("during_investigation"):
            self.during_investigation = True
            self._end([cause for cause in self.open_causes if cause not in INVESTIGATION_CAUSES], event.at)
        else:
            self._end(list(self.open_causes), event.at)
        self._change(number, event, _FINAL_STATUS[act], code)
        return None

    def _end(self, causes: Sequence[str], at: datetime) -> None:
        self.ended += [(cause, self.open_causes.pop(cause), at) for cause in causes]

    def _name_open_cause(self, number: str, event: AuditEvent) -> None:
        """The log names another cause where the one that it named as the reason has ended."""
        cause = min(self.open_causes)
        if cause != self.reason:
            self.reason = cause
            decision = event.data.get("decision_sha256")
            self.entries.append(
                Entry(LogEvent.CERTIFICATE_SUSPENDED, event.at, number, decision=decision, reason=cause)
            )

    def _change(self, number: str, event: AuditEvent, status: CertificateStatus, reason: str | None) -> None:
        self.status, self.since, self.reason = status, event.at, reason
        self.entries.append(
            Entry(
                STATUS_EVENT[status],
                event.at,
                number,
                during_investigation=status is CertificateStatus.SURRENDERED and self.during_investigation,
                decision=event.data.get("decision_sha256"),
                reason=_code(event),
            )
        )


def find_status_errors(
    certificate: Certificate,
    events: Sequence[AuditEvent],
    decisions: Sequence[StatusDecision],
    suspensions: Sequence[Suspension],
    entries: Sequence[LoggedEntry],
    bound_from: int | None,
) -> Iterator[IntegrityFinding]:
    """Yield what does not fit of one certificate's status.

    `events`: its audit events about the status, `entries`: its log entries but the issue, both oldest first.
    `bound_from`: index of the first entry of the log that names a decision; every later one must.
    """
    row = f"certificate {certificate.number}"
    replay = _Replay(CertificateStatus.ACTIVE, certificate.issued_at)
    notes = {(each.cause, each.since): each.note for each in suspensions}
    unpaired = list(decisions)
    for index, event in enumerate(events):
        if wrong := replay.apply(certificate.number, event):
            yield IntegrityFinding(row, wrong)
        decision = _find_decision(event, unpaired)
        if decision is None:
            yield IntegrityFinding(row, f"Audit event {event.seq} records {event.event}, but its decision is missing.")
            continue
        unpaired.remove(decision)
        act = ACT_OF_EVENT[event.event]
        expected = build_status_document(
            act,
            certificate=certificate.number,
            version=certificate.version - (len(events) - index),
            code=_code(event),
            note=notes.get((_code(event), event.at)) if act is StatusAct.SUSPEND else None,
            by=event.actor_id,
        )
        for wrong in _decision_errors(decision, event, expected):
            yield IntegrityFinding(f"status decision {decision.id} on {certificate.number}", wrong)
    for decision in unpaired:
        yield IntegrityFinding(
            f"status decision {decision.id} on {certificate.number}", "No event of the audit trail records it."
        )
    for wrong in _row_errors(certificate, replay):
        yield IntegrityFinding(row, wrong)
    yield from _suspension_errors(certificate, replay, suspensions)
    for wrong in _entry_errors(replay.entries, entries, bound_from):
        yield IntegrityFinding(row, wrong)


def _code(event: AuditEvent) -> str:
    return str(event.data.get(code_member(ACT_OF_EVENT[event.event])))


def _find_decision(event: AuditEvent, unpaired: Sequence[StatusDecision]) -> StatusDecision | None:
    """Return the decision with the hash of the event; else one of the same act and moment."""
    sha256 = event.data.get("decision_sha256")
    same_hash = (each for each in unpaired if sha256 is not None and each.sha256 == sha256)
    act = ACT_OF_EVENT[event.event]
    alike = [each for each in unpaired if each.act == act and each.decided_at == event.at]
    alike.sort(key=lambda each: differing_members(each.document, {code_member(act): _code(event)}).count(","))
    return next(same_hash, alike[0] if alike else None)


def _decision_errors(decision: StatusDecision, event: AuditEvent, expected: dict[str, Any]) -> Iterator[str]:
    logged = event.data.get("decision_sha256")
    if canonical_json.digest(decision.document) != decision.sha256:
        yield "Its document is not the one of its hash."
    if names := differing_members(decision.document, without_unknown(expected, decision.document)):
        yield f"Its document differs from audit event {event.seq} and the certificate's rows: {names}."
    if logged != decision.sha256 and not (logged is None and is_of_the_migration(decision.document)):
        yield f"Its hash is not the one of audit event {event.seq}."
    if decision.act != ACT_OF_EVENT[event.event]:
        yield f"Its act is {decision.act}, but audit event {event.seq} is {event.event}."
    if decision.decided_at != event.at:
        yield f"Its moment is not the one of audit event {event.seq}."


def _row_errors(certificate: Certificate, replay: _Replay) -> Iterator[str]:
    if certificate.status != replay.status:
        yield f"Its status is {certificate.status}, but its decisions make it {replay.status}."
    elif certificate.status_since != replay.since:
        yield "It has its status since another moment than its decisions and the audit trail say."
    if certificate.status_reason != replay.reason:
        yield f"The reason of its status is {certificate.status_reason}, but its decisions make it {replay.reason}."
    if certificate.during_investigation != replay.during_investigation:
        yield "Its surrender during an investigation differs from the audit trail."


def _suspension_errors(
    certificate: Certificate, replay: _Replay, suspensions: Sequence[Suspension]
) -> Iterator[IntegrityFinding]:
    expected = [*((cause, since, None) for cause, since in replay.open_causes.items()), *replay.ended]
    for each in suspensions:
        content = (each.cause, each.since, each.ended_at)
        if content in expected:
            expected.remove(content)
        else:
            name = f"suspension {each.id} of {certificate.number}"
            yield IntegrityFinding(name, f"No decision gives the cause {each.cause} this beginning and end.")
    for cause, _, _ in expected:
        yield IntegrityFinding(
            f"certificate {certificate.number}", f"It was suspended for {cause}, but no row of a suspension says so."
        )


def _entry_errors(expected: Sequence[Entry], entries: Sequence[LoggedEntry], bound_from: int | None) -> Iterator[str]:
    """Compare the log with what must be in it.

    Entries of before decisions had documents name none, and those written when the log began have its moment: only the
    last of these must agree. The log itself says when that ended, so that no row can extend it.
    """
    unbound = [each for each in entries if each.entry.decision is None]
    for each in unbound:
        if bound_from is not None and each.seq >= bound_from:
            yield f"Entry {each.seq} of the log names no decision, although entries before it do."
    earlier = [each for each in expected if each.decision is None]
    last_logged = unbound[-1].entry.event if unbound else LogEvent.CERTIFICATE_ISSUED
    last_expected = earlier[-1].event if earlier else LogEvent.CERTIFICATE_ISSUED
    if last_logged != last_expected and not (unbound == [] and last_expected == LogEvent.CERTIFICATE_REINSTATED):
        yield f"The log ends its earlier history with {last_logged}, the audit trail with {last_expected}."
    bound = [each for each in entries if each.entry.decision is not None]
    wanted = [each for each in expected if each.decision is not None]
    for logged, entry in zip(bound, wanted, strict=False):
        if logged.entry != entry:
            yield (
                f"Entry {logged.seq} of the log differs from its decision and audit event: "
                f"{differing_members(logged.entry.to_dict(), entry.to_dict())}."
            )
    for logged in bound[len(wanted) :]:
        yield f"Entry {logged.seq} of the log records {logged.entry.event}, but the audit trail does not."
    for entry in wanted[len(bound) :]:
        yield f"Its decision of {entry.event} is not in the log."
