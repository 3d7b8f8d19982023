"""Read the file of `mik apply`: YAML or JSON, with the line of every value, so that each fault is named where it is.

Members: `scheme`, `reference`, `site` {name, district, …}, `product` {names, hs6, unit, materials, steps, costs, …},
`documents` [{kind, file, issued_on, valid_until, number, values}]. The proofs of a material name files of `documents`.

Numbers and dates are kept as they are written: `010290` is a customs code and no octal number, `NO` is Norway and not
false. Only `true`, `false` and `null` are more than text.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from pydantic import ValidationError

from app.api.company.products import ProductRequest
from app.api.company.sites import SiteRequest
from app.applications.evidence import details
from app.applications.evidence.details import EvidenceDetails, EvidenceSubject
from app.core.errors import Invalid
from app.products import validation
from app.schemes.evidence_kinds import EvidenceScope, load_evidence_kinds
from app.web.problems.validation_errors import message_for_error

MAX_BYTES = 1_000_000
MAX_DEPTH = 12
MEMBERS = {"scheme", "reference", "site", "product", "documents"}
DOCUMENT_MEMBERS = {"kind", "file", "issued_on", "valid_until", "number", "values"}
WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
NO_MEMBER = "There is no such member here."
NO_ID = UUID(int=0)
"""Stands for an id that the service has not given yet."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in the file. `pointer` is a JSON pointer into it; `line` counts from 1."""

    line: int
    pointer: str
    detail: str


class FileRejected(Exception):
    """The file cannot be used; `faults` names every place."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class FileDocument:
    """A document to upload, with the place of its entry."""

    pointer: str
    kind: str
    path: Path
    details: EvidenceDetails
    content: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def scope(self) -> EvidenceScope:
        return load_evidence_kinds()[self.kind].scope


@dataclass(frozen=True, slots=True)
class ApplicationFile:
    """A file whose form is right. `site` and `product` are bodies for the API, without ids; `proofs` maps the index of
    a material to the files that prove its origin.
    """

    path: Path
    lines: Mapping[str, int]
    scheme: str
    reference: str
    site: Mapping[str, Any]
    product: Mapping[str, Any]
    proofs: Mapping[int, tuple[str, ...]]
    documents: tuple[FileDocument, ...]

    def line_of(self, pointer: str) -> int:
        """Return the line of a value, or of the nearest one around it."""
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)


def read_application_file(path: Path, today: date) -> ApplicationFile:
    """Read and check a file and the documents that it names. Raises `FileRejected` with every fault."""
    content, lines = _parse(path)
    faults = [
        Fault(lines.get(f"/{each}", 1), f"/{each}", "There is no such member here.")
        for each in content.keys() - MEMBERS
    ]
    for each in ("scheme", "site", "product"):
        if not content.get(each):
            faults.append(Fault(1, f"/{each}", "This is needed."))
    site, product = _object(content.get("site")), _object(content.get("product"))
    proofs = _take_proofs(product)
    documents = list(_documents(path.parent, content.get("documents") or [], today, lines, faults))
    read = ApplicationFile(
        path,
        lines,
        str(content.get("scheme")),
        str(content.get("reference") or product.get("reference") or ""),
        site,
        product,
        proofs,
        tuple(documents),
    )
    if not read.reference:
        detail = "Your own code for it is needed: with it a second run goes on where the first one ended."
        faults.append(Fault(read.line_of("/product"), "/product/reference", detail))
    names = {each.path.name for each in documents}
    for index, files in proofs.items():
        pointer = f"/product/materials/{index}/proofs"
        faults += [
            Fault(read.line_of(pointer), pointer, f"{each} is no file of /documents.")
            for each in files
            if each not in names
        ]
    faults += [
        Fault(read.line_of(pointer), pointer, detail)
        for pointer, detail in [
            *(_site_faults(site) if site else ()),
            *(_product_faults(product) if product else ()),
        ]
    ]
    if faults:
        raise FileRejected(sorted(faults, key=lambda fault: (fault.line, fault.pointer)))
    return read


def _parse(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FileRejected([Fault(1, "", f"The file is larger than {MAX_BYTES} bytes.")])
        text = path.read_text("utf-8-sig")
        # An alias repeats a part of the file without naming a line of its own, and a few can stand for gigabytes.
        for event in yaml.parse(text, yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                line = event.start_mark.line + 1
                raise FileRejected([Fault(line, "", "Aliases (*name) are not read. Write the value again.")])
        root = yaml.compose(text, yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as why:
        raise FileRejected([Fault(1, "", f"The file cannot be read: {why}")]) from why
    except (yaml.YAMLError, RecursionError) as why:
        mark = getattr(why, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise FileRejected([Fault(line, "", f"This is no YAML: {getattr(why, 'problem', why)}.")]) from why
    lines: dict[str, int] = {}
    content = _value(root, "", lines, 0) if root is not None else None
    if not isinstance(content, dict):
        raise FileRejected([Fault(1, "", "The file describes an application: scheme, site, product, documents.")])
    return content, lines


def _value(node: Any, pointer: str, lines: dict[str, int], depth: int) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(pointer, line)
    if depth > MAX_DEPTH:
        raise FileRejected([Fault(line, pointer, "This is nested too deeply.")])
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, f"{pointer}/{index}", lines, depth + 1) for index, each in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in found:
                raise FileRejected([Fault(key.start_mark.line + 1, f"{pointer}/{name}", "This member appears twice.")])
            lines[f"{pointer}/{name}"] = key.start_mark.line + 1
            found[name] = _value(value, f"{pointer}/{name}", lines, depth + 1)
        return found
    return WORDS.get(node.value.lower(), node.value) if node.style is None else node.value


def _object(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _take_proofs(product: dict[str, Any]) -> dict[int, tuple[str, ...]]:
    """Take the names of files out of the materials; the service gets ids instead, once the files are uploaded."""
    materials = product.get("materials")
    if not isinstance(materials, list):
        return {}
    proofs = {}
    for index, line in enumerate(materials):
        if isinstance(line, dict) and isinstance(line.get("proofs"), list):
            proofs[index] = tuple(str(each) for each in line["proofs"])
            materials[index] = {name: value for name, value in line.items() if name != "proofs"}
    return proofs


def _site_faults(site: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    try:
        SiteRequest.model_validate(site)
    except ValidationError as why:
        yield from _form_faults(why, "/site")


def _product_faults(product: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    try:
        entry = ProductRequest.model_validate({**product, "site_id": str(NO_ID)}).to_input()
    except ValidationError as why:
        yield from _form_faults(why, "/product")
    else:
        for pointer, message in validation.validate(entry):
            yield f"/product{pointer}", str(message)


def _form_faults(why: ValidationError, place: str) -> Iterator[tuple[str, str]]:
    for error in why.errors():
        yield place + "".join(f"/{part}" for part in error["loc"]), str(message_for_error(error))


def _documents(
    folder: Path, listed: Any, today: date, lines: Mapping[str, int], faults: list[Fault]
) -> Iterator[FileDocument]:
    for index, entry in enumerate(listed if isinstance(listed, list) else []):
        pointer = f"/documents/{index}"
        try:
            yield _document(folder, _object(entry), pointer, today)
        except Invalid as why:
            for each in why.data.get("errors", [{"pointer": "", "detail": why.message}]):
                place = pointer + each["pointer"]
                while place not in lines:
                    place = place.rpartition("/")[0]
                faults.append(Fault(lines[place], pointer + each["pointer"], str(each["detail"])))


def _document(folder: Path, entry: Mapping[str, Any], pointer: str, today: date) -> FileDocument:
    """Check one document as the service does at upload. Raises `Invalid`."""
    unknown = [
        {"pointer": f"/{each}", "detail": "There is no such member here."} for each in entry.keys() - DOCUMENT_MEMBERS
    ]
    if unknown:
        raise Invalid.with_errors(unknown)
    kind = details.get_kind(str(entry.get("kind")))
    path = folder / str(entry.get("file") or "")
    try:
        content = path.read_bytes()
    except OSError as why:
        raise Invalid.at("/file", f"{path} cannot be read: {why.strerror}.") from why
    stated = EvidenceDetails(
        _day(entry, "issued_on"),
        _day(entry, "valid_until"),
        None if entry.get("number") is None else str(entry["number"]),
        _object(entry.get("values")),
    )
    checked = details.validate_details(kind, subject_for(kind.scope), stated, today, complete=False, lookups={})
    return FileDocument(pointer, kind.code, path, checked, content)


def subject_for(scope: EvidenceScope, product_id: UUID = NO_ID, site_id: UUID = NO_ID) -> EvidenceSubject:
    """Return what a document of this scope is about: the product and the site of the file."""
    if scope is EvidenceScope.COMPANY:
        return EvidenceSubject()
    if scope is EvidenceScope.SITE:
        return EvidenceSubject(site_id=site_id)
    return EvidenceSubject((product_id,))


def _day(entry: Mapping[str, Any], name: str) -> date | None:
    if entry.get(name) is None:
        return None
    try:
        return date.fromisoformat(str(entry[name]))
    except ValueError:
        raise Invalid.at(f"/{name}", "Write a day as YYYY-MM-DD.") from None
