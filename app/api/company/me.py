"""One's own account: who one is, password, authenticator. For people; a program only learns who it is."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import EmailStr, Field, StringConstraints

from app.api.shared import application_schemas
from app.auth import api_client_repository, login_throttle, user_repository
from app.auth.credentials import mfa, password_resets
from app.auth.model import ApiClient
from app.auth.permissions import person
from app.core.actor import Actor, ActorKind, Role, Scope
from app.core.errors import Unauthenticated
from app.notifications import requests
from app.organisations import organisation_repository
from app.organisations.model import Standing
from app.web.dependencies import (
    ONLY_READS,
    ActorDep,
    AddressDep,
    AnonymousReplayDep,
    DatabaseDep,
    NowDep,
    PasswordsDep,
    ReplayDep,
    SealDep,
    SessionDep,
)
from app.web.problems.openapi_responses import CREATES, refuses
from app.web.problems.problem_details import problem
from app.web.routes import OrderedRoute
from app.web.schema_types import SHOWN_ONCE, Answer, Body

router = APIRouter(prefix="/v1", tags=["account"], route_class=OrderedRoute)

NewPassword = Annotated[str, StringConstraints(max_length=256), Field(examples=["correct horse battery staple"])]
Language = Literal["az", "en", "ru"]
CHECK_MAIL = "If there is something to do for this address, a message is on its way to it."
Otp = Annotated[str, StringConstraints(max_length=20), Field(examples=["123456"])]


class SecondFactorState(Answer):
    enrolled: bool
    good_until: datetime | None = Field(description="until then this session may decide; null: it may not")


class OwnCompany(application_schemas.CompanyName):
    voen: str
    status: Standing


class Me(Answer):
    kind: ActorKind
    id: str
    name: str
    roles: list[Role]
    organisation: OwnCompany | None = Field(description="the one company that an applicant acts for")
    administrator: bool | None = Field(description="of that company; null for staff and API clients")
    scopes: list[Scope] | None = Field(description="of an API client's token; null for people")
    second_factor: SecondFactorState | None = Field(description="of staff")


@router.get("/me", summary="The signed-in user", responses=refuses(401, 503))
def me(actor: ActorDep, session: SessionDep) -> Me:
    """The account behind the access token, its roles now, and the company it acts for."""
    assert actor.id is not None  # tokens speak for users and clients
    who = (
        api_client_repository.client(session, actor.id)
        if actor.kind is ActorKind.CLIENT
        else user_repository.user(session, actor.id)
    )
    organisation = (
        organisation_repository.organisation(session, actor.organisation_id) if actor.organisation_id else None
    )
    return Me(
        kind=actor.kind,
        id=str(actor.id),
        name=who.name if isinstance(who, ApiClient) else who.full_name if who else "",
        roles=sorted(actor.roles),
        organisation=OwnCompany(
            id=organisation.id,
            legal_name_az=organisation.legal_name_az,
            legal_name_en=organisation.legal_name_en,
            voen=organisation.voen,
            status=Standing(organisation.standing),
        )
        if organisation
        else None,
        administrator=actor.is_administrator if actor.organisation_id and actor.kind is ActorKind.USER else None,
        scopes=sorted(actor.scopes) if actor.scopes is not None else None,
        second_factor=SecondFactorState(
            enrolled=mfa.enrolled(session, actor.id), good_until=_good_until(actor.second_factor_at)
        )
        if actor.is_staff
        else None,
    )


def _good_until(given: datetime | None) -> datetime | None:
    return given + mfa.RECENT if given else None


class PasswordChange(Body):
    present_password: Annotated[str, StringConstraints(max_length=1_000)]
    password: NewPassword


@router.post(
    "/me/password",
    status_code=204,
    summary="Change the password",
    responses={429: refuses(429)[429], **refuses(*CREATES)},
    dependencies=[ONLY_READS],  # slow hashing comes before the short transaction that writes
)
def change_password(
    body: PasswordChange,
    actor: ActorDep,
    session: SessionDep,
    database: DatabaseDep,
    passwords: PasswordsDep,
    address: AddressDep,
    now: NowDep,
) -> Response:
    """Needs the present one. All your sessions end, this one as well: sign in again. Wrong attempts are throttled."""
    user = user_repository.user(session, person(actor))
    if user is None:
        raise Unauthenticated("This account is not active.")
    login_throttle.refuse_network(session, user.email, address, now)
    with database.session() as writing:
        counted = login_throttle.count_guess(writing, user.email, address, now)
        writing.commit()
    if counted.needs_second_factor:
        raise login_throttle.too_many()
    if not passwords.verify(body.present_password, user.password_hash):
        if login_throttle.is_noted(counted, known=True):
            with database.session() as writing:
                login_throttle.note_failure(writing, counted, user.email, address, ("user", user.id), now)
                writing.commit()
        return problem(403, "wrong-password", "The present password is not right.")
    new_hash = passwords.hash(body.password)
    with database.session() as writing:
        login_throttle.forgive(writing, user.email, address)
        password_resets.change(writing, actor, was_hash=user.password_hash, password_hash=new_hash, now=now)
        writing.commit()
    return Response(status_code=204)


class ResetRequest(Body):
    email: EmailStr = Field(max_length=254, examples=["export@numune.example"])
    language: Language | None = Field(None, description="of the message, where the account has none")


class Requested(Answer):
    """The same for every address."""

    message: str = Field(examples=[CHECK_MAIL])


@router.post(
    "/auth/password-resets",
    status_code=202,
    summary="Ask for a new password",
    responses=refuses(400, 409, 413, 415, 422, 429, 503),
)
def ask_for_reset(
    body: ResetRequest, session: SessionDep, address: AddressDep, now: NowDep, _retry: AnonymousReplayDep
) -> Requested:
    """If the address has an account, a message with a one-time token for `POST /v1/auth/password-reset` goes to it. The
    answer does not say whether it has one. Of one network 20 requests are taken in a quarter of an hour."""
    requests.ask_for_reset(session, email=str(body.email), language=body.language, address=address, now=now)
    return Requested(message=CHECK_MAIL)


class Redemption(Body):
    token: Annotated[str, StringConstraints(max_length=200)]
    password: NewPassword
    otp: Otp | None = Field(None, description="where the account has an authenticator")


@router.post(
    "/auth/password-reset",
    status_code=204,
    summary="Set a password with a reset token",
    responses=refuses(400, 403, 404, 409, 413, 415, 422, 429, 503),
)
def reset_password(
    body: Redemption, database: DatabaseDep, passwords: PasswordsDep, seal: SealDep, now: NowDep
) -> Response:
    """The token is good once, for as long as the message says. All sessions of the account end."""
    with database.read_session() as reading:
        password_resets.look(reading, body.token, now)
    new_hash = passwords.hash(body.password)
    with database.session() as writing:
        user = password_resets.redeem(writing, body.token, password_hash=new_hash, code=body.otp, seal=seal, now=now)
        writing.commit()
    return Response(status_code=204) if user else _wrong_code()


class NewSecondFactor(Answer):
    secret: str | None = Field(description=f"for the authenticator; {SHOWN_ONCE}")
    otpauth: str | None = Field(description="the same as an `otpauth:` address, for a QR code")


class Code(Body):
    otp: Otp


def _may_enrol(actor: ActorDep, session: SessionDep) -> Actor:
    mfa.may_enrol(session, actor)
    return actor


Enrolling = Annotated[Actor, Depends(_may_enrol, scope="function")]


@router.post("/me/second-factor", status_code=201, summary="Set up an authenticator", responses=refuses(*CREATES))
def begin_enrolment(
    actor: Enrolling, session: SessionDep, seal: SealDep, now: NowDep, _retry: ReplayDep
) -> NewSecondFactor:
    """For staff. It counts once a code of it was confirmed; until then an earlier authenticator stays in force.

    To replace one takes a recent code of it; who lost it asks two owners for a reset.
    """
    secret = mfa.begin_enrolment(session, actor, seal, now)
    user = user_repository.user(session, person(actor))
    return NewSecondFactor(secret=secret, otpauth=mfa.address(secret, user.email if user else ""))


@router.post(
    "/me/second-factor/confirm",
    summary="Confirm the authenticator with a code",
    response_model=SecondFactorState,
    responses=refuses(*CREATES, 429),
)
def confirm_enrolment(
    body: Code, actor: Enrolling, session: SessionDep, seal: SealDep, now: NowDep, _retry: ReplayDep
) -> SecondFactorState | Response:
    """From now on it is in force, and this session has a recent second factor."""
    if not mfa.confirm_enrolment(session, actor, seal, body.otp, now):
        return _wrong_code()
    return SecondFactorState(enrolled=True, good_until=_good_until(now))


@router.post(
    "/auth/step-up",
    summary="Enter a code of the authenticator (step-up)",
    response_model=SecondFactorState,
    responses=refuses(*CREATES, 429),
)
def step_up(
    body: Code, actor: ActorDep, session: SessionDep, seal: SealDep, now: NowDep
) -> SecondFactorState | Response:
    """Renews the second factor of this session for ten minutes; the access token stays. Each code is good once, and
    wrong ones are throttled."""
    if not mfa.step_up(session, actor, seal, body.otp, now):
        return _wrong_code()
    return SecondFactorState(enrolled=True, good_until=_good_until(now))


def _wrong_code() -> Response:
    # Answered, not raised: the count of wrong codes is committed with this refusal.
    return problem(403, "wrong-code", "This is no fresh code of your authenticator. Each one is good once.")
