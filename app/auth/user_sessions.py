"""Manage sessions of people: single-use refresh tokens, and immediate revocation.

Each refresh returns a new token and invalidates the old one. Reuse of an old one means that two parties have it, and
the thief cannot be identified: the whole session ends, access tokens included. There is no grace period for concurrent
refreshes or lost responses; see docs/decisions/0020-sessions.md.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import session_repository, user_repository
from app.auth.credentials.passwords import new_token, token_hash
from app.auth.model import RefreshToken, User, UserSession
from app.auth.session_repository import SessionWithUser
from app.core.actor import SYSTEM, Actor
from app.core.crypto.row_macs import is_authentic
from app.core.database import new_id

STAFF_LIFETIME = timedelta(hours=12)  # a working day: staff sign in every morning
MEMBER_LIFETIME = timedelta(days=30)  # members sign in rarely; binding actions are recorded with their name
RETENTION = timedelta(days=30)
TOKEN_PREFIX = "mikr_"  # noqa: S105 (the prefix of every token, no secret)


class EndReason(StrEnum):
    SIGNED_OUT = "signed-out"
    REUSE = "refresh-token-reused"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 (a cause, not a password)
    PASSWORD_RESET = "password-reset"  # noqa: S105 (a cause, not a password)
    SECOND_FACTOR_RESET = "second-factor-reset"
    REMOVED = "removed"
    CLAIM_REFUSED = "claim-refused"
    SIGNED_OUT_AT_PROVIDER = "signed-out-at-provider"
    IDENTITY_UNLINKED = "identity-unlinked"
    ROLES_CHANGED = "roles-changed"


@dataclass(frozen=True, slots=True)
class IssuedSession:
    """A session with its newest refresh token, which is returned only here."""

    session: UserSession
    refresh_token: str


def start_session(session: Session, user: User, now: datetime, *, second_factor: bool) -> IssuedSession:
    """Start a session. The caller has verified password and code and locked the user against a password change."""
    signed_in = UserSession(
        id=new_id(),
        user_id=user.id,
        created_at=now,
        expires_at=now + (STAFF_LIFETIME if user.is_staff else MEMBER_LIFETIME),
        second_factor_at=now if second_factor else None,
    )
    session.add(signed_in)
    session.flush()
    return IssuedSession(signed_in, _add_refresh_token(session, signed_in, now))


def is_known_refresh_token(session: Session, token: str) -> bool:
    """Whether this service ever issued the refresh token; reads without a lock, so that forged ones block no writer."""
    return session_repository.find_session_by_token(session, token_hash(token)) is not None


def rotate_refresh_token(session: Session, token: str, now: datetime) -> IssuedSession | None:
    """Return the session with a new refresh token; None when the token is not valid.

    Reuse of a token ends its session, so the caller commits in either case.
    """
    digest = token_hash(token)
    signed_in = session_repository.find_session_by_token(session, digest, lock=True)
    link = session_repository.find_refresh_token(session, digest)
    if signed_in is None or link is None or not is_session_open(signed_in, now):
        return None
    if link.used_at is not None:
        end_session(session, SYSTEM, signed_in, EndReason.REUSE, now)
        return None
    user = user_repository.find_user(session, signed_in.user_id)
    if user is None or not user.active or not is_authentic(user):
        return None
    link.used_at = now
    return IssuedSession(signed_in, _add_refresh_token(session, signed_in, now))


def is_session_open(signed_in: UserSession | SessionWithUser, now: datetime) -> bool:
    """Whether the session has neither ended nor expired."""
    return signed_in.ended_at is None and now < signed_in.expires_at


def end_session(session: Session, actor: Actor, signed_in: UserSession, because: EndReason, now: datetime) -> None:
    """End a session and record it; a second call changes nothing."""
    if not is_session_open(signed_in, now):
        return
    signed_in.ended_at, signed_in.ended_because = now, because.value
    user = signed_in.user_id
    recorder.record(session, actor, "session.ended", ("session", signed_in.id), now, user=user, because=because.value)


def end_all_sessions(session: Session, actor: Actor, user_id: UUID, because: EndReason, now: datetime) -> None:
    """End every session of a person, access tokens included."""
    if count := session_repository.end_sessions(session, user_id, because.value, now):
        recorder.record(
            session, actor, "user.signed_out", ("user", user_id), now, because=because.value, sessions=count
        )


def has_expired_sessions(session: Session, now: datetime) -> bool:
    """Whether `delete_expired_sessions` would delete sessions."""
    return session_repository.has_sessions_expired_before(session, now - RETENTION)


def delete_expired_sessions(session: Session, now: datetime) -> None:
    """Delete sessions that expired `RETENTION` ago; until then they show how they ended."""
    session_repository.delete_sessions_expired_before(session, now - RETENTION)


def _add_refresh_token(session: Session, signed_in: UserSession, now: datetime) -> str:
    token, digest = new_token(TOKEN_PREFIX)
    session.add(RefreshToken(token_hash=digest, user_session_id=signed_in.id, created_at=now))
    return token
