"""Notify users of actions of others. Called in the transaction of the action."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.auth import user_repository
from app.auth.agents.model import AgentAuthority
from app.auth.model import Invitation, PasswordReset, User
from app.certificates.model import Certificate
from app.core.actor import Role
from app.core.crypto.secret_box import SecretBox
from app.notifications import outbox
from app.notifications.model import MessageKind
from app.organisations import organisation_repository
from app.organisations.model import Claim, ClaimState


def notify_reset_issued(
    session: Session, secret_box: SecretBox, user: User, reset: PasswordReset, token: str, *, now: datetime
) -> None:
    """Mail the reset token to the account's own address only. An account without a password sets its first one."""
    kind = MessageKind.RESET_PASSWORD if user.password_hash else MessageKind.FIRST_PASSWORD
    message = outbox.add_message(session, kind, user.email, language=user.language, now=now)
    outbox.set_token(message, secret_box, token, reset.expires_at)


def notify_role_granted(session: Session, user: User, role: Role, *, now: datetime) -> None:
    _notify_user(session, MessageKind.ROLE_GRANTED, user, {"role": role.value}, now)


def notify_role_revoked(session: Session, user: User, role: Role, *, now: datetime) -> None:
    _notify_user(session, MessageKind.ROLE_TAKEN, user, {"role": role.value}, now)


def notify_authenticator(session: Session, kind: MessageKind, user: User, *, now: datetime) -> None:
    """Notify the person whose authenticator was proposed, registered or removed, and every active owner of the mark."""
    account = user.current_or_former_email
    owners = user_repository.find_active_owners(session)
    for each in [user, *(owner for owner in owners if owner.id != user.id)]:
        _notify_user(session, kind, each, {"account": account}, now)


def notify_sign_in_changed(session: Session, kind: MessageKind, user: User, name: str, *, now: datetime) -> None:
    """Notify the person whose account has one way to sign in more, or one less: an identity or a passkey."""
    _notify_user(session, kind, user, {"name": name}, now)


def notify_authority_offered(session: Session, row: AgentAuthority, days: tuple[date, date], *, now: datetime) -> None:
    """Tell the address, whether or not it has an account."""
    values = {"company": _company_name(session, row.organisation_id), **_days(days)}
    known = user_repository.find_user_by_email(session, row.email)
    language = known.language if known else None
    outbox.add_message(session, MessageKind.AUTHORITY_OFFERED, row.email, language=language, values=values, now=now)


def notify_authority_accepted(session: Session, row: AgentAuthority, days: tuple[date, date], *, now: datetime) -> None:
    """Tell the administrators of the company."""
    values = {"company": _company_name(session, row.organisation_id), "agent": row.email, **_days(days)}
    _notify_administrators(session, MessageKind.AUTHORITY_ACCEPTED, row.organisation_id, values, now)


def notify_authority_ended(session: Session, row: AgentAuthority, *, now: datetime) -> None:
    """Tell the administrators of the company and, if they had accepted it, the agent."""
    values = {"company": _company_name(session, row.organisation_id), "agent": row.email}
    _notify_administrators(session, MessageKind.AUTHORITY_ENDED, row.organisation_id, values, now)
    if row.agent_id is not None and (agent := user_repository.find_user(session, row.agent_id)) is not None:
        _notify_user(session, MessageKind.AUTHORITY_ENDED, agent, values, now)


def _notify_administrators(
    session: Session, kind: MessageKind, organisation_id: UUID, values: dict[str, str], now: datetime
) -> None:
    for user_id in sorted(user_repository.get_active_administrator_ids(session, organisation_id)):
        if (user := user_repository.find_user(session, user_id)) is not None:
            _notify_user(session, kind, user, values, now)


def _company_name(session: Session, organisation_id: UUID) -> str:
    company = organisation_repository.find_organisation(session, organisation_id)
    return company.legal_name_az if company else ""


def _days(days: tuple[date, date]) -> dict[str, str]:
    first, last = days
    return {"from": first.isoformat(), "to": last.isoformat()}


def notify_account_closed(session: Session, user: User, *, now: datetime) -> None:
    _notify_user(session, MessageKind.ACCOUNT_CLOSED, user, {}, now)


def notify_member_removed(session: Session, user: User, company: str, *, now: datetime) -> None:
    _notify_user(session, MessageKind.MEMBER_REMOVED, user, {"company": company}, now)


def notify_claims_decided(session: Session, voen: str, *, now: datetime) -> None:
    """Notify the claimants of all claims to this VÖEN decided at this moment: confirming one refuses the others."""
    for claim in organisation_repository.list_claims(session, voen=voen):
        user = user_repository.find_user(session, claim.claimant_id)
        if claim.decided_at == now and user is not None:
            is_confirmed = claim.state == ClaimState.CONFIRMED
            kind = MessageKind.CLAIM_CONFIRMED if is_confirmed else MessageKind.CLAIM_REFUSED
            _notify_user(session, kind, user, {"company": claim.legal_name_az, "voen": voen}, now)


def notify_claim_made(session: Session, claim: Claim, *, now: datetime) -> None:
    """Notify the administrators of a company that others act for already."""
    company = (
        organisation_repository.find_company_by_voen(session, claim.voen)
        if claim.state == ClaimState.DISPUTED
        else None
    )
    if company is None:
        return
    values = {"company": company.legal_name_az, "voen": company.voen}
    for user_id in sorted(user_repository.get_active_administrator_ids(session, company.id)):
        if (user := user_repository.find_user(session, user_id)) is not None:
            _notify_user(session, MessageKind.CLAIM_DISPUTED, user, values, now)


def notify_invited(
    session: Session,
    secret_box: SecretBox,
    invitation: Invitation,
    token: str,
    company: str,
    *,
    language: str | None,
    now: datetime,
) -> None:
    message = outbox.add_message(
        session, MessageKind.INVITATION, invitation.email, language=language, values={"company": company}, now=now
    )
    outbox.set_token(message, secret_box, token, invitation.expires_at)


def notify_administrator_changed(session: Session, user: User, company: str, *, now: datetime) -> None:
    kind = MessageKind.ADMINISTRATOR_GIVEN if user.is_administrator else MessageKind.ADMINISTRATOR_TAKEN
    _notify_user(session, kind, user, {"company": company}, now)


def notify_reissued(session: Session, certificates: Iterable[Certificate], *, now: datetime) -> None:
    """Tell the administrators of each holder which certificates were signed anew; all members where there is none."""
    numbers: dict[UUID, list[str]] = {}
    for each in certificates:
        numbers.setdefault(each.organisation_id, []).append(each.number)
    for organisation_id, found in numbers.items():
        company = organisation_repository.find_organisation(session, organisation_id)
        members = [user for user in user_repository.list_members(session, organisation_id) if user.active]
        values = {"company": company.legal_name_az if company else "", "numbers": "\n".join(found)}
        for user in [user for user in members if user.is_administrator] or members:
            _notify_user(session, MessageKind.CERTIFICATES_REISSUED, user, values, now)


def _notify_user(session: Session, kind: MessageKind, user: User, values: dict[str, str], now: datetime) -> None:
    outbox.add_message(session, kind, user.current_or_former_email, language=user.language, values=values, now=now)
