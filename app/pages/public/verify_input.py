"""Parse the text of the verification field: a number, an address, a whole certificate, or search words. Pure.

Of an address, the number, the QR token and a foreign host are extracted: a document whose code leads to another host is
probably forged, whatever its number.
"""

import re
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote

from app.certificates import certificate_number
from app.certificates.certificate_number import to_western_digits

_VERIFY_URL = re.compile(r"/v/([^/?#]+)[^#]*(?:#(.*))?", re.DOTALL)
# As browsers parse it: any number of slashes or backslashes; text before @ is not the host.
_AUTHORITY = re.compile(r"\b(?:https?|ftp|wss?):[/\\]*([^\s/?#\\]+)|(?<![\w:/])[/\\]{2}([^\s/?#\\]+)", re.IGNORECASE)
_WITHOUT_SCHEME = re.compile(r"([^\s/?#\\]+\.[^\s/?#\\]+|localhost(?::\d+)?)[/\\]", re.IGNORECASE)
_NUMBER_IN_TEXT = re.compile(r"[A-Za-z]{3,8}-\d{4}-\d{6,18}-[0-9A-Za-z](?![0-9A-Za-z])")
_MAX_HOST_CHARS = 100
_MAX_REPORTED_CHARS = 2_000
_QR_TOKEN = re.compile(r"ey[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,2}")  # also a truncated one, which the page reports
_TOKEN_PATTERN = re.compile(r"\s*ey[^.]{10,}\.[^.]+\.[^.]+", re.DOTALL)
_MAX_QR_TOKEN_CHARS = 1_000
_MAX_ADDRESS_CHARS = 4_000
_MAX_WORDS_CHARS: Final = 200  # limit of the register search
_NOT_IN_NAMES = re.compile(r"[<>{}\[\]=;%\\^$@#|~*/\x00-\x1f\u202a-\u202e\u2066-\u2069]")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_NUMBER_LIKE = re.compile(r"[A-Z]{1,9}[0-9O]{4}[0-9A-Z]*")
_TOKEN_LIKE = re.compile(r"\S+\.\S+\.\S+")


@dataclass(frozen=True, slots=True)
class VerifyInput:
    """The parsed input. `text` is a canonical number, a token, search words, or a mistyped text, by `kind`.

    `qr_token` is empty without one; `host` is empty unless an address of another host was given.
    """

    kind: Literal["number", "token", "words", "mistyped"]
    text: str
    qr_token: str = ""
    host: str = ""
    address: str = field(default="", compare=False)  # the text with the foreign host, for a report


def parse_input(text: str, own_hosts: Container[str] | None = None) -> VerifyInput:
    """Parse any text from an input field or a scanner. Without `own_hosts` every host counts as own."""
    text = text.strip()
    if own_hosts is not None and (host := host_of(text)) and host not in own_hosts:
        return _foreign_input(text, host)
    stamp, is_address = "", False
    if len(text) <= _MAX_ADDRESS_CHARS and (address := _VERIFY_URL.search(text)):
        text, stamp, is_address = unquote(address[1]), address[2] or "", True
    elif _TOKEN_PATTERN.match(text):
        return VerifyInput("token", text)
    number = certificate_number.parse_number(text)
    if number is None:
        return (
            VerifyInput("words", to_western_digits(text))
            if not is_address and _is_search_text(text)
            else VerifyInput("mistyped", text)
        )
    is_stamp = len(stamp) <= _MAX_QR_TOKEN_CHARS and _QR_TOKEN.fullmatch(stamp)
    return VerifyInput("number", str(number), stamp if is_stamp else "")


def host_of(text: str) -> str:
    """Return the host of the first address in a text, as a browser resolves it; empty if there is none."""
    found = _AUTHORITY.search(text[:_MAX_ADDRESS_CHARS]) or _WITHOUT_SCHEME.match(text[:_MAX_ADDRESS_CHARS])
    if found is None:
        return ""
    authority = next(filter(None, found.groups()), "")
    host = unquote(authority).rpartition("@")[2]
    host = (host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]).rstrip(".").lower()
    try:  # punycode makes look-alike letters visible
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _foreign_input(text: str, host: str) -> VerifyInput:
    """Return the input of a foreign address, with the certificate number from anywhere in it, if any."""
    address = _VERIFY_URL.search(text[:_MAX_ADDRESS_CHARS])
    in_text = _NUMBER_IN_TEXT.search(unquote(text[:_MAX_ADDRESS_CHARS]))
    for candidate in (unquote(address[1]) if address else "", in_text[0] if in_text else ""):
        if number := certificate_number.parse_number(candidate):
            return VerifyInput("number", str(number), host=host[:_MAX_HOST_CHARS], address=text[:_MAX_REPORTED_CHARS])
    return VerifyInput("mistyped", text, host=host[:_MAX_HOST_CHARS], address=text[:_MAX_REPORTED_CHARS])


def _is_search_text(text: str) -> bool:
    """Return whether the register can search for the text: a name or a GTIN, not a mistyped number."""
    if len(text) > _MAX_WORDS_CHARS:
        return False
    joined = "".join(to_western_digits(text).upper().split()).replace("-", "")
    if joined.isdecimal():
        return is_gtin(joined)
    like_another = _NUMBER_LIKE.fullmatch(joined.rstrip(".,/")) or _TOKEN_LIKE.fullmatch(text)
    return _LETTERS.search(text) is not None and not _NOT_IN_NAMES.search(text) and not like_another


def is_gtin(digits: str) -> bool:
    """Return whether the text is a GTIN: 8, 12, 13 or 14 digits with a valid GS1 check digit."""
    if len(digits) not in {8, 12, 13, 14} or not digits.isascii():
        return False
    return sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(digits.zfill(14))) % 10 == 0
