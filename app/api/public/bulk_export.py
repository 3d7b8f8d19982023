"""Export the public register as one CSV or JSON Lines file.

The file is sent in chunks, each read in a short transaction: a slow client occupies no connection and no thread. The
file contains the certificates that existed at its start, each as it was when its chunk was read; if one changes
meanwhile, the next `ETag` differs.
"""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import anyio
import anyio.to_thread
from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse

from app.api.shared.certificate_schemas import certificate_fields
from app.certificates.model import Certificate
from app.certificates.read_model import search_repository
from app.core.database import Database
from app.core.dates import baku_day
from app.web.dependencies import DatabaseDep, NowDep
from app.web.headers import not_modified, strong_etag
from app.web.problems.openapi_responses import NOT_MODIFIED_DOCS, error_responses
from app.web.routes import GuardedRoute, PublicRouter

router = PublicRouter(route_class=GuardedRoute, tags=["public register"])

BATCH_SIZE: Final = 500  # certificates per chunk
EXPORT_LIMITER: Final = anyio.CapacityLimiter(2)
"""Chunks read at the same time in one worker, on threads outside the pool of other requests."""

COLUMNS: Final = (
    *("number", "scheme", "holder", "voen", "product_en", "product_az", "hs6", "gtin", "park", "district"),
    *("origin_criterion", "valid_from", "valid_until", "status", "status_since", "reason"),
    *("during_investigation", "holder_az", "country"),
)
"""The order is fixed; new columns are added at the end."""
_FORMULA: Final = re.compile(r"""((?:^|[;\t\r\n])[\s"']*?)(?=[=+\-@＝＋－＠]|\A[\t\r\n])""")
"""Places where a spreadsheet may start a cell with a formula."""
_BYTE_ORDER_MARK: Final = "\ufeff"

Encode = Callable[[Sequence[Certificate]], bytes]


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
    head = (_BYTE_ORDER_MARK if bom else "").encode() + _encode_lines([COLUMNS])
    return _export_response(request, database, _file_name(now, "csv"), "text/csv", head, _encode_csv)


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
    return _export_response(
        request, database, _file_name(now, "jsonl"), "application/x-ndjson", b"", _encode_json_lines
    )


def _export_response(
    request: Request, database: Database, name: str, media_type: str, head: bytes, encode: Encode
) -> Response:
    with database.read_session() as session:
        state = search_repository.register_version(session)
    # Weak: a change while the file is sent may or may not be in it.
    tag = strong_etag(f"{media_type}{len(head)} {state}".encode())
    headers = {"ETag": f"W/{tag}", "Cache-Control": "public, max-age=300"}
    if unchanged := not_modified(request, headers):
        return unchanged
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return StreamingResponse(_stream_rows(database, state.last, head, encode), headers=headers, media_type=media_type)


async def _stream_rows(database: Database, upto: UUID | None, head: bytes, encode: Encode) -> AsyncIterator[bytes]:
    yield head
    after: UUID | None = None

    def read() -> tuple[bytes, UUID | None]:
        with database.read_session() as session:
            rows = search_repository.read_chunk(session, after, upto, BATCH_SIZE) if upto else []
            return encode(rows), rows[-1].id if len(rows) == BATCH_SIZE else None

    more = True
    while more:
        chunk, after = await anyio.to_thread.run_sync(read, limiter=EXPORT_LIMITER)
        yield chunk
        more = after is not None


def _encode_csv(rows: Sequence[Certificate]) -> bytes:
    return _encode_lines([_csv_cells(certificate_fields(row)) for row in rows])


def _csv_cells(fields: dict[str, Any]) -> tuple[str | None, ...]:
    names = fields["product"]["name"]
    return (
        *(fields["number"], fields["scheme"]["code"], fields["holder"]["name"], fields["holder"]["voen"]),
        *(names.get("en"), names.get("az"), fields["product"]["hs6"], fields["product"]["gtin"]),
        *(fields["site"]["park"], fields["site"]["district"], fields["origin_criterion"]),
        *(fields["valid_from"], fields["valid_until"], fields["status"], fields["status_since"], fields["reason"]),
        *("true" if "during_investigation" in fields else None, fields["holder"]["name_az"], fields["country"]),
    )


def _encode_lines(rows: Sequence[Sequence[str | None]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([_escape_formula(cell or "") for cell in row] for row in rows)
    return out.getvalue().encode()


def _escape_formula(cell: str) -> str:
    """Escape formulas, which a spreadsheet would otherwise compute.

    With Azerbaijani or Russian settings spreadsheets separate by semicolons or tabs, also inside quotes: a cell may
    start after each of them.
    """
    return _FORMULA.sub(r"\1'", cell)


def _encode_json_lines(rows: Sequence[Certificate]) -> bytes:
    return "".join(json.dumps(certificate_fields(row), ensure_ascii=False) + "\n" for row in rows).encode()


def _file_name(now: datetime, ending: str) -> str:
    return f"certificates-{baku_day(now)}.{ending}"
