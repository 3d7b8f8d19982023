"""Describe what a register file would change, as values: a plan by line, and its report. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.core.csv_table import RowMessage
from app.core.messages import Message
from app.organisations.model import Organisation, Residency, Site
from app.organisations.residency_transitions import ResidencyChange, ResidencyChangeKind, ResidencyDetails, build_change
from app.organisations.residency_workflow import ResidencyAction
from app.organisations.resident_import.csv_format import ResidentRow
from app.reference.model import Park

UNSAVED_ID = UUID(int=0)
"""Placeholder id of a period that is still to be inserted."""


class LineAction(StrEnum):
    CREATED = "created"  # the company is new
    CANCELLED = "cancelled"  # its open residency is cancelled
    RESTORED = "restored"  # a closed residency is reopened
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"  # the line has errors, so the file is not applied


@dataclass(frozen=True, slots=True)
class CurrentRecords:
    """The present records of the companies in the file."""

    parks: Mapping[str, Park]
    organisations: Mapping[str, Organisation]  # by VÖEN
    sites: Mapping[tuple[UUID, str], Site]  # from registers, by company and register key
    residencies: Mapping[tuple[UUID, str], Sequence[Residency]]  # by company and park, oldest first


@dataclass(frozen=True, slots=True)
class FieldChange:
    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ResidencySteps:
    """Steps for the residency of a line: any of closing, reopening, beginning and new values."""

    close: Residency | None = None
    close_action: ResidencyAction = ResidencyAction.CANCEL
    reopen: Residency | None = None
    begin: ResidencyDetails | None = None
    begin_cancelled: bool = False
    continuing: Residency | None = None  # open before and after
    values: Mapping[str, Any] = field(default_factory=dict)  # values of the continuing or reopened one
    warning: Message | None = None


@dataclass(frozen=True, slots=True)
class LinePlan:
    row: ResidentRow
    action: LineAction
    new_park: Park | None  # to be added to the session
    organisation: Organisation | None  # None: it is new, or an earlier line of the file creates it
    organisation_values: Mapping[str, Any]
    site: Site | None
    site_values: Mapping[str, Any]
    residency: ResidencySteps
    changes: tuple[FieldChange, ...]
    warnings: tuple[RowMessage, ...]
    errors: tuple[RowMessage, ...]


@dataclass(frozen=True, slots=True)
class ImportPlan:
    lines: tuple[LinePlan, ...]
    file_errors: tuple[RowMessage, ...]  # errors of the file, and of lines that could not be read
    file_warnings: tuple[RowMessage, ...] = ()  # warnings that belong to no readable line

    @property
    def is_refused(self) -> bool:
        return bool(self.file_errors) or any(line.errors for line in self.lines)

    @property
    def errors(self) -> tuple[RowMessage, ...]:
        found = [*self.file_errors, *(note for line in self.lines for note in line.errors)]
        return tuple(sorted(found, key=lambda note: note.line))

    @property
    def residency_changes(self) -> tuple[ResidencyChange, ...]:
        """Changes that certificates can depend on, in the order in which they will be applied."""
        return tuple(change for line in self.lines for change in _residency_changes(line))

    def report(self) -> dict[str, Any]:
        """Return JSON values: totals by action, and every line."""
        actions = Counter(line.action for line in self.lines)
        totals = {"lines": len(self.lines), **{action.value: actions[action] for action in LineAction}}
        totals["errors"] = len(self.errors)
        return {
            "totals": totals,
            "lines": [_line_to_json(line) for line in self.lines],
            "errors": [_message_to_json(note) for note in self.file_errors],
            "remarks": [_message_to_json(note) for note in self.file_warnings],
        }


def _residency_changes(line: LinePlan) -> Iterator[ResidencyChange]:
    steps = line.residency
    if steps.close is not None:
        yield build_change(steps.close, ResidencyChangeKind.LOST)
    if steps.reopen is not None:
        yield _with_updated_values(build_change(steps.reopen, ResidencyChangeKind.RESTORED), steps)
    if steps.begin is not None and line.organisation is not None:
        begun = steps.begin
        yield ResidencyChange(
            residency_id=UNSAVED_ID,
            organisation_id=line.organisation.id,
            park_code=line.row.park_code or "",
            kind=ResidencyChangeKind.NEW,
            status=begun.status.value,
            starts_on=begun.starts_on,
            stage=begun.stage.value if begun.stage else None,
            former_stage=None,
            is_closed=steps.begin_cancelled,
        )
    if steps.continuing is not None:
        yield _with_updated_values(build_change(steps.continuing, ResidencyChangeKind.UNCHANGED), steps)


def _with_updated_values(change: ResidencyChange, steps: ResidencySteps) -> ResidencyChange:
    updated = {name: steps.values[name] for name in ("stage", "starts_on") if name in steps.values}
    return replace(change, former_stage=change.stage, **updated)


def _line_to_json(line: LinePlan) -> dict[str, Any]:
    return {
        "line": line.row.line,
        "party_id": line.row.party_id,
        "voen": line.row.voen,
        "action": line.action.value,
        "changes": [{"field": c.field, "from": c.before, "to": c.after} for c in line.changes],
        "remarks": [_message_to_json(note) for note in line.warnings],
        "errors": [_message_to_json(note) for note in line.errors],
    }


def _message_to_json(note: RowMessage) -> dict[str, Any]:
    return {"line": note.line, "column": note.column, "detail": note.message}
