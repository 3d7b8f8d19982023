"""Sign in with a passkey; list, register, rename and remove one's own."""

import secrets
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field, StringConstraints

from app.auth import user_repository
from app.auth.model import User
from app.auth.permissions import require_user_id
from app.auth.sign_on import passkeys, recent_sign_in, sign_on_repository
from app.auth.sign_on.model import Passkey
from app.core.actor import Actor
from app.core.errors import Unauthenticated
from app.notifications import notices
from app.notifications.model import MessageKind
from app.web.dependencies import (
    READ_ONLY_ATTRIBUTE,
    ActorDep,
    IdempotentReplayDep,
    NowDep,
    RelyingPartyDep,
    SecretBoxDep,
    SessionDep,
    parse_id,
)
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import RequestModel, ResponseModel, Text250

sign_in_router = APIRouter(prefix="/v1/auth/passkey", tags=["tokens"], route_class=GuardedRoute)
router = APIRouter(prefix="/v1/me/passkeys", tags=["account"], route_class=GuardedRoute)

PasskeyName = Annotated[Text250, Field(description="by which you know the passkey", examples=["My telephone"])]


class PasskeySignInOptions(ResponseModel):
    options: dict[str, Any] = Field(
        description="for `navigator.credentials.get`: `PublicKeyCredentialRequestOptionsJSON` of WebAuthn"
    )
    ticket: str = Field(description="for `POST /v1/auth/token`, with the answer; good for five minutes and once")


class PasskeyRegistrationOptions(ResponseModel):
    options: dict[str, Any] = Field(
        description="for `navigator.credentials.create`: `PublicKeyCredentialCreationOptionsJSON` of WebAuthn"
    )
    ticket: str = Field(description="for `POST /v1/me/passkeys`, with the answer; good for five minutes and once")


class PasskeyResponse(ResponseModel):
    id: UUID
    name: str
    registered_at: datetime
    last_used_at: datetime | None


class PasskeyList(ResponseModel):
    items: list[PasskeyResponse] = Field(max_length=passkeys.MAX_PASSKEYS)


class PasskeyRequest(RequestModel):
    name: PasskeyName
    registration: dict[str, Any] = Field(description="`RegistrationResponseJSON` of WebAuthn")
    ticket: Annotated[str, StringConstraints(max_length=6_000)]


class PasskeyNameRequest(RequestModel):
    name: PasskeyName


def _require_recent(actor: ActorDep, session: SessionDep, now: NowDep) -> Actor:
    recent_sign_in.require_recent_sign_in(session, actor, now)
    return actor


RecentActor = Annotated[Actor, Depends(_require_recent, scope="function")]


def _user(session: SessionDep, actor: Actor) -> User:
    user = user_repository.find_user(session, require_user_id(actor))
    if user is None:
        raise Unauthenticated("This account is not active.")
    return user


def _response(row: Passkey) -> PasskeyResponse:
    return PasskeyResponse.model_validate(row, from_attributes=True)


@sign_in_router.post("/options", summary="Get the options of a sign-in by passkey", responses=error_responses(400, 422))
def get_passkey_sign_in_options(party: RelyingPartyDep, box: SecretBoxDep, now: NowDep) -> PasskeySignInOptions:
    """What a browser asks its authenticator with; the person chooses the passkey there, and no name is entered.

    Then `POST /v1/auth/token` with `grant_type=urn:mik:grant-type:passkey`, `ticket`, and the answer as `assertion`.
    """
    options, ticket = passkeys.begin_sign_in(party, box, now, secrets.token_bytes)
    return PasskeySignInOptions(options=options, ticket=ticket)


@router.get("", summary="List one's passkeys", responses=error_responses(*READ_ERRORS))
def list_passkeys(actor: ActorDep, session: SessionDep) -> PasskeyList:
    """Those that sign in to the own account, oldest first."""
    rows = sign_on_repository.list_passkeys(session, require_user_id(actor))
    return PasskeyList(items=[_response(row) for row in rows])


@router.post(
    "/options",
    summary="Get the options of a passkey's registration",
    responses=error_responses(400, 401, 403, 409, 422, 503),
    dependencies=[READ_ONLY_ATTRIBUTE],
)
def get_passkey_registration_options(
    actor: ActorDep, session: SessionDep, party: RelyingPartyDep, box: SecretBoxDep, now: NowDep
) -> PasskeyRegistrationOptions:
    """What a browser asks an authenticator for a new passkey with."""
    user = _user(session, actor)
    options, ticket = passkeys.begin_registration(session, user, party, box, now, secrets.token_bytes)
    return PasskeyRegistrationOptions(options=options, ticket=ticket)


@router.post("", status_code=201, summary="Register a passkey", responses=error_responses(*CREATE_ERRORS))
def register_passkey(
    body: PasskeyRequest,
    actor: RecentActor,
    session: SessionDep,
    party: RelyingPartyDep,
    box: SecretBoxDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> PasskeyResponse:
    """It signs in to the own account from now on, and counts as a second factor. It confirms no decisions: for these
    see `/v1/me/credentials`. Needs a sign-in of the last ten minutes, or a second factor. The person is told by mail.
    """
    user = _user(session, actor)
    row = passkeys.register(
        session,
        actor,
        user,
        registration=body.registration,
        ticket=body.ticket,
        name=body.name,
        party=party,
        box=box,
        now=now,
    )
    notices.notify_sign_in_changed(session, MessageKind.SIGN_IN_ADDED, user, row.name, now=now)
    return _response(row)


def _own_passkey(passkey_id: str, actor: ActorDep, session: SessionDep) -> Passkey:
    return passkeys.own_passkey(session, require_user_id(actor), parse_id(passkey_id, "passkey"))


@router.put("/{passkey_id}", summary="Rename a passkey", responses=error_responses(*CREATE_ERRORS))
def rename_passkey(
    row: Annotated[Passkey, Depends(_own_passkey, scope="function")],
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
    body: PasskeyNameRequest,
) -> PasskeyResponse:
    """For one's own account."""
    passkeys.rename(session, actor, row, body.name, now)
    return _response(row)


@router.delete("/{passkey_id}", status_code=204, summary="Remove a passkey", responses=error_responses(*CREATE_ERRORS))
def remove_passkey(
    passkey_id: str, actor: RecentActor, session: SessionDep, now: NowDep, _retry: IdempotentReplayDep
) -> Response:
    """It signs in no more. Needs a sign-in of the last ten minutes, or a second factor. The person is told by mail."""
    user = _user(session, actor)
    row = passkeys.remove(session, actor, user.id, parse_id(passkey_id, "passkey"), now)
    notices.notify_sign_in_changed(session, MessageKind.SIGN_IN_REMOVED, user, row.name, now=now)
    return Response(status_code=204)
