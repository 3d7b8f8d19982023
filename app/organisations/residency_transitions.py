"""One residency begins, closes, opens again: the row, its version and its audit event together.

No role is checked here: the registrar's deeds (`residency.py`) and imports (`imports.py`) check before they call.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.core.actor import Actor
from app.core.database import new_id
from app.organisations.model import ProductionStage, Residency, ResidencyStatus
from app.organisations.residency_workflow import ResidencyAction, ResidencyState, next_state, state_of


class ResidencyChangeKind(StrEnum):
    NEW = "new"  # a period began
    UNCHANGED = "kept"  # open before and after
    LOST = "lost"  # an open period ended or was cancelled
    RESTORED = "restored"  # a closed period is open again


@dataclass(frozen=True, slots=True)
class ResidencyChange:
    """What happened to a period, and what it says afterwards. A company and a park are a party of that park: what
    rests on the party rests on none of its periods alone."""

    residency_id: UUID
    organisation_id: UUID
    park_code: str
    kind: ResidencyChangeKind
    status: str
    starts_on: date | None
    stage: str | None
    former_stage: str | None  # before the change; of a new period there is none
    is_closed: bool

    @property
    def organisation_and_park(self) -> tuple[UUID, str]:
        return self.organisation_id, self.park_code

    @property
    def is_stage_regression(self) -> bool:
        """Whether it operated before, and does so no more."""
        return is_stage_regression(self.former_stage, self.stage)


def is_stage_regression(former: str | None, stage: str | None) -> bool:
    """A stage that is not said is no step back."""
    return former == ProductionStage.OPERATING and stage is not None and stage != ProductionStage.OPERATING


@dataclass(frozen=True, slots=True)
class ResidencyDetails:
    """What the park's certificate and register say. Money in AZN, area in hectares."""

    status: ResidencyStatus
    holder_voen: str  # as printed on the certificate, be it another company's: rule K-03 compares
    registration_no: str | None = None
    starts_on: date | None = None
    stage: ProductionStage | None = None
    incentive_until: date | None = None
    plot_no: str | None = None
    plot_ha: Decimal | None = None
    planned_investment_azn: Decimal | None = None
    planned_jobs: int | None = None


def open_period(
    session: Session,
    actor: Actor,
    organisation_id: UUID,
    park_code: str,
    details: ResidencyDetails,
    *,
    source: str,
    today: date,
    now: datetime,
) -> Residency:
    """A new period; flushed, so that a second open one is refused by the database here and now."""
    row = Residency(
        id=new_id(),
        organisation_id=organisation_id,
        park_code=park_code,
        status=details.status.value,
        holder_voen=details.holder_voen,
        registration_no=details.registration_no,
        starts_on=details.starts_on,
        stage=details.stage.value if details.stage else None,
        incentive_until=details.incentive_until,
        plot_no=details.plot_no,
        plot_ha=details.plot_ha,
        planned_investment_azn=details.planned_investment_azn,
        planned_jobs=details.planned_jobs,
        source=source,
        confirmed_on=today,
        created_at=now,
    )
    session.add(row)
    session.flush()
    record_event(session, actor, "residency.begun", row, now, status=row.status)
    return row


def close_period(
    session: Session, actor: Actor, row: Residency, move: ResidencyAction, *, on: date, reason: str, now: datetime
) -> None:
    """End or cancel; flushed, so that another period may begin."""
    if next_state(state_of(row.ends_on, row.cancelled_on), move) is ResidencyState.CANCELLED:
        row.cancelled_on = on
    else:
        row.ends_on = on
    row.closing_reason = reason
    row.version += 1
    session.flush()
    record_event(
        session, actor, "residency.cancelled" if row.cancelled_on else "residency.ended", row, now, on=on.isoformat()
    )


def reopen_period(session: Session, actor: Actor, row: Residency, *, source: str, today: date, now: datetime) -> None:
    next_state(state_of(row.ends_on, row.cancelled_on), ResidencyAction.RESTORE)
    row.ends_on = row.cancelled_on = row.closing_reason = None
    row.source, row.confirmed_on = source, today
    row.version += 1
    session.flush()
    record_event(session, actor, "residency.restored", row, now)


def build_change(row: Residency, kind: ResidencyChangeKind, *, former_stage: str | None = None) -> ResidencyChange:
    """`former_stage`: what the period said before, where that may have changed. Of a dry run, the row is as before."""
    is_open = state_of(row.ends_on, row.cancelled_on) is ResidencyState.OPEN
    return ResidencyChange(
        residency_id=row.id,
        organisation_id=row.organisation_id,
        park_code=row.park_code,
        kind=kind,
        status=row.status,
        starts_on=row.starts_on,
        stage=row.stage,
        former_stage=former_stage,
        is_closed=kind is ResidencyChangeKind.LOST or (kind is not ResidencyChangeKind.RESTORED and not is_open),
    )


def record_event(session: Session, actor: Actor, event: str, row: Residency, now: datetime, **data: Any) -> None:
    recorder.record(
        session, actor, event, ("residency", row.id), now, organisation=row.organisation_id, park=row.park_code, **data
    )
