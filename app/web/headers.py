"""Parse and build header fields: conditional requests (RFC 9110 §13), negotiation (§12.5), Basic (RFC 7617)."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote_plus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.core import i18n
from app.core.messages import Message

BASIC_CHALLENGE: Final = 'Basic realm="API clients", charset="UTF-8"'
CACHE_ONE_HOUR: Final = "public, max-age=3600, stale-if-error=86400"
"""`Cache-Control` of responses that seldom change."""
PRIVATE_REVALIDATED: Final = "private, no-cache"
"""`Cache-Control` of what one client may store and must revalidate each time."""
_MAX_LANGUAGE_RANGES: Final = 32


def strong_etag(body: bytes) -> str:
    """Return the strong entity tag of the bytes, quotes included."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def etag_matches(if_none_match: str | None, tag: str) -> bool:
    """Return whether `If-None-Match` contains the tag, by weak comparison, or is `*`."""
    if if_none_match is None:
        return False
    accepted = {tag.removeprefix("W/"), "*"}
    return any(candidate.strip().removeprefix("W/") in accepted for candidate in if_none_match.split(","))


def revalidated(request: Request, response: Response) -> Response:
    """Let a client revalidate a resource that has a version; returns 304 while the client has this content.

    The tag of a version is extended by a hash of the content, because deadlines and allowed actions change without it;
    `If-Match` reads the version alone.
    """
    tag = response.headers.get("etag")
    if response.status_code != 200 or tag is None or not re.fullmatch(r'"\d{1,9}"', tag):
        return response
    tag = f'{tag[:-1]}-{hashlib.sha256(response.body).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": PRIVATE_REVALIDATED}
    response.headers.update(headers)
    return not_modified(request, headers) or response


def not_modified(request: Request, headers: Mapping[str, str]) -> Response | None:
    """Return a 304 response when the request has the `ETag` of the headers, else None."""
    if etag_matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return None


def conditional_response(request: Request, body: bytes, headers: Mapping[str, str], media_type: str) -> Response:
    """Return the body, or 304 when the client has it. Without an `ETag` in the headers, the body's is computed."""
    headers = headers if "ETag" in headers else {"ETag": strong_etag(body), **headers}
    return not_modified(request, headers) or Response(body, headers=headers, media_type=media_type)


def negotiate_media_type(accept: str | None, offered: Sequence[str]) -> str:
    """Return the offered media type that `Accept` prefers; the first one without a preference.

    The most specific range decides about a type. Raises 406 where none is acceptable.
    """
    if accept is None or not accept.strip():
        return offered[0]
    weights: dict[str, float] = {}
    for media_range, weight in _weighted(accept):
        weights.setdefault(media_range, min(weight, 1.0))
    chosen, most = None, 0.0
    for media_type in offered:
        ranges = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
        weight = next((weights[each] for each in ranges if each in weights), 0.0)
        if weight > most:
            chosen, most = media_type, weight
    if chosen is None:
        detail = Message("Offered are: %(allowed)s.", allowed=list(offered))
        raise HTTPException(406, detail, headers={"Vary": "Accept"})
    return chosen


def negotiate_language(accept_language: str, offered: Sequence[str] = i18n.LANGUAGES) -> str:
    """Return the offered language that `Accept-Language` prefers, else English.

    Only the primary subtag counts: `zh-Hant-TW` gets Chinese.
    """
    best, most = i18n.DEFAULT_LANGUAGE, 0.0
    for tag, weight in _weighted(accept_language, _MAX_LANGUAGE_RANGES):
        language = i18n.DEFAULT_LANGUAGE if tag == "*" else tag.partition("-")[0]
        if language in offered and most < weight <= 1:
            best, most = language, weight
    return best


def _weighted(value: str, max_parts: int | None = None) -> Iterator[tuple[str, float]]:
    """Yield the values of a header in lower case with their `q`: 1 when absent, 0 when it is not a number."""
    for part in value.split(",")[:max_parts]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        pairs = (parameter.partition("=") for parameter in parameters)
        weight = next((number for key, _, number in pairs if key.strip() == "q"), "1")
        try:
            yield name, float(weight)
        except ValueError:
            yield name, 0.0


class ClientCredentials(NamedTuple):
    client_id: str
    secret: str


def parse_basic(authorization: str | None) -> ClientCredentials | None:
    """Return id and secret of `Authorization: Basic`, form-urlencoded before joining (RFC 6749 §2.3.1).

    None for another scheme or no header. Raises `ValueError` with a message for the client's developer when the header
    cannot be read.
    """
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
        client_id, colon, secret = text.partition(":")
        read = ClientCredentials(unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict"))
    except (binascii.Error, UnicodeError) as why:
        raise ValueError("The Authorization header is no Basic authentication by RFC 7617.") from why
    if not (colon and read.client_id.isprintable() and read.client_id and read.secret):
        raise ValueError("Basic authentication names the client's id and its secret, joined by a colon.")
    return read
