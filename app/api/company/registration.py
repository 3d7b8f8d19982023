"""Register a company: ask for a token by e-mail, then enter the claim."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import EmailStr, Field, StringConstraints

from app.api.company.me import CHECK_MAIL, Language, Requested
from app.auth.credentials import address_confirmations
from app.core.errors import Conflict
from app.notifications import notices, requests
from app.organisations import registration as organisations_registration
from app.organisations.model import Standing
from app.web.dependencies import (
    AddressDep,
    AnonymousAskFirstDep,
    AnonymousReplayDep,
    DatabaseDep,
    NowDep,
    PasswordsDep,
    SessionDep,
    SettingsDep,
)
from app.web.problems.openapi_responses import refuses
from app.web.routes import Asked, OrderedRoute, also_wrong
from app.web.schema_types import Answer, Body, Code, Name, StrongPassword, Word

registration = APIRouter(prefix="/v1", tags=["register a company"], route_class=OrderedRoute)


class RegistrationRequest(Body):
    email: EmailStr = Field(max_length=254, examples=["export@numune.example"])
    language: Language | None = Field(None, description="of messages to you")


class Member(Body):
    full_name: Name = Field(examples=["Aygün Nümunə"])
    password: StrongPassword
    language: Language | None = Field(None, description="of messages to you; null: the one you asked for at first")


class Registration(Body):
    token: Annotated[str, StringConstraints(max_length=200)] = Field(
        description="from the message", examples=["mikr_kq5yY2x0Zc"]
    )
    legal_name_az: Name = Field(examples=['"Nümunə-Boru" MMC'])
    legal_name_en: Name = Field(examples=["Sample Pipe (fictional)"])
    legal_form: Word = Field(examples=["MMC"])
    voen: Code = Field(description="10 digits, as text", examples=["0010000101"])
    member: Member


class Registered(Answer):
    claim_id: UUID = Field(description="what a registrar decides about")
    organisation_id: UUID = Field(
        description="what you enter belongs to it; once the claim is confirmed, a company of the register takes its "
        "place, see `GET /v1/me`"
    )
    user_id: UUID
    status: Standing = Field(
        description="`unconfirmed` until a registrar has seen evidence that you act for the company"
    )


def _wrong_claim(_asked: Asked, body: Registration) -> Sequence[Mapping[str, str]]:
    names = {"legal_name_az": body.legal_name_az, "legal_name_en": body.legal_name_en}
    return organisations_registration.wrong_claim(names, body.legal_form, body.voen)


@registration.post(
    "/registrations",
    status_code=202,
    summary="Confirm your e-mail address",
    responses=refuses(400, 409, 413, 415, 422, 429, 503),
)
def ask_to_register(
    body: RegistrationRequest,
    session: SessionDep,
    settings: SettingsDep,
    address: AddressDep,
    now: NowDep,
    _retry: AnonymousReplayDep,
) -> Requested:
    """No account is needed. A message with a one-time token goes to the address; it is good for a day, and
    `POST /v1/registrations/confirm` takes it. An address that has an account is told so by mail: the answer here is the
    same. Of one network ten requests are taken in a day."""
    requests.ask_to_register(
        session,
        email=str(body.email),
        language=body.language,
        address=address,
        now=now,
        most=settings.registrations_per_day,
    )
    return Requested(message=CHECK_MAIL)


@registration.post(
    "/registrations/confirm",
    status_code=201,
    summary="Claim to act for a company, as its first member",
    responses=refuses(400, 404, 409, 413, 415, 422, 503),
    dependencies=[also_wrong(_wrong_claim)],
)
def register(
    body: Registration,
    session: SessionDep,
    database: DatabaseDep,
    passwords: PasswordsDep,
    now: NowDep,
    ask_first: AnonymousAskFirstDep,
) -> Registered:
    """With the token that was mailed to you. The answer is the same whether or not the VÖEN is known.

    Until a registrar confirms the claim you see what you enter yourself and nothing else of the company; you may draft
    and try the rules, but not submit. Upload an extract of the register or a power of attorney.
    """
    with database.read_session() as reading:
        try:
            address_confirmations.look(reading, body.token, now)
        except Conflict:  # of a retry the token is used up
            ask_first()
            raise
    password_hash = passwords.hash(body.member.password)
    ask_first()
    confirmed = address_confirmations.redeem(session, body.token, now)
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
    notices.claim_made(session, claim, now=now)
    return Registered(
        claim_id=claim.id,
        organisation_id=claim.organisation_id,
        user_id=user.id,
        status=Standing.UNCONFIRMED,
    )
