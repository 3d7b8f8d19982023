"""Queries over products. A product is read whole, with its children, in a constant number of queries.

Locks leave the key alone (FOR NO KEY UPDATE), so that rows which refer to a locked product can still be written.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.database import locked, page_of
from app.products.model import CostItem, Material, ProcessStep, Product

Child = TypeVar("Child", Material, ProcessStep, CostItem)


@dataclass(frozen=True, slots=True)
class ProductAggregate:
    """A product with all that it is made of; children in their order."""

    product: Product
    materials: tuple[Material, ...]
    steps: tuple[ProcessStep, ...]
    costs: tuple[CostItem, ...]


# Asked by every assessment, so they are put together once.
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
    """One product; with an organisation given, only if it belongs to it."""
    query = sa.select(Product).where(Product.id == product_id)
    if organisation_id is not None:
        query = query.where(Product.organisation_id == organisation_id)
    return session.scalars(locked(query, lock)).one_or_none()


def find_owned_products(session: Session, organisation_id: UUID, product_ids: Iterable[UUID]) -> dict[UUID, Product]:
    """Those of these products that belong to the company, by id."""
    rows = session.scalars(_OWNED, {"ids": list(product_ids), "organisation_id": organisation_id})
    return {row.id: row for row in rows}


def lock_products(session: Session, product_ids: Iterable[UUID]) -> Sequence[Product]:
    """Lock products in one fixed order, so that none changes until this transaction ends."""
    return session.scalars(_BY_IDS_LOCKED, {"ids": list(product_ids)}).all()


def list_products(
    session: Session, organisation_id: UUID, *, retired: bool | None, after: UUID | None, limit: int
) -> Sequence[Product]:
    query = sa.select(Product).where(Product.organisation_id == organisation_id)
    if retired is not None:
        query = query.where(Product.retired_at.is_not(None) if retired else Product.retired_at.is_(None))
    return page_of(session, query, Product.id, after, limit)


def find_by_reference(session: Session, organisation_id: UUID, reference: str) -> UUID | None:
    """The product that bears this reference of the company."""
    query = sa.select(Product.id).where(Product.organisation_id == organisation_id, Product.reference == reference)
    return session.scalar(query)


def load_aggregates(session: Session, rows: Sequence[Product]) -> tuple[ProductAggregate, ...]:
    """These products with their children, in the order given: three queries, however many products."""
    ids = [row.id for row in rows]
    materials = _load_children(session, _MATERIALS, ids)
    steps = _load_children(session, _STEPS, ids)
    costs = _load_children(session, _COSTS, ids)
    return tuple(ProductAggregate(row, materials[row.id], steps[row.id], costs[row.id]) for row in rows)


def load_aggregates_by_id(
    session: Session, product_ids: Iterable[UUID], *, hold: bool = False
) -> dict[UUID, ProductAggregate]:
    """Whole products by id; four queries. Unknown ids are left out. With `hold` as in `hold`."""
    rows = session.scalars(_BY_IDS_LOCKED if hold else _BY_IDS, {"ids": list(product_ids)}).all()
    return {each.product.id: each for each in load_aggregates(session, rows)}


def replace_children(session: Session, product_id: UUID, children: Sequence[Material | ProcessStep | CostItem]) -> None:
    """The old children go, the new ones come, in this order: their keys may be the same."""
    for table in (Material, ProcessStep, CostItem):
        session.execute(sa.delete(table).where(table.product_id == product_id))
    session.add_all(children)
    session.flush()


def _load_children(session: Session, query: sa.Select[Child], ids: Sequence[UUID]) -> dict[UUID, tuple[Child, ...]]:
    rows: dict[UUID, list[Child]] = defaultdict(list)
    for row in session.scalars(query, {"ids": ids}):
        rows[row.product_id].append(row)
    return {each: tuple(rows[each]) for each in ids}
