"""Define dependencies of routes: session, time, actor, row version, services.

Dependencies without database access are `async` and run immediately. All others run on threads, and each change of
thread waits behind pending verifications, possibly while the request holds the lock of the single writer.
"""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.applications.evidence.file_store import EvidenceFileStore
from app.applications.evidence.quotas import Quotas
from app.auth import authenticate
from app.auth.access_tokens import AccessTokens
from app.auth.credentials.confirmations import CONFIRMATION_HEADER
from app.auth.credentials.passwords import PasswordHasher
from app.auth.credentials.relying_party import MAX_TEXT, RelyingParty
from app.auth.permissions import require_second_factor
from app.auth.proposals import ProposalService
from app.auth.sign_on.flow import SignOn
from app.certificates.issuance import IssuerContext
from app.core.actor import Actor, Role
from app.core.crypto.secret_box import SecretBox
from app.core.database import Database
from app.core.errors import Forbidden, NotFound, Unauthenticated, VersionPrecondition
from app.core.messages import Message, join_alternatives, to_value_message
from app.core.settings import Settings
from app.transparency.witness_policy import WitnessPolicy
from app.web import idempotency, scope_policy
from app.web.container import Container
from app.web.idempotency import IdempotencyContext
from app.web.limits import concurrency
from app.web.read_audit import ReadAudit

ORGANISATION_HEADER = "Organisation"
"""The company that an agent acts for in this request, by its id."""


def get_container(request: Request) -> Container:
    """Return the services of this worker."""
    container: Container = request.app.state.container
    return container


async def get_settings(request: Request) -> Settings:
    return get_container(request).settings


async def get_now(request: Request) -> datetime:
    return get_container(request).clock()


async def get_database(request: Request) -> Database:
    return get_container(request).database


async def read_only(request: Request) -> None:
    """Mark a POST as read-only: it uses the read engine and never waits for a writer."""
    request.state.only_reads = True


READ_ONLY_ATTRIBUTE = Depends(read_only)
"""For `dependencies=[…]` of a route: these run before the session is created."""


async def get_session(request: Request) -> AsyncIterator[Session]:
    """Open one session and commit it once, before the response; requires `scope="function"` at every use.

    With FastAPI's default scope the commit runs after the response: a failed commit would still have sent a token.
    """
    database = get_container(request).database
    is_reading = request.method in concurrency.SAFE_METHODS or getattr(request.state, "only_reads", False)
    session = database.read_session() if is_reading else database.session()
    try:
        yield session
    except BaseException:
        await run_in_threadpool(session.close)
        raise
    await run_in_threadpool(_close_session, session, commit=not is_reading)


def _close_session(session: Session, *, commit: bool) -> None:
    with session:
        if commit:
            session.commit()


SettingsDep = Annotated[Settings, Depends(get_settings)]
NowDep = Annotated[datetime, Depends(get_now)]
DatabaseDep = Annotated[Database, Depends(get_database)]
SessionDep = Annotated[Session, Depends(get_session, scope="function")]

TOKEN_URL = "/v1/auth/token"  # noqa: S105 (an address)
_password_flow = OAuth2PasswordBearer(TOKEN_URL, scheme_name="password", auto_error=False)


def authorization_of(request: Request) -> str | None:
    """Return the only `Authorization` header. Of two, an intermediary may have checked another one than the service."""
    given = request.headers.getlist("authorization")
    if len(given) > 1:
        raise Unauthenticated("Send one Authorization header, not two.")
    return given[0] if given else None


def _named_organisation(request: Request) -> UUID | None:
    """Return the company in the header `Organisation`. Raises `NoAuthority` for what is no id, or for two."""
    given = request.headers.getlist(ORGANISATION_HEADER)
    if not given:
        return None
    try:
        return UUID(", ".join(given))
    except ValueError as why:
        raise authenticate.no_authority() from why


def get_actor(
    request: Request, session: SessionDep, now: NowDep, _documented: Annotated[Any, Depends(_password_flow)]
) -> Actor:
    """Load the actor of the access token with present permissions. An API client needs the scope of the route."""
    tokens = get_container(request).access_tokens
    subject = tokens.authenticate(authorization_of(request), now)
    actor = authenticate.load_actor(session, subject, now, named=_named_organisation(request))
    if given := request.headers.getlist(CONFIRMATION_HEADER):
        actor = replace(actor, confirmation=", ".join(given))  # two headers are one list, which is no confirmation
    scope_policy.require_scope(actor, request.method, request.scope["route"].path)
    scope_policy.require_organisation_named(actor, request.scope["route"].path)
    request.state.actor = actor  # for content checks, which run after the dependencies have ended
    return actor


ActorDep = Annotated[Actor, Depends(get_actor, scope="function")]


async def document_confirmation(
    _confirmation: Annotated[
        str | None,
        Header(
            alias=CONFIRMATION_HEADER,
            description="base64url of the WebAuthn assertion over `sha256` of a refusal `confirmation-required`",
            max_length=MAX_TEXT,
        ),
    ] = None,
) -> None:
    """Describe the header of routes that decide; `get_actor` reads it."""


CONFIRMED = Depends(document_confirmation)
"""For `dependencies=[…]` of a route whose decision is confirmed with an authenticator."""


def require_role(*roles: Role, second_factor: bool = False) -> Any:
    """Return a dependency: an actor with one of the roles and, if required, a recent second factor (else 403)."""

    async def allowed(actor: ActorDep) -> Actor:
        if not actor.has_role(*roles):
            names = [role.value for role in roles]
            raise Forbidden(
                Message(
                    "This is for the role %(roles)s.",
                    roles=join_alternatives([to_value_message(name) for name in names]),
                ),
                data={"roles": names},
            )
        if second_factor:
            require_second_factor(actor)
        return actor

    return Depends(allowed, scope="function")


def parse_id(text: str, what: str) -> UUID:
    """Parse an id of the path. Raises `NotFound`, not 422, for text that cannot be an id."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound.of(what) from None


IF_MATCH = "If-Match"
IfMatch = Annotated[
    str | None, Header(alias=IF_MATCH, description="`ETag` of the version that the change was made against")
]
IdempotencyKey = Annotated[
    str | None,
    Header(alias=idempotency.HEADER, description="a retry with the same key gets the same answer", max_length=200),
]


async def if_match_version(
    request: Request,
    session: SessionDep,
    actor: ActorDep,
    now: NowDep,
    if_match: IfMatch = None,
    _key: IdempotencyKey = None,
) -> VersionPrecondition:
    """Return the version in If-Match; None when missing, -1 (never a version) for any other value."""
    version = None
    if if_match is not None:
        named = ", ".join(
            request.headers.getlist("if-match")
        )  # two headers are one list (RFC 9110 §5.3), which is not a version
        match = re.fullmatch(r'\s*"(\d{1,9})(?:-voided)?(?:-[0-9a-f]{16})?"\s*', named)
        version = int(match[1]) if match else -1
    return VersionPrecondition(version, _replay_hook(request, session, actor, now))


VersionDep = Annotated[VersionPrecondition, Depends(if_match_version, scope="function")]


def _replay_hook(request: Request, session: Session, actor: Actor | None, now: datetime) -> Callable[[], None]:
    retry: IdempotencyContext | None = getattr(request.state, "retry", None)

    def replay() -> None:
        if retry is not None:
            retry.replay(session, idempotency.principal_of(actor), now)

    return replay


async def replay_hook_for_actor(
    request: Request, session: SessionDep, actor: ActorDep, now: NowDep, _key: IdempotencyKey = None
) -> Callable[[], None]:
    return _replay_hook(request, session, actor, now)


async def replay_hook_for_anonymous(
    request: Request, session: SessionDep, now: NowDep, _key: IdempotencyKey = None
) -> Callable[[], None]:
    return _replay_hook(request, session, None, now)


# For a route that decides when to look for a stored response: after 404 and 403, before 409; after slow work, because
# the look-up begins the write transaction.
ReplayHookDep = Annotated[Callable[[], None], Depends(replay_hook_for_actor, scope="function")]
AnonymousReplayHookDep = Annotated[Callable[[], None], Depends(replay_hook_for_anonymous, scope="function")]


async def replay_for_actor(request: Request, before_check: ReplayHookDep) -> None:
    await _replay(request, before_check)


async def replay_for_anonymous(request: Request, before_check: AnonymousReplayHookDep) -> None:
    await _replay(request, before_check)


async def _replay(request: Request, before_check: Callable[[], None]) -> None:
    if hasattr(request.state, "retry"):
        await run_in_threadpool(before_check)


# Last dependency of a route that creates: runs after 401, 404 and 403, before the body is validated.
IdempotentReplayDep = Annotated[None, Depends(replay_for_actor, scope="function")]
AnonymousIdempotentReplayDep = Annotated[None, Depends(replay_for_anonymous, scope="function")]


def format_etag(version: int) -> str:
    return f'"{version}"'


async def get_client_address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


ClientAddressDep = Annotated[str, Depends(get_client_address)]


async def get_passwords(request: Request) -> PasswordHasher:
    return get_container(request).passwords


async def get_witness_policy(request: Request) -> WitnessPolicy | None:
    return get_container(request).witnesses.client.policy


WitnessPolicyDep = Annotated[WitnessPolicy | None, Depends(get_witness_policy)]


async def get_tokens(request: Request) -> AccessTokens:
    return get_container(request).access_tokens


async def get_secret_box(request: Request) -> SecretBox:
    return get_container(request).secret_box


async def get_issuer_context(request: Request) -> IssuerContext:
    return get_container(request).issuance


async def get_evidence_files(request: Request) -> EvidenceFileStore:
    return get_container(request).evidence_files


async def get_read_audit(request: Request) -> ReadAudit:
    return get_container(request).reading_trail


ReadAuditDep = Annotated[ReadAudit, Depends(get_read_audit)]


async def get_proposals(request: Request) -> ProposalService:
    return get_container(request).proposals


ProposalsDep = Annotated[ProposalService, Depends(get_proposals)]


async def get_relying_party(request: Request) -> RelyingParty:
    return get_container(request).relying_party


RelyingPartyDep = Annotated[RelyingParty, Depends(get_relying_party)]


async def get_sign_on(request: Request) -> SignOn:
    return get_container(request).sign_on


SignOnDep = Annotated[SignOn, Depends(get_sign_on)]


async def get_quotas(request: Request) -> Quotas:
    return get_container(request).quotas


QuotasDep = Annotated[Quotas, Depends(get_quotas)]
EvidenceFilesDep = Annotated[EvidenceFileStore, Depends(get_evidence_files)]
PasswordsDep = Annotated[PasswordHasher, Depends(get_passwords)]
SecretBoxDep = Annotated[SecretBox, Depends(get_secret_box)]
TokensDep = Annotated[AccessTokens, Depends(get_tokens)]
IssuerContextDep = Annotated[IssuerContext, Depends(get_issuer_context)]
