"""The life of a signing key: next → active → retired, and compromised from any. By the owner, on the command line.

Each change is an event of the history and an entry of the public log. A key is published for a day before it signs: by
then everybody who keeps our keys for a while has it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

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
"""Longer than others may keep our keys (one hour), and than clocks differ."""
MIN_PUBLISHED_URGENT = timedelta(seconds=5)
"""Even in haste: by then every worker has read the keys anew."""

STATE_EVENT: Mapping[KeyState, LogEvent] = MappingProxyType(
    {
        KeyState.NEXT: LogEvent.KEY_PUBLISHED,
        KeyState.ACTIVE: LogEvent.KEY_ACTIVATED,
        KeyState.RETIRED: LogEvent.KEY_RETIRED,
        KeyState.COMPROMISED: LogEvent.KEY_COMPROMISED,
    }
)
"""The entry with which a key comes into its state."""


def publish_key(session: Session, actor: Actor, signer: Signer, now: datetime) -> SigningKey:
    """Make a key known before its first use. Errors: Conflict where another one waits already."""
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
    """From now on this key signs, and the one that did is retired. Errors: NotFound, WrongState, Conflict."""
    key, others = _lock_key(session, actor, kid)
    state = _next_state(key, KeyAction.ACTIVATE)
    wait = MIN_PUBLISHED_URGENT if at_once else MIN_PUBLISHED
    if now - key.state_since < wait:
        raise Conflict(
            f"{kid} was published at {key.state_since:%Y-%m-%d %H:%M:%S} UTC and can be activated at "
            f"{key.state_since + wait:%Y-%m-%d %H:%M:%S} UTC: by then everybody who keeps our keys has it.",
            code="key-too-new",
        )
    for other in others:
        if other.state == KeyState.ACTIVE:
            _set_state(session, actor, other, _next_state(other, KeyAction.RETIRE), now, now)
    _set_state(session, actor, key, state, now, now)


def retire_key(session: Session, actor: Actor, kid: str, now: datetime) -> None:
    """It signs no more; what it signed stays good. Nothing can be issued until another one is activated."""
    key, _ = _lock_key(session, actor, kid)
    _set_state(session, actor, key, _next_state(key, KeyAction.RETIRE), now, now)


def mark_key_compromised(session: Session, actor: Actor, kid: str, *, since: datetime, now: datetime) -> None:
    """Others may hold the key since that moment: only what the public log has from before stays good."""
    key, _ = _lock_key(session, actor, kid)
    state = _next_state(key, KeyAction.COMPROMISE)
    if not key.created_at <= since <= now:
        raise Invalid(
            f"A key is compromised between its making ({key.created_at:%Y-%m-%d %H:%M:%S} UTC) and now.",
            code="impossible-moment",
        )
    _set_state(session, actor, key, state, since, now)


def _lock_key(session: Session, actor: Actor, kid: str) -> tuple[SigningKey, list[SigningKey]]:
    """The key and all others, locked: changes of keys take turns, and wait for what is being issued."""
    require_role(actor, Role.OWNER, Role.SYSTEM)
    keys = {key.kid: key for key in signing_repository.list_keys(session, lock=True)}
    if kid not in keys:
        raise NotFound.of("key")
    return keys.pop(kid), list(keys.values())


def _next_state(key: SigningKey, action: KeyAction) -> KeyState:
    state = KEY_TRANSITIONS.get((KeyState(key.state), action))
    if state is None:
        allowed = [each.value for each in KeyAction if (KeyState(key.state), each) in KEY_TRANSITIONS]
        raise WrongState("key", state=key.state, action=action, allowed=allowed)
    return state


def _set_state(
    session: Session, actor: Actor, key: SigningKey, state: KeyState, since: datetime, now: datetime
) -> None:
    key.state, key.state_since = state.value, since
    session.flush()  # each by itself: two keys must not be active for an instant either
    event = STATE_EVENT[state]
    appender.add_entry(session, Entry(event, since, key.kid))
    recorder.record(session, actor, event.value, ("key", key.kid), now)
