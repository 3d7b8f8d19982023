"""Enrol authenticators of staff and verify their codes (second factor). Each code is accepted once.

Codes follow RFC 6238 with the parameters that every authenticator app supports: SHA-1, 6 digits, 30 seconds.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

import pyotp
from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import login_throttle, session_repository, user_sessions
from app.auth.model import TotpEnrolment
from app.auth.permissions import require_second_factor, require_staff, require_user_id
from app.auth.sign_on import passkeys
from app.auth.user_sessions import EndReason
from app.core.actor import Actor
from app.core.crypto.row_macs import is_authentic
from app.core.crypto.secret_box import SecretBox
from app.core.errors import Conflict, Unauthenticated

PENDING_LIFETIME = timedelta(minutes=15)
STEP_SECONDS = 30
MAX_DRIFT_STEPS = 1
"""Steps by which the two clocks may differ, in either direction."""
MAX_AGE = timedelta(minutes=10)
"""How long after a code decisions are allowed: one sitting, not a working day."""
ISSUER = "Made in Karabakh"


def generate_secret() -> str:
    """Return a new secret of 160 bits in base 32, as authenticator apps accept it."""
    return pyotp.random_base32()


def secret_sha256(factor: TotpEnrolment) -> str:
    """Return the SHA-256 of the ciphertext of the active secret: the audit trail holds it, so an old row is noticed."""
    return hashlib.sha256((factor.encrypted_secret or "").encode()).hexdigest()


def is_enrolled(session: Session, user_id: UUID) -> bool:
    """Whether the user has an active authenticator.

    A row without the right MAC counts as one of which no code is right: its loss must not open the account.
    """
    factor = session_repository.find_enrolment(session, user_id)
    return factor is not None and (factor.encrypted_secret is not None or not is_authentic(factor))


def begin_enrolment(session: Session, actor: Actor, secret_box: SecretBox, now: datetime) -> str:
    """Return a new secret, shown once. It becomes active when a code of it is confirmed; the old one works until then.

    Raises `Forbidden` when the actor is not staff, `SecondFactorRequired` when an authenticator would be replaced.
    """
    user_id = require_can_enrol(session, actor)
    factor = _lock_or_create(session, user_id)
    secret = generate_secret()
    factor.encrypted_pending_secret, factor.pending_since = secret_box.encrypt(secret, user_id), now
    recorder.record(session, actor, "second_factor.offered", ("user", user_id), now)
    return secret


def require_can_enrol(session: Session, actor: Actor) -> UUID:
    """Require a password session for the first authenticator, and a recent code of the active one to replace it."""
    user_id = require_user_id(actor)
    require_staff(actor)
    if is_enrolled(session, user_id):
        require_second_factor(actor)
    return user_id


def confirm_enrolment(session: Session, actor: Actor, secret_box: SecretBox, code: str, now: datetime) -> bool:
    """Whether the code belongs to the pending secret, which then becomes active.

    The caller commits in either case, because a wrong code is counted. Raises `Conflict` (`nothing-to-confirm`) and
    `TooManyAttempts`.
    """
    user_id = require_can_enrol(session, actor)
    factor = session_repository.find_enrolment(session, user_id, lock=True)
    if (
        factor is None
        or not is_authentic(factor)
        or factor.encrypted_pending_secret is None
        or factor.pending_since is None
    ):
        raise Conflict("Ask for a secret first: POST /v1/me/second-factor.", code="nothing-to-confirm")
    if now - factor.pending_since > PENDING_LIFETIME:
        raise Conflict("The secret was not confirmed in time; ask for another one.", code="nothing-to-confirm")
    step = _match_code(session, user_id, secret_box.decrypt(factor.encrypted_pending_secret, user_id), code, now, None)
    if step is None:
        return False
    replaced = factor.encrypted_secret is not None
    _activate(factor, factor.encrypted_pending_secret, step, now)
    _mark_session_verified(session, actor, now)
    recorder.record(
        session,
        actor,
        "second_factor.enrolled",
        ("user", user_id),
        now,
        replaced=replaced,
        secret_sha256=secret_sha256(factor),
    )
    return True


def activate_secret(
    session: Session, actor: Actor, secret_box: SecretBox, user_id: UUID, secret: str, now: datetime
) -> None:
    """Activate a secret without a code, for the staff of the demo, whose secrets are in a file of the owner."""
    factor = _lock_or_create(session, user_id)
    _activate(factor, secret_box.encrypt(secret, user_id), None, now)
    recorder.record(
        session,
        actor,
        "second_factor.enrolled",
        ("user", user_id),
        now,
        replaced=False,
        secret_sha256=secret_sha256(factor),
    )


def consume_code(session: Session, secret_box: SecretBox, user_id: UUID, code: str, now: datetime) -> bool:
    """Whether this is an unused code of the active authenticator.

    The caller commits in either case: a valid code is used up, a wrong one is counted. Raises `TooManyAttempts`.
    """
    factor = session_repository.find_enrolment(session, user_id, lock=True)
    secret = (
        secret_box.decrypt(factor.encrypted_secret, user_id)
        if factor is not None and factor.encrypted_secret is not None and is_authentic(factor)
        else None
    )
    step = _match_code(session, user_id, secret, code, now, factor.last_step if factor else None)
    if step is None or factor is None:
        return False
    factor.last_step = step
    return True


def step_up(session: Session, actor: Actor, secret_box: SecretBox, code: str, now: datetime) -> bool:
    """Renew the second factor of the current session. The caller commits in either case, as for `consume_code`."""
    user_id = require_user_id(actor)
    if not is_enrolled(session, user_id):
        raise Conflict("There is no authenticator yet: POST /v1/me/second-factor.", code="not-enrolled")
    if not consume_code(session, secret_box, user_id, code, now):
        return False
    _mark_session_verified(session, actor, now)
    return True


def delete_enrolment(session: Session, actor: Actor, user_id: UUID, now: datetime) -> None:
    """Delete a lost authenticator and end the user's sessions; the user then enrols another one."""
    factor = session_repository.find_enrolment(session, user_id, lock=True)
    if factor is not None:
        session.delete(factor)
    passkeys.remove_all(session, actor, user_id, now)  # they count as a second factor, and may be on what was lost
    user_sessions.end_all_sessions(session, actor, user_id, EndReason.SECOND_FACTOR_RESET, now)
    recorder.record(session, actor, "second_factor.reset", ("user", user_id), now)


def _lock_or_create(session: Session, user_id: UUID) -> TotpEnrolment:
    factor = session_repository.find_enrolment(session, user_id, lock=True)
    if factor is None:
        factor = TotpEnrolment(user_id=user_id)
        session.add(factor)
    return factor


def _match_code(
    session: Session, user_id: UUID, secret: str | None, code: str, now: datetime, last_step: int | None
) -> int | None:
    login_throttle.require_code_attempts_left(session, user_id, now)
    step = find_matching_step(secret, code, now, last_step) if secret is not None else None
    if step is None:
        login_throttle.count_wrong_code(session, user_id, now)
    else:
        login_throttle.clear_code_failures(session, user_id)
    return step


def _activate(factor: TotpEnrolment, encrypted: str, step: int | None, now: datetime) -> None:
    factor.encrypted_secret, factor.confirmed_at, factor.last_step = encrypted, now, step
    factor.encrypted_pending_secret, factor.pending_since = None, None


def _mark_session_verified(session: Session, actor: Actor, now: datetime) -> None:
    signed_in = session_repository.find_session(session, actor.session_id, lock=True) if actor.session_id else None
    if signed_in is None or not user_sessions.is_session_open(signed_in, now):
        raise Unauthenticated("This session has ended; sign in again.")
    signed_in.second_factor_at = now


def find_matching_step(secret: str, code: str, now: datetime, last_step: int | None) -> int | None:
    """Return the step of this code if it is newer than the last accepted one, so that no code is accepted twice."""
    digits = code.replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) == 6):
        return None
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    present = int(now.timestamp()) // STEP_SECONDS
    for step in range(present - MAX_DRIFT_STEPS, present + MAX_DRIFT_STEPS + 1):
        if secrets.compare_digest(totp.generate_otp(step), digits) and (last_step is None or step > last_step):
            return step
    return None


def is_recent(at: datetime | None, now: datetime) -> bool:
    """Whether a second factor given at that moment still allows a decision."""
    return at is not None and now - at < MAX_AGE


def address(secret: str, account: str) -> str:
    """Return the `otpauth:` address that authenticator apps read, as text or as a QR code."""
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=account, issuer_name=ISSUER)
