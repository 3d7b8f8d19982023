"""Require that a person has proven lately who they are, before the ways to sign in to their account change."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.auth import session_repository
from app.auth.credentials.mfa import MAX_AGE
from app.auth.permissions import require_second_factor, require_user_id
from app.core.actor import Actor
from app.core.errors import Forbidden


class RecentSignInRequired(Forbidden):
    """The session is too old for this action, and has no recent second factor."""

    code = "recent-sign-in-required"


def require_recent_sign_in(session: Session, actor: Actor, now: datetime) -> None:
    """Require a person with a recent second factor or, unless they are staff, a sign-in of the last ten minutes.

    Raises `Forbidden`, `SecondFactorRequired`, `RecentSignInRequired`.
    """
    require_user_id(actor)
    if actor.is_staff:
        require_second_factor(actor)
    if actor.second_factor_at is not None:
        return
    row = session_repository.find_session(session, actor.session_id) if actor.session_id else None
    if row is None or not now - row.created_at < MAX_AGE:
        raise RecentSignInRequired(
            "Sign in again first: this changes how your account is signed in to, and you signed in more than ten "
            "minutes ago."
        )
