"""Evidence files of an application: up by the applicant, down by whoever may see the case."""

import re
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, UploadFile
from fastapi.responses import FileResponse, Response

from app.api import dossier
from app.applications import evidence
from app.applications.evidence import EvidenceKind
from app.applications.files import CHUNK, EXTENSIONS
from app.errors import Invalid, Unavailable
from app.registry.text import tidy, wrong_with
from app.web.deps import ActorDep, EvidenceFilesDep, NowDep, ReplayDep, SessionDep, parse_id
from app.web.refusals import CREATES, READS, refuses
from app.web.routing import FileRoute

router = APIRouter(prefix="/v1", tags=["evidence"], route_class=FileRoute)

OPENED_NOWHERE = "default-src 'none'; sandbox"


def _takes_evidence(application_id: str, actor: ActorDep, session: SessionDep) -> UUID:
    return evidence.takes_evidence(session, actor, parse_id(application_id, "application")).id


@router.post(
    "/applications/{application_id}/evidence", status_code=201, summary="Add a file", responses=refuses(*CREATES)
)
def add(
    application_id: Annotated[UUID, Depends(_takes_evidence, scope="function")],
    actor: ActorDep,
    session: SessionDep,
    files: EvidenceFilesDep,
    now: NowDep,
    file: Annotated[UploadFile, File(description="PDF, JPEG, PNG or XLSX without macros; judged by its content")],
    kind: Annotated[EvidenceKind, Form()],
    _retry: ReplayDep,
    product_id: Annotated[str | None, Form(max_length=40, description="where it is about one product")] = None,
) -> dossier.EvidenceAnswer:
    """Until you submit, and again when the reviewer asks. The same file sent twice is kept once."""
    name = tidy(re.split(r"[/\\]", file.filename or "")[-1]) or "file"  # a name, never a path
    if wrong := wrong_with(name, 200):
        raise Invalid.at("/file", wrong)
    stored = files.put(iter(lambda: file.file.read(CHUNK), b""))
    row = evidence.add(
        session,
        actor,
        application_id,
        stored=stored,
        kind=kind,
        file_name=name,
        product_id=parse_id(product_id, "product") if product_id else None,
        now=now,
    )
    return dossier.evidence(row)


@router.get("/applications/{application_id}/evidence", summary="Files of an application", responses=refuses(*READS))
def list_files(application_id: str, actor: ActorDep, session: SessionDep) -> dict[str, list[dossier.EvidenceAnswer]]:
    rows = evidence.list_of(session, actor, parse_id(application_id, "application"))
    return {"items": [dossier.evidence(row) for row in rows]}


@router.get(
    "/applications/{application_id}/evidence/{evidence_id}",
    summary="Download a file",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}}, **refuses(*READS)},
)
def download(
    application_id: str, evidence_id: str, actor: ActorDep, session: SessionDep, files: EvidenceFilesDep
) -> FileResponse:
    """Always as a download: a browser never opens what a stranger sent."""
    row = evidence.find(session, actor, parse_id(application_id, "application"), parse_id(evidence_id, "evidence"))
    path = files.path(row.sha256)
    if not path.is_file():
        raise Unavailable("The file cannot be read at the moment.")
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
    evidence.remove(session, actor, parse_id(application_id, "application"), parse_id(evidence_id, "evidence"), now)
    return Response(status_code=204)
