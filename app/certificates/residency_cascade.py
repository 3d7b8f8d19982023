"""Apply a change of residency to the dependent certificates, in the same transaction.

A certificate depends on its holder being a party of the park, not on one period: it is suspended with the cause
`residency` when the company has no residency in force any more, and the cause is lifted when one begins or is restored.
A matter opens where the company then is a non-resident or no longer operates, or where a resident register differs from
what was certified. Final certificates are not changed. `dry_run` computes the same report and changes nothing. The
services of `organisations` check roles.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.auth.permissions import require_role
from app.certificates import certificate_repository, matter_repository, matters, status_service
from app.certificates.certificate_repository import DependentCertificate
from app.certificates.credential.certified_description import changed_fields, company_fields, site_fields
from app.certificates.model import Certificate, CertifiedDescription, MatterCause, SuspensionCause
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.core.errors import ExpectedVersion
from app.organisations import organisation_repository, residencies
from app.organisations.model import Organisation, ProductionStage, Residency, ResidencyStatus, Site
from app.organisations.residency_transitions import (
    ResidencyChange,
    ResidencyChangeKind,
    ResidencyDetails,
    build_change,
    is_stage_regression,
)
from app.organisations.residency_workflow import ResidencyAction
from app.organisations.resident_import import resident_imports
from app.organisations.resident_import.plan import ImportPlan
from app.organisations.resident_import.resident_imports import ImportFile

RESIDENCY_CAUSE = SuspensionCause.RESIDENCY
SUSPENSION_NOTE = "The residency it rests on was lost."


class Effect(StrEnum):
    """Effect of a change on one certificate."""

    SUSPENDED = "suspended"
    CAUSE_ADDED = "cause_added"  # suspended before, now for this cause as well
    REINSTATED = "reinstated"
    CAUSE_LIFTED = "cause_lifted"  # still suspended, for other causes
    MATTER_OPENED = "matter_opened"  # its status stays; a person must examine it


@dataclass(frozen=True, slots=True)
class CertificateEffect:
    number: str
    residency_id: UUID | None  # the one it was granted with; None where its rules ask for none
    effect: Effect
    cause: MatterCause | None = None  # of the matter

    def as_json(self) -> dict[str, str]:
        """Return the JSON form; members that are None are left out."""
        members = {"number": self.number, "action": self.effect.value}
        if self.residency_id is not None:
            members["residency_id"] = str(self.residency_id)
        return members | ({"cause": self.cause.value} if self.cause else {})


@dataclass(frozen=True, slots=True)
class CascadeReport:
    """A change of residency, and the certificates affected (or that would be, in a dry run)."""

    change: ResidencyChange
    certificates: tuple[CertificateEffect, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "residency_id": str(self.change.residency_id),
            "organisation_id": str(self.change.organisation_id),
            "park_code": self.change.park_code,
            "kind": self.change.kind.value,
            "certificates": [effect.as_json() for effect in self.certificates],
        }


def begin_residency(
    session: Session,
    actor: Actor,
    *,
    organisation_id: UUID,
    park_code: str,
    details: ResidencyDetails,
    now: datetime,
) -> tuple[Residency, CascadeReport]:
    """Begin a residency and apply it to certificates granted with an earlier period."""
    row, change = residencies.begin_residency(
        session, actor, organisation_id=organisation_id, park_code=park_code, details=details, now=now
    )
    return row, CascadeReport(change, _apply_changes(session, actor, [change], dry_run=False, now=now))


def update_stage(
    session: Session,
    actor: Actor,
    *,
    residency_id: UUID,
    version: ExpectedVersion,
    stage: ProductionStage,
    now: datetime,
) -> CascadeReport:
    """Change the stage of a residency; a step back from operating opens matters."""
    change = residencies.update_stage(session, actor, residency_id=residency_id, version=version, stage=stage, now=now)
    return CascadeReport(change, _apply_changes(session, actor, [change], dry_run=False, now=now))


def close_residency(
    session: Session,
    actor: Actor,
    move: ResidencyAction,
    *,
    residency_id: UUID,
    version: ExpectedVersion,
    on: date,
    reason: str,
    dry_run: bool,
    now: datetime,
) -> CascadeReport:
    """Close a residency and suspend the certificates that depend on it."""
    change = residencies.close_residency(
        session, actor, move, residency_id=residency_id, version=version, on=on, reason=reason, now=now, dry_run=dry_run
    )
    return CascadeReport(change, _apply_changes(session, actor, [change], dry_run=dry_run, now=now))


def restore_residency(
    session: Session, actor: Actor, *, residency_id: UUID, version: ExpectedVersion, dry_run: bool, now: datetime
) -> CascadeReport:
    """Restore a residency and lift the suspension of the certificates that depend on it."""
    change = residencies.restore_residency(
        session, actor, residency_id=residency_id, version=version, now=now, dry_run=dry_run
    )
    return CascadeReport(change, _apply_changes(session, actor, [change], dry_run=dry_run, now=now))


def import_resident_register(
    session: Session, actor: Actor, file: ImportFile, *, dry_run: bool, now: datetime
) -> dict[str, Any]:
    """Import a register file with its effects on certificates; returns the report as JSON.

    A dry run reports errors line by line; a real run refuses a file with errors: `Invalid` (`register-invalid`).
    """
    if dry_run:
        plan = resident_imports.plan_import(session, actor, file.content, baku_day(now))
        effects = (
            () if plan.is_refused else _apply_import_changes(session, actor, plan, plan.residency_changes, True, now)
        )
        return _import_report(file, plan.report(), effects, import_id=None, dry_run=True)
    applied = resident_imports.apply_import(session, actor, file, now)
    effects = _apply_import_changes(session, actor, applied.plan, applied.changes, False, now)
    import_id = applied.record.id if applied.record else None
    report = _import_report(file, applied.plan.report(), effects, import_id=import_id, dry_run=False)
    if applied.record is not None:
        applied.record.report = report
    return report


def expire_residency(
    session: Session, actor: Actor, *, residency_id: UUID, dry_run: bool, now: datetime
) -> tuple[CertificateEffect, ...]:
    """Suspend certificates after the last day of a residency, as if it had been closed today.

    The state is checked again under the lock, so that a second run, or a concurrent restoration, does no harm.
    """
    require_role(actor, Role.SYSTEM)
    row = organisation_repository.find_residency(session, residency_id, lock=not dry_run)
    if row is None or organisation_repository.find_residencies_in_force(
        session, [(row.organisation_id, row.park_code)], baku_day(now)
    ):
        return ()
    return _apply_changes(session, actor, [build_change(row, ResidencyChangeKind.LOST)], dry_run=dry_run, now=now)


def activate_residency(
    session: Session, actor: Actor, *, residency_id: UUID, dry_run: bool, now: datetime
) -> tuple[CertificateEffect, ...]:
    """Lift the suspension on the first day of a residency, as if it had been entered today.

    The state is checked under the lock, as in `expire_residency`.
    """
    require_role(actor, Role.SYSTEM)
    row = organisation_repository.find_residency(session, residency_id, lock=not dry_run)
    if row is None:
        return ()
    return _apply_changes(session, actor, [build_change(row, ResidencyChangeKind.NEW)], dry_run=dry_run, now=now)


def _import_report(
    file: ImportFile,
    report: dict[str, Any],
    effects: Iterable[CertificateEffect],
    *,
    import_id: UUID | None,
    dry_run: bool,
) -> dict[str, Any]:
    return {
        "import_id": str(import_id) if import_id else None,
        "dry_run": dry_run,
        "file_name": file.name,
        "sha256": file.sha256,
        **report,
        "certificates": [effect.as_json() for effect in effects],
    }


def _apply_import_changes(
    session: Session,
    actor: Actor,
    plan: ImportPlan,
    changes: Sequence[ResidencyChange],
    dry_run: bool,
    now: datetime,
) -> tuple[CertificateEffect, ...]:
    effects = _apply_changes(session, actor, changes, dry_run=dry_run, now=now)
    return (*effects, *_RegisterDifferences(session, actor, plan, dry_run=dry_run, now=now).open_matters())


def _apply_changes(
    session: Session, actor: Actor, changes: Sequence[ResidencyChange], *, dry_run: bool, now: datetime
) -> tuple[CertificateEffect, ...]:
    """Apply the changes in order to every dependent certificate, unless this is a dry run.

    A residency that is lost and replaced in one file suspends and reinstates: both effects are reported.
    """
    parties = {
        change.organisation_and_park
        for change in changes
        if change.kind is not ResidencyChangeKind.UNCHANGED or change.is_stage_regression
    }
    if not parties:
        return ()
    today = baku_day(now)
    dependents = certificate_repository.lock_certificates_of_parties(session, parties)
    residencies_in_force = (
        organisation_repository.find_residencies_in_force(session, dependents, today) if dependents else {}
    )
    started_ids = {change.residency_id for change in changes if change.kind in STARTING_CHANGES}
    effects: list[CertificateEffect] = []
    for change in changes:
        others = residencies_in_force.get(change.organisation_and_park, set()) - started_ids - {change.residency_id}
        for dependent in dependents.get(change.organisation_and_park, ()):
            application = _ChangeOnCertificate(session, actor, dependent, change, dry_run=dry_run, now=now)
            if change.kind is ResidencyChangeKind.LOST:
                effects += application.suspend() if not others else ()
            elif change.kind is ResidencyChangeKind.UNCHANGED:
                effects += application.check_stage(change.former_stage)
            elif _has_started(change, today):
                effects += application.lift_suspension()
    return tuple(effects)


STARTING_CHANGES = frozenset({ResidencyChangeKind.NEW, ResidencyChangeKind.RESTORED})


def _has_started(change: ResidencyChange, today: date) -> bool:
    """Check that a period has begun. `mik admin sweep` applies a later one on its first day."""
    return not change.is_closed and (change.starts_on is None or change.starts_on <= today)


class _ChangeOnCertificate:
    """Apply one change of a residency to one certificate."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        dependent: DependentCertificate,
        change: ResidencyChange,
        *,
        dry_run: bool,
        now: datetime,
    ) -> None:
        self.session, self.actor, self.dry_run, self.now = session, actor, dry_run, now
        self.certificate, self.granted_on, self.causes = dependent.certificate, dependent.granted_on, dependent.causes
        self.change = change

    def suspend(self) -> list[CertificateEffect]:
        if RESIDENCY_CAUSE in self.causes:
            return []
        effect = Effect.CAUSE_ADDED if self.causes else Effect.SUSPENDED
        self.causes.add(RESIDENCY_CAUSE)
        if not self.dry_run:
            status_service.suspend(
                self.session, self.actor, self.certificate, cause=RESIDENCY_CAUSE, note=SUSPENSION_NOTE, now=self.now
            )
        return [self._effect(effect)]

    def lift_suspension(self) -> list[CertificateEffect]:
        """Lift the cause; open matters where the status or the stage is lower than before."""
        effects = []
        if RESIDENCY_CAUSE in self.causes:
            self.causes.discard(RESIDENCY_CAUSE)
            effects.append(self._effect(Effect.CAUSE_LIFTED if self.causes else Effect.REINSTATED))
            if not self.dry_run:
                status_service.end_suspension_cause(
                    self.session, self.actor, self.certificate, cause=RESIDENCY_CAUSE, now=self.now
                )
        was_resident = self.granted_on.status == ResidencyStatus.RESIDENT
        if was_resident and self.change.status == ResidencyStatus.NON_RESIDENT:
            effects += self._open_matter(MatterCause.NON_RESIDENT)
        is_new = self.change.kind is ResidencyChangeKind.NEW
        return effects + self.check_stage(self.granted_on.stage if is_new else self.change.former_stage)

    def check_stage(self, previous: str | None) -> list[CertificateEffect]:
        return self._open_matter(MatterCause.STAGE_BACK) if is_stage_regression(previous, self.change.stage) else []

    def _open_matter(self, cause: MatterCause) -> list[CertificateEffect]:
        subject = f"residency:{self.change.residency_id}"
        is_opened = matters.can_open_matter(self.session, self.certificate, cause, subject, self.now)
        if is_opened and not self.dry_run:
            matters.open_matter(self.session, self.actor, self.certificate, cause, subject=subject, now=self.now)
        return [self._effect(Effect.MATTER_OPENED, cause)] if is_opened else []

    def _effect(self, effect: Effect, cause: MatterCause | None = None) -> CertificateEffect:
        return CertificateEffect(self.certificate.number, self.certificate.residency_id, effect, cause)


class _RegisterDifferences:
    """Compare companies and sites of a register file with what was certified of them."""

    def __init__(self, session: Session, actor: Actor, plan: ImportPlan, *, dry_run: bool, now: datetime) -> None:
        self.session, self.actor, self.dry_run, self.now = session, actor, dry_run, now
        self.companies: dict[UUID, tuple[Organisation, Mapping[str, Any]]] = {}
        self.sites: dict[UUID, tuple[Site, Mapping[str, Any]]] = {}
        for line in plan.lines:
            if line.organisation is not None and line.organisation_values:
                self.companies[line.organisation.id] = (line.organisation, line.organisation_values)
            if line.site is not None and line.site_values:
                self.sites[line.site.id] = (line.site, line.site_values)

    def open_matters(self) -> Iterator[CertificateEffect]:
        if not self.companies and not self.sites:
            return
        rows = matter_repository.lock_described_certificates(
            self.session, baku_day(self.now), organisation_ids=self.companies, site_ids=self.sites
        )
        for certificate, description in rows:
            if certificate.organisation_id in self.companies:
                company, file_values = self.companies[certificate.organisation_id]
                current_values = {**company_fields(company), **file_values}
                yield from self._compare_fields(
                    certificate, description, "company", f"organisation:{company.id}", current_values, file_values
                )
            if certificate.site_id in self.sites:
                site, file_values = self.sites[certificate.site_id]
                current_values = {**site_fields(site), **file_values}
                yield from self._compare_fields(
                    certificate, description, "site", f"site:{site.id}", current_values, file_values
                )

    def _compare_fields(
        self,
        certificate: Certificate,
        description: CertifiedDescription,
        part: str,
        subject: str,
        current_values: Mapping[str, Any],
        file_values: Mapping[str, Any],
    ) -> Iterator[CertificateEffect]:
        """Open a matter for changed fields of this file; earlier differences have their matters."""
        fields = [name for name in changed_fields(description.content[part], current_values) if name in file_values]
        cause = MatterCause.FACT_DIFFERS
        if not fields or not matters.can_open_matter(self.session, certificate, cause, subject, self.now):
            return
        if not self.dry_run:
            details = {"fields": fields}
            matters.open_matter(
                self.session, self.actor, certificate, cause, subject=subject, details=details, now=self.now
            )
        yield CertificateEffect(certificate.number, certificate.residency_id, Effect.MATTER_OPENED, cause)
