"""Query audit events that leave the service, the rows that say whom they concern, and how far followers have come."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.applications.model import Application, Evidence
from app.applications.workflow import OPEN_STATES
from app.audit.model import AuditEvent
from app.auth.model import ApiClient, Invitation, User
from app.bulk.model import Manifest
from app.certificates.model import Certificate
from app.core.dates import baku_day
from app.events.model import EventCursor
from app.organisations.model import Claim, Residency

RULESET_EVENT = "ruleset.published"


def is_behind(session: Session, follower: str) -> bool:
    """Whether there are audit events that this follower has not dealt with."""
    cursor = session.get(EventCursor, follower)
    return cursor is None or cursor.sequence < last_sequence(session)


def last_sequence(session: Session) -> int:
    """Return the number of the newest audit event; 0: there is none."""
    return session.scalar(sa.select(sa.func.max(AuditEvent.seq))) or 0


def lock_cursor(session: Session, follower: str) -> EventCursor:
    """Lock and return how far this follower has come; its first call begins after the last event of now.

    Deal with `events_after(session, cursor.sequence, limit)`, set `cursor.sequence` to that of the last one, and commit
    both together: each event is dealt with once.
    """
    query = sa.select(EventCursor).where(EventCursor.follower == follower).with_for_update()
    cursor = session.scalars(query).one_or_none()
    if cursor is None:
        cursor = EventCursor(follower=follower, sequence=last_sequence(session))
        session.add(cursor)
        session.flush()
    return cursor


def list_audit_events(session: Session, names: Collection[str], after: int, limit: int) -> Sequence[AuditEvent]:
    """Return events of these names in the order of commits, after the sequence number `after`."""
    query = sa.select(AuditEvent).where(AuditEvent.seq > after, AuditEvent.event.in_(names))
    return session.scalars(query.order_by(AuditEvent.seq).limit(limit)).all()


def list_audit_events_about(
    session: Session, organisation_id: UUID, names: Collection[str], after: int, limit: int
) -> Sequence[AuditEvent]:
    """Return events of these names that may concern the company, in the order of commits.

    Each branch reads an index from `after` on. Rulesets are few, so all of them are candidates.
    """
    common = (AuditEvent.seq > after, AuditEvent.event.in_(names))
    own_cases = sa.select(Application.id).where(Application.organisation_id == organisation_id)
    conditions = [AuditEvent.case_id.in_(own_cases), AuditEvent.event == RULESET_EVENT]
    conditions += [
        sa.and_(AuditEvent.subject_type == subject_type, AuditEvent.subject_id.in_(ids))
        for subject_type, ids in _subjects_of(session, organisation_id).items()
        if ids
    ]
    branches = [
        sa.select(sa.select(AuditEvent.seq).where(*common, each).order_by(AuditEvent.seq).limit(limit).subquery().c.seq)
        for each in conditions
    ]
    query = sa.select(AuditEvent).where(AuditEvent.seq.in_(sa.union_all(*branches)))
    return session.scalars(query.order_by(AuditEvent.seq).limit(limit)).all()


def list_newest_about_certificates(
    session: Session,
    names: Collection[str],
    limit: int,
    *,
    number: str | None,
    organisation_id: UUID | None,
    heading: str | None,
) -> Sequence[AuditEvent]:
    """Return the newest events of these names, newest first: of one certificate, of a holder's, or of a heading's."""
    query = sa.select(AuditEvent).where(AuditEvent.subject_type == "certificate", AuditEvent.event.in_(names))
    if number is not None:
        query = query.where(AuditEvent.subject_id == number)
    else:
        query = query.join(Certificate, Certificate.number == AuditEvent.subject_id)
    if organisation_id is not None:
        query = query.where(Certificate.organisation_id == organisation_id)
    if heading is not None:
        query = query.where(Certificate.hs6.startswith(heading, autoescape=True))
    return session.scalars(query.order_by(AuditEvent.seq.desc()).limit(limit)).all()


def _subjects_of(session: Session, organisation_id: UUID) -> Mapping[str, Sequence[str]]:
    """Return the ids of what belongs to the company beside its applications, by type of subject."""
    of_company = sa.select(Evidence.id).where(
        Evidence.organisation_id == organisation_id, Evidence.application_id.is_(None)
    )
    queries = {
        "evidence": of_company,
        "residency": sa.select(Residency.id).where(Residency.organisation_id == organisation_id),
        "user": sa.select(User.id).where(User.organisation_id == organisation_id),
        "client": sa.select(ApiClient.id).where(ApiClient.organisation_id == organisation_id),
        "invitation": sa.select(Invitation.id).where(Invitation.organisation_id == organisation_id),
        "manifest": sa.select(Manifest.id).where(Manifest.organisation_id == organisation_id),
    }
    found = {name: [str(each) for each in session.scalars(query)] for name, query in queries.items()}
    return {"organisation": [str(organisation_id)], **found}


def find_applications(session: Session, ids: Iterable[UUID]) -> dict[UUID, Application]:
    query = sa.select(Application).where(Application.id.in_(set(ids)))
    return {row.id: row for row in session.scalars(query)}


def find_holders(session: Session, numbers: Iterable[str]) -> dict[str, UUID]:
    """Return the holder of each certificate by number."""
    query = sa.select(Certificate.number, Certificate.organisation_id).where(Certificate.number.in_(set(numbers)))
    return {row.number: row.organisation_id for row in session.execute(query)}


def find_places(session: Session, numbers: Collection[str]) -> dict[str, tuple[UUID, str]]:
    """Return holder and HS code of each certificate by number."""
    query = sa.select(Certificate.number, Certificate.organisation_id, Certificate.hs6)
    rows = session.execute(query.where(Certificate.number.in_(numbers)))
    return {row.number: (row.organisation_id, row.hs6) for row in rows}


def find_claimants(session: Session, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the claimant of each claim by its id."""
    query = sa.select(Claim.id, Claim.claimant_id).where(Claim.id.in_(set(ids)))
    return {row.id: row.claimant_id for row in session.execute(query)}


def find_client_companies(session: Session, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the company of each API client by its id."""
    query = sa.select(ApiClient.id, ApiClient.organisation_id).where(ApiClient.id.in_(set(ids)))
    return {row.id: row.organisation_id for row in session.execute(query)}


def find_manifest_companies(session: Session, ids: Iterable[UUID]) -> dict[UUID, UUID | None]:
    """Return the company of each list of numbers by its id; None of those of staff."""
    query = sa.select(Manifest.id, Manifest.organisation_id).where(Manifest.id.in_(set(ids)))
    return {row.id: row.organisation_id for row in session.execute(query)}


def find_employers(session: Session, ids: Iterable[UUID]) -> dict[UUID, UUID | None]:
    """Return the company of each user by id; None of staff."""
    query = sa.select(User.id, User.organisation_id).where(User.id.in_(set(ids)))
    return {row.id: row.organisation_id for row in session.execute(query)}


def find_affected(session: Session, scheme_code: str, at: datetime) -> frozenset[UUID]:
    """Return the companies that held a certificate of the scheme in its term, or had an open application, at `at`.

    A certificate that ended afterwards still counts, so that the answer stays the same.
    """
    opened = [state.value for state in OPEN_STATES]
    ended_before = sa.and_(Application.state.not_in(opened), Application.state_since <= at)
    applicants = sa.select(Application.organisation_id).where(
        Application.scheme_code == scheme_code, Application.created_at < at, ~ended_before
    )
    final = Certificate.status.not_in(("active", "suspended"))
    holders = sa.select(Certificate.organisation_id).where(
        Certificate.scheme_code == scheme_code,
        Certificate.issued_at < at,
        Certificate.valid_until >= baku_day(at),
        ~sa.and_(final, Certificate.status_since <= at),
    )
    return frozenset(session.scalars(sa.union(applicants, holders)))
