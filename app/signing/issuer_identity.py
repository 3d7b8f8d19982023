"""Store the issuer once, at first run, and register the public keys of its certificates."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.orm import Session

from app.audit import recorder
from app.core.actor import SYSTEM
from app.core.crypto.jwk import parse_jwk, public_jwk, thumbprint
from app.core.crypto.jws import PublicKey, UnusableKey
from app.core.crypto.keyring import KeyRecord, KeyState
from app.core.crypto.signer import Signer
from app.core.errors import UnsafeToStart
from app.core.messages import Message
from app.signing import signing_repository
from app.signing.key_files import KeyFileMissing, KeyFiles
from app.signing.model import ServiceIdentity, SigningKey
from app.transparency import appender, log_repository
from app.transparency.appender import LogDamaged
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.verified_log import LoggedEntry, VerifiedLog

KEY_STATES: Mapping[LogEvent, KeyState] = MappingProxyType(
    {
        LogEvent.KEY_PUBLISHED: KeyState.NEXT,
        LogEvent.KEY_ACTIVATED: KeyState.ACTIVE,
        LogEvent.KEY_RETIRED: KeyState.RETIRED,
        LogEvent.KEY_COMPROMISED: KeyState.COMPROMISED,
    }
)
"""The state that a key enters by each event of the log."""


def set_issuer_once(session: Session, issuer: str, now: datetime) -> str:
    """Store the issuer at first run. Raises `UnsafeToStart` for another value later: certificates name the first."""
    identity = session.get(ServiceIdentity, 1)
    if identity is None:
        session.add(ServiceIdentity(id=1, issuer=issuer, created_at=now))
        recorder.record(session, SYSTEM, "issuer.fixed", ("issuer", issuer), now)
        return issuer
    if identity.issuer != issuer:
        raise UnsafeToStart(
            f"This database belongs to the issuer {identity.issuer}, but the settings name {issuer}. "
            f"Set MIK_ISSUER={identity.issuer}, or use another database and data folder."
        )
    return identity.issuer


def get_stored_issuer(session: Session) -> str | None:
    return signing_repository.get_issuer(session)


def register_key(session: Session, signer: Signer, now: datetime) -> None:
    """Register the key of a key file; the first key becomes active.

    Raises `UnsafeToStart` if another key is active or this one may not sign: a folder restored without its keys must
    not silently sign under a new key.
    """
    key = session.get(SigningKey, signer.kid)
    if key is None:
        active = signing_repository.get_active_kid(session)
        if active is not None:
            raise UnsafeToStart(
                f"The key file holds {signer.kid}, but the register knows {active} as the active key. "
                "Put the right key file back into the data folder."
            )
        jwk = public_jwk(signer.public, signer.kid)
        session.add(
            SigningKey(kid=signer.kid, public_jwk=jwk, state=KeyState.ACTIVE.value, state_since=now, created_at=now)
        )
        recorder.record(session, SYSTEM, "key.activated", ("key", signer.kid), now)
    elif key.state != KeyState.ACTIVE:
        raise UnsafeToStart(f"The key {signer.kid} in the key file is {key.state}; it must not sign.")
    # A key can be older than the log.
    if not log_repository.has_entry(session, LogEvent.KEY_ACTIVATED, signer.kid):
        appender.add_entry(session, Entry(LogEvent.KEY_ACTIVATED, now, signer.kid))


def register_keys(session: Session, files: KeyFiles, now: datetime) -> None:
    """Create and activate the first key, or require the file of the active key; runs at every start.

    Without an active key the service starts, and only issuance stops. Raises `UnsafeToStart` if the file is missing.
    """
    keys = signing_repository.list_keys(session)
    active = signing_repository.get_active_kid(session)
    if active is None and keys:
        return
    try:
        register_key(session, files.get_signer(active) if active else files.get_first_signer(), now)
    except KeyFileMissing:
        raise UnsafeToStart(
            f"The register knows {active} as the active key, but no key file of certificates holds it. "
            "Put the right key file back into the data folder."
        ) from None


def load_keys(session: Session, log: VerifiedLog) -> Mapping[str, KeyRecord]:
    """Return every key of the issuer, by `kid`, in the state that the verified log gives it.

    A row only holds the public key, which must have the thumbprint of its `kid`; a key that was never logged is left
    out. Raises `LogDamaged` where the row of a logged key is missing or holds another key.
    """
    public = load_public_keys(session)
    keys = {}
    for kid in log.subjects("key"):
        entries = log.entries_about("key", kid)
        state, since = state_of(entries)
        if kid not in public:
            raise LogDamaged(Message("the public key of %(kid)s is missing or replaced.", kid=kid))
        declared = [each.seq for each in entries if each.entry.event is LogEvent.KEY_COMPROMISED] or [-1]
        keys[kid] = KeyRecord(kid, public[kid], state, since, declared[0], declared[-1])
    return keys


def load_public_keys(session: Session) -> dict[str, PublicKey]:
    """Return the public key of every row by `kid`; rows whose key has another thumbprint are left out."""
    public = {}
    for row in signing_repository.list_keys(session):
        with suppress(UnusableKey):
            _, key = parse_jwk(row.public_jwk)
            if row.kid.rpartition("#")[2] == thumbprint(key):
                public[row.kid] = key
    return public


def state_of(entries: Sequence[LoggedEntry]) -> tuple[KeyState, datetime]:
    """Return the state of a key and since when, from its entries in the log; a compromise is never undone."""
    compromised = [each.entry for each in entries if each.entry.event is LogEvent.KEY_COMPROMISED]
    last = (compromised or [each.entry for each in entries])[-1]
    return KEY_STATES[last.event], last.at
