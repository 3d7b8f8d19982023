"""List and close matters about certificates; report changes; read the certified description."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from app.api.shared.application_schemas import storable_text
from app.certificates import matters
from app.certificates.certificate_number import parse_number
from app.certificates.matter_repository import MatterFilter
from app.certificates.model import (
    Certificate,
    Matter,
    MatterCause,
    MatterKind,
    MatterOutcome,
    MatterState,
    RevocationReason,
)
from app.core.actor import Actor
from app.core.dates import baku_day
from app.core.errors import NotFound
from app.web.dependencies import (
    ActorDep,
    NowDep,
    ReplayHookDep,
    SessionDep,
    VersionDep,
    format_etag,
    parse_id,
    require_role,
)
from app.web.pagination import PageDep
from app.web.parameters import UpdatedSince, changed_from
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, UPDATE_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import IsoDate, Page, RequestModel, ResponseModel, Text4000

router = APIRouter(prefix="/v1", route_class=GuardedRoute)

Reader = Annotated[Actor, require_role(*matters.READERS)]


class MatterResponse(ResponseModel):
    """An open question about a certificate. It does not change the status of the certificate."""

    id: UUID
    kind: MatterKind
    certificate: str = Field(description="number of the certificate", examples=["MIK-2026-000042-Y"])
    cause: MatterCause
    about: str | None = Field(description="`type:id` of the subject", examples=["evidence:0193…"])
    text: str | None = Field(description="text of the person who reported it")
    details: dict[str, Any] = Field(description="data by cause, such as dates and names of fields")
    opened_at: datetime
    opened_by: UUID | None = Field(description="id of the user; null: the service")
    state: MatterState
    closed_at: datetime | None
    closed_by: UUID | None
    outcome: MatterOutcome | None
    revocation_reason: RevocationReason | None = Field(description="reason for revocation, if the matter was upheld")
    reason: str | None = Field(description="reason of the outcome")
    version: int


class ReportedChangeResponse(ResponseModel):
    """A change as the holder reported it."""

    id: UUID
    certificate: str
    what: MatterCause
    text: str
    on: date
    reported_at: datetime
    state: MatterState


class ChangeReportRequest(RequestModel):
    what: Literal[
        MatterCause.NAME,
        MatterCause.ADDRESS,
        MatterCause.MATERIALS,
        MatterCause.SUPPLIER,
        MatterCause.PRICE,
        MatterCause.CAPACITY,
        MatterCause.STEP,
        MatterCause.SITE,
        MatterCause.HEADING,
        MatterCause.OWNERSHIP,
        MatterCause.OTHER,
    ] = Field(examples=["supplier"])
    text: Text4000 = Field(examples=["From January on the coil comes from another mill."])
    on: IsoDate = Field(description="day of the change; may be in the future", examples=["2027-01-04"])


class MatterCloseRequest(RequestModel):
    outcome: MatterOutcome = Field(
        description="`unfounded`: no problem was found; `corrected`: it was corrected; `upheld`: it is confirmed"
    )
    reason: Text4000
    revocation_reason: RevocationReason | None = Field(
        None, description="for `upheld`; required for the kinds `lost_ground` and `report`"
    )


class DescriptionResponse(ResponseModel):
    """The certified description: product, materials, steps, costs, site and company as they were certified."""

    certificate: str
    sha256: str = Field(description="SHA-256 over the canonical JSON of `description`")
    frozen_at: datetime = Field(
        description="time of issue; for older certificates the day on which descriptions were introduced"
    )
    description: dict[str, Any]


def _matter_response(matter: Matter, certificate: Certificate) -> MatterResponse:
    same = {name: getattr(matter, name) for name in MatterResponse.model_fields if hasattr(matter, name)}
    return MatterResponse(**same | {"certificate": certificate.number, "about": matter.subject})


@router.get(
    "/matters", tags=["matters"], summary="List matters about certificates", responses=error_responses(*READ_ERRORS)
)
def list_matters(
    actor: Reader,
    session: SessionDep,
    page: PageDep,
    state: Annotated[MatterState | None, Query(description="only matters in this state; default: all")] = None,
    kind: Annotated[MatterKind | None, Query(description="only matters of this kind")] = None,
    certificate: Annotated[
        str | None, Query(max_length=60, description="number of a certificate", examples=["MIK-2026-000042-Y"])
    ] = None,
    updated_since: UpdatedSince = None,
) -> Page[MatterResponse]:
    """For owners, registrars and auditors; oldest first. Filters are combined."""
    number = None
    if certificate is not None:
        parsed = parse_number(storable_text(certificate) or "")
        if parsed is None:
            return Page[MatterResponse](items=[])
        number = str(parsed)
    wanted = MatterFilter(state, kind, number, changed_from(updated_since))
    rows = matters.list_matters(session, actor, wanted, after=page.after, limit=page.fetch)
    return Page[MatterResponse](items=[_matter_response(*row) for row in page.cut(rows, lambda row: row[0].id)])


@router.get("/matters/{matter_id}", tags=["matters"], summary="Get a matter", responses=error_responses(*READ_ERRORS))
def get_matter(matter_id: str, actor: Reader, session: SessionDep, response: Response) -> MatterResponse:
    """The `ETag` is the version to send in `If-Match` when you close it."""
    matter, certificate = matters.get_matter(session, actor, parse_id(matter_id, "matter"))
    response.headers["ETag"] = format_etag(matter.version)
    return _matter_response(matter, certificate)


Closer = Annotated[Actor, require_role(*matters.CLOSERS)]


def _require_closable(matter_id: str, actor: Closer, session: SessionDep, version: VersionDep) -> UUID:
    return matters.load_for_close(session, actor, parse_id(matter_id, "matter"), version).id


@router.post(
    "/matters/{matter_id}/close", tags=["matters"], summary="Close a matter", responses=error_responses(*UPDATE_ERRORS)
)
def close_matter(
    matter_id: Annotated[UUID, Depends(_require_closable, scope="function")],
    body: MatterCloseRequest,
    actor: Closer,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> MatterResponse:
    """For owners and registrars; final. The status of the certificate does not change: suspend, reinstate or revoke it
    separately.

    A matter upheld with a reason for revocation bars later applications, also if the certificate was surrendered.
    """
    matter, certificate = matters.close_matter(
        session,
        actor,
        matter_id,
        outcome=body.outcome,
        reason=body.reason,
        revocation_reason=body.revocation_reason,
        version=version,
        now=now,
    )
    response.headers["ETag"] = format_etag(matter.version)
    return _matter_response(matter, certificate)


def _require_own_certificate(
    number: str, actor: ActorDep, session: SessionDep, now: NowDep, ask_first: ReplayHookDep
) -> str:
    return matters.load_for_change_report(session, actor, _parse_number(number), baku_day(now), ask_first).number


@router.post(
    "/certificates/{number}/changes",
    status_code=201,
    tags=["certificate status"],
    summary="Report a change that affects a certificate",
    responses=error_responses(*CREATE_ERRORS),
)
def report_certificate_change(
    number: Annotated[str, Depends(_require_own_certificate, scope="function")],
    body: ChangeReportRequest,
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
) -> ReportedChangeResponse:
    """For members of the holder, at the latest ten days after the change. Product and site can be changed while the
    report is open; the certified description stays the same.
    """
    matter = matters.report_change(session, actor, number, what=body.what, text=body.text, on=body.on, now=now)
    return ReportedChangeResponse(
        id=matter.id,
        certificate=number,
        what=body.what,
        text=body.text,
        on=body.on,
        reported_at=matter.opened_at,
        state=MatterState(matter.state),
    )


@router.get(
    "/certificates/{number}/description",
    tags=["certificate status"],
    summary="Get the certified description",
    responses=error_responses(*READ_ERRORS),
)
def get_certificate_description(number: str, actor: ActorDep, session: SessionDep) -> DescriptionResponse:
    """For the holder and for staff who read cases. Frozen at issue: it never changes."""
    certificate, frozen = matters.get_description(session, actor, _parse_number(number))
    return DescriptionResponse(
        certificate=certificate.number,
        sha256=frozen.sha256,
        frozen_at=frozen.frozen_at,
        description=frozen.content,
    )


def _parse_number(number: str) -> str:
    parsed = parse_number(number)
    if parsed is None:
        raise NotFound.of("certificate")
    return str(parsed)
