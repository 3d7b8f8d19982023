"""Register companies. A company is `listed` by an import of the resident register, or created by a confirmed claim.

A person who registers claims to act for a company. Their entries belong to an organisation of its own, `unconfirmed`,
beside the listed one and all other claims. Registrars decide about claims: `app/applications/claims.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import user_repository, users
from app.auth.model import User
from app.auth.permissions import can_read_organisation, require_staff, require_user_id
from app.core.actor import SYSTEM, Actor
from app.core.database import new_id
from app.core.errors import Conflict, Invalid, NotFound
from app.core.text import confusables
from app.core.text.normalize import normalize, search_fold, text_error
from app.organisations import organisation_repository, tax_number
from app.organisations.model import Claim, ClaimState, Organisation, OrganisationStatus, RecordSource
from app.organisations.tax_number import Voen

MAX_NAME_LENGTH = 250
MAX_FORM_LENGTH = 60


def register_company(
    session: Session,
    *,
    legal_name_az: str,
    legal_name_en: str,
    legal_form: str,
    voen: str,
    email: str,
    full_name: str,
    password_hash: str,
    now: datetime,
    language: str | None = None,
) -> tuple[Claim, User]:
    """Create a claim and its user, who may draft but not submit until the claim is confirmed.

    The response does not reveal whether the VÖEN is listed. Raises `Invalid`, `Conflict` (`email-taken`).
    """
    checked = _require_valid_claim(
        {"legal_name_az": legal_name_az, "legal_name_en": legal_name_en}, legal_form, full_name, voen
    )
    try:
        with session.begin_nested():  # the transaction stays usable if a concurrent registration took the address
            organisation = _create_provisional(session, checked, now)
            member = users.create_member(
                session,
                SYSTEM,
                organisation_id=organisation.id,
                email=email,
                full_name=normalize(full_name),
                password_hash=password_hash,
                language=language,
                now=now,
            )
            claim = _create_claim(session, SYSTEM, checked, organisation, member.id, now)
    except IntegrityError as why:
        raise Conflict("This e-mail address is registered already.", code="email-taken") from why
    return claim, member


def create_further_claim(
    session: Session,
    actor: Actor,
    *,
    legal_name_az: str,
    legal_name_en: str,
    legal_form: str,
    voen: str,
    now: datetime,
) -> Claim:
    """Create another claim of a person whose claim was refused. Raises `Invalid`, `Conflict` (`has-claim`)."""
    user = user_repository.lock_user(session, require_user_id(actor))
    checked = _require_valid_claim(
        {"legal_name_az": legal_name_az, "legal_name_en": legal_name_en}, legal_form, None, voen
    )
    if user is None or user.read_only_since is None:
        raise Conflict("You have a claim that is not refused, or act for a company already.", code="has-claim")
    organisation = _create_provisional(session, checked, now)
    user.organisation_id, user.read_only_since, user.is_administrator = organisation.id, None, True
    return _create_claim(session, actor, checked, organisation, user.id, now)


def _create_provisional(session: Session, checked: tuple[Mapping[str, str], Voen], now: datetime) -> Organisation:
    names, number = checked
    organisation = Organisation(
        id=new_id(),
        **names,
        voen=number.digits,
        voen_needs_review=number.needs_review,
        source=RecordSource.APPLICANT.value,
        search_text=build_search_text(names["legal_name_az"], names["legal_name_en"], number.digits),
        status=OrganisationStatus.UNCONFIRMED.value,
        created_at=now,
    )
    session.add(organisation)
    session.flush()
    return organisation


def _create_claim(
    session: Session,
    actor: Actor,
    checked: tuple[Mapping[str, str], Voen],
    organisation: Organisation,
    claimant_id: UUID,
    now: datetime,
) -> Claim:
    names, number = checked
    # Locked, so that a concurrent confirmation does not leave this claim waiting beside it.
    company = organisation_repository.find_company_by_voen(session, number.digits, lock=True)
    is_disputed = company is not None and company.status == OrganisationStatus.CONFIRMED
    claim = Claim(
        id=new_id(),
        **names,
        voen=number.digits,
        claimant_id=claimant_id,
        organisation_id=organisation.id,
        state=(ClaimState.DISPUTED if is_disputed else ClaimState.WAITING).value,
        created_at=now,
        evidence_seen=[],
        version=1,
    )
    session.add(claim)
    session.flush()
    recorder.record(
        session,
        actor,
        "organisation.registered",
        ("organisation", organisation.id),
        now,
        claim=claim.id,
        listed=company is not None,
        member=claimant_id,
        voen_needs_review=number.needs_review,
    )
    if company is not None and is_disputed:
        # Members of the company see the claim in their list of competing claims.
        recorder.record(session, SYSTEM, "claim.disputed", ("organisation", company.id), now, claim=claim.id)
    return claim


def get_organisation(session: Session, actor: Actor, organisation_id: UUID) -> Organisation:
    organisation = (
        organisation_repository.find_organisation(session, organisation_id)
        if can_read_organisation(actor, organisation_id)
        else None
    )
    if organisation is None:
        raise NotFound.of("company")
    return organisation


def list_organisations(
    session: Session,
    actor: Actor,
    *,
    status: OrganisationStatus | None = None,
    q: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[Organisation]:
    """List organisations by id, for staff; `q` is searched in the names and the VÖEN."""
    require_staff(actor)
    return organisation_repository.list_organisations(session, status=status, q=q, after=after, limit=limit)


def build_search_text(legal_name_az: str, legal_name_en: str, digits: str) -> str:
    """Return the folded text that a search matches."""
    return search_fold(f"{legal_name_az} {legal_name_en} {digits}")


def _require_valid_claim(
    legal_names: Mapping[str, str], legal_form: str, full_name: str | None, number: str
) -> tuple[dict[str, str], Voen]:
    errors = claim_errors(legal_names, legal_form, number)
    if full_name is not None and (fault := text_error(full_name, MAX_NAME_LENGTH)):
        errors.append({"pointer": "/full_name", "detail": fault})
    read = tax_number.parse_voen(number)
    if errors or isinstance(read, tax_number.InvalidVoen):
        raise Invalid.with_errors(errors)
    return {name: normalize(text) for name, text in {**legal_names, "legal_form": legal_form}.items()}, read


def claim_errors(legal_names: Mapping[str, str], legal_form: str, number: str) -> list[dict[str, str]]:
    """Return everything wrong with a company as a claim describes it."""
    errors = []
    for name, text in legal_names.items():
        if fault := text_error(text, MAX_NAME_LENGTH) or confusables.name_error(normalize(text)):
            errors.append({"pointer": f"/{name}", "detail": fault})
    if fault := text_error(legal_form, MAX_FORM_LENGTH) or confusables.name_error(normalize(legal_form)):
        errors.append({"pointer": "/legal_form", "detail": fault})
    read = tax_number.parse_voen(number)
    if isinstance(read, tax_number.InvalidVoen):
        errors.append({"pointer": "/voen", "detail": read.reason})
    return errors
