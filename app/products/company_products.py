"""Manage a company's own products: create, replace, read, retire.

A product of an application under review must not change. `applications` is a higher package, so the caller passes the
query `frozen`; it runs after the product's row is locked, which a submission locks too. For the same reason the caller
passes `documents`, which finds the company's evidence documents listed by a material.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import can_read_organisation, require_organisation_id
from app.core.actor import Actor
from app.core.database import new_id, parts_of
from app.core.decimals import DecimalColumn, quantize_for_storage
from app.core.errors import CertifiedDataLocked, Conflict, ExpectedVersion, Invalid, NotFound, require_version
from app.core.messages import Message
from app.core.text.normalize import normalize, text_error
from app.organisations import organisation_repository
from app.products import product_repository
from app.products.inputs import ProductInput
from app.products.model import CostItem, Material, ProcessStep, Product
from app.products.product_repository import ProductAggregate
from app.products.validation import (
    MATERIAL_VALUE,
    MAX_MATERIALS,
    MAX_PROOFS,
    MAX_WORD_LENGTH,
    MONEY,
    WEIGHT,
    FieldError,
    partner_country_of,
    validate,
)
from app.reference.territory import canonical_district_name
from app.schemes.closed_lists import load_lists

REFERENCE_TAKEN = Message("Another of your products has this reference already.", code="reference-taken")

ENTERED_COLUMNS = (
    *("site_id", "reference", "names", "hs6", "national_code", "gtin", "unit", "brand", "flags", "joint_production"),
    "ex_works",
)
"""Columns of a product that a company enters."""

IsLocked = Callable[[Session, UUID], bool]
"""Whether an application under review depends on this product."""
CertifiedBy = Callable[[Session, UUID], Sequence[str]]
"""Return the numbers of valid certificates for a product without a reported change.

Passed in, because `certificates` is a higher package; called after the product's row is locked.
"""

FindOwnDocuments = Callable[[Session, UUID, Collection[UUID]], Collection[UUID]]
"""Return which of these ids are evidence documents of this company."""


def find_no_documents(_session: Session, _organisation_id: UUID, _ids: Collection[UUID]) -> Collection[UUID]:
    """Find no documents, for callers without evidence documents."""
    return ()


def create_product(
    session: Session,
    actor: Actor,
    *,
    entry: ProductInput,
    now: datetime,
    documents: FindOwnDocuments = find_no_documents,
) -> ProductAggregate:
    """Create a product of the actor's company. Raises `Invalid` with every fault."""
    organisation_id = require_organisation_id(actor)
    if errors := product_errors(session, organisation_id, entry, documents):
        raise Invalid.with_errors(errors)
    product = Product(
        id=new_id(), organisation_id=organisation_id, created_at=now, updated_at=now, **_column_values(entry)
    )
    return _save(session, actor, product, entry, event="product.created", now=now)


def create_products(
    session: Session,
    actor: Actor,
    *,
    entries: Sequence[ProductInput],
    now: datetime,
    documents: FindOwnDocuments = find_no_documents,
) -> list[Product]:
    """Create many products of the actor's company, all or none, in the order of the entries.

    Raises `Invalid` where any entry has a fault (`errors_by_entry` names them), and `Conflict` (`reference-taken`) when
    another request took a reference meanwhile.
    """
    organisation_id = require_organisation_id(actor)
    if any(errors := errors_by_entry(session, organisation_id, entries, documents)):
        raise Invalid.with_errors([fault for faults in errors for fault in faults])
    whole = [_build_aggregate(new_id(), entry) for entry in entries]
    for each in whole:
        each.product.organisation_id = organisation_id
        each.product.created_at = each.product.updated_at = now
    try:
        with session.begin_nested():  # a concurrent request may take a unique reference
            product_repository.add_aggregates(session, whole)
    except IntegrityError as why:
        raise Conflict(REFERENCE_TAKEN, code="reference-taken") from why
    for each in whole:
        product = each.product
        subject = ("product", product.id)
        recorder.record(session, actor, "product.created", subject, now, hs6=product.hs6, site=product.site_id)
    return [each.product for each in whole]


def replace_product(
    session: Session,
    actor: Actor,
    *,
    product_id: UUID,
    version: ExpectedVersion,
    entry: ProductInput,
    frozen: IsLocked,
    certified: CertifiedBy = lambda _session, _product_id: (),
    now: datetime,
    documents: FindOwnDocuments = find_no_documents,
) -> ProductAggregate:
    """Replace the whole product. Content as it was changes nothing, not even the version.

    Raises `NotFound`, the errors of `require_version`, `Conflict` (`product-frozen`, `product-retired`, `certified`),
    `Invalid`.
    """
    product = load_changeable(session, actor, product_id, version, frozen=frozen, certified=certified)
    if errors := product_errors(session, product.organisation_id, entry, documents, product_id=product.id):
        raise Invalid.with_errors(errors)
    present = product_repository.load_aggregates(session, [product])[0]
    if _content_of(present) == _content_of(_build_aggregate(product.id, entry)):
        return present
    for column, value in _column_values(entry).items():
        setattr(product, column, value)
    product.updated_at = now
    product.version += 1
    return _save(session, actor, product, entry, event="product.replaced", now=now)


def retire_product(
    session: Session, actor: Actor, *, product_id: UUID, version: ExpectedVersion, frozen: IsLocked, now: datetime
) -> ProductAggregate:
    """Retire a product: it can no longer be applied for or changed; its certificates stay."""
    product = load_changeable(session, actor, product_id, version, frozen=frozen)
    product.retired_at = product.updated_at = now
    product.version += 1
    recorder.record(session, actor, "product.retired", ("product", product.id), now)
    return product_repository.load_aggregates(session, [product])[0]


def load_changeable(
    session: Session,
    actor: Actor,
    product_id: UUID,
    version: ExpectedVersion,
    *,
    frozen: IsLocked,
    certified: CertifiedBy = lambda _session, _product_id: (),
) -> Product:
    """Lock the company's own product for a change; raises everything that does not depend on the new content, in order.

    `certified` is omitted for retiring, which changes no fact of the product.
    """
    product = product_repository.find_product(session, product_id, require_organisation_id(actor), lock=True)
    if product is None:
        raise NotFound.of("product")
    require_version(version, product.version)
    if product.retired_at is not None:
        raise Conflict("This product is retired and cannot be changed.", code="product-retired")
    if frozen(session, product_id):
        raise Conflict(
            "An application with this product is being looked at: it cannot change now.", code="product-frozen"
        )
    if numbers := certified(session, product_id):
        raise CertifiedDataLocked("product", numbers)
    return product


def get_product(session: Session, actor: Actor, product_id: UUID) -> ProductAggregate:
    """Return an own product; staff see all. Raises `NotFound`."""
    product = product_repository.find_product(session, product_id)
    if product is None or not can_read_organisation(actor, product.organisation_id):
        raise NotFound.of("product")
    return product_repository.load_aggregates(session, [product])[0]


def list_products(
    session: Session,
    actor: Actor,
    *,
    retired: bool | None = False,
    changed_from: datetime | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[ProductAggregate]:
    """List the company's products by id; `retired=None` for all."""
    rows = product_repository.list_products(
        session,
        require_organisation_id(actor),
        retired=retired,
        changed_from=changed_from,
        after=after,
        limit=limit,
    )
    return product_repository.load_aggregates(session, rows)


def product_errors(
    session: Session,
    organisation_id: UUID,
    entry: ProductInput,
    documents: FindOwnDocuments,
    *,
    product_id: UUID | None = None,
) -> list[dict[str, str]]:
    """Return everything wrong with an entry; `product_id` names the product that it replaces."""
    return errors_by_entry(session, organisation_id, [entry], documents, product_id=product_id)[0]


def errors_by_entry(
    session: Session,
    organisation_id: UUID,
    entries: Sequence[ProductInput],
    documents: FindOwnDocuments,
    *,
    product_id: UUID | None = None,
) -> list[list[dict[str, str]]]:
    """Return everything wrong with each entry, with as many queries for a thousand entries as for one.

    A reference that an earlier entry has is taken.
    """
    listed = {
        proof
        for entry in entries
        for material in entry.materials[:MAX_MATERIALS]
        for proof in material.proofs[:MAX_PROOFS]
    }
    found = {each for part in parts_of(sorted(listed)) for each in documents(session, organisation_id, part)}
    sites = organisation_repository.owned_site_ids(session, organisation_id, {entry.site_id for entry in entries})
    references = {entry.reference for entry in entries if entry.reference and not _reference_error(entry.reference)}
    bearers = product_repository.find_by_references(session, organisation_id, map(normalize, references))
    result = []
    for entry in entries:
        errors = [*validate(entry), *_unknown_documents(entry, found)]
        if entry.site_id not in sites:
            errors.append(("/site_id", Message("This is not a site of your company.", code="unknown-site")))
        if entry.reference in references and entry.reference is not None:
            reference = normalize(entry.reference)
            if bearers.get(reference, product_id) != product_id:
                errors.append(("/reference", REFERENCE_TAKEN))
            bearers[reference] = _THIS_FILE
        result.append([{"pointer": at, "detail": fault} for at, fault in errors])
    return result


_THIS_FILE = UUID(int=0)
"""In place of the id of a product that is not yet stored."""


def _reference_error(reference: str) -> Message | None:
    return text_error(reference, MAX_WORD_LENGTH)


def _unknown_documents(entry: ProductInput, found: Collection[UUID]) -> Iterator[FieldError]:
    for line, material in enumerate(entry.materials[:MAX_MATERIALS]):
        for position, proof in enumerate(material.proofs[:MAX_PROOFS]):
            if proof not in found:
                yield (
                    f"/materials/{line}/proofs/{position}",
                    Message("This is not an evidence document of your company.", code="unknown-document"),
                )


def _save(
    session: Session, actor: Actor, product: Product, entry: ProductInput, *, event: str, now: datetime
) -> ProductAggregate:
    materials, steps, costs = _build_children(product.id, entry)
    try:
        # A concurrent request may take the unique reference.
        with nullcontext() if product.reference is None else session.begin_nested():
            product_repository.save(session, product, [*materials, *steps, *costs])
    except IntegrityError as why:
        if product.reference is None:
            raise
        raise Invalid.at("/reference", REFERENCE_TAKEN) from why
    recorder.record(session, actor, event, ("product", product.id), now, hs6=product.hs6, site=product.site_id)
    ordered = sorted(costs, key=lambda item: (item.kind, item.place))
    return ProductAggregate(product, tuple(materials), tuple(steps), tuple(ordered))


def _build_aggregate(product_id: UUID, entry: ProductInput) -> ProductAggregate:
    """Return the rows of an entry, which belong to no session."""
    materials, steps, costs = _build_children(product_id, entry)
    ordered = sorted(costs, key=lambda item: (item.kind, item.place))
    product = Product(id=product_id, **_column_values(entry))
    return ProductAggregate(product, tuple(materials), tuple(steps), tuple(ordered))


def _content_of(whole: ProductAggregate) -> list[dict[str, Any]]:
    """Return what a company enters, column by column."""
    product = {name: getattr(whole.product, name) for name in ENTERED_COLUMNS}
    children = [*whole.materials, *whole.steps, *whole.costs]
    return [product, *({c.key: getattr(row, c.key) for c in sa.inspect(type(row)).columns} for row in children)]


def _column_values(entry: ProductInput) -> dict[str, Any]:
    partners = [partner for flag in entry.flags if (partner := partner_country_of(flag))]
    return {
        "site_id": entry.site_id,
        "reference": _normalize_optional(entry.reference),
        "names": {language: normalize(name) for language, name in entry.names.items()},
        "hs6": entry.hs6,
        "national_code": entry.national_code,
        "gtin": entry.gtin,
        "unit": load_lists().find_unit(entry.unit),
        "brand": _normalize_optional(entry.brand),
        "flags": [flag for flag in entry.flags if partner_country_of(flag) is None],
        "joint_production": list(dict.fromkeys((*entry.joint_production, *partners))),
        "ex_works": _quantize_optional(entry.ex_works, MONEY),
    }


def _build_children(product_id: UUID, entry: ProductInput) -> tuple[list[Material], list[ProcessStep], list[CostItem]]:
    materials = [
        Material(
            product_id=product_id,
            position=position,
            name=normalize(line.name),
            hs4=line.hs4,
            origin_country=line.origin_country,
            origin_district=canonical_district_name(line.origin_country, line.origin_district),
            claim=line.claim,
            basis=line.basis.value if line.basis else None,
            packing=line.packing,
            supplier=_normalize_optional(line.supplier),
            proofs=[str(proof) for proof in line.proofs],
            value=_quantize_optional(line.value, MATERIAL_VALUE),
            weight_kg=_quantize_optional(line.weight_kg, WEIGHT),
        )
        for position, line in enumerate(entry.materials, start=1)
    ]
    steps = [
        ProcessStep(
            product_id=product_id,
            seq=seq,
            name=normalize(line.name),
            operation=canonical_operation(line.operation),
            country=line.country,
            district=canonical_district_name(line.country, line.district),
            subcontractor=_normalize_optional(line.subcontractor),
            is_essential=line.is_essential,
        )
        for seq, line in enumerate(entry.steps, start=1)
    ]
    costs = [
        CostItem(
            product_id=product_id,
            kind=line.kind.value,
            place=line.place.value,
            amount=quantize_for_storage(line.amount, MONEY),
        )
        for line in entry.costs
    ]
    return materials, steps, costs


def canonical_operation(text: str) -> str:
    """Return the code of a listed operation, in any spelling; free text stays, for a person to evaluate."""
    found = load_lists().find_operation(text)
    return found.code if found else normalize(text)


def _normalize_optional(text: str | None) -> str | None:
    return None if text is None else normalize(text)


def _quantize_optional(figure: Decimal | None, column: DecimalColumn) -> Decimal | None:
    return None if figure is None else quantize_for_storage(figure, column)
