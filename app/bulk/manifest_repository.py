"""Query manifests and their parts."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from app.bulk.model import Manifest, ManifestPart, ManifestState
from app.core.database import locked, page_of


def find_manifest(session: Session, manifest_id: UUID, *, lock: bool = False) -> Manifest | None:
    return session.scalars(locked(sa.select(Manifest).where(Manifest.id == manifest_id), lock)).one_or_none()


def list_manifests(
    session: Session, organisation_id: UUID | None, created_by: UUID | None, after: UUID | None, limit: int
) -> Sequence[Manifest]:
    """Return the manifests of a company, or without one those of a member of staff, without their results."""
    query = sa.select(Manifest).options(defer(Manifest.token, raiseload=True))
    return page_of(session, query.where(*_owned_by(organisation_id, created_by)), Manifest.id, after, limit)


def count_running(session: Session, organisation_id: UUID | None, created_by: UUID | None) -> int:
    query = sa.select(sa.func.count()).select_from(Manifest).where(*_owned_by(organisation_id, created_by))
    return session.scalar(query.where(Manifest.state == ManifestState.RUNNING)) or 0


def _owned_by(organisation_id: UUID | None, created_by: UUID | None) -> list[sa.ColumnElement[bool]]:
    if organisation_id is not None:
        return [Manifest.organisation_id == organisation_id]
    return [Manifest.organisation_id.is_(None), Manifest.created_by == created_by]


def next_part(session: Session, manifest_id: UUID) -> ManifestPart | None:
    """Return the first part that is not yet evaluated."""
    query = sa.select(ManifestPart).where(ManifestPart.manifest_id == manifest_id, ManifestPart.evaluated_at.is_(None))
    return session.scalars(query.order_by(ManifestPart.position).limit(1)).one_or_none()


def find_part(session: Session, manifest_id: UUID, position: int) -> ManifestPart | None:
    return session.get(ManifestPart, (manifest_id, position))


def iterate_parts(session: Session, manifest_id: UUID) -> Iterator[ManifestPart]:
    """Yield the parts in order, one at a time; the session keeps none of them."""
    position = 0
    while part := session.get(ManifestPart, (manifest_id, position)):
        yield part
        session.expunge(part)
        position += 1


def running_ids(session: Session) -> Sequence[UUID]:
    """Return the manifests that are not yet evaluated to their end, oldest first."""
    query = sa.select(Manifest.id).where(Manifest.state == ManifestState.RUNNING)
    return session.scalars(query.order_by(Manifest.id)).all()


def has_ended_before(session: Session, before: datetime) -> bool:
    return bool(session.scalar(sa.select(sa.exists().where(Manifest.ended_at < before))))


def delete_ended_before(session: Session, before: datetime) -> None:
    """Delete manifests that ended before a moment, with their parts."""
    old = sa.select(Manifest.id).where(Manifest.ended_at < before)
    session.execute(sa.delete(ManifestPart).where(ManifestPart.manifest_id.in_(old)))
    session.execute(sa.delete(Manifest).where(Manifest.ended_at < before))
