"""Register a company: request a token by e-mail, then enter the claim to act for the company."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import EmailStr, Field, StringConstraints

from app.api.company.me import RESET_MESSAGE, LanguageCode, MessageSentResponse
from app.auth.credentials import address_confirmations
from app.core.errors import Conflict
from app.notifications import notices, requests
from app.organisations import registration as organisations_registration
from app.organisations.model import OrganisationStatus
from app.web.dependencies import (
    AnonymousIdempotentReplayDep,
    AnonymousReplayHookDep,
    ClientAddressDep,
    DatabaseDep,
    NowDep,
    PasswordsDep,
    SessionDep,
    SettingsDep,
)
from app.web.problems.openapi_responses import error_responses
from app.web.routes import BodyCheckContext, GuardedRoute, check_body
from app.web.schema_types import Code, RequestModel, ResponseModel, StrongPassword, Text100, Text250

registration_router = APIRouter(prefix="/v1", tags=["registration"], route_class=GuardedRoute)


class RegistrationRequest(RequestModel):
    email: EmailStr = Field(max_length=254, examples=["export@numune.example"])
    language: LanguageCode | None = Field(None, description="language of messages to you")


class RegistrationMemberRequest(RequestModel):
    full_name: Text250 = Field(examples=["Aygün Nümunə"])
    password: StrongPassword
    language: LanguageCode | None = Field(
        None, description="language of messages to you; null: as in the first request"
    )


class RegistrationConfirmRequest(RequestModel):
    token: Annotated[str, StringConstraints(max_length=200)] = Field(
        description="from the message that was mailed", examples=["mikr_kq5yY2x0Zc"]
    )
    legal_name_az: Text250 = Field(examples=['"Nümunə-Boru" MMC'])
    legal_name_en: Text250 = Field(examples=["Sample Pipe (fictional)"])
    legal_form: Text100 = Field(examples=["MMC"])
    voen: Code = Field(description="10 digits, as text", examples=["0010000101"])
    member: RegistrationMemberRequest


class RegistrationResponse(ResponseModel):
    claim_id: UUID = Field(description="the claim that a registrar decides")
    organisation_id: UUID = Field(
        description="the organisation that holds what you enter; once the claim is confirmed, a registered company may "
        "replace it, see `GET /v1/me`"
    )
    user_id: UUID
    status: OrganisationStatus = Field(
        description="`unconfirmed` until a registrar has examined evidence that you act for the company"
    )


def _claim_errors(_asked: BodyCheckContext, body: RegistrationConfirmRequest) -> Sequence[Mapping[str, str]]:
    names = {"legal_name_az": body.legal_name_az, "legal_name_en": body.legal_name_en}
    return organisations_registration.claim_errors(names, body.legal_form, body.voen)


@registration_router.post(
    "/registrations",
    status_code=202,
    summary="Request a registration token by e-mail",
    responses=error_responses(400, 409, 413, 415, 422, 429, 503),
)
def request_registration(
    body: RegistrationRequest,
    session: SessionDep,
    settings: SettingsDep,
    address: ClientAddressDep,
    now: NowDep,
    _retry: AnonymousIdempotentReplayDep,
) -> MessageSentResponse:
    """No account is needed. A message with a one-time token for `POST /v1/registrations/confirm` is sent to the
    address; it expires after a day. If the address has an account, the message says so; the response here is the same.
    Limit: ten requests from one network in a day.
    """
    requests.request_registration(
        session,
        email=str(body.email),
        language=body.language,
        address=address,
        now=now,
        max_registrations=settings.registrations_per_day,
    )
    return MessageSentResponse(message=RESET_MESSAGE)


@registration_router.post(
    "/registrations/confirm",
    status_code=201,
    summary="Register a company and its first member",
    responses=error_responses(400, 404, 409, 413, 415, 422, 503),
    dependencies=[check_body(_claim_errors)],
)
def confirm_registration(
    body: RegistrationConfirmRequest,
    session: SessionDep,
    database: DatabaseDep,
    passwords: PasswordsDep,
    now: NowDep,
    ask_first: AnonymousReplayHookDep,
) -> RegistrationResponse:
    """Send the token that was mailed to you. The response is the same whether or not the VÖEN is registered.

    Until a registrar confirms the claim you see only what you enter yourself; you can draft applications and assess
    products, but not submit. Upload an extract of the tax register or a power of attorney as evidence.
    """
    with database.read_session() as reading:
        try:
            address_confirmations.require_usable_token(reading, body.token, now)
        except Conflict:  # the first request of a retry has used the token
            ask_first()
            raise
    password_hash = passwords.hash(body.member.password)
    ask_first()
    confirmed = address_confirmations.redeem_confirmation(session, body.token, now)
    claim, user = organisations_registration.register_company(
        session,
        legal_name_az=body.legal_name_az,
        legal_name_en=body.legal_name_en,
        legal_form=body.legal_form,
        voen=body.voen,
        email=confirmed.email,
        full_name=body.member.full_name,
        password_hash=password_hash,
        language=body.member.language or confirmed.language,
        now=now,
    )
    notices.notify_claim_made(session, claim, now=now)
    return RegistrationResponse(
        claim_id=claim.id,
        organisation_id=claim.organisation_id,
        user_id=user.id,
        status=OrganisationStatus.UNCONFIRMED,
    )
