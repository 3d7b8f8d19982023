"""Signing keys: their files, their public faces, their states, and the Signer that hides where a key lives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from app.core.crypto.jwk import build_jwks
from app.core.crypto.jws import PublicKey


class KeyState(StrEnum):
    NEXT = "next"  # published so that everybody knows it before its first use; the owner acts next
    ACTIVE = "active"  # signs
    RETIRED = "retired"  # signs no more; what it signed stays good
    COMPROMISED = "compromised"  # others may hold it: what it signed is good only if it is known to be older


class KeyAction(StrEnum):
    ACTIVATE = "activate"
    RETIRE = "retire"
    COMPROMISE = "compromise"


KEY_TRANSITIONS: Mapping[tuple[KeyState, KeyAction], KeyState] = MappingProxyType(
    {
        (KeyState.NEXT, KeyAction.ACTIVATE): KeyState.ACTIVE,
        (KeyState.ACTIVE, KeyAction.RETIRE): KeyState.RETIRED,
        (KeyState.NEXT, KeyAction.COMPROMISE): KeyState.COMPROMISED,
        (KeyState.ACTIVE, KeyAction.COMPROMISE): KeyState.COMPROMISED,
        (KeyState.RETIRED, KeyAction.COMPROMISE): KeyState.COMPROMISED,
    }
)
PUBLISHED_STATES = frozenset({KeyState.NEXT, KeyState.ACTIVE, KeyState.RETIRED})  # what the JWKS shows


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A public key of ours with its state; `since` is aware, the moment of its last change of state."""

    kid: str
    public: PublicKey
    state: KeyState
    since: datetime


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Our public keys by `kid`: `known` with their states, `signing` those that have or may have signed certificates,
    `every` with those that will."""

    by_kid: Mapping[str, KeyRecord]
    may_have_signed: Mapping[str, PublicKey]
    all_public: Mapping[str, PublicKey]

    @classmethod
    def from_keys(cls, keys: Iterable[KeyRecord]) -> "KeyRing":
        known = {key.kid: key for key in keys}
        # A key that is still `next` has signed nothing; a compromised one did, and its dates decide.
        signing = {kid: key.public for kid, key in known.items() if key.state is not KeyState.NEXT}
        every = {kid: key.public for kid, key in known.items()}
        return cls(MappingProxyType(known), MappingProxyType(signing), MappingProxyType(every))

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """What the world may trust: everything but compromised keys."""
        return build_jwks({kid: key.public for kid, key in self.by_kid.items() if key.state in PUBLISHED_STATES})
