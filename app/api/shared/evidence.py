"""Evidence documents: added to an application or for all of them, downloaded, and confirmed by staff."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, BinaryIO
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import FileResponse, Response
from pydantic import AfterValidator, Field

from app.api.shared import application_schemas
from app.applications.evidence import confirmation, evidence_documents
from app.applications.evidence.details import MAX_PRODUCTS, About, Details, wrong_kind
from app.applications.evidence.file_store import CHUNK, EXTENSIONS, Draft, EvidenceFiles
from app.applications.model import Evidence
from app.core import strict_json
from app.core.actor import Actor
from app.core.dates import baku_day
from app.core.errors import Invalid, NotFound, Unavailable
from app.core.messages import Message
from app.core.text.normalize import tidy, wrong_with
from app.schemes.evidence_kinds import EvidenceKind, kinds
from app.web.dependencies import (
    ActorDep,
    AskFirstDep,
    EvidenceFilesDep,
    NowDep,
    QuotasDep,
    ReadingTrailDep,
    ReplayDep,
    SessionDep,
    VersionDep,
    etag,
    get_container,
    parse_id,
)
from app.web.problems.openapi_responses import CHANGES, CREATES, READS, UPLOADS, refuses
from app.web.read_audit import ReadingTrail
from app.web.routes import FileRoute, Prepared
from app.web.schema_types import Body, Day, Flag, Page, Prose, Word


class EvidenceRoute(FileRoute):
    """Writes the file as a draft before the transaction; what no row came to name is discarded."""

    def prepare(self, request: Request, file: BinaryIO, _name: str | None) -> Draft:
        return get_container(request).evidence_files.stage(iter(lambda: file.read(CHUNK), b""))

    def discard(self, done: Draft) -> None:
        done.discard()


router = APIRouter(prefix="/v1", tags=["evidence"], route_class=EvidenceRoute)

OPENED_NOWHERE = "default-src 'none'; sandbox"
DOWNLOAD = {"description": "The file as it was sent.", "content": {media_type: {} for media_type in EXTENSIONS}}


@router.get("/evidence-kinds", summary="Kinds of supporting documents", responses=refuses(503))
def list_kinds() -> Page[EvidenceKind]:
    """Who supplies them, what they are about, which dates they bear, and which values are read in them."""
    return Page[EvidenceKind](items=list(kinds().values()))


@dataclass(frozen=True, slots=True)
class Sheet:
    """What goes with a file."""

    file: UploadFile
    kind: str
    product_id: list[str]
    site_id: str | None
    issued_on: date | None
    valid_until: date | None
    number: str | None
    values: str | None
    prepared: Prepared

    @property
    def name(self) -> str:
        name = tidy(re.split(r"[/\\]", self.file.filename or "")[-1]) or "file"  # a name, never a path
        if wrong := wrong_with(name, 200):
            raise Invalid.at("/file", wrong)
        return name

    def about(self) -> About:
        products = tuple(parse_id(each, "product") for each in self.product_id if each)
        return About(products, parse_id(self.site_id, "site") if self.site_id else None)

    def details(self) -> Details:
        return Details(self.issued_on, self.valid_until, self.number, values_of(self.values))

    def draft(self) -> Draft:
        draft: Draft = self.prepared.get()
        return draft


def _known_kind(code: str) -> str:
    if wrong := wrong_kind(code):
        raise ValueError(wrong)
    return code


def _json_object(text: str | None) -> str | None:
    values_of(text)
    return text


def values_of(text: str | None) -> dict[str, Any]:
    """The values that go with a file. Raises ValueError with a message."""
    values = strict_json.loads(text or "{}")
    if not isinstance(values, dict):
        raise ValueError(  # noqa: TRY004 (pydantic reports ValueErrors, a TypeError would be a crash)
            Message("Enter a JSON object: the name of each value, and the value.", code="wrong-type")
        )
    return values


def _sheet(
    request: Request,
    file: Annotated[UploadFile, File(description="PDF, JPEG, PNG or XLSX without macros; judged by its content")],
    kind: Annotated[str, AfterValidator(_known_kind), Form(max_length=60, json_schema_extra={"enum": list(kinds())})],
    product_id: Annotated[
        list[Annotated[str, Field(max_length=40)]] | None,
        Form(max_length=MAX_PRODUCTS, description="products that it is about, each named; see `scope` of its kind"),
    ] = None,
    site_id: Annotated[str | None, Form(max_length=40, description="the site that it is about")] = None,
    issued_on: Annotated[Day | None, Form(description="as printed on the document")] = None,
    valid_until: Annotated[Day | None, Form(description="last day, inclusive")] = None,
    number: Annotated[str | None, Form(max_length=200, description="as printed on the document")] = None,
    values: Annotated[
        str | None,
        AfterValidator(_json_object),
        Form(max_length=10_000, description="JSON object: the values of this kind, see /v1/evidence-kinds"),
    ] = None,
) -> Sheet:
    return Sheet(file, kind, product_id or [], site_id, issued_on, valid_until, number, values, request.state.prepared)


SheetDep = Annotated[Sheet, Depends(_sheet)]


def _takes_evidence(application_id: str, actor: ActorDep, session: SessionDep, ask_first: AskFirstDep) -> UUID:
    return evidence_documents.takes_evidence(session, actor, parse_id(application_id, "application"), ask_first).id


def _takes_company_evidence(organisation_id: str, actor: ActorDep, session: SessionDep) -> UUID:
    return evidence_documents.takes_company_evidence(session, actor, parse_id(organisation_id, "company")).id


@router.post(
    "/applications/{application_id}/evidence", status_code=201, summary="Add a file", responses=refuses(*UPLOADS)
)
def add(
    application_id: Annotated[UUID, Depends(_takes_evidence, scope="function")],
    actor: ActorDep,
    session: SessionDep,
    files: EvidenceFilesDep,
    quotas: QuotasDep,
    now: NowDep,
    sheet: SheetDep,
) -> application_schemas.EvidenceAnswer:
    """The company adds until it submits, and again when the reviewer asks; registrar and reviewers add what they looked
    up (tax register, sanctions lists, resident register) until the decision. The same item sent twice is kept once.

    Dates, number and values are what you say of the document; rules read it once a member of staff has confirmed it,
    another one where staff added it.
    """
    name, about, details, draft = sheet.name, sheet.about(), sheet.details(), sheet.draft()
    row = evidence_documents.add(
        session,
        actor,
        application_id,
        kind=sheet.kind,
        file_name=name,
        about=about,
        details=details,
        stored=draft.file,
        quotas=quotas,
        now=now,
    )
    files.keep(draft)
    return application_schemas.evidence(session, actor, row)


@router.post(
    "/organisations/{organisation_id}/evidence",
    status_code=201,
    summary="Add a document for all applications",
    responses=refuses(*UPLOADS),
)
def add_of_company(
    organisation_id: Annotated[UUID, Depends(_takes_company_evidence, scope="function")],
    actor: ActorDep,
    session: SessionDep,
    files: EvidenceFilesDep,
    quotas: QuotasDep,
    now: NowDep,
    _retry: ReplayDep,
    sheet: SheetDep,
) -> application_schemas.EvidenceAnswer:
    """For members of the company, and for registrar and reviewers: authority to sign, permits, the tax register.

    Every application of the company finds it. Rules read it once a member of staff has confirmed it, another
    one where staff added it.
    """
    name, about, details, draft = sheet.name, sheet.about(), sheet.details(), sheet.draft()
    row = evidence_documents.add_of_company(
        session,
        actor,
        organisation_id,
        kind=sheet.kind,
        file_name=name,
        about=about,
        details=details,
        stored=draft.file,
        quotas=quotas,
        now=now,
    )
    files.keep(draft)
    return application_schemas.evidence(session, actor, row)


@router.get(
    "/organisations/{organisation_id}/evidence", summary="Supporting documents of a company", responses=refuses(*READS)
)
def list_of_company(
    organisation_id: str, actor: ActorDep, session: SessionDep
) -> Page[application_schemas.EvidenceAnswer]:
    rows = evidence_documents.list_of_company(session, actor, parse_id(organisation_id, "company"))
    return Page[application_schemas.EvidenceAnswer](items=application_schemas.evidence_list(session, actor, rows))


@router.get("/applications/{application_id}/evidence", summary="Files of an application", responses=refuses(*READS))
def list_files(application_id: str, actor: ActorDep, session: SessionDep) -> Page[application_schemas.EvidenceAnswer]:
    rows = evidence_documents.list_of(session, actor, parse_id(application_id, "application"))
    return Page[application_schemas.EvidenceAnswer](items=application_schemas.evidence_list(session, actor, rows))


@router.get(
    "/applications/{application_id}/evidence/{evidence_id}",
    summary="Download a file",
    response_class=FileResponse,
    responses={200: DOWNLOAD, **refuses(*READS)},
)
def download(
    application_id: str,
    evidence_id: str,
    actor: ActorDep,
    session: SessionDep,
    files: EvidenceFilesDep,
    trail: ReadingTrailDep,
    now: NowDep,
) -> FileResponse:
    """Always as a download: a browser never opens what a stranger sent. Downloads by staff are recorded."""
    row = evidence_documents.find(
        session, actor, parse_id(application_id, "application"), parse_id(evidence_id, "evidence")
    )
    return _file(row, files, actor, trail, now)


@router.get("/evidence/{evidence_id}", summary="One supporting document", responses=refuses(*READS))
def get_evidence(
    evidence_id: str, actor: ActorDep, session: SessionDep, response: Response
) -> application_schemas.EvidenceAnswer:
    return _answer(
        session, actor, evidence_documents.visible(session, actor, parse_id(evidence_id, "evidence")), response
    )


@router.get(
    "/evidence/{evidence_id}/file",
    summary="Download its file",
    response_class=FileResponse,
    responses={200: DOWNLOAD, **refuses(*READS)},
)
def download_evidence(
    evidence_id: str,
    actor: ActorDep,
    session: SessionDep,
    files: EvidenceFilesDep,
    trail: ReadingTrailDep,
    now: NowDep,
) -> FileResponse:
    """Downloads by staff are recorded."""
    row = evidence_documents.visible(session, actor, parse_id(evidence_id, "evidence"))
    return _file(row, files, actor, trail, now)


def _file(row: Evidence, files: EvidenceFiles, actor: Actor, trail: ReadingTrail, now: datetime) -> FileResponse:
    if row.erased_at is not None:
        raise NotFound.of("file")
    path = files.path(row.sha256)
    if not path.is_file():
        raise Unavailable("The file cannot be read at the moment.")
    if actor.is_staff:  # without its case: the timeline of a case is read by the applicant as well
        organisation = str(row.organisation_id)
        about = {"organisation": organisation, "kind": row.kind, "sha256": row.sha256}
        trail.record(actor, "evidence.downloaded", ("evidence", row.id), now, **about)
    name = (
        row.file_name
        if row.file_name.lower().endswith(EXTENSIONS[row.media_type])
        else (row.file_name + EXTENSIONS[row.media_type])
    )
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": OPENED_NOWHERE,
    }
    return FileResponse(path, media_type=row.media_type, headers=headers)


@router.delete(
    "/applications/{application_id}/evidence/{evidence_id}",
    status_code=204,
    summary="Remove a file from a draft",
    responses=refuses(*CREATES),
)
def remove(
    application_id: str, evidence_id: str, actor: ActorDep, session: SessionDep, now: NowDep, _retry: ReplayDep
) -> Response:
    evidence_documents.remove(
        session, actor, parse_id(application_id, "application"), parse_id(evidence_id, "evidence"), now
    )
    return Response(status_code=204)


class Reading(Body):
    """What the document says and what it is about; what is left out stays as it was stated."""

    issued_on: Day | None = None
    valid_until: Day | None = Field(None, description="last day, inclusive")
    number: Word | None = None
    values: dict[Annotated[str, Field(max_length=60)], Any] = Field(
        default={}, max_length=20, description="see /v1/evidence-kinds", examples=[{"taxpayer_status": "active"}]
    )
    product_ids: list[UUID] = Field(
        default=[], max_length=MAX_PRODUCTS, description="where the document named no product, or others"
    )
    site_id: UUID | None = Field(None, description="where the document named no site, or another")


class Withdrawal(Body):
    reason: Prose | None = Field(None, description="needed where a certificate rests on it, and for `found_false`")
    found_false: Flag = Field(False, description="the document is false: it is never confirmed again")


def _may_change(*, confirmed: bool) -> object:
    def allowed(evidence_id: str, actor: ActorDep, session: SessionDep, version: VersionDep, now: NowDep) -> UUID:
        item, today = parse_id(evidence_id, "evidence"), baku_day(now)
        return confirmation.guard(session, actor, item, version, confirmed=confirmed, today=today).id

    return Depends(allowed, scope="function")


def _answer(
    session: SessionDep, actor: ActorDep, row: Evidence, response: Response
) -> application_schemas.EvidenceAnswer:
    response.headers["ETag"] = etag(row.version)
    return application_schemas.evidence(session, actor, row)


class OwnWithdrawal(Body):
    reason: Prose = Field(examples=["The permit was exchanged for another one."])


def _may_withdraw(evidence_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    return confirmation.guard_withdrawal(session, actor, parse_id(evidence_id, "evidence"), version).id


@router.post("/evidence/{evidence_id}/withdraw", summary="Withdraw a document", responses=refuses(*CHANGES))
def withdraw(
    evidence_id: Annotated[UUID, Depends(_may_withdraw, scope="function")],
    body: OwnWithdrawal,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.EvidenceAnswer:
    """For members of the company, of what it uploaded for all applications: it is kept, and no longer counted.

    Not while an application under review rests on it (409 `evidence-in-use`). Where a certificate in force rests on it,
    a matter opens.
    """
    row = confirmation.withdraw_document(session, actor, evidence_id, reason=body.reason, version=version, now=now)
    return _answer(session, actor, row, response)


@router.post("/evidence/{evidence_id}/confirm", summary="Confirm what a document says", responses=refuses(*CHANGES))
def confirm(
    evidence_id: Annotated[UUID, _may_change(confirmed=False)],
    body: Reading,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.EvidenceAnswer:
    """For registrar and reviewers. Rules rest on confirmed documents; a recommendation that was made without this one
    is void. What the company stated at upload stays in `entered`."""
    details = Details(body.issued_on, body.valid_until, body.number, body.values)
    about = About(tuple(body.product_ids), body.site_id)
    row = confirmation.confirm(session, actor, evidence_id, details=details, about=about, version=version, now=now)
    return _answer(session, actor, row, response)


@router.post(
    "/evidence/{evidence_id}/withdraw-confirmation", summary="Withdraw a confirmation", responses=refuses(*CHANGES)
)
def withdraw_confirmation(
    evidence_id: Annotated[UUID, _may_change(confirmed=True)],
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
    body: Withdrawal | None = None,
) -> application_schemas.EvidenceAnswer:
    """For registrar and reviewers. The item stays and waits to be confirmed again.

    Also after the decision, where a certificate in force rests on the item: then say why, and a matter opens about
    each such certificate.
    """
    row = confirmation.withdraw(
        session,
        actor,
        evidence_id,
        reason=body.reason if body else None,
        found_false=body.found_false if body else False,
        version=version,
        now=now,
    )
    return _answer(session, actor, row, response)
