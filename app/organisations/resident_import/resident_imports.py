"""Import a resident register: plan it, and apply the plan completely or not at all.

A second import of the same file changes nothing but the day of the last confirmation by the register, whose age rule
K-04 evaluates; if that is today already, nothing is written.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import require_role, require_second_factor
from app.core.actor import Actor, Role
from app.core.database import new_id
from app.core.dates import baku_day
from app.core.errors import Conflict, Invalid
from app.core.messages import Message
from app.organisations import organisation_repository, tax_number
from app.organisations.model import Organisation, OrganisationStatus, RecordSource, RegisterImport, Residency, Site
from app.organisations.registration import build_search_text
from app.organisations.residency_transitions import (
    ResidencyChange,
    ResidencyChangeKind,
    build_change,
    close_period,
    open_period,
    record_event,
    reopen_period,
)
from app.organisations.residency_workflow import ResidencyAction
from app.organisations.resident_import.csv_format import ResidentFile
from app.organisations.resident_import.plan import CurrentRecords, ImportPlan, LinePlan, ResidencySteps
from app.organisations.resident_import.planner import make_plan
from app.reference import reference_repository
from app.reference.territory import HOME_COUNTRY, load_territory

MAX_LISTED_ERRORS = 100
REGISTER_CLOSING_REASON = "The register of the park says so."


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A parsed file with the values that identify it later."""

    content: ResidentFile
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class AppliedImport:
    plan: ImportPlan
    record: RegisterImport | None  # None: the file changed nothing
    changes: tuple[ResidencyChange, ...]


def plan_import(session: Session, actor: Actor, sheet: ResidentFile, today: date, *, lock: bool = False) -> ImportPlan:
    """Plan the effect of the file by line. With `lock` others cannot change these companies until the commit."""
    require_role(actor, Role.REGISTRAR, Role.SYSTEM)
    organisations = organisation_repository.find_companies_by_voen(session, (row.voen for row in sheet.rows), lock=lock)
    ids = [each.id for each in organisations.values()]
    residencies: dict[tuple[UUID, str], list[Residency]] = defaultdict(list)
    for period in organisation_repository.list_residencies_of(session, ids, lock=lock):
        residencies[period.organisation_id, period.park_code].append(period)
    current = CurrentRecords(
        parks={park.code: park for park in reference_repository.list_parks(session)},
        organisations=organisations,
        sites={
            (s.organisation_id, s.register_key or ""): s
            for s in organisation_repository.list_register_sites(session, ids)
        },
        residencies=residencies,
    )
    return make_plan(sheet, current, load_territory(), today)


def apply_import(session: Session, actor: Actor, file: ImportFile, now: datetime) -> AppliedImport:
    """Apply all lines or none. Raises `Invalid` (`register-invalid`), `Conflict` (`register-changed`)."""
    today = baku_day(now)
    require_role(actor, Role.REGISTRAR, Role.SYSTEM)
    require_second_factor(actor)
    plan = plan_import(session, actor, file.content, today, lock=True)
    if plan.is_refused:
        raise import_error(plan)
    work = _PlanExecutor(session, actor, new_id(), today, now)
    try:
        changes = work.execute(plan)
    except IntegrityError as why:
        message = Message("The register was changed while this file was applied. Nothing was imported; try again.")
        raise Conflict(message, code="register-changed") from why
    if not work.has_written:
        return AppliedImport(plan, None, changes)
    report = plan.report()
    record = RegisterImport(
        id=work.import_id,
        sha256=file.sha256,
        file_name=file.name,
        imported_by=actor.id,
        imported_at=now,
        report=report,
    )
    session.add(record)
    session.flush()
    recorder.record(
        session,
        actor,
        "register.imported",
        ("register_import", record.id),
        now,
        sha256=file.sha256,
        totals=report["totals"],
    )
    return AppliedImport(plan, record, changes)


def import_error(plan: ImportPlan) -> Invalid:
    """Return why the file was not imported, with the first hundred errors; a dry run returns all."""
    errors = plan.errors
    shown = [
        {"pointer": f"/lines/{each.line}" + (f"/{each.column}" if each.column else ""), "detail": each.message}
        for each in errors[:MAX_LISTED_ERRORS]
    ]
    message = Message(
        "Nothing was imported: the file has %(count)s error.",
        many="Nothing was imported: the file has %(count)s errors.",
        count=len(errors),
    )
    return Invalid(message, shown, code="register-invalid")


class _PlanExecutor:
    """Apply a plan table by table: foreign keys require parks and companies before their dependents."""

    def __init__(self, session: Session, actor: Actor, import_id: UUID, today: date, now: datetime) -> None:
        self.session, self.actor, self.import_id = session, actor, import_id
        self.today, self.now = today, now
        self.source = f"import:{import_id}"
        self.has_written = False

    def execute(self, plan: ImportPlan) -> tuple[ResidencyChange, ...]:
        self._add_all([line.new_park for line in plan.lines])
        organisations = self._apply_organisations(plan)
        self._add_all([self._build_site(line, organisations[line.row.voen].id) for line in plan.lines])
        return tuple(
            change for line in plan.lines for change in self._apply_residency(line, organisations[line.row.voen].id)
        )

    def _add_all(self, rows: list[Any]) -> None:
        new = [row for row in rows if row is not None]
        self.session.add_all(new)
        self.session.flush()
        self.has_written |= bool(new)

    def _apply_organisations(self, plan: ImportPlan) -> Mapping[str, Organisation]:
        by_voen: dict[str, Organisation] = {}
        for line in plan.lines:
            row = line.row
            if row.voen in by_voen:
                continue
            if line.organisation is not None:
                by_voen[row.voen] = line.organisation
                self._update(line.organisation, "organisation", line.organisation_values)
                continue
            made = by_voen[row.voen] = Organisation(
                id=new_id(),
                voen=row.voen,
                voen_needs_review=is_voen_review_needed(row.voen),
                search_text=build_search_text(row.legal_name_az, row.legal_name_en, row.voen),
                status=OrganisationStatus.LISTED.value,
                created_at=self.now,
                **line.organisation_values,
            )
            self.session.add(made)
            self._record_event("organisation.listed", ("organisation", made.id))
        self.session.flush()
        return by_voen

    def _build_site(self, line: LinePlan, organisation_id: UUID) -> Site | None:
        if line.site is not None:
            self._update(line.site, "site", line.site_values)
            return None
        park = line.row.park_code
        return Site(
            organisation_id=organisation_id,
            name=line.row.park_name_en or park or line.site_values["district"],
            country=HOME_COUNTRY,
            park_code=park,
            source=RecordSource.REGISTER.value,
            register_key=park or "",
            created_at=self.now,
            **line.site_values,
        )

    def _update(self, row: Organisation | Site, kind: str, values: Mapping[str, Any]) -> None:
        if not values:
            return
        for name, value in values.items():
            setattr(row, name, value)
        if isinstance(row, Organisation):
            row.search_text = build_search_text(row.legal_name_az, row.legal_name_en, row.voen)
        row.version += 1
        self._record_event(f"{kind}.updated", (kind, row.id), fields=sorted(values))

    def _apply_residency(self, line: LinePlan, organisation_id: UUID) -> list[ResidencyChange]:
        steps, park = line.residency, line.row.park_code or ""
        changes = []
        if steps.close is not None:
            begun = steps.close.starts_on
            on = max(self.today, begun) if begun and steps.close_action is ResidencyAction.END else self.today
            close_period(
                self.session,
                self.actor,
                steps.close,
                steps.close_action,
                on=on,
                reason=REGISTER_CLOSING_REASON,
                now=self.now,
            )
            changes.append(build_change(steps.close, ResidencyChangeKind.LOST))
        if steps.reopen is not None:
            before = steps.reopen.stage
            reopen_period(self.session, self.actor, steps.reopen, source=self.source, today=self.today, now=self.now)
            self._update_values(steps.reopen, steps)
            changes.append(build_change(steps.reopen, ResidencyChangeKind.RESTORED, former_stage=before))
        if steps.begin is not None:
            changes.append(build_change(self._begin_residency(steps, organisation_id, park), ResidencyChangeKind.NEW))
        if steps.continuing is not None:
            before = steps.continuing.stage
            self._update_values(steps.continuing, steps)
            if steps.continuing.confirmed_on < self.today or steps.values:
                steps.continuing.source, steps.continuing.confirmed_on = self.source, self.today
                self.has_written = True
            changes.append(build_change(steps.continuing, ResidencyChangeKind.UNCHANGED, former_stage=before))
        self.has_written |= any(change.kind is not ResidencyChangeKind.UNCHANGED for change in changes)
        return changes

    def _begin_residency(self, steps: ResidencySteps, organisation_id: UUID, park: str) -> Residency:
        assert steps.begin is not None
        row = open_period(
            self.session,
            self.actor,
            organisation_id,
            park,
            steps.begin,
            source=self.source,
            today=self.today,
            now=self.now,
        )
        if steps.begin_cancelled:
            close_period(
                self.session,
                self.actor,
                row,
                ResidencyAction.CANCEL,
                on=self.today,
                reason=REGISTER_CLOSING_REASON,
                now=self.now,
            )
        return row

    def _update_values(self, row: Residency, steps: ResidencySteps) -> None:
        if not steps.values:
            return
        for name, value in steps.values.items():
            setattr(row, name, value)
        row.version += 1
        record_event(self.session, self.actor, "residency.updated", row, self.now, fields=sorted(steps.values))

    def _record_event(self, event: str, subject: tuple[str, UUID], **data: Any) -> None:
        self.has_written = True
        recorder.record(self.session, self.actor, event, subject, self.now, **data)


def is_voen_review_needed(digits: str) -> bool:
    number = tax_number.parse_voen(digits)
    return isinstance(number, tax_number.Voen) and number.needs_review
