"""All audiences: get, renew and give back tokens (RFC 6749, RFC 7009)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.auth import (
    api_client_repository,
    api_clients,
    login_throttle,
    session_repository,
    user_repository,
    user_sessions,
    users,
)
from app.auth.access_tokens import AccessTokens
from app.auth.authenticate import Subject
from app.auth.credentials import mfa
from app.auth.credentials.passwords import Passwords, token_hash
from app.auth.model import ApiClient, User
from app.auth.user_sessions import Begun, Ended
from app.core.actor import Actor, ActorKind, Scope
from app.core.crypto.secret_box import Seal
from app.core.database import Database
from app.core.errors import TooManyAttempts, Unauthenticated
from app.web.dependencies import AddressDep, DatabaseDep, NowDep, PasswordsDep, SealDep, TokensDep
from app.web.headers import BASIC_CHALLENGE, read_basic
from app.web.problems.openapi_responses import refuses
from app.web.routes import OrderedRoute
from app.web.schema_types import Answer

router = APIRouter(prefix="/v1/auth", tags=["access"], route_class=OrderedRoute)

UNKNOWN, MISSING = "Invalid credentials.", "Missing credentials."
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenAnswer(Answer):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 (a scheme's name)
    expires_in: int = Field(description="seconds")
    refresh_token: str | None = Field(None, description="for people; good once, the answer to it brings the next")
    scope: str | None = Field(None, description="for API clients: what this token may do")


class TokenRefusal(Answer):
    """RFC 6749 §5.2"""

    error: str
    error_description: str


REFUSED: dict[int | str, dict[str, object]] = {
    400: {"model": TokenRefusal, "description": "RFC 6749 §5.2"},
    401: {"model": TokenRefusal, "description": "unknown, wrong or revoked"},
    429: {"model": TokenRefusal, "description": "too many failed attempts; see Retry-After"},
    **refuses(413, 415, 422, 503),
}


@router.post(
    "/token",
    summary="Get an access token",
    response_model=TokenAnswer,
    responses=REFUSED,
)
def token(
    request: Request,
    database: DatabaseDep,
    passwords: PasswordsDep,
    tokens: TokensDep,
    seal: SealDep,
    now: NowDep,
    address: AddressDep,
    grant_type: Annotated[str, Form(max_length=60, examples=["password"])] = "",
    username: Annotated[str | None, Form(max_length=320)] = None,
    password: Annotated[str | None, Form(max_length=1_000)] = None,
    otp: Annotated[str | None, Form(max_length=20, description="staff: code of the authenticator")] = None,
    client_id: Annotated[str | None, Form(max_length=100)] = None,
    client_secret: Annotated[str | None, Form(max_length=200)] = None,
    scope: Annotated[str | None, Form(max_length=500, description="API clients: less than they were granted")] = None,
    refresh_token: Annotated[str | None, Form(max_length=200)] = None,
) -> Response:
    """`password` and `refresh_token` for people, `client_credentials` for programs of a company.

    Programs authenticate by HTTP Basic (RFC 6749 §2.3.1), or by `client_id` and `client_secret` in the body, never by
    both. With the grants of people no client is looked at.

    Access tokens live a quarter of an hour at most. A refresh token is good once: a second use of one ends its session,
    because then two hold it. Sessions end after 12 hours (staff) or 30 days (members) whatever is renewed.
    Staff may sign in without `otp`, but then decide nothing until `POST /v1/auth/step-up`.
    Failed attempts are throttled by account and by address. The answer never says whether an account exists.
    """
    desk = _Desk(database, passwords, tokens, seal, address, now)
    if grant_type not in {"password", "client_credentials", "refresh_token"}:
        return _refusal(400, "unsupported_grant_type", "Use password, refresh_token or client_credentials.")
    if scope and grant_type != "client_credentials":
        return _refusal(400, "invalid_scope", "Scopes narrow API clients; what people may do follows from their roles.")
    if grant_type == "refresh_token":
        return desk.renew(refresh_token)
    if grant_type == "password":
        return _for_person(desk, username, password, otp)
    return _for_program(desk, request.headers.get("authorization"), client_id, client_secret, scope)


def _for_person(desk: "_Desk", username: str | None, password: str | None, otp: str | None) -> Response:
    # Control characters and lone surrogates name no account, and no database could look them up.
    if not username or not password or not username.isprintable():
        return _refusal(400, "invalid_request", MISSING)
    try:
        return desk.sign_in(username, password, otp)
    except TooManyAttempts as why:
        return _refusal(429, "slow_down", why.message, {"Retry-After": str(why.retry_after)})


def _for_program(
    desk: "_Desk", authorization: str | None, client_id: str | None, secret: str | None, scope: str | None
) -> Response:
    """One way of authentication: a wrong one by Basic is answered with its challenge (RFC 6749 §5.2)."""
    challenge = {"WWW-Authenticate": BASIC_CHALLENGE}
    try:
        basic = read_basic(authorization)
    except ValueError as why:
        return _refusal(401, "invalid_client", str(why), challenge)
    if basic is not None:
        if secret is not None or client_id not in {None, basic.client_id}:
            return _refusal(400, "invalid_request", "Authenticate by Basic or in the body, not by both.")
        client_id, secret = basic
    if not client_id or not secret or not client_id.isprintable():
        return _refusal(400, "invalid_request", MISSING)
    try:
        return desk.let_program_in(client_id, secret, scope, challenge if basic else None)
    except TooManyAttempts as why:
        return _refusal(429, "slow_down", why.message, {"Retry-After": str(why.retry_after)})


@router.post(
    "/revoke",
    summary="Sign out",
    response_class=Response,
    responses={200: {"description": "The token is good for nothing now."}, **refuses(413, 415, 422, 503)}
    | {400: {"model": TokenRefusal, "description": "RFC 7009 §2.2.1"}},
)
def revoke(
    database: DatabaseDep,
    tokens: TokensDep,
    now: NowDep,
    token: Annotated[str, Form(max_length=4_000)] = "",
    token_type_hint: Annotated[str | None, Form(max_length=60)] = None,  # noqa: ARG001 (RFC 7009: a hint)
) -> Response:
    """Ends the session of a refresh token, or of a person's access token, and every token that came from it.

    A token that is unknown or over is no error (RFC 7009). Programs are cut off by revoking the client.
    """
    if not token:
        return _refusal(400, "invalid_request", "Name the token.")
    with database.read_session() as session:
        by_refresh = session_repository.sign_in_of_token(session, token_hash(token))
    session_id = by_refresh.id if by_refresh else None
    if session_id is None:
        try:
            subject = tokens.check(f"Bearer {token}", now)
        except Unauthenticated:
            return Response(headers=NO_STORE)
        if subject.kind is ActorKind.CLIENT or subject.session_id is None:
            return _refusal(400, "unsupported_token_type", "Revoke the API client: DELETE /v1/api-clients/{client_id}.")
        session_id = subject.session_id
    with database.session() as session:
        if signed_in := session_repository.sign_in(session, session_id, lock=True):
            actor = Actor(ActorKind.USER, signed_in.user_id, frozenset())
            user_sessions.end(session, actor, signed_in, Ended.SIGNED_OUT, now)
        session.commit()
    return Response(headers=NO_STORE)


class _Desk:
    """One request for a token. Slow work (argon2) stands between two short transactions: SQLite has one writer."""

    def __init__(
        self, database: Database, passwords: Passwords, tokens: AccessTokens, seal: Seal, address: str, now: datetime
    ) -> None:
        self._database, self._passwords, self._tokens, self._seal = database, passwords, tokens, seal
        self._address, self._now = address, now

    def sign_in(self, username: str, password: str, otp: str | None) -> Response:
        account = users.email_key(username)
        counted = self._count_guess(account)
        if counted.needs_second_factor and not otp:
            raise login_throttle.too_many()
        with self._database.read_session() as session:
            user = user_repository.user_by_email(session, account)
        known = user if user is not None and user.active else None
        right = self._passwords.verify(password, known.password_hash if known else None)
        begun = None
        if right and known is not None:
            with self._database.session() as session:
                begun = self._begin(session, known, otp)
                if begun is not None:  # else the next answer would tell that only the code was wrong
                    login_throttle.forgive(session, account, self._address)
                session.commit()
        else:
            self._note_failure(account, counted, ("user", known.id) if known else None)
        if begun is None and counted.needs_second_factor:  # the same answer, whichever of the two was wrong
            raise login_throttle.too_many()
        if begun is None:
            return _refusal(401, "invalid_grant", UNKNOWN)
        return self._for_person(begun)

    def _count_guess(self, account: str) -> login_throttle.Counted:
        """Before anything is compared: of many guesses at once each finds the others counted."""
        with self._database.read_session() as session:
            login_throttle.refuse_network(session, account, self._address, self._now)
        with self._database.session() as session:
            counted = login_throttle.count_guess(session, account, self._address, self._now)
            session.commit()
        return counted

    def _note_failure(self, account: str, counted: login_throttle.Counted, known: tuple[str, UUID] | None) -> None:
        if login_throttle.is_noted(counted, known=known is not None):
            with self._database.session() as session:
                login_throttle.note_failure(session, counted, account, self._address, known, self._now)
                session.commit()

    def _begin(self, session: Session, known: User, otp: str | None) -> Begun | None:
        """A wrong code, and a password that was changed while its hash was compared, let nobody in."""
        user = user_repository.locked_user(session, known.id)
        if user is None or not user.active or user.password_hash != known.password_hash:
            return None
        if otp and not mfa.check(session, self._seal, user.id, otp, self._now):
            return None
        return user_sessions.begin(session, user, self._now, second_factor=bool(otp))

    def renew(self, refresh_token: str | None) -> Response:
        if not refresh_token:
            return _refusal(400, "invalid_request", "Send the refresh_token.")
        with self._database.read_session() as session:
            known = user_sessions.known(session, refresh_token)
        begun = None
        if known:
            with self._database.session() as session:
                begun = user_sessions.renew(session, refresh_token, self._now)
                session.commit()
        if begun is None:
            return _refusal(400, "invalid_grant", "This refresh token is unknown, used or over; sign in again.")
        return self._for_person(begun)

    def let_program_in(
        self, client_id: str, text: str, scope: str | None, challenge: dict[str, str] | None
    ) -> Response:
        account = users.email_key(client_id)
        counted = self._count_guess(account)
        if counted.needs_second_factor:
            raise login_throttle.too_many()
        with self._database.read_session() as session:
            attempt = api_clients.authenticate(session, account, text, self._now)
        client, secret = attempt.client, attempt.secret
        if client is None or secret is None:
            self._note_failure(account, counted, ("client", client.id) if client else None)
            return _refusal(401, "invalid_client", UNKNOWN, challenge)
        with self._database.session() as session:  # a right secret is no guess, though it may be over
            login_throttle.forgive(session, account, self._address)
            if attempt.over is None:
                api_client_repository.note_use(session, secret, self._now)
            session.commit()
        if attempt.over is not None:
            return _refusal(401, "invalid_client", attempt.over.value, challenge)
        scopes = _narrowed(client, scope)
        if not scopes:
            granted = " ".join(sorted(api_clients.granted(client)))
            return _refusal(400, "invalid_scope", f"Ask for some of what this client was granted: {granted}.")
        subject = Subject(ActorKind.CLIENT, client.id, secret.id, scopes)
        return self._answer(subject, scope=" ".join(sorted(scopes)))

    def _for_person(self, begun: Begun) -> Response:
        subject = Subject(ActorKind.USER, begun.session.user_id, begun.session.id)
        return self._answer(subject, refresh_token=begun.refresh_token)

    def _answer(self, subject: Subject, *, refresh_token: str | None = None, scope: str | None = None) -> Response:
        answer = TokenAnswer(
            access_token=self._tokens.issue(subject, self._now),
            expires_in=int(self._tokens.lifetime.total_seconds()),
            refresh_token=refresh_token,
            scope=scope,
        )
        return JSONResponse(answer.model_dump(exclude_none=True), headers=NO_STORE)


def _narrowed(client: ApiClient, scope: str | None) -> frozenset[Scope]:
    """What was granted, or the part of it that was asked for; empty where it asks for more."""
    granted = api_clients.granted(client)
    wanted = frozenset((scope or "").split())
    if not wanted:
        return granted
    return frozenset(each for each in granted if each in wanted) if wanted <= granted else frozenset()


def _refusal(status: int, error: str, description: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = {"error": error, "error_description": description}
    return JSONResponse(body, status, {**NO_STORE, **(headers or {})})
