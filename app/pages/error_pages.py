"""Show errors as pages to clients that prefer HTML; all others, and the API, get problem documents.

A response of type `application/problem+json` outside the API addresses becomes a page with the same status and the
request id under which the error is logged.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.pages.i18n import _
from app.pages.rendering import SERVICES, PageServices, render
from app.web.headers import negotiate_media_type
from app.web.problems.problem_details import PROBLEM_MEDIA_TYPE

API_PATHS = re.compile(r"/(v1|log|\.well-known|health|docs|static)(/.*)?|/openapi\.json", re.DOTALL)
"""Addresses whose errors stay problem documents."""
_PRESERVED_HEADERS = frozenset(
    {"allow", "retry-after", "www-authenticate", "x-request-id", "x-content-type-options", "strict-transport-security"}
)


@dataclass(frozen=True, slots=True)
class ErrorText:
    title: str
    advice: str


ERROR_TEXTS: Mapping[int, ErrorText] = {
    403: ErrorText(_("You do not have access to this page"), _("You are signed in, but this page is for other users.")),
    404: ErrorText(
        _("Page not found"),
        _("The address may be mistyped or out of date. Certificates are found by their number."),
    ),
    405: ErrorText(
        _("This is not possible here"), _("The page was opened in a way it does not support. Open it again.")
    ),
    413: ErrorText(_("The request is too large"), _("You sent more than this page accepts. Send less and try again.")),
    415: ErrorText(
        _("This is not possible here"), _("The page was opened in a way it does not support. Open it again.")
    ),
    422: ErrorText(_("There is a problem with the request"), _("Go back, check what you entered and try again.")),
    429: ErrorText(_("Too many attempts"), _("Wait a moment, then try again.")),
    500: ErrorText(
        _("Something went wrong on our side"),
        _("Nothing was changed. Try again later; if it happens again, tell us the reference number."),
    ),
    503: ErrorText(_("The service is busy"), _("Nothing was changed. Try again in a moment.")),
}


class ErrorPageMiddleware:
    """Replace problem documents by pages, and pass `services` to every page. Wraps everything that can raise."""

    def __init__(self, app: ASGIApp, services: PageServices) -> None:
        self.app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = {**scope, SERVICES: self._services}
        if API_PATHS.fullmatch(scope["path"]) or not _wants_page(scope):
            await self.app(scope, receive, send)
            return
        replaced = False

        async def send_as_page(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message["headers"]))
                replaced = headers.get("content-type", "").startswith(PROBLEM_MEDIA_TYPE)
                if replaced:
                    await _error_page(Request(scope), message["status"], headers)(scope, receive, send)
                    return
            if not replaced:
                await send(message)

        await self.app(scope, receive, send_as_page)


def _wants_page(scope: Scope) -> bool:
    try:
        return (
            negotiate_media_type(Request(scope).headers.get("accept"), (PROBLEM_MEDIA_TYPE, "text/html")) == "text/html"
        )
    except HTTPException:
        return False


def _error_page(request: Request, status: int, headers: MutableHeaders) -> ASGIApp:
    preserved = {name: value for name, value in headers.items() if name in _PRESERVED_HEADERS}
    page = render(
        request,
        "fault.html",
        status=status,
        headers=preserved | {"Cache-Control": "no-store"},
        fault=ERROR_TEXTS.get(status, ERROR_TEXTS[500 if status >= 500 else 422]),
        reference=headers.get("x-request-id", ""),
    )
    if request.method == "HEAD":
        page.body = b""
    return page
