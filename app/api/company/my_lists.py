"""List the certificates of a company; export its certificates, products and applications as CSV and JSON Lines."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.orm import Session

from app.api.company.products import product_responses
from app.api.shared import application_schemas
from app.api.shared.application_schemas import storable_text
from app.api.shared.certificate_schemas import CertificateResponse
from app.applications import application_repository
from app.applications.application_repository import CaseFilter
from app.auth.permissions import require_organisation_id
from app.certificates.model import Certificate
from app.certificates.read_model import search_repository
from app.certificates.read_model.record import public_fields
from app.certificates.read_model.search import EffectiveStatus, RegisterSearch, fits
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.core.table_writer import BYTE_ORDER_MARK, encode_csv, encode_json_lines
from app.products import company_products
from app.verification.service import VerificationService
from app.web import exports
from app.web.dependencies import DatabaseDep, NowDep, SessionDep, get_container, require_role
from app.web.exports import BATCH_SIZE, MEDIA_TYPES, Chunk, Format
from app.web.pagination import PageDep
from app.web.parameters import UpdatedSince, changed_from
from app.web.problems.openapi_responses import READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import IsoDate, Page

certificates_router = APIRouter(prefix="/v1/my", tags=["certificates"], route_class=GuardedRoute)
products_router = APIRouter(prefix="/v1", tags=["products"], route_class=GuardedRoute)
applications_router = APIRouter(prefix="/v1", tags=["applications"], route_class=GuardedRoute)

Applicant = Annotated[Actor, require_role(Role.APPLICANT)]
Row = Mapping[str, Any]
ReadRows = Callable[[Session, UUID | None], tuple[Sequence[Row], UUID | None]]
"""Read the rows of a chunk after an id. Returns the id after which the next chunk begins; None: there is none."""

CERTIFICATE_COLUMNS = (
    *("number", "scheme", "status", "status_since", "reason", "valid_from", "valid_until", "product_en", "product_az"),
    *("hs6", "gtin", "park", "district", "origin_criterion", "product_id", "site_id", "application_id"),
)
PRODUCT_COLUMNS = (
    *("id", "reference", "name_az", "name_en", "hs6", "national_code", "gtin", "unit", "brand", "site_id", "ex_works"),
    *("flags", "joint_production", "materials", "steps", "costs", "certificates", "retired_at", "version"),
)
APPLICATION_COLUMNS = (
    *("id", "number", "scheme", "reference", "state", "state_since", "submitted_at", "waiting_on", "products"),
    *("due_at", "due_step", "overdue", "version"),
)


class OwnCertificateResponse(CertificateResponse):
    """A certificate of your company: its public members and what it belongs to."""

    product_id: UUID
    site_id: UUID
    application_id: UUID


async def _search(
    scheme: Annotated[str | None, Query(max_length=8, description="code of a scheme", examples=["MIK"])] = None,
    status: Annotated[EffectiveStatus | None, Query(description="status as of today")] = None,
    product: Annotated[UUID | None, Query(description="id of a product")] = None,
    site: Annotated[UUID | None, Query(description="id of a production site")] = None,
    expiring_before: Annotated[
        IsoDate | None, Query(description="only those not yet expired whose last day is before this day")
    ] = None,
    updated_since: UpdatedSince = None,
) -> RegisterSearch:
    return RegisterSearch(
        scheme=storable_text(scheme),
        status=status,
        product_id=product,
        site_id=site,
        expiring_before=expiring_before,
        changed_from=changed_from(updated_since),
    )


SearchDep = Annotated[RegisterSearch, Depends(_search)]
Bom = Annotated[bool, Query(description="true: start with a byte order mark, so that Excel detects UTF-8")]


@certificates_router.get(
    "/certificates",
    summary="List certificates of your company",
    response_model_exclude_unset=True,  # `during_investigation` is present only if it is true
    responses=error_responses(*READ_ERRORS, 503),
)
def list_my_certificates(
    request: Request, actor: Applicant, session: SessionDep, page: PageDep, now: NowDep, wanted: SearchDep
) -> Page[OwnCertificateResponse]:
    """Newest first; filters are combined. Also as a file: `GET /v1/my/certificates.csv` and `.jsonl`."""
    wanted, today = _of_company(wanted, actor), baku_day(now)
    rows = search_repository.search_certificates(session, wanted, today, before=page.after, limit=page.fetch)
    found = page.cut(rows, lambda row: row.id)
    shown = _certificate_rows(get_container(request).verification, session, found, wanted, now)
    return Page[OwnCertificateResponse](items=[OwnCertificateResponse.model_validate(row) for row in shown])


def _of_company(wanted: RegisterSearch, actor: Actor) -> RegisterSearch:
    return replace(wanted, organisation_id=require_organisation_id(actor))


def _certificate_rows(
    service: VerificationService, session: Session, rows: Sequence[Certificate], wanted: RegisterSearch, now: datetime
) -> list[dict[str, Any]]:
    """Rows give order and ids; what is shown comes from proven records."""
    shown = service.read_many(session, [row.number for row in rows], now)
    today = baku_day(now)
    return [
        public_fields(shown[row.number].record)
        | {"product_id": str(row.product_id), "site_id": str(row.site_id), "application_id": str(row.application_id)}
        for row in rows
        if row.number in shown and fits(wanted, shown[row.number].record, today)
    ]


def _file_docs(form: Format) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPES[form]: {"schema": {"type": "string"}}}
    return {200: {"content": content}, **error_responses(*READ_ERRORS, 503)}


@certificates_router.get(
    "/certificates.csv",
    summary="Export certificates of your company as CSV",
    response_class=StreamingResponse,
    responses=_file_docs("csv"),
)
def export_my_certificates_csv(
    request: Request, actor: Applicant, database: DatabaseDep, now: NowDep, wanted: SearchDep, bom: Bom = False
) -> Response:
    """Newest first, with the filters of the list and a header line. New columns are added at the end. A cell that a
    spreadsheet would read as a formula begins with an apostrophe.
    """
    read = _certificate_reader(request, _of_company(wanted, actor), now)
    return _file(database, now, "certificates", read, _certificate_cells, CERTIFICATE_COLUMNS, "csv", bom=bom)


@certificates_router.get(
    "/certificates.jsonl",
    summary="Export certificates of your company as JSON Lines",
    response_class=StreamingResponse,
    responses=_file_docs("jsonl"),
)
def export_my_certificates_json_lines(
    request: Request, actor: Applicant, database: DatabaseDep, now: NowDep, wanted: SearchDep
) -> Response:
    """One certificate per line, newest first, as in the list."""
    read = _certificate_reader(request, _of_company(wanted, actor), now)
    return _file(database, now, "certificates", read, _certificate_cells, CERTIFICATE_COLUMNS, "jsonl")


def _certificate_reader(request: Request, wanted: RegisterSearch, now: datetime) -> ReadRows:
    container = get_container(request)
    container.log.require_intact()  # before the first byte: a file that breaks off could be taken for a whole one

    def read(session: Session, after: UUID | None) -> tuple[Sequence[Row], UUID | None]:
        rows = search_repository.search_certificates(session, wanted, baku_day(now), before=after, limit=BATCH_SIZE)
        shown = _certificate_rows(container.verification, session, rows, wanted, now)
        return shown, rows[-1].id if len(rows) == BATCH_SIZE else None

    return read


def _certificate_cells(row: Row) -> dict[str, Any]:
    names = row["product"]["name"]
    return dict(row) | {
        "scheme": row["scheme"]["code"],
        "product_en": names.get("en"),
        "product_az": names.get("az"),
        "hs6": row["product"]["hs6"],
        "gtin": row["product"]["gtin"],
        "park": row["site"]["park"],
        "district": row["site"]["district"],
    }


Retired = Annotated[bool | None, Query(description="true: only retired products; false: none of them; null: all")]


@products_router.get(
    "/products.csv",
    summary="Export products of your company as CSV",
    response_class=StreamingResponse,
    responses=_file_docs("csv"),
)
def export_products_csv(
    actor: Applicant, database: DatabaseDep, now: NowDep, retired: Retired = None, bom: Bom = False
) -> Response:
    """Oldest first, with a header line. Lists in a cell are separated by ` | `; materials, steps and costs are counted.
    New columns are added at the end. A cell that a spreadsheet would read as a formula begins with an apostrophe.
    """
    read = _product_reader(actor, retired=retired)
    return _file(database, now, "products", read, _product_cells, PRODUCT_COLUMNS, "csv", bom=bom)


@products_router.get(
    "/products.jsonl",
    summary="Export products of your company as JSON Lines",
    response_class=StreamingResponse,
    responses=_file_docs("jsonl"),
)
def export_products_json_lines(
    actor: Applicant, database: DatabaseDep, now: NowDep, retired: Retired = None
) -> Response:
    """One product per line, oldest first, as in `GET /v1/products/{product_id}`."""
    read = _product_reader(actor, retired=retired)
    return _file(database, now, "products", read, _product_cells, PRODUCT_COLUMNS, "jsonl")


def _product_reader(actor: Actor, *, retired: bool | None) -> ReadRows:
    def read(session: Session, after: UUID | None) -> tuple[Sequence[Row], UUID | None]:
        rows = company_products.list_products(session, actor, retired=retired, after=after, limit=BATCH_SIZE)
        shown = [each.model_dump(mode="json") for each in product_responses(session, rows)]
        return shown, rows[-1].product.id if len(rows) == BATCH_SIZE else None

    return read


def _product_cells(row: Row) -> dict[str, Any]:
    return dict(row) | {
        "name_az": row["names"].get("az"),
        "name_en": row["names"].get("en"),
        "materials": len(row["materials"]),
        "steps": len(row["steps"]),
        "costs": len(row["costs"]),
    }


@applications_router.get(
    "/applications.csv",
    summary="Export applications of your company as CSV",
    response_class=StreamingResponse,
    responses=_file_docs("csv"),
)
def export_applications_csv(actor: Applicant, database: DatabaseDep, now: NowDep, bom: Bom = False) -> Response:
    """Oldest first, with a header line. New columns are added at the end. A cell that a spreadsheet would read as a
    formula begins with an apostrophe.
    """
    read = _application_reader(actor, now)
    return _file(database, now, "applications", read, dict, APPLICATION_COLUMNS, "csv", bom=bom)


@applications_router.get(
    "/applications.jsonl",
    summary="Export applications of your company as JSON Lines",
    response_class=StreamingResponse,
    responses=_file_docs("jsonl"),
)
def export_applications_json_lines(actor: Applicant, database: DatabaseDep, now: NowDep) -> Response:
    """One application per line, oldest first, as in `GET /v1/applications`."""
    return _file(database, now, "applications", _application_reader(actor, now), dict, APPLICATION_COLUMNS, "jsonl")


def _application_reader(actor: Actor, now: datetime) -> ReadRows:
    wanted = CaseFilter(organisation_id=require_organisation_id(actor), with_drafts=True)

    def read(session: Session, after: UUID | None) -> tuple[Sequence[Row], UUID | None]:
        rows = application_repository.list_applications(session, wanted, after, BATCH_SIZE)
        shown = [
            each.model_dump(mode="json") for each in application_schemas.summary_responses(session, actor, rows, now)
        ]
        return shown, rows[-1].id if len(rows) == BATCH_SIZE else None

    return read


def _file(
    database: DatabaseDep,
    now: datetime,
    name: str,
    read_rows: ReadRows,
    to_cells: Callable[[Row], Mapping[str, Any]],
    columns: Sequence[str],
    form: Format,
    *,
    bom: bool = False,
) -> Response:
    """Stream the rows; each chunk is read in a session of its own, which a slow client does not hold."""
    head = (BYTE_ORDER_MARK if bom else "").encode() + encode_csv([columns]) if form == "csv" else b""

    def encode(rows: Iterable[Row]) -> bytes:
        if form == "jsonl":
            return encode_json_lines(rows)
        return encode_csv([_text_of(cells.get(column)) for column in columns] for cells in map(to_cells, rows))

    def read(after: UUID | None) -> Chunk:
        with database.read_session() as session:
            rows, following = read_rows(session, after)
            return encode(rows), following

    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'attachment; filename="{name}-{baku_day(now)}.{form}"',
    }
    return exports.streamed_file(head, read, MEDIA_TYPES[form], headers)


def _text_of(value: Any) -> str | None:
    if isinstance(value, list):
        return " | ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
