"""Laying evidence before the reviewer. What was submitted stays: it can be added to when asked, never taken away."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from app import audit
from app.actor import Actor
from app.applications import cases, store
from app.applications.files import StoredFile
from app.applications.model import Application, Evidence
from app.applications.service import editable
from app.applications.workflow import State
from app.db import new_id
from app.errors import Conflict, Invalid, NotFound

MOST_FILES = 100


class EvidenceKind(StrEnum):
    COMPANY = "company-registration"
    AUTHORITY = "authority-to-sign"
    RESIDENCY = "park-residency"
    PROCESS = "process-description"
    MATERIALS = "bill-of-materials"
    COST = "cost-statement"
    ORIGIN = "origin-document"
    CONFORMITY = "conformity-document"
    PERMIT = "permit"
    PHOTO = "photo"
    OTHER = "other"


def takes_evidence(session: Session, actor: Actor, application_id: UUID) -> Application:
    """The applicant's own application while it can be added to; the version is not asked for, adding loses nothing."""
    application = cases.visible(session, actor, application_id, lock=True)
    return editable(session, actor, application_id, application.version)


def add(
    session: Session,
    actor: Actor,
    application_id: UUID,
    *,
    stored: StoredFile,
    kind: EvidenceKind,
    file_name: str,
    product_id: UUID | None,
    now: datetime,
) -> Evidence:
    """The same file of the same kind again is the same evidence, not a second one."""
    application = takes_evidence(session, actor, application_id)
    if product_id is not None and product_id not in store.product_ids(session, application.id):
        raise Invalid.at("/product_id", "This product is not in the application.")
    if known := store.same_evidence(session, application.id, stored.sha256, kind.value):
        return known
    if len(store.evidence_of(session, application.id)) >= MOST_FILES:
        raise Conflict(f"An application takes at most {MOST_FILES} files.", code="too-many-files")
    row = Evidence(
        id=new_id(),
        application_id=application.id,
        product_id=product_id,
        kind=kind.value,
        file_name=file_name,
        media_type=stored.media_type,
        size=stored.size,
        sha256=stored.sha256,
        uploaded_by=actor.id,
        uploaded_at=now,
    )
    session.add(row)
    session.flush()
    subject = ("evidence", row.id)
    audit.record(
        session, actor, "evidence.added", subject, now, case_id=application.id, kind=kind.value, sha256=stored.sha256
    )
    return row


def remove(session: Session, actor: Actor, application_id: UUID, evidence_id: UUID, now: datetime) -> None:
    """Only from a draft: nobody has looked at it yet."""
    application = cases.visible(session, actor, application_id, lock=True)
    row = find(session, actor, application_id, evidence_id)
    editable(session, actor, application_id, application.version, states=frozenset({State.DRAFT}))
    session.delete(row)
    audit.record(session, actor, "evidence.removed", ("evidence", row.id), now, case_id=application.id)


def find(session: Session, actor: Actor, application_id: UUID, evidence_id: UUID) -> Evidence:
    application = cases.visible(session, actor, application_id)
    row = store.evidence(session, application.id, evidence_id)
    if row is None:
        raise NotFound.of("evidence")
    return row


def list_of(session: Session, actor: Actor, application_id: UUID) -> Sequence[Evidence]:
    return store.evidence_of(session, cases.visible(session, actor, application_id).id)
