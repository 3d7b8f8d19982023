"""Read the own account, change its password and set up its authenticator."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import EmailStr, Field, StringConstraints

from app.api.shared import application_schemas
from app.auth import api_client_repository, login_throttle, user_repository
from app.auth.credentials import mfa, password_resets
from app.auth.model import ApiClient
from app.auth.permissions import require_user_id
from app.core.actor import Actor, ActorKind, Role, Scope
from app.core.errors import Unauthenticated
from app.notifications import requests
from app.organisations import organisation_repository
from app.organisations.model import OrganisationStatus
from app.web.dependencies import (
    READ_ONLY_ATTRIBUTE,
    ActorDep,
    AnonymousIdempotentReplayDep,
    ClientAddressDep,
    DatabaseDep,
    IdempotentReplayDep,
    NowDep,
    PasswordsDep,
    SecretBoxDep,
    SessionDep,
)
from app.web.problems.openapi_responses import CREATE_ERRORS, error_responses
from app.web.problems.problem_details import problem
from app.web.routes import GuardedRoute
from app.web.schema_types import SHOWN_ONCE_DESCRIPTION, RequestModel, ResponseModel

router = APIRouter(prefix="/v1", tags=["account"], route_class=GuardedRoute)

NewPasswordText = Annotated[str, StringConstraints(max_length=256), Field(examples=["correct horse battery staple"])]
LanguageCode = Literal["az", "en", "ru"]
RESET_MESSAGE = "If there is something to do for this address, a message is on its way to it."
Otp = Annotated[str, StringConstraints(max_length=20), Field(examples=["123456"])]


class SecondFactorResponse(ResponseModel):
    enrolled: bool
    good_until: datetime | None = Field(
        description="until then this session may take decisions; null: enter a code first"
    )


class OwnCompany(application_schemas.CompanyName):
    voen: str
    status: OrganisationStatus


class CurrentUserResponse(ResponseModel):
    kind: ActorKind
    id: str
    name: str
    roles: list[Role]
    organisation: OwnCompany | None = Field(description="the company that an applicant acts for")
    administrator: bool | None = Field(
        description="whether the member is an administrator of the company; null for staff and API clients"
    )
    scopes: list[Scope] | None = Field(description="scopes of an API client's token; null for users")
    second_factor: SecondFactorResponse | None = Field(description="of staff; null for others")


@router.get("/me", summary="Get the signed-in user or API client", responses=error_responses(401, 503))
def get_me(actor: ActorDep, session: SessionDep) -> CurrentUserResponse:
    """The account of the access token, its current roles, and the company that it acts for."""
    assert actor.id is not None  # tokens speak for users and clients
    who = (
        api_client_repository.find_client(session, actor.id)
        if actor.kind is ActorKind.CLIENT
        else user_repository.find_user(session, actor.id)
    )
    organisation = (
        organisation_repository.find_organisation(session, actor.organisation_id) if actor.organisation_id else None
    )
    return CurrentUserResponse(
        kind=actor.kind,
        id=str(actor.id),
        name=who.name if isinstance(who, ApiClient) else who.full_name if who else "",
        roles=sorted(actor.roles),
        organisation=OwnCompany(
            id=organisation.id,
            legal_name_az=organisation.legal_name_az,
            legal_name_en=organisation.legal_name_en,
            voen=organisation.voen,
            status=OrganisationStatus(organisation.status),
        )
        if organisation
        else None,
        administrator=actor.is_administrator if actor.organisation_id and actor.kind is ActorKind.USER else None,
        scopes=sorted(actor.scopes) if actor.scopes is not None else None,
        second_factor=SecondFactorResponse(
            enrolled=mfa.is_enrolled(session, actor.id), good_until=_valid_until(actor.second_factor_at)
        )
        if actor.is_staff
        else None,
    )


def _valid_until(given: datetime | None) -> datetime | None:
    return given + mfa.MAX_AGE if given else None


class PasswordChangeRequest(RequestModel):
    present_password: Annotated[str, StringConstraints(max_length=1_000)]
    password: NewPasswordText


@router.post(
    "/me/password",
    status_code=204,
    summary="Change the password",
    responses={429: error_responses(429)[429], **error_responses(*CREATE_ERRORS)},
    dependencies=[READ_ONLY_ATTRIBUTE],  # slow hashing comes before the short transaction that writes
)
def change_password(
    body: PasswordChangeRequest,
    actor: ActorDep,
    session: SessionDep,
    database: DatabaseDep,
    passwords: PasswordsDep,
    address: ClientAddressDep,
    now: NowDep,
) -> Response:
    """Needs the present password. All your sessions end, including this one: sign in again. Failed attempts are
    limited.
    """
    user = user_repository.find_user(session, require_user_id(actor))
    if user is None:
        raise Unauthenticated("This account is not active.")
    login_throttle.require_network_below_limit(session, user.email, address, now)
    with database.session() as writing:
        counted = login_throttle.count_attempt(writing, user.email, address, now)
        writing.commit()
    if counted.needs_second_factor:
        raise login_throttle.too_many_attempts()
    if not passwords.verify(body.present_password, user.password_hash):
        if login_throttle.is_audited(counted, account_exists=True):
            with database.session() as writing:
                login_throttle.record_failure(writing, counted, user.email, address, ("user", user.id), now)
                writing.commit()
        return problem(403, "wrong-password", "The present password is not right.")
    new_hash = passwords.hash(body.password)
    with database.session() as writing:
        login_throttle.clear_failures(writing, user.email, address)
        password_resets.change_password(
            writing, actor, compared_hash=user.password_hash, password_hash=new_hash, now=now
        )
        writing.commit()
    return Response(status_code=204)


class PasswordResetRequest(RequestModel):
    email: EmailStr = Field(max_length=254, examples=["export@numune.example"])
    language: LanguageCode | None = Field(None, description="language of the message if the account has none")


class MessageSentResponse(ResponseModel):
    """The same response for every address, whether or not it has an account."""

    message: str = Field(examples=[RESET_MESSAGE])


@router.post(
    "/auth/password-resets",
    status_code=202,
    summary="Request a password-reset token",
    responses=error_responses(400, 409, 413, 415, 422, 429, 503),
)
def request_password_reset(
    body: PasswordResetRequest,
    session: SessionDep,
    address: ClientAddressDep,
    now: NowDep,
    _retry: AnonymousIdempotentReplayDep,
) -> MessageSentResponse:
    """If the address has an account, a message with a one-time token for `POST /v1/auth/password-reset` is sent to it.
    The response does not reveal whether it has one. Limit: 20 requests from one network in 15 minutes.
    """
    requests.request_reset(session, email=str(body.email), language=body.language, address=address, now=now)
    return MessageSentResponse(message=RESET_MESSAGE)


class PasswordResetConfirmRequest(RequestModel):
    token: Annotated[str, StringConstraints(max_length=200)]
    password: NewPasswordText
    otp: Otp | None = Field(None, description="code of the authenticator, if the account has one")


@router.post(
    "/auth/password-reset",
    status_code=204,
    summary="Set a password with a reset token",
    responses=error_responses(400, 403, 404, 409, 413, 415, 422, 429, 503),
)
def reset_password(
    body: PasswordResetConfirmRequest,
    database: DatabaseDep,
    passwords: PasswordsDep,
    secret_box: SecretBoxDep,
    now: NowDep,
) -> Response:
    """The token can be used once, until the time stated in the message. All sessions of the account end."""
    with database.read_session() as reading:
        password_resets.require_usable_token(reading, body.token, now)
    new_hash = passwords.hash(body.password)
    with database.session() as writing:
        user = password_resets.redeem_reset(
            writing, body.token, password_hash=new_hash, code=body.otp, secret_box=secret_box, now=now
        )
        writing.commit()
    return Response(status_code=204) if user else _wrong_code_response()


class SecondFactorEnrolmentResponse(ResponseModel):
    secret: str | None = Field(description=f"secret for the authenticator; {SHOWN_ONCE_DESCRIPTION}")
    otpauth: str | None = Field(description="`otpauth:` address of the secret, for a QR code")


class SecondFactorCodeRequest(RequestModel):
    otp: Otp


def _require_can_enrol(actor: ActorDep, session: SessionDep) -> Actor:
    mfa.require_can_enrol(session, actor)
    return actor


EnrollingActor = Annotated[Actor, Depends(_require_can_enrol, scope="function")]


@router.post(
    "/me/second-factor", status_code=201, summary="Set up an authenticator", responses=error_responses(*CREATE_ERRORS)
)
def begin_second_factor_enrolment(
    actor: EnrollingActor, session: SessionDep, secret_box: SecretBoxDep, now: NowDep, _retry: IdempotentReplayDep
) -> SecondFactorEnrolmentResponse:
    """For staff. The authenticator is active once a code is confirmed; until then an earlier one stays active.

    To replace an authenticator, enter one of its codes first. If it is lost, two owners can reset it.
    """
    secret = mfa.begin_enrolment(session, actor, secret_box, now)
    user = user_repository.find_user(session, require_user_id(actor))
    return SecondFactorEnrolmentResponse(secret=secret, otpauth=mfa.address(secret, user.email if user else ""))


@router.post(
    "/me/second-factor/confirm",
    summary="Confirm the authenticator with a code",
    response_model=SecondFactorResponse,
    responses=error_responses(*CREATE_ERRORS, 429),
)
def confirm_second_factor_enrolment(
    body: SecondFactorCodeRequest,
    actor: EnrollingActor,
    session: SessionDep,
    secret_box: SecretBoxDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> SecondFactorResponse | Response:
    """The authenticator becomes active, and this session has a recent second factor."""
    if not mfa.confirm_enrolment(session, actor, secret_box, body.otp, now):
        return _wrong_code_response()
    return SecondFactorResponse(enrolled=True, good_until=_valid_until(now))


@router.post(
    "/auth/step-up",
    summary="Enter a code of the authenticator (step-up)",
    response_model=SecondFactorResponse,
    responses=error_responses(*CREATE_ERRORS, 429),
)
def step_up_authentication(
    body: SecondFactorCodeRequest, actor: ActorDep, session: SessionDep, secret_box: SecretBoxDep, now: NowDep
) -> SecondFactorResponse | Response:
    """Renews the second factor of this session for ten minutes; the access token stays the same. Each code can be used
    once, and failed attempts are limited."""
    if not mfa.step_up(session, actor, secret_box, body.otp, now):
        return _wrong_code_response()
    return SecondFactorResponse(enrolled=True, good_until=_valid_until(now))


def _wrong_code_response() -> Response:
    # Returned, not raised: the count of failed attempts is committed with this response.
    return problem(403, "wrong-code", "This is no fresh code of your authenticator. Each one is good once.")
