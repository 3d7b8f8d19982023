"""Sign in with an identity at a provider (OpenID Connect), link and unlink identities, and sign out."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import Field, StringConstraints

from app.auth import login_throttle, session_repository
from app.auth.permissions import require_user_id
from app.auth.sign_on import identity_links, recent_sign_in, sign_on_repository, tickets
from app.auth.sign_on.flow import ProviderReturn, SignOn, SignOnRequest
from app.auth.sign_on.id_tokens import MAX_TOKEN, Identity, SignOnRejected
from app.auth.sign_on.model import IdentityLink
from app.auth.sign_on.tickets import LIFETIMES, Ticket, TicketPurpose, TicketRejected
from app.core.actor import Actor
from app.core.database import Database
from app.core.errors import Conflict, Forbidden, Invalid, Unavailable
from app.notifications import notices
from app.notifications.model import MessageKind
from app.web.dependencies import (
    ActorDep,
    ClientAddressDep,
    DatabaseDep,
    IdempotentReplayDep,
    NowDep,
    SessionDep,
    SignOnDep,
    parse_id,
)
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import RequestModel, ResponseModel

COOKIE, HOST_COOKIE = "mik-sign-on", "__Host-mik-sign-on"
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
MAX_LISTED = 100

router = APIRouter(prefix="/v1/auth", tags=["tokens"], route_class=GuardedRoute)
session_router = APIRouter(prefix="/v1/me/session", tags=["account"], route_class=GuardedRoute)
identities_router = APIRouter(prefix="/v1/me/identities", tags=["account"], route_class=GuardedRoute)

ProviderName = Annotated[
    str, Path(max_length=40, examples=["azpromo"], description="`name` of `GET /v1/auth/providers`")
]
Challenge = Annotated[
    str,
    Query(
        pattern=r"^[A-Za-z0-9_-]{43}$",
        description="base64url of the SHA-256 of the secret `code_verifier` (RFC 7636)",
        examples=["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"],
    ),
]


class CallbackRoute(GuardedRoute):
    """The address that providers send browsers to, with parameters of their own beside those of the standard."""

    takes_other_parameters = True


class ProviderResponse(ResponseModel):
    name: str = Field(examples=["azpromo"])
    title: str = Field(examples=["AZPROMO staff"])
    audience: Literal["staff", "members"] = Field(description="whose accounts it opens")
    start_url: str


class ProviderList(ResponseModel):
    items: list[ProviderResponse] = Field(max_length=MAX_LISTED)


class SignOnCodeResponse(ResponseModel):
    code: str = Field(description="for `POST /v1/auth/token`, or for `POST /v1/me/identities`; good once")
    expires_in: int = Field(description="seconds")
    state: str | None = Field(description="as the client sent it")


class SessionResponse(ResponseModel):
    created_at: datetime
    expires_at: datetime = Field(description="no renewal moves it")
    provider: str | None = Field(description="name of the provider that opened it; null: none did")
    end_session_url: str | None = Field(
        description="where the browser signs out of the provider; null: none opened the session, or it has no address"
    )


class IdentityResponse(ResponseModel):
    id: UUID
    provider: str | None = Field(description="name of the provider; null: the service no longer has it")
    issuer: str
    linked_at: datetime
    last_used_at: datetime | None


class IdentityList(ResponseModel):
    items: list[IdentityResponse] = Field(max_length=MAX_LISTED)


class IdentityRequest(RequestModel):
    code: Annotated[str, StringConstraints(max_length=6_000)]
    code_verifier: Annotated[str, StringConstraints(min_length=43, max_length=128, pattern=r"^[A-Za-z0-9._~-]+$")]


@router.get("/providers", summary="List the providers to sign in with", responses=error_responses(503))
def list_identity_providers(sign_on: SignOnDep) -> ProviderList:
    """OpenID Connect providers. Sign-in with one, in a browser:

    1. Make a secret of 43 to 128 characters (`code_verifier`), and send the browser to `start_url` with its hash
       (`code_challenge`, method S256) and a `redirect_uri` on the same machine or of this service.
    2. The browser comes back to `redirect_uri` with `code` and your `state`. Without `redirect_uri` it shows the code.
    3. `POST /v1/auth/token` with `grant_type=authorization_code`, `code` and `code_verifier`.
    """
    return ProviderList(
        items=[
            ProviderResponse(
                name=provider.name,
                title=provider.title,
                audience=provider.audience,
                start_url=f"/v1/auth/oidc/{provider.name}/start",
            )
            for provider in (client.provider for client in sign_on)
        ]
    )


@router.get(
    "/oidc/{provider}/start",
    status_code=303,
    summary="Begin a sign-in with a provider",
    response_class=RedirectResponse,
    responses={
        303: {"description": "To the provider; with a cookie of this browser."},
        **error_responses(404, 422, 503),
    },
)
def start_sign_on(
    provider: ProviderName,
    sign_on: SignOnDep,
    now: NowDep,
    code_challenge: Challenge,
    code_challenge_method: Annotated[Literal["S256"], Query(description="how it is hashed")] = "S256",  # noqa: ARG001 (RFC 7636; there is no other)
    purpose: Annotated[
        Literal["sign-in", "link"], Query(description="`link`: the code links the identity to your account")
    ] = "sign-in",
    redirect_uri: Annotated[
        str | None,
        Query(
            max_length=300,
            description="where the code goes: an address of this service, or of a program on the same machine",
            examples=["http://127.0.0.1:49152/signed-in"],
        ),
    ] = None,
    state: Annotated[str | None, Query(max_length=200, description="given back with the code")] = None,
) -> Response:
    """A browser opens this address. It is sent to the provider, and comes back to the callback within ten minutes."""
    departure = sign_on.begin(provider, SignOnRequest(purpose, code_challenge, redirect_uri, state), now)
    response = RedirectResponse(departure.location, 303, NO_STORE)
    lifetime = int(LIFETIMES[TicketPurpose.BROWSER].total_seconds())
    _set_cookie(response, departure.cookie, lifetime, https=sign_on.is_https)
    return response


def finish_sign_on(
    request: Request,
    provider: ProviderName,
    database: DatabaseDep,
    sign_on: SignOnDep,
    address: ClientAddressDep,
    now: NowDep,
    state: Annotated[str | None, Query(max_length=500, description="as the service sent it")] = None,
    code: Annotated[str | None, Query(max_length=4_000, description="code of the provider")] = None,
    iss: Annotated[str | None, Query(max_length=500, description="issuer of the provider (RFC 9207)")] = None,
    error: Annotated[str | None, Query(max_length=200, description="why the provider did not sign in")] = None,
) -> Response:
    """The provider sends the browser here. The answer is a code, which is good for a minute and once.

    Refused is what this browser did not begin, what was used before, an ID token that does not fit, and an identity
    that no account belongs to. Attempts are limited by network.
    """
    cookie = request.cookies.get(_cookie_name(https=sign_on.is_https))
    with _counted(database, address, now):
        ticket = sign_on.open_return(provider, cookie, ProviderReturn(state, code, error, iss), now)
        with database.read_session() as session:
            if tickets.is_used(session, ticket):
                raise SignOnRejected("This sign-in was used before. Begin again.", data={"reason": "replayed"})
        identity = sign_on.fetch_identity(provider, ticket, code or "", now)
        content = _resolve(database, sign_on, provider, ticket, identity, address, now)
    code = sign_on.encrypt_code(content, now)
    client_state = ticket.content["client_state"]
    if ticket.content["redirect_uri"]:
        parameters = {"code": code} | ({} if client_state is None else {"state": client_state})
        target = str(ticket.content["redirect_uri"])
        joined = f"{target}{'&' if urlsplit(target).query else '?'}{urlencode(parameters)}"
        response: Response = RedirectResponse(joined, 303, NO_STORE)
    else:
        lifetime = int(LIFETIMES[TicketPurpose.CODE].total_seconds())
        answer = SignOnCodeResponse(code=code, expires_in=lifetime, state=client_state)
        response = JSONResponse(answer.model_dump(), headers=NO_STORE)
    _set_cookie(response, "", 0, https=sign_on.is_https)
    return response


router.add_api_route(
    "/oidc/{provider}/callback",
    finish_sign_on,
    methods=["GET"],
    summary="Come back from a provider",
    response_model=SignOnCodeResponse,
    responses={
        303: {"description": "To `redirect_uri`, with `code` and `state`."},
        **error_responses(403, 404, 409, 422, 429, 503),
    },
    route_class_override=CallbackRoute,
)


def _resolve(
    database: Database,
    sign_on: SignOn,
    provider: str,
    ticket: Ticket,
    identity: Identity,
    address: str,
    now: datetime,
) -> dict[str, object]:
    """Use the ticket of the browser and return what the code holds, in one transaction."""
    settings = sign_on.client(provider).provider
    challenge = str(ticket.content["challenge"])
    with database.session() as session:
        tickets.use(session, ticket)
        login_throttle.clear_sign_on(session, address)
        if ticket.content["purpose"] == "link":
            identity_links.require_allowed_domain(settings, identity)
            content = identity_links.link_content(provider, identity, challenge)
        else:
            resolved = identity_links.resolve_account(session, settings, identity, now)
            if resolved.is_new:
                notices.notify_sign_in_changed(
                    session, MessageKind.SIGN_IN_ADDED, resolved.user, settings.title, now=now
                )
            content = identity_links.code_content(resolved, identity, challenge)
        session.commit()
    return content


@contextmanager
def _counted(database: Database, address: str, now: datetime) -> Iterator[None]:
    """Count an attempt before it, and record a failed one."""
    with database.session() as session:
        count = login_throttle.count_sign_on(session, address, now)
        session.commit()
    try:
        yield
    except Unavailable:  # of the provider; nobody guessed anything
        with database.session() as session:
            login_throttle.clear_sign_on(session, address)
            session.commit()
        raise
    except (Conflict, Forbidden):
        with database.session() as session:
            login_throttle.record_sign_on_failure(session, count, address, now)
            session.commit()
        raise


@router.post(
    "/oidc/{provider}/backchannel-logout",
    summary="End sessions for a provider (back-channel logout)",
    response_class=Response,
    responses={
        200: {"description": "The sessions have ended."},
        400: {"description": "The logout token is refused."},
        **error_responses(404, 413, 415, 422, 503),
    },
)
def end_sessions_for_provider(
    provider: ProviderName,
    database: DatabaseDep,
    sign_on: SignOnDep,
    now: NowDep,
    logout_token: Annotated[str, Form(max_length=MAX_TOKEN)] = "",
) -> Response:
    """The provider sends a signed `logout_token`; every session that it opened for that person, or in that session of
    its own, ends with its tokens (OpenID Connect Back-Channel Logout 1.0)."""
    try:
        order = sign_on.verify_logout(provider, logout_token, now)
    except SignOnRejected as why:
        return JSONResponse({"error": "invalid_request", "error_description": why.message}, 400, NO_STORE)
    with database.session() as session:
        sign_on.end_sessions(session, provider, order, now)
        session.commit()
    return Response(headers=NO_STORE)


@session_router.get("", summary="Get one's session", responses=error_responses(401, 403, 422, 503))
def get_session_of_user(actor: ActorDep, session: SessionDep, sign_on: SignOnDep, now: NowDep) -> SessionResponse:
    """The session of the access token. To sign out: `POST /v1/auth/revoke`, then send the browser to
    `end_session_url`, so that it signs out of the provider too (RP-Initiated Logout 1.0)."""
    require_user_id(actor)
    assert actor.session_id is not None  # a person has a session
    row = session_repository.find_session(session, actor.session_id)
    assert row is not None  # the actor was loaded from it
    opened = sign_on_repository.find_provider_session(session, row.id)
    client = sign_on.client_of(opened[1].issuer) if opened else None
    return SessionResponse(
        created_at=row.created_at,
        expires_at=row.expires_at,
        provider=client.provider.name if client else None,
        end_session_url=sign_on.end_session_url(client, now) if client else None,
    )


def _require_recent(actor: ActorDep, session: SessionDep, now: NowDep) -> Actor:
    recent_sign_in.require_recent_sign_in(session, actor, now)
    return actor


RecentActor = Annotated[Actor, Depends(_require_recent, scope="function")]


@identities_router.get("", summary="List one's identities at providers", responses=error_responses(*READ_ERRORS))
def list_identities(actor: ActorDep, session: SessionDep, sign_on: SignOnDep) -> IdentityList:
    """Those that sign in to the own account, oldest first."""
    rows = sign_on_repository.list_links(session, require_user_id(actor))
    return IdentityList(items=[_identity(row, sign_on) for row in rows])


@identities_router.post(
    "", status_code=201, summary="Link an identity at a provider", responses=error_responses(*CREATE_ERRORS)
)
def link_identity(
    body: IdentityRequest,
    actor: RecentActor,
    session: SessionDep,
    sign_on: SignOnDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> IdentityResponse:
    """From now on the identity signs in to the own account. `code` is of a sign-in that began with `purpose=link`.

    Needs a sign-in of the last ten minutes, or a second factor. The person is told by mail.
    """
    try:
        ticket = sign_on.open_code(body.code, body.code_verifier, "link", now)
    except TicketRejected as why:
        raise Invalid.at("/code", why.message) from why
    provider = sign_on.client(str(ticket.content["provider"])).provider
    user, link = identity_links.link_own(session, actor, provider, ticket, now)
    notices.notify_sign_in_changed(session, MessageKind.SIGN_IN_ADDED, user, provider.title, now=now)
    return _identity(link, sign_on)


@identities_router.delete(
    "/{identity_id}", status_code=204, summary="Unlink an identity", responses=error_responses(*CREATE_ERRORS)
)
def unlink_identity(
    identity_id: str,
    actor: RecentActor,
    session: SessionDep,
    sign_on: SignOnDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> Response:
    """It signs in no more, and the sessions that it opened end. Needs a sign-in of the last ten minutes, or a second
    factor. The person is told by mail."""
    user, link = identity_links.unlink_own(session, actor, parse_id(identity_id, "identity"), now)
    client = sign_on.client_of(link.issuer)
    name = client.provider.title if client else link.issuer
    notices.notify_sign_in_changed(session, MessageKind.SIGN_IN_REMOVED, user, name, now=now)
    return Response(status_code=204)


def _identity(row: IdentityLink, sign_on: SignOn) -> IdentityResponse:
    client = sign_on.client_of(row.issuer)
    return IdentityResponse(
        id=row.id,
        provider=client.provider.name if client else None,
        issuer=row.issuer,
        linked_at=row.linked_at,
        last_used_at=row.last_used_at,
    )


def _cookie_name(*, https: bool) -> str:
    return HOST_COOKIE if https else COOKIE


def _set_cookie(response: Response, value: str, max_age: int, *, https: bool) -> None:
    """Set the cookie that binds a sign-in to its browser; `Lax`, because the provider sends the browser back."""
    response.set_cookie(_cookie_name(https=https), value, max_age=max_age, secure=https, httponly=True, samesite="lax")
