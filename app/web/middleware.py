"""Add request id, security headers, and CORS for public paths to every response. Pure ASGI."""

import itertools
import re
import secrets
from collections.abc import Iterable, Iterator

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.headers import PRIVATE_REVALIDATED
from app.web.problems import problem_details

EXPOSED_HEADERS = ("Link", "ETag", "X-Request-Id")
CORS_ALLOW_ANY: tuple[tuple[bytes, bytes], ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", ", ".join(EXPOSED_HEADERS).encode()),
)
"""CORS headers that allow any origin to read a public response."""

API_CSP = "default-src 'none'; frame-ancestors 'none'"


Header = tuple[bytes, bytes]


class RequestIdGenerator:
    """Generate request ids of 16 hex digits: the first 8 differ between processes, the last 8 within one."""

    def __init__(self) -> None:
        self._process = secrets.token_hex(4)
        self._serials: Iterator[int] = itertools.count(secrets.randbelow(1 << 32))

    def next(self) -> str:
        return f"{self._process}{next(self._serials) & 0xFFFFFFFF:08x}"


def default_headers(*, https: bool) -> list[Header]:
    """Return the headers that are added to a response without a header of that name."""
    headers = [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"content-security-policy", API_CSP.encode()),
        (b"cross-origin-resource-policy", b"cross-origin"),
    ]
    return [*headers, (b"strict-transport-security", b"max-age=31536000")] if https else headers


_REVALIDATED = PRIVATE_REVALIDATED.encode()


class CommonResponseMiddleware:
    """Add request id and security headers; a response for one client is never stored by a shared cache.

    HEAD is GET without the body for every path (RFC 9110 §9.3.2). Unexpected errors are answered here, so that their
    response has the same headers.
    """

    def __init__(self, app: ASGIApp, *, https: bool, ids: RequestIdGenerator) -> None:
        self.app = app
        self._ids = ids
        self._headers = default_headers(https=https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        request_id = self._ids.next()
        scope = {**scope, "mik.request_id": request_id, "method": "GET" if is_head else scope["method"]}
        has_started = False
        authorised = any(name == b"authorization" for name, _ in scope["headers"])

        async def send_with_headers(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.body" and is_head:
                message = {**message, "body": b""}
            if message["type"] == "http.response.start":
                has_started = True
                message["headers"] = self._add_defaults(message["headers"], request_id, is_private=authorised)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            return  # the client disconnected before its request was complete: nothing was done
        except Exception as error:
            if has_started:
                raise  # the server closes the connection: an incomplete response must not look complete
            await problem_details.handle_unexpected(Request(scope), error)(scope, receive, send_with_headers)

    def _add_defaults(self, theirs: Iterable[Header], request_id: str, *, is_private: bool) -> list[Header]:
        headers = list(theirs)
        names = {name for name, _ in headers}
        headers += [header for header in self._headers if header[0] not in names]
        if is_private and (b"cache-control", _REVALIDATED) not in headers:
            headers = [header for header in headers if header[0] != b"cache-control"]
            headers.append((b"cache-control", b"private, no-store"))
        elif b"cache-control" not in names:
            headers.append((b"cache-control", b"no-store"))
        headers.append((b"x-request-id", request_id.encode()))
        return headers


def allow_any_origin(app: ASGIApp) -> ASGIApp:
    """Allow every origin to read the responses of `app`: they are the same for all clients, and no cookie is read."""
    return CORSMiddleware(
        app,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["Content-Type", "If-None-Match"],
        expose_headers=EXPOSED_HEADERS,
        max_age=86_400,
    )


class PublicCorsMiddleware:
    """Allow every origin to read paths that `public` matches as a whole; no origin reads any other path."""

    def __init__(self, app: ASGIApp, public: re.Pattern[str]) -> None:
        self.app = app
        self._open = allow_any_origin(app)
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_public = scope["type"] == "http" and self._public.fullmatch(scope["path"])
        await (self._open if is_public else self.app)(scope, receive, send)
