"""Evaluate a register file line by line: its errors, and what it would change. Pure.

The register is authoritative for which companies it lists and where. An empty cell changes nothing. A company is
identified by its VÖEN, its residency by company and park. Companies that the file does not contain stay as they are,
because a register may be imported in parts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any

from app.core.csv_table import RowMessage
from app.core.messages import Message
from app.organisations.model import Organisation, ProductionStage, RecordSource, Residency, ResidencyStatus, Site
from app.organisations.residency_transitions import ResidencyDetails
from app.organisations.residency_workflow import ResidencyAction, ResidencyState, state_of
from app.organisations.resident_import.csv_format import ResidentFile, ResidentRow
from app.organisations.resident_import.plan import (
    CurrentRecords,
    FieldChange,
    ImportPlan,
    LineAction,
    LinePlan,
    ResidencySteps,
)
from app.reference.model import Park
from app.reference.territory import HOME_COUNTRY, Territory, district_error, is_same_district

NO_RESIDENCY = "none"
CANCELLED = "cancelled"
UNKNOWN_PARK_KIND = "other"
"""Kind of a park that only a register names, which has no column for it."""


def make_plan(sheet: ResidentFile, current: CurrentRecords, places: Territory, today: date) -> ImportPlan:
    """Plan a whole file. Lines are evaluated together, because two of them may contradict each other."""
    errors_of, remarks_of = _group_by_line(sheet.errors), _group_by_line(sheet.warnings)
    first_of: dict[str, ResidentRow] = {}
    parks: dict[str, Park] = dict(current.parks)
    lines = []
    for row in sheet.rows:
        new_park = None
        errors = errors_of.pop(row.line, [])
        if row.park_code is not None and row.park_code not in parks:
            missing = _missing_park_errors(row)
            errors += missing
            if not missing:
                new_park = parks[row.park_code] = _build_park(row, places)
        errors += _place_errors(row, parks.get(row.park_code or ""), places)
        first = first_of.setdefault(row.voen, row)
        if _company_values(first) != _company_values(row):
            errors.append(
                RowMessage(
                    row.line,
                    "voen",
                    Message("Line %(line)s describes this company differently.", code="contradiction", line=first.line),
                )
            )
        wrong_columns = {note.column for note in errors}
        remarks = [note for note in remarks_of.pop(row.line, []) if note.column not in wrong_columns]
        planner = _LinePlanner(row, current, parks.get(row.park_code or ""), places, today, is_first=first is row)
        lines.append(planner.plan(new_park, remarks, errors))
    left_over = [tuple(chain.from_iterable(notes.values())) for notes in (errors_of, remarks_of)]
    return ImportPlan(tuple(lines), *left_over)


class _LinePlanner:
    """Plan one line against the current records. `make_plan` evaluates parks and other lines."""

    def __init__(
        self,
        row: ResidentRow,
        current: CurrentRecords,
        park: Park | None,
        places: Territory,
        today: date,
        *,
        is_first: bool,
    ) -> None:
        self.row, self.is_first = row, is_first
        self.organisation = current.organisations.get(row.voen)
        self.site: Site | None = None
        self.periods: Sequence[Residency] = ()
        if self.organisation is not None:
            self.site = current.sites.get((self.organisation.id, row.park_code or ""))
            self.periods = current.residencies.get((self.organisation.id, row.park_code or ""), ())
        self.company_values = _changed_values(self.organisation, _company_values(row)) if is_first else {}
        self.site_values = _changed_values(self.site, _site_values(row, park, places))
        self.steps = plan_residency(row, self.periods, today)

    def plan(self, new_park: Park | None, remarks: Iterable[RowMessage], errors: Sequence[RowMessage]) -> LinePlan:
        changes = self._changes()
        remark = self.steps.warning
        return LinePlan(
            row=self.row,
            action=LineAction.REFUSED if errors else self._action(changes),
            new_park=new_park,
            organisation=self.organisation,
            organisation_values=self.company_values,
            site=self.site,
            site_values=self.site_values,
            residency=self.steps,
            changes=() if errors else changes,
            warnings=(*remarks, *([RowMessage(self.row.line, "status", remark)] if remark else [])),
            errors=tuple(errors),
        )

    def _action(self, changes: Sequence[FieldChange]) -> LineAction:
        if self.organisation is None and self.is_first:
            return LineAction.CREATED
        if self.steps.close is not None and self.steps.close_action is ResidencyAction.CANCEL:
            return LineAction.CANCELLED
        if self.steps.reopen is not None:
            return LineAction.RESTORED
        return LineAction.UPDATED if changes else LineAction.UNCHANGED

    def _changes(self) -> tuple[FieldChange, ...]:
        """List the changed fields of a present company; empty for a new one."""
        if self.organisation is None and self.is_first:
            return ()
        changes = _field_changes(self.organisation, self.company_values)
        if self.site is None:
            changes.append(FieldChange("site", None, self.site_values["district"]))
        else:
            changes += _field_changes(self.site, self.site_values)
        before, after = _current_status(self.periods), _status_after(self.steps)
        if after is not None and before != after:
            changes.append(FieldChange("status", before, after))
        changes += _field_changes(self.steps.continuing or self.steps.reopen, self.steps.values)
        return tuple(changes)


def plan_residency(row: ResidentRow, periods: Sequence[Residency], today: date) -> ResidencySteps:
    """Plan the steps from the periods of a company in a park to the line. `periods`: oldest first, at most one open."""
    if row.status == NO_RESIDENCY or row.park_code is None:
        return ResidencySteps()
    present = next((each for each in periods if _residency_state(each) is ResidencyState.OPEN), None)
    if row.status == CANCELLED:
        return _plan_cancellation(row, present, periods)
    status = ResidencyStatus(row.status)
    values = _residency_values(row)
    if present is not None and present.status == status:
        changed = _changed_values(present, values)
        renumbered = "registration_no" in changed and present.registration_no is not None
        return ResidencySteps(
            continuing=present,
            values=changed,
            warning=Message("The registration number is another one.", code="other-number") if renumbered else None,
        )
    former = [
        each
        for each in periods
        if each is not present and each.status == status and each.registration_no == row.registration_no
    ]
    if former:
        again = max(former, key=_closing_key)
        return ResidencySteps(
            close=present, close_action=ResidencyAction.END, reopen=again, values=_changed_values(again, values)
        )
    begins = row.registered_on or (today if present is not None else None)
    return ResidencySteps(
        close=present, close_action=ResidencyAction.END, begin=_residency_details(row, status, begins)
    )


def _plan_cancellation(row: ResidentRow, present: Residency | None, periods: Sequence[Residency]) -> ResidencySteps:
    if present is not None:
        return ResidencySteps(close=present, close_action=ResidencyAction.CANCEL)
    if not periods:  # the file is the first source: the cancelled residency is recorded
        return ResidencySteps(
            begin=_residency_details(row, ResidencyStatus.RESIDENT, row.registered_on), begin_cancelled=True
        )
    latest = max(periods, key=_closing_key)
    if _residency_state(latest) is ResidencyState.ENDED:
        return ResidencySteps(
            warning=Message(
                "The residency had ended on %(ends_on)s; there is none to cancel.",
                code="residency-ended",
                ends_on=str(latest.ends_on),
            )
        )
    return ResidencySteps()


def _residency_state(row: Residency) -> ResidencyState:
    return state_of(row.ends_on, row.cancelled_on)


def _closing_key(row: Residency) -> tuple[date, bool]:
    """Sort key of the period that closed last. Open ones sort last; on one day a cancellation takes precedence."""
    return row.cancelled_on or row.ends_on or date.max, row.cancelled_on is not None


def _current_status(periods: Sequence[Residency]) -> str:
    """Return the present state as a status of the register."""
    if not periods:
        return NO_RESIDENCY
    latest = max(periods, key=_closing_key)
    state = _residency_state(latest)
    return latest.status if state is ResidencyState.OPEN else state.value


def _status_after(steps: ResidencySteps) -> str | None:
    if steps.begin is not None:
        return CANCELLED if steps.begin_cancelled else steps.begin.status.value
    if steps.reopen is not None:
        return steps.reopen.status
    return CANCELLED if steps.close is not None else None


def _place_errors(row: ResidentRow, park: Park | None, places: Territory) -> list[RowMessage]:
    """Report contradictions of place: with the reference data, with the park, and between status and park."""
    errors = []
    if row.park_code is None and row.status != NO_RESIDENCY:
        errors.append(
            RowMessage(
                row.line,
                "zone_code",
                Message("The status is %(status)s, but no park is named.", code="required", status=str(row.status)),
            )
        )
    if row.park_code is not None and row.status == NO_RESIDENCY:
        errors.append(
            RowMessage(row.line, "status", Message("The status is none, but a park is named.", code="not-taken"))
        )
    if row.park_code is None and row.district is None:
        errors.append(
            RowMessage(
                row.line, "district", Message("Where no park is named, the district is needed.", code="required")
            )
        )
    district = places.find_district(row.district)
    region = row.economic_region
    if row.district is not None and (fault := district_error(HOME_COUNTRY, row.district)):
        errors.append(RowMessage(row.line, "district", fault))
    if region is not None and region not in places.regions:
        errors.append(
            RowMessage(
                row.line,
                "economic_region",
                Message("There is no economic region %(region)s.", code="unknown-region", region=region),
            )
        )
    elif region is not None and district is not None and region != district.region:
        errors.append(
            RowMessage(
                row.line,
                "economic_region",
                Message(
                    "%(district)s lies in %(region)s, not in %(other)s.",
                    code="other-region",
                    district=district.name,
                    region=district.region,
                    other=region,
                ),
            )
        )
    if park is not None and district is not None and not is_same_district(places, park.district, row.district):
        errors.append(
            RowMessage(
                row.line,
                "district",
                Message(
                    "The park %(park)s lies in %(district)s, not here.",
                    code="other-district",
                    park=park.code,
                    district=park.district,
                ),
            )
        )
    return errors


def _missing_park_errors(row: ResidentRow) -> list[RowMessage]:
    """Report what is missing to create an unknown park with its first resident."""
    needed = {"zone_name_en": row.park_name_en, "district": row.district, "economic_region": row.economic_region}
    missing = [column for column, value in needed.items() if value is None]
    if not missing:
        return []
    detail = Message(
        "There is no park %(park)s. To make it, the line must fill in: %(columns)s.",
        code="unknown-park",
        park=row.park_code,
        columns=missing,
    )
    return [RowMessage(row.line, "zone_code", detail)]


def _build_park(row: ResidentRow, places: Territory) -> Park:
    district = places.find_district(row.district)
    return Park(
        code=row.park_code,
        kind=UNKNOWN_PARK_KIND,
        names={"en": row.park_name_en},
        district=district.name if district else row.district,
        economic_region=district.region if district else row.economic_region,
    )


def _company_values(row: ResidentRow) -> dict[str, Any]:
    return {
        "legal_name_az": row.legal_name_az,
        "legal_name_en": row.legal_name_en,
        "legal_form": row.legal_form,
        "size_class": row.size_class,
        "foreign_share_pct": row.foreign_share_pct,
        "source": RecordSource.REGISTER.value,
    }


def _site_values(row: ResidentRow, park: Park | None, places: Territory) -> dict[str, Any]:
    name = row.district or (park.district if park else None)
    district = places.find_district(name)
    region = row.economic_region or (park.economic_region if park else None)
    return {
        "district": district.name if district else name,
        "economic_region": district.region if district else region,
    }


def _residency_values(row: ResidentRow) -> dict[str, Any]:
    return {
        "holder_voen": row.voen,
        "registration_no": row.registration_no,
        "starts_on": row.registered_on,
        "stage": row.stage,
        "incentive_until": row.incentive_until,
        "plot_ha": row.plot_ha,
        "planned_investment_azn": row.planned_investment_azn,
        "planned_jobs": row.planned_jobs,
    }


def _residency_details(row: ResidentRow, status: ResidencyStatus, starts_on: date | None) -> ResidencyDetails:
    values = _residency_values(row) | {
        "starts_on": starts_on,
        "stage": ProductionStage(row.stage) if row.stage else None,
    }
    return ResidencyDetails(status=status, **values)


def _changed_values(row: Organisation | Site | Residency | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that would change the row; all of them for a new row. None changes nothing."""
    if row is None:
        return dict(values)
    return {name: value for name, value in values.items() if value is not None and getattr(row, name) != value}


def _field_changes(row: Organisation | Site | Residency | None, values: Mapping[str, Any]) -> list[FieldChange]:
    return [FieldChange(name, _to_text(getattr(row, name)), _to_text(value)) for name, value in values.items()]


def _to_text(value: Any) -> str | None:
    if value is None:
        return None
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _group_by_line(notes: Iterable[RowMessage]) -> defaultdict[int, list[RowMessage]]:
    lines: defaultdict[int, list[RowMessage]] = defaultdict(list)
    for note in notes:
        lines[note.line].append(note)
    return lines
