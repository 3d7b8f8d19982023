"""Adding evidence documents. What was submitted stays: it can be added to when asked, never taken away.

A document belongs to one application, or to its company for all applications (without an application). Whoever adds it,
it waits for its confirmation by a member of staff who did not (`confirmation.py`).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, case_access
from app.applications.evidence import details as evidence_details
from app.applications.evidence.details import About, Details
from app.applications.evidence.file_store import EvidenceFiles, StoredFile
from app.applications.evidence.quotas import Quotas, require_room
from app.applications.model import Application, Evidence
from app.applications.submission import editable
from app.applications.workflow import OPEN, State
from app.audit import recorder
from app.auth import user_repository
from app.auth.permissions import may_see, require, require_second_factor
from app.core.actor import Actor, ActorKind, Role
from app.core.canonical_json import digest
from app.core.database import new_id
from app.core.dates import baku_day
from app.core.errors import Conflict, Expected, Faults, Invalid, NotFound
from app.core.messages import Message, word_of
from app.organisations import organisation_repository
from app.organisations.model import Organisation
from app.products import product_repository
from app.reference.territory import HOME, territory, wrong_district
from app.schemes.evidence_kinds import EvidenceKind, Lookups, Supplier, ValueType, kinds

MOST_FILES = 100
MOST_OF_A_COMPANY = 1_000
ADDERS = (Role.REGISTRAR, Role.REVIEWER)
"""Members of staff who look up what only staff can, and confirm what companies upload."""


def takes_evidence(
    session: Session, actor: Actor, application_id: UUID, ask_first: Callable[[], None] = lambda: None
) -> Application:
    """The application, locked, while this actor can add to it: the company while it may edit, staff until the decision.

    The version is not asked for, adding loses nothing. `ask_first` is called between 403 and 409: a retry may come when
    the application is frozen already.
    """
    application = case_access.visible(session, actor, application_id, lock=True)
    if not actor.is_staff:
        return editable(session, actor, application_id, Expected(application.version, ask_first))
    require(actor, *ADDERS)
    require_second_factor(actor)
    ask_first()
    check_open(session, actor, application)
    return application


def check_open(session: Session, actor: Actor, application: Application) -> None:
    """Staff work on what was submitted and is not yet decided."""
    if State(application.state) not in OPEN - {State.DRAFT}:
        raise Conflict(
            Message("The application is %(state)s; its evidence stays as it is.", state=word_of(application.state)),
            code="application-frozen",
            data={
                "state": application.state,
                "allowed": [a.value for a in case_access.moves(session, actor, application)],
            },
        )


def takes_company_evidence(session: Session, actor: Actor, organisation_id: UUID) -> Organisation:
    """A company to which this actor may add evidence: its own members, registrar, reviewers."""
    organisation = organisation_repository.organisation(session, organisation_id, lock=True)
    if organisation is None or not may_see(actor, organisation_id):
        raise NotFound.of("company")
    require(actor, Role.APPLICANT, *ADDERS)
    if actor.is_staff:
        require_second_factor(actor)
    return organisation


def add(
    session: Session,
    actor: Actor,
    application_id: UUID,
    *,
    stored: StoredFile,
    quotas: Quotas,
    kind: str,
    file_name: str,
    about: About,
    details: Details,
    now: datetime,
) -> Evidence:
    """By the applicant, or by staff to a case. The same item sent twice is one."""
    application = takes_evidence(session, actor, application_id)
    faults = Faults()
    with faults.collected():
        check_subject(session, application.organisation_id, application.id, about)
    with faults.collected():
        row = _described(session, actor, application.organisation_id, stored, kind, file_name, about, details, now)
    faults.refuse()
    row.application_id = application.id
    return _enter(
        session, actor, row, application_repository.evidence_of(session, application.id), MOST_FILES, quotas, now
    )


def add_of_company(
    session: Session,
    actor: Actor,
    organisation_id: UUID,
    *,
    stored: StoredFile,
    quotas: Quotas,
    kind: str,
    file_name: str,
    about: About,
    details: Details,
    now: datetime,
) -> Evidence:
    """Once for all applications of the company, by its members or by staff. The same item sent twice is one."""
    organisation = takes_company_evidence(session, actor, organisation_id)
    faults = Faults()
    with faults.collected():
        check_subject(session, organisation.id, None, about)
    with faults.collected():
        row = _described(session, actor, organisation.id, stored, kind, file_name, about, details, now)
    faults.refuse()
    present = application_repository.evidence_of_company(session, organisation.id)
    return _enter(session, actor, row, present, MOST_OF_A_COMPANY, quotas, now)


NOT_IN_APPLICATION = Message("This product is not in the application.", code="unknown-product")
NO_SUCH_PRODUCT = Message("The company has no such product.", code="unknown-product")


def check_subject(session: Session, organisation_id: UUID, application_id: UUID | None, about: About) -> None:
    """Products of the application (or, without one, of the company) and sites of the company; Invalid otherwise."""
    errors = []
    if about.product_ids:
        known: Collection[UUID] = (
            application_repository.product_ids(session, application_id)
            if application_id is not None
            else product_repository.owned(session, organisation_id, about.product_ids)
        )
        where = NOT_IN_APPLICATION if application_id else NO_SUCH_PRODUCT
        if not set(about.product_ids) <= set(known):
            errors.append({"pointer": "/product_ids", "detail": where})
    if about.site_id is not None and organisation_repository.site(session, about.site_id, organisation_id) is None:
        errors.append({"pointer": "/site_id", "detail": Message("The company has no such site.", code="unknown-site")})
    if errors:
        raise Invalid.with_all(errors)


def lookups(session: Session, organisation_id: UUID) -> Lookups:
    """How values are checked that only the tables can tell: members of the company, districts."""

    def member(text: str) -> str:
        user = user_repository.user(session, UUID(text))
        if user is None or user.organisation_id != organisation_id or not user.active:
            raise ValueError(
                Message("This is not the id of a member of the company.", code="unknown-member-of-company")
            )
        return text

    def district(text: str) -> str:
        found = territory().find(text)
        if found is None:
            raise ValueError(wrong_district(HOME, text))
        return found.name

    return {ValueType.MEMBER: member, ValueType.DISTRICT: district}


def with_default_signer(session: Session, kind: EvidenceKind, details: Details, user_id: UUID | None) -> Details:
    """Where a kind asks for a member of the company and none is named: the member who uploaded the document."""
    missing = [
        name for name, spec in kind.values.items() if spec.type is ValueType.MEMBER and details.values.get(name) is None
    ]
    user = user_repository.user(session, user_id) if missing and user_id is not None else None
    if user is None or user.is_staff or not user.active:
        return details
    return replace(details, values={**details.values, **dict.fromkeys(missing, str(user.id))})


def _described(
    session: Session,
    actor: Actor,
    organisation_id: UUID,
    stored: StoredFile,
    code: str,
    file_name: str,
    about: About,
    details: Details,
    now: datetime,
) -> Evidence:
    kind = evidence_details.kind_of(code)
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
    asked = lookups(session, organisation_id)
    kept = evidence_details.checked(kind, about, details, baku_day(now), complete=actor.is_staff, lookups=asked)
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
        entered=None if actor.is_staff else evidence_details.as_entered(about, kept),
        file_name=file_name,
        media_type=stored.media_type,
        size=stored.size,
        sha256=stored.sha256,
        uploaded_by=actor.id,
        uploaded_at=now,
        version=1,
    )


def _enter(
    session: Session,
    actor: Actor,
    row: Evidence,
    present: Sequence[Evidence],
    most: int,
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
    if len(present) >= most:
        raise _too_many(most)
    require_room(session, actor, row, quotas)
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
        stated=digest(evidence_details.hashed(row)),
    )
    return row


def _too_many(most: int) -> Conflict:
    return Conflict(Message("No more than %(limit)s files are taken here.", limit=most), code="too-many-files")


def remove(session: Session, actor: Actor, application_id: UUID, evidence_id: UUID, now: datetime) -> None:
    """Only from a draft: nobody has looked at it yet."""
    application = case_access.visible(session, actor, application_id, lock=True)
    row = find(session, actor, application_id, evidence_id)
    editable(session, actor, application_id, application.version, states=frozenset({State.DRAFT}))
    session.delete(row)
    recorder.record(session, actor, "evidence.removed", ("evidence", row.id), now, case_id=application.id)


def find(session: Session, actor: Actor, application_id: UUID, evidence_id: UUID) -> Evidence:
    application = case_access.visible(session, actor, application_id)
    row = application_repository.evidence(session, application.id, evidence_id)
    if row is None or not is_shown(actor, row):
        raise NotFound.of("evidence")
    return row


def is_shown(actor: Actor, row: Evidence) -> bool:
    """What only staff supply is for staff: a company reads what follows from it, never the document."""
    kind = kinds().get(row.kind)
    return actor.is_staff or kind is None or not kind.is_staff_only


def shown(actor: Actor, rows: Sequence[Evidence]) -> Sequence[Evidence]:
    return [row for row in rows if is_shown(actor, row)]


def list_of(session: Session, actor: Actor, application_id: UUID) -> Sequence[Evidence]:
    return shown(
        actor, application_repository.evidence_of(session, case_access.visible(session, actor, application_id).id)
    )


def list_of_company(session: Session, actor: Actor, organisation_id: UUID) -> Sequence[Evidence]:
    organisation = (
        organisation_repository.organisation(session, organisation_id) if may_see(actor, organisation_id) else None
    )
    if organisation is None:
        raise NotFound.of("company")
    require(actor, Role.APPLICANT, *case_access.CASE_READERS)
    return shown(actor, application_repository.evidence_of_company(session, organisation.id))


def visible(session: Session, actor: Actor, evidence_id: UUID, *, lock: bool = False) -> Evidence:
    """One item, of an application or of a company, if this actor may know of it."""
    row = application_repository.any_evidence(session, evidence_id, lock=lock)
    if row is None or not may_see(actor, row.organisation_id) or not is_shown(actor, row):
        raise NotFound.of("evidence")
    require(actor, Role.APPLICANT, *case_access.CASE_READERS)
    return row


def owned(session: Session, organisation_id: UUID, ids: Collection[UUID]) -> Collection[UUID]:
    """Those of these ids that are evidence documents of this company; products pass it on as `documents`."""
    return application_repository.evidence_owned(session, organisation_id, ids)


def stray_files(session: Session, files: EvidenceFiles, now: datetime) -> list[Path]:
    """Return the files that are older than a day and named by no row: what transactions that failed and processes that
    were killed have left, drafts among them."""
    old = list(files.old(now.timestamp()))
    named = application_repository.known_hashes(session, [path.name for path in old if files.is_named(path)])
    return [path for path in old if not (files.is_named(path) and path.name in named)]
