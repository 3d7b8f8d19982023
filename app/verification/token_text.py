"""Extract a token from text that mail programs wrapped, quoted or put a file name to. Pure.

Text that is not a whole token is distinguished from a whole token that is wrong.
"""

import base64
import binascii
import json
import re
from functools import lru_cache
from typing import Final

_SIGNATURE_CHARS: Final = 86  # of 64 bytes
_MAX_TAIL_CHARS: Final = 300  # the name of a file at the end is within these
_HEADER_MEMBERS: Final = frozenset({"alg", "typ", "kid"})

_TOKEN_PATTERN: Final = re.compile(rf"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{{{_SIGNATURE_CHARS}}}")
# White space and Unicode characters without a width; quotation marks; marks of quoted lines; "=" before the end of a
# line, as in quoted-printable text (RFC 2045 §6.7).
_IGNORED_PATTERN: Final = re.compile(
    "=\r?\n|[\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\"'`´‘’‚‛“”„‟«»‹›＂＇<>＜＞|]+"
)
_FILE_NAME: Final = r"[^\r\n]{1,255}?\.(?:jwt|jws|vc|txt|json)"
_FILE_NAME_BEFORE: Final = re.compile(rf"{_FILE_NAME}[^\w.-]+(?=ey)", re.IGNORECASE)
_FILE_NAME_AFTER: Final = re.compile(r"\s[^\s.]{1,255}\.(?:jwt|jws|vc|txt|json)[^\w.-]*\Z", re.IGNORECASE)


def extract_token(text: str) -> str | None:
    """Return the token in a text without additions of mail programs; None if it is not whole.

    A whole token has three base64url parts: the first a JSON object with `alg`, `typ` and `kid`, the last 64 bytes.
    Nothing else is examined; verification follows.
    """
    if _TOKEN_PATTERN.fullmatch(text) is None:
        text = text.strip("\ufeff \t\r\n>\"'“”„«»")
        if before := _FILE_NAME_BEFORE.match(text):
            text = text[before.end() :]
        if after := _FILE_NAME_AFTER.search(text, max(0, len(text) - _MAX_TAIL_CHARS)):
            text = text[: after.start()]
        text = _IGNORED_PATTERN.sub("", text)
    match = _TOKEN_PATTERN.fullmatch(text)
    return text if match and _is_header(match[1]) else None


@lru_cache(64)  # tokens are issued under few headers
def _is_header(segment: str) -> bool:
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        header = json.loads(raw.decode(), parse_int=str, parse_float=str)
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and header.keys() >= _HEADER_MEMBERS
