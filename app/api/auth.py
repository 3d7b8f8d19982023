"""All audiences: get an access token (RFC 6749), and ask who one is."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Form
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from app.access import guesses, store
from app.access import service as access
from app.access.passwords import Passwords
from app.access.service import Subject
from app.actor import ActorKind
from app.db import Database
from app.errors import TooManyAttempts
from app.registry import store as registry
from app.web.deps import ActorDep, AddressDep, DatabaseDep, NowDep, PasswordsDep, SessionDep, TokensDep
from app.web.fields import Answer
from app.web.refusals import refuses
from app.web.routing import OrderedRoute

router = APIRouter(prefix="/v1", tags=["access"], route_class=OrderedRoute)

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenAnswer(Answer):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 (a scheme's name)
    expires_in: int = Field(description="seconds")


class TokenRefusal(Answer):
    """RFC 6749 §5.2"""

    error: str
    error_description: str


class Me(Answer):
    kind: ActorKind
    id: str
    name: str
    roles: list[str]
    organisation: dict[str, str] | None = Field(description="the one company that an applicant acts for")


@router.post(
    "/auth/token",
    summary="Get an access token",
    response_model=TokenAnswer,
    responses={
        400: {"model": TokenRefusal, "description": "RFC 6749 §5.2"},
        401: {"model": TokenRefusal, "description": "unknown, wrong or revoked"},
        429: {"model": TokenRefusal, "description": "too many failed attempts; see Retry-After"},
        **refuses(413, 415, 422, 503),
    },
)
def token(
    database: DatabaseDep,
    passwords: PasswordsDep,
    tokens: TokensDep,
    now: NowDep,
    address: AddressDep,
    grant_type: Annotated[str, Form(max_length=60, examples=["password"])] = "",
    username: Annotated[str | None, Form(max_length=320)] = None,
    password: Annotated[str | None, Form(max_length=1_000)] = None,
    client_id: Annotated[str | None, Form(max_length=100)] = None,
    client_secret: Annotated[str | None, Form(max_length=200)] = None,
) -> Response:
    """`password` for people, `client_credentials` for programs of a company. Tokens live a quarter of an hour at most.

    Failed attempts are throttled by account and by address. The answer never says whether an account exists.
    """
    if grant_type == "password":
        account, secret = username, password
    elif grant_type == "client_credentials":
        account, secret = client_id, client_secret
    else:
        return _refusal(400, "unsupported_grant_type", "Use password or client_credentials.")
    if not account or not secret or not _storable(account):
        return _refusal(400, "invalid_request", "Name the account and its secret.")
    try:
        subject = _recognise(database, passwords, grant_type, account, secret, address, now)
    except TooManyAttempts as why:
        return _refusal(429, "slow_down", why.message, {"Retry-After": str(why.retry_after)})
    if subject is None:
        return _refusal(401, "invalid_grant" if grant_type == "password" else "invalid_client", "Unknown or wrong.")
    answer = TokenAnswer(access_token=tokens.issue(subject, now), expires_in=int(tokens.lifetime.total_seconds()))
    return JSONResponse(answer.model_dump(), headers=NO_STORE)


def _recognise(
    database: Database, passwords: Passwords, grant_type: str, account: str, secret: str, address: str, now: datetime
) -> Subject | None:
    """Slow work (argon2) stands between two short transactions: SQLite has one writer."""
    account = access.email_key(account)
    with database.read_session() as session:
        guesses.refuse_if_exhausted(session, account, address, now)
        user = store.user_by_email(session, account) if grant_type == "password" else None
        client = access.client_by_secret(session, account, secret) if grant_type == "client_credentials" else None
    subject = None
    if grant_type == "password":
        known = user if user is not None and user.active else None
        if passwords.verify(secret, known.password_hash if known else None) and known is not None:
            subject = Subject(ActorKind.USER, known.id)
    elif client is not None:
        subject = Subject(ActorKind.CLIENT, client.id)
    with database.session() as session:
        if subject is None:
            guesses.count_failure(session, account, address, now)
        else:
            guesses.forgive(session, account, address)
            if client is not None:
                store.touch_client(session, client.id, now)
        session.commit()
    return subject


def _storable(text: str) -> bool:
    """Control characters and lone surrogates name no account, and no database could look them up."""
    return text.isprintable()


def _refusal(status: int, error: str, description: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = {"error": error, "error_description": description}
    return JSONResponse(body, status, {**NO_STORE, **(headers or {})})


@router.get("/me", summary="Who am I", responses=refuses(401, 503))
def me(actor: ActorDep, session: SessionDep) -> Me:
    """The account behind the access token, its roles now, and the company it acts for."""
    assert actor.id is not None  # tokens speak for users and clients
    if actor.kind is ActorKind.CLIENT:
        client = store.client(session, actor.id)
        name = client.name if client else ""
    else:
        user = store.user(session, actor.id)
        name = user.full_name if user else ""
    organisation = registry.organisation(session, actor.organisation_id) if actor.organisation_id else None
    return Me(
        kind=actor.kind,
        id=str(actor.id),
        name=name,
        roles=sorted(actor.roles),
        organisation={
            "id": str(organisation.id),
            "legal_name_az": organisation.legal_name_az,
            "legal_name_en": organisation.legal_name_en,
            "voen": organisation.voen,
            "standing": organisation.standing,
        }
        if organisation
        else None,
    )
