"""Change the status of certificates: suspend, reinstate, revoke, surrender."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.credentials.confirmations import require_confirmation
from app.auth.permissions import require_second_factor
from app.certificates import (
    certificate_repository,
    log_events,
    matter_repository,
    status_list_publisher,
    status_workflow,
)
from app.certificates.model import (
    INVESTIGATION_CAUSES,
    Certificate,
    CertificateStatus,
    RevocationReason,
    Suspension,
    SuspensionCause,
)
from app.certificates.read_model import projector
from app.certificates.status_decisions import status_decision_repository
from app.certificates.status_decisions.status_document import StatusAct, build_status_document
from app.certificates.status_workflow import CertificateAction
from app.core.actor import Actor
from app.core.database import new_id
from app.core.errors import Conflict, ExpectedVersion, NotFound, require_version
from app.core.messages import Message, to_value_message


def suspend(
    session: Session,
    actor: Actor,
    certificate: Certificate,
    *,
    cause: SuspensionCause,
    note: str | None,
    now: datetime,
    is_own_decision: bool = False,
) -> bool:
    """Open a cause and return whether it is new; a cause that is already open changes nothing.

    `is_own_decision`: the actor decided this, and it is not the consequence of another change.
    """
    status = status_workflow.next_status(CertificateStatus(certificate.status), CertificateAction.SUSPEND)
    if cause in certificate_repository.open_suspensions(session, certificate.id):
        return False
    decided = _decide(
        session, actor, certificate, StatusAct.SUSPEND, cause.value, note, now, is_own_decision=is_own_decision
    )
    session.add(Suspension(id=new_id(), certificate_id=certificate.id, cause=cause.value, note=note, since=now))
    if certificate.status != status:
        _set_status(session, certificate, status, cause.value, decided, now)
    certificate.version += 1
    _record_event(session, actor, "certificate.suspended", certificate, decided, now, cause=cause.value)
    projector.mark_dirty(session, certificate)
    return True


def end_suspension_cause(
    session: Session,
    actor: Actor,
    certificate: Certificate,
    *,
    cause: SuspensionCause,
    now: datetime,
    is_own_decision: bool = False,
) -> bool:
    """End a cause; without causes the certificate is active again. Returns if it was open.

    `is_own_decision` as of `suspend`. A certificate surrendered during an investigation stays surrendered: only the
    cause ends.
    """
    is_final = CertificateStatus(certificate.status) in status_workflow.FINAL_STATUSES
    if is_final and not certificate.during_investigation:
        return False
    causes = certificate_repository.open_suspensions(session, certificate.id)
    if cause not in causes:
        return False
    decided = _decide(
        session, actor, certificate, StatusAct.REINSTATE, cause.value, None, now, is_own_decision=is_own_decision
    )
    certificate_repository.end_suspension(causes.pop(cause), now)
    if is_final:
        pass
    elif causes:
        _set_open_cause(session, certificate, min(causes).value, decided, now)
    else:
        status = status_workflow.next_status(CertificateStatus(certificate.status), CertificateAction.REINSTATE)
        _set_status(session, certificate, status, None, decided, now)
    certificate.version += 1
    event = "certificate.suspension_narrowed" if causes or is_final else "certificate.reinstated"
    _record_event(session, actor, event, certificate, decided, now, cause=cause.value)
    projector.mark_dirty(session, certificate)
    return True


def suspend_by_owner(
    session: Session,
    actor: Actor,
    number: str,
    *,
    cause: SuspensionCause,
    note: str | None,
    version: ExpectedVersion,
    now: datetime,
) -> Certificate:
    certificate = _load_for_action(session, actor, number, CertificateAction.SUSPEND, version)
    if not suspend(session, actor, certificate, cause=cause, note=note, now=now, is_own_decision=True):
        raise Conflict(
            Message("It is suspended for the cause “%(cause)s” already.", cause=to_value_message(cause)),
            code="already-suspended",
        )
    return certificate


def reinstate_by_owner(
    session: Session, actor: Actor, number: str, *, cause: SuspensionCause, version: ExpectedVersion, now: datetime
) -> Certificate:
    """End one cause. The cause `residency` ends only when the resident register restores it."""
    certificate = _load_for_action(session, actor, number, CertificateAction.REINSTATE, version)
    if cause is SuspensionCause.RESIDENCY:
        raise Conflict(
            "The residency ended; the suspension ends when the residency is restored.", code="residency-lost"
        )
    if not end_suspension_cause(session, actor, certificate, cause=cause, now=now, is_own_decision=True):
        causes = [
            to_value_message(each) for each in sorted(certificate_repository.open_suspensions(session, certificate.id))
        ]
        raise Conflict(
            Message(
                "It is not suspended for the cause “%(cause)s”, but for: %(causes)s.",
                cause=to_value_message(cause),
                causes=causes,
            ),
            code="other-cause",
        )
    return certificate


def revoke(
    session: Session,
    actor: Actor,
    number: str,
    *,
    reason: RevocationReason,
    version: ExpectedVersion,
    now: datetime,
) -> Certificate:
    return _terminate(session, actor, number, CertificateAction.REVOKE, reason.value, version, now)


def surrender(session: Session, actor: Actor, number: str, *, version: ExpectedVersion, now: datetime) -> Certificate:
    return _terminate(session, actor, number, CertificateAction.SURRENDER, "holder", version, now)


def _terminate(
    session: Session,
    actor: Actor,
    number: str,
    action: CertificateAction,
    reason: str,
    version: ExpectedVersion,
    now: datetime,
) -> Certificate:
    certificate = _load_for_action(session, actor, number, action, version)
    status = _next_status(certificate, action)
    act = StatusAct(action.value)
    # Two owners confirmed the proposal of a revocation; a holder gives its own certificate back.
    decided = _decide(session, actor, certificate, act, reason, None, now, is_own_decision=False)
    causes = certificate_repository.open_suspensions(session, certificate.id)
    event_data: dict[str, str | bool] = {"reason": reason}
    if action is CertificateAction.SURRENDER and (
        INVESTIGATION_CAUSES & causes.keys() or matter_repository.has_open_inquiry(session, certificate.id)
    ):
        # The inquiry continues: its causes stay open, so that a later application can be checked against it (C-12).
        certificate.during_investigation = event_data["during_investigation"] = True
        causes = {cause: row for cause, row in causes.items() if cause not in INVESTIGATION_CAUSES}
    for suspension in causes.values():
        certificate_repository.end_suspension(suspension, now)
    _set_status(session, certificate, status, reason, decided, now)
    certificate.version += 1
    _record_event(session, actor, f"certificate.{status}", certificate, decided, now, **event_data)
    projector.mark_dirty(session, certificate)
    return certificate


def load_for_action(
    session: Session, actor: Actor, number: str, action: CertificateAction, version: ExpectedVersion
) -> Certificate:
    """Lock a certificate and check an action, without its body: 404, 403, 428, 412, 409."""
    certificate = _load_for_action(session, actor, number, action, version)
    _next_status(certificate, action)
    return certificate


def lock_revocable(session: Session, number: str) -> Certificate:
    """Lock a certificate of any version that can be revoked in its state. Raises `NotFound`, `WrongState`."""
    certificate = certificate_repository.by_number(session, number, lock=True)
    if certificate is None:
        raise NotFound.of("certificate")
    _next_status(certificate, CertificateAction.REVOKE)
    return certificate


def _next_status(certificate: Certificate, action: CertificateAction) -> CertificateStatus:
    status = CertificateStatus(certificate.status)
    return status_workflow.next_status(status, action, during_investigation=certificate.during_investigation)


def _load_for_action(
    session: Session, actor: Actor, number: str, action: CertificateAction, version: ExpectedVersion
) -> Certificate:
    certificate = certificate_repository.by_number(session, number, lock=True)
    if certificate is None:
        raise NotFound.of("certificate")
    # A certificate is public, but only its holder may surrender it: 404 for other companies.
    if (
        action is CertificateAction.SURRENDER
        and not actor.is_staff
        and actor.organisation_id != certificate.organisation_id
    ):
        raise NotFound.of("certificate")
    status_workflow.require_role(action, actor)
    if action in status_workflow.SECOND_FACTOR_ACTIONS:
        require_second_factor(actor)
    require_version(version, certificate.version)
    return certificate


@dataclass(frozen=True, slots=True)
class _DecidedAct:
    """A stored decision: the hash of its document, and the code of its cause or reason."""

    sha256: str
    code: str


def _decide(
    session: Session,
    actor: Actor,
    certificate: Certificate,
    act: StatusAct,
    code: str,
    note: str | None,
    now: datetime,
    *,
    is_own_decision: bool,
) -> _DecidedAct:
    """Build what is decided, have it confirmed, and store it, before anything else is."""
    document = build_status_document(
        act, certificate=certificate.number, version=certificate.version, code=code, note=note, by=actor.id
    )
    confirmation = require_confirmation(session, actor, document) if is_own_decision else None
    sha256 = status_decision_repository.add_status_decision(session, certificate.id, document, confirmation, now)
    return _DecidedAct(sha256, code)


def _set_status(
    session: Session,
    certificate: Certificate,
    status: CertificateStatus,
    reason: str | None,
    decided: _DecidedAct,
    now: datetime,
) -> None:
    certificate.status, certificate.status_since, certificate.status_reason = status.value, now, reason
    status_list_publisher.queue_bit_update(session, certificate)
    log_events.log_status_change(session, certificate, now, decision=decided.sha256, reason=decided.code)


def _set_open_cause(
    session: Session, certificate: Certificate, cause: str, decided: _DecidedAct, now: datetime
) -> None:
    """Name a cause that is still open as the reason of the suspension; the log says so where it named another."""
    if certificate.status_reason != cause:
        certificate.status_reason = cause
        log_events.log_status_change(session, certificate, now, decision=decided.sha256, reason=cause)


def _record_event(
    session: Session,
    actor: Actor,
    event: str,
    certificate: Certificate,
    decided: _DecidedAct,
    now: datetime,
    **data: str | bool,
) -> None:
    subject = ("certificate", certificate.number)
    recorder.record(
        session,
        actor,
        event,
        subject,
        now,
        case_id=certificate.application_id,
        decision_sha256=decided.sha256,
        **data,
    )
