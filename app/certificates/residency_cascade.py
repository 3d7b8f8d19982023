"""What a change of residency does to the certificates that rest on it, in the same transaction.

A certificate rests on its holder being a party of the park, not on one period of it: it is suspended with the cause
`residency` when the company has none in force any more, and the cause is lifted when one begins or is restored. Where
the company then is a non-resident, or no longer operates, or where a register says another thing than was certified, a
matter opens. Final certificates are left in peace. With `dry_run` the report is worked out the same way and nothing is
changed. Roles are checked by the registry.
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
    """What happens to one certificate."""

    SUSPENDED = "suspended"
    CAUSE_ADDED = "cause_added"  # suspended before, now for this cause as well
    REINSTATED = "reinstated"
    CAUSE_LIFTED = "cause_lifted"  # still suspended, for other causes
    MATTER_OPENED = "matter_opened"  # its status stays; somebody has to look at it


@dataclass(frozen=True, slots=True)
class CertificateEffect:
    number: str
    residency_id: UUID | None  # the one it was granted with; None where its rules ask for none
    effect: Effect
    cause: MatterCause | None = None  # of the matter

    def as_json(self) -> dict[str, str]:
        """What is None is left out."""
        members = {"number": self.number, "action": self.effect.value}
        if self.residency_id is not None:
            members["residency_id"] = str(self.residency_id)
        return members | ({"cause": self.cause.value} if self.cause else {})


@dataclass(frozen=True, slots=True)
class CascadeReport:
    """What changed in the registry, and which certificates were hit (or would be, in a dry run)."""

    change: ResidencyChange
    certificates: tuple[CertificateEffect, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "residency_id": str(self.change.residency_id),
            "organisation_id": str(self.change.organisation_id),
            "park_code": self.change.park_code,
            "kind": self.change.kind.value,
            "certificates": [hit.as_json() for hit in self.certificates],
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
    """As `registry.residency.begin_residency`, with the certificates that rested on a former period."""
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
    """As `registry.residency.update_stage`; a step back from operating opens matters."""
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
    """As `registry.residency.close_residency`, with its certificates."""
    change = residencies.close_residency(
        session, actor, move, residency_id=residency_id, version=version, on=on, reason=reason, now=now, dry_run=dry_run
    )
    return CascadeReport(change, _apply_changes(session, actor, [change], dry_run=dry_run, now=now))


def restore_residency(
    session: Session, actor: Actor, *, residency_id: UUID, version: ExpectedVersion, dry_run: bool, now: datetime
) -> CascadeReport:
    """As `registry.residency.restore_residency`, with its certificates."""
    change = residencies.restore_residency(
        session, actor, residency_id=residency_id, version=version, now=now, dry_run=dry_run
    )
    return CascadeReport(change, _apply_changes(session, actor, [change], dry_run=dry_run, now=now))


def import_resident_register(
    session: Session, actor: Actor, file: ImportFile, *, dry_run: bool, now: datetime
) -> dict[str, Any]:
    """Import a register file with all that follows for certificates; answers with the report as JSON values.

    A dry run reports errors line by line; a real run refuses a file with errors (Invalid `register-invalid`).
    """
    if dry_run:
        plan = resident_imports.plan_import(session, actor, file.content, baku_day(now))
        hits = () if plan.is_refused else _apply_import_changes(session, actor, plan, plan.residency_changes, True, now)
        return _import_report(file, plan.report(), hits, import_id=None, dry_run=True)
    applied = resident_imports.apply_import(session, actor, file, now)
    hits = _apply_import_changes(session, actor, applied.plan, applied.changes, False, now)
    import_id = applied.record.id if applied.record else None
    report = _import_report(file, applied.plan.report(), hits, import_id=import_id, dry_run=False)
    if applied.record is not None:
        applied.record.report = report
    return report


def expire_residency(
    session: Session, actor: Actor, *, residency_id: UUID, dry_run: bool, now: datetime
) -> tuple[CertificateEffect, ...]:
    """The known last day of a residency has passed: its certificates fall, as if it had been ended by hand today.

    Looked at again under the lock, so that running it twice, or beside a restoration, does nothing wrong.
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
    """The first day of a residency has come: the cause is lifted, as if it had been entered today. As `run_out`."""
    require_role(actor, Role.SYSTEM)
    row = organisation_repository.find_residency(session, residency_id, lock=not dry_run)
    if row is None:
        return ()
    return _apply_changes(session, actor, [build_change(row, ResidencyChangeKind.NEW)], dry_run=dry_run, now=now)


def _import_report(
    file: ImportFile,
    report: dict[str, Any],
    hits: Iterable[CertificateEffect],
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
        "certificates": [hit.as_json() for hit in hits],
    }


def _apply_import_changes(
    session: Session,
    actor: Actor,
    plan: ImportPlan,
    changes: Sequence[ResidencyChange],
    dry_run: bool,
    now: datetime,
) -> tuple[CertificateEffect, ...]:
    hits = _apply_changes(session, actor, changes, dry_run=dry_run, now=now)
    return (*hits, *_RegisterDifferences(session, actor, plan, dry_run=dry_run, now=now).open_matters())


def _apply_changes(
    session: Session, actor: Actor, changes: Sequence[ResidencyChange], *, dry_run: bool, now: datetime
) -> tuple[CertificateEffect, ...]:
    """Look at every certificate that rests on a changed residency, change by change, and act unless this is a dry run.

    One that is lost and followed by another in the same file suspends and reinstates: both are told.
    """
    parties = {
        change.organisation_and_park
        for change in changes
        if change.kind is not ResidencyChangeKind.UNCHANGED or change.is_stage_regression
    }
    if not parties:
        return ()
    today = baku_day(now)
    resting = certificate_repository.lock_certificates_of_parties(session, parties)
    holding = organisation_repository.find_residencies_in_force(session, resting, today) if resting else {}
    begun = {change.residency_id for change in changes if change.kind in STARTING_CHANGES}
    hits: list[CertificateEffect] = []
    for change in changes:
        others = holding.get(change.organisation_and_park, set()) - begun - {change.residency_id}
        for each in resting.get(change.organisation_and_park, ()):
            work = _ChangeOnCertificate(session, actor, each, change, dry_run=dry_run, now=now)
            if change.kind is ResidencyChangeKind.LOST:
                hits += work.suspend() if not others else ()
            elif change.kind is ResidencyChangeKind.UNCHANGED:
                hits += work.check_stage(change.former_stage)
            elif _has_started(change, today):
                hits += work.lift_suspension()
    return tuple(hits)


STARTING_CHANGES = frozenset({ResidencyChangeKind.NEW, ResidencyChangeKind.RESTORED})


def _has_started(change: ResidencyChange, today: date) -> bool:
    """A period that begins later does nothing yet: `mik admin sweep` looks again on its first day."""
    return not change.is_closed and (change.starts_on is None or change.starts_on <= today)


class _ChangeOnCertificate:
    """What one change of a residency does to one certificate."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        each: DependentCertificate,
        change: ResidencyChange,
        *,
        dry_run: bool,
        now: datetime,
    ) -> None:
        self.session, self.actor, self.dry_run, self.now = session, actor, dry_run, now
        self.certificate, self.granted_on, self.causes = each.certificate, each.granted_on, each.causes
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
        """The company is a party of the park again; what it is there may be another thing than before."""
        hits = []
        if RESIDENCY_CAUSE in self.causes:
            self.causes.discard(RESIDENCY_CAUSE)
            hits.append(self._effect(Effect.CAUSE_LIFTED if self.causes else Effect.REINSTATED))
            if not self.dry_run:
                status_service.end_suspension_cause(
                    self.session, self.actor, self.certificate, cause=RESIDENCY_CAUSE, now=self.now
                )
        was_resident = self.granted_on.status == ResidencyStatus.RESIDENT
        if was_resident and self.change.status == ResidencyStatus.NON_RESIDENT:
            hits += self._open_matter(MatterCause.NON_RESIDENT)
        is_new = self.change.kind is ResidencyChangeKind.NEW
        return hits + self.check_stage(self.granted_on.stage if is_new else self.change.former_stage)

    def check_stage(self, former: str | None) -> list[CertificateEffect]:
        return self._open_matter(MatterCause.STAGE_BACK) if is_stage_regression(former, self.change.stage) else []

    def _open_matter(self, cause: MatterCause) -> list[CertificateEffect]:
        subject = f"residency:{self.change.residency_id}"
        is_opened = matters.can_open_matter(self.session, self.certificate, cause, subject, self.now)
        if is_opened and not self.dry_run:
            matters.open_matter(self.session, self.actor, self.certificate, cause, subject=subject, now=self.now)
        return [self._effect(Effect.MATTER_OPENED, cause)] if is_opened else []

    def _effect(self, effect: Effect, cause: MatterCause | None = None) -> CertificateEffect:
        return CertificateEffect(self.certificate.number, self.certificate.residency_id, effect, cause)


class _RegisterDifferences:
    """Where a register says another thing of a company or a site than was certified of it."""

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
        held = matter_repository.lock_described_certificates(
            self.session, baku_day(self.now), organisation_ids=self.companies, site_ids=self.sites
        )
        for certificate, frozen in held:
            if certificate.organisation_id in self.companies:
                company, said = self.companies[certificate.organisation_id]
                now_said = {**company_fields(company), **said}
                yield from self._compare_fields(
                    certificate, frozen, "company", f"organisation:{company.id}", now_said, said
                )
            if certificate.site_id in self.sites:
                site, said = self.sites[certificate.site_id]
                now_said = {**site_fields(site), **said}
                yield from self._compare_fields(certificate, frozen, "site", f"site:{site.id}", now_said, said)

    def _compare_fields(
        self,
        certificate: Certificate,
        frozen: CertifiedDescription,
        part: str,
        subject: str,
        now_said: Mapping[str, Any],
        said: Mapping[str, Any],
    ) -> Iterator[CertificateEffect]:
        """Only what this file changed: what differs since earlier has its matter, open or closed."""
        fields = [name for name in changed_fields(frozen.content[part], now_said) if name in said]
        cause = MatterCause.FACT_DIFFERS
        if not fields or not matters.can_open_matter(self.session, certificate, cause, subject, self.now):
            return
        if not self.dry_run:
            details = {"fields": fields}
            matters.open_matter(
                self.session, self.actor, certificate, cause, subject=subject, details=details, now=self.now
            )
        yield CertificateEffect(certificate.number, certificate.residency_id, Effect.MATTER_OPENED, cause)
