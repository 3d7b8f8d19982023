"""Query applications and their evidence, declarations, assessments, notes and decisions.

Queries that take `organisation_id` find no rows of another company.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.applications.model import (
    Application,
    ApplicationProduct,
    AssessmentRow,
    CaseNote,
    DecidedProduct,
    Decision,
    Declaration,
    Evidence,
    FileScan,
    InformationRequest,
    Recommendation,
    VisitWaiver,
)
from app.applications.workflow import EDITABLE_STATES, OPEN_STATES, State
from app.audit.model import AuditEvent
from app.certificates.model import Certificate, CertificateStatus
from app.core.database import core_table, locked, page_of, parts_of
from app.organisations.model import COMPANY_STATUSES, Organisation
from app.products.model import Product


@dataclass(frozen=True, slots=True)
class CaseFilter:
    state: State | None = None
    scheme: str | None = None
    assignee_id: UUID | None = None
    organisation_id: UUID | None = None
    reference: str | None = None
    with_drafts: bool = False
    started_before: tuple["StartedBefore", ...] | None = None  # any of these; None: no filter by age
    changed_from: datetime | None = None  # inclusive; time of an event of the application


@dataclass(frozen=True, slots=True)
class StartedBefore:
    """Select applications in `state` that began before a moment: the state, or the time with staff."""

    state: State
    before: datetime
    counts_from_submission: bool


# Every step of every case runs these queries. They are built once, because building takes half of their cost.
_ID: sa.BindParameter[UUID] = sa.bindparam("id")
_APPLICATION = sa.select(Application).where(Application.id == _ID)
_APPLICATION_LOCKED = locked(_APPLICATION)
_PRODUCT_IDS = (
    sa.select(ApplicationProduct.product_id)
    .where(ApplicationProduct.application_id == _ID)
    .order_by(ApplicationProduct.position)
)
_EVIDENCE_OF = sa.select(Evidence).where(Evidence.application_id == _ID).order_by(Evidence.id)
_EVIDENCE_FOR = (
    sa.select(Evidence)
    .where(
        Evidence.organisation_id == sa.bindparam("organisation_id"),
        sa.or_(Evidence.application_id.is_(None), Evidence.application_id == _ID),
        Evidence.withdrawn_at.is_(None),
    )
    .order_by(Evidence.id)
)
_EVIDENCE_FOR_SHARE = _EVIDENCE_FOR.with_for_update(read=True).execution_options(populate_existing=True)
_INFORMATION_REQUESTS = (
    sa.select(InformationRequest).where(InformationRequest.application_id == _ID).order_by(InformationRequest.id)
)
_OPEN_RECOMMENDATION = sa.select(Recommendation).where(
    Recommendation.application_id == _ID, Recommendation.voided_at.is_(None)
)
_ADD_ASSESSMENTS = sa.insert(core_table(AssessmentRow))
_ADD_DECIDED_PRODUCTS = sa.insert(core_table(DecidedProduct))
_DECISION = sa.select(Decision).where(Decision.application_id == _ID)
_DECLARATION = (
    sa.select(Declaration)
    .where(Declaration.application_id == _ID)
    .order_by(Declaration.made_at.desc(), Declaration.id.desc())
    .limit(1)
)
_CERTIFICATES_OF_SITES = (
    sa.select(Certificate, Product.unit)
    .join(Product, Product.id == Certificate.product_id)
    .where(
        Certificate.site_id.in_(sa.bindparam("ids", expanding=True)),
        Certificate.status.in_([CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED]),
        Certificate.valid_until >= sa.bindparam("today"),
    )
    .order_by(Certificate.number)
)
_CONFIRMED_OF_KIND = (
    sa.select(Evidence)
    .where(
        Evidence.organisation_id == sa.bindparam("organisation_id"),
        Evidence.kind == sa.bindparam("kind"),
        Evidence.confirmed_at.is_not(None),
    )
    .order_by(Evidence.id)
)


def get_application(
    session: Session, application_id: UUID, organisation_id: UUID | None = None, *, lock: bool = False
) -> Application | None:
    query = _APPLICATION_LOCKED if lock else _APPLICATION
    if organisation_id is not None:
        query = query.where(Application.organisation_id == organisation_id)
    return session.scalars(query, {"id": application_id}).one_or_none()


def lock_applications(session: Session, application_ids: Sequence[UUID]) -> Sequence[Application]:
    """Lock the applications in the order of their ids, so that two concurrent callers wait instead of deadlocking."""
    query = sa.select(Application).where(Application.id.in_(application_ids)).order_by(Application.id)
    return session.scalars(locked(query)).all()


def list_applications(
    session: Session, case_filter: CaseFilter, after: UUID | None, limit: int
) -> Sequence[Application]:
    query = sa.select(Application)
    if case_filter.state:
        query = query.where(Application.state == case_filter.state)
    if not case_filter.with_drafts:
        query = query.where(Application.submitted_at.is_not(None))
    if case_filter.scheme:
        query = query.where(Application.scheme_code == case_filter.scheme)
    if case_filter.assignee_id:
        query = query.where(Application.assignee_id == case_filter.assignee_id)
    if case_filter.organisation_id:
        query = query.where(Application.organisation_id == case_filter.organisation_id)
    if case_filter.reference is not None:
        query = query.where(Application.reference == case_filter.reference)
    if case_filter.started_before is not None:
        started = [
            sa.and_(
                Application.state == since.state,
                (Application.submitted_at if since.counts_from_submission else Application.state_since) < since.before,
            )
            for since in case_filter.started_before
        ]
        query = query.where(sa.or_(sa.false(), *started))
    if case_filter.changed_from is not None:
        changes = sa.exists().where(
            AuditEvent.case_id == Application.id,
            AuditEvent.event.startswith("application."),
            AuditEvent.at >= case_filter.changed_from,
        )
        query = query.where(changes)
    return page_of(session, query, Application.id, after, limit)


def list_open_cases(session: Session, scheme_code: str, after: UUID | None, limit: int) -> Sequence[Application]:
    """List submitted, undecided cases of a mark, oldest first."""
    query = sa.select(Application).where(
        Application.scheme_code == scheme_code,
        Application.state.in_([state for state in OPEN_STATES if state is not State.DRAFT]),
    )
    return page_of(session, query, Application.id, after, limit)


def find_by_reference(session: Session, organisation_id: UUID, reference: str) -> Application | None:
    query = sa.select(Application).where(
        Application.organisation_id == organisation_id, Application.reference == reference
    )
    return session.scalars(query).one_or_none()


def product_ids(session: Session, application_id: UUID) -> Sequence[UUID]:
    """Return the product ids in the order of the application."""
    return session.scalars(_PRODUCT_IDS, {"id": application_id}).all()


def product_counts(session: Session, application_ids: Sequence[UUID]) -> dict[UUID, int]:
    query = (
        sa.select(ApplicationProduct.application_id, sa.func.count())
        .where(ApplicationProduct.application_id.in_(application_ids))
        .group_by(ApplicationProduct.application_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def replace_products(session: Session, application_id: UUID, ids: Sequence[UUID]) -> None:
    session.execute(sa.delete(ApplicationProduct).where(ApplicationProduct.application_id == application_id))
    for position, product_id in enumerate(ids):
        session.add(ApplicationProduct(application_id=application_id, product_id=product_id, position=position))
    session.flush()


def application_locking_product(session: Session, product_id: UUID) -> UUID | None:
    """Return an application under review that contains the product; while there is one, the product must not change."""
    query = (
        sa.select(Application.id)
        .join(ApplicationProduct, ApplicationProduct.application_id == Application.id)
        .where(ApplicationProduct.product_id == product_id, Application.state.in_(OPEN_STATES - EDITABLE_STATES))
    )
    return session.scalars(query.limit(1)).first()


def other_open_applications(
    session: Session, scheme_code: str, ids: Sequence[UUID], excluded_id: UUID
) -> Sequence[tuple[UUID, str]]:
    """Return (product id, application number) of other submitted applications for the same mark."""
    query = (
        sa.select(ApplicationProduct.product_id, Application.number)
        .join(Application, Application.id == ApplicationProduct.application_id)
        .where(
            ApplicationProduct.product_id.in_(ids),
            Application.scheme_code == scheme_code,
            Application.id != excluded_id,
            Application.state.in_(OPEN_STATES - {State.DRAFT}),
        )
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def products_under_review(session: Session, organisation_id: UUID) -> Sequence[tuple[str, UUID, UUID]]:
    """Return (application number, product id, site id) of the company's submitted, undecided applications."""
    query = (
        sa.select(Application.number, Product.id, Product.site_id)
        .join(ApplicationProduct, ApplicationProduct.application_id == Application.id)
        .join(Product, Product.id == ApplicationProduct.product_id)
        .where(Application.organisation_id == organisation_id, Application.state.in_(OPEN_STATES - {State.DRAFT}))
        .order_by(Application.number)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def list_evidence(session: Session, application_id: UUID) -> Sequence[Evidence]:
    return session.scalars(_EVIDENCE_OF, {"id": application_id}).all()


def get_evidence(session: Session, application_id: UUID, evidence_id: UUID) -> Evidence | None:
    query = sa.select(Evidence).where(Evidence.id == evidence_id, Evidence.application_id == application_id)
    return session.scalars(query).one_or_none()


def list_company_evidence(session: Session, organisation_id: UUID) -> Sequence[Evidence]:
    """List the evidence documents that the company uploaded for all its applications."""
    query = sa.select(Evidence).where(Evidence.organisation_id == organisation_id, Evidence.application_id.is_(None))
    return session.scalars(query.order_by(Evidence.id)).all()


def evidence_usage(session: Session, organisation_id: UUID) -> tuple[int, int]:
    """Return the number of files that an organisation has stored, and their total bytes."""
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(Evidence.size), 0))
    files, size = session.execute(query.where(Evidence.organisation_id == organisation_id)).one()
    return files, int(size)


def referenced_hashes(session: Session, hashes: Sequence[str]) -> frozenset[str]:
    """Return those of the hashes that evidence rows name whose file is not erased."""
    found: set[str] = set()
    for part in parts_of(hashes):
        some = Evidence.sha256.in_(part)
        found.update(session.scalars(sa.select(Evidence.sha256).where(some, Evidence.erased_at.is_(None))))
    return frozenset(found)


def find_file_scans(session: Session, hashes: Collection[str]) -> dict[str, FileScan]:
    """Return the scans of these files by their hash; files that were not scanned are missing."""
    found: dict[str, FileScan] = {}
    for part in parts_of(sorted(hashes)):
        found |= {row.sha256: row for row in session.scalars(sa.select(FileScan).where(FileScan.sha256.in_(part)))}
    return found


def save_file_scan(session: Session, sha256: str, signature: str | None, scanner: str, now: datetime) -> None:
    """Insert the scan of a file, or replace it: two uploads of the same content may be under way at once."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(core_table(FileScan)).values(sha256=sha256, signature=signature, scanner=scanner, scanned_at=now)
    replaced = {name: statement.excluded[name] for name in ("signature", "scanner", "scanned_at")}
    session.execute(statement.on_conflict_do_update(index_elements=["sha256"], set_=replaced))


def unscanned_hashes(session: Session, limit: int) -> list[str]:
    """Return up to `limit` hashes of stored files without a scan, oldest upload first."""
    is_scanned = sa.exists().where(FileScan.sha256 == Evidence.sha256)
    query = sa.select(Evidence.sha256).where(Evidence.erased_at.is_(None), ~is_scanned).group_by(Evidence.sha256)
    return list(session.scalars(query.order_by(sa.func.min(Evidence.uploaded_at)).limit(limit)))


def list_evidence_with(session: Session, sha256: str) -> Sequence[Evidence]:
    """List the evidence documents with this content."""
    return session.scalars(sa.select(Evidence).where(Evidence.sha256 == sha256).order_by(Evidence.id)).all()


def list_usable_evidence(
    session: Session, organisation_id: UUID, application_id: UUID | None, *, for_share: bool = False
) -> Sequence[Evidence]:
    """List the evidence of the application and of its company, without withdrawn documents.

    `for_share` locks the rows (`SELECT … FOR SHARE`), so that none of them changes until the transaction ends.
    """
    params = {"organisation_id": organisation_id, "id": application_id}
    return session.scalars(_EVIDENCE_FOR_SHARE if for_share else _EVIDENCE_FOR, params).all()


def get_any_evidence(session: Session, evidence_id: UUID, *, lock: bool = False) -> Evidence | None:
    query = sa.select(Evidence).where(Evidence.id == evidence_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()


def owned_evidence_ids(session: Session, organisation_id: UUID, ids: Collection[UUID]) -> Collection[UUID]:
    """Return those of the ids that are evidence documents of the company and not withdrawn."""
    query = sa.select(Evidence.id).where(
        Evidence.organisation_id == organisation_id, Evidence.id.in_(ids), Evidence.withdrawn_at.is_(None)
    )
    return frozenset(session.scalars(query))


def list_confirmed_of_kind(session: Session, organisation_id: UUID, kind: str) -> Sequence[Evidence]:
    """List confirmed documents of one kind of the company, including those of its applications."""
    params = {"organisation_id": organisation_id, "kind": kind}
    return session.scalars(_CONFIRMED_OF_KIND, params).all()


def certificates_of_sites(
    session: Session, site_ids: Collection[UUID], today: date
) -> Sequence[tuple[Certificate, str]]:
    """Return active or suspended, unexpired certificates of the sites under any mark, with the unit of each product."""
    found = session.execute(_CERTIFICATES_OF_SITES, {"ids": list(site_ids), "today": today})
    return [(certificate, unit) for certificate, unit in found]


def latest_declaration(session: Session, application_id: UUID) -> Declaration | None:
    """Return the newest declaration for the application."""
    return session.scalars(_DECLARATION, {"id": application_id}).one_or_none()


def get_visit_waiver(session: Session, application_id: UUID) -> VisitWaiver | None:
    return session.get(VisitWaiver, application_id)


def brands_of_others(session: Session, scheme_code: str, organisation_id: UUID) -> Sequence[str]:
    """List the brands of other companies' certified products under this mark; certificates make them public."""
    query = (  # the result grows with the number of certificates of the mark
        sa.select(Product.brand)
        .join(Certificate, Certificate.product_id == Product.id)
        .where(
            Certificate.scheme_code == scheme_code,
            Certificate.organisation_id != organisation_id,
            Certificate.status.in_([CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED]),
            Product.brand.is_not(None),
        )
        .distinct()
    )
    return sorted(brand for brand in session.scalars(query) if brand)


def list_information_requests(session: Session, application_id: UUID) -> Sequence[InformationRequest]:
    return session.scalars(_INFORMATION_REQUESTS, {"id": application_id}).all()


def list_pauses(
    session: Session, application_ids: Sequence[UUID]
) -> dict[UUID, tuple[tuple[datetime, datetime | None], ...]]:
    """Return (asked, answered) of each application's questions; staff time does not count between the two."""
    query = (
        sa.select(InformationRequest.application_id, InformationRequest.asked_at, InformationRequest.answered_at)
        .where(InformationRequest.application_id.in_(application_ids))
        .distinct()
    )
    found: dict[UUID, tuple[tuple[datetime, datetime | None], ...]] = {}
    for application_id, asked, answered in session.execute(query):
        found[application_id] = (*found.get(application_id, ()), (asked, answered))
    return found


def get_open_recommendation(session: Session, application_id: UUID) -> Recommendation | None:
    return session.scalars(_OPEN_RECOMMENDATION, {"id": application_id}).one_or_none()


def void_recommendation(recommendation: Recommendation, now: datetime) -> None:
    recommendation.voided_at = now


def get_decision(session: Session, application_id: UUID) -> Decision | None:
    return session.scalars(_DECISION, {"id": application_id}).one_or_none()


def recommendations_by_id(session: Session, ids: Sequence[UUID]) -> dict[UUID, Recommendation]:
    return {row.id: row for row in session.scalars(sa.select(Recommendation).where(Recommendation.id.in_(ids)))}


def decisions_by_id(session: Session, ids: Sequence[UUID]) -> dict[UUID, Decision]:
    return {row.id: row for row in session.scalars(sa.select(Decision).where(Decision.id.in_(ids)))}


def existing_decision_ids(session: Session, ids: Sequence[UUID]) -> set[UUID]:
    return set(session.scalars(sa.select(Decision.id).where(Decision.id.in_(ids))))


def decided_products_of(session: Session, decision_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, DecidedProduct]]:
    """Return decision → product → decided product."""
    found: dict[UUID, dict[UUID, DecidedProduct]] = {}
    for row in session.scalars(sa.select(DecidedProduct).where(DecidedProduct.decision_id.in_(decision_ids))):
        found.setdefault(row.decision_id, {})[row.product_id] = row
    return found


def applications_by_id(session: Session, ids: Sequence[UUID]) -> dict[UUID, Application]:
    return {row.id: row for row in session.scalars(sa.select(Application).where(Application.id.in_(ids)))}


def add_assessments(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    session.execute(_ADD_ASSESSMENTS, [dict(row) for row in rows])


def add_decided_products(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert decided products. The row of their decision must be flushed before."""
    session.execute(_ADD_DECIDED_PRODUCTS, [dict(row) for row in rows])


def latest_assessments(session: Session, application_id: UUID) -> Sequence[AssessmentRow]:
    """Return the newest assessment of each product, ordered by time."""
    newest = (
        sa.select(sa.func.max(AssessmentRow.assessed_at))
        .where(AssessmentRow.application_id == application_id)
        .scalar_subquery()
    )
    query = sa.select(AssessmentRow).where(
        AssessmentRow.application_id == application_id, AssessmentRow.assessed_at == newest
    )
    # Two assessments can have equal timestamps. Ids sort by creation time, so the later one replaces the earlier one.
    return list({row.product_id: row for row in session.scalars(query.order_by(AssessmentRow.id))}.values())


def list_notes(session: Session, application_id: UUID, after: UUID | None, limit: int) -> Sequence[CaseNote]:
    """List the notes of a case, oldest first."""
    query = sa.select(CaseNote).where(CaseNote.application_id == application_id)
    return page_of(session, query, CaseNote.id, after, limit)


def notes_by_id(session: Session, application_id: UUID) -> dict[UUID, CaseNote]:
    query = sa.select(CaseNote).where(CaseNote.application_id == application_id)
    return {note.id: note for note in session.scalars(query)}


def list_ownership_statements(
    session: Session, organisation: Organisation, *, kind: str, other_voen: str
) -> Sequence[Any]:
    """Return the confirmed statements of shares by this company, and those of other companies that name it."""
    params = {"id": organisation.id, "voen": organisation.voen}
    return session.execute(_ownership_statements(kind, other_voen), params).all()


@cache
def _ownership_statements(kind: str, other_voen: str) -> sa.Select[Any]:
    return (
        sa.select(Evidence.organisation_id, Evidence.stated, Organisation.voen)
        .join(Organisation, Organisation.id == Evidence.organisation_id)
        .where(
            Evidence.kind == kind,
            Evidence.confirmed_at.is_not(None),
            Organisation.status.in_(COMPANY_STATUSES),
            sa.or_(Evidence.organisation_id == _ID, Evidence.stated[other_voen].as_string() == sa.bindparam("voen")),
        )
    )
