"""Errors that the client raises: what the service refuses, and what never reached it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2 as httpx


class MikClientError(Exception):
    """Base of every error of this package."""


class ConnectionFailed(MikClientError):
    """No answer came, after all repetitions. What was asked may have been done: repeat it with the same key."""


class UnexpectedAnswer(MikClientError):
    """Something answered that is not this service, such as a proxy with a page of its own."""

    def __init__(self, status: int, content_type: str, excerpt: str) -> None:
        super().__init__(f"HTTP {status} with {content_type or 'no content type'}, which is no answer of the service.")
        self.status, self.content_type, self.excerpt = status, content_type, excerpt


class SignInAgain(MikClientError):
    """The session has ended, and there is no password or secret to begin another one."""


class ApiError(MikClientError):
    """The service refused. `code` is stable: look at it and at nothing else.

    `detail` is for people. `errors` names each invalid place (`pointer`, `code`, `detail`), `criteria` each rule of the
    mark that is not met (`rule`, `reason`, …). `document` is the whole problem document.
    """

    def __init__(self, answer: httpx.Response, document: Mapping[str, Any], now: datetime) -> None:
        self.status = answer.status_code
        self.document = document
        self.code = str(document.get("code") or document.get("error") or f"http-{answer.status_code}")
        self.title = str(document.get("title") or answer.reason_phrase)
        self.detail = str(document.get("detail") or document.get("error_description") or self.title)
        self.errors = _objects(document.get("errors"))
        self.criteria = _objects(document.get("findings"))
        self.retry_after = retry_after(answer, now)
        self.request_id = answer.headers.get("x-request-id")
        places = "".join(f"\n  {each.get('pointer')}: {each.get('detail')}" for each in self.errors)
        super().__init__(f"{self.detail} ({self.status} {self.code}){places}")


class NotSignedIn(ApiError):
    """The access token or the sign-in is not accepted."""


class NotAllowed(ApiError):
    """Known, but not for this role, scope or person."""


class NotFound(ApiError):
    """There is no such thing, or it is another company's."""


class Conflict(ApiError):
    """The request does not fit the present state; `code` says why."""


class ChangedMeanwhile(ApiError):
    """Somebody changed the resource since the version that you named: read it again, then decide."""


class TooLarge(ApiError):
    """The request is larger than this address takes."""


class NotValid(ApiError):
    """The content is not valid; `errors` names each place."""


class TooManyRequests(ApiError):
    """Too many requests or failed attempts; `retry_after` says how many seconds to wait."""


class Unavailable(ApiError):
    """The service is busy or paused, after all repetitions."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: NotSignedIn,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    412: ChangedMeanwhile,
    413: TooLarge,
    422: NotValid,
    429: TooManyRequests,
    503: Unavailable,
}


def error_of(answer: httpx.Response, now: datetime) -> ApiError | UnexpectedAnswer:
    """Return the error of a response that is no success, whose content was read."""
    content_type = answer.headers.get("content-type", "")
    try:
        document = answer.json() if "json" in content_type else None
    except ValueError:
        document = None
    if not isinstance(document, dict) or not {"code", "error", "detail"} & document.keys():
        return UnexpectedAnswer(answer.status_code, content_type, answer.text[:200])
    return _BY_STATUS.get(answer.status_code, ApiError)(answer, document, now)


def retry_after(answer: httpx.Response, now: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks to wait; None without one, or for what is no moment or number."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal() and text.isascii() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _objects(value: object) -> tuple[Mapping[str, Any], ...]:
    return tuple(each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()
