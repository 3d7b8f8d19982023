"""Add, list and remove evidence documents. After submission, documents can be added but not removed.

A document belongs to one application, or to a company for all its applications. It waits for confirmation by a member
of staff who did not add it (`confirmation.py`).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, case_access
from app.applications.evidence import details as evidence_details
from app.applications.evidence import virus_scanner
from app.applications.evidence.details import EvidenceDetails, EvidenceSubject
from app.applications.evidence.file_store import EvidenceFileStore, StoredFile
from app.applications.evidence.quotas import Quotas, require_quota
from app.applications.model import Application, Evidence
from app.applications.submission import get_editable
from app.applications.workflow import OPEN_STATES, State
from app.audit import recorder
from app.auth import user_repository
from app.auth.permissions import can_read_organisation, require_role, require_second_factor
from app.core.actor import Actor, ActorKind, Role
from app.core.canonical_json import digest
from app.core.database import new_id
from app.core.dates import baku_day
from app.core.errors import Conflict, ErrorCollector, Invalid, NotFound, VersionPrecondition
from app.core.messages import Message, to_value_message
from app.organisations import organisation_repository
from app.organisations.model import Organisation
from app.products import product_repository
from app.reference.territory import HOME_COUNTRY, district_error, load_territory
from app.schemes.evidence_kinds import EvidenceKind, Lookups, Supplier, ValueType, load_evidence_kinds

MAX_FILES_PER_APPLICATION = 100
MAX_FILES_PER_ORGANISATION = 1_000
EVIDENCE_ROLES = (Role.REGISTRAR, Role.REVIEWER)
"""Roles that add documents only staff can obtain, and confirm what companies upload."""


def require_can_add(
    session: Session, actor: Actor, application_id: UUID, before_check: Callable[[], None] = lambda: None
) -> Application:
    """Lock the application and check that the actor may add to it: the company while editable, staff until the
    decision.

    No version is required, because adding overwrites nothing. `before_check` is called between 403 and 409, so that a
    retry is answered after the application was frozen.
    """
    application = case_access.get_visible(session, actor, application_id, lock=True)
    if not actor.is_staff:
        return get_editable(session, actor, application_id, VersionPrecondition(application.version, before_check))
    require_role(actor, *EVIDENCE_ROLES)
    require_second_factor(actor)
    before_check()
    require_open(session, actor, application)
    return application


def require_open(session: Session, actor: Actor, application: Application) -> None:
    """Require a submitted, undecided application; only such a case can be worked on by staff."""
    if State(application.state) not in OPEN_STATES - {State.DRAFT}:
        raise Conflict(
            Message(
                "The application is %(state)s; its evidence stays as it is.", state=to_value_message(application.state)
            ),
            code="application-frozen",
            data={
                "state": application.state,
                "allowed": [a.value for a in case_access.allowed_actions(session, actor, application)],
            },
        )


def require_can_add_to_organisation(session: Session, actor: Actor, organisation_id: UUID) -> Organisation:
    """Return the company if the actor may add evidence to it: its members, registrars, reviewers."""
    organisation = organisation_repository.find_organisation(session, organisation_id, lock=True)
    if organisation is None or not can_read_organisation(actor, organisation_id):
        raise NotFound.of("company")
    require_role(actor, Role.APPLICANT, *EVIDENCE_ROLES)
    if actor.is_staff:
        require_second_factor(actor)
    return organisation


def add_to_application(
    session: Session,
    actor: Actor,
    application_id: UUID,
    *,
    stored: StoredFile,
    quotas: Quotas,
    kind: str,
    file_name: str,
    about: EvidenceSubject,
    details: EvidenceDetails,
    now: datetime,
) -> Evidence:
    """Add a document to an application. An upload of the same document again returns the stored one."""
    application = require_can_add(session, actor, application_id)
    faults = ErrorCollector()
    with faults.collect():
        require_valid_subject(session, application.organisation_id, application.id, about)
    with faults.collect():
        row = _build_row(session, actor, application.organisation_id, stored, kind, file_name, about, details, now)
    faults.raise_if_any()
    row.application_id = application.id
    if stored.scan is not None:
        virus_scanner.record_scan(session, stored.sha256, stored.scan, now)
    return _insert_once(
        session,
        actor,
        row,
        application_repository.list_evidence(session, application.id),
        MAX_FILES_PER_APPLICATION,
        quotas,
        now,
    )


def add_to_organisation(
    session: Session,
    actor: Actor,
    organisation_id: UUID,
    *,
    stored: StoredFile,
    quotas: Quotas,
    kind: str,
    file_name: str,
    about: EvidenceSubject,
    details: EvidenceDetails,
    now: datetime,
) -> Evidence:
    """Add a document to a company for all its applications. A repeated upload returns the stored one."""
    organisation = require_can_add_to_organisation(session, actor, organisation_id)
    faults = ErrorCollector()
    with faults.collect():
        require_valid_subject(session, organisation.id, None, about)
    with faults.collect():
        row = _build_row(session, actor, organisation.id, stored, kind, file_name, about, details, now)
    faults.raise_if_any()
    if stored.scan is not None:
        virus_scanner.record_scan(session, stored.sha256, stored.scan, now)
    present = application_repository.list_company_evidence(session, organisation.id)
    return _insert_once(session, actor, row, present, MAX_FILES_PER_ORGANISATION, quotas, now)


NOT_IN_APPLICATION = Message("This product is not in the application.", code="unknown-product")
NO_SUCH_PRODUCT = Message("The company has no such product.", code="unknown-product")


def require_valid_subject(
    session: Session, organisation_id: UUID, application_id: UUID | None, about: EvidenceSubject
) -> None:
    """Require products of the application (without one: of the company) and sites of the company. Raises `Invalid`."""
    errors = []
    if about.product_ids:
        known: Collection[UUID] = (
            application_repository.product_ids(session, application_id)
            if application_id is not None
            else product_repository.find_owned_products(session, organisation_id, about.product_ids)
        )
        where = NOT_IN_APPLICATION if application_id else NO_SUCH_PRODUCT
        if not set(about.product_ids) <= set(known):
            errors.append({"pointer": "/product_ids", "detail": where})
    if about.site_id is not None and organisation_repository.find_site(session, about.site_id, organisation_id) is None:
        errors.append({"pointer": "/site_id", "detail": Message("The company has no such site.", code="unknown-site")})
    if errors:
        raise Invalid.with_errors(errors)


def build_lookups(session: Session, organisation_id: UUID) -> Lookups:
    """Build the checks of values that need the database: members of the company, districts."""

    def member(text: str) -> str:
        user = user_repository.find_user(session, UUID(text))
        if user is None or user.organisation_id != organisation_id or not user.active:
            raise ValueError(
                Message("This is not the id of a member of the company.", code="unknown-member-of-company")
            )
        return text

    def district(text: str) -> str:
        found = load_territory().find_district(text)
        if found is None:
            raise ValueError(district_error(HOME_COUNTRY, text))
        return found.name

    return {ValueType.MEMBER: member, ValueType.DISTRICT: district}


def with_default_signer(
    session: Session, kind: EvidenceKind, details: EvidenceDetails, user_id: UUID | None
) -> EvidenceDetails:
    """Set the uploading member where the kind requires a member and none is named."""
    missing = [
        name for name, spec in kind.values.items() if spec.type is ValueType.MEMBER and details.values.get(name) is None
    ]
    user = user_repository.find_user(session, user_id) if missing and user_id is not None else None
    if user is None or user.is_staff or not user.active:
        return details
    return replace(details, values={**details.values, **dict.fromkeys(missing, str(user.id))})


def _build_row(
    session: Session,
    actor: Actor,
    organisation_id: UUID,
    stored: StoredFile,
    code: str,
    file_name: str,
    about: EvidenceSubject,
    details: EvidenceDetails,
    now: datetime,
) -> Evidence:
    kind = evidence_details.get_kind(code)
    side = Supplier.STAFF if actor.is_staff else Supplier.APPLICANT
    if side not in kind.supplied_by and side is Supplier.APPLICANT:
        by_staff = Message(
            "Evidence of the kind %(kind)s is supplied by the staff of the mark.", code="other-supplier", kind=code
        )
        raise Invalid.at("/kind", by_staff)
    if side not in kind.supplied_by:
        by_them = Message(
            "Evidence of the kind %(kind)s is supplied by the applicant.", code="other-supplier", kind=code
        )
        raise Invalid.at("/kind", by_them)
    if actor.kind is ActorKind.USER:
        details = with_default_signer(session, kind, details, actor.id)
    asked = build_lookups(session, organisation_id)
    kept = evidence_details.validate_details(
        kind, about, details, baku_day(now), complete=actor.is_staff, lookups=asked
    )
    return Evidence(
        id=new_id(),
        organisation_id=organisation_id,
        application_id=None,
        product_ids=sorted(str(each) for each in about.product_ids),
        site_id=about.site_id,
        kind=kind.code,
        issued_on=kept.issued_on,
        valid_until=kept.valid_until,
        number=kept.number,
        stated=dict(kept.values),
        entered=None if actor.is_staff else evidence_details.entered_json(about, kept),
        file_name=file_name,
        media_type=stored.media_type,
        size=stored.size,
        sha256=stored.sha256,
        uploaded_by=actor.id,
        uploaded_at=now,
        version=1,
    )


def _insert_once(
    session: Session,
    actor: Actor,
    row: Evidence,
    present: Sequence[Evidence],
    max_files: int,
    quotas: Quotas,
    now: datetime,
) -> Evidence:
    for other in present:
        if other.withdrawn_at is not None:
            continue
        same = (other.kind, other.sha256, other.site_id) == (row.kind, row.sha256, row.site_id)
        if (
            same
            and sorted(other.product_ids) == row.product_ids
            and evidence_details.details_of(other) == evidence_details.details_of(row)
        ):
            return other
    if len(present) >= max_files:
        raise _too_many_files(max_files)
    require_quota(session, actor, row, quotas)
    session.add(row)
    session.flush()
    recorder.record(
        session,
        actor,
        "evidence.added",
        ("evidence", row.id),
        now,
        case_id=row.application_id,
        organisation=row.organisation_id,
        kind=row.kind,
        sha256=row.sha256,
        stated=digest(evidence_details.fingerprint(row)),
    )
    return row


def _too_many_files(max_files: int) -> Conflict:
    return Conflict(Message("At most %(limit)s files can be uploaded here.", limit=max_files), code="too-many-files")


def remove_document(session: Session, actor: Actor, application_id: UUID, evidence_id: UUID, now: datetime) -> None:
    """Remove a document from a draft. Raises `Conflict` in any other state."""
    application = case_access.get_visible(session, actor, application_id, lock=True)
    row = get_document(session, actor, application_id, evidence_id)
    get_editable(session, actor, application_id, application.version, states=frozenset({State.DRAFT}))
    session.delete(row)
    recorder.record(session, actor, "evidence.removed", ("evidence", row.id), now, case_id=application.id)


def get_document(session: Session, actor: Actor, application_id: UUID, evidence_id: UUID) -> Evidence:
    application = case_access.get_visible(session, actor, application_id)
    row = application_repository.get_evidence(session, application.id, evidence_id)
    if row is None or not is_visible_to(actor, row):
        raise NotFound.of("evidence")
    return row


def is_visible_to(actor: Actor, row: Evidence) -> bool:
    """Return whether the actor may read the document; those that only staff supply are for staff."""
    kind = load_evidence_kinds().get(row.kind)
    return actor.is_staff or kind is None or not kind.is_staff_only


def visible_documents(actor: Actor, rows: Sequence[Evidence]) -> Sequence[Evidence]:
    return [row for row in rows if is_visible_to(actor, row)]


def list_for_application(session: Session, actor: Actor, application_id: UUID) -> Sequence[Evidence]:
    return visible_documents(
        actor, application_repository.list_evidence(session, case_access.get_visible(session, actor, application_id).id)
    )


def list_for_organisation(session: Session, actor: Actor, organisation_id: UUID) -> Sequence[Evidence]:
    organisation = (
        organisation_repository.find_organisation(session, organisation_id)
        if can_read_organisation(actor, organisation_id)
        else None
    )
    if organisation is None:
        raise NotFound.of("company")
    require_role(actor, Role.APPLICANT, *case_access.CASE_READERS)
    return visible_documents(actor, application_repository.list_company_evidence(session, organisation.id))


def get_visible(session: Session, actor: Actor, evidence_id: UUID, *, lock: bool = False) -> Evidence:
    """Return a document of an application or a company if the actor may read it. Raises `NotFound`."""
    row = application_repository.get_any_evidence(session, evidence_id, lock=lock)
    if row is None or not can_read_organisation(actor, row.organisation_id) or not is_visible_to(actor, row):
        raise NotFound.of("evidence")
    require_role(actor, Role.APPLICANT, *case_access.CASE_READERS)
    return row


def owned_document_ids(session: Session, organisation_id: UUID, ids: Collection[UUID]) -> Collection[UUID]:
    """Return those of the ids that are evidence documents of the company."""
    return application_repository.owned_evidence_ids(session, organisation_id, ids)


def list_orphan_files(session: Session, files: EvidenceFileStore, now: datetime) -> list[Path]:
    """Return files older than a day that no row names: leftovers of failed transactions and killed processes."""
    old = list(files.iterate_old_files(now.timestamp()))
    named = application_repository.referenced_hashes(
        session, [path.name for path in old if files.can_be_referenced(path)]
    )
    return [path for path in old if not (files.can_be_referenced(path) and path.name in named)]
