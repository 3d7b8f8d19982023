"""Record residencies in parks, one by one or by importing the resident register of a park."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, BinaryIO
from uuid import UUID

from fastapi import APIRouter, Depends, File, Query, Request, Response, UploadFile
from pydantic import Field

from app.api.shared.application_schemas import storable_text
from app.auth.permissions import require_second_factor
from app.certificates import residency_cascade
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.core.errors import Invalid, NotFound
from app.core.text.normalize import normalize, text_error
from app.organisations import organisation_repository, residencies
from app.organisations.model import ProductionStage, ResidencyStatus
from app.organisations.residency_transitions import ResidencyChangeKind, ResidencyDetails
from app.organisations.residency_workflow import ResidencyAction
from app.organisations.resident_import.csv_format import parse_resident_file
from app.organisations.resident_import.resident_imports import ImportFile
from app.web.dependencies import (
    ActorDep,
    IdempotentReplayDep,
    NowDep,
    SessionDep,
    VersionDep,
    format_etag,
    get_container,
    parse_id,
    require_role,
)
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, UPDATE_ERRORS, UPLOAD_ERRORS, error_responses
from app.web.routes import BodyCheckContext, GuardedRoute, UploadRoute, check_body
from app.web.schema_types import (
    Code,
    ExactDecimal,
    IsoDate,
    Page,
    RequestModel,
    ResponseModel,
    StrictInteger,
    Text100,
    Text4000,
)

router = APIRouter(prefix="/v1", tags=["residencies"], route_class=GuardedRoute)


class ImportRoute(UploadRoute):
    """Parse the uploaded table before the transaction: 20,000 lines take a second."""

    def prepare(self, request: Request, file: BinaryIO, name: str | None) -> ImportFile:
        max_bytes = get_container(request).settings.evidence_max_bytes
        data = file.read(max_bytes + 1)
        resident_file = parse_resident_file(data, max_bytes=max_bytes)
        return ImportFile(resident_file, normalize(name or "register.csv"), hashlib.sha256(data).hexdigest())


imports_router = APIRouter(prefix="/v1/register", tags=["residencies"], route_class=ImportRoute)

Registrar = Annotated[Actor, require_role(Role.REGISTRAR)]
RegistrarWithSecondFactor = Annotated[Actor, require_role(Role.REGISTRAR, second_factor=True)]
DryRun = Annotated[bool, Query(description="true: report the effects, also on certificates, and change nothing")]


class ResidencyResponse(ResponseModel):
    id: UUID
    organisation_id: UUID
    park_code: str
    status: ResidencyStatus
    holder_voen: str
    registration_no: str | None
    starts_on: date | None
    ends_on: date | None = Field(description="last day, inclusive; null while open")
    cancelled_on: date | None
    stage: ProductionStage | None
    incentive_until: date | None = Field(description="end of the tax incentive, not of the residency")
    plot_no: str | None
    plot_ha: Decimal | None
    planned_investment_azn: Decimal | None
    planned_jobs: int | None
    source: str = Field(description="who stated it last: `registrar`, or `import:` and the id of an import")
    confirmed_on: date
    version: int


def _residency_response(row: Any) -> ResidencyResponse:
    return ResidencyResponse.model_validate(row, from_attributes=True)


class ResidencyRequest(RequestModel):
    organisation_id: UUID
    park_code: Code = Field(examples=["AGDAM-SP"])
    status: ResidencyStatus
    holder_voen: Code = Field(description="as printed on the park's certificate")
    registration_no: Text100 | None = None
    starts_on: IsoDate | None = None
    stage: ProductionStage | None = None
    incentive_until: IsoDate | None = None
    plot_no: Text100 | None = Field(None, description="number of the plot, as printed on the park's certificate")
    plot_ha: ExactDecimal | None = None
    planned_investment_azn: ExactDecimal | None = None
    planned_jobs: StrictInteger | None = None


class ResidencyCloseRequest(RequestModel):
    on: IsoDate = Field(description="last day or day of cancellation; not in the future")
    reason: Text4000


class StageRequest(RequestModel):
    stage: ProductionStage


@router.get("/residencies", summary="List residencies", responses=error_responses(*READ_ERRORS))
def list_residencies(
    actor: ActorDep,
    session: SessionDep,
    page: PageDep,
    organisation_id: Annotated[
        str | None, Query(max_length=40, description="staff only: residencies of one company")
    ] = None,
    park: Annotated[str | None, Query(max_length=40, description="code of a park")] = None,
    only_open: Annotated[bool, Query(description="true: without ended and cancelled residencies")] = False,
) -> Page[ResidencyResponse]:
    """Oldest first. Staff see all residencies; a company sees its own."""
    company = parse_id(organisation_id, "company") if organisation_id else actor.organisation_id
    rows = residencies.list_residencies(
        session,
        actor,
        organisation_id=company,
        park_code=storable_text(park),
        only_open=only_open,
        after=page.after,
        limit=page.fetch,
    )
    return Page[ResidencyResponse](items=[_residency_response(row) for row in page.cut(rows, lambda row: row.id)])


def _residency_details(body: ResidencyRequest) -> ResidencyDetails:
    return ResidencyDetails(**body.model_dump(exclude={"organisation_id", "park_code"}))


def _residency_errors(asked: BodyCheckContext, body: ResidencyRequest) -> Sequence[Mapping[str, str]]:
    return residencies.residency_errors(asked.session, body.organisation_id, body.park_code, _residency_details(body))


@router.post(
    "/residencies",
    status_code=201,
    summary="Create a residency",
    responses=error_responses(*CREATE_ERRORS),
    dependencies=[check_body(_residency_errors)],
)
def create_residency(
    body: ResidencyRequest,
    actor: RegistrarWithSecondFactor,
    session: SessionDep,
    response: Response,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> ResidencyResponse:
    """For registrars with a second factor. Certificates suspended for lack of a residency in this park are active
    again.
    """
    row, _ = residency_cascade.begin_residency(
        session,
        actor,
        organisation_id=body.organisation_id,
        park_code=body.park_code,
        details=_residency_details(body),
        now=now,
    )
    response.headers["ETag"] = format_etag(row.version)
    return _residency_response(row)


@router.get("/residencies/{residency_id}", summary="Get a residency", responses=error_responses(*READ_ERRORS))
def get_residency(residency_id: str, actor: ActorDep, session: SessionDep, response: Response) -> ResidencyResponse:
    """Visible to its company and to staff."""
    row = residencies.get_residency(session, actor, parse_id(residency_id, "residency"))
    response.headers["ETag"] = format_etag(row.version)
    return _residency_response(row)


def _load_for_action(action: ResidencyAction) -> object:
    """Return a dependency that rejects (404, 403, 428, 412, 409) before the body is validated."""

    def load(
        residency_id: str, actor: ActorDep, session: SessionDep, version: VersionDep, dry_run: DryRun = False
    ) -> UUID:
        of = parse_id(residency_id, "residency")
        return residencies.load_for_action(session, actor, of, version, action, dry_run=dry_run).id

    return Depends(load, scope="function")


def _load_for_update(residency_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    return residencies.load_for_action(
        session, actor, parse_id(residency_id, "residency"), version, ResidencyAction.UPDATE
    ).id


class ResidencyEffectResponse(ResponseModel):
    """The effects on the residency and on the certificates that depend on it."""

    dry_run: bool
    residency_id: UUID
    organisation_id: UUID
    park_code: str
    kind: ResidencyChangeKind
    certificates: list[dict[str, str]] = Field(
        description="`number` and `action` of each affected certificate; `cause` of an opened matter"
    )


def _effect_response(
    report: residency_cascade.CascadeReport, session: SessionDep, response: Response, *, dry_run: bool
) -> ResidencyEffectResponse:
    row = organisation_repository.find_residency(session, report.change.residency_id)
    if row is None:
        raise NotFound.of("residency")
    response.headers["ETag"] = format_etag(row.version)
    return ResidencyEffectResponse(dry_run=dry_run, **report.as_json())


def _close_errors(asked: BodyCheckContext, body: ResidencyCloseRequest) -> Sequence[Mapping[str, str]]:
    row = organisation_repository.find_residency(asked.session, UUID(asked.path["residency_id"]))
    return [] if row is None else residencies.closing_errors(row, body.on, body.reason, baku_day(asked.now))


def _close(
    session: SessionDep,
    actor: ActorDep,
    action: ResidencyAction,
    residency_id: UUID,
    body: ResidencyCloseRequest,
    response: Response,
    version: VersionDep,
    now: NowDep,
    *,
    dry_run: bool,
) -> ResidencyEffectResponse:
    report = residency_cascade.close_residency(
        session,
        actor,
        action,
        residency_id=residency_id,
        version=version,
        on=body.on,
        reason=body.reason,
        dry_run=dry_run,
        now=now,
    )
    return _effect_response(report, session, response, dry_run=dry_run)


@router.post(
    "/residencies/{residency_id}/end",
    summary="End a residency",
    responses=error_responses(*UPDATE_ERRORS),
    dependencies=[check_body(_close_errors)],
)
def end_residency(
    residency_id: Annotated[UUID, _load_for_action(ResidencyAction.END)],
    body: ResidencyCloseRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
    dry_run: DryRun = False,
) -> ResidencyEffectResponse:
    """Certificates that depend on it are suspended in the same transaction, with cause `residency`."""
    return _close(session, actor, ResidencyAction.END, residency_id, body, response, version, now, dry_run=dry_run)


@router.post(
    "/residencies/{residency_id}/cancel",
    summary="Cancel a residency",
    responses=error_responses(*UPDATE_ERRORS),
    dependencies=[check_body(_close_errors)],
)
def cancel_residency(
    residency_id: Annotated[UUID, _load_for_action(ResidencyAction.CANCEL)],
    body: ResidencyCloseRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
    dry_run: DryRun = False,
) -> ResidencyEffectResponse:
    """Certificates that depend on it are suspended in the same transaction, with cause `residency`."""
    return _close(session, actor, ResidencyAction.CANCEL, residency_id, body, response, version, now, dry_run=dry_run)


@router.post(
    "/residencies/{residency_id}/restore", summary="Reopen a residency", responses=error_responses(*UPDATE_ERRORS)
)
def restore_residency(
    residency_id: str,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
    dry_run: DryRun = False,
) -> ResidencyEffectResponse:
    """The cause `residency` of its certificates ends; certificates without another cause are active again."""
    of = parse_id(residency_id, "residency")
    report = residency_cascade.restore_residency(
        session, actor, residency_id=of, version=version, dry_run=dry_run, now=now
    )
    return _effect_response(report, session, response, dry_run=dry_run)


@router.put(
    "/residencies/{residency_id}/stage", summary="Set the production stage", responses=error_responses(*UPDATE_ERRORS)
)
def update_production_stage(
    residency_id: Annotated[UUID, Depends(_load_for_update, scope="function")],
    body: StageRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> ResidencyResponse:
    """A change back from `operating` opens a matter about each certificate that depends on the residency."""
    residency_cascade.update_stage(
        session, actor, residency_id=residency_id, version=version, stage=body.stage, now=now
    )
    row = residencies.get_residency(session, actor, residency_id)
    response.headers["ETag"] = format_etag(row.version)
    return _residency_response(row)


class ResidentImportResponse(ResponseModel):
    """The effects of the file, line by line."""

    import_id: UUID | None = Field(description="null for a dry run and if nothing changed")
    dry_run: bool
    file_name: str
    sha256: str
    totals: dict[str, Any]
    lines: list[dict[str, Any]] = Field(
        description="`line`, `party_id`, `voen`, `action`, `changes`, `remarks` and `errors` of each line"
    )
    certificates: list[dict[str, str]] = Field(
        description="`number` and `action` of each certificate that is suspended, reinstated or gets a matter"
    )
    errors: list[dict[str, Any]] = Field(default=[], description="errors that belong to no line")
    remarks: list[dict[str, Any]] = Field(default=[], description="remarks that belong to no line")


def _require_can_import(actor: Registrar, dry_run: DryRun = False) -> Actor:
    if not dry_run:
        require_second_factor(actor)
    return actor


@imports_router.post("/imports", summary="Import the resident register", responses=error_responses(*UPLOAD_ERRORS))
def import_resident_register(
    actor: Annotated[Actor, Depends(_require_can_import, scope="function")],
    session: SessionDep,
    request: Request,
    now: NowDep,
    file: Annotated[  # noqa: ARG001 (read by the route, before the transaction)
        UploadFile, File(description="CSV in UTF-8, columns as in the sample register")
    ],
    _retry: IdempotentReplayDep,
    dry_run: DryRun = False,
) -> ResidentImportResponse:
    """All lines are imported or none. Importing the same file again changes nothing. If a residency ends, the
    certificates that depend on it are suspended.
    """
    register: ImportFile = request.state.prepared.get()
    if wrong := text_error(register.name, 200):
        raise Invalid.at("/file", wrong)
    return ResidentImportResponse.model_validate(
        residency_cascade.import_resident_register(session, actor, register, dry_run=dry_run, now=now)
    )
