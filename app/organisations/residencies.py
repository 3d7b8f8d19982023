"""Manage residencies as periods, for registrars: begin, end, cancel, restore, update.

Every function returns a `ResidencyChange`, so that certificates that depend on a lost residency are suspended in the
same transaction (`certificates/residency_cascade.py`). With `dry_run` everything is checked and nothing changes.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.auth.permissions import can_read_organisation, require_role, require_second_factor, require_staff
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.core.decimals import AREA, MONEY, decimal_error, quantize_for_storage
from app.core.errors import Conflict, ExpectedVersion, Invalid, NotFound, require_version
from app.core.messages import Message
from app.core.text.normalize import normalize, text_error
from app.organisations import organisation_repository, tax_number
from app.organisations.model import COMPANY_STATUSES, ProductionStage, Residency
from app.organisations.residency_transitions import (
    ResidencyChange,
    ResidencyChangeKind,
    ResidencyDetails,
    build_change,
    close_period,
    open_period,
    record_event,
    reopen_period,
)
from app.organisations.residency_workflow import ResidencyAction, next_state, state_of
from app.reference import reference_repository

MANUAL_SOURCE = "registrar"
MAX_REASON_LENGTH = 2_000
MAX_REGISTRATION_NO_LENGTH = 60
MAX_PLOT_NO_LENGTH = 60
MAX_JOBS = 1_000_000


def begin_residency(
    session: Session,
    actor: Actor,
    *,
    organisation_id: UUID,
    park_code: str,
    details: ResidencyDetails,
    now: datetime,
) -> tuple[Residency, ResidencyChange]:
    """Begin a period. Raises `Invalid`, `Conflict` (`residency-open`) when one is open in this park."""
    require_role(actor, Role.REGISTRAR)
    require_second_factor(actor)
    if errors := residency_errors(session, organisation_id, park_code, details):
        raise Invalid.with_errors(errors)
    details = _quantized(details)
    try:
        with session.begin_nested():
            row = open_period(
                session, actor, organisation_id, park_code, details, source=MANUAL_SOURCE, today=baku_day(now), now=now
            )
    except IntegrityError as why:
        raise _already_open_error() from why
    return row, build_change(row, ResidencyChangeKind.NEW)


def close_residency(
    session: Session,
    actor: Actor,
    action: ResidencyAction,
    *,
    residency_id: UUID,
    version: ExpectedVersion,
    on: date,
    reason: str,
    now: datetime,
    dry_run: bool = False,
) -> ResidencyChange:
    """End or cancel the period (`action`: END or CANCEL). `on` is its last day, inclusive, not after today.

    Raises `Invalid`, `StaleVersion`, `WrongState`.
    """
    row = load_for_action(session, actor, residency_id, version, action, dry_run=dry_run)
    if errors := closing_errors(row, on, reason, baku_day(now)):
        raise Invalid.with_errors(errors)
    if not dry_run:
        close_period(session, actor, row, action, on=on, reason=normalize(reason), now=now)
    return build_change(row, ResidencyChangeKind.LOST)


def restore_residency(
    session: Session,
    actor: Actor,
    *,
    residency_id: UUID,
    version: ExpectedVersion,
    now: datetime,
    dry_run: bool = False,
) -> ResidencyChange:
    """Reopen a closed period as if it had never closed. Raises `Conflict` (`residency-open`), `WrongState`."""
    row = load_for_action(session, actor, residency_id, version, ResidencyAction.RESTORE, dry_run=dry_run)
    if organisation_repository.list_residencies(
        session, organisation_id=row.organisation_id, park_code=row.park_code, only_open=True
    ):
        raise _already_open_error()
    if not dry_run:
        try:
            with session.begin_nested():
                reopen_period(session, actor, row, source=MANUAL_SOURCE, today=baku_day(now), now=now)
        except IntegrityError as why:
            raise _already_open_error() from why
    return build_change(row, ResidencyChangeKind.RESTORED)


def update_stage(
    session: Session,
    actor: Actor,
    *,
    residency_id: UUID,
    version: ExpectedVersion,
    stage: ProductionStage,
    now: datetime,
) -> ResidencyChange:
    row = load_for_action(session, actor, residency_id, version, ResidencyAction.UPDATE)
    before, row.stage = row.stage, stage.value
    row.source, row.confirmed_on = MANUAL_SOURCE, baku_day(now)
    row.version += 1
    record_event(session, actor, "residency.updated", row, now, stage=[before, stage.value])
    return build_change(row, ResidencyChangeKind.UNCHANGED, former_stage=before)


def load_for_action(
    session: Session,
    actor: Actor,
    residency_id: UUID,
    version: ExpectedVersion,
    action: ResidencyAction,
    *,
    dry_run: bool = False,
) -> Residency:
    """Load a residency for an action; raises what does not depend on other input: 404, 403, 428, 412, 409.

    A dry run takes no lock and needs no second factor, because it changes nothing.
    """
    row = organisation_repository.find_residency(session, residency_id, lock=not dry_run)
    if row is None or not can_read_organisation(actor, row.organisation_id):
        raise NotFound.of("residency")
    require_role(actor, Role.REGISTRAR)
    if not dry_run:
        require_second_factor(actor)
    require_version(version, row.version)
    next_state(state_of(row.ends_on, row.cancelled_on), action)
    return row


def get_residency(session: Session, actor: Actor, residency_id: UUID) -> Residency:
    row = organisation_repository.find_residency(session, residency_id)
    if row is None or not can_read_organisation(actor, row.organisation_id):
        raise NotFound.of("residency")
    return row


def list_residencies(
    session: Session,
    actor: Actor,
    *,
    organisation_id: UUID | None = None,
    park_code: str | None = None,
    only_open: bool = False,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[Residency]:
    """List residencies: staff see all; a company sees its own and must name itself."""
    if organisation_id is None:
        require_staff(actor)
    elif not can_read_organisation(actor, organisation_id):
        raise NotFound.of("company")
    return organisation_repository.list_residencies(
        session, organisation_id=organisation_id, park_code=park_code, only_open=only_open, after=after, limit=limit
    )


def residency_errors(
    session: Session, organisation_id: UUID, park_code: str, details: ResidencyDetails
) -> list[dict[str, str]]:
    """Return everything wrong with a residency that begins."""
    errors = _details_errors(details)
    company = organisation_repository.find_organisation(session, organisation_id)
    if company is None or company.status not in COMPANY_STATUSES:
        errors.append(
            {"pointer": "/organisation_id", "detail": Message("There is no such company.", code="unknown-company")}
        )
    if reference_repository.find_park(session, park_code) is None:
        errors.append({"pointer": "/park_code", "detail": Message("There is no such park.", code="unknown-park")})
    return errors


def closing_errors(row: Residency, on: date, reason: str, today: date) -> list[dict[str, str]]:
    errors = []
    if on > today:
        errors.append(
            {
                "pointer": "/on",
                "detail": Message("This day is still to come. Close the residency when it is over.", code="in-future"),
            }
        )
    elif row.starts_on is not None and on < row.starts_on:
        errors.append(
            {
                "pointer": "/on",
                "detail": Message(
                    "The residency began only on %(starts_on)s.",
                    code="before-start",
                    starts_on=row.starts_on.isoformat(),
                ),
            }
        )
    if fault := text_error(reason, MAX_REASON_LENGTH, lines=True):
        errors.append({"pointer": "/reason", "detail": fault})
    return errors


def _details_errors(details: ResidencyDetails) -> list[dict[str, str]]:
    number = tax_number.parse_voen(details.holder_voen)
    faults: dict[str, str | None] = {
        "holder_voen": number.reason if isinstance(number, tax_number.InvalidVoen) else None
    }
    if details.registration_no is not None:
        faults["registration_no"] = text_error(details.registration_no, MAX_REGISTRATION_NO_LENGTH)
    if details.plot_no is not None:
        faults["plot_no"] = text_error(details.plot_no, MAX_PLOT_NO_LENGTH)
    if details.plot_ha is not None:
        faults["plot_ha"] = decimal_error(details.plot_ha, AREA)
    if details.planned_investment_azn is not None:
        faults["planned_investment_azn"] = decimal_error(details.planned_investment_azn, MONEY)
    if details.planned_jobs is not None and not 0 <= details.planned_jobs <= MAX_JOBS:
        faults["planned_jobs"] = Message(
            "This is not between %(minimum)s and %(maximum)s.", code="out-of-range", minimum=0, maximum=MAX_JOBS
        )
    return [{"pointer": f"/{name}", "detail": fault} for name, fault in faults.items() if fault]


def _quantized(details: ResidencyDetails) -> ResidencyDetails:
    return replace(
        details,
        holder_voen=details.holder_voen.replace(" ", ""),
        registration_no=normalize(details.registration_no) if details.registration_no else None,
        plot_no=normalize(details.plot_no) if details.plot_no else None,
        plot_ha=None if details.plot_ha is None else quantize_for_storage(details.plot_ha, AREA),
        planned_investment_azn=None
        if details.planned_investment_azn is None
        else quantize_for_storage(details.planned_investment_azn, MONEY),
    )


def _already_open_error() -> Conflict:
    return Conflict("This company has an open residency in this park already.", code="residency-open")
