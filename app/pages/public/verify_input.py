"""What somebody put into the box: a number, an address copied from a label or a QR code, a whole certificate, or words
to search for. Pure.

Of an address number and stamp are taken, and its host where it is not one of ours: a paper whose code leads elsewhere
is probably forged, whatever number it carries.
"""

import re
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote

from app.certificates import certificate_number
from app.certificates.certificate_number import to_western_digits

_VERIFY_URL = re.compile(r"/v/([^/?#]+)[^#]*(?:#(.*))?", re.DOTALL)
# As browsers read it: one slash or many, also turned round; what stands before @ is no host.
_AUTHORITY = re.compile(r"\b(?:https?|ftp|wss?):[/\\]*([^\s/?#\\]+)|(?<![\w:/])[/\\]{2}([^\s/?#\\]+)", re.IGNORECASE)
_WITHOUT_SCHEME = re.compile(r"([^\s/?#\\]+\.[^\s/?#\\]+|localhost(?::\d+)?)[/\\]", re.IGNORECASE)
_NUMBER_IN_TEXT = re.compile(r"[A-Za-z]{3,8}-\d{4}-\d{6,18}-[0-9A-Za-z](?![0-9A-Za-z])")
_MAX_HOST_CHARS = 100
_MAX_REPORTED_CHARS = 2_000
_QR_TOKEN = re.compile(r"ey[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,2}")  # also one that was cut off: the page says so
_TOKEN_PATTERN = re.compile(r"\s*ey[^.]{10,}\.[^.]+\.[^.]+", re.DOTALL)
_MAX_QR_TOKEN_CHARS = 1_000
_MAX_ADDRESS_CHARS = 4_000
_MAX_WORDS_CHARS: Final = 200  # what the register takes
_NOT_IN_NAMES = re.compile(r"[<>{}\[\]=;%\\^$@#|~*/\x00-\x1f\u202a-\u202e\u2066-\u2069]")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_NUMBER_LIKE = re.compile(r"[A-Z]{1,9}[0-9O]{4}[0-9A-Z]*")
_TOKEN_LIKE = re.compile(r"\S+\.\S+\.\S+")


@dataclass(frozen=True, slots=True)
class VerifyInput:
    """`number` in its written form; `text` is a token, words for the register, or what has to be typed again. `stamp`
    is empty without one, `host` where no address or one of ours was given."""

    kind: Literal["number", "token", "words", "mistyped"]
    text: str
    qr_token: str = ""
    host: str = ""
    address: str = field(default="", compare=False)  # the text that led elsewhere, for a report


def parse_input(text: str, own_hosts: Container[str] | None = None) -> VerifyInput:
    """Any text at all, from an input field or a scanner. Without `own_hosts` every host is taken for ours."""
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
    """Host of the first address in a text, as a browser would go to it; empty where there is none."""
    found = _AUTHORITY.search(text[:_MAX_ADDRESS_CHARS]) or _WITHOUT_SCHEME.match(text[:_MAX_ADDRESS_CHARS])
    if found is None:
        return ""
    authority = next(filter(None, found.groups()), "")
    host = unquote(authority).rpartition("@")[2]
    host = (host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]).rstrip(".").lower()
    try:  # look-alike letters are seen in this form
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _foreign_input(text: str, host: str) -> VerifyInput:
    """Its number may stand anywhere in it; without one there is nothing to look up."""
    address = _VERIFY_URL.search(text[:_MAX_ADDRESS_CHARS])
    somewhere = _NUMBER_IN_TEXT.search(unquote(text[:_MAX_ADDRESS_CHARS]))
    for candidate in (unquote(address[1]) if address else "", somewhere[0] if somewhere else ""):
        if number := certificate_number.parse_number(candidate):
            return VerifyInput("number", str(number), host=host[:_MAX_HOST_CHARS], address=text[:_MAX_REPORTED_CHARS])
    return VerifyInput("mistyped", text, host=host[:_MAX_HOST_CHARS], address=text[:_MAX_REPORTED_CHARS])


def _is_search_text(text: str) -> bool:
    """A name or a GTIN, for which the register has a search. A number with a slip in it is none."""
    if len(text) > _MAX_WORDS_CHARS:
        return False
    joined = "".join(to_western_digits(text).upper().split()).replace("-", "")
    if joined.isdecimal():
        return is_gtin(joined)
    like_another = _NUMBER_LIKE.fullmatch(joined.rstrip(".,/")) or _TOKEN_LIKE.fullmatch(text)
    return _LETTERS.search(text) is not None and not _NOT_IN_NAMES.search(text) and not like_another


def is_gtin(digits: str) -> bool:
    """8, 12, 13 or 14 digits with the check digit of GS1."""
    if len(digits) not in {8, 12, 13, 14} or not digits.isascii():
        return False
    return sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(digits.zfill(14))) % 10 == 0
