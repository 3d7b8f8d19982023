"""What somebody put into the box: a number, an address copied from a label or a QR code, a whole certificate, or words
to search for. Pure.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote

from app.certificates import number as numbers
from app.certificates.number import western

_ADDRESS = re.compile(r"/v/([^/?#]+)[^#]*(?:#(.*))?", re.DOTALL)
_STAMP = re.compile(r"ey[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,2}")  # also one that was cut off: the page says so
_TOKEN = re.compile(r"\s*ey[^.]{10,}\.[^.]+\.[^.]+", re.DOTALL)
_MAX_STAMP_CHARS = 1_000
_MAX_ADDRESS_CHARS = 4_000
_MAX_WORDS_CHARS: Final = 200  # what the register takes
_LETTERS = re.compile(r"[^\W\d_]{2}")
_LIKE_A_NUMBER = re.compile(r"[A-Z]{1,9}[0-9O]{4}[0-9A-Z]*")
_LIKE_A_TOKEN = re.compile(r"\S+\.\S+\.\S+")


@dataclass(frozen=True, slots=True)
class Asked:
    """`number` in its written form; `text` is a token, words for the register, or what has to be typed again. `stamp`
    is empty without one."""

    kind: Literal["number", "token", "words", "mistyped"]
    text: str
    stamp: str = ""


def read(text: str) -> Asked:
    """Any text at all, from an input field or a scanner."""
    text = text.strip()
    stamp, is_address = "", False
    if len(text) <= _MAX_ADDRESS_CHARS and (address := _ADDRESS.search(text)):
        text, stamp, is_address = unquote(address[1]), address[2] or "", True
    elif _TOKEN.match(text):
        return Asked("token", text)
    number = numbers.parse(text)
    if number is None:
        return Asked("words", western(text)) if not is_address and _is_words(text) else Asked("mistyped", text)
    is_stamp = len(stamp) <= _MAX_STAMP_CHARS and _STAMP.fullmatch(stamp)
    return Asked("number", str(number), stamp if is_stamp else "")


def _is_words(text: str) -> bool:
    """A name or a GTIN, for which the register has a search. A number with a slip in it is none."""
    if len(text) > _MAX_WORDS_CHARS:
        return False
    joined = "".join(western(text).upper().split()).replace("-", "")
    if joined.isdecimal():
        return is_gtin(joined)
    like_another = _LIKE_A_NUMBER.fullmatch(joined.rstrip(".,/")) or _LIKE_A_TOKEN.fullmatch(text)
    return _LETTERS.search(text) is not None and "/" not in text and not like_another


def is_gtin(digits: str) -> bool:
    """8, 12, 13 or 14 digits with the check digit of GS1."""
    if len(digits) not in {8, 12, 13, 14} or not digits.isascii():
        return False
    return sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(digits.zfill(14))) % 10 == 0
