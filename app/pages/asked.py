"""What somebody put into the box: a number, an address copied from a label or a QR code, or a whole certificate. Pure.

Of an address only the number and the stamp are taken, never the host: whoever asks here is answered by this register.
"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from app.certificates import number as numbers

_ADDRESS = re.compile(r"/v/([^/?#]+)[^#]*(?:#(.*))?", re.DOTALL)
_STAMP = re.compile(r"ey[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,2}")  # also one that was cut off: the page says so
_TOKEN = re.compile(r"\s*ey[^.]{10,}\.[^.]+\.[^.]+", re.DOTALL)
_MAX_STAMP_CHARS = 1_000
_MAX_ADDRESS_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class Asked:
    """`number` in its written form; `text` is a token, or what has to be typed again. `stamp` is empty without one."""

    kind: Literal["number", "token", "mistyped"]
    text: str
    stamp: str = ""


def read(text: str) -> Asked:
    """Any text at all, from an input field or a scanner."""
    text = text.strip()
    stamp = ""
    if len(text) <= _MAX_ADDRESS_CHARS and (address := _ADDRESS.search(text)):
        text, stamp = unquote(address[1]), address[2] or ""
    elif _TOKEN.match(text):
        return Asked("token", text)
    number = numbers.parse(text)
    if number is None:
        return Asked("mistyped", text)
    is_stamp = len(stamp) <= _MAX_STAMP_CHARS and _STAMP.fullmatch(stamp)
    return Asked("number", str(number), stamp if is_stamp else "")
