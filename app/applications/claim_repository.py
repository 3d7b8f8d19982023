"""Query claims, merge a claimant's entries into a company, and find files to erase."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import count
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.applications.model import Application, Evidence
from app.auth.model import ApiClient, Invitation, User
from app.core.crypto.row_macs import Authenticated
from app.core.database import Base, locked, new_id
from app.organisations.model import Claim, ClaimState, Organisation, Site
from app.products.model import Product

Named = TypeVar("Named", Application, Product)
MOVED_TABLES: tuple[type[Base], ...] = (Application, Evidence, User, ApiClient, Invitation)
"""Tables that refer to an organisation by one column; products and sites also refer to each other."""
MOVED_ABOVE: tuple[str, ...] = ("manifests", "notice_recipients", "webhook_endpoints")
"""The same, of packages that import this one."""


def list_documents(session: Session, organisation_ids: Collection[UUID]) -> Sequence[Evidence]:
    """List all evidence of the organisations, including that of single applications."""
    query = sa.select(Evidence).where(Evidence.organisation_id.in_(organisation_ids)).order_by(Evidence.id)
    return session.scalars(query).all()


def lock_entries(session: Session, organisation_id: UUID) -> None:
    """Lock the rows that a claimant entered, in the global lock order."""
    for table in (Application, Evidence, Product, Site):
        query = sa.select(table).where(table.organisation_id == organisation_id).order_by(table.id)
        session.scalars(locked(query)).all()


def merge_into_company(session: Session, entered: Organisation, company: Organisation) -> None:
    """Move all entries of a claimant into the company and delete the claimant's organisation."""
    _rename_duplicate_references(session, Application, entered.id, company.id)
    _rename_duplicate_references(session, Product, entered.id, company.id)
    for table in MOVED_TABLES:
        _move_rows(session, table, entered.id, company.id)
    for name in MOVED_ABOVE:
        column = sa.column("organisation_id", sa.Uuid())
        moved = sa.update(sa.table(name, column)).where(column == entered.id).values(organisation_id=company.id)
        session.execute(moved)
    _move_sites(session, entered.id, company.id)
    session.delete(entered)
    session.flush()
    session.expire_all()


def _rename_duplicate_references(session: Session, table: type[Named], old: UUID, new: UUID) -> None:
    """Add a number to each moved reference that the company uses already; references are unique per company."""
    given = sa.select(table.organisation_id, table.reference).where(
        table.organisation_id.in_([old, new]), table.reference.is_not(None)
    )
    rows = session.execute(given).all()
    taken, clashing = {row.reference for row in rows}, [row.reference for row in rows if row.organisation_id == new]
    query = sa.select(table).where(table.organisation_id == old, table.reference.in_(clashing))
    for each in session.scalars(query) if clashing else ():
        tries = (f"{each.reference}-{serial}" for serial in count(2))
        each.reference = next(new_one for new_one in tries if new_one not in taken)
        taken.add(each.reference)
    session.flush()


def _move_rows(session: Session, table: type[Base], old: UUID, new: UUID) -> None:
    columns = Base.metadata.tables[table.__tablename__].c
    if issubclass(table, Authenticated):  # by the mapper, which signs each row again
        for row in session.scalars(sa.select(table).where(columns.organisation_id == old)).all():
            row.organisation_id = new  # type: ignore[attr-defined]  # of every moved table
        session.flush()
        return
    session.execute(
        sa.update(table).where(columns.organisation_id == old).values(organisation_id=new),
        execution_options={"synchronize_session": False},
    )


def _move_sites(session: Session, old: UUID, new: UUID) -> None:
    """Move sites with their products.

    A product references site and organisation together. Both change through a temporary copy of the site, so that no
    foreign key is violated and ids stay the same.
    """
    for site in session.scalars(sa.select(Site).where(Site.organisation_id == old).order_by(Site.id)).all():
        twin = {column.key: getattr(site, column.key) for column in Site.__table__.columns}
        twin |= {"id": new_id(), "organisation_id": new}
        session.execute(sa.insert(Site).values(**twin))
        _repoint_products(session, site.id, site_id=twin["id"], organisation_id=new)
        session.execute(
            sa.update(Site).where(Site.id == site.id).values(organisation_id=new),
            execution_options={"synchronize_session": False},
        )
        _repoint_products(session, twin["id"], site_id=site.id)
        session.execute(sa.delete(Site).where(Site.id == twin["id"]), execution_options={"synchronize_session": False})


def _repoint_products(session: Session, at: UUID, **values: UUID) -> None:
    session.execute(
        sa.update(Product).where(Product.site_id == at).values(**values),
        execution_options={"synchronize_session": False},
    )


def hashes_of_refused(session: Session, claimant_id: UUID) -> Collection[str]:
    """Return the hashes of all files in refused claims of the user, erased or not."""
    query = (
        sa.select(Evidence.sha256)
        .join(Claim, Claim.organisation_id == Evidence.organisation_id)
        .where(Claim.claimant_id == claimant_id, Claim.state == ClaimState.REFUSED.value)
    )
    return frozenset(session.scalars(query))


def claims_to_erase(session: Session, before: datetime) -> Sequence[UUID]:
    """Return claims refused before the moment whose uploads are not all erased."""
    query = (
        sa.select(Claim.id)
        .join(Evidence, Evidence.organisation_id == Claim.organisation_id)
        .where(Claim.state == ClaimState.REFUSED.value, Claim.decided_at <= before, Evidence.erased_at.is_(None))
        .distinct()
    )
    return sorted(session.scalars(query))


def hashes_in_use(session: Session, hashes: Collection[str]) -> frozenset[str]:
    """Return those of the hashes that an evidence row names whose file is not erased."""
    query = sa.select(Evidence.sha256).where(Evidence.sha256.in_(hashes), Evidence.erased_at.is_(None))
    return frozenset(session.scalars(query))
