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

from app.auth.permissions import require
from app.certificates import certificate_repository, matter_repository, matters, status_service
from app.certificates.certificate_repository import Resting
from app.certificates.credential.certified_description import company_members, differing, site_members
from app.certificates.model import Certificate, CertifiedDescription, MatterCause, SuspensionCause
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.core.errors import Version
from app.organisations import organisation_repository, residencies
from app.organisations.model import Organisation, Residency, ResidencyStatus, Site, Stage
from app.organisations.residency_transitions import ChangeKind, ResidencyChange, ResidencyDetails, change_of, fell_back
from app.organisations.residency_workflow import Move
from app.organisations.resident_import import resident_imports
from app.organisations.resident_import.plan import ImportPlan
from app.organisations.resident_import.resident_imports import RegisterFile

CAUSE = SuspensionCause.RESIDENCY
NOTE = "The residency it rests on was lost."


class Effect(StrEnum):
    """What happens to one certificate."""

    SUSPENDED = "suspended"
    CAUSE_ADDED = "cause_added"  # suspended before, now for this cause as well
    REINSTATED = "reinstated"
    CAUSE_LIFTED = "cause_lifted"  # still suspended, for other causes
    MATTER_OPENED = "matter_opened"  # its status stays; somebody has to look at it


@dataclass(frozen=True, slots=True)
class Hit:
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
    certificates: tuple[Hit, ...]

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
    return row, CascadeReport(change, _follow(session, actor, [change], dry_run=False, now=now))


def update_stage(
    session: Session, actor: Actor, *, residency_id: UUID, version: Version, stage: Stage, now: datetime
) -> CascadeReport:
    """As `registry.residency.update_stage`; a step back from operating opens matters."""
    change = residencies.update_stage(session, actor, residency_id=residency_id, version=version, stage=stage, now=now)
    return CascadeReport(change, _follow(session, actor, [change], dry_run=False, now=now))


def close_residency(
    session: Session,
    actor: Actor,
    move: Move,
    *,
    residency_id: UUID,
    version: Version,
    on: date,
    reason: str,
    dry_run: bool,
    now: datetime,
) -> CascadeReport:
    """As `registry.residency.close_residency`, with its certificates."""
    change = residencies.close_residency(
        session, actor, move, residency_id=residency_id, version=version, on=on, reason=reason, now=now, dry_run=dry_run
    )
    return CascadeReport(change, _follow(session, actor, [change], dry_run=dry_run, now=now))


def restore_residency(
    session: Session, actor: Actor, *, residency_id: UUID, version: Version, dry_run: bool, now: datetime
) -> CascadeReport:
    """As `registry.residency.restore_residency`, with its certificates."""
    change = residencies.restore_residency(
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
        plan = resident_imports.plan_import(session, actor, file.sheet, baku_day(now))
        hits = () if plan.is_refused else _follow_import(session, actor, plan, plan.residency_changes, True, now)
        return _import_report(file, plan.report(), hits, import_id=None, dry_run=True)
    applied = resident_imports.apply_import(session, actor, file, now)
    hits = _follow_import(session, actor, applied.plan, applied.changes, False, now)
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
    row = organisation_repository.residency(session, residency_id, lock=not dry_run)
    if row is None or organisation_repository.holding(session, [(row.organisation_id, row.park_code)], baku_day(now)):
        return ()
    return _follow(session, actor, [change_of(row, ChangeKind.LOST)], dry_run=dry_run, now=now)


def come_back(session: Session, actor: Actor, *, residency_id: UUID, dry_run: bool, now: datetime) -> tuple[Hit, ...]:
    """The first day of a residency has come: the cause is lifted, as if it had been entered today. As `run_out`."""
    require(actor, Role.SYSTEM)
    row = organisation_repository.residency(session, residency_id, lock=not dry_run)
    if row is None:
        return ()
    return _follow(session, actor, [change_of(row, ChangeKind.NEW)], dry_run=dry_run, now=now)


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


def _follow_import(
    session: Session,
    actor: Actor,
    plan: ImportPlan,
    changes: Sequence[ResidencyChange],
    dry_run: bool,
    now: datetime,
) -> tuple[Hit, ...]:
    hits = _follow(session, actor, changes, dry_run=dry_run, now=now)
    return (*hits, *_Differences(session, actor, plan, dry_run=dry_run, now=now).found())


def _follow(
    session: Session, actor: Actor, changes: Sequence[ResidencyChange], *, dry_run: bool, now: datetime
) -> tuple[Hit, ...]:
    """Look at every certificate that rests on a changed residency, change by change, and act unless this is a dry run.

    One that is lost and followed by another in the same file suspends and reinstates: both are told.
    """
    parties = {change.party for change in changes if change.kind is not ChangeKind.KEPT or change.fell_back}
    if not parties:
        return ()
    today = baku_day(now)
    resting = certificate_repository.resting_on(session, parties)
    holding = organisation_repository.holding(session, resting, today) if resting else {}
    begun = {change.residency_id for change in changes if change.kind in BEGINS}
    hits: list[Hit] = []
    for change in changes:
        others = holding.get(change.party, set()) - begun - {change.residency_id}
        for each in resting.get(change.party, ()):
            work = _Work(session, actor, each, change, dry_run=dry_run, now=now)
            if change.kind is ChangeKind.LOST:
                hits += work.lose() if not others else ()
            elif change.kind is ChangeKind.KEPT:
                hits += work.look_at_stage(change.former_stage)
            elif _is_in_force(change, today):
                hits += work.come_back()
    return tuple(hits)


BEGINS = frozenset({ChangeKind.NEW, ChangeKind.RESTORED})


def _is_in_force(change: ResidencyChange, today: date) -> bool:
    """A period that begins later does nothing yet: `mik admin sweep` looks again on its first day."""
    return not change.is_closed and (change.starts_on is None or change.starts_on <= today)


class _Work:
    """What one change of a residency does to one certificate."""

    def __init__(
        self, session: Session, actor: Actor, each: Resting, change: ResidencyChange, *, dry_run: bool, now: datetime
    ) -> None:
        self.session, self.actor, self.dry_run, self.now = session, actor, dry_run, now
        self.certificate, self.granted_on, self.causes = each.certificate, each.granted_on, each.causes
        self.change = change

    def lose(self) -> list[Hit]:
        if CAUSE in self.causes:
            return []
        effect = Effect.CAUSE_ADDED if self.causes else Effect.SUSPENDED
        self.causes.add(CAUSE)
        if not self.dry_run:
            status_service.suspend(self.session, self.actor, self.certificate, cause=CAUSE, note=NOTE, now=self.now)
        return [self._hit(effect)]

    def come_back(self) -> list[Hit]:
        """The company is a party of the park again; what it is there may be another thing than before."""
        hits = []
        if CAUSE in self.causes:
            self.causes.discard(CAUSE)
            hits.append(self._hit(Effect.CAUSE_LIFTED if self.causes else Effect.REINSTATED))
            if not self.dry_run:
                status_service.lift(self.session, self.actor, self.certificate, cause=CAUSE, now=self.now)
        was_resident = self.granted_on.status == ResidencyStatus.RESIDENT
        if was_resident and self.change.status == ResidencyStatus.NON_RESIDENT:
            hits += self._open(MatterCause.NON_RESIDENT)
        is_new = self.change.kind is ChangeKind.NEW
        return hits + self.look_at_stage(self.granted_on.stage if is_new else self.change.former_stage)

    def look_at_stage(self, former: str | None) -> list[Hit]:
        return self._open(MatterCause.STAGE_BACK) if fell_back(former, self.change.stage) else []

    def _open(self, cause: MatterCause) -> list[Hit]:
        subject = f"residency:{self.change.residency_id}"
        is_opened = matters.foresee(self.session, self.certificate, cause, subject, self.now)
        if is_opened and not self.dry_run:
            matters.open_matter(self.session, self.actor, self.certificate, cause, subject=subject, now=self.now)
        return [self._hit(Effect.MATTER_OPENED, cause)] if is_opened else []

    def _hit(self, effect: Effect, cause: MatterCause | None = None) -> Hit:
        return Hit(self.certificate.number, self.certificate.residency_id, effect, cause)


class _Differences:
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

    def found(self) -> Iterator[Hit]:
        if not self.companies and not self.sites:
            return
        held = matter_repository.described(
            self.session, baku_day(self.now), organisation_ids=self.companies, site_ids=self.sites
        )
        for certificate, frozen in held:
            if certificate.organisation_id in self.companies:
                company, said = self.companies[certificate.organisation_id]
                now_said = {**company_members(company), **said}
                yield from self._compare(certificate, frozen, "company", f"organisation:{company.id}", now_said, said)
            if certificate.site_id in self.sites:
                site, said = self.sites[certificate.site_id]
                now_said = {**site_members(site), **said}
                yield from self._compare(certificate, frozen, "site", f"site:{site.id}", now_said, said)

    def _compare(
        self,
        certificate: Certificate,
        frozen: CertifiedDescription,
        part: str,
        subject: str,
        now_said: Mapping[str, Any],
        said: Mapping[str, Any],
    ) -> Iterator[Hit]:
        """Only what this file changed: what differs since earlier has its matter, open or closed."""
        fields = [name for name in differing(frozen.content[part], now_said) if name in said]
        cause = MatterCause.FACT_DIFFERS
        if not fields or not matters.foresee(self.session, certificate, cause, subject, self.now):
            return
        if not self.dry_run:
            details = {"fields": fields}
            matters.open_matter(
                self.session, self.actor, certificate, cause, subject=subject, details=details, now=self.now
            )
        yield Hit(certificate.number, certificate.residency_id, Effect.MATTER_OPENED, cause)
