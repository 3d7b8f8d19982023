"""Sessions of people: refresh tokens that are good once, and an end that cuts everything off at once.

Every renewal gives a new refresh token and makes the old one worthless. A second use of an old one means that two
hold it, and nobody can tell which of them is the thief: the whole session ends, access tokens included. There is no
grace for two renewals at once or for a lost answer; see docs/decisions/0020-sessions.md.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import session_repository, user_repository
from app.auth.credentials.passwords import new_token, token_hash
from app.auth.model import RefreshToken, SignIn, User
from app.auth.session_repository import Present
from app.core.actor import SYSTEM, Actor
from app.core.database import new_id

STAFF_LIFE = timedelta(hours=12)  # a working day: who decides signs in every morning
MEMBER_LIFE = timedelta(days=30)  # a company looks in now and then; what binds it is submitted and kept in its name
SHOWN_AFTER_THE_END = timedelta(days=30)
PREFIX = "mikr_"


class Ended(StrEnum):
    SIGNED_OUT = "signed-out"
    REUSE = "refresh-token-reused"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 (a cause, not a password)
    PASSWORD_RESET = "password-reset"  # noqa: S105 (the same)
    SECOND_FACTOR_RESET = "second-factor-reset"
    REMOVED = "removed"
    SEALED = "claim-refused"


@dataclass(frozen=True, slots=True)
class Begun:
    """A session with its newest refresh token, which exists only in this answer."""

    session: SignIn
    refresh_token: str


def begin(session: Session, user: User, now: datetime, *, second_factor: bool) -> Begun:
    """The caller has checked password and code, and holds the user's row, so that no new password comes in between."""
    signed_in = SignIn(
        id=new_id(),
        user_id=user.id,
        created_at=now,
        expires_at=now + (STAFF_LIFE if user.is_staff else MEMBER_LIFE),
        second_factor_at=now if second_factor else None,
    )
    session.add(signed_in)
    session.flush()
    return Begun(signed_in, _link(session, signed_in, now))


def known(session: Session, token: str) -> bool:
    """Whether this was ever a refresh token of ours: a look without a lock, so that strangers keep no writer busy."""
    return session_repository.sign_in_of_token(session, token_hash(token)) is not None


def renew(session: Session, token: str, now: datetime) -> Begun | None:
    """The session with a new refresh token; None where the token is good for nothing.

    A token that was used before ends its session: commit in either case.
    """
    digest = token_hash(token)
    signed_in = session_repository.sign_in_of_token(session, digest, lock=True)
    link = session_repository.refresh_token(session, digest)
    if signed_in is None or link is None or not is_open(signed_in, now):
        return None
    if link.used_at is not None:
        end(session, SYSTEM, signed_in, Ended.REUSE, now)
        return None
    user = user_repository.user(session, signed_in.user_id)
    if user is None or not user.active:
        return None
    link.used_at = now
    return Begun(signed_in, _link(session, signed_in, now))


def is_open(signed_in: SignIn | Present, now: datetime) -> bool:
    return signed_in.ended_at is None and now < signed_in.expires_at


def end(session: Session, actor: Actor, signed_in: SignIn, because: Ended, now: datetime) -> None:
    """A second end changes nothing."""
    if not is_open(signed_in, now):
        return
    signed_in.ended_at, signed_in.ended_because = now, because.value
    user = signed_in.user_id
    recorder.record(session, actor, "session.ended", ("session", signed_in.id), now, user=user, because=because.value)


def end_all(session: Session, actor: Actor, user_id: UUID, because: Ended, now: datetime) -> None:
    """Every session of a person, access tokens included."""
    if count := session_repository.end_sign_ins(session, user_id, because.value, now):
        recorder.record(
            session, actor, "user.signed_out", ("user", user_id), now, because=because.value, sessions=count
        )


def to_forget(session: Session, now: datetime) -> bool:
    """Whether `forget` has something to do."""
    return session_repository.has_sign_ins(session, now - SHOWN_AFTER_THE_END)


def forget(session: Session, now: datetime) -> None:
    """Sessions that are over for a month go; until then they show how they ended."""
    session_repository.forget_sign_ins(session, now - SHOWN_AFTER_THE_END)


def _link(session: Session, signed_in: SignIn, now: datetime) -> str:
    token, digest = new_token(PREFIX)
    session.add(RefreshToken(token_hash=digest, sign_in_id=signed_in.id, created_at=now))
    return token
