"""The front door: checks by number are answered here, before any route is looked for; all else goes on to the service.

To go on costs more than the whole check. So this door does itself what the house does around every answer: request id,
headers, CORS, and the answer where something fails. Both ways give the same answer; a test holds them side by side.
"""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import MikError
from app.verification.lane import Lane
from app.web import problems
from app.web.limits import BATCH_COUNTS, FILE_COUNTS, Limiter
from app.web.middleware import ANY_ORIGIN, Envelope, Header, PublicCors, RequestIds, every_answer
from app.web.turnstile import Turnstile

CHECKS = "/v1/verify"
_NUMBER = CHECKS + "/"
_COUNTS = {CHECKS + "/batch": BATCH_COUNTS, CHECKS + "/file": FILE_COUNTS}
_READS = frozenset({"GET", "HEAD"})


class Service(FastAPI):
    """The application with a door before it, once there is one."""

    door: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.door or super().__call__)(scope, receive, send)

    async def behind_the_door(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)


class Door:
    """`app` is what stands behind it; `base_url`: the address of the service; `https`: whether it is https."""

    def __init__(
        self, app: ASGIApp, lane: Lane, limiter: Limiter, ids: RequestIds, *, https: bool, base_url: str = ""
    ) -> None:
        self._app = app
        self._lane = lane
        self._limiter = limiter
        self._ids = ids
        self._base_url = base_url
        self._https = https
        self._turnstile = Turnstile()
        self._headers: list[Header] = [*every_answer(https=https), (b"vary", b"Origin")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["mik.base_url"] = self._base_url
        path = scope["path"]
        if not path.startswith(CHECKS):
            with self._turnstile.other():
                await self._app(scope, receive, send)
            return
        if self._turnstile.others:
            await self._turnstile.turn()
        client, method, answer = scope.get("client"), scope["method"], None
        try:
            if client and method != "OPTIONS":
                self._limiter.take(client[0], _COUNTS.get(path, 1))
            if method == "POST" and path == CHECKS:
                answer = await self._answer(None, scope, receive)
            # A path with a line break belongs to no route; it is refused where all such paths are.
            elif method in _READS and path.startswith(_NUMBER) and "\n" not in path:
                answer = await self._answer(path[len(_NUMBER) :], scope, receive)
        except Exception as error:  # noqa: BLE001 (nobody stands before this door: what nobody foresaw is answered too)
            await self._fail(error, scope, receive, send)
            return
        if answer is None:
            with self._turnstile.other():
                await self._app(scope, receive, send)
            return
        status, headers, body = answer
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})

    async def _answer(
        self, number: str | None, scope: Scope, receive: Receive
    ) -> tuple[int, list[Header], bytes] | None:
        """Status, headers and body for a number, or for what was posted; None where it must be made for somebody."""
        if_none_match: bytes | None = None
        is_foreign = False
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                if_none_match = value if if_none_match is None else if_none_match
            elif name == b"origin":
                is_foreign = True
            elif name == b"authorization":
                return None  # such an answer is never stored by a cache
        if number is None:
            status, headers, body = await self._lane.answer_posted(scope, receive)
        else:
            status, headers, body = await self._lane.answer(number, if_none_match)
        headers += self._headers
        if is_foreign:
            headers += ANY_ORIGIN
        headers.append((b"x-request-id", self._ids.next().encode()))
        return status, headers, body

    async def _fail(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if not isinstance(error, MikError):
                raise error  # for the envelope, which writes into the log what it was
            await problems.refusal(Request(scope), error)(scope, receive, send)

        await Envelope(PublicCors(answer), https=self._https, ids=self._ids)(scope, receive, send)
