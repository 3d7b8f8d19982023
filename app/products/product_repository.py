"""Query products. A product is loaded with its children in a constant number of queries.

Locks are FOR NO KEY UPDATE, so that rows that refer to a locked product can still be inserted.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.database import locked, page_of, parts_of
from app.products.model import CostItem, Material, ProcessStep, Product

Child = TypeVar("Child", Material, ProcessStep, CostItem)


@dataclass(frozen=True, slots=True)
class ProductAggregate:
    """A product with its materials, steps and costs, in their order."""

    product: Product
    materials: tuple[Material, ...]
    steps: tuple[ProcessStep, ...]
    costs: tuple[CostItem, ...]


# Built once, because every assessment runs these queries.
_IDS: sa.BindParameter[Sequence[UUID]] = sa.bindparam("ids", expanding=True)
_BY_IDS = sa.select(Product).where(Product.id.in_(_IDS)).order_by(Product.id)
_OWNED = _BY_IDS.where(Product.organisation_id == sa.bindparam("organisation_id"))
_BY_IDS_LOCKED = locked(_BY_IDS)
_MATERIALS = sa.select(Material).where(Material.product_id.in_(_IDS)).order_by(Material.position)
_STEPS = sa.select(ProcessStep).where(ProcessStep.product_id.in_(_IDS)).order_by(ProcessStep.seq)
_COSTS = sa.select(CostItem).where(CostItem.product_id.in_(_IDS)).order_by(CostItem.kind, CostItem.place)


def find_product(
    session: Session, product_id: UUID, organisation_id: UUID | None = None, *, lock: bool = False
) -> Product | None:
    """Find one product; with an organisation given, only if it belongs to it."""
    query = sa.select(Product).where(Product.id == product_id)
    if organisation_id is not None:
        query = query.where(Product.organisation_id == organisation_id)
    return session.scalars(locked(query, lock)).one_or_none()


def find_owned_products(session: Session, organisation_id: UUID, product_ids: Iterable[UUID]) -> dict[UUID, Product]:
    """Find which of these products belong to the company, by id."""
    rows = session.scalars(_OWNED, {"ids": list(product_ids), "organisation_id": organisation_id})
    return {row.id: row for row in rows}


def lock_products(session: Session, product_ids: Iterable[UUID]) -> Sequence[Product]:
    """Lock products in one order, so that they cannot change until this transaction ends."""
    return session.scalars(_BY_IDS_LOCKED, {"ids": list(product_ids)}).all()


def list_products(
    session: Session,
    organisation_id: UUID,
    *,
    retired: bool | None,
    changed_from: datetime | None = None,
    after: UUID | None,
    limit: int,
) -> Sequence[Product]:
    """Return products of the company, oldest first; `changed_from` is inclusive."""
    query = sa.select(Product).where(Product.organisation_id == organisation_id)
    if retired is not None:
        query = query.where(Product.retired_at.is_not(None) if retired else Product.retired_at.is_(None))
    if changed_from is not None:
        query = query.where(Product.updated_at >= changed_from)
    return page_of(session, query, Product.id, after, limit)


def find_by_references(session: Session, organisation_id: UUID, references: Iterable[str]) -> dict[str, UUID]:
    """Find the products with these references of the company, by reference."""
    found: dict[str, UUID] = {}
    for part in parts_of(sorted(set(references))):
        query = sa.select(Product.reference, Product.id).where(
            Product.organisation_id == organisation_id, Product.reference.in_(part)
        )
        found |= {row.reference: row.id for row in session.execute(query)}
    return found


def add_aggregates(session: Session, whole: Sequence[ProductAggregate]) -> None:
    """Insert new products with their children, table by table."""
    session.add_all([each.product for each in whole])
    session.flush()
    session.add_all([row for each in whole for row in (*each.materials, *each.steps, *each.costs)])
    session.flush()


def load_aggregates(session: Session, rows: Sequence[Product]) -> tuple[ProductAggregate, ...]:
    """Load the children of these products, in the given order, with three queries in total."""
    ids = [row.id for row in rows]
    materials = _load_children(session, _MATERIALS, ids)
    steps = _load_children(session, _STEPS, ids)
    costs = _load_children(session, _COSTS, ids)
    return tuple(ProductAggregate(row, materials[row.id], steps[row.id], costs[row.id]) for row in rows)


def load_aggregates_by_id(
    session: Session, product_ids: Iterable[UUID], *, for_update: bool = False
) -> dict[UUID, ProductAggregate]:
    """Load products with children by id, with four queries; unknown ids are left out. `for_update` locks the rows."""
    rows = session.scalars(_BY_IDS_LOCKED if for_update else _BY_IDS, {"ids": list(product_ids)}).all()
    return {each.product.id: each for each in load_aggregates(session, rows)}


def save(session: Session, product: Product, children: Sequence[Material | ProcessStep | CostItem]) -> None:
    """Write a product with these children.

    The old children of a stored product are deleted before, because the keys of the new ones may be equal.
    """
    is_new = sa.inspect(product).transient
    session.add(product)
    session.flush()
    if not is_new:
        for table in (Material, ProcessStep, CostItem):
            session.execute(sa.delete(table).where(table.product_id == product.id))
    session.add_all(children)
    session.flush()


def _load_children(session: Session, query: sa.Select[Child], ids: Sequence[UUID]) -> dict[UUID, tuple[Child, ...]]:
    rows: dict[UUID, list[Child]] = defaultdict(list)
    for row in session.scalars(query, {"ids": ids}):
        rows[row.product_id].append(row)
    return {each: tuple(rows[each]) for each in ids}
