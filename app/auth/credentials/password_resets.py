"""Change one's own password, or set one by a mailed token. Both end all sessions."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import session_repository, user_repository, user_sessions
from app.auth.credentials import mfa
from app.auth.credentials.passwords import new_token, password_sha256, token_hash
from app.auth.model import PasswordReset, User
from app.auth.permissions import require_role, require_second_factor, require_user_id
from app.auth.user_sessions import EndReason
from app.core.actor import Actor, ActorKind, Role
from app.core.crypto.secret_box import SecretBox
from app.core.database import new_id
from app.core.errors import Conflict, NotFound, SecondFactorRequired, Unauthenticated

RESET_LIFETIME = timedelta(hours=24)
TOKEN_PREFIX = "mikp_"  # noqa: S105 (the prefix of every token, no secret)


def issue_reset(session: Session, actor: Actor, user_id: UUID, now: datetime) -> tuple[User, PasswordReset, str]:
    """Issue a one-time token for the account's own address; an earlier one becomes void.

    A registrar does so for members, an owner for staff. The token is mailed and never shown to them. Raises `NotFound`,
    `Forbidden`, `SecondFactorRequired`, and `Conflict` (`not-active`) for a removed account.
    """
    user = user_repository.lock_user(session, user_id)
    if user is None:
        raise NotFound.of("user")
    require_role(actor, Role.OWNER if user.is_staff else Role.REGISTRAR, Role.SYSTEM)
    require_second_factor(actor)
    if not user.active:
        raise Conflict("This account was removed; it has no password any more.", code="not-active")
    return user, *issue_reset_for(session, actor, user, now)


def issue_reset_for(
    session: Session, actor: Actor, user: User, now: datetime, *, life: timedelta = RESET_LIFETIME
) -> tuple[PasswordReset, str]:
    session_repository.close_resets(session, user.id, now)
    token, digest = new_token(TOKEN_PREFIX)
    reset = PasswordReset(
        id=new_id(),
        user_id=user.id,
        token_hash=digest,
        issued_by=actor.id,
        created_at=now,
        expires_at=now + life,
    )
    session.add(reset)
    recorder.record(session, actor, "password.reset_issued", ("user", user.id), now, reset=reset.id)
    return reset, token


def change_password(session: Session, actor: Actor, *, compared_hash: str, password_hash: str, now: datetime) -> None:
    """Set the actor's own password; the caller has compared the current one with `compared_hash`.

    Raises `Unauthenticated` when the password was changed in between.
    """
    user = user_repository.lock_user(session, require_user_id(actor))
    if user is None or not user.active or user.password_hash != compared_hash:
        raise Unauthenticated("The password was changed meanwhile; sign in again.")
    user.password_hash = password_hash
    session_repository.close_resets(session, user.id, now)
    user_sessions.end_all_sessions(session, actor, user.id, EndReason.PASSWORD_CHANGED, now)
    _record(session, actor, "password.changed", user, now)


def require_usable_token(session: Session, token: str, now: datetime) -> None:
    """Reject an unusable token before time is spent on a password hash."""
    _load_usable(session, token, now)


def redeem_reset(
    session: Session, token: str, *, password_hash: str, code: str | None, secret_box: SecretBox, now: datetime
) -> User | None:
    """Set the password by a mailed token. Returns None when the authenticator code is wrong.

    A user with an authenticator also sends its code, so that access to the mailbox alone does not take over the
    account. The caller commits in either case, because a wrong code is counted. Raises `NotFound`, `Conflict`
    (`token-over`), `SecondFactorRequired`, `TooManyAttempts`.
    """
    user = user_repository.lock_user(
        session, _load_usable(session, token, now).user_id
    )  # before the token, in the lock order of `issue_reset`
    reset = _load_usable(session, token, now, lock=True)
    if user is None or not user.active:
        raise NotFound.of("token")
    if mfa.is_enrolled(session, user.id):
        if code is None:
            raise SecondFactorRequired(
                "This account has an authenticator: send its code as `otp`. "
                "If it is lost, two owners reset it first (POST /v1/proposals, kind second-factor-reset)."
            )
        if not mfa.consume_code(session, secret_box, user.id, code, now):
            return None
    user.password_hash = password_hash
    session_repository.close_resets(session, user.id, now)
    actor = Actor(ActorKind.USER, user.id, frozenset())
    user_sessions.end_all_sessions(session, actor, user.id, EndReason.PASSWORD_RESET, now)
    _record(session, actor, "password.reset", user, now, reset=reset.id)
    return user


def _record(session: Session, actor: Actor, event: str, user: User, now: datetime, **data: UUID) -> None:
    sha256 = password_sha256(user.password_hash)
    recorder.record(session, actor, event, ("user", user.id), now, password_sha256=sha256, **data)


def _load_usable(session: Session, token: str, now: datetime, *, lock: bool = False) -> PasswordReset:
    reset = session_repository.find_reset_by_token(session, token_hash(token), lock=lock)
    if reset is None:
        raise NotFound.of("token")
    if reset.closed_at is not None or now >= reset.expires_at:
        raise Conflict("This token was used, replaced, or is too old; ask for another one.", code="token-over")
    return reset
