"""What a route may ask for: the session, the time, who is asking, and against which version a change was made.

What does not touch the database is `async`: it is done at once. Everything else hops to a thread, and each hop waits
for its turn among all that checks are asked, perhaps with the lock of the one writer in its hand.
"""

import re
from collections.abc import AsyncIterator, Callable
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
from app.auth.credentials.passwords import PasswordHasher
from app.auth.permissions import require_second_factor
from app.certificates.issuance import IssuerContext
from app.core.actor import Actor, Role
from app.core.crypto.secret_box import SecretBox
from app.core.database import Database
from app.core.errors import Forbidden, NotFound, Unauthenticated, VersionPrecondition
from app.core.messages import Message, join_alternatives, to_value_message
from app.core.settings import Settings
from app.web import idempotency, scope_policy
from app.web.container import Container
from app.web.idempotency import IdempotencyContext
from app.web.limits import concurrency
from app.web.read_audit import ReadAudit


def get_container(request: Request) -> Container:
    """The services of this worker."""
    container: Container = request.app.state.container
    return container


async def get_settings(request: Request) -> Settings:
    return get_container(request).settings


async def get_now(request: Request) -> datetime:
    return get_container(request).clock()


async def get_database(request: Request) -> Database:
    return get_container(request).database


async def read_only(request: Request) -> None:
    """Dependency of a POST that changes nothing: it takes the read engine and never waits for a writer."""
    request.state.only_reads = True


READ_ONLY_ATTRIBUTE = Depends(read_only)
"""For `dependencies=[…]` of a route: these run before the session is made."""


async def get_session(request: Request) -> AsyncIterator[Session]:
    """One session, one commit, before the answer leaves: that needs `scope="function"` wherever this is asked for.

    With FastAPI's default scope the commit runs after the answer: a commit that fails would still have sent a token.
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
    """The one `Authorization` header. Of two nobody knows which one somebody between us and the client looked at."""
    given = request.headers.getlist("authorization")
    if len(given) > 1:
        raise Unauthenticated("Send one Authorization header, not two.")
    return given[0] if given else None


def get_actor(
    request: Request, session: SessionDep, now: NowDep, _documented: Annotated[Any, Depends(_password_flow)]
) -> Actor:
    """Who is asking, by the access token; rights as they are in the database now. A program needs the route's scope."""
    tokens = get_container(request).access_tokens
    actor = authenticate.load_actor(session, tokens.authenticate(authorization_of(request), now), now)
    scope_policy.require_scope(actor, request.method, request.scope["route"].path)
    request.state.actor = actor  # for `also_wrong`, which looks at what was sent after the dependencies are gone
    return actor


ActorDep = Annotated[Actor, Depends(get_actor, scope="function")]


def require_role(*roles: Role, second_factor: bool = False) -> Any:
    """An actor with one of these roles, where asked for with a recent second factor; anybody else is refused (403)."""

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
    """An id of the path. One that cannot be an id names nothing: 404, not 422."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound.of(what) from None


IfMatch = Annotated[str | None, Header(description="ETag of what the change was made against")]
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
    """Row version named by If-Match; None when missing, -1 (never a version) for anything that is not ours."""
    version = None
    if if_match is not None:
        named = ", ".join(request.headers.getlist("if-match"))  # two headers are one list (RFC 9110 §5.3), no version
        match = re.fullmatch(r'\s*"(\d{1,9})"\s*', named)
        version = int(match[1]) if match else -1
    return VersionPrecondition(version, _replay_hook(request, session, actor, now))


VersionDep = Annotated[VersionPrecondition, Depends(if_match_version, scope="function")]


def _replay_hook(request: Request, session: Session, actor: Actor | None, now: datetime) -> Callable[[], None]:
    retry: IdempotencyContext | None = getattr(request.state, "retry", None)

    def ask() -> None:
        if retry is not None:
            retry.replay(session, idempotency.principal_of(actor), now)

    return ask


async def replay_hook_for_actor(
    request: Request, session: SessionDep, actor: ActorDep, now: NowDep, _key: IdempotencyKey = None
) -> Callable[[], None]:
    return _replay_hook(request, session, actor, now)


async def replay_hook_for_anonymous(
    request: Request, session: SessionDep, now: NowDep, _key: IdempotencyKey = None
) -> Callable[[], None]:
    return _replay_hook(request, session, None, now)


# For a route that must say itself when to look for a kept answer: after 404 and 403, before 409; after slow work, since
# looking begins the write transaction.
ReplayHookDep = Annotated[Callable[[], None], Depends(replay_hook_for_actor, scope="function")]
AnonymousReplayHookDep = Annotated[Callable[[], None], Depends(replay_hook_for_anonymous, scope="function")]


async def replay_for_actor(request: Request, ask_first: ReplayHookDep) -> None:
    await _replay(request, ask_first)


async def replay_for_anonymous(request: Request, ask_first: AnonymousReplayHookDep) -> None:
    await _replay(request, ask_first)


async def _replay(request: Request, ask_first: Callable[[], None]) -> None:
    if hasattr(request.state, "retry"):
        await run_in_threadpool(ask_first)


# The last dependency of a route that creates: after 401, 404 and 403, before anything is looked at.
IdempotentReplayDep = Annotated[None, Depends(replay_for_actor, scope="function")]
AnonymousIdempotentReplayDep = Annotated[None, Depends(replay_for_anonymous, scope="function")]


def format_etag(version: int) -> str:
    return f'"{version}"'


async def get_client_address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


ClientAddressDep = Annotated[str, Depends(get_client_address)]


async def get_passwords(request: Request) -> PasswordHasher:
    return get_container(request).passwords


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


async def get_quotas(request: Request) -> Quotas:
    return get_container(request).quotas


QuotasDep = Annotated[Quotas, Depends(get_quotas)]
EvidenceFilesDep = Annotated[EvidenceFileStore, Depends(get_evidence_files)]
PasswordsDep = Annotated[PasswordHasher, Depends(get_passwords)]
SecretBoxDep = Annotated[SecretBox, Depends(get_secret_box)]
TokensDep = Annotated[AccessTokens, Depends(get_tokens)]
IssuerContextDep = Annotated[IssuerContext, Depends(get_issuer_context)]
