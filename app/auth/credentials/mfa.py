"""The second factor of the staff: enrol an authenticator, and give its codes, each of them once.

Codes are those of RFC 6238: SHA-1, 6 digits, 30 seconds, what every app knows.
"""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

import pyotp
from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import login_throttle, session_repository, user_sessions
from app.auth.model import SecondFactor
from app.auth.permissions import person, require_second_factor, require_staff
from app.auth.user_sessions import Ended
from app.core.actor import Actor
from app.core.crypto.secret_box import Seal
from app.core.errors import Conflict, Unauthenticated

PENDING_LIFE = timedelta(minutes=15)
STEP_SECONDS = 30
DRIFT = 1
"""Steps that the two clocks may differ, either way."""
RECENT = timedelta(minutes=10)
"""How long a code is good for decisions: one sitting, not a working day."""
ISSUER = "Made in Karabakh"


def new_secret() -> str:
    """160 bits, in the base 32 that authenticators take."""
    return pyotp.random_base32()


def enrolled(session: Session, user_id: UUID) -> bool:
    factor = session_repository.second_factor(session, user_id)
    return factor is not None and factor.sealed is not None


def begin_enrolment(session: Session, actor: Actor, seal: Seal, now: datetime) -> str:
    """A new secret, shown once; it counts after a code of it was given. What is in force stays so until then.

    Errors: Forbidden for who is no staff; SecondFactorRequired where an authenticator is to be replaced.
    """
    user_id = may_enrol(session, actor)
    factor = _row(session, user_id)
    secret = new_secret()
    factor.pending, factor.pending_since = seal.close(secret, user_id), now
    recorder.record(session, actor, "second_factor.offered", ("user", user_id), now)
    return secret


def may_enrol(session: Session, actor: Actor) -> UUID:
    """The first authenticator needs the password; another one needs the one in force."""
    user_id = person(actor)
    require_staff(actor)
    if enrolled(session, user_id):
        require_second_factor(actor)
    return user_id


def confirm_enrolment(session: Session, actor: Actor, seal: Seal, code: str, now: datetime) -> bool:
    """Whether the code is one of the new secret, which is in force from then on. Commit in either case: a wrong code
    is counted. Errors: Conflict where there is nothing to confirm, TooManyAttempts."""
    user_id = may_enrol(session, actor)
    factor = session_repository.second_factor(session, user_id, lock=True)
    if factor is None or factor.pending is None or factor.pending_since is None:
        raise Conflict("Ask for a secret first: POST /v1/me/second-factor.", code="nothing-to-confirm")
    if now - factor.pending_since > PENDING_LIFE:
        raise Conflict("The secret was not confirmed in time; ask for another one.", code="nothing-to-confirm")
    step = _judge(session, user_id, seal.open(factor.pending, user_id), code, now, None)
    if step is None:
        return False
    replaced = factor.sealed is not None
    _put_in_force(factor, factor.pending, step, now)
    _note(session, actor, now)
    recorder.record(session, actor, "second_factor.enrolled", ("user", user_id), now, replaced=replaced)
    return True


def put_in_force(session: Session, actor: Actor, seal: Seal, user_id: UUID, secret: str, now: datetime) -> None:
    """Enrol with a secret that is known to be in its owner's hands: the staff of the demo."""
    factor = _row(session, user_id)
    _put_in_force(factor, seal.close(secret, user_id), None, now)
    recorder.record(session, actor, "second_factor.enrolled", ("user", user_id), now, replaced=False)


def check(session: Session, seal: Seal, user_id: UUID, code: str, now: datetime) -> bool:
    """Whether this is a fresh code of the authenticator in force. Commit in either case: a right code is used up, a
    wrong one is counted. Errors: TooManyAttempts."""
    factor = session_repository.second_factor(session, user_id, lock=True)
    secret = seal.open(factor.sealed, user_id) if factor is not None and factor.sealed is not None else None
    step = _judge(session, user_id, secret, code, now, factor.last_step if factor else None)
    if step is None or factor is None:
        return False
    factor.last_step = step
    return True


def step_up(session: Session, actor: Actor, seal: Seal, code: str, now: datetime) -> bool:
    """Renew the second factor of the present session. Commit in either case, as with `check`."""
    user_id = person(actor)
    if not enrolled(session, user_id):
        raise Conflict("There is no authenticator yet: POST /v1/me/second-factor.", code="not-enrolled")
    if not check(session, seal, user_id, code, now):
        return False
    _note(session, actor, now)
    return True


def reset(session: Session, actor: Actor, user_id: UUID, now: datetime) -> None:
    """The authenticator is lost: it counts no more, sessions end, and the person enrols another one."""
    factor = session_repository.second_factor(session, user_id, lock=True)
    if factor is not None:
        session.delete(factor)
    user_sessions.end_all(session, actor, user_id, Ended.SECOND_FACTOR_RESET, now)
    recorder.record(session, actor, "second_factor.reset", ("user", user_id), now)


def _row(session: Session, user_id: UUID) -> SecondFactor:
    factor = session_repository.second_factor(session, user_id, lock=True)
    if factor is None:
        factor = SecondFactor(user_id=user_id)
        session.add(factor)
    return factor


def _judge(
    session: Session, user_id: UUID, secret: str | None, code: str, now: datetime, last_step: int | None
) -> int | None:
    login_throttle.refuse_codes_if_exhausted(session, user_id, now)
    step = matching_step(secret, code, now, last_step) if secret is not None else None
    if step is None:
        login_throttle.count_wrong_code(session, user_id, now)
    else:
        login_throttle.forgive_codes(session, user_id)
    return step


def _put_in_force(factor: SecondFactor, sealed: str, step: int | None, now: datetime) -> None:
    factor.sealed, factor.confirmed_at, factor.last_step = sealed, now, step
    factor.pending, factor.pending_since = None, None


def _note(session: Session, actor: Actor, now: datetime) -> None:
    signed_in = session_repository.sign_in(session, actor.session_id, lock=True) if actor.session_id else None
    if signed_in is None or not user_sessions.is_open(signed_in, now):
        raise Unauthenticated("This session has ended; sign in again.")
    signed_in.second_factor_at = now


def matching_step(secret: str, code: str, now: datetime, last_step: int | None) -> int | None:
    """The step whose code this is, if it is newer than the last one that was accepted: no code is good twice."""
    digits = code.replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) == 6):
        return None
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    present = int(now.timestamp()) // STEP_SECONDS
    for step in range(present - DRIFT, present + DRIFT + 1):
        if secrets.compare_digest(totp.generate_otp(step), digits) and (last_step is None or step > last_step):
            return step
    return None


def recent(at: datetime | None, now: datetime) -> bool:
    """Whether a second factor given at that moment is good for a decision now."""
    return at is not None and now - at < RECENT


def address(secret: str, account: str) -> str:
    """The `otpauth:` address that authenticator apps read, as text or drawn as a QR code."""
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=account, issuer_name=ISSUER)
