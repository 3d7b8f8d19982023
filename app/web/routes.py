"""Define routes that raise errors in a fixed order: 401 before the body is read, 422 last.

FastAPI parses a body before it authenticates. `GuardedRoute` verifies the access token first, rejects other media
types, and reports a malformed body only after the dependencies (401, 404, 403, 412, 409).
"""

import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, ClassVar, TypeVar

import anyio.to_thread
from fastapi import APIRouter, Depends, Request, Response, params
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_parameterless_sub_dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.routing import BaseRoute, Route

from app.applications.evidence.file_store import raising_storage_full
from app.core import strict_json
from app.core.actor import Actor
from app.core.database import is_lock_timeout
from app.core.errors import InProgress, Invalid, MikError, UnsupportedMedia
from app.core.messages import Message, join_alternatives, to_message
from app.core.settings import Settings
from app.web import dependencies as web_dependencies
from app.web import idempotency
from app.web.body import limit_body
from app.web.headers import revalidated
from app.web.idempotency import IdempotencyContext, IdempotentReplay
from app.web.limits import concurrency
from app.web.limits.concurrency import WorkClass
from app.web.parameters import require_known_parameters
from app.web.problems import partial_bodies, problem_details

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Checked = TypeVar("Checked", bound=BaseModel)
WRITE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})

API_PREFIX = "/v1/"
FORM_OVERHEAD = 65_536  # bytes that a multipart form adds to a file


@dataclass(frozen=True, slots=True)
class BodyCheckContext:
    """Hold what a check of a body may read. `session` is read-only; `actor` is None on routes without sign-in."""

    session: Session
    actor: Actor | None
    now: datetime
    path: Mapping[str, str]


def check_body(check: Callable[[BodyCheckContext, Checked], Iterable[Mapping[str, str]]]) -> Any:
    """Return a dependency that reports the errors of `check` together with errors of the body's format.

    For `dependencies=[…]` of a route. The service of the route reports the same errors; `check` runs only when the
    format is wrong, on a body whose unreadable members are replaced (`partial_bodies.py`).
    """

    async def add_content_errors(request: Request) -> None:
        request.state.content_check = check

    return Depends(add_content_errors)


class _MalformedBody:
    """Stand in for a body that is not JSON: every model rejects it, and it contains no input."""


def _reject_other_parameters(declared: Sequence[str]) -> Callable[[Request], Coroutine[Any, Any, None]]:
    async def reject(request: Request) -> None:
        require_known_parameters(request.query_params, declared)

    return reject


def operation_id_of(route: APIRoute) -> str:
    """Return the `operationId`: the name of the endpoint, a verb and an object, unique in the whole API."""
    return route.name


class GuardedRoute(APIRoute):
    takes_other_parameters: ClassVar[bool] = False
    """Whether it ignores query parameters that it does not know; others are refused."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **(options | {"generate_unique_id_function": operation_id_of}))
        if path.startswith(API_PREFIX) and not self.takes_other_parameters:
            check = Depends(_reject_other_parameters(sorted(set(_query_parameters(self.dependant)))))
            # last: 401, 404 and 403 are reported first
            self.dependant.dependencies.append(get_parameterless_sub_dependant(depends=check, path=path))

    def max_body_bytes(self, settings: Settings) -> int:
        """Return the body limit. FastAPI's own limit would turn a response that was committed already into a 413."""
        return settings.body_max_bytes

    async def before_work(self, request: Request) -> None:
        """Do what is slow and needs no database, before the request acquires a thread and a connection."""

    @property
    def is_revalidated(self) -> bool:
        """Whether it reads one thing with a version, for one client: it sets the `ETag` of its response."""
        needs_token = web_dependencies.get_actor in frozenset(_dependencies(self.dependant))
        return needs_token and "GET" in (self.methods or ()) and self.dependant.response_param_name is not None

    def get_route_handler(self) -> Handler:
        inner = super().get_route_handler()
        dependencies = frozenset(_dependencies(self.dependant))
        kind = work_class_of(dependencies, self.methods or set())
        needs_token = web_dependencies.get_actor in dependencies
        is_revalidated = self.is_revalidated
        takes_form = self.body_field is not None and isinstance(self.body_field.field_info, params.Form)
        takes_json = self.body_field is not None and not takes_form

        async def call_endpoint(request: Request) -> Response:
            await self.before_work(request)
            if kind is not None:  # the body is read: from here on the request needs a thread and a connection
                await web_dependencies.get_container(request).concurrency.acquire(request, kind)
            try:
                answer = await inner(request)
                return revalidated(request, answer) if is_revalidated else answer
            except RequestValidationError as error:
                check = getattr(request.state, "content_check", None)
                more = check and await run_in_threadpool(self._content_errors, check, request, error)
                if not more:
                    raise
                raise Invalid.with_errors([*problem_details.list_validation_errors(error), *more]) from error

        async def handler(request: Request) -> Response:
            container = web_dependencies.get_container(request)
            if needs_token:
                subject = container.access_tokens.authenticate(
                    web_dependencies.authorization_of(request), container.clock()
                )
                request.state.sender = str(subject.id)
            _limit_body(request, self.max_body_bytes(container.settings))
            key = idempotency.parse_key(request) if request.method in WRITE_METHODS else None
            if takes_json:
                return await _handle_json(call_endpoint, request, key)
            if takes_form:
                _require_media_type(request, "multipart/form-data", "application/x-www-form-urlencoded")
                async with self.read_form(request):
                    fingerprint = await idempotency.form_fingerprint(request) if key else ""
                    return (
                        await _run_idempotent(call_endpoint, request, key, fingerprint)
                        if key
                        else await call_endpoint(request)
                    )
            return await _run_idempotent(call_endpoint, request, key, "") if key else await call_endpoint(request)

        return handler

    @asynccontextmanager
    async def read_form(self, request: Request) -> AsyncIterator[None]:
        """Read the form before the request acquires a thread and a connection."""
        await request.form()
        yield

    def _content_errors(
        self,
        check: Callable[[BodyCheckContext, Any], Iterable[Mapping[str, str]]],
        request: Request,
        error: RequestValidationError,
    ) -> list[Mapping[str, str]]:
        """Return errors of the content of a malformed body, as far as it can be read."""
        assert self.body_field is not None  # the check belongs to a body
        model: Any = self.body_field.field_info.annotation  # a model, otherwise the check would not fit
        places = [(each["type"], tuple(each["loc"][1:])) for each in error.errors() if each["loc"][0] == "body"]
        body = partial_bodies.repair_body(model, error.body, places)
        if body is None:
            return []
        container = web_dependencies.get_container(request)
        with container.database.read_session() as session:
            asked = BodyCheckContext(
                session, getattr(request.state, "actor", None), container.clock(), request.path_params
            )
            try:
                found = list(check(asked, body))
            except MikError:  # something else is missing: the service reports it once the format is right
                return []
        lost = [problem_details.pointer_of(("body", *place)) for kind, place in places if kind != "extra_forbidden"]
        return list(partial_bodies.independent_errors(found, lost))


class PublicRouter(APIRouter):
    """Group routes that every origin may read (CORS): their responses are the same for all clients."""


def paths_of(routes: Iterable[BaseRoute]) -> re.Pattern[str]:
    """Return one pattern that matches the whole paths of the routes."""
    patterns = [route.path_regex.pattern for route in routes if isinstance(route, Route | APIRoute)]
    bare = [re.sub(r"\?P<\w+>", "?:", pattern).removeprefix("^").removesuffix("$") for pattern in patterns]
    return re.compile("|".join(bare))


@dataclass(frozen=True, slots=True)
class PreparedUpload:
    """Hold the result of preparing a file, or its error, which is raised after 404 and 403."""

    result: Any = None
    error: MikError | None = None

    def get(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.result


class UploadRoute(GuardedRoute):
    """Define a route that accepts a file in a form; its JSON has the limit of other routes.

    `prepare` does the slow work on the file (check, hash, write, parse) on one of a few threads before the request
    acquires a connection; the endpoint reads the result from `request.state.prepared`. `discard` removes leftovers.
    """

    def prepare(self, _request: Request, _file: BinaryIO, _name: str | None) -> Any:
        return None

    def discard(self, _done: Any) -> None:
        return

    @asynccontextmanager
    async def read_form(self, request: Request) -> AsyncIterator[None]:
        uploads = web_dependencies.get_container(request).uploads
        request.state.prepared = PreparedUpload()
        async with uploads.limit.slot(concurrency.client_key_of(request)):
            with raising_storage_full():
                form = await request.form()
            file = form.get("file")
            if isinstance(file, UploadFile):
                request.state.prepared = await anyio.to_thread.run_sync(
                    self._run_prepare, request, file, limiter=uploads.threads
                )
        try:
            yield
        finally:
            if request.state.prepared.result is not None:
                await anyio.to_thread.run_sync(self.discard, request.state.prepared.result, limiter=uploads.threads)

    def _run_prepare(self, request: Request, file: UploadFile) -> PreparedUpload:
        try:
            return PreparedUpload(self.prepare(request, file.file, file.filename))
        except MikError as error:
            return PreparedUpload(error=error)
        finally:
            file.file.seek(0)

    def max_body_bytes(self, settings: Settings) -> int:
        if self.body_field is not None and isinstance(self.body_field.field_info, params.Form):
            return settings.evidence_max_bytes + FORM_OVERHEAD
        return super().max_body_bytes(settings)


def _limit_body(request: Request, max_bytes: int) -> None:
    """Reject a body whose stated length is too large, and stop reading a body that exceeds the limit."""
    refusal = Message("The request is larger than this address takes (%(limit)s bytes).", limit=max_bytes)
    counted = limit_body(request.scope, request.receive, max_bytes, refusal)
    request._receive = counted  # noqa: SLF001 (body, form and stream read from it)


async def _handle_json(call_endpoint: Handler, request: Request, key: str | None) -> Response:
    body = await request.body()
    if body:
        _require_media_type(request, "application/json")
    try:
        parsed: Any = strict_json.loads(body) if body else None
    except ValueError as error:
        return await _reject_after_guards(call_endpoint, request, to_message(error.args[0]))
    if body:
        request._json = parsed  # noqa: SLF001 (Starlette's own cache of request.json())
    if key is None:
        return await call_endpoint(request)
    return await _run_idempotent(call_endpoint, request, key, idempotency.json_fingerprint(parsed))


async def _run_idempotent(call_endpoint: Handler, request: Request, key: str, fingerprint: str) -> Response:
    """Run a request with an Idempotency-Key; its response is stored in the transaction that is still open."""
    route = f"{request.method} {request.url.path}"
    if request.url.query:
        fingerprint = f"{fingerprint}?{request.url.query}"
    request.state.retry = IdempotencyContext(key, route, fingerprint)
    try:
        answer = await call_endpoint(request)
    except IdempotentReplay as replayed:
        return replayed.response
    except OperationalError as error:
        if is_lock_timeout(error):
            raise InProgress(
                "Another request with this Idempotency-Key is in progress. Repeat it with the same key."
            ) from error
        raise
    await run_in_threadpool(request.state.retry.store, answer)
    return answer


async def _reject_after_guards(call_endpoint: Handler, request: Request, error: Message) -> Response:
    request._json = _MalformedBody()  # noqa: SLF001 (Starlette's own cache of request.json())
    malformed = RequestValidationError([{"type": "json_invalid", "loc": ("body",), "msg": error}])
    try:
        await call_endpoint(request)
    except RequestValidationError:
        raise malformed from None
    raise malformed  # a route that accepts it has a programming error


def work_class_of(dependencies: AbstractSet[Callable[..., Any]], methods: AbstractSet[str]) -> WorkClass | None:
    """Return the work class of a route by its dependencies; None without database and passwords."""
    if web_dependencies.get_passwords in dependencies:
        return WorkClass.PASSWORD_HASH
    if not dependencies & {web_dependencies.get_database, web_dependencies.get_session}:
        return None
    return (
        WorkClass.WRITE
        if WRITE_METHODS & methods and web_dependencies.read_only not in dependencies
        else WorkClass.READ
    )


def _dependencies(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for each in dependant.dependencies:
        if each.call is not None:
            yield each.call
        yield from _dependencies(each)


def _query_parameters(dependant: Dependant) -> Iterator[str]:
    for param in dependant.query_params:
        yield param.alias
    for each in dependant.dependencies:
        yield from _query_parameters(each)


def _require_media_type(request: Request, *accepted: str) -> None:
    stated = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if stated not in accepted:
        raise UnsupportedMedia(Message("Send this as %(accepted)s.", accepted=join_alternatives(accepted)))
