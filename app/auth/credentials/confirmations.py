"""Require that a person confirms a decision with a key of their own, over exactly what is decided.

The first request of a decision is refused with `confirmation-required`, which holds the document of the decision. The
client has it signed and repeats the request with the header `Mik-Confirmation`. Whoever can change the database but
has no key decides nothing: the key must be registered in the public log for this person.

`Confirmation` is the port; `WebAuthnConfirmation` its adapter, which both browsers and key files use.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.auth.credentials import credential_repository
from app.auth.credentials.relying_party import MALFORMED, RelyingParty, WebAuthnRejected, challenge_of, decode_assertion
from app.auth.credentials.staff_credentials import credential_sha256
from app.auth.model import StaffCredential
from app.auth.permissions import require_user_id
from app.core.actor import Actor, Role
from app.core.canonical_json import digest
from app.core.errors import Forbidden, Unavailable
from app.core.messages import Message
from app.core.unit_of_work import after_commit, get_pending, take_pending

CONFIRMATION_KEY = "confirmation"
"""Key in `Session.info` of the `Confirmation`."""
CONFIRMATION_HEADER = "Mik-Confirmation"
_PENDING_KEY = "used confirmations"
_log = logging.getLogger(__name__)


class ConfirmationRequired(Forbidden):
    """The decision is not confirmed yet; `document` is what the person confirms."""

    code = "confirmation-required"


class ConfirmationInvalid(Forbidden):
    """The confirmation does not fit this decision or this person."""

    code = "confirmation-invalid"


class NoAuthenticator(Forbidden):
    """The person has no registered authenticator, so they decide nothing."""

    code = "no-authenticator"


class Confirmation(Protocol):
    """Verify that a person confirmed a document."""

    def require(self, session: Session, actor: Actor, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record of the confirmation, to be stored beside the decision. Raises `Forbidden`."""

    def verify(self, record: Mapping[str, Any], document: Mapping[str, Any], user_id: UUID) -> bool:
        """Whether the record confirms this document, by an authenticator that this person still has."""

    def mark_used(self, sha256: str) -> None:
        """Remember that this document was confirmed and carried out."""


class CredentialLog(Protocol):
    """The staff credentials in the verified public log (`transparency/verified_log.py`)."""

    def require_intact(self) -> None: ...
    def refresh(self, *, force: bool = False) -> None: ...
    def credentials(self) -> Mapping[str, str]: ...


def require_confirmation(
    session: Session, actor: Actor, document: Mapping[str, Any], *, once: bool = True
) -> dict[str, Any] | None:
    """Require that the actor confirmed this document, which they thereby carry out; None for the system.

    Call it after everything else that can refuse. `once`: the document names a version or an id, so it can be carried
    out once. Raises `ConfirmationRequired`, `ConfirmationInvalid`, `NoAuthenticator`.
    """
    if actor.has_role(Role.SYSTEM):
        return None
    record = _port(session).require(session, actor, document)
    if once:
        get_pending(session, _PENDING_KEY, list).append(digest(document))
    return record


def is_confirmed(
    session: Session, record: Mapping[str, Any] | None, document: Mapping[str, Any], user_id: UUID
) -> bool:
    """Whether a stored record confirms this document, by an authenticator that this person still has."""
    return record is not None and _port(session).verify(record, document, user_id)


def _port(session: Session) -> Confirmation:
    confirmation: Confirmation | None = session.info.get(CONFIRMATION_KEY)
    if confirmation is None:
        raise Unavailable("This process cannot verify confirmations, so nobody can decide in it.")
    return confirmation


def remember_used(session: Session) -> None:
    """Remember the confirmed documents once they are committed; a commit step."""
    confirmation: Confirmation | None = session.info.get(CONFIRMATION_KEY)
    for sha256 in take_pending(session, _PENDING_KEY, list):
        if confirmation is not None:
            after_commit(session, partial(confirmation.mark_used, sha256))


class UsedDocuments:
    """The documents that were confirmed and carried out, in a file beside the keys.

    Confirmations are stored in the database. Without this file, somebody who put a case back to an older state could
    send a stored confirmation again. A document names the version of its case, so nobody confirms it twice.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[bytes] = set()
        self._read_bytes = 0

    def __contains__(self, sha256: str) -> bool:
        self._read()
        return bytes.fromhex(sha256) in self._known

    def add(self, sha256: str) -> None:
        with self._path.open("a", encoding="ascii") as file:
            file.write(f"{sha256}\n")  # one short write at the end: safe against other processes

    def _read(self) -> None:
        """Read the lines that were added since, by any process."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read_bytes)
                content = file.read()
        except FileNotFoundError:
            return
        complete = content[: content.rfind(b"\n") + 1]
        self._known.update(bytes.fromhex(line.decode("ascii")) for line in complete.split())
        self._read_bytes += len(complete)


class WebAuthnConfirmation:
    """Verify WebAuthn assertions by registered authenticators."""

    def __init__(self, party: RelyingParty, log: CredentialLog, used: UsedDocuments) -> None:
        self._party = party
        self._log = log
        self._used = used

    def require(self, session: Session, actor: Actor, document: Mapping[str, Any]) -> dict[str, Any]:
        user_id = require_user_id(actor)
        registered = self._registered(session, actor)
        if not registered:
            raise NoAuthenticator(
                "Decisions are confirmed with an authenticator of one's own, and you have none. Register one: "
                "POST /v1/me/credentials; an owner confirms it."
            )
        told = {"document": dict(document), "sha256": digest(document), "credentials": sorted(registered)}
        if actor.confirmation is None:
            raise ConfirmationRequired(
                Message(
                    "Confirm this decision with your authenticator: sign `sha256` and repeat the request with the "
                    "header %(header)s.",
                    header=CONFIRMATION_HEADER,
                ),
                data=told,
            )
        try:
            return self._verify(user_id, registered, actor.confirmation, document)
        except WebAuthnRejected as why:
            raise ConfirmationInvalid(
                Message("The confirmation does not fit this decision: %(why)s", why=why.reason), data=told
            ) from why

    def _verify(
        self,
        user_id: UUID,
        registered: Mapping[str, StaffCredential],
        text: str,
        document: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Verify a confirmation by one of the registered authenticators. Raises `WebAuthnRejected`."""
        assertion = decode_assertion(text)
        row = registered.get(assertion["id"])
        if row is None:
            raise WebAuthnRejected(Message("it was made with an authenticator that is not registered for you."))
        row.sign_count = self._party.verify_assertion(
            assertion, challenge_of(document), public_key=row.public_key, sign_count=row.sign_count
        )
        if digest(document) in self._used:
            raise WebAuthnRejected(Message("this very decision was confirmed and carried out before."))
        return {
            "credential": credential_sha256(row.credential_id, row.public_key, user_id),
            "credential_id": row.credential_id,
            "public_key": row.public_key,
            "assertion": assertion,
        }

    def verify(self, record: Mapping[str, Any], document: Mapping[str, Any], user_id: UUID) -> bool:
        self._log.require_intact()
        try:
            sha256 = verify_record(record, document, user_id=user_id, party=self._party)
        except WebAuthnRejected:
            return False
        return self._log.credentials().get(sha256) == str(user_id)

    def mark_used(self, sha256: str) -> None:
        try:
            self._used.add(sha256)
        except OSError as why:  # the decision is committed by now
            _log.error("The file of used confirmations cannot be written: %s", why.strerror)

    def _registered(self, session: Session, actor: Actor) -> dict[str, StaffCredential]:
        """Return the authenticators of the actor that the table and the public log agree on, by credential id.

        They are locked where one is about to be used: until the transaction ends, none is removed.
        """
        self._log.require_intact()
        rows = credential_repository.list_credentials(
            session, require_user_id(actor), lock=actor.confirmation is not None
        )
        found = self._logged(rows)
        if len(found) < len(rows):  # another process may have registered one within the last second
            self._log.refresh(force=True)
            found = self._logged(rows)
        return found

    def _logged(self, rows: Sequence[StaffCredential]) -> dict[str, StaffCredential]:
        logged = self._log.credentials()
        return {
            row.credential_id: row
            for row in rows
            if logged.get(credential_sha256(row.credential_id, row.public_key, row.user_id)) == str(row.user_id)
        }


def verify_record(
    record: Mapping[str, Any], document: Mapping[str, Any], *, user_id: UUID, party: RelyingParty | None = None
) -> str:
    """Verify a stored confirmation of a document, and return the hash of its credential.

    Without `party` it is the address that the confirmation names: the service may have had another one then. Whether
    the log holds that credential for the person is for the caller to find out. Raises `WebAuthnRejected`.
    """
    try:
        public_key, credential_id, assertion = record["public_key"], record["credential_id"], record["assertion"]
        if assertion["id"] != credential_id:
            raise WebAuthnRejected(Message("it was made with another authenticator."))
    except (KeyError, TypeError) as why:
        raise WebAuthnRejected(MALFORMED) from why
    party = party or RelyingParty.stated_in(assertion)
    party.verify_assertion(assertion, challenge_of(document), public_key=public_key, sign_count=0)
    return credential_sha256(credential_id, public_key, user_id)
