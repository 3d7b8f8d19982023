"""Confirm evidence: a member of staff has read the document and states its values. Rules read confirmed ones only.

The user who added the document cannot confirm it; this also holds for documents that staff added.

Confirmed values are part of the dossier hash: confirming or withdrawing voids a recommendation that depends on them.
`entered` keeps what the applicant stated. After the decision, a withdrawal opens matters about the certificates
(`certificate_evidence.py`).
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, case_access
from app.applications.evidence import certificate_evidence, evidence_documents, virus_scanner
from app.applications.evidence import details as evidence_details
from app.applications.evidence.details import EvidenceDetails, EvidenceSubject
from app.applications.model import Evidence
from app.audit import recorder
from app.auth.permissions import require_role, require_second_factor, require_user_id
from app.core.actor import Actor, Role
from app.core.canonical_json import digest
from app.core.dates import baku_day
from app.core.errors import (
    Conflict,
    ErrorCollector,
    ExpectedVersion,
    FourEyes,
    Invalid,
    VersionPrecondition,
    require_version,
)
from app.core.messages import Message
from app.core.text.normalize import normalize, text_error
from app.organisations import organisation_repository
from app.organisations.sanctions import screening

MAX_REASON_CHARS = 2_000
BACKGROUND_CHECK = "background-check"


def load_for_confirmation(
    session: Session, actor: Actor, evidence_id: UUID, version: ExpectedVersion, *, confirmed: bool, today: date
) -> Evidence:
    """Lock the evidence document and check that its confirmation may change now.

    Raises, in this order: `NotFound`, `Forbidden`, `VersionRequired`, `StaleVersion`, `Conflict`. `confirmed`: the
    required present value. After the decision a confirmation can be withdrawn only where a certificate in force depends
    on the document.
    """
    row = evidence_documents.get_visible(session, actor, evidence_id)
    require_role(actor, *evidence_documents.EVIDENCE_ROLES)
    require_second_factor(actor)
    # The application is locked before its evidence, as in every other transaction.
    application = case_access.get_visible(session, actor, row.application_id, lock=True) if row.application_id else None
    row = evidence_documents.get_visible(session, actor, evidence_id, lock=True)
    if isinstance(version, VersionPrecondition):
        version.before_check()
    if not confirmed:
        _require_second_person(row, actor)
    require_version(version, row.version)
    if application is not None and not (
        confirmed and certificate_evidence.certificates_supported_by(session, row, today)
    ):
        evidence_documents.require_open(session, actor, application)
    _require_not_withdrawn(row)
    if row.found_false:
        raise Conflict("This evidence was found false. It is never confirmed again.", code="found-false")
    if (row.confirmed_at is not None) != confirmed:
        if confirmed:
            raise Conflict("This evidence is not confirmed.", code="not-confirmed")
        raise Conflict("This evidence is confirmed already. Withdraw that first.", code="already-confirmed")
    return row


def _require_not_withdrawn(row: Evidence) -> None:
    if row.withdrawn_at is not None:
        raise Conflict("The company has withdrawn this document.", code="evidence-withdrawn")


def _require_second_person(row: Evidence, actor: Actor) -> None:
    if row.uploaded_by == actor.id:
        raise FourEyes("You added this document; another member of staff confirms it.")


def confirm_document(
    session: Session,
    actor: Actor,
    evidence_id: UUID,
    *,
    details: EvidenceDetails,
    version: ExpectedVersion,
    now: datetime,
    about: EvidenceSubject = EvidenceSubject(),  # noqa: B008 (a frozen value)
) -> Evidence:
    """Confirm the document with the values that staff read; a value that is not given stays as stated."""
    row = load_for_confirmation(session, actor, evidence_id, version, confirmed=False, today=baku_day(now))
    assert actor.id is not None  # only users confirm
    virus_scanner.require_clean(session, [row])
    read = EvidenceDetails(
        issued_on=details.issued_on or row.issued_on,
        valid_until=details.valid_until or row.valid_until,
        number=details.number or row.number,
        values={**row.stated, **details.values},
    )
    kind = evidence_details.get_kind(row.kind)
    subject = evidence_details.confirmed_subject(kind, row, about)
    faults = ErrorCollector()
    with faults.collect():
        evidence_documents.require_valid_subject(session, row.organisation_id, row.application_id, subject)
    read = evidence_documents.with_default_signer(session, kind, read, row.uploaded_by)
    asked = evidence_documents.build_lookups(session, row.organisation_id)
    with faults.collect():
        kept = evidence_details.validate_details(kind, subject, read, baku_day(now), complete=True, lookups=asked)
    faults.raise_if_any()
    if kind.code == BACKGROUND_CHECK and kept.values.get("sanctions_match") is False:
        screening.require_no_open_match(session, row.organisation_id)
    row.product_ids = sorted(str(each) for each in subject.product_ids)
    row.site_id = subject.site_id
    row.issued_on, row.valid_until, row.number = kept.issued_on, kept.valid_until, kept.number
    row.stated = dict(kept.values)
    row.confirmed_by, row.confirmed_at = actor.id, now
    row.withdrawal_reason = None
    _record_event(session, actor, row, "evidence.confirmed", now)
    return row


def withdraw_confirmation(
    session: Session,
    actor: Actor,
    evidence_id: UUID,
    *,
    reason: str | None,
    found_false: bool,
    version: ExpectedVersion,
    now: datetime,
) -> Evidence:
    """Withdraw a confirmation. The document waits to be confirmed again, unless it was found false.

    Opens matters about certificates in force that depend on it. Raises as `load_for_confirmation`; `Invalid` without a
    reason where certificates depend on it or it was found false.
    """
    row = load_for_confirmation(session, actor, evidence_id, version, confirmed=True, today=baku_day(now))
    today = baku_day(now)
    # A false document supports nothing, even where other documents support the certificate.
    losing = (
        certificate_evidence.certificates_supported_by(session, row, today)
        if found_false
        else certificate_evidence.certificates_losing_support(session, row, today)
    )
    if reason is None and (found_false or losing):
        raise Invalid.at(
            "/reason",
            Message("Give a reason: the document was found false, or a certificate rests on it.", code="required"),
        )
    row.confirmed_by = row.confirmed_at = None
    row.confirmed_by_uploader = False
    row.withdrawal_reason, row.found_false = reason, found_false
    _record_event(
        session, actor, row, "evidence.found_false" if found_false else "evidence.confirmation_withdrawn", now
    )
    certificate_evidence.open_matters_for_lost_document(session, actor, row, losing, found_false=found_false, now=now)
    return row


def load_for_withdrawal(session: Session, actor: Actor, evidence_id: UUID, version: ExpectedVersion) -> Evidence:
    """Lock the company's document and check that its member may withdraw it now.

    Raises, in this order: `NotFound`, `Forbidden`, `VersionRequired`, `StaleVersion`, `Conflict`.
    """
    row = evidence_documents.get_visible(session, actor, evidence_id)
    require_role(actor, Role.APPLICANT)
    require_user_id(actor)
    # Lock the company, so that no application is submitted with the document concurrently.
    organisation_repository.find_organisation(session, row.organisation_id, lock=True)
    row = evidence_documents.get_visible(session, actor, evidence_id, lock=True)
    if isinstance(version, VersionPrecondition):
        version.before_check()
    require_version(version, row.version)
    if row.entered is None or row.application_id is not None:
        raise Conflict(
            "A company can withdraw only documents that it uploaded for all its applications.",
            code="not-company-evidence",
        )
    _require_not_withdrawn(row)
    if row.found_false:
        raise Conflict("This evidence was found false. It stays as it is.", code="found-false")
    if resting := _applications_under_review(session, row):
        raise Conflict(
            Message("Application %(application)s is under review and rests on this document.", application=resting[0]),
            code="evidence-in-use",
            data={"applications": list(resting)},
        )
    return row


def _applications_under_review(session: Session, row: Evidence) -> Sequence[str]:
    """Return the numbers of submitted, undecided applications that the document concerns."""
    about = evidence_details.document_subject(row)
    return [
        number
        for number, product_id, site_id in application_repository.products_under_review(session, row.organisation_id)
        if evidence_details.resolve_subject(row.kind, about, product_id, site_id)[0]
    ]


def withdraw_document(
    session: Session, actor: Actor, evidence_id: UUID, *, reason: str, version: ExpectedVersion, now: datetime
) -> Evidence:
    """Withdraw a document of the company: the row stays and no longer counts.

    Opens matters about certificates in force that depend on it. Raises as `load_for_withdrawal`; `Invalid`.
    """
    row = load_for_withdrawal(session, actor, evidence_id, version)
    if wrong := text_error(reason, MAX_REASON_CHARS, lines=True):
        raise Invalid.at("/reason", wrong)
    losing = (
        certificate_evidence.certificates_losing_support(session, row, baku_day(now))
        if row.confirmed_at is not None
        else ()
    )
    row.withdrawn_by, row.withdrawn_at, row.withdrawal_reason = require_user_id(actor), now, normalize(reason)
    row.confirmed_by = row.confirmed_at = None
    _record_event(session, actor, row, "evidence.withdrawn", now)
    certificate_evidence.open_matters_for_lost_document(session, actor, row, losing, found_false=False, now=now)
    return row


def _record_event(session: Session, actor: Actor, row: Evidence, event: str, now: datetime) -> None:
    row.version += 1
    session.flush()
    recorder.record(
        session,
        actor,
        event,
        ("evidence", row.id),
        now,
        case_id=row.application_id,
        organisation=row.organisation_id,
        kind=row.kind,
        sha256=row.sha256,
        stated=digest(evidence_details.fingerprint(row)),
    )
