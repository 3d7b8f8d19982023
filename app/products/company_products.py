"""Manage a company's own products: create, replace, read, retire.

A product of an application under review must not change. `applications` is a higher package, so the caller passes the
query `frozen`; it runs after the product's row is locked, which a submission locks too. For the same reason the caller
passes `documents`, which finds the company's evidence documents listed by a material.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import can_read_organisation, require_organisation_id
from app.core.actor import Actor
from app.core.database import new_id
from app.core.decimals import DecimalColumn, quantize_for_storage
from app.core.errors import CertifiedDataLocked, Conflict, ExpectedVersion, Invalid, NotFound, require_version
from app.core.messages import Message
from app.core.text.normalize import normalize
from app.organisations import organisation_repository
from app.products import product_repository
from app.products.inputs import ProductInput
from app.products.model import CostItem, Material, ProcessStep, Product
from app.products.product_repository import ProductAggregate
from app.products.validation import (
    MATERIAL_VALUE,
    MAX_MATERIALS,
    MAX_PROOFS,
    MONEY,
    WEIGHT,
    partner_country_of,
    validate,
)
from app.reference.territory import canonical_district_name
from app.schemes.closed_lists import load_lists

REFERENCE_TAKEN = Message("Another of your products has this reference already.", code="reference-taken")

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
    """Replace the whole product.

    Raises `NotFound`, the errors of `require_version`, `Conflict` (`product-frozen`, `product-retired`, `certified`),
    `Invalid`.
    """
    product = load_changeable(session, actor, product_id, version, frozen=frozen, certified=certified)
    if errors := product_errors(session, product.organisation_id, entry, documents, product_id=product.id):
        raise Invalid.with_errors(errors)
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
    errors = list(validate(entry))
    listed = {proof for material in entry.materials[:MAX_MATERIALS] for proof in material.proofs[:MAX_PROOFS]}
    found = documents(session, organisation_id, listed) if listed else ()
    errors += [
        (
            f"/materials/{line}/proofs/{position}",
            Message("This is not an evidence document of your company.", code="unknown-document"),
        )
        for line, material in enumerate(entry.materials[:MAX_MATERIALS])
        for position, proof in enumerate(material.proofs[:MAX_PROOFS])
        if proof not in found
    ]
    if organisation_repository.find_site(session, entry.site_id, organisation_id) is None:
        errors.append(("/site_id", Message("This is not a site of your company.", code="unknown-site")))
    if entry.reference is not None and not any(at == "/reference" for at, _ in errors):
        bearer = product_repository.find_by_reference(session, organisation_id, normalize(entry.reference))
        if bearer is not None and bearer != product_id:
            errors.append(("/reference", REFERENCE_TAKEN))
    return [{"pointer": at, "detail": fault} for at, fault in errors]


def _save(
    session: Session, actor: Actor, product: Product, entry: ProductInput, *, event: str, now: datetime
) -> ProductAggregate:
    materials, steps, costs = _build_children(product.id, entry)
    try:
        with session.begin_nested():  # a concurrent request may take the unique reference
            session.add(product)
            session.flush()
            product_repository.replace_children(session, product.id, [*materials, *steps, *costs])
    except IntegrityError as why:
        if product.reference is None:
            raise
        raise Invalid.at("/reference", REFERENCE_TAKEN) from why
    recorder.record(session, actor, event, ("product", product.id), now, hs6=product.hs6, site=product.site_id)
    ordered = sorted(costs, key=lambda item: (item.kind, item.place))
    return ProductAggregate(product, tuple(materials), tuple(steps), tuple(ordered))


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
