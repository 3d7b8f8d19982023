"""Map errors to HTTP problem documents (RFC 9457) in one table, without internal detail.

Texts for people are in the language of `Accept-Language` (az, en, ru): a message and its values are translated when the
response is sent.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from app.core import errors, i18n
from app.core.database import is_disk_full
from app.core.messages import Message, localise, to_message
from app.web.headers import negotiate_language
from app.web.problems import problem_codes
from app.web.problems.partial_bodies import KEY_MARKER
from app.web.problems.validation_errors import message_for_error

log = logging.getLogger(__name__)

PROBLEM_MEDIA_TYPE = "application/problem+json"

STATUS_BY_ERROR: Mapping[type[errors.MikError], int] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.StaleVersion: 412,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.Invalid: 422,
    errors.VersionRequired: 428,
    errors.TooManyAttempts: 429,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
}

_HTTP_CODES = {
    400: "bad-request",
    401: "unauthenticated",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "too-large",
    415: "unsupported-media-type",
}


HTTP_DETAILS: Mapping[int, Message] = {
    400: Message("The body could not be read. Send it in the format that its Content-Type names."),
    404: Message("There is nothing at this address."),
    405: Message("This address does not take that method."),
    413: Message("The request is larger than this address takes."),
}
"""Messages for errors of the framework, instead of its own."""

LANGUAGES = ("en", "az", "ru")

TITLES: Mapping[int, Message] = {
    400: Message("Bad request"),
    401: Message("Not signed in"),
    403: Message("Not allowed"),
    404: Message("Not found"),
    405: Message("Method not allowed"),
    406: Message("Not acceptable"),
    409: Message("Conflict"),
    412: Message("Changed meanwhile"),
    413: Message("Too large"),
    415: Message("Unsupported media type"),
    422: Message("Not valid"),
    428: Message("Version required"),
    429: Message("Too many requests"),
    500: Message("Internal error"),
    503: Message("Service unavailable"),
    507: Message("Storage is full"),
}


class ProblemResponse(Response):
    """Encode a problem document when it is sent, because only then the reader's language is known."""

    def __init__(self, document: Mapping[str, Any], status: int, headers: Mapping[str, str]) -> None:
        super().__init__(status_code=status, headers=dict(headers), media_type=PROBLEM_MEDIA_TYPE)
        del self.headers["content-length"]
        self.document = document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accepted = Request(scope).headers.getlist("accept-language")
        language = negotiate_language(", ".join(accepted), LANGUAGES)
        document = localise(self.document, i18n.load_catalogue("problems", language))
        document["type"] = problem_codes.address(scope.get("mik.base_url", ""), document["code"])
        varies = [self.headers["vary"]] if "vary" in self.headers else []
        headers = {
            **self.headers,
            "content-language": language,
            "vary": ", ".join([*varies, "Accept-Language"]),
        }
        await JSONResponse(document, self.status_code, headers)(scope, receive, send)


def problem(
    status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
) -> ProblemResponse:
    """Return a problem response. Its `type` is the address of the page that explains the code."""
    return ProblemResponse(problem_document(status, code, detail, **members), status, headers or {})


def problem_document(status: int, code: str, detail: str, **members: Any) -> dict[str, Any]:
    """Return a problem document. `type` and `code` are stable; `title` and `detail` are for people."""
    document = {
        "type": problem_codes.address("", code),
        "title": TITLES.get(status, HTTPStatus(status).phrase),
        "status": status,
        "code": code,
        "detail": to_message(detail),
        **members,
    }
    if "errors" in members:
        document["errors"] = [_error_entry(each) for each in members["errors"]]
    return document


def _error_entry(fault: Mapping[str, Any]) -> dict[str, Any]:
    """Return one error: pointer, stable code, message, and the values of the message as data."""
    message = to_message(fault["detail"])
    return {**message.values, "code": message.code or "invalid", **fault, "detail": message}


def status_of(error: errors.MikError) -> int:
    """Return the status of an error; 500 for internal errors, whose message is not for clients."""
    return next((STATUS_BY_ERROR[kind] for kind in type(error).__mro__ if kind in STATUS_BY_ERROR), 500)


def register_exception_handlers(app: FastAPI) -> None:
    for language in LANGUAGES:  # load now: the first error response must not read files in the event loop
        i18n.load_catalogue("problems", language)
    app.add_exception_handler(errors.MikError, handle_app_error)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(HTTPException, http_refusal)
    app.add_exception_handler(IntegrityError, _handle_integrity_error)
    app.add_exception_handler(OperationalError, _handle_database_unavailable)
    app.add_exception_handler(PoolTimeout, _handle_database_unavailable)


def handle_app_error(request: Request, error: Exception) -> Response:
    """Answer an application error; also used by the fast path, which has no exception handlers."""
    assert isinstance(error, errors.MikError)
    if status_of(error) == 500:
        return handle_unexpected(request, error)
    headers = {}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.InsufficientScope):
        headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{error.data["scope"]}"'  # RFC 6750
    if isinstance(error, errors.TooManyAttempts | errors.InProgress):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.Unavailable):
        headers["Retry-After"] = "5"
    if isinstance(error, errors.StorageFull):
        headers["Retry-After"] = "300"
    return problem(status_of(error), error.refusal_code, error.message, headers=headers, **error.data)


def _handle_validation_error(_request: Request, error: Exception) -> Response:
    """List each invalid location. The input is not echoed: it may be a secret, or unprintable."""
    assert isinstance(error, RequestValidationError)
    found = list_validation_errors(error)
    return problem(
        422, "invalid", errors.validation_failed_message(len(found)), errors=found[: errors.MAX_LISTED_ERRORS]
    )


def list_validation_errors(error: RequestValidationError) -> list[dict[str, str]]:
    return [{"pointer": pointer_of(each["loc"]), "detail": message_for_error(each)} for each in error.errors()]


def pointer_of(loc: Sequence[str | int]) -> str:
    """Return `/name/en` for a member of the body, `query:limit` or `header:If-Match` for other locations."""
    where, *path = (part for part in loc if part != KEY_MARKER)
    if where == "body":
        # a JSON pointer in a response must not contain unpaired surrogates
        return (
            "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
            .encode(errors="replace")
            .decode()
        )
    return f"{where}:{'.'.join(map(str, path))}"


def http_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, "error")
    detail = HTTP_DETAILS.get(error.status_code, error.detail)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = _allowed_methods(request, headers.get("Allow", ""))
    return problem(error.status_code, code, detail, headers=headers)


def _allowed_methods(request: Request, by_one_route: str) -> str:
    """Return every method of the address (RFC 9110 §10.2.1); the router names those of the first matching route."""
    methods = {method.strip() for method in by_one_route.split(",") if method.strip()}
    for template, operations in request.app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), request.url.path):
            methods |= {method.upper() for method in operations}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


def _handle_integrity_error(_request: Request, error: Exception) -> Response:
    """Answer a uniqueness violation of two concurrent requests. Nothing of the second one was stored."""
    log.info("uniqueness constraint violated: %s", getattr(error, "orig", error).__class__.__name__)
    return problem(
        409, "conflict", "Another request changed the same data at the same time. Read it again, then decide."
    )


def _handle_database_unavailable(request: Request, error: Exception) -> Response:
    if isinstance(error, OperationalError) and is_disk_full(error):
        log.error("the disk of the database is full")
        return handle_app_error(request, errors.StorageFull())
    log.warning("database busy or unavailable: %s", getattr(error, "orig", error))
    detail = Message("The database is busy or unavailable. Nothing was changed; try again.")
    return problem(503, "unavailable", detail, headers={"Retry-After": "2"})


def handle_unexpected(request: Request, error: Exception) -> Response:
    """Answer an unexpected error: details go to the log, the client gets a reference to them."""
    reference = request.scope.get("mik.request_id", "-")
    log.error("unexpected error in %s %s [%s]", request.method, request.url.path, reference, exc_info=error)
    detail = Message(
        "Something went wrong on our side; nothing was changed. Reference: %(reference)s.", reference=reference
    )
    return problem(500, "internal", detail, reference=reference)
