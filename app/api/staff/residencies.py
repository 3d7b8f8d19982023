"""For the registrar: who is a resident of which park, one by one and by the park's register."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, BinaryIO
from uuid import UUID

from fastapi import APIRouter, Depends, File, Query, Request, Response, UploadFile
from pydantic import Field

from app.api.shared.application_schemas import searchable
from app.auth.permissions import require_second_factor
from app.certificates import residency_cascade
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.core.errors import Invalid, NotFound
from app.core.text.normalize import tidy, wrong_with
from app.organisations import organisation_repository, residencies
from app.organisations.model import ResidencyStatus, Stage
from app.organisations.residency_transitions import ResidencyDetails
from app.organisations.residency_workflow import Move
from app.organisations.resident_import.csv_format import parse_register
from app.organisations.resident_import.resident_imports import RegisterFile
from app.web.dependencies import (
    ActorDep,
    NowDep,
    ReplayDep,
    SessionDep,
    VersionDep,
    allow,
    etag,
    get_container,
    parse_id,
)
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CHANGES, CREATES, READS, UPLOADS, refuses
from app.web.routes import Asked, FileRoute, OrderedRoute, also_wrong
from app.web.schema_types import Answer, Body, Code, Day, Exact, Page, Prose, Whole, Word

router = APIRouter(prefix="/v1", tags=["registrar"], route_class=OrderedRoute)


class ImportRoute(FileRoute):
    """Reads the table before the transaction: 20,000 lines take a second."""

    def prepare(self, request: Request, file: BinaryIO, name: str | None) -> RegisterFile:
        most_bytes = get_container(request).settings.evidence_max_bytes
        data = file.read(most_bytes + 1)
        sheet = parse_register(data, most_bytes=most_bytes)
        return RegisterFile(sheet, tidy(name or "register.csv"), hashlib.sha256(data).hexdigest())


imports = APIRouter(prefix="/v1/register", tags=["registrar"], route_class=ImportRoute)

Registrar = Annotated[Actor, allow(Role.REGISTRAR)]
RegistrarWithFactor = Annotated[Actor, allow(Role.REGISTRAR, second_factor=True)]
DryRun = Annotated[bool, Query(description="say what would happen, and to which certificates; change nothing")]


class ResidencyAnswer(Answer):
    id: UUID
    organisation_id: UUID
    park_code: str
    status: ResidencyStatus
    holder_voen: str
    registration_no: str | None
    starts_on: date | None
    ends_on: date | None = Field(description="last day, inclusive; null while open")
    cancelled_on: date | None
    stage: Stage | None
    incentive_until: date | None = Field(description="a tax privilege, not the residency's end")
    plot_no: str | None
    plot_ha: Decimal | None
    planned_investment_azn: Decimal | None
    planned_jobs: int | None
    source: str
    confirmed_on: date
    version: int


def _residency(row: Any) -> ResidencyAnswer:
    return ResidencyAnswer.model_validate(row, from_attributes=True)


class NewResidency(Body):
    organisation_id: UUID
    park_code: Code = Field(examples=["AGDAM-SP"])
    status: ResidencyStatus
    holder_voen: Code = Field(description="as printed on the park's certificate")
    registration_no: Word | None = None
    starts_on: Day | None = None
    stage: Stage | None = None
    incentive_until: Day | None = None
    plot_no: Word | None = Field(None, description="of the park, as printed on its certificate")
    plot_ha: Exact | None = None
    planned_investment_azn: Exact | None = None
    planned_jobs: Whole | None = None


class Closing(Body):
    on: Day = Field(description="last day, or day of cancellation; today at the latest")
    reason: Prose


class StageBody(Body):
    stage: Stage


@router.get("/residencies", summary="Residencies", responses=refuses(*READS))
def list_residencies(
    actor: ActorDep,
    session: SessionDep,
    page: PageDep,
    organisation_id: Annotated[str | None, Query(max_length=40)] = None,
    park: Annotated[str | None, Query(max_length=40)] = None,
    only_open: bool = False,
) -> Page[ResidencyAnswer]:
    """Staff see all of them; a company sees its own."""
    company = parse_id(organisation_id, "company") if organisation_id else actor.organisation_id
    rows = residencies.list_residencies(
        session,
        actor,
        organisation_id=company,
        park_code=searchable(park),
        only_open=only_open,
        after=page.after,
        limit=page.fetch,
    )
    return Page[ResidencyAnswer](items=[_residency(row) for row in page.cut(rows, lambda row: row.id)])


def _details(body: NewResidency) -> ResidencyDetails:
    return ResidencyDetails(**body.model_dump(exclude={"organisation_id", "park_code"}))


def _wrong_residency(asked: Asked, body: NewResidency) -> Sequence[Mapping[str, str]]:
    return residencies.wrong_residency(asked.session, body.organisation_id, body.park_code, _details(body))


@router.post(
    "/residencies",
    status_code=201,
    summary="Enter a residency",
    responses=refuses(*CREATES),
    dependencies=[also_wrong(_wrong_residency)],
)
def begin_residency(
    body: NewResidency,
    actor: RegistrarWithFactor,
    session: SessionDep,
    response: Response,
    now: NowDep,
    _retry: ReplayDep,
) -> ResidencyAnswer:
    """Certificates that are suspended because the company had no residency in this park any more are good again."""
    row, _ = residency_cascade.begin_residency(
        session, actor, organisation_id=body.organisation_id, park_code=body.park_code, details=_details(body), now=now
    )
    response.headers["ETag"] = etag(row.version)
    return _residency(row)


@router.get("/residencies/{residency_id}", summary="One residency", responses=refuses(*READS))
def get_residency(residency_id: str, actor: ActorDep, session: SessionDep, response: Response) -> ResidencyAnswer:
    row = residencies.get_residency(session, actor, parse_id(residency_id, "residency"))
    response.headers["ETag"] = etag(row.version)
    return _residency(row)


def _moves(move: Move) -> object:
    """Refusals that do not depend on the body come before it is looked at (404, 403, 428, 412, 409)."""

    def admitted(
        residency_id: str, actor: ActorDep, session: SessionDep, version: VersionDep, dry_run: DryRun = False
    ) -> UUID:
        of = parse_id(residency_id, "residency")
        return residencies.guard(session, actor, of, version, move, dry_run=dry_run).id

    return Depends(admitted, scope="function")


def _updates(residency_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    return residencies.guard(session, actor, parse_id(residency_id, "residency"), version, Move.UPDATE).id


class Effect(Answer):
    """What happened, or would happen, to the residency and to the certificates that rest on it."""

    dry_run: bool
    residency_id: UUID
    organisation_id: UUID
    park_code: str
    kind: str = Field(description="lost, restored or kept")
    certificates: list[dict[str, str]] = Field(description="number and action; of a matter its cause")


def _effect(
    report: residency_cascade.CascadeReport, session: SessionDep, response: Response, *, dry_run: bool
) -> Effect:
    row = organisation_repository.residency(session, report.change.residency_id)
    if row is None:
        raise NotFound.of("residency")
    response.headers["ETag"] = etag(row.version)
    return Effect(dry_run=dry_run, **report.as_json())


def _wrong_closing(asked: Asked, body: Closing) -> Sequence[Mapping[str, str]]:
    row = organisation_repository.residency(asked.session, UUID(asked.path["residency_id"]))
    return [] if row is None else residencies.wrong_closing(row, body.on, body.reason, baku_day(asked.now))


def _close(
    session: SessionDep,
    actor: ActorDep,
    move: Move,
    residency_id: UUID,
    body: Closing,
    response: Response,
    version: VersionDep,
    now: NowDep,
    *,
    dry_run: bool,
) -> Effect:
    report = residency_cascade.close_residency(
        session,
        actor,
        move,
        residency_id=residency_id,
        version=version,
        on=body.on,
        reason=body.reason,
        dry_run=dry_run,
        now=now,
    )
    return _effect(report, session, response, dry_run=dry_run)


@router.post(
    "/residencies/{residency_id}/end",
    summary="End a residency",
    responses=refuses(*CHANGES),
    dependencies=[also_wrong(_wrong_closing)],
)
def end_residency(
    residency_id: Annotated[UUID, _moves(Move.END)],
    body: Closing,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
    dry_run: DryRun = False,
) -> Effect:
    """Certificates that rest on it are suspended in the same transaction, with cause `residency`."""
    return _close(session, actor, Move.END, residency_id, body, response, version, now, dry_run=dry_run)


@router.post(
    "/residencies/{residency_id}/cancel",
    summary="Cancel a residency",
    responses=refuses(*CHANGES),
    dependencies=[also_wrong(_wrong_closing)],
)
def cancel_residency(
    residency_id: Annotated[UUID, _moves(Move.CANCEL)],
    body: Closing,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
    dry_run: DryRun = False,
) -> Effect:
    """Certificates that rest on it are suspended in the same transaction, with cause `residency`."""
    return _close(session, actor, Move.CANCEL, residency_id, body, response, version, now, dry_run=dry_run)


@router.post("/residencies/{residency_id}/restore", summary="Reopen a residency", responses=refuses(*CHANGES))
def restore_residency(
    residency_id: str,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
    dry_run: DryRun = False,
) -> Effect:
    """The cause `residency` is lifted from its certificates; with no other cause left they are good again."""
    of = parse_id(residency_id, "residency")
    report = residency_cascade.restore_residency(
        session, actor, residency_id=of, version=version, dry_run=dry_run, now=now
    )
    return _effect(report, session, response, dry_run=dry_run)


@router.put("/residencies/{residency_id}/stage", summary="Set the production stage", responses=refuses(*CHANGES))
def update_stage(
    residency_id: Annotated[UUID, Depends(_updates, scope="function")],
    body: StageBody,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> ResidencyAnswer:
    """A step back from operating opens a matter about each certificate that rests on the residency."""
    residency_cascade.update_stage(
        session, actor, residency_id=residency_id, version=version, stage=body.stage, now=now
    )
    row = residencies.get_residency(session, actor, residency_id)
    response.headers["ETag"] = etag(row.version)
    return _residency(row)


class ImportAnswer(Answer):
    """What the file did, or would do, line by line."""

    import_id: UUID | None = Field(description="null for a dry run, and where nothing changed")
    dry_run: bool
    file_name: str
    sha256: str
    totals: dict[str, Any]
    lines: list[dict[str, Any]] = Field(description="line, party_id, voen, action, changes, remarks, errors")
    certificates: list[dict[str, str]] = Field(
        description="number and action: what the file suspends or reinstates, and where a matter opens"
    )
    errors: list[dict[str, Any]] = Field(default=[], description="faults that belong to no line")
    remarks: list[dict[str, Any]] = Field(default=[], description="remarks that belong to no line")


def _may_import(actor: Registrar, dry_run: DryRun = False) -> Actor:
    if not dry_run:
        require_second_factor(actor)
    return actor


@imports.post("/imports", summary="Import the resident register", responses=refuses(*UPLOADS))
def import_register(
    actor: Annotated[Actor, Depends(_may_import, scope="function")],
    session: SessionDep,
    request: Request,
    now: NowDep,
    file: Annotated[  # noqa: ARG001 (read by the route, before the transaction)
        UploadFile, File(description="CSV in UTF-8, columns as in the sample register")
    ],
    _retry: ReplayDep,
    dry_run: DryRun = False,
) -> ImportAnswer:
    """All lines or none. Importing the same file again changes nothing. A lost residency suspends its certificates."""
    register: RegisterFile = request.state.prepared.get()
    if wrong := wrong_with(register.name, 200):
        raise Invalid.at("/file", wrong)
    return ImportAnswer.model_validate(
        residency_cascade.import_register(session, actor, register, dry_run=dry_run, now=now)
    )
