"""Begin, close and reopen one residency: the row, its version and its audit event together.

Roles are not checked here: the registrar's actions (`residencies.py`) and imports (`resident_imports.py`) do so before.
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
    """A change of a period and its resulting values.

    A company and a park form a party: what depends on the party does not depend on a single period.
    """

    residency_id: UUID
    organisation_id: UUID
    park_code: str
    kind: ResidencyChangeKind
    status: str
    starts_on: date | None
    stage: str | None
    former_stage: str | None  # before the change; None for a new period
    is_closed: bool

    @property
    def organisation_and_park(self) -> tuple[UUID, str]:
        return self.organisation_id, self.park_code

    @property
    def is_stage_regression(self) -> bool:
        """Whether the company operated before and no longer does."""
        return is_stage_regression(self.former_stage, self.stage)


def is_stage_regression(former: str | None, stage: str | None) -> bool:
    """Whether the stage went back from operating; a missing stage is no regression."""
    return former == ProductionStage.OPERATING and stage is not None and stage != ProductionStage.OPERATING


@dataclass(frozen=True, slots=True)
class ResidencyDetails:
    """Values of the park's certificate and register. Money in AZN, area in hectares."""

    status: ResidencyStatus
    holder_voen: str  # as printed on the certificate, possibly another company's: rule K-03 compares
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
    """Add a period; flushed, so that the database rejects a second open one immediately."""
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
    session: Session, actor: Actor, row: Residency, action: ResidencyAction, *, on: date, reason: str, now: datetime
) -> None:
    """End or cancel a period; flushed, so that another one may begin."""
    if next_state(state_of(row.ends_on, row.cancelled_on), action) is ResidencyState.CANCELLED:
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
    """Build the change; `former_stage` is the stage before. A dry run leaves the row as it is."""
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
