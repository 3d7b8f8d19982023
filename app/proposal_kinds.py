"""List the kinds of proposals: the acts that take two people. START HERE to add one.

A kind is one entry of `build_kinds` with a model of its content, a check and what applies it. Everything else, from the
table to the routes, is common. A kind that people propose at POST /v1/proposals is also named in `ProposableKind` of
`app/api/staff/proposals.py`; others have a route of their own that calls `ProposalService.propose`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, StrictBool, ValidationError
from sqlalchemy.orm import Session

from app.api.staff.staff_users import StaffRole
from app.auth import staff_admin, user_repository
from app.auth.credentials import mfa, staff_credentials
from app.auth.model import Proposal
from app.auth.proposals import Content, ProposalKind, ProposalTarget
from app.certificates import status_service
from app.certificates.model import RevocationReason
from app.core.actor import STAFF_ROLES, Actor, Role
from app.core.crypto.keyring import KeyAction
from app.core.errors import Invalid, NotFound
from app.core.messages import Message
from app.notifications import notices
from app.notifications.model import MessageKind
from app.signing import key_lifecycle
from app.signing.key_files import KeyFiles
from app.signing.key_lifecycle import CorrectionReason
from app.signing.model import SigningKey
from app.web.problems.problem_details import pointer_of
from app.web.problems.validation_errors import message_for_error
from app.web.schema_types import RequestModel, Text250, Text4000

OWNERS = frozenset({Role.OWNER})


class RoleContent(RequestModel):
    user_id: UUID
    role: StaffRole


class SecondFactorResetContent(RequestModel):
    user_id: UUID


class KeyActivationContent(RequestModel):
    kid: Text250
    at_once: StrictBool = False


class CompromiseCorrectionContent(RequestModel):
    kid: Text250
    since: AwareDatetime
    reason: CorrectionReason


class RevocationContent(RequestModel):
    number: Text250
    reason: RevocationReason


class StaffCredentialContent(RequestModel):
    """What `staff_credentials.read_registration` returns."""

    user_id: UUID
    name: Text250
    credential_id: Text4000
    public_key: Text4000
    sign_count: int
    sha256: str


def build_kinds(files: KeyFiles) -> Mapping[str, ProposalKind]:
    """Return every kind by name. `files`: a key can only be activated where its file is."""

    def apply_activation(session: Session, actor: Actor, proposal: Proposal, now: datetime) -> None:
        kid, at_once = proposal.content["kid"], proposal.content["at_once"]
        files.get_signer(kid)  # without its file nothing could be issued
        key_lifecycle.activate_key(session, actor, kid, at_once=at_once, now=now)

    return MappingProxyType(
        {
            "role": ProposalKind(OWNERS, OWNERS, _parser(RoleContent), _check_role, _apply_role),
            "second-factor-reset": ProposalKind(
                OWNERS, OWNERS, _parser(SecondFactorResetContent), _check_reset, _apply_reset
            ),
            "key-activation": ProposalKind(
                OWNERS, OWNERS, _parser(KeyActivationContent), _check_activation, apply_activation
            ),
            "compromise-correction": ProposalKind(
                OWNERS, OWNERS, _parser(CompromiseCorrectionContent), _check_correction, _apply_correction
            ),
            "revocation": ProposalKind(
                OWNERS, OWNERS, _parser(RevocationContent), _check_revocation, _apply_revocation
            ),
            "staff-credential": ProposalKind(
                STAFF_ROLES,
                OWNERS,
                _parser(StaffCredentialContent),
                _check_credential,
                _apply_credential,
            ),
        }
    )


def _parser(model: type[RequestModel]) -> Callable[[Content], dict[str, Any]]:
    def parse(content: Content) -> dict[str, Any]:
        try:
            return model.model_validate(dict(content)).model_dump(mode="json")
        except ValidationError as why:
            raise Invalid.with_errors(
                [
                    {"pointer": pointer_of(("body", "content", *each["loc"])), "detail": message_for_error(each)}
                    for each in why.errors()
                ]
            ) from None

    return parse


def _check_role(session: Session, _actor: Actor, content: Content, _now: datetime) -> ProposalTarget:
    return ProposalTarget.of_user(
        staff_admin.lock_grantable(session, UUID(content["user_id"]), Role(content["role"])).id
    )


def _apply_role(session: Session, actor: Actor, proposal: Proposal, now: datetime) -> None:
    user_id, role = UUID(proposal.content["user_id"]), Role(proposal.content["role"])
    staff_admin.grant_role(session, actor, user_id, role, proposal.id, now)
    if (user := user_repository.find_user(session, user_id)) is not None:
        notices.notify_role_granted(session, user, role, now=now)


def _check_reset(session: Session, _actor: Actor, content: Content, _now: datetime) -> ProposalTarget:
    return ProposalTarget.of_user(staff_admin.lock_resettable(session, UUID(content["user_id"])).id)


def _apply_reset(session: Session, actor: Actor, proposal: Proposal, now: datetime) -> None:
    mfa.delete_enrolment(session, actor, UUID(proposal.content["user_id"]), now)


def _check_activation(session: Session, actor: Actor, content: Content, _now: datetime) -> ProposalTarget:
    key = _key(session, actor, content)
    key_lifecycle.require_possible(key, KeyAction.ACTIVATE)
    return ProposalTarget("key", key.kid)


def _check_correction(session: Session, actor: Actor, content: Content, now: datetime) -> ProposalTarget:
    key = _key(session, actor, content)
    key_lifecycle.require_correctable(key, datetime.fromisoformat(content["since"]), now)
    return ProposalTarget("key", key.kid)


def _apply_correction(session: Session, actor: Actor, proposal: Proposal, now: datetime) -> None:
    content = proposal.content
    key_lifecycle.correct_compromise(
        session,
        actor,
        content["kid"],
        since=datetime.fromisoformat(content["since"]),
        reason=CorrectionReason(content["reason"]),
        now=now,
    )


def _key(session: Session, actor: Actor, content: Content) -> SigningKey:
    try:
        return key_lifecycle.lock_key(session, actor, content["kid"])
    except NotFound:
        raise Invalid.at(
            "/content/kid", Message("There is no such %(what)s.", code="not-found", what=Message("key"))
        ) from None


def _check_credential(session: Session, _actor: Actor, content: Content, _now: datetime) -> ProposalTarget:
    user = staff_admin.lock_active(session, UUID(content["user_id"]))
    staff_credentials.require_new(session, content)
    return ProposalTarget.of_user(user.id)


def _apply_credential(session: Session, actor: Actor, proposal: Proposal, now: datetime) -> None:
    row = staff_credentials.register_credential(session, actor, proposal.content, now)
    if (user := user_repository.find_user(session, row.user_id)) is not None:
        notices.notify_authenticator(session, MessageKind.AUTHENTICATOR_REGISTERED, user, now=now)


def _check_revocation(session: Session, _actor: Actor, content: Content, _now: datetime) -> ProposalTarget:
    return ProposalTarget("certificate", status_service.lock_revocable(session, content["number"]).number)


def _apply_revocation(session: Session, actor: Actor, proposal: Proposal, now: datetime) -> None:
    number, reason = proposal.content["number"], RevocationReason(proposal.content["reason"])
    certificate = status_service.lock_revocable(session, number)
    status_service.revoke(session, actor, number, reason=reason, version=certificate.version, now=now)
