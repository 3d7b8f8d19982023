"""Open and close matters: what a person must examine about a certificate (decision 0050).

A matter opens automatically where the certificate loses something that it depends on, and when its holder reports a
change. It never changes the status: suspending, revoking and lifting are actions of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import can_read_organisation, require_role, require_second_factor, require_user_id
from app.certificates import certificate_repository, matter_repository
from app.certificates.matter_repository import IN_FORCE_STATUSES, MatterFilter
from app.certificates.model import (
    CAUSES_BY_KIND,
    Certificate,
    CertifiedDescription,
    Matter,
    MatterCause,
    MatterKind,
    MatterOutcome,
    MatterState,
    RevocationReason,
)
from app.core.actor import Actor, ActorKind, Role
from app.core.database import new_id
from app.core.dates import baku_day
from app.core.errors import Conflict, ExpectedVersion, Invalid, NotFound, WrongState, require_version
from app.core.messages import Message

READERS = (Role.OWNER, Role.REGISTRAR, Role.AUDITOR)
CLOSERS = (Role.OWNER, Role.REGISTRAR)
DESCRIPTION_READERS = (Role.REVIEWER, Role.APPROVER, Role.REGISTRAR, Role.OWNER, Role.AUDITOR)
MAX_OPEN_CHANGES = 50
"""Maximum reports of changes of one certificate that may be open at once."""

NEEDS_REASON: Mapping[MatterKind, bool] = MappingProxyType(
    {MatterKind.LOST_GROUND: True, MatterKind.REPORT: True, MatterKind.CHANGE: False}
)
"""Whether a matter of this kind needs a revocation reason to be upheld; it then bars (C-12)."""


def open_matter(
    session: Session,
    actor: Actor,
    certificate: Certificate,
    cause: MatterCause,
    *,
    kind: MatterKind = MatterKind.LOST_GROUND,
    subject: str | None = None,
    text: str | None = None,
    details: Mapping[str, Any] | None = None,
    now: datetime,
) -> Matter | None:
    """Open a matter about a locked certificate.

    `subject` names what it is about, as `type:id`. Returns None if the certificate is not in force, or if a matter of
    this cause and subject is already open.
    """
    assert cause in CAUSES_BY_KIND[kind]
    if not can_open_matter(session, certificate, cause, subject, now):
        return None
    matter = Matter(
        id=new_id(),
        kind=kind.value,
        certificate_id=certificate.id,
        cause=cause.value,
        subject=subject,
        text=text,
        details=dict(details or {}),
        opened_at=now,
        opened_by=actor.id if actor.kind is ActorKind.USER else None,
        state=MatterState.OPEN.value,
        version=1,
    )
    session.add(matter)
    session.flush()
    _record_event(session, actor, "matter.opened", matter, certificate, now, **({"about": subject} if subject else {}))
    return matter


def can_open_matter(
    session: Session, certificate: Certificate, cause: MatterCause, subject: str | None, now: datetime
) -> bool:
    """Check whether `open_matter` would open a matter."""
    is_in_force = certificate.status in IN_FORCE_STATUSES and certificate.valid_until >= baku_day(now)
    is_open = subject is not None and matter_repository.has_open_matter_about(session, certificate.id, cause, subject)
    return is_in_force and not is_open


def load_for_change_report(
    session: Session, actor: Actor, number: str, today: date, before_check: Callable[[], None] = lambda: None
) -> Certificate:
    """Lock the holder's certificate and check that a change can be reported: 404, 403, 409.

    `before_check` is called between 403 and 409, because a retry may arrive after the certificate ended.
    """
    certificate = certificate_repository.by_number(session, number, lock=True)
    # A certificate is public; other companies are told that they have none to report on.
    if certificate is None or not (actor.is_staff or actor.organisation_id == certificate.organisation_id):
        raise NotFound.of("certificate")
    require_role(actor, Role.APPLICANT)
    require_user_id(actor)
    before_check()
    if certificate.status not in IN_FORCE_STATUSES or certificate.valid_until < today:
        state = certificate.status if certificate.status not in IN_FORCE_STATUSES else "expired"
        raise WrongState("certificate", state=state, action="report a change", allowed=[])
    if matter_repository.count_open_matters(session, certificate.id, MatterKind.CHANGE) >= MAX_OPEN_CHANGES:
        raise Conflict(
            Message(
                "No more than %(limit)s reports of changes of a certificate are open at once.", limit=MAX_OPEN_CHANGES
            ),
            code="too-many-changes",
        )
    return certificate


def report_change(
    session: Session, actor: Actor, number: str, *, what: MatterCause, text: str, on: date, now: datetime
) -> Matter:
    """Open a matter for a change that the holder reports.

    Raises, in this order: `NotFound`, `Forbidden`, `WrongState`, `Conflict` (`too-many-changes`), `Invalid`.
    """
    certificate = load_for_change_report(session, actor, number, baku_day(now))
    if what not in CAUSES_BY_KIND[MatterKind.CHANGE]:
        listed = sorted(CAUSES_BY_KIND[MatterKind.CHANGE])
        raise Invalid.at(
            "/what", Message("This is no change to report. There are: %(allowed)s.", code="not-in-list", allowed=listed)
        )
    details = {"on": on.isoformat()}
    matter = open_matter(session, actor, certificate, what, kind=MatterKind.CHANGE, text=text, details=details, now=now)
    assert matter is not None  # in force, and without a subject
    return matter


def get_matter(session: Session, actor: Actor, matter_id: UUID) -> tuple[Matter, Certificate]:
    require_role(actor, *READERS)
    matter = matter_repository.get_matter(session, matter_id)
    if matter is None:
        raise NotFound.of("matter")
    return matter, _certificate_of(session, matter)


def list_matters(
    session: Session, actor: Actor, matter_filter: MatterFilter, *, after: UUID | None = None, limit: int = 50
) -> Sequence[tuple[Matter, Certificate]]:
    require_role(actor, *READERS)
    return matter_repository.list_matters(session, matter_filter, after=after, limit=limit)


def load_for_close(session: Session, actor: Actor, matter_id: UUID, version: ExpectedVersion) -> Matter:
    """Lock a matter and check that it can be closed now.

    Refusals in this order: 403 (role), 404, 403 (second factor), 428, 412, 409.
    """
    require_role(actor, *CLOSERS)
    matter = matter_repository.get_matter(session, matter_id, lock=True)
    if matter is None:
        raise NotFound.of("matter")
    require_second_factor(actor)
    require_version(version, matter.version)
    if matter.state != MatterState.OPEN:
        raise WrongState("matter", state=matter.state, action="close", allowed=[])
    return matter


def close_matter(
    session: Session,
    actor: Actor,
    matter_id: UUID,
    *,
    outcome: MatterOutcome,
    reason: str,
    revocation_reason: RevocationReason | None,
    version: ExpectedVersion,
    now: datetime,
) -> tuple[Matter, Certificate]:
    """Close a matter for good.

    A matter upheld for a revocation reason bars later applications (C-12), whatever the certificate's status; revoking
    is an action of its own. Raises the errors of `load_for_close`, then `Invalid`.
    """
    matter = load_for_close(session, actor, matter_id, version)
    is_upheld = outcome is MatterOutcome.UPHELD
    if is_upheld and revocation_reason is None and NEEDS_REASON[MatterKind(matter.kind)]:
        raise Invalid.at("/revocation_reason", Message("Name the reason for which it is upheld.", code="required"))
    if not is_upheld and revocation_reason is not None:
        raise Invalid.at(
            "/revocation_reason", Message("Only a matter that is upheld has a revocation reason.", code="not-taken")
        )
    matter.state = MatterState.CLOSED.value
    matter.closed_at, matter.closed_by = now, require_user_id(actor)
    matter.outcome, matter.reason = outcome.value, reason
    matter.revocation_reason = revocation_reason.value if revocation_reason else None
    matter.version += 1
    session.flush()
    certificate = _certificate_of(session, matter)
    event_data = {"revocation_reason": revocation_reason.value} if revocation_reason else {}
    _record_event(session, actor, "matter.closed", matter, certificate, now, outcome=outcome.value, **event_data)
    return matter, certificate


def get_description(session: Session, actor: Actor, number: str) -> tuple[Certificate, CertifiedDescription]:
    """Return the certified description, for the holder and for staff who work on cases.

    Raises `NotFound`, `Forbidden`.
    """
    certificate = certificate_repository.by_number(session, number)
    if certificate is None or not can_read_organisation(actor, certificate.organisation_id):
        raise NotFound.of("certificate")
    require_role(actor, Role.APPLICANT, *DESCRIPTION_READERS)
    frozen = matter_repository.get_description(session, certificate.id)
    if frozen is None:
        raise NotFound.of("description")
    return certificate, frozen


def certificates_blocking_product_change(session: Session, product_id: UUID, today: date) -> Sequence[str]:
    """Return numbers of certificates in force that block a change of this product.

    The caller has locked the product.
    """
    return matter_repository.numbers_without_reported_change(session, today, product_id=product_id)


def certificates_blocking_site_change(session: Session, site_id: UUID, today: date) -> Sequence[str]:
    """Return numbers of certificates in force that block a change of this site.

    The caller has locked the site.
    """
    return matter_repository.numbers_without_reported_change(session, today, site_id=site_id)


def _certificate_of(session: Session, matter: Matter) -> Certificate:
    certificate = session.get(Certificate, matter.certificate_id)
    assert certificate is not None  # a foreign key
    return certificate


def _record_event(
    session: Session, actor: Actor, event: str, matter: Matter, certificate: Certificate, now: datetime, **data: str
) -> None:
    recorder.record(
        session,
        actor,
        event,
        ("matter", matter.id),
        now,
        case_id=certificate.application_id,
        certificate=certificate.number,
        kind=matter.kind,
        cause=matter.cause,
        **data,
    )
