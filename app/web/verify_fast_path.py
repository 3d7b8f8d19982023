"""Answer `/v1/verify` before routing; pass all other requests to the FastAPI application.

Routing costs more than a verification. Therefore the fast path does the work of the middleware itself: request id,
headers, CORS, errors. It is the outermost ASGI application and the only path to `/v1/verify`;
pages verify by the same service.
"""

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.core.errors import MikError
from app.verification.handler import VerifyHandler
from app.web.limits.fair_scheduler import FairScheduler
from app.web.limits.rate_limit import BATCH_COST, FILE_COST, RateLimiter
from app.web.middleware import (
    CORS_ALLOW_ANY,
    CommonResponseMiddleware,
    Header,
    RequestIdGenerator,
    allow_any_origin,
    default_headers,
)
from app.web.parameters import require_no_parameters
from app.web.problems import problem_details

VERIFY = "/v1/verify"
VERIFY_NUMBER_PREFIX = VERIFY + "/"
MANIFESTS = VERIFY + "/manifests"
"""Lists that are evaluated later, for those who are signed in: an address of the application."""
_COSTS = {VERIFY + "/batch": BATCH_COST, VERIFY + "/file": FILE_COST}
"""Routes of the application below `/v1/verify`, and the number of verifications that a request counts as."""
SAFE_METHODS, _POST = ("GET", "HEAD"), ("POST",)
_NEVER_STORED: Header = (b"cache-control", b"private, no-store")


class VerifyFastPath:
    """Dispatch requests. `app` answers all others; `base_url` is the public address of the service."""

    def __init__(
        self, app: FastAPI, handler: VerifyHandler, limiter: RateLimiter, ids: RequestIdGenerator, *, base_url: str
    ) -> None:
        self.app = app
        self._handler = handler
        self._rate_limiter = limiter
        self._ids = ids
        self._base_url = base_url
        self._https = base_url.startswith("https://")
        self._scheduler = FairScheduler()
        self._headers: list[Header] = [*default_headers(https=self._https), (b"vary", b"Origin")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["mik.base_url"] = self._base_url
        path, method = scope["path"].removesuffix("\n"), scope["method"]  # as routes do, which also match such a path
        if not path.startswith(VERIFY) or path == MANIFESTS or path.startswith(f"{MANIFESTS}/"):
            with self._scheduler.track_request():
                await self.app(scope, receive, send)
            return
        if self._scheduler.active_requests:
            await self._scheduler.acquire()
        try:
            client = scope.get("client")
            if client and method != "OPTIONS":
                self._rate_limiter.hit(client[0], _COSTS.get(path, 1))
            number = _number_of(path)
            require_no_parameters(scope.get("query_string", b""))
            if (number is None and path != VERIFY) or (method == "POST" and path in _COSTS):
                answer = None
            else:
                answer = await self._answer(number, scope, receive)
        except Exception as error:  # noqa: BLE001 (no middleware is around the fast path: it answers every error itself)
            await self._refuse(error, scope, receive, send)
            return
        if answer is None:
            with self._scheduler.track_request():
                await self.app(scope, receive, send)
            return
        status, headers, body = answer
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})

    async def _answer(self, number: str | None, scope: Scope, receive: Receive) -> tuple[int, list[Header], bytes]:
        """Return status, headers and body for a number, or without a number for a posted request."""
        allowed = _POST if number is None else SAFE_METHODS
        if scope["method"] not in allowed:
            raise HTTPException(405, headers={"Allow": ", ".join(allowed)})
        if_none_match: bytes | None = None
        is_foreign = is_authorised = False
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                if_none_match = value if if_none_match is None else if_none_match
            elif name == b"origin":
                is_foreign = True
            elif name == b"authorization":
                is_authorised = True
        if number is None:
            status, headers, body = await self._handler.handle_post(scope, receive)
        else:
            status, headers, body = await self._handler.handle_get(number, if_none_match)
        if is_authorised:  # no cache stores a response to a request with credentials
            headers = [_NEVER_STORED if header[0] == b"cache-control" else header for header in headers]
        headers += self._headers
        if is_foreign:
            headers += CORS_ALLOW_ANY
        headers.append((b"x-request-id", self._ids.next().encode()))
        return status, headers, body

    async def _refuse(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an error as the application's middleware does, CORS preflights included."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request({**scope, "app": self.app})
            if isinstance(error, HTTPException):
                response = problem_details.http_refusal(request, error)
            elif isinstance(error, MikError):
                response = problem_details.handle_app_error(request, error)
            else:
                raise error  # CommonResponseMiddleware logs it and answers 500
            await response(scope, receive, send)

        await CommonResponseMiddleware(allow_any_origin(answer), https=self._https, ids=self._ids)(scope, receive, send)


def _number_of(path: str) -> str | None:
    """The text after `/v1/verify/`; None on another path, and with a line break, which no route matches."""
    return path[len(VERIFY_NUMBER_PREFIX) :] if path.startswith(VERIFY_NUMBER_PREFIX) and "\n" not in path else None
