"""List, register and remove the authenticators with which staff confirm decisions."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from app.api.staff.proposals import ProposalResponse, proposal_response
from app.auth import user_repository
from app.auth.credentials import credential_repository, staff_credentials
from app.auth.model import StaffCredential, User
from app.auth.permissions import require_staff, require_user_id
from app.core.actor import Actor
from app.core.errors import Unauthenticated
from app.notifications import notices
from app.notifications.model import MessageKind
from app.web.dependencies import (
    ActorDep,
    IdempotentReplayDep,
    NowDep,
    ProposalsDep,
    RelyingPartyDep,
    SessionDep,
    parse_id,
)
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import RequestModel, ResponseModel, Text250

router = APIRouter(prefix="/v1/me/credentials", tags=["account"], route_class=GuardedRoute)


class StaffCredentialResponse(ResponseModel):
    id: UUID
    name: str
    credential_id: str = Field(description="given by the authenticator, base64url")
    sha256: str = Field(description="hash of the credential in the public log")
    registered_at: datetime
    removed_at: datetime | None


class StaffCredentialList(ResponseModel):
    items: list[StaffCredentialResponse] = Field(max_length=staff_credentials.MAX_CREDENTIALS)


class RegistrationOptionsResponse(ResponseModel):
    options: dict[str, Any] = Field(
        description="for `navigator.credentials.create`: `PublicKeyCredentialCreationOptionsJSON` of WebAuthn"
    )


class StaffCredentialRequest(RequestModel):
    name: Text250 = Field(description="by which you know the authenticator", examples=["Key on my key ring"])
    registration: dict[str, Any] = Field(
        description="`RegistrationResponseJSON` of WebAuthn, from a browser or from `mik authenticator register`"
    )


def _require_staff(actor: ActorDep) -> UUID:
    user_id = require_user_id(actor)
    require_staff(actor)
    return user_id


StaffId = Annotated[UUID, Depends(_require_staff, scope="function")]


def _require_can_register(actor: ActorDep) -> Actor:
    staff_credentials.require_can_register(actor)
    return actor


RegisteringActor = Annotated[Actor, Depends(_require_can_register, scope="function")]


def _user(session: SessionDep, user_id: UUID) -> User:
    user = user_repository.find_user(session, user_id)
    if user is None:
        raise Unauthenticated("This account is not active.")
    return user


def _response(row: StaffCredential) -> StaffCredentialResponse:
    return StaffCredentialResponse.model_validate(row, from_attributes=True)


@router.get("", summary="List one's authenticators", responses=error_responses(*READ_ERRORS))
def list_credentials(user_id: StaffId, session: SessionDep) -> StaffCredentialList:
    """For staff: those that confirm decisions now, oldest first."""
    rows = credential_repository.list_credentials(session, user_id)
    return StaffCredentialList(items=[_response(row) for row in rows])


@router.get("/options", summary="Get the options of a registration", responses=error_responses(*READ_ERRORS))
def get_registration_options(
    user_id: StaffId, session: SessionDep, party: RelyingPartyDep
) -> RegistrationOptionsResponse:
    """For staff: what a browser asks an authenticator for a new key with."""
    options = staff_credentials.registration_options(session, _user(session, user_id), party)
    return RegistrationOptionsResponse(options=options)


@router.post("", status_code=201, summary="Register an authenticator", responses=error_responses(*CREATE_ERRORS))
def register_credential(
    actor: RegisteringActor,
    _retry: IdempotentReplayDep,
    body: StaffCredentialRequest,
    session: SessionDep,
    service: ProposalsDep,
    party: RelyingPartyDep,
    response: Response,
    now: NowDep,
) -> ProposalResponse:
    """For staff with a second factor. Makes a proposal of the kind `staff-credential`: the authenticator confirms
    decisions once an owner, not you, has confirmed it (`POST /v1/proposals/{id}/confirm`). It is then named in the
    public log by its hash."""
    user = _user(session, require_user_id(actor))
    content = staff_credentials.read_registration(
        body.registration, account=user.email, user_id=user.id, name=body.name, party=party
    )
    proposal = service.propose(session, actor, "staff-credential", content, now)
    notices.notify_authenticator(session, MessageKind.AUTHENTICATOR_PROPOSED, user, now=now)
    return proposal_response(proposal, now, response)


@router.delete("/{credential_id}", summary="Remove an authenticator", responses=error_responses(*CREATE_ERRORS))
def remove_credential(
    credential_id: str, actor: RegisteringActor, session: SessionDep, now: NowDep, _retry: IdempotentReplayDep
) -> StaffCredentialResponse:
    """For staff with a second factor; `id` of the list. It confirms nothing from now on."""
    row = staff_credentials.remove_own_credential(session, actor, parse_id(credential_id, "authenticator"), now)
    notices.notify_authenticator(session, MessageKind.AUTHENTICATOR_REMOVED, _user(session, row.user_id), now=now)
    return _response(row)
