"""Header fields of requests: what the client has already (RFC 9110 §13), wants (§12.5) and presents (RFC 7617)."""

import base64
import binascii
import hashlib
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
"""`Cache-Control` of what seldom changes."""
_MAX_LANGUAGE_RANGES: Final = 32


def strong_etag(body: bytes) -> str:
    """The tag of exactly these bytes, quotes included."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def etag_matches(if_none_match: str | None, tag: str) -> bool:
    """Whether the client has this representation: weak comparison with any of a list, or `*`."""
    if if_none_match is None:
        return False
    ours = {tag.removeprefix("W/"), "*"}
    return any(each.strip().removeprefix("W/") in ours for each in if_none_match.split(","))


def not_modified(request: Request, headers: Mapping[str, str]) -> Response | None:
    """The answer 304 where the client has the representation that the `ETag` of these headers names, else None."""
    if etag_matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return None


def conditional_response(request: Request, body: bytes, headers: Mapping[str, str], media_type: str) -> Response:
    """These bytes, or 304 where the client has them. The tag is that of the bytes where the headers name none."""
    headers = headers if "ETag" in headers else {"ETag": strong_etag(body), **headers}
    return not_modified(request, headers) or Response(body, headers=headers, media_type=media_type)


def negotiate_media_type(accept: str | None, offered: Sequence[str]) -> str:
    """The offered media type that is wanted most; the first one where nothing is said. 406 where none is acceptable.

    The most specific range decides about a type.
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
    """The offered language that is wanted most, else English.

    By the primary subtag alone: `zh-Hant-TW` reads our Chinese.
    """
    best, most = i18n.DEFAULT_LANGUAGE, 0.0
    for tag, weight in _weighted(accept_language, _MAX_LANGUAGE_RANGES):
        language = i18n.DEFAULT_LANGUAGE if tag == "*" else tag.partition("-")[0]
        if language in offered and most < weight <= 1:
            best, most = language, weight
    return best


def _weighted(value: str, max_parts: int | None = None) -> Iterator[tuple[str, float]]:
    """What a header lists, in small letters, with its `q`: 1 where none is given, 0 where it is no number."""
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
    """Id and secret of an API client from `Authorization: Basic`, each form-urlencoded before they were joined
    (RFC 6749 §2.3.1); None for another scheme or no header.

    Raises ValueError, in words for the developer of the client, where the header cannot be read.
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
