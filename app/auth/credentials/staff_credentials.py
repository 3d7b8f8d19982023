"""Register and remove the authenticators with which staff confirm decisions.

Both are entries of the public log, which hold the hash of the credential and the id of its user. A row that was added
or changed in the database has no entry, so it confirms nothing (`confirmations.py`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.credentials import credential_repository
from app.auth.credentials.relying_party import RelyingParty, WebAuthnRejected, challenge_of
from app.auth.model import StaffCredential, User
from app.auth.permissions import require_second_factor, require_staff, require_user_id
from app.core.actor import Actor
from app.core.canonical_json import digest
from app.core.database import new_id
from app.core.errors import Conflict, Invalid, NotFound
from app.core.messages import Message
from app.transparency import appender
from app.transparency.log_entry import Entry, LogEvent

MAX_CREDENTIALS = 10
"""Authenticators of one person; the list goes with every refusal."""


def credential_sha256(credential_id: str, public_key: str, user_id: UUID) -> str:
    """Return the hash that the public log holds of a credential."""
    return digest({"credential": credential_id, "public_key": public_key, "user": str(user_id)})


def registration_document(account: str) -> dict[str, Any]:
    """Return the document whose SHA-256 is the challenge of a registration. `account`: the e-mail address."""
    return {"v": 1, "act": "register", "account": account}


def registration_options(session: Session, user: User, party: RelyingParty) -> dict[str, Any]:
    """Return the options of a registration by this person, as browsers take them."""
    known = [row.credential_id for row in credential_repository.list_credentials(session, user.id)]
    challenge = challenge_of(registration_document(user.email))
    return party.registration_options(challenge, user.id.bytes, user.email, known)


def read_registration(
    registration: Mapping[str, Any], *, account: str, user_id: UUID, name: str, party: RelyingParty
) -> dict[str, Any]:
    """Verify a registration of this person and return what is to be registered, as JSON.

    Raises `Invalid` at `/registration`.
    """
    try:
        found = party.verify_registration(registration, challenge_of(registration_document(account)))
    except WebAuthnRejected as why:
        raise Invalid.at("/registration", Message("The registration does not fit: %(why)s", why=why.reason)) from why
    return {
        "user_id": str(user_id),
        "name": name,
        "credential_id": found.credential_id,
        "public_key": found.public_key,
        "sign_count": found.sign_count,
        "sha256": credential_sha256(found.credential_id, found.public_key, user_id),
    }


def require_can_register(actor: Actor) -> UUID:
    """Require a member of staff with a recent second factor. Raises `Forbidden`, `SecondFactorRequired`."""
    user_id = require_user_id(actor)
    require_staff(actor)
    require_second_factor(actor)
    return user_id


def require_new(session: Session, content: Mapping[str, Any]) -> None:
    """Require a credential that was never registered. Raises `Conflict` (`known-authenticator`, `too-many…`)."""
    if credential_repository.find_credential(session, content["credential_id"]) is not None:
        raise Conflict(
            "This authenticator is registered already, or was removed; make another key.", code="known-authenticator"
        )
    if len(credential_repository.list_credentials(session, UUID(content["user_id"]))) >= MAX_CREDENTIALS:
        raise Conflict(
            Message("A person has at most %(limit)s authenticators; remove one first.", limit=MAX_CREDENTIALS),
            code="too-many-authenticators",
        )


def register_credential(session: Session, actor: Actor, content: Mapping[str, Any], now: datetime) -> StaffCredential:
    """Register what `read_registration` returned, after another person has agreed, or for the system.

    Raises as `require_new` does.
    """
    require_new(session, content)
    user_id = UUID(content["user_id"])
    row = StaffCredential(
        id=new_id(),
        credential_id=content["credential_id"],
        public_key=content["public_key"],
        user_id=user_id,
        name=content["name"],
        sign_count=content["sign_count"],
        sha256=credential_sha256(content["credential_id"], content["public_key"], user_id),
        registered_at=now,
        removed_at=None,
    )
    session.add(row)
    _log(session, actor, LogEvent.CREDENTIAL_REGISTERED, row, now)
    return row


def remove_own_credential(session: Session, actor: Actor, row_id: UUID, now: datetime) -> StaffCredential:
    """Remove an authenticator of the actor. Raises `NotFound`, `Conflict` (`already-removed`)."""
    user_id = require_can_register(actor)
    row = credential_repository.find_own_credential(session, user_id, row_id, lock=True)
    if row is None:
        raise NotFound.of("authenticator")
    if row.removed_at is not None:
        raise Conflict("This authenticator was removed already.", code="already-removed")
    _remove(session, actor, row, now)
    return row


def remove_all_credentials(session: Session, actor: Actor, user_id: UUID, now: datetime) -> None:
    """Remove every authenticator of a person whose account ends."""
    for row in credential_repository.list_credentials(session, user_id):
        _remove(session, actor, row, now)


def _remove(session: Session, actor: Actor, row: StaffCredential, now: datetime) -> None:
    row.removed_at = now
    _log(session, actor, LogEvent.CREDENTIAL_REMOVED, row, now)


def _log(session: Session, actor: Actor, event: LogEvent, row: StaffCredential, now: datetime) -> None:
    appender.add_entry(session, Entry(event, now, row.sha256, user=str(row.user_id)))
    recorder.record(session, actor, event.value, ("user", row.user_id), now, credential=row.id, sha256=row.sha256)
