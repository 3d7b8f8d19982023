"""What people are told of acts of others. Called beside the act, in its transaction."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.auth import user_repository
from app.auth.model import Invitation, PasswordReset, User
from app.core.actor import Role
from app.core.crypto.secret_box import Seal
from app.notifications import outbox
from app.notifications.model import Kind
from app.organisations import organisation_repository
from app.organisations.model import Claim, ClaimState


def reset_issued(session: Session, seal: Seal, user: User, reset: PasswordReset, token: str, *, now: datetime) -> None:
    """To the account's own address, and to nobody else. An account without a password gets its first one."""
    kind = Kind.RESET_PASSWORD if user.password_hash else Kind.FIRST_PASSWORD
    message = outbox.add(session, kind, user.email, language=user.language, now=now)
    outbox.set_token(message, seal, token, reset.expires_at)


def role_granted(session: Session, user: User, role: Role, *, now: datetime) -> None:
    _tell(session, Kind.ROLE_GRANTED, user, {"role": role.value}, now)


def role_taken(session: Session, user: User, role: Role, *, now: datetime) -> None:
    _tell(session, Kind.ROLE_TAKEN, user, {"role": role.value}, now)


def account_closed(session: Session, user: User, *, now: datetime) -> None:
    _tell(session, Kind.ACCOUNT_CLOSED, user, {}, now)


def member_removed(session: Session, user: User, company: str, *, now: datetime) -> None:
    _tell(session, Kind.MEMBER_REMOVED, user, {"company": company}, now)


def claims_decided(session: Session, voen: str, *, now: datetime) -> None:
    """To the claimants of all claims of this number that were decided at this moment: when one is confirmed, others are
    refused with it."""
    for claim in organisation_repository.claims(session, voen=voen):
        user = user_repository.user(session, claim.claimant_id)
        if claim.decided_at == now and user is not None:
            is_confirmed = claim.state == ClaimState.CONFIRMED
            kind = Kind.CLAIM_CONFIRMED if is_confirmed else Kind.CLAIM_REFUSED
            _tell(session, kind, user, {"company": claim.legal_name_az, "voen": voen}, now)


def claim_made(session: Session, claim: Claim, *, now: datetime) -> None:
    """To the administrators of the company, where others act for it already."""
    company = (
        organisation_repository.company_by_voen(session, claim.voen) if claim.state == ClaimState.DISPUTED else None
    )
    if company is None:
        return
    values = {"company": company.legal_name_az, "voen": company.voen}
    for user_id in sorted(user_repository.active_administrators(session, company.id)):
        if (user := user_repository.user(session, user_id)) is not None:
            _tell(session, Kind.CLAIM_DISPUTED, user, values, now)


def invited(
    session: Session,
    seal: Seal,
    invitation: Invitation,
    token: str,
    company: str,
    *,
    language: str | None,
    now: datetime,
) -> None:
    message = outbox.add(
        session, Kind.INVITATION, invitation.email, language=language, values={"company": company}, now=now
    )
    outbox.set_token(message, seal, token, invitation.expires_at)


def administrator_changed(session: Session, user: User, company: str, *, now: datetime) -> None:
    kind = Kind.ADMINISTRATOR_GIVEN if user.is_administrator else Kind.ADMINISTRATOR_TAKEN
    _tell(session, kind, user, {"company": company}, now)


def _tell(session: Session, kind: Kind, user: User, values: dict[str, str], now: datetime) -> None:
    outbox.add(session, kind, user.address, language=user.language, values=values, now=now)
