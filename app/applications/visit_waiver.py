"""Waive the site visit of one application (C-17), with a reason that the decision shows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, case_access
from app.applications.evidence import evidence_documents
from app.applications.model import Application, VisitWaiver
from app.audit import recorder
from app.auth.permissions import require_role, require_second_factor, require_user_id
from app.core.actor import Actor, Role
from app.core.errors import Conflict, ExpectedVersion, FourEyes, VersionPrecondition, require_version


def load_for_waiver(session: Session, actor: Actor, application_id: UUID, version: ExpectedVersion) -> Application:
    """Lock the application and check that the actor may waive its visit now.

    Raises, in this order: `NotFound`, `Forbidden`, `VersionRequired`, `StaleVersion`, `Conflict`.
    """
    application = case_access.get_visible(session, actor, application_id, lock=True)
    require_role(actor, Role.OWNER)
    require_second_factor(actor)
    if isinstance(version, VersionPrecondition):
        version.before_check()
    recommendation = case_access.open_recommendation(session, application)
    if actor.id in (application.assignee_id, recommendation.recommended_by if recommendation else None):
        raise FourEyes("The visit is waived by another person than the reviewer of the case.")
    require_version(version, application.version)
    evidence_documents.require_open(session, actor, application)
    if application_repository.get_visit_waiver(session, application.id) is not None:
        raise Conflict("The visit is waived already.", code="already-waived")
    return application


def waive_visit(
    session: Session, actor: Actor, application_id: UUID, *, reason: str, version: ExpectedVersion, now: datetime
) -> Application:
    """Record that the application needs no site visit. Voids an open recommendation."""
    application = load_for_waiver(session, actor, application_id, version)
    session.add(
        VisitWaiver(application_id=application.id, reason=reason, waived_by=require_user_id(actor), waived_at=now)
    )
    application.version += 1
    session.flush()
    recorder.record(session, actor, "case.visit_waived", ("application", application.id), now, case_id=application.id)
    return application
