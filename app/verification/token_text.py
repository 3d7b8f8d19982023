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
_MAX_TAIL_CHARS: Final = 300  # within which the name of a file stands at the end
_HEADER_MEMBERS: Final = frozenset({"alg", "typ", "kid"})

_TOKEN_PATTERN: Final = re.compile(rf"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{{{_SIGNATURE_CHARS}}}")
# White space and what Unicode adds to it without a width; quotation marks; marks of quoted lines; "=" before the end of
# a line, which quoted-printable text has there (RFC 2045 §6.7).
_IGNORED_PATTERN: Final = re.compile(
    "=\r?\n|[\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\"'`´‘’‚‛“”„‟«»‹›＂＇<>＜＞|]+"
)
_FILE_NAME: Final = r"[^\r\n]{1,255}?\.(?:jwt|jws|vc|txt|json)"
_FILE_NAME_BEFORE: Final = re.compile(rf"{_FILE_NAME}[^\w.-]+(?=ey)", re.IGNORECASE)
_FILE_NAME_AFTER: Final = re.compile(r"\s[^\s.]{1,255}\.(?:jwt|jws|vc|txt|json)[^\w.-]*\Z", re.IGNORECASE)


def extract_token(text: str) -> str | None:
    """The token in a text, without what stands around and within it by mail; None where it is not a whole one.

    Whole is what has three parts of base64url, the first a JSON object with `alg`, `typ` and `kid`, the last 64 bytes.
    Nothing else is looked at: whether it is right is another question.
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


@lru_cache(64)  # we issue under few headers
def _is_header(segment: str) -> bool:
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        header = json.loads(raw.decode(), parse_int=str, parse_float=str)
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and header.keys() >= _HEADER_MEMBERS
