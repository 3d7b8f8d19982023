"""Residencies as periods, kept by the registrar: begin, end, cancel, restore, update.

Every function answers with a ResidencyChange, so that certificates resting on a lost residency can be suspended in the
same transaction (`certificates/cascade.py`). With `dry_run` everything is checked and nothing is changed.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.auth.permissions import may_see, require, require_second_factor, require_staff
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.core.decimals import AREA, MONEY, as_stored, wrong_figure
from app.core.errors import Conflict, Invalid, NotFound, Version, check_version
from app.core.messages import Message
from app.core.text.normalize import tidy, wrong_with
from app.organisations import organisation_repository, tax_number
from app.organisations.model import COMPANIES, Residency, Stage
from app.organisations.residency_transitions import (
    ChangeKind,
    ResidencyChange,
    ResidencyDetails,
    change_of,
    close,
    note,
    open_period,
    reopen,
)
from app.organisations.residency_workflow import Move, state_of, step
from app.reference import reference_repository

BY_HAND = "registrar"
LONGEST_REASON = 2_000
LONGEST_REGISTRATION_NO = 60
LONGEST_PLOT_NO = 60
MOST_JOBS = 1_000_000


def begin_residency(
    session: Session,
    actor: Actor,
    *,
    organisation_id: UUID,
    park_code: str,
    details: ResidencyDetails,
    now: datetime,
) -> tuple[Residency, ResidencyChange]:
    """A period begins. Errors: Invalid; Conflict `residency-open` where one is open in this park already."""
    require(actor, Role.REGISTRAR)
    require_second_factor(actor)
    if errors := wrong_residency(session, organisation_id, park_code, details):
        raise Invalid.with_all(errors)
    details = _as_stored(details)
    try:
        with session.begin_nested():
            row = open_period(
                session, actor, organisation_id, park_code, details, source=BY_HAND, today=baku_day(now), now=now
            )
    except IntegrityError as why:
        raise _already_open() from why
    return row, change_of(row, ChangeKind.NEW)


def close_residency(
    session: Session,
    actor: Actor,
    move: Move,
    *,
    residency_id: UUID,
    version: Version,
    on: date,
    reason: str,
    now: datetime,
    dry_run: bool = False,
) -> ResidencyChange:
    """The period ends, or the park took the residency back (`move`: END or CANCEL). `on` is its last day, today at the
    latest. Errors: Invalid, StaleVersion, WrongState."""
    row = guard(session, actor, residency_id, version, move, dry_run=dry_run)
    if errors := wrong_closing(row, on, reason, baku_day(now)):
        raise Invalid.with_all(errors)
    if not dry_run:
        close(session, actor, row, move, on=on, reason=tidy(reason), now=now)
    return change_of(row, ChangeKind.LOST)


def restore_residency(
    session: Session, actor: Actor, *, residency_id: UUID, version: Version, now: datetime, dry_run: bool = False
) -> ResidencyChange:
    """A closed period is open again, as if it had never closed. Errors: Conflict `residency-open`, WrongState."""
    row = guard(session, actor, residency_id, version, Move.RESTORE, dry_run=dry_run)
    if organisation_repository.residencies(
        session, organisation_id=row.organisation_id, park_code=row.park_code, only_open=True
    ):
        raise _already_open()
    if not dry_run:
        try:
            with session.begin_nested():
                reopen(session, actor, row, source=BY_HAND, today=baku_day(now), now=now)
        except IntegrityError as why:
            raise _already_open() from why
    return change_of(row, ChangeKind.RESTORED)


def update_stage(
    session: Session, actor: Actor, *, residency_id: UUID, version: Version, stage: Stage, now: datetime
) -> ResidencyChange:
    row = guard(session, actor, residency_id, version, Move.UPDATE)
    before, row.stage = row.stage, stage.value
    row.source, row.confirmed_on = BY_HAND, baku_day(now)
    row.version += 1
    note(session, actor, "residency.updated", row, now, stage=[before, stage.value])
    return change_of(row, ChangeKind.KEPT, former_stage=before)


def guard(
    session: Session, actor: Actor, residency_id: UUID, version: Version, move: Move, *, dry_run: bool = False
) -> Residency:
    """The residency for a move; all refusals that do not depend on what else is asked: 404, 403, 428, 412, 409.

    A dry run takes no lock and needs no second factor: it changes nothing.
    """
    row = organisation_repository.residency(session, residency_id, lock=not dry_run)
    if row is None or not may_see(actor, row.organisation_id):
        raise NotFound.of("residency")
    require(actor, Role.REGISTRAR)
    if not dry_run:
        require_second_factor(actor)
    check_version(version, row.version)
    step(state_of(row.ends_on, row.cancelled_on), move)
    return row


def get_residency(session: Session, actor: Actor, residency_id: UUID) -> Residency:
    row = organisation_repository.residency(session, residency_id)
    if row is None or not may_see(actor, row.organisation_id):
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
    """Staff see all; a company sees its own and needs to name itself."""
    if organisation_id is None:
        require_staff(actor)
    elif not may_see(actor, organisation_id):
        raise NotFound.of("company")
    return organisation_repository.residencies(
        session, organisation_id=organisation_id, park_code=park_code, only_open=only_open, after=after, limit=limit
    )


def wrong_residency(
    session: Session, organisation_id: UUID, park_code: str, details: ResidencyDetails
) -> list[dict[str, str]]:
    """Everything wrong with a residency that begins."""
    errors = _wrong_details(details)
    company = organisation_repository.organisation(session, organisation_id)
    if company is None or company.standing not in COMPANIES:
        errors.append(
            {"pointer": "/organisation_id", "detail": Message("There is no such company.", code="unknown-company")}
        )
    if reference_repository.park(session, park_code) is None:
        errors.append({"pointer": "/park_code", "detail": Message("There is no such park.", code="unknown-park")})
    return errors


def wrong_closing(row: Residency, on: date, reason: str, today: date) -> list[dict[str, str]]:
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
    if wrong := wrong_with(reason, LONGEST_REASON, lines=True):
        errors.append({"pointer": "/reason", "detail": wrong})
    return errors


def _wrong_details(details: ResidencyDetails) -> list[dict[str, str]]:
    number = tax_number.read(details.holder_voen)
    wrongs: dict[str, str | None] = {"holder_voen": number.reason if isinstance(number, tax_number.NotAVoen) else None}
    if details.registration_no is not None:
        wrongs["registration_no"] = wrong_with(details.registration_no, LONGEST_REGISTRATION_NO)
    if details.plot_no is not None:
        wrongs["plot_no"] = wrong_with(details.plot_no, LONGEST_PLOT_NO)
    if details.plot_ha is not None:
        wrongs["plot_ha"] = wrong_figure(details.plot_ha, AREA)
    if details.planned_investment_azn is not None:
        wrongs["planned_investment_azn"] = wrong_figure(details.planned_investment_azn, MONEY)
    if details.planned_jobs is not None and not 0 <= details.planned_jobs <= MOST_JOBS:
        wrongs["planned_jobs"] = Message(
            "This is not between %(minimum)s and %(maximum)s.", code="out-of-range", minimum=0, maximum=MOST_JOBS
        )
    return [{"pointer": f"/{name}", "detail": wrong} for name, wrong in wrongs.items() if wrong]


def _as_stored(details: ResidencyDetails) -> ResidencyDetails:
    return replace(
        details,
        holder_voen=details.holder_voen.replace(" ", ""),
        registration_no=tidy(details.registration_no) if details.registration_no else None,
        plot_no=tidy(details.plot_no) if details.plot_no else None,
        plot_ha=None if details.plot_ha is None else as_stored(details.plot_ha, AREA),
        planned_investment_azn=None
        if details.planned_investment_azn is None
        else as_stored(details.planned_investment_azn, MONEY),
    )


def _already_open() -> Conflict:
    return Conflict("This company has an open residency in this park already.", code="residency-open")
