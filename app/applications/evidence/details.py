"""Validate evidence details and convert evidence rows to facts and fingerprints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from app.applications.model import Evidence
from app.core import canonical_json
from app.core.errors import Invalid
from app.core.messages import Message
from app.core.text.normalize import normalize, text_error
from app.reference.territory import load_territory
from app.schemes import facts
from app.schemes.evidence_kinds import (
    MAX_NUMBER_LENGTH,
    EvidenceKind,
    EvidenceScope,
    FieldError,
    Lookups,
    load_evidence_kinds,
    validate_values,
)
from app.schemes.evidence_kinds import to_facts as values_as_facts
from app.schemes.facts import EvidenceSubjectKind

MAX_PRODUCTS = 50
PRODUCTION_RECORD = "production-record"


@dataclass(frozen=True, slots=True)
class EvidenceDetails:
    """Hold the values of a document, as stated by the user who uploads or confirms it."""

    issued_on: date | None = None
    valid_until: date | None = None  # last day, inclusive
    number: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EvidenceSubject:
    """Hold the subject of a document: products, or a site, or neither for a company's document."""

    product_ids: tuple[UUID, ...] = ()
    site_id: UUID | None = None


def get_kind(code: str) -> EvidenceKind:
    """Return the evidence kind with the code. Raises `Invalid` when there is none."""
    if error := kind_error(code):
        raise Invalid.at("/kind", error)
    return load_evidence_kinds()[code]


def kind_error(code: str) -> Message | None:
    if code in load_evidence_kinds():
        return None
    return Message(
        "There is no such kind of evidence. There are: %(allowed)s.",
        code="unknown-kind",
        allowed=[*load_evidence_kinds()],
    )


def validate_details(
    kind: EvidenceKind,
    about: EvidenceSubject,
    details: EvidenceDetails,
    today: date,
    *,
    complete: bool,
    lookups: Lookups,
) -> EvidenceDetails:
    """Validate and normalise the details. Raises `Invalid` with all errors, those of the subject included."""
    number = normalize(details.number) if details.number else None
    present = {
        "issued_on": details.issued_on is not None,
        "valid_until": details.valid_until is not None,
        "number": number is not None,
    }
    kept, errors = validate_values(kind, details.values, present, complete=complete, lookups=lookups)
    errors = _subject_errors(kind, about) + errors + _date_errors(details, today)
    if number is not None and (fault := text_error(number, MAX_NUMBER_LENGTH)):
        errors.append({"pointer": "/number", "detail": fault})
    if errors:
        raise Invalid.with_errors(errors)
    return EvidenceDetails(details.issued_on, details.valid_until, number, kept)


def _subject_errors(kind: EvidenceKind, about: EvidenceSubject) -> list[FieldError]:
    takes_products = kind.scope in (EvidenceScope.PRODUCT, EvidenceScope.LOT, EvidenceScope.ANY)
    takes_site = kind.scope in (EvidenceScope.SITE, EvidenceScope.ANY)
    name = Message(kind.name.en)
    errors = []
    if about.product_ids and not takes_products:
        of_company = Message("“%(kind)s” is about the whole company: name no product.", code="not-taken", kind=name)
        of_site = Message("“%(kind)s” is about a site: name no product.", code="not-taken", kind=name)
        errors.append(("/product_ids", of_company if kind.scope is EvidenceScope.COMPANY else of_site))
    elif len(about.product_ids) > MAX_PRODUCTS or len(set(about.product_ids)) < len(about.product_ids):
        errors.append(
            (
                "/product_ids",
                Message("Name at most %(limit)s products, each once.", code="too-many", limit=MAX_PRODUCTS),
            )
        )
    elif not about.product_ids and kind.scope in (EvidenceScope.PRODUCT, EvidenceScope.LOT):
        errors.append(
            (
                "/product_ids",
                Message("“%(kind)s” is about products: name each of them.", code="required", kind=name),
            )
        )
    if about.site_id is not None and not takes_site:
        of_company = Message("“%(kind)s” is about the whole company: name no site.", code="not-taken", kind=name)
        of_products = Message("“%(kind)s” is about products: name no site.", code="not-taken", kind=name)
        errors.append(("/site_id", of_company if kind.scope is EvidenceScope.COMPANY else of_products))
    elif about.site_id is None and kind.scope is EvidenceScope.SITE:
        errors.append(
            (
                "/site_id",
                Message("“%(kind)s” is about one site: name it.", code="required", kind=name),
            )
        )
    elif about.site_id is not None and about.product_ids and kind.scope is EvidenceScope.ANY:
        errors.append(("/site_id", Message("Name products or a site, not both.", code="not-both")))
    return [{"pointer": pointer, "detail": detail} for pointer, detail in errors]


def confirmed_subject(kind: EvidenceKind, row: Evidence, given: EvidenceSubject) -> EvidenceSubject:
    """Return the subject at confirmation: as given, else as stored; reduced to what the kind allows."""
    product_ids = given.product_ids or document_subject(row).product_ids
    site_id = given.site_id or row.site_id
    if kind.scope is EvidenceScope.COMPANY:
        return EvidenceSubject()
    if kind.scope is EvidenceScope.SITE:
        return EvidenceSubject(site_id=site_id)
    if kind.scope in (EvidenceScope.PRODUCT, EvidenceScope.LOT):
        return EvidenceSubject(product_ids)
    return EvidenceSubject(product_ids, site_id)


def _date_errors(details: EvidenceDetails, today: date) -> list[FieldError]:
    errors = []
    if details.issued_on is not None and details.issued_on > today:
        errors.append({"pointer": "/issued_on", "detail": Message("This day is still to come.", code="in-future")})
    if details.issued_on and details.valid_until and details.valid_until < details.issued_on:
        errors.append(
            {
                "pointer": "/valid_until",
                "detail": Message("It would have ended before it was issued.", code="wrong-order"),
            }
        )
    return errors


def details_of(row: Evidence) -> EvidenceDetails:
    return EvidenceDetails(row.issued_on, row.valid_until, row.number, row.stated)


def document_subject(row: Evidence) -> EvidenceSubject:
    return EvidenceSubject(tuple(UUID(each) for each in row.product_ids), row.site_id)


def to_facts(rows: Sequence[Evidence], product_id: UUID, site_id: UUID) -> facts.Evidence:
    """Return the documents that may support the product at the site: its own, the site's, the company's.

    Documents about other products or sites are left out. A document whose kind requires a subject that it does not name
    has the subject None. Unconfirmed documents are passed as unconfirmed.
    """
    items = []
    for row in sorted(rows, key=lambda row: row.id):
        is_within, subject = resolve_subject(row.kind, document_subject(row), product_id, site_id)
        if is_within:
            items.append(_item_facts(row, subject))
    return facts.Evidence(tuple(items))


def resolve_subject(
    code: str, about: EvidenceSubject, product_id: UUID, site_id: UUID
) -> tuple[bool, EvidenceSubjectKind | None]:
    """Return whether the document concerns the product, and its subject as seen from the product."""
    kind = load_evidence_kinds().get(code)
    scope = kind.scope if kind else EvidenceScope.ANY
    if scope is EvidenceScope.COMPANY:
        return True, EvidenceSubjectKind.COMPANY
    if about.site_id is not None and scope in (EvidenceScope.SITE, EvidenceScope.ANY):
        return about.site_id == site_id, EvidenceSubjectKind.SITE
    if about.product_ids:
        named = {
            EvidenceScope.PRODUCT: EvidenceSubjectKind.PRODUCT,
            EvidenceScope.LOT: EvidenceSubjectKind.LOT,
            EvidenceScope.ANY: EvidenceSubjectKind.PRODUCT,
        }.get(scope)
        if code == PRODUCTION_RECORD:
            named = (
                EvidenceSubjectKind.PRODUCT
            )  # a document older than the required site supports its product until it ends
        return product_id in about.product_ids, named
    return True, EvidenceSubjectKind.COMPANY if scope is EvidenceScope.ANY else None


def _item_facts(row: Evidence, subject: EvidenceSubjectKind | None) -> facts.EvidenceItem:
    kind = load_evidence_kinds().get(row.kind)
    values = dict(values_as_facts(kind, row.stated)) if kind else {}
    if isinstance(district := values.get("district"), str) and (region := load_territory().region_of(district)):
        values["region"] = region  # derived from the district, never entered
    return facts.EvidenceItem(
        kind=row.kind,
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        number=row.number,
        values=values,
        id=str(row.id),
        subject=subject,
        confirmed=row.confirmed_at is not None,
    )


def entered_subject(entered: Mapping[str, Any]) -> EvidenceSubject:
    """Return the subject that the applicant stated at upload."""
    site_id = entered["site_id"]
    return EvidenceSubject(
        tuple(UUID(each) for each in entered["product_ids"]), None if site_id is None else UUID(site_id)
    )


def entered_json(about: EvidenceSubject, details: EvidenceDetails) -> dict[str, Any]:
    """Serialize what the applicant stated about a document; staff confirmation does not change it."""
    return {
        "product_ids": sorted(str(each) for each in about.product_ids),
        "site_id": None if about.site_id is None else str(about.site_id),
        "issued_on": _iso_date(details.issued_on),
        "valid_until": _iso_date(details.valid_until),
        "number": details.number,
        "values": dict(details.values),
    }


def _iso_date(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def fingerprint(row: Evidence) -> str:
    """Return what a recommendation is bound to: the file, the values read, and whether they are confirmed."""
    return canonical_json.canonical_json(
        [
            row.kind,
            row.sha256,
            sorted(row.product_ids),
            None if row.site_id is None else str(row.site_id),
            _iso_date(row.issued_on),
            _iso_date(row.valid_until),
            row.number,
            row.stated,
            row.confirmed_at is not None,
        ]
    )
