"""Import products and draft applications from the lines of a file, by the services and checks of the API.

Every fault of every line is reported with its table, line and column. Nothing is written in a dry run, nothing where
the file as a whole cannot be used, and with `all_or_nothing` nothing unless every line is good.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import submission
from app.applications.evidence import evidence_documents
from app.auth.permissions import require_organisation_id
from app.bulk.import_file import ImportFault, ImportLine, ImportTables
from app.bulk.layouts import ImportKind
from app.core.actor import Actor
from app.core.errors import Invalid
from app.core.messages import Message, to_message
from app.core.text.normalize import normalize
from app.organisations import organisation_repository
from app.products import company_products, product_repository
from app.products.inputs import ProductInput

MAX_LISTED_FAULTS: Final = 5_000
"""Faults that a report names; it gives the number of all."""
_CHILD_TABLES: Final = ("materials", "steps", "costs")
NO_SUCH_PRODUCT = Message("There is no product with this reference.", code="unknown-product")

Entry = TypeVar("Entry")
ErrorEntry = Mapping[str, str]


class ImportMode(StrEnum):
    ALL_OR_NOTHING = "all_or_nothing"
    GOOD_LINES_AS_DRAFTS = "good_lines_as_drafts"


@dataclass(frozen=True, slots=True)
class ReadBody(Generic[Entry]):
    """A body as the API reads it: the entry, None where it cannot be read at all, and the errors of its format.

    With errors the entry is repaired: `independent` leaves those errors of its content that do not follow from them.
    """

    entry: Entry | None
    errors: Sequence[ErrorEntry] = ()
    independent: Callable[[Sequence[ErrorEntry]], Iterator[ErrorEntry]] = iter


@dataclass(frozen=True, slots=True)
class ApplicationEntry:
    scheme: str
    reference: str | None
    product_ids: tuple[UUID, ...]


ReadProduct = Callable[[Mapping[str, Any]], ReadBody[ProductInput]]
ReadApplication = Callable[[Mapping[str, Any]], ReadBody[ApplicationEntry]]


@dataclass(frozen=True, slots=True)
class CreatedRecord:
    line: int
    reference: str | None
    id: UUID


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The effect of a file. `good` and `bad` count lines of its first table."""

    kind: ImportKind
    good: int
    bad: int
    faults: tuple[ImportFault, ...]
    created: tuple[CreatedRecord, ...]


@dataclass(frozen=True, slots=True)
class _Record(Generic[Entry]):
    """One line of the first table with the lines of other tables that belong to it."""

    line: ImportLine
    children: Mapping[str, Sequence[ImportLine]]
    body: ReadBody[Entry]
    faults: tuple[ImportFault, ...]


def import_products(
    session: Session,
    actor: Actor,
    tables: ImportTables,
    read: ReadProduct,
    *,
    mode: ImportMode,
    dry_run: bool,
    now: datetime,
) -> ImportReport:
    """Create the products of a file for the actor's company. Raises `Invalid` (`import-refused`), `Conflict`."""
    organisation_id = require_organisation_id(actor)
    if tables.file_faults:
        return _report("products", 0, 0, tables.file_faults, dry_run=dry_run)
    sites = _site_ids(session, organisation_id)
    records, others = _product_records(tables, sites, read)
    entries = [record.body.entry for record in records if record.body.entry is not None]
    found = iter(
        company_products.errors_by_entry(session, organisation_id, entries, evidence_documents.owned_document_ids)
    )
    checked = [_with_content_errors(record, next(found) if record.body.entry else ()) for record in records]
    good = [record for record in checked if not record.faults]
    faults = [*others, *(fault for record in checked for fault in record.faults)]
    bad = len(checked) - len(good)
    if dry_run or not _may_write(mode, faults):
        return _report("products", len(good), bad, faults, dry_run=dry_run)
    rows = company_products.create_products(
        session,
        actor,
        entries=[record.body.entry for record in good if record.body.entry],
        now=now,
        documents=evidence_documents.owned_document_ids,
    )
    created = [CreatedRecord(g.line.line, row.reference, row.id) for g, row in zip(good, rows, strict=True)]
    return _report("products", len(good), bad, faults, created)


def import_applications(
    session: Session,
    actor: Actor,
    tables: ImportTables,
    read: ReadApplication,
    *,
    mode: ImportMode,
    dry_run: bool,
    now: datetime,
) -> ImportReport:
    """Draft the applications of a file for the actor's company. Raises `Invalid` (`import-refused`), `Conflict`."""
    organisation_id = require_organisation_id(actor)
    if tables.file_faults:
        return _report("applications", 0, 0, tables.file_faults, dry_run=dry_run)
    lines = tables.lines["applications"]
    named = {name for line in lines for name in line.members.get("products", ())}
    by_reference = product_repository.find_by_references(session, organisation_id, map(normalize, named))
    first_lines: dict[str, int] = {}
    good, faults = list[tuple[ImportLine, ApplicationEntry]](), list[ImportFault]()
    for line in lines:
        entry, found = _read_application(session, organisation_id, line, by_reference, read)
        reference = entry.reference if entry else None
        if reference is not None and first_lines.setdefault(reference, line.line) != line.line:
            found.append(line.fault("reference", _on_line(reference, first_lines[reference])))
        faults += found
        if entry is not None and not found:
            good.append((line, entry))
    bad = len(lines) - len(good)
    if dry_run or not _may_write(mode, faults):
        return _report("applications", len(good), bad, faults, dry_run=dry_run)
    created = []
    for line, entry in good:
        row = submission.create_application(
            session,
            actor,
            scheme_code=entry.scheme,
            product_ids=entry.product_ids,
            reference=entry.reference,
            now=now,
        )
        created.append(CreatedRecord(line.line, row.reference, row.id))
    return _report("applications", len(good), bad, faults, created)


def _may_write(mode: ImportMode, faults: Collection[ImportFault]) -> bool:
    return not faults or mode is ImportMode.GOOD_LINES_AS_DRAFTS


def _report(
    kind: ImportKind,
    good: int,
    bad: int,
    faults: Sequence[ImportFault],
    created: Sequence[CreatedRecord] = (),
    *,
    dry_run: bool = False,
) -> ImportReport:
    """Return the report. Raises `Invalid` (`import-refused`) where faults prevented that anything was written."""
    ordered = sorted(faults, key=lambda fault: fault.line)
    if faults and not created and not dry_run:
        message = Message(
            "Nothing was imported: the file has %(count)s error.",
            many="Nothing was imported: the file has %(count)s errors.",
            count=len(faults),
        )
        raise Invalid(message, [_error_entry(fault) for fault in ordered[:MAX_LISTED_FAULTS]], code="import-refused")
    return ImportReport(kind, good, bad, tuple(ordered), tuple(created))


def _error_entry(fault: ImportFault) -> dict[str, Any]:
    place = [fault.sheet, str(fault.line), fault.column]
    return {
        "pointer": "".join(f"/{part}" for part in place if part),
        "detail": fault.message,
        "sheet": fault.sheet,
        "line": fault.line,
        "column": fault.column,
    }


def _site_ids(session: Session, organisation_id: UUID) -> dict[str, str]:
    """Return id by name of the company's sites. A name that two sites have denotes neither."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for site in organisation_repository.list_sites(session, organisation_id):
        by_name[normalize(site.name).casefold()].append(str(site.id))
    return {name: ids[0] for name, ids in by_name.items() if len(ids) == 1}


def _on_line(reference: str, line: int) -> Message:
    return Message("%(id)s is already on line %(line)s.", code="duplicate", id=reference, line=line)


def _product_records(
    tables: ImportTables, sites: Mapping[str, str], read: ReadProduct
) -> tuple[list[_Record[ProductInput]], list[ImportFault]]:
    """Return the products with their lines, and the faults of lines that belong to no product."""
    lines = tables.lines["products"]
    by_reference: dict[str, list[ImportLine]] = defaultdict(list)
    for line in lines:
        if reference := line.members.get("reference"):
            by_reference[reference].append(line)
    children: dict[str, dict[str, list[ImportLine]]] = defaultdict(lambda: defaultdict(list))
    orphans = []
    for table in _CHILD_TABLES:
        for line in tables.lines.get(table, ()):
            reference = line.members.get("reference")
            if reference in by_reference:
                children[reference][table].append(line)
            else:
                missing = Message("Enter the reference of a product of this file.", code="unknown-product")
                orphans += [*line.faults, line.fault("reference", missing)]
    records = []
    for line in lines:
        reference = line.members.get("reference")
        own = children[reference] if reference else {}
        faults = [*line.faults, *(fault for rows in own.values() for row in rows for fault in row.faults)]
        if reference and len(same := by_reference[reference]) > 1:
            other = next(each.line for each in same if each.line != line.line)
            faults.append(line.fault("reference", _on_line(reference, other)))
        body = read(_product_body(line, own, sites))
        record = _Record(line, own, body, tuple(faults))
        records.append(_with_errors(record, body.errors))
    return records, orphans


def _product_body(
    line: ImportLine, children: Mapping[str, Sequence[ImportLine]], sites: Mapping[str, str]
) -> dict[str, Any]:
    """Return the body of `POST /v1/products` that the lines stand for."""
    names = {name.removeprefix("name_"): text for name, text in line.members.items() if name.startswith("name_")}
    own = {name: value for name, value in line.members.items() if not name.startswith("name_") and name != "site"}
    if site := line.members.get("site"):
        own["site_id"] = sites.get(site.casefold(), site)
    parts = {
        table: [{name: value for name, value in row.members.items() if name != "reference"} for row in rows]
        for table, rows in children.items()
    }
    return {**own, **parts, "names": names}


def _with_content_errors(record: _Record[ProductInput], found: Sequence[ErrorEntry]) -> _Record[ProductInput]:
    return _with_errors(record, list(record.body.independent(found)))


def _with_errors(record: _Record[ProductInput], errors: Sequence[ErrorEntry]) -> _Record[ProductInput]:
    faults = (*record.faults, *(_product_fault(record, error) for error in errors))
    return _Record(record.line, record.children, record.body, tuple(dict.fromkeys(faults)))


def _product_fault(record: _Record[ProductInput], error: ErrorEntry) -> ImportFault:
    """Return the fault at the cell that the JSON pointer of an error means."""
    first, *rest = error["pointer"].removeprefix("/").split("/")
    message = to_message(error["detail"])
    if first == "names":
        return record.line.fault(f"name_{rest[0]}" if rest else "name_az", message)
    if first == "site_id":
        if message.code == "invalid-id":
            message = Message("This is not a site of your company.", code="unknown-site")
        return record.line.fault("site", message)
    if first in record.children and rest:
        line = record.children[first][int(rest[0])]
        return line.fault(rest[1] if len(rest) > 1 else None, message)
    return record.line.fault(first or None, message)


def _read_application(
    session: Session,
    organisation_id: UUID,
    line: ImportLine,
    by_reference: Mapping[str, UUID],
    read: ReadApplication,
) -> tuple[ApplicationEntry | None, list[ImportFault]]:
    faults = list(line.faults)
    product_ids = []
    for name in line.members.get("products", ()):
        found = by_reference.get(normalize(name)) or _as_id(name)
        if found is None:
            faults.append(line.fault("products", NO_SUCH_PRODUCT))
        else:
            product_ids.append(str(found))
    own = {name: value for name, value in line.members.items() if name != "products"}
    given = {"product_ids": product_ids} if "products" in line.members else {}
    body = read(own | given)
    errors = list(body.errors)
    if body.entry is not None:
        content = submission.application_errors(
            session, organisation_id, body.entry.product_ids, body.entry.scheme, body.entry.reference
        )
        errors += body.independent(content)
    for error in errors:
        member = error["pointer"].removeprefix("/").partition("/")[0]
        faults.append(
            line.fault("products" if member == "product_ids" else member or None, to_message(error["detail"]))
        )
    return body.entry, list(dict.fromkeys(faults))


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
