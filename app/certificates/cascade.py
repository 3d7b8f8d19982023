"""What a change of residency does to the certificates that rest on it, in the same transaction.

A lost residency suspends them with cause `residency`; a restored one lifts that cause. Final certificates are left in
peace. With `dry_run` the report is worked out the same way and nothing is changed. Roles are checked by the registry.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.access.rights import require
from app.actor import Actor, Role
from app.certificates import service, store, workflow
from app.certificates.model import Certificate, CertificateStatus, SuspensionCause
from app.errors import Version
from app.registry import imports, residency
from app.registry import store as registry
from app.registry.days import day_in_baku
from app.registry.imports import RegisterFile
from app.registry.residency_rows import ChangeKind, ResidencyChange, change_of

CAUSE = SuspensionCause.RESIDENCY
NOTE = "The residency it rests on was lost."
ACTED_ON = frozenset({ChangeKind.LOST, ChangeKind.RESTORED})


class Effect(StrEnum):
    """What happens to one certificate."""

    SUSPENDED = "suspended"
    CAUSE_ADDED = "cause_added"  # suspended before, now for this cause as well
    REINSTATED = "reinstated"
    CAUSE_LIFTED = "cause_lifted"  # still suspended, for other causes


@dataclass(frozen=True, slots=True)
class Hit:
    number: str
    residency_id: UUID
    effect: Effect

    def as_json(self) -> dict[str, str]:
        return {"number": self.number, "residency_id": str(self.residency_id), "action": self.effect.value}


@dataclass(frozen=True, slots=True)
class CascadeReport:
    """What changed in the registry, and which certificates were hit (or would be, in a dry run)."""

    change: ResidencyChange
    certificates: tuple[Hit, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "residency_id": str(self.change.residency_id),
            "organisation_id": str(self.change.organisation_id),
            "park_code": self.change.park_code,
            "kind": self.change.kind.value,
            "certificates": [hit.as_json() for hit in self.certificates],
        }


def end_residency(
    session: Session,
    actor: Actor,
    *,
    residency_id: UUID,
    version: Version,
    on: date,
    reason: str,
    dry_run: bool,
    now: datetime,
) -> CascadeReport:
    """As `registry.residency.end_residency`, with its certificates."""
    change = residency.end_residency(
        session, actor, residency_id=residency_id, version=version, on=on, reason=reason, now=now, dry_run=dry_run
    )
    return CascadeReport(change, _follow(session, actor, [change], dry_run=dry_run, now=now))


def cancel_residency(
    session: Session,
    actor: Actor,
    *,
    residency_id: UUID,
    version: Version,
    on: date,
    reason: str,
    dry_run: bool,
    now: datetime,
) -> CascadeReport:
    """As `registry.residency.cancel_residency`, with its certificates."""
    change = residency.cancel_residency(
        session, actor, residency_id=residency_id, version=version, on=on, reason=reason, now=now, dry_run=dry_run
    )
    return CascadeReport(change, _follow(session, actor, [change], dry_run=dry_run, now=now))


def restore_residency(
    session: Session, actor: Actor, *, residency_id: UUID, version: Version, dry_run: bool, now: datetime
) -> CascadeReport:
    """As `registry.residency.restore_residency`, with its certificates."""
    change = residency.restore_residency(
        session, actor, residency_id=residency_id, version=version, now=now, dry_run=dry_run
    )
    return CascadeReport(change, _follow(session, actor, [change], dry_run=dry_run, now=now))


def import_register(
    session: Session, actor: Actor, file: RegisterFile, *, dry_run: bool, now: datetime
) -> dict[str, Any]:
    """Import a register file with all that follows for certificates; answers with the report as JSON values.

    A dry run reports errors line by line; a real run refuses a file with errors (Invalid `register-invalid`).
    """
    if dry_run:
        plan = imports.plan_import(session, actor, file.sheet, day_in_baku(now))
        changes: Iterable[ResidencyChange] = () if plan.is_refused else plan.lost_and_restored
        hits = _follow(session, actor, changes, dry_run=True, now=now)
        return _import_report(file, plan.report(), hits, import_id=None, dry_run=True)
    applied = imports.apply_import(session, actor, file, now)
    hits = _follow(session, actor, applied.changes, dry_run=False, now=now)
    import_id = applied.record.id if applied.record else None
    report = _import_report(file, applied.plan.report(), hits, import_id=import_id, dry_run=False)
    if applied.record is not None:
        applied.record.report = report
    return report


def run_out(session: Session, actor: Actor, *, residency_id: UUID, dry_run: bool, now: datetime) -> tuple[Hit, ...]:
    """The known last day of a residency has passed: its certificates fall, as if it had been ended by hand today.

    Looked at again under the lock, so that running it twice, or beside a restoration, does nothing wrong.
    """
    require(actor, Role.SYSTEM)
    row = registry.residency(session, residency_id, lock=not dry_run)
    if row is None or row.ends_on is None or row.ends_on >= day_in_baku(now):
        return ()
    return _follow(session, actor, [change_of(row, ChangeKind.LOST)], dry_run=dry_run, now=now)


def _import_report(
    file: RegisterFile, report: dict[str, Any], hits: Iterable[Hit], *, import_id: UUID | None, dry_run: bool
) -> dict[str, Any]:
    return {
        "import_id": str(import_id) if import_id else None,
        "dry_run": dry_run,
        "file_name": file.name,
        "sha256": file.sha256,
        **report,
        "certificates": [hit.as_json() for hit in hits],
    }


def _follow(
    session: Session, actor: Actor, changes: Iterable[ResidencyChange], *, dry_run: bool, now: datetime
) -> tuple[Hit, ...]:
    """Look at every certificate that rests on a lost or restored residency, and act unless this is a dry run."""
    kinds = {change.residency_id: change.kind for change in changes if change.kind in ACTED_ON}
    hits = []
    for certificate in store.resting_on(session, list(kinds)) if kinds else ():
        assert certificate.residency_id is not None  # the query asked for it
        is_lost = kinds[certificate.residency_id] is ChangeKind.LOST
        effect = _on_loss(session, certificate) if is_lost else _on_return(session, certificate)
        if effect is None:
            continue
        hits.append(Hit(certificate.number, certificate.residency_id, effect))
        if dry_run:
            continue
        if is_lost:
            service.suspend(session, actor, certificate, cause=CAUSE, note=NOTE, now=now)
        else:
            service.lift(session, actor, certificate, cause=CAUSE, now=now)
    return tuple(hits)


def _on_loss(session: Session, certificate: Certificate) -> Effect | None:
    status = CertificateStatus(certificate.status)
    if status in workflow.FINAL or CAUSE in store.open_suspensions(session, certificate.id):
        return None
    return Effect.SUSPENDED if status is CertificateStatus.ACTIVE else Effect.CAUSE_ADDED


def _on_return(session: Session, certificate: Certificate) -> Effect | None:
    causes = store.open_suspensions(session, certificate.id)
    if CertificateStatus(certificate.status) in workflow.FINAL or CAUSE not in causes:
        return None
    return Effect.CAUSE_LIFTED if len(causes) > 1 else Effect.REINSTATED
