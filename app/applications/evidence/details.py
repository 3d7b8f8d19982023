"""Evidence rows as items: what the rules see of them, what the dossier is bound to, and what can be wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from app.applications.model import Evidence
from app.core import canonical_json
from app.core.errors import Invalid
from app.core.messages import Message
from app.core.text.normalize import tidy, wrong_with
from app.reference.territory import territory
from app.schemes import facts
from app.schemes.evidence_kinds import LONGEST_NUMBER, EvidenceKind, Lookups, Scope, Wrong, check, kinds
from app.schemes.evidence_kinds import as_facts as values_as_facts
from app.schemes.facts import Subject

MAX_PRODUCTS = 50
PRODUCTION_RECORD = "production-record"


@dataclass(frozen=True, slots=True)
class Details:
    """What a document says, as stated by the person who uploads or confirms it."""

    issued_on: date | None = None
    valid_until: date | None = None  # last day, inclusive
    number: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class About:
    """What a document is about: products, or a site; of a kind that speaks for the company, neither."""

    product_ids: tuple[UUID, ...] = ()
    site_id: UUID | None = None


def kind_of(code: str) -> EvidenceKind:
    """The kind of that code; Invalid where there is none."""
    if wrong := wrong_kind(code):
        raise Invalid.at("/kind", wrong)
    return kinds()[code]


def wrong_kind(code: str) -> Message | None:
    if code in kinds():
        return None
    return Message(
        "There is no such kind of evidence. There are: %(allowed)s.", code="unknown-kind", allowed=[*kinds()]
    )


def checked(
    kind: EvidenceKind, about: About, details: Details, today: date, *, complete: bool, lookups: Lookups
) -> Details:
    """The details as they are kept. Errors: Invalid with every wrong place at once, the subject's among them."""
    number = tidy(details.number) if details.number else None
    present = {
        "issued_on": details.issued_on is not None,
        "valid_until": details.valid_until is not None,
        "number": number is not None,
    }
    kept, wrong = check(kind, details.values, present, complete=complete, lookups=lookups)
    wrong = _wrong_subject(kind, about) + wrong + _wrong_days(details, today)
    if number is not None and (fault := wrong_with(number, LONGEST_NUMBER)):
        wrong.append({"pointer": "/number", "detail": fault})
    if wrong:
        raise Invalid.with_all(wrong)
    return Details(details.issued_on, details.valid_until, number, kept)


def _wrong_subject(kind: EvidenceKind, about: About) -> list[Wrong]:
    takes_products = kind.scope in (Scope.PRODUCT, Scope.LOT, Scope.ANY)
    takes_site = kind.scope in (Scope.SITE, Scope.ANY)
    name = Message(kind.name.en)
    wrong = []
    if about.product_ids and not takes_products:
        of_company = Message("“%(kind)s” speaks for the whole company: name no product.", code="not-taken", kind=name)
        of_site = Message("“%(kind)s” speaks for a site: name no product.", code="not-taken", kind=name)
        wrong.append(("/product_ids", of_company if kind.scope is Scope.COMPANY else of_site))
    elif len(about.product_ids) > MAX_PRODUCTS or len(set(about.product_ids)) < len(about.product_ids):
        wrong.append(
            (
                "/product_ids",
                Message("Name at most %(limit)s products, each once.", code="too-many", limit=MAX_PRODUCTS),
            )
        )
    elif not about.product_ids and kind.scope in (Scope.PRODUCT, Scope.LOT):
        wrong.append(
            (
                "/product_ids",
                Message(
                    "“%(kind)s” is about products: name each, else it speaks for none.", code="required", kind=name
                ),
            )
        )
    if about.site_id is not None and not takes_site:
        of_company = Message("“%(kind)s” speaks for the whole company: name no site.", code="not-taken", kind=name)
        of_products = Message("“%(kind)s” speaks for products: name no site.", code="not-taken", kind=name)
        wrong.append(("/site_id", of_company if kind.scope is Scope.COMPANY else of_products))
    elif about.site_id is None and kind.scope is Scope.SITE:
        wrong.append(
            (
                "/site_id",
                Message("“%(kind)s” is about one site: name it, else it speaks for none.", code="required", kind=name),
            )
        )
    elif about.site_id is not None and about.product_ids and kind.scope is Scope.ANY:
        wrong.append(("/site_id", Message("Name products or a site, not both.", code="not-both")))
    return [{"pointer": pointer, "detail": detail} for pointer, detail in wrong]


def subject_read(kind: EvidenceKind, row: Evidence, given: About) -> About:
    """What a document is about at its confirmation: as given, else as the row has it; no more than its kind takes."""
    product_ids = given.product_ids or about_of(row).product_ids
    site_id = given.site_id or row.site_id
    if kind.scope is Scope.COMPANY:
        return About()
    if kind.scope is Scope.SITE:
        return About(site_id=site_id)
    if kind.scope in (Scope.PRODUCT, Scope.LOT):
        return About(product_ids)
    return About(product_ids, site_id)


def _wrong_days(details: Details, today: date) -> list[Wrong]:
    wrong = []
    if details.issued_on is not None and details.issued_on > today:
        wrong.append({"pointer": "/issued_on", "detail": Message("This day is still to come.", code="in-future")})
    if details.issued_on and details.valid_until and details.valid_until < details.issued_on:
        wrong.append(
            {
                "pointer": "/valid_until",
                "detail": Message("It would have ended before it was issued.", code="wrong-order"),
            }
        )
    return wrong


def details_of(row: Evidence) -> Details:
    return Details(row.issued_on, row.valid_until, row.number, row.stated)


def about_of(row: Evidence) -> About:
    return About(tuple(UUID(each) for each in row.product_ids), row.site_id)


def as_facts(rows: Sequence[Evidence], product_id: UUID, site_id: UUID) -> facts.Evidence:
    """The documents that may speak for this product of this site: its own, its site's, and those of its company.

    A document about another product or another site is left out. One whose kind asks for a subject that it does not
    name has the subject None. Documents that nobody has confirmed, or not any more, are passed as unconfirmed.
    """
    items = []
    for row in sorted(rows, key=lambda row: row.id):
        is_within, subject = subject_seen(row.kind, about_of(row), product_id, site_id)
        if is_within:
            items.append(_item(row, subject))
    return facts.Evidence(tuple(items))


def subject_seen(code: str, about: About, product_id: UUID, site_id: UUID) -> tuple[bool, Subject | None]:
    """Whether a document is within the scope of this product, and what it speaks for, seen from the product."""
    kind = kinds().get(code)
    scope = kind.scope if kind else Scope.ANY
    if scope is Scope.COMPANY:
        return True, Subject.COMPANY
    if about.site_id is not None and scope in (Scope.SITE, Scope.ANY):
        return about.site_id == site_id, Subject.SITE
    if about.product_ids:
        named = {Scope.PRODUCT: Subject.PRODUCT, Scope.LOT: Subject.LOT, Scope.ANY: Subject.PRODUCT}.get(scope)
        if code == PRODUCTION_RECORD:
            named = Subject.PRODUCT  # one from before its site was asked for speaks for its product until it ends
        return product_id in about.product_ids, named
    return True, Subject.COMPANY if scope is Scope.ANY else None


def _item(row: Evidence, subject: Subject | None) -> facts.Item:
    kind = kinds().get(row.kind)
    values = dict(values_as_facts(kind, row.stated)) if kind else {}
    if isinstance(district := values.get("district"), str) and (region := territory().region_of(district)):
        values["region"] = region  # follows from the district, never typed
    return facts.Item(
        kind=row.kind,
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        number=row.number,
        values=values,
        id=str(row.id),
        subject=subject,
        confirmed=row.confirmed_at is not None,
    )


def about_entered(entered: Mapping[str, Any]) -> About:
    """What a document is about as the applicant stated it at upload."""
    site_id = entered["site_id"]
    return About(tuple(UUID(each) for each in entered["product_ids"]), None if site_id is None else UUID(site_id))


def as_entered(about: About, details: Details) -> dict[str, Any]:
    """What the applicant stated of a document, as JSON: staff who read it otherwise change nothing of this."""
    return {
        "product_ids": sorted(str(each) for each in about.product_ids),
        "site_id": None if about.site_id is None else str(about.site_id),
        "issued_on": _iso(details.issued_on),
        "valid_until": _iso(details.valid_until),
        "number": details.number,
        "values": dict(details.values),
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def hashed(row: Evidence) -> str:
    """What a recommendation is bound to: the file, what was read in it, and whether it was confirmed."""
    return canonical_json.canonical_json(
        [
            row.kind,
            row.sha256,
            sorted(row.product_ids),
            None if row.site_id is None else str(row.site_id),
            _iso(row.issued_on),
            _iso(row.valid_until),
            row.number,
            row.stated,
            row.confirmed_at is not None,
        ]
    )
