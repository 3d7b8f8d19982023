"""Reject names that can be mistaken for others. Pure.

Readers compare a name on a certificate with a label. A name therefore has no invisible or direction-changing
characters, and no word mixes look-alike letters of two alphabets (Unicode TS 39).
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from app.core.messages import Message

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, format and bidi characters, surrogates, private, unassigned, line and paragraph ends."""
_JOINERS = frozenset("\u200c\u200d")  # required by Persian spelling
_CONFUSABLE_SCRIPTS = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "COPTIC", "CHEROKEE", "LISU"})
"""Alphabets with capitals or small letters that look like those of another."""
_COMPATIBILITY_LETTERS = re.compile(
    r"(MATHEMATICAL|FULLWIDTH|(NEGATIVE )?(SQUARED|CIRCLED)|PARENTHESIZED) .*(CAPITAL|SMALL) .+"
)
"""Letters that Unicode encodes a second time, for other uses than names."""
_UNIT_OF_MEASURE = re.compile("[0-9]*(μ[A-Za-z]{1,2}|[kMm]?Ω)")  # micrometres and kiloohms mix alphabets legitimately
_MAX_MARKS: Final = 4  # on one letter; Vietnamese needs two, vowelled Arabic three


def name_error(text: str) -> Message | None:
    """Return what is wrong with a name as a message; None for a valid one."""
    return next(_find_faults(text), None)


def _find_faults(text: str) -> Iterator[Message]:
    if text != text.strip():
        yield Message("This name begins or ends with a blank.", code="blank-around")
    if text.isascii() and text.isprintable():
        return  # the remaining checks cannot fail
    if (hidden := _find_invisible(text)) is not None:
        yield Message(
            "This name holds the character %(character)s, which is not shown. Leave it out.",
            code="lookalike",
            character=f"U+{ord(hidden):04X}",
        )
    if not unicodedata.is_normalized("NFC", text):
        yield Message("This name is not composed (NFC): two spellings would look the same.", code="lookalike")
    if _has_too_many_marks(text):
        yield Message("This name has more than %(limit)s accents on one letter.", code="lookalike", limit=_MAX_MARKS)
    if disguised := [letter for letter in text if _COMPATIBILITY_LETTERS.fullmatch(unicodedata.name(letter, ""))]:
        yield Message(
            "This name holds “%(letter)s”, which is not the letter that it shows. Write it with common letters.",
            code="lookalike",
            letter=disguised[0],
        )
    for word in _words(text):
        mixed = _CONFUSABLE_SCRIPTS.intersection(map(_script_of, word))
        if len(mixed) > 1 and not _UNIT_OF_MEASURE.fullmatch(word):
            yield Message(
                "This name mixes letters of several alphabets in “%(word)s” (%(alphabets)s), which can look like "
                "another word. Write each word in one alphabet.",
                code="lookalike",
                word=word,
                alphabets=sorted(name.capitalize() for name in mixed),
            )


def _find_invisible(text: str) -> str | None:
    for before, character, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if unicodedata.category(character) not in UNSEEN:
            continue
        if character in _JOINERS and _can_join(before) and _can_join(after):
            continue
        return character
    return None


def _can_join(neighbour: str) -> bool:
    """Whether an invisible joiner may be next to this letter: between Latin letters it would be hidden."""
    alphabet = _script_of(neighbour)
    return unicodedata.category(neighbour)[0] in "LMS" and alphabet not in _CONFUSABLE_SCRIPTS


def _has_too_many_marks(text: str) -> bool:
    run = 0
    for before, character in pairwise(" " + text):
        is_mark = unicodedata.category(character) == "Mn"
        run = run + 1 if is_mark and unicodedata.category(before) == "Mn" else int(is_mark)
        if run > _MAX_MARKS:
            return True
    return False


def _words(text: str) -> list[str]:
    """Split into runs of letters, marks and digits: after a hyphen or a space another alphabet is allowed."""
    return "".join(c if unicodedata.category(c)[0] in "LMN" or c in _JOINERS else " " for c in text).split()


def _script_of(letter: str) -> str:
    """Return the first word of the letter's Unicode name, such as `LATIN`; empty for other characters."""
    if unicodedata.category(letter)[0] not in "LS":
        return ""
    return unicodedata.name(letter, "").partition(" ")[0]
