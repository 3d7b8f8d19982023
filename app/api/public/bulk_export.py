"""Open data: the whole register as one file, for programs and for spreadsheets.

It is sent in pieces, each read in a short transaction of its own: a slow reader holds no connection and no thread. The
file holds what was in the register when it was begun; what changed meanwhile is shown as it was when its piece was
read, and the next entity tag is another one.
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

router = PublicRouter(route_class=GuardedRoute, tags=["public"])

BATCH_SIZE: Final = 500  # certificates in a piece
EXPORT_LIMITER: Final = anyio.CapacityLimiter(2)
"""Pieces read at once in one worker, on threads of their own: exports never take those of other requests."""

COLUMNS: Final = (
    *("number", "scheme", "holder", "voen", "product_en", "product_az", "hs6", "gtin", "park", "district"),
    *("origin_criterion", "valid_from", "valid_until", "status", "status_since", "reason"),
    *("during_investigation", "holder_az", "country"),
)
"""Their order is fixed; a further column is added at the end."""
_FORMULA: Final = re.compile(r"""((?:^|[;\t\r\n])[\s"']*?)(?=[=+\-@＝＋－＠]|\A[\t\r\n])""")
"""Where a cell may begin and a formula would."""
_BYTE_ORDER_MARK: Final = "\ufeff"

Encode = Callable[[Sequence[Certificate]], bytes]


@router.get(
    "/v1/certificates.csv",
    summary="The whole register as CSV",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **NOT_MODIFIED_DOCS,
        **error_responses(422, 503),
    },
)
def export_csv(
    request: Request,
    database: DatabaseDep,
    now: NowDep,
    bom: Annotated[bool, Query(description="a byte order mark first: Excel then reads the letters rightly")] = False,
) -> Response:
    """RFC 4180 in UTF-8, oldest certificate first, with a line of column names; columns are only ever added at the end:
    number, scheme, holder, voen, product_en, product_az, hs6, gtin, park, district, origin_criterion, valid_from,
    valid_until, status, status_since, reason, during_investigation (`true` or empty), holder_az, country.

    `status` is what was decided; an active certificate is expired after `valid_until`. The VÖEN of a
    natural person is left out. A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    head = (_BYTE_ORDER_MARK if bom else "").encode() + _encode_lines([COLUMNS])
    return _export_response(request, database, _file_name(now, "csv"), "text/csv", head, _encode_csv)


@router.get(
    "/v1/certificates.jsonl",
    summary="The whole register as JSON Lines",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}},
        **NOT_MODIFIED_DOCS,
        **error_responses(503),
    },
)
def export_json_lines(request: Request, database: DatabaseDep, now: NowDep) -> Response:
    """One certificate on each line, oldest first, as `GET /v1/certificates/{number}` shows it."""
    return _export_response(
        request, database, _file_name(now, "jsonl"), "application/x-ndjson", b"", _encode_json_lines
    )


def _export_response(
    request: Request, database: Database, name: str, media_type: str, head: bytes, encode: Encode
) -> Response:
    with database.read_session() as session:
        state = search_repository.register_version(session)
    # Weak: a change during the sending may or may not be in the file.
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
        piece, after = await anyio.to_thread.run_sync(read, limiter=EXPORT_LIMITER)
        yield piece
        more = after is not None


def _encode_csv(rows: Sequence[Certificate]) -> bytes:
    return _encode_lines([_csv_cells(certificate_fields(row)) for row in rows])


def _csv_cells(face: dict[str, Any]) -> tuple[str | None, ...]:
    names = face["product"]["name"]
    return (
        *(face["number"], face["scheme"]["code"], face["holder"]["name"], face["holder"]["voen"]),
        *(names.get("en"), names.get("az"), face["product"]["hs6"], face["product"]["gtin"]),
        *(face["site"]["park"], face["site"]["district"], face["origin_criterion"]),
        *(face["valid_from"], face["valid_until"], face["status"], face["status_since"], face["reason"]),
        *("true" if "during_investigation" in face else None, face["holder"]["name_az"], face["country"]),
    )


def _encode_lines(rows: Sequence[Sequence[str | None]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([_escape_formula(cell or "") for cell in row] for row in rows)
    return out.getvalue().encode()


def _escape_formula(cell: str) -> str:
    """Text for a spreadsheet, which would otherwise compute what somebody wrote as a name.

    One that separates by semicolons or tabs, as with Azerbaijani or Russian settings, begins a cell after each of them,
    whatever stands in quotes.
    """
    return _FORMULA.sub(r"\1'", cell)


def _encode_json_lines(rows: Sequence[Certificate]) -> bytes:
    return "".join(json.dumps(certificate_fields(row), ensure_ascii=False) + "\n" for row in rows).encode()


def _file_name(now: datetime, ending: str) -> str:
    return f"certificates-{baku_day(now)}.{ending}"
