"""Serve the sandbox below `/sandbox`, beside the service: it is passed requests as if it had an origin of its own.

Its own addresses in headers and pages get the prefix again here. Absolute ones have it: they begin with its base
address.
"""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.sandbox.installation import PATH

_PREFIX = PATH.encode()
_HEADERS: Final = frozenset({b"location", b"content-location"})
_LINK_TARGET = re.compile(rb"<(?=/(?!/))")
_ATTRIBUTE = re.compile(rb'(\s(?:href|src|action|formaction|data-[a-z-]+)=")(?=/(?!/))')
_AWAITED: Final = ("/submit", "/respond")
_DID_DOCUMENT: Final = "/did.json"  # of a did:web with a path
_WELL_KNOWN_DID: Final = "/.well-known/did.json"


class SandboxMount:
    """Dispatch requests to the service (`app`) or to its sandbox, and start and stop both together.

    `changed`: called after each request to the sandbox on which robots act.
    """

    def __init__(
        self,
        app: ASGIApp,
        sandbox: ASGIApp,
        lifespan: Callable[[], AbstractAsyncContextManager[object]],
        changed: Callable[[], None],
    ) -> None:
        self.app, self.sandbox = app, sandbox
        self._lifespan, self._changed = lifespan, changed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            async with self._lifespan():
                await self.app(scope, receive, send)
            return
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path == PATH or path.startswith(PATH + "/")):
            await self.app(scope, receive, send)
            return
        await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"][len(PATH) :] or "/"
        raw = scope.get("raw_path") or scope["path"].encode()
        inner = {
            **scope,
            "path": _WELL_KNOWN_DID if path == _DID_DOCUMENT else path,
            "raw_path": raw[len(PATH) :] or b"/",
        }
        start: Message | None = None
        is_awaited = False
        parts: list[bytes] = []

        async def send_prefixed(message: Message) -> None:
            nonlocal start, is_awaited
            if message["type"] == "http.response.start":
                headers = [_prefixed(name, value) for name, value in message["headers"]]
                message = {**message, "headers": headers}
                if _is_page(headers):
                    start = message
                    return
                is_awaited = scope["method"] == "POST" and path.endswith(_AWAITED) and message["status"] < 400
            elif start is not None:
                parts.append(message.get("body", b""))
                if message.get("more_body"):
                    return
                body = add_prefix(b"".join(parts))
                kept = [each for each in start["headers"] if each[0] != b"content-length"]
                length = (b"content-length", str(len(body)).encode())
                await send({**start, "headers": [*kept, length] if scope["method"] != "HEAD" else kept})
                message = {**message, "body": body}
            await send(message)

        await self.sandbox(inner, receive, send_prefixed)
        if is_awaited:
            await run_in_threadpool(self._changed)


def add_prefix(page: bytes) -> bytes:
    """Add the prefix to the addresses of a page that begin with a slash."""
    return _ATTRIBUTE.sub(rb"\1" + _PREFIX, page)


def _prefixed(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    if name in _HEADERS and value.startswith(b"/") and not value.startswith(b"//"):
        return name, _PREFIX + value
    return name, _LINK_TARGET.sub(b"<" + _PREFIX, value) if name == b"link" else value


def _is_page(headers: list[tuple[bytes, bytes]]) -> bool:
    sent = dict(headers)
    return sent.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in sent
