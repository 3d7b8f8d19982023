"""Issue, refresh and revoke tokens (RFC 6749, RFC 7009)."""

from collections.abc import Callable, Mapping
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
from app.auth.authenticate import TokenSubject
from app.auth.credentials import mfa
from app.auth.credentials.passwords import PasswordHasher, token_hash
from app.auth.credentials.relying_party import MAX_TEXT, RelyingParty
from app.auth.model import ApiClient, User
from app.auth.sign_on import identity_links, passkeys
from app.auth.sign_on.flow import SignOn
from app.auth.sign_on.tickets import TicketRejected
from app.auth.user_sessions import EndReason, IssuedSession
from app.core.actor import Actor, ActorKind, Scope
from app.core.crypto.row_macs import is_authentic
from app.core.crypto.secret_box import SecretBox
from app.core.database import Database
from app.core.errors import TooManyAttempts, Unauthenticated
from app.web.dependencies import (
    ClientAddressDep,
    DatabaseDep,
    NowDep,
    PasswordsDep,
    RelyingPartyDep,
    SecretBoxDep,
    SignOnDep,
    TokensDep,
)
from app.web.headers import BASIC_CHALLENGE, parse_basic
from app.web.problems.openapi_responses import error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import ResponseModel

router = APIRouter(prefix="/v1/auth", tags=["tokens"], route_class=GuardedRoute)

INVALID_CREDENTIALS, MISSING_CREDENTIALS = "Invalid credentials.", "Missing credentials."
PASSKEY_GRANT = "urn:mik:grant-type:passkey"
GRANT_TYPES = ("password", PASSKEY_GRANT, "authorization_code", "refresh_token", "client_credentials")
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenResponse(ResponseModel):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 (a scheme's name)
    expires_in: int = Field(description="seconds")
    refresh_token: str | None = Field(
        None, description="for users; can be used once, the response contains the next one"
    )
    scope: str | None = Field(None, description="for API clients: scopes of this token, separated by spaces")


class TokenErrorResponse(ResponseModel):
    """Error response of RFC 6749 §5.2."""

    error: str
    error_description: str


TOKEN_ERROR_RESPONSES: dict[int | str, dict[str, object]] = {
    400: {"model": TokenErrorResponse, "description": "The request is not valid (RFC 6749 §5.2)."},
    401: {"model": TokenErrorResponse, "description": "The credentials are unknown, wrong or revoked."},
    429: {"model": TokenErrorResponse, "description": "Too many failed attempts; see `Retry-After`."},
    **error_responses(413, 415, 422, 503),
}


@router.post(
    "/token",
    summary="Issue an access token",
    response_model=TokenResponse,
    responses=TOKEN_ERROR_RESPONSES,
)
def issue_token(
    request: Request,
    database: DatabaseDep,
    passwords: PasswordsDep,
    tokens: TokensDep,
    secret_box: SecretBoxDep,
    now: NowDep,
    address: ClientAddressDep,
    sign_on: SignOnDep,
    party: RelyingPartyDep,
    grant_type: Annotated[str, Form(max_length=60, examples=["password"])] = "",
    username: Annotated[str | None, Form(max_length=320)] = None,
    password: Annotated[str | None, Form(max_length=1_000)] = None,
    otp: Annotated[str | None, Form(max_length=20, description="for staff: code of the authenticator")] = None,
    client_id: Annotated[str | None, Form(max_length=100)] = None,
    client_secret: Annotated[str | None, Form(max_length=200)] = None,
    scope: Annotated[
        str | None, Form(max_length=500, description="for API clients: a part of the granted scopes")
    ] = None,
    refresh_token: Annotated[str | None, Form(max_length=200)] = None,
    code: Annotated[
        str | None, Form(max_length=6_000, description="of `GET /v1/auth/oidc/{provider}/callback`")
    ] = None,
    code_verifier: Annotated[str | None, Form(max_length=128, description="the secret of `code_challenge`")] = None,
    ticket: Annotated[str | None, Form(max_length=6_000, description="of `POST /v1/auth/passkey/options`")] = None,
    assertion: Annotated[
        str | None, Form(max_length=MAX_TEXT, description="`AuthenticationResponseJSON` of WebAuthn, as JSON")
    ] = None,
) -> Response:
    """Grants: `password`, `urn:mik:grant-type:passkey`, `authorization_code` and `refresh_token` for users,
    `client_credentials` for API clients of a company. The grant of passkeys takes `ticket` and `assertion`, and counts
    as a second factor. `authorization_code` exchanges the code of a sign-in with a provider
    (`GET /v1/auth/providers`).

    API clients authenticate by HTTP Basic (RFC 6749 §2.3.1), or by `client_id` and `client_secret` in the body, not by
    both. For the grants of users, client credentials are ignored.

    Access tokens expire after at most 15 minutes. A refresh token can be used once: a second use ends its session.
    Sessions end after 12 hours (staff) or 30 days (members), also when they are refreshed.
    Staff can sign in without `otp`, but take no decisions until `POST /v1/auth/step-up`.
    Failed attempts are limited by account and by network. The response does not reveal whether an account exists.
    """
    service = TokenService(database, passwords, tokens, secret_box, address, now)
    if grant_type not in GRANT_TYPES:
        return _token_error(400, "unsupported_grant_type", f"Use {', '.join(GRANT_TYPES)}.")
    if scope and grant_type != "client_credentials":
        return _token_error(
            400, "invalid_scope", "Scopes narrow API clients; what people may do follows from their roles."
        )
    grants: Mapping[str, Callable[[], Response]] = {
        "password": lambda: _grant_to_user(service, username, password, otp),
        PASSKEY_GRANT: lambda: service.sign_in_with_passkey(party, ticket, assertion),
        "authorization_code": lambda: service.redeem_code(sign_on, code, code_verifier),
        "refresh_token": lambda: service.refresh(refresh_token),
        "client_credentials": lambda: _grant_to_client(
            service, request.headers.get("authorization"), client_id, client_secret, scope
        ),
    }
    return grants[grant_type]()


def _grant_to_user(service: "TokenService", username: str | None, password: str | None, otp: str | None) -> Response:
    # No account name has control characters or lone surrogates, and the database cannot encode them.
    if not username or not password or not username.isprintable():
        return _token_error(400, "invalid_request", MISSING_CREDENTIALS)
    try:
        return service.sign_in(username, password, otp)
    except TooManyAttempts as why:
        return _token_error(429, "slow_down", why.message, {"Retry-After": str(why.retry_after)})


def _grant_to_client(
    service: "TokenService", authorization: str | None, client_id: str | None, secret: str | None, scope: str | None
) -> Response:
    """Issue a token to an API client. Failed Basic authentication is answered with a challenge (RFC 6749 §5.2)."""
    challenge = {"WWW-Authenticate": BASIC_CHALLENGE}
    try:
        basic = parse_basic(authorization)
    except ValueError as why:
        return _token_error(401, "invalid_client", str(why), challenge)
    if basic is not None:
        if secret is not None or client_id not in {None, basic.client_id}:
            return _token_error(400, "invalid_request", "Authenticate by Basic or in the body, not by both.")
        client_id, secret = basic
    if not client_id or not secret or not client_id.isprintable():
        return _token_error(400, "invalid_request", MISSING_CREDENTIALS)
    try:
        return service.authenticate_client(client_id, secret, scope, challenge if basic else None)
    except TooManyAttempts as why:
        return _token_error(429, "slow_down", why.message, {"Retry-After": str(why.retry_after)})


@router.post(
    "/revoke",
    summary="Revoke a token",
    response_class=Response,
    responses={200: {"description": "The token is no longer valid."}, **error_responses(413, 415, 422, 503)}
    | {400: {"model": TokenErrorResponse, "description": "The request is not valid (RFC 7009 §2.2.1)."}},
)
def revoke_token(
    database: DatabaseDep,
    tokens: TokensDep,
    now: NowDep,
    token: Annotated[str, Form(max_length=4_000)] = "",
    token_type_hint: Annotated[str | None, Form(max_length=60)] = None,  # noqa: ARG001 (RFC 7009: a hint)
) -> Response:
    """Ends the session of a refresh token, or of a user's access token, and every token issued in it.

    An unknown or expired token is no error (RFC 7009). To end the tokens of an API client, revoke the client.
    """
    if not token:
        return _token_error(400, "invalid_request", "Name the token.")
    with database.read_session() as session:
        by_refresh = session_repository.find_session_by_token(session, token_hash(token))
    session_id = by_refresh.id if by_refresh else None
    if session_id is None:
        try:
            subject = tokens.authenticate(f"Bearer {token}", now)
        except Unauthenticated:
            return Response(headers=NO_STORE)
        if subject.kind is ActorKind.CLIENT or subject.session_id is None:
            return _token_error(
                400, "unsupported_token_type", "Revoke the API client: DELETE /v1/api-clients/{client_id}."
            )
        session_id = subject.session_id
    with database.session() as session:
        if signed_in := session_repository.find_session(session, session_id, lock=True):
            actor = Actor(ActorKind.USER, signed_in.user_id, frozenset())
            user_sessions.end_session(session, actor, signed_in, EndReason.SIGNED_OUT, now)
        session.commit()
    return Response(headers=NO_STORE)


class TokenService:
    """Answer one token request. Password hashing runs between two short transactions: SQLite has one writer."""

    def __init__(
        self,
        database: Database,
        passwords: PasswordHasher,
        tokens: AccessTokens,
        secret_box: SecretBox,
        address: str,
        now: datetime,
    ) -> None:
        self._database, self._passwords, self._tokens, self._secret_box = database, passwords, tokens, secret_box
        self._address, self._now = address, now

    def sign_in(self, username: str, password: str, otp: str | None) -> Response:
        account = users.normalize_email(username)
        counted = self._count_attempt(account)
        if counted.needs_second_factor and not otp:
            raise login_throttle.too_many_attempts()
        with self._database.read_session() as session:
            user = user_repository.find_user_by_email(session, account)
            known = user if user is not None and user.active and is_authentic(user) else None
        right = self._passwords.verify(password, known.password_hash if known else None)
        begun = None
        if right and known is not None:
            with self._database.session() as session:
                begun = self._start_session(session, known, otp)
                if begun is not None:  # otherwise the next response would reveal that only the code was wrong
                    login_throttle.clear_failures(session, account, self._address)
                session.commit()
        else:
            self._record_failure(account, counted, ("user", known.id) if known else None)
        if begun is None and counted.needs_second_factor:  # the same response for a wrong password and a wrong code
            raise login_throttle.too_many_attempts()
        if begun is None:
            return _token_error(401, "invalid_grant", INVALID_CREDENTIALS)
        return self._user_response(begun)

    def _count_attempt(self, account: str) -> login_throttle.FailureCounts:
        """Count the attempt before the password is compared, so that parallel attempts are all counted."""
        with self._database.read_session() as session:
            login_throttle.require_network_below_limit(session, account, self._address, self._now)
        with self._database.session() as session:
            counted = login_throttle.count_attempt(session, account, self._address, self._now)
            session.commit()
        return counted

    def _record_failure(
        self, account: str, counted: login_throttle.FailureCounts, known: tuple[str, UUID] | None
    ) -> None:
        if login_throttle.is_audited(counted, account_exists=known is not None):
            with self._database.session() as session:
                login_throttle.record_failure(session, counted, account, self._address, known, self._now)
                session.commit()

    def _start_session(self, session: Session, known: User, otp: str | None) -> IssuedSession | None:
        """Start a session; None for a wrong code or a password that changed since its hash was compared."""
        user = user_repository.lock_user(session, known.id)
        if user is None or not user.active or not is_authentic(user) or user.password_hash != known.password_hash:
            return None
        if otp and not mfa.consume_code(session, self._secret_box, user.id, otp, self._now):
            return None
        return user_sessions.start_session(session, user, self._now, second_factor=bool(otp))

    def refresh(self, refresh_token: str | None) -> Response:
        if not refresh_token:
            return _token_error(400, "invalid_request", "Send the refresh_token.")
        with self._database.read_session() as session:
            known = user_sessions.is_known_refresh_token(session, refresh_token)
        begun = None
        if known:
            with self._database.session() as session:
                begun = user_sessions.rotate_refresh_token(session, refresh_token, self._now)
                session.commit()
        if begun is None:
            return _token_error(400, "invalid_grant", "This refresh token is unknown, used or expired; sign in again.")
        return self._user_response(begun)

    def sign_in_with_passkey(self, party: RelyingParty, ticket: str | None, assertion: str | None) -> Response:
        if not ticket or not assertion:
            return _token_error(400, "invalid_request", "Send ticket and assertion.")
        try:
            with self._database.session() as session:
                count = login_throttle.count_sign_on(session, self._address, self._now)
                session.commit()
        except TooManyAttempts as why:
            return _token_error(429, "slow_down", why.message, {"Retry-After": str(why.retry_after)})
        try:
            known = passkeys.open_sign_in(self._secret_box, ticket, self._now)
            with self._database.session() as session:
                begun = passkeys.sign_in(session, party, known, assertion, self._now)
                login_throttle.clear_sign_on(session, self._address)
                session.commit()
        except TicketRejected as why:
            with self._database.session() as session:
                login_throttle.record_sign_on_failure(session, count, self._address, self._now)
                session.commit()
            return _token_error(400, "invalid_grant", why.message)
        return self._user_response(begun)

    def redeem_code(self, sign_on: SignOn, code: str | None, verifier: str | None) -> Response:
        if not code or not verifier:
            return _token_error(400, "invalid_request", "Send code and code_verifier.")
        try:
            ticket = sign_on.open_code(code, verifier, "sign-in", self._now)
            with self._database.session() as session:
                begun = identity_links.start_session(session, ticket, self._now)
                session.commit()
        except TicketRejected as why:
            return _token_error(400, "invalid_grant", why.message)
        if begun is None:
            return _token_error(400, "invalid_grant", "This account is not active, or the identity was unlinked.")
        return self._user_response(begun)

    def authenticate_client(
        self, client_id: str, text: str, scope: str | None, challenge: dict[str, str] | None
    ) -> Response:
        account = users.normalize_email(client_id)
        counted = self._count_attempt(account)
        if counted.needs_second_factor:
            raise login_throttle.too_many_attempts()
        with self._database.read_session() as session:
            attempt = api_clients.authenticate_client(session, account, text, self._now)
        client, secret = attempt.client, attempt.secret
        if client is None or secret is None:
            self._record_failure(account, counted, ("client", client.id) if client else None)
            return _token_error(401, "invalid_client", INVALID_CREDENTIALS, challenge)
        with self._database.session() as session:  # a correct secret is no failed attempt, even if it has expired
            login_throttle.clear_failures(session, account, self._address)
            if attempt.invalid_reason is None:
                api_client_repository.record_use(session, secret, self._now)
            session.commit()
        if attempt.invalid_reason is not None:
            return _token_error(401, "invalid_client", attempt.invalid_reason.value, challenge)
        scopes = _narrow_scopes(client, scope)
        if not scopes:
            granted = " ".join(sorted(api_clients.granted_scopes(client)))
            return _token_error(400, "invalid_scope", f"Ask for some of what this client was granted: {granted}.")
        subject = TokenSubject(ActorKind.CLIENT, client.id, secret.id, scopes)
        return self._token_response(subject, scope=" ".join(sorted(scopes)))

    def _user_response(self, begun: IssuedSession) -> Response:
        subject = TokenSubject(ActorKind.USER, begun.session.user_id, begun.session.id)
        return self._token_response(subject, refresh_token=begun.refresh_token)

    def _token_response(
        self, subject: TokenSubject, *, refresh_token: str | None = None, scope: str | None = None
    ) -> Response:
        answer = TokenResponse(
            access_token=self._tokens.issue(subject, self._now),
            expires_in=int(self._tokens.lifetime.total_seconds()),
            refresh_token=refresh_token,
            scope=scope,
        )
        return JSONResponse(answer.model_dump(exclude_none=True), headers=NO_STORE)


def _narrow_scopes(client: ApiClient, scope: str | None) -> frozenset[Scope]:
    """Return the granted scopes or the requested part of them; empty if more was requested."""
    granted = api_clients.granted_scopes(client)
    wanted = frozenset((scope or "").split())
    if not wanted:
        return granted
    return frozenset(each for each in granted if each in wanted) if wanted <= granted else frozenset()


def _token_error(status: int, error: str, description: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = {"error": error, "error_description": description}
    return JSONResponse(body, status, {**NO_STORE, **(headers or {})})
