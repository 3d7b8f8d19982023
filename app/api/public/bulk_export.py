"""Export the public register as one CSV or JSON Lines file.

The file is sent in chunks, each read in a short transaction: a slow client occupies no connection and no thread. The
file contains the certificates that existed at its start, each as it was when its chunk was read; if one changes
meanwhile, the next `ETag` differs.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.orm import Session

from app.certificates.model import Certificate
from app.certificates.read_model import search_repository
from app.certificates.read_model.record import public_fields
from app.core.database import Database
from app.core.dates import baku_day
from app.core.table_writer import BYTE_ORDER_MARK, encode_csv, encode_json_lines
from app.web.dependencies import DatabaseDep, NowDep, get_container
from app.web.exports import BATCH_SIZE, Chunk, streamed_file
from app.web.headers import not_modified, strong_etag
from app.web.problems.openapi_responses import NOT_MODIFIED_DOCS, error_responses
from app.web.routes import GuardedRoute, PublicRouter

router = PublicRouter(route_class=GuardedRoute, tags=["public register"])

COLUMNS: Final = (
    *("number", "scheme", "holder", "voen", "product_en", "product_az", "hs6", "gtin", "park", "district"),
    *("origin_criterion", "valid_from", "valid_until", "status", "status_since", "reason"),
    *("during_investigation", "holder_az", "country"),
)
"""The order is fixed; new columns are added at the end."""

Encode = Callable[[Sequence[dict[str, Any]]], bytes]


@router.get(
    "/v1/certificates.csv",
    summary="Export the public register as CSV",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **NOT_MODIFIED_DOCS,
        **error_responses(422, 503),
    },
)
def export_certificates_csv(
    request: Request,
    database: DatabaseDep,
    now: NowDep,
    bom: Annotated[bool, Query(description="true: start with a byte order mark, so that Excel detects UTF-8")] = False,
) -> Response:
    """RFC 4180 in UTF-8, oldest certificate first, with a header line. New columns are added at the end:
    number, scheme, holder, voen, product_en, product_az, hs6, gtin, park, district, origin_criterion, valid_from,
    valid_until, status, status_since, reason, during_investigation (`true` or empty), holder_az, country.

    `status` is the decided status; an active certificate expires after `valid_until`. The VÖEN of a natural person is
    left out. A cell that a spreadsheet would read as a formula begins with an apostrophe.
    """
    head = (BYTE_ORDER_MARK if bom else "").encode() + encode_csv([COLUMNS])
    return _export_response(request, database, now, "csv", "text/csv", head, _encode_csv)


@router.get(
    "/v1/certificates.jsonl",
    summary="Export the public register as JSON Lines",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}},
        **NOT_MODIFIED_DOCS,
        **error_responses(503),
    },
)
def export_certificates_json_lines(request: Request, database: DatabaseDep, now: NowDep) -> Response:
    """One certificate per line, oldest first, as in `GET /v1/certificates/{number}`."""
    return _export_response(request, database, now, "jsonl", "application/x-ndjson", b"", encode_json_lines)


def _export_response(
    request: Request, database: Database, now: datetime, ending: str, media_type: str, head: bytes, encode: Encode
) -> Response:
    container = get_container(request)
    container.log.require_intact()  # before the first byte: a file that breaks off could be taken for a whole one
    service = container.verification

    def encode_rows(session: Session, rows: Sequence[Certificate]) -> bytes:
        """Rows give the order; what is written comes from proven records."""
        shown = service.read_many(session, [row.number for row in rows], now)
        return encode([public_fields(each.record) for each in shown.values()])

    with database.read_session() as session:
        state = search_repository.register_version(session)
    # Weak: a change while the file is sent may or may not be in it.
    tag = strong_etag(f"{media_type}{len(head)} {state}".encode())
    headers = {"ETag": f"W/{tag}", "Cache-Control": "public, max-age=300"}
    if unchanged := not_modified(request, headers):
        return unchanged
    headers["Content-Disposition"] = f'attachment; filename="{_file_name(now, ending)}"'

    def read(after: UUID | None) -> Chunk:
        with database.read_session() as session:
            rows = search_repository.read_chunk(session, after, state.last, BATCH_SIZE) if state.last else []
            return encode_rows(session, rows), rows[-1].id if len(rows) == BATCH_SIZE else None

    return streamed_file(head, read, media_type, headers)


def _encode_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    return encode_csv([_csv_cells(row) for row in rows])


def _csv_cells(fields: dict[str, Any]) -> tuple[str | None, ...]:
    names = fields["product"]["name"]
    return (
        *(fields["number"], fields["scheme"]["code"], fields["holder"]["name"], fields["holder"]["voen"]),
        *(names.get("en"), names.get("az"), fields["product"]["hs6"], fields["product"]["gtin"]),
        *(fields["site"]["park"], fields["site"]["district"], fields["origin_criterion"]),
        *(fields["valid_from"], fields["valid_until"], fields["status"], fields["status_since"], fields["reason"]),
        *("true" if "during_investigation" in fields else None, fields["holder"]["name_az"], fields["country"]),
    )


def _file_name(now: datetime, ending: str) -> str:
    return f"certificates-{baku_day(now)}.{ending}"
