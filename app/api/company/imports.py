"""Import products and applications from CSV and XLSX, and serve the templates of these files."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, BinaryIO, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, File, Query, Request, Response, UploadFile
from pydantic import Field, ValidationError

from app.api.company.applications import ApplicationCreateRequest
from app.api.company.products import ProductRequest
from app.bulk import imports, templates
from app.bulk.import_file import ImportLimits, ImportTables, read_import_file
from app.bulk.imports import MAX_LISTED_FAULTS, ApplicationEntry, ImportMode, ImportReport, ReadBody
from app.bulk.layouts import LAYOUTS, ImportKind
from app.core import i18n
from app.core.actor import Actor, Role
from app.core.errors import NotFound
from app.core.messages import localise
from app.core.settings import Settings
from app.products.inputs import ProductInput
from app.web.dependencies import NowDep, ReplayHookDep, SessionDep, get_container, require_role
from app.web.headers import negotiate_language
from app.web.problems import partial_bodies, problem_details
from app.web.problems.openapi_responses import UPLOAD_ERRORS, error_responses
from app.web.problems.validation_errors import message_for_error
from app.web.routes import FORM_OVERHEAD, GuardedRoute, PublicRouter, UploadRoute
from app.web.schema_types import RequestModel, ResponseModel

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Applicant = Annotated[Actor, require_role(Role.APPLICANT)]
Model = TypeVar("Model", bound=RequestModel)


@dataclass(frozen=True, slots=True)
class UploadedTables:
    tables: ImportTables
    sha256: str


class TableRoute(UploadRoute):
    """Parse the file before the transaction; the last part of the path names what it holds."""

    def prepare(self, request: Request, file: BinaryIO, _name: str | None) -> UploadedTables:
        settings = get_container(request).settings
        data = file.read(settings.import_max_bytes + 1)
        kind: ImportKind = "products" if request.url.path.endswith("/products") else "applications"
        tables = read_import_file(data, LAYOUTS[kind], _limits(settings, kind))
        return UploadedTables(tables, hashlib.sha256(data).hexdigest())

    def max_body_bytes(self, settings: Settings) -> int:
        return settings.import_max_bytes + FORM_OVERHEAD


def _limits(settings: Settings, kind: ImportKind) -> ImportLimits:
    records = settings.import_max_products if kind == "products" else settings.import_max_applications
    return ImportLimits(
        settings.import_max_bytes, settings.import_max_unpacked_bytes, records, settings.import_max_rows
    )


router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=TableRoute)
templates_router = PublicRouter(prefix="/v1/imports", tags=["imports"], route_class=GuardedRoute)


class ImportFaultResponse(ResponseModel):
    """One thing that is wrong."""

    sheet: str | None = Field(description="sheet of an XLSX file; null for CSV", examples=["materials"])
    line: int = Field(description="line of the file or sheet; 0: the file as a whole", examples=[12])
    column: str | None = Field(examples=["hs4"])
    code: str = Field(description="stable code of the kind of fault", examples=["unknown-hs-code"])
    message: str = Field(examples=["There is no such heading in the Harmonized System 2022."])


class CreatedRecordResponse(ResponseModel):
    line: int
    reference: str | None
    id: UUID


class ImportResponse(ResponseModel):
    """What a file did, or in a dry run would do. `good` and `bad` count lines of its first table."""

    kind: ImportKind
    mode: ImportMode
    dry_run: bool
    sha256: str = Field(description="of the file, lower-case hex")
    good: int
    bad: int
    fault_count: int
    faults: list[ImportFaultResponse] = Field(description=f"the first {MAX_LISTED_FAULTS:,}, by line")
    created: list[CreatedRecordResponse] = Field(description="empty in a dry run")


DryRun = Annotated[bool, Query(description="true: report everything and write nothing")]
Mode = Annotated[
    ImportMode,
    Query(
        description="`all_or_nothing`: one bad line refuses the file; `good_lines_as_drafts`: good lines are written, "
        "bad ones reported"
    ),
]
TableFile = Annotated[UploadFile, File(description="CSV in UTF-8, or XLSX; see the template")]


async def _read_only_in_dry_run(request: Request, dry_run: DryRun = False) -> None:
    request.state.only_reads = dry_run


def _replay_unless_dry_run(ask_first: ReplayHookDep, _actor: Applicant, dry_run: DryRun = False) -> None:
    if not dry_run:
        ask_first()


READ_ONLY_IN_DRY_RUN = Depends(_read_only_in_dry_run)
ReplayDep = Annotated[None, Depends(_replay_unless_dry_run, scope="function")]


@router.post(
    "/products",
    summary="Import products from CSV or XLSX",
    responses=error_responses(*UPLOAD_ERRORS),
    dependencies=[READ_ONLY_IN_DRY_RUN],
)
def import_products(
    actor: Applicant,
    session: SessionDep,
    request: Request,
    now: NowDep,
    file: TableFile,  # noqa: ARG001 (read by the route, before the transaction)
    _retry: ReplayDep,
    mode: Mode = ImportMode.ALL_OR_NOTHING,
    dry_run: DryRun = False,
) -> ImportResponse:
    """Products with materials, steps and costs, as in `POST /v1/products`: an XLSX file has a sheet for each table, a
    CSV file says in `record` what a line is. Every fault is named by line and column. If nothing was written because of
    faults, the answer is 422 `import-refused` with all of them. Try it first with `dry_run=true`.
    """
    upload: UploadedTables = request.state.prepared.get()
    report = imports.import_products(session, actor, upload.tables, _read_product, mode=mode, dry_run=dry_run, now=now)
    return _response(request, report, upload, mode, dry_run=dry_run)


@router.post(
    "/applications",
    summary="Import draft applications from CSV or XLSX",
    responses=error_responses(*UPLOAD_ERRORS),
    dependencies=[READ_ONLY_IN_DRY_RUN],
)
def import_applications(
    actor: Applicant,
    session: SessionDep,
    request: Request,
    now: NowDep,
    file: TableFile,  # noqa: ARG001 (read by the route, before the transaction)
    _retry: ReplayDep,
    mode: Mode = ImportMode.ALL_OR_NOTHING,
    dry_run: DryRun = False,
) -> ImportResponse:
    """Each line becomes a draft, as in `POST /v1/applications`; products are named by reference or id. A person of your
    company declares and submits the drafts one by one.
    """
    upload: UploadedTables = request.state.prepared.get()
    report = imports.import_applications(
        session, actor, upload.tables, _read_application, mode=mode, dry_run=dry_run, now=now
    )
    return _response(request, report, upload, mode, dry_run=dry_run)


def _response(
    request: Request, report: ImportReport, upload: UploadedTables, mode: ImportMode, *, dry_run: bool
) -> ImportResponse:
    accepted = ", ".join(request.headers.getlist("accept-language"))
    catalogue = i18n.load_catalogue("problems", negotiate_language(accepted, problem_details.LANGUAGES))
    faults = [
        ImportFaultResponse(
            sheet=fault.sheet,
            line=fault.line,
            column=fault.column,
            code=fault.message.code or "invalid",
            message=localise(fault.message, catalogue),
        )
        for fault in report.faults[:MAX_LISTED_FAULTS]
    ]
    return ImportResponse(
        kind=report.kind,
        mode=mode,
        dry_run=dry_run,
        sha256=upload.sha256,
        good=report.good,
        bad=report.bad,
        fault_count=len(report.faults),
        faults=faults,
        created=[CreatedRecordResponse.model_validate(each, from_attributes=True) for each in report.created],
    )


def _read_product(body: Mapping[str, Any]) -> ReadBody[ProductInput]:
    parsed, errors, lost = _parse(ProductRequest, body)
    return ReadBody(
        parsed.to_input() if parsed else None, errors, partial(partial_bodies.independent_errors, unreadable=lost)
    )


def _read_application(body: Mapping[str, Any]) -> ReadBody[ApplicationEntry]:
    parsed, errors, lost = _parse(ApplicationCreateRequest, body)
    entry = ApplicationEntry(parsed.scheme, parsed.reference, tuple(parsed.product_ids)) if parsed else None
    return ReadBody(entry, errors, partial(partial_bodies.independent_errors, unreadable=lost))


def _parse(model: type[Model], body: Mapping[str, Any]) -> tuple[Model | None, list[Mapping[str, str]], list[str]]:
    """Validate a body as its route does; a wrong one is repaired, so that errors of its content are found as well."""
    try:
        return model.model_validate(body), [], []
    except ValidationError as why:
        found = why.errors(include_url=False, include_input=False)
    places = [(each["type"], tuple(each["loc"])) for each in found]
    errors: list[Mapping[str, str]] = [
        {"pointer": problem_details.pointer_of(("body", *each["loc"])), "detail": message_for_error(each)}
        for each in found
    ]
    return partial_bodies.repair_body(model, dict(body), places), errors, [error["pointer"] for error in errors]


@templates_router.get(
    "/templates/{name}",
    summary="Get the template of an import",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}, XLSX: {"schema": {"type": "string"}}}},
        **error_responses(404),
    },
)
async def get_import_template(name: str) -> Response:
    """`products.csv`, `products.xlsx`, `applications.csv` or `applications.xlsx`: the header, an explanation of each
    column and the closed lists.
    """
    for kind in LAYOUTS:
        if name == f"{kind}.csv":
            return _template(name, templates.csv_template(kind), "text/csv")
        if name == f"{kind}.xlsx":
            return _template(name, templates.xlsx_template(kind), XLSX)
    raise NotFound.of("template")


def _template(name: str, content: bytes, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "public, max-age=300"}
    return Response(content, media_type=media_type, headers=headers)
