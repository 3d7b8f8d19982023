"""Around every answer: a request id, the headers that keep browsers honest, CORS for what is public. Pure ASGI."""

import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web import problems

PUBLIC = re.compile(
    r"/v1/verify(/.*)?|/v1/(certificates|schemes|parks|status-lists|contexts|schemas)(/[^/]*)?"
    r"|/v1/schemes/[^/]*/rulesets|/v1/certificates\.(csv|jsonl)"
    r"|/v1/certificates/[^/]*/(badge\.svg|qr\.svg|qr\.png|label\.svg|certificate\.pdf|log-proof)"
    r"|/\.well-known/.*|/log/.*|/openapi\.json|/health/.*"
)
"""What anybody may read from any page. Nothing of it depends on who asks, and no cookie is ever looked at."""

API_CSP = "default-src 'none'; frame-ancestors 'none'"


class Envelope:
    """Adds request id and security headers; an answer that was made for somebody is never stored by a cache.

    HEAD is GET without the body, everywhere (RFC 9110 §9.3.2). What nobody foresaw is answered here, so that this
    answer has its headers as well.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        request_id = secrets.token_hex(8)
        scope = {**scope, "mik.request_id": request_id, "method": "GET" if is_head else scope["method"]}
        has_started = False
        authorised = any(name == b"authorization" for name, _ in scope["headers"])

        async def send_with_headers(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.body" and is_head:
                message = {**message, "body": b""}
            if message["type"] == "http.response.start":
                has_started = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "no-referrer")
                headers.setdefault("Content-Security-Policy", API_CSP)
                headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
                if self.https:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
                if authorised:
                    headers["Cache-Control"] = "private, no-store"
                else:
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            return  # hung up before the request was whole: nothing was done, and nobody listens
        except Exception as error:
            if has_started:
                raise  # the server cuts the connection: half an answer must not look like a whole one
            await problems.unforeseen(Request(scope), error)(scope, receive, send_with_headers)


class PublicCors:
    """Public addresses may be read from every web page; all others from none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.open = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["Content-Type", "If-None-Match"],
            expose_headers=["Link", "ETag", "X-Request-Id"],
            max_age=86_400,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        public = scope["type"] == "http" and PUBLIC.fullmatch(scope["path"])
        await (self.open if public else self.app)(scope, receive, send)
