"""A token as mail programs hand it on: wrapped, quoted, behind a file name. What is no whole token is told apart from
what is one and wrong. Pure.
"""

import base64
import binascii
import json
import re
from functools import lru_cache
from typing import Final

_SIGNATURE_CHARS: Final = 86  # of 64 bytes
_TAIL: Final = 300  # within which the name of a file stands at the end
_MEMBERS: Final = frozenset({"alg", "typ", "kid"})

_PARTS: Final = re.compile(rf"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{{{_SIGNATURE_CHARS}}}")
# White space and what Unicode adds to it without a width; quotation marks; marks of quoted lines; "=" before the end of
# a line, which quoted-printable text has there (RFC 2045 §6.7).
_AROUND: Final = re.compile(
    "=\r?\n|[\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\"'`´‘’‚‛“”„‟«»‹›＂＇<>＜＞|]+"
)
_NAME: Final = r"[^\r\n]{1,255}?\.(?:jwt|jws|vc|txt|json)"
_NAME_BEFORE: Final = re.compile(rf"{_NAME}[^\w.-]+(?=ey)", re.IGNORECASE)
_NAME_AFTER: Final = re.compile(r"\s[^\s.]{1,255}\.(?:jwt|jws|vc|txt|json)[^\w.-]*\Z", re.IGNORECASE)


def whole(text: str) -> str | None:
    """The token in a text, without what stands around and within it by mail; None where it is not a whole one.

    Whole is what has three parts of base64url, the first a JSON object with `alg`, `typ` and `kid`, the last 64 bytes.
    Nothing else is looked at: whether it is right is another question.
    """
    if _PARTS.fullmatch(text) is None:
        text = text.strip("\ufeff \t\r\n>\"'“”„«»")
        if before := _NAME_BEFORE.match(text):
            text = text[before.end() :]
        if after := _NAME_AFTER.search(text, max(0, len(text) - _TAIL)):
            text = text[: after.start()]
        text = _AROUND.sub("", text)
    match = _PARTS.fullmatch(text)
    return text if match and _is_header(match[1]) else None


@lru_cache(64)  # we issue under few headers
def _is_header(segment: str) -> bool:
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        header = json.loads(raw.decode(), parse_int=str, parse_float=str)
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and header.keys() >= _MEMBERS
