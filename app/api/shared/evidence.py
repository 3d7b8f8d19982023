"""Upload, list, download, confirm and withdraw evidence documents."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, BinaryIO
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import FileResponse, Response
from pydantic import AfterValidator, Field
from sqlalchemy.orm import Session

from app.api.shared import application_schemas
from app.applications.evidence import confirmation, evidence_documents, virus_scanner
from app.applications.evidence.details import MAX_PRODUCTS, EvidenceDetails, EvidenceSubject, kind_error
from app.applications.evidence.file_store import CHUNK_BYTES, EXTENSIONS, DraftFile, EvidenceFileStore
from app.applications.model import Evidence
from app.core import strict_json
from app.core.actor import Actor
from app.core.dates import baku_day
from app.core.errors import Invalid, NotFound, Unavailable
from app.core.messages import Message
from app.core.text.normalize import normalize, text_error
from app.schemes.evidence_kinds import EvidenceKind, load_evidence_kinds
from app.web.dependencies import (
    ActorDep,
    EvidenceFilesDep,
    IdempotentReplayDep,
    NowDep,
    QuotasDep,
    ReadAuditDep,
    ReplayHookDep,
    SessionDep,
    VersionDep,
    format_etag,
    get_container,
    parse_id,
)
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, UPDATE_ERRORS, UPLOAD_ERRORS, error_responses
from app.web.read_audit import ReadAudit
from app.web.routes import PreparedUpload, UploadRoute
from app.web.schema_types import IsoDate, Page, RequestModel, StrictBoolean, Text100, Text4000


class EvidenceRoute(UploadRoute):
    """Write the file as a draft before the transaction; discard it if no row refers to it afterwards."""

    def prepare(self, request: Request, file: BinaryIO, _name: str | None) -> DraftFile:
        container = get_container(request)
        draft = container.evidence_files.stage(iter(lambda: file.read(CHUNK_BYTES), b""))
        try:
            scan = virus_scanner.scan_upload(container.virus_scanner, draft.path)
        except BaseException:
            draft.discard()
            raise
        return replace(draft, file=replace(draft.file, scan=scan))

    def discard(self, done: DraftFile) -> None:
        done.discard()


router = APIRouter(prefix="/v1", tags=["evidence"], route_class=EvidenceRoute)

DOWNLOAD_CSP = "default-src 'none'; sandbox"
DOWNLOAD_RESPONSE = {
    "description": "The file as it was sent.",
    "content": {media_type: {} for media_type in EXTENSIONS},
}


@router.get("/evidence-kinds", summary="List kinds of evidence documents", responses=error_responses(503))
def list_evidence_kinds() -> Page[EvidenceKind]:
    """Each kind with its suppliers, its subject, its dates and the values that are read from the document."""
    return Page[EvidenceKind](items=list(load_evidence_kinds().values()))


@dataclass(frozen=True, slots=True)
class EvidenceUpload:
    """The parts of an upload form."""

    file: UploadFile
    kind: str
    product_id: list[str]
    site_id: str | None
    issued_on: date | None
    valid_until: date | None
    number: str | None
    values: str | None
    prepared: PreparedUpload

    @property
    def file_name(self) -> str:
        name = normalize(re.split(r"[/\\]", self.file.filename or "")[-1]) or "file"  # the name without a path
        if wrong := text_error(name, 200):
            raise Invalid.at("/file", wrong)
        return name

    def subject(self) -> EvidenceSubject:
        products = tuple(parse_id(each, "product") for each in self.product_id if each)
        return EvidenceSubject(products, parse_id(self.site_id, "site") if self.site_id else None)

    def details(self) -> EvidenceDetails:
        return EvidenceDetails(self.issued_on, self.valid_until, self.number, parse_values(self.values))

    def draft(self) -> DraftFile:
        draft: DraftFile = self.prepared.get()
        return draft


def _validate_kind(code: str) -> str:
    if wrong := kind_error(code):
        raise ValueError(wrong)
    return code


def _validate_json_object(text: str | None) -> str | None:
    parse_values(text)
    return text


def parse_values(text: str | None) -> dict[str, Any]:
    """Parse the values of a document. Raises ValueError with a message."""
    values = strict_json.loads(text or "{}")
    if not isinstance(values, dict):
        raise ValueError(  # noqa: TRY004 (pydantic reports ValueErrors, a TypeError would be a crash)
            Message("Enter a JSON object: the name of each value, and the value.", code="wrong-type")
        )
    return values


def _parse_upload(
    request: Request,
    file: Annotated[
        UploadFile, File(description="PDF, JPEG, PNG or XLSX without macros; the type is detected from the content")
    ],
    kind: Annotated[
        str,
        AfterValidator(_validate_kind),
        Form(
            max_length=60,
            description="code of the kind of document",
            json_schema_extra={"enum": list(load_evidence_kinds())},
        ),
    ],
    product_id: Annotated[
        list[Annotated[str, Field(max_length=40)]] | None,
        Form(max_length=MAX_PRODUCTS, description="products that the document is about; see `scope` of its kind"),
    ] = None,
    site_id: Annotated[str | None, Form(max_length=40, description="site that the document is about")] = None,
    issued_on: Annotated[IsoDate | None, Form(description="as printed on the document")] = None,
    valid_until: Annotated[IsoDate | None, Form(description="last day, inclusive")] = None,
    number: Annotated[str | None, Form(max_length=200, description="as printed on the document")] = None,
    values: Annotated[
        str | None,
        AfterValidator(_validate_json_object),
        Form(max_length=10_000, description="JSON object: the values of this kind, see `GET /v1/evidence-kinds`"),
    ] = None,
) -> EvidenceUpload:
    return EvidenceUpload(
        file, kind, product_id or [], site_id, issued_on, valid_until, number, values, request.state.prepared
    )


EvidenceUploadDep = Annotated[EvidenceUpload, Depends(_parse_upload)]


def _require_can_add(application_id: str, actor: ActorDep, session: SessionDep, ask_first: ReplayHookDep) -> UUID:
    return evidence_documents.require_can_add(session, actor, parse_id(application_id, "application"), ask_first).id


def _require_can_add_to_organisation(organisation_id: str, actor: ActorDep, session: SessionDep) -> UUID:
    return evidence_documents.require_can_add_to_organisation(session, actor, parse_id(organisation_id, "company")).id


@router.post(
    "/applications/{application_id}/evidence",
    status_code=201,
    summary="Upload an evidence document to an application",
    responses=error_responses(*UPLOAD_ERRORS),
)
def add_application_evidence(
    application_id: Annotated[UUID, Depends(_require_can_add, scope="function")],
    actor: ActorDep,
    session: SessionDep,
    files: EvidenceFilesDep,
    quotas: QuotasDep,
    now: NowDep,
    upload: EvidenceUploadDep,
) -> application_schemas.EvidenceResponse:
    """The company adds documents until it submits, and again when information is requested; registrars and reviewers
    add results of their own checks (tax register, sanctions lists, resident register) until the decision. The same
    document sent twice is stored once.

    Dates, number and values are stated by you. Rules read a document after a member of staff has confirmed it; a
    document added by staff is confirmed by another member of staff.
    """
    name, about, details, draft = upload.file_name, upload.subject(), upload.details(), upload.draft()
    row = evidence_documents.add_to_application(
        session,
        actor,
        application_id,
        kind=upload.kind,
        file_name=name,
        about=about,
        details=details,
        stored=draft.file,
        quotas=quotas,
        now=now,
    )
    files.store(draft)
    return application_schemas.evidence_response(session, actor, row)


@router.post(
    "/organisations/{organisation_id}/evidence",
    status_code=201,
    summary="Upload an evidence document for all applications",
    responses=error_responses(*UPLOAD_ERRORS),
)
def add_company_evidence(
    organisation_id: Annotated[UUID, Depends(_require_can_add_to_organisation, scope="function")],
    actor: ActorDep,
    session: SessionDep,
    files: EvidenceFilesDep,
    quotas: QuotasDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
    upload: EvidenceUploadDep,
) -> application_schemas.EvidenceResponse:
    """For members of the company, registrars and reviewers: authority to sign, permits, extracts of the tax register.

    The document counts for every application of the company, after a member of staff has confirmed it; a document added
    by staff is confirmed by another member of staff.
    """
    name, about, details, draft = upload.file_name, upload.subject(), upload.details(), upload.draft()
    row = evidence_documents.add_to_organisation(
        session,
        actor,
        organisation_id,
        kind=upload.kind,
        file_name=name,
        about=about,
        details=details,
        stored=draft.file,
        quotas=quotas,
        now=now,
    )
    files.store(draft)
    return application_schemas.evidence_response(session, actor, row)


@router.get(
    "/organisations/{organisation_id}/evidence",
    summary="List evidence documents of a company",
    responses=error_responses(*READ_ERRORS),
)
def list_company_evidence(
    organisation_id: str, actor: ActorDep, session: SessionDep
) -> Page[application_schemas.EvidenceResponse]:
    """Documents for all applications, oldest first. Visible to members of the company and to staff."""
    rows = evidence_documents.list_for_organisation(session, actor, parse_id(organisation_id, "company"))
    return Page[application_schemas.EvidenceResponse](
        items=application_schemas.evidence_responses(session, actor, rows)
    )


@router.get(
    "/applications/{application_id}/evidence",
    summary="List evidence documents of an application",
    responses=error_responses(*READ_ERRORS),
)
def list_application_evidence(
    application_id: str, actor: ActorDep, session: SessionDep
) -> Page[application_schemas.EvidenceResponse]:
    """Documents added to the application, oldest first. Companies do not see those that only staff supply."""
    rows = evidence_documents.list_for_application(session, actor, parse_id(application_id, "application"))
    return Page[application_schemas.EvidenceResponse](
        items=application_schemas.evidence_responses(session, actor, rows)
    )


@router.get(
    "/applications/{application_id}/evidence/{evidence_id}",
    summary="Download an evidence document of an application",
    response_class=FileResponse,
    responses={200: DOWNLOAD_RESPONSE, **error_responses(*READ_ERRORS, 409)},
)
def download_application_evidence(
    application_id: str,
    evidence_id: str,
    actor: ActorDep,
    session: SessionDep,
    files: EvidenceFilesDep,
    trail: ReadAuditDep,
    now: NowDep,
) -> FileResponse:
    """Always sent as an attachment: browsers must not render uploaded files. Downloads by staff are recorded."""
    row = evidence_documents.get_document(
        session, actor, parse_id(application_id, "application"), parse_id(evidence_id, "evidence")
    )
    return _file_response(session, row, files, actor, trail, now)


@router.get("/evidence/{evidence_id}", summary="Get an evidence document", responses=error_responses(*READ_ERRORS))
def get_evidence(
    evidence_id: str, actor: ActorDep, session: SessionDep, response: Response
) -> application_schemas.EvidenceResponse:
    """Visible to its company and to staff; not to the company if only staff supply its kind."""
    return _evidence_response(
        session, actor, evidence_documents.get_visible(session, actor, parse_id(evidence_id, "evidence")), response
    )


@router.get(
    "/evidence/{evidence_id}/file",
    summary="Download an evidence document",
    response_class=FileResponse,
    responses={200: DOWNLOAD_RESPONSE, **error_responses(*READ_ERRORS, 409)},
)
def download_evidence(
    evidence_id: str,
    actor: ActorDep,
    session: SessionDep,
    files: EvidenceFilesDep,
    trail: ReadAuditDep,
    now: NowDep,
) -> FileResponse:
    """Always sent as an attachment. Downloads by staff are recorded."""
    row = evidence_documents.get_visible(session, actor, parse_id(evidence_id, "evidence"))
    return _file_response(session, row, files, actor, trail, now)


def _file_response(
    session: Session, row: Evidence, files: EvidenceFileStore, actor: Actor, trail: ReadAudit, now: datetime
) -> FileResponse:
    if row.erased_at is not None:
        raise NotFound.of("file")
    virus_scanner.require_clean(session, [row])
    path = files.path(row.sha256)
    if not path.is_file():
        raise Unavailable("The file cannot be read at the moment.")
    if actor.is_staff:  # without the application: the applicant reads its timeline
        organisation = str(row.organisation_id)
        data = {"organisation": organisation, "kind": row.kind, "sha256": row.sha256}
        trail.record(actor, "evidence.downloaded", ("evidence", row.id), now, **data)
    name = (
        row.file_name
        if row.file_name.lower().endswith(EXTENSIONS[row.media_type])
        else (row.file_name + EXTENSIONS[row.media_type])
    )
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": DOWNLOAD_CSP,
    }
    return FileResponse(path, media_type=row.media_type, headers=headers)


@router.delete(
    "/applications/{application_id}/evidence/{evidence_id}",
    status_code=204,
    summary="Remove an evidence document from an application",
    responses=error_responses(*CREATE_ERRORS),
)
def remove_application_evidence(
    application_id: str,
    evidence_id: str,
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> Response:
    """Only while the application is a draft. A submitted document cannot be removed."""
    evidence_documents.remove_document(
        session, actor, parse_id(application_id, "application"), parse_id(evidence_id, "evidence"), now
    )
    return Response(status_code=204)


class EvidenceConfirmRequest(RequestModel):
    """Content and subject of the document; members left out stay as they were stated."""

    issued_on: IsoDate | None = None
    valid_until: IsoDate | None = Field(None, description="last day, inclusive")
    number: Text100 | None = None
    values: dict[Annotated[str, Field(max_length=60)], Any] = Field(
        default={},
        max_length=20,
        description="values of this kind, see `GET /v1/evidence-kinds`",
        examples=[{"taxpayer_status": "active"}],
    )
    product_ids: list[UUID] = Field(
        default=[], max_length=MAX_PRODUCTS, description="products, if the document named none or others"
    )
    site_id: UUID | None = Field(None, description="site, if the document named none or another")


class ConfirmationWithdrawRequest(RequestModel):
    reason: Text4000 | None = Field(
        None, description="required if a certificate depends on the document, and for `found_false`"
    )
    found_false: StrictBoolean = Field(False, description="true: the document is false and cannot be confirmed again")


def _load_for_confirmation(*, confirmed: bool) -> object:
    def load(evidence_id: str, actor: ActorDep, session: SessionDep, version: VersionDep, now: NowDep) -> UUID:
        item, today = parse_id(evidence_id, "evidence"), baku_day(now)
        return confirmation.load_for_confirmation(session, actor, item, version, confirmed=confirmed, today=today).id

    return Depends(load, scope="function")


def _evidence_response(
    session: SessionDep, actor: ActorDep, row: Evidence, response: Response
) -> application_schemas.EvidenceResponse:
    response.headers["ETag"] = format_etag(row.version)
    return application_schemas.evidence_response(session, actor, row)


class EvidenceWithdrawRequest(RequestModel):
    reason: Text4000 = Field(examples=["The permit was exchanged for another one."])


def _require_can_withdraw(evidence_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    return confirmation.load_for_withdrawal(session, actor, parse_id(evidence_id, "evidence"), version).id


@router.post(
    "/evidence/{evidence_id}/withdraw",
    summary="Withdraw an evidence document",
    responses=error_responses(*UPDATE_ERRORS),
)
def withdraw_evidence(
    evidence_id: Annotated[UUID, Depends(_require_can_withdraw, scope="function")],
    body: EvidenceWithdrawRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.EvidenceResponse:
    """For members of the company, of a document for all applications. It stays stored and no longer counts.

    Not possible while an application under review depends on it (409 `evidence-in-use`). If a valid certificate depends
    on it, a matter is opened.
    """
    row = confirmation.withdraw_document(session, actor, evidence_id, reason=body.reason, version=version, now=now)
    return _evidence_response(session, actor, row, response)


@router.post(
    "/evidence/{evidence_id}/confirm", summary="Confirm an evidence document", responses=error_responses(*UPDATE_ERRORS)
)
def confirm_evidence(
    evidence_id: Annotated[UUID, _load_for_confirmation(confirmed=False)],
    body: EvidenceConfirmRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.EvidenceResponse:
    """For registrars and reviewers. Rules read confirmed documents; an earlier recommendation becomes void. What the
    company stated at upload stays in `entered`.
    """
    details = EvidenceDetails(body.issued_on, body.valid_until, body.number, body.values)
    about = EvidenceSubject(tuple(body.product_ids), body.site_id)
    row = confirmation.confirm_document(
        session, actor, evidence_id, details=details, about=about, version=version, now=now
    )
    return _evidence_response(session, actor, row, response)


@router.post(
    "/evidence/{evidence_id}/withdraw-confirmation",
    summary="Withdraw a confirmation",
    responses=error_responses(*UPDATE_ERRORS),
)
def withdraw_evidence_confirmation(
    evidence_id: Annotated[UUID, _load_for_confirmation(confirmed=True)],
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
    body: ConfirmationWithdrawRequest | None = None,
) -> application_schemas.EvidenceResponse:
    """For registrars and reviewers. The document stays and can be confirmed again.

    Also possible after the decision. If a valid certificate depends on the document, a reason is required and a matter
    about each such certificate is opened.
    """
    row = confirmation.withdraw_confirmation(
        session,
        actor,
        evidence_id,
        reason=body.reason if body else None,
        found_false=body.found_false if body else False,
        version=version,
        now=now,
    )
    return _evidence_response(session, actor, row, response)
