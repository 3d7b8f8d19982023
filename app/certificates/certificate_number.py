"""Parse and format certificate numbers such as `MIK-2026-000042-Y`.

The parts are mark, year, serial and check character. The check character is ISO 7064 MOD 37,36 over the rest without
hyphens. It detects every single wrong character and nearly every swap of two neighbours; it is not secret and proves
nothing.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from stdnum.iso7064 import mod_37_36

MAX_INPUT_CHARS: Final = 100
_PATTERN = re.compile(r"([A-Z]{3,8})([0-9]{4})([0-9]{6}|[1-9][0-9]{6,17})([0-9A-Z])")
_SCHEME_CODE_PATTERN = re.compile(r"[A-Z]{3,8}")
_DISPLAY_PATTERN = re.compile(r"[A-Z]{3,8}-[0-9]{4}-(?:[0-9]{6}|[1-9][0-9]{6,17})-[0-9A-Z]")
_MAX_SERIAL: Final = 10**18 - 1

_PREFIX_PATTERN = re.compile(r"\s*(?:№|N[°º]|No(?=[\s.:№]))[\s.:]*", re.IGNORECASE)
_TRAILING_PUNCTUATION: Final = ".,/。，．／،"
_PATTERN_WITH_LETTER_O = re.compile(r"([A-Z]{3,8})([0-9O]{4})([0-9O]{6,18})([0-9A-Z])")

# Hyphens and spaces whose Unicode categories are not Pd or Zs: white space of pasted and scanned text, soft hyphen,
# zero-width spaces, hyphen bullet and point, minus signs.
_DROPPED_CHARACTERS = "\t\n\v\f\r\x85\u2028\u2029\u00ad\u200b\u2060\ufeff\u2027\u2043\u02d7\u207b\u208b\u2212\u2796"


class _FoldingTable(dict[int, str | None]):
    """Fold input characters, for `str.translate`.

    Not `upper()`, which keeps İ and turns ſ, ß and ﬁ into letters.
    """

    def __missing__(self, code: int) -> str | None:
        return None if unicodedata.category(chr(code)) in {"Zs", "Pd"} else chr(code)


# Arabic, Persian and full-width digits.
_DIGITS = {c: str(i) for row in ("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "０１２３４５６７８９") for i, c in enumerate(row)}
_WESTERN_DIGITS = {ord(c): digit for c, digit in _DIGITS.items()}
_FOLDING = _FoldingTable(
    {ord(c): c.upper() for c in "abcdefghijklmnopqrstuvwxyz"}
    | {ord("ı"): "I", ord("İ"): "I"}
    | _WESTERN_DIGITS
    | dict.fromkeys(map(ord, _DROPPED_CHARACTERS))
)


def to_western_digits(text: str) -> str:
    """Convert Persian, Arabic and full-width digits to 0–9; other characters stay."""
    return text.translate(_WESTERN_DIGITS)


@dataclass(frozen=True, slots=True)
class CertificateNumber:
    """Certificate number; `str()` is the display form.

    The mark matches `^[A-Z]{3,8}$`, the year is 0–9999, the serial 0–10^18-1. Raises `ValueError` for other values.
    """

    scheme: str
    year: int
    serial: int

    def __post_init__(self) -> None:
        if not _SCHEME_CODE_PATTERN.fullmatch(self.scheme):
            raise ValueError(f"the code of a mark is 3 to 8 capital letters, not {self.scheme!r}")
        if not 0 <= self.year <= 9999 or not 0 <= self.serial <= _MAX_SERIAL:
            raise ValueError(f"year {self.year} or serial {self.serial} does not fit a certificate number")

    @property
    def check_character(self) -> str:
        return str(mod_37_36.calc_check_digit(f"{self.scheme}{self.year:04d}{self.serial:06d}"))

    def __str__(self) -> str:
        return f"{self.scheme}-{self.year:04d}-{self.serial:06d}-{self.check_character}"


def parse_number(text: str) -> CertificateNumber | None:
    """Parse a number as people type it. Returns None where it is not a certificate number.

    Spaces and hyphens of any kind are dropped, letters folded, İ and ı read as I. “№” or “No” before the number is
    skipped, and a full stop, comma or slash after it. Persian, Arabic and full-width digits are digits; O is 0 where
    only a digit is possible. A serial has no leading zeros beyond six digits. Any other character, another format or a
    wrong check character gives None.
    """
    if len(text) > MAX_INPUT_CHARS:
        return None
    if (prefix := _PREFIX_PATTERN.match(text)) and (number := _without_prefix(text[prefix.end() :])):
        return number
    number = _without_prefix(text)
    if number is None and text[:2].upper() == "NO":  # a mark whose code begins with NO takes precedence
        return _without_prefix(text[2:])
    return number


def _without_prefix(text: str) -> CertificateNumber | None:
    folded = text.translate(_FOLDING).rstrip(_TRAILING_PUNCTUATION)
    if match := _PATTERN_WITH_LETTER_O.fullmatch(folded):
        scheme, *digits, check = match.groups()
        folded = scheme + "".join(digits).replace("O", "0") + check
    match = _PATTERN.fullmatch(folded)
    if match is None or not mod_37_36.is_valid(folded):
        return None
    return CertificateNumber(match[1], int(match[2]), int(match[3]))


class _ChecksumState(dict[str, "_ChecksumState"]):
    """Sum of ISO 7064 so far: the next character leads to the next state."""


_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CHECKSUM_STATES = [_ChecksumState() for _ in range(36)]
for _sum, _state in enumerate(_CHECKSUM_STATES):
    _state.update({c: _CHECKSUM_STATES[((_sum or 36) * 2 % 37 + value) % 36] for value, c in enumerate(_ALPHABET)})
_INITIAL_STATE, _VALID_STATE = _CHECKSUM_STATES[18], _CHECKSUM_STATES[1]


def has_display_shape(text: str) -> bool:
    """Return whether the text looks as in display form; its check character may be wrong."""
    return _DISPLAY_PATTERN.fullmatch(text) is not None


def to_display_form(text: str) -> str | None:
    """Return `str(parse_number(text))`, or None; fast for text that already is in display form."""
    if _DISPLAY_PATTERN.fullmatch(text):
        state = _INITIAL_STATE
        for character in text.replace("-", ""):
            state = state[character]
        return text if state is _VALID_STATE else None
    number = parse_number(text)
    return None if number is None else str(number)
