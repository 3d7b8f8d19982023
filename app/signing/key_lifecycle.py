"""Change the state of signing keys: next → active → retired, and compromised from any, on the command line.

Each change is an audit event and an entry of the public log. A key is published for a day before it signs, so that
clients that cache the keys have it by then.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import require_role
from app.core.actor import Actor, Role
from app.core.crypto.jwk import public_jwk
from app.core.crypto.keyring import KEY_TRANSITIONS, KeyAction, KeyState
from app.core.crypto.signer import Signer
from app.core.errors import Conflict, Invalid, NotFound, WrongState
from app.signing import signing_repository
from app.signing.model import SigningKey
from app.transparency import appender
from app.transparency.log_entry import Entry, LogEvent

MIN_PUBLISHED = timedelta(hours=24)
"""Longer than clients may cache the keys (one hour) plus clock differences."""
MIN_PUBLISHED_URGENT = timedelta(seconds=5)
"""Minimum in urgent cases: by then every worker has reloaded the keys."""


class CorrectionReason(StrEnum):
    """Why the moment of a compromise is corrected."""

    EARLIER_ACCESS = "earlier-access"  # others had the key before the recorded moment
    LATER_ACCESS = "later-access"  # it is proven that nobody had it until later
    WRONG_ENTRY = "wrong-entry"  # the moment was entered wrongly


STATE_EVENT: Mapping[KeyState, LogEvent] = MappingProxyType(
    {
        KeyState.NEXT: LogEvent.KEY_PUBLISHED,
        KeyState.ACTIVE: LogEvent.KEY_ACTIVATED,
        KeyState.RETIRED: LogEvent.KEY_RETIRED,
        KeyState.COMPROMISED: LogEvent.KEY_COMPROMISED,
    }
)
"""The log entry for each state that a key enters."""


def publish_key(session: Session, actor: Actor, signer: Signer, now: datetime) -> SigningKey:
    """Publish a key before its first use. Raises `Conflict` (`key-waits`) when another one waits."""
    require_role(actor, Role.OWNER, Role.SYSTEM)
    for key in signing_repository.list_keys(session, lock=True):
        if key.state == KeyState.NEXT:
            raise Conflict(f"{key.kid} is published already and waits to be activated.", code="key-waits")
    jwk = public_jwk(signer.public, signer.kid)
    key = SigningKey(kid=signer.kid, public_jwk=jwk, state="", state_since=now, created_at=now)
    session.add(key)
    _set_state(session, actor, key, KeyState.NEXT, now, now)
    return key


def activate_key(session: Session, actor: Actor, kid: str, *, at_once: bool, now: datetime) -> None:
    """Activate a key and retire the active one. Raises `NotFound`, `WrongState`, `Conflict`."""
    key, others = _lock_key(session, actor, kid)
    state = _next_state(key, KeyAction.ACTIVATE)
    wait = MIN_PUBLISHED_URGENT if at_once else MIN_PUBLISHED
    if now - key.state_since < wait:
        raise Conflict(
            f"{kid} was published at {key.state_since:%Y-%m-%d %H:%M:%S} UTC and can be activated at "
            f"{key.state_since + wait:%Y-%m-%d %H:%M:%S} UTC: by then every client that caches the keys has it.",
            code="key-too-new",
        )
    for other in others:
        if other.state == KeyState.ACTIVE:
            _set_state(session, actor, other, _next_state(other, KeyAction.RETIRE), now, now)
    _set_state(session, actor, key, state, now, now)


def lock_key(session: Session, actor: Actor, kid: str) -> SigningKey:
    """Lock all keys and return this one. Raises `NotFound`."""
    return _lock_key(session, actor, kid)[0]


def require_possible(key: SigningKey, action: KeyAction) -> None:
    """Require that the key can do this in its present state, whatever has to be waited for. Raises `WrongState`."""
    _next_state(key, action)


def retire_key(session: Session, actor: Actor, kid: str, now: datetime) -> None:
    """Retire a key; its signatures stay valid. Nothing can be issued until another key is activated."""
    key, _ = _lock_key(session, actor, kid)
    _set_state(session, actor, key, _next_state(key, KeyAction.RETIRE), now, now)


def mark_key_compromised(session: Session, actor: Actor, kid: str, *, since: datetime, now: datetime) -> None:
    """Mark a key as compromised since a moment: only certificates logged before it stay valid."""
    key, _ = _lock_key(session, actor, kid)
    state = _next_state(key, KeyAction.COMPROMISE)
    _require_possible_moment(key, since, now)
    _set_state(session, actor, key, state, since, now)


def require_correctable(key: SigningKey, since: datetime, now: datetime) -> None:
    """Require that the beginning of this compromise can be corrected to `since`. Raises `WrongState`, `Invalid`."""
    if key.state != KeyState.COMPROMISED:
        raise WrongState("key", state=key.state, action="correct", allowed=_allowed(key))
    _require_possible_moment(key, since, now)


def correct_compromise(
    session: Session, actor: Actor, kid: str, *, since: datetime, reason: CorrectionReason, now: datetime
) -> None:
    """Correct the moment since which a compromised key is so: another entry of the log; the last one wins."""
    key, _ = _lock_key(session, actor, kid)
    require_correctable(key, since, now)
    _set_state(session, actor, key, KeyState.COMPROMISED, since, now, reason=reason.value)


def _require_possible_moment(key: SigningKey, since: datetime, now: datetime) -> None:
    if not key.created_at <= since <= now:
        raise Invalid(
            f"A key is compromised between its making ({key.created_at:%Y-%m-%d %H:%M:%S} UTC) and now.",
            code="impossible-moment",
        )


def _lock_key(session: Session, actor: Actor, kid: str) -> tuple[SigningKey, list[SigningKey]]:
    """Lock all keys and return this one and all; key changes are serialised with issuing."""
    require_role(actor, Role.OWNER, Role.SYSTEM)
    keys = {key.kid: key for key in signing_repository.list_keys(session, lock=True)}
    if kid not in keys:
        raise NotFound.of("key")
    return keys.pop(kid), list(keys.values())


def _next_state(key: SigningKey, action: KeyAction) -> KeyState:
    state = KEY_TRANSITIONS.get((KeyState(key.state), action))
    if state is None:
        raise WrongState("key", state=key.state, action=action, allowed=_allowed(key))
    return state


def _allowed(key: SigningKey) -> list[str]:
    return [action.value for action in KeyAction if (KeyState(key.state), action) in KEY_TRANSITIONS]


def _set_state(
    session: Session,
    actor: Actor,
    key: SigningKey,
    state: KeyState,
    since: datetime,
    now: datetime,
    reason: str | None = None,
) -> None:
    key.state, key.state_since = state.value, since
    session.flush()  # one key at a time: the unique index allows only one active key
    event = STATE_EVENT[state]
    appender.add_entry(session, Entry(event, since, key.kid, reason=reason))
    data: dict[str, Any] = {"reason": reason} if reason else {}
    recorder.record(session, actor, event.value, ("key", key.kid), now, **data)
