"""The fast path: answer `/v1/verify` before any route is looked for; all other requests go to the FastAPI application.

Routing costs more than a whole verification. Therefore the fast path does itself what middleware does around other
answers: request id, headers, CORS, refusals. It is the outermost ASGI application and the only way to a verification.
"""

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.core.errors import MikError
from app.verification.handler import Lane
from app.web.limits.fair_scheduler import Turnstile
from app.web.limits.rate_limit import BATCH_COUNTS, FILE_COUNTS, Limiter
from app.web.middleware import ANY_ORIGIN, Envelope, Header, RequestIds, allow_any_origin, every_answer
from app.web.problems import problem_details

VERIFY = "/v1/verify"
_NUMBER = VERIFY + "/"
_COUNTS = {VERIFY + "/batch": BATCH_COUNTS, VERIFY + "/file": FILE_COUNTS}
"""Routes of the application below `/v1/verify`, and how many verifications a request counts for."""
_READS, _POST = ("GET", "HEAD"), ("POST",)
_NEVER_STORED: Header = (b"cache-control", b"private, no-store")


class Door:
    """`app` answers all other requests; `base_url` is the address by which clients reach the service."""

    def __init__(self, app: FastAPI, lane: Lane, limiter: Limiter, ids: RequestIds, *, base_url: str) -> None:
        self.app = app
        self._lane = lane
        self._limiter = limiter
        self._ids = ids
        self._base_url = base_url
        self._https = base_url.startswith("https://")
        self._turnstile = Turnstile()
        self._headers: list[Header] = [*every_answer(https=self._https), (b"vary", b"Origin")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["mik.base_url"] = self._base_url
        path, method = scope["path"].removesuffix("\n"), scope["method"]  # as routes do, which match such a path too
        if not path.startswith(VERIFY):
            with self._turnstile.other():
                await self.app(scope, receive, send)
            return
        if self._turnstile.others:
            await self._turnstile.turn()
        try:
            client = scope.get("client")
            if client and method != "OPTIONS":
                self._limiter.take(client[0], _COUNTS.get(path, 1))
            number = _number_of(path)
            if (number is None and path != VERIFY) or (method == "POST" and path in _COUNTS):
                answer = None
            else:
                answer = await self._answer(number, scope, receive)
        except Exception as error:  # noqa: BLE001 (no middleware is around the fast path: it answers every error itself)
            await self._refuse(error, scope, receive, send)
            return
        if answer is None:
            with self._turnstile.other():
                await self.app(scope, receive, send)
            return
        status, headers, body = answer
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})

    async def _answer(self, number: str | None, scope: Scope, receive: Receive) -> tuple[int, list[Header], bytes]:
        """Return status, headers and body for a number, or without one for the posted question."""
        allowed = _POST if number is None else _READS
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
            status, headers, body = await self._lane.answer_posted(scope, receive)
        else:
            status, headers, body = await self._lane.answer(number, if_none_match)
        if is_authorised:  # no cache stores an answer to a request with credentials
            headers = [_NEVER_STORED if header[0] == b"cache-control" else header for header in headers]
        headers += self._headers
        if is_foreign:
            headers += ANY_ORIGIN
        headers.append((b"x-request-id", self._ids.next().encode()))
        return status, headers, body

    async def _refuse(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an error as the middleware of the application does; a CORS preflight is answered on the way."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request({**scope, "app": self.app})
            if isinstance(error, HTTPException):
                response = problem_details.http_refusal(request, error)
            elif isinstance(error, MikError):
                response = problem_details.refusal(request, error)
            else:
                raise error  # the envelope logs it and answers 500
            await response(scope, receive, send)

        await Envelope(allow_any_origin(answer), https=self._https, ids=self._ids)(scope, receive, send)


def _number_of(path: str) -> str | None:
    """The text after `/v1/verify/`; None on another path, and with a line break, which no route matches."""
    return path[len(_NUMBER) :] if path.startswith(_NUMBER) and "\n" not in path else None
