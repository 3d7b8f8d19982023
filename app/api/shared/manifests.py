"""Verify up to 100,000 numbers in the background: send the list, watch it, cancel it, read the signed result."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, BinaryIO
from uuid import UUID

from fastapi import APIRouter, Depends, File, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import Field
from sqlalchemy.orm import Session

from app.auth.permissions import require_organisation_id
from app.bulk import manifest_repository, manifest_result, manifests
from app.bulk.manifest_file import parse_manifest
from app.bulk.manifests import PART_SIZE, ManifestFile
from app.bulk.model import Manifest, ManifestState
from app.core.actor import Actor
from app.core.errors import Conflict, Invalid
from app.core.settings import Settings
from app.core.text.normalize import normalize, text_error
from app.web.dependencies import (
    ActorDep,
    DatabaseDep,
    IdempotentReplayDep,
    NowDep,
    SessionDep,
    VersionDep,
    format_etag,
    get_container,
    parse_id,
)
from app.web.exports import Chunk, streamed_file
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import READ_ERRORS, UPDATE_ERRORS, UPLOAD_ERRORS, error_responses
from app.web.routes import FORM_OVERHEAD, UploadRoute
from app.web.schema_types import Page, ResponseModel

JWT = "application/jwt"


class ManifestRoute(UploadRoute):
    """Parse the list before the transaction."""

    def prepare(self, request: Request, file: BinaryIO, name: str | None) -> ManifestFile:
        settings = get_container(request).settings
        data = file.read(settings.manifest_max_bytes + 1)
        numbers = parse_manifest(data, max_bytes=settings.manifest_max_bytes, max_numbers=settings.manifest_max_numbers)
        return ManifestFile(numbers, normalize(name or "manifest.txt"), hashlib.sha256(data).hexdigest())

    def max_body_bytes(self, settings: Settings) -> int:
        return settings.manifest_max_bytes + FORM_OVERHEAD


router = APIRouter(prefix="/v1/verify/manifests", tags=["manifests"], route_class=ManifestRoute)


def _require_owner(actor: ActorDep) -> Actor:
    """Require a member of staff, or who acts for a company."""
    if not actor.is_staff:
        require_organisation_id(actor)
    return actor


OwnerDep = Annotated[Actor, Depends(_require_owner, scope="function")]


class ManifestResponse(ResponseModel):
    id: UUID
    name: str = Field(description="of the file", examples=["delivery-2026-11.csv"])
    sha256: str = Field(description="of the file as it was sent")
    state: ManifestState
    total: int = Field(description="numbers in the file", examples=[100000])
    done: int = Field(description="numbers evaluated so far", examples=[42000])
    created_at: datetime
    ended_at: datetime | None
    verdicts: dict[str, int] | None = Field(
        description="verdict → count; null until finished", examples=[{"valid": 99998, "unknown": 2}]
    )
    version: int


def _response(row: Manifest) -> ManifestResponse:
    return ManifestResponse.model_validate(row, from_attributes=True)


@router.post("", status_code=202, summary="Verify a list of numbers", responses=error_responses(*UPLOAD_ERRORS))
def create_manifest(
    actor: OwnerDep,
    session: SessionDep,
    request: Request,
    response: Response,
    now: NowDep,
    file: Annotated[  # noqa: ARG001 (read by the route, before the transaction)
        UploadFile, File(description="CSV with a column `number`, JSON Lines, or text with a number on each line")
    ],
    _retry: IdempotentReplayDep,
) -> ManifestResponse:
    """Up to 100,000 numbers, evaluated in the background; watch `done`, then read the result. A number that is mistyped
    or unknown is a verdict, not an error.
    """
    upload: ManifestFile = request.state.prepared.get()
    if wrong := text_error(upload.name, 200):
        raise Invalid.at("/file", wrong)
    settings = get_container(request).settings
    row = manifests.create_manifest(session, actor, upload, max_running=settings.manifest_max_running, now=now)
    response.headers["ETag"] = format_etag(row.version)
    response.headers["Location"] = f"/v1/verify/manifests/{row.id}"
    return _response(row)


@router.get("", summary="List your manifests", responses=error_responses(*READ_ERRORS))
def list_manifests(actor: OwnerDep, session: SessionDep, page: PageDep) -> Page[ManifestResponse]:
    """Oldest first: those of your company, or as staff your own. They are deleted some weeks after their end."""
    rows = manifests.list_manifests(session, actor, page.after, page.fetch)
    return Page[ManifestResponse](items=[_response(row) for row in page.cut(rows, lambda row: row.id)])


@router.get("/{manifest_id}", summary="Get a manifest and its progress", responses=error_responses(*READ_ERRORS))
def get_manifest(manifest_id: str, actor: OwnerDep, session: SessionDep, response: Response) -> ManifestResponse:
    """`state` is `running`, `finished` or `cancelled`."""
    row = manifests.get_manifest(session, actor, parse_id(manifest_id, "manifest"))
    response.headers["ETag"] = format_etag(row.version)
    return _response(row)


@router.post("/{manifest_id}/cancel", summary="Cancel a manifest", responses=error_responses(*UPDATE_ERRORS))
def cancel_manifest(
    manifest_id: str, actor: OwnerDep, session: SessionDep, response: Response, version: VersionDep, now: NowDep
) -> ManifestResponse:
    """What is evaluated already is thrown away; there is no result."""
    row = manifests.cancel_manifest(session, actor, parse_id(manifest_id, "manifest"), version=version, now=now)
    response.headers["ETag"] = format_etag(row.version)
    return _response(row)


def _finished(session: Session, actor: Actor, manifest_id: str) -> Manifest:
    row = manifests.get_manifest(session, actor, parse_id(manifest_id, "manifest"))
    if row.state != ManifestState.FINISHED:
        raise Conflict("There is a result only of a manifest that has finished.", code="manifest-not-finished")
    return row


def _docs(media_type: str) -> Mapping[int | str, dict[str, Any]]:
    content = {media_type: {"schema": {"type": "string"}}}
    return {200: {"content": content}, **error_responses(*READ_ERRORS, 409, 503)}


@router.get(
    "/{manifest_id}/result.csv",
    summary="Get the verdicts of a manifest as CSV",
    response_class=StreamingResponse,
    responses=dict(_docs("text/csv")),
)
def get_manifest_rows(manifest_id: str, actor: OwnerDep, session: SessionDep, database: DatabaseDep) -> Response:
    """One line for each number, in the order of the file: line, sent, number, verdict, valid_until, as_of. The SHA-256
    of this file is in the signed result. A cell that a spreadsheet would read as a formula begins with an apostrophe.
    """
    row = _finished(session, actor, manifest_id)
    count = -(-row.total // PART_SIZE)

    def read(after: UUID | None) -> Chunk:
        position = 0 if after is None else after.int
        with database.read_session() as chunk:
            part = manifest_repository.find_part(chunk, row.id, position)
            if part is None:
                raise manifests.ManifestDamaged
            text = manifests.read_part_rows(part)
        return text, UUID(int=position + 1) if position + 1 < count else None

    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'attachment; filename="result-{row.id}.csv"',
    }
    return streamed_file(manifest_result.header_row(), read, "text/csv", headers)


@router.get(
    "/{manifest_id}/result.jwt",
    summary="Get the signed result of a manifest",
    response_class=Response,
    responses=dict(_docs(JWT)),
)
def get_manifest_result(manifest_id: str, actor: OwnerDep, session: SessionDep) -> Response:
    """A compact JWS (ES256, `typ` `manifest-result+jwt`) by a key of `/.well-known/jwks.json`: the SHA-256 of the file
    that was sent and of `result.csv`, the count of each verdict, the moments of evaluation and the checkpoint of the
    public log.
    """
    row = _finished(session, actor, manifest_id)
    return Response(row.token, media_type=JWT, headers={"Cache-Control": "private, no-store"})
