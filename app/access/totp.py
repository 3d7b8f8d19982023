"""Codes of an authenticator (RFC 6238: SHA-1, 6 digits, 30 seconds, what every app knows). Pure."""

import secrets
from datetime import datetime, timedelta

import pyotp

STEP_SECONDS = 30
DRIFT = 1
"""Steps that the two clocks may differ, either way."""
RECENT = timedelta(minutes=10)
"""How long a code is good for decisions: one sitting, not a working day."""
ISSUER = "Made in Karabakh"


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
