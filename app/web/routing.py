"""A route that refuses in the order of the map: 401 before a byte of the body is read, 422 last.

FastAPI reads and parses a body before it looks at who is asking. This route checks the signature of the access token
first, refuses another media type, and holds a malformed body back until the dependencies (401, 404, 403, 412, 409)
had their say.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response, params
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from app import strict_json
from app.errors import UnsupportedMedia
from app.web import idempotency
from app.web.idempotency import Replayed, Retry

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

NEEDS_TOKEN = "mik_needs_token"  # noqa: S105 (an attribute's name)


class _Malformed:
    """Stands for a body that is no JSON: no model accepts it, and nothing of it can leak."""


class OrderedRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        original = super().get_route_handler()
        guarded = _needs_token(self.dependant)
        takes_form = self.body_field is not None and isinstance(self.body_field.field_info, params.Form)
        takes_json = self.body_field is not None and not takes_form

        async def handler(request: Request) -> Response:
            if guarded:
                request.app.state.tokens.check(request.headers.get("authorization"), request.app.state.clock())
            key = idempotency.read_key(request) if request.method in WRITES else None
            if takes_form:
                _expect_media_type(request, "multipart/form-data", "application/x-www-form-urlencoded")
            if not takes_json:
                if key is None:
                    return await original(request)
                fingerprint = await idempotency.form_fingerprint(request) if takes_form else ""
                return await _once(original, request, key, fingerprint)
            body = await request.body()
            if body:
                _expect_media_type(request, "application/json")
            try:
                parsed: Any = strict_json.loads(body) if body else None
            except ValueError as why:
                return await _refuse_after_guards(original, request, str(why))
            if body:
                request._json = parsed  # noqa: SLF001 (Starlette's own cache of request.json())
            if key is None:
                return await original(request)
            return await _once(original, request, key, idempotency.json_fingerprint(parsed))

        return handler


async def _once(original: Handler, request: Request, key: str, fingerprint: str) -> Response:
    """Answer a request that names an Idempotency-Key; its answer joins the transaction that is still open."""
    route = f"{request.method} {request.url.path}"
    if request.url.query:
        fingerprint = f"{fingerprint}?{request.url.query}"
    request.state.retry = Retry(key, route, fingerprint)
    try:
        answer = await original(request)
    except Replayed as replayed:
        return replayed.answer
    await run_in_threadpool(request.state.retry.keep, answer)
    return answer


async def _refuse_after_guards(original: Handler, request: Request, why: str) -> Response:
    request._json = _Malformed()  # noqa: SLF001 (Starlette's own cache of request.json())
    malformed = RequestValidationError([{"type": "json_invalid", "loc": ("body",), "msg": why}])
    try:
        await original(request)
    except RequestValidationError:
        raise malformed from None
    raise malformed  # a route that took it all the same would be a fault of ours


def _needs_token(dependant: Dependant) -> bool:
    if getattr(dependant.call, NEEDS_TOKEN, False):
        return True
    return any(_needs_token(sub) for sub in dependant.dependencies)


def _expect_media_type(request: Request, *accepted: str) -> None:
    stated = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if stated not in accepted:
        raise UnsupportedMedia(f"Send this as {' or '.join(accepted)}.")
