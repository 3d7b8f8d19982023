"""Decide which account an identity at a provider opens, link and unlink identities, and start sessions by them.

An account is found by issuer and subject alone. An address links an account only where the provider has verified it
and decides who has the addresses of that domain; otherwise the person links it while signed in.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import session_repository, user_repository, user_sessions
from app.auth.model import User, UserSession
from app.auth.permissions import require_user_id
from app.auth.sign_on import sign_on_repository, tickets
from app.auth.sign_on.id_tokens import Identity
from app.auth.sign_on.model import IdentityLink, ProviderSession
from app.auth.sign_on.tickets import Ticket
from app.auth.user_sessions import EndReason, IssuedSession
from app.core.actor import SYSTEM, Actor
from app.core.crypto.row_macs import is_authentic
from app.core.database import new_id
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.settings import IdentityProvider


class AccountNotLinked(Forbidden):
    """No account belongs to this identity, or the provider may not open it."""

    code = "account-not-linked"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The account that an identity opens; `is_new`: it was linked just now, by its address."""

    user: User
    link: IdentityLink
    is_new: bool


def resolve_account(session: Session, provider: IdentityProvider, identity: Identity, now: datetime) -> Resolved:
    """Return the account of an identity, linking a known address where the provider decides about it.

    Raises `AccountNotLinked` with the reason.
    """
    require_allowed_domain(provider, identity)
    link = sign_on_repository.find_link(session, identity.issuer, identity.subject, lock=True)
    if link is not None:
        user = _active(user_repository.lock_user(session, link.user_id), provider)
        link.last_used_at = now
        return Resolved(user, link, is_new=False)
    if identity.email is None or not provider.is_authoritative:
        raise _not_linked()
    known = user_repository.find_user_by_email(session, identity.email)
    if known is None or not known.active or known.is_staff != (provider.audience == "staff"):
        raise _not_linked()
    user = _active(user_repository.lock_user(session, known.id), provider)
    return Resolved(user, _add_link(session, SYSTEM, user, identity.issuer, identity.subject, now), is_new=True)


def require_allowed_domain(provider: IdentityProvider, identity: Identity) -> None:
    """Require a verified address of the provider's domains, if it has any. Raises `AccountNotLinked`."""
    domain = (identity.email or "").rpartition("@")[2]
    if provider.domains and domain not in provider.domains:
        raise AccountNotLinked(
            "This provider opens accounts of its own domains alone, and it has not verified such an address of yours.",
            data={"reason": "domain" if identity.email else "email-not-verified"},
        )


def link_own(
    session: Session, actor: Actor, provider: IdentityProvider, ticket: Ticket, now: datetime
) -> tuple[User, IdentityLink]:
    """Link the identity of a code to the account of the actor, who has proven recently who they are.

    Raises `Conflict` (`identity-taken`, `identity-linked`), `Forbidden`, `TicketRejected`.
    """
    user = user_repository.lock_user(session, require_user_id(actor))
    if user is None or user.is_staff != (provider.audience == "staff"):
        raise Forbidden("This provider is for other accounts.")
    tickets.use(session, ticket)
    issuer, subject = str(ticket.content["issuer"]), str(ticket.content["subject"])
    return user, _add_link(session, actor, user, issuer, subject, now)


def unlink_own(session: Session, actor: Actor, link_id: UUID, now: datetime) -> tuple[User, IdentityLink]:
    """Remove a link of the actor and end the sessions that it opened, this one too. Raises `NotFound`."""
    user = user_repository.lock_user(session, require_user_id(actor))
    links = {} if user is None else {row.id: row for row in sign_on_repository.list_links(session, user.id, lock=True)}
    link = links.get(link_id)
    if user is None or link is None:
        raise NotFound.of("identity")
    link.removed_at = now
    recorder.record(session, actor, "identity.unlinked", ("user", user.id), now, identity=link.id)
    for opened in sign_on_repository.list_provider_sessions(session, [link.id], now):
        _end(session, opened.user_session_id, EndReason.IDENTITY_UNLINKED, now)
    return user, link


def start_session(session: Session, ticket: Ticket, now: datetime) -> IssuedSession | None:
    """Start the session that a code stands for; None where the account or the link has ended since.

    Earlier sessions of the identity with roles that the provider no longer gives end. Raises `TicketRejected`.
    """
    tickets.use(session, ticket)
    content = ticket.content
    user = user_repository.lock_user(session, UUID(content["user"]))
    link = sign_on_repository.find_link_by_id(session, UUID(content["link"]))
    if user is None or not user.active or not is_authentic(user) or link is None or link.user_id != user.id:
        return None
    roles: list[str] | None = content["roles"]
    for earlier in sign_on_repository.list_provider_sessions(session, [link.id], now):
        if roles is not None and (earlier.roles is None or not set(earlier.roles) <= set(roles)):
            _end(session, earlier.user_session_id, EndReason.ROLES_CHANGED, now)
    issued = user_sessions.start_session(session, user, now, second_factor=False)
    if content["second_factor_at"] is not None:
        issued.session.second_factor_at = datetime.fromisoformat(content["second_factor_at"])
    session.add(
        ProviderSession(
            user_session_id=issued.session.id,
            link_id=link.id,
            roles=roles,
            provider_session=content["provider_session"],
        )
    )
    return issued


def code_content(resolved: Resolved, identity: Identity, challenge: str) -> dict[str, object]:
    """Return what the code of a sign-in holds."""
    return {
        "purpose": "sign-in",
        "challenge": challenge,
        "user": str(resolved.user.id),
        "link": str(resolved.link.id),
        "roles": None if identity.roles is None else sorted(identity.roles),
        "second_factor_at": identity.second_factor_at.isoformat() if identity.second_factor_at else None,
        "provider_session": identity.provider_session,
    }


def link_content(name: str, identity: Identity, challenge: str) -> dict[str, object]:
    """Return what the code of a new link holds."""
    return {
        "purpose": "link",
        "challenge": challenge,
        "provider": name,
        "issuer": identity.issuer,
        "subject": identity.subject,
    }


def _end(session: Session, session_id: UUID, because: EndReason, now: datetime) -> None:
    row: UserSession | None = session_repository.find_session(session, session_id, lock=True)
    if row is not None:
        user_sessions.end_session(session, SYSTEM, row, because, now)


def _add_link(session: Session, actor: Actor, user: User, issuer: str, subject: str, now: datetime) -> IdentityLink:
    """Add a link; the lock on the user lets one request at a time do so. Raises `Conflict`."""
    if sign_on_repository.find_link(session, issuer, subject) is not None:
        raise Conflict("This identity is linked to an account already; unlink it there first.", code="identity-taken")
    if any(row.issuer == issuer for row in sign_on_repository.list_links(session, user.id)):
        raise Conflict(
            "Another identity of this provider is linked to the account already; unlink it first.",
            code="identity-linked",
        )
    link = IdentityLink(
        id=new_id(), user_id=user.id, issuer=issuer, subject=subject, linked_at=now, last_used_at=now, removed_at=None
    )
    session.add(link)
    session.flush()
    recorder.record(session, actor, "identity.linked", ("user", user.id), now, identity=link.id, issuer=issuer)
    return link


def _active(user: User | None, provider: IdentityProvider) -> User:
    if user is None or not user.active or not is_authentic(user):
        raise AccountNotLinked("This account is not active.", data={"reason": "not-active"})
    if user.is_staff != (provider.audience == "staff"):
        raise AccountNotLinked("This provider is for other accounts.", data={"reason": "audience"})
    return user


def _not_linked() -> AccountNotLinked:
    return AccountNotLinked(
        "No account is linked to this identity. Sign in with your password, then link it: "
        "GET /v1/auth/oidc/{provider}/start?purpose=link, then POST /v1/me/identities.",
        data={"reason": "not-linked"},
    )
