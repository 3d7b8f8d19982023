"""Manage claims to act for a company: a registrar compares them, then confirms one or refuses.

A claimant's entries belong to an organisation of their own. Confirmation merges it into the company of the VÖEN, or
makes it the company when there is none; all other claims of the VÖEN are refused. Uploads of a refused claim are erased
after 30 days, and its content passes to no one.

A claim to a confirmed company is disputed: its members are notified, one registrar proposes the confirmation, and
another one confirms, no earlier than ten days after the notification.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.applications import case_access, claim_repository
from app.applications.deadline_calculator import claim_due_at, objections_until
from app.applications.evidence import evidence_documents
from app.applications.evidence.details import EvidenceDetails, EvidenceSubject
from app.applications.evidence.file_store import StoredFile
from app.applications.evidence.quotas import Quotas
from app.applications.model import Evidence
from app.audit import recorder
from app.auth import authenticate, user_repository, users
from app.auth.permissions import require_role, require_second_factor, require_user_id
from app.core.actor import Actor, Role
from app.core.errors import (
    Conflict,
    ExpectedVersion,
    Forbidden,
    FourEyes,
    Invalid,
    NotFound,
    VersionPrecondition,
    WrongState,
    require_version,
)
from app.core.messages import Message
from app.core.text.normalize import normalize, text_error
from app.organisations import organisation_repository, registration
from app.organisations.model import Claim, ClaimState, OrganisationStatus
from app.reference import holiday_calendar


class ClaimDecision(StrEnum):
    PROPOSE = "propose"  # of a disputed claim; another registrar confirms it
    CONFIRM = "confirm"
    REFUSE = "refuse"


OPEN_STATES = frozenset({ClaimState.WAITING, ClaimState.DISPUTED})
UPLOAD_RETENTION = timedelta(days=30)
"""Retention of the uploads of a refused claim."""
MAX_REASON_CHARS = 2_000
OTHER_CLAIM_CONFIRMED = "Another claim of this number was confirmed."


def get_visible(session: Session, actor: Actor, claim_id: UUID) -> Claim:
    """Return the claim for case readers and its claimant. Raises `NotFound` for all others."""
    claim = organisation_repository.find_claim(session, claim_id)
    if claim is None or not (actor.is_staff or (actor.id is not None and claim.claimant_id == actor.id)):
        raise NotFound.of("company claim")
    if actor.is_staff:
        require_role(actor, *case_access.CASE_READERS)
    return claim


def list_claims(
    session: Session,
    actor: Actor,
    *,
    states: Collection[ClaimState] = (),
    voen: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[Claim]:
    """List claims. Staff read all; other callers only their own, whatever the filter."""
    if actor.is_staff:
        require_role(actor, *case_access.CASE_READERS)
        return organisation_repository.list_claims(session, states=states, voen=voen, after=after, limit=limit)
    return organisation_repository.list_claims(session, claimant_id=require_user_id(actor), after=after, limit=limit)


def list_other_claims(session: Session, claim: Claim) -> Sequence[Claim]:
    """List all other claims of the same VÖEN, decided ones included."""
    return [each for each in organisation_repository.list_claims(session, voen=claim.voen) if each.id != claim.id]


def list_documents(session: Session, rows: Collection[Claim]) -> Sequence[Evidence]:
    """List the documents uploaded with the claims; those of a confirmed claim belong to the company."""
    return claim_repository.list_documents(
        session, {row.organisation_id for row in rows if row.state != ClaimState.CONFIRMED}
    )


def list_competing_claims(session: Session, actor: Actor, organisation_id: UUID) -> Sequence[Claim]:
    """List others' claims to a confirmed company since its confirmation, for its members and case readers."""
    company = registration.get_organisation(session, actor, organisation_id)
    require_role(actor, Role.APPLICANT, *case_access.CASE_READERS)
    require_user_id(actor)
    if company.status != OrganisationStatus.CONFIRMED or company.confirmed_at is None:
        return ()
    since = organisation_repository.list_claims(session, voen=company.voen, made_since=company.confirmed_at)
    return [each for each in since if each.state != ClaimState.CONFIRMED or each.proposed_by is not None]


def due_dates(session: Session, rows: Collection[Claim]) -> Mapping[UUID, datetime]:
    """Return the registrar's deadline of each open claim, computed from the calendar."""
    calendar = holiday_calendar.load_calendar(session)
    return {row.id: claim_due_at(row.created_at, calendar) for row in rows if row.state == ClaimState.WAITING}


def load_for_decision(
    session: Session, actor: Actor, claim_id: UUID, version: ExpectedVersion, action: ClaimDecision, now: datetime
) -> Claim:
    """Lock the claim and all others of its VÖEN, and check that it can be decided.

    Raises, in this order: `NotFound`, `Forbidden`, `VersionRequired`, `StaleVersion`, `Conflict`.
    """
    claim = get_visible(session, actor, claim_id)
    require_role(actor, Role.REGISTRAR)
    require_second_factor(actor)
    claim = _lock_claims(session, claim)
    _require_second_person(actor, claim, action)
    if isinstance(version, VersionPrecondition):
        version.before_check()
    require_version(version, claim.version)
    _require_open(session, claim, action, now)
    return claim


def _lock_claims(session: Session, claim: Claim) -> Claim:
    """Lock all claims of the VÖEN, so that two registrars cannot confirm two of them."""
    return next(
        each for each in organisation_repository.list_claims(session, voen=claim.voen, lock=True) if each.id == claim.id
    )


def _require_second_person(actor: Actor, claim: Claim, action: ClaimDecision) -> None:
    if action == ClaimDecision.CONFIRM and claim.proposed_by is not None and claim.proposed_by == actor.id:
        raise FourEyes("You proposed to confirm this claim; another registrar must confirm it.")


def _require_open(session: Session, claim: Claim, action: ClaimDecision, now: datetime) -> None:
    state = ClaimState(claim.state)
    if state not in OPEN_STATES:
        raise WrongState("company claim", state=state, action=action, allowed=())
    if state is ClaimState.WAITING and action == ClaimDecision.PROPOSE:
        raise WrongState(
            "company claim", state=state, action=action, allowed=(ClaimDecision.CONFIRM, ClaimDecision.REFUSE)
        )
    if state is ClaimState.DISPUTED and action == ClaimDecision.CONFIRM:
        _require_proposal(session, claim, now)


def _require_proposal(session: Session, claim: Claim, now: datetime) -> None:
    if claim.proposed_by is None:
        raise Conflict(
            "Others act for this company already. One registrar proposes to confirm the claim, another confirms it.",
            code="not-proposed",
        )
    if Role.REGISTRAR not in user_repository.get_roles(session, claim.proposed_by):
        raise Conflict("The person who proposed this is no longer a registrar; propose it again.", code="proposer-left")
    until = objections_until(claim.created_at)
    if now < until:
        raise Conflict(
            "The members of the company were notified of the claim. They have ten days to object.",
            code="objections-open",
            data={"until": until.isoformat()},
        )


def confirm_claim(
    session: Session,
    actor: Actor,
    claim_id: UUID,
    *,
    basis: str,
    evidence_seen: Sequence[UUID] = (),
    version: ExpectedVersion,
    now: datetime,
) -> Claim:
    """Confirm that the claimant acts for the company, on evidence that the registrar has read.

    The entries become the company's, and all other claims of the VÖEN are refused. A disputed claim needs another
    registrar's proposal and ten days. Raises as `load_for_decision`; `FourEyes`; `Invalid`; `Conflict`: `not-proposed`,
    `proposer-left`, `objections-open`, `company-confirmed`, `listed-meanwhile`.
    """
    claim = load_for_decision(session, actor, claim_id, version, ClaimDecision.CONFIRM, now)
    kept_basis = _validate_text(basis, "/basis")
    known = {row.id for row in list_documents(session, [claim])}
    wrong = [
        {
            "pointer": f"/evidence_seen/{i}",
            "detail": Message("This document was not uploaded with the claim.", code="unknown-document"),
        }
        for i, each in enumerate(evidence_seen)
        if each not in known
    ]
    if wrong:
        raise Invalid.with_errors(wrong)
    # Applications and their rows are locked before companies, as in every other transaction.
    claim_repository.lock_entries(session, claim.organisation_id)
    company = organisation_repository.find_company_by_voen(session, claim.voen, lock=True)
    entered = organisation_repository.find_organisation(session, claim.organisation_id, lock=True)
    assert entered is not None  # a foreign key
    is_disputed = claim.state == ClaimState.DISPUTED
    if company is not None and company.status == OrganisationStatus.CONFIRMED and not is_disputed:
        raise Conflict(
            "Others were confirmed for this company just now. Refuse this claim; its claimant can claim again.",
            code="company-confirmed",
        )
    merged_from = None if company is None else entered.id
    target = entered if company is None else company
    if not is_disputed:
        target.status = OrganisationStatus.CONFIRMED.value
        target.confirmation_basis, target.confirmed_by, target.confirmed_at = kept_basis, actor.id, now
        target.refusal_reason = None
    target.version += 1
    claim.state, claim.decided_at, claim.decided_by = ClaimState.CONFIRMED.value, now, require_user_id(actor)
    claim.basis, claim.evidence_seen = kept_basis, [str(each) for each in evidence_seen]
    claim.version += 1
    try:
        session.flush()
    except IntegrityError as why:  # an import added the company concurrently
        raise Conflict("The register listed this company just now; confirm again.", code="listed-meanwhile") from why
    if is_disputed:
        users.withdraw_administration(session, actor, entered.id, now)
    if company is not None:
        claim.organisation_id = company.id
        session.flush()
        claim_repository.merge_into_company(session, entered, company)
    event, subject = ("claim.confirmed" if is_disputed else "organisation.confirmed"), ("organisation", target.id)
    recorder.record(session, actor, event, subject, now, claim=claim.id, merged_from=merged_from)
    for other in () if is_disputed else list_other_claims(session, claim):
        if ClaimState(other.state) in OPEN_STATES:
            _mark_refused(session, actor, other, OTHER_CLAIM_CONFIRMED, now)
    return claim


def propose_confirmation(
    session: Session, actor: Actor, claim_id: UUID, *, basis: str, version: ExpectedVersion, now: datetime
) -> Claim:
    """Propose that another registrar confirms a disputed claim. A later proposal replaces an earlier one.

    Raises as `load_for_decision`; `Invalid`.
    """
    claim = load_for_decision(session, actor, claim_id, version, ClaimDecision.PROPOSE, now)
    claim.proposal, claim.proposed_by, claim.proposed_at = _validate_text(basis, "/basis"), require_user_id(actor), now
    claim.version += 1
    session.flush()
    recorder.record(session, actor, "claim.proposed", ("claim", claim.id), now)
    return claim


def refuse_claim(
    session: Session, actor: Actor, claim_id: UUID, *, reason: str, version: ExpectedVersion, now: datetime
) -> Claim:
    """Refuse the claim: its API clients end, its uploads are erased after 30 days, its content passes to no one."""
    claim = load_for_decision(session, actor, claim_id, version, ClaimDecision.REFUSE, now)
    _mark_refused(session, actor, claim, _validate_text(reason, "/reason"), now)
    return claim


def _mark_refused(session: Session, actor: Actor, claim: Claim, reason: str, now: datetime) -> None:
    claim.state, claim.decided_at, claim.decided_by = ClaimState.REFUSED.value, now, require_user_id(actor)
    claim.reason = reason
    claim.version += 1
    entered = organisation_repository.find_organisation(session, claim.organisation_id, lock=True)
    assert entered is not None  # a foreign key
    entered.status, entered.refusal_reason = OrganisationStatus.REFUSED.value, reason
    entered.version += 1
    users.make_members_read_only(session, actor, entered.id, now)
    session.flush()
    recorder.record(session, actor, "organisation.refused", ("organisation", entered.id), now, claim=claim.id)


def require_can_claim_again(actor: Actor, before_check: Callable[[], None] = lambda: None) -> None:
    """Require a user whose claim was refused. `before_check` is called between 403 and 409."""
    require_user_id(actor)
    if actor.is_staff:
        raise Forbidden("This is for a person whose claim was refused.")
    before_check()
    if actor.organisation_id is not None:
        raise Conflict("You have a claim that is not refused, or act for a company already.", code="has-claim")


def create_another_claim(
    session: Session,
    actor: Actor,
    *,
    names: dict[str, str],
    voen: str,
    stored: StoredFile,
    quotas: Quotas,
    kind: str,
    file_name: str,
    about: EvidenceSubject,
    details: EvidenceDetails,
    now: datetime,
) -> Claim:
    """Create another claim with evidence that was in none of the user's refused claims.

    Raises as `require_can_claim_again`; `Invalid`.
    """
    require_can_claim_again(actor)
    if stored.sha256 in claim_repository.hashes_of_refused(session, require_user_id(actor)):
        raise Invalid.at(
            "/file", Message("This file was with your refused claim. Bring new evidence.", code="refused-before")
        )
    claim = registration.create_further_claim(session, actor, **names, voen=voen, now=now)
    acting = authenticate.with_organisation(actor, claim.organisation_id)
    evidence_documents.add_to_organisation(
        session,
        acting,
        claim.organisation_id,
        kind=kind,
        file_name=file_name,
        about=about,
        details=details,
        stored=stored,
        quotas=quotas,
        now=now,
    )
    return claim


def _validate_text(text: str, pointer: str) -> str:
    if wrong := text_error(text, MAX_REASON_CHARS, lines=True):
        raise Invalid.at(pointer, wrong)
    return normalize(text)


def claims_to_erase(session: Session, now: datetime) -> Sequence[UUID]:
    """Return refused claims whose uploads are due to be erased."""
    return claim_repository.claims_to_erase(session, now - UPLOAD_RETENTION)


def erase_uploads(session: Session, actor: Actor, claim_id: UUID, now: datetime) -> Sequence[str]:
    """Mark the uploads of a refused claim as erased; return the hashes of files that no other row names."""
    require_role(actor, Role.SYSTEM)
    claim = organisation_repository.find_claim(session, claim_id, lock=True)
    if (
        claim is None
        or claim.state != ClaimState.REFUSED
        or claim.decided_at is None
        or claim.decided_at > now - UPLOAD_RETENTION
    ):
        return []
    rows = [row for row in claim_repository.list_documents(session, [claim.organisation_id]) if row.erased_at is None]
    for row in rows:
        row.erased_at = now
    session.flush()
    recorder.record(session, actor, "claim.erased", ("claim", claim.id), now, files=[row.sha256 for row in rows])
    return sorted({row.sha256 for row in rows} - claim_repository.hashes_in_use(session, {row.sha256 for row in rows}))
