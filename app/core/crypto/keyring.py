"""Define states and transitions of signing keys, and the key ring of all public keys by `kid`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from app.core.crypto.jwk import build_jwks
from app.core.crypto.jws import PublicKey


class KeyState(StrEnum):
    NEXT = "next"  # published before its first use, so that verifiers can cache it; the owner acts next
    ACTIVE = "active"  # signs
    RETIRED = "retired"  # no longer signs; its signatures stay valid
    COMPROMISED = "compromised"  # others may have it: a signature is valid only if proven to be older


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
PUBLISHED_STATES = frozenset({KeyState.NEXT, KeyState.ACTIVE, KeyState.RETIRED})  # contents of the JWKS


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A public key of the issuer with its state.

    `since` is aware: the moment of its last state change; of a compromised key since when others may have it.
    `declared_seq` is the index of the log entry that first declared it compromised, `corrected_seq` of the last one.
    """

    kid: str
    public: PublicKey
    state: KeyState
    since: datetime
    declared_seq: int = -1
    corrected_seq: int = -1

    def was_trusted(self, seq: int, logged_at: datetime) -> bool:
        """Whether nobody else had the key when entry `seq` of the log, of this moment, named it.

        After its compromise was declared the service signs nothing with it, whatever moment an entry states.
        """
        if self.state is not KeyState.COMPROMISED:
            return self.state is not KeyState.NEXT
        return logged_at < self.since and (self.declared_seq < 0 or seq < self.declared_seq)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Public keys of the issuer by `kid`: all with their states, those that may have signed certificates, and all."""

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

    def was_trusted(self, kid: str | None, seq: int, logged_at: datetime) -> bool:
        """Whether this key could be relied on when entry `seq` of the log named it; never of an unknown key."""
        key = self.by_kid.get(kid or "")
        return key is not None and key.was_trusted(seq, logged_at)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the JWKS of all keys that are not compromised."""
        return build_jwks({kid: key.public for kid, key in self.by_kid.items() if key.state in PUBLISHED_STATES})
