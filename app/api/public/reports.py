"""Accept reports of misuse from anonymous clients; list them for staff."""

import secrets
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import EmailStr, Field, StrictStr, StringConstraints

from app.certificates import reports
from app.core.actor import Actor
from app.core.settings import Settings
from app.web.dependencies import AnonymousReplayHookDep, ClientAddressDep, NowDep, SessionDep, parse_id, require_role
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import Page, RequestModel, ResponseModel, SearchText, Text4000

MAX_BODY_BYTES = reports.MAX_PHOTO_BYTES * 4 // 3 + 65_536


class ReportRoute(GuardedRoute):
    def max_body_bytes(self, settings: Settings) -> int:
        """Return the limit, which allows for a photo in base64."""
        return max(MAX_BODY_BYTES, settings.body_max_bytes)


router = APIRouter(prefix="/v1", route_class=ReportRoute)

Reader = Annotated[Actor, require_role(*reports.READERS)]


class MisuseReportRequest(RequestModel):
    """`number` or `address`, or both."""

    number: SearchText | None = Field(
        None, description="number of the certificate, as printed", examples=["MIK-2026-000042-Y"]
    )
    address: Annotated[StrictStr, StringConstraints(min_length=1, max_length=2_000)] | None = Field(
        None,
        description="address that the code or the link contains",
        examples=["https://mik-az.example/v/MIK-2026-000042-Y"],
    )
    text: Text4000 | None = Field(None, description="what you saw, and where")
    email: EmailStr | None = Field(None, max_length=254, description="only if staff may contact you")
    photo: StrictStr | None = Field(
        None, max_length=MAX_BODY_BYTES, description="JPEG, PNG or WebP in base64, at most 5 MB"
    )


class ReceiptResponse(ResponseModel):
    receipt: str = Field(description="reference for questions about this report", examples=["R-7KQ2M-X4PVA"])
    received_at: datetime


class MisuseReportResponse(ResponseModel):
    id: UUID
    receipt: str
    received_at: datetime
    number: str | None
    address: str | None = Field(description="address as it was reported: do not open it")
    text: str | None
    email: str | None
    has_photo: bool
    matter_id: UUID | None = Field(description="matter that the report opened; null if it names no valid certificate")


@router.post(
    "/reports",
    status_code=201,
    tags=["public register"],
    summary="Report misuse",
    responses=error_responses(400, 409, 413, 415, 422, 429, 503),
)
def submit_report(
    body: MisuseReportRequest,
    session: SessionDep,
    sender: ClientAddressDep,
    now: NowDep,
    ask_first: AnonymousReplayHookDep,
) -> ReceiptResponse:
    """No account is needed. Report a forged document, a code that leads to another site, or goods that the certificate
    does not cover. Only staff read the report; an e-mail address is optional.

    Limit: ten reports from one network address in 15 minutes.
    """
    ask_first()
    photo = reports.decode_photo(body.photo) if body.photo is not None else None
    found = reports.submit_report(
        session,
        number=body.number,
        address=body.address,
        text=body.text,
        email=str(body.email) if body.email else None,
        photo=photo,
        sender=sender,
        receipt=reports.new_receipt_number(secrets.choice),
        now=now,
    )
    return ReceiptResponse(receipt=found.receipt, received_at=found.received_at)


@router.get("/reports", tags=["matters"], summary="List reports of misuse", responses=error_responses(*READ_ERRORS))
def list_reports(actor: Reader, session: SessionDep, page: PageDep) -> Page[MisuseReportResponse]:
    """For owners, registrars and auditors; oldest first."""
    rows = page.cut(reports.list_reports(session, actor, after=page.after, limit=page.fetch), lambda row: row.id)
    return Page[MisuseReportResponse](
        items=[
            MisuseReportResponse(
                **{name: getattr(row, name) for name in MisuseReportResponse.model_fields if name != "has_photo"},
                has_photo=row.photo_type is not None,
            )
            for row in rows
        ]
    )


@router.get(
    "/reports/{report_id}/photo",
    tags=["matters"],
    summary="Download the photo of a report",
    response_class=Response,
    responses={
        200: {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}},
        **error_responses(*READ_ERRORS),
    },
)
def get_report_photo(report_id: str, actor: Reader, session: SessionDep) -> Response:
    """For owners, registrars and auditors. Sent as an attachment."""
    content, media_type = reports.get_photo(session, actor, parse_id(report_id, "report"))
    headers = {"Content-Disposition": "attachment", "Cache-Control": "private, no-store"}
    return Response(content, headers=headers, media_type=media_type)
